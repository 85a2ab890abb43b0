"""Categories by what they say of the target: shrunken means, evidence and spreads, out-of-fold for training rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from frazil.errors import SettingError
from frazil.features.categories.levels import (
    KINDS,
    TARGET_MEAN,
    TARGET_STD,
    TARGET_VAR,
    TARGET_WOE,
    WITH_OFFSET,
    LevelsEncoded,
    categories,
    crossed,
)
from frazil.features.categories.shrinkage import RULES, evidence, learned_means, shrunken_means, spreads, table
from frazil.features.categories.tallies import Tally, ask_tallies, is_number, read_tallies
from frazil.features.numbers.reading import is_real

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from frazil.features.categories.tallies import Known
    from frazil.features.contract import Columns, Fitted, Learned, Queries, Training

WEIGHT = 10.0  # source: TabPrep (arXiv 2606.02384) smooths its out-of-fold target encodings by alpha = 10
MOST_CLASSES = 10  # columns a category
SPREADS = (TARGET_STD, TARGET_VAR)


class ByLevel(Protocol):
    """A builder that makes one number a label of what is known of each level."""

    @property
    def columns(self) -> Columns:
        """Names or a selector."""

    @property
    def cross(self) -> int:
        """How many columns make a level together."""

    @property
    def most_classes(self) -> int:
        """Labels that get a column."""

    @property
    def operation(self) -> str:
        """What its columns are called."""

    @property
    def reads_squares(self) -> bool:
        """Whether it reads spreads."""

    def numbers(self, tally: Tally) -> NDArray[np.float64]:
        """Return (labels, places, folds) float64."""

    def learn(self, train: Training) -> Queries:
        """Say what has to be known of the training table."""

    def fitted(self, learned: Learned, train: Training) -> Sequence[Fitted]:
        """Make the fitted states."""


def check_weight(weight: object) -> None:
    """Raise SettingError where a pull is no number of rows."""
    if not (is_real(weight) and weight >= 0):
        raise SettingError(f"weight={weight!r}; it takes 0 or more rows, finitely many.")


def check_classes(most: object) -> None:
    """Raise SettingError where no label would get a column."""
    if type(most) is not int or most < 1:
        raise SettingError(f"most_classes={most!r}; it takes 1 or more.")


def crosses_of(builder: ByLevel, train: Training) -> list[tuple[str, ...]]:
    """Return the sets of columns that make levels together."""
    return crossed(train.columns(builder.columns, KINDS, builder), builder.cross)


def ask(builder: ByLevel, train: Training) -> Queries:
    """Ask for what is known of the target by level."""
    crosses = crosses_of(builder, train)
    return ask_tallies(train, train.target_for(builder), crosses, squares=builder.reads_squares)


def encoded(builder: ByLevel, learned: Learned, train: Training) -> list[LevelsEncoded]:
    """Make the states for new rows, from all training rows."""
    return [_encoded(builder, known, train) for known in known_of(builder, learned, train)]


def faces(builder: ByLevel, parts: Sequence[Fitted], learned: Learned, train: Training) -> list[Fitted]:
    """Make the faces for training rows, from other folds or from earlier ones."""
    known = known_of(builder, learned, train)
    return [
        _face(part, one, table(builder.numbers(one.tally.of_others(forward=train.forward))), train)
        for part, one in zip(parts, known, strict=True)
        if isinstance(part, LevelsEncoded)
    ]


def known_of(builder: ByLevel, learned: Learned, train: Training) -> list[Known]:
    """Return what was learned of each set of columns."""
    return read_tallies(
        learned,
        train.target_for(builder),
        crosses_of(builder, train),
        builder.most_classes,
        squares=builder.reads_squares,
    )


def _encoded(builder: ByLevel, known: Known, train: Training) -> LevelsEncoded:
    source, operation = "*".join(known.levels.sources), builder.operation
    names = tuple(train.named(source, f"{operation}_{label}" if label else operation) for label in known.labels)
    values = table(builder.numbers(known.tally.total()))
    offset = train.target_for(builder).offset if operation in WITH_OFFSET else 0.0
    return LevelsEncoded(operation, names, known.labels, known.levels, values, offset)


def _face(part: LevelsEncoded, known: Known, values: pl.DataFrame, train: Training) -> LevelsEncoded:
    folds = known.tally.counts.shape[1]
    return replace(part, values=values, fold=str(train.fold), n_folds=folds, places=known.places)


@dataclass(frozen=True, slots=True)
class EncodeTarget:
    """Encode categories by the mean target of their training rows, pulled towards the overall mean.

    mean = (sum + weight * prior) / (count + weight)

    The target is a number, or 0 and 1 of a label: one column for two classes, one a label for more. Null is a level;
    unseen levels get the prior, which is the mean of all. `fit_train` gives training rows the same from other folds
    only, the prior and a learned weight too; where these have no rows at all (the first of folds that go forward in
    time) it is null. `fit_train` reads each string once and holds a code of it, 4 bytes a row and column; `fit` holds
    levels only. Of targets beyond what float32 tells apart and closer to each other than to 0, as times in seconds are,
    the least one in training is taken off first.

    Args:
        columns: Names or a selector.
        weight: Strength of the pull, in rows (the M of an M-estimate); 0 turns it off. Or how to learn it, each label
            for itself: "empirical_bayes" from the variances within and between levels, "james_stein" the same with
            the correction of James and Stein, "by_level" from each level's own variance, as scikit-learn's "auto".
        cross: How many columns make a level together: 2 encodes the pairs of values of each two columns.
        most_classes: Labels that get a column, the most frequent ones.

    Raises: SettingError: weight is negative or no known rule, cross is not 1, 2 or 3, or most_classes is below 1.
    Source: Micci-Barreca (2001), SIGKDD Explorations 3(1), 27-32; Pargent et al. (2022), Comput. Stat. 37, 2671-2692.

    >>> import polars as pl
    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"city": ["Rom", "Rom", "Ulm", "Ulm"], "price": [1.0, 2.0, 6.0, 7.0]})
    >>> fitted = Recipe(EncodeTarget("city", weight=2)).fit(frame, target="price")
    >>> fitted.apply(pl.LazyFrame({"city": ["Rom", "Rio"]})).collect()["city|target_mean"].to_list()
    [2.75, 4.0]
    """

    columns: Columns = field(default_factory=categories)
    weight: float | str = WEIGHT
    cross: int = 1
    most_classes: int = MOST_CLASSES

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        crossed((), self.cross)
        check_classes(self.most_classes)
        if not isinstance(self.weight, str):
            check_weight(self.weight)
        elif self.weight not in RULES:
            raise SettingError(f"weight={self.weight!r}; it takes 0 or more rows, or one of {', '.join(RULES)}.")

    @property
    def operation(self) -> str:
        """A mean."""
        return TARGET_MEAN

    @property
    def reads_squares(self) -> bool:
        """Only where the weight is learned."""
        return isinstance(self.weight, str)

    def numbers(self, tally: Tally) -> NDArray[np.float64]:
        """Return shrunken means."""
        return learned_means(tally, self.weight) if isinstance(self.weight, str) else shrunken_means(tally, self.weight)

    def learn(self, train: Training) -> Queries:
        """Ask for count and sums of the target by level."""
        return ask(self, train)

    def fitted(self, learned: Learned, train: Training) -> list[LevelsEncoded]:
        """Average over all training rows."""
        return encoded(self, learned, train)

    def out_of_fold(self, parts: Sequence[Fitted], learned: Learned, train: Training) -> list[Fitted]:
        """Average over other folds, or over earlier ones."""
        return faces(self, parts, learned, train)


@dataclass(frozen=True, slots=True)
class EncodeWoe:
    """Encode categories by their weight of evidence for a label: how much likelier it makes them.

    evidence = log(((events + weight) / (all events + 2 weight)) / ((others + weight) / (all others + 2 weight)))

    Of two classes the second is the event; of more each has a column, against all others. Null is a level; unseen
    levels get 0. Training rows get the same from other folds, as with `encode_target`.

    Args:
        columns: Names or a selector.
        weight: Rows added to each side, above 0; without them a level of one class would be infinite.
        cross: How many columns make a level together.
        most_classes: Labels that get a column, the most frequent ones.

    Raises: SettingError: weight is not above 0, cross is not 1, 2 or 3, most_classes is below 1, or when it learns, the
        target is a number.
    Source: Good (1950), Probability and the Weighing of Evidence.

    >>> import polars as pl
    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"city": ["Rom", "Rom", "Ulm", "Ulm"], "sold": [True, True, True, False]})
    >>> fitted = Recipe(EncodeWoe("city", weight=1)).fit(frame, target="sold")
    >>> evidence = fitted.apply(pl.LazyFrame({"city": ["Rom", "Rio"]})).collect()["city|target_woe"]
    >>> [round(value, 4) for value in evidence]  # log((2 + 1) / (3 + 2) / ((0 + 1) / (1 + 2)))
    [0.5878, 0.0]
    """

    columns: Columns = field(default_factory=categories)
    weight: float = 1.0
    cross: int = 1
    most_classes: int = MOST_CLASSES

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        crossed((), self.cross)
        check_classes(self.most_classes)
        check_weight(self.weight)
        if self.weight == 0:
            raise SettingError(f"weight={self.weight!r}; it takes more than 0 rows.")

    @property
    def operation(self) -> str:
        """A weight of evidence."""
        return TARGET_WOE

    @property
    def reads_squares(self) -> bool:
        """None."""
        return False

    def numbers(self, tally: Tally) -> NDArray[np.float64]:
        """Return weights of evidence."""
        return evidence(tally, self.weight)

    def learn(self, train: Training) -> Queries:
        """Ask for the count of each label by level."""
        if is_number(train, train.target_for(self)):
            raise SettingError("EncodeWoe weighs the evidence for a label, and the target is a number.")
        return ask(self, train)

    def fitted(self, learned: Learned, train: Training) -> list[LevelsEncoded]:
        """Weigh all training rows."""
        return encoded(self, learned, train)

    def out_of_fold(self, parts: Sequence[Fitted], learned: Learned, train: Training) -> list[Fitted]:
        """Weigh other folds, or earlier ones."""
        return faces(self, parts, learned, train)


@dataclass(frozen=True, slots=True)
class EncodeTargetSpread:
    """Encode categories by how much the target varies inside them, pulled towards its variance over all rows.

    variance = (sum of squared distances to the level's mean + weight * variance of all) / (count + weight)

    Null is a level; unseen levels get the spread of all. Training rows get the same from other folds, as with
    `encode_target`.

    Args:
        columns: Names or a selector.
        statistic: "std", or "var" for the variance.
        weight: Strength of the pull, in rows; 0 turns it off, and a level of one row has no spread.
        cross: How many columns make a level together.
        most_classes: Labels that get a column, the most frequent ones.

    Raises: SettingError: a setting has no meaning.

    >>> import polars as pl
    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"city": ["Rom", "Rom", "Ulm", "Ulm"], "price": [1.5, 2.5, 6.0, 9.0]})
    >>> fitted = Recipe(EncodeTargetSpread("city", weight=0)).fit(frame, target="price")
    >>> fitted.apply(frame).collect()["city|target_std"].to_list()
    [0.5, 0.5, 1.5, 1.5]
    """

    columns: Columns = field(default_factory=categories)
    statistic: str = "std"
    weight: float = WEIGHT
    cross: int = 1
    most_classes: int = MOST_CLASSES

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        crossed((), self.cross)
        check_classes(self.most_classes)
        check_weight(self.weight)
        if f"target_{self.statistic}" not in SPREADS:
            raise SettingError(f"statistic={self.statistic!r}; it takes 'std' or 'var'.")

    @property
    def operation(self) -> str:
        """A spread."""
        return f"target_{self.statistic}"

    @property
    def reads_squares(self) -> bool:
        """Always."""
        return True

    def numbers(self, tally: Tally) -> NDArray[np.float64]:
        """Return variances or their roots."""
        return spreads(tally, self.weight, root=self.operation == TARGET_STD)

    def learn(self, train: Training) -> Queries:
        """Ask for sums and squares of the target by level."""
        return ask(self, train)

    def fitted(self, learned: Learned, train: Training) -> list[LevelsEncoded]:
        """Measure all training rows."""
        return encoded(self, learned, train)

    def out_of_fold(self, parts: Sequence[Fitted], learned: Learned, train: Training) -> list[Fitted]:
        """Measure other folds, or earlier ones."""
        return faces(self, parts, learned, train)
