"""What is wrong with number columns: values far out, values that can't be, dates in disguise, long tails, zeros."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from frazil.checks.codes import found
from frazil.errors import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from frazil.checks.findings import Finding
    from frazil.checks.look import Look

LEAST_ROWS = 100
FAR_DEVIATIONS = 20.0  # median absolute deviations, scaled to standard deviations of a normal distribution
FAR_RANGES = 10.0  # interquartile ranges from the nearer quartile, as for the target
APART = 2.0  # times as far from the median as the farthest of the others: a tail has no such gap, a slip stands alone
FEW = 0.005  # share of the values; what is more often far out is a tail or a part of its own
TAIL, FAR_TAIL = 0.95, 0.99  # quantiles of the distances from the median between which the tail's power is measured
EXPECTED = 0.05  # so many values at least as far out, if the tail goes on as it is, are more than chance gives
ZERO_DEVIATIONS = 3.5  # Iglewicz and Hoaglin's line for a value that does not belong to the others
ZERO_GAP = 0.2  # of the median: measured values come nearer to zero before they reach it
LEAST_ZEROS = 2
NORMAL_MAD, NORMAL_IQR = 1.4826, 1.349
SKEWED = 50.0  # third standardised moment; of a lognormal distribution with sigma 1 it is 6
WRONG_SHARE = 0.02  # of the values; if more are impossible, the column means something else than its name says
DAYS = (19000101, 21001231)
ID_WORDS = {"id", "no", "nr", "index", "key", "code", "number", "row"}


@dataclass(frozen=True, slots=True)
class Possible:
    """What a column with such a word in its name can hold.

    Args:
        words: One of them is a word of the name.
        low: Least value, or None.
        high: Greatest value, or None.
    """

    words: frozenset[str]
    low: float | None = None
    high: float | None = None

    def broken_by(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return where values are outside; NaN is not."""
        below = values < (-np.inf if self.low is None else self.low)
        return below | (values > (np.inf if self.high is None else self.high))

    def text(self) -> str:
        """Say what is impossible."""
        ends = [f"below {self.low:g}"] if self.low is not None else []
        return " or ".join(ends + ([f"above {self.high:g}"] if self.high is not None else []))


POSSIBLE = (
    Possible(frozenset({"age", "ages"}), 0, 120),
    Possible(frozenset({"lat", "latitude"}), -90, 90),
    Possible(frozenset({"lon", "lng", "longitude"}), -180, 360),
    Possible(frozenset({"hour"}), 0, 24),
    Possible(frozenset({"month", "mon"}), 0, 12),
    Possible(frozenset({"weekday", "dow"}), 0, 7),
    Possible(frozenset({"probability", "prob"}), 0, 100),
    Possible(frozenset({"humidity", "humid"}), 0, 100),
    Possible(frozenset({"percent", "percentage", "pct"}), None, 1000),
    Possible(
        frozenset({"price", "quantity", "qty", "weight", "height", "length", "width", "area", "sqft", "count"}), 0
    ),
    Possible(frozenset({"distance", "duration", "seats", "rooms", "bedrooms", "bathrooms", "population", "salary"}), 0),
)


def check_numbers(look: Look) -> Iterator[Finding]:
    """Look at every number column that is not the target, on the sample."""
    skewed = []
    for name in look.numbers():
        values = look.array(name)
        finite = values[~np.isnan(values)]
        if len(finite) < LEAST_ROWS:
            continue
        yield from _impossible(name, finite, look)
        yield from _outliers(name, finite, look)
        yield from _zeros(name, finite, look)
        if look.known[name].dtype.is_integer():
            yield from _dates(name, finite)
        if abs(skewness(finite)) > SKEWED:
            skewed.append(name)
    if skewed:
        evidence = f"{len(skewed)} of {len(look.numbers())} number columns have a skewness beyond {SKEWED:g}"
        yield found("columns_skewed", None, f"{evidence}: {listed(skewed, 'and', 8)}")


def words_of(name: str) -> set[str]:
    """Cut a name into its words.

    >>> sorted(words_of("FlightDistance_km"))
    ['distance', 'flight', 'km']
    """
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def is_named_like_id(name: str) -> bool:
    """Tell whether one of a name's words says that it names or numbers rows.

    >>> is_named_like_id("customerID"), is_named_like_id("width")
    (True, False)
    """
    return bool(ID_WORDS & words_of(name))


def possible_for(name: str) -> Possible | None:
    """Return what a column can hold by its name; None where that says nothing."""
    words = words_of(name)
    if words & {"change", "delta", "diff", "difference", "log", "return", "score", "zscore", "growth", "ratio", "var"}:
        return None
    return next((possible for possible in POSSIBLE if possible.words & words), None)


def _impossible(name: str, values: NDArray[np.float64], look: Look) -> Iterator[Finding]:
    possible = possible_for(name)
    if possible is None:
        return
    count = np.count_nonzero(possible.broken_by(values))
    if 0 < count <= WRONG_SHARE * len(values):
        yield found("column_impossible", name, f"is {possible.text()} in {count:,} {look.of_rows}")


def _outliers(name: str, values: NDArray[np.float64], look: Look) -> Iterator[Finding]:
    far = outliers(values)
    count = np.count_nonzero(far)
    if count:
        evidence = (
            f"lies more than {FAR_DEVIATIONS:g} median deviations and {FAR_RANGES:g} interquartile ranges out, beyond a"
            f" gap, in {count:,} {look.of_rows}"
        )
        shown = ", ".join(f"{value:g}" for value in np.unique(values[far])[-3:])
        yield found("column_outliers", name, evidence, shown)


def outliers(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return where values are far out by two measures, and apart from all others.

    |x - median| > 20 * 1.4826 * MAD, more than 10 interquartile ranges beyond the nearer quartile, beyond a gap: at
    least twice as far from the median as any value before it, and where the column's own tail would have fewer than
    0.05 values (`expected_beyond`), so that a long tail is none. None where more than 0.5 % of the values are, or where
    half of the values are equal.

    Args:
        values: (rows,) finite.

    Source: Iglewicz and Hoaglin (1993), How to Detect and Handle Outliers; Tukey (1977), Exploratory Data Analysis.
    """
    none = np.zeros(len(values), bool)
    deviation = _deviation(values)
    low, high = np.quantile(values, [0.25, 0.75])
    if deviation == 0 or high == low:
        return none
    far = np.abs(values - np.median(values)) > FAR_DEVIATIONS * deviation
    far &= (values < low - FAR_RANGES * (high - low)) | (values > high + FAR_RANGES * (high - low))
    if not far.any():
        return none
    distances = np.abs(values - np.median(values))
    reached = FAR_DEVIATIONS * deviation / APART
    ordered = np.sort([reached, *distances[distances > reached]])
    gaps = np.flatnonzero(ordered[1:] >= APART * ordered[:-1])
    if not len(gaps):
        return none
    far &= distances >= ordered[gaps[0] + 1]
    if not far.any() or expected_beyond(distances[far].min(), distances) > EXPECTED:
        return none
    return far if far.sum() <= max(1, FEW * len(values)) else none


def expected_beyond(distance: float, distances: NDArray[np.float64]) -> float:
    """Return how many of these distances would be as large as one, if their tail went on by the power law that it has.

    expected = 0.05 * rows * (distance / q) ** -power, with q their 95 % quantile, and the power that fits best to those
    between it and their 99 % quantile; those beyond are only counted, so that what is judged does not judge itself:
    power = within / (sum of log(d / q) within + beyond * log(q99 / q))

    Args:
        distance: What is asked about, above the quantile.
        distances: (rows,) none negative.

    Source: Hill (1975), Annals of Statistics 3(5), 1163-1174, with the farthest values censored.
    """
    near, end = np.quantile(distances, [TAIL, FAR_TAIL])
    within = distances[(distances > near) & (distances <= end)]
    if near <= 0 or not len(within):
        return 0.0
    beyond = np.count_nonzero(distances > end)
    power = len(within) / (np.log(within / near).sum() + beyond * np.log(end / near))
    return float((1 - TAIL) * len(distances) * (distance / near) ** -power)


def marked_by_zero(values: NDArray[np.float64]) -> bool:
    """Tell a zero that stands for missing from one that was measured: it lies apart from values that are all positive.

    More than 3.5 deviations (1.4826 MAD) below the median of the others, with nothing between it and a fifth of that
    median, in two rows or more, but not in most.

    Args:
        values: (rows,) finite.

    Source: Iglewicz and Hoaglin (1993), How to Detect and Handle Outliers, for the 3.5.
    """
    positive = values[values != 0]
    zeros = len(values) - len(positive)
    if zeros < LEAST_ZEROS or zeros > len(positive) or positive.min() <= 0:
        return False
    median, deviation = float(np.median(positive)), _deviation(positive)
    return deviation > 0 and median > ZERO_DEVIATIONS * deviation and float(positive.min()) >= ZERO_GAP * median


def _zeros(name: str, values: NDArray[np.float64], look: Look) -> Iterator[Finding]:
    if not marked_by_zero(values):
        return
    positive = values[values != 0]
    far = np.median(positive) / _deviation(positive)
    evidence = (
        f"is 0 in {len(values) - len(positive):,} {look.of_rows}, {far:.1f} median deviations below the others' median,"
        " with nothing between"
    )
    shown = f"others from {positive.min():g}, median {np.median(positive):g}"
    yield found("column_zeros", name, evidence, shown)


def _deviation(values: NDArray[np.float64]) -> float:
    return float(NORMAL_MAD * np.median(np.abs(values - np.median(values))))


def skewness(values: NDArray[np.float64]) -> float:
    """Return the third standardised moment; 0 for a constant."""
    centred = values - values.mean()
    scale = np.sqrt((centred**2).mean())
    return 0.0 if scale == 0 else float(((centred / scale) ** 3).mean())


def _dates(name: str, values: NDArray[np.float64]) -> Iterator[Finding]:
    if values.min() < DAYS[0] or values.max() > DAYS[1]:
        return
    days, months = values % 100, values // 100 % 100
    if ((days >= 1) & (days <= 31) & (months >= 1) & (months <= 12)).all() and len(np.unique(months)) > 1:
        yield found("column_dates_as_numbers", name, "holds whole numbers that all read as year, month and day")
