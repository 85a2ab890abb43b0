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
    from frazil.auto import check, fit_auto, suggest
    from frazil.budget import Budget
    from frazil.errors import (
        ArtifactError,
        BudgetError,
        FrazilError,
        InputError,
        MissingColumnError,
        MissingExtraError,
        SchemaError,
        SettingError,
        SourceError,
        TargetError,
    )
    from frazil.features import Recipe
    from frazil.features.calendar import CyclicTime as cyclic_time
    from frazil.features.calendar import DateParts as date_parts
    from frazil.features.categories import EncodeCount as encode_count
    from frazil.features.categories import EncodeOrdinal as encode_ordinal
    from frazil.features.categories import EncodeTarget as encode_target
    from frazil.features.given import Express as express
    from frazil.features.given import FromFunction as from_function
    from frazil.features.numbers import BinNumbers as bin_numbers
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
    from frazil.features.ordered import Diff as diff
    from frazil.features.ordered import Expanding as expanding
    from frazil.features.ordered import Lag as lag
    from frazil.features.ordered import Lead as lead
    from frazil.features.ordered import PctChange as pct_change
    from frazil.features.ordered import Rolling as rolling
    from frazil.features.tables import Aggregate as aggregate
    from frazil.features.tables import Latest as latest
    from frazil.features.tables import Synthesize as synthesize
    from frazil.features.text import TextStats as text_stats
    from frazil.features.text import TextSvd as tfidf
    from frazil.model import Model, load
    from frazil.progress import Progress
    from frazil.search.staging import Forward
    from frazil.sources import sql

__all__ = [
    "ArtifactError",
    "Budget",
    "BudgetError",
    "Forward",
    "FrazilError",
    "InputError",
    "MissingColumnError",
    "MissingExtraError",
    "Model",
    "Progress",
    "Recipe",
    "SchemaError",
    "SettingError",
    "SourceError",
    "TargetError",
    "__version__",
    "aggregate",
    "bin_numbers",
    "check",
    "clip",
    "cross_numbers",
    "cyclic_time",
    "date_parts",
    "diff",
    "digits",
    "distances",
    "encode_count",
    "encode_ordinal",
    "encode_target",
    "expanding",
    "express",
    "fit_auto",
    "from_function",
    "impute",
    "keep_numbers",
    "lag",
    "latest",
    "lead",
    "load",
    "log",
    "outlier_flag",
    "pca",
    "pct_change",
    "polynomial",
    "power",
    "quantile_transform",
    "rank_transform",
    "rolling",
    "row_stats",
    "scale",
    "spline",
    "sql",
    "suggest",
    "svd",
    "synthesize",
    "text_stats",
    "tfidf",
]

_HOMES = {
    "frazil.auto": ("check", "fit_auto", "suggest"),
    "frazil.budget": ("Budget",),
    "frazil.errors": tuple(name for name in __all__ if name.endswith("Error")),
    "frazil.features": ("Recipe",),
    "frazil.model": ("Model", "load"),
    "frazil.progress": ("Progress",),
    "frazil.search.staging": ("Forward",),
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
