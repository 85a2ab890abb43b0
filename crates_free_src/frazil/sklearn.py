"""A recipe as a scikit-learn transformer, for pipelines that are built there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from frazil.errors import InputError, panics_told
from frazil.features import CrossFitBuilder, Recipe
from frazil.features.categories import Similarity
from frazil.features.numbers import KeepNumbers
from frazil.naming import unique
from frazil.schema import column
from frazil.task import infer_task

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from frazil.features.contract import Builder
    from frazil.task import Task

TABLES = (pl.DataFrame, pl.LazyFrame)


class RecipeTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Fit a recipe, and add its features to tables.

    `fit_transform` gives training rows out-of-fold values of whatever reads the target; `fit(X, y).transform(X)` would
    not, as with scikit-learn's own `TargetEncoder`.

    Args:
        recipe: What to make; None keeps number columns as they are.
        seed: Of the folds of `fit_transform`.

    Attributes:
        fitted_: The fitted recipe, once fitted.
        n_features_in_: How many columns it was fitted on.
        feature_names_in_: Their names, where they are strings.

    >>> import frazil as fz
    >>> X = pl.DataFrame({"city": ["Rom", "Ulm", "Rom"], "price": [1.0, 2.0, 3.0]})
    >>> transformer = RecipeTransformer(fz.Recipe(fz.encode_count("city"), fz.keep_numbers("price")))
    >>> transformer.fit_transform(X).columns
    ['city|count', 'price|number']
    """

    def __init__(self, recipe: Recipe | None = None, *, seed: int = 0) -> None:
        self.recipe = recipe
        self.seed = seed

    def fit(self, X: Any, y: ArrayLike | None = None) -> RecipeTransformer:  # noqa: ANN401 -- any table
        """Learn from all rows.

        Args:
            X: (rows, columns) Polars table, or anything that scikit-learn takes as an array; its columns are then
                called x0, x1, ...
            y: (rows,) target; only features that read it need one.
        """
        frame, task = self._training(X, y)
        self.fitted_ = self._recipe().fit(frame, task)
        return self

    def fit_transform(self, X: Any, y: ArrayLike | None = None, **_: object) -> Any:  # noqa: ANN401 -- as given
        """Learn from all rows and return their features, out of fold where they read the target."""
        frame, task = self._training(X, y)
        self.fitted_, train = self._recipe().fit_train(frame, task, seed=self.seed)
        return self._chosen(train, X)

    def transform(self, X: Any) -> Any:  # noqa: ANN401 -- as given
        """Return the features of new rows: a Polars table for one, else an array."""
        check_is_fitted(self, "fitted_")
        return self._chosen(self.fitted_.apply(self._frame(X, reset=False)), X)

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray[Any, Any]:  # noqa: ARG002 -- learned
        """Return the names of the features."""
        check_is_fitted(self, "fitted_")
        return np.array([feature.name for feature in self.fitted_.features], dtype=object)

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401 -- scikit-learn's own type
        """Say that missing values and text are taken, and that features are float32 or small integers."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _recipe(self) -> Recipe:
        return Recipe(KeepNumbers()) if self.recipe is None else self.recipe

    def _training(self, X: Any, y: ArrayLike | None) -> tuple[pl.LazyFrame, Task | None]:  # noqa: ANN401 -- any table
        frame = self._frame(X, reset=True)
        if y is None or not any(map(_reads_target, self._recipe().builders)):
            return frame, None
        values = np.asarray(y)
        rows = frame.select(pl.len()).collect(engine="streaming").item()
        if values.shape != (rows,):
            raise InputError(f"y is of shape {values.shape}; it is one value for each of the {rows:,} rows of X.")
        target = unique("target", frame.collect_schema().names())
        return frame.with_columns(pl.Series(target, values)), infer_task(pl.Series(values), target_name=target)

    def _frame(self, X: Any, *, reset: bool) -> pl.LazyFrame:  # noqa: ANN401 -- any table
        if isinstance(X, TABLES):
            if reset:
                names = X.lazy().collect_schema().names()
                self.feature_names_in_, self.n_features_in_ = np.array(names, dtype=object), len(names)
            return X.lazy()
        values = validate_data(self, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan")
        return pl.LazyFrame({f"x{at}": values[:, at] for at in range(values.shape[1])})

    def _chosen(self, frame: pl.LazyFrame, X: Any) -> Any:  # noqa: ANN401 -- as given
        made = frame.select(column(feature.name) for feature in self.fitted_.features)
        if isinstance(X, pl.LazyFrame):
            return made
        with panics_told("transform"):
            return made.collect() if isinstance(X, pl.DataFrame) else made.collect().to_numpy()


def _reads_target(builder: Builder) -> bool:
    """Whether a builder needs a target: its values, or the labels that texts are compared with."""
    return isinstance(builder, CrossFitBuilder) or (isinstance(builder, Similarity) and builder.to == "target")
