"""From raw tables to a model worth trusting: data checks, features, search and statistics in one call.

Everything public stands here and is loaded when it is first used, so that `import frazil` costs little more than
`import polars`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from frazil import expressions as _expressions  # noqa: F401 -- gives Polars expressions their `.fz`
from frazil.version import __version__

if TYPE_CHECKING:
    from frazil.auto import fit_auto, suggest
    from frazil.budget import Budget
    from frazil.checks.cleaning import clean
    from frazil.checks.door import check
    from frazil.errors import (
        ArtifactError,
        BudgetError,
        DiskError,
        FrazilError,
        InputError,
        MissingColumnError,
        MissingExtraError,
        PanicError,
        SchemaError,
        SettingError,
        SourceError,
        TargetError,
    )
    from frazil.features import Recipe
    from frazil.features.calendar import BusinessDays as business_days
    from frazil.features.calendar import CyclicTime as cyclic_time
    from frazil.features.calendar import DateParts as date_parts
    from frazil.features.calendar import Elapsed as elapsed
    from frazil.features.calendar import Fourier as fourier
    from frazil.features.calendar import Holidays as holidays
    from frazil.features.calendar import MonthDistance as month_distance
    from frazil.features.calendar import TimeIndex as time_index
    from frazil.features.calendar.reading import dates
    from frazil.features.categories import CompareTexts as compare_texts
    from frazil.features.categories import EncodeCount as encode_count
    from frazil.features.categories import EncodeHierarchy as encode_hierarchy
    from frazil.features.categories import EncodeOrdered as encode_ordered
    from frazil.features.categories import EncodeOrdinal as encode_ordinal
    from frazil.features.categories import EncodeShare as encode_share
    from frazil.features.categories import EncodeTarget as encode_target
    from frazil.features.categories import EncodeTargetQuantile as encode_target_quantile
    from frazil.features.categories import EncodeTargetSpread as encode_target_spread
    from frazil.features.categories import EncodeWoe as encode_woe
    from frazil.features.categories import HashLevels as hash_levels
    from frazil.features.categories import JoinRareLevels as rare_levels
    from frazil.features.categories import MinHash as min_hash
    from frazil.features.categories import OneHot as one_hot
    from frazil.features.categories import Similarity as similarity
    from frazil.features.categories.levels import categories
    from frazil.features.chained import Chain as chain
    from frazil.features.geo import Bearing as bearing
    from frazil.features.geo import ClusterDistance as cluster_distance
    from frazil.features.geo import GridCell as grid_cell
    from frazil.features.geo import Haversine as haversine
    from frazil.features.geo import ManhattanDistance as manhattan_distance
    from frazil.features.geo import Midpoint as midpoint
    from frazil.features.geo import Rotate as rotate
    from frazil.features.given import Express as express
    from frazil.features.given import FromFunction as from_function
    from frazil.features.groups import CompareToGroup as compare_to_group
    from frazil.features.groups import GroupSize as group_size
    from frazil.features.groups import GroupStats as group_stats
    from frazil.features.nested import BinaryStats as binary_stats
    from frazil.features.nested import BooleanStats as boolean_stats
    from frazil.features.nested import ListItems as list_items
    from frazil.features.nested import ListStats as list_stats
    from frazil.features.nested import StructFields as struct_fields
    from frazil.features.nested.lists import lists
    from frazil.features.numbers import BinNumbers as bin_numbers
    from frazil.features.numbers import BinTarget as bin_target
    from frazil.features.numbers import Clip as clip
    from frazil.features.numbers import CrossNumbers as cross_numbers
    from frazil.features.numbers import Digits as digits
    from frazil.features.numbers import Distances as distances
    from frazil.features.numbers import Impute as impute
    from frazil.features.numbers import KeepNumbers as keep_numbers
    from frazil.features.numbers import Log as log
    from frazil.features.numbers import OutlierFlag as outlier_flag
    from frazil.features.numbers import Pca as pca
    from frazil.features.numbers import Polynomial as polynomial
    from frazil.features.numbers import Power as power
    from frazil.features.numbers import QuantileTransform as quantile_transform
    from frazil.features.numbers import RankTransform as rank_transform
    from frazil.features.numbers import RowStats as row_stats
    from frazil.features.numbers import Scale as scale
    from frazil.features.numbers import Spline as spline
    from frazil.features.numbers import Svd as svd
    from frazil.features.numbers.reading import numbers
    from frazil.features.ordered import Arrivals as arrivals
    from frazil.features.ordered import CompareWindows as compare_windows
    from frazil.features.ordered import CountOfKind as count_of_kind
    from frazil.features.ordered import Diff as diff
    from frazil.features.ordered import Ewm as ewm
    from frazil.features.ordered import Expanding as expanding
    from frazil.features.ordered import FillForward as fill_forward
    from frazil.features.ordered import Lag as lag
    from frazil.features.ordered import Lead as lead
    from frazil.features.ordered import PctChange as pct_change
    from frazil.features.ordered import Rolling as rolling
    from frazil.features.ordered import RollingCorr as rolling_corr
    from frazil.features.ordered import SeasonalIndex as seasonal_index
    from frazil.features.ordered import SeasonalLag as seasonal_lag
    from frazil.features.ordered import SeasonalNaive as seasonal_naive
    from frazil.features.ordered import SeasonalRolling as seasonal_rolling
    from frazil.features.ordered import Streak as streak
    from frazil.features.ordered import TimeSince as time_since
    from frazil.features.series import SeriesStats as series_stats
    from frazil.features.series import describe_series
    from frazil.features.tables import Aggregate as aggregate
    from frazil.features.tables import Latest as latest
    from frazil.features.tables import Synthesize as synthesize
    from frazil.features.text import Embed as embed
    from frazil.features.text import HashText as hash_text
    from frazil.features.text import TextStats as text_stats
    from frazil.features.text import TextSvd as tfidf
    from frazil.features.text.measures import texts
    from frazil.model import Model, load
    from frazil.progress import Progress
    from frazil.reproducing import reproduce
    from frazil.search.proposing import Search
    from frazil.search.staging import Forward
    from frazil.search.study import export_study
    from frazil.sources import sql

__all__ = [
    "ArtifactError",
    "Budget",
    "BudgetError",
    "DiskError",
    "Forward",
    "FrazilError",
    "InputError",
    "MissingColumnError",
    "MissingExtraError",
    "Model",
    "PanicError",
    "Progress",
    "Recipe",
    "SchemaError",
    "Search",
    "SettingError",
    "SourceError",
    "TargetError",
    "__version__",
    "aggregate",
    "arrivals",
    "bearing",
    "bin_numbers",
    "bin_target",
    "binary_stats",
    "boolean_stats",
    "business_days",
    "categories",
    "chain",
    "check",
    "clean",
    "clip",
    "cluster_distance",
    "compare_texts",
    "compare_to_group",
    "compare_windows",
    "count_of_kind",
    "cross_numbers",
    "cyclic_time",
    "date_parts",
    "dates",
    "describe_series",
    "diff",
    "digits",
    "distances",
    "elapsed",
    "embed",
    "encode_count",
    "encode_hierarchy",
    "encode_ordered",
    "encode_ordinal",
    "encode_share",
    "encode_target",
    "encode_target_quantile",
    "encode_target_spread",
    "encode_woe",
    "ewm",
    "expanding",
    "export_study",
    "express",
    "fill_forward",
    "fit_auto",
    "fourier",
    "from_function",
    "grid_cell",
    "group_size",
    "group_stats",
    "hash_levels",
    "hash_text",
    "haversine",
    "holidays",
    "impute",
    "keep_numbers",
    "lag",
    "latest",
    "lead",
    "list_items",
    "list_stats",
    "lists",
    "load",
    "log",
    "manhattan_distance",
    "midpoint",
    "min_hash",
    "month_distance",
    "numbers",
    "one_hot",
    "outlier_flag",
    "pca",
    "pct_change",
    "polynomial",
    "power",
    "quantile_transform",
    "rank_transform",
    "rare_levels",
    "reproduce",
    "rolling",
    "rolling_corr",
    "rotate",
    "row_stats",
    "scale",
    "seasonal_index",
    "seasonal_lag",
    "seasonal_naive",
    "seasonal_rolling",
    "series_stats",
    "similarity",
    "spline",
    "sql",
    "streak",
    "struct_fields",
    "suggest",
    "svd",
    "synthesize",
    "text_stats",
    "texts",
    "tfidf",
    "time_index",
    "time_since",
]

_HOMES = {
    "frazil.auto": ("fit_auto", "suggest"),
    "frazil.budget": ("Budget",),
    "frazil.search.proposing": ("Search",),
    "frazil.checks.cleaning": ("clean",),
    "frazil.checks.door": ("check",),
    "frazil.errors": tuple(name for name in __all__ if name.endswith("Error")),
    "frazil.features": ("Recipe",),
    "frazil.features.calendar.reading": ("dates",),
    "frazil.features.categories.levels": ("categories",),
    "frazil.features.nested.lists": ("lists",),
    "frazil.features.numbers.reading": ("numbers",),
    "frazil.features.series": ("describe_series",),
    "frazil.features.text.measures": ("texts",),
    "frazil.model": ("Model", "load"),
    "frazil.progress": ("Progress",),
    "frazil.reproducing": ("reproduce",),
    "frazil.search.staging": ("Forward",),
    "frazil.search.study": ("export_study",),
    "frazil.sources": ("sql",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
_BUILDERS = set(__all__) - set(_HOME_OF) - {"__version__"}  # lower-case names of the feature builders


def __getattr__(name: str) -> Any:  # noqa: ANN401 -- whatever the name stands for
    """Load a public name from its room when it is first used."""
    if name in _HOME_OF:
        found = getattr(import_module(_HOME_OF[name]), name)
    elif name in _BUILDERS:
        found = import_module("frazil.features").BUILDERS[name]
    else:
        raise AttributeError(f"module 'frazil' has no attribute {name!r}")
    globals()[name] = found  # the next use does not come here
    return found


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
