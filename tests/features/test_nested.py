"""Lists, structs, bytes and Booleans, by numpy, and images by their encoders' own bytes."""

import math
import struct
import zlib
from datetime import date, datetime, time, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frazil.errors import SchemaError, SettingError
from frazil.features import FittedRecipe, Recipe
from frazil.features.nested import BinaryStats, BooleanStats, ListItems, ListStats, StructFields
from frazil.features.nested.blobs import STATISTICS, entropy
from frazil.features.nested.images import image_facts

NUMPY = {
    "mean": np.mean,
    "min": np.min,
    "max": np.max,
    "std": lambda values: np.std(values, ddof=1) if len(values) > 1 else math.nan,
    "sum": np.sum,
}


def made(builder, frame, other=None):
    fitted = Recipe(builder).fit(frame)
    return fitted.apply(frame if other is None else other).select([f.name for f in fitted.features]).collect()


@pytest.mark.parametrize("statistic", sorted(NUMPY))
@pytest.mark.parametrize("dtype", [pl.Float64, pl.Float32, pl.Int16, pl.UInt64])
def test_statistics_of_lists_are_those_of_numpy(statistic, dtype):
    rng = np.random.default_rng(0)
    lists = [rng.integers(0, 99, rng.integers(1, 9)).tolist() for _ in range(200)]
    frame = pl.LazyFrame({"sizes": pl.Series(lists, dtype=pl.List(dtype))})
    got = made(ListStats("sizes", [statistic]), frame).to_series().to_numpy()
    np.testing.assert_allclose(got, [NUMPY[statistic](values) for values in lists], rtol=1e-6)


def test_nulls_nan_and_infinities_are_in_the_length_alone():
    lists = [[math.nan, 1.0, None, 1.0, math.inf, 4.0, -math.inf], [None], [], None]
    got = made(ListStats("sizes"), pl.LazyFrame({"sizes": lists}, schema={"sizes": pl.List(pl.Float64)}))
    assert got.to_dicts()[0] == {
        "sizes|list_length": 7.0,
        "sizes|list_n_unique": 2.0,
        "sizes|list_nulls": 4.0,
        "sizes|list_mean": 2.0,
        "sizes|list_min": 1.0,
        "sizes|list_max": 4.0,
        "sizes|list_std": pytest.approx(3**0.5),
        "sizes|list_sum": 6.0,
        "sizes|list_first": None,
        "sizes|list_last": None,
    }
    assert got.rows()[1:] == [
        (1.0, 0.0, 1.0, None, None, None, None, 0.0, None, None),
        (0.0, 0.0, 0.0, None, None, None, None, 0.0, None, None),
        (None,) * 10,
    ]


def test_arrays_and_booleans_are_lists_of_numbers():
    schema = {"pair": pl.Array(pl.Int64, 2), "flags": pl.List(pl.Boolean)}
    frame = pl.LazyFrame({"pair": [[3, 5], None], "flags": [[True, False, True], []]}, schema=schema)
    got = made(ListStats(["pair", "flags"], ["mean", "last"]), frame)
    assert got.rows() == [(4.0, 5.0, pytest.approx(2 / 3), 1.0), (None, None, None, None)]


@pytest.mark.parametrize(
    ("lists", "dtype"),
    [
        ([["a", "a", None], [], None], pl.List(pl.String)),
        ([["a", "a", None], [], None], pl.List(pl.Categorical)),
        ([[date(2024, 1, 1)] * 2 + [None], [], None], pl.List(pl.Date)),
        ([[[1], [1], None], [], None], pl.List(pl.List(pl.Int64))),
        ([[{"a": 1}, {"a": 1}, None], [], None], pl.List(pl.Struct({"a": pl.Int64}))),
    ],
)
def test_lists_of_other_things_have_a_length_distinct_items_and_nulls(lists, dtype):
    got = made(ListStats("of"), pl.LazyFrame({"of": pl.Series(lists, dtype=dtype)}))
    assert got.columns == ["of|list_length", "of|list_n_unique", "of|list_nulls"]
    assert got.rows() == [(3.0, 1.0, 1.0), (0.0, 0.0, 0.0), (None, None, None)]


def test_arrays_of_strings_are_measured_and_searched():
    frame = pl.LazyFrame({"of": pl.Series([["a", "b"], ["b", "b"], None], dtype=pl.Array(pl.String, 2))})
    assert made(ListStats("of"), frame).rows() == [(2.0, 2.0, 0.0), (2.0, 1.0, 0.0), (None, None, None)]
    got = made(ListItems("of"), frame)
    assert got.columns == ["of|has_b", "of|has_a"]
    assert got.rows() == [(1.0, 1.0), (1.0, 0.0), (None, None)]


def test_items_are_those_of_most_rows_and_unseen_ones_are_not_looked_for():
    frame = pl.LazyFrame({"tags": [["x", "x", "x"], ["b", "a"], ["a", "b", None], []]})
    got = made(ListItems("tags", most=2), frame)
    assert got.columns == ["tags|has_a", "tags|has_b"]
    later = pl.LazyFrame({"tags": [["z", "a"], None]})
    assert made(ListItems("tags", most=2), frame, later).rows() == [(1.0, 0.0), (None, None)]


def test_names_of_items_are_safe_and_distinct():
    got = made(ListItems("tags"), pl.LazyFrame({"tags": [["a:b", "a,b", ""]]}))
    assert got.columns == ["tags|has_", "tags|has_a_b", "tags|has_a_b#2"]
    assert got.rows() == [(1.0, 1.0, 1.0)]


def test_items_of_numbers_are_told_apart_as_strings():
    assert made(ListItems("n"), pl.LazyFrame({"n": [[1, 2], [2]]})).columns == ["n|has_2", "n|has_1"]


def test_nan_and_infinities_are_no_items():
    lists = pl.LazyFrame({"sizes": [[math.nan, 1.0], [math.nan, None, math.inf], None]})
    assert made(ListItems("sizes"), lists).to_dict(as_series=False) == {"sizes|has_1.0": [1.0, 0.0, None]}


def test_lists_without_items_that_can_be_looked_for_are_refused_by_name_and_left_out_by_a_selector():
    frame = pl.LazyFrame({"deep": [[[1]]], "tags": [["a"]]})
    assert made(ListItems(), frame).columns == ["tags|has_a"]
    with pytest.raises(SchemaError, match="it takes lists of"):
        Recipe(ListItems("deep")).fit(frame)


@pytest.mark.parametrize(("builder", "settings"), [(ListStats, ["meen"]), (BinaryStats, ["lenght"])])
def test_statistics_that_are_not_known_are_refused(builder, settings):
    with pytest.raises(SettingError, match="Nearest"):
        builder("of", settings)


def test_fields_become_numbers_and_codes_by_their_type():
    rows = [
        {"n": 2, "ok": True, "took": timedelta(hours=1), "at": time(0, 1), "day": date(1970, 1, 3), "c": "u", "l": [1]},
        {"n": 3, "ok": None, "took": None, "at": None, "day": None, "c": "r", "l": []},
        {"n": None, "ok": False, "took": None, "at": None, "day": None, "c": "r", "l": []},
        None,
    ]
    got = made(StructFields("of"), pl.LazyFrame({"of": rows}))
    assert got.columns == [
        *(f"of.{name}|number" for name in ("n", "ok", "took", "at", "day")),
        "of.c|ordinal",
    ]
    assert got.rows() == [
        (2.0, 1.0, 3600.0, 60.0, 2.0, 1),
        (3.0, None, None, None, None, 0),
        (None, 0.0, None, None, None, 0),
        (None,) * 6,
    ]


def test_structs_within_structs_are_opened():
    frame = pl.LazyFrame({"of": [{"in": {"x": 1.5, "at": datetime(1970, 1, 2, 12)}}, {"in": None}]})
    got = made(StructFields("of"), frame)
    assert got.to_dict(as_series=False) == {"of.in.x|number": [1.5, None], "of.in.at|number": [1.5, None]}


def test_fields_with_names_that_are_patterns_are_left_out_and_others_are_made_safe():
    frame = pl.LazyFrame({"of": [{"^a$": 1, "*": 2, "a:b": 3}]})
    assert made(StructFields(), frame).to_dicts() == [{"of.a_b|number": 3.0}]


def test_levels_that_are_rare_or_not_of_training_are_null():
    frame = pl.LazyFrame({"of": [{"c": "r"}, {"c": "r"}, {"c": "u"}]})
    fitted = Recipe(StructFields("of", most=1)).fit(frame)
    assert fitted.features[0].levels == 1
    assert fitted.apply(frame).collect()["of.c|ordinal"].to_list() == [0, 0, None]
    read = FittedRecipe.read(fitted.members())
    assert read.apply(frame).collect().equals(fitted.apply(frame).collect())


@given(st.binary(min_size=1, max_size=300))
def test_entropy_is_that_of_the_shares_of_bytes(data):
    shares = [data.count(value) / len(data) for value in set(data)]
    assert entropy(data) == pytest.approx(-sum(share * math.log2(share) for share in shares), abs=1e-9)


def png(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + bytes(width) for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def jpeg(width, height, frame=0xC0, before=b""):
    start = b"\xff\xd8\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + bytes(9)
    quantised = b"\xff\xdb" + struct.pack(">H", 67) + bytes(65)
    tables = b"\xff\xc4" + struct.pack(">H", 20) + bytes(18)
    sizes = bytes([0xFF, frame]) + struct.pack(">HBHHB", 11, 8, height, width, 1) + bytes([1, 0x11, 0])
    return start + before + quantised + tables + sizes + b"\xff\xda" + bytes(10)


def gif(width, height, version=b"GIF89a"):
    return version + struct.pack("<HH", width, height) + bytes(3) + b";"


@pytest.mark.parametrize(
    ("data", "facts"),
    [
        (png(640, 3), (0, 640, 3)),
        (jpeg(4000, 3000), (1, 4000, 3000)),
        (jpeg(17, 19, frame=0xC2), (1, 17, 19)),
        (jpeg(17, 19, before=b"\xff\xff\xff\xfe\x00\x04\xff\xc0"), (1, 17, 19)),
        (gif(300, 200), (2, 300, 200)),
        (gif(1, 2, b"GIF87a"), (2, 1, 2)),
        (png(640, 3)[:20], (0, None, None)),
        (jpeg(4000, 3000)[:100], (1, None, None)),
        (gif(1, 2)[:9], (2, None, None)),
        (gif(0, 2), (2, None, 2)),
        (b"\xff\xd8\xff\xda" + bytes(99), (1, None, None)),
        (b"\xff\xd8\xff\xd9", (1, None, None)),
        (b"\x89PNG\r\n\x1a\n" + bytes(30), (0, None, None)),
        (b"BM" + bytes(60), (None, None, None)),
        (b"", (None, None, None)),
    ],
)
def test_images_are_known_by_their_heads(data, facts):
    assert image_facts(data) == facts


@given(st.sampled_from([b"\xff\xd8\xff", b"GIF89a", b"\x89PNG\r\n\x1a\n"]), st.binary(max_size=200))
def test_no_bytes_break_the_reading_of_heads(head, data):
    assert len(image_facts(head + data)) == 3


def test_a_long_run_of_fill_bytes_ends():
    assert image_facts(b"\xff\xd8" + b"\xff" * 1_000_000) == (1, None, None)


def test_bytes_are_measured():
    frame = pl.LazyFrame({"file": [b"", b"aabb", gif(30, 20), None]})
    got = made(BinaryStats("file"), frame)
    assert got.columns == [f"file|{statistic}" for statistic in STATISTICS]
    assert got["file|image_format"].dtype == pl.Int32
    assert got["file|length"].to_list() == [0.0, 4.0, 14.0, None]
    assert got["file|entropy"].to_list() == [None, 1.0, pytest.approx(entropy(gif(30, 20))), None]
    assert got.select("file|image_format", "file|image_width", "file|image_height").rows() == [
        (None, None, None),
        (None, None, None),
        (2, 30.0, 20.0),
        (None, None, None),
    ]


def test_booleans_are_counted_together():
    frame = pl.LazyFrame({"a": [True, None, False], "b": [True, None, None], "n": [1, 1, 1]})
    got = made(BooleanStats(), frame)
    assert got.to_dict(as_series=False) == {
        "booleans|n_true": [2.0, 0.0, 0.0],
        "booleans|true_share": [1.0, None, 0.0],
        "booleans|n_missing": [0.0, 2.0, 1.0],
    }
    assert made(BooleanStats(), frame.select("n")).width == 0
    with pytest.raises(SchemaError, match="it takes Booleans"):
        Recipe(BooleanStats(["a", "n"])).fit(frame)


@pytest.mark.parametrize("dtype", [pl.List(pl.Float64), pl.Array(pl.Int64, 2), pl.List(pl.Boolean)])
def test_items_that_are_numbers_are_known_again_in_another_type(dtype):
    fitted = Recipe(ListItems("sizes")).fit(pl.LazyFrame({"sizes": [[1, 0], [1, 1]]}))
    new = pl.LazyFrame({"sizes": [[1, 0], [1, 1], None]}).with_columns(
        pl.col("sizes").cast(pl.List(pl.Int64)).cast(dtype)
    )
    out = fitted.apply(new).collect()
    assert out["sizes|has_1"].to_list() == [1.0, 1.0, None]
    assert out["sizes|has_0"].to_list() == [1.0, 0.0, None]


def test_arrays_and_lists_stand_for_each_other():
    arrays = pl.DataFrame({"tags": [["a", "b"], ["b", "b"]]}, schema={"tags": pl.Array(pl.String, 2)})
    lists = arrays.cast({"tags": pl.List(pl.String)})
    for builder in (ListStats("tags"), ListItems("tags")):
        for one, other in ((arrays, lists), (lists, arrays)):
            assert made(builder, one.lazy(), other.lazy()).equals(made(builder, one.lazy()))


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ({"rooms": date(2024, 1, 1), "city": "Ulm"}, "field 'home.rooms' is Date; it was learned as a number"),
        ({"rooms": "3", "city": "Ulm"}, "field 'home.rooms' is String; it was learned as a number"),
        ({"rooms": 3, "city": ["Ulm"]}, r"field 'home.city' is List.String.; it was learned as a text"),
    ],
)
def test_a_field_of_another_kind_is_refused(new, words):
    fitted = Recipe(StructFields("home")).fit(pl.LazyFrame({"home": [{"rooms": 3, "city": "Ulm"}]}))
    with pytest.raises(SchemaError, match=words):
        fitted.apply(pl.LazyFrame({"home": [new]}))


def test_fields_that_hold_nothing_are_null_and_missing_ones_are_named():
    train = pl.DataFrame({"home": [{"rooms": 3, "at": {"day": date(2024, 1, 1), "city": "Ulm"}}]})
    fitted = Recipe(StructFields("home")).fit(train)
    names = [feature.name for feature in fitted.features]
    for new in ({"rooms": None, "at": {"day": None, "city": None}}, {"rooms": None, "at": None}):
        assert fitted.apply(pl.DataFrame({"home": [new]})).collect().select(names).row(0) == (None, None, None)
    with pytest.raises(SchemaError, match="struct 'home.at' has no field 'city'. Nearest: 'City'"):
        fitted.apply(pl.DataFrame({"home": [{"rooms": 3, "at": {"day": None, "City": "Ulm"}}]}))
