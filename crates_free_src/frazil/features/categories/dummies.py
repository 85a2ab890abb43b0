"""Categories as a few kinds: one column of 0 and 1 for each frequent level, and codes with the rare ones together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import polars as pl

from frazil.errors import SettingError
from frazil.features.categories.levels import KINDS, Levels, categories, counted, frequent_first, level
from frazil.features.contract import Columns, Feature, LeakClass, Learned, Queries, Scope, Training
from frazil.features.numbers.reading import check_at_least, is_real
from frazil.features.plain import check_known, checked, only_named, written

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

MOST_DUMMIES = 20
MOST_KINDS = 1_000
RARE, MISSING, UNSEEN = "rare", "missing", "unseen"
TYPES = {"uint8": pl.UInt8(), "float32": pl.Float32()}


@dataclass(frozen=True, slots=True)
class OneHot:
    """Encode categories as columns of 0 and 1: one for each frequent level, one for all others together.

    `one_hot_0` is the most frequent level, `one_hot_rare` any other value, seen in training or not; null has a column
    of its own or is 0 in all. Each row has a single 1 then.

    Args:
        columns: Names or a selector.
        most: How many levels get a column.
        least_rows: How many training rows a level has at least to get one.
        missing: Whether null gets a column.
        dtype: "uint8", or "float32".

    Raises: SettingError: most or least_rows is below 1, or dtype is another.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"city": ["Rom", "Rom", "Ulm", "Bad", None]})
    >>> Recipe(OneHot("city", most=1)).fit(frame).apply(frame).collect().drop("city").rows()
    [(1, 0, 0), (1, 0, 0), (0, 1, 0), (0, 1, 0), (0, 0, 1)]
    """

    columns: Columns = field(default_factory=categories)
    most: int = MOST_DUMMIES
    least_rows: int = 1
    missing: bool = True
    dtype: str = "uint8"

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        check_at_least(self, 1, "most", "least_rows")
        if self.dtype not in TYPES:
            raise SettingError(f"dtype={self.dtype!r}; it takes one of {', '.join(TYPES)}.")

    def learn(self, train: Training) -> Queries:
        """Ask for the count of each level."""
        return {name: counted(train.frame, [name]) for name in train.columns(self.columns, KINDS, self)}

    def fitted(self, learned: Learned, train: Training) -> list[OneHotEncoded]:
        """Keep the frequent levels."""
        made = []
        for source, counts in learned.items():
            levels = _kept(source, counts, self.most, self.least_rows)
            kinds = (*map(str, range(len(levels.values))), RARE, *((MISSING,) if self.missing else ()))
            names = tuple(train.named(source, f"one_hot_{kind}") for kind in kinds)
            made.append(OneHotEncoded(names, kinds, self.dtype, levels))
        return made


@dataclass(frozen=True, slots=True, eq=False)
class OneHotEncoded:
    """Columns of 0 and 1 of one column.

    Args:
        names: The generated columns.
        kinds: What each is 1 for: the position of a level, "rare", or "missing".
        dtype: A name of `TYPES`.
        levels: The levels.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    dtype: str
    levels: Levels
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse kinds of levels that are not there."""
        check_known("dtype", [self.dtype], TYPES)
        known = [*map(str, range(len(self.levels.values))), RARE, MISSING]
        check_known("kind", self.kinds, known, self.names)

    @property
    def told_apart(self) -> tuple[str, ...]:
        """The columns of the levels."""
        return self.levels.sources

    @property
    def features(self) -> tuple[Feature, ...]:
        """One flag a kind."""
        (source,) = self.levels.sources
        made = []
        for name, kind in zip(self.names, self.kinds, strict=True):
            value = self.levels.values[int(kind)] if kind not in (RARE, MISSING) else kind
            made.append(
                Feature(
                    name=name,
                    sources=(source,),
                    operation="one_hot",
                    parameters={"level": value} if kind not in (RARE, MISSING) else {"kind": kind},
                    dtype=TYPES[self.dtype],
                    description=f"1 where {source} is {value}, else 0",
                    leak=LeakClass.OWN_ROW if kind == MISSING else LeakClass.OTHER_ROWS,
                )
            )
        return tuple(made)

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them."""
        code, value = self.levels.known_codes(), level(self.levels.sources)
        others = {RARE: code.is_null() & value.is_not_null(), MISSING: value.is_null()}
        return frame.with_columns(
            (others[kind] if kind in others else code.eq_missing(int(kind))).cast(TYPES[self.dtype]).alias(name)
            for name, kind in zip(self.names, self.kinds, strict=True)
        )

    def select(self, names: Collection[str]) -> Self:
        """Keep the columns of these names."""
        return only_named(self, names, "kinds")

    def spec(self) -> dict[str, Any]:
        """Return the names."""
        return {**written(self, leave_out=("levels",)), "sources": list(self.levels.sources)}

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return the levels in their order."""
        return {"levels": pl.DataFrame({"level": self.levels.values})}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        return cls(**checked(cls, spec, leave_out=("levels",)), levels=Levels.read(spec, tables["levels"]))


@dataclass(frozen=True, slots=True)
class JoinRareLevels:
    """Encode categories as codes, with rare levels as one, and codes of their own for missing and unseen values.

    Codes: 0, 1, ... for frequent levels by frequency; then one for all rare ones, one for null, and one for values that
    were not in training. No row is null.

    Args:
        columns: Names or a selector.
        least_rows: How many training rows a level has at least to be frequent.
        least_share: What share of them, 0 to 1.
        most: How many frequent levels there are at most.

    Raises: SettingError: a setting is out of its range.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"city": ["Rom", "Rom", "Ulm", "Bad", None, "Rom"]})
    >>> fitted = Recipe(JoinRareLevels("city", least_rows=2)).fit(frame)
    >>> fitted.apply(pl.LazyFrame({"city": ["Rom", "Ulm", None, "Rio"]})).collect()["city|rare_levels"].to_list()
    [0, 1, 2, 3]
    """

    columns: Columns = field(default_factory=categories)
    least_rows: int = 10
    least_share: float = 0.0
    most: int = MOST_KINDS

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        check_at_least(self, 1, "most", "least_rows")
        if not (is_real(self.least_share) and 0 <= self.least_share <= 1):
            raise SettingError(f"least_share={self.least_share!r}; it takes a share from 0 to 1.")

    def learn(self, train: Training) -> Queries:
        """Ask for the count of each level."""
        return {name: counted(train.frame, [name]) for name in train.columns(self.columns, KINDS, self)}

    def fitted(self, learned: Learned, train: Training) -> list[RareLevelsJoined]:
        """Number the frequent levels, and know the rare ones."""
        made = []
        for source, counts in learned.items():
            least = max(self.least_rows, self.least_share * counts.get_column("rows").sum())
            frequent = len(_kept(source, counts, self.most, least).values)
            levels = Levels.by_frequency((source,), counts)
            made.append(RareLevelsJoined(train.named(source, "rare_levels"), frequent, levels))
        return made


@dataclass(frozen=True, slots=True, eq=False)
class RareLevelsJoined:
    """Codes of one column, rare levels as one.

    Args:
        name: The generated column.
        frequent: How many of the levels have a code of their own.
        levels: All levels of the training rows, the frequent ones first.
    """

    name: str
    frequent: int
    levels: Levels
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse more frequent levels than there are."""
        if not 0 <= self.frequent <= len(self.levels.values):
            raise ValueError(f"frequent is {self.frequent} of {len(self.levels.values)} levels")

    @property
    def told_apart(self) -> tuple[str, ...]:
        """The columns of the levels."""
        return self.levels.sources

    @property
    def features(self) -> tuple[Feature, ...]:
        """One column of codes."""
        (source,) = self.levels.sources
        codes = {kind: self.frequent + at for at, kind in enumerate((RARE, MISSING, UNSEEN))}
        said = ", ".join(f"{code} {kind}" for kind, code in codes.items())
        return (
            Feature(
                name=self.name,
                sources=(source,),
                operation="rare_levels",
                parameters=codes,
                dtype=pl.Int32(),
                description=f"the level of {source} as a number, 0 the most frequent, {said}",
                levels=self.frequent + len(codes),
                leak=LeakClass.OTHER_ROWS,
            ),
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add it."""
        # Codes of null and of what is unseen lie right behind those of all levels.
        beyond = self.levels.codes().cast(pl.Int64) - (len(self.levels.values) - self.frequent) + 1
        own = self.levels.codes().cast(pl.Int64)
        rare = (own >= self.frequent) & (own < len(self.levels.values))
        code = pl.when(own < self.frequent).then(own).when(rare).then(self.frequent).otherwise(beyond)
        return frame.with_columns(code.cast(pl.Int32).alias(self.name))

    def select(self, names: Collection[str]) -> Self:  # noqa: ARG002 -- its one feature is among them
        """Return itself."""
        return self

    def spec(self) -> dict[str, Any]:
        """Return the name and how many are frequent."""
        return {**written(self, leave_out=("levels",)), "sources": list(self.levels.sources)}

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return the levels in their order."""
        return {"levels": pl.DataFrame({"level": self.levels.values})}

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:
        """Make it again."""
        return cls(**checked(cls, spec, leave_out=("levels",)), levels=Levels.read(spec, tables["levels"]))


def _kept(source: str, counts: pl.DataFrame, most: int, least: float) -> Levels:
    frequent = frequent_first(counts).filter(pl.col("rows") >= least).head(most)
    return Levels((source,), frequent.get_column("level"))
