"""Lists and arrays: statistics of their items, and whether frequent items are in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import polars as pl
import polars.selectors as cs

from frazil.errors import SchemaError, SettingError
from frazil.features.contract import Columns, Feature, Kind, LeakClass, Learned, Queries, Scope, Training, kind_of
from frazil.features.numbers.reading import check_at_least
from frazil.features.plain import PlainState, check_known, only_named
from frazil.features.several import take_several
from frazil.features.values import finite32, number_text
from frazil.naming import safe
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

KINDS = (Kind.LIST,)
OF_ALL: dict[str, Callable[[Any], pl.Expr]] = {
    "length": lambda of: of.len(),
    "n_unique": lambda of: of.drop_nulls().list.n_unique(),
    "nulls": lambda of: of.len() - of.drop_nulls().list.len(),
}
OF_NUMBERS: dict[str, Callable[[Any], pl.Expr]] = {
    "mean": lambda of: of.mean(),
    "min": lambda of: of.min(),
    "max": lambda of: of.max(),
    "std": lambda of: of.std(),
    "sum": lambda of: of.sum(),
    "first": lambda of: of.first(),
    "last": lambda of: of.last(),
}
STATISTICS = OF_ALL | OF_NUMBERS
ITEMS = (Kind.NUMBER, Kind.TEXT, Kind.DATE, Kind.MOMENT)  # which lists have items that are looked for


def lists() -> cs.Selector:
    """Select lists and arrays; `fz.lists()`."""
    return cs.list() | cs.array()


@dataclass(frozen=True, slots=True)
class ListStats:
    """Measure lists: length, distinct items and nulls; of numbers mean, min, max, std, sum, first and last, too.

    NaN and infinities in a list are null, and nulls are in the length alone; the first and the last item are null where
    that one is. The mean and its kin of an empty list are null, its length and sum are 0; the standard deviation
    (n - 1) of one number is null. A null list has null.

    Args:
        columns: Names or a selector: lists and arrays.
        statistics: Which to take; of lists of other things than numbers the first three. None takes all.

    Raises: SettingError: a statistic is not known.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"paid": [[1.0, 3.0, None], [], None]})
    >>> out = Recipe(ListStats("paid", ["length", "mean", "nulls"])).fit(frame).apply(frame).collect()
    >>> out.select(out.columns[1:]).rows()
    [(3.0, 2.0, 1.0), (0.0, None, 0.0), (None, None, None)]
    """

    columns: Columns = field(default_factory=lists)
    statistics: Sequence[str] | None = None

    def __post_init__(self) -> None:
        """Refuse statistics that are not known."""
        take_several(self, "statistics")
        for statistic in self.statistics or ():
            if statistic not in STATISTICS:
                raise SettingError.among("statistics", statistic, STATISTICS)

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but check the columns."""
        train.columns(self.columns, KINDS, self)
        return {}

    def fitted(self, learned: Learned, train: Training) -> list[ListMeasured]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        made = []
        for source in train.columns(self.columns, KINDS, self):
            items = kind_of(item_of(train.schema[source]))
            known = STATISTICS if items is Kind.NUMBER else OF_ALL
            asked = [each for each in dict.fromkeys(self.statistics or STATISTICS) if each in known]
            names = tuple(train.named(source, f"list_{statistic}") for statistic in asked)
            made.append(ListMeasured(source, str(items), tuple(asked), names))
        return made


@dataclass(frozen=True, slots=True)
class ListMeasured(PlainState):
    """Statistics of one column of lists.

    Args:
        source: The column.
        items: Kind of the items' type.
        statistics: What is measured.
        names: The generated columns.
    """

    source: str
    items: str
    statistics: tuple[str, ...]
    names: tuple[str, ...]
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        check_known("kind", [self.items], tuple(Kind))
        known = STATISTICS if self.items == Kind.NUMBER else OF_ALL
        check_known("statistic", self.statistics, known, self.names)

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a statistic."""
        return tuple(
            Feature(
                name, (self.source,), f"list_{each}", {}, pl.Float32(), f"{each.replace('_', ' ')} of {self.source}"
            )
            for name, each in zip(self.names, self.statistics, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them."""
        if self.items == Kind.NUMBER:
            item = pl.element()
            numbers = column(self.source).cast(pl.List(pl.Float64), strict=False)
            values = numbers.list.eval(pl.when(item.is_finite()).then(item))
        else:
            values = as_list(self.source, frame.collect_schema()[self.source])
        return frame.with_columns(
            finite32(STATISTICS[statistic](values.list).cast(pl.Float64)).alias(name)
            for name, statistic in zip(self.names, self.statistics, strict=True)
        )

    def select(self, names: Collection[str]) -> Self:
        """Keep the statistics of these names."""
        return only_named(self, names, "statistics")


@dataclass(frozen=True, slots=True)
class ListItems:
    """Say of each of the most frequent items whether it is in the list: 1 or 0, which is null for a null list.

    Items are told apart as strings, numbers by their value; NaN and infinities are null, which is no item. They are
    ordered by how many training rows have them, equals by name.

    Args:
        columns: Names or a selector: lists and arrays of strings, numbers, Booleans, dates or datetimes.
        most: How many items get a feature.

    Raises:
        SettingError: most is below 1.
        SchemaError: a named column has lists of other things.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"tags": [["new", "red"], ["red", "red"], [], None]})
    >>> out = Recipe(ListItems("tags")).fit(frame).apply(frame).collect()
    >>> out["tags|has_red"].to_list(), out["tags|has_new"].to_list()
    ([1.0, 1.0, 0.0, None], [1.0, 0.0, 0.0, None])
    """

    columns: Columns = field(default_factory=lists)
    most: int = 20

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        check_at_least(self, 1, "most")

    def learn(self, train: Training) -> Queries:
        """Ask for the rows of each item."""
        return {name: _counted(train, name) for name in self._columns(train)}

    def fitted(self, learned: Learned, train: Training) -> list[ItemsFound]:
        """Keep the most frequent items."""
        made = []
        for source, counts in learned.items():
            order = counts.sort(["rows", "item"], descending=[True, False])
            items = order.get_column("item").head(self.most).to_list()
            names = tuple(train.named(source, f"has_{safe(item)}") for item in items)
            made.append(ItemsFound(source, tuple(items), names))
        return made

    def _columns(self, train: Training) -> list[str]:
        """Return the columns whose items can be looked for; those that a selector takes beside them are left out."""
        names = train.columns(self.columns, KINDS, self)
        other = [name for name in names if kind_of(item_of(train.schema[name])) not in ITEMS]
        if other and not isinstance(self.columns, cs.Selector):
            raise SchemaError(
                f"ListItems is given column {other[0]!r} of type {train.schema[other[0]]}; it takes lists of"
                " strings, numbers, Booleans, dates or datetimes."
            )
        return [name for name in names if name not in other]


@dataclass(frozen=True, slots=True)
class ItemsFound(PlainState):
    """Which items are in the lists of one column.

    Args:
        source: The column.
        items: What is looked for.
        names: The generated columns.
    """

    source: str
    items: tuple[str, ...]
    names: tuple[str, ...]
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse fields of different lengths."""
        check_known("item", self.items, self.items, self.names)

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number an item."""
        return tuple(
            Feature(
                name=name,
                sources=(self.source,),
                operation="has",
                parameters={"item": item},
                dtype=pl.Float32(),
                description=f"whether {item!r} is in {self.source}",
                leak=LeakClass.OTHER_ROWS,
            )
            for name, item in zip(self.names, self.items, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them."""
        dtype = frame.collect_schema()[self.source]
        texts = _texts(self.source, dtype)
        items = pl.Series(self.items, dtype=pl.String)
        if kind_of(item_of(dtype)) is Kind.NUMBER:  # 1.0 and true are the 1 of training
            texts = texts.list.eval(number_text(pl.element()))
            items = pl.select(number_text(pl.lit(items))).to_series()
        return frame.with_columns(
            texts.list.contains(pl.lit(item)).cast(pl.Float32).alias(name)
            for name, item in zip(self.names, items, strict=True)
        )

    def select(self, names: Collection[str]) -> Self:
        """Keep the items of these names."""
        return only_named(self, names, "items")


def item_of(dtype: pl.DataType) -> pl.DataType:
    """Return the type of a list's or an array's items."""
    inner = dtype.inner  # type: ignore[attr-defined]
    made: pl.DataType = inner() if isinstance(inner, type) else inner
    return made


def as_list(source: str, dtype: pl.DataType) -> pl.Expr:
    """Read a column of lists or arrays as lists."""
    return column(source).arr.to_list() if dtype == pl.Array else column(source)


def _texts(source: str, dtype: pl.DataType) -> pl.Expr:
    items = as_list(source, dtype)
    if item_of(dtype).is_float():
        items = items.list.eval(pl.when(pl.element().is_finite()).then(pl.element()))
    return items.cast(pl.List(pl.String))


def _counted(train: Training, name: str) -> pl.LazyFrame:
    texts = _texts(name, train.schema[name])
    items = train.frame.select(item=texts.list.unique()).explode("item").drop_nulls()
    return items.group_by("item").agg(rows=pl.len())
