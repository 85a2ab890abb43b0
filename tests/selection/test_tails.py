"""Logarithms of p-values where floats have room for them, and far beyond."""

import numpy as np
import pytest
import scipy.stats

from frazil.selection.tails import (
    _far_chi_square,
    _far_student,
    log_chi_square,
    log_fisher,
    log_normal,
    log_student,
    z_of,
)


def test_where_floats_have_room_the_logarithms_are_scipys():
    at, df = np.array([0.0, 0.3, 2.0, 9.0]), np.array([3, 5, 8, 40])
    np.testing.assert_allclose(log_normal(at), np.log(2 * scipy.stats.norm.sf(at)), atol=1e-12)
    np.testing.assert_allclose(log_student(-at, df), np.log(2 * scipy.stats.t.sf(at, df)), atol=1e-12)
    np.testing.assert_allclose(log_chi_square(at, df), np.log(scipy.stats.chi2.sf(at, df)), atol=1e-12)
    counts = np.array([[8, 2], [1, 5]])
    assert log_fisher(counts) == pytest.approx(np.log(scipy.stats.fisher_exact(counts).pvalue))


@pytest.mark.parametrize(("t", "df"), [(1e60, 5), (200.0, 200), (37.0, 20_000), (36.5, 10_000_000)])
def test_far_out_the_series_of_student_goes_on_where_scipy_ends(t, df):
    within = np.log(2 * scipy.stats.t.sf(t, df))
    assert -709 < within < -400
    assert _far_student(np.array(t), df) == pytest.approx(within, rel=1e-4)
    beyond = np.array(t**1.5)
    assert log_student(beyond, df) == _far_student(beyond, df) < 1.4 * within


def test_far_out_student_with_many_degrees_of_freedom_is_normal():
    assert log_student(np.array(60.0), 10**10) == pytest.approx(log_normal(np.array(60.0)), rel=1e-6)


@pytest.mark.parametrize(("h", "df"), [(1_300.0, 1), (1_350.0, 9), (3_000.0, 700)])
def test_far_out_the_fraction_of_chi_square_goes_on_where_scipy_ends(h, df):
    within = np.log(scipy.stats.chi2.sf(h, df))
    assert -709 < within < -400
    assert _far_chi_square(np.array(h), df) == pytest.approx(within, rel=1e-4)
    assert log_chi_square(np.array(4.0 * h), df) == _far_chi_square(np.array(4 * h), df) < 3 * within


def test_without_degrees_of_freedom_there_is_no_chi_square():
    assert np.isnan(log_chi_square(np.array([0.0, 1e-13, 3.0]), 0)).all()
    assert np.isnan(log_student(np.array(np.nan), 5))


def test_with_two_degrees_of_freedom_chi_square_is_exponential():
    assert log_chi_square(np.array(1e6), 2) == pytest.approx(-5e5)


def test_far_out_fishers_test_is_one_over_the_number_of_ways_to_draw():
    # Only one of C(6000, 3000) draws is as far out, and the one on the other side; Stirling's formula for their number.
    ways = 6_000 * np.log(2) - np.log(np.pi * 3_000) / 2
    assert log_fisher(np.array([[3_000, 0], [0, 3_000]])) == pytest.approx(-ways, rel=1e-3)


def test_z_goes_back_from_logarithms_that_no_float_is_small_enough_for():
    np.testing.assert_allclose(z_of(log_normal(np.array([0.0, 1.5, 37.0, 1e4]))), [0.0, 1.5, 37.0, 1e4], atol=1e-9)
