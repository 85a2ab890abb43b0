"""What the tests ask of their arrays and settings, and what they say where it is not so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from frazil.errors import InputError, SettingError
from frazil.types import is_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALTERNATIVES = ("two-sided", "greater", "less")
Alternative = Literal["two-sided", "greater", "less"]


def check_share(argument: str, value: float) -> None:
    """Raise unless a setting lies between 0 and 1, ends excluded.

    Raises: SettingError: it does not.
    """
    if not (is_number(value) and 0 < value < 1):
        raise SettingError(f"{argument}={value!r}; it takes a share between 0 and 1, as 0.95.")


def check_known(argument: str, value: object, allowed: tuple[str, ...]) -> None:
    """Raise unless a setting is one of those allowed.

    Raises: SettingError: it is not.
    """
    if value not in allowed:
        raise SettingError.among(argument, value, allowed)


def check_least(argument: str, value: float, least: float) -> None:
    """Raise unless a setting is at least so large.

    Raises: SettingError: it is not.
    """
    if not value >= least:
        raise SettingError(f"{argument}={value!r}; it takes {least:g} or more.")


def finite(values: NDArray[Any], what: str, *, dimensions: int = 1, least: int = 1) -> NDArray[np.float64]:
    """Return values as float64.

    Raises: InputError: they have another number of dimensions, too few rows, or some are not finite.

    >>> finite([1, 2], "scores").tolist()
    [1.0, 2.0]
    """
    array = np.asarray(values, np.float64)
    if array.ndim != dimensions:
        raise InputError(f"{what} have {array.ndim} dimensions; it takes {dimensions}.")
    if len(array) < least:
        raise InputError(f"{len(array)} {what} are too few; it takes {least} or more.")
    wrong = int((~np.isfinite(array)).sum())
    if wrong:
        raise InputError(f"{wrong} of {array.size} {what} are not finite.")
    return array


def same_length(**arrays: NDArray[Any]) -> None:
    """Raise unless arrays have as many rows as each other.

    Raises: InputError: they have not.
    """
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"Rows do not match: {', '.join(f'{name} has {rows}' for name, rows in lengths.items())}.")


def binary(target: NDArray[Any], least: int = 0) -> NDArray[np.bool_]:
    """Return a target of 0 and 1 as booleans.

    Raises: InputError: it holds something else, or fewer than so many rows of a class.
    """
    array = np.asarray(target)
    if array.ndim != 1 or not np.isin(array, [0, 1]).all():
        raise InputError("The target holds something else than 0 and 1 in one dimension.")
    positive = array.astype(np.bool_)
    if min(positive.sum(), (~positive).sum()) < least:
        raise InputError(
            f"The target has {positive.sum()} ones and {(~positive).sum()} zeros; it takes {least} of each or more."
        )
    return positive


def probabilities(values: NDArray[Any], what: str = "probabilities") -> NDArray[np.float64]:
    """Return (rows,) probabilities as float64.

    Raises: InputError: some lie outside of 0 to 1, or there are none.
    """
    array = finite(values, what)
    if array.min() < 0 or array.max() > 1:
        raise InputError(f"{what} from {array.min():g} to {array.max():g}; they lie between 0 and 1.")
    return array
