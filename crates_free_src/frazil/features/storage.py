"""A fitted recipe on disk: JSON for plain state, Parquet for tables; states are found in one fixed list."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from frazil.container import parquet_bytes, parquet_member
from frazil.errors import ArtifactError
from frazil.features.chained import STAGES, Chained
from frazil.features.contract import Kind, kind_of
from frazil.features.panel import Panel
from frazil.features.plain import checked
from frazil.features.rooms import STATES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from frazil.features.contract import Fitted

FORMAT = 1
RECIPE = "recipe.json"
TYPES = "types.parquet"  # a table of no rows; recipes that were written before there was one have none
_BY_NAME = {state.__name__: state for state in STATES}


def write_members(
    parts: Sequence[Fitted], inputs: Mapping[str, Kind], dtypes: Mapping[str, pl.DataType], panel: Panel
) -> dict[str, bytes]:
    """Write a fitted recipe as files."""
    members: dict[str, bytes] = {}
    states: list[dict[str, Any]] = []
    for number, part in enumerate(parts):
        tables = {name: f"tables/{number}_{name}.parquet" for name in part.tables()}
        states.append({"state": type(part).__name__, "spec": part.spec(), "tables": tables})
        members |= {tables[name]: parquet_bytes(df) for name, df in part.tables().items()}
    recipe = {
        "format": FORMAT,
        "panel": asdict(panel),
        "inputs": {name: str(kind) for name, kind in inputs.items()},
        "states": states,
    }
    if dtypes:
        members[TYPES] = parquet_bytes(pl.DataFrame(schema=dict(dtypes)))
    return {RECIPE: json.dumps(recipe, ensure_ascii=False, indent=1).encode(), **members}


def read_members(
    members: Mapping[str, bytes],
) -> tuple[tuple[Fitted, ...], dict[str, Kind], Panel, dict[str, pl.DataType]]:
    """Read parts, inputs, panel and types back.

    Raises: ArtifactError: a file is missing or damaged, or a state is not in the list.
    """
    try:
        recipe = json.loads(members[RECIPE])
        if recipe["format"] != FORMAT:
            raise ArtifactError(f"{RECIPE} has format {recipe['format']!r}; this version reads {FORMAT}.")
        parts = tuple(_read_state(state, members) for state in recipe["states"])
        inputs = {name: Kind(kind) for name, kind in recipe["inputs"].items()}
        panel = Panel(**checked(Panel, recipe["panel"]))
        dtypes = _read_types(members, inputs)
    except KeyError as error:
        raise ArtifactError(f"the recipe's files lack {error.args[0]!r}.") from error
    except (TypeError, ValueError, AttributeError, OverflowError, RecursionError, pl.exceptions.PolarsError) as error:
        if isinstance(error, ArtifactError):
            raise
        raise ArtifactError(f"the recipe's files are damaged: {error}") from error
    return parts, inputs, panel, dtypes


def _read_types(members: Mapping[str, bytes], inputs: Mapping[str, Kind]) -> dict[str, pl.DataType]:
    dtypes = dict(parquet_member(members, TYPES).schema) if TYPES in members else {}
    if strange := [name for name, dtype in dtypes.items() if kind_of(dtype) is not inputs.get(name)]:
        raise ValueError(f"column {strange[0]!r} is {dtypes[strange[0]]} in {TYPES}")
    return dtypes


def _read_state(written: dict[str, Any], members: Mapping[str, bytes]) -> Fitted:
    tables = {table: parquet_member(members, path) for table, path in written["tables"].items()}
    return _made(written, tables)


def _made(written: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Fitted:
    """Make a state of its spec and its tables; one of a chain of the states that its spec holds."""
    name, spec = written["state"], written["spec"]
    if name not in _BY_NAME:
        raise ArtifactError(f"{RECIPE} names the state {name!r}, which no builder of this version has.")
    if issubclass(kind := _BY_NAME[name], Chained):
        steps = {stage: tuple(_made(each, _own(each, tables)) for each in spec[stage]) for stage in STAGES}
        return kind.read({**spec, **steps}, {})
    return kind.read(spec, tables)


def _own(written: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    return {name: tables[key] for name, key in written["tables"].items()}
