"""What is said of a leaderboard is what its tests say, and no more."""

import polars as pl
import pytest

from frazil.artifact.wording import comparisons, verdict
from frazil.search.leaderboard import COLUMNS


def board(**candidates):
    """Make a leaderboard, best first, of (score, p against the baseline, p against the best, and maybe the lead)."""
    known = candidates.get("baseline", (0.5,))[0]
    rows = [
        {"rank": rank, "candidate": name.replace("_", "-"), "score": score, "p_vs_baseline": base, "p_vs_best": best}
        | {"vs_baseline": None if base is None else lead[0] if lead else score - known}
        for rank, (name, (score, base, best, *lead)) in enumerate(candidates.items(), start=1)
    ]
    return pl.DataFrame(rows, schema=COLUMNS)


CLEAR = board(
    ensemble=(0.9, 0.002, None), lightgbm_1=(0.89, 0.003, 0.41), linear_1=(0.8, 0.01, 0.02), baseline=(0.5, None, 0.002)
)


def test_of_a_clear_case_it_says_all_three():
    assert verdict(CLEAR, "ensemble", "linear-1", 0.01) == (
        "ensemble is better than the baseline (p = 0.002); not distinguishable from lightgbm-1 (p = 0.41); "
        "simplest model within the ROPE (0.01) of the best: linear-1"
    )


@pytest.mark.parametrize(
    ("p", "rank_first", "words"),
    [
        (0.04, True, "ensemble is better than the baseline (p = 0.04)"),
        (0.04, False, "ensemble is worse than the baseline (p = 0.04); worse than baseline, the best (p = 0.04)"),
        (0.05, True, "ensemble is not distinguishable from the baseline (p = 0.05)"),
        (0.3, False, "not distinguishable from baseline, the best (p = 0.3)"),
        (None, True, "ensemble was not compared with a baseline"),
    ],
)
def test_it_says_better_or_worse_only_where_p_is_small(p, rank_first, words):
    own, other = (0.6, 0.5) if rank_first else (0.4, 0.5)
    rows = {"ensemble": (own, p, None if rank_first else p), "baseline": (other, None, p if rank_first else None)}
    found = board(**(rows if rank_first else dict(reversed(rows.items()))))
    assert words in verdict(found, "ensemble", "baseline", 0.01)
    assert ("better than" in verdict(found, "ensemble", "baseline", 0.01)) == words.startswith("ensemble is better")


def test_of_a_candidate_that_is_not_the_best_it_says_how_it_stands_to_the_best():
    said = verdict(CLEAR, "linear-1", "linear-1", 0.01)
    assert said.startswith("linear-1 is better than the baseline (p = 0.01); worse than ensemble, the best (p = 0.02)")
    assert "baseline is what knowing no column predicts" in verdict(CLEAR, "baseline", "baseline", 0.5)


def test_many_that_can_not_be_told_apart_are_counted():
    alike = {f"linear_{number}": (0.89 - number / 100, 0.01, 0.5) for number in range(6)}
    assert "linear-0 (p = 0.5), linear-1 (p = 0.5), linear-2 (p = 0.5) and 3 more;" in verdict(
        board(ensemble=(0.9, 0.01, None), **alike), "ensemble", "linear-0", 0.01
    )


def test_a_mix_of_one_is_not_compared_with_itself():
    found = board(ensemble=(0.9, 0.01, None), linear_1=(0.9, 0.01, 1.0), catboost_1=(0.8, 0.02, 0.03))
    assert "; better than all other candidates; " in verdict(found, "ensemble", "linear-1", 0.01)


@pytest.mark.parametrize(
    ("rows", "alone", "words"),
    [
        (
            {"ensemble": (0.9, 0.01, None), "linear_1": (0.9, 0.01, 1.0), "baseline": (0.5, None, 0.02)},
            "linear-1",
            "ensemble (linear-1 alone) is better than the baseline (p = 0.01)",
        ),
        (
            {"ensemble": (0.5, 1.0, None), "baseline": (0.5, None, 1.0)},
            "baseline",
            "ensemble (baseline alone) is what knowing no column predicts",
        ),
        (
            {"ensemble": (0.5, 1.0, None), "baseline": (0.5, None, 1.0), "linear_1": (0.45, 0.3, 0.3)},
            "baseline",
            "ensemble (baseline alone) is what knowing no column predicts; not distinguishable from linear-1 (p = 0.3)",
        ),
        (
            {"ensemble": (0.9, None, None), "linear_1": (0.9, None, 1.0)},
            "linear-1",
            "ensemble (linear-1 alone) was not compared with a baseline",
        ),
    ],
    ids=["one candidate", "baseline only", "baseline best", "all failed but one"],
)
def test_an_ensemble_of_one_is_called_by_that_one(rows, alone, words):
    would_do = f"simplest model within the ROPE (0.01) of the best: {alone}"
    assert verdict(board(**rows), "ensemble", "ensemble", 0.01, alone) == f"{words}; {would_do}"


def test_who_is_behind_an_ensemble_of_one_is_told_whom_it_is_of():
    found = board(
        ensemble=(0.9, 0.01, None), linear_1=(0.9, 0.01, 1.0), mlp_1=(0.8, 0.01, 0.03), baseline=(0.5, None, 0.01)
    )
    said = verdict(found, "mlp-1", "mlp-1", 0.5, "linear-1")
    assert "mlp-1 is better than the baseline (p = 0.01); worse than ensemble (linear-1 alone), the best" in said
    assert comparisons(found, "linear-1") == [
        "ensemble (linear-1 alone) is the best.",
        "Worse than it: mlp-1 (p = 0.03), baseline (p = 0.01).",
    ]


def test_the_report_says_of_each_candidate_whether_it_is_worse():
    assert comparisons(CLEAR) == [
        "ensemble is the best.",
        "Not distinguishable from it (p >= 0.05): lightgbm-1 (p = 0.41).",
        "Worse than it: linear-1 (p = 0.02), baseline (p = 0.002).",
    ]


def test_what_is_ahead_on_the_judged_rows_and_behind_on_those_of_the_p_is_called_worse():
    found = board(ensemble=(0.6, 0.01, None, -0.1), baseline=(0.5, None, 0.01))
    assert verdict(found, "ensemble", "baseline", 0.01).startswith("ensemble is worse than the baseline (p = 0.01); ")
    assert comparisons(found) == [
        "ensemble is the best.",
        "Better than it on the rows that the test is of: baseline (p = 0.01).",
    ]


def test_what_is_behind_on_the_judged_rows_and_ahead_on_those_of_the_p_is_called_better():
    found = board(baseline=(0.5, None, None), ensemble=(0.4, 0.01, 0.01, 0.2))
    assert "ensemble is better than the baseline (p = 0.01); better than baseline, the best" in verdict(
        found, "ensemble", "baseline", 0.01
    )
    assert comparisons(found)[1] == "Better than it on the rows that the test is of: ensemble (p = 0.01)."
