"""Posteriors put their weight where the differences are."""

from __future__ import annotations

import numpy as np
import pytest

from frazil.errors import InputError, SettingError
from frazil.stats import bayesian_correlated_t, bayesian_signed_rank, corrected_resampled_t

DIFFERENCES = np.array([0.02, -0.01, 0.03, 0.02, 0.01])


def figures(result):
    return (result.left, result.rope, result.right)


def test_without_a_region_it_is_the_one_sided_p_of_the_corrected_test():
    expected = corrected_resampled_t(DIFFERENCES, 0.25, alternative="greater").p_value
    assert bayesian_correlated_t(DIFFERENCES, 0.25).left == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "rope", "expected"),
    [
        (42, 2, (0, 0, 1)), (2, 2, (0, 1, 0)), (0, 2, (0, 1, 0)), (-2, 2, (0, 1, 0)), (-42, 2, (1, 0, 0)),
        (42, 0, (0, 0, 1)), (0, 0, (0.5, 0, 0.5)), (-42, 0, (1, 0, 0)),
    ],
)  # fmt: skip
def test_differences_that_are_all_the_same_lie_where_they_are(value, rope, expected):
    assert figures(bayesian_correlated_t(np.full(4, float(value)), 0.25, rope)) == expected


@pytest.mark.parametrize("posterior", [lambda d, rope: bayesian_correlated_t(d, 0.25, rope), bayesian_signed_rank])
def test_turning_the_models_round_turns_the_probabilities_round(posterior):
    one, turned = posterior(DIFFERENCES, 0.01), posterior(-DIFFERENCES, 0.01)
    assert figures(one) == pytest.approx(figures(turned)[::-1], abs=0.01)
    assert sum(figures(one)) == pytest.approx(1)


def test_draws_come_from_the_seed_and_not_from_the_size_of_a_batch(monkeypatch):
    first, other = (bayesian_signed_rank(DIFFERENCES, 0.01, draws=500, seed=seed) for seed in (1, 2))
    assert first != other
    monkeypatch.setattr("frazil.stats.bayesian.DRAWS_AT_ONCE", 100)
    assert bayesian_signed_rank(DIFFERENCES, 0.01, draws=500, seed=1) == first


def test_settings_without_a_meaning_are_refused():
    with pytest.raises(SettingError, match="rope=-1; it takes 0 or more"):
        bayesian_correlated_t(DIFFERENCES, 0.25, -1)
    with pytest.raises(SettingError, match="prior=0; it takes"):
        bayesian_signed_rank(DIFFERENCES, prior=0)
    with pytest.raises(InputError, match="1 of 2 differences are not finite"):
        bayesian_signed_rank(np.array([np.nan, 1.0]))
