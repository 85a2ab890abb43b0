"""The feature engine on its own: learn from one table, apply to another, see where every feature comes from.

Run it with `python examples/recipe_alone.py [BUDGET]`.
"""

import sys
from pathlib import Path

import polars as pl

import frazil as fz

FLIGHTS = Path(__file__).with_name("data") / "flights.parquet"


def main(budget: str = "20s") -> None:
    """Fit a recipe on June, apply it to July; then let a model use the same recipe inside its folds."""
    flights = pl.scan_parquet(FLIGHTS).with_columns(late=pl.col("arr_delay") > 15).drop("arr_delay")
    june = flights.filter(pl.col("scheduled_at").dt.month() == 6)
    july = flights.filter(pl.col("scheduled_at").dt.month() == 7)

    recipe = fz.Recipe(fz.keep_numbers("distance"), fz.encode_count("tailnum"), fz.encode_ordinal("carrier"))
    fitted = recipe.fit(june)
    features = fitted.apply(july)  # a LazyFrame: nothing has been computed yet
    print(features.select(feature.name for feature in fitted.features).describe())
    print(fitted.to_frame().select("feature", "sources", "operation", "description"))

    # What reads the target needs care: `fit_auto` fits it inside each training fold, out of fold.
    with_target = recipe | fz.Recipe(fz.encode_target("dest"), fz.encode_target("tailnum"))
    model = fz.fit_auto(june, target="late", time="scheduled_at", features=with_target, budget=budget)
    print(model.evaluate(july))
    print(model.importance())


if __name__ == "__main__":
    main(*sys.argv[1:])
