"""Features of features: builders that read the columns which other builders have made."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import polars.selectors as cs

from frazil.errors import SettingError
from frazil.features.applying import add_features
from frazil.features.contract import CrossFitBuilder, LeakClass, ReadsTables, Scope, TellsApart
from frazil.features.learning import learn_together
from frazil.features.panel import Panel, Reach
from frazil.features.plain import checked
from frazil.naming import unique

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import polars as pl

    from frazil.features.contract import Builder, Feature, Fitted, Learned, Queries, Training

STAGES = ("first", "then")
STRICTNESS = tuple(LeakClass)


@dataclass(frozen=True, slots=True)
class Chain:
    """Make features of features: what `then` makes of the columns that `first` makes, whose own columns are not kept.

    Names read back, as in `price*size|ratio|lag_7`. Where `then` selects columns, it selects among those that `first`
    makes; by name it may have columns of the table, too. A feature's sources are columns of the table, its reach is
    that of both steps, and it is as dangerous as the more dangerous of them. What `then` learns is learned in a second
    scan. Of features that read the target, which training rows get out of fold, `then` may only make what each row's
    own values say. `first` hands on float32, which does not tell lags of values far from 0 apart: of these take the
    change itself, as `Diff`, or `KeepNumbers` of them first, which takes the least one off.

    Args:
        first: A builder, or several; one may be a chain.
        then: A builder, or several, of what the first make.

    Raises: SettingError: one is no builder, or there is none; at the fit: `then` would learn from, or read earlier
        rows of, features that read the target.

    >>> import polars as pl
    >>> from frazil.features import Recipe
    >>> from frazil.features.numbers import CrossNumbers
    >>> from frazil.features.ordered import Lag
    >>> frame = pl.LazyFrame({"day": [1, 2], "price": [6.0, 8.0], "size": [3.0, 2.0]})
    >>> chain = Chain(CrossNumbers(["price", "size"], ["ratio"]), Lag(cs.all(), [1]))
    >>> fitted = Recipe(chain, time="day").fit(frame)
    >>> fitted.apply(frame).select("day", "price*size|ratio|lag_1").collect().rows()
    [(1, None), (2, 2.0)]
    """

    first: Builder | Sequence[Builder]
    then: Builder | Sequence[Builder]

    def __post_init__(self) -> None:
        """Refuse what is no builder."""
        for stage in STAGES:
            given = getattr(self, stage)
            builders = _several(given)
            if not builders or not all(callable(getattr(each, "learn", None)) for each in builders):
                raise SettingError(f"{stage}={given!r}; it takes a builder, or several, as fz.keep_numbers('price').")

    def learn(self, train: Training) -> Queries:
        """Ask for what the first builders ask for."""
        asked = (builder.learn(train) for builder in _several(self.first))
        return {f"{at} {key}": query for at, queries in enumerate(asked) for key, query in queries.items()}

    def fitted(self, learned: Learned, train: Training) -> list[Chained]:
        """Fit the first builders, and the others on a table that has their features."""
        builders, then = _several(self.first), _several(self.then)
        own: list[Learned] = [{} for _ in builders]
        for place, value in learned.items():
            at, _, key = place.partition(" ")
            own[int(at)][key] = value
        first = _Fitting.of(builders, own, replace(train, _taken=set()))  # names that nobody sees meet no other
        second = _second(train, first.parts)
        asked = [second.asked_by(builder) for builder in then]
        last = _Fitting.of(then, learn_together(second.frame, [queries for queries, _ in asked]), second)
        for builder, (queries, chosen), parts in zip(then, asked, last.by_builder, strict=True):
            _check_blind(builder, parts, second.blind, chosen, learns=bool(queries))
        if not last.parts:
            return []
        face = None if train.fold is None else (first.faces, last.faces)
        return [replace(chained(first.parts, last.parts, train.panel), face=face)]

    def out_of_fold(
        self,
        parts: Sequence[Chained],
        learned: Learned,  # noqa: ARG002 -- the faces were made in one go with the parts
        train: Training,  # noqa: ARG002
    ) -> list[Chained]:
        """Return the faces that training rows get."""
        faces = [(part, part.face) for part in parts if part.face is not None]
        return [replace(part, first=first, then=then, face=None) for part, (first, then) in faces]


@dataclass(frozen=True, slots=True)
class _Fitting:
    """The fitted states of several builders, and their faces for training rows.

    Args:
        by_builder: The states of each.
        faces: The same, one behind the other, of those that read the target out of fold.
    """

    by_builder: tuple[tuple[Fitted, ...], ...]
    faces: tuple[Fitted, ...]

    @property
    def parts(self) -> tuple[Fitted, ...]:
        return tuple(part for parts in self.by_builder for part in parts)

    @classmethod
    def of(cls, builders: Sequence[Builder], learned: Sequence[Learned], train: Training) -> Self:
        made: list[tuple[Fitted, ...]] = []
        faces: list[Fitted] = []
        for builder, known in zip(builders, learned, strict=True):
            parts = tuple(builder.fitted(known, train))
            made.append(parts)
            crosses = train.fold is not None and isinstance(builder, CrossFitBuilder)
            faces.extend(builder.out_of_fold(parts, known, train) if crosses else parts)  # type: ignore[attr-defined]
        return cls(tuple(made), tuple(faces))


def _several(builders: Builder | Sequence[Builder]) -> tuple[Builder, ...]:
    return tuple(builders) if isinstance(builders, list | tuple) else (builders,)  # type: ignore[return-value]


def _second(train: Training, first: Sequence[Fitted]) -> Training:
    """Return the table with the features of the first builders, among which selectors choose."""
    made = {feature.name: feature.dtype for part in first for feature in part.features}
    frame = add_features(train.frame, first, train.panel)
    schema, selectable = {**train.schema, **made}, frozenset(made)
    return replace(train, frame=frame, schema=schema, selectable=selectable, blind=train.blind | _blind(train, first))


def _blind(train: Training, first: Sequence[Fitted]) -> frozenset[str]:
    """Return the features that know a row's target by way of other rows: themselves, or by what they are made of."""
    return frozenset(
        feature.name
        for part in first
        for feature in part.features
        if _reads_target(part) or train.blind.intersection(feature.sources)
    )


def _check_blind(
    builder: Builder, parts: Sequence[Fitted], blind: Collection[str], chosen: Collection[str], *, learns: bool
) -> None:
    """Refuse what would carry a row's own target over from other rows' out-of-fold values.

    Args:
        builder: Of the later step.
        parts: What it made.
        blind: The columns that may be read of the same row only.
        chosen: The columns that it chose, of which its features need not name those that it only learned from.
        learns: Whether it learned anything.
    """
    of_others = set(chosen) if learns else set()
    for part in parts:
        if learns or part.scope is not Scope.ROW:
            of_others.update(source for feature in part.features for source in feature.sources)
    if read := sorted(of_others.intersection(blind)):
        raise SettingError(
            f"{type(builder).__name__} reads {read[0]!r} of other rows, whose out-of-fold values know this row's"
            " target; of features that read the target a chain makes only what a row's own values say, as"
            " fz.cross_numbers does."
        )


def _reads_target(part: Fitted) -> bool:
    """Say whether a state reads the target of other rows, or a step of it does: a chain says the worst of its steps."""
    if isinstance(part, Chained):
        return any(_reads_target(step) for step in (*part.first, *part.then))
    return any(feature.leak is LeakClass.TARGET for feature in part.features)


@dataclass(frozen=True, slots=True, eq=False)
class Chained:
    """Features of features, each a value of its row.

    Args:
        first: What makes the columns that are read, and not kept.
        then: What makes the features.
        panel: Whose rows they are, and what orders them.
        face: Both for training rows; never written down.
    """

    first: tuple[Fitted, ...]
    then: tuple[Fitted, ...]
    panel: Panel
    face: tuple[tuple[Fitted, ...], tuple[Fitted, ...]] | None = None
    scope: ClassVar[Scope] = Scope.ROW

    @property
    def features(self) -> tuple[Feature, ...]:
        """What the last step makes, back to columns of the table."""
        made = {feature.name: feature for part in self.first for feature in part.features}
        return tuple(_behind(feature, made) for part in self.then for feature in part.features)

    @property
    def told_apart(self) -> tuple[str, ...]:
        """Columns of the table that a step tells apart; what the first step makes has the types that it had."""
        made = {feature.name for part in self.first for feature in part.features}
        own = (part.told_apart for part in self.first if isinstance(part, TellsApart))
        later = (part.told_apart for part in self.then if isinstance(part, TellsApart))
        of_table = (name for names in later for name in names if name not in made)
        return tuple(dict.fromkeys([*(name for names in own for name in names), *of_table]))

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add them, by way of the columns that are not kept; the table may have columns of such names itself."""
        there = frame.collect_schema().names()
        hidden, made = ([made.name for part in step for made in part.features] for step in (self.first, self.then))
        aside = {name: unique(name, [*there, *hidden, *made]) for name in hidden if name in there}
        frame = add_features(frame.rename(aside), self.first, self.panel)
        frame = add_features(frame, self.then, self.panel).drop(cs.by_name(*hidden))
        return frame.rename({other: name for name, other in aside.items()})

    def select(self, names: Collection[str]) -> Self:
        """Keep the features of these names, and what they are made of."""
        then = _selected(self.then, names)
        read = {source for part in then for feature in part.features for source in feature.sources}
        return cast("Self", chained(_selected(self.first, read), then, self.panel))

    def with_tables(self, tables: Mapping[str, pl.LazyFrame]) -> Chained:
        """Give both steps the tables that they read."""
        first, then = (
            tuple(part.with_tables(tables) if isinstance(part, ReadsTables) else part for part in parts)
            for parts in (self.first, self.then)
        )
        return replace(self, first=first, then=then)

    def spec(self) -> dict[str, Any]:
        """Return the states of both steps, each with the names of its tables."""
        steps = {
            stage: [
                {
                    "state": type(part).__name__,
                    "spec": part.spec(),
                    "tables": {name: f"{stage}_{at}_{name}" for name in part.tables()},
                }
                for at, part in enumerate(getattr(self, stage))
            ]
            for stage in STAGES
        }
        return {**steps, "panel": asdict(self.panel)}

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return those of both steps."""
        return {
            f"{stage}_{at}_{name}": df
            for stage in STAGES
            for at, part in enumerate(getattr(self, stage))
            for name, df in part.tables().items()
        }

    @classmethod
    def read(cls, spec: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> Self:  # noqa: ARG003 -- its steps have them
        """Make it again; `first` and `then` hold states that were read already."""
        made = chained(spec["first"], spec["then"], Panel(**checked(Panel, spec["panel"])))
        if type(made) is not cls:
            raise ValueError(f"steps of a {type(made).__name__} are called a {cls.__name__}")
        return made


@dataclass(frozen=True, slots=True, eq=False)
class ChainedOfTable(Chained):
    """Features of features that read the whole table."""

    scope: ClassVar[Scope] = Scope.TABLE


@dataclass(frozen=True, slots=True, eq=False)
class ChainedInOrder(Chained):
    """Features of features that read earlier rows, which each chain sorts for itself."""

    scope: ClassVar[Scope] = Scope.ENTITY


def chained(first: tuple[Fitted, ...], then: tuple[Fitted, ...], panel: Panel) -> Chained:
    """Make the state that the scopes of its steps ask for."""
    scopes = {part.scope for part in (*first, *then)}
    if Scope.TABLE in scopes:
        return ChainedOfTable(first, then, panel)
    return (ChainedInOrder if Scope.ENTITY in scopes else Chained)(first, then, panel)


def _selected(parts: Sequence[Fitted], names: Collection[str]) -> tuple[Fitted, ...]:
    own = [(part, {feature.name for feature in part.features} & set(names)) for part in parts]
    return tuple(part.select(kept) for part, kept in own if kept)


def _behind(feature: Feature, made: Mapping[str, Feature]) -> Feature:
    """Return a feature with the sources, the reach and the dangers of the features that it is made of."""
    read = [made[source] for source in feature.sources if source in made]
    sources = (made[source].sources if source in made else (source,) for source in feature.sources)
    operations = dict.fromkeys(each.operation for each in read)
    return replace(
        feature,
        sources=tuple(dict.fromkeys(source for each in sources for source in each)),
        operation=" > ".join(["+".join(operations), feature.operation]) if read else feature.operation,
        parameters={**feature.parameters, **({"of": ", ".join(each.name for each in read)} if read else {})},
        leak=max((each.leak for each in (feature, *read)), key=STRICTNESS.index),
        reach=feature.reach + reduce(or_, (each.reach for each in read), Reach()),
    )


BUILDERS: dict[str, type[Builder]] = {"chain": Chain}
STATES: tuple[type[Fitted], ...] = (Chained, ChainedInOrder, ChainedOfTable)
