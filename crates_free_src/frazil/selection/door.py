"""One call from a table to the columns that earn their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from frazil.errors import panics_told
from frazil.selection.contract import Selection, Selector, problem_of
from frazil.selection.screen import Screen
from frazil.selection.turns import InTurn
from frazil.selection.univariate import Univariate

if TYPE_CHECKING:
    from collections.abc import Sequence

USUAL = InTurn((Screen(), Univariate()))


@panics_told("select")
def select(
    data: Any,  # noqa: ANN401 -- any source that open_source takes
    target: str,
    selector: Selector = USUAL,
    *,
    task: str = "auto",
    columns: Sequence[str] | None = None,
    groups: str | None = None,
    seed: int = 0,
) -> Selection:
    """Judge the columns of a table by what they tell of its target.

    Give it the rows to learn from alone: a selection that has seen the test rows makes every score on them too good.

    Args:
        data: As `fz.fit_auto` takes it.
        target: The column to predict.
        selector: How; without one, columns that are constant or doubled go first, then those that no univariate test
            finds at a false discovery rate of 5 %.
        task: "auto", "binary", "multiclass" or "regression".
        columns: To choose from; all but the target and the groups where None.
        groups: Rows that share its value are not independent.
        seed: Of whatever the selector draws.

    Returns: A verdict on every column; `selection.kept` names those that stay.

    Raises: as `problem_of`; as the selector does.

    >>> import polars as pl
    >>> rows = range(60)
    >>> df = pl.DataFrame({"size": rows, "shade": [7 * row % 11 for row in rows], "price": [3 * row for row in rows]})
    >>> select(df, "price").kept
    ['size']
    """
    return selector.select(problem_of(data, target, task=task, columns=columns, groups=groups, seed=seed))
