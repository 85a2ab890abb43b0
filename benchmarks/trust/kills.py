"""Kill one run with a store again and again at random moments; it has to end with the bytes of a run left alone.

    python benchmarks/trust/kills.py --kills 10

Both runs have the same budget of trials. Compared are the predictions, and every member of the two saved models but
those that hold times. Linux and macOS only: SIGKILL.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

FIT = """
import sys, frazil as fz
data, store, out = sys.argv[1:4]
m = fz.fit_auto(data, "y", budget=fz.Budget(trials=int(sys.argv[4])), store=store, threads=1, progress=False)
m.predict(data).write_parquet(out + ".parquet")
m.save(out + ".frazil")
"""
TIMED = {"manifest.json", "story.json", "leaderboard.parquet", "history.parquet", "run.json"}
STALE_SECONDS = 60.0  # a run that lasts longer than this is left to end


def main() -> None:
    """Run once undisturbed, once killed many times, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--rows", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        table(asked.rows).write_parquet(home / "data.parquet")
        began = time.monotonic()
        ended(started(home, "whole", asked.trials))
        seconds = time.monotonic() - began
        kept = killed(home, asked, seconds)
        ended(started(home, "cut", asked.trials))
        same = pl.read_parquet(home / "cut.parquet").equals(pl.read_parquet(home / "whole.parquet"))
        differ = sorted(differing(home / "whole.frazil", home / "cut.frazil"))
    print(f"undisturbed {seconds:.1f} s; records in the journal at each kill: {kept}")
    print(json.dumps({"kills": len(kept), "predictions_equal": same, "members_that_differ": differ}))
    sys.exit(0 if same and not differ else 1)


def table(rows: int) -> pl.DataFrame:
    """Make numbers, a category, and a target of both."""
    draw = np.random.default_rng(0)
    df = pl.DataFrame({"a": draw.normal(size=rows), "b": draw.normal(size=rows), "c": draw.integers(0, 9, rows)})
    noise = pl.Series(draw.normal(size=rows))
    return df.with_columns(pl.format("c{}", "c").alias("c"), y=pl.col("a") * pl.col("b") + pl.col("c") % 3 + noise)


def started(home: Path, name: str, trials: int) -> subprocess.Popen[bytes]:
    """Begin the run, or go on with it."""
    arguments = [home / "data.parquet", home / name / "store", home / name, trials]
    (home / name).mkdir(exist_ok=True)
    return subprocess.Popen([sys.executable, "-c", FIT, *map(str, arguments)])


def ended(process: subprocess.Popen[bytes]) -> None:
    """Wait for its good end."""
    if process.wait():
        raise SystemExit(f"the run ended with {process.returncode}")


def killed(home: Path, asked: argparse.Namespace, seconds: float) -> list[int]:
    """Kill it so many times, each at a random moment; return how many lines its journal had each time."""
    draw, kept = random.Random(asked.seed), []  # noqa: S311 -- no secret
    journal = home / "cut" / "store" / "journal.log"
    for _ in range(asked.kills):
        process = started(home, "cut", asked.trials)
        # From the start of Python on; late enough that most runs finish something.
        time.sleep(draw.uniform(0.2, 0.6 * min(seconds, STALE_SECONDS)))
        process.kill()
        process.wait()
        kept.append(journal.read_bytes().count(b"\n") if journal.exists() else 0)
    return kept


def differing(one: Path, other: Path) -> set[str]:
    """Return the members of two models that differ, but for those that hold times."""
    from frazil.container import read_bundle

    both = [dict(read_bundle(path).members) for path in (one, other)]
    names = set(both[0]) | set(both[1])
    return {name for name in names if both[0].get(name) != both[1].get(name)} - TIMED


if __name__ == "__main__":
    main()
