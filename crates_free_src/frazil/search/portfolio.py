"""Known-good settings in the order in which they are tried; stopping anywhere leaves a good ensemble."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.errors import MissingExtraError, SettingError
from frazil.extras import is_installed
from frazil.models import family_of, learner_from, names_of
from frazil.models.catboost_model import CatBoost
from frazil.models.constant import Constant
from frazil.models.hist_gradient_boosting import HistGradientBoosting
from frazil.models.lightgbm_model import LightGBM
from frazil.models.xgboost_model import XGBoost
from frazil.search.candidate import Candidate, Failure
from frazil.search.leaderboard import BASELINE
from frazil.search.views import may_be_copy, plain_view

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from frazil.models.contract import Learner
    from frazil.search.candidate import Trial
    from frazil.search.loop import Proposer

LEAST_SKEWNESS = 1.5  # of prices; california_housing has 1.0, and nothing to gain
EVERY_SIZE = 10**12
PACKAGES = {"xgboost": "xgboost", "imbalance": "imblearn"}  # what an extra brings, as it is imported
# They grow a tree for each class and round.
BOOSTED = {LightGBM.name, CatBoost.name, HistGradientBoosting.name, XGBoost.name}
PROMOTED_SHARE = 0.65  # of the time left, for settings that were the best on a sample


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the portfolio.

    Args:
        learner: The settings to fit.
        share: Most of the time left that it may take.
        source: Where the settings come from.
        most_work: Training rows above which it is left out: it would not converge in minutes. For boosted trees, rows
            times the trees of one round.
        least_work: Below it, it is left out: something slower and better is affordable.
        skewed: Whether it is for targets like prices alone: above 0, with a long tail of large ones.
        least_columns: Fewest features that it is for.
        least_categories: Fewest features of five levels or more, numbers like codes among them.
        extra: The extra of frazil that it needs; it is left out where its package is not installed.
        on_demand: Whether it is tried only where `learners=` has its own name or family, not that of what is inside.
    """

    learner: Learner
    share: float
    source: str
    most_work: int = EVERY_SIZE
    least_work: int = 0
    skewed: bool = False
    least_columns: int = 0
    least_categories: int = 0
    extra: str | None = None
    on_demand: bool = False

    @property
    def is_available(self) -> bool:
        """Whether what it needs is installed."""
        return self.extra is None or is_installed(PACKAGES[self.extra])

    def is_asked_for(self, learners: Sequence[str] | None) -> bool:
        """Whether it is one of those that may be tried."""
        if learners is None:
            return not self.on_demand
        own = {family_of(self.learner), self.learner.name}
        return bool((own if self.on_demand else names_of(self.learner)) & set(learners))


def read_portfolio() -> tuple[Entry, ...]:
    """Read the entries from the data file beside this module, in their order."""
    text = files("frazil.search").joinpath("portfolio.json").read_text(encoding="utf-8")
    return tuple(_entry(**line) for line in json.loads(text)["entries"])


@dataclass(slots=True)
class Portfolio:
    """The baseline, then the entries in order, then whoever comes after.

    An entry that finds no columns to make, or to leave out, is left out for the same settings on the columns as they
    are: at once, where the queue has them neither ahead nor behind.

    Args:
        rows: To learn from.
        after: Proposes when the queue is empty.
        learners: Names of learners or families that may be tried; None for all. The baseline always is.
        skewed: Whether the target is like prices: above 0, with a long tail of large ones.
        columns: Features.
        categories: Features whose values are levels.
        first: Settings that a search on a sample found, best first: tried before all others.
        prefix: Of the names of the candidates.
        trees: Of one boosting round: one, or one a class where there are three or more.
        may_try: Says which learners can do what is asked of all.
    """

    rows: int
    after: Proposer
    learners: Sequence[str] | None = None
    skewed: bool = False
    columns: int = 0
    categories: int = 0
    first: Sequence[Learner] = ()
    prefix: str = ""
    trees: int = 1
    may_try: Callable[[Learner], bool] = lambda _: True
    waiting: list[Candidate] = field(init=False)
    asked: list[Candidate] = field(default_factory=list, init=False)
    plain: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Queue the candidates that suit the size of the table."""
        entries = [entry for entry in read_portfolio() if entry.is_asked_for(self.learners)]
        suiting = [(entry.learner, entry.share) for entry in entries if self._suits(entry)]
        found = [(learner, PROMOTED_SHARE) for learner in self.first]
        # What is left of the portfolio comes after, in its order, without what was found already.
        others = [(learner, share) for learner, share in suiting if learner not in self.first]
        self.waiting = [
            Candidate(self.prefix + BASELINE, Constant(), 0.1),
            *named_candidates([*found, *others], self.prefix),
        ]
        self.waiting = [replace(each, must_differ=may_be_copy(each.learner)) for each in self.waiting]

    def ask(self, outcomes: Sequence[Trial | Failure]) -> Candidate | None:
        """Propose the next of the queue."""
        left_out = {outcome.candidate for outcome in outcomes[-1:] if isinstance(outcome, Failure) and outcome.is_copy}
        for candidate in [each for each in self.asked if each.name in left_out]:
            self._put_plain(candidate)
        if not self.waiting:
            return self.after.ask(outcomes)
        self.asked.append(candidate := self.waiting.pop(0))
        return candidate

    def _put_plain(self, candidate: Candidate) -> None:
        learner = plain_view(candidate.learner)
        if self.may_try(learner) and all(each.learner != learner for each in (*self.asked, *self.waiting)):
            self.plain += 1
            name = f"{self.prefix}{family_of(learner)}-p{self.plain}"
            self.waiting.insert(0, Candidate(name, learner, candidate.share))

    def _suits(self, entry: Entry) -> bool:
        work = self.rows * self.trees if names_of(entry.learner) & BOOSTED else self.rows
        fits = entry.least_work <= work <= entry.most_work and self.columns >= entry.least_columns
        is_possible = entry.is_available and self.may_try(entry.learner)
        return fits and is_possible and self.categories >= entry.least_categories and (self.skewed or not entry.skewed)


def check_learners(learners: Sequence[str] | None) -> None:
    """Raise SettingError where the portfolio has no learner or family of a name, or none is named.

    Raises: MissingExtraError: all of that name need a package that is not installed.
    """
    if learners is None:
        return
    entries = read_portfolio()
    known = sorted(set().union(*(names_of(entry.learner) for entry in entries)))
    if not isinstance(learners, Sequence) or isinstance(learners, str) or not learners:
        raise SettingError(f"learners={learners!r}; it takes a list of names: {', '.join(known)}.")
    for name in learners:
        if name not in known:
            raise SettingError.among("learner", name, known)
        meant = [entry for entry in entries if name in names_of(entry.learner)]
        if not any(entry.is_available for entry in meant):
            needed = str(meant[0].extra)
            raise MissingExtraError.naming(PACKAGES[needed], needed)


def named_candidates(settings: Iterable[tuple[Learner, float]], prefix: str) -> list[Candidate]:
    """Number the settings of each family, each with the share of the time left that it may take."""
    seen: Counter[str] = Counter()
    named = []
    for learner, share in settings:
        family = family_of(learner)
        seen[family] += 1
        named.append(Candidate(f"{prefix}{family}-{seen[family]}", learner, share))
    return named


def is_skewed(target: NDArray[np.float64]) -> bool:
    """Say whether a number is like prices: all above 0, with a skewness above 1.5 that its logarithm has less of.

    >>> is_skewed(np.exp(np.linspace(0.0, 5.0, 100))), is_skewed(np.linspace(1.0, 5.0, 100))
    (True, False)
    """
    if not (target > 0).all():
        return False
    plain = _skewness(target)
    return plain > LEAST_SKEWNESS and abs(_skewness(np.log(target))) < plain


def _skewness(values: NDArray[np.float64]) -> float:
    deviations = values - values.mean()
    spread = deviations.std()
    return float((deviations**3).mean() / spread**3) if spread > 0 else 0.0


def _entry(learner: str, settings: dict[str, Any], **rest: Any) -> Entry:  # noqa: ANN401 -- as in the data file
    return Entry(learner_from(learner, settings), **rest)
