"""What is known of the target by level and fold: asked for in the shared scan, counted with every string read once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from frazil.features.categories.levels import Levels, frequent_first, level
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from frazil.features.contract import Learned, Queries, Target, Training

# What float64 can't hold becomes null in the end; it is no reason to warn.
quietly = np.errstate(over="ignore", invalid="ignore")
SLICE = 500_000  # rows counted at once; their cells stay in a processor's cache
ROWS = "rows"


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Sums over the target by level and fold.

    Args:
        counts: (places, folds) float64 rows with a target.
        sums: (labels, places, folds) float64 sums of the target.
        squares: (labels, places, folds) float64 sums of squared distances to the mean of the same place and fold;
            None where nobody asked.
    """

    counts: NDArray[np.float64]
    sums: NDArray[np.float64]
    squares: NDArray[np.float64] | None = None

    @quietly
    def total(self) -> Tally:
        """Add the folds up."""
        folds = np.arange(self.counts.shape[-1])
        counts, sums = (values.sum(axis=-1, keepdims=True) for values in (self.counts, self.sums))
        return Tally(counts, sums, self._squares(counts, sums, [folds]))

    @quietly
    def of_others(self, *, forward: bool) -> Tally:
        """Add up, for each fold, all other folds; or with `forward` the earlier ones."""
        n = self.counts.shape[-1]
        counts, sums = (_of_others(values, forward=forward) for values in (self.counts, self.sums))
        read = [
            np.array([fold for fold in range(n) if fold < own or (fold > own and not forward)], int) for own in range(n)
        ]
        return Tally(counts, sums, self._squares(counts, sums, read))

    def _squares(
        self, counts: NDArray[np.float64], sums: NDArray[np.float64], read: Sequence[NDArray[np.int64]]
    ) -> NDArray[np.float64] | None:
        """Put squares about the means of single folds together, about their common mean."""
        if self.squares is None:
            return None
        means = ratio(sums, counts)
        squares = np.zeros(sums.shape)
        for fold, own in enumerate(read):
            away = ratio(self.sums[..., own], self.counts[:, own]) - means[..., [fold]]
            squares[..., fold] = (self.squares[..., own] + self.counts[:, own] * away**2).sum(axis=-1)
        return squares


def _of_others(values: NDArray[np.float64], *, forward: bool) -> NDArray[np.float64]:
    """Add up all earlier folds, and all later ones.

    What may not be read is never added: taking it off again would leave a trace of it in the last digits.
    """
    others = np.zeros(values.shape)
    others[..., 1:] = values.cumsum(axis=-1)[..., :-1]
    if not forward:
        others[..., :-1] += values[..., ::-1].cumsum(axis=-1)[..., -2::-1]
    return others


def ratio(sums: NDArray[np.float64], counts: NDArray[np.float64], otherwise: float = 0.0) -> NDArray[np.float64]:
    """Divide, and take another value where there is nothing to divide by."""
    shape = np.broadcast_shapes(sums.shape, counts.shape)
    out: NDArray[np.float64] = np.divide(sums, counts, out=np.full(shape, otherwise), where=counts > 0)
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """The levels of one column or cross, and what is known of them.

    Args:
        levels: The levels, the most frequent first.
        tally: By their places.
        labels: What is counted of the target.
        places: (rows,) UInt32 place of each training row's level; None where rows were not asked for.
    """

    levels: Levels
    tally: Tally
    labels: tuple[str, ...]
    places: pl.Series | None = None

    @property
    def row_places(self) -> NDArray[np.int64]:
        """The places of the training rows, as int64; none where rows were not asked for."""
        none = np.zeros(0, np.int64)
        return none if self.places is None else self.places.to_numpy().astype(np.int64)

    def targets(self, target: pl.Series, all_labels: Sequence[str]) -> list[NDArray[np.float64]]:
        """Return (rows,) float64 of each label, NaN where the target is missing.

        Args:
            target: As from `ask_rows`.
            all_labels: Of the target, those that have no column too.
        """
        if target.dtype.is_float():
            return [target.to_numpy()]
        slots = [all_labels.index(label) + 1 for label in self.labels]
        return [target.eq(slot).cast(pl.Float64).to_numpy() for slot in slots]


def is_number(train: Training, target: Target) -> bool:
    """Whether the target is a number, and not 0 and 1 of labels."""
    (value, *_) = target.values.values()
    return train.frame.select(value.alias("value")).collect_schema()["value"].is_float()


def ask_tallies(
    train: Training, target: Target, crosses: Sequence[tuple[str, ...]], *, squares: bool = False
) -> Queries:
    """Ask for sums by level; where training rows will need values of their own, for codes of their levels instead.

    Codes take 4 bytes a row and column. They spare reading each string a second time, which is most of the work.

    Args:
        train: The training table.
        target: Its target.
        crosses: The columns of each set of levels.
        squares: Whether spreads are needed too.
    """
    if train.fold is not None:
        return {ROWS: ask_rows(train, target, crosses)}
    return {str(at): _grouped(train, target, sources, squares=squares) for at, sources in enumerate(crosses)}


def ask_rows(train: Training, target: Target, crosses: Sequence[tuple[str, ...]], **beside: pl.Expr) -> pl.LazyFrame:
    """Ask for each row's fold, target and levels as codes.

    Returns: `fold`; `target`, a Float64 number, or UInt8 1 for the first label, 2 for the second, 0 for others; the
        levels under "0", "1", ... as categoricals of their own; and what is asked for beside.
    """
    fold = pl.lit(0, pl.Int32) if train.fold is None else column(train.fold)
    values = list(target.values.values())
    if is_number(train, target):
        known = values[0].cast(pl.Float64)
    else:
        coded = [value * (at + 1) for at, value in enumerate(values)]
        known = pl.sum_horizontal(coded, ignore_nulls=False).cast(pl.UInt8)
    # Categories of their own, so that codes are dense whatever else the process holds.
    levels = {
        str(at): level(sources).cast(pl.Categorical(pl.Categories.random())) for at, sources in enumerate(crosses)
    }
    return train.frame.select(fold=fold, target=known, **levels, **beside)


def _grouped(train: Training, target: Target, sources: tuple[str, ...], *, squares: bool) -> pl.LazyFrame:
    values = {f"sum_{at}": value for at, value in enumerate(target.values.values())}
    rows = pl.col("sum_0").count()
    spreads = [(pl.col(f"sum_{at}").var(ddof=0) * rows).alias(f"square_{at}") for at in range(len(values))]
    return (
        train.frame.select(level=level(sources), **values)
        .group_by("level")
        .agg(
            pl.len().alias("rows"),
            rows.alias("count"),
            *(spreads if squares else ()),
            *(column(name).sum() for name in values),
        )
    )


def read_tallies(
    learned: Learned,
    target: Target,
    crosses: Sequence[tuple[str, ...]],
    most_classes: int,
    *,
    squares: bool = False,
) -> list[Known]:
    """Return what was asked for, one for each set of levels; it is counted once, and kept with what was learned."""
    if "known" not in learned:
        labels = tuple(target.values)
        if ROWS in learned:
            counter = _RowCounter.of(learned[ROWS], labels, most_classes, squares=squares)
            learned["known"] = [counter.known(str(at), sources) for at, sources in enumerate(crosses)]
        else:
            learned["known"] = [
                _known(learned[str(at)], sources, labels, most_classes) for at, sources in enumerate(crosses)
            ]
    known: list[Known] = learned["known"]
    return known


@quietly
def _known(df: pl.DataFrame, sources: tuple[str, ...], labels: tuple[str, ...], most: int) -> Known:
    levels = Levels.by_frequency(sources, df)
    at = levels.positions(df.get_column("level")).to_numpy()
    kept = most_frequent([float(df.get_column(f"sum_{at}").sum()) for at in range(len(labels))], most)

    def spread(names: Sequence[str]) -> NDArray[np.float64]:
        out = np.zeros((len(names), levels.places, 1))
        for place, name in enumerate(names):
            out[place, at, 0] = df.get_column(name).fill_null(0.0).to_numpy()
        return out

    squares = spread([f"square_{label}" for label in kept]) if "square_0" in df.columns else None
    tally = Tally(spread(["count"])[0], spread([f"sum_{label}" for label in kept]), squares)
    return Known(levels, tally, tuple(labels[at] for at in kept))


@dataclass(frozen=True, slots=True, eq=False)
class _RowCounter:
    """Counts training rows by level and fold.

    Args:
        rows: As from `ask_rows`; where there is more than one slot, with a column of them.
        slots: How many kinds of targets are told apart: a number or other labels, each kept label, and missing ones.
        labels: The kept labels.
        is_number: Whether the target is a number.
        squares: Whether spreads are needed.
        folds: How many there are.
    """

    rows: pl.DataFrame
    slots: int
    labels: tuple[str, ...]
    is_number: bool
    squares: bool
    folds: int

    @classmethod
    def of(cls, rows: pl.DataFrame, labels: tuple[str, ...], most: int, *, squares: bool) -> _RowCounter:
        target = rows.get_column("target")
        folds = int(rows.get_column("fold").to_numpy().max(initial=0)) + 1
        is_missing = target.null_count() > 0
        if target.dtype.is_float():
            slotted = rows.with_columns(slot=target.is_null().cast(pl.UInt8)) if is_missing else rows
            return cls(slotted, 1 + is_missing, labels, True, squares, folds)
        found = np.bincount(target.drop_nulls().to_numpy(), minlength=len(labels) + 1)[1:]
        kept = most_frequent(found.astype(np.float64).tolist(), most)
        slot_of = np.zeros(len(labels) + 1, np.uint8)
        slot_of[np.array(kept, np.int64) + 1] = np.arange(1, len(kept) + 1)
        slot = target if len(kept) == len(labels) else pl.Series(slot_of).gather(target)
        slotted = rows.with_columns(slot=slot.fill_null(len(kept) + 1) if is_missing else slot)
        return cls(slotted, 1 + len(kept) + is_missing, tuple(labels[at] for at in kept), False, squares, folds)

    @property
    def known_slots(self) -> int:
        """How many slots are of rows with a target."""
        return 1 if self.is_number else len(self.labels) + 1

    @quietly
    def known(self, name: str, sources: tuple[str, ...]) -> Known:
        """Count one column of levels."""
        codes = self.rows.get_column(name)
        physical = codes.to_physical()
        n = int(physical.max()) + 1 if physical.count() else 0  # type: ignore[arg-type]
        table, sums = self._counted(physical, n)
        rows = table.sum(axis=(1, 2))
        values = pl.Series("level", np.arange(n, dtype=np.uint32)).cat.to(codes.dtype).cast(pl.String)
        order = frequent_first(pl.DataFrame({"level": values, "rows": rows[:n], "code": np.arange(n)}))
        code = np.concatenate([order.get_column("code").to_numpy(), [n]]).astype(np.int64)
        place_of = np.empty(n + 1, np.uint32)
        place_of[code] = np.arange(n + 1)
        places = pl.Series(place_of).gather(_filled(physical, n))
        tally = self._tally(table[code], sums[code], physical, code)
        return Known(Levels(sources, order.get_column("level")), tally, self.labels, places)

    def _tally(
        self, table: NDArray[np.float64], sums: NDArray[np.float64], physical: pl.Series, code: NDArray[np.int64]
    ) -> Tally:
        counts = table[..., : self.known_slots].sum(axis=-1)
        labelled = sums[None] if self.is_number else np.moveaxis(table[..., 1 : self.known_slots], -1, 0)
        squares = None
        if self.squares and self.is_number:
            means = np.empty(counts.shape)
            means[code] = ratio(sums, counts)
            squares = _unseen_added(self._summed(physical, len(code) - 1, means)[code][None])
        elif self.squares:
            squares = _unseen_added(ratio(labelled * (counts - labelled), counts))
        return Tally(_unseen_added(counts), _unseen_added(labelled), squares)

    def _counted(self, physical: pl.Series, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Count rows by code, fold and slot, and sum numbers by code and fold; the last code is that of null."""
        cells = (n + 1) * self.folds
        table = np.zeros(cells * self.slots)
        sums = np.zeros(cells)
        for cell, part in self._slices(physical, n):
            key = cell if self.slots == 1 else cell * self.slots + part.get_column("slot").to_numpy()
            table += np.bincount(key, minlength=len(table))
            if self.is_number:
                weights = _filled(part.get_column("target"), 0.0).to_numpy()
                sums += np.bincount(cell, weights=weights, minlength=cells)
        return table.reshape(n + 1, self.folds, self.slots), sums.reshape(n + 1, self.folds)

    def _summed(self, physical: pl.Series, n: int, means: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum squared distances of numbers to the means of their code and fold."""
        flat = np.zeros(means.size)
        for cell, part in self._slices(physical, n):
            away = part.get_column("target").to_numpy() - means.reshape(-1)[cell]
            flat += np.bincount(cell, weights=np.where(np.isnan(away), 0.0, away**2), minlength=len(flat))
        return flat.reshape(means.shape)

    def _slices(self, physical: pl.Series, n: int) -> Iterator[tuple[NDArray[np.int64], pl.DataFrame]]:
        asked = self.rows.with_columns(code=_filled(physical, n))
        for part in asked.iter_slices(SLICE):
            cell = part.get_column("code").to_numpy().astype(np.int64)
            cell *= self.folds
            cell += part.get_column("fold").to_numpy()
            yield cell, part


def _filled(values: pl.Series, value: float) -> pl.Series:
    """Fill nulls; where there are none, without a copy."""
    return values.fill_null(value) if values.null_count() else values


def _unseen_added(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Append the place of what is unknown, which has no rows."""
    return np.concatenate([values, np.zeros((*values.shape[:-2], 1, values.shape[-1]))], axis=-2)


def most_frequent(totals: Sequence[float], most: int) -> list[int]:
    """Return positions of the most frequent labels, in the order of the labels."""
    if len(totals) <= most:
        return list(range(len(totals)))
    order: list[int] = np.argsort(np.array(totals), kind="stable")[::-1][:most].tolist()
    return sorted(order)
