"""Known-good settings in the order in which they are tried; stopping anywhere leaves a good ensemble."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from frazil.errors import SettingError
from frazil.models import family_of, learner_from
from frazil.models.constant import Constant
from frazil.search.candidate import Candidate
from frazil.search.leaderboard import BASELINE
from frazil.search.optuna_proposer import OptunaProposer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from frazil.models.contract import Learner
    from frazil.search.candidate import Trial
    from frazil.search.evaluation import Workbench
    from frazil.search.loop import Proposer

EVERY_SIZE = 10**12


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the portfolio.

    Args:
        learner: The settings to fit.
        share: Most of the time left that it may take.
        source: Where the settings come from.
        most_work: Training rows times trees a round above which it is left out: it would not converge in minutes.
        least_work: Below it, it is left out: something slower and better is affordable.
    """

    learner: Learner
    share: float
    source: str
    most_work: int = EVERY_SIZE
    least_work: int = 0

    @property
    def names(self) -> set[str]:
        """What a user may call it: its family, and its learner, that inside another too."""
        inner = getattr(self.learner, "inner", self.learner)
        return {family_of(self.learner), self.learner.name, inner.name}


def read_portfolio() -> tuple[Entry, ...]:
    """Read the entries from the data file beside this module, in their order."""
    text = files("frazil.search").joinpath("portfolio.json").read_text(encoding="utf-8")
    return tuple(_entry(**line) for line in json.loads(text)["entries"])


@dataclass(slots=True)
class Portfolio:
    """The baseline, then the entries in order, then whoever comes after.

    Args:
        work: Training rows times the trees of one boosting round: one, or one a class where there are three or more.
        after: Proposes when the queue is empty.
        learners: Names of learners or families that may be tried; None for all. The baseline always is.
    """

    work: int
    after: Proposer
    learners: Sequence[str] | None = None
    waiting: list[Candidate] = field(init=False)

    def __post_init__(self) -> None:
        """Queue the candidates that suit the size of the table."""
        entries = [entry for entry in read_portfolio() if self.learners is None or entry.names & set(self.learners)]
        suiting = [entry for entry in entries if entry.least_work <= self.work <= entry.most_work]
        self.waiting = [Candidate(BASELINE, Constant(), 0.1), *_named(suiting)]

    def ask(self, trials: list[Trial]) -> Candidate | None:
        """Propose the next of the queue."""
        return self.waiting.pop(0) if self.waiting else self.after.ask(trials)


def check_learners(learners: Sequence[str] | None) -> None:
    """Raise SettingError where the portfolio has no learner or family of a name, or none is named."""
    if learners is None:
        return
    known = sorted(set().union(*(entry.names for entry in read_portfolio())))
    if isinstance(learners, str) or not learners:
        raise SettingError(f"learners={learners!r}; it takes a list of names: {', '.join(known)}.")
    for name in learners:
        if name not in known:
            raise SettingError.among("learner", name, known)


def proposer_for(bench: Workbench, learners: Sequence[str] | None = None) -> Portfolio:
    """Make the proposer of a run: the portfolio first, Optuna on the time that is left."""
    rows = bench.folds.folds[0].train.matrix.rows
    trees_a_round = bench.task.n_classes if bench.task.n_classes > 2 else 1
    after = OptunaProposer(rows, bench.judge.metric.greater_is_better, bench.seed)
    return Portfolio(rows * trees_a_round, after, learners)


def _entry(learner: str, settings: dict[str, Any], **rest: Any) -> Entry:  # noqa: ANN401 -- as in the data file
    return Entry(learner_from(learner, settings), **rest)


def _named(entries: Iterable[Entry]) -> list[Candidate]:
    """Number the entries of each family."""
    seen: Counter[str] = Counter()
    named = []
    for entry in entries:
        family = family_of(entry.learner)
        seen[family] += 1
        named.append(Candidate(f"{family}-{seen[family]}", entry.learner, entry.share))
    return named
