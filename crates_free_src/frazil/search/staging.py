"""From a source to training rows in memory: read once, checked, with every named column in its place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from frazil.budget import parse_seconds
from frazil.checks import check_table
from frazil.checks.codes import found
from frazil.checks.findings import Finding, Findings
from frazil.errors import InputError, MissingColumnError, SchemaError, SettingError
from frazil.features.panel import Length
from frazil.naming import unique
from frazil.profile import profile_frame
from frazil.roles import infer_roles
from frazil.schema import column
from frazil.search.beyond import PLACES, Beyond
from frazil.search.newest import check_all_timed, check_axis, newest, ticks_of
from frazil.search.table import Surroundings, Table, weights_of
from frazil.seeding import child_seed
from frazil.sources import check_string_bytes, items_a_row, reading
from frazil.task import has_target, infer_task
from frazil.ticks import as_delay
from frazil.types import whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from frazil.profile import Profile
    from frazil.schema import Schema
    from frazil.sources import Identity, Source

STAGED_SHARE = 0.15  # of the memory allowed, for the rows as they are read; matrices and models need the rest
STRING_BYTES = 40  # a guess at the mean of one string with its view
PARTS = 2**14  # of the places, in which rows of groups are counted
LEAST_GROUPS = 20  # in memory, to cut folds from; with fewer it is rows that are drawn
HASH_MULTIPLIER = 2_654_435_761  # Knuth's: spreads consecutive row numbers evenly over 32 bits


@dataclass(frozen=True, slots=True)
class Forward:
    """Folds that go forward in time along a column, with a distance between what learns and what judges.

    Args:
        column: When a row happened: a Date, a Datetime or an integer.
        gap: How far a row's features or label reach ahead, as "7d", "12h" or a number in the column's own unit.
        embargo: How much later than its row a label is known; training ends that much earlier still.
        horizon: How long before a row the last labels are known that it may be predicted from, as "7d" or "7i" (of
            integers). With it, lags and windows of the target become features; the gap is as long at least.

    Raises: SettingError: a distance is unreadable.
    """

    column: str
    gap: str | int = 0
    embargo: str | int = 0
    horizon: str | None = None

    def __post_init__(self) -> None:
        """Refuse a distance that can't be read, before anything else is; keep what is as JSON has it."""
        for name in ("gap", "embargo"):
            given = getattr(self, name)
            if isinstance(given, timedelta):
                ticks = given // timedelta(microseconds=1)
                given = f"{ticks}us" if ticks else 0
            if isinstance(given, str):
                _length(given, name)
            elif whole(given) is None:
                raise SettingError(
                    f"{name}={given!r}; it takes time as '7d' or '12h', or a whole number in the column's own unit."
                )
            object.__setattr__(self, name, given if isinstance(given, str) else int(given))
        if self.horizon is not None:
            Length.parse(self.horizon, "horizon")

    @classmethod
    def of(cls, given: str | Self | None) -> Self | None:
        """Read a column's name as a time axis without distances.

        Raises: SettingError: it is neither that nor such an axis.
        """
        if given is not None and not isinstance(given, (str, cls)):
            raise SettingError(f"time={given!r}; it takes the name of a column or a fz.Forward.")
        return cls(given) if isinstance(given, str) else given

    def delays(self, time: NDArray[Any]) -> tuple[int, int]:
        """Return gap and embargo in the unit of a time axis; the gap is as long as the horizon at least.

        Raises: SettingError: one of them counts otherwise than the axis does, or is below 0.
        """
        gap, embargo, horizon = (
            _ticks(given, time, name)
            for name, given in (("gap", self.gap), ("embargo", self.embargo), ("horizon", self.horizon or 0))
        )
        return max(gap, horizon), embargo


@dataclass(frozen=True, slots=True)
class NamedColumns:
    """Columns that the user gave a meaning.

    Args:
        target: What is predicted.
        time: When a row happened; folds then go forward in time.
        groups: Rows of one group stay on one side of a split.
        entity: What a row is about, one column or several that say so together; without `time` and `groups`, its rows
            stay on one side of a split.
        weights: How much a row counts.
    """

    target: str
    time: str | None = None
    groups: str | None = None
    entity: tuple[str, ...] = ()
    weights: str | None = None

    def __post_init__(self) -> None:
        """Raise SettingError where one is not the name of a column."""
        for argument, name in self.given():
            if not isinstance(name, str):
                raise SettingError(f"{argument}={name!r}; it takes the name of a column.")

    def given(self) -> Iterator[tuple[str, str]]:
        """Return argument and column for each that is given."""
        for argument in ("target", "time", "groups", "weights"):
            if (name := getattr(self, argument)) is not None or argument == "target":
                yield argument, name
        for name in self.entity:
            yield "entity", name

    @property
    def kept_together(self) -> tuple[str, ...]:
        """The columns whose equal values stay on one side of a split."""
        if self.groups is not None:
            return (self.groups,)
        return self.entity if self.time is None else ()


@dataclass(frozen=True, slots=True, eq=False)
class Staged:
    """Training rows with what is known of them.

    Args:
        table: The rows.
        schema: The part that each column plays.
        profile: What the columns hold.
        findings: What the checks found.
        identity: Which table it is, rows included that are not used.
        sampled_for: Bytes of memory that the rows were sampled for; None where all are used.
        beyond: The rows that were left out for it, where they may still be learned from.
    """

    table: Table
    schema: Schema
    profile: Profile
    findings: Findings
    identity: Identity
    sampled_for: int | None = None
    beyond: Beyond | None = None

    def noting(self, *more: Finding) -> Self:
        """Return it with more findings."""
        return replace(self, findings=Findings([*self.findings, *more])) if more else self


def stage(
    source: Source, columns: NamedColumns, task: str, memory_bytes: int, seed: int, axis: Forward | None = None
) -> Staged:
    """Read a source once and make it ready to learn from.

    Rows without a target are left out and counted in the findings; with a time axis, features of earlier rows still
    read them. A source that would not fit in memory is sampled, which the findings say too: with a time axis it is the
    newest rows that are read.

    Args:
        source: All rows.
        columns: Those that have a meaning.
        task: What kind of task the user says it is, or "auto".
        memory_bytes: That the run may take.
        seed: Of the sample.
        axis: The distances along the time axis, where there is one.

    Raises:
        MissingColumnError: a named column is not there.
        TargetError: the target can't be learned.
        InputError: no rows, or time, groups or weights have values that can't be used.
    """
    _check_named(source, columns)
    with reading(source.name):
        beyond = _beyond(source, columns, memory_bytes, seed, axis)
        df = (source.frame if beyond is None else beyond.inside).collect()
        check_string_bytes(df, source.name)
    if df.is_empty():
        raise InputError(f"{source.name} has no rows; there is nothing to learn from.")
    notes = () if beyond is None else (found("sampled", None, beyond.evidence),)
    identity = source.identity() if notes else replace(source, frame=df.lazy()).identity()
    source.check_unchanged()
    whole, (df, dropped) = df, _with_target(df, columns.target)
    problem = infer_task(df[columns.target], target_name=columns.target, given=task)
    if columns.time is not None:
        df = df.sort(column(columns.time), maintain_order=True)
    profile = profile_frame(df.lazy())
    schema = infer_roles(
        profile,
        target=columns.target,
        time=columns.time,
        groups=columns.groups,
        weights=columns.weights,
        # Where folds go forward in time, new rows are of known entities, and which they are of tells something.
        entity=columns.entity if columns.time is None else (),
        where=source.name,
    )
    if columns.weights is not None:
        _check_weights(whole, columns, is_sample=beyond is not None)
    findings = Findings((*notes, *dropped, *check_table(df.lazy(), profile, schema, problem)))
    table = Table(
        df=df,
        task=problem,
        target=problem.encode(df[columns.target]),
        weights=_some_weight(weights_of(df, columns.weights), columns.weights),
        groups=_codes(df, columns.kept_together),
        time=_moments(df, columns.time),
        among=_among(whole, columns) if dropped else None,
    )
    sampled_for = memory_bytes if notes else None
    learned = beyond if beyond is not None and beyond.is_apart else None
    return Staged(table, schema, profile, findings, identity, sampled_for, learned)


def without_order(staged: Staged, columns: NamedColumns) -> Staged:
    """Leave out the time of rows that are all of one moment, as customers are on the day that a recipe looks back from.

    Folds that go forward are then none, and are cut by rows, or by what stays together where time does not rule.
    """
    time = staged.table.time
    if columns.time is None or time is None or (time != time[0]).any():
        return staged
    together = _codes(staged.table.df, replace(columns, time=None).kept_together)
    table = replace(staged.table, time=None, among=None, groups=together)
    return replace(staged, table=table).noting(found("time_one", columns.time, "is the same in all rows"))


def _ticks(given: str | int, time: NDArray[Any], name: str) -> int:
    """Count a distance in the unit of a time axis, rounded up."""
    if isinstance(given, str):
        length = _length(given, name)
        length.check_fits(1 if time.dtype.kind == "M" else None, f"{name}={given!r}")
        given = length.steps
        if length.nanoseconds:
            return as_delay(timedelta(microseconds=-(-length.nanoseconds // 1_000)), time, name)
    return as_delay(given, time, name)


def _length(text: str, name: str) -> Length:
    """Read a distance as lengths of windows are written, "1d12h" or "7i", or in parts of a unit, "1.5h"."""
    try:
        return Length.parse(text, name)
    except SettingError:
        return Length(nanoseconds=round(parse_seconds(text, name) * 1e9))


def _check_named(source: Source, columns: NamedColumns) -> None:
    there = source.frame.collect_schema().names()
    named = list(columns.given())
    if missing := [name for _, name in named if name not in there]:
        raise MissingColumnError.among(missing, there, where=source.name)
    for argument, name in named:
        if argument != "target" and name == columns.target:
            raise SettingError(f"{argument}={name!r} is the target itself; name another column.")
    if len(there) == 1:
        raise SchemaError(f"{source.name} has no column beside the target {columns.target!r}; nothing can predict it.")


def _beyond(source: Source, columns: NamedColumns, memory_bytes: int, seed: int, axis: Forward | None) -> Beyond | None:
    """Thin the rows where all of them would take too much memory: to the newest, or by a hash of number or group.

    With a time axis, older rows may be learned from, as no row is judged by what came after it. By groups only where
    there are enough of them to cut folds from the part that memory holds. Else it is rows that are drawn, and those
    beyond belong to groups, or to times, of those in memory.
    """
    schema = source.frame.collect_schema()
    width = sum(STRING_BYTES if dtype.is_nested() or dtype == pl.String else 8 for dtype in schema.dtypes())
    width += round(8 * items_a_row(source.frame))
    allowed = int(STAGED_SHARE * memory_bytes / max(1, width))
    rows = source.frame.select(pl.len()).collect().item()
    if rows <= allowed:
        return None
    too_many = f"{rows:,} rows of about {width} bytes are too many for the memory allowed"
    if columns.time is not None and (found := _of_earlier(source, columns, allowed, rows, axis)):
        return replace(found, evidence=f"{too_many}; {found.evidence}")
    chance = child_seed(seed, "sample")
    if columns.kept_together and columns.time is None:
        place = _place_of_groups(columns.kept_together, schema, chance)
        start, used = _whole_groups(source.frame, place, allowed)
        if used:
            evidence = f"{too_many}; {used:,} of whole groups are used"
            return Beyond(source, place, start, rows - used, columns.target, columns.weights, evidence)
    place = (pl.int_range(pl.len(), dtype=pl.UInt64) + chance) * HASH_MULTIPLIER % PLACES
    evidence = f"{too_many}; {allowed:,} are used"
    apart = not columns.kept_together and columns.time is None
    start = int(allowed / rows * PLACES)
    return Beyond(source, place, start, rows - allowed, columns.target, columns.weights, evidence, apart)


def _of_earlier(source: Source, columns: NamedColumns, allowed: int, rows: int, axis: Forward | None) -> Beyond | None:
    """Keep the newest rows in memory; None where these can't be cut into what learns and what judges."""
    name, schema = str(columns.time), source.frame.collect_schema()
    check_axis(name, schema[name])
    delay = 0 if axis is None else sum(axis.delays(pl.Series(dtype=schema[name]).to_numpy()))
    known = has_target(columns.target, schema[columns.target])
    found = newest(source.frame, name, known, allowed, delay)
    if found is None:
        return None
    first, used = found
    return Beyond(
        source=source,
        place=-ticks_of(name),
        start=1 - first,
        rows=rows - used,
        target=columns.target,
        weights=columns.weights,
        evidence=f"the newest {used:,} are used",
        time=name,
        together=columns.kept_together,
    )


def _place_of_groups(names: Sequence[str], schema: pl.Schema, seed: int) -> pl.Expr:
    """Spread groups over the places; a category goes by its text, for its number may be another in each batch."""
    labels = (pl.Categorical, pl.Enum)
    together = (column(name).cast(pl.String) if schema[name] in labels else column(name) for name in names)
    return pl.struct(together).hash(seed) % PLACES


def _whole_groups(frame: pl.LazyFrame, place: pl.Expr, allowed: int) -> tuple[int, int]:
    """Return below which place groups are taken, and how many rows these have; 0 rows where they are too few groups.

    Rows are counted by part of the places and not by group: there may be more groups than memory has room for.
    """
    width = PLACES // PARTS
    counted = frame.group_by(part=place // width).agg(rows=pl.len()).sort("part").with_columns(pl.col("rows").cum_sum())
    fitting = counted.filter(pl.col("rows") <= allowed).collect(engine="streaming")
    if fitting.height < LEAST_GROUPS:
        return 0, 0
    return (int(fitting["part"][-1]) + 1) * width, int(fitting["rows"][-1])


def _with_target(df: pl.DataFrame, target: str) -> tuple[pl.DataFrame, tuple[Finding, ...]]:
    kept = df.filter(has_target(target, df.schema[target]))
    if not (missing := df.height - kept.height):
        return df, ()
    note = found("target_missing", target, f"has no value in {missing:,} of {df.height:,} rows, which are left out")
    return kept, (note,)


def _among(whole: pl.DataFrame, columns: NamedColumns) -> Surroundings | None:
    """Keep rows without a target where others may look back at them: those that happened at a known time."""
    if columns.time is None:
        return None
    timed = whole.filter(column(columns.time).is_not_null()).sort(column(columns.time), maintain_order=True)
    known = timed.select(has_target(columns.target, timed.schema[columns.target]).alias("")).to_series()
    return Surroundings(timed, np.flatnonzero(known.to_numpy()))


def _check_weights(whole: pl.DataFrame, columns: NamedColumns, *, is_sample: bool) -> None:
    """Raise where a weight of a row with a target is none, naming the row by its place in the source."""
    known = whole.with_row_index(place := unique("row", whole.columns))
    known = known.filter(has_target(columns.target, whole.schema[columns.target]))
    weights_of(known, columns.weights, None if is_sample else known[place].to_numpy())


def _some_weight(weights: NDArray[np.float64] | None, name: str | None) -> NDArray[np.float64] | None:
    if weights is not None and not weights.any():
        raise InputError(f"weights={name!r} is 0 in every row; nothing would count.")
    return weights


def _codes(df: pl.DataFrame, names: Sequence[str]) -> NDArray[np.int64] | None:
    """Number the groups by their order; missing is a group of its own."""
    if not names:
        return None
    groups = df.select(pl.struct(column(name) for name in names).rank("dense").cast(pl.Int64))
    return groups.to_series().to_numpy()


def _moments(df: pl.DataFrame, name: str | None) -> NDArray[Any] | None:
    """Return the time axis as datetime64, or as the integers that it is made of."""
    if name is None:
        return None
    values = df[name]
    check_all_timed(name, values.null_count())
    check_axis(name, values.dtype)
    return values.to_numpy()
