"""A small table that is easy to spoil, and the two ways in which a spoiled one may be taken."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

import frazil as fz

ROWS = 120


def plain_table(rows=ROWS, seed=0):
    """Make a number to predict from a number, a category and a date."""
    draw = np.random.default_rng(seed)
    x = draw.normal(10, 3, rows).round(3)
    city = draw.choice(["Oslo", "Rome", "Ulm", "Bonn"], rows)
    day = [date(2024, 1, 1) + timedelta(days=int(d)) for d in draw.integers(0, 300, rows)]
    y = 2 * x + 5 * (city == "Rome") + draw.normal(0, 4, rows)
    return pl.DataFrame({"x": x, "city": city, "day": day, "y": y})


@pytest.fixture
def table():
    return plain_table()


@pytest.fixture
def long_table():
    return plain_table(400)


@pytest.fixture(scope="session")
def fit():
    """Train on next to no budget: the baseline and the first of the portfolio."""

    def fitted(data, target="y", trials=2, **settings):
        given = {"budget": fz.Budget(trials=trials), "progress": False, "threads": 1, **settings}
        return fz.fit_auto(data, target, **given)

    return fitted


@pytest.fixture(scope="session")
def plain(fit):
    """The model of the table as it is."""
    return fit(plain_table())


@pytest.fixture(scope="session")
def sound(fit):
    """Train on a table and predict it again: no candidate fails, and no prediction is missing."""

    def checked(data, target="y", **settings):
        model = fit(data, target, **settings)
        assert model.failures.is_empty(), model.failures["traceback"][0]
        predictions = model.predict(data)
        numbers = predictions.select(pl.selectors.float())
        assert predictions.height == fz.sources.open_source(data).frame.select(pl.len()).collect().item()
        assert all(numbers[name].is_finite().all() for name in numbers.columns)
        return model

    return checked


@pytest.fixture(scope="session")
def noted(sound):
    """Train on a table and predict it again, with a finding that names what is wrong."""

    def checked(data, code, column, target="y", **settings):
        model = sound(data, target, **settings)
        found = model.findings.of(code)
        assert [column] == [finding.column for finding in found], model.findings.text()
        assert found[0].evidence
        assert found[0].advice
        return model

    return checked


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A file of a small table."""
    folder = tmp_path_factory.mktemp("environment")
    draw = np.random.default_rng(0)
    df = pl.DataFrame({"x": draw.normal(size=80), "city": draw.choice(["a", "b"], 80), "y": draw.normal(size=80)})
    df.write_parquet(folder / "a.parquet")
    return folder / "a.parquet"
