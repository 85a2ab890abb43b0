"""From a Parquet file to a scored Parquet file, in six lines that matter.

Run it with `python examples/parquet_to_scored_file.py [BUDGET]`. Which planes have more than 100 seats?
"""

import sys
from pathlib import Path

import polars as pl

import frazil as fz

PLANES = Path(__file__).with_name("data") / "planes.parquet"


def main(budget: str = "20s", folder: str = "scored") -> None:
    """Learn from some planes, and score the others in bounded memory."""
    out = Path(folder)
    out.mkdir(exist_ok=True)
    split_file(PLANES, out / "train.parquet", out / "new.parquet")

    model = fz.fit_auto(out / "train.parquet", target="large", budget=budget)
    model.save(out / "large.frazil")
    rows = model.sink_predictions(out / "new.parquet", out / "scored.parquet", keep=["tailnum", "large"])
    print(model)
    print(model.evaluate(out / "new.parquet"))
    print(f"{rows} planes are scored in {out / 'scored.parquet'}.")


def split_file(planes: Path, train: Path, new: Path) -> None:
    """Write every fourth plane to one file and the rest to another; `seats` would tell the answer."""
    frame = pl.scan_parquet(planes).with_columns(large=pl.col("seats") > 100).drop("seats", "model").with_row_index()
    frame.filter(pl.col("index") % 4 != 0).drop("index").sink_parquet(train)
    frame.filter(pl.col("index") % 4 == 0).drop("index").sink_parquet(new)


if __name__ == "__main__":
    main(*sys.argv[1:])
