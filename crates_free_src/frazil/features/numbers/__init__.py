"""Numbers: columns as they are, and what is made of one column or several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frazil.features.numbers.bins import Binned, BinNumbers
from frazil.features.numbers.combined import Combined, CrossNumbers, Polynomial
from frazil.features.numbers.curves import Curved, Log, Power
from frazil.features.numbers.fences import Flagged, OutlierFlag
from frazil.features.numbers.imputed import GroupFilled, Impute
from frazil.features.numbers.kept import KeepNumbers, NumberKept
from frazil.features.numbers.projections import Distances, Pca, Projected, Svd
from frazil.features.numbers.quantiles import Placed, QuantileTransform, RankTransform
from frazil.features.numbers.rows import Digits, DigitsRead, RowMeasured, RowStats
from frazil.features.numbers.scaled import Clip, Scale, Scaled
from frazil.features.numbers.splines import Spline, SplineExpanded
from frazil.features.numbers.targets import BinsValued, BinTarget

if TYPE_CHECKING:
    from frazil.features.contract import Builder, Fitted

# By the names that users call them.
BUILDERS: dict[str, type[Builder]] = {
    "bin_numbers": BinNumbers,
    "bin_target": BinTarget,
    "clip": Clip,
    "cross_numbers": CrossNumbers,
    "digits": Digits,
    "distances": Distances,
    "impute": Impute,
    "keep_numbers": KeepNumbers,
    "log": Log,
    "outlier_flag": OutlierFlag,
    "pca": Pca,
    "polynomial": Polynomial,
    "power": Power,
    "quantile_transform": QuantileTransform,
    "rank_transform": RankTransform,
    "row_stats": RowStats,
    "scale": Scale,
    "spline": Spline,
    "svd": Svd,
}
STATES: tuple[type[Fitted], ...] = (
    Binned,
    BinsValued,
    Combined,
    Curved,
    DigitsRead,
    Flagged,
    GroupFilled,
    NumberKept,
    Placed,
    Projected,
    RowMeasured,
    Scaled,
    SplineExpanded,
)

__all__ = [
    "BUILDERS",
    "STATES",
    "BinNumbers",
    "BinTarget",
    "Binned",
    "BinsValued",
    "Clip",
    "Combined",
    "CrossNumbers",
    "Curved",
    "Digits",
    "DigitsRead",
    "Distances",
    "Flagged",
    "GroupFilled",
    "Impute",
    "KeepNumbers",
    "Log",
    "NumberKept",
    "OutlierFlag",
    "Pca",
    "Placed",
    "Polynomial",
    "Power",
    "Projected",
    "QuantileTransform",
    "RankTransform",
    "RowMeasured",
    "RowStats",
    "Scale",
    "Scaled",
    "Spline",
    "SplineExpanded",
    "Svd",
]
