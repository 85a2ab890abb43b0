"""What the best of many looks better by is taken off again."""

from __future__ import annotations

import numpy as np
import pytest

from frazil.errors import InputError, SettingError
from frazil.metrics import METRICS
from frazil.seeding import child_seed
from frazil.stats import bootstrap_bias_corrected, expected_maximum, selection_optimism


def closeness(target, prediction):
    return -float(np.abs(target - prediction).mean())


def test_the_expected_best_is_what_drawing_gives():
    drawn = np.random.default_rng(0).normal(size=(20_000, 7)).max(axis=1)
    assert expected_maximum(7) == pytest.approx(drawn.mean(), abs=0.02)


def test_the_optimism_is_that_of_candidates_scored_on_the_same_rows():
    generator = np.random.default_rng(1)
    shared, own = generator.normal(size=(20_000, 1)), generator.normal(size=(20_000, 10))
    scores = 0.8 + 0.05 * (np.sqrt(0.6) * shared + np.sqrt(0.4) * own)
    assert selection_optimism(10, 0.05, 0.6) == pytest.approx(scores.max(axis=1).mean() - 0.8, abs=0.002)


def test_one_candidate_has_no_optimism():
    assert selection_optimism(1, 0.1) == pytest.approx(0, abs=1e-12)


def test_it_chooses_on_rows_drawn_and_scores_on_the_others():
    generator = np.random.default_rng(2)
    target, predictions = generator.normal(size=30), generator.normal(size=(4, 30))
    found = bootstrap_bias_corrected(closeness, target, list(predictions), resamples=50, seed=5)
    draws = np.random.default_rng(child_seed(5, "bias-corrected bootstrap"))
    honest = []
    for _ in range(50):
        drawn = draws.integers(0, 30, 30)
        best = max(predictions, key=lambda p, rows=drawn: closeness(target[rows], p[rows]))
        left = [row for row in range(30) if row not in drawn]
        honest.append(closeness(target[left], best[left]))
    assert found.honest_score == pytest.approx(np.mean(honest))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(honest, [0.025, 0.975])))


def test_of_equal_candidates_only_the_selection_score_is_too_good():
    selection, honest = [], []
    for seed in range(40):
        predictions = np.random.default_rng(seed).normal(size=(25, 60))
        found = bootstrap_bias_corrected(closeness, np.zeros(60), list(predictions), resamples=60, seed=seed)
        selection.append(found.selection_score)
        honest.append(found.honest_score)
    true = -np.sqrt(2 / np.pi)
    assert np.mean(selection) > true + 0.1
    assert np.mean(honest) == pytest.approx(true, abs=0.03)


def test_a_clear_winner_keeps_its_score():
    target = np.random.default_rng(0).integers(0, 2, 200)
    columns = [np.clip(target * k + (1 - k) * 0.5, 0.01, 0.99) for k in (0.0, 0.0, 0.5)]
    predictions = [np.column_stack([1 - p, p]) for p in columns]
    found = bootstrap_bias_corrected(METRICS["roc_auc"].score, target, predictions, resamples=50)
    assert (found.best, found.selection_score, found.honest_score) == (2, 1.0, 1.0)


def test_what_leaves_nothing_to_choose_is_refused():
    with pytest.raises(InputError, match="There are no candidates to choose from"):
        bootstrap_bias_corrected(closeness, np.zeros(3), [])
    with pytest.raises(InputError, match="target has 3, prediction has 2"):
        bootstrap_bias_corrected(closeness, np.zeros(3), [np.zeros(2)])
    with pytest.raises(InputError, match="undefined for every candidate"):
        bootstrap_bias_corrected(METRICS["roc_auc"].score, np.zeros(9, int), [np.full((9, 2), 0.5)])
    rare = np.array([1] + [0] * 8)
    with pytest.raises(InputError, match="of 100 resamples have a score; too few rows, or of one class"):
        bootstrap_bias_corrected(METRICS["roc_auc"].score, rare, [np.full((9, 2), 0.5)], resamples=100)
    with pytest.raises(SettingError, match="correlation=-1; it takes 0 or more"):
        selection_optimism(3, 0.1, -1)
    with pytest.raises(SettingError, match=r"1 - correlation=-0\.5; it takes 0 or more"):
        selection_optimism(3, 0.1, 1.5)
