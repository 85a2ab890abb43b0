from datetime import date, datetime, time, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from polars.testing.parametric import dataframes

from frazil.errors import MissingColumnError, SchemaError
from frazil.profile import profile_frame
from frazil.roles import infer_roles
from frazil.types import Role

ROWS = 60
WORDS = ["river", "stone", "light", "quiet", "morning", "winter", "bridge"]
SENTENCES = [" ".join(WORDS[(row * step) % 7] for step in range(1, 7)) + f" {row}" for row in range(ROWS)]


def roles_of(columns, **named):
    return infer_roles(profile_frame(pl.LazyFrame(columns)), **named)


@pytest.mark.parametrize(
    ("values", "role"),
    [
        (pl.Series(range(ROWS)), Role.NUMBER),
        (pl.Series(range(ROWS)).cast(pl.Float32), Role.NUMBER),
        (pl.Series(range(ROWS)).cast(pl.Decimal(10, 2)), Role.NUMBER),
        (pl.Series([row % 2 == 0 for row in range(ROWS)]), Role.NUMBER),
        (pl.Series([timedelta(seconds=row) for row in range(ROWS)]), Role.NUMBER),
        (pl.Series([time(row % 24) for row in range(ROWS)]), Role.NUMBER),
        (pl.Series([date(2024, 1, 1) + timedelta(row) for row in range(ROWS)]), Role.TIME),
        (pl.Series([datetime(2024, 1, 1) + timedelta(row) for row in range(ROWS)]), Role.TIME),
        (pl.Series([WORDS[row % 7] for row in range(ROWS)]), Role.CATEGORY),
        (pl.Series([WORDS[row % 7] for row in range(ROWS)], dtype=pl.Categorical), Role.CATEGORY),
        (pl.Series([WORDS[row % 7] for row in range(ROWS)], dtype=pl.Enum(WORDS)), Role.CATEGORY),
        (pl.Series(["a rather long name of a level that comes again and again", "other"] * (ROWS // 2)), Role.CATEGORY),
        (pl.Series(SENTENCES), Role.TEXT),
        (
            pl.Series(
                [f"漢字仮名交じり文は単語の間に空白を置かないので単語を数えられない長い文{row}" for row in range(ROWS)]
            ),
            Role.TEXT,
        ),
        (pl.Series([f"user-{row:04}" for row in range(ROWS)]), Role.KEY),
        (pl.Series([f"{row:08x}-3f1c-4d7a-9b2e-0123456789ab" for row in range(ROWS)]), Role.KEY),
        (pl.Series([None, 1] * (ROWS // 2)), Role.NUMBER),
        (pl.Series([1] * ROWS), Role.IGNORED),
        (pl.Series(["x"] * ROWS), Role.IGNORED),
        (pl.Series([None] * ROWS), Role.IGNORED),
        (pl.Series([None] * ROWS, dtype=pl.Int64), Role.IGNORED),
        (pl.Series([float("nan")] * ROWS), Role.IGNORED),
        (pl.Series([[1]] * ROWS), Role.IGNORED),
        (pl.Series([{"a": 1}] * ROWS), Role.IGNORED),
        (pl.Series([b"x", b"y"] * (ROWS // 2)), Role.IGNORED),
    ],
)
def test_a_role_follows_from_type_and_values(values, role):
    found = roles_of({"a": values})["a"]
    assert (found.role, found.dtype) == (role, values.dtype)
    assert found.reason


def test_a_few_distinct_strings_are_no_key():
    assert roles_of({"a": ["x", "y", "z"]})["a"].role is Role.CATEGORY


@pytest.mark.parametrize(
    ("values", "looks_like"),
    [
        (["1", "2.5", "1,234", "-3e4", " 7 ", "5%"], "number"),
        (["1,5", "2,5"], "number"),
        (["007", "008"], ""),
        (["1", "two"], ""),
        (["2024-05-06", "2024-05-07"], "date"),
        (["06.05.2024", "31.12.2024"], "date"),
        (["2024-05-06T07:08", "2024-05-07 10:00:00"], "date"),
        (["", " "], ""),
        (["%", "-"], ""),
    ],
)
def test_numbers_and_dates_in_strings_stay_categories_and_are_known(values, looks_like):
    found = roles_of({"a": values * 10})["a"]
    assert (found.role, found.looks_like) == (Role.CATEGORY, looks_like)


def test_named_columns_get_their_roles_whatever_they_hold():
    columns = {name: [1] * ROWS for name in ("y", "when", "who", "store", "w", "rest")}
    schema = roles_of(columns, target="y", time="when", groups="store", weights="w", entity=["who"])
    assert {name: known.role for name, known in schema.items()} == {
        "y": Role.TARGET,
        "when": Role.TIME,
        "who": Role.KEY,
        "store": Role.GROUP,
        "w": Role.WEIGHT,
        "rest": Role.IGNORED,
    }
    assert schema["y"].reason == "named as the target"


def test_the_entity_may_be_the_groups():
    assert roles_of({"who": [1, 2]}, groups="who", entity=["who"])["who"].role is Role.GROUP


def test_missing_named_columns_are_listed_with_the_nearest():
    with pytest.raises(MissingColumnError, match=r"sales has no 2 columns: 'prize' or 'wheight'.*'price'.*'weight'"):
        roles_of({"price": [1], "weight": [1]}, target="prize", weights="wheight", where="sales")


def test_a_column_named_for_two_things_is_refused():
    with pytest.raises(SchemaError, match=r"column 'a' is named as the target and named as the weights"):
        roles_of({"a": [1]}, target="a", weights="a")


def test_weights_that_are_no_numbers_are_refused():
    with pytest.raises(SchemaError, match=r"column 'a' is named as the weights and is String, not a number"):
        roles_of({"a": ["x"]}, weights="a")


def test_a_time_that_orders_nothing_is_refused():
    with pytest.raises(SchemaError, match=r"column 'a' is named as the time and is String; it takes a date"):
        roles_of({"a": ["x"]}, time="a")


@given(dataframes(max_cols=4, max_size=30))
@settings(deadline=None, max_examples=40)
def test_every_frame_gets_a_role_for_every_column(df):
    schema = infer_roles(profile_frame(df.lazy()))
    assert {name: known.dtype for name, known in schema.items()} == dict(df.schema)


def test_a_column_of_python_objects_is_refused_by_name():
    objects = pl.Series("odd", [object()] * ROWS, dtype=pl.Object)
    with pytest.raises(SchemaError, match="column 'odd' is of type Object .* or drop the column"):
        roles_of({"x": range(ROWS), "odd": objects})
