"""Features that a user writes: a Polars expression, SQL text, or a function of a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import polars as pl
import polars.selectors as cs

from frazil.errors import SchemaError, SettingError
from frazil.features.contract import Feature, Kind, LeakClass, Learned, Queries, Scope, Training, kind_of
from frazil.features.plain import PlainState, only_named
from frazil.features.several import take_several
from frazil.features.values import finite32
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from frazil.features.contract import Builder, Fitted


@dataclass(frozen=True, slots=True, eq=False)
class Express:
    """Make a number of an expression.

    SQL text is written down with the recipe; a Polars expression is not, because reading one back from a file may run
    code: a recipe with one can't be saved. Null where the result is missing or not finite.

    Args:
        expression: SQL text as "price / size", or a Polars expression; one number or Boolean a row. It names each
            column that it reads: what a selector takes may be the target, or a feature.
        name: The generated column; the name of the expression's result where None. A number is put behind it where a
            column or another feature has it.
        row_local: Whether each row's value depends on that row alone. False, as for `pl.col("x").rank()`, says that
            the whole table is read at once: such a recipe can't work through a table batch by batch.

    Raises:
        SettingError: the SQL text can't be read, or columns are selected and not named.
        SchemaError: at the fit: it gives something else than one number.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"price": [4.0, 9.0], "size": [2, 0]})
    >>> recipe = Recipe(Express("price / size", name="price_of_one"), Express(pl.col("price").sqrt().alias("root")))
    >>> recipe.fit(frame).apply(frame).select("price_of_one", "root").collect().rows()
    [(2.0, 2.0), (None, 3.0)]
    """

    expression: pl.Expr | str
    name: str | None = None
    row_local: bool = True

    def __post_init__(self) -> None:
        """Refuse SQL that is none, and columns that are not named."""
        _read(self.expression)

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but look at the result's type."""
        self._checked(train)
        return {}

    def fitted(self, learned: Learned, train: Training) -> list[Expressed]:  # noqa: ARG002 -- nothing was asked for
        """Name the column."""
        wanted = self.name or _read(self.expression).meta.output_name()
        if not isinstance(wanted, str):
            raise SettingError(f"name={wanted!r}; it takes text.")
        state = Expressed if self.row_local else TableExpressed
        return [state(self.expression, train.reserve(wanted), self._checked(train))]

    def _checked(self, train: Training) -> tuple[str, ...]:
        expr = _read(self.expression)
        sources = tuple(dict.fromkeys(expr.meta.root_names()))
        train.columns(sources, tuple(Kind), self)
        made = train.frame.select(expr).collect_schema().dtypes()
        if len(made) != 1 or kind_of(made[0]) is not Kind.NUMBER:
            gives = " and ".join(map(str, made))
            raise SchemaError(f"Express({self.expression!r}) gives {gives}; a feature is a number or a Boolean.")
        return sources


@dataclass(frozen=True, slots=True, eq=False)
class Expressed(PlainState):
    """The value of an expression.

    Args:
        expression: SQL text, or a Polars expression.
        name: The generated column.
        sources: The columns that it reads.
    """

    expression: pl.Expr | str
    name: str
    sources: tuple[str, ...]
    scope: ClassVar[Scope] = Scope.ROW

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number."""
        described = f"the value of {self.expression}"
        leak = LeakClass.OWN_ROW if self.scope is Scope.ROW else LeakClass.OTHER_ROWS
        return (Feature(self.name, self.sources, "expression", {}, pl.Float32(), described, leak=leak),)

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add it."""
        return frame.with_columns(self.expressions())

    def expressions(self) -> list[pl.Expr]:
        """Return it under its name."""
        return [finite32(_read(self.expression)).alias(self.name)]

    def spec(self) -> dict[str, Any]:
        """Return the SQL text; SettingError where it is an expression."""
        if not isinstance(self.expression, str):
            raise SettingError(
                f"feature {self.name!r} is a Polars expression, which is not written to files; give it as SQL text."
            )
        return {"expression": self.expression, "name": self.name, "sources": list(self.sources)}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:  # noqa: ARG003 -- it has none
        """Make it again; ValueError where the text reads other columns than it says."""
        expression, name, sources = (spec[key] for key in ("expression", "name", "sources"))
        if not isinstance(expression, str) or not isinstance(name, str):
            raise TypeError(f"{expression!r} is no SQL text of a column {name!r}")
        if list(dict.fromkeys(_read(expression).meta.root_names())) != sources:
            raise ValueError(f"{expression!r} does not read {sources}")
        return cls(expression, name, tuple(sources))


@dataclass(frozen=True, slots=True, eq=False)
class TableExpressed(Expressed):
    """The value of an expression that reads the whole table."""

    scope: ClassVar[Scope] = Scope.TABLE


def _read(expression: pl.Expr | str) -> pl.Expr:
    """Return an expression that names all columns that it reads."""
    if not isinstance(expression, pl.Expr | str):
        raise SettingError(f"expression={expression!r}; it takes SQL text or a Polars expression.")
    try:
        read = expression if isinstance(expression, pl.Expr) else pl.sql_expr(expression)
    except (pl.exceptions.PolarsError, TypeError) as error:
        raise SettingError(f"expression={expression!r} can't be read as SQL: {error}") from error
    for selector in _selectors(read):
        raise SettingError(
            f"the expression {read} reads {selector}, among which the target or a feature may be; name each column, as"
            " in pl.sum_horizontal('a', 'b')."
        )
    return read


def _selectors(expr: pl.Expr) -> Iterator[pl.Expr]:
    """Find what selects columns in an expression; Polars counts none of these among the names that it reads."""
    if expr.meta.is_column_selection() and not expr.meta.is_column():
        yield expr
    else:
        for part in expr.meta.pop():
            yield from _selectors(part)


@dataclass(frozen=True, slots=True, eq=False)
class FromFunction:
    """Take the columns that a function adds to a table.

    The function is not written down with the recipe, which therefore can't be saved.

    Args:
        function: Takes a LazyFrame and returns it with number columns added, all rows kept in their order.
        reads: The columns that it needs.
        row_local: As for `Express`.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"price": [4.0, 9.0]})
    >>> builder = FromFunction(lambda frame: frame.with_columns(double=pl.col("price") * 2), reads=["price"])
    >>> Recipe(builder).fit(frame).apply(frame).collect()["double"].to_list()
    [8.0, 18.0]
    """

    function: Callable[[pl.LazyFrame], pl.LazyFrame]
    reads: list[str] | tuple[str, ...]
    row_local: bool = True

    def __post_init__(self) -> None:
        """Take a bare column, too."""
        take_several(self, "reads")

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but look at what the function adds."""
        self._added(train)
        return {}

    def fitted(self, learned: Learned, train: Training) -> list[FunctionApplied]:  # noqa: ARG002 -- nothing was asked
        """Name the columns."""
        state, added = FunctionApplied if self.row_local else TableFunctionApplied, self._added(train)
        return [state(self.function, tuple(self.reads), added, tuple(map(train.reserve, added)))]

    def _added(self, train: Training) -> tuple[str, ...]:
        reads = train.columns(tuple(self.reads), tuple(Kind), self)
        schema = self.function(train.frame.select(cs.by_name(*reads))).collect_schema()
        added = {name: dtype for name, dtype in schema.items() if name not in reads}
        if wrong := [
            name for name, dtype in added.items() if kind_of(dtype) is not Kind.NUMBER or name in train.schema
        ]:
            raise SchemaError(f"the function adds {wrong[0]!r} as {added[wrong[0]]}; it adds new columns of numbers.")
        return tuple(added)


@dataclass(frozen=True, slots=True, eq=False)
class FunctionApplied(PlainState):
    """Columns that a function adds.

    Args:
        function: What adds them.
        sources: The columns that it needs.
        added: Those of its columns that are kept.
        names: What they are called, which is the same where no other feature has their names.
    """

    function: Callable[[pl.LazyFrame], pl.LazyFrame] = field(repr=False)
    sources: tuple[str, ...]
    added: tuple[str, ...]
    names: tuple[str, ...]
    scope: ClassVar[Scope] = Scope.ROW

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a column."""
        leak = LeakClass.OWN_ROW if self.scope is Scope.ROW else LeakClass.OTHER_ROWS
        described = f"made by the function {getattr(self.function, '__name__', 'given')}"
        return tuple(
            Feature(name, self.sources, "function", {}, pl.Float32(), described, leak=leak) for name in self.names
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them."""
        made = self.function(frame.select(cs.by_name(*self.sources)))
        own = [finite32(column(there)).alias(name) for there, name in zip(self.added, self.names, strict=True)]
        return pl.concat([frame, made.select(own)], how="horizontal")

    def select(self, names: Collection[str]) -> Self:
        """Keep the columns of these names."""
        return only_named(self, names, "added")

    def spec(self) -> dict[str, Any]:
        """Raise SettingError: a function is not written to files."""
        raise SettingError(f"features {self.names} are made by a Python function, which is not written to files.")


@dataclass(frozen=True, slots=True, eq=False)
class TableFunctionApplied(FunctionApplied):
    """Columns that a function adds which reads the whole table."""

    scope: ClassVar[Scope] = Scope.TABLE


BUILDERS: dict[str, type[Builder]] = {"express": Express, "from_function": FromFunction}
STATES: tuple[type[Fitted], ...] = (Expressed, TableExpressed)
