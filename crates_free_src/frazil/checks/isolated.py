"""Rows far from all others in several number columns together, though each value alone may be usual."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from frazil.checks.codes import found
from frazil.checks.numbers import expected_beyond, marked_by_zero, outliers, possible_for
from frazil.checks.quality import SENTINELS
from frazil.errors import listed
from frazil.extras import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from frazil.checks.findings import Finding
    from frazil.checks.look import Look

LEAST_ROWS = 100
MOST_ROWS = 20_000
MOST_COLUMNS = 60
DIFFERING = 0.05  # share of a column's values that are not its median: where fewer are, each of them is far from it
SET_ASIDE = 0.01  # share of the rows, the most isolated ones, that the shape of the others is measured without
TREES, ROWS_A_TREE = 100, 256  # Liu et al. found no gain from more
SEED = 0
POSSIBLE = 1.0  # expected rows as far out as the farthest, before any is set aside; with more, there is nothing to see
EXPECTED = 0.05  # likewise afterwards: more than chance gives
APART = 1.5  # times as far out as any row before
FLAT = 1e-6  # variance of a direction against that of the widest; in a flatter one lies nothing but rounding
MOST_NAMES, LEAST_SHARE = 3, 0.1  # columns that are named, and their share of the squared distance


def check_isolation(look: Look) -> Iterator[Finding]:
    """Look for rows far from all others in several columns together, on some rows of the sample.

    An isolation forest picks the most isolated 1 %. The others' mean and covariance give each row a distance; rows
    beyond a gap, where the tail of the distances would have fewer than 0.05 rows, are told of. What the checks of
    single columns tell of (values far out or impossible, marks of missing values) counts as the median here.

    Source: Liu, Ting and Zhou (2008), Isolation Forest, ICDM; for trimming before the covariance is measured: Rousseeuw
    and Van Driessen (1999), Technometrics 41(3).
    """
    names, values = _usual(look)
    if len(names) < 2 or len(values) < LEAST_ROWS:
        return
    whole = _squared_parts(values, np.ones(len(values), bool)).sum(axis=1)
    distances = np.sqrt(np.maximum(whole, 0.0))
    if expected_beyond(distances.max(), distances) > POSSIBLE:
        return
    parts = _squared_parts(values, ~_most_isolated(values))
    distances = np.sqrt(np.maximum(parts.sum(axis=1), 0.0))
    line = _gap(distances)
    if line is None:
        return
    far = distances >= line
    shares = parts[far].sum(axis=0) / parts[far].sum()
    most = [names[at] for at in np.argsort(-shares)[:MOST_NAMES] if shares[at] > LEAST_SHARE]
    times = line / distances[~far].max()
    evidence = (
        f"{np.count_nonzero(far):,} of {len(values):,} rows looked at lie {times:.1f} times as far out as any other,"
        f" mostly by {listed(most, 'and')}"
    )
    yield found("rows_isolated", None, evidence)


def _usual(look: Look) -> tuple[list[str], NDArray[np.float64]]:
    """Return number columns, and (rows, columns) their values, with the median for what is missing or told of alone.

    Columns that are one value but in few rows are left out.
    """
    step = max(1, -(-look.sample.height // MOST_ROWS))
    names, kept = [], []
    for name in look.numbers()[:MOST_COLUMNS]:
        values = look.array(name)[::step]
        odd = np.isnan(values)
        known = values[~odd]
        if len(known) < LEAST_ROWS:
            continue
        ends = {known.min(), known.max()} & set(SENTINELS)
        told = outliers(known) | np.isin(known, list(ends)) | (marked_by_zero(known) & (known == 0))
        if (possible := possible_for(name)) is not None:
            told |= possible.broken_by(known)
        odd[~odd] = told
        usual = values[~odd]
        if len(usual) and np.count_nonzero(usual != np.median(usual)) > DIFFERING * len(usual):
            names.append(name)
            kept.append(np.where(odd, np.median(usual), values))
    return names, np.column_stack(kept) if kept else np.empty((0, 0))


def _most_isolated(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return (rows,) which 1 % a forest isolates with the fewest cuts, along the directions in which the rows vary."""
    forest = load("sklearn.ensemble").IsolationForest(
        n_estimators=TREES, max_samples=min(ROWS_A_TREE, len(values)), random_state=SEED
    )
    turned = _turned(values, np.ones(len(values), bool))[0]
    score = -forest.fit(turned).score_samples(turned)
    picked: NDArray[np.bool_] = score >= np.quantile(score, 1 - SET_ASIDE)
    return picked


def _turned(
    values: NDArray[np.float64], measured: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Turn rows so that the measured ones have unit variance in every direction, and no correlation.

    Returns: (rows, directions) the turned rows; (rows, columns) the rows in standard deviations; and (columns,
        directions) what turns one into the other.
    """
    mean, deviation = values[measured].mean(axis=0), values[measured].std(axis=0)
    scaled = np.where(deviation > 0, values - mean, 0.0) / np.where(deviation > 0, deviation, 1.0)
    variances, directions = np.linalg.eigh(scaled[measured].T @ scaled[measured] / np.count_nonzero(measured))
    wide = variances > FLAT * variances.max()
    turn = directions[:, wide] / np.sqrt(variances[wide])
    return scaled @ turn, scaled, turn


def _squared_parts(values: NDArray[np.float64], measured: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return (rows, columns) each column's part of a row's squared distance (Mahalanobis) from the measured rows."""
    turned, scaled, turn = _turned(values, measured)
    parts: NDArray[np.float64] = scaled * (turned @ turn.T)
    return parts


def _gap(distances: NDArray[np.float64]) -> float | None:
    """Return the distance behind the first gap in the tail behind which hardly any row is expected; None without."""
    ordered = np.sort(distances)[-max(2, int(SET_ASIDE * len(distances)) + 1) :]
    for before, after in itertools.pairwise(ordered):
        if after >= APART * before and expected_beyond(after, distances) <= EXPECTED:
            return float(after)
    return None
