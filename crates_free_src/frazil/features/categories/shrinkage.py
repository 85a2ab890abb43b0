"""What a tally says of each level: means pulled towards the mean of all, weights of evidence, spreads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from frazil.features.categories.tallies import quietly, ratio
from frazil.features.plain import rounded
from frazil.features.values import finite32

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from frazil.features.categories.tallies import Tally

EMPIRICAL_BAYES, JAMES_STEIN, BY_LEVEL = "empirical_bayes", "james_stein", "by_level"
RULES = (EMPIRICAL_BAYES, JAMES_STEIN, BY_LEVEL)  # how a weight is learned


def priors(tally: Tally) -> NDArray[np.float64]:
    """Return the mean of all levels, (labels, 1, folds); NaN where a fold has no rows."""
    return ratio(tally.sums.sum(axis=1), tally.counts.sum(axis=0), np.nan)[:, None, :]


@quietly
def shrunken_means(tally: Tally, weight: float) -> NDArray[np.float64]:
    """Pull each level's target mean towards the overall mean; the field calls it the M-estimate.

    shrunken = (sum + weight * prior) / (count + weight)

    Args:
        tally: Count and sums; the prior is that of all its levels, fold by fold.
        weight: Strength of the pull, in rows.

    Returns: (labels, places, folds) float64; NaN where a fold has no rows, and the prior where a level has none.
    """
    prior = priors(tally)
    sums, weights = tally.sums + weight * prior, tally.counts + weight
    means: NDArray[np.float64] = np.divide(
        sums, weights, out=np.broadcast_to(prior, sums.shape).copy(), where=weights > 0
    )
    return means


@quietly
def learned_means(tally: Tally, rule: str) -> NDArray[np.float64]:
    """Pull each level's target mean towards the overall mean by as much as the data say.

    shrunken = mean + pull * (prior - mean), with `within` the pooled variance inside levels (the analysis of
    variance's mean square), `between` the variance of the levels' true means (its unbiased estimate, 0 at least), and
    v = within / count:

    - empirical_bayes: pull = v / (v + between), which is a weight of within / between rows.
    - james_stein: (levels - 3) / (levels - 1) of that pull; none with three levels or fewer. Where all counts are
      equal this is the estimate of James and Stein, positive part.
    - by_level: pull = v / (v + total), with v of the level's own variance and the variance of all targets, as
      scikit-learn's `TargetEncoder(smooth="auto")`.

    Args:
        tally: With its squares.
        rule: Which.

    Returns: as `shrunken_means`.
    Source: Bühlmann, Gisler (2005), A Course in Credibility Theory, 4.8; Efron, Hastie (2016), Computer Age
        Statistical Inference, equation 7.20; Micci-Barreca (2001), SIGKDD Explorations 3(1), 27-32.
    """
    squares = tally.squares if tally.squares is not None else np.zeros(tally.sums.shape)
    prior, counts = priors(tally), tally.counts
    means = ratio(tally.sums, counts)
    if rule == BY_LEVEL:
        rows = counts.sum(axis=0)
        total = ratio((squares + counts * (means - prior) ** 2).sum(axis=1), rows)[:, None, :]
        pull = _pull(ratio(ratio(squares, counts), counts), total)
    else:
        within, between = _variances(counts, means, prior, squares)
        pull = _pull(ratio(np.broadcast_to(within, means.shape), counts), between)
        if rule == JAMES_STEIN:
            levels = (counts > 0).sum(axis=0)
            pull = pull * np.where(levels > 3, (levels - 3) / np.maximum(levels - 1, 1), 0.0)
    return np.where(counts > 0, means + pull * (prior - means), prior)


def _pull(variance: NDArray[np.float64], between: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of the way to the prior; where nothing varies at all there is no way to go."""
    return ratio(np.broadcast_to(variance, np.broadcast_shapes(variance.shape, between.shape)), variance + between)


def _variances(
    counts: NDArray[np.float64], means: NDArray[np.float64], prior: NDArray[np.float64], squares: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the variances within and between levels, (labels, 1, folds) each.

    Without a level of two rows nothing is known of the variance within; then all is taken to be within.
    """
    rows, levels = counts.sum(axis=0), (counts > 0).sum(axis=0)
    apart = (counts * (means - prior) ** 2).sum(axis=1)
    within = ratio(squares.sum(axis=1), rows - levels)
    spread = rows - ratio((counts**2).sum(axis=0), rows)
    between = np.maximum(ratio(apart - (levels - 1) * within, spread), 0.0)
    single = rows <= levels
    within = np.where(single, ratio(apart, np.maximum(levels - 1, 0).astype(np.float64)), within)
    return within[:, None, :], np.where(single, 0.0, between)[:, None, :]


def evidence(tally: Tally, weight: float) -> NDArray[np.float64]:
    """Return each level's weight of evidence.

    evidence = log(((events + weight) / (all events + 2 weight)) / ((others + weight) / (all others + 2 weight)))

    Args:
        tally: Of labels.
        weight: Rows added to each side, above 0.

    Returns: (labels, places, folds) float64; 0 where a level has no rows, NaN where a fold has none.
    """
    events, others = tally.sums, tally.counts - tally.sums
    shares = [(side + weight) / (side.sum(axis=1, keepdims=True) + 2 * weight) for side in (events, others)]
    known = np.where(tally.counts > 0, np.log(shares[0] / shares[1]), 0.0)
    return np.where(tally.counts.sum(axis=0) > 0, known, np.nan)


@quietly
def spreads(tally: Tally, weight: float, *, root: bool) -> NDArray[np.float64]:
    """Return each level's variance or standard deviation, pulled towards that of all rows.

    variance = (squares + weight * variance of all) / (count + weight)

    Args:
        tally: With its squares, about the means of its levels.
        weight: Strength of the pull, in rows.
        root: Whether to take the square root.

    Returns: as `shrunken_means`.
    """
    squares = tally.squares if tally.squares is not None else np.zeros(tally.sums.shape)
    away = ratio(tally.sums, tally.counts) - priors(tally)
    total = ratio((squares + tally.counts * away**2).sum(axis=1), tally.counts.sum(axis=0), np.nan)[:, None, :]
    weights = np.broadcast_to(tally.counts + weight, squares.shape)
    known = np.divide(
        squares + weight * total, weights, out=np.broadcast_to(total, squares.shape).copy(), where=weights > 0
    )
    return np.sqrt(known) if root else known


def table(means: NDArray[np.float64]) -> pl.DataFrame:
    """Lay (labels, places, folds) numbers out as one Float32 column a label, a place's folds together.

    NaN, and what float32 can't hold, is null.
    """
    flat = rounded(means).reshape(len(means), -1)
    wide = pl.DataFrame([pl.Series(str(at), row) for at, row in enumerate(flat)])
    return wide.select(finite32(pl.all()).name.keep())
