"""Will the flight be late? Other tables know: the weather as observed, and earlier flights as far as they had landed.

Run it with `python examples/panel_and_other_tables.py [BUDGET]`.
"""

import sys
from pathlib import Path

import polars as pl

import frazil as fz

DATA = Path(__file__).with_name("data")


EARLIER = (("tailnum", "1d", "plane"), ("carrier", "6h", "airline"), ("origin", "3h", "airport"))


def main(budget: str = "30s") -> None:
    """Train twice on June, with the flights alone and with what other tables knew by then; compare on July."""
    flights = pl.read_parquet(DATA / "flights.parquet").drop_nulls("arr_delay")
    weather = pl.scan_parquet(DATA / "weather.parquet")

    # A flight's delay happens at its schedule, but is known when it has landed: about so many minutes later.
    minutes_in_the_air = pl.col("distance") / 7 + 30
    landed = flights.with_columns(
        landed_at=pl.col("scheduled_at") + pl.duration(minutes=minutes_in_the_air + pl.max_horizontal("arr_delay", 0))
    )

    alone = fz.Recipe(
        fz.keep_numbers("distance"),
        fz.encode_ordinal(["carrier", "origin", "dest"]),
        fz.encode_target("dest"),
        fz.date_parts("scheduled_at"),
        time="scheduled_at",
    )
    others = fz.Recipe(
        # The latest observation at the airport before the departure; none that is older than three hours.
        fz.latest(weather, on="origin", at="observed_at", max_age="3h", name="weather"),
        # What the same plane, and the same airline at the same time, did of late: only flights that had landed count.
        *(
            fz.aggregate(
                landed.lazy(),
                on=key,
                at="scheduled_at",
                available_at="landed_at",
                window=window,
                columns=["arr_delay"],
                statistics=["count", "mean", "max"],
                name=name,
            )
            for key, window, name in (
                ("tailnum", "1d", "plane"),
                ("carrier", "6h", "airline"),
                ("origin", "3h", "airport"),
            )
        ),
        time="scheduled_at",
    )
    rows = flights.with_columns(late=pl.col("arr_delay") > 15).drop("arr_delay")
    june, july = (rows.filter(pl.col("scheduled_at").dt.month() == month) for month in (6, 7))

    fitted = others.fit(june)
    print(fitted.to_frame().select("feature", "reads", "reach", "description"))
    print("It reads back as far as", fitted.reach())
    for name, recipe in {"the flights alone": alone, "with the other tables": alone | others}.items():
        model = fz.fit_auto(june, target="late", features=recipe, budget=budget, progress=False)
        auc = model.evaluate(july).row(0, named=True)
        print(
            f"{name}: ROC AUC {auc['score']:.3f} [{auc['ci_low']:.3f}, {auc['ci_high']:.3f}] on {auc['rows']} flights"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
