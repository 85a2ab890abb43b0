"""Settings that are lists of values, of which a user may write a single one bare."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from frazil.errors import SettingError
from frazil.types import whole

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def several(value: Any) -> list[Any] | tuple[Any, ...]:  # noqa: ANN401 -- of whatever a setting holds
    """Return values as a list or tuple; a bare one is the only one.

    >>> several("7d"), several(7), several(["7d", 7]), several(range(1, 3))
    (('7d',), (7,), ['7d', 7], (1, 2))
    """
    is_bare = isinstance(value, (str, bytes)) or whole(value) is not None or not isinstance(value, Iterable)
    made = [_of_python(item) for item in ([value] if is_bare else value)]
    return made if isinstance(value, list) else tuple(made)


def take_several(builder: DataclassInstance, *settings: str) -> None:
    """Make settings of a frozen builder lists, before anything looks at them; None stays, where it is the default.

    Raises: SettingError: it is None elsewhere.
    """
    usual = {known.name: known.default for known in fields(builder)}
    for setting in settings:
        value = getattr(builder, setting)
        if value is not None:
            object.__setattr__(builder, setting, several(value))
        elif usual[setting] is not None:
            raise SettingError(f"{setting}=None; it takes one, or several.")


def _of_python(value: Any) -> Any:  # noqa: ANN401 -- likewise
    """Return an integer of NumPy as one of Python, and anything else as it is."""
    number = whole(value)
    return value if number is None else number
