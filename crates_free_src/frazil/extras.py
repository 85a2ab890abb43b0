"""Load packages late: what is slow to import, and what is optional, is imported when it is used."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from frazil.errors import MissingExtraError


def load(module: str, *, extra: str | None = None) -> Any:  # noqa: ANN401 -- a module has no narrower type here
    """Import a module when it is needed.

    Args:
        module: Its dotted name.
        extra: The extra of frazil that installs it; None for a core dependency.

    Raises: MissingExtraError: it is optional and not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        if extra is None or error.name is None or error.name.partition(".")[0] != package:
            raise
        raise MissingExtraError.naming(package, extra) from error


def is_installed(module: str) -> bool:
    """Say whether an optional package is there, without loading it.

    >>> is_installed("polars"), is_installed("no_such_package")
    (True, False)
    """
    return find_spec(module) is not None
