"""What a call of `fit_auto` asks for beside the data: checked when it is made, and written into the run's record."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from frazil.artifact.record import written_metric
from frazil.budget import available_threads
from frazil.console import plain
from frazil.errors import SettingError
from frazil.search.portfolio import check_learners
from frazil.search.proposing import Search, check_search
from frazil.types import is_number, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from frazil.budget import Budget

PREFERENCES = ("best", "simplest")
DEPLOYMENTS = ("ensemble", "fast")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The settings of a run; the arguments of `fit_auto` of the same names.

    Raises:
        SettingError: one has a value that it can't have, or two do not go together.
        MissingExtraError: all learners that are asked for need a package that is not installed.
    """

    task: str
    metric: str | Callable[..., float]
    budget: Budget
    learners: Sequence[str] | None
    search: Search
    monotone: Mapping[str, int] = field(default_factory=dict)
    rope: float | None
    prefer: Literal["best", "simplest"]
    max_us_per_row: float | None
    deploy: Literal["ensemble", "fast"]
    seed: int
    threads: int | None

    def __post_init__(self) -> None:
        """Refuse what can't be done before anything is read; integers become Python's."""
        self._check_deployment()
        if isinstance(self.learners, Iterable) and not isinstance(self.learners, str):
            object.__setattr__(self, "learners", tuple(self.learners))  # it may be an array, or go by once
        check_learners(self.learners)
        check_search(self.search, self.learners)
        self._check_monotone()
        seed, threads = whole(self.seed), whole(self.threads)
        # A fraction or a word is a mistake in the order of arguments; None is taken for an integer.
        if self.seed is not None and seed is None:
            raise SettingError(f"seed={self.seed!r}; it takes an integer.")
        if self.threads is not None and (threads is None or threads < 1):
            raise SettingError(
                f"threads={self.threads!r}; it takes a whole number of 1 or more, or None for all that are allowed."
            )
        object.__setattr__(self, "seed", seed)
        object.__setattr__(self, "threads", threads)

    @property
    def processors(self) -> int:
        """How many to use."""
        return available_threads() if self.threads is None else self.threads

    @property
    def most_seconds(self) -> float:
        """That the deployed models may take to predict a row."""
        return math.inf if self.max_us_per_row is None else self.max_us_per_row / 1e6

    def written(self) -> dict[str, Any]:
        """Return all of it as the record of a run keeps it."""
        asked: dict[str, Any] = plain(
            {
                "task": self.task,
                "metric": written_metric(self.metric),
                "budget": asdict(self.budget),
                "learners": None if self.learners is None else list(self.learners),
                "search": asdict(self.search),
                "monotone": dict(self.monotone),
                "rope": self.rope,
                "prefer": self.prefer,
                "max_us_per_row": self.max_us_per_row,
                "deploy": self.deploy,
                "seed": self.seed,
                "threads": self.threads,
            }
        )
        return asked

    def of_trials(self) -> dict[str, Any]:
        """Return what the trials of a store depend on beside data and features, where it is not the usual."""
        asked = {
            "learners": None if self.learners is None else sorted(self.learners),
            "search": None if self.search == Search() else asdict(self.search),
            "monotone": dict(sorted(self.monotone.items())) or None,
        }
        return {name: plain(value) for name, value in asked.items() if value is not None}

    def _check_deployment(self) -> None:
        rope, most = self.rope, self.max_us_per_row
        if rope is not None and not (is_number(rope) and math.isfinite(rope) and rope >= 0):
            raise SettingError(f"rope={rope!r}; it takes a number of 0 or more, in units of the metric, or None.")
        if most is not None and not (is_number(most) and most > 0):
            raise SettingError(f"max_us_per_row={most!r}; it takes a number of microseconds above 0, or None.")
        if self.prefer not in PREFERENCES:
            raise SettingError.among("prefer", self.prefer, PREFERENCES)
        if self.deploy not in DEPLOYMENTS:
            raise SettingError.among("deploy", self.deploy, DEPLOYMENTS)
        if self.deploy == "fast" and self.prefer == "simplest":
            raise SettingError(
                "deploy='fast' deploys the best candidate, and prefer='simplest' another; take one of them."
            )

    def _check_monotone(self) -> None:
        if not isinstance(self.monotone, Mapping):
            raise SettingError(f"monotone={self.monotone!r}; it takes columns with 1 or -1, as {{'age': 1}}.")
        for name, sign in self.monotone.items():
            if not isinstance(name, str):
                raise SettingError(f"monotone has {name!r}: {sign!r}; it takes the names of columns, as {{'age': 1}}.")
            if isinstance(sign, bool) or sign not in (1, -1):
                raise SettingError(
                    f"monotone has {name!r}: {sign!r}; it takes 1 where predictions may only rise with the column, "
                    "-1 where they may only fall."
                )
