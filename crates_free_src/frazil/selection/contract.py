"""What every selector takes and returns: columns beside a target in training rows, and a verdict on each column."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import polars as pl

from frazil.errors import MissingColumnError, SchemaError, SettingError
from frazil.matrix import Matrix, MatrixColumn, collect_matrix
from frazil.models.contract import Sample
from frazil.schema import column
from frazil.sources import open_source
from frazil.task import Task, has_target, infer_task

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

BLOCK_CELLS = 20_000_000  # of float32: 80 MB at once, however many columns there are
EXACT = (pl.Float32, pl.Boolean, pl.Int8, pl.Int16, pl.UInt8, pl.UInt16)  # float32 holds every value


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Columns to choose from, and what they are to tell, in the rows that may be learned from.

    Args:
        frame: One column a feature, as numbers: amounts, or codes of levels from 0.
        columns: One description a column of the frame, in its order.
        task: What is predicted.
        target: (rows,) float64 for regression, int64 label codes for classes.
        weights: (rows,) float64, or None where all rows count the same.
        groups: (rows,) int64 codes of rows that are not independent of each other, as of one entity; or None.
        seed: Of whatever a selector draws.
        threads: Processors that it may use.
    """

    frame: pl.LazyFrame
    columns: tuple[MatrixColumn, ...]
    task: Task
    target: NDArray[Any]
    weights: NDArray[np.float64] | None = None
    groups: NDArray[np.int64] | None = None
    seed: int = 0
    threads: int = 1

    @property
    def names(self) -> list[str]:
        """The columns."""
        return [each.name for each in self.columns]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.target)

    def only(self, names: Collection[str]) -> Problem:
        """Return the problem with these columns alone, in their old order."""
        wanted = set(names)
        return replace(self, columns=tuple(each for each in self.columns if each.name in wanted))

    def matrix(self) -> Matrix:
        """Collect all columns; for selectors that look at them together, after a screen has made them few."""
        if not self.columns:  # a frame of no columns has forgotten its rows
            return Matrix(np.empty((self.rows, 0), np.float32, order="F"), ())
        return collect_matrix(self.frame, self.columns)

    def sample(self) -> Sample:
        """Return all columns with target and weights, as learners take them."""
        return Sample(self.matrix(), self.target, self.weights)

    def blocks(self, cells: int = BLOCK_CELLS) -> Iterator[Matrix]:
        """Collect the columns a few at a time, so that 100,000 of them never are in memory at once.

        Args:
            cells: Most rows times columns of a block; a block has one column at least.
        """
        width = max(1, cells // max(1, self.rows))
        for start in range(0, len(self.columns), width):
            yield collect_matrix(self.frame, self.columns[start : start + width])


def problem_of(
    data: Any,  # noqa: ANN401 -- any source that open_source takes
    target: str,
    *,
    task: str = "auto",
    columns: Sequence[str] | None = None,
    groups: str | None = None,
    seed: int = 0,
    threads: int = 1,
) -> Problem:
    """Open a table as columns to choose from.

    Numbers, Booleans, dates and times are taken as amounts, counted from their median where float32 tells more of them
    apart so; strings and categories as codes of their sorted levels. Rows without a target are left out.

    Args:
        data: As `fz.fit_auto` takes it.
        target: The column to predict.
        task: "auto", "binary", "multiclass" or "regression".
        columns: To choose from; all but the target and the groups where None.
        groups: Rows that share its value are not independent.
        seed: Of whatever a selector draws.
        threads: Processors that it may use.

    Raises:
        MissingColumnError: a named column is not there.
        SettingError: the target is among the columns, or is the groups.
        SchemaError: a column is neither numbers nor levels, as lists are not.
        TargetError: the target can't be learned.

    >>> problem_of(pl.DataFrame({"size": [1.0, 2.0], "city": ["b", "a"], "sold": [0, 1]}), "sold").names
    ['size', 'city']
    """
    source = open_source(data)
    schema = source.frame.collect_schema()
    beside = [name for name in (target, groups) if name is not None]
    given = [columns] if isinstance(columns, str) else columns
    chosen = [name for name in schema.names() if name not in beside] if given is None else list(dict.fromkeys(given))
    if target in chosen:
        raise SettingError(f"columns= names the target {target!r}; it would tell all of itself. Leave it out.")
    if groups == target:
        raise SettingError(f"groups={groups!r} is the target. Name the column that rows of one entity share, or none.")
    if missing := [name for name in (*beside, *chosen) if name not in schema]:
        raise MissingColumnError.among(missing, schema.names(), where=source.name)
    known = source.frame.filter(has_target(target, schema[target]))
    # Levels are counted and coded in one table: a lazy rank of a column depends on no other.
    numbers = known.select(_as_numbers(name, schema[name], source.name) for name in chosen)
    levels = [name for name in chosen if _has_levels(schema[name])]
    counts = numbers.select(column(name).max() + 1 for name in levels).collect().row(0) if levels else ()
    by_name = {name: int(count or 1) for name, count in zip(levels, counts, strict=True)}
    held = known.select(column(name) for name in beside).collect()
    kind = infer_task(held[target], target_name=target, given=task)
    return Problem(
        frame=numbers,
        columns=tuple(MatrixColumn(name, by_name.get(name, 0)) for name in chosen),
        task=kind,
        target=kind.encode(held[target]),
        groups=None if groups is None else _codes(held[groups]),
        seed=seed,
        threads=threads,
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a selector says of one column.

    Args:
        column: Its name.
        kept: Whether it earns its place.
        score: How much it tells, in the selector's own unit, larger for more; or None.
        p_value: Chance of a score as large where the column tells nothing, 0 to 1; or None.
        q_value: The least level of the error that the selector controls at which it is kept; or None.
        reason: Why, in words.
    """

    column: str
    kept: bool
    score: float | None
    p_value: float | None
    q_value: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Selection:
    """The verdict on every column, and what it cost.

    Args:
        selector: Name of the selector, with its settings.
        verdicts: One a column, in the order of the problem.
        seconds: Wall time.

    >>> verdicts = Verdict("size", True, 0.9, None, None, "tells"), Verdict("id", False, 0.0, None, None, "is constant")
    >>> Selection("variance", verdicts, 0.1)
    variance keeps 1 of 2 columns: size
    """

    selector: str
    verdicts: tuple[Verdict, ...]
    seconds: float

    @property
    def kept(self) -> list[str]:
        """The columns that earn their place."""
        return [verdict.column for verdict in self.verdicts if verdict.kept]

    @property
    def dropped(self) -> list[str]:
        """The others."""
        return [verdict.column for verdict in self.verdicts if not verdict.kept]

    def to_frame(self) -> pl.DataFrame:
        """Return one row a column: column, kept, score, p_value, q_value, reason; the kept ones first, best first."""
        rows = [[getattr(verdict, known.name) for known in fields(Verdict)] for verdict in self.verdicts]
        frame = pl.DataFrame(rows, schema=VERDICTS, orient="row")
        return frame.sort("kept", "score", descending=True, nulls_last=True, maintain_order=True)

    def __repr__(self) -> str:
        """Name the kept columns, the first few of many."""
        shown = self.kept[:MOST_SHOWN]
        more = f" and {len(self.kept) - len(shown)} more" if len(self.kept) > len(shown) else ""
        named = f": {', '.join(shown)}{more}" if shown else ""
        return f"{self.selector} keeps {len(self.kept)} of {len(self.verdicts)} columns{named}"


MOST_SHOWN = 10
VERDICTS = {
    "column": pl.String,
    "kept": pl.Boolean,
    "score": pl.Float64,
    "p_value": pl.Float64,
    "q_value": pl.Float64,
    "reason": pl.String,
}


class Selector(Protocol):
    """Settings of a way to choose columns: a frozen dataclass of plain values."""

    name: ClassVar[str]

    def select(self, problem: Problem) -> Selection:
        """Judge every column; the same problem gives the same verdicts."""


def _codes(groups: pl.Series) -> NDArray[np.int64]:
    plain = groups.alias("")  # methods of a Series take a name such as ^a$ for a pattern
    codes: NDArray[np.int64] = plain.rank("dense").cast(pl.Int64).fill_null(0).to_numpy()
    return codes


def _has_levels(dtype: pl.DataType) -> bool:
    return dtype == pl.String or isinstance(dtype, (pl.Categorical, pl.Enum))


def _as_numbers(name: str, dtype: pl.DataType, where: str) -> pl.Expr:
    values = column(name)
    if _has_levels(dtype):
        return (values.cast(pl.String).rank("dense") - 1).cast(pl.Float32).alias(name)
    if dtype in EXACT:
        return values.cast(pl.Float64).alias(name)
    if dtype.is_temporal() or dtype.is_numeric():
        # In Python: as expressions of thousands of columns, the choice takes Polars minutes to plan.
        plain = values.to_physical() if dtype.is_temporal() else values
        return plain.map_batches(_told_apart, return_dtype=pl.Float64)
    raise SchemaError(
        f"{where}: column {name!r} is {dtype}, neither numbers nor levels. Leave it out with columns=[...], or make "
        "features of it with a fz.Recipe first."
    )


def _told_apart(values: pl.Series) -> pl.Series:
    """Count from the median where float32 then tells more values apart, as times a second apart, or ids of one year.

    Elsewhere it does harm: beside large numbers small ones have no digits left once 0 has moved away from them.
    """
    amounts = values.cast(pl.Float64)
    middle = amounts.filter(amounts.is_finite()).median()
    if not isinstance(middle, float):  # nothing is known
        return amounts
    from_middle = amounts - middle
    if values.dtype.is_integer() and values.dtype != pl.UInt128:  # Float64 makes one of some beyond 2**53
        from_middle = (values.cast(pl.Int128) - pl.Series([int(middle)], dtype=pl.Int128)).cast(pl.Float64)
    kinds, kinds_from_middle = (each.cast(pl.Float32).n_unique() for each in (amounts, from_middle))
    return from_middle if kinds_from_middle > kinds else amounts
