"""Selectors against plain loops, scipy, and published identities."""

import numpy as np
import polars as pl
import pytest
import scipy.stats
from sklearn.feature_selection import mutual_info_classif

from frazil.matrix import Matrix, MatrixColumn
from frazil.selection import (
    MRMR,
    Adversarial,
    Eliminate,
    Knockoffs,
    MutualInformation,
    PermutationImportance,
    PruneCorrelated,
    PruneInflated,
    RandomProbe,
    Screen,
    StabilitySelection,
    Univariate,
    problem_of,
    select,
)
from frazil.selection.elimination import smallest_not_worse
from frazil.selection.knockoffs import _q_values, knockoff_copies
from frazil.selection.ranking import average_ranks
from frazil.selection.stability import _halves
from frazil.selection.univariate import kruskal_wallis


def noise(rows, columns, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, columns))


def frame(X, **others):
    return pl.DataFrame({f"x{at}": X[:, at] for at in range(X.shape[1])} | others)


def p_values(df, **settings):
    return {verdict.column: verdict.p_value for verdict in Univariate(**settings).select(problem_of(df, "y")).verdicts}


def with_ties_and_gaps(rows, columns):
    X = noise(rows, columns).round(1).astype(np.float32).astype(float)
    X[np.random.default_rng(5).random(X.shape) < 0.2] = np.nan
    return X


def test_ranks_are_scipys_with_ties_and_gaps():
    X = with_ties_and_gaps(60, 7)
    ranks, ties = average_ranks(X)
    np.testing.assert_array_equal(ranks, scipy.stats.rankdata(X, axis=0, nan_policy="omit"))
    counts = [np.unique(column[~np.isnan(column)], return_counts=True)[1].astype(float) for column in X.T]
    np.testing.assert_allclose(ties, [(each**3 - each).sum() for each in counts])


def test_a_number_beside_a_number_is_scipys_spearman():
    X = with_ties_and_gaps(80, 5)
    y = noise(80, 1, 3)[:, 0].round(1)
    wanted = {f"x{at}": scipy.stats.spearmanr(X[:, at], y, nan_policy="omit").pvalue for at in range(5)}
    assert p_values(frame(X, y=y)) == pytest.approx(wanted, rel=1e-9)


def test_a_number_beside_two_classes_is_scipys_mann_whitney():
    X, y = with_ties_and_gaps(80, 5), np.arange(80) % 2
    wanted = {
        f"x{at}": scipy.stats.mannwhitneyu(X[y == 0, at], X[y == 1, at], method="asymptotic", nan_policy="omit").pvalue
        for at in range(5)
    }
    assert p_values(frame(X, y=y)) == pytest.approx(wanted, rel=1e-9)


def test_a_number_beside_three_classes_is_scipys_kruskal_wallis():
    X, y = with_ties_and_gaps(90, 5), np.arange(90) % 3
    wanted = {
        f"x{at}": scipy.stats.kruskal(*(X[y == label, at] for label in range(3)), nan_policy="omit").pvalue
        for at in range(5)
    }
    assert p_values(frame(X, y=y)) == pytest.approx(wanted, rel=1e-9)


def test_ties_are_told_of_as_many_rows_as_there_may_be():
    """Beyond 2,097,151 rows their cube is no integer of 64 bits."""
    rows = 3_000_000
    place = np.arange(rows, dtype=np.uint32)
    value, y = (place % 7 < 3).astype(np.float32), place % 3
    y[::200] = (value[::200] > 0) * 2  # a little of it tells
    counts = np.bincount((y * 2 + value.astype(np.uint32)).astype(np.int64), minlength=6).reshape(3, 2)
    # Of two values Kruskal and Wallis's H is Pearson's chi-square times (rows - 1) / rows.
    pearson = scipy.stats.chi2_contingency(counts, correction=False).statistic
    wanted = scipy.stats.chi2.logsf(pearson * (rows - 1) / rows, 2)
    block = Matrix(np.asfortranarray(value[:, np.newaxis]), (MatrixColumn("x"),))
    assert kruskal_wallis(block, y.astype(np.int64), 3)[0] == pytest.approx(wanted, rel=1e-6)


def test_where_nothing_can_be_compared_p_is_1():
    number = pl.Series([None, None, *np.arange(11.0), *[None] * 17])  # known in one class only
    level = pl.Series([*["a"] * 13, *[None] * 17])
    df = pl.DataFrame({"number": number, "level": level, "same": [0.1] * 30})
    classes, amounts = pl.Series("y", [*["k"] * 15, *["l", "m", "n"] * 5]), pl.Series("y", np.arange(30) / 7)
    for y in (classes, amounts, classes == "k"):
        names = ["level", "same"] if y is amounts else df.columns
        assert set(p_values(df.select(names).with_columns(y)).values()) == {1.0}


def test_a_category_beside_classes_is_scipys_chi_square_and_fishers_exact_test():
    rng = np.random.default_rng(1)
    city, side, y = rng.choice(["a", "b", "c"], 60), rng.choice(["l", "r"], 60), rng.integers(0, 2, 60)
    table = lambda values: np.array([[((values == v) & (y == k)).sum() for k in (0, 1)] for v in np.unique(values)])
    found = p_values(pl.DataFrame({"city": city, "side": side, "y": y}))
    assert found["city"] == pytest.approx(scipy.stats.chi2_contingency(table(city), correction=False).pvalue)
    assert found["side"] == pytest.approx(scipy.stats.fisher_exact(table(side)).pvalue)


def test_a_category_beside_a_number_is_scipys_kruskal_wallis():
    rng = np.random.default_rng(1)
    city, y = rng.choice(["a", "b", "c"], 60), rng.normal(size=60)
    wanted = scipy.stats.kruskal(*(y[city == level] for level in "abc")).pvalue
    assert p_values(pl.DataFrame({"city": city, "y": y}))["city"] == pytest.approx(wanted, rel=1e-9)
    far = pl.DataFrame({"city": city, "y": 1.7e9 + y})  # where float32 has steps of 128
    assert p_values(far)["city"] == pytest.approx(wanted, rel=1e-9)


def test_how_many_columns_are_ranked_at_once_changes_nothing(monkeypatch):
    df = frame(with_ties_and_gaps(60, 7), y=noise(60, 1, 3)[:, 0])
    whole = p_values(df)
    monkeypatch.setattr("frazil.selection.univariate.RANKED_CELLS", 130)
    monkeypatch.setattr("frazil.selection.contract.BLOCK_CELLS", 240)
    assert p_values(df) == whole


def test_rows_of_one_group_make_p_values_larger():
    groups = np.repeat(np.arange(20), 30)
    level = noise(20, 2)
    X = level[groups, :1] + 0.01 * noise(600, 1, 2)
    df = frame(X, y=level[groups, 1] + 0.01 * noise(600, 1, 3)[:, 0], group=groups)
    plain = select(df, "y", Univariate(), columns=["x0"]).verdicts[0].p_value
    grouped = select(df, "y", Univariate(), columns=["x0"], groups="group").verdicts[0].p_value
    honest = scipy.stats.spearmanr(level[:, 0], level[:, 1]).pvalue
    assert plain < 1e-3 < grouped
    assert grouped == pytest.approx(honest, abs=0.2)


@pytest.mark.parametrize("kind", ["number", "classes", "category"])
def test_rows_that_repeat_their_group_change_no_grouped_p_value_however_many(kind):
    groups = np.repeat(np.arange(20), 1_000)
    level = np.random.default_rng(0).permutation(20)[groups]
    x, y = {
        "number": (level, level + 0.01 * noise(20_000, 1)[:, 0]),
        "classes": (level, level // 10),
        "category": (np.array(["a", "b"])[level % 2], level % 2),
    }[kind]
    df = pl.DataFrame({"x": x, "y": y, "group": groups})
    many, few = (
        select(each, "y", Univariate(), columns=["x"], groups="group").verdicts[0].p_value
        for each in (df, df.gather_every(100))
    )
    assert select(df, "y", Univariate(), columns=["x"]).verdicts[0].p_value == 0  # beyond floats
    assert 0 < many < 1e-3
    assert np.log(many) == pytest.approx(np.log(few), rel=0.1)


def test_the_screen_says_what_is_wrong_with_a_column():
    df = pl.DataFrame(
        {
            "fine": np.arange(100.0),
            "same": [3.0] * 100,
            "gone": [None] * 99 + [1.0],
            "minus": -np.arange(100.0),
            "double": np.arange(100.0),
            "y": np.arange(100) % 7 / 2,
        }
    )
    verdicts = {verdict.column: verdict for verdict in Screen(most_missing=0.9).select(problem_of(df, "y")).verdicts}
    assert [name for name, verdict in verdicts.items() if verdict.kept] == ["fine", "minus"]
    assert verdicts["gone"].reason == "is missing in 99 % of the rows"
    assert verdicts["double"].reason == "tells the same as fine"


def test_doubles_are_found_across_blocks():
    df = frame(noise(50, 6)).with_columns(again=pl.col("x0"), y=pl.int_range(50) / 10)
    problem = problem_of(df, "y")
    assert [len(block.columns) for block in problem.blocks(100)] == [2, 2, 2, 1]
    assert Screen().select(problem).dropped == ["again"]


def test_of_a_cluster_the_column_that_tells_most_stays():
    X = noise(300, 3)
    near = X[:, 0] + 0.1 * noise(300, 1, 1)[:, 0]
    y = X[:, 0] + 0.5 * noise(300, 1, 2)[:, 0]
    selection = PruneCorrelated(0.9).select(problem_of(frame(X, near=near, y=y), "y"))
    assert selection.dropped == ["near"]
    assert selection.verdicts[3].reason.startswith("is x0 by 0.9")


def test_inflation_is_one_over_one_minus_r_squared():
    X = noise(200, 4)
    X[:, 3] = X[:, 0] + X[:, 1] + 0.2 * noise(200, 1, 1)[:, 0]
    X = X.astype(np.float32).astype(float)
    selection = PruneInflated(1e6).select(problem_of(frame(X, y=noise(200, 1, 2)[:, 0]), "y"))
    for at, verdict in enumerate(selection.verdicts):
        others = np.column_stack([np.ones(200), np.delete(X, at, axis=1)])
        rest = X[:, at] - others @ np.linalg.lstsq(others, X[:, at], rcond=None)[0]
        assert verdict.score == pytest.approx(rest.var() / X[:, at].var(), rel=1e-5)


def test_what_the_others_say_is_dropped_one_by_one():
    X = noise(200, 3)
    df = frame(X, total=X.sum(axis=1), copy=X[:, 0], y=noise(200, 1, 2)[:, 0])
    assert len(PruneInflated().select(problem_of(df, "y")).dropped) == 2


def test_information_is_scikit_learns():
    X, y = noise(300, 3).astype(np.float32), np.arange(300) % 2
    X[:, 0] += y
    selection = MutualInformation().select(problem_of(frame(X.astype(float), y=y), "y"))
    wanted = mutual_info_classif(X.astype(float), y, n_neighbors=3, random_state=0)
    np.testing.assert_allclose([verdict.score for verdict in selection.verdicts], wanted, atol=0.02)
    assert selection.kept == ["x0"]


def test_a_bend_that_no_rank_test_sees_is_information():
    X = noise(400, 3)
    X[:, 0] = np.concatenate([X[:200, 0], -X[:200, 0]])  # as often below 0 as above
    df = frame(X, y=X[:, 0] ** 2)
    assert Univariate().select(problem_of(df, "y")).kept == []
    assert MutualInformation().select(problem_of(df, "y")).kept == ["x0"]


def test_mrmr_is_the_plain_loop():
    X = noise(200, 6)
    X[:, 1] = X[:, 0] + 0.3 * X[:, 1]
    y = X[:, 0] + 0.7 * X[:, 2] + 0.2 * X[:, 3]
    X = X.astype(np.float32).astype(float)
    absolute = np.abs(np.corrcoef(np.column_stack([X, y]), rowvar=False))
    chosen = [int(absolute[:6, 6].argmax())]
    while len(chosen) < 3:
        left = [at for at in range(6) if at not in chosen]
        chosen.append(max(left, key=lambda at: absolute[at, 6] / absolute[at, chosen].mean()))
    selection = MRMR(3).select(problem_of(frame(X, y=y), "y"))
    assert set(selection.kept) == {f"x{at}" for at in chosen}
    assert "x1" not in selection.kept


def test_two_columns_that_tell_only_together_are_seen_by_models():
    X = np.sign(noise(600, 6)) + 0.1 * noise(600, 6, 1)
    df = frame(X, y=(X[:, 0] * X[:, 1] > 0).astype(int))
    problem = problem_of(df, "y")
    assert not set(Univariate().select(problem).kept) & {"x0", "x1"}
    for selector in (RandomProbe(), PermutationImportance()):
        assert {"x0", "x1"} <= set(selector.select(problem).kept)


def test_of_two_columns_that_say_the_same_both_are_missed_only_together():
    X = noise(400, 4)
    X[:, 1] = X[:, 0] + 1e-3 * X[:, 1]
    problem = problem_of(frame(X, y=2 * X[:, 0]), "y")
    apart, together = (PermutationImportance(together=share).select(problem) for share in (None, 0.9))
    assert together.verdicts[0].score == together.verdicts[1].score > apart.verdicts[0].score
    assert together.verdicts[0].reason.endswith("shuffled with 1 others")
    assert together.kept == ["x0", "x1"]


def test_groups_stay_whole_in_the_halves_of_stability_selection():
    groups = np.random.default_rng(0).integers(0, 9, 200)
    problem = problem_of(frame(noise(200, 2), y=noise(200, 1)[:, 0], g=groups), "y", groups="g")
    first, second = _halves(problem, np.random.default_rng(1))
    assert sorted([*first, *second]) == list(range(200))
    assert len(np.unique(groups[first])) == 4
    assert not set(groups[first]) & set(groups[second])


def test_stability_selection_keeps_nothing_where_its_bound_can_not_be_held():
    X = noise(100, 4)
    df = frame(X, y=X[:, 0] + 0.1 * X[:, 1])
    assert StabilitySelection(0.5).select(problem_of(df, "y")).kept == ["x0"]
    too_few = StabilitySelection(0.25).select(problem_of(df, "y"))
    assert too_few.kept == []
    assert too_few.verdicts[0].reason == "false_discoveries=0.25 can't be held with fewer than 8 columns"
    assert StabilitySelection(1.25, threshold=0.6).select(problem_of(df, "y")).kept == ["x0"]  # 2 * 0.6 - 1 < 0.2
    wide = df.with_columns(pl.lit(0.0).alias(f"c{at}") for at in range(4))
    assert StabilitySelection(0.25).select(problem_of(wide, "y")).kept == ["x0"]


def test_knockoffs_have_the_covariance_of_the_columns_and_keep_their_distance():
    rng = np.random.default_rng(0)
    S = 0.5 ** np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
    X = rng.multivariate_normal(np.zeros(5), S, size=40_000)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    copies = knockoff_copies(X, rng)
    beside = X.T @ copies / len(X)
    np.testing.assert_allclose(copies.T @ copies / len(X), S, atol=0.03)
    np.testing.assert_allclose(beside - np.diag(np.diag(beside)), S - np.eye(5), atol=0.03)
    least = min(1.0, 2 * np.linalg.eigvalsh(S)[0])
    np.testing.assert_allclose(np.diag(beside), 1 - least, atol=0.03)


def test_the_level_of_a_knockoff_is_the_least_bound_that_keeps_it():
    w = np.array([5.0, 4.0, -3.0, 2.0, 1.0, 0.0, -0.5])
    # A threshold of 1 has the bound 2 / 4, of 2 has 2 / 3, of 4 has 1 / 2, of 5 has 1; 5 is above all of them.
    np.testing.assert_allclose(_q_values(w), [0.5, 0.5, 1.0, 0.5, 0.5, 1.0, 1.0])
    np.testing.assert_allclose(_q_values(np.array([2.0, -1.5, 1.0])), [1.0, 1.0, 1.0])


def test_knockoffs_find_what_tells_among_correlated_columns():
    rng = np.random.default_rng(2)
    S = 0.5 ** np.abs(np.subtract.outer(np.arange(40), np.arange(40)))
    X = rng.multivariate_normal(np.zeros(40), S, size=500)
    df = frame(X, y=X[:, ::3] @ np.full(14, 0.8) + rng.normal(size=500))
    kept = Knockoffs(0.2).select(problem_of(df, "y")).kept
    assert len(set(kept) & {f"x{at}" for at in range(0, 40, 3)}) >= 10


def test_the_smallest_set_that_is_not_worse_is_kept():
    rng = np.random.default_rng(0)
    losses = [1 + 0.01 * rng.normal(size=5) for _ in range(2)] + [2 + 0.01 * rng.normal(size=5)]
    assert smallest_not_worse(losses, [10, 5, 2], 0.25, 0.05) == 1


def test_elimination_keeps_little_more_than_what_tells():
    X = noise(400, 12)
    kept = Eliminate(share=0.3).select(problem_of(frame(X, y=3 * X[:, 0] + 3 * X[:, 1]), "y")).kept
    assert {"x0", "x1"} <= set(kept)
    assert len(kept) <= 5


def test_a_column_that_drifts_is_found():
    X = noise(300, 4)
    X[:, 2] += np.arange(300) / 100
    selection = Adversarial().select(problem_of(frame(X, y=noise(300, 1, 1)[:, 0]), "y"))
    assert selection.dropped == ["x2"]
    assert "told most of late from early" in selection.verdicts[2].reason
