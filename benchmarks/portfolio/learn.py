"""Order configurations so that stopping anywhere leaves the best mix, from the table that measure.py made.

    python benchmarks/portfolio/learn.py table.parquet

Greedy: the next configuration is the one that lowers the loss of the mix most for its cost, in the mean over sets.
Mixes are selected on one half of each set's unseen rows and judged on the other, as the search mixes on rows left out.
Printed beside it: the curve of loss against cost of this order and of the one in use, each set judged by an order that
was learned on the others (leave one set out). Costs are in fits of LightGBM's defaults on the same set.
"""

import sys

import numpy as np
import polars as pl

ROUNDS = 25
UNIT = "lightgbm "  # what the name of the cheapest configuration begins with
STOPS = (3, 6, 12, 25, 50, 100)  # costs at which the curves are read
COST_POWER = 0.5  # of the cost that a gain is divided by; 1 puts all cheap ones first, 0 ignores cost


def main() -> None:
    """Learn the order, and say what it is worth."""
    table = pl.read_parquet(sys.argv[1])
    in_use = table["first"].unique(maintain_order=True).to_list()
    sets = {name: Products(part, in_use) for (name,), part in table.group_by("set", maintain_order=True)}
    order = learned(list(sets.values()), in_use)
    for place, (name, loss) in enumerate(order, start=1):
        print(f"{place:2d} {loss:.4f} {name}")
    curves = []
    for left_out, products in sets.items():
        others = [each for name, each in sets.items() if name != left_out]
        curves.append([products.curve(in_use), products.curve([name for name, _ in learned(others, in_use)])])
    means = np.nanmean(curves, axis=0)
    wins = np.mean(np.array(curves)[:, 1] < np.array(curves)[:, 0], axis=0)
    print(pl.DataFrame({"cost": STOPS, "in_use": means[0], "learned": means[1], "learned_better": wins}))


class Products:
    """One set's mean products of errors, on two halves of its unseen rows, and costs."""

    def __init__(self, part: pl.DataFrame, names: list[str]) -> None:
        """Fill the matrices; a configuration that was not fitted there has infinite losses."""
        self.names = names
        place = {name: at for at, name in enumerate(names)}
        self.halves = np.full((2, len(names), len(names)), np.inf)
        self.costs = np.full(len(names), np.inf)
        for first, second, even, odd, seconds in part.drop("set").iter_rows():
            self.halves[:, place[first], place[second]] = even, odd
            self.costs[place[first]] = seconds
        unit = min(cost for name, cost in zip(names, self.costs, strict=True) if name.startswith(UNIT))
        self.costs /= max(unit, 0.1)

    def loss(self, chosen: list[int]) -> float:
        """Mix the chosen ones on one half, judge on the other, and the other way round."""
        there = [at for at in chosen if np.isfinite(self.costs[at])]
        if not there:
            return 1.0
        total = 0.0
        for half, other in ((0, 1), (1, 0)):
            weights = mixed(self.halves[half][np.ix_(there, there)])
            total += float(weights @ self.halves[other][np.ix_(there, there)] @ weights) / 2
        return total

    def curve(self, order: list[str]) -> list[float]:
        """Return the loss of what is finished at each of the stops."""
        at = [self.names.index(name) for name in order]
        at = [each for each in at if np.isfinite(self.costs[each])]
        spent = np.cumsum(self.costs[at])
        return [self.loss(at[: max(1, int((spent <= stop).sum()))]) for stop in STOPS]


def mixed(products: np.ndarray) -> np.ndarray:
    """Return the weights of greedy selection with replacement, as the search finds them."""
    counts = np.zeros(len(products))
    best, best_loss = counts, np.inf
    for size in range(1, ROUNDS + 1):
        # (c + e_i)' P (c + e_i) = c'Pc + 2 (Pc)_i + P_ii
        losses = counts @ products @ counts + 2 * products @ counts + np.diag(products)
        counts = counts.copy()
        counts[int(losses.argmin())] += 1
        if losses.min() / size**2 < best_loss:
            best, best_loss = counts, losses.min() / size**2
    return best / best.sum()


def learned(sets: list[Products], names: list[str]) -> list[tuple[str, float]]:
    """Return the configurations in their order, each with the mean loss of the mix up to it."""
    order: list[int] = []
    found = []
    now = np.array([each.loss([]) for each in sets])
    while len(order) < len(names):
        left = [at for at in range(len(names)) if at not in order]
        losses = {at: np.array([each.loss([*order, at]) for each in sets]) for at in left}
        value = {at: _value(now, losses[at], [each.costs[at] for each in sets]) for at in left}
        chosen = max(left, key=value.__getitem__)
        order.append(chosen)
        now = losses[chosen]
        found.append((names[chosen], float(now.mean())))
    return found


def _value(now: np.ndarray, then: np.ndarray, costs: list[float]) -> float:
    """Return the mean relative gain over the sets where it was fitted, for its cost."""
    cost = np.array(costs)
    fitted = np.isfinite(cost)
    gain = float(np.mean((1 - then / now) * fitted))
    return gain / float(np.median(cost[fitted])) ** (COST_POWER if gain > 0 else -COST_POWER)


if __name__ == "__main__":
    main()
