"""Features as Polars expressions: `pl.col("sales").fz.lag(7, by="store", time="day")`.

What a recipe says of ties, missing times, out-of-fold values and files holds for recipes only: an expression follows
the order of rows that it is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import polars as pl

from frazil.errors import SettingError
from frazil.schema import column
from frazil.types import whole

if TYPE_CHECKING:
    from collections.abc import Sequence

STATISTICS = ("mean", "std", "var", "min", "max", "sum", "median")
By: TypeAlias = "str | Sequence[str] | None"


@pl.api.register_expr_namespace("fz")
class Expressions:
    """Methods of an expression under `.fz`.

    `by` names the columns whose rows belong together, `time` the one that orders them; without `time` the order of the
    table counts. Rows of one time follow each other as they stand, and see each other: a recipe leaves them out.
    """

    def __init__(self, expr: pl.Expr) -> None:
        """Hold the expression."""
        self._expr = expr

    def lag(self, rows: int = 1, *, by: By = None, time: str | None = None) -> pl.Expr:
        """Take the value so many rows ago.

        Raises: SettingError: rows is below 1, which would look ahead.

        >>> import frazil
        >>> frame = pl.LazyFrame({"store": [1, 2, 1], "day": [2, 1, 1], "sold": [20, 5, 10]})
        >>> frame.select(pl.col("sold").fz.lag(1, by="store", time="day")).collect()["sold"].to_list()
        [10, None, None]
        """
        _check_rows("rows", rows)
        return _over(self._expr.shift(rows), by, time)

    def diff(self, rows: int = 1, *, by: By = None, time: str | None = None) -> pl.Expr:
        """Take the change since so many rows ago.

        Raises: SettingError: rows is below 1.

        >>> import frazil
        >>> pl.select(pl.lit(pl.Series([1, 4, 9])).fz.diff()).to_series().to_list()
        [None, 3, 5]
        """
        _check_rows("rows", rows)
        return _over(self._expr - self._expr.shift(rows), by, time)

    def pct_change(self, rows: int = 1, *, by: By = None, time: str | None = None) -> pl.Expr:
        """Take the relative change since so many rows ago; null where that was 0.

        Raises: SettingError: rows is below 1.

        >>> import frazil
        >>> pl.select(pl.lit(pl.Series([2.0, 3.0, 0.0, 1.0])).fz.pct_change()).to_series().to_list()
        [None, 0.5, -1.0, None]
        """
        _check_rows("rows", rows)
        before = self._expr.shift(rows)
        return _over(pl.when(before != 0).then(self._expr / before - 1), by, time)

    def rolling(
        self, window: int | str, statistic: str = "mean", *, by: By = None, time: str | None = None, min_rows: int = 1
    ) -> pl.Expr:
        """Summarise the rows before each: the last so many, or those of a length of time.

        The row itself is left out, and so are rows of its own time where the window is a length of time.

        Args:
            window: Rows, or a length of time as "7d", which needs `time`.
            statistic: One of `STATISTICS`.
            by: The columns whose rows belong together.
            time: The column that orders rows.
            min_rows: Values that a window needs.

        Raises: SettingError: the statistic is not known, the window below 1 row, or a length without a time.

        >>> import frazil
        >>> frame = pl.LazyFrame({"day": [1, 2, 3], "sold": [10.0, 20.0, 30.0]})
        >>> frame.select(pl.col("sold").fz.rolling("2i", time="day")).collect()["sold"].to_list()
        [None, 10.0, 15.0]
        """
        if statistic not in STATISTICS:
            raise SettingError.among("statistic", statistic, STATISTICS)
        if not isinstance(window, str):
            _check_rows("window", window)
            rolled = getattr(self._expr.shift(1), f"rolling_{statistic}")(window, min_samples=min_rows)
        elif time is None:
            raise SettingError(f"window={window!r} is a length of time; name the column that it is of: time='day'.")
        else:
            by_time = getattr(self._expr, f"rolling_{statistic}_by")
            rolled = by_time(column(time), window, min_samples=min_rows, closed="left")
        return _over(rolled, by, time)

    def difference_in(self, by: By) -> pl.Expr:
        """Take the value less the mean of its group.

        >>> import frazil
        >>> frame = pl.LazyFrame({"city": ["a", "a", "b"], "price": [1.0, 3.0, 5.0]})
        >>> frame.select(pl.col("price").fz.difference_in("city")).collect()["price"].to_list()
        [-1.0, 1.0, 0.0]
        """
        return self._expr - _over(self._expr.mean(), by, None)

    def ratio_in(self, by: By) -> pl.Expr:
        """Take the value divided by the mean of its group; null where that is 0.

        >>> import frazil
        >>> frame = pl.LazyFrame({"city": ["a", "a", "b"], "price": [1.0, 3.0, 5.0]})
        >>> frame.select(pl.col("price").fz.ratio_in("city")).collect()["price"].to_list()
        [0.5, 1.5, 1.0]
        """
        mean = _over(self._expr.mean(), by, None)
        return pl.when(mean != 0).then(self._expr / mean)

    def signed_log(self) -> pl.Expr:
        """Take sign(value) * log(1 + |value|), which is 0 at 0 and grows slowly to both sides.

        >>> import frazil
        >>> pl.select(pl.lit(pl.Series([0.0, -1.0])).fz.signed_log().round(3)).to_series().to_list()
        [0.0, -0.693]
        """
        return self._expr.sign() * self._expr.abs().log1p()


def _check_rows(setting: str, rows: int) -> None:
    if whole(rows) is None:
        raise SettingError(f"{setting}={rows!r}; it takes a whole number of rows.")
    if rows < 1:
        raise SettingError(f"{setting}={rows!r}; it takes 1 or more, less would look ahead.")


def _over(expr: pl.Expr, by: By, time: str | None) -> pl.Expr:
    if by is None:
        return expr if time is None else expr.over(pl.lit(1), order_by=column(time))
    keys = [by] if isinstance(by, str) else by
    return expr.over([column(name) for name in keys], order_by=None if time is None else column(time))
