"""The page: it escapes, it draws, and it says where it cuts."""

import polars as pl

from frazil.report.page import Section, bar_chart, interval_chart, page, table

HOSTILE = '<img src=x onerror="alert(1)">\x1b[31m'


def test_every_word_from_outside_is_escaped():
    df = pl.DataFrame({HOSTILE: [HOSTILE]})
    charts = bar_chart([HOSTILE], [1.0]) + interval_chart([HOSTILE], [1.0], [0.5], [1.5])
    made = page(HOSTILE, [Section(HOSTILE, [HOSTILE], table(df) + charts)])
    assert "<img" not in made
    assert "\x1b" not in made
    assert "&lt;img" in made


def test_a_long_table_is_cut_and_says_so():
    assert "… and 50 more rows" in table(pl.DataFrame({"x": range(250)}))


def test_missing_values_are_a_dash():
    assert "<td class=n>–</td>" in table(pl.DataFrame({"x": pl.Series([None], dtype=pl.Float64)}))


def test_a_score_without_an_interval_is_a_dot_alone():
    drawn = interval_chart(["a", "b"], [1.0, 2.0], [None, 1.5], [None, 2.5])
    assert drawn.count("<circle") == 2
    assert drawn.count("<line") == 1


def test_scores_that_are_all_alike_can_be_drawn():
    assert interval_chart(["a"], [0.0], [0.0], [0.0]).count("<circle") == 1


def test_nothing_known_draws_nothing():
    assert interval_chart(["a"], [float("nan")], [None], [None]) == ""
