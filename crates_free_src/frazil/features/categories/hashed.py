"""Categories by a stable hash of their text: the same in every process, version and table, so nothing is learned."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.features.categories.levels import KINDS, categories, crossed, level
from frazil.features.contract import Columns, Feature, Learned, Queries, Scope, Training
from frazil.features.plain import PlainState, check_known, only_named

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from typing import Self

    from numpy.typing import NDArray

BUCKETS = 1_024
MOST_BUCKETS = 2**24  # float32 tells so many codes apart
SIGN_BIT = np.uint64(63)
CODE, SIGN = "code", "sign"


def hashes(texts: Iterable[str], seed: int) -> NDArray[np.uint64]:
    """Hash texts to 64 bits; the seed is part of what is hashed, so that two seeds collide in different places.

    >>> hashes(["Rom", "Ulm"], 0).tolist() == hashes(["Rom", "Ulm"], 0).tolist() != hashes(["Rom", "Ulm"], 1).tolist()
    True
    """
    salt = seed.to_bytes(8, "little", signed=True)
    digests = b"".join(blake2b(text.encode(), digest_size=8, salt=salt).digest() for text in texts)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def of_distinct(text: pl.Series, make: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Make values of the distinct texts only, and spread them over all; null stays null."""
    # Methods of a Series take a name such as ^a$ for a pattern.
    codes = text.alias("").cast(pl.Categorical(pl.Categories.random()))
    places = codes.to_physical()
    n = int(places.max()) + 1 if places.count() else 0  # type: ignore[arg-type]
    distinct = pl.Series(np.arange(n, dtype=np.uint32)).cat.to(codes.dtype).cast(pl.String)
    return make(distinct).gather(places).alias(text.name)


@dataclass(frozen=True, slots=True)
class HashLevels:
    """Encode categories as the bucket that a hash of their text falls into; null stays null.

    bucket = blake2b(text, seed) mod buckets

    Unseen levels have a bucket like others, and levels that share one can't be told apart. With `signed`, a second
    column is 1 or -1 by another bit of the hash, so that sums over a bucket cancel out on average.

    Args:
        columns: Names or a selector.
        buckets: How many.
        signed: Whether to add the column of signs.
        cross: How many columns make a level together.
        seed: Of the hash.

    Raises: SettingError: buckets is not 2 to 16,777,216, cross is not 1, 2 or 3, or the seed has more than 64 bits.
    Source: Weinberger et al. (2009), Feature Hashing for Large Scale Multitask Learning, ICML.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"city": ["Rom", "Ulm", None, "Rom"]})
    >>> Recipe(HashLevels("city", buckets=8)).fit(frame).apply(frame).collect()["city|hash_8"].to_list()
    [4, 1, None, 4]
    """

    columns: Columns = field(default_factory=categories)
    buckets: int = BUCKETS
    signed: bool = False
    cross: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        crossed((), self.cross)
        check_seed(self.seed)
        if type(self.buckets) is not int or not 2 <= self.buckets <= MOST_BUCKETS:
            raise SettingError(f"buckets={self.buckets!r}; it takes 2 to {MOST_BUCKETS:,}.")

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but check the columns."""
        train.columns(self.columns, KINDS, self)
        return {}

    def fitted(self, learned: Learned, train: Training) -> list[LevelsHashed]:  # noqa: ARG002 -- nothing was asked for
        """Name the columns."""
        made = []
        for sources in crossed(train.columns(self.columns, KINDS, self), self.cross):
            code = train.named("*".join(sources), f"hash_{self.buckets}")
            signs = (train.named("*".join(sources), f"hash_{self.buckets}_sign"),) if self.signed else ()
            kinds = (CODE, *([SIGN] if self.signed else []))
            made.append(LevelsHashed(sources, (code, *signs), kinds, self.buckets, self.seed))
        return made


def check_seed(seed: object) -> None:
    """Raise SettingError where a seed has more than 64 bits."""
    if type(seed) is not int or not -(2**63) <= seed < 2**63:
        raise SettingError(f"seed={seed!r}; it takes an integer of 64 bits.")


@dataclass(frozen=True, slots=True)
class LevelsHashed(PlainState):
    """Buckets of one column or cross.

    Args:
        sources: The columns.
        names: The generated ones.
        kinds: What each is: "code" or "sign".
        buckets: How many there are.
        seed: Of the hash.
    """

    sources: tuple[str, ...]
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    buckets: int
    seed: int
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what no hash can be made with."""
        check_known("kind", self.kinds, (CODE, SIGN), self.names)
        if not self.sources or not 2 <= self.buckets <= MOST_BUCKETS or not -(2**63) <= self.seed < 2**63:
            raise ValueError(f"{self.buckets} buckets of {len(self.sources)} columns by seed {self.seed}")

    @property
    def told_apart(self) -> tuple[str, ...]:
        """The columns that are hashed."""
        return self.sources

    @property
    def features(self) -> tuple[Feature, ...]:
        """Codes, and signs."""
        of, parameters = " and ".join(self.sources), {"buckets": self.buckets, "seed": self.seed}
        made = {
            CODE: (pl.Int32(), f"which of {self.buckets} buckets a hash of {of} falls into", self.buckets),
            SIGN: (pl.Int8(), f"1 or -1 by a hash of {of}", 0),
        }
        return tuple(
            Feature(name, self.sources, "hash", parameters, made[kind][0], made[kind][1], levels=made[kind][2])
            for name, kind in zip(self.names, self.kinds, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them; each distinct text of a batch is hashed once."""
        dtype = pl.Struct({CODE: pl.Int32, SIGN: pl.Int8})
        both = level(self.sources).map_batches(self._both, return_dtype=dtype, is_elementwise=True)
        return frame.with_columns(
            both.struct.field(kind).alias(name) for name, kind in zip(self.names, self.kinds, strict=True)
        )

    def _both(self, text: pl.Series) -> pl.Series:
        return of_distinct(text, self._hashed)

    def _hashed(self, distinct: pl.Series) -> pl.Series:
        found = hashes(distinct, self.seed)
        codes = pl.Series(CODE, (found % np.uint64(self.buckets)).astype(np.int32))
        signs = pl.Series(SIGN, 1 - 2 * (found >> SIGN_BIT).astype(np.int8))
        return pl.DataFrame([codes, signs]).to_struct()

    def select(self, names: Collection[str]) -> Self:
        """Keep the columns of these names."""
        return only_named(self, names, "kinds")
