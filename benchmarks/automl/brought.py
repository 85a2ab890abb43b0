"""What features of time, text and other tables bring: `fit_auto` without them and with them, on rows not seen.

    python benchmarks/automl/brought.py --data DIR --budget 60

In time the last 15 % of the timestamps are the test, elsewhere every fourth row, chosen by the seed. Without: the row's
own columns, and text as a category. With: what `fz.suggest` makes of entities and a horizon or of text, and
`fz.synthesize` of other tables, as they were known by the row's time.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import polars.selectors as cs

import frazil as fz

TIME_TEST, TEXT_TEST = 0.15, 0.25  # of the timestamps, and of the rows


@dataclass(frozen=True)
class Job:
    """A table, and what is known of it.

    Args:
        target: What is predicted.
        file: Of the table, in the folder of the data.
        time: When a row happened.
        entity: What a row is about.
        horizon: When the target is known.
        drop: Columns that tell the target, or are known after it.
        tables: The file of every other table by its name.
        relationships: As `fz.synthesize` takes them; the job's own table is "rows".
        at: When rows of other tables happened.
        windows: How far back aggregates of them go.
    """

    target: str
    file: str
    time: str | None = None
    entity: Sequence[str] = ()
    horizon: str | None = None
    drop: Sequence[str] = ()
    tables: dict[str, str] = field(default_factory=dict)
    relationships: Sequence[tuple[str, str, str, str]] = ()
    at: dict[str, str] = field(default_factory=dict)
    windows: Sequence[str | None] | None = None


JOBS = {
    "walmart_sales": Job("Weekly_Sales", "walmart_sales.parquet", "Date", ["Store", "Dept"], "7d"),
    "tourism_au": Job("Trips", "tourism_au.parquet", "Quarter", ["Region", "State", "Purpose"], "90d"),
    "aus_retail": Job("Turnover", "aus_retail.parquet", "Month", ["State", "Industry"], "28d", ["Series ID"]),
    "pedestrian_melbourne": Job("Count", "pedestrian_melbourne.parquet", "Date_Time", ["Sensor"], "1h"),
    "weather_aus": Job("RainTomorrow", "weather_aus.parquet", "Date", ["Location"], "2d", ["RISK_MM"]),
    "fake_news_liar": Job("Fake", "fake_news_liar.parquet"),
    "financial_news": Job("sentiment", "financial_news.parquet"),
    "airline_tweets": Job(
        "airline_sentiment", "airline_tweets.parquet", drop=["negativereason", "negativereason_confidence"]
    ),
    "womens_clothing_reviews": Job("Recommended IND", "womens_clothing_reviews.parquet", drop=["Rating"]),
    "online_retail": Job(
        "buys_again",
        "online_retail/task.parquet",
        "cutoff",
        drop=["future_spend"],
        tables={"lines": "online_retail/transactions.parquet"},
        relationships=[("lines", "CustomerID", "rows", "CustomerID")],
        at={"lines": "InvoiceDate"},
        windows=(None, "90d"),
    ),
    "completejourney": Job(
        "redeemed",
        "completejourney/task.parquet",
        "cutoff",
        tables={
            "bought": "completejourney/transactions_sample.parquet",
            "redeemed": "completejourney/coupon_redemptions.parquet",
            "household": "completejourney/demographics.parquet",
            "campaign": "completejourney/campaign_descriptions.parquet",
        },
        relationships=[
            ("bought", "household_id", "rows", "household_id"),
            ("redeemed", "household_id", "rows", "household_id"),
            ("rows", "household_id", "household", "household_id"),
            ("rows", "campaign_id", "campaign", "campaign_id"),
        ],
        at={"bought": "transaction_timestamp", "redeemed": "redemption_date"},
        windows=(None, "90d"),
    ),
    "lahman_baseball": Job(
        "salary",
        "lahman_baseball/Salaries.parquet",
        "yearID",
        tables={
            "batting": "lahman_baseball/Batting.parquet",
            "pitching": "lahman_baseball/Pitching.parquet",
            "awards": "lahman_baseball/AwardsPlayers.parquet",
            "stars": "lahman_baseball/AllstarFull.parquet",
        },
        relationships=[(name, "playerID", "rows", "playerID") for name in ("batting", "pitching", "awards", "stars")],
        at=dict.fromkeys(("batting", "pitching", "awards", "stars"), "yearID"),
        windows=(None, "3i"),
    ),
    "berka_no_trans": Job(
        "bad",
        "berka_no_trans/loan.parquet",
        "date",
        drop=["status", "loan_id"],
        tables={
            "account": "berka_no_trans/account.parquet",
            "orders": "berka_no_trans/order.parquet",
            "holders": "berka_no_trans/disp.parquet",
            "district": "berka_no_trans/district.parquet",
        },
        relationships=[
            ("rows", "account_id", "account", "account_id"),
            ("orders", "account_id", "account", "account_id"),
            ("holders", "account_id", "account", "account_id"),
            ("account", "district_id", "district", "A1"),
        ],
    ),
}


def main() -> None:
    """Run the jobs, each without and with its features."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--jobs", default=",".join(JOBS), help="names, by commas")
    parser.add_argument("--budget", type=int, default=60, help="seconds of each fit")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    print(f"{'set':<24} {'metric':>9} {'without':>10} {'with':>10}  features")
    for name in asked.jobs.split(","):
        print(json.dumps(compared(name, JOBS[name], asked)), flush=True)


def compared(name: str, job: Job, asked: argparse.Namespace) -> dict[str, Any]:
    """Fit both ways on the same rows, and score both on the same others."""
    df = opened(asked.data / job.file).collect().drop_nulls(job.target)
    df = df.drop([column for column in job.drop if column in df.columns])
    train, test = parted(df, job, asked.seed)
    found: dict[str, Any] = {"set": name, "rows": train.height, "tested": test.height}
    for way, settings in (("without", without), ("with", with_features)):
        given = settings(train, job, asked.data)
        model = fz.fit_auto(
            train,
            job.target,
            **given,
            budget=asked.budget,
            threads=asked.threads,
            seed=asked.seed,
            progress=False,
        )
        history = train if given.get("entity") else None
        score = model.evaluate(test, history=history).row(0, named=True)
        found |= {"metric": score["metric"], way: score["score"], f"features_{way}": model.importance().height}
    print(f"{name:<24} {found['metric']:>9} {found['without']:>10.4f} {found['with']:>10.4f}", flush=True)
    return found


def opened(file: Path) -> pl.LazyFrame:
    """Read a table whose dates are datetimes, as some of the other tables have them."""
    return pl.scan_parquet(file).with_columns(cs.date().cast(pl.Datetime("us")))


def parted(df: pl.DataFrame, job: Job, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Cut off the last timestamps; where there is no time, or one alone, random rows."""
    if job.time is not None and df.get_column(job.time).n_unique() > 1:
        cut = df.get_column(job.time).sort()[round(df.height * (1 - TIME_TEST))]
        return df.filter(pl.col(job.time) < cut), df.filter(pl.col(job.time) >= cut)
    is_test = np.random.default_rng(seed).random(df.height) < TEXT_TEST
    return df.filter(~is_test), df.filter(is_test)


def without(train: pl.DataFrame, job: Job, _: Path) -> dict[str, Any]:
    """Say what `fit_auto` is given where a row's own columns have to do."""
    if job.time is not None:
        return in_time(train, job)
    strings = [name for name, dtype in train.drop(job.target).schema.items() if dtype == pl.String]
    return {"features": fz.Recipe(fz.keep_numbers(fz.numbers()), fz.encode_ordinal(strings), fz.encode_count(strings))}


def with_features(train: pl.DataFrame, job: Job, data: Path) -> dict[str, Any]:
    """Say what `fit_auto` is given where the engine makes features."""
    if job.time is None:
        return {"features": "auto"}
    axis = in_time(train, job)
    if not job.tables:
        return {"time": fz.Forward(job.time, horizon=job.horizon), "entity": list(job.entity)}
    others = fz.synthesize(
        {table: opened(data / file) for table, file in job.tables.items()},
        job.relationships,
        at=job.at,
        window=job.windows,
    )
    own = fz.suggest(train, job.target, **axis)
    return {**axis, "features": own.recipe | fz.Recipe(others, time=job.time)}


def in_time(train: pl.DataFrame, job: Job) -> dict[str, Any]:
    """Let folds go forward where there is more than one timestamp."""
    return {"time": job.time} if train.get_column(str(job.time)).n_unique() > 1 else {}


if __name__ == "__main__":
    main()
