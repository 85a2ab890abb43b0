"""Who proposes candidates in a run: the portfolio and Optuna, or what the user asks for in their place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from frazil.console import plain
from frazil.errors import SettingError
from frazil.extras import is_installed, load
from frazil.models import family_of, learner_from
from frazil.models.catboost_model import CatBoost
from frazil.models.constant import Constant
from frazil.models.extra_trees import ExtraTrees
from frazil.models.hist_gradient_boosting import HistGradientBoosting
from frazil.models.key_screening import rich_columns
from frazil.models.lightgbm_model import LightGBM
from frazil.models.linear import Linear
from frazil.models.mlp import MLP
from frazil.models.monotone import holds_monotone
from frazil.models.neighbors import Neighbors
from frazil.models.random_forest import RandomForest
from frazil.models.xgboost_model import XGBoost
from frazil.search.candidate import Candidate
from frazil.search.fewer import FewerColumns
from frazil.search.leaderboard import BASELINE
from frazil.search.optuna_proposer import SHARE, OptunaProposer
from frazil.search.portfolio import PROMOTED_SHARE, Portfolio, is_skewed, named_candidates
from frazil.search.views import LEAST_KEYED
from frazil.seeding import child_seed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from frazil.models.contract import Learner
    from frazil.search.candidate import Failure, Trial
    from frazil.search.evaluation import Workbench
    from frazil.search.loop import Proposer

LOOKED_AT = 20_000  # rows, to count categories
STRATEGIES = ("optuna", "portfolio", "random", "grid")
# Those with a search space of their own, in the order in which they take turns.
DRAWN: tuple[type[Learner], ...] = (
    LightGBM,
    CatBoost,
    ExtraTrees,
    Linear,
    MLP,
    XGBoost,
    RandomForest,
    HistGradientBoosting,
    Neighbors,
)


@dataclass(frozen=True, slots=True)
class Search:
    """How `fit_auto` comes to its candidates.

    Args:
        strategy: "optuna", the portfolio and then Optuna around what is winning; "portfolio" alone; "random", settings
            drawn from the learners' search spaces, a learner after the other; or "grid", all combinations of `grid`.
        grid: For each learner, the values of each setting to combine, as
            `{"lightgbm": {"leaves": [15, 63], "learning_rate": [0.05, 0.1]}}`.

    Raises: SettingError: a strategy, a learner or a setting is not known, or a value is not one that the setting takes.

    >>> len(list(Search("grid", {"lightgbm": {"leaves": [15, 63], "learning_rate": [0.05, 0.1]}}).combinations()))
    4
    """

    strategy: Literal["optuna", "portfolio", "random", "grid"] = "optuna"
    grid: Mapping[str, Mapping[str, Sequence[Any]]] | None = None

    def __post_init__(self) -> None:
        """Refuse what can't be searched."""
        if self.strategy not in STRATEGIES:
            raise SettingError.among("search strategy", self.strategy, STRATEGIES)
        if (self.strategy == "grid") != bool(self.grid):
            raise SettingError(
                f"Search has strategy={self.strategy!r} and grid={self.grid!r}; a grid goes with 'grid' alone."
            )
        if self.grid:
            object.__setattr__(self, "grid", _plain(self.grid))
        if len(set(learners := list(map(repr, self.combinations())))) < len(learners):
            raise SettingError("grid says the same settings twice.")

    def combinations(self) -> Iterator[Learner]:
        """Make the learners of the grid, in its order."""
        for name, settings in (self.grid or {}).items():
            for values in product(*settings.values()):
                yield learner_from(name, dict(zip(settings, plain(values), strict=True)))  # they may be of NumPy


@dataclass(slots=True)
class Queued:
    """Candidates in order, then whoever comes after."""

    waiting: list[Candidate] = field(default_factory=list)
    after: Proposer | None = None

    def ask(self, outcomes: Sequence[Trial | Failure]) -> Candidate | None:
        """Propose the next of the queue."""
        if self.waiting:
            return self.waiting.pop(0)
        return None if self.after is None else self.after.ask(outcomes)


@dataclass(slots=True)
class RandomProposer:
    """Settings drawn from the search spaces of learners that take turns; each draw has a seed of its own."""

    learners: Sequence[Learner]
    rows: int
    seed: int
    prefix: str = ""
    asked: Counter[str] = field(default_factory=Counter)

    def ask(self, outcomes: Sequence[Trial | Failure]) -> Candidate:  # noqa: ARG002 -- chance does not look back
        """Draw settings of the next learner."""
        optuna = load("optuna")
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        drawn = self.asked.total()
        learner = self.learners[drawn % len(self.learners)]
        sampler = optuna.samplers.RandomSampler(seed=child_seed(self.seed, "random", drawn))
        found = learner.suggest(optuna.create_study(sampler=sampler).ask(), self.rows)
        family = family_of(learner)
        self.asked[family] += 1
        return Candidate(f"{self.prefix}{family}-r{self.asked[family]}", found, SHARE, "random")


def check_search(search: Search, learners: Sequence[str] | None) -> None:
    """Raise SettingError where a search is none, or does not go together with the learners that may be tried."""
    if not isinstance(search, Search):
        raise SettingError(f"search={search!r}; it takes a fz.Search, as fz.Search('random'), or None.")
    if search.strategy == "grid" and learners is not None:
        raise SettingError(f"learners={list(learners)!r} and a grid both say what to try; give one of them.")
    if search.strategy == "random" and not _drawn(learners):
        known = ", ".join(learner.name for learner in DRAWN)
        raise SettingError(f"learners={list(learners or ())!r} have no search space; random takes {known}.")


def proposer_for(
    bench: Workbench,
    search: Search,
    learners: Sequence[str] | None = None,
    first: Sequence[Learner] = (),
    prefix: str = "",
) -> Proposer:
    """Make the proposer of a run.

    Args:
        bench: What is searched.
        search: How.
        learners: Names of those that may be tried; None for all.
        first: Settings that a search on a sample found, best first: tried before all others.
        prefix: Of the names of the candidates.
    """
    matrix = bench.folds.folds[0].train.matrix
    is_free = not any(column.monotone for column in matrix.columns)

    def may_try(learner: Learner) -> bool:
        return is_free or holds_monotone(learner, bench.task, bench.judge.metric.name)

    if search.strategy in {"optuna", "portfolio"}:
        trees_a_round = bench.task.n_classes if bench.task.n_classes > 2 else 1
        categories = rich_columns(matrix.take(np.arange(min(matrix.rows, LOOKED_AT))))
        greater, has_keys = bench.judge.metric.greater_is_better, categories >= LEAST_KEYED
        tuned = OptunaProposer(matrix.rows, greater, bench.seed, prefix, learners, has_keys, may_try)
        after = tuned if search.strategy == "optuna" else Queued()
        skewed = bench.task.is_regression and is_skewed(bench.judge.target)
        width = len(matrix.columns)
        queue = Portfolio(
            matrix.rows, after, learners, skewed, width, categories, first, prefix, trees_a_round, may_try
        )
        return FewerColumns(queue, greater, prefix)
    found = [(learner, PROMOTED_SHARE) for learner in first]
    found += [(learner, SHARE) for learner in search.combinations() if learner not in first]
    waiting = [Candidate(prefix + BASELINE, Constant(), 0.1), *named_candidates(found, prefix)]
    drawn = [learner for learner in _drawn(learners) if may_try(learner)]
    chance = RandomProposer(drawn, matrix.rows, bench.seed, prefix)
    return Queued(waiting, chance if search.strategy == "random" else None)


def _plain(grid: Mapping[str, Mapping[str, Sequence[Any]]]) -> dict[str, dict[str, list[Any]]]:
    """Check that a grid is one, and return it as JSON has it: it goes to other processes, into stores and records."""
    made: dict[str, dict[str, list[Any]]] = {}
    for learner, settings in grid.items():
        if not isinstance(settings, Mapping):
            raise SettingError(f"grid has {learner!r}: {settings!r}; it takes settings with lists of their values.")
        for setting, values in settings.items():
            if isinstance(values, str) or not hasattr(values, "__len__") or not len(values):
                raise SettingError(f"grid has {learner}.{setting}={values!r}; it takes a list of values.")
        made[learner] = {
            setting: [value.item() if isinstance(value, np.generic) else value for value in values]
            for setting, values in settings.items()
        }
    return made


def _drawn(learners: Sequence[str] | None) -> list[Learner]:
    """Return the learners that settings are drawn for, of those that may be tried and are installed."""
    asked = [learner for learner in DRAWN if learners is None or learner.name in learners]
    return [learner() for learner in asked if learner is not XGBoost or is_installed(XGBoost.name)]
