"""Run systems side by side, then compare them: `python -m benchmarks.automl --suite small --budget 60 ...`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import compare
import run

PEERS = "--peers"


def main() -> None:
    """Run what is missing and compare all that is there; `--peers` is for the comparison, all else for the runs."""
    given = sys.argv[1:]
    peers = given[given.index(PEERS) : given.index(PEERS) + 2] if PEERS in given else []
    rest = [word for word in given if word not in peers]
    run.main(rest)
    compare.main([str(run.arguments().parse_args(rest).out), *peers])


if __name__ == "__main__":
    main()
