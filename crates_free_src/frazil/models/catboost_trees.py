"""CatBoost."""
from __future__ import annotations
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
import numpy as np
import polars as pl
from frazil.extras import load

def pool(matrix, target=None, weights=None):
    cb = load("catboost")
    cats = matrix.categories
    if not cats: return cb.Pool(matrix.values, target, weight=weights)
    df = pl.DataFrame({f"f{i}": (pl.Series(np.nan_to_num(matrix.values[:, i], nan=-1).astype(np.int32)) if c.is_category else pl.Series(matrix.values[:, i])) for i, c in enumerate(matrix.columns)})
    return cb.Pool(df, target, weight=weights, cat_features=cats)

class CatBoostFitted:
    def __init__(self, model, columns, classes, rounds): self.model=model; self.columns=columns; self.classes=classes; self.rounds=rounds
    def predict(self, matrix, threads=1):
        if matrix.rows == 0: return np.empty((0, self.classes)) if self.classes else np.empty(0)
        return np.asarray(self.model.predict(pool(matrix), prediction_type="Probability" if self.classes else "RawFormulaVal", thread_count=threads))
    def importance(self):
        v = np.asarray(self.model.get_feature_importance(type="PredictionValuesChange"), float); return v / v.sum() if v.sum() else v
    def members(self):
        with tempfile.TemporaryDirectory() as d:
            self.model.save_model(f"{d}/m.cbm"); data = Path(d, "m.cbm").read_bytes()
        return {"model.cbm": data, "meta.json": json.dumps({"columns": self.columns, "classes": self.classes, "rounds": self.rounds}).encode()}
    @classmethod
    def read(cls, m):
        d = json.loads(m["meta.json"]); cb = load("catboost"); model = cb.CatBoost(); model.load_model(blob=m["model.cbm"]); return cls(model, d["columns"], d["classes"], d["rounds"])

@dataclass(frozen=True, slots=True)
class CatBoost:
    name: ClassVar[str] = "catboost"
    fitted_type: ClassVar[Any] = CatBoostFitted
    learning_rate: float | None = None
    depth: int = 6
    l2: float = 3.0
    row_share: float | None = None
    max_rounds: int = 2000
    def fit(self, train, valid, conditions):
        cb = load("catboost"); t = conditions.task; n = train.matrix.rows
        lr = self.learning_rate or (0.05 if n < 10000 else 0.1)
        p = dict(loss_function="RMSE" if t.is_regression else "Logloss" if t.n_classes == 2 else "MultiClass", learning_rate=lr, depth=self.depth, l2_leaf_reg=self.l2, iterations=self.max_rounds,
                 random_seed=conditions.seed, thread_count=conditions.threads, allow_writing_files=False, logging_level="Silent", od_type="Iter", od_wait=max(20, round(min(100, 300 * min(1, 1e4 / n)))), use_best_model=True)
        if n > 10000: p["boosting_type"] = "Plain"
        if self.row_share: p.update(bootstrap_type="Bernoulli", subsample=self.row_share)
        class Stop:
            def after_iteration(self, info): return not conditions.deadline.passed
        m = cb.CatBoost(p).fit(pool(train.matrix, train.target, train.weights), eval_set=pool(valid.matrix, valid.target, valid.weights), callbacks=[Stop()])
        return CatBoostFitted(m, len(train.matrix.columns), t.n_classes, m.tree_count_)
    @classmethod
    def suggest(cls, trial, rows):
        return cls(learning_rate=trial.suggest_float("learning_rate", 0.02, 0.15, log=True), depth=trial.suggest_int("depth", 4, 8), l2=trial.suggest_float("l2", 1e-2, 5, log=True), row_share=trial.suggest_float("row_share", .7, 1))
