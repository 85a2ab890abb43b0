"""Plain data: learned numbers that a refit repeats, and frozen states that become JSON and come back checked."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, TypeVar

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

State = TypeVar("State", bound="Named")

SIGNIFICANT = 10  # digits; sums over several threads differ from run to run in the last ones

# How a field's annotation reads, and which JSON values it takes.
_CHECKS = {
    "str": lambda value: isinstance(value, str),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "str | None": lambda value: value is None or isinstance(value, str),
    "tuple[str, ...]": lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    "tuple[int, ...]": lambda value: isinstance(value, list) and all(type(item) is int for item in value),
    "tuple[float, ...]": lambda value: isinstance(value, list) and all(type(item) in (int, float) for item in value),
}


def rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to 10 significant digits, so that a refit on the same rows gives the same bits.

    Args:
        values: Of any shape; NaN and infinities stay.

    >>> rounded(np.array([2 / 3, 0.0])).tolist()
    [0.6666666667, 0.0]
    """
    series = pl.Series(np.ravel(values).astype(np.float64))
    return series.round_sig_figs(SIGNIFICANT).to_numpy().reshape(np.shape(values))


def check_known(what: str, got: Collection[str], known: Collection[str], *beside: Collection[object]) -> None:
    """Raise ValueError where a state, which may come from a file, names something unknown or has fields of two lengths.

    Args:
        what: What the names are.
        got: The names.
        known: Those that there are.
        beside: Fields that have one entry a name.
    """
    if strange := [name for name in got if name not in known]:
        raise ValueError(f"{what} {strange[0]!r} is not known")
    if any(len(field) != len(got) for field in beside):
        raise ValueError(f"{what} and names differ in number")


class Named(Protocol):
    """A frozen dataclass with the names of its generated columns."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def names(self) -> tuple[str, ...]:
        """The generated columns."""


def only_named(state: State, names: Collection[str], *beside: str) -> State:
    """Keep the generated columns of these names.

    Args:
        state: A frozen dataclass with a field `names`.
        names: Those to keep; others are ignored.
        beside: Its other fields that have one entry a name.
    """
    at = [place for place, name in enumerate(state.names) if name in names]
    return replace(
        state, **{field: tuple(getattr(state, field)[place] for place in at) for field in ("names", *beside)}
    )


class PlainState:
    """How a frozen dataclass of plain fields is written down and read back; for states of one feature and no table."""

    __slots__ = ()

    def select(self, names: Collection[str]) -> Self:  # noqa: ARG002 -- its one feature is among them
        """Return itself."""
        return self

    def spec(self) -> dict[str, Any]:
        """Return all fields."""
        return written(self)

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return none."""
        return {}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:  # noqa: ARG003 -- it has none
        """Make it again."""
        return cls(**checked(cls, spec))


def less_words(offset: float) -> str:
    """Return what an offset that is taken off adds to the description of a feature."""
    return f" less {offset:g}" if offset else ""


def target_parameters(label: str, offset: float) -> dict[str, Any]:
    """Return the label and the offset of a target, where there are, as parameters of a feature."""
    return ({"label": label} if label else {}) | ({"offset": offset} if offset else {})


def written(state: Any, *, leave_out: tuple[str, ...] = ()) -> dict[str, Any]:  # noqa: ANN401 -- any dataclass
    """Turn a state's plain fields into JSON data.

    Args:
        state: A frozen dataclass.
        leave_out: Fields that are written elsewhere or not at all.
    """
    values = {known.name: getattr(state, known.name) for known in fields(state) if known.name not in leave_out}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def checked(state_type: type, spec: dict[str, Any], *, leave_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """Check JSON data against the plain fields of a state's type and return them as its arguments.

    Raises:
        KeyError: a field is missing.
        TypeError: a field has a value of another type.
    """
    values: dict[str, Any] = {}
    for known in fields(state_type):
        if known.name in leave_out:
            continue
        value = spec[known.name]
        if not _CHECKS[str(known.type)](value):
            raise TypeError(f"{state_type.__name__}.{known.name} is {value!r}, which is no {known.type}")
        values[known.name] = tuple(value) if isinstance(value, list) else value
        if str(known.type) == "float":
            values[known.name] = float(value)
    return values
