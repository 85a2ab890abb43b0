"""From findings to repairs that are offered and never made silently."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl
import polars.selectors as cs

from frazil.checks.findings import Finding
from frazil.checks.look import STRINGS, counted, held, sampled
from frazil.checks.numbers import outliers, possible_for
from frazil.checks.repairs import (
    CELLS,
    INFINITE,
    KINDS,
    Clip,
    DropColumn,
    DropCopies,
    Fill,
    MakeNull,
    MakeWordsNull,
    MergeLevels,
    NullOutside,
    ParseDate,
    ParseNumber,
    Strip,
)
from frazil.checks.spelling import MOST_LEVELS, spellings
from frazil.checks.strings import units_among
from frazil.errors import ArtifactError, MissingColumnError, SettingError, panics_told
from frazil.notation import NUMBER, best_formats
from frazil.schema import column, names_in
from frazil.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from frazil.checks.findings import Findings

PLAN = {"column": pl.String, "repair": pl.String, "code": pl.String, "rows": pl.Int64, "of": pl.Int64}
# Blanks and words go before spellings and parsing, which would see them otherwise; copies are sought in what is clean.
TURNS = (
    "column_empty",
    "column_constant",
    "column_duplicate",
    "column_whitespace",
    "column_missing_words",
    "column_mixed_types",
    "column_spellings",
    "column_numbers_as_text",
    "column_units_as_text",
    "column_dates_as_numbers",
    "column_sentinel",
    "column_zeros",
    "column_infinite",
    "column_impossible",
    "column_outliers",
    "rows_duplicate",
)


@dataclass(frozen=True, slots=True)
class Repairs:
    """Repairs in the order in which they are made.

    Args:
        steps: One repair each.
    """

    steps: tuple[Any, ...]

    def apply(self, data: Any, *, drop_copies: bool = True) -> pl.LazyFrame:  # noqa: ANN401 -- any source
        """Return the repaired table, lazily; a column that is not there is passed over.

        Args:
            data: The table that was checked, or another one with its columns.
            drop_copies: Whether rows are left out; False for rows that each need a prediction.
        """
        frame = open_source(data).frame
        for step in self.steps:
            if not isinstance(step, DropCopies) or drop_copies:
                frame = _made(frame, step)
        return frame

    def to_frame(self, data: Any) -> pl.DataFrame:  # noqa: ANN401 -- any source
        """Show what the repairs would change: a row for each, with how many rows, out of how many.

        Each repair is counted on what those before it leave.
        """
        frame = open_source(data).frame
        rows = []
        for step in self.steps:
            after = _made(frame, step)
            of = int(frame.select(pl.len()).collect(engine="streaming").item())
            rows.append((getattr(step, "column", None), step.text(), step.code, _changes(frame, after, step, of), of))
            frame = after
        return pl.DataFrame(rows, schema=PLAN, orient="row")

    def without(self, *codes: str) -> Repairs:
        """Return the repairs that answer none of these codes."""
        return Repairs(tuple(step for step in self.steps if step.code not in codes))

    def to_json(self) -> str:
        """Write them as JSON."""
        return json.dumps([{"kind": type(step).__name__, **asdict(step)} for step in self.steps])

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises: ArtifactError: it is no list of repairs.
        """
        try:
            return cls(tuple(_read(**one) for one in json.loads(text)))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise ArtifactError(f"these are no repairs: {error}") from error

    def __repr__(self) -> str:
        """Say them one a line."""
        return "\n".join(f"{getattr(s, 'column', None) or 'rows'}: {s.text()} ({s.code})" for s in self.steps) or "none"


@panics_told("clean")
def clean(
    data: Any,  # noqa: ANN401 -- any source that open_source takes
    findings: Findings | Iterable[Finding],
    *,
    fill: Sequence[str] = (),
) -> Repairs:
    """Offer repairs for what `frazil.check` found; nothing is changed before `apply`.

    Columns without use are left out, blanks stripped, words and numbers that stand for missing made null, spellings
    merged, numbers and dates parsed, what is impossible made null, what is far out clipped to the others' range, and
    copies of rows dropped. What to do about leaks, drift and time is for people to say.

    Args:
        data: The table that was checked.
        findings: All of what was found, or some: `findings.of("column_spellings")`, `findings.without(...)`.
        fill: Columns whose missing values are filled in the end: with the median of numbers, or the most frequent
            string, flag, date or datetime; a column without values, or of another type, is passed over. Trees do better
            with what is missing left as it is.

    Raises:
        MissingColumnError: a column is not there.
        InputError: the data can't be read.

    >>> from frazil.checks.door import check
    >>> table = {"city": ["Oslo", "oslo", "Rome"] * 40}
    >>> repairs = clean(table, check(table).of("column_spellings"))
    >>> repairs
    city: write 1 spellings as their most frequent one (column_spellings)
    >>> repairs.apply(table).collect()["city"].unique().sort().to_list()
    ['Oslo', 'Rome']
    """
    filled = names_in("fill", fill)
    if not isinstance(findings, Iterable) or not all(isinstance(finding, Finding) for finding in findings):
        raise SettingError(f"findings={findings!r}; it takes what fz.check found, or some of it.")
    source = open_source(data)
    given = sorted(findings, key=lambda finding: _turn(finding.code))
    names = source.frame.collect_schema().names()
    asked = [*(finding.column for finding in given if finding.column is not None), *filled]
    if missing := [name for name in dict.fromkeys(asked) if name not in names]:
        raise MissingColumnError.among(missing, names, where=source.name)
    sample = sampled(held(source.frame), int(source.frame.select(pl.len()).collect(engine="streaming").item()))
    steps: list[Any] = []
    gone: set[str | None] = set()
    for finding in given:
        if finding.code in TURNS and finding.column not in gone - {None}:
            made = [step for step in _offered(finding, sample) if step not in steps]
            steps += made
            gone |= {step.column for step in made if isinstance(step, DropColumn)}
            sample = _refreshed(sample, made)
    usual = {name: _usual(sample.get_column(name).alias("")) for name in filled if name not in gone}
    steps += [Fill("fill", name, value) for name, value in usual.items() if value is not None]
    return Repairs(tuple(steps))


def _turn(code: str) -> int:
    return TURNS.index(code) if code in TURNS else len(TURNS)


def _refreshed(sample: pl.DataFrame, steps: list[Any]) -> pl.DataFrame:
    """Make the repairs of cells on the sample too, as what comes after sees what they leave."""
    frame = sample.lazy()
    for step in steps:
        if isinstance(step, CELLS):
            frame = _made(frame, step)
    return frame.collect()


def _made(frame: pl.LazyFrame, step: Any) -> pl.LazyFrame:  # noqa: ANN401 -- one of the kinds
    dtypes = frame.collect_schema()
    if isinstance(step, DropCopies):
        subset = cs.by_name(*step.columns) if step.columns else cs.all()
        return frame.unique(subset, keep="first", maintain_order=True)
    if step.column not in dtypes:
        return frame
    if isinstance(step, DropColumn):
        return frame.select(cs.exclude(cs.by_name(step.column)))
    return frame.with_columns(step.changed(dtypes[step.column]).alias(step.column))


def _changes(before: pl.LazyFrame, after: pl.LazyFrame, step: Any, rows: int) -> int:  # noqa: ANN401
    """Count the rows that a repair changes: that are another value, or are gone."""
    if isinstance(step, DropCopies):
        return rows - int(after.select(pl.len()).collect(engine="streaming").item())
    if isinstance(step, DropColumn):
        return rows
    have = before.collect_schema()[step.column]
    one, other = before.select(one=column(step.column)), after.select(other=column(step.column))
    same = pl.col("one").eq_missing(pl.col("other"))
    if have != after.collect_schema()[step.column]:
        same = pl.col("one").is_null()  # every value becomes one of another type
    both = pl.concat([one, other], how="horizontal")
    return int(both.select((~same).sum()).collect(engine="streaming").item())


def _offered(finding: Finding, sample: pl.DataFrame) -> list[Any]:
    """Return the repairs for one finding; none where there is nothing in it to repair."""
    name, code = finding.column, finding.code
    if code == "rows_duplicate":
        return [DropCopies(code)]
    if name is None or name not in sample.columns:
        return []
    plain: dict[str, Callable[[str, str], Any]] = {
        "column_empty": DropColumn,
        "column_constant": DropColumn,
        "column_duplicate": DropColumn,
        "column_whitespace": Strip,
    }
    values = sample.get_column(name).alias("")
    if code in plain:
        return [plain[code](code, name)]
    if code in ("column_missing_words", "column_sentinel"):
        kind = MakeWordsNull if code == "column_missing_words" else MakeNull
        return [kind(code, name, finding.marks)] if finding.marks else []
    if values.dtype in STRINGS:
        return _of_strings(code, name, values.cast(pl.String))
    return _of_numbers(code, name, values)


def _of_strings(code: str, name: str, values: pl.Series) -> list[Any]:
    if code == "column_spellings":
        counts = counted(values).head(MOST_LEVELS)
        return [MergeLevels(code, name, tuple(spellings(dict(counts.iter_rows())).items()))]
    if code in ("column_units_as_text", "column_mixed_types"):
        # Numbers of several units, "" among them, can't be compared without the unit.
        units = units_among(values)
        return [ParseNumber.of(code, name, values, *units)] if len(units) == 1 else []
    if code == "column_numbers_as_text":
        present = values.drop_nulls()
        is_number = int(present.str.contains(NUMBER).sum()) * 2 > len(present)
        if is_number:
            return [ParseNumber.of(code, name, values, unit="")]
        return [ParseDate(code, name, best_formats(present.unique())[0])]
    return []


def _of_numbers(code: str, name: str, values: pl.Series) -> list[Any]:
    if code == "column_dates_as_numbers":
        return [ParseDate(code, name, "%Y%m%d")]
    if code in ("column_infinite", "column_zeros"):
        zero = 0.0 if values.dtype.is_float() else 0
        return [MakeNull(code, name, INFINITE if code == "column_infinite" else (zero,))]
    if code == "column_impossible" and (possible := possible_for(name)) is not None:
        return [NullOutside(code, name, possible.low, possible.high)]
    if code == "column_outliers":
        numbers = values.cast(pl.Float64).drop_nulls().to_numpy()
        numbers = numbers[np.isfinite(numbers)]
        rest = numbers[~outliers(numbers)]
        return [Clip(code, name, float(rest.min()), float(rest.max()))] if len(rest) else []
    return []


def _usual(values: pl.Series) -> float | str | bool | None:
    """Return what missing values are filled with, as JSON can hold it: dates and datetimes as ISO text."""
    present = values.drop_nulls()
    if values.dtype.is_numeric():
        numbers = present.cast(pl.Float64)
        median = numbers.filter(numbers.is_finite()).median()
        return None if median is None else float(median)  # type: ignore[arg-type]
    if present.is_empty() or values.dtype not in (*STRINGS, pl.Boolean, pl.Date, pl.Datetime):
        return None
    mode = present.cast(pl.String) if values.dtype in STRINGS else present
    value = mode.mode().sort()[0]
    return value if isinstance(value, (str, bool)) else str(value.isoformat())


def _read(*, kind: str, **fields: Any) -> Any:  # noqa: ANN401
    lists = {name: _tuples(value) if isinstance(value, list) else value for name, value in fields.items()}
    return KINDS[kind](**lists)


def _tuples(value: list[Any]) -> tuple[Any, ...]:
    return tuple(tuple(one) if isinstance(one, list) else one for one in value)
