"""What the checks found: each with a severity, the figures behind it, and what to do."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import polars as pl

from frazil.errors import ArtifactError, listed
from frazil.types import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

COLUMNS = ("severity", "code", "column", "evidence", "advice", "anchor")
PAGE = "docs/checks.md"
MOST_TOLD = 5  # findings of one code, in the text; the frame has all
ORDER = (Severity.ERROR, Severity.WARNING, Severity.TIP)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Args:
        code: Its name in `frazil.checks.codes`.
        severity: How bad it is.
        column: Which column it is about; None where it is about the table.
        evidence: The figures, as the rest of a sentence that the column's name begins.
        advice: What to do about it.
        examples: Values of the column, where they were asked for; else empty, so that nothing of them gets into logs.
        marks: What stands for missing in it: numbers, words, or dates as ISO text. They are customary ones, and none
            that say anything of the rows.
    """

    code: str
    severity: Severity
    column: str | None
    evidence: str
    advice: str
    examples: str = ""
    marks: tuple[Any, ...] = ()

    @property
    def anchor(self) -> str:
        """Where the documentation speaks of it."""
        return f"{PAGE}#{self.code}"

    def text(self) -> str:
        """Say it in one line.

        >>> print(Finding("column_constant", Severity.TIP, "country", "is 'NZ' in every row", "It is left out.").text())
        tip: column 'country' is 'NZ' in every row. It is left out. (column_constant)
        """
        subject = "" if self.column is None else f"column {self.column!r} "
        shown = f": {self.examples}" if self.examples else ""
        return f"{self.severity.value}: {subject}{self.evidence}{shown}. {self.advice} ({self.code})"


class Findings(tuple[Finding, ...]):
    """Findings as a tuple, the worst first."""

    __slots__ = ()

    def __new__(cls, found: Iterable[Finding] = ()) -> Self:
        """Put errors before warnings before tips, and keep the order within each."""
        return super().__new__(cls, sorted(found, key=lambda finding: ORDER.index(finding.severity)))

    @property
    def has_errors(self) -> bool:
        """Whether one of them is an error."""
        return any(finding.severity is Severity.ERROR for finding in self)

    def of(self, *codes: str) -> Findings:
        """Return those with one of these codes."""
        return Findings(finding for finding in self if finding.code in codes)

    def without(self, *codes: str) -> Findings:
        """Return those with none of these codes."""
        return Findings(finding for finding in self if finding.code not in codes)

    def without_examples(self) -> Findings:
        """Return them with nothing in them of what the columns hold."""
        return Findings(replace(finding, examples="") for finding in self)

    def text(self) -> str:
        """Say them, one a line; of a code that many columns have, the first few and the names of the others."""
        lines: dict[tuple[Severity, str], list[Finding]] = {}
        for finding in self:
            lines.setdefault((finding.severity, finding.code), []).append(finding)
        told = [line for alike in lines.values() for line in _told(alike)]
        return "\n".join(told) or "Nothing was found."

    def to_frame(self) -> pl.DataFrame:
        """Return one row a finding: severity, code, column (null for the table), evidence, advice, anchor; all strings.

        Examples, where there are any, stand behind the evidence.
        """
        rows = [[getattr(finding, name) for name in COLUMNS] for finding in self]
        for row, finding in zip(rows, self, strict=True):
            row[COLUMNS.index("evidence")] += f": {finding.examples}" if finding.examples else ""
        return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")

    def to_json(self) -> str:
        """Write them as a JSON list of objects."""
        return json.dumps([asdict(finding) for finding in self])

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote.

        Raises: ArtifactError: it is not a list of findings.
        """
        try:
            return cls(_read(**one) for one in json.loads(text))
        except (ValueError, TypeError, RecursionError) as error:
            raise ArtifactError(f"these are no findings: {error}") from error

    def __repr__(self) -> str:
        """Count them by severity."""
        counts = [(sum(finding.severity is kind for finding in self), kind.value) for kind in ORDER]
        told = ", ".join(f"{count} {kind}{'s' * (count > 1)}" for count, kind in counts if count)
        return f"<Findings: {told or 'none'}>"


def _told(alike: list[Finding]) -> list[str]:
    """Say findings of one code."""
    first, rest = (alike, []) if len(alike) <= MOST_TOLD + 1 else (alike[:MOST_TOLD], alike[MOST_TOLD:])
    told = [finding.text() for finding in first]
    if rest:
        names = listed([finding.column or "the table" for finding in rest], "and")
        told.append(f"{rest[0].severity.value}: likewise {len(rest)} more: {names}. ({rest[0].code})")
    return told


def _read(*, severity: str, column: str | None, marks: Iterable[Any] = (), **texts: str) -> Finding:
    name = None if column is None else str(column)
    told = {field: str(text) for field, text in texts.items()}
    if not all(isinstance(mark, (int, float, str)) for mark in marks):
        raise TypeError(f"marks of {name!r} are numbers and strings")
    return Finding(severity=Severity(severity), column=name, marks=tuple(marks), **told)
