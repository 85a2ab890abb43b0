"""Bytes: how many there are, how mixed, and what images they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import polars as pl
import polars.selectors as cs

from frazil.errors import SettingError
from frazil.features.contract import Columns, Feature, Kind, Learned, Queries, Scope, Training
from frazil.features.nested.images import FORMATS, image_facts
from frazil.features.plain import PlainState, check_known, only_named
from frazil.schema import column

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

KINDS = (Kind.BINARY,)
LENGTH, ENTROPY, FORMAT, WIDTH, HEIGHT = "length", "entropy", "image_format", "image_width", "image_height"
IMAGE = {FORMAT: pl.Int32(), WIDTH: pl.Float32(), HEIGHT: pl.Float32()}
STATISTICS = (LENGTH, ENTROPY, *IMAGE)


@dataclass(frozen=True, slots=True)
class BinaryStats:
    """Measure bytes: how many, their entropy, and the format, width and height of a PNG, JPEG or GIF.

    entropy = - sum over the 256 bytes of share * log2(share), from 0 to 8 bits

    Formats are codes: 0 PNG, 1 JPEG, 2 GIF; null, as width and height, for other bytes. Sizes are read from the head,
    nothing is decoded. The entropy of no bytes is null. Null stays null.

    Args:
        columns: Names or a selector: binary columns.
        statistics: Which to take: "length", "entropy", "image_format", "image_width", "image_height".

    Raises: SettingError: a statistic is not known.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"file": [b"abab", b"GIF89a" + bytes([4, 0, 2, 0]), None]})
    >>> out = Recipe(BinaryStats("file", ["entropy", "image_width"])).fit(frame).apply(frame).collect()
    >>> out["file|entropy"][0], out["file|image_width"].to_list()
    (1.0, [None, 4.0, None])
    """

    columns: Columns = field(default_factory=cs.binary)
    statistics: Sequence[str] = STATISTICS

    def __post_init__(self) -> None:
        """Refuse statistics that are not known."""
        for statistic in self.statistics:
            if statistic not in STATISTICS:
                raise SettingError.among("statistics", statistic, STATISTICS)

    def learn(self, train: Training) -> Queries:
        """Ask for nothing, but check the columns."""
        train.columns(self.columns, KINDS, self)
        return {}

    def fitted(self, learned: Learned, train: Training) -> list[BinaryMeasured]:  # noqa: ARG002 -- nothing was asked
        """Name the columns."""
        asked = tuple(dict.fromkeys(self.statistics))
        return [
            BinaryMeasured(source, asked, tuple(train.named(source, statistic) for statistic in asked))
            for source in train.columns(self.columns, KINDS, self)
        ]


@dataclass(frozen=True, slots=True)
class BinaryMeasured(PlainState):
    """Measures of one column of bytes.

    Args:
        source: The column.
        statistics: What is measured.
        names: The generated columns.
    """

    source: str
    statistics: tuple[str, ...]
    names: tuple[str, ...]
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse statistics that are not known."""
        check_known("statistic", self.statistics, STATISTICS, self.names)

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number or code a statistic."""
        return tuple(
            Feature(
                name=name,
                sources=(self.source,),
                operation=statistic,
                parameters={"formats": list(FORMATS)} if statistic == FORMAT else {},
                dtype=pl.Int32() if statistic == FORMAT else pl.Float32(),
                description=f"{statistic.replace('_', ' ')} of {self.source}",
                levels=len(FORMATS) if statistic == FORMAT else 0,
            )
            for name, statistic in zip(self.names, self.statistics, strict=True)
        )

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them; a batch of images is read once for all that is said of it."""
        data, asked = column(self.source), dict(zip(self.statistics, self.names, strict=True))
        made = []
        if LENGTH in asked:
            made.append(data.bin.size().cast(pl.Float32).alias(asked[LENGTH]))
        if ENTROPY in asked:
            made.append(
                data.map_batches(_entropies, return_dtype=pl.Float32, is_elementwise=True).alias(asked[ENTROPY])
            )
        if images := {statistic: asked[statistic] for statistic in IMAGE if statistic in asked}:
            dtype = pl.Struct({name: IMAGE[statistic] for statistic, name in images.items()})
            facts = data.map_batches(partial(_facts, images), return_dtype=dtype, is_elementwise=True)
            made.append(facts.struct.unnest())
        return frame.with_columns(made)

    def select(self, names: Collection[str]) -> Self:
        """Keep the statistics of these names."""
        return only_named(self, names, "statistics")


def _facts(images: dict[str, str], blobs: pl.Series) -> pl.Series:
    facts = [(None, None, None) if data is None else image_facts(data) for data in blobs]
    df = pl.DataFrame(facts, schema=dict.fromkeys(IMAGE, pl.Int64), orient="row")
    return df.select(
        column(statistic).cast(IMAGE[statistic]).alias(name) for statistic, name in images.items()
    ).to_struct(blobs.name)


def _entropies(blobs: pl.Series) -> pl.Series:
    return pl.Series(blobs.name, [entropy(data) if data else None for data in blobs], dtype=pl.Float32)


def entropy(data: bytes) -> float:
    """Return the entropy of bytes in bits.

    >>> entropy(b"aaaa"), entropy(bytes(range(256)))
    (0.0, 8.0)
    """
    counts = np.bincount(np.frombuffer(data, np.uint8))
    shares = counts[counts > 0] / len(data)
    return float(abs(shares @ np.log2(shares)))  # not -0.0
