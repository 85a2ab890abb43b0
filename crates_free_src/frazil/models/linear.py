"""Linear."""
from __future__ import annotations
from dataclasses import dataclass
from typing import Any, ClassVar
import numpy as np
from frazil.extras import load
def prep(matrix, s):
    num, cat = matrix.numbers, matrix.categories
    x = matrix.values[:, num].astype(np.float64); x = np.where(np.isnan(x), s["med"], x); x = (x - s["med"]) / s["scale"]; x = x / np.sqrt(1 + (x / 3) ** 2)
    parts = [x]
    for i in cat:
        k = matrix.columns[i].levels
        if k > 25: continue
        c = np.nan_to_num(matrix.values[:, i], nan=k).astype(int); parts.append(np.eye(k + 1)[c][:, :k])
    return np.hstack(parts)
class LinearFitted:
    rounds = 0
    def __init__(self, s, model, classes, columns): self.s=s; self.model=model; self.classes=classes; self.columns=columns
    def predict(self, matrix, threads=1):
        if matrix.rows == 0: return np.empty((0, self.classes)) if self.classes else np.empty(0)
        x = prep(matrix, self.s)
        if not self.classes: return self.model.predict(x)
        out = np.zeros((matrix.rows, self.classes)); out[:, self.model.classes_] = self.model.predict_proba(x); return out
    def importance(self): return np.zeros(self.columns)
@dataclass(frozen=True, slots=True)
class Linear:
    name: ClassVar[str] = "linear"
    fitted_type: ClassVar[Any] = LinearFitted
    c: float = 1.0
    def fit(self, train, valid, conditions):
        lm = load("sklearn.linear_model"); t = conditions.task
        x = train.matrix.values[:, train.matrix.numbers].astype(np.float64)
        med = np.nan_to_num(np.nanmedian(x, axis=0)) if x.size else np.zeros(x.shape[1])
        iqr = np.nan_to_num(np.nanpercentile(x, 75, axis=0) - np.nanpercentile(x, 25, axis=0)); std = np.nan_to_num(np.nanstd(x, axis=0))
        s = {"med": med, "scale": np.where(iqr > 0, iqr, np.where(std > 0, std, 1))}
        m = lm.Ridge(alpha=1.0) if t.is_regression else lm.LogisticRegression(C=self.c, max_iter=200)
        m.fit(prep(train.matrix, s), train.target, train.weights)
        return LinearFitted(s, m, t.n_classes, len(train.matrix.columns))
    @classmethod
    def suggest(cls, trial, rows): return cls()
