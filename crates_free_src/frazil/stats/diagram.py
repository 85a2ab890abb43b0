"""Draw many models' average ranks, with a bar over those that can't be told apart."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal

import numpy as np

from frazil.errors import InputError
from frazil.stats.arguments import check_known
from frazil.stats.posthoc import bonferroni_dunn_distance, nemenyi_distance
from frazil.stats.ranks import checked_ranks
from frazil.stats.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

WIDTH, MARGIN, LABELS, LINE = 720, 30, 190, 20  # of the drawing, in pixels


@dataclass(frozen=True, slots=True, repr=False)
class CriticalDifference(Result):
    """What a critical-difference diagram shows.

    Args:
        names: Of the models, the best first.
        average_ranks: Theirs, in the same order.
        distance: How far apart two ranks have to lie to be told apart.
        groups: First and last place of each longest run of models that can't be told apart; for a control, of those
            that can't be told apart from it.
    """

    names: tuple[str, ...]
    average_ranks: tuple[float, ...]
    distance: float
    groups: tuple[tuple[int, int], ...]

    def svg(self) -> str:
        """Draw the diagram as the text of an SVG element; names are escaped."""
        return _drawn(self)


def critical_difference(
    names: Sequence[str],
    average_ranks: NDArray[np.float64],
    sets: int,
    *,
    test: Literal["nemenyi", "bonferroni-dunn"] = "nemenyi",
    control: str | None = None,
    alpha: float = 0.05,
) -> CriticalDifference:
    """Return which models' average ranks can't be told apart.

    A pair can't where |R_i - R_j| <= CD, by Nemenyi over all pairs or by Bonferroni and Dunn against a control.

    Args:
        names: (models,) no two the same.
        average_ranks: (models,) as `average_ranks` gives them; 1 is best.
        sets: How many data sets they are averages over.
        test: Whether all pairs are compared, or each model with the control.
        control: Name of the control; for "bonferroni-dunn" only.
        alpha: Chance of any false finding, in (0, 1).

    Raises:
        InputError: names and ranks don't match, or these are no average ranks.
        SettingError: a setting has no meaning.

    Source: Demšar (2006), Journal of Machine Learning Research 7, 15-16.

    >>> found = critical_difference(["C4.5", "+m", "+cf", "+m+cf"], np.array([3.143, 2.000, 2.893, 1.964]), 14)
    >>> found
    CriticalDifference(names=('+m+cf', '+m', '+cf', 'C4.5'), average_ranks=(1.964, 2, 2.893, 3.143), distance=1.254,
        groups=((0, 3)))
    >>> found.svg()[:4]
    '<svg'
    """
    check_known("test", test, ("nemenyi", "bonferroni-dunn"))
    ranks = checked_ranks(average_ranks)
    if len(set(names)) != len(ranks) or len(names) != len(ranks):
        raise InputError(f"{len(names)} names, {len(set(names))} of them distinct, for {len(ranks)} average ranks.")
    order = np.argsort(ranks, kind="stable")
    ordered = tuple(names[place] for place in order)
    if test == "nemenyi":
        distance = nemenyi_distance(len(ranks), sets, alpha=alpha)
        groups = _runs(ranks[order], distance)
    else:
        check_known("control", control, ordered)
        distance = bonferroni_dunn_distance(len(ranks), sets, alpha=alpha)
        near = np.flatnonzero(np.abs(ranks[order] - ranks[order][ordered.index(str(control))]) <= distance)
        groups = ((int(near[0]), int(near[-1])),) if len(near) > 1 else ()
    return CriticalDifference(ordered, tuple(ranks[order].tolist()), distance, groups)


def _runs(ranks: NDArray[np.float64], distance: float) -> tuple[tuple[int, int], ...]:
    """Return first and last place of each run of ascending ranks within the distance that no other run holds."""
    lasts = np.searchsorted(ranks, ranks + distance, side="right") - 1
    return tuple(
        (first, int(last))
        for first, last in enumerate(lasts)
        if last > first and (first == 0 or last > lasts[first - 1])
    )


def _drawn(found: CriticalDifference) -> str:
    """Put the axis on top, bars below it, and the better half of the names on the left."""
    k = len(found.names)
    half = (k + 1) // 2
    first_line = 70 + 12 * len(found.groups)
    parts = [*_axis(k), *_ruler(k, found.distance)]
    for row, (first, last) in enumerate(found.groups):
        ends = _x(found.average_ranks[first], k) - 4, _x(found.average_ranks[last], k) + 4
        parts.append(_line(ends[0], 64 + 12 * row, ends[1], 64 + 12 * row, 4))
    for place, (name, rank) in enumerate(zip(found.names, found.average_ranks, strict=True)):
        left = place < half
        y = first_line + LINE * (place if left else k - 1 - place) + 10
        end = LABELS if left else WIDTH - LABELS
        x = _x(rank, k)
        parts += [_line(x, 50, x, y, 1), _line(x, y, end, y, 1)]
        label = f"{escape(name)} ({rank:.2f})"
        parts.append(_text(end + (-6 if left else 6), y + 4, label, "end" if left else "start"))
    height = first_line + LINE * half + 20
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="Average ranks; best on the left" stroke="currentColor" fill="currentColor" '
        f'font-family="sans-serif" font-size="12">{"".join(parts)}</svg>'
    )


def _axis(k: int) -> list[str]:
    ticks = [
        part
        for rank in range(1, k + 1)
        for part in (_line(_x(rank, k), 44, _x(rank, k), 50, 1), _text(_x(rank, k), 40, str(rank), "middle"))
    ]
    return [_line(_x(1, k), 50, _x(k, k), 50, 1), *ticks]


def _ruler(k: int, distance: float) -> list[str]:
    start, end = _x(1, k), min(_x(1 + distance, k), WIDTH - MARGIN)
    return [_line(start, 20, end, 20, 2), _text(start, 14, f"CD = {distance:.3g}", "start")]


def _x(rank: float, k: int) -> float:
    """Return where a rank lies; 1 is at the left."""
    return LABELS + MARGIN + (WIDTH - 2 * (LABELS + MARGIN)) * (rank - 1) / (k - 1)


def _line(x1: float, y1: float, x2: float, y2: float, width: int) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke-width="{width}"/>'


def _text(x: float, y: float, escaped: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" stroke="none">{escaped}</text>'
