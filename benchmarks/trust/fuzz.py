"""Damage files of every format at random, and read them: nothing but a table or an error of ours may come of it.

    python benchmarks/trust/fuzz.py --cases 2000

Each case is read by `fz.check` in a process that is kept for the next; one that dies or hangs is counted, its file is
kept in `--keep`, and another takes its place.
"""

import argparse
import collections
import json
import random
import selectors
import shutil
import subprocess
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

import polars as pl

SECONDS = 60  # a reader that takes longer hangs
READER = """
import sys, warnings
import frazil as fz
warnings.simplefilter("ignore")
for line in sys.stdin:
    try:
        fz.check(line.strip(), "y")
        print("a table", flush=True)
    except fz.FrazilError as error:
        print(type(error).__name__, flush=True)
    except BaseException as error:
        words = " ".join(str(error).split())[:200]
        print(f"FOREIGN {type(error).__module__}.{type(error).__name__}: {words}", flush=True)
"""


def main() -> None:
    """Write sound files, damage copies of them, and count what comes of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="a folder for files that ended or hung a process")
    asked = parser.parse_args()
    draw, told = random.Random(asked.seed), collections.defaultdict(collections.Counter)  # noqa: S311 -- no secret
    with tempfile.TemporaryDirectory() as folder:
        sound = written(Path(folder))
        reader = Reader()
        for case in range(asked.cases):
            path = sound[case % len(sound)]
            spoiled = path.with_name(f"spoiled{''.join(path.suffixes)}")
            spoiled.write_bytes(damaged(path.read_bytes(), draw))
            outcome = reader.read(spoiled)
            told[path.name][outcome] += 1
            if not outcome.endswith("Error") and outcome != "a table":
                print(f"case {case}, {path.name}: {outcome}", flush=True)
                if asked.keep:
                    asked.keep.mkdir(exist_ok=True)
                    shutil.copy(spoiled, asked.keep / f"{case}-{path.name}")
        reader.end()
    print(json.dumps({"cases": asked.cases, "seed": asked.seed, **told}, indent=1))


def written(folder: Path) -> list[Path]:
    """Write one table in many ways."""
    at = pl.int_range(pl.len())
    df = pl.DataFrame({"x": [row * 37 % 101 * 0.5 for row in range(300)]}).with_columns(
        city=pl.format("city {}", at % 7),
        day=pl.lit(date(2024, 1, 1)) + at * timedelta(days=1),
        y=at % 3 == 0,
        holes=pl.when(at % 4 > 0).then(at),
    )
    nested = df.with_columns(
        many=pl.concat_list("x", "x"), inner=pl.struct("x", "city"), kind=pl.col("city").cast(pl.Categorical)
    )
    nested.write_parquet(folder / "plain.parquet", compression="uncompressed", row_group_size=100)
    nested.write_parquet(folder / "zstd.parquet", compression="zstd")
    nested.write_ipc(folder / "plain.arrow", compression="uncompressed")
    nested.write_ipc(folder / "zstd.arrow", compression="zstd")
    df.write_csv(folder / "plain.csv")
    nested.write_ndjson(folder / "plain.ndjson")
    return sorted(folder.iterdir())


def damaged(data: bytes, draw: random.Random) -> bytes:
    """Flip bits, overwrite or cut out a stretch, repeat one, or write a number as large as it can be."""
    spoiled = bytearray(data)
    for _ in range(draw.choice((1, 1, 1, 2, 5))):
        # Half of the damage falls where the structure is: at the ends.
        edge = min(2_000, len(spoiled))
        at = draw.randrange(len(spoiled)) if draw.random() < 0.5 else len(spoiled) - 1 - draw.randrange(edge)
        kind = draw.randrange(6)
        if kind < 2:
            spoiled[at] ^= 1 << draw.randrange(8)
        elif kind == 2:
            spoiled[at : at + 8] = draw.randbytes(len(spoiled[at : at + 8]))
        elif kind == 3:
            spoiled[at : at + 4] = draw.choice((b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\0"))[
                : len(spoiled[at : at + 4])
            ]
        elif kind == 4:
            del spoiled[at : at + draw.randrange(1, 64)]
        else:
            spoiled[at:at] = spoiled[at : at + draw.randrange(1, 64)]
    return bytes(spoiled)


class Reader:
    """A process that reads one file after the other."""

    def __init__(self) -> None:
        """Start it."""
        self.process = subprocess.Popen(
            [sys.executable, "-c", READER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def read(self, path: Path) -> str:
        """Return what came of a file: "a table", the name of an error, how the process ended, or that it hung."""
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.process.stdout, selectors.EVENT_READ)
            if not waiting.select(SECONDS):
                self.process.kill()
        line = self.process.stdout.readline().strip()
        if line:
            return line
        ended = self.process.wait()
        self.__init__()
        return f"hung for {SECONDS} s" if ended == -9 else f"ended the process with {ended}"

    def end(self) -> None:
        """Let it end."""
        self.process.communicate()


if __name__ == "__main__":
    main()
