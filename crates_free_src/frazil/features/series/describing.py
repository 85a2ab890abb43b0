"""Whole series to features: series of one length together, some thousands of points at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import polars.selectors as cs

from frazil.errors import MissingColumnError, SchemaError, SettingError
from frazil.features.contract import Kind, kind_of
from frazil.features.series.catalogue import features_named
from frazil.features.values import number
from frazil.naming import generated, unique
from frazil.schema import column
from frazil.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from frazil.features.series.catalogue import SeriesFeature

BLOCK = 65_536  # points of a matrix; some of them stay in a processor's cache
KINDS = (Kind.NUMBER, Kind.DURATION, Kind.CLOCK)


def describe_series(
    data: Any,  # noqa: ANN401 -- any source that open_source takes
    columns: str | Sequence[str],
    *,
    entity: str | Sequence[str],
    time: str,
    features: str | Sequence[str] = "efficient",
) -> pl.LazyFrame:
    """Turn a table with one row a point in time into one row a series: numbers that say what it is like.

    Names, settings and values are those of tsfresh, as in `value|quantile_q_0.1`. Missing values, and rows without a
    time, are left out; points of one time follow each other by their values; a feature that a series is too short for
    is null.

    Args:
        data: Any source.
        columns: Number columns, each a series.
        entity: The columns that say whose point it is.
        time: What orders the points of a series.
        features: "minimal" (10 a column), "efficient" (some 330) or "comprehensive" (some 780, with slow ones:
            entropies and matrix profiles in quadratic time, complexity, autoregression, unit roots, Langevin dynamics),
            or names of features, as the columns have them behind the bar.

    Returns: The entities in their order, and the features as Float64.

    Raises:
        MissingColumnError: a column is not there.
        SchemaError: a column is no number.
        SettingError: there is no such set or feature.

    >>> points = pl.LazyFrame({"case": [1, 1, 1, 2, 2], "t": [1, 2, 3, 1, 2], "value": [1.0, 5.0, 3.0, 2.0, 2.0]})
    >>> wanted = ["mean_abs_change", "maximum"]
    >>> describe_series(points, "value", entity="case", time="t", features=wanted).collect().rows()
    [(1, 3.0, 5.0), (2, 0.0, 2.0)]
    """
    frame = data if isinstance(data, pl.LazyFrame) else open_source(data).frame
    names = [columns] if isinstance(columns, str) else list(dict.fromkeys(columns))
    keys = [entity] if isinstance(entity, str) else list(entity)
    chosen, schema = features_named(features), frame.collect_schema()
    if missing := [name for name in [*names, *keys, time] if name not in schema]:
        raise MissingColumnError.among(missing, schema.names(), where="the table of points")
    if wrong := [name for name in names if kind_of(schema[name]) not in KINDS]:
        raise SchemaError(f"column {wrong[0]!r} is {schema[wrong[0]]}; a series is of numbers.")
    made = {generated(name, feature.name): pl.Float64 for name in names for feature in chosen}
    if clash := [name for name in made if name in keys]:
        raise SettingError(f"entity={clash[0]!r} has the name of a feature.")
    return frame.select(cs.by_name(*keys, time, *names)).map_batches(
        lambda df: _described(df, names, keys, time, chosen),
        schema={**{key: schema[key] for key in keys}, **made},
        predicate_pushdown=False,
        projection_pushdown=False,
        slice_pushdown=False,
    )


def _described(
    df: pl.DataFrame, names: list[str], keys: list[str], time: str, chosen: Sequence[SeriesFeature]
) -> pl.DataFrame:
    points = df.filter(column(time).is_not_null()).sort([column(name) for name in [*keys, time, *names]])
    entities = df.select(cs.by_name(*keys)).unique().sort(cs.by_name(*keys))
    made = [entities]
    for name in names:
        value = number(name, kind_of(df.schema[name]))
        kept = points.filter(value.is_finite())
        # Whose it is, by the place in the sorted entities: a join, as keys may be of any type.
        place = unique("place", kept.columns)
        numbered, on = entities.with_row_index(place), [column(key) for key in keys]
        at = kept.join(numbered, on=on, how="left", nulls_equal=True, maintain_order="left")
        places = at.get_column(place).to_numpy().astype(np.int64)
        lengths = np.bincount(places, minlength=entities.height)
        found = describe(kept.select(value.cast(pl.Float64)).to_series().to_numpy(), lengths, chosen)
        made.append(
            pl.DataFrame(
                [
                    pl.Series(generated(name, feature.name), values, nan_to_null=True)
                    for feature, values in zip(chosen, found, strict=True)
                ]
            )
        )
    return pl.concat(made, how="horizontal")


def describe(
    points: NDArray[np.float64], lengths: NDArray[np.int64], chosen: Sequence[SeriesFeature]
) -> list[NDArray[np.float64]]:
    """Compute features of series that lie one behind the other.

    Args:
        points: All values, without missing ones.
        lengths: (series,) how many are of each series.
        chosen: What to compute.

    Returns: One (series,) array a feature, NaN where there is none.
    """
    out = np.full((len(chosen), len(lengths)), np.nan)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    with np.errstate(all="ignore"):
        for rows, size in _alike(lengths):
            X = points[starts[rows][:, None] + np.arange(size)]
            kept: dict[str, Any] = {}
            found = np.stack([feature.compute(X, kept) for feature in chosen]) if chosen else out[:, rows]
            out[:, rows] = np.where(np.isfinite(found), found, np.nan)
    return list(out)


def _alike(lengths: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], int]]:
    """Give series of one length together, in blocks."""
    order = np.argsort(lengths, kind="stable")
    sizes, firsts = np.unique(lengths[order], return_index=True)
    ends = np.append(firsts[1:], len(order))
    for size, first, end in zip(sizes.tolist(), firsts, ends[: len(firsts)], strict=True):
        group = order[first:end]
        if size:
            step = max(1, BLOCK // size)
            yield from ((group[start : start + step], size) for start in range(0, len(group), step))
