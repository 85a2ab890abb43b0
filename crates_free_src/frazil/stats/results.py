"""How a finding shows itself: a line of figures short enough to read."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, repr=False)
class Result:
    """Name the figures of a finding, floats to four significant digits; the fields themselves hold all digits.

    >>> Significance(1.23456789, 0.217)
    Significance(statistic=1.235, p_value=0.217)
    """

    def __repr__(self) -> str:
        """Show the fields as a call that would make it."""
        figures = ", ".join(f"{field.name}={_shown(getattr(self, field.name))}" for field in fields(self))
        return f"{type(self).__name__}({figures})"


@dataclass(frozen=True, slots=True, repr=False)
class Significance(Result):
    """A statistic and how far out it lies.

    Args:
        statistic: The test's statistic; infinite where the differences are all the same and not 0.
        p_value: Chance of a statistic at least as far out where there is no difference, 0 to 1.
    """

    statistic: float
    p_value: float


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, tuple):
        return f"({', '.join(map(_shown, value))})"
    return repr(value)
