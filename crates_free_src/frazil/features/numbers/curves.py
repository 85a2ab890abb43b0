"""Numbers on a curve that brings long tails in: logarithms and powers."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import polars as pl

from frazil.errors import SettingError
from frazil.extras import load
from frazil.features.contract import Columns, Feature, Kind, LeakClass, Learned, Queries, Scope, Training
from frazil.features.numbers.reading import (
    KINDS,
    check_at_least,
    ends,
    finite,
    is_real,
    kinds,
    known,
    numbers,
    read,
    rounded_near,
    sample,
)
from frazil.features.plain import PlainState, check_known, rounded
from frazil.features.values import finite32

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMS = ("signed", "shifted")
METHODS = ("yeo_johnson", "box_cox")
CURVES = {"log_signed": "log(1 + |x|)", "log_shifted": "log(x + offset)"} | dict.fromkeys(METHODS, "a power of x")
LAMBDA_ROWS = 10_000  # the likelihood of so many rows knows lambda to about 0.01
NEARLY_0 = 1e-8  # an exponent below it is the logarithm, to the digits that float64 has
LEAST_SPREAD = 1e-9  # of the center; a power that leaves less leaves little but what rounding does


@dataclass(frozen=True, slots=True)
class Log:
    """Take logarithms of number columns.

    - "signed": sign(x) * log(1 + |x|), for numbers of both signs;
    - "shifted": log(x + offset); null where x + offset is not above 0.

    Null, NaN and infinities are null.

    Args:
        columns: Names or a selector.
        form: "signed" or "shifted".
        offset: Of "shifted", in the column's unit; where None it is 0 if all training values are above 0, else what
            brings the least of them to 1.

    Raises: SettingError: the form is not known, or the offset is not finite, or given to "signed".

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"price": [0.0, -1.0, None]})
    >>> Recipe(Log("price")).fit(frame).apply(frame).collect()["price|log"].to_list()
    [0.0, -0.6931..., None]
    """

    columns: Columns = field(default_factory=numbers)
    form: str = "signed"
    offset: float | None = None

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        if self.form not in FORMS:
            raise SettingError.among("form", self.form, FORMS)
        if self.offset is not None and (self.form == "signed" or not is_real(self.offset)):
            raise SettingError(f"offset={self.offset!r}; it takes a finite number, and form='shifted'.")

    def learn(self, train: Training) -> Queries:
        """Ask for the ends of each column."""
        return {name: ends(finite(name, train.kind(name))) for name in train.columns(self.columns, KINDS, self)}

    def fitted(self, learned: Learned, train: Training) -> list[Curved]:
        """Choose the offsets."""
        operation = "log" if self.form == "signed" else "log_shifted"
        return [
            Curved(
                source,
                train.named(source, operation),
                str(train.kind(source)),
                f"log_{self.form}",
                self._offset(found["low"]),
            )
            for source, found in learned.items()
        ]

    def _offset(self, low: float | None) -> float:
        if self.form == "signed" or (self.offset is None and (low is None or low > 0)):
            return 0.0
        return float(self.offset if self.offset is not None else 1 - (low or 0))


@dataclass(frozen=True, slots=True)
class Power:
    """Raise number columns to the power that makes them most like a normal distribution.

    With an exponent l that maximises the likelihood, on an even sample of rows:

    - "yeo_johnson": ((1 + x)**l - 1) / l for x >= 0, -((1 - x)**(2 - l) - 1) / (2 - l) below; their limits are
      log(1 + x) at l = 0, -log(1 - x) at l = 2;
    - "box_cox": (x**l - 1) / l for x > 0, log(x) at l = 0; null for x <= 0, in training too.

    Null, NaN and infinities are null. A column of one value keeps l = 1, and so does one whose values the power would
    press together until rounding decides (a deviation below 1e-9 of the mean). Else as scikit-learn's
    `PowerTransformer`, where the sample is the whole.

    Args:
        columns: Names or a selector.
        method: "yeo_johnson" or "box_cox".
        standardize: Whether to bring the result to mean 0 and standard deviation 1.
        most_rows: How many training rows are learned from, spread evenly.

    Raises: SettingError: the method is not known, or most_rows is below 1.
    Source: Yeo, Johnson (2000), Biometrika 87(4), 954-959; Box, Cox (1964), J. R. Stat. Soc. B 26(2), 211-252.

    >>> from frazil.features import Recipe
    >>> frame = pl.LazyFrame({"price": [1.0, 2.0, 4.0, 8.0, 16.0]})  # a logarithm makes steps of it that are equal
    >>> made = Recipe(Power("price", "box_cox")).fit(frame).apply(frame).collect()["price|box_cox"]
    >>> [round(value, 2) + 0.0 for value in made]
    [-1.41, -0.71, 0.0, 0.71, 1.41]
    """

    columns: Columns = field(default_factory=numbers)
    method: str = "yeo_johnson"
    standardize: bool = True
    most_rows: int = LAMBDA_ROWS

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        if self.method not in METHODS:
            raise SettingError.among("method", self.method, METHODS)
        check_at_least(self, 1, "most_rows")

    def learn(self, train: Training) -> Queries:
        """Ask for a sample of rows."""
        return {"sample": sample(read(train, train.columns(self.columns, KINDS, self)), self.most_rows)}

    def fitted(self, learned: Learned, train: Training) -> list[Curved]:
        """Find the exponents."""
        names = train.columns(self.columns, KINDS, self)
        return [
            self._curved(name, train.named(name, self.method), kind, known(learned["sample"], at))
            for at, (name, kind) in enumerate(zip(names, kinds(train, names), strict=True))
        ]

    def _curved(self, source: str, name: str, kind: str, values: NDArray[np.float64]) -> Curved:
        values = values[values > 0] if self.method == "box_cox" else values
        exponent = _exponent(values, self.method)
        if not self.standardize:
            return Curved(source, name, kind, self.method, exponent)
        center, spread = _moments(values, self.method, exponent)
        if spread <= LEAST_SPREAD * abs(center):
            exponent = 1.0
            center, spread = _moments(values, self.method, exponent)
        if not spread > 0:
            return Curved(source, name, kind, self.method, exponent, center)
        return Curved(source, name, kind, self.method, exponent, rounded_near(center, spread), spread)


@dataclass(frozen=True, slots=True)
class Curved(PlainState):
    """A number column on a curve.

    Args:
        source: The column.
        name: The generated one.
        kind: Kind of the column's type.
        curve: "log_signed", "log_shifted", "yeo_johnson" or "box_cox".
        parameter: The offset of "log_shifted", or the exponent of a power.
        center: What is taken off the result.
        spread: What the rest is divided by.
    """

    source: str
    name: str
    kind: str
    curve: str
    parameter: float
    center: float = 0.0
    spread: float = 1.0
    scope: ClassVar[Scope] = Scope.ROW

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        check_known("kind", [self.kind], KINDS)
        check_known("curve", [self.curve], CURVES)

    @property
    def features(self) -> tuple[Feature, ...]:
        """One number."""
        parameters = {"parameter": self.parameter, "center": self.center, "spread": self.spread}
        said = f"{CURVES[self.curve]} of {self.source}, by {self.parameter:g}"
        leak = LeakClass.OWN_ROW if self.curve == "log_signed" else LeakClass.OTHER_ROWS
        return (Feature(self.name, (self.source,), self.curve, parameters, pl.Float32(), said, leak=leak),)

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add it."""
        value = curve(finite(self.source, Kind(self.kind)), self.curve, self.parameter)
        if (self.center, self.spread) != (0.0, 1.0):
            value = (value - self.center) / self.spread
        return frame.with_columns(finite32(value).alias(self.name))


def curve(value: pl.Expr, name: str, parameter: float) -> pl.Expr:
    """Bend a Float64 expression."""
    if name == "log_signed":
        return value.sign() * value.abs().log1p()
    if name == "log_shifted":
        return (value + parameter).log()
    if name == "box_cox":  # at 0 a positive power is a number
        return pl.when(value > 0).then(value - 1 if parameter == 1 else _powered(value.log(), parameter))
    if parameter == 1:  # through the logarithm digits are lost
        return value
    upper, lower = _powered(value.log1p(), parameter), -_powered((-value).log1p(), 2 - parameter)
    return pl.when(value >= 0).then(upper).otherwise(lower)


def _powered(log: pl.Expr, exponent: float) -> pl.Expr:
    """Return (base**exponent - 1) / exponent of a base's logarithm."""
    return log if abs(exponent) < NEARLY_0 else ((log * exponent).exp() - 1) / exponent


def _moments(values: NDArray[np.float64], method: str, exponent: float) -> tuple[float, float]:
    """Return mean and standard deviation of bent values; 0 where they are beyond float64.

    Of float64: powers of values far from 0 are beyond float32, or not told apart by it, before they are centered.
    """
    bent = curve(pl.lit(pl.Series(values)), method, exponent)
    held = pl.select(pl.when(bent.is_finite()).then(bent)).to_series()
    found = (held.mean(), held.std(ddof=0))
    center, spread = (each if isinstance(each, float) and np.isfinite(each) else 0.0 for each in found)
    return center, spread


def _exponent(values: NDArray[np.float64], method: str) -> float:
    """Find the most likely exponent; 1 where values are all equal, or no exponent is found."""
    if values.size < 2 or values.min() == values.max():
        return 1.0
    fit = getattr(load("scipy.stats"), method.replace("_", ""))
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # it tells of overflows on its way
            exponent = float(fit(values)[1])
    except (ValueError, FloatingPointError, OverflowError, ZeroDivisionError, RuntimeError):
        return 1.0
    return float(rounded(np.array(exponent))) if np.isfinite(exponent) else 1.0
