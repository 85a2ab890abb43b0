from datetime import UTC, date, datetime, time, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from frazil.errors import MissingColumnError, SchemaError
from frazil.schema import ColumnRole, Schema, column, conform
from frazil.types import Role

NAMES = ["^x$", "*", "^.*$", "", "a b", "a|b", "x", 'quo"te', "ß\n", "^", "$", "^only", "[a]"]


@pytest.mark.parametrize("name", NAMES)
def test_a_column_is_found_by_its_name_whatever_the_name_is(name):
    frame = pl.LazyFrame({other: [at] for at, other in enumerate(NAMES)})
    found = frame.select(column(name), doubled=column(name) * 2).collect()
    assert found.columns == [name, "doubled"]
    assert found.row(0) == (NAMES.index(name), NAMES.index(name) * 2)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=6), unique=True, min_size=1))
@settings(deadline=None)
def test_any_names_can_be_spoken_of_together(names):
    frame = pl.LazyFrame({name: [at] for at, name in enumerate(names)})
    assert frame.select(column(name) for name in reversed(names)).collect().row(0) == tuple(range(len(names)))[::-1]


@pytest.mark.parametrize("name", ["^x$", "x"])
def test_a_column_works_in_filters_groups_and_windows(name):
    frame = pl.LazyFrame({name: [1, 1, 2], "y": [1, 2, 3]})
    assert frame.filter(column(name) == 2).collect().height == 1
    assert frame.group_by(column(name)).agg(pl.col("y").sum()).sort(column(name)).collect().rows() == [(1, 3), (2, 3)]
    assert frame.select(pl.col("y").sum().over(column(name))).collect().to_series().to_list() == [3, 3, 3]


def role(name, role=Role.NUMBER, dtype=None):
    return ColumnRole(name, dtype or pl.Int64(), role, "because")


def test_a_schema_gives_roles_by_name_and_names_by_role():
    schema = Schema((role("a"), role("b", Role.TARGET, pl.String()), role("c")))
    assert (len(schema), list(schema), schema["b"].role) == (3, ["a", "b", "c"], Role.TARGET)
    assert schema.named(Role.NUMBER) == ["a", "c"]
    assert schema.named(Role.TARGET, Role.NUMBER) == ["a", "b", "c"]
    assert schema.dtypes(["b"]) == {"b": pl.String()}


def test_a_schema_knows_no_other_names():
    with pytest.raises(KeyError):
        Schema((role("a"),))["b"]


def test_schemas_of_equal_roles_are_equal():
    assert Schema((role("a"),)) == Schema((role("a"),)) != Schema((role("b"),))


def conformed(values, needed):
    frame = values if isinstance(values, pl.DataFrame) else pl.DataFrame({"a": values})
    return conform(frame.lazy(), {"a": needed}, "new.csv").collect()


def test_columns_come_by_name_in_the_learned_order_and_extras_are_left_out():
    frame = pl.LazyFrame({"extra": [0], "^b$": [2], "a": [1]})
    needed = {"a": pl.Int64(), "^b$": pl.Int64()}
    assert_frame_equal(conform(frame, needed, "new").collect(), pl.DataFrame({"a": [1], "^b$": [2]}))


def test_no_needed_columns_give_no_columns():
    assert conform(pl.LazyFrame({"a": [1]}), {}, "new").collect().shape == (0, 0)


def test_zero_rows_conform():
    found = conformed(pl.Series([], dtype=pl.String), pl.Float64())
    assert (found.height, found.schema["a"]) == (0, pl.Float64)


def test_missing_columns_are_all_named_with_the_nearest():
    with pytest.raises(MissingColumnError, match=r"new\.csv has no 2 columns: 'price' or 'city'\. .*'prize'.*'citi'"):
        conform(pl.LazyFrame({"prize": [1], "citi": [2]}), {"price": pl.Int64(), "city": pl.Int64()}, "new.csv")


MOMENT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "needed", "expected"),
    [
        (pl.Series([1, None], dtype=pl.Int8), pl.Int64(), [1, None]),
        (pl.Series([1, None], dtype=pl.Int64), pl.Int8(), [1, None]),
        (pl.Series([1, None], dtype=pl.UInt64), pl.Int64(), [1, None]),
        (pl.Series([2**60 + 1]), pl.Float64(), [float(2**60)]),
        (pl.Series([1.0, None]), pl.Int64(), [1, None]),
        (pl.Series([1.0, float("nan")]), pl.Int64(), [1, None]),
        (pl.Series([True, None]), pl.Int64(), [1, None]),
        (pl.Series([1, 0, None]), pl.Boolean(), [True, False, None]),
        (pl.Series([1.5]), pl.Decimal(10, 1), ["1.5"]),
        (pl.Series([None, None]), pl.String(), [None, None]),
        (pl.Series([None]), pl.Enum(["x"]), [None]),
        (pl.Series([" 7 ", None]), pl.Int64(), [7, None]),
        (pl.Series(["1e3", "nan"]), pl.Float64(), [1000.0, float("nan")]),
        (pl.Series(["TRUE", "false"]), pl.Boolean(), [True, False]),
        (pl.Series(["2024-05-06"]), pl.Date(), [date(2024, 5, 6)]),
        (
            pl.Series(["2024-05-06 07:08:09", "2024-05-06"]),
            pl.Datetime("ms"),
            [MOMENT.replace(tzinfo=None), datetime(2024, 5, 6)],
        ),
        (pl.Series(["2024-05-06T07:08:09.5"]), pl.Datetime("us", "UTC"), [MOMENT.replace(microsecond=500_000)]),
        (pl.Series(["2024-05-06T09:08:09+02:00", "2024-05-06T07:08:09Z"]), pl.Datetime("us", "UTC"), [MOMENT, MOMENT]),
        (pl.Series(["2024-05-06 09:08:09.0+0200"]), pl.Datetime("ms", "Europe/Berlin"), [MOMENT]),
        (pl.Series(["07:08:09"]), pl.Time(), [time(7, 8, 9)]),
        (pl.Series([date(2024, 5, 6)]), pl.Datetime("us"), [datetime(2024, 5, 6)]),
        (pl.Series([datetime(2024, 5, 6)]), pl.Date(), [date(2024, 5, 6)]),
        (pl.Series([MOMENT]), pl.Datetime("ms", "Asia/Tokyo"), [MOMENT]),
        (pl.Series([timedelta(seconds=1)]), pl.Duration("ms"), [timedelta(seconds=1)]),
        (pl.Series([7, None]), pl.String(), ["7", None]),
        (pl.Series([True]), pl.String(), ["true"]),
        (pl.Series(["u"], dtype=pl.Categorical), pl.String(), ["u"]),
        (pl.Series(["u"]), pl.Categorical(), ["u"]),
        (pl.Series(["u", "new"]), pl.Enum(["u"]), ["u", None]),
        (pl.Series([0, 7, 5]), pl.Enum(["7", "0"]), ["0", "7", None]),
        (pl.Series([True]), pl.Enum(["false", "true"]), ["true"]),
        (pl.Series([7]), pl.Categorical(), ["7"]),
    ],
)
def test_a_type_that_changed_without_loss_is_cast(values, needed, expected):
    found = conformed(values, needed).to_series()
    assert found.dtype == needed
    wanted = pl.Series("a", expected).cast(pl.String).cast(needed) if needed.is_decimal() else expected
    assert found.equals(pl.Series("a", wanted, dtype=needed), null_equal=True)


@pytest.mark.parametrize(
    ("values", "needed", "message"),
    [
        (
            ["1", "2", "abc", "x"],
            pl.Int64(),
            r"'a' was learned as Int64, which 'abc' in row 2 is not \(2 such values\)",
        ),
        (["1.5"], pl.Int64(), r"which '1\.5' in row 0 is not \(1 such value\)"),
        ([1, 300], pl.Int8(), "which 300 in row 1 is not"),
        ([1.0, 2.5], pl.Int64(), r"which 2\.5 in row 1 is not"),
        ([1.0, float("inf")], pl.Int64(), "which inf in row 1 is not"),
        ([2], pl.Boolean(), "which 2 in row 0 is not"),
        (["maybe"], pl.Boolean(), "which 'maybe' in row 0 is not"),
        (["06/05/2024"], pl.Date(), "which '06/05/2024' in row 0 is not"),
        (["2024-05-06T07:08:09"], pl.Datetime("us", "Europe/Berlin"), "which '2024-05-06T07:08:09' in row 0 is not"),
        ([datetime(2024, 5, 6, 1)], pl.Date(), "in row 0 is not"),
        ([timedelta(microseconds=1)], pl.Duration("ms"), "in row 0 is not"),
        ([1.5], pl.String(), "is Float64 where String was learned, and one can't become the other"),
        ([[1]], pl.Int64(), r"is List\(Int64\) where Int64 was learned"),
        ([1], pl.Date(), "is Int64 where Date was learned"),
        ([MOMENT], pl.Datetime("us"), "where Datetime"),
        ([date(2024, 5, 6)], pl.Datetime("us", "UTC"), "is Date where Datetime"),
    ],
)
def test_a_loss_is_named_with_the_column(values, needed, message):
    with pytest.raises(SchemaError, match=rf"new\.csv: column 'a' .*{message}" if "'a'" not in message else message):
        conformed(values, needed)


def test_a_lost_value_is_found_in_a_column_with_a_name_like_a_pattern():
    with pytest.raises(SchemaError, match="'bad' in row 1"):
        conform(pl.LazyFrame({"^a$": ["1", "bad"], "a": [1, 2]}), {"^a$": pl.Int64()}, "new")
