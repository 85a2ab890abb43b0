"""What holds for every selector."""

import numpy as np
import polars as pl
import pytest

from frazil.errors import InputError, SettingError
from frazil.selection import (
    MRMR,
    Adversarial,
    Boruta,
    Eliminate,
    ForwardSelection,
    InTurn,
    Knockoffs,
    MutualInformation,
    NullImportance,
    PermutationImportance,
    PruneCorrelated,
    PruneInflated,
    RandomProbe,
    Screen,
    Shap,
    StabilitySelection,
    Univariate,
    problem_of,
)

ALL = [
    Adversarial(folds=2),
    Boruta(rounds=10),
    Eliminate(share=0.5, folds=3),
    ForwardSelection(most=2, most_tried=5),
    InTurn((Screen(), Univariate())),
    Knockoffs(0.5),
    MRMR(3),
    MutualInformation(shuffles=2),
    NullImportance(nulls=60, alpha=0.25),
    PermutationImportance(),
    PruneCorrelated(),
    PruneInflated(),
    RandomProbe(fits=3),
    Screen(),
    Shap(folds=2),
    StabilitySelection(pairs=8),
    Univariate(),
]
# Those that look for what tells of the target, and are to find it in a clear case.
TELLING = [
    selector
    for selector in ALL
    if not isinstance(selector, (Adversarial, PruneCorrelated, PruneInflated, Screen, Shap, MRMR))
]
# Of these, those that keep next to nothing of noise.
STRICT = [selector for selector in TELLING if not isinstance(selector, (Eliminate,))]
NOISE = [f"noise_{number}" for number in range(8)]
by_name = lambda selector: selector.name


def table(kind, rows=240, seed=0):
    """Two columns that tell, one category, and noise."""
    rng = np.random.default_rng(seed)
    df = pl.DataFrame({name: rng.normal(size=rows) for name in ("strong", "weak", *NOISE)})
    df = df.with_columns(city=pl.Series(rng.choice(["a", "b", "c"], rows)))
    told = 3 * df["strong"].to_numpy() + 2 * df["weak"].to_numpy() + 0.3 * rng.normal(size=rows)
    cuts = {"binary": [0.5], "multiclass": [1 / 3, 2 / 3]}.get(kind)
    target = told if cuts is None else np.digitize(told, np.quantile(told, cuts)).astype(str)
    return df.with_columns(y=pl.Series(target))


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
@pytest.mark.parametrize("selector", ALL, ids=by_name)
def test_every_column_gets_one_verdict_in_its_place(selector, kind):
    problem = problem_of(table(kind), "y")
    selection = selector.select(problem)
    assert [verdict.column for verdict in selection.verdicts] == problem.names
    assert sorted(selection.kept + selection.dropped) == sorted(problem.names)
    assert all(verdict.reason for verdict in selection.verdicts)
    assert selection.seconds > 0


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
@pytest.mark.parametrize("selector", TELLING, ids=by_name)
def test_what_tells_most_is_kept(selector, kind):
    assert "strong" in selector.select(problem_of(table(kind), "y")).kept


@pytest.mark.parametrize("selector", STRICT, ids=by_name)
def test_of_noise_little_is_kept(selector):
    df = table("regression").with_columns(y=pl.Series(np.random.default_rng(9).normal(size=240)))
    assert len(selector.select(problem_of(df, "y")).kept) <= 2


def table_of_groups(groups):
    """Rows that are nearly the same within a group, in one column that tells and noise."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(groups), 300 // groups)
    column = lambda: rng.normal(size=groups)[group] + 0.05 * rng.normal(size=300)
    df = pl.DataFrame({name: column() for name in ("strong", *NOISE)})
    return df.with_columns(y=3 * pl.col("strong") + 0.05 * rng.normal(size=300), other=column(), group=group)


@pytest.mark.parametrize("selector", [each for each in STRICT if not isinstance(each, Knockoffs)], ids=by_name)
def test_of_noise_that_groups_share_little_is_kept(selector):
    columns = ["strong", *NOISE]
    problem = problem_of(table_of_groups(20), "other", columns=columns, groups="group")
    assert len(selector.select(problem).kept) <= 2


@pytest.mark.parametrize("selector", [each for each in TELLING if not isinstance(each, Knockoffs)], ids=by_name)
def test_what_tells_most_is_kept_of_groups_too(selector):
    columns = ["strong", *NOISE]
    assert "strong" in selector.select(problem_of(table_of_groups(100), "y", columns=columns, groups="group")).kept


def test_knockoffs_refuse_groups():
    problem = problem_of(table_of_groups(20), "y", groups="group")
    with pytest.raises(SettingError, match="Knockoffs can't take groups.*NullImportance or Univariate"):
        Knockoffs().select(problem)


@pytest.mark.parametrize("selector", ALL, ids=by_name)
def test_the_same_problem_gets_the_same_verdicts(selector):
    one, other = (selector.select(problem_of(table("binary"), "y")).verdicts for _ in range(2))
    assert one == other


@pytest.mark.parametrize("selector", TELLING, ids=by_name)
def test_what_is_kept_does_not_hang_on_the_order_of_columns(selector):
    df = table("regression")
    turned = df.select(reversed(df.columns))
    kept = [set(selector.select(problem_of(each, "y")).kept) & {"strong", "weak"} for each in (df, turned)]
    assert kept[0] == kept[1]


@pytest.mark.parametrize("selector", ALL, ids=by_name)
def test_gaps_constants_and_doubles_are_no_accident(selector):
    df = table("binary").with_columns(
        empty=pl.lit(None, pl.Float64),
        same=pl.lit(1.0),
        double=pl.col("strong"),
        gaps=pl.when(pl.int_range(pl.len()) % 3 > 0).then("weak"),
        seldom=pl.when(pl.int_range(pl.len()) == 5).then(pl.lit("x")).otherwise(pl.lit("y")),
    )
    assert len(selector.select(problem_of(df, "y")).verdicts) == df.width - 1


@pytest.mark.parametrize("selector", ALL, ids=by_name)
def test_no_columns_give_no_verdicts(selector):
    assert selector.select(problem_of(table("regression"), "y", columns=[])).verdicts == ()


@pytest.mark.parametrize("selector", ALL, ids=by_name)
def test_one_column_is_judged_too(selector):
    assert len(selector.select(problem_of(table("regression"), "y", columns=["strong"])).verdicts) == 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Screen(most_missing=2), "most_missing=2"),
        (lambda: PruneCorrelated(0.0), "most=0.0"),
        (lambda: PruneCorrelated(method="kendal"), "kendal.*spearman"),
        (lambda: PruneInflated(0.5), "most=0.5"),
        (lambda: Univariate(alpha=0), "alpha=0"),
        (lambda: Univariate(correction="fdr"), "'fdr'.*by"),
        (lambda: MutualInformation(shuffles=0), "shuffles=0"),
        (lambda: MRMR(0), "columns=0"),
        (lambda: RandomProbe(fits=0), "fits=0"),
        (lambda: NullImportance(nulls=0), "nulls=0"),
        (lambda: PermutationImportance(folds=1), "folds=1"),
        (lambda: Boruta(rounds=0), "rounds=0"),
        (lambda: StabilitySelection(threshold=0.5), "threshold=0.5"),
        (lambda: Knockoffs(0), "q=0"),
        (lambda: Knockoffs(statistic="ridge"), "ridge.*lasso"),
        (lambda: Eliminate(share=1.0), "share=1.0"),
        (lambda: ForwardSelection(most=0), "most=0"),
        (lambda: Shap(share=0), "share=0"),
        (lambda: Adversarial(late_share=1.0), "late_share=1.0"),
        (lambda: InTurn(()), "one selector at least"),
    ],
)
def test_settings_that_make_no_sense_are_refused(make, words):
    with pytest.raises(SettingError, match=words):
        make()


@pytest.mark.parametrize("selector", [Eliminate(), ForwardSelection(), PermutationImportance()], ids=by_name)
def test_a_class_in_fewer_rows_than_folds_is_named(selector):
    df = table("regression", rows=60).with_columns(y=(pl.int_range(60) < 3).cast(pl.String))
    with pytest.raises(InputError, match="roc_auc of 'y' .* one of 5 folds: class 'true' is in 3 rows only.*folds=3"):
        selector.select(problem_of(df, "y"))
    one_group = df.with_columns(group=pl.int_range(60) // 4)
    with pytest.raises(InputError, match="class 'true' is in 1 group only. Take a selector without folds, as Random"):
        selector.select(problem_of(one_group, "y", groups="group"))


def test_too_few_rows_to_tell_late_from_early_are_refused():
    with pytest.raises(InputError, match="5 rows are too few"):
        Adversarial().select(problem_of(table("regression", rows=5), "y"))


def test_a_column_that_an_earlier_selector_drops_keeps_its_verdict():
    df = table("regression").with_columns(same=pl.lit(1.0))
    verdicts = {
        verdict.column: verdict for verdict in InTurn((Screen(), Univariate())).select(problem_of(df, "y")).verdicts
    }
    assert "has one value in 100 %" in verdicts["same"].reason
    assert verdicts["strong"].q_value < 0.05
    assert verdicts["noise_0"].q_value > 0.05
