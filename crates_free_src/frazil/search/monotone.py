"""Predictions that only rise or only fall with a column: what may be asked for, and who is not tried then."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from frazil.errors import MissingColumnError, SchemaError, SettingError, listed
from frazil.models import family_of, names_of
from frazil.models.monotone import holds_monotone
from frazil.search.portfolio import read_portfolio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from frazil.matrix import MatrixColumn
    from frazil.search.proposing import Search
    from frazil.search.table import Table
    from frazil.task import Task


def constrained(table: Table, monotone: Mapping[str, int], target: str, where: str) -> Table:
    """Return the table with what is asked of its columns.

    Args:
        table: The rows.
        monotone: 1 or -1 by column.
        target: What is predicted.
        where: What the table is called.

    Raises:
        MissingColumnError: a column is not there.
        SchemaError: it holds no numbers.
        SettingError: it is the target, or there are more than two classes, whose probabilities can't all rise.
    """
    if not monotone:
        return table
    if table.task.n_classes > 2:
        raise SettingError(
            f"monotone={dict(monotone)!r} asks for predictions that rise or fall, and {target!r} has "
            f"{table.task.n_classes} classes, of which one's probability falls where another's rises; "
            "it takes two classes or numbers."
        )
    schema = table.df.schema
    if missing := [name for name in monotone if name not in schema]:
        raise MissingColumnError.among(missing, schema, where=where)
    for name in monotone:
        if name == target:
            raise SettingError(f"monotone names {name!r}, which is the target itself; name columns that predict it.")
        if not schema[name].is_numeric():
            raise SchemaError(f"monotone names {name!r}, which is {schema[name]}; it takes columns of numbers.")
    return replace(table, monotone={name: int(sign) for name, sign in monotone.items()})


def check_holding(learners: Sequence[str] | None, search: Search, task: Task, metric: str) -> None:
    """Raise SettingError where a learner that is asked for can't be held to what is asked of columns."""
    able = [entry.learner for entry in read_portfolio() if holds_monotone(entry.learner, task, metric)]
    names = sorted(set().union(*(names_of(learner) for learner in able)))
    unable = [name for name in learners or () if name not in names]
    unable += [family_of(each) for each in search.combinations() if not holds_monotone(each, task, metric)]
    if unable:
        raise SettingError(
            f"monotone= can't be held by {listed(dict.fromkeys(unable), 'and')} with metric={metric!r}; "
            f"those that can are {listed(names, 'and')}."
        )


def left_out(columns: Sequence[MatrixColumn], task: Task, metric: str) -> list[str]:
    """Return the families of the portfolio that are not tried because they can't hold to what is asked of columns."""
    if not any(column.monotone for column in columns):
        return []
    learners = [
        entry.learner for entry in read_portfolio() if not entry.on_demand and (task.is_regression or not entry.skewed)
    ]
    return sorted({family_of(each) for each in learners if not holds_monotone(each, task, metric)})
