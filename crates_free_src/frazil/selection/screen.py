"""Screen: columns that can't tell anything, or tell what another one tells in the same words."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from frazil.models.checks import check_between
from frazil.selection.contract import Selection, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.matrix import Matrix
    from frazil.selection.contract import Problem


@dataclass(frozen=True, slots=True)
class Screen:
    """Drop columns that are missing, constant but for a few rows, or the same as an earlier one in float32.

    The target is not looked at. The score is the share of all rows that are known and differ from the most frequent
    value. One pass over blocks of columns: n log n for each.

    Args:
        most_missing: Share of rows without a value above which a column is dropped.
        most_frequent: Share of the known rows with one value, from which on a column is dropped.

    >>> import polars as pl
    >>> from frazil.selection import problem_of
    >>> df = pl.DataFrame({"a": [1, 2, 3], "same": [7, 7, 7], "again": [1, 2, 3], "y": [1.5, 2.5, 0.5]})
    >>> Screen().select(problem_of(df, "y")).to_frame().select("column", "reason").rows()
    [('a', 'differs'), ('again', 'tells the same as a'), ('same', 'has one value in 100 % of its rows')]
    """

    name: ClassVar[str] = "screen"

    most_missing: float = 0.99
    most_frequent: float = 0.9999

    def __post_init__(self) -> None:
        """Refuse shares that are none."""
        check_between(self, 0.0, 1.0, "most_missing", "most_frequent")

    def select(self, problem: Problem) -> Selection:
        """Judge every column."""
        started = perf_counter()
        seen: dict[bytes, str] = {}
        verdicts = [verdict for block in problem.blocks() for verdict in self._judged(block, seen)]
        return Selection(self.name, tuple(verdicts), perf_counter() - started)

    def _judged(self, block: Matrix, seen: dict[bytes, str]) -> list[Verdict]:
        found = []
        for at, column in enumerate(block.columns):
            values = block.values[:, at] + np.float32(0)  # -0 becomes 0, which is equal to it
            values[np.isnan(values)] = np.nan  # one of the many
            twin = seen.setdefault(blake2b(values.tobytes(), digest_size=16).digest(), column.name)
            found.append(self._verdict(column.name, values, twin))
        return found

    def _verdict(self, name: str, values: NDArray[np.float32], twin: str) -> Verdict:
        known = np.sort(values[~np.isnan(values)])
        missing = 1 - len(known) / max(1, len(values))
        if len(known) == 0 or missing > self.most_missing:
            return Verdict(name, False, 0.0, None, None, f"is missing in {100 * missing:.4g} % of the rows")
        ends = np.flatnonzero(np.append(known[1:] != known[:-1], True))
        counts = np.diff(ends, prepend=-1)
        most = int(counts.argmax())
        share = counts[most] / len(known)
        score = float((1 - share) * (1 - missing))
        if share >= self.most_frequent:
            return Verdict(name, False, score, None, None, f"has one value in {100 * share:.4g} % of its rows")
        if twin != name:
            return Verdict(name, False, score, None, None, f"tells the same as {twin}")
        return Verdict(name, True, score, None, None, "differs")
