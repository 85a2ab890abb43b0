"""Several selectors, one after the other, each on what the ones before it kept."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

from frazil.errors import SettingError
from frazil.selection.contract import Selection

if TYPE_CHECKING:
    from frazil.selection.contract import Problem, Selector, Verdict


@dataclass(frozen=True, slots=True)
class InTurn:
    """Keep what every one of several selectors keeps, the cheap ones first.

    A column that is dropped has the verdict of the selector that dropped it, a kept one that of the last.

    Args:
        selectors: One at least, in their order.

    Raises: SettingError: there is none.
    """

    selectors: tuple[Selector, ...]
    name: ClassVar[str] = "in_turn"

    def __post_init__(self) -> None:
        """Check that there is one."""
        if not self.selectors:
            raise SettingError("selectors is empty; it takes one selector at least, as InTurn((Screen(), Boruta())).")

    def select(self, problem: Problem) -> Selection:
        """Judge every column."""
        started = perf_counter()
        verdicts: dict[str, Verdict] = {}
        left = problem
        for selector in self.selectors:
            selection = selector.select(left)
            verdicts |= {verdict.column: verdict for verdict in selection.verdicts}
            left = left.only(selection.kept)
            if not left.columns:
                break
        shown = ", then ".join(selector.name for selector in self.selectors)
        return Selection(shown, tuple(verdicts[name] for name in problem.names), perf_counter() - started)
