"""LightGBM."""
from __future__ import annotations
from dataclasses import dataclass
from typing import Any, ClassVar
import numpy as np
from frazil.extras import load

class LightGBMFitted:
    def __init__(self, text, columns, classes, rounds): self.text=text; self.columns=columns; self.classes=classes; self.rounds=rounds; self._b=None
    def _booster(self):
        if self._b is None: self._b = load("lightgbm").Booster(model_str=self.text)
        return self._b
    def predict(self, matrix, threads=1):
        if matrix.rows == 0: return np.empty((0, self.classes)) if self.classes else np.empty(0)
        p = np.asarray(self._booster().predict(matrix.values, num_threads=threads))
        return np.column_stack([1-p, p]) if self.classes == 2 else p
    def importance(self):
        v = self._booster().feature_importance("gain").astype(float); return v / v.sum() if v.sum() else v
    def members(self): return {"model.txt": self.text.encode(), "meta.json": b'{"columns":%d,"classes":%d,"rounds":%d}' % (self.columns, self.classes, self.rounds)}
    @classmethod
    def read(cls, m):
        import json; d = json.loads(m["meta.json"]); return cls(m["model.txt"].decode(), d["columns"], d["classes"], d["rounds"])

@dataclass(frozen=True, slots=True)
class LightGBM:
    name: ClassVar[str] = "lightgbm"
    fitted_type: ClassVar[Any] = LightGBMFitted
    learning_rate: float = 0.05
    leaves: int = 31
    min_rows_in_leaf: int = 20
    feature_share: float = 1.0
    row_share: float = 1.0
    extra_trees: bool = False
    l1: float = 0.0
    l2: float = 0.0
    max_rounds: int = 2000
    def fit(self, train, valid, conditions):
        lgb = load("lightgbm"); t = conditions.task
        p = dict(objective="regression" if t.is_regression else "binary" if t.n_classes == 2 else "multiclass", learning_rate=self.learning_rate, num_leaves=self.leaves,
            min_data_in_leaf=self.min_rows_in_leaf, feature_fraction=self.feature_share, bagging_fraction=self.row_share, bagging_freq=1 if self.row_share < 1 else 0,
            extra_trees=self.extra_trees, lambda_l1=self.l1, lambda_l2=self.l2, verbosity=-1, num_threads=conditions.threads, seed=conditions.seed, deterministic=True, force_row_wise=True)
        if t.n_classes > 2: p["num_class"] = t.n_classes
        if conditions.metric == "roc_auc" and t.n_classes == 2: p["metric"] = ["auc"]
        cats = train.matrix.categories
        d = lgb.Dataset(train.matrix.values, train.target, weight=train.weights, categorical_feature=cats, free_raw_data=False)
        n = train.matrix.rows
        v = d.create_valid(valid.matrix.values, valid.target, weight=valid.weights)
        patience = max(20, round(min(100, 300 * min(1, 1e4 / n))))
        def stop(env):
            if conditions.deadline.passed: raise lgb.callback.EarlyStopException(env.iteration, env.evaluation_result_list)
        stop.order = 30
        b = lgb.train(p, d, self.max_rounds, valid_sets=[v], callbacks=[lgb.early_stopping(patience, verbose=False), stop])
        best = b.best_iteration if b.best_iteration > 0 else b.current_iteration()
        return LightGBMFitted(b.model_to_string(num_iteration=best), len(train.matrix.columns), t.n_classes, best)
    @classmethod
    def suggest(cls, trial, rows):
        return cls(learning_rate=trial.suggest_float("learning_rate", 0.01, 0.15, log=True), leaves=trial.suggest_int("leaves", 4, 200, log=True), min_rows_in_leaf=trial.suggest_int("min_rows_in_leaf", 1, 64, log=True),
            feature_share=trial.suggest_float("feature_share", .4, 1), row_share=trial.suggest_float("row_share", .7, 1), extra_trees=trial.suggest_categorical("extra_trees", [False, True]), l1=trial.suggest_float("l1", 1e-4, 1), l2=trial.suggest_float("l2", 1e-4, 2))
