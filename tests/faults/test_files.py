"""Faults 83 to 96: files that are damaged, hostile, or not what their names say."""

import base64
import io
import os
import random
import threading
import zipfile

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import frazil as fz

HEAD, TAIL = b"PAR1", b"PAR1"


def parquet(df):
    buffer = io.BytesIO()
    df.write_parquet(buffer)
    return buffer.getvalue()


def test_a83_a84_a94_each_kind_of_damage_is_refused_by_name(table, fit, tmp_path):
    whole = parquet(table)
    damaged = {
        "A83-half": whole[: len(whole) // 2],
        "A83-without-the-end": whole[:-1],
        "A83-head-only": whole[:8],
        "A83-junk-between-magic": HEAD + b"\x07" * 500 + TAIL,
        "A83-text": b"x,y\n1,2\n",
        "A84-empty": b"",
        "A94-encrypted": b"PARE" + whole[4:-4] + b"PARE",
    }
    for name, data in damaged.items():
        path = tmp_path / f"{name}.parquet"
        path.write_bytes(data)
        with pytest.raises(fz.SourceError, match=f"{name}.parquet (can't be read|is empty)"):
            fit(path)


@pytest.mark.parametrize("plaintext_footer", [False, True])
def test_a94_an_encrypted_file_is_refused_by_name(table, fit, tmp_path, plaintext_footer):
    encrypt(table, tmp_path / "a.parquet", plaintext_footer=plaintext_footer)
    for act in (lambda: fz.check(tmp_path / "a.parquet", "y"), lambda: fit(tmp_path / "a.parquet")):
        with pytest.raises(fz.SourceError, match=r"a\.parquet can't be read: .*[Ee]ncrypt"):
            act()


def encrypt(table, path, *, plaintext_footer):
    pq, pe = pytest.importorskip("pyarrow.parquet"), pytest.importorskip("pyarrow.parquet.encryption")

    class Keys(pe.KmsClient):
        def __init__(self, config):
            pe.KmsClient.__init__(self)

        def wrap_key(self, key, master):
            return base64.b64encode(key)

    asked = pe.EncryptionConfiguration("footer", column_keys={"column": ["x"]}, plaintext_footer=plaintext_footer)
    made = pe.CryptoFactory(Keys).file_encryption_properties(pe.KmsConnectionConfig(), asked)
    pq.write_table(table.to_arrow(), path, encryption_properties=made)


@pytest.mark.parametrize("ending", ["csv", "ndjson", "arrow", "csv.gz"])
def test_a83_a84_damage_in_other_formats_is_refused_by_name(fit, tmp_path, ending):
    for name, data in {"empty": b"", "junk": bytes(range(256)) * 4}.items():
        path = tmp_path / f"{name}.{ending}"
        path.write_bytes(data)
        with pytest.raises(fz.InputError, match=f"{name}.{ending}|data"):
            fit(path)


def test_a83_a_damaged_file_among_sound_ones_is_named(table, fit, tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.parquet").write_bytes(parquet(table))
    (tmp_path / "b.parquet").write_bytes(parquet(table)[:-9])
    with pytest.raises(fz.SourceError, match=r"b\.parquet can't be read"):
        fit(tmp_path)


def test_a85_a_flipped_bit_is_another_table_for_a_store(table, fit, tmp_path):
    path = tmp_path / "a.parquet"
    table.write_parquet(path, compression="uncompressed")
    fit(path, store=tmp_path / "run")
    data = bytearray(path.read_bytes())
    data[data.index(table["x"].to_numpy().tobytes()[:16]) + 3] ^= 4
    path.write_bytes(data)
    with pytest.raises(fz.SettingError, match="another run: 'data.fingerprint' was"):
        fit(path, store=tmp_path / "run")


def test_a85_flipped_bytes_of_parquet_give_an_error_of_ours_or_a_table(table, tmp_path):
    draw, path = random.Random(0), tmp_path / "a.parquet"
    whole = parquet(table)
    for _ in range(60):
        data = bytearray(whole)
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        path.write_bytes(data)
        try:
            fz.check(path, "y")
        except fz.InputError as error:
            assert str(error)  # noqa: PT017 -- either outcome is right; none is a crash or another error


def test_a86_files_of_other_columns_or_types_are_named_with_the_column(table, fit, tmp_path):
    table.write_parquet(tmp_path / "a.parquet")
    table.with_columns(pl.col("x").cast(pl.String)).write_parquet(tmp_path / "b.parquet")
    with pytest.raises(fz.SchemaError, match=r"b\.parquet: column 'x' is String, but Float64 in .*a\.parquet"):
        fit(tmp_path)
    table.with_columns(more=1).write_parquet(tmp_path / "b.parquet")
    with pytest.raises(fz.SchemaError, match=r"b\.parquet has a column 'more', which .*a\.parquet has not"):
        fit(tmp_path)


@pytest.mark.parametrize("name", ["a[1]", "a*", "a?", "a'b", 'a"b', "a b", "ä😀", "a') union all select 1 --", "-o"])
def test_a87_a96_a_name_of_signs_is_that_file_and_no_other(table, fit, tmp_path, name):
    table.with_columns(y=pl.col("y") + 1_000).write_parquet(tmp_path / "a1.parquet")
    table.write_parquet(tmp_path / f"{name}.parquet")
    model = fit(tmp_path / f"{name}.parquet", trials=1)
    assert model.predict(tmp_path / f"{name}.parquet")["prediction"].max() < 500
    out = tmp_path / f"{name}.csv"
    assert model.sink_predictions(tmp_path / f"{name}.parquet", out) == table.height
    model.save(tmp_path / f"{name}.frazil")
    assert fz.load(tmp_path / f"{name}.frazil").target == "y"


@pytest.mark.skipif(os.name == "nt", reason="Windows makes links only for administrators")
def test_a88_a_link_out_of_the_folders_of_a_query_is_refused(table, fit, tmp_path):
    (tmp_path / "in").mkdir()
    table.write_csv(tmp_path / "secret.csv")
    (tmp_path / "in" / "a.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(fz.SourceError, match="not allowed|disabled|[Pp]ermission"):
        fit(fz.sql(f"select * from read_csv('{tmp_path / 'in' / 'a.csv'}')", folders=[tmp_path / "in"]))


@pytest.mark.skipif(os.name == "nt", reason="Windows makes links only for administrators")
def test_a88_links_that_lead_nowhere_or_round_are_refused(fit, tmp_path):
    (tmp_path / "a.parquet").symlink_to(tmp_path / "gone.parquet")
    with pytest.raises(fz.SourceError, match=r"a\.parquet is a link to '.*gone\.parquet', which does not exist"):
        fit(tmp_path / "a.parquet")
    (tmp_path / "b.parquet").symlink_to(tmp_path / "b.parquet")
    with pytest.raises(fz.SourceError, match=r"b\.parquet"):
        fit(tmp_path / "b.parquet")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_a89_pipes_and_devices_are_refused_and_not_waited_for(table, plain, fit, tmp_path):
    os.mkfifo(tmp_path / "a.parquet")
    (tmp_path / "b.csv").symlink_to("/dev/zero")
    for name, kind in {"a.parquet": "a pipe", "b.csv": "a device"}.items():
        with pytest.raises(fz.SourceError, match=f"{name} is {kind}, not a file"):
            fit(tmp_path / name)
    os.mkfifo(tmp_path / "m.frazil")
    with pytest.raises(fz.SourceError, match="is not a file"):
        fz.load(tmp_path / "m.frazil")
    for name in ("a.parquet", "m.frazil"):
        with pytest.raises(fz.SourceError, match="is a pipe or a device; it would be replaced"):
            (plain.save if name == "m.frazil" else lambda path: plain.sink_predictions(table, path))(tmp_path / name)


def test_a90_a_file_that_changes_while_it_is_read_is_refused(table, plain, tmp_path, monkeypatch):
    path = tmp_path / "a.parquet"
    table.write_parquet(path)
    whole = type(plain.predictor).raw

    def changing(self, frame, where):
        os.utime(path, ns=(0, 0))
        return whole(self, frame, where)

    monkeypatch.setattr(type(plain.predictor), "raw", changing)
    with pytest.raises(fz.SourceError, match=r"a\.parquet changed while it was read: it had [\d,]+ bytes"):
        plain.sink_predictions(path, tmp_path / "out.parquet")
    assert [file.name for file in tmp_path.iterdir()] == ["a.parquet"]


def test_a90_a_fit_reads_its_file_once(table, fit, tmp_path):
    table.write_parquet(tmp_path / "a.parquet")

    class Gone:
        def stage(self, text):
            if text == "making features":
                (tmp_path / "a.parquet").unlink()

        candidate = clock = lambda self, *_: None
        close = lambda self: None

    assert fit(tmp_path / "a.parquet", progress=Gone()).story.rows == table.height


def test_a91_a_file_that_goes_away_in_the_middle_leaves_no_half_result(table, plain, tmp_path):
    new = tmp_path / "new.csv"
    table.write_csv(new)
    lazy = pl.scan_csv(new, try_parse_dates=True)
    new.unlink()
    with pytest.raises(fz.SourceError, match=r"can't be read: .*new\.csv"):
        plain.sink_predictions(lazy, tmp_path / "out.parquet")
    assert not list(tmp_path.iterdir())


def test_a92_a_small_file_of_very_many_rows_is_sampled_in_bounded_memory(noted, tmp_path):
    bomb = pl.select(x=pl.lit(1.0).repeat_by(10**6).explode()).with_columns(y=pl.int_range(pl.len()) % 7 * 0.1)
    bomb.write_parquet(tmp_path / "bomb.parquet", row_group_size=10**6)
    model = noted(tmp_path / "bomb.parquet", "sampled", None, trials=1, budget=fz.Budget(trials=1, memory=2_000_000))
    assert model.story.rows < 30_000


@pytest.mark.parametrize("is_categorical", [False, True])
def test_a92_a_small_file_of_very_long_strings_is_refused(table, plain, fit, tmp_path, is_categorical):
    path, rows = tmp_path / "bomb.parquet", 5_000
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    levels = pa.array(["a" * 2**20 + end for end in "bc"], pa.large_string())
    city = pa.DictionaryArray.from_arrays(pa.array([row % 2 for row in range(rows)], pa.int32()), levels)
    more = table.sample(rows, with_replacement=True, seed=0).to_arrow()
    bomb = more.set_column(more.schema.get_field_index("city"), "city", city)
    whole = {"dictionary_pagesize_limit": 2**30, "write_statistics": False, "compression": "zstd"}
    pq.write_table(bomb, path, store_schema=is_categorical, **whole)
    assert path.stat().st_size < 2**20
    for act in (lambda: fz.check(path, "y"), lambda: fit(path), lambda: plain.predict(path)):
        with pytest.raises(fz.SourceError, match="column 'city' holds 5,242,885,000 bytes of strings in 5,000 rows"):
            act()


def test_a92_a_file_of_very_many_row_groups_is_refused(table, fit, tmp_path, monkeypatch):
    monkeypatch.setattr("frazil.sources.limits.MOST_ROW_GROUPS", 100)
    table.write_parquet(tmp_path / "a.parquet", row_group_size=1)
    with pytest.raises(fz.SourceError, match=r"a\.parquet has 120 row groups, over the limit of 100"):
        fit(tmp_path / "a.parquet")


def test_a92_lists_that_unpack_to_too_much_are_refused_before_they_are_read(table, fit, tmp_path, monkeypatch):
    table.with_columns(many=pl.lit([0.5] * 50)).write_parquet(tmp_path / "a.parquet", row_group_size=60)
    monkeypatch.setattr("frazil.sources.limits.MOST_VALUES", 2_999)
    for act in (lambda: fz.check(tmp_path / "a.parquet", "y"), lambda: fit(tmp_path / "a.parquet")):
        with pytest.raises(fz.SourceError, match=r"a\.parquet: column 'many.*' has 3,000 values in one row group"):
            act()


def test_a92_a_row_group_larger_than_memory_is_refused_before_it_is_read(table, fit, tmp_path, monkeypatch):
    table.write_parquet(tmp_path / "a.parquet")
    monkeypatch.setattr("frazil.sources.limits.available_bytes", lambda: 4_000)
    with pytest.raises(fz.SourceError, match="row group that unpacks to 4,320 bytes, and 4,000 are free"):
        fit(tmp_path / "a.parquet")


def test_a92_long_lists_count_for_the_memory_of_the_rows(table, noted):
    many = pl.concat([table] * 10).with_columns(many=pl.lit([0.5] * 100))
    model = noted(many, "sampled", None, budget=fz.Budget(trials=1, memory=2_000_000))
    assert 200 < model.story.rows < 500


def test_a92_more_columns_than_anyone_means_are_refused(table, fit, tmp_path, monkeypatch):
    monkeypatch.setattr("frazil.sources.limits.MOST_COLUMNS", 3)
    table.write_csv(tmp_path / "a.csv")
    for data in (tmp_path / "a.csv", table):
        with pytest.raises(fz.SchemaError, match="has 4 columns, over the limit of 3"):
            fit(data)


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
@pytest.mark.parametrize("claimed", [2**39, -7], ids=["half-a-terabyte", "negative"])
def test_a92_a_buffer_that_claims_to_unpack_to_more_than_it_can_is_refused(table, fit, tmp_path, compression, claimed):
    path = tmp_path / "a.arrow"
    pl.concat([table] * 20).write_ipc(path, compression=compression)
    data = path.read_bytes()
    magic = {"zstd": b"\x28\xb5\x2f\xfd", "lz4": b"\x04\x22\x4d\x18"}[compression]
    at = data.index(magic) - 8
    path.write_bytes(data[:at] + claimed.to_bytes(8, "little", signed=True) + data[at + 8 :])
    for act in (lambda: fz.check(path, "y"), lambda: fit(path)):
        with pytest.raises(fz.SourceError, match=rf"a\.arrow can't be read: .* claims to unpack to {claimed:,}"):
            act()


def test_a92_a_batch_larger_than_memory_is_refused_before_it_is_unpacked(table, fit, tmp_path, monkeypatch):
    pl.concat([table] * 20).write_ipc(tmp_path / "a.arrow", compression="zstd")
    monkeypatch.setattr("frazil.sources.buffers.available_bytes", lambda: 4_000)
    with pytest.raises(fz.SourceError, match=r"a\.arrow holds a batch that unpacks to [\d,]+ bytes, and 4,000"):
        fit(tmp_path / "a.arrow")


@pytest.mark.parametrize("brackets", ["[]", ('{"a":', "}")], ids=["lists", "structs"])
@pytest.mark.parametrize("levels", [100, 5_000])
def test_a92_a_column_that_is_nested_very_deep_is_refused(fit, tmp_path, brackets, levels):
    (tmp_path / "a.ndjson").write_text(f'{{"x":{brackets[0] * levels}1{brackets[1] * levels},"y":1}}\n' * 20)
    with pytest.raises(fz.InputError, match=r"a\.ndjson(: column 'x' is nested more than 64 levels|.*DepthLimit)"):
        fit(tmp_path / "a.ndjson")


def test_a93_a_model_that_claims_to_be_larger_than_it_is_is_refused(plain, tmp_path):
    path = tmp_path / "m.frazil"
    plain.save(path)
    with zipfile.ZipFile(path) as archive:
        members = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    members["predictor.json"] = b" " * 200 * 2**20
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(fz.ArtifactError, match="m.frazil"):
        fz.load(path)


@pytest.mark.parametrize(
    "url", ["s3://bucket/a.parquet", "https://example.invalid/a.csv", "gs://b/*.parquet", "hf://datasets/a/b.csv"]
)
def test_a95_urls_are_refused_at_once(fit, url):
    with pytest.raises(fz.SourceError, match="is a URL; only local files are read. Download it"):
        fit(url)
    with pytest.raises(fz.InputError):
        fz.load(url)


def test_a96_a_query_sees_only_its_own_database_and_downloads_nothing(table, fit, tmp_path):
    secret = table  # noqa: F841 -- a name that DuckDB would find, were it allowed to
    with pytest.raises(fz.SourceError, match="secret"):
        fit(fz.sql("select * from secret"))
    with pytest.raises(fz.SourceError, match="httpfs|extension|HTTP|http"):
        fit(fz.sql("select * from 'https://example.invalid/a.parquet'"))
    assert threading.active_count() < 50
    assert not list(tmp_path.iterdir())


def test_a87_a_pattern_that_matches_nothing_is_refused(fit, tmp_path):
    with pytest.raises(fz.SourceError, match="no file"):
        fit(tmp_path / "*.parquet")


def test_a91_a_sound_file_reads_the_same_twice(table, plain, fit, tmp_path):
    (tmp_path / "a.parquet").write_bytes(parquet(table))
    assert_frame_equal(fit(tmp_path / "a.parquet").predict(table), plain.predict(table), check_exact=True)
