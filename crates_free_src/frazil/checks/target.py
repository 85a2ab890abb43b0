"""What makes a target hard to learn: missing values, classes too rare, numbers too far out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from frazil.checks.codes import found
from frazil.errors import listed
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from frazil.checks.findings import Finding
    from frazil.profile import Profile
    from frazil.task import Task

RARE_ROWS = 10  # a class with fewer rows is in some folds not at all
IMBALANCED_SHARE = 0.1  # below it accuracy says little; skore's check 005 draws the line there too
FAR_OUT = 10.0  # interquartile ranges from the nearer quartile; 3 is called extreme for near-normal data (Tukey, 1977)


def check_target(frame: pl.LazyFrame, profile: Profile, task: Task) -> Iterator[Finding]:
    """Look at the target's missing values, and at its classes or its range."""
    known = profile[task.target]
    if missing := known.nulls + known.nans:
        yield found("target_missing", task.target, f"has no value in {missing:,} of {profile.rows:,} rows")
    values = frame.select(target=column(task.target)).drop_nulls()
    yield from _numbers(values, task) if task.is_regression else _classes(values, task)


def _classes(values: pl.LazyFrame, task: Task) -> Iterator[Finding]:
    counts = values.group_by("target").len().sort("len", "target").collect()
    if counts.height < 2:
        shown = ", ".join(map(repr, counts["target"]))
        yield found("target_one_class", task.target, "is the same in every row that has a value", shown)
        return
    rare = counts.filter(pl.col("len") < RARE_ROWS)
    if rare.height:
        names = listed(rare["target"].to_list(), "and", most=5)
        noun = "class" if rare.height == 1 else "classes"
        yield found(
            "target_rare_class", task.target, f"has {rare.height} {noun} with fewer than {RARE_ROWS} rows", names
        )
    share = counts["len"][0] / counts["len"].sum()
    if counts.height == 2 and share < IMBALANCED_SHARE:
        rarest = counts["target"][0]
        yield found("target_imbalanced", task.target, f"is of the rarer class in {share:.2%} of the rows", repr(rarest))


def _numbers(values: pl.LazyFrame, task: Task) -> Iterator[Finding]:
    number = pl.col("target").cast(pl.Float64, strict=False)
    number = pl.when(number.is_finite()).then(number)
    q = {name: number.quantile(at) for name, at in (("low", 0.25), ("high", 0.75))}
    spread = q["high"] - q["low"]
    far = (number < q["low"] - FAR_OUT * spread) | (number > q["high"] + FAR_OUT * spread)
    row = (
        values.select(least=number.min(), most=number.max(), rows=number.count(), far=far.sum(), spread=spread)
        .collect()
        .row(0, named=True)
    )
    if row["rows"] and row["least"] == row["most"]:
        yield found("target_constant", task.target, "is the same in every row", f"{row['least']:g}")
    elif row["far"] and row["spread"] > 0:
        evidence = f"lies more than {FAR_OUT:g} interquartile ranges out in {row['far']:,} of {row['rows']:,} rows"
        yield found("target_outliers", task.target, evidence, f"from {row['least']:g} to {row['most']:g}")
