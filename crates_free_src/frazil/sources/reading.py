"""Errors of whoever reads a table become ours, and say which table."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import polars as pl

from frazil.errors import FrazilError, PanicError, SourceError, panics_told

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Name the table in any error that reading it raises; wrap only what reads, not what computes.

    Args:
        name: What the table is called in errors.

    Raises: SourceError: reading failed; the message of the reader is kept, and so is that of a user's own function in
        the plan of a LazyFrame.
    """
    try:
        with panics_told("reading"):  # Polars panics on some Arrow types and damaged files
            yield
    except PanicError as error:
        raise SourceError(f"{name} can't be read: {first_words(error.__cause__ or error)}") from error.__cause__
    except (FrazilError, MemoryError):
        raise
    except (pl.exceptions.PolarsError, OSError) as error:
        raise SourceError(f"{name} can't be read: {first_words(error)}") from error
    except Exception as error:
        raise SourceError(f"{name} can't be read: {type(error).__name__}: {first_words(error)}") from error


def first_words(error: BaseException) -> str:
    """Return an error's message without the plan and the advice that Polars puts behind it."""
    words = str(error).strip().partition("\n\n")[0]
    return " ".join(words.split()) or type(error).__name__
