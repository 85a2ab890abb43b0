"""What a table has to be like for what was learned to hold: columns, types, ranges, levels, and shares missing."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import polars as pl

from frazil.checks.look import STRINGS, profile_of, sampled, type_name
from frazil.errors import ArtifactError
from frazil.schema import column
from frazil.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from frazil.profile import ColumnProfile

FORMAT = 1
MOST_LEVELS = 200  # a column with more is not held to its levels
SLACK = 0.5  # of the range that was seen, beyond each end
MISSING_SLACK = 0.1  # share of the rows, more than was seen
VIOLATIONS = {"column": pl.String, "rule": pl.String, "rows": pl.Int64, "of": pl.Int64, "evidence": pl.String}
INTEGER, FLOAT, STRING, BOOLEAN, DATE, DATETIME = "integer", "float", "string", "boolean", "date", "datetime"
# What a kind can be read from without a loss that matters.
FITS = {INTEGER: {INTEGER}, FLOAT: {FLOAT, INTEGER}, DATETIME: {DATETIME, DATE}}


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """What is asked of one column; None asks nothing.

    Args:
        name: The column's name.
        kind: "integer", "float", "string", "boolean", "date", "datetime" or the name of another type; None for a column
            that held nothing.
        low: Least number; dates and datetimes have none.
        high: Greatest number.
        levels: The strings that are known.
        most_missing: Largest share of rows, 0 to 1, without a value.
    """

    name: str
    kind: str | None
    low: float | None = None
    high: float | None = None
    levels: tuple[str, ...] | None = None
    most_missing: float | None = None

    def broken(self, dtype: pl.DataType, values: pl.Expr | None = None) -> dict[str, pl.Expr]:
        """Return, by rule, where a row's value breaks it; missing values break none.

        Args:
            dtype: Of the values.
            values: They themselves, where the column of the rule's name has to be read first.
        """
        values = column(self.name) if values is None else values
        broken = {}
        if self.low is not None or self.high is not None:
            low = values < self.low if self.low is not None else pl.lit(value=False)
            high = values > self.high if self.high is not None else pl.lit(value=False)
            outside = low | high
            # NaN, which is greater than all numbers to Polars, and infinities are missing to us.
            broken["range"] = outside & values.is_finite() if dtype.is_float() else outside
        if self.levels is not None:
            broken["levels"] = ~values.cast(pl.String).is_in(list(self.levels))
        return {rule: flags.fill_null(value=False) for rule, flags in broken.items()}

    def range_text(self) -> str:
        """Say the rule on numbers."""
        return (
            f"{'-inf' if self.low is None else f'{self.low:g}'} to {'inf' if self.high is None else f'{self.high:g}'}"
        )


@dataclass(frozen=True, slots=True)
class Contract:
    """What is asked of a table.

    Args:
        columns: One rule a column.
    """

    columns: tuple[ColumnRule, ...]

    @classmethod
    def of(cls, data: Any, names: Iterable[str] | None = None) -> Self:  # noqa: ANN401 -- any source
        """Write down what a table is like, with some slack.

        Numbers may go beyond what was seen by half of its range, 10 % more rows may be missing, and categories of up to
        200 levels may have no others. Whoever has the contract can read these levels and ranges.

        Args:
            data: The table.
            names: The columns that matter; all where None.

        >>> contract = Contract.of({"age": [20, 40], "city": ["Oslo", "Rome"]})
        >>> contract.columns[0]
        ColumnRule(name='age', kind='integer', low=10.0, high=50.0, levels=None, most_missing=0.1)
        """
        frame = open_source(data).frame
        if names is not None:
            frame = frame.select(column(name) for name in names)
        rows = int(frame.select(pl.len()).collect(engine="streaming").item())
        profile = profile_of(frame, rows, sampled(frame, rows))
        return cls(tuple(_rule(known, rows, frame) for known in profile.columns))

    def violations(self, data: Any) -> pl.DataFrame:  # noqa: ANN401 -- any source
        """Return what of a table breaks the contract: a row for each rule of each column that is broken.

        Rules are "column" (it is missing), "type", "range", "levels" and "missing". One pass over the rows.

        >>> contract = Contract.of({"age": [20, 40], "city": ["Oslo", "Rome"]})
        >>> contract.violations({"age": [30, 700], "city": ["Oslo", "Ulm"]}).select("column", "rule", "rows").rows()
        [('age', 'range', 1), ('city', 'levels', 1)]
        """
        frame = open_source(data).frame
        dtypes = frame.collect_schema()
        asked = {"rows": pl.len()}
        for at, rule in enumerate(self.columns):
            if rule.name in dtypes and _fits(rule, dtypes[rule.name]):
                missing = column(rule.name).is_null()
                if dtypes[rule.name].is_float():
                    missing |= column(rule.name).is_nan().fill_null(value=False)
                asked[f"{at}.missing"] = missing.sum()
                asked |= {f"{at}.{key}": flags.sum() for key, flags in rule.broken(dtypes[rule.name]).items()}
        exprs = [expr.alias(key) for key, expr in asked.items()]
        counts = frame.select(exprs).collect(engine="streaming").row(0, named=True)
        found = [one for at, rule in enumerate(self.columns) for one in _told(rule, dtypes.get(rule.name), at, counts)]
        return pl.DataFrame(found, schema=VIOLATIONS, orient="row")

    def broken_rows(self, dtypes: pl.Schema) -> pl.Expr:
        """Return where a row breaks a rule on its values, so that it can be set aside: `frame.filter(expr)`.

        Args:
            dtypes: Names and types of the columns of the table; what is not there is passed over.
        """
        flags = [
            flags
            for rule in self.columns
            if rule.name in dtypes and _fits(rule, dtypes[rule.name])
            for flags in rule.broken(dtypes[rule.name]).values()
        ]
        return pl.any_horizontal(flags) if flags else pl.lit(value=False)

    def to_json(self) -> str:
        """Write it as JSON."""
        return json.dumps({"format": FORMAT, "columns": [asdict(rule) for rule in self.columns]}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote.

        Raises: ArtifactError: it is no contract, or of another version.
        """
        try:
            read = json.loads(text)
            if read["format"] != FORMAT:
                raise ArtifactError(f"this contract is of format {read['format']}; {FORMAT} is known.")
            return cls(tuple(_read(**one) for one in read["columns"]))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            if isinstance(error, ArtifactError):
                raise
            raise ArtifactError(f"this is no contract: {error!r}") from error


def kind_of(dtype: pl.DataType) -> str:
    """Return what a type holds, whatever its width."""
    if dtype.is_integer():
        return INTEGER
    if dtype.is_float() or dtype.is_decimal():
        return FLOAT
    if dtype in STRINGS:
        return STRING
    kinds = {pl.Boolean: BOOLEAN, pl.Date: DATE, pl.Datetime: DATETIME}
    return next((kind for known, kind in kinds.items() if dtype == known), str(dtype))


def _fits(rule: ColumnRule, dtype: pl.DataType) -> bool:
    if rule.kind is None or dtype == pl.Null:
        return True
    return kind_of(dtype) in FITS.get(rule.kind, {rule.kind})


def _rule(known: ColumnProfile, rows: int, frame: pl.LazyFrame) -> ColumnRule:
    share = (known.nulls + known.nans) / max(1, rows)
    # Of a column without values a CSV file says String, and a list of None says Null: both are no type that was seen.
    is_unknown = known.dtype == pl.Null or (known.dtype == pl.String and 0 < rows == known.nulls)
    kind = None if is_unknown else kind_of(known.dtype)
    rule: dict[str, Any] = {"name": known.name, "kind": kind, "most_missing": min(1.0, share + MISSING_SLACK)}
    if known.dtype in STRINGS and 0 < (known.n_unique or 0) <= MOST_LEVELS:
        distinct = frame.select(column(known.name).cast(pl.String).alias("value")).unique()
        levels = distinct.collect(engine="streaming")["value"].drop_nulls().sort()
        rule["levels"] = tuple(levels) if len(levels) <= MOST_LEVELS else None
    if known.dtype.is_numeric() and known.minimum is not None and known.maximum is not None:
        slack = SLACK * (float(known.maximum) - float(known.minimum))
        low, high = float(known.minimum) - slack, float(known.maximum) + slack
        # What was never negative is taken as what can't be.
        rule |= {"low": max(0.0, low) if known.minimum >= 0 else low, "high": high}
    return ColumnRule(**rule)


def _told(rule: ColumnRule, dtype: pl.DataType | None, at: int, counts: dict[str, int]) -> Iterator[tuple[Any, ...]]:
    rows = counts["rows"]
    if dtype is None:
        yield rule.name, "column", rows, rows, "is not there"
        return
    if not _fits(rule, dtype):
        yield rule.name, "type", rows, rows, f"is {type_name(dtype)} where {rule.kind} is asked for"
        return
    missing = counts[f"{at}.missing"]
    if rule.most_missing is not None and missing > rule.most_missing * rows:
        evidence = f"is missing in {missing / rows:.1%} of the rows where {rule.most_missing:.1%} may be"
        yield rule.name, "missing", missing, rows, evidence
    if broken := counts.get(f"{at}.range", 0):
        yield rule.name, "range", broken, rows, f"is outside of {rule.range_text()} in {broken:,} rows"
    if broken := counts.get(f"{at}.levels", 0):
        yield rule.name, "levels", broken, rows, f"has levels that are not known in {broken:,} rows"


def _read(**fields: Any) -> ColumnRule:  # noqa: ANN401 -- as JSON gives them
    levels = fields.get("levels")
    return ColumnRule(**{**fields, "levels": None if levels is None else tuple(str(level) for level in levels)})
