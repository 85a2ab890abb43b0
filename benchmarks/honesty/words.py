"""What frazil says of a table in words, the leaderboard behind them, and what the saying costs.

    python benchmarks/honesty/words.py airfoil.parquet --target sound_pressure --trials 7
    python benchmarks/honesty/words.py phoneme.parquet --target class --shuffle --seconds 60

With `--shuffle` the target is put in another order first, so that nothing tells of it. Printed are the story, the
leaderboard, and, as a share of `--seconds` or of what the run took, the seconds after the search: the mix, the tests,
bootstrap, calibration and the assembling of the model.
"""

import argparse
import json

import polars as pl

import frazil as fz

AFTER = "combining and testing what was found"
SHOWN = ("rank", "candidate", "score", "ci_low", "ci_high", "vs_baseline", "p_vs_baseline", "p_vs_best")
SHOWN += ("prob_better", "prob_worse")


def main() -> None:
    """Fit, and print what is said."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", help="a Parquet file")
    parser.add_argument("--target", required=True)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--trials", type=int, help="10 where no seconds are given either")
    parser.add_argument("--shuffle", action="store_true", help="the target, so that the table is noise")
    asked = parser.parse_args()
    trials = 10 if asked.trials is None and asked.seconds is None else asked.trials
    df = pl.read_parquet(asked.data)
    if asked.shuffle:
        df = df.with_columns(pl.col(asked.target).shuffle(seed=0))
    model = fz.fit_auto(df, asked.target, budget=fz.Budget(asked.seconds, trials), threads=1, progress=False)
    print(model)
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=160, tbl_hide_dataframe_shape=True, float_precision=4):
        print(model.leaderboard.select(SHOWN))
    after = model.run.measured["stages"][AFTER]
    whole = asked.seconds or model.story.seconds
    print(json.dumps({"seconds_after": round(after, 2), "of": round(whole, 1), "share": round(after / whole, 3)}))


if __name__ == "__main__":
    main()
