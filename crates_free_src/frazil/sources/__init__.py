"""Anything tabular becomes one LazyFrame with an identity."""

from frazil.sources.database import SqlQuery, sql
from frazil.sources.identity import Identity
from frazil.sources.limits import check_string_bytes, items_a_row
from frazil.sources.opening import Source, open_source
from frazil.sources.paths import check_apart, check_no_table, find_files
from frazil.sources.reading import reading

__all__ = [
    "Identity",
    "Source",
    "SqlQuery",
    "check_apart",
    "check_no_table",
    "check_string_bytes",
    "find_files",
    "items_a_row",
    "open_source",
    "reading",
    "sql",
]
