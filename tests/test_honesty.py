"""Small versions of the simulations in `benchmarks/honesty/`: what they count comes out as the page of them says."""

import runpy
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from frazil.selection import Knockoffs, Univariate

SIMULATIONS = Path(__file__).parents[1] / "benchmarks" / "honesty"


def simulation(name):
    return runpy.run_path(str(SIMULATIONS / f"{name}.py"))


def test_the_corrected_test_holds_its_level_where_the_plain_one_claims_every_third_time():
    found = simulation("claims")["shares"]("ridge", 100, 150)
    assert found["false by the textbook's ratio, 1 x 8"] <= found["false, 1 x 8"] <= 0.1
    assert found["false, 10 x 8"] <= 0.1
    assert found["false, plain t over 10 x 8"] > 0.3
    assert found["power, 1 x 8"] < found["power, 10 x 8"] > 0.5
    # What would be exact is about 0 over one round of folds and comes near to the 1/7 of the textbook over ten.
    assert found["exact ratio, 1 x 8"] < 0.06 < found["exact ratio, 10 x 8"] < 0.2


def test_over_stretches_of_time_more_is_found_than_over_folds_and_no_more_is_false_than_stated():
    found = simulation("claims")["shares_over_time"]("ridge", 300, 80)
    for part in ("judged", "spared"):
        assert found[f"false, {part}, stretches"] <= 0.1
    assert found["false, judged, plain t over stretches"] > 0.15
    assert found["power, judged, stretches"] > found["power, judged, folds"] + 0.1


@pytest.mark.parametrize("part", ["judged", "spared"])
def test_the_corrected_test_holds_its_level_over_the_parts_of_folds_that_are_scored(part):
    found = simulation("claims")["shares"]("ridge", 300, 150, part)
    assert found["false, 1 x 8"] <= 0.1
    assert found["power, 1 x 8"] > 0.3


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_nothing_is_claimed_of_noise(seed):
    claimed = simulation("noise")["claimed"]
    claimed.__globals__["NEW_ROWS"] = 2_000
    found = claimed(seed, 2)
    assert found["candidates"] >= 2
    assert (found["claims"], found["deployed_claims"]) == (0, 0)


def test_intervals_of_new_rows_cover_and_drift_breaks_them():
    measured = simulation("coverage")["measured"]
    measured.__globals__["TEST_ROWS"] = 4_000
    found = measured("regression", 500, 3, Namespace(trials=3, learners="linear,lightgbm"))
    assert found["covered"] == pytest.approx(0.9, abs=0.05)
    assert found["covered_after_drift"] < found["covered"]
    assert abs(found["honest_too_good"]) < 0.3
    assert found["candidates"] == 2


RATES = [(Knockoffs(0.2), 0.2), (Univariate(0.1), 0.1), (Univariate(0.1, "bh"), 0.1)]


@pytest.mark.parametrize(("selector", "rate"), RATES)
@pytest.mark.parametrize("rho", [0.0, 0.7])
def test_of_what_selectors_keep_no_more_is_false_than_they_promise(selector, rate, rho):
    parts = simulation("selection")
    found = parts["summary"](np.array([parts["replicate"](selector, rho, 12, seed) for seed in range(20)]), 12)
    assert found["fdr"] <= rate + 3 * found["error"]
    assert found["power"] > 0.3


def test_where_nothing_tells_hardly_ever_is_anything_kept():
    parts = simulation("selection")
    found = parts["summary"](
        np.array([parts["replicate"](Univariate(0.05, "holm"), 0.7, 0, seed) for seed in range(40)]), 0
    )
    assert found["nothing_kept"] >= 0.9


def test_other_packages_are_judged_on_the_same_tables_and_one_that_promises_nothing_keeps_more_that_is_false():
    parts = simulation("selection")
    peers = {name: peer for name, peer, _, _ in parts["PEERS"]}
    tested, lasso = (
        parts["summary"](np.array([parts["replicate"](peers[name], 0.0, 12, seed) for seed in range(4)]), 12)
        for name in ("SelectFdr 0.1", "LassoCV")
    )
    assert tested["power"] > 0.5
    assert tested["fdr"] < 0.3 < lasso["fdr"]
