"""Features of series that stand in the cells of a table, one series a row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import polars as pl
import polars.selectors as cs

from frazil.errors import SchemaError
from frazil.features.contract import Columns, Feature, Kind, Learned, Queries, Scope, Training
from frazil.features.plain import PlainState, only_named
from frazil.features.series.catalogue import BY_NAME, features_named
from frazil.features.series.describing import describe
from frazil.features.values import finite32
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


@dataclass(frozen=True, slots=True)
class SeriesStats:
    """Describe the series in the cells of list columns by numbers, with the names and values of tsfresh.

    Missing values are left out; a feature that a series is too short for is null, and so is one of an empty list.

    Args:
        columns: Names or a selector; lists or arrays of numbers, in the order of time.
        features: As for `fz.describe_series`.

    Raises: SettingError: there is no such set or feature.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"heart": [[1.0, 5.0, 3.0], [2.0, 2.0], []]})
    >>> recipe = Recipe(SeriesStats("heart", ["mean_abs_change", "maximum"]))
    >>> recipe.fit(frame).apply(frame).select(cs.contains("|")).collect().rows()
    [(3.0, 5.0), (0.0, 2.0), (None, None)]
    """

    columns: Columns = field(default_factory=lambda: cs.list(cs.numeric()) | cs.array(cs.numeric()))
    features: str | Sequence[str] = "efficient"

    def __post_init__(self) -> None:
        """Refuse features that do not exist."""
        features_named(self.features)

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but check the columns."""
        for name in train.columns(self.columns, (Kind.LIST,), self):
            inner = getattr(train.schema[name], "inner", None)
            if inner is None or not (inner.is_numeric() or inner in (pl.Boolean, pl.Null)):
                raise SchemaError(
                    f"SeriesStats is given column {name!r} of type {train.schema[name]}; it takes numbers."
                )
        return {}

    def fitted(self, learned: Learned, train: Training) -> list[SeriesDescribed]:  # noqa: ARG002 -- nothing was asked
        """Name the columns."""
        made = tuple(feature.name for feature in features_named(self.features))
        return [
            SeriesDescribed(source, made, tuple(train.named(source, name) for name in made))
            for source in train.columns(self.columns, (Kind.LIST,), self)
        ]


@dataclass(frozen=True, slots=True)
class SeriesDescribed(PlainState):
    """Features of the series in one column.

    Args:
        source: The column.
        made: The features, by their names in the catalogue.
        names: The generated columns.
    """

    source: str
    made: tuple[str, ...]
    names: tuple[str, ...]
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse features that do not exist."""
        features_named(self.made)
        if len(self.made) != len(self.names):
            raise ValueError("features and names differ in number")

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a feature."""
        return tuple(
            Feature(
                name=name,
                sources=(self.source,),
                operation=BY_NAME[made].function.__name__,
                parameters=dict(BY_NAME[made].settings),
                dtype=pl.Float32(),
                description=f"{BY_NAME[made].description}, of the series in {self.source}",
            )
            for name, made in zip(self.names, self.made, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them; numpy does the sums, batch by batch."""
        if not self.names:
            return frame
        dtype = pl.Struct(dict.fromkeys(self.names, pl.Float32))
        series = column(self.source).cast(pl.List(pl.Float64)).alias("series")
        return frame.with_columns(
            series.map_batches(self._described, return_dtype=dtype, is_elementwise=True).struct.unnest()
        )

    def _described(self, series: pl.Series) -> pl.Series:
        kept = series.list.eval(pl.element().filter(pl.element().is_finite()))
        lengths = kept.list.len().fill_null(0).to_numpy().astype(np.int64)
        points = kept.list.explode(empty_as_null=False, keep_nulls=False).cast(pl.Float64).to_numpy()
        found = describe(points, lengths, features_named(self.made))
        columns = [pl.Series(name, values) for name, values in zip(self.names, found, strict=True)]
        return pl.DataFrame(columns).select(finite32(pl.all()).name.keep()).to_struct(series.name)

    def select(self, names: Collection[str]) -> Self:
        """Keep the features of these names."""
        return only_named(self, names, "made")
