"""Which columns earn their place: selectors that take training rows and say of every column why it stays or goes."""

from frazil.selection.boruta import Boruta
from frazil.selection.contract import Problem, Selection, Selector, Verdict, problem_of
from frazil.selection.correlated import PruneCorrelated, PruneInflated
from frazil.selection.door import select
from frazil.selection.drifting import Adversarial
from frazil.selection.elimination import Eliminate, ForwardSelection
from frazil.selection.information import MRMR, MutualInformation
from frazil.selection.knockoffs import Knockoffs
from frazil.selection.permuting import PermutationImportance
from frazil.selection.probes import NullImportance, RandomProbe
from frazil.selection.screen import Screen
from frazil.selection.shap import Shap
from frazil.selection.stability import StabilitySelection
from frazil.selection.turns import InTurn
from frazil.selection.univariate import Univariate

__all__ = [
    "MRMR",
    "Adversarial",
    "Boruta",
    "Eliminate",
    "ForwardSelection",
    "InTurn",
    "Knockoffs",
    "MutualInformation",
    "NullImportance",
    "PermutationImportance",
    "Problem",
    "PruneCorrelated",
    "PruneInflated",
    "RandomProbe",
    "Screen",
    "Selection",
    "Selector",
    "Shap",
    "StabilitySelection",
    "Univariate",
    "Verdict",
    "problem_of",
    "select",
]
