"""A fitted recipe: what was learned, as plain data that adds the features to any table."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import reduce
from operator import or_
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import polars as pl
import polars.selectors as cs

from frazil.budget import parse_bytes
from frazil.errors import MissingColumnError, SchemaError, SettingError, panics_told
from frazil.features.applying import add_features
from frazil.features.bounded import batches_of, plan_batches
from frazil.features.contract import Fitted, Kind, LeakClass, ReadsTables, Scope, kind_of
from frazil.features.overlapping import Overlap
from frazil.features.panel import Panel, Reach, check_alike
from frazil.features.retyped import (
    check_read_alike,
    check_written_alike,
    is_empty_of,
    types_to_restore,
    with_types,
)
from frazil.features.several import several
from frazil.features.storage import read_members, write_members
from frazil.files import atomic_folder
from frazil.matrix import MatrixColumn
from frazil.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from frazil.features.bounded import Plan
    from frazil.features.contract import Feature

PART = "part-{:05}.parquet"


@dataclass(frozen=True, slots=True, eq=False)
class FittedRecipe:
    """What was learned, as plain data that adds the features to any table.

    Args:
        parts: Fitted builders, one a column or set of columns.
        inputs: Kind of each column that is read.
        panel: Whose rows they are, and what orders them.
        dtypes: Types of those whose kind does not say all; none where an earlier version wrote the recipe.
    """

    parts: tuple[Fitted, ...]
    inputs: Mapping[str, Kind]
    panel: Panel = Panel()
    dtypes: Mapping[str, pl.DataType] = field(default_factory=dict)

    @property
    def features(self) -> tuple[Feature, ...]:
        """The generated columns, in their order."""
        return tuple(feature for part in self.parts for feature in part.features)

    def apply(self, data: Any) -> pl.LazyFrame:  # noqa: ANN401 -- any source that open_source takes
        """Add the features to a table, as one lazy plan; rows and their order stay.

        Features of earlier rows see the rows of this table only: give each entity's past along. A column all null fits
        any kind. Where numbers that levels are made of have become integers from floats, or the other way round, or
        Booleans, they are read as in training: then a pass over them looks whether all are.

        Raises:
            MissingColumnError: a column that is read is not there.
            SchemaError: it has a type of another kind than in training, levels have a number that the type in training
                can't hold, or a generated column is there already.
        """
        frame = frame_of(data)
        schema = frame.collect_schema()
        self._check(schema)
        changed = types_to_restore(schema, self.inputs, self.dtypes, self.parts)
        return with_types(frame, changed, lambda learned: add_features(learned, self.parts, self.panel))

    def plan(self, data: Any, *, memory: str | int = "2GiB") -> Plan:  # noqa: ANN401 -- as in apply
        """Say how `batches` and `sink` would work through a table, and about how much memory that takes.

        Args:
            data: Any source.
            memory: What the batches may take, as "2GiB" or bytes.
        """
        return plan_batches(frame_of(data), self._together, len(self.features), parse_bytes(memory), self._overlap)

    def batches(
        self,
        data: Any,  # noqa: ANN401 -- as in apply
        *,
        memory: str | int = "2GiB",
        folder: str | Path | None = None,
    ) -> Iterator[pl.DataFrame]:
        """Add the features to a table of any size, some of its rows at a time.

        Features that read earlier rows need each entity whole. Where the table is sorted by entity and time, batches
        are cut where an entity ends, and inside of an entity that is larger than a batch where all features reach back
        so far and no further: such a stretch is worked on with the rows before that it needs. Else the table is first
        written to disk in buckets of whole entities, and rows come in the order of the buckets; there, and where a
        feature reads all earlier rows, a large entity is worked on at once, whatever `memory` is. `plan` says so, and
        how much that takes.

        Args:
            data: Any source.
            memory: What the batches may take; see `plan`.
            folder: Where buckets are written, and removed again; the system's folder for temporary files where None.

        Yields: Rows with all columns of the table and the features.

        Raises: as `apply`; SettingError where a feature reads the whole table at once.
        """
        frame = frame_of(data)
        self._check(frame.collect_schema())
        plan = self.plan(frame, memory=memory)
        for df, known in batches_of(frame, self._together, plan, folder, self._overlap):
            yield self.apply(df.lazy()).collect()[known:]

    @panics_told("sink")
    def sink(
        self,
        data: Any,  # noqa: ANN401 -- as in apply
        path: str | Path,
        *,
        memory: str | int = "2GiB",
        folder: str | Path | None = None,
    ) -> int:
        """Write a table of any size with its features into a folder of Parquet files, one a batch.

        The folder appears under its name when it is complete.

        Args:
            data: Any source.
            path: The folder, which must not be there yet.
            memory: As for `batches`.
            folder: As for `batches`.

        Returns: The number of rows written.

        Raises: as `batches`; SourceError: the folder is there already, or can't be made.
        """
        frame, rows = frame_of(data), 0
        with atomic_folder(path) as temporary:
            for number, df in enumerate(self.batches(frame, memory=memory, folder=folder)):
                df.write_parquet(temporary / PART.format(number))
                rows += df.height
            if not rows:  # an empty part keeps the columns
                self.apply(frame.head(0)).sink_parquet(temporary / PART.format(0))
        return rows

    @property
    def _together(self) -> Panel | None:
        """Whose rows have to be in one batch; None where each row is for itself."""
        if whole := [part for part in self.parts if part.scope is Scope.TABLE]:
            raise SettingError(
                f"feature {whole[0].features[0].name!r} reads the whole table at once, which batches do not have; see"
                " row_local."
            )
        return self.panel if _reads_earlier_rows(self.parts) else None

    @property
    def _overlap(self) -> Overlap | None:
        """What a stretch of an entity needs of the rows before it; None where entities stay whole."""
        return Overlap.of(self.parts, self.panel)

    def __or__(self, other: FittedRecipe) -> FittedRecipe:
        """Put the other recipe's features after this one's.

        Raises: SettingError: both make a feature of one name, have learned a column as two kinds, or both read earlier
            rows, of other entities or times.
        """
        if twice := {f.name for f in self.features} & {f.name for f in other.features}:
            raise SettingError(f"both recipes make {min(twice)!r}; leave it out of one with select().")
        check_read_alike(self.inputs, other.inputs)
        check_written_alike(self.dtypes, other.dtypes, (*self.parts, *other.parts))
        return FittedRecipe(
            (*self.parts, *other.parts),
            {**self.inputs, **other.inputs},
            _shared_panel(self, other),
            {**self.dtypes, **other.dtypes},
        )

    def of_earlier_rows(self) -> FittedRecipe:
        """Return the features that read earlier rows, which a table must hold, and only those."""
        return self.select(f.name for part in self.parts if part.scope is Scope.ENTITY for f in part.features)

    def of_rows(self) -> FittedRecipe:
        """Return the other features."""
        return self.select(f.name for part in self.parts if part.scope is not Scope.ENTITY for f in part.features)

    def select(self, names: Iterable[str]) -> FittedRecipe:
        """Keep the features of these names, at their cost only.

        Raises: MissingColumnError: there is no such feature.
        """
        wanted = several(names)
        there = [feature.name for feature in self.features]
        if missing := [name for name in wanted if name not in there]:
            raise MissingColumnError.among(missing, there, where="the recipe")
        parts = [(part, {f.name for f in part.features} & set(wanted)) for part in self.parts]
        kept = tuple(part.select(own) for part, own in parts if own)
        inputs = {name: self.inputs[name] for name in columns_read(kept, self.panel)}
        dtypes = {name: dtype for name, dtype in self.dtypes.items() if name in inputs}
        return FittedRecipe(kept, inputs, self.panel, dtypes)

    def with_tables(self, tables: Mapping[str, pl.LazyFrame]) -> FittedRecipe:
        """Return it with the tables that its features read beside the one it is applied to.

        A recipe that was read back from files has none: what it learned is kept with it, tables are not.

        Args:
            tables: The tables by the names that the builders gave them; others are ignored.
        """
        parts = (part.with_tables(tables) if isinstance(part, ReadsTables) else part for part in self.parts)
        return replace(self, parts=tuple(parts))

    def reach(self) -> Reach:
        """Return how far back of its row the furthest feature reads."""
        return reduce(or_, (feature.reach for feature in self.features), Reach())

    def to_frame(self) -> pl.DataFrame:
        """Return the lineage: one row a feature with its sources, operation, parameters, type, leak class and reach."""
        rows = [
            {
                "feature": feature.name,
                "sources": list(feature.sources),
                "operation": feature.operation,
                "parameters": ", ".join(f"{key}={value}" for key, value in feature.parameters.items()),
                "dtype": str(feature.dtype),
                "levels": feature.levels,
                "reads": str(feature.leak),
                "reach": str(feature.reach) or None,
                "description": feature.description,
            }
            for feature in self.features
        ]
        return pl.DataFrame(rows, schema=LINEAGE)

    def costs(self, data: Any, *, rows: int = 100_000, repeats: int = 3) -> pl.DataFrame:  # noqa: ANN401 -- as in apply
        """Measure what each feature takes to compute, on the first rows of a table, one fitted builder at a time.

        A builder's features share its work and are computed together; `seconds` is each one's equal part of the median
        of the repeats. What reads earlier rows has the sorting of rows in it, which a recipe does once for all.

        Args:
            data: Any source.
            rows: How many of its rows to work on.
            repeats: How often each builder is measured.

        Returns: One row a feature, in their order as in `to_frame`: `feature`, `builder` (its fitted state), `together`
            (how many features share the builder's work), `seconds` and `us_per_row`.

        Raises: as `apply`; SettingError: there are no rows to measure, or no repeats.

        >>> from frazil.features import Recipe
        >>> from frazil.features.ordered import Lag
        >>> frame = pl.LazyFrame({"day": [1, 2, 3], "sold": [10.0, 30.0, 20.0]})
        >>> costs = Recipe(Lag("sold", [1, 2]), time="day").fit(frame).costs(frame)
        >>> costs.select("feature", "builder", "together").rows()
        [('sold|lag_1', 'Lagged', 2), ('sold|lag_2', 'Lagged', 2)]
        """
        frame = frame_of(data)
        self._check(frame.collect_schema())
        df = frame.head(rows).collect(engine="streaming")
        if df.is_empty() or repeats < 1:
            raise SettingError(f"costs are measured on rows: there are {df.height}, and repeats={repeats!r}.")
        found: list[dict[str, Any]] = []
        for part in self.parts:
            names = [feature.name for feature in part.features]
            alone = replace(self, parts=(part,))
            seconds = median(_seconds(alone.apply(df.lazy()).select(cs.by_name(*names))) for _ in range(repeats))
            each = {"builder": type(part).__name__, "together": len(names), "seconds": seconds / max(1, len(names))}
            found += [{"feature": name, **each} for name in names]
        return pl.DataFrame(found, schema=COSTS).with_columns(us_per_row=pl.col("seconds") * 1e6 / df.height)

    def matrix_columns(self) -> tuple[MatrixColumn, ...]:
        """Return what a learner must know of each feature."""
        # What another table says of a key and a time restates neither, though it is made of them.
        own = [feature for feature in self.features if feature.leak is not LeakClass.OTHER_TABLES]
        coded = {source for feature in own if feature.levels for source in feature.sources}
        read = [feature for feature in own if feature.sources and not feature.levels]
        restating = {feature.name for feature in read if coded.issuperset(feature.sources)}
        return tuple(MatrixColumn(feature.name, feature.levels, feature.name in restating) for feature in self.features)

    def members(self) -> dict[str, bytes]:
        """Return the files that hold it: `recipe.json`, and Parquet tables."""
        return write_members(self.parts, self.inputs, self.dtypes, self.panel)

    @classmethod
    def read(cls, members: Mapping[str, bytes]) -> FittedRecipe:
        """Read it back from its files, running no code from them.

        Raises: ArtifactError: a file is missing, damaged, or holds what no builder wrote.
        """
        return cls(*read_members(members))

    def _check(self, schema: Mapping[str, pl.DataType]) -> None:
        if missing := [name for name in self.inputs if name not in schema]:
            raise MissingColumnError.among(missing, schema, where="the table")
        for name, kind in self.inputs.items():
            if kind_of(schema[name]) is not kind and not is_empty_of(schema[name], kind, self.dtypes.get(name)):
                raise SchemaError(f"column {name!r} is {schema[name]}; the recipe learned it as a {kind}.")
        if there := [feature.name for feature in self.features if feature.name in schema]:
            raise SchemaError(f"the table has a column {there[0]!r} already, which the recipe would make.")
        if _reads_earlier_rows(self.parts):
            self.panel.check(schema)


def frame_of(data: Any) -> pl.LazyFrame:  # noqa: ANN401 -- any source that open_source takes
    """Open any source as a LazyFrame."""
    return data if isinstance(data, pl.LazyFrame) else open_source(data).frame


def _seconds(frame: pl.LazyFrame) -> float:
    started = perf_counter()
    frame.collect()
    return perf_counter() - started


def columns_read(parts: Sequence[Fitted], panel: Panel) -> dict[str, None]:
    """Return the columns that fitted states read, each once."""
    sources = [source for part in parts for feature in part.features for source in feature.sources]
    return dict.fromkeys([*sources, *(panel.columns if _reads_earlier_rows(parts) else ())])


def _reads_earlier_rows(parts: Iterable[Fitted]) -> bool:
    return any(part.scope is Scope.ENTITY for part in parts)


def _shared_panel(one: FittedRecipe, other: FittedRecipe) -> Panel:
    """Return the panel that both read earlier rows of; where one reads none, its own does not matter."""
    panels = [each.panel for each in (one, other) if _reads_earlier_rows(each.parts)]
    if not panels:
        return one.panel if one.panel.columns else other.panel
    mine, theirs = panels[0].declared(), panels[-1].declared()
    check_alike(mine, theirs, {**mine, **theirs})
    return panels[0]


LINEAGE: dict[str, Any] = {
    "feature": pl.String,
    "sources": pl.List(pl.String),
    "operation": pl.String,
    "parameters": pl.String,
    "dtype": pl.String,
    "levels": pl.Int64,
    "reads": pl.String,
    "reach": pl.String,
    "description": pl.String,
}
COSTS: dict[str, Any] = {
    "feature": pl.String,
    "builder": pl.String,
    "together": pl.Int64,
    "seconds": pl.Float64,
}
