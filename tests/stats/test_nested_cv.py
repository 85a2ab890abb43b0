"""The nested interval is that of the authors' code, and covers where the plain one does not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from frazil.errors import InputError, SettingError
from frazil.seeding import child_seed
from frazil.stats import nested_cv_interval

TABLE = np.random.default_rng(0).normal(size=(53, 5))
TARGET = TABLE.sum(axis=1) + np.random.default_rng(1).normal(size=53)


def squared_errors(table, target):
    def losses(train, test):
        slopes = np.linalg.lstsq(table[train], target[train], rcond=None)[0]
        return (target[test] - table[test] @ slopes) ** 2

    return losses


def by_hand(losses, rows, k, repeats, seed):
    """Follow nested_cv of stephenbates19/nestedcv, R/core.R, with its plain folds those of the outer loop."""
    generator = np.random.default_rng(child_seed(seed, "nested cv"))
    a, b, held_out, plain = [], [], [], []
    for _ in range(repeats):
        fold = np.empty(rows, int)
        for place, part in enumerate(np.array_split(generator.permutation(rows), k)):
            fold[part] = place
        errors = {}
        for one in range(k):
            for other in set(range(k)) - {one}:
                errors[one, other] = losses(
                    np.flatnonzero((fold != one) & (fold != other)), np.flatnonzero(fold == one)
                )
                held_out.extend(errors[one, other])
        for one in range(k):
            own = losses(np.flatnonzero(fold != one), np.flatnonzero(fold == one))
            plain.extend(own)
            inner = np.concatenate([errors[other, one] for other in range(k) if other != one])
            a.append(inner.mean() - own.mean())
            b.append(own.var(ddof=1) / len(own))
    sd = np.std(held_out, ddof=1)
    inflation = math.sqrt(max(0, np.mean(np.square(a) - b))) / (sd / math.sqrt(rows * (k - 1) / k))
    inflation = max(1, min(inflation, math.sqrt(k)))
    bias = (np.mean(held_out) - np.mean(plain)) * (1 + ((k - 2) / k) ** 1.5)
    mean = np.mean(held_out) - bias
    reach = 1.6448536269514722 * sd / math.sqrt(rows) * inflation
    return mean, mean - reach, mean + reach, inflation, bias


@pytest.mark.parametrize(("folds", "seed"), [(4, 0), (5, 3)])
def test_it_gives_what_the_authors_code_does(folds, seed):
    losses = squared_errors(TABLE, TARGET)
    found = nested_cv_interval(losses, 53, folds=folds, repeats=3, level=0.9, seed=seed)
    expected = by_hand(losses, 53, folds, 3, seed)
    assert (found.mean, found.low, found.high, found.inflation, found.bias) == pytest.approx(expected)


def test_losses_that_no_training_touches_keep_the_plain_width():
    given = np.random.default_rng(2).exponential(size=200)
    found = nested_cv_interval(lambda _train, test: given[test], 200, folds=5, repeats=20)
    assert found.mean == pytest.approx(given.mean())
    assert found.bias == pytest.approx(0, abs=1e-12)
    assert (found.high - found.low) / 2 == pytest.approx(
        1.96 * found.inflation * given.std(ddof=1) / math.sqrt(200), rel=1e-2
    )


def test_it_covers_the_true_error_where_the_plain_interval_falls_short():
    """Least squares with half as many columns as rows: the case of many columns of the paper, in small."""
    nested = plain = 0
    for seed in range(60):
        generator = np.random.default_rng(seed)
        table, noise = generator.normal(size=(50, 20)), generator.normal(size=50)
        losses = squared_errors(table, noise)
        true = 1 + (np.linalg.lstsq(table, noise, rcond=None)[0] ** 2).sum()
        found = nested_cv_interval(losses, 50, folds=5, repeats=6, level=0.9, seed=seed)
        width = (found.high - found.low) / 2 / found.inflation
        nested += found.low <= true <= found.high
        plain += abs(found.mean + found.bias / (1 + 0.6**1.5) - true) <= width
    assert nested / 60 >= 0.83
    assert nested > plain


def test_a_learner_that_gives_no_losses_is_refused():
    with pytest.raises(InputError, match=r"losses of shape \(\); it takes 20 finite ones"):
        nested_cv_interval(lambda _train, _test: 1.0, 30, folds=3)
    with pytest.raises(InputError, match="9 rows are too few for 5 folds; it takes 10 or more"):
        nested_cv_interval(lambda _train, test: test * 1.0, 9, folds=5)


def test_settings_without_a_meaning_are_refused():
    with pytest.raises(SettingError, match="folds=2; it takes 3 or more, as two of them"):
        nested_cv_interval(lambda _train, test: test * 1.0, 30, folds=2)
    with pytest.raises(SettingError, match="repeats=0; it takes 1 or more"):
        nested_cv_interval(lambda _train, test: test * 1.0, 30, repeats=0)
