"""Whether whole series come back to a level: the augmented Dickey-Fuller test.

Functions as in `values`: (series, points) in, (series,) out; names and values of tsfresh.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.extras import load

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    Matrix: TypeAlias = NDArray[np.float64]
    Floats: TypeAlias = NDArray[np.float64]

# Of one series and a constant: the surfaces of MacKinnon (1994), table 3, as polynomials from the constant up, which of
# them counts, and where there is nothing more to tell.
SMALL, LARGE = (2.1659, 1.4412, 0.038269), (1.7339, 0.93202, -0.12745, -0.010368)
TURN, LEAST, GREATEST = -1.61, -18.83, 2.74


def augmented_dickey_fuller(X: Matrix, kept: dict[str, Any], attr: str, autolag: str) -> Floats:
    """Test for a unit root, with as many lagged changes as AIC likes best: the teststat, its pvalue, or the usedlag.

    change_t = constant + level * x_(t-1) + lags of the change; the statistic is the level's t. NaN of equal values and
    of series too short for a lag.

    Source: Dickey, Fuller (1979), J. American Statistical Association 74, 427-431; MacKinnon (1994), J. Business and
        Economic Statistics 12, 167-176.
    """
    key = f"unit root {autolag}"
    if key not in kept:
        kept[key] = _tested(X)
    t, used = kept[key]
    if attr == "usedlag":
        return used
    return t if attr == "teststat" else _p_values(t)


def _tested(X: Matrix) -> tuple[Floats, Floats]:
    n = X.shape[1]
    most = min(n // 2 - 2, ceil(12 * (n / 100) ** 0.25))
    t, used = np.full(len(X), np.nan), np.full(len(X), np.nan)
    moving = np.flatnonzero(np.ptp(X, axis=1) > 0)
    if most < 0 or not len(moving):
        return t, used
    used[moving] = _best_lags(X[moving], most)
    for lags in np.unique(used[moving]).astype(int):
        own = np.flatnonzero(used == lags)
        t[own] = _statistic(X[own], lags)
    return t, used


def _best_lags(X: Matrix, most: int) -> Floats:
    """Return the number of lags with the least AIC, of fits to the same points."""
    rows, change = _regressors(X, most)
    q, _ = np.linalg.qr(rows)
    left = change
    criteria = []
    for at in range(rows.shape[2]):
        left = left - q[:, :, at] * (q[:, :, at] * left).sum(axis=1, keepdims=True)
        criteria.append(left.shape[1] * np.log((left * left).sum(axis=1)) + 2 * (at + 1))
    return np.argmin(criteria[1:], axis=0).astype(np.float64)


def _statistic(X: Matrix, lags: int) -> Floats:
    """Return the level's t, of all points that so many lags leave."""
    rows, change = _regressors(X, lags)
    # The level last: its share of the changes is then what no other column says.
    rows = np.concatenate([rows[:, :, :1], rows[:, :, 2:], rows[:, :, 1:2]], axis=2)
    q, r = np.linalg.qr(rows)
    share = (q * change[:, :, None]).sum(axis=1)
    left = change - (q @ share[:, :, None])[:, :, 0]
    sigma = np.sqrt((left * left).sum(axis=1) / (rows.shape[1] - rows.shape[2]))
    return share[:, -1] * np.sign(r[:, -1, -1]) / sigma


def _regressors(X: Matrix, lags: int) -> tuple[NDArray[np.float64], Matrix]:
    """Return (series, points, 2 + lags) a constant, the level before and changes before that; and the changes."""
    changes = np.diff(X, axis=1)
    n = changes.shape[1]
    columns = [np.ones((len(X), n - lags)), X[:, lags:-1]]
    columns += [changes[:, lags - lag : n - lag] for lag in range(1, lags + 1)]
    return np.stack(columns, axis=2), changes[:, lags:]


def _p_values(t: Floats) -> Floats:
    polynomial = np.polynomial.polynomial.polyval
    found = load("scipy.special").ndtr(np.where(t <= TURN, polynomial(t, SMALL), polynomial(t, LARGE)))
    return np.where(t > GREATEST, 1.0, np.where(t < LEAST, 0.0, found))
