"""Numbers cut into bins by what they say of the target, out-of-fold for training rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.extras import load
from frazil.features.contract import Columns, Feature, Kind, LeakClass, Learned, Queries, Scope, Training
from frazil.features.numbers.bins import bin_of, check_rising
from frazil.features.numbers.reading import KINDS, check_at_least, finite, is_real, kinds, numbers, read, sample
from frazil.features.plain import check_known, checked, less_words, rounded, target_parameters, written
from frazil.features.values import finite32
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from frazil.features.contract import Fitted, Target

TREE_ROWS = 50_000
LEAST_SHARE = 0.02  # of the rows in a bin; scorecards ask for 2 to 5 %
WEIGHT = 10.0  # as in `EncodeTarget`
WOE, MEAN = "bin_woe", "bin_mean"
LEFT_OUT = ("values", "fold", "by_fold")


@dataclass(frozen=True, slots=True)
class BinTarget:
    """Cut number columns into bins that tell the target apart, and give each bin what it says of it.

    Edges are those of a regression tree; the value of a bin is, of a class, its weight of evidence, and of a number its
    mean, pulled towards that of all:

    share = (sum + weight * prior) / (count + weight), evidence = log(share / (1 - share)) - log(prior / (1 - prior))

    One column for a number or two classes, one a label for more. What is missing or not finite makes a bin of its own;
    where training has none, it gets what the prior says (evidence 0). `fit_train` gives training rows edges and values
    from other folds only; where these have no rows at all it is null.

    Args:
        columns: Names or a selector.
        bins: How many at most, beside that of what is missing.
        monotone: Whether neighbouring bins are joined until values only rise or only fall, whichever costs less.
        least_share: Of the rows with a value that a bin has at least.
        weight: Strength of the pull, in rows.
        most_rows: How many training rows are learned from, spread evenly.

    Raises: SettingError: bins are below 2, least_share is not 0 to 0.5, weight is not above 0, most_rows below 1, or
        `monotone` is asked for more than two classes.
    Source: Siddiqi (2006), Credit Risk Scorecards; de Leeuw, Hornik, Mair (2009), J. Stat. Software 32(5) (joining).

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"price": [1.0, 2.0, 3.0, 7.0, 8.0, 9.0, None], "y": [0, 0, 1, 1, 1, 1, 0]})
    >>> recipe = Recipe(BinTarget("price", bins=2, weight=1.0))
    >>> made = recipe.fit(frame, target="y").apply(frame).collect()["price|bin_woe"]
    >>> [round(value, 2) for value in made]
    [-1.73, -1.73, 2.08, 2.08, 2.08, 2.08, -1.2]
    """

    columns: Columns = field(default_factory=numbers)
    bins: int = 8
    monotone: bool = False
    least_share: float = LEAST_SHARE
    weight: float = WEIGHT
    most_rows: int = TREE_ROWS

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        check_at_least(self, 2, "bins")
        check_at_least(self, 1, "most_rows")
        if not (is_real(self.least_share) and 0 <= self.least_share <= 0.5):
            raise SettingError(f"least_share={self.least_share!r}; it takes 0 to 0.5.")
        if not (is_real(self.weight) and self.weight > 0):
            raise SettingError(f"weight={self.weight!r}; it takes a number of rows above 0.")

    def learn(self, train: Training) -> Queries:
        """Ask for a sample of rows with their targets and folds."""
        target = train.target_for(self)
        if self.monotone and len(target.values) > 1:
            raise SettingError(f"monotone=True; with {len(target.values)} classes there is no one value to rise.")
        names = train.columns(self.columns, KINDS, self)
        beside = {f"y{at}": value.cast(pl.Float64) for at, value in enumerate(target.values.values())}
        fold = pl.lit(0) if train.fold is None else column(train.fold)
        return {"sample": sample(read(train, names, **beside, fold=fold.cast(pl.Int64)), self.most_rows)}

    def fitted(self, learned: Learned, train: Training) -> list[BinsValued]:
        """Learn edges and values of all rows."""
        names, target = train.columns(self.columns, KINDS, self), train.target_for(self)
        operation = _operation(train, target)
        labels = tuple(target.values)
        rows = _Rows.of(learned["sample"], len(labels))
        made = []
        for at, (source, kind) in enumerate(zip(names, kinds(train, names), strict=True)):
            own = tuple(train.named(source, f"{operation}_{label}" if label else operation) for label in labels)
            edges, values = self._learned(rows, at, operation)
            made.append(BinsValued(source, kind, operation, own, labels, edges, values, target.offset))
        return made

    def out_of_fold(self, parts: Sequence[Fitted], learned: Learned, train: Training) -> list[Fitted]:
        """Learn edges and values of other folds, or of earlier ones."""
        own = [part for part in parts if isinstance(part, BinsValued)]
        rows = _Rows.of(learned["sample"], len(train.target_for(self).values))
        n_folds = int(rows.folds.max(initial=0)) + 1
        others = [rows.only(rows.folds < fold if train.forward else rows.folds != fold) for fold in range(n_folds)]
        others.append(rows)  # of a fold that the sample has no row of
        faces: list[Fitted] = []
        for at, part in enumerate(own):
            found = (self._learned(other, at, part.operation) for other in others)
            by_fold = tuple(replace(part, edges=edges, values=values) for edges, values in found)
            faces.append(replace(part, fold=str(train.fold), by_fold=by_fold))
        return faces

    def _learned(self, rows: _Rows, at: int, operation: str) -> tuple[tuple[float, ...], NDArray[np.float64]]:
        """Return the edges, and (labels, places) values; the last place is that of what is missing."""
        x, targets = rows.values[at], rows.targets
        there = ~np.isnan(x)
        edges = _tree_edges(x[there], targets[there], self.bins, self.least_share)
        places = np.where(there, np.searchsorted(edges, x, side="right"), len(edges) + 1)
        with np.errstate(all="ignore"):
            if self.monotone:
                edges, places = _joined(edges, places, targets[:, 0], self.weight)
            return tuple(edges.tolist()), _values(places, targets, len(edges) + 2, self.weight, operation)


@dataclass(frozen=True, slots=True, eq=False)
class BinsValued:
    """What the bin of a number says of the target.

    Args:
        source: The column.
        kind: Kind of its type.
        operation: "bin_woe" or "bin_mean".
        names: The generated columns.
        labels: What each counts of the target; empty where there is nothing to tell apart.
        edges: Where bins meet, rising.
        values: (names, bins + 1) float64; NaN where nothing is known. The last is that of what is missing.
        offset: What is taken off of numbers of the target, and is not in the values; in its unit.
        fold: The column of fold numbers that training rows are looked up by; empty for new rows.
        by_fold: The same learned without each fold, and at last with all.
    """

    source: str
    kind: str
    operation: str
    names: tuple[str, ...]
    labels: tuple[str, ...]
    edges: tuple[float, ...]
    values: NDArray[np.float64]
    offset: float = 0.0
    fold: str = ""
    by_fold: tuple[BinsValued, ...] = ()
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what is not known, edges that do not rise, and values that are not one a bin."""
        check_known("kind", [self.kind], KINDS)
        check_known("operation", [self.operation], (WOE, MEAN))
        check_rising(self.source, self.edges)
        if self.values.shape != (len(self.names), len(self.edges) + 2) or len(self.labels) != len(self.names):
            raise ValueError(f"{self.source!r} has values of shape {self.values.shape} for {len(self.edges)} edges")

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number a label."""
        says = "the weight of evidence of" if self.operation == WOE else "the mean target in"
        return tuple(
            Feature(
                name=name,
                sources=(self.source,),
                operation=self.operation,
                parameters={"bins": len(self.edges) + 1} | target_parameters(label, self.offset),
                dtype=pl.Float32(),
                description=f"{says} the bin that {self.source} is in"
                + (f", for label {label}" if label else "")
                + less_words(self.offset),
                leak=LeakClass.TARGET,
            )
            for name, label in zip(self.names, self.labels, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Look the values of each row's bin up."""
        parts = self.by_fold or (self,)
        looked = [part.looked_up() for part in parts]
        fold = column(self.fold) if self.fold else pl.lit(0)
        return frame.with_columns(
            reduce(
                lambda value, at: pl.when(fold == at).then(looked[at][place]).otherwise(value),
                range(len(parts) - 1),
                looked[-1][place],
            ).alias(name)
            for place, name in enumerate(self.names)
        )

    def looked_up(self) -> list[pl.Expr]:
        """Return one expression a name, without regard to folds."""
        value = finite(self.source, Kind(self.kind))
        place = pl.when(value.is_null()).then(len(self.edges) + 1).otherwise(bin_of(value, self.edges))
        place = place.cast(pl.UInt32)
        return [finite32(pl.lit(pl.Series(row, nan_to_null=True)).gather(place)) for row in self.values]

    def select(self, names: Collection[str]) -> Self:
        """Keep the columns of these names."""
        kept = [at for at, name in enumerate(self.names) if name in names]
        own, labels = tuple(self.names[at] for at in kept), tuple(self.labels[at] for at in kept)
        by_fold = tuple(part.select(names) for part in self.by_fold)
        return replace(self, names=own, labels=labels, values=self.values[kept], by_fold=by_fold)

    def spec(self) -> dict[str, Any]:
        """Return all but the values."""
        return written(self, leave_out=LEFT_OUT)

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return one row a bin, then that of what is missing."""
        return {"bins": pl.DataFrame([pl.Series(str(at), row) for at, row in enumerate(self.values)])}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        plain = checked(cls, {"offset": 0.0, **spec}, leave_out=LEFT_OUT)
        values = tables["bins"].select(pl.col(str(at)).cast(pl.Float64) for at in range(len(plain["names"])))
        return cls(**plain, values=values.to_numpy().T)


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Sampled rows that have a target.

    Args:
        values: (columns, rows) float64; NaN where missing.
        targets: (rows, labels) float64.
        folds: (rows,) whole numbers.
    """

    values: NDArray[np.float64]
    targets: NDArray[np.float64]
    folds: NDArray[np.int64]

    @classmethod
    def of(cls, df: pl.DataFrame, labels: int) -> Self:
        df = df.filter(pl.col("y0").is_not_null())
        targets = df.select(f"y{at}" for at in range(labels))
        values = df.drop("fold", *targets.columns)
        rows = np.array([values.to_numpy() for values in values.get_columns()], np.float64)
        return cls(rows.reshape(values.width, df.height), targets.to_numpy(), df.get_column("fold").to_numpy())

    def only(self, kept: NDArray[np.bool_]) -> _Rows:
        return _Rows(self.values[:, kept], self.targets[kept], self.folds[kept])


def _operation(train: Training, target: Target) -> str:
    (dtype, *_) = (
        train.frame.select(value.alias(str(at)) for at, value in enumerate(target.values.values()))
        .collect_schema()
        .dtypes()
    )
    return WOE if dtype.is_integer() else MEAN


def _tree_edges(
    x: NDArray[np.float64], targets: NDArray[np.float64], bins: int, least_share: float
) -> NDArray[np.float64]:
    """Return the edges that a tree splits at, half-way between values."""
    # Trees read float32, which holds the ranks of values where it may not tell the values apart.
    known, ranks = np.unique(x, return_inverse=True)
    spread = np.abs(targets).max(initial=0)
    if len(known) < 2 or not spread > 0:
        return np.empty(0)
    least = max(1, int(np.ceil(least_share * len(x))))
    tree = load("sklearn.tree").DecisionTreeRegressor(max_leaf_nodes=bins, min_samples_leaf=least, random_state=0)
    found = tree.fit(ranks.reshape(-1, 1).astype(np.float32), targets / spread).tree_
    above = np.unique(np.ceil(found.threshold[found.feature >= 0])).astype(int)
    middle = known[above - 1] / 2 + known[above] / 2
    edges: NDArray[np.float64] = np.where(middle > known[above - 1], middle, known[above])
    return edges


def _joined(
    edges: NDArray[np.float64], places: NDArray[np.int64], target: NDArray[np.float64], weight: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Join neighbouring bins until their shrunken means only rise or only fall."""
    fit = load("scipy.optimize").isotonic_regression
    rising = None
    # Joined bins are pulled less than each of them was, so that their neighbours may have to be joined with them.
    while len(edges):
        n = len(edges) + 1
        counts = np.bincount(places, minlength=n + 1)[:n]
        means = _means(places, target, n + 1, weight)[:n]
        if not np.isfinite(means).all():
            break
        if rising is None:
            lost = [((fit(means, weights=counts, increasing=up).x - means) ** 2 @ counts) for up in (True, False)]
            rising = bool(lost[0] <= lost[1])
        blocks = fit(means, weights=counts, increasing=rising).blocks
        if len(blocks) == n + 1:
            break
        after = np.append(np.searchsorted(blocks, np.arange(n), side="right") - 1, len(blocks) - 1)
        edges, places = edges[blocks[1:-1] - 1], after[places]
    return edges, places


def _values(
    places: NDArray[np.int64], targets: NDArray[np.float64], n_places: int, weight: float, operation: str
) -> NDArray[np.float64]:
    """Return (labels, places) evidence or means; NaN where there are no rows at all."""
    values = np.full((targets.shape[1], n_places), np.nan)
    for at, target in enumerate(targets.T if len(targets) else []):
        means = _means(places, target, n_places, weight)
        values[at] = means if operation == MEAN else _logit(means, target.mean())
    return rounded(values)


def _means(places: NDArray[np.int64], target: NDArray[np.float64], n_places: int, weight: float) -> NDArray[np.float64]:
    """Return (places,) means of the target, pulled towards that of all."""
    pulled = np.bincount(places, target, minlength=n_places) + weight * target.mean()
    means: NDArray[np.float64] = pulled / (np.bincount(places, minlength=n_places) + weight)
    return means


def _logit(share: NDArray[np.float64], prior: float) -> NDArray[np.float64]:
    """Return the evidence; none where training has one class only."""
    if not 0 < prior < 1:
        return np.zeros(len(share))
    evidence: NDArray[np.float64] = np.log(share / (1 - share)) - np.log(prior / (1 - prior))
    return evidence
