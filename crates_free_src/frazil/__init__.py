"""From raw tables to a model worth trusting: data checks, features, search and statistics in one call.

Everything public stands here and is loaded when it is first used, so that `import frazil` costs little more than
`import polars`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from frazil.version import __version__

if TYPE_CHECKING:
    from frazil.auto import check, fit_auto
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
    from frazil.features import (
        Recipe,
        cyclic_time,
        date_parts,
        encode_count,
        encode_ordinal,
        encode_target,
        keep_numbers,
        lag,
        rolling,
        text_stats,
        tfidf,
    )
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
    "check",
    "cyclic_time",
    "date_parts",
    "encode_count",
    "encode_ordinal",
    "encode_target",
    "fit_auto",
    "keep_numbers",
    "lag",
    "load",
    "rolling",
    "sql",
    "text_stats",
    "tfidf",
]

_HOMES = {
    "frazil.auto": ("check", "fit_auto"),
    "frazil.budget": ("Budget",),
    "frazil.errors": tuple(name for name in __all__ if name.endswith("Error")),
    "frazil.features": (
        "Recipe",
        "cyclic_time",
        "date_parts",
        "encode_count",
        "encode_ordinal",
        "encode_target",
        "keep_numbers",
        "lag",
        "rolling",
        "text_stats",
        "tfidf",
    ),
    "frazil.model": ("Model", "load"),
    "frazil.progress": ("Progress",),
    "frazil.search.staging": ("Forward",),
    "frazil.sources": ("sql",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:  # noqa: ANN401 -- whatever the name stands for
    """Load a public name from its room when it is first used."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'frazil' has no attribute {name!r}")
    found = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = found  # the next use does not come here
    return found


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
