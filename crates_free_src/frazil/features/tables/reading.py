"""What features read of another table: which columns, how each becomes a number, and where the table comes from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import polars as pl

from frazil.errors import MissingColumnError, SchemaError, SettingError
from frazil.features.categories.levels import Levels, level
from frazil.features.contract import Kind, Scope, kind_of
from frazil.features.plain import check_known
from frazil.features.values import number, number_text
from frazil.schema import column
from frazil.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from frazil.features.contract import Feature
    from frazil.features.tables.views import View

KINDS = (Kind.NUMBER, Kind.DURATION, Kind.CLOCK, Kind.TEXT)


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """The columns of a table that are read.

    Args:
        columns: Their names.
        kinds: Kinds of their types.
        levels: Levels that values are coded by; None for numbers, and for text that is only told apart.
    """

    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    levels: tuple[Levels | None, ...]

    def __post_init__(self) -> None:
        """Refuse a kind that is not read, and fields of different lengths."""
        check_known("kind", list(dict.fromkeys(self.kinds)), KINDS)
        check_known("column", self.columns, self.columns, self.kinds, self.levels)

    def values(self) -> list[pl.Expr]:
        """Return what is read, as Float64 columns "0", "1", ...; null where missing.

        Numbers are themselves, text is the codes of its levels; where it has none, codes that only tell apart.
        """
        return [self._value(at).alias(str(at)) for at in range(len(self.columns))]

    def _value(self, at: int) -> pl.Expr:
        levels = self.levels[at]
        if levels is not None:
            return _code(levels, self.kinds[at]).cast(pl.Float64)
        if self.kinds[at] == Kind.TEXT:
            return column(self.columns[at]).cast(pl.String).cast(pl.Categorical).to_physical().cast(pl.Float64)
        value = number(self.columns[at], Kind(self.kinds[at])).cast(pl.Float64)
        return pl.when(value.is_finite()).then(value)

    def check(self, schema: Mapping[str, pl.DataType], table: str) -> None:
        """Raise MissingColumnError or SchemaError where a table lacks a column or has another kind."""
        if missing := [name for name in self.columns if name not in schema]:
            raise MissingColumnError.among(missing, schema, where=f"table {table!r}")
        for name, kind in zip(self.columns, self.kinds, strict=True):
            if kind_of(schema[name]) != kind:
                raise SchemaError(f"column {name!r} of table {table!r} is {schema[name]}; it was learned as a {kind}.")

    def only(self, places: Sequence[int]) -> Readings:
        """Keep the columns at these places."""
        kept = [(self.columns[at], self.kinds[at], self.levels[at]) for at in places]
        columns, kinds, levels = zip(*kept, strict=True) if kept else ((), (), ())
        return Readings(columns, kinds, levels)

    def n_levels(self, at: int) -> int:
        """Return how many levels a column has; 0 for a number."""
        levels = self.levels[at]
        return 0 if levels is None else len(levels.values)

    def spec(self) -> dict[str, Any]:
        """Return names and kinds."""
        coded = [levels is not None for levels in self.levels]
        return {"columns": list(self.columns), "kinds": list(self.kinds), "coded": coded}

    def table(self) -> pl.DataFrame:
        """Return the levels, one row each, in the order of their codes."""
        known = [
            pl.DataFrame({"at": pl.repeat(at, len(levels.values), dtype=pl.Int32, eager=True), "level": levels.values})
            for at, levels in enumerate(self.levels)
            if levels is not None
        ]
        return pl.concat([pl.DataFrame(schema={"at": pl.Int32, "level": pl.String}), *known])

    @classmethod
    def read(cls, spec: dict[str, Any], table: pl.DataFrame) -> Self:
        """Make it again; KeyError, TypeError or ValueError where something is missing or of another type."""
        columns, kinds, coded = spec["columns"], spec["kinds"], spec["coded"]
        if not all(isinstance(name, str) for name in (*columns, *kinds)):
            raise TypeError(f"columns are {columns!r}")
        levels = [
            Levels.read({"sources": [name]}, table.filter(pl.col("at") == at)) if is_coded else None
            for at, (name, is_coded) in enumerate(zip(columns, coded, strict=True))
        ]
        return cls(tuple(columns), tuple(kinds), tuple(levels))


def _code(levels: Levels, kind: str) -> pl.Expr:
    """Return the codes of levels; 1.0 and true are the level 1 of numbers, which a table may hold in another type."""
    if kind != Kind.NUMBER:
        return levels.known_codes()
    known = pl.select(number_text(pl.lit(levels.values))).to_series()
    return number_text(level(levels.sources)).cast(pl.Enum(known), strict=False).to_physical()


class TableState:
    """What fitted states have in common that read another table: they are given it, and never write it down."""

    __slots__ = ()
    scope: ClassVar[Scope] = Scope.ROW
    view: View
    reads: Readings
    frames: Mapping[str, pl.LazyFrame]

    @property
    def readings(self) -> tuple[Readings, ...]:
        """All that it reads of the last table."""
        return (self.reads,)

    @property
    def features(self) -> tuple[Feature, ...]:
        """Its columns."""
        raise NotImplementedError

    def computed(self, df: pl.DataFrame, frames: Mapping[str, pl.LazyFrame]) -> list[pl.Series]:
        """Return its columns for some rows."""
        raise NotImplementedError

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add the columns; the other table is read when the plan runs, once.

        Raises:
            SettingError: the other table was not given, as after reading the recipe from files.
            MissingColumnError, SchemaError: it is not as it was in training.
        """
        if missing := [name for name in self.view.tables if name not in self.frames]:
            name = missing[0]
            raise SettingError(
                f"features of table {name!r} have no table to read, as it is not written down with the recipe; give it:"
                f" fitted.with_tables({{{name!r}: frame}})."
            )
        frames, schema = self.frames, frame.collect_schema()
        self.view.check(schema, frames)
        last = self.view.tables[-1]
        for reads in self.readings:
            reads.check(frames[last].collect_schema(), last)
        made = {feature.name: feature.dtype for feature in self.features}
        return frame.map_batches(
            lambda df: df.with_columns(self.computed(df, frames)),
            schema={**schema, **made},
            predicate_pushdown=False,
            projection_pushdown=False,
            slice_pushdown=False,
        )

    def with_tables(self, tables: Mapping[str, pl.LazyFrame]) -> Self:
        """Return it with the tables of these names, where it reads them; anything tabular will do."""
        own = {name: open_source(table, where=name).frame for name, table in tables.items() if name in self.view.tables}
        changed: Self = replace(self, frames={**self.frames, **own})  # type: ignore[type-var]
        return changed


def as_series(name: str, values: Any, dtype: pl.DataType) -> pl.Series:  # noqa: ANN401 -- an array of any numbers
    """Make a feature's column of numbers or codes with NaN for missing."""
    series = pl.Series(name, values, nan_to_null=True)
    return series if dtype == series.dtype else series.cast(dtype)
