"""Optuna proposes once the portfolio is spent: settings for the winning families, other views for the best."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any

from frazil.extras import load
from frazil.models import family_of, names_of
from frazil.search.candidate import Candidate, Failure, Trial
from frazil.search.views import may_be_copy, other_views
from frazil.seeding import child_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from frazil.models.contract import Learner

FAMILIES = 2  # how many of the best families are searched, in turn
SHARE = 0.25  # of the time left, for one proposal
TURNS = 3  # of which the last is for another view
SETTLED = {"constant", "linear"}  # learners that have nothing worth searching, with whatever around them


@dataclass(slots=True)
class OptunaProposer:
    """Tree-structured Parzen estimators, one study a family; every third proposal is the best in a view not yet tried.

    The sampler's seed comes from the run's seed and the number of earlier proposals, and studies are told of trials
    in order; so a run that is resumed from a journal proposes what an uninterrupted one would have.
    """

    rows: int
    greater_is_better: bool
    seed: int
    prefix: str = ""
    learners: Sequence[str] | None = None
    has_keys: bool = False
    may_try: Callable[[Learner], bool] = lambda _: True
    viewed: list[Learner] = field(default_factory=list)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)  # candidate, family, Optuna's trial

    def ask(self, outcomes: Sequence[Trial | Failure]) -> Candidate | None:
        """Propose settings for one of the best families, in turn."""
        trials = [outcome for outcome in outcomes if isinstance(outcome, Trial)]
        families = self._families(trials)
        if not families:
            return None
        is_turn_of_views = (len(self.asked) + len(self.viewed)) % TURNS == TURNS - 1
        if is_turn_of_views and (views := self._views(families[0][1], trials)):
            self.viewed.append(view := views[0])
            name = f"{self.prefix}{family_of(view)}-v{len(self.viewed)}"
            return Candidate(name, view, SHARE, "optuna", may_be_copy(view))
        family, learner = families[len(self.asked) % len(families)]
        name = f"{self.prefix}{family}-t{len(self.asked) + 1}"
        asked = self._study(family, outcomes).ask()
        candidate = Candidate(name, learner.suggest(asked, self.rows), SHARE, "optuna")
        self.asked.append((name, family, asked))
        return candidate

    def _families(self, trials: list[Trial]) -> list[tuple[str, Learner]]:
        sign = -1 if self.greater_is_better else 1
        ranked = sorted(trials, key=lambda trial: sign * trial.score)
        best: dict[str, Learner] = {}
        for trial in ranked:
            best.setdefault(family_of(trial.candidate.learner), trial.candidate.learner)
        searched = [item for item in best.items() if not names_of(item[1]) & SETTLED]
        return searched[:FAMILIES]

    def _views(self, best: Learner, trials: list[Trial]) -> list[Learner]:
        """Return the best in the views that may be tried and have not been."""
        tried = [*self.viewed, *(trial.candidate.learner for trial in trials)]
        views = other_views(best, has_keys=self.has_keys)
        asked = [view for view in views if self.learners is None or names_of(view) & set(self.learners)]
        return [view for view in asked if view not in tried and self.may_try(view)]

    def _study(self, family: str, outcomes: Sequence[Trial | Failure]) -> Any:  # noqa: ANN401 -- Optuna loads late
        optuna = load("optuna")
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        sampler = optuna.samplers.TPESampler(seed=child_seed(self.seed, "optuna", len(self.asked)))
        study = optuna.create_study(sampler=sampler, direction="maximize" if self.greater_is_better else "minimize")
        # Optuna refuses NaN, which is the score of all candidates where the metric has none on the judged rows.
        known = [outcome for outcome in outcomes if outcome.score is not None and isfinite(outcome.score)]
        scores = {_name(outcome): outcome.score for outcome in known}
        for name, of_family, asked in self.asked:
            if of_family == family and name in scores:
                study.add_trial(
                    optuna.trial.create_trial(
                        params=asked.params, distributions=asked.distributions, value=scores[name]
                    )
                )
        return study


def _name(outcome: Trial | Failure) -> str:
    return outcome.candidate.name if isinstance(outcome, Trial) else outcome.candidate
