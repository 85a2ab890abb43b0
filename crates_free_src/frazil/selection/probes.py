"""RandomProbe and NullImportance: is a column more important than what can't be important?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from frazil.models.checks import check_between
from frazil.models.probing import in_new_order, probed
from frazil.seeding import child_seed
from frazil.selection.contract import Selection, Verdict
from frazil.selection.fits import SMALL, conditions_of, importance, is_constant
from frazil.stats.multiplicity import benjamini_hochberg

if TYPE_CHECKING:
    from frazil.models.contract import Learner
    from frazil.selection.contract import Problem


@dataclass(frozen=True, slots=True)
class RandomProbe:
    """Keep columns that are more important to a model than shuffled copies of columns beside them.

    Each fit gets every column and a shuffled copy of each. The score is a column's mean importance over the fits; it
    is kept where that is above the `quantile` of the copies' mean importances. It costs `fits` fits of twice the
    columns, sees columns that tell something only together, and promises no error rate. With groups in the problem,
    whole groups change places in a copy.

    Args:
        quantile: Of the copies' importances, 0 to 1; 1 asks for more than the best copy has.
        fits: How many.
        learner: Whose importances are taken.

    Source: Stoppiglia, Dreyfus, Dubois and Oussar (2003), JMLR 3, 1399-1414.
    """

    name: ClassVar[str] = "random_probe"

    quantile: float = 1.0
    fits: int = 5
    learner: Learner = SMALL

    def __post_init__(self) -> None:
        """Refuse what can't be counted."""
        check_between(self, 0.0, 1.0, "quantile")
        check_between(self, 1, 1_000, "fits")

    def select(self, problem: Problem) -> Selection:
        """Judge every column."""
        started = perf_counter()
        sample = problem.sample()
        found = np.zeros(2 * len(problem.columns))
        if len(found) and not is_constant(sample):
            found = probed(self.learner, sample, conditions_of(problem, self.name), self.fits, problem.groups)
        score, probes = np.split(found, 2)
        bound = float(np.quantile(probes, self.quantile)) if len(probes) else 0.0
        verdicts = [
            Verdict(name, bool(told > bound), float(told), None, None, f"importance {told:.3g}, probes {bound:.3g}")
            for name, told in zip(problem.names, score, strict=True)
        ]
        return Selection(self.name, tuple(verdicts), perf_counter() - started)


@dataclass(frozen=True, slots=True)
class NullImportance:
    """Keep columns that are more important than they are where the target is shuffled.

    p = (1 + shuffled targets with at least its importance) / (1 + shuffled targets); q by Benjamini-Hochberg

    The score is the importance over its mean under shuffled targets. The smallest p is 1 / (1 + nulls): with
    many columns, take as many nulls as columns, or nothing can pass. It costs `nulls` fits. With groups in the problem,
    the targets of whole groups change places.

    Args:
        alpha: False discovery rate.
        nulls: How often the target is shuffled.
        learner: Whose importances are taken.

    Source: Altmann, Toloşi, Sander and Lengauer (2010), Bioinformatics 26(10), 1340-1347.
    """

    name: ClassVar[str] = "null_importance"

    alpha: float = 0.1
    nulls: int = 100
    learner: Learner = SMALL

    def __post_init__(self) -> None:
        """Refuse what can't be counted."""
        check_between(self, 1e-9, 1.0, "alpha")
        check_between(self, 1, 1_000_000, "nulls")

    def select(self, problem: Problem) -> Selection:
        """Judge every column."""
        started = perf_counter()
        sample, generator = problem.sample(), np.random.default_rng(child_seed(problem.seed, self.name))
        # The same seed for all: a column's place in the draw of columns is then the same under each target.
        real = importance(self.learner, sample, problem, self.name)
        orders = (in_new_order(problem.rows, problem.groups, generator) for _ in range(self.nulls))
        shuffled = (replace(sample, target=sample.target[order]) for order in orders)
        null = np.array([importance(self.learner, each, problem, self.name) for each in shuffled])
        p_values = (1 + (null >= real).sum(axis=0)) / (1 + self.nulls)
        q_values = benjamini_hochberg(p_values) if len(p_values) else p_values
        usual = null.mean(axis=0)
        verdicts = [
            Verdict(
                name,
                bool(q_values[at] <= self.alpha),
                float(real[at] / usual[at]) if usual[at] > 0 else float(real[at] > 0),
                float(p_values[at]),
                float(q_values[at]),
                f"importance {real[at]:.3g}, {usual[at]:.3g} under shuffled targets",
            )
            for at, name in enumerate(problem.names)
        ]
        return Selection(self.name, tuple(verdicts), perf_counter() - started)
