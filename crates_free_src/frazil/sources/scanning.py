"""Files become one LazyFrame: one scan a file, one schema over all of them."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from frazil.errors import SchemaError, SourceError
from frazil.schema import column
from frazil.sources.blanks import without_blanks
from frazil.sources.buffers import check_buffers
from frazil.sources.columns import check_names
from frazil.sources.limits import check_depth, check_width
from frazil.sources.pages import check_pages
from frazil.sources.paths import COMPRESSED
from frazil.sources.reading import reading

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from frazil.sources.paths import TableFile

# Of a smaller text file all rows say what its columns hold; of a larger one the first so many, which costs seconds.
WHOLE_BYTES = 64 * 2**20
INFER_ROWS = 100_000
SEPARATORS = ("\t", ";", ",")
DUPLICATED = "_duplicated_"  # what Polars' CSV reader puts behind a name that it meets again


@dataclass(frozen=True, slots=True)
class Scan:
    """One file, opened lazily.

    Args:
        file: Where it came from.
        frame: Its rows, without the columns that its folders add.
        schema: Name and type of each column.
    """

    file: TableFile
    frame: pl.LazyFrame
    schema: Mapping[str, pl.DataType]


def scan_files(files: Sequence[TableFile], strings: Collection[str] = ()) -> pl.LazyFrame:
    """Put files of the same columns below each other, in the order given.

    Columns are matched by name, and stand as in the first file. Where integers or floats differ in width the widest is
    taken. A text file's column without any value takes the type that the other files give it.

    Args:
        files: At least one.
        strings: Columns that CSV files are read with as strings, whatever their values look like.

    Raises:
        SourceError: a file can't be read; it is named.
        SchemaError: files differ in columns or types, or a CSV file names a column twice or is separated by other signs
            than its name says; file and column are named.
    """
    scans = [open_file(file, strings) for file in files]
    joint = joint_schema(scans)
    partitions = _partition_types(files)
    return pl.concat([_aligned(scan, joint, partitions) for scan in scans], how="vertical")


def open_file(file: TableFile, strings: Collection[str] = ()) -> Scan:
    """Open one file lazily and read its schema."""
    with reading(str(file)):
        _check_text(file)
        if file.format == "parquet":
            check_pages(file.path)
        if file.format == "ipc":
            check_buffers(file.path)
        frame = _scan(file, strings)
        schema = dict(frame.collect_schema())
        check_width(schema, str(file))
        check_depth(schema, str(file))
        if file.format == "csv":
            _check_header(file, list(schema))
            frame = without_blanks(frame, file.path) if len(schema) > 1 else frame
    return Scan(file, frame, schema)


def _scan(file: TableFile, strings: Collection[str]) -> pl.LazyFrame:
    """Scan a file under its literal name, though it may hold a wildcard's signs."""
    infer = None if file.path.stat().st_size <= WHOLE_BYTES else INFER_ROWS
    match file.format:
        case "parquet":
            return pl.scan_parquet(file.path, glob=False, hive_partitioning=False)
        case "ipc":
            return pl.scan_ipc(file.path, glob=False, hive_partitioning=False)
        case "ndjson":
            # The one scan that takes no glob=False.
            return pl.scan_ndjson(glob.escape(str(file.path)), infer_schema_length=infer)
    return pl.scan_csv(
        file.path,
        glob=False,
        separator=_separator(file),
        try_parse_dates=True,
        infer_schema_length=infer,
        schema_overrides=dict.fromkeys(strings, pl.String),
    )


def _check_text(file: TableFile) -> None:
    """Say which line of a smaller text file is no UTF-8: Polars says only that one is, and not in which file."""
    is_plain = file.format in ("csv", "ndjson") and file.path.suffix.lower() not in COMPRESSED
    if not is_plain or file.path.stat().st_size > WHOLE_BYTES:
        return
    data = file.path.read_bytes()
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line, bad = data.count(b"\n", 0, error.start) + 1, data[error.start : error.start + 4]
        raise SourceError(
            f"{file} can't be read: line {line} holds {bad!r}, which is no UTF-8. Write the file again as UTF-8."
        ) from error


def _separator(file: TableFile) -> str:
    return "\t" if ".tsv" in [suffix.lower() for suffix in file.path.suffixes[-2:]] else ","


def _check_header(file: TableFile, names: Sequence[str]) -> None:
    """Refuse a CSV file that names a column twice, or whose one column is several with another separator between.

    A column may well be called `a_duplicated_0` by its owner.
    """
    own = _separator(file)
    others = [sign for sign in SEPARATORS if sign != own and sign in names[0]] if len(names) == 1 else []
    if others:
        raise SchemaError(
            f"{file} has one column, {names[0]!r}: it seems to be separated by {others[0]!r}, and is read with {own!r}."
            f" Pass polars.scan_csv({str(file)!r}, separator={others[0]!r}); where decimals have commas, with"
            " decimal_comma=True."
        )
    if not any(DUPLICATED in name for name in names):
        return
    first = pl.scan_csv(
        file.path, glob=False, has_header=False, n_rows=1, infer_schema=False, separator=_separator(file)
    )
    check_names(["" if name is None else name for name in first.collect().row(0)], str(file))


def joint_schema(scans: Sequence[Scan]) -> dict[str, pl.DataType]:
    """Find the schema that all files can be read in.

    Raises: SchemaError: they have none; the first file that differs and its column are named.
    """
    first = scans[0]
    joint = dict(first.schema)
    for scan in scans[1:]:
        _check_same_names(first, scan)
    for name in joint:
        if len({scan.schema[name] for scan in scans}) > 1:
            joint[name] = _joint_type(scans, name)
    return joint


def _check_same_names(first: Scan, other: Scan) -> None:
    missing = [name for name in first.schema if name not in other.schema]
    if missing:
        raise SchemaError(f"{other.file} has no column {missing[0]!r}, which {first.file} has.")
    extra = [name for name in other.schema if name not in first.schema]
    if extra:
        raise SchemaError(f"{other.file} has a column {extra[0]!r}, which {first.file} has not.")


def _joint_type(scans: Sequence[Scan], name: str) -> pl.DataType:
    """Widen one column's type over all files, in which it differs."""
    joint: pl.DataType = pl.Null()
    source = scans[0].file
    for scan in scans:
        dtype = scan.schema[name]
        if _is_only_a_guess(scan, name):
            continue
        wider = _wider(joint, dtype)
        if wider is None:
            raise SchemaError(f"{scan.file}: column {name!r} is {dtype}, but {joint} in {source}.")
        if wider != joint:
            joint, source = wider, scan.file
    return pl.String() if joint == pl.Null else joint


def _is_only_a_guess(scan: Scan, name: str) -> bool:
    """Whether a text file says String of a column only because it has no values."""
    if scan.file.format not in ("csv", "ndjson") or scan.schema[name] != pl.String:
        return False
    with reading(str(scan.file)):
        return scan.frame.select(column(name).is_null().all()).collect().item() is True


def _wider(one: pl.DataType, other: pl.DataType) -> pl.DataType | None:
    """Return the type that holds the values of both, or None.

    >>> print(_wider(pl.Int8(), pl.Int32()), _wider(pl.Int64(), pl.Float32()), _wider(pl.Int64(), pl.String()))
    Int32 Float64 None
    """
    if other in (one, pl.Null):
        return one
    if one == pl.Null:
        return other
    strings = (pl.String, pl.Categorical, pl.Enum)
    if one in strings and other in strings:
        return pl.String()
    if not (one.is_numeric() and other.is_numeric()) or one.is_decimal() or other.is_decimal():
        return None
    both = [pl.DataFrame(schema={"both": dtype}) for dtype in (one, other)]
    wider = pl.concat(both, how="vertical_relaxed").schema["both"]
    # Int64 with UInt64 would become a float, which holds neither.
    return None if wider.is_float() and one.is_integer() and other.is_integer() else wider


def _aligned(scan: Scan, joint: Mapping[str, pl.DataType], partitions: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """Bring a file's rows to the joint schema and add what its folders say."""
    added = [
        pl.lit(scan.file.partitions[key], dtype=pl.String).cast(pl.String).pipe(_typed, dtype).alias(key)
        for key, dtype in partitions.items()
    ]
    columns = [
        column(name) if scan.schema[name] == dtype else column(name).cast(dtype, strict=False)
        for name, dtype in joint.items()
        if name not in partitions
    ]
    # First those of the folders, for without a column of its own a selection has no rows.
    return scan.frame.with_columns(added).select(*columns, *(column(key) for key in partitions))


def _typed(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    return value.str.to_date("%Y-%m-%d") if dtype == pl.Date else value.cast(dtype)


def _partition_types(files: Sequence[TableFile]) -> dict[str, pl.DataType]:
    """Find what the values in folders' names are: integers, dates or strings.

    Raises: SchemaError: a file has other keys than the first.
    """
    keys = list(files[0].partitions)
    for file in files:
        if set(file.partitions) != set(keys):
            raise SchemaError(f"{file} lies in folders {list(file.partitions)}, but {files[0]} in {keys}.")
    return {key: _type_of([file.partitions[key] for file in files]) for key in keys}


def _type_of(values: Sequence[str | None]) -> pl.DataType:
    """Return the type that all values read as; 007 stays a string, as its zeros would be lost."""
    present = [value for value in values if value is not None]
    if present and all(value.isascii() and value.isdigit() and str(int(value)) == value for value in present):
        return pl.Int64() if max(map(int, present)) < 2**63 else pl.String()
    return pl.Date() if present and all(map(_is_date, present)) else pl.String()


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
