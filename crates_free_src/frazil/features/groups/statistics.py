"""Statistics of the training rows that share a key: what they are called, and how a scan learns them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.features.categories.levels import KINDS as KEY_KINDS
from frazil.features.categories.levels import Levels, level
from frazil.features.contract import Kind, kind_of, names_of
from frazil.features.numbers.reading import finite, offset_of
from frazil.features.plain import rounded
from frazil.schema import column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.features.contract import Builder, Columns, Learned, Queries, Training

NUMBERS = (Kind.NUMBER, Kind.DURATION, Kind.CLOCK)
# Of the values as numbers, and of how often each value occurs: the latter can be had of text too.
OF_NUMBERS = ("mean", "std", "min", "max", "median")
WITH_OFFSET = ("mean", "min", "max", "median")  # what moves with it
OF_VALUES = ("count", "n_unique", "mode_share", "entropy")
STATISTICS = (*OF_NUMBERS, *OF_VALUES)
OVERALL, NULL = "overall", "null"
UNSEEN = (OVERALL, NULL)

By = str | Sequence[str]


def check_choice(setting: str, got: Sequence[str], allowed: Sequence[str]) -> None:
    """Raise SettingError where nothing, or something unknown, is asked for."""
    strange = [name for name in got if name not in allowed]
    if not got or strange:
        shown = repr(strange[0]) if strange else repr(got)
        raise SettingError(f"{setting} has {shown}; it takes a list of {', '.join(allowed)}.")


def check_unseen(unseen: str) -> None:
    """Raise SettingError where it is not said what unseen groups get."""
    if unseen not in UNSEEN:
        raise SettingError(f"unseen={unseen!r}; it takes one of {', '.join(UNSEEN)}.")


def keys(builder: Builder, by: By, train: Training) -> tuple[str, ...]:
    """Return the columns of the key.

    Raises: SettingError: there is none.
    """
    names = train.columns(names_of(by, "by="), KEY_KINDS, builder)
    if not names:
        raise SettingError(f"by={by!r}; it takes the column of the groups, or several.")
    return tuple(names)


def described_columns(builder: Builder, columns: Columns, statistics: Sequence[str], train: Training) -> list[str]:
    """Return the columns that the statistics can be had of."""
    kinds = NUMBERS if set(statistics) & set(OF_NUMBERS) else (*NUMBERS, Kind.TEXT)
    return train.columns(columns, kinds, builder)


def value_of(name: str, train: Training) -> pl.Expr:
    """Read a column's values: text as it is, all else as finite Float64."""
    kind = kind_of(train.schema[name])
    if kind is Kind.TEXT:
        return column(name).cast(pl.String)
    return finite(name, kind)


def centred(name: str, train: Training) -> pl.Expr:
    """Read a column's values, of numbers less their offset."""
    value = value_of(name, train)
    return value if kind_of(train.schema[name]) is Kind.TEXT else value - offset_of(value)


def ask_statistics(train: Training, names: Sequence[str], by: tuple[str, ...], statistics: Sequence[str]) -> Queries:
    """Ask for statistics of columns by group, and over all rows.

    Args:
        train: The training table.
        names: The columns.
        by: The columns of the key.
        statistics: Of `STATISTICS`.

    Returns: For `read_statistics`.
    """
    statistics = list(dict.fromkeys(statistics))
    plain = [statistic for statistic in statistics if statistic not in ("mode_share", "entropy")]
    spread = [statistic for statistic in statistics if statistic not in plain]
    queries: Queries = {"groups": train.frame.select(level=level(by)).group_by("level").agg(rows=pl.len())}
    numbers = [(at, name) for at, name in enumerate(names) if kind_of(train.schema[name]) is not Kind.TEXT]
    queries |= {f"offset {at}": offset_of(value_of(name, train)) for at, name in numbers}
    # A key that all rows share gives the statistics of all rows.
    for of, key in (("group", level(by)), (OVERALL, pl.lit("", pl.String))):
        values = {str(at): centred(name, train) for at, name in enumerate(names)}
        rows = train.frame.select(**values, level=key)
        aggregates = [_STATISTIC[name](column(at)).alias(f"{name} {at}") for at in values for name in plain]
        queries[f"{of} plain"] = rows.group_by("level").agg(*aggregates, rows=pl.len())
        for at in values if spread else ():
            queries[f"{of} spread {at}"] = _frequencies(rows.select("level", at), at, spread)
    return queries


def _frequencies(rows: pl.LazyFrame, at: str, statistics: Sequence[str]) -> pl.LazyFrame:
    each = rows.filter(column(at).is_not_null()).group_by("level", at).agg(n=pl.len().cast(pl.Float64))
    n, total = pl.col("n"), pl.col("n").sum()
    found = {"mode_share": n.max() / total, "entropy": (total.log() - (n * n.log()).sum() / total).clip(0.0)}
    return each.group_by("level").agg(found[name].alias(f"{name} {at}") for name in statistics)


def _n_unique(value: pl.Expr) -> pl.Expr:
    return value.n_unique().cast(pl.Int64) - (value.null_count() > 0).cast(pl.Int64)


_STATISTIC = {
    "mean": pl.Expr.mean,
    "std": pl.Expr.std,
    "min": pl.Expr.min,
    "max": pl.Expr.max,
    "median": pl.Expr.median,
    "count": pl.Expr.count,
    "n_unique": _n_unique,
}


def read_statistics(
    learned: Learned, names: Sequence[str], by: tuple[str, ...], statistics: Sequence[str], unseen: str
) -> tuple[Levels, dict[tuple[str, str], pl.Series]]:
    """Lay learned statistics out by group.

    Args:
        learned: As asked for.
        names: The columns.
        by: The columns of the key.
        statistics: Of `STATISTICS`.
        unseen: What groups get that were not in training: what all rows have, or null.

    Returns: The groups, and (places,) Float64 for each column and statistic, of the numbers less their offset; null
        where there is none.
    """
    levels = Levels.by_frequency(by, learned["groups"])
    places = levels.positions(learned["groups"].get_column("level")).to_numpy()
    absent = np.ones(levels.places, bool)
    absent[places] = False
    found: dict[tuple[str, str], pl.Series] = {}
    for at, name in enumerate(names):
        for statistic in statistics:
            table = "plain" if f"{statistic} {at}" in learned["group plain"].columns else f"spread {at}"
            own, all_rows = learned[f"group {table}"], learned[f"{OVERALL} {table}"]
            column_name = f"{statistic} {at}"
            values = np.full(levels.places, np.nan)
            values[levels.positions(own.get_column("level")).to_numpy()] = _floats(own.get_column(column_name))
            if unseen == OVERALL and all_rows.height:
                values[absent] = _floats(all_rows.get_column(column_name))[0]
            found[name, statistic] = known_numbers(values)
    return levels, found


def known_numbers(values: NDArray[np.float64]) -> pl.Series:
    """Round what was learned; null where it is not finite."""
    known = pl.Series(rounded(values))
    return known.set(~known.is_finite(), None)


def _floats(values: pl.Series) -> NDArray[np.float64]:
    return values.cast(pl.Float64).to_numpy()
