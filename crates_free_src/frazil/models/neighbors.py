"""The nearest neighbours: what rows like this one had. Weak alone, and of another kind than all others."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from frazil.container import npz_bytes, npz_member
from frazil.errors import SettingError
from frazil.models.checks import can_judge, check_between, check_sample, check_width
from frazil.models.constant import Constant
from frazil.models.design import Design
from frazil.models.nearest import L1, L2, METRICS, nearest
from frazil.models.objective import Loss, Objective, TargetScale, fit_scale, objective_for
from frazil.models.rows import drawn, taken, weighing
from frazil.models.sealed import sealed, unsealed
from frazil.models.stored import array_in, check_that, count_in, number_in, positions_in, scale_in
from frazil.models.voting import Voting

if TYPE_CHECKING:
    from collections.abc import Mapping

    import optuna
    from numpy.typing import NDArray

    from frazil.matrix import Matrix
    from frazil.models.contract import Conditions, Fitted, Sample

ARRAYS = "neighbors.npz"
UNIFORM, DISTANCE = "uniform", "distance"
WEIGHTS = (DISTANCE, UNIFORM)
CHOICES = (5, 10, 20, 40, 80, 160)  # how many neighbours, where the rows left out choose
NO_CHOICE = 20  # how many, where there are none
MOST_CELLS = 20_000_000  # of terms that are kept, 80 MB
LEAST_ROWS = 2_000  # that are kept in any case
WORK_TO_JUDGE = 6_000_000_000  # pairs of rows, times terms: half a second of two processors, with l1 three
MOST_JUDGED, LEAST_JUDGED = 2_000, 100
LEAST_LIKELIHOOD = 1e-15  # one hopeless row does not rule the choice
ROWS_TOGETHER = 16_384  # of which neighbours are held at once in predictions


@dataclass(frozen=True, eq=False)
class NeighborsFitted:
    """The rows that are asked, and how.

    Args:
        design: How a row becomes terms.
        factors: (terms,) float32, what each is multiplied by before distances are taken.
        rows: (rows, terms) float32, already multiplied.
        target: (rows,) float64 scaled numbers, or int64 class codes.
        weights: (rows,) float64, above 0.
        neighbors: How many are asked, at most as many as there are rows.
        metric: "l1" or "l2".
        voting: How their votes are counted.
        scale: How the target was learned.
    """

    design: Design
    factors: NDArray[np.float32] = field(repr=False)
    rows: NDArray[np.float32] = field(repr=False)
    target: NDArray[Any] = field(repr=False)
    weights: NDArray[np.float64] = field(repr=False)
    neighbors: int
    metric: str
    voting: Voting
    scale: TargetScale
    rounds: ClassVar[int] = 0

    def predict(self, matrix: Matrix, threads: int = 1) -> NDArray[np.float64]:
        """Return the shares of the classes among the neighbours, or the mean or quantile of their numbers."""
        check_width(matrix, self.design.columns)
        starts = range(0, max(1, matrix.rows), ROWS_TOGETHER)  # with no rows too, for the shape
        found = [self._answers(matrix.values[at : at + ROWS_TOGETHER], threads) for at in starts]
        answers = np.concatenate(found)
        return answers if self.voting.classes else self.scale.back(answers[:, 0])

    def importance(self) -> NDArray[np.float64]:
        """Return each column's share of the distances between rows: it tells who is near, not what they had."""
        spread = self.rows.std(axis=0, dtype=np.float64)
        moved = spread if self.metric == L1 else spread**2
        found = np.bincount(self.design.origins, weights=moved, minlength=self.design.columns)
        return np.asarray(found / (found.sum() or 1.0), np.float64)

    def members(self) -> dict[str, bytes]:
        """Return the arrays, and what is known of them under their hash."""
        about = {
            "columns": self.design.columns,
            "clip": self.design.clip,
            "neighbors": self.neighbors,
            "metric": self.metric,
            "by_distance": self.voting.by_distance,
            "loss": self.voting.objective.loss.value,
            "level": self.voting.objective.level,
            "classes": self.voting.classes,
            "scale": self.scale.as_json(),
        }
        own = {name: getattr(self, name) for name in ("factors", "rows", "target", "weights")}
        return sealed(about, {ARRAYS: npz_bytes({**self.design.arrays(), **own, "prior": self.voting.prior})})

    @classmethod
    def read(cls, members: Mapping[str, bytes]) -> Self:
        """Read it back; ArtifactError where it is damaged, or its arrays do not fit each other."""
        about = unsealed(members, ARRAYS)
        columns, classes, neighbors = (count_in(about, name) for name in ("columns", "classes", "neighbors"))
        arrays = npz_member(members, ARRAYS)
        design = Design.read(arrays, columns, number_in(about, "clip"))
        terms, weights = len(design.origins), array_in(arrays, "weights", np.float64, None)
        check_that(1 <= neighbors <= len(weights), "neighbors are not from 1 to the number of its rows")
        check_that(bool((weights > 0).all()), "weights are not all above 0")
        target = (
            positions_in(arrays, "target", classes, len(weights))
            if classes
            else array_in(arrays, "target", np.float64, len(weights))
        )
        return cls(
            design,
            array_in(arrays, "factors", np.float32, terms),
            array_in(arrays, "rows", np.float32, len(weights), terms),
            target,
            weights,
            neighbors,
            _metric_in(about),
            _voting_in(about, array_in(arrays, "prior", np.float64, classes or 1), classes),
            scale_in(about),
        )

    def losses(self, judged: Sample, threads: int) -> dict[int, float]:
        """Return the loss of these rows by the number of neighbours that are asked, up to its own."""
        distances, found = self._nearest(judged.matrix.values, threads)
        losses = {}
        for count in (*(choice for choice in CHOICES if choice < self.neighbors), self.neighbors):
            near = found[:, :count]
            answers = self.voting.count(distances[:, :count], self.target[near], self.weights[near])
            losses[count] = self._loss(answers, judged)
        return losses

    def _answers(self, values: NDArray[np.float32], threads: int) -> NDArray[np.float64]:
        if not len(self.factors):  # all rows are as near as any
            return np.tile(self.voting.prior, (len(values), 1))
        distances, found = self._nearest(values, threads)
        return self.voting.count(distances, self.target[found], self.weights[found])

    def _nearest(self, values: NDArray[np.float32], threads: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        asked = self.design.apply(values).astype(np.float32) * self.factors
        return nearest(self.rows, asked, self.neighbors, self.metric, threads)

    def _loss(self, answers: NDArray[np.float64], judged: Sample) -> float:
        weights = self.voting.objective.weights(judged)
        if self.voting.classes:
            likelihood = answers[np.arange(len(answers)), judged.target]
            return float(np.average(-np.log(np.maximum(likelihood, LEAST_LIKELIHOOD)), weights=weights))
        power = 1 if self.voting.objective.loss in {Loss.ABSOLUTE, Loss.QUANTILE} else 2
        errors = np.abs(answers[:, 0] - self.scale.forward(judged.target))
        return float(np.average(errors**power, weights=weights))


@dataclass(frozen=True, slots=True)
class Neighbors:
    """Settings of nearest neighbours, among numbers that spread by 1 and the levels of small categories.

    Two rows of different levels of a category are as far apart as two rows usually are in a number.

    Args:
        neighbors: How many are asked; None for the best of 5 to 160 on rows left out, and 20 where there are none.
        weights: "distance" for 1 / distance, "uniform" for 1.
        metric: "l2" for the root of squared differences, "l1" for absolute ones.
        most_rows: That are kept; of more, a random sample is, and of wide tables fewer.
        clip: What a number comes close to, in quartile distances from the median, however far out it is.
        most_levels: Categories of more levels are left out; their means and counts stand in columns of numbers.

    Source: Cover and Hart (1967), IEEE Transactions on Information Theory 13(1), 21-27.
    """

    name: ClassVar[str] = "knn"
    fitted_type: ClassVar[type[Fitted]] = NeighborsFitted

    neighbors: int | None = None
    weights: str = DISTANCE
    metric: str = L2
    most_rows: int = 50_000
    clip: float = 3.0
    most_levels: int = 25

    def __post_init__(self) -> None:
        """Refuse what asks nobody."""
        check_between(self, 1, 100_000, "neighbors")
        check_between(self, 1, 10_000_000, "most_rows")
        check_between(self, 0.1, 1e6, "clip")
        check_between(self, 0, 10_000, "most_levels")
        for setting, known in (("weights", WEIGHTS), ("metric", METRICS)):
            if getattr(self, setting) not in known:
                raise SettingError.among(setting, getattr(self, setting), known)

    def fit(self, train: Sample, valid: Sample | None, conditions: Conditions) -> NeighborsFitted:
        """Keep the rows, and choose how many neighbours to ask where that is left open and there is time."""
        check_sample(train, conditions)
        rows = weighing(train)
        design = Design.of(rows.matrix, self.clip, self.most_levels)
        most = min(self.most_rows, max(LEAST_ROWS, MOST_CELLS // max(1, len(design.origins))))
        rows = drawn(rows, most, conditions.seed)
        model = self._kept(design, rows, conditions)
        judged = _judged(valid, train, model, conditions)
        if self.neighbors is not None or judged is None or conditions.deadline.passed:
            return replace(model, neighbors=min(self.neighbors or NO_CHOICE, rows.matrix.rows))
        losses = model.losses(judged, conditions.threads)
        return replace(model, neighbors=min(losses, key=losses.__getitem__))

    @classmethod
    def suggest(cls, trial: optuna.Trial, rows: int) -> Self:
        """Draw from TabArena's space without its powers between 1 and 2.

        Source: TabArena, models/knn/hpo.py.
        """
        return cls(
            neighbors=trial.suggest_int("neighbors", 1, max(2, min(300, rows // 4)), log=True),
            weights=trial.suggest_categorical("weights", list(WEIGHTS)),
            metric=trial.suggest_categorical("metric", list(METRICS)),
            clip=trial.suggest_float("clip", 1.0, 10.0, log=True),
            most_levels=trial.suggest_int("most_levels", 5, 100, log=True),
        )

    def _kept(self, design: Design, rows: Sample, conditions: Conditions) -> NeighborsFitted:
        """Make the model that asks as many neighbours as could be chosen."""
        task = conditions.task
        objective = objective_for(conditions.metric) if task.is_regression else Objective()
        scale = fit_scale(objective, rows) if task.is_regression else TargetScale()
        terms = design.apply(rows.matrix.values).astype(np.float32)
        factors = _factors(design, terms, self.metric)
        baseline = np.array(Constant().fit(rows, None, conditions).values)
        weights = objective.weights(rows)
        return NeighborsFitted(
            design=design,
            factors=factors,
            rows=terms * factors,
            target=scale.forward(rows.target) if task.is_regression else rows.target.astype(np.int64),
            weights=np.ones(len(terms)) if weights is None else weights,
            neighbors=min(max(CHOICES), len(terms)),
            metric=self.metric,
            voting=Voting(
                self.weights == DISTANCE,
                objective,
                scale.forward(baseline) if task.is_regression else baseline,
                task.n_classes,
            ),
            scale=scale,
        )


def _factors(design: Design, terms: NDArray[np.float32], metric: str) -> NDArray[np.float32]:
    """Return what makes numbers spread by 1; two levels differ by two terms, and so do not need as much."""
    factors = np.ones(len(design.origins), np.float32)
    numbers = len(design.numbers)
    if len(terms):
        spread = terms[:, :numbers].std(axis=0, dtype=np.float64)
        factors[:numbers] = 1.0 / np.where(spread > 0, spread, 1.0)
    if metric == L1:
        factors[numbers + len(design.gaps) :] = 0.5
    return factors


def _judged(valid: Sample | None, train: Sample, model: NeighborsFitted, conditions: Conditions) -> Sample | None:
    """Return rows left out to choose on, no more than there is time for; those of unseen classes tell nothing."""
    if not can_judge(valid, train) or not len(model.factors):
        return None
    rows = weighing(valid)
    if model.voting.classes:
        rows = taken(rows, np.flatnonzero(model.voting.prior[rows.target] > 0))
    most = WORK_TO_JUDGE // model.rows.size
    rows = drawn(rows, max(LEAST_JUDGED, min(MOST_JUDGED, most)), conditions.seed)
    return rows if rows.matrix.rows else None


def _metric_in(about: Mapping[str, Any]) -> str:
    check_that(about.get("metric") in METRICS, "metric is not known")
    return str(about["metric"])


def _voting_in(about: Mapping[str, Any], prior: NDArray[np.float64], classes: int) -> Voting:
    check_that(about.get("loss") in [loss.value for loss in Loss], "loss is not known")
    level, by_distance = number_in(about, "level"), about.get("by_distance")
    check_that(0 < level < 1 and isinstance(by_distance, bool), "votes are counted in no known way")
    check_that(not classes or bool((prior >= 0).all() and abs(prior.sum() - 1) < 1e-6), "prior is no shares of classes")
    return Voting(by_distance is True, Objective(Loss(about["loss"]), level), prior, classes)
