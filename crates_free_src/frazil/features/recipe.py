"""The recipe: builders that learn from a table in one shared scan, and the plan that adds their columns to others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import polars.selectors as cs

from frazil.errors import InputError, MissingColumnError, SettingError, panics_told
from frazil.features.chained import Chain
from frazil.features.contract import (
    Builder,
    CrossFitBuilder,
    Fitted,
    Training,
    kind_of,
    target_of,
)
from frazil.features.fitted import FittedRecipe, columns_read, frame_of
from frazil.features.learning import learn_together
from frazil.features.numbers.reading import ends, far_offset
from frazil.features.ordered.reading import AsksNothing
from frazil.features.panel import Panel, check_alike
from frazil.features.retyped import worth_keeping
from frazil.features.several import several
from frazil.folds import inner_folds
from frazil.naming import unique
from frazil.schema import column
from frazil.task import infer_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from frazil.task import Task

CROSS_FITS = 5  # folds where none are given, as scikit-learn's TargetEncoder takes


@dataclass(frozen=True, slots=True, init=False)
class Recipe:
    """Builders to be fitted together.

    Args:
        builders: Settings of features; names of generated columns follow their order.
        entity: The column, or columns, that say whose row it is.
        time: The column that orders rows; whatever reads earlier rows needs it.
        available_at: The column that says when a row became known to others, which counts as `time` does (a Date is the
            moment that it begins with in UTC); its own time where None.
        horizon: How far before its row a window of the target ends, as "7d", "12h" or "7i" (of an integer time). It
            takes a fit that names the target.

    >>> from frazil.features.categories import EncodeCount
    >>> from frazil.features.numbers import KeepNumbers
    >>> frame = pl.LazyFrame({"city": ["Rom", "Ulm", "Rom"], "price": [1.0, 2.0, None]})
    >>> fitted = (Recipe(KeepNumbers("price")) | Recipe(EncodeCount("city"))).fit(frame)
    >>> [feature.name for feature in fitted.features]
    ['price|number', 'city|count']
    """

    builders: tuple[Builder, ...]
    panel: Panel

    def __init__(
        self,
        *builders: Builder,
        entity: str | Sequence[str] | None = None,
        time: str | None = None,
        available_at: str | None = None,
        horizon: str | None = None,
    ) -> None:
        for builder in builders:
            if not callable(getattr(builder, "learn", None)):
                raise SettingError(f"Recipe got {builder!r}; it takes builders, as in Recipe(KeepNumbers('price')).")
        object.__setattr__(self, "builders", tuple(builders))
        names = () if entity is None else tuple(several(entity))
        object.__setattr__(self, "panel", Panel(names, time, available_at, horizon))

    def __or__(self, other: Recipe) -> Recipe:
        """Put the other recipe's builders after this one's.

        Raises: SettingError: they declare different panels.
        """
        if not isinstance(other, Recipe):
            return NotImplemented
        return Recipe(*self.builders, *other.builders, **_agreed(self.panel, other.panel))

    def __repr__(self) -> str:
        """Write it as the call that makes it, one builder a line."""
        axes = [f"{axis}={value!r}" for axis, value in self.panel.declared().items()]
        return "\n    ".join(["Recipe(", *(f"{line}," for line in [*map(repr, self.builders), *axes])]) + "\n)"

    @panics_told("fit")
    def fit(self, data: Any, task: Task | None = None, *, target: str | None = None) -> FittedRecipe:  # noqa: ANN401
        """Learn from all rows of a table, in one scan.

        Applied to the same rows, features that read the target would know it: those rows need `fit_train`.

        Args:
            data: The training rows: a LazyFrame, or any source that `frazil.sources.open_source` takes.
            task: What is predicted; only builders that read the target need it.
            target: Its column, instead of a task: what it is, is read from its values in a scan before.

        Raises:
            MissingColumnError: a builder names a column that is not there.
            SchemaError: a column has a type that its builder can't use.
            SettingError: a builder needs a target, an entity or a time that is not given; or the horizon has no target
                or is of another kind than the time.
        """
        frame = frame_of(data)
        fitted, _ = self._fitted(self._training(frame, _task(frame, task, target)))
        return fitted

    @panics_told("fit_train")
    def fit_train(
        self,
        data: Any,  # noqa: ANN401 -- any source that open_source takes
        task: Task | None = None,
        fold_ids: ArrayLike | pl.Series | None = None,
        forward: bool = False,
        *,
        target: str | None = None,
        seed: int = 0,
    ) -> tuple[FittedRecipe, pl.LazyFrame]:
        """Learn from all rows, and give these same rows features that their own targets have no part in.

        Args:
            data: The training rows, in the order of `fold_ids`.
            task: What is predicted.
            fold_ids: (rows,) integers from 0. A row's features read the targets of other folds only. None makes five,
                at random, or one after the other in time where the recipe has a time.
            forward: Whether folds follow each other in time: then they read lower numbers only, and features of the
                first fold that read the target are null.
            target: The target's column, instead of a task.
            seed: Of the folds where none are given.

        Returns: The recipe as fitted on all rows, for new rows; and the training rows with out-of-fold features.

        Raises: as `fit`; InputError where fold_ids are not one integer from 0 a row.
        """
        frame = frame_of(data)
        train = self._training(frame, _task(frame, task, target))
        if fold_ids is None:
            ids, forward = self._own_folds(frame, seed)
        else:
            ids = _checked(fold_ids, frame)
        fold = unique("fold", train.schema)
        with_folds = frame.with_columns(pl.Series(fold, ids, pl.Int32))
        fitted, face = self._fitted(replace(train, frame=with_folds, fold=fold, forward=forward))
        return fitted, face.apply(with_folds).drop(cs.by_name(fold))

    def _own_folds(self, frame: pl.LazyFrame, seed: int) -> tuple[NDArray[np.signedinteger], bool]:
        axis = pl.int_range(pl.len()) if self.panel.time is None else column(self.panel.time).to_physical()
        time = frame.select(axis).collect().to_series()
        moments = None if self.panel.time is None else time.fill_null(strategy="min").to_numpy()
        return inner_folds(len(time), CROSS_FITS, groups=None, time=moments, seed=seed)

    def split(self) -> tuple[Recipe, Recipe]:
        """Return the builders that a training fold is fitted on, and those of earlier rows, which learn nothing."""
        past = [builder for builder in self.builders if isinstance(builder, AsksNothing)]
        rest = [builder for builder in self.builders if not isinstance(builder, AsksNothing)]
        declared = self.panel.declared()
        return Recipe(*rest, **declared), Recipe(*past, **declared)

    def explain(self) -> str:
        """Say in words what it does."""
        chains = sum(isinstance(builder, Chain) for builder in self.builders)
        more = f", and {chains} more for what chains make of it" if chains else ""
        lines = [f"{len(self.builders)} builders, fitted in one scan{more}:"]
        for builder in self.builders:
            summary = (type(builder).__doc__ or "").partition("\n")[0]
            lines.append(f"  {type(builder).__name__}: {summary}")
        return "\n".join(lines)

    def _training(self, frame: pl.LazyFrame, task: Task | None) -> Training:
        schema = frame.collect_schema()
        named = [*self.panel.columns, *([task.target] if task else [])]
        if missing := [name for name in named if name not in schema]:
            raise MissingColumnError.among(missing, schema.names(), where="the training table")
        if self.panel.horizon is not None and task is None:
            raise SettingError(
                f"horizon={self.panel.horizon!r} is of the target, and none is named; as in fit(frame, target='sold')."
            )
        if self.panel.horizon is not None or self.panel.available_at is not None:
            self.panel.check(schema)
        target = None if task is None else target_of(task)
        return Training(frame, schema, target, panel=self.panel)

    def _fitted(self, train: Training) -> tuple[FittedRecipe, FittedRecipe]:
        """Return the recipe for new rows, and the one for the training rows, which are the same without folds."""
        if any(isinstance(builder, CrossFitBuilder) for builder in self.builders):
            train = _centred(train)
        learned = learn_together(train.frame, [builder.learn(train) for builder in self.builders])
        parts: list[Fitted] = []
        faces: list[Fitted] = []
        for builder, known in zip(self.builders, learned, strict=True):
            made = builder.fitted(known, train)
            parts.extend(made)
            if train.fold is not None and isinstance(builder, CrossFitBuilder):
                made = builder.out_of_fold(made, known, train)
            faces.extend(made)
        read = {source: train.schema[source] for source in columns_read(parts, self.panel)}
        inputs = {source: kind_of(dtype) for source, dtype in read.items()}
        fitted = FittedRecipe(tuple(parts), inputs, self.panel, worth_keeping(read))
        return fitted, replace(fitted, parts=tuple(faces))


def _task(frame: pl.LazyFrame, task: Task | None, target: str | None) -> Task | None:
    if target is None:
        return task
    if task is not None:
        raise SettingError(f"a task and target={target!r} are given; the task names its target already.")
    if target not in (there := frame.collect_schema()):
        raise MissingColumnError.among(target, there.names(), where="the training table")
    return infer_task(frame.select(column(target)).collect().to_series(), target_name=target)


def _centred(train: Training) -> Training:
    """Take the least target off where float32 could not tell the targets apart: what is made of them would be equal."""
    target = train.target
    if target is None or target.labels:
        return train
    ((name, value),) = target.values.items()
    offset = far_offset(**train.frame.select(ends(value)).collect(engine="streaming").item())
    return replace(train, target=replace(target, values={name: value - offset}, offset=offset)) if offset else train


def _agreed(mine: Panel, theirs: Panel) -> dict[str, Any]:
    one, other = mine.declared(), theirs.declared()
    check_alike(one, other, [axis for axis in other if axis in one])
    return {**one, **other}


def _checked(fold_ids: ArrayLike | pl.Series, frame: pl.LazyFrame) -> NDArray[np.signedinteger]:
    """Check that there is a fold for each row; one for all of them would be repeated."""
    values = np.asarray(fold_ids)
    if values.ndim != 1 or values.dtype.kind not in "iu" or (values.size and values.min() < 0):
        raise InputError(f"fold_ids are {values.dtype} of shape {values.shape}; they are one integer from 0 a row.")
    if len(values) != (rows := frame.select(pl.len()).collect(engine="streaming").item()):
        raise InputError(f"fold_ids are {len(values):,} for {rows:,} rows; they are one integer from 0 a row.")
    return values.astype(np.int32)
