"""Which columns earn their place: selectors that take training rows and say of every column why it stays or goes."""

from frazil.selection.contract import Problem, Selection, Selector, Verdict, problem_of
from frazil.selection.turns import InTurn

__all__ = ["InTurn", "Problem", "Selection", "Selector", "Verdict", "problem_of"]
