"""Every example runs as its reader would run it, with a budget of a few seconds and warnings as errors."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from frazil.cli import OK

EXAMPLES = Path(__file__).parents[1] / "examples"
MOST_BYTES_OF_DATA = 2_000_000


def run(arguments, folder):
    command = [sys.executable, "-W", "error", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_the_example_runs(example, tmp_path):
    done = run([example, "5s"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert "leaked" not in done.stderr  # DuckDB's complaint at the end of a process that read it in the wrong way


def test_the_demo_does_what_its_example_does(tmp_path):
    done = run(["-m", "frazil", "demo", "--budget", "5s"], tmp_path)
    assert done.returncode == OK, done.stderr
    assert {path.name for path in (tmp_path / "demo").iterdir()} == {
        "flights.duckdb",
        "late.frazil",
        "new.parquet",
        "report.html",
        "scored.parquet",
    }
    scored = pl.read_parquet(tmp_path / "demo" / "scored.parquet")
    assert scored.columns[-3:] == ["prediction", "p|false", "p|true"]
    assert scored.height == pl.read_parquet(tmp_path / "demo" / "new.parquet").height


def test_the_data_of_the_examples_is_small_enough_to_be_committed():
    assert sum(path.stat().st_size for path in (EXAMPLES / "data").iterdir()) < MOST_BYTES_OF_DATA


def test_nothing_that_the_demo_learns_from_is_known_only_after_departure():
    flights = pl.read_parquet_schema(EXAMPLES / "data" / "flights.parquet")
    assert set(flights) & {"dep_time", "dep_delay", "arr_time", "air_time"} == set()
