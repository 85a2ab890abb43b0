"""ExtraTrees."""
from __future__ import annotations
from dataclasses import dataclass
from typing import Any, ClassVar
import numpy as np
from frazil.extras import load
class ExtraTreesFitted:
    def __init__(self, model, classes): self.model=model; self.classes=classes; self.rounds=len(model.estimators_)
    def predict(self, matrix, threads=1):
        if matrix.rows == 0: return np.empty((0, self.classes)) if self.classes else np.empty(0)
        self.model.n_jobs = threads
        if not self.classes: return self.model.predict(matrix.values)
        out = np.zeros((matrix.rows, self.classes)); out[:, self.model.classes_] = self.model.predict_proba(matrix.values); return out
    def importance(self): return self.model.feature_importances_
@dataclass(frozen=True, slots=True)
class ExtraTrees:
    name: ClassVar[str] = "extra_trees"
    fitted_type: ClassVar[Any] = ExtraTreesFitted
    trees: int = 300
    feature_share: float | None = None
    min_rows_in_leaf: int = 1
    def fit(self, train, valid, conditions):
        e = load("sklearn.ensemble"); t = conditions.task
        M = e.ExtraTreesRegressor if t.is_regression else e.ExtraTreesClassifier
        m = M(n_estimators=20, warm_start=True, max_features=self.feature_share or (1.0 if t.is_regression else "sqrt"), min_samples_leaf=self.min_rows_in_leaf, max_leaf_nodes=15000 if train.matrix.rows > 15000 else None, n_jobs=conditions.threads, random_state=conditions.seed)
        for k in range(20, self.trees + 1, 20):
            m.n_estimators = k; m.fit(train.matrix.values, train.target, train.weights)
            if conditions.deadline.passed: break
        return ExtraTreesFitted(m, t.n_classes)
    @classmethod
    def suggest(cls, trial, rows): return cls(feature_share=trial.suggest_float("feature_share", .3, 1), min_rows_in_leaf=trial.suggest_int("min_rows_in_leaf", 1, 20, log=True))
