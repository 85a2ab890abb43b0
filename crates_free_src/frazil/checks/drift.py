"""Whether columns are distributed as in a reference: tests say whether it is chance, distances whether it matters.

With many rows every test finds something, and with few a distance is large by chance. So a column is told of only where
both agree: a p-value that stands after all columns were tested, and a distance beyond what chance gives at that size.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from frazil.checks.codes import found
from frazil.checks.look import HUGE, STRINGS, counted, type_name
from frazil.checks.missing import missing_share
from frazil.errors import listed
from frazil.extras import load
from frazil.stats import benjamini_hochberg
from frazil.types import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from frazil.checks.findings import Finding
    from frazil.checks.look import Look

LEVEL = 0.01  # share of false ones among the columns that are told of
PSI_LINE = 0.2  # beyond what chance gives; by custom 0.1 is some and 0.25 much (Siddiqi, 2006, Credit Risk Scorecards)
WASSERSTEIN_LINE = 0.5  # standard deviations of the reference
CHANCE = 0.999  # quantile of what chance gives
BINS = 10
MOST_LEVELS = 50  # the reference's most frequent; others count as one
LEAST_IN_LEVEL = 10  # rows of the reference: levels that it happens to have would be rarer everywhere else
MISSING_LINE = 0.05  # difference of the shares
LEAST_ROWS = 50
MOST_SHOWN = 8
DEVIATIONS = 4.0  # standard deviations, and FEW rows, more than chance gives
FEW = 3
RARE = 3e-5  # chance that a normal value is 4 deviations above its mean
EMPTY = 1e-4  # share that an empty bin counts for, so that a logarithm can be taken
DRIFTING = (Role.NUMBER, Role.CATEGORY, Role.TARGET)


@dataclass(frozen=True, slots=True)
class Drift:
    """How one column differs from a reference.

    Args:
        column: Its name.
        kind: "number" or "category".
        rows: Values looked at, missing ones left out.
        reference_rows: The same of the reference.
        test: "kolmogorov_smirnov" or "chi_square".
        statistic: The test's statistic: the largest distance of the distribution functions, or chi-square.
        p_value: Of the test.
        p_adjusted: The same after all columns were tested (Benjamini and Hochberg).
        psi: Population stability index over the reference's deciles, or its levels of ten rows and more.
        psi_by_chance: What it exceeds in 1 of 1,000 samples of these sizes where nothing differs.
        jensen_shannon: Distance in bits to the power of 1/2, over the same bins, 0 to 1.
        wasserstein: Mean distance that values have to move, in standard deviations of the reference; null for
            categories.
        missing: Share of the rows without a value.
        reference_missing: The same of the reference.
    """

    column: str
    kind: str
    rows: int
    reference_rows: int
    test: str
    statistic: float
    p_value: float
    p_adjusted: float
    psi: float
    psi_by_chance: float
    jensen_shannon: float
    wasserstein: float | None
    missing: float
    reference_missing: float

    @property
    def is_drifted(self) -> bool:
        """Whether it is both more than chance and large."""
        far = self.psi > PSI_LINE + self.psi_by_chance or (self.wasserstein or 0.0) > WASSERSTEIN_LINE
        return self.p_adjusted < LEVEL and far


@dataclass(frozen=True, slots=True)
class Uncompared:
    """A column that could not be compared with a reference.

    Args:
        column: Its name.
        note: Why, in words.
        is_drifted: True where it is another column than it was: gone, or of a type of another kind; None where nothing
            can be said.
        missing: Share of the rows without a value; None where it is gone.
        reference_missing: The same of the reference.
    """

    column: str
    note: str
    is_drifted: bool | None = None
    missing: float | None = None
    reference_missing: float | None = None


def measure_drift(look: Look, reference: Look, leave_out: Sequence[str] = ()) -> list[Drift]:
    """Compare every column that both tables have, on their samples."""
    names = [
        name
        for name in look.schema
        if name in reference.schema
        and name not in leave_out
        and _kind(look, name) == _kind(reference, name)
        # What has become constant has lost its role on one side only.
        and {look.schema[name].role, reference.schema[name].role} & set(DRIFTING)
    ]
    measured = [one for name in names if (one := _measured(name, look, reference)) is not None]
    adjusted = benjamini_hochberg(np.array([one["p_value"] for one in measured], np.float64))
    return [Drift(**one, p_adjusted=float(p)) for one, p in zip(measured, adjusted, strict=True)]  # type: ignore[arg-type]


def uncompared(look: Look | None, reference: Look, measured: Sequence[Drift]) -> list[Uncompared]:
    """Say of each column of the reference that was not measured why it was not; None has none of the columns."""
    known = {one.column for one in measured}
    return [_why_not(name, look, reference) for name in reference.schema if name not in known]


def drift_frame(told: Sequence[Drift | Uncompared]) -> pl.DataFrame:
    """Return one row a column, to keep beside those of other batches; what was not compared has a note for figures."""
    rows = [{**asdict(one), "is_drifted": one.is_drifted} for one in told]
    kinds = {"str": pl.String, "int": pl.Int64, "float": pl.Float64, "float | None": pl.Float64}
    schema = {name: kinds[str(field.type)] for name, field in Drift.__dataclass_fields__.items()}
    return pl.DataFrame(rows, schema={**schema, "is_drifted": pl.Boolean, "note": pl.String})


def check_drift(measured: Sequence[Drift], target: str | None) -> Iterator[Finding]:
    """Tell of the columns that drifted."""
    for one in measured:
        if one.is_drifted:
            code = "drift_target" if one.column == target else "drift_column"
            moved = "" if one.wasserstein is None else f", moved by {one.wasserstein:.2f} standard deviations"
            chance = max(one.p_adjusted, 1e-300)
            evidence = (
                f"has PSI {one.psi:.2f} ({one.psi_by_chance:.2f} by chance), Jensen-Shannon {one.jensen_shannon:.2f}"
                f"{moved}, adjusted p {chance:.1g}, {one.rows:,} against {one.reference_rows:,} values"
            )
            yield found(code, one.column, evidence)


def check_missing_shares(look: Look, reference: Look, leave_out: Sequence[str] = ()) -> Iterator[Finding]:
    """Tell of the columns that are missing more or less often, however few values are left to be compared."""
    rows = look.sample.height, reference.sample.height
    for name in look.schema:
        if name in reference.schema and name not in leave_out and name != look.target:
            shares = missing_share(look.sample, name), missing_share(reference.sample, name)
            if _differ(shares, rows):
                evidence = f"is missing in {shares[0]:.1%} of the rows, in {shares[1]:.1%} of the reference"
                yield found("drift_missing", name, evidence)


def _differ(shares: tuple[float, float], rows: tuple[int, int]) -> bool:
    """Whether two shares differ by much, by more than chance (z test of two shares), and by more than a few rows."""
    difference = abs(shares[0] - shares[1])
    pooled = (shares[0] * rows[0] + shares[1] * rows[1]) / sum(rows)
    error = np.sqrt(pooled * (1 - pooled) * (1 / rows[0] + 1 / rows[1]))
    return bool(difference > max(MISSING_LINE, DEVIATIONS * error, FEW / min(rows)))


def check_support(look: Look, reference: Look, leave_out: Sequence[str] = ()) -> Iterator[Finding]:
    """Look for levels that the reference does not have, and numbers outside of its range."""
    outside = []
    for name in look.schema.named(Role.CATEGORY, Role.NUMBER):
        if name not in reference.known or name in leave_out or _kind(look, name) != _kind(reference, name):
            continue
        if _kind(look, name) == "category":
            yield from _new_levels(name, look, reference)
        elif _kind(look, name) == "number" and (beyond := _beyond(name, look, reference)) is not None:
            outside.append(beyond)
    if outside:
        more = f" and {len(outside) - MOST_SHOWN} more" if len(outside) > MOST_SHOWN else ""
        evidence = f"columns have values outside of the reference's range: {', '.join(outside[:MOST_SHOWN])}{more}"
        yield found("drift_range", None, evidence)


def _kind(look: Look, name: str) -> str:
    dtype = look.known[name].dtype
    if dtype in STRINGS or dtype == pl.Boolean:
        return "category"
    return "number" if dtype.is_numeric() else str(dtype)


def _why_not(name: str, look: Look | None, reference: Look) -> Uncompared:
    """Say why a column of the reference was not measured."""
    theirs = missing_share(reference.sample, name)
    if look is None or name not in look.schema:
        return Uncompared(name, "is not there", True, None, theirs)
    was, now = reference.known[name].dtype, look.known[name].dtype
    shares = (missing_share(look.sample, name), theirs)
    if _kind(look, name) != _kind(reference, name) and pl.Null not in (was, now):
        return Uncompared(name, f"is {type_name(now)}, and was {type_name(was)}", True, *shares)
    roles = {look.schema[name].role, reference.schema[name].role}
    if not roles & set(DRIFTING) or _kind(reference, name) not in ("number", "category"):
        return Uncompared(name, f"counts as {reference.schema[name].role}, which is not compared", None, *shares)
    return Uncompared(name, f"has fewer than {LEAST_ROWS} values, here or there", None, *shares)


def _measured(name: str, look: Look, reference: Look) -> dict[str, object] | None:
    kind = _kind(look, name)
    ours, theirs = (_present(side.values(name)) for side in (look, reference))
    if kind not in ("number", "category") or min(len(ours), len(theirs)) < LEAST_ROWS:
        return None
    known: dict[str, object] = {
        "column": name,
        "kind": kind,
        "rows": len(ours),
        "reference_rows": len(theirs),
        "missing": missing_share(look.sample, name),
        "reference_missing": missing_share(reference.sample, name),
    }
    compare = _numbers if kind == "number" else _levels
    return {**known, **compare(ours, theirs)}


def _present(values: pl.Series) -> pl.Series:
    present = values.drop_nulls()
    return present.filter(present.is_finite()) if values.dtype.is_float() else present


def _numbers(ours: pl.Series, theirs: pl.Series) -> Mapping[str, object]:
    stats = load("scipy.stats")
    one, other = (np.sort(side.cast(pl.Float64).to_numpy()).clip(-HUGE, HUGE) for side in (ours, theirs))
    tested = stats.ks_2samp(one, other, method="asymp")
    edges = np.unique(np.quantile(other, np.linspace(0, 1, BINS + 1)[1:-1]))
    counts = [np.bincount(np.searchsorted(edges, side, side="left"), minlength=len(edges) + 1) for side in (one, other)]
    scale = other.std() or 1.0
    moved = float(stats.wasserstein_distance(one, other) / scale)
    tests = {"test": "kolmogorov_smirnov", "statistic": float(tested.statistic), "p_value": float(tested.pvalue)}
    return tests | {"wasserstein": moved} | _distances(counts[0], counts[1])


def _levels(ours: pl.Series, theirs: pl.Series) -> Mapping[str, object]:
    kept = counted(theirs.cast(pl.String)).filter(pl.col("rows") >= LEAST_IN_LEVEL).head(MOST_LEVELS)["value"]
    codes = {level: at for at, level in enumerate(kept)}
    counts = [
        np.bincount(
            side.cast(pl.String).replace_strict(codes, default=len(codes), return_dtype=pl.Int64).to_numpy(),
            minlength=len(codes) + 1,
        )
        for side in (ours, theirs)
    ]
    table = np.stack(counts)
    table = table[:, table.sum(axis=0) > 0]
    test = (0.0, 1.0)
    if table.shape[1] > 1:
        tested = load("scipy.stats").chi2_contingency(table, correction=False)
        test = (float(tested.statistic), float(tested.pvalue))
    tests = {"test": "chi_square", "statistic": test[0], "p_value": test[1]}
    return tests | {"wasserstein": None} | _distances(counts[0], counts[1])


def _distances(ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> dict[str, object]:
    """Return distances of two counts over the same bins.

    psi = sum (p - q) * log(p / q); js² = mean of the Kullback-Leibler divergences to (p + q) / 2, in bits

    Where nothing differs, psi / (1 / n + 1 / m) is about chi-square with bins - 1 degrees of freedom.

    Source: Yurdakul and Naranjo (2020), Journal of Risk Model Validation 14(4), 89-100; Lin (1991), IEEE Transactions
        on Information Theory 37(1), 145-151.
    """
    used = (ours + theirs) > 0
    p, q = (np.maximum(side[used] / side.sum(), EMPTY) for side in (ours, theirs))
    middle = (p + q) / 2
    bits = ((p * np.log2(p / middle)).sum() + (q * np.log2(q / middle)).sum()) / 2
    chance = float(load("scipy.stats").chi2.ppf(CHANCE, max(1, used.sum() - 1))) * (1 / ours.sum() + 1 / theirs.sum())
    return {
        "psi": float(((p - q) * np.log(p / q)).sum()),
        "psi_by_chance": chance,
        "jensen_shannon": float(np.sqrt(max(0.0, bits))),
    }


def _new_levels(name: str, look: Look, reference: Look) -> Iterator[Finding]:
    """Compare with all levels of the reference, not only those of its sample."""
    ours = counted(look.values(name).cast(pl.String))
    known = reference.all_levels(name)
    new = ours.filter(~pl.col("value").is_in(known["value"].implode()))
    rows, (expected, most) = int(new["rows"].sum()), _new_by_chance(int(ours["rows"].sum()), known["rows"].to_numpy())
    if rows > most:
        chance = f" ({expected:,.0f} by chance)" if expected >= 1 else ""
        evidence = f"has {new.height:,} levels that are not in the reference, in {rows:,} {look.of_rows}{chance}"
        yield found("drift_levels", name, evidence, listed(new["value"].head(5), "and", 3))


def _new_by_chance(rows: int, known: NDArray[np.uint32]) -> tuple[float, float]:
    """Return in how many of so many rows levels are new where nothing has changed: in the mean, and hardly ever more.

    share = levels of one row / n; its variance = (levels of one row + 2 * levels of two - n * share²) / n²

    Args:
        rows: Those that have a level.
        known: (levels,) rows of each level of the reference; n is their sum.

    Source: Good (1953), Biometrika 40, 237-264; for the variance Esty (1983), Annals of Statistics 11(3), 905-912.
    """
    n, ones, twos = int(known.sum()), np.count_nonzero(known == 1), np.count_nonzero(known == 2)
    if n == 0:
        return 0.0, float(FEW)
    share = min(1.0, (ones + 1) / n)  # that there is none of one row is chance too
    of_reference = (rows / n) ** 2 * max(1.0, ones + 2 * twos - ones**2 / n)
    deviation = np.sqrt(rows * share * (1 - share) + of_reference)
    return rows * ones / n, float(rows * share + DEVIATIONS * deviation + FEW)


def _beyond(name: str, look: Look, reference: Look) -> str | None:
    """Say in how many rows a column goes beyond the reference, where that is more than chance gives.

    Where nothing has changed, k or more of m values lie beyond n others as often as k + 1 draws from all hold one of
    the others at most: the hypergeometric distribution.
    """
    theirs = reference.known[name]
    if theirs.minimum is None or theirs.maximum is None:
        return None
    values = _present(look.values(name)).cast(pl.Float64).to_numpy()
    outside = int(np.count_nonzero((values < theirs.minimum) | (values > theirs.maximum)))
    known = reference.rows - theirs.nulls - theirs.nans - theirs.infinities
    every = known + int(np.count_nonzero(~np.isnan(values)))
    chance = load("scipy.stats").hypergeom.cdf(1, every, known, outside + 1)
    return f"{name!r} in {outside:,} {look.of_rows}" if outside > FEW and chance < RARE else None
