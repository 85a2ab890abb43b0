"""The page: headings, words, tables and drawings in one HTML file with no script and nothing to fetch."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1c2430;max-width:64rem;margin:2rem auto;padding:0 1rem;background:#fff}
h1{font-size:1.5rem;margin-bottom:.2rem} h2{font-size:1.1rem;margin:2rem 0 .5rem;border-bottom:1px solid #d8dee8}
p{margin:.3rem 0} .scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}
th,td{padding:.2rem .7rem;text-align:left;border-bottom:1px solid #eceff4;white-space:nowrap;max-width:30rem;
overflow:hidden;text-overflow:ellipsis}
th{color:#5a6778;font-weight:600} td.n,th.n{text-align:right}
svg text{font:12px system-ui,sans-serif;fill:#1c2430} svg .dim{fill:#5a6778}
.error{color:#a11212}.warning{color:#8a5a00}.tip{color:#33608f}
"""
ROW, LABEL, PLOT = 22, 220, 480  # pixels of a drawing: height of a line, width of the names, width of the plot
SHOWN_ROWS = 200


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with lines of words, and below them HTML that this room made."""

    heading: str
    lines: Sequence[str] = ()
    body: str = ""


def page(title: str, sections: Sequence[Section]) -> str:
    """Put sections under a title; every word from outside is escaped."""
    parts = [f"<h1>{_text(title)}</h1>"]
    for section in sections:
        words = "".join(f"<p>{_text(line)}</p>" for line in section.lines)
        parts.append(f"<h2>{_text(section.heading)}</h2>{words}{section.body}")
    head = f'<meta charset="utf-8"><title>{_text(title)}</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def table(df: pl.DataFrame) -> str:
    """Draw a frame as a table, numbers to the right with five significant digits; a long one is cut and says so."""
    shown = df.head(SHOWN_ROWS)
    numeric = [dtype.is_numeric() for dtype in df.dtypes]
    heads = "".join(_cell("th", name, number) for name, number in zip(df.columns, numeric, strict=True))
    rows = [
        "".join(_cell("td", _shown(value), n) for value, n in zip(row, numeric, strict=True)) for row in shown.rows()
    ]
    more = f"<p>… and {df.height - shown.height:,} more rows</p>" if df.height > shown.height else ""
    return (
        f'<div class="scroll"><table><tr>{heads}</tr>{"".join(f"<tr>{row}</tr>" for row in rows)}</table></div>{more}'
    )


def interval_chart(
    names: Sequence[str], scores: Sequence[float], lows: Sequence[float | None], highs: Sequence[float | None]
) -> str:
    """Draw each score as a dot on its interval, one line a name, on one axis."""
    known = [value for value in (*scores, *lows, *highs) if value is not None and math.isfinite(value)]
    if not known:
        return ""
    least, most = min(known), max(known)
    span = (most - least) or 1.0

    def place(value: float) -> float:
        return LABEL + (value - least) / span * PLOT

    drawn = []
    for number, (name, score, low, high) in enumerate(zip(names, scores, lows, highs, strict=True)):
        y = number * ROW + ROW / 2
        drawn.append(_label(name, y))
        if low is not None and high is not None:
            drawn.append(_line(place(low), place(high), y))
        if math.isfinite(score):
            drawn.append(f'<circle cx="{place(score):.1f}" cy="{y}" r="4" fill="#2f6fb0"/>')
            drawn.append(_value(f"{score:.5g}", LABEL + PLOT + 12, y))
    return _svg(drawn, len(names))


def bar_chart(names: Sequence[str], values: Sequence[float]) -> str:
    """Draw each value, 0 or more, as a bar, one line a name."""
    most = max(values, default=0.0) or 1.0
    drawn = []
    for number, (name, value) in enumerate(zip(names, values, strict=True)):
        y = number * ROW + ROW / 2
        width = value / most * PLOT
        drawn.append(_label(name, y))
        drawn.append(f'<rect x="{LABEL}" y="{y - 6}" width="{width:.1f}" height="12" fill="#2f6fb0"/>')
        drawn.append(_value(f"{value:.3g}", LABEL + width + 8, y))
    return _svg(drawn, len(names))


def _text(value: str) -> str:
    """Escape for HTML and show control characters, which could hide or reorder words, as their code."""
    visible = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in value)
    return html.escape(visible)


def _shown(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.5g}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _cell(tag: str, text: str, is_number: bool) -> str:
    return f"<{tag}{' class=n' if is_number else ''}>{_text(text)}</{tag}>"


def _label(name: str, y: float) -> str:
    short = name if len(name) <= 32 else name[:31] + "…"
    return f'<text x="{LABEL - 10}" y="{y + 4}" text-anchor="end">{_text(short)}</text>'


def _value(text: str, x: float, y: float) -> str:
    return f'<text class="dim" x="{x:.1f}" y="{y + 4}">{_text(text)}</text>'


def _line(start: float, end: float, y: float) -> str:
    return f'<line x1="{start:.1f}" x2="{end:.1f}" y1="{y}" y2="{y}" stroke="#9db7d3" stroke-width="3"/>'


def _svg(drawn: Sequence[str], rows: int) -> str:
    width, height = LABEL + PLOT + 90, rows * ROW
    return f'<div class="scroll"><svg width="{width}" height="{height}" role="img">{"".join(drawn)}</svg></div>'
