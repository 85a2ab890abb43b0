"""Tell a fit to end with SIGTERM at random moments, and say how many seconds it takes to save the best and end.

    python benchmarks/trust/stop.py --runs 6

Each is `frazil fit` with a budget of ten minutes on a table of `--rows` rows, told to end seconds after its baseline
was finished; it has to end with 0 and leave a model that can be loaded. Linux and macOS only.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

import frazil as fz


def main() -> None:
    """Run them one after the other, and print the seconds of each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=6)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--latest", type=float, default=20.0, help="seconds after the baseline")
    asked = parser.parse_args()
    draw = random.Random(0)  # noqa: S311 -- no secret
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        table(asked.rows).write_parquet(home / "data.parquet")
        told = [stopped(home, draw.uniform(0, asked.latest)) for _ in range(asked.runs)]
    print(json.dumps({"rows": asked.rows, "runs": told, "most_seconds": max(each["seconds"] for each in told)}))


def table(rows: int) -> pl.DataFrame:
    """Make numbers, a category, and a target of both."""
    draw = np.random.default_rng(0)
    df = pl.DataFrame(draw.normal(size=(rows, 12)), schema=[f"x{at}" for at in range(12)])
    noise = pl.Series(draw.normal(size=rows))
    return df.with_columns(
        pl.Series("c", draw.integers(0, 300, rows)).cast(pl.String), y=pl.col("x0") * pl.col("x1") + noise
    )


def stopped(home: Path, after: float) -> dict[str, float]:
    """Start a fit, tell it to end so many seconds after its baseline, and measure how long that takes."""
    out = home / "m.frazil"
    out.unlink(missing_ok=True)
    command = ["fit", str(home / "data.parquet"), "--target", "y", "--out", str(out), "--budget", "10m"]
    process = subprocess.Popen(
        [sys.executable, "-m", "frazil", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    for line in process.stderr:
        if "baseline" in line:
            break
    time.sleep(after)
    began = time.monotonic()
    os.kill(process.pid, signal.SIGTERM)
    process.communicate()
    seconds = time.monotonic() - began
    if process.returncode:
        raise SystemExit(f"the fit ended with {process.returncode}")
    tried = fz.load(out).leaderboard.height - 1
    return {"after": round(after, 1), "seconds": round(seconds, 2), "candidates": tried}


if __name__ == "__main__":
    main()
