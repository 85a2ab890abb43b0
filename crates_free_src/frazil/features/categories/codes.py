"""Categories without a look at the target: their codes, and how often they occur."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl

from frazil.features.categories.levels import COUNT, KINDS, SHARE, Levels, LevelsEncoded, categories, counted, crossed
from frazil.features.contract import Columns, Feature, LeakClass, Learned, Queries, Scope, Training
from frazil.features.numbers.reading import check_at_least
from frazil.features.plain import PlainState, checked, rounded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

MOST_CODES = 50_000  # rarer levels say next to nothing, and float32 tells up to 2**24 apart


@dataclass(frozen=True, slots=True)
class EncodeOrdinal:
    """Encode categories as codes in the order of their frequency; null and unseen levels are null.

    Args:
        columns: Names or a selector.
        most: How many levels get a code; the rarest beyond are null.

    Raises: SettingError: most is below 1.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"city": ["Ulm", "Rom", "Rom", None]})
    >>> Recipe(EncodeOrdinal("city")).fit(frame).apply(frame).collect()["city|ordinal"].to_list()
    [1, 0, 0, None]
    """

    columns: Columns = field(default_factory=categories)
    most: int = MOST_CODES

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        check_at_least(self, 1, "most")

    def learn(self, train: Training) -> Queries:
        """Ask for the count of each level."""
        return {name: counted(train.frame, [name]) for name in train.columns(self.columns, KINDS, self)}

    def fitted(self, learned: Learned, train: Training) -> list[OrdinalEncoded]:
        """Number the levels."""
        return [
            OrdinalEncoded(train.named(source, "ordinal"), Levels.by_frequency((source,), counts, self.most))
            for source, counts in learned.items()
        ]


@dataclass(frozen=True, slots=True, eq=False)
class OrdinalEncoded(PlainState):
    """Codes of one column.

    Args:
        name: The generated column.
        levels: The levels that have a code.
    """

    name: str
    levels: Levels
    scope: ClassVar[Scope] = Scope.ROW

    @property
    def told_apart(self) -> tuple[str, ...]:
        """The columns of the levels."""
        return self.levels.sources

    @property
    def features(self) -> tuple[Feature, ...]:
        """One column of codes."""
        (source,), n = self.levels.sources, len(self.levels.values)
        described = f"the level of {source} as a number, 0 the most frequent of {n}"
        leak = LeakClass.OTHER_ROWS
        return (Feature(self.name, (source,), "ordinal", {}, pl.Int32(), described, levels=n, leak=leak),)

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add it."""
        return frame.with_columns(self.expressions())

    def expressions(self) -> list[pl.Expr]:
        """Return it."""
        return [self.levels.known_codes().cast(pl.Int32).alias(self.name)]

    def spec(self) -> dict[str, Any]:
        """Return the names."""
        return {"name": self.name, "sources": list(self.levels.sources)}

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return the levels in the order of their codes."""
        return {"levels": pl.DataFrame({"level": self.levels.values})}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        return cls(**checked(cls, spec, leave_out=("levels",)), levels=Levels.read(spec, tables["levels"]))


@dataclass(frozen=True, slots=True)
class EncodeCount:
    """Encode categories by how often they occur in training; null is a level, unseen levels get 0.

    count = log(1 + rows of the level)

    Args:
        columns: Names or a selector.
        cross: How many columns make a level together: 2 counts the pairs of values of each two columns.

    Raises: SettingError: cross is not 1, 2 or 3.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"city": ["Ulm", "Rom", "Rom"]})
    >>> Recipe(EncodeCount("city")).fit(frame).apply(frame).collect()["city|count"].exp().round().to_list()
    [2.0, 3.0, 3.0]
    """

    columns: Columns = field(default_factory=categories)
    cross: int = 1

    def __post_init__(self) -> None:
        """Refuse crosses of many columns."""
        crossed((), self.cross)

    def learn(self, train: Training) -> Queries:
        """Ask for the count of each level."""
        return _ask_counts(self, train)

    def fitted(self, learned: Learned, train: Training) -> list[LevelsEncoded]:
        """Take the logarithms."""
        return _rows_encoded(self, learned, train, COUNT, np.log1p)


@dataclass(frozen=True, slots=True)
class EncodeShare:
    """Encode categories by their share of the training rows; null is a level, unseen levels get 0.

    share = rows of the level / all rows

    Args:
        columns: Names or a selector.
        cross: How many columns make a level together.

    Raises: SettingError: cross is not 1, 2 or 3.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"city": ["Ulm", "Rom", "Rom", None]})
    >>> Recipe(EncodeShare("city")).fit(frame).apply(frame).collect()["city|share"].to_list()
    [0.25, 0.5, 0.5, 0.25]
    """

    columns: Columns = field(default_factory=categories)
    cross: int = 1

    def __post_init__(self) -> None:
        """Refuse crosses of many columns."""
        crossed((), self.cross)

    def learn(self, train: Training) -> Queries:
        """Ask for the count of each level."""
        return _ask_counts(self, train)

    def fitted(self, learned: Learned, train: Training) -> list[LevelsEncoded]:
        """Divide by all rows."""
        return _rows_encoded(self, learned, train, SHARE, lambda rows: rows / max(rows.sum(), 1.0))


def _sets(builder: EncodeCount | EncodeShare, train: Training) -> list[tuple[str, ...]]:
    return crossed(train.columns(builder.columns, KINDS, builder), builder.cross)


def _ask_counts(builder: EncodeCount | EncodeShare, train: Training) -> Queries:
    return {str(at): counted(train.frame, sources) for at, sources in enumerate(_sets(builder, train))}


def _rows_encoded(
    builder: EncodeCount | EncodeShare,
    learned: Learned,
    train: Training,
    operation: str,
    number: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> list[LevelsEncoded]:
    """Encode each level by a number made of the rows of all places."""
    made = []
    for at, sources in enumerate(_sets(builder, train)):
        counts = learned[str(at)]
        levels = Levels.by_frequency(sources, counts)
        rows = np.zeros(levels.places)
        rows[levels.positions(counts.get_column("level")).to_numpy()] = counts.get_column("rows").to_numpy()
        values = pl.DataFrame({"0": rounded(number(rows)).astype(np.float32)})
        name = train.named("*".join(sources), operation)
        made.append(LevelsEncoded(operation, (name,), ("",), levels, values))
    return made
