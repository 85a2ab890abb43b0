"""Every finding that the checks can make: its code, how bad it is, what it means and what to do.

| code | severity | means |
|---|---|---|
| target_missing | warning | rows have no target and are left out |
| target_one_class | error | all rows are of one class; there is nothing to tell apart |
| target_constant | warning | the number to predict is the same in every row |
| target_rare_class | warning | a class has too few rows to be learned and judged |
| target_imbalanced | tip | one class is much rarer than the other |
| target_outliers | tip | some targets lie very far from the others |
| target_copy | error | a column says the same as the target |
| target_leak | warning | a column alone nearly decides the target |
| column_empty | warning | a column has no values |
| column_constant | tip | a column has the same value in every row |
| column_mostly_missing | tip | a column has values in few rows |
| column_duplicate | warning | two columns hold the same values |
| column_id_like | warning | a column has another value in every row |
| column_row_number | warning | a column counts the rows |
| column_numbers_as_text | warning | a column of strings holds numbers or dates |
| column_infinite | warning | a column holds infinities |
| column_sentinel | warning | a column seems to write missing values as a number |
| column_imprecise | tip | whole numbers are too large to be told apart as float64 |
| column_unsupported | tip | no feature is made of a column's type |
| rows_duplicate | warning | rows are the same in every column |
| sampled | warning | the table is too large for the memory allowed, and some of its rows are used |
"""

from __future__ import annotations

from dataclasses import dataclass

from frazil.checks.findings import Finding
from frazil.types import Severity

ERROR, WARNING, TIP = Severity.ERROR, Severity.WARNING, Severity.TIP


@dataclass(frozen=True, slots=True)
class Code:
    """What stands behind a code: how bad it is, and what the user can do."""

    name: str
    severity: Severity
    advice: str


ALL = (
    Code("target_missing", WARNING, "Look at why: if it is not by chance, the model learns from a biased part."),
    Code("target_one_class", ERROR, "Take rows of at least two classes."),
    Code("target_constant", WARNING, "Check that this is the column you mean; every model will predict this value."),
    Code("target_rare_class", WARNING, "Merge rare classes, or collect more rows of them; their scores mean little."),
    Code("target_imbalanced", TIP, "Do not judge by accuracy; 'average_precision' and 'mcc' see the rare class."),
    Code("target_outliers", TIP, "If they are mistakes, leave them out; if not, 'mae' or a logarithm tames them."),
    Code("target_copy", ERROR, "Drop the column: it will not be known when a prediction is needed."),
    Code("target_leak", WARNING, "Check that it is known before the target is; if it is not, drop it."),
    Code("column_empty", WARNING, "It is left out; check where its values were lost."),
    Code("column_constant", TIP, "It is left out: nothing can be learned from it."),
    Code("column_mostly_missing", TIP, "Check where its values were lost; what is left may still help."),
    Code("column_duplicate", WARNING, "Keep one of them: they share their importance and say nothing more."),
    Code("column_id_like", WARNING, "If it names a row, drop it; if it says whose row it is, give it as entity."),
    Code("column_row_number", WARNING, "Drop it, or name it as time: the order of rows hardly holds for new ones."),
    Code("column_numbers_as_text", WARNING, "Cast it to a number or a date before, so that its order can be learned."),
    Code("column_infinite", WARNING, "They are taken for missing; check the division or logarithm that made them."),
    Code("column_sentinel", WARNING, "If it stands for missing, make it null before: means and lags read it as is."),
    Code("column_imprecise", TIP, "If it is a key, cast it to a string; as a number its last digits are lost."),
    Code("column_unsupported", TIP, "It is left out; take what matters of it into plain columns."),
    Code("rows_duplicate", WARNING, "If they are copies, drop them: a copy on the other side of a split is a leak."),
    Code("sampled", WARNING, "Give a larger budget with fz.Budget(memory=...), or fewer columns."),
)  # fmt: skip
CODES = {code.name: code for code in ALL}


def found(code: str, column: str | None, evidence: str) -> Finding:
    """Make a finding of a known code.

    >>> found("column_constant", "country", "is 'NZ' in every row").severity.value
    'tip'
    """
    known = CODES[code]
    return Finding(code, known.severity, column, evidence, known.advice)
