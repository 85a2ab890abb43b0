"""Levels of categories: counting them in training, and turning values into dense codes that tables are looked up by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar, Self

import polars as pl
import polars.selectors as cs

from frazil.errors import SettingError
from frazil.features.contract import Feature, Kind, LeakClass, Scope
from frazil.features.plain import check_known, checked, less_words, target_parameters, written
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

KINDS = (Kind.TEXT, Kind.NUMBER)
BETWEEN = "\x1f"  # the ASCII unit separator: stands between the values of a cross
MISSING = "\x00"  # stands for null inside a cross


COUNT, SHARE = "count", "share"
TARGET_MEAN, TARGET_WOE, TARGET_STD, TARGET_VAR = "target_mean", "target_woe", "target_std", "target_var"
TARGET_QUANTILE, TARGET_ORDERED = "target_quantile", "target_ordered"
# What each operation says of a level, for people.
_OF_ROWS = {
    COUNT: "how often the level of {of} occurs in training, as log(1 + rows)",
    SHARE: "the share of training rows that have the level of {of}",
}
_OF_TARGET = {
    TARGET_MEAN: "{what} in other training rows with the same {of}, pulled towards the mean of all",
    TARGET_WOE: "the weight of evidence for {what} in other training rows with the same {of}",
    TARGET_STD: "the standard deviation of {what} in other training rows with the same {of}",
    TARGET_VAR: "the variance of {what} in other training rows with the same {of}",
    TARGET_QUANTILE: "the quantile {what} in other training rows with the same {of}, pulled towards that of all",
    TARGET_ORDERED: "{what} in training rows with the same {of}, for training rows in those that come before",
}
OPERATIONS = (*_OF_ROWS, *_OF_TARGET)
WITH_OFFSET = (TARGET_MEAN, TARGET_QUANTILE, TARGET_ORDERED)  # what moves with the target


def categories() -> cs.Selector:
    """Select strings, categoricals, enums and Booleans; `fz.categories()`."""
    return cs.string() | cs.categorical() | cs.enum() | cs.boolean()


def crossed(names: Iterable[str], cross: int) -> list[tuple[str, ...]]:
    """Return the sets of columns that make levels together.

    Raises: SettingError: cross is not 1, 2 or 3.

    >>> crossed(["a", "b", "c"], 2)
    [('a', 'b'), ('a', 'c'), ('b', 'c')]
    """
    if cross not in (1, 2, 3):
        raise SettingError(f"cross={cross!r}; it takes 1, 2 or 3 columns.")
    return list(combinations(names, cross))


def level(sources: Sequence[str]) -> pl.Expr:
    """Return the level of a row as a string: the value of one column, or the values of several as one.

    Args:
        sources: One column, whose null stays null; or several, where null is a value like others.
    """
    texts = [column(source).cast(pl.String) for source in sources]
    if len(texts) == 1:
        return texts[0]
    return pl.concat_str([text.fill_null(MISSING) for text in texts], separator=BETWEEN)


def counted(frame: pl.LazyFrame, sources: Sequence[str]) -> pl.LazyFrame:
    """Count the rows of each level.

    Returns: Columns `level` (String, null too) and `rows` (UInt32), in no order.
    """
    return frame.select(level=level(sources)).group_by("level").agg(rows=pl.len())


def frequent_first(counts: pl.DataFrame) -> pl.DataFrame:
    """Put levels in the order of their frequency, equals by name; null is left out.

    Args:
        counts: Columns `level` and `rows`, and others.
    """
    known = counts.filter(pl.col("level").is_not_null())
    return known.sort(["rows", "level"], descending=[True, False])


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """Known levels of one column, or of a cross of several.

    Args:
        sources: The columns.
        values: Distinct strings without null; a level's code is its position.
    """

    sources: tuple[str, ...]
    values: pl.Series

    @classmethod
    def by_frequency(cls, sources: tuple[str, ...], counts: pl.DataFrame, most: int | None = None) -> Self:
        """Put levels in the order of their frequency, equals by name, so that a refit gives the same codes.

        Args:
            sources: The columns.
            counts: Columns `level` and `rows`.
            most: How many to keep.
        """
        known = frequent_first(counts)
        return cls(sources, known.get_column("level").head(len(known) if most is None else most))

    @classmethod
    def read(cls, spec: Mapping[str, Any], table: pl.DataFrame) -> Self:
        """Make it again from what was written down.

        Raises: KeyError, TypeError or ValueError: something is missing or of another type.
        """
        sources, values = spec["sources"], table.get_column("level")
        if not (isinstance(sources, list) and sources and all(isinstance(source, str) for source in sources)):
            raise TypeError(f"sources are {sources!r}")
        if values.dtype != pl.String or values.null_count() or not values.is_unique().all():
            raise ValueError("levels are not distinct strings")
        return cls(tuple(sources), values)

    @property
    def places(self) -> int:
        """How many codes there are: one a level, then null, then all that is unknown."""
        return len(self.values) + 2

    def known_codes(self) -> pl.Expr:
        """Return codes of the known levels, as UInt; null for null and what is unknown."""
        return level(self.sources).cast(pl.Enum(self.values), strict=False).to_physical()

    def codes(self) -> pl.Expr:
        """Return codes of all rows, as UInt32 without null."""
        missing, unknown = self.places - 2, self.places - 1
        other = pl.when(level(self.sources).is_null()).then(missing).otherwise(unknown)
        return pl.coalesce(self.known_codes().cast(pl.UInt32), other.cast(pl.UInt32))

    def positions(self, values: pl.Series) -> pl.Series:
        """Return the codes of strings, as UInt32, on the same places."""
        return pl.select(level=values).select(Levels(("level",), self.values).codes()).to_series()


@dataclass(frozen=True, slots=True, eq=False)
class LevelsEncoded:
    """Numbers by level: one column a label.

    Args:
        operation: One of `OPERATIONS`.
        names: The generated columns.
        labels: What of the target each column is of; empty where there is nothing to tell apart.
        levels: The levels.
        values: One Float32 column a name, called "0", "1", ...; one row a code, or a code and fold.
        offset: What is taken off of numbers of the target, and is not in the values; in its unit.
        fold: The column of fold numbers that training rows are looked up by too; empty for new rows.
        n_folds: How many folds `values` has for each code.
        places: (rows,) codes of the training rows, where they are known already; None for new rows.
    """

    operation: str
    names: tuple[str, ...]
    labels: tuple[str, ...]
    levels: Levels
    values: pl.DataFrame
    offset: float = 0.0
    fold: str = ""
    n_folds: int = 1
    places: pl.Series | None = None
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse an operation that is not known, and fields of different lengths."""
        check_known("operation", [self.operation], OPERATIONS)
        check_known("label", self.labels, self.labels, self.names, self.values.columns)

    @property
    def told_apart(self) -> tuple[str, ...]:
        """The columns of the levels."""
        return self.levels.sources

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a label."""
        leak = LeakClass.TARGET if self.operation in _OF_TARGET else LeakClass.OTHER_ROWS
        return tuple(
            Feature(
                name=name,
                sources=self.levels.sources,
                operation=self.operation,
                parameters=target_parameters(label, self.offset),
                dtype=pl.Float32(),
                description=_described(self.operation, label, self.levels.sources) + less_words(self.offset),
                leak=leak,
            )
            for name, label in zip(self.names, self.labels, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Look every row's values up by the code of its level."""
        return frame.with_columns(self.expressions())

    def expressions(self) -> list[pl.Expr]:
        """Return the looked-up values under their names."""
        return [expr.alias(name) for name, expr in zip(self.names, self.found(), strict=True)]

    def found(self) -> list[pl.Expr]:
        """Return one expression a name."""
        place = self.levels.codes() if self.places is None else pl.lit(self.places)
        if self.fold:
            place = place * self.n_folds + column(self.fold).cast(pl.UInt32)
        # A literal's gather runs in the streaming engine; a join would have to be told to keep the order.
        return [pl.lit(values).gather(place) for values in self.values.get_columns()]

    def select(self, names: Collection[str]) -> Self:
        """Keep the columns of these names."""
        kept = [place for place, name in enumerate(self.names) if name in names]
        values = self.values.select(pl.nth(place).alias(str(at)) for at, place in enumerate(kept))
        own, labels = tuple(self.names[at] for at in kept), tuple(self.labels[at] for at in kept)
        return replace(self, names=own, labels=labels, values=values)

    def spec(self) -> dict[str, Any]:
        """Return the names."""
        return {**written(self, leave_out=LEFT_OUT), "sources": list(self.levels.sources)}

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return one row a level, then null's, then that of the unknown."""
        level = pl.Series("level", [*self.levels.values, None, None], dtype=pl.String)
        return {"levels": pl.DataFrame([level, *self.values])}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        levels = Levels.read(spec, tables["levels"].head(-2))
        plain = checked(cls, {"offset": 0.0, **spec}, leave_out=LEFT_OUT)
        values = tables["levels"].select(pl.col(str(at)).cast(pl.Float32) for at in range(len(plain["names"])))
        return cls(levels=levels, values=values, **plain)


LEFT_OUT = ("levels", "values", "fold", "n_folds", "places")


def _described(operation: str, label: str, sources: Sequence[str]) -> str:
    of = " and ".join(sources)
    if operation in _OF_ROWS:
        return _OF_ROWS[operation].format(of=of)
    plain = "the mean target" if operation in (TARGET_MEAN, TARGET_ORDERED) else "the target"
    what = f"the share of label {label}" if label else plain
    return _OF_TARGET[operation].format(of=of, what=label if operation == TARGET_QUANTILE else what)
