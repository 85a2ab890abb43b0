"""Every error that frazil raises on purpose, in one tree.

FrazilError
├── InputError            the user's data or call is wrong
│   ├── SettingError      an argument has a value that it can't have
│   ├── SourceError       something tabular can't be opened or read
│   ├── SchemaError       columns are missing, of the wrong type, or named twice
│   │   └── MissingColumnError
│   ├── TargetError       what is to be predicted can't be learned
│   └── ArtifactError     a saved model is damaged, hostile or of another version
├── BudgetError           the time or memory allowed is not enough
├── DiskError             a file can't be written to its end
├── MissingExtraError     an optional package is not installed
└── PanicError            a library under frazil broke off in the middle of its work
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from difflib import get_close_matches
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class FrazilError(Exception):
    """Root of all errors that frazil raises on purpose."""


class InputError(FrazilError, ValueError):
    """The user's data or call is wrong; nothing was started."""


class SettingError(InputError):
    """An argument has a value that it can't have."""

    @classmethod
    def among(cls, argument: str, got: object, allowed: Iterable[str]) -> Self:
        """Say which values an argument takes, and which of them is nearest to what was got.

        >>> print(SettingError.among("task", "binery", ["auto", "binary", "regression"]))
        task='binery' is not known; it takes 'auto', 'binary' or 'regression'. Nearest: 'binary'.
        """
        known = list(allowed)
        return cls(f"{argument}={got!r} is not known; it takes {listed(known, 'or')}.{nearest(str(got), known)}")


class SourceError(InputError):
    """Something tabular can't be opened or read."""


class SchemaError(InputError):
    """Columns are missing, of the wrong type, or named twice."""


class MissingColumnError(SchemaError):
    """One or more named columns are not there."""

    @classmethod
    def among(cls, missing: str | Iterable[str], columns: Iterable[str], *, where: str) -> Self:
        """Name the missing columns and, for each, the nearest name that is there.

        >>> print(MissingColumnError.among("prize", ["price", "city"], where="train.parquet"))
        train.parquet has no column 'prize'. Nearest: 'price'.
        """
        names = [missing] if isinstance(missing, str) else list(missing)
        there = list(columns)
        hints = "".join(nearest(name, there, of=name if len(names) > 1 else None) for name in names[:8])
        noun = "column" if len(names) == 1 else f"{len(names)} columns:"
        return cls(f"{where} has no {noun} {listed(names, 'or')}.{hints}")


class TargetError(InputError):
    """What is to be predicted can't be learned."""


class ArtifactError(InputError):
    """A saved model is damaged, hostile or of another version."""


class BudgetError(FrazilError):
    """The time or memory allowed is not enough to end with a valid model."""


class DiskError(FrazilError, OSError):
    """A file can't be written to its end: the disk is full, gone, or a limit is reached. What was there before is."""

    @classmethod
    def of(cls, path: object, error: OSError) -> Self:
        """Say which file, and what the system says.

        >>> print(DiskError.of("late.frazil", OSError(28, "No space left on device")))
        late.frazil can't be written: No space left on device. What was there before is untouched. Make room and go on.
        """
        words = os.strerror(error.errno) if error.errno else str(error)  # Arrow has longer words for the same
        made = cls(f"{path} can't be written: {words}. What was there before is untouched. Make room and go on.")
        made.errno = error.errno
        return made


class MissingExtraError(FrazilError, ImportError):
    """An optional package is not installed."""

    @classmethod
    def naming(cls, package: str, extra: str) -> Self:
        """Say which extra brings the package.

        >>> print(MissingExtraError.naming("pandas", "pandas"))
        pandas is not installed. Install it with: pip install 'frazil[pandas]'
        """
        return cls(f"{package} is not installed. Install it with: pip install 'frazil[{extra}]'")


class PanicError(FrazilError):
    """A library that frazil stands on broke off in the middle of its work: a fault of its own, or of ours."""


@contextmanager
def panics_told(what: str) -> Iterator[None]:
    """Make an error that can be caught of a panic, with which a library written in Rust, as Polars, breaks off.

    A panic is no subclass of Exception: who looks after errors would let it pass, as is right for KeyboardInterrupt and
    SystemExit alone, which pass here too. Each library has a type of its own for it; what they share is the name.

    Args:
        what: What would break off, as in "a fit".

    Raises: PanicError: it did; holds what the library said.

    >>> class PanicException(BaseException): ...
    >>> with panics_told("a fit"):
    ...     raise PanicException("index out of bounds")
    Traceback (most recent call last):
    frazil.errors.PanicError: a fit broke off inside a library: index out of bounds
    """
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise PanicError(f"{what} broke off inside a library: {' '.join(str(error).split())}") from error


def listed(names: Iterable[str], conjunction: str, most: int = 12) -> str:
    """Join names as a sentence does, cutting a long list short.

    >>> listed(["a", "b", "c"], "or")
    "'a', 'b' or 'c'"
    """
    quoted = [repr(name) for name in names]
    if len(quoted) > most:
        return f"{', '.join(quoted[:most])} and {len(quoted) - most} more"
    if len(quoted) < 2:
        return "".join(quoted)
    return f"{', '.join(quoted[:-1])} {conjunction} {quoted[-1]}"


def nearest(got: str, known: Iterable[str], *, of: str | None = None) -> str:
    """Return ' Nearest: …' for the known names that look like what was got, or nothing.

    >>> nearest("citi", ["price", "city"])
    " Nearest: 'city'."
    """
    lowered = {name.lower(): name for name in known}
    close = [lowered[match] for match in get_close_matches(got.lower(), list(lowered), n=3, cutoff=0.6)]
    if not close:
        return ""
    subject = f" to {of!r}" if of else ""
    return f" Nearest{subject}: {listed(close, 'or')}."
