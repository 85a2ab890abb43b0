"""Levels of a category that are spellings of one: the same but for case and blanks, or one letter away."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING

from frazil.checks.codes import found
from frazil.types import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from frazil.checks.findings import Finding
    from frazil.checks.look import Look

MOST_LEVELS = 5_000  # the most frequent
MOST_COMPARED = 500  # of a category with more levels, one letter apart is no slip of the pen
LEAST_LETTERS = 7
LEAST_ROWS = 5  # and SHARE of all, for spellings to be told of
SHARE = 0.0005
RARER = 20  # times, than the level that it is close to
SHOWN = 3


def check_spellings(look: Look) -> Iterator[Finding]:
    """Look at the levels of every category, the target's classes among them, on the sample."""
    for name in look.strings():
        if look.schema[name].role in (Role.CATEGORY, Role.TARGET, Role.GROUP):
            counts = dict(look.levels(name).head(MOST_LEVELS).iter_rows())
            yield from _same(name, counts, look)
            yield from _similar(name, counts, look)


def spellings(counts: Mapping[str, int]) -> dict[str, str]:
    """Return the levels that are a spelling of a more frequent one, with that one.

    >>> spellings({"Oslo": 9, "oslo ": 1, "Rome": 5})
    {'oslo ': 'Oslo'}
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for level in sorted(counts, key=lambda level: (-counts[level], level)):
        groups[normal(level)].append(level)
    return {other: group[0] for group in groups.values() for other in group[1:]}


def normal(level: str) -> str:
    """Return a level without case, with one blank for blanks and underscores, and accents in one coding."""
    return " ".join(unicodedata.normalize("NFKC", level).casefold().replace("_", " ").split())


def _same(name: str, counts: dict[str, int], look: Look) -> Iterator[Finding]:
    merged = spellings(counts)
    rows = sum(counts[level] for level in merged)
    if rows >= max(LEAST_ROWS, SHARE * look.sample.height):
        evidence = (
            f"has {len(merged)} of {len(counts):,} levels that are spellings of others, in {rows:,} {look.of_rows}"
        )
        shown = ", ".join(f"{other!r} of {level!r}" for other, level in list(merged.items())[:SHOWN])
        yield found("column_spellings", name, evidence, shown)


def _similar(name: str, counts: dict[str, int], look: Look) -> Iterator[Finding]:
    if len(counts) > MOST_COMPARED:
        return
    pairs = [
        (rare, frequent)
        for rare, frequent in _one_letter_apart([level for level in counts if _is_word(level)])
        if counts[rare] * RARER <= counts[frequent]
    ]
    if pairs:
        rows = sum(counts[rare] for rare in dict.fromkeys(rare for rare, _ in pairs))
        evidence = f"has {len(pairs)} rare levels one letter away from a frequent one, in {rows:,} {look.of_rows}"
        yield found("column_similar_levels", name, evidence, ", ".join(f"{a!r} and {b!r}" for a, b in pairs[:SHOWN]))


def _is_word(level: str) -> bool:
    return len(level) >= LEAST_LETTERS and not any(char.isdigit() for char in level)


def _one_letter_apart(levels: list[str]) -> Iterator[tuple[str, str]]:
    """Return ordered pairs of levels where one letter, not the last, is changed, left out or swapped with the next.

    The last letter is an ending or the number of a series (type a, type b). Source of the hashing by deletions:
    Garbe (2012), symmetric delete spelling correction.
    """
    by_shorter: dict[str, set[str]] = defaultdict(set)
    for level in levels:
        low = level.lower()
        for shorter in {low, *(low[:at] + low[at + 1 :] for at in range(len(low)))}:
            by_shorter[shorter].add(level)
    met = {(one, other) for near in by_shorter.values() for one in near for other in near if one != other}
    for one, other in sorted(met):
        if (
            one[:-1].lower() != other[:-1].lower()
            and one[:-1].lower() != other.lower()
            and one.lower() != other[:-1].lower()
        ):
            yield one, other
