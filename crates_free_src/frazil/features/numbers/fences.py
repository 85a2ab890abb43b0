"""Fences that set outliers apart, and a flag of the values beyond them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.features.contract import Columns, Feature, Kind, LeakClass, Learned, Queries, Scope, Training
from frazil.features.numbers.reading import (
    KINDS,
    MOST_ROWS,
    check_at_least,
    finite,
    is_real,
    kinds,
    known,
    numbers,
    read,
    sample,
)
from frazil.features.plain import PlainState, check_known

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTHS = {"quantile": 0.01, "iqr": 1.5, "mad": 3.0, "z": 3.0}
NORMAL_MAD = 1.4826  # standard deviations of a normal distribution in its median absolute deviation
FLAGS = ("missing", "outlier")


@dataclass(frozen=True, slots=True)
class OutlierFlag:
    """Flag values beyond fences with 1, others with 0; null, NaN and infinities are null.

    The fences are those of `Clip`, learned from an even sample of rows. Where more than half of the values are equal,
    "iqr" and "mad" flag all others.

    Args:
        columns: Names or a selector.
        by: "z", "iqr", "mad" or "quantile".
        width: How far out the fences are; 3, 1.5, 3 and 0.01 where None.
        most_rows: How many training rows are learned from, spread evenly.

    Raises: SettingError: as `Clip`.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"price": [1.0, 2.0, 3.0, 4.0, 99.0, None]})
    >>> Recipe(OutlierFlag("price", by="iqr")).fit(frame).apply(frame).collect()["price|outlier_iqr_1.5"].to_list()
    [0, 0, 0, 0, 1, None]
    """

    columns: Columns = field(default_factory=numbers)
    by: str = "z"
    width: float | None = None
    most_rows: int = MOST_ROWS

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        check_fences(self.by, self.width)
        check_at_least(self, 1, "most_rows")

    def learn(self, train: Training) -> Queries:
        """Ask for a sample of rows."""
        return {"sample": sample(read(train, train.columns(self.columns, KINDS, self)), self.most_rows)}

    def fitted(self, learned: Learned, train: Training) -> list[Flagged]:
        """Set the fences."""
        names = train.columns(self.columns, KINDS, self)
        width = width_of(self.by, self.width)
        operation = f"outlier_{described_fences(self.by, width)}"
        return [
            Flagged(
                name,
                train.named(name, operation),
                kind,
                "outlier",
                fences(known(learned["sample"], at), self.by, width),
            )
            for at, (name, kind) in enumerate(zip(names, kinds(train, names), strict=True))
        ]


@dataclass(frozen=True, slots=True)
class Flagged(PlainState):
    """1 where a number is missing, or lies beyond fences; else 0.

    Args:
        source: The column.
        name: The generated one.
        kind: Kind of the column's type.
        flag: "missing" or "outlier".
        bounds: The fences of "outlier"; empty where nothing is beyond them.
    """

    source: str
    name: str
    kind: str
    flag: str
    bounds: tuple[float, ...] = ()
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what is not known, and fences that are not two."""
        check_known("kind", [self.kind], KINDS)
        check_known("flag", [self.flag], FLAGS)
        if len(self.bounds) not in (0, 2):
            raise ValueError(f"{self.name!r} has fences {self.bounds}")

    @property
    def features(self) -> tuple[Feature, ...]:
        """One flag."""
        said = f"whether {self.source} is missing"
        if self.flag == "outlier":
            said = f"whether {self.source} lies beyond {' and '.join(f'{bound:g}' for bound in self.bounds)}"
        parameters = dict(zip(("low", "high"), self.bounds, strict=False))
        leak = LeakClass.OWN_ROW if self.flag == "missing" else LeakClass.OTHER_ROWS
        return (Feature(self.name, (self.source,), self.flag, parameters, pl.Int8(), said, leak=leak),)

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add it."""
        value = finite(self.source, Kind(self.kind))
        if self.flag == "missing":
            flag = value.is_null()
        else:
            low, high = self.bounds or (-np.inf, np.inf)
            flag = ~value.is_between(low, high)
        return frame.with_columns(flag.cast(pl.Int8).alias(self.name))


def check_fences(by: str, width: float | None) -> None:
    """Refuse fences that there are none of.

    Raises: SettingError: `by` is not known, or the width is not above 0 (below 0.5 for "quantile").
    """
    if by not in WIDTHS:
        raise SettingError.among("by", by, WIDTHS)
    most = 0.5 if by == "quantile" else np.inf
    if width is not None and not (is_real(width) and 0 < width < most):
        allowed = "a share above 0 and below 0.5" if by == "quantile" else "a number above 0"
        raise SettingError(f"width={width!r}; with by={by!r} it takes {allowed}.")


def width_of(by: str, width: float | None) -> float:
    """Return the width, or the usual one."""
    return float(WIDTHS[by] if width is None else width)


def described_fences(by: str, width: float) -> str:
    """Name fences in a column's name.

    >>> described_fences("quantile", 0.01), described_fences("quantile", 0.005), described_fences("iqr", 1.5)
    ('p01_p99', 'p0.5_p99.5', 'iqr_1.5')
    """
    if by != "quantile":
        return f"{by}_{width:g}"
    low, high = (f"{100 * share:g}" for share in (width, 1 - width))
    return f"p{low.zfill(2)}_p{high}"


def fences(values: NDArray[np.float64], by: str, width: float) -> tuple[float, ...]:
    """Set the fences; none where there are no values.

    Args:
        values: (rows,) finite.
        by: "quantile", "iqr", "mad" or "z".
        width: How far out.
    """
    if not values.size:
        return ()
    with np.errstate(over="ignore", invalid="ignore"):  # at the end of float64, where the fence is that end
        low, high = _set(values, by, width)
    most = np.finfo(np.float64).max
    return (float(np.nan_to_num(low, nan=-most)), float(np.nan_to_num(high, nan=most)))


def _set(values: NDArray[np.float64], by: str, width: float) -> tuple[float, float]:
    if by == "quantile":
        low, high = np.quantile(values, [width, 1 - width]).tolist()
        return low, high
    if by == "iqr":
        first, third = np.quantile(values, [0.25, 0.75]).tolist()
        return first - width * (third - first), third + width * (third - first)
    if by == "mad":
        middle = float(np.median(values))
        away = width * NORMAL_MAD * float(np.median(np.abs(values - middle)))
    else:
        middle, away = float(values.mean()), width * float(values.std())
    return middle - away, middle + away
