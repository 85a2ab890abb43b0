"""What a feature builder is: frozen settings that learn from a table, and fitted states that add columns to others."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, runtime_checkable

import polars as pl
import polars.selectors as cs

from frazil.errors import MissingColumnError, SchemaError, SettingError
from frazil.features.panel import Panel, Reach
from frazil.features.several import several
from frazil.naming import generated, unique
from frazil.notation import tells_comma
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from frazil.task import Task

# What a user may write for "which columns".
Columns = str | list[str] | tuple[str, ...] | cs.Selector


MOST_LABELS = 100  # a builder picks the frequent ones


class LeakClass(StrEnum):
    """What a feature reads beside its settings, from harmless to dangerous."""

    OWN_ROW = "own row"
    OTHER_ROWS = "other training rows"
    PAST_ROWS = "earlier rows of its entity"
    OTHER_TABLES = "rows of another table, earlier ones where it has a time"
    TARGET = "the target of other training rows"
    FUTURE = "later rows of its entity"


class Scope(StrEnum):
    """Which rows `apply` has to see at once."""

    ROW = "row"  # any slice gives the same as the whole
    TABLE = "table"  # all of them
    ENTITY = "entity"  # all rows of an entity, which the recipe puts in the order of time: see `ordered.timeline`


class Kind(StrEnum):
    """What a column's type means to a builder; types of one kind can stand for each other."""

    NUMBER = "number"
    TEXT = "text"
    COMMA = "text with decimal commas"  # of no type: numbers are read so where `Training.kind` finds them
    DATE = "date"
    MOMENT = "datetime"
    DURATION = "duration"
    CLOCK = "clock"
    LIST = "list"
    STRUCT = "struct"
    BINARY = "binary"
    OTHER = "other"


def kind_of(dtype: pl.DataType) -> Kind:
    """Return the kind of a type.

    >>> str(kind_of(pl.Boolean())), str(kind_of(pl.Enum(["a"]))), str(kind_of(pl.List(pl.Int8)))
    ('number', 'text', 'list')
    """
    if dtype.is_numeric() or dtype in (pl.Boolean, pl.Null):
        return Kind.NUMBER
    kinds = {pl.String: Kind.TEXT, pl.Categorical: Kind.TEXT, pl.Enum: Kind.TEXT, pl.Date: Kind.DATE}
    times = {pl.Datetime: Kind.MOMENT, pl.Duration: Kind.DURATION, pl.Time: Kind.CLOCK}
    nested = {pl.List: Kind.LIST, pl.Array: Kind.LIST, pl.Struct: Kind.STRUCT, pl.Binary: Kind.BINARY}
    return next((kind for known, kind in (kinds | times | nested).items() if dtype == known), Kind.OTHER)


@dataclass(frozen=True, slots=True)
class Feature:
    """One generated column: its type, and where it comes from.

    Args:
        name: The column's name.
        sources: The columns that it is made of.
        operation: Name of what is done to them.
        parameters: What the operation was set to or learned, as plain values.
        dtype: Its Polars type.
        description: One sentence for people.
        levels: How many levels its codes have, 0 to levels - 1; 0 for a number.
        leak: What it reads beside its own row.
        reach: How far back of its row it reads.
    """

    name: str
    sources: tuple[str, ...]
    operation: str
    parameters: Mapping[str, Any]
    dtype: pl.DataType
    description: str
    levels: int = 0
    leak: LeakClass = LeakClass.OWN_ROW
    reach: Reach = Reach()


@dataclass(frozen=True, slots=True)
class Target:
    """The target as numbers.

    Args:
        name: Its column.
        values: One expression a number that can be averaged: the values for regression, 0 or 1 of the positive label
            for two classes (both under an empty name), 0 or 1 of each label under its name for more.
        labels: The labels as text; none for regression.
        offset: What is taken off the values, in the target's unit; 0 for labels.
    """

    name: str
    values: Mapping[str, pl.Expr]
    labels: tuple[str, ...] = ()
    offset: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """The table that a recipe is fitted on, as a builder sees it.

    Args:
        frame: The training rows.
        schema: Their columns, without the fold column.
        target: What is predicted; None where no task was given.
        fold: Integer column that numbers the folds of a cross-fit; None where there is none.
        forward: Whether folds follow each other in time, so that a row may read lower numbers only.
        panel: Whose rows they are, and what orders them.
        selectable: The columns that a selector may choose; all where None.
        blind: Columns that know a row's target by way of other rows: nothing may be learned of them.
    """

    frame: pl.LazyFrame
    schema: Mapping[str, pl.DataType]
    target: Target | None = None
    fold: str | None = None
    forward: bool = False
    panel: Panel = Panel()
    selectable: frozenset[str] | None = None
    blind: frozenset[str] = frozenset()
    _taken: set[str] = field(default_factory=set, repr=False)
    _kinds: dict[str, Kind] = field(default_factory=dict, repr=False)
    _chosen: set[str] = field(default_factory=set, repr=False)

    def columns(
        self, wanted: Columns, kinds: Collection[Kind], builder: Builder, *, may_be_target: bool = False
    ) -> list[str]:
        """Resolve a choice of columns.

        A selector leaves the target and columns of other kinds out; a name has to be right. What reads earlier rows
        only may name the target.

        Raises:
            MissingColumnError: a name is not there.
            SchemaError: a named column has a type that the builder can't use.
            SettingError: a named column is the target, and may not be; or something is no name.
        """
        if isinstance(wanted, cs.Selector):
            chosen = self.frame.select(wanted).collect_schema().names()
            names = [name for name in chosen if name in self.schema and self._fits(name, kinds)]
            self._chosen.update(names)
            return names
        names = names_of(wanted, type(builder).__name__)
        for name in names:
            self._check(name, kinds, type(builder).__name__)
            if self.target is not None and name == self.target.name and not may_be_target:
                raise SettingError(
                    f"{type(builder).__name__} is given the target {name!r}; it would read its own row's."
                )
        self._chosen.update(names)
        return names

    def asked_by(self, builder: Builder) -> tuple[Queries, set[str]]:
        """Return what a builder asks for, and the columns that it chooses for it: features need not name them all."""
        self._chosen.clear()
        return builder.learn(self), set(self._chosen)

    def _fits(self, name: str, kinds: Collection[Kind]) -> bool:
        is_target = self.target is not None and name == self.target.name
        is_offered = self.selectable is None or name in self.selectable
        return is_offered and not is_target and kind_of(self.schema[name]) in kinds

    def _check(self, name: str, kinds: Collection[Kind], builder: str) -> None:
        if name not in self.schema:
            raise MissingColumnError.among(name, self.schema, where="the training table")
        if kind_of(self.schema[name]) not in kinds:
            allowed = " or ".join(sorted({*kinds} - {Kind.COMMA}))
            raise SchemaError(f"{builder} is given column {name!r} of type {self.schema[name]}; it takes {allowed}.")

    def kind(self, name: str) -> Kind:
        """Return as what a column of numbers is read; strings are looked at for decimal commas, in one scan a column.

        What is read depends on it, so that no builder can ask for it along with what it learns.
        """
        if name not in self._kinds:
            kind = kind_of(self.schema[name])
            if kind is Kind.TEXT:
                asked = self.frame.select(tells_comma(column(name).cast(pl.String)))
                kind = Kind.COMMA if asked.collect(engine="streaming").item() else kind
            self._kinds[name] = kind
        return self._kinds[name]

    def named(self, source: str, operation: str) -> str:
        """Name a generated column so that it meets no column of the table and no other feature."""
        return self.reserve(generated(source, operation))

    def reserve(self, wanted: str) -> str:
        """Take a name for a generated column, with a number behind it where a column or another feature has it."""
        name = unique(wanted, {*self.schema, *self._taken})
        self._taken.add(name)
        return name

    def target_for(self, builder: Builder) -> Target:
        """Return the target; SettingError where there is none."""
        if self.target is None:
            raise SettingError(
                f"{type(builder).__name__} reads the target; give a task, as in recipe.fit(frame, task)."
            )
        return self.target


# What a builder asks for: expressions that are aggregates of the whole table (the recipe merges those of all builders
# into one select), and grouped or other queries of the training frame. All run in one `pl.collect_all`.
Queries = dict[str, "pl.Expr | pl.LazyFrame"]
# What it gets back under the same keys: a Python value for an expression, a DataFrame for a query.
Learned = dict[str, Any]


class Builder(Protocol):
    """Settings of features: a frozen dataclass of plain values, named as an imperative."""

    def learn(self, train: Training) -> Queries:
        """Say what has to be known of the training table."""

    def fitted(self, learned: Learned, train: Training) -> Sequence[Fitted]:
        """Make the fitted states, in a fixed order; names of columns come from `train.named`."""


@runtime_checkable
class CrossFitBuilder(Builder, Protocol):
    """A builder that reads the target: training rows need values that their own target has no part in."""

    def out_of_fold(self, parts: Sequence[Fitted], learned: Learned, train: Training) -> Sequence[Fitted]:
        """Return faces of its fitted states that give training rows their values.

        They read the fold column, and are never written down.

        Args:
            parts: What `fitted` made.
            learned: What was learned, in the same scan.
            train: The training table; `fold` is set.
        """


class Fitted(Protocol):
    """A fitted builder over one column or one set of columns: plain frozen data, named as a participle."""

    scope: ClassVar[Scope]

    @property
    def features(self) -> tuple[Feature, ...]:
        """The columns that it adds, in their order."""

    def select(self, names: Collection[str]) -> Self:
        """Return it with the features of these names only, at their cost only; one of them at least is its own."""

    def spec(self) -> dict[str, Any]:
        """Return its state as JSON data, but for its tables."""

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return the larger part of its state."""

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again; KeyError, TypeError or ValueError where something is missing or of another type."""


@runtime_checkable
class RowFitted(Fitted, Protocol):
    """A fitted state whose features are those of a row, whatever slice of the table it stands in."""

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add the columns; drop none, keep all rows and their order."""


@runtime_checkable
class ExpressionFitted(RowFitted, Protocol):
    """A fitted state whose features are plain expressions, which the plan can compute beside those of other states."""

    def expressions(self) -> list[pl.Expr]:
        """Return one expression a feature, under its name, of columns of the table."""


@runtime_checkable
class ReadsTables(Fitted, Protocol):
    """A fitted state that reads tables beside the one it is applied to; they are never written down with it."""

    def with_tables(self, tables: Mapping[str, pl.LazyFrame]) -> Self:
        """Return it with the tables of these names, where it reads them."""


@runtime_checkable
class TellsApart(Fitted, Protocol):
    """A fitted state that tells values apart by how they are written, as levels are: 1 of Int64 is not 1.0."""

    @property
    def told_apart(self) -> tuple[str, ...]:
        """The columns whose values it tells apart so."""


def names_of(wanted: object, who: str) -> list[str]:
    """Return names of columns, each once.

    Args:
        wanted: One, or several.
        who: Who is given them.

    Raises: SettingError: one is no text.

    >>> names_of("price", "Scale"), names_of(["a", "b", "a"], "Scale")
    (['price'], ['a', 'b'])
    """
    names = several(wanted)
    if strange := [name for name in names if not isinstance(name, str)]:
        shown = f"{strange[0]!r}, a {type(strange[0]).__name__}"
        raise SettingError(f"{who} is given the column {shown}; it takes names, or a selector as fz.numbers().")
    return list(dict.fromkeys(names))


def target_of(task: Task) -> Target:
    """Turn a task's target into numbers that can be averaged; of labels, the first 100."""
    values = column(task.target)
    if task.is_regression:
        number = values.cast(pl.Float64)
        return Target(task.target, {"": pl.when(number.is_finite()).then(number)})
    labels = dict(zip(task.label_names, task.labels, strict=True))
    names = tuple(labels)[:MOST_LABELS]
    if len(labels) == 2:
        return Target(task.target, {"": _is_label(values, task.labels[1])}, names)
    return Target(task.target, {name: _is_label(values, labels[name]) for name in names}, names)


def _is_label(values: pl.Expr, label: Any) -> pl.Expr:  # noqa: ANN401 -- a label is of any type
    return (values.cast(pl.String) if isinstance(label, str) else values).eq(label).cast(pl.Int64)
