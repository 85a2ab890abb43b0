"""The baseline: class shares, or the mean."""
from __future__ import annotations
import json
from dataclasses import dataclass
from typing import Any, ClassVar
import numpy as np

@dataclass(frozen=True, slots=True)
class ConstantFitted:
    values: tuple[float, ...]; columns: int; regression: bool
    rounds: ClassVar[int] = 0
    def predict(self, matrix, threads=1):
        if self.regression: return np.full(matrix.rows, self.values[0])
        return np.tile(np.array(self.values), (matrix.rows, 1))
    def importance(self): return np.zeros(self.columns)
    def members(self): return {"constant.json": json.dumps({"values": self.values, "columns": self.columns, "regression": self.regression}).encode()}
    @classmethod
    def read(cls, members):
        d = json.loads(members["constant.json"]); return cls(tuple(d["values"]), d["columns"], d["regression"])

@dataclass(frozen=True, slots=True)
class Constant:
    name: ClassVar[str] = "constant"
    fitted_type: ClassVar[Any] = ConstantFitted
    def fit(self, train, valid, conditions):
        w = train.weights; t = train.target
        if conditions.task.is_regression: return ConstantFitted((float(np.average(t, weights=w)),), len(train.matrix.columns), True)
        c = np.bincount(t, weights=w, minlength=conditions.task.n_classes).astype(float)
        return ConstantFitted(tuple((c / c.sum()).tolist()), len(train.matrix.columns), False)
    @classmethod
    def suggest(cls, trial, rows): return cls()
