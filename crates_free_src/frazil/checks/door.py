"""The door to the checks: everything that can be said of a table before anything learns from it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from frazil.checks.codes import CODES, found
from frazil.checks.dates import check_dates
from frazil.checks.discriminate import check_discrimination
from frazil.checks.drift import check_drift, check_missing_shares, check_support, measure_drift
from frazil.checks.findings import Findings
from frazil.checks.future import check_later_dates, check_next_values
from frazil.checks.isolated import check_isolation
from frazil.checks.labels import check_labels
from frazil.checks.leakage import check_leakage
from frazil.checks.leaks import check_leaks
from frazil.checks.look import STRINGS, Look, held, profile_of, sampled
from frazil.checks.missing import check_missing
from frazil.checks.moments import check_moments, check_reference_time
from frazil.checks.numbers import check_numbers
from frazil.checks.order import check_order
from frazil.checks.quality import check_columns
from frazil.checks.reference import check_overlap, check_schema
from frazil.checks.resemblance import check_resemblance
from frazil.checks.rows import check_conflicts, check_rows
from frazil.checks.series import read_series
from frazil.checks.spelling import check_spellings
from frazil.checks.strings import check_strings
from frazil.checks.target import check_target
from frazil.errors import InputError, MissingColumnError, SchemaError, SettingError, panics_told
from frazil.roles import infer_roles
from frazil.schema import column, names_in
from frazil.sources import check_string_bytes, open_source, reading
from frazil.task import infer_task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from frazil.checks.findings import Finding
    from frazil.sources import Source
    from frazil.task import Task

MOST_LED = 40  # number columns that are compared with the next target


@panics_told("check")
def check(  # noqa: PLR0913 -- the door
    data: Any,  # noqa: ANN401 -- any source that open_source takes
    target: str | None = None,
    *,
    reference: Any = None,  # noqa: ANN401 -- likewise
    task: str = "auto",
    time: str | None = None,
    entity: str | Sequence[str] | None = None,
    groups: str | None = None,
    weights: str | None = None,
    key: str | Sequence[str] | None = None,
    ignore: Iterable[str] = (),
    examples: bool = False,
) -> Findings:
    """Look at a table before anything learns from it, and say what is wrong or strange.

    All rows are counted in a few streaming passes; what is costly looks at up to 200,000 rows that are spread evenly,
    or at the rows in one part of a hash, and its evidence says so. Memory stays bounded whatever the number of rows.

    Args:
        data: Any table that `fit_auto` takes.
        target: The column to predict; without it what concerns a target is left out.
        reference: A table to compare with, as the one that a model has learned from: same columns, no rows or groups in
            both, no drift.
        task: "auto", "binary", "multiclass" or "regression".
        time: The column that says when a row happened.
        entity: What a row is about, one column or several.
        groups: Rows that share its value belong together.
        weights: How much a row counts.
        key: The column or columns whose values should name one row only.
        ignore: Codes that are not wanted, from `docs/checks.md`.
        examples: Whether findings may show values of the columns.

    Returns: The findings: `text()`, `to_frame()`, `to_json()`, `has_errors`.

    Raises:
        InputError: the data can't be read, or a named column is not there.
        SettingError: a code in `ignore` is none.

    >>> print(check({"city": ["Oslo", "oslo", "Rome"] * 40}, examples=True).of("column_spellings")[0].evidence)
    has 1 of 3 levels that are spellings of others, in 40 of 120 rows
    """
    left_out = _known_codes(ignore)
    named = {"target": target, "time": time, "groups": groups, "weights": weights}
    whose, unique = names_in("entity", entity), names_in("key", key)
    for argument, name in named.items():
        if name is not None and not isinstance(name, str):
            raise SettingError(f"{argument}={name!r}; it takes the name of a column.")
    source = open_source(data)
    names = [name for name in (*named.values(), *whose, *unique) if name is not None]
    _check_named(source, target, names)
    told: list[Finding] = []
    if time is not None and source.frame.collect_schema()[time] in STRINGS:
        told.append(found("time_text", time, "holds strings"))
        time = None
    look = _look(source, target, time=time, entity=whose, groups=groups, weights=weights)
    problem = _task(look, task)
    told += check_columns(look.frame, look.profile, look.schema, named=names)
    told += _of_table(look, unique, () if time is None else (time,))
    if problem is not None:
        told += _of_target(look, problem, () if time is None else (time, *whose))
    if time is not None:
        told += _of_time(look, time, whose, problem)
    if reference is not None:
        told += _of_reference(look, open_source(reference, where="reference"), time, groups, whose)
    source.check_unchanged()
    findings = Findings(told).without(*left_out)
    return findings if examples else findings.without_examples()


def look_at(data: Any, target: str | None = None, *, where: str = "data", **named: Any) -> Look:  # noqa: ANN401
    """Read what the checks need of a table: statistics of all rows and a sample.

    Args:
        data: Any table that `fit_auto` takes.
        target: The column to predict.
        where: What data without a path is called in errors.
        named: Columns for `infer_roles`: time, groups, weights, entity.
    """
    return _look(open_source(data, where=where), target, **named)


def _known_codes(ignore: Iterable[str]) -> tuple[str, ...]:
    given = names_in("ignore", ignore)
    for code in given:
        if code not in CODES:
            raise SettingError.among("ignore", code, CODES)
    return given


def _check_named(source: Source, target: str | None, names: list[str]) -> None:
    with reading(source.name):
        there = source.frame.collect_schema().names()
    if missing := [name for name in dict.fromkeys(names) if name not in there]:
        raise MissingColumnError.among(missing, there, where=source.name)
    if target is not None and len(there) == 1:
        raise SchemaError(f"{source.name} has no column beside the target {target!r}; nothing can predict it.")


def _look(source: Source, target: str | None, **named: Any) -> Look:  # noqa: ANN401 -- as infer_roles takes them
    with reading(source.name):
        rows = int(source.frame.select(pl.len()).collect(engine="streaming").item())
        if not rows:
            raise InputError(f"{source.name} has no rows; there is nothing to look at.")
        frame = held(source.frame)
        sample = sampled(frame, rows)
        check_string_bytes(sample, source.name)
        profile = profile_of(frame, rows, sample)
    schema = infer_roles(profile, target=target, where=source.name, **named)
    return Look(frame, sample, profile, schema, target)


def _task(look: Look, given: str) -> Task | None:
    if look.target is None:
        return None
    return infer_task(look.sample.get_column(look.target), target_name=look.target, given=given)


def _of_table(look: Look, key: tuple[str, ...], ordered_by: tuple[str, ...]) -> Iterator[Finding]:
    yield from check_rows(look, key)
    yield from check_missing(look)
    yield from check_strings(look)
    yield from check_spellings(look)
    yield from check_numbers(look)
    yield from check_isolation(look)
    yield from check_dates(look)
    yield from check_order(look, ordered_by)
    yield from check_resemblance(look)


def _of_target(look: Look, task: Task, axes: tuple[str, ...]) -> Iterator[Finding]:
    """Look at the target and what tells it; the axes of time and entity may tell much of it."""
    yield from check_target(look.frame, look.profile, task)
    others = look.known.keys() - set(axes)
    some, height = look.sample.lazy(), look.sample.height
    yield from check_leakage(some, look.profile, look.schema, task, strong=others, rows=height)
    yield from check_conflicts(look, task)
    codes = task.encode(look.sample.get_column(task.target)).astype(np.float64)
    keep = np.isfinite(codes) if task.is_regression else codes >= 0
    yield from check_labels(codes[keep], task, is_ordered=bool(axes))
    yield from check_leaks(look, codes[keep], keep, task)


def _of_time(look: Look, time: str, entity: tuple[str, ...], task: Task | None) -> Iterator[Finding]:
    names = look.numbers()[:MOST_LED] if task is not None and task.is_regression else []
    series = read_series(look, time, entity, [task.target, *names] if task is not None and names else [])
    yield from check_moments(look, series, time, has_entity=bool(entity))
    yield from check_later_dates(look, time)
    if names:
        yield from check_next_values(series, names)


def _of_reference(
    look: Look, source: Source, time: str | None, groups: str | None, entity: tuple[str, ...]
) -> Iterator[Finding]:
    with reading(source.name):
        dtypes = dict(source.frame.collect_schema())
    ours = dict(look.frame.collect_schema())
    yield from check_schema(ours, dtypes, look.target)
    shared = [column(name) for name in dtypes if name in ours]
    if not shared:
        return
    source = replace(source, frame=source.frame.select(shared))
    kept = {"target": look.target, "time": time, "groups": groups}
    there = {role: name for role, name in kept.items() if name is not None and dtypes.get(name) == ours[name]}
    theirs = _look(source, there.pop("target", None), **there)
    aside = [name for name in (time, groups, *entity) if name is not None]
    yield from check_overlap(look, theirs, groups)
    yield from check_drift(measure_drift(look, theirs, aside), look.target)
    yield from check_missing_shares(look, theirs, aside)
    yield from check_support(look, theirs, aside)
    yield from check_discrimination(look, theirs, _orders(look, aside))
    if time is not None and time in theirs.known:
        yield from check_reference_time(look, theirs, time)


def _orders(look: Look, aside: list[str]) -> list[str]:
    """Return the columns by which anything can be told from anything: ids, numbers of rows, and what only rises."""
    rising = [
        known.name for known in look.profile.columns if known.is_monotone and (known.n_unique or 0) > look.rows / 2
    ]
    return [*aside, *rising]
