"""One file that holds many: a zip with a checked manifest, and safe readers for what stands in it.

Reading runs no code from the file, writes nothing to disk, and hands on no byte before every member has the size and
the hash that the manifest promises. The hashes find damage; a signature, where there is one, says who wrote it.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import polars as pl

from frazil.errors import ArtifactError, SettingError, SourceError, listed, nearest
from frazil.extras import load
from frazil.files import atomic, path_of
from frazil.signing import check_key, check_signature, signed
from frazil.strictzip import AGAIN, DISTRUST, LIMITS, Limits, check_limit, fill, name_fault, opened_archive, unpacked

FORMAT = "frazil"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
Stamps = dict[str, dict[str, Any]]  # size and hash by member
WIDE = "frazil:wide"  # columns of 128-bit integers, which Parquet does not have; they travel as text
# What Polars raises over Arrow data whose types do not hold together; a panic is no Exception.
TABLE_DAMAGE = (
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
)
# Exactly what numpy writes for arrays of plain values: no objects, no records, nothing that has to be evaluated.
NPY_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '(?P<dtype>[<>|][biufcSUMm][1-9]\d{0,8}(?:\[\d*\w+\])?)', "
    rb"'fortran_order': (?P<fortran>True|False), "
    rb"'shape': \((?P<shape>|\d{1,19},|\d{1,19}(?:, \d{1,19})+)\), \} *\n",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, eq=False)
class Members(Mapping[str, bytes]):
    """Names and contents, and where they come from, so that an error can say it.

    Args:
        contents: Bytes by name.
        where: The file that they were read from.
        below: The folder in it from which the names count.
    """

    contents: Mapping[str, bytes] = field(repr=False)
    where: str
    below: str = ""

    def __getitem__(self, name: str) -> bytes:
        """Return the content of a member; KeyError where it is missing."""
        return self.contents[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self.contents)

    def __len__(self) -> int:
        """How many members there are."""
        return len(self.contents)


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a file holds.

    Args:
        about: What its writer said of it: versions, seed, data.
        members: The verified contents by name.
    """

    about: dict[str, Any]
    members: Members


def write_bundle(
    path: str | os.PathLike[str],
    members: Mapping[str, bytes],
    about: Mapping[str, Any],
    *,
    key: bytes | None = None,
    limits: Limits = LIMITS,
) -> None:
    """Write members as one file, all of it or nothing; equal content gives equal bytes (with the same zlib).

    Args:
        path: Where it goes; an existing file is replaced.
        members: Contents by name; a name is a relative path with "/".
        about: JSON values that describe the whole.
        key: Signs it; at least 16 bytes.

    Raises:
        SettingError: a name is not allowed, `about` is not JSON, the key is none, or it would be too large to be read.
        SourceError: the folder does not exist or can't be written to.
        DiskError: the disk is full; what stood under the path before is untouched.
    """
    check_key(key)
    _check_writable(members, limits)
    contents = {MANIFEST: _manifest_bytes(members, about, key), **dict(sorted(members.items()))}
    with atomic(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        fill(archive, contents, zipfile.ZIP_DEFLATED)


def read_bundle(path: str | os.PathLike[str], *, key: bytes | None = None, limits: Limits = LIMITS) -> Bundle:
    """Read and verify a whole bundle into memory.

    Args:
        key: That it has to be signed with; None to take it signed or not.

    Raises:
        ArtifactError: it is no bundle, is damaged, hostile, over a limit, of a newer format, or not signed so.
        SourceError: the file is not there or can't be opened.
    """
    check_key(key)
    where = os.fspath(path_of(path))
    with _opened(Path(path)) as file, opened_archive(file, limits, where) as archive:
        about, stamps = _manifest(archive, key, limits, where)
        entries = archive.infolist()[1:]
        _check_listed({entry.filename for entry in entries}, set(stamps), where)
        contents = {entry.filename: _verified(archive, entry, stamps[entry.filename], where) for entry in entries}
    return Bundle(about, Members(contents, where))


def members_below(members: Mapping[str, bytes], folder: str) -> Members:
    """Return the members of one folder, named from there.

    Args:
        members: Contents by name.
        folder: The start of the names, with its "/".

    >>> dict(members_below({"0/a.json": b"{}", "1/a.json": b"[]"}, "1/"))
    {'a.json': b'[]'}
    """
    contents = {name.removeprefix(folder): data for name, data in members.items() if name.startswith(folder)}
    if isinstance(members, Members):
        return Members(contents, members.where, members.below + folder)
    return Members(contents, "The artifact", folder)


def member(members: Mapping[str, bytes], name: str) -> bytes:
    """Return the content of one member.

    Raises: ArtifactError: it is missing; names the nearest.
    """
    if name not in members:
        raise ArtifactError(f"{_place(members, name)} is missing.{nearest(name, members)} {AGAIN}")
    return members[name]


def json_member(members: Mapping[str, bytes], name: str, *, limits: Limits = LIMITS) -> Any:  # noqa: ANN401 -- JSON
    """Parse a JSON member strictly: UTF-8, no key twice, no NaN or infinity.

    Raises: ArtifactError: it is missing, too large, or not such JSON.
    """
    data, where = member(members, name), _place(members, name)
    check_limit(len(data), limits.json_bytes, "bytes of JSON", where)
    return _strict_json(data, where)


def npz_bytes(arrays: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
    """Write arrays of numbers, truth values, text or times as an npz that numpy can read too; sorted by name.

    Raises: SettingError: an array holds objects or records, or its name is not allowed.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:  # stored: the bundle around it compresses
        fill(archive, {f"{name}.npy": _npy_bytes(name, arrays[name]) for name in sorted(arrays)}, zipfile.ZIP_STORED)
    return buffer.getvalue()


def npz_member(members: Mapping[str, bytes], name: str, *, limits: Limits = LIMITS) -> dict[str, np.ndarray[Any, Any]]:
    """Read the arrays of an npz member as writable copies.

    An array has to be exactly as large as its header says, so a header can't claim memory that the file does not fill.

    Raises: ArtifactError: it is missing, damaged, hostile, over a limit, or holds objects or records.
    """
    data, where = member(members, name), _place(members, name)
    with opened_archive(io.BytesIO(data), limits, where) as archive:
        return {
            entry.filename.removesuffix(".npy"): _array(unpacked(archive, entry), f"{where}, array {entry.filename!r}")
            for entry in archive.infolist()
        }


def parquet_bytes(df: pl.DataFrame) -> bytes:
    """Write a table as Parquet, with the types of its columns.

    Raises: SettingError: a column nests integers of 128 bits, which the reader does not know.
    """
    wide = {name: str(dtype) for name, dtype in df.schema.items() if dtype in (pl.Int128, pl.UInt128)}
    for name, dtype in df.schema.items():
        if name not in wide and "Int128" in str(dtype):
            raise SettingError(f"column {name!r} of type {dtype} can't be saved; cast it to integers of 64 bits.")
    plain = df.with_columns(df[name].cast(pl.String) for name in wide)
    buffer = io.BytesIO()
    # In one chunk, for pages must not tell how the table was made.
    plain.rechunk().write_parquet(buffer, compression="zstd", metadata={WIDE: json.dumps(wide)})
    return buffer.getvalue()


def parquet_member(members: Mapping[str, bytes], name: str, *, limits: Limits = LIMITS) -> pl.DataFrame:
    """Read a Parquet member; its values are counted before they are decoded.

    Arrow decodes it and not Polars, which ends the process on some damaged files (memory allocation failed).

    Raises: ArtifactError: it is missing, damaged, or has more cells than allowed.
    """
    data, where = member(members, name), _place(members, name)
    arrow, parquet = load("pyarrow"), load("pyarrow.parquet")
    try:
        file = parquet.ParquetFile(io.BytesIO(data))
        check_limit(_cells(file.metadata), limits.cells, "cells", where)
        table = file.read(use_threads=False)
        table.validate(full=True)
        wide = _strict_json((file.metadata.metadata or {}).get(WIDE.encode(), b"{}"), where)
        # Numbered on the way: of an empty name Polars makes `column_0`.
        df = pl.DataFrame(pl.from_arrow(table.rename_columns([str(at) for at in range(table.num_columns)])))
        df.columns = table.column_names
        return _widened(df, wide)
    except ArtifactError:
        raise
    except (arrow.ArrowException, *TABLE_DAMAGE) as error:
        raise ArtifactError(f"{where} can't be read as Parquet: {error}. {AGAIN}") from error


def _check_writable(members: Mapping[str, bytes], limits: Limits) -> None:
    """Refuse what the reader would refuse, while whoever saves can still do something about it."""
    for name in members:
        if fault := ("is the manifest's own name" if name == MANIFEST else name_fault(name)):
            raise SettingError(f"member {name!r} {fault}; choose another name.")
    sizes = {name: len(data) for name, data in members.items()}
    claims = [
        (len(sizes), limits.members, "members"),
        (max(sizes.values(), default=0), limits.member_bytes, "bytes in its largest member"),
        (sum(sizes.values()), limits.total_bytes, "bytes"),
    ]
    for got, most, noun in claims:
        if got > most:
            raise SettingError(f"the file would have {got:,} {noun}; at most {most:,} can be read back.")


def _manifest_bytes(members: Mapping[str, bytes], about: Mapping[str, Any], key: bytes | None) -> bytes:
    stamps = {name: {"size": len(data), "sha256": sha256(data).hexdigest()} for name, data in sorted(members.items())}
    manifest = {"format": FORMAT, "version": FORMAT_VERSION, "about": dict(about), "members": stamps}
    try:
        manifest = manifest if key is None else signed(manifest, key)
        return json.dumps(manifest, sort_keys=True, allow_nan=False, indent=1).encode()
    except (TypeError, ValueError) as error:
        raise SettingError(f"about={about!r} can't be written as JSON: {error}.") from error


def _npy_bytes(name: str, array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, _plain(name, np.asarray(array)), version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def _plain(name: str, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if fault := name_fault(f"{name}.npy"):
        raise SettingError(f"array {name!r} {fault}; choose another name.")
    if array.dtype.kind not in "biufcSUMm" or array.dtype.itemsize == 0:
        raise SettingError(f"array {name!r} has dtype {array.dtype}; only plain numbers, text and times are written.")
    return array


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a regular file; a pipe would block and a device never end."""
    if not path.is_file():
        raise SourceError(f"{path} {'is not a file' if path.exists() else 'does not exist'}; a saved file is expected.")
    try:
        file = path.open("rb")
    except OSError as error:
        raise SourceError(f"{path} can't be opened: {error.strerror}.") from error
    with file:
        yield file


def _manifest(archive: zipfile.ZipFile, key: bytes | None, limits: Limits, where: str) -> tuple[dict[str, Any], Stamps]:
    """Return what the writer said of the whole, and size and hash of each member."""
    entries = archive.infolist()
    if not entries or entries[0].filename != MANIFEST:
        raise ArtifactError(f"{where} is a zip but no frazil file: its first member is not {MANIFEST!r}.")
    check_limit(entries[0].file_size, limits.json_bytes, "bytes of JSON", f"{where}: member {MANIFEST!r}")
    manifest = _strict_json(unpacked(archive, entries[0]), f"{where}: member {MANIFEST!r}")
    _check_version(manifest, where)
    if key is not None:
        check_signature(manifest, key, where)
    about, stamps = manifest.get("about"), manifest.get("members")
    if not isinstance(about, dict) or not isinstance(stamps, dict) or not all(map(_is_stamp, stamps.values())):
        raise ArtifactError(f"{where}: member {MANIFEST!r} does not describe the members. {AGAIN}")
    return about, stamps


def _check_version(manifest: Any, where: str) -> None:  # noqa: ANN401 -- JSON
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ArtifactError(f"{where} is a zip but no frazil file: {MANIFEST!r} does not say format {FORMAT!r}.")
    version = manifest.get("version")
    if type(version) is not int or version < 1:
        raise ArtifactError(
            f"{where}: member {MANIFEST!r} has version {version!r}; a number from 1 is expected. {AGAIN}"
        )
    if version > FORMAT_VERSION:
        raise ArtifactError(
            f"{where} has format version {version}; this frazil reads up to version {FORMAT_VERSION}. Upgrade frazil."
        )


def _is_stamp(stamp: Any) -> bool:  # noqa: ANN401 -- JSON
    return isinstance(stamp, dict) and type(stamp.get("size")) is int and isinstance(stamp.get("sha256"), str)


def _check_listed(there: set[str], promised: set[str], where: str) -> None:
    if missing := promised - there:
        raise ArtifactError(f"{where} lacks {listed(sorted(missing), 'and')}, which its manifest lists. {AGAIN}")
    if extra := there - promised:
        raise ArtifactError(f"{where} has {listed(sorted(extra), 'and')}, which its manifest does not list. {DISTRUST}")


def _verified(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, stamp: Mapping[str, Any], where: str) -> bytes:
    if entry.file_size != stamp["size"]:
        sizes = f"{entry.file_size:,} bytes where the manifest says {stamp['size']:,}"
        raise ArtifactError(f"{where}: member {entry.filename!r} has {sizes}. {AGAIN}")
    data = unpacked(archive, entry)
    if sha256(data).hexdigest() != stamp["sha256"]:
        raise ArtifactError(f"{where}: member {entry.filename!r} does not match its sha256 in the manifest. {AGAIN}")
    return data


def _place(members: Mapping[str, bytes], name: str) -> str:
    if isinstance(members, Members):
        return f"{members.where}: member {members.below + name!r}"
    return f"The artifact: member {name!r}"


def _strict_json(data: bytes, where: str) -> Any:  # noqa: ANN401 -- JSON
    try:
        return json.loads(data.decode(), object_pairs_hook=_unique_keys, parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{where} is not valid JSON: {error}. {AGAIN}") from error


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"a key appears twice among {listed([key for key, _ in pairs], 'and')}")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a number")
    return number


def _array(data: bytes, where: str) -> np.ndarray[Any, Any]:
    header = NPY_HEADER.match(data)
    if header is None:
        raise ArtifactError(f"{where} is not an array of plain numbers, text or times as numpy writes it. {DISTRUST}")
    dtype = np.dtype(header["dtype"].decode())
    shape = tuple(int(size) for size in re.findall(rb"\d+", header["shape"]))
    claimed, there = math.prod(shape) * dtype.itemsize, len(data) - header.end()
    if claimed != there:
        raise ArtifactError(f"{where} has {there:,} bytes where its header claims {claimed:,}. {DISTRUST}")
    order: Literal["F", "C"] = "F" if header["fortran"] == b"True" else "C"
    return np.ndarray(shape, dtype, data, header.end(), order=order).copy(order)


def _cells(metadata: Any) -> int:  # noqa: ANN401 -- pyarrow has no types
    """Count what a Parquet file claims to hold: rows times columns, or the values in lists where those are more."""
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    values = sum(group.column(number).num_values for group in groups for number in range(group.num_columns))
    rows = max(metadata.num_rows, sum(group.num_rows for group in groups))
    return int(max(values, rows * metadata.num_columns))


def _widened(df: pl.DataFrame, wide: Mapping[str, str]) -> pl.DataFrame:
    types = {"Int128": pl.Int128, "UInt128": pl.UInt128}
    return df.with_columns(df[name].cast(types[dtype]) for name, dtype in wide.items())
