"""Write `docs/features.md`: every builder by its public name, with the sentence that its docstring opens with.

Run it with `python docs/make_features.py`; a test holds the page to what it writes.
"""

import inspect
from pathlib import Path

from frazil.features import rooms

PAGE = Path(__file__).with_name("features.md")
HEAD = """# Features

Every builder, by the name under which `frazil` offers it. `help(fz.lag)` says the rest: the formula, what becomes of
missing values and of levels that training has not seen, the settings, and an example. This page is written by
`docs/make_features.py`.
"""


def page() -> str:
    """Return the page's text."""
    return "\n".join([HEAD, *(section(room) for room in rooms.ROOMS)])


def section(room: object) -> str:
    """Return one room's table."""
    title, _, rest = (inspect.getdoc(room) or "").partition("\n")[0].partition(":")
    lines = [
        f"## {title}",
        "",
        f"{rest.strip()[:1].upper()}{rest.strip()[1:]}",
        "",
        "| builder | settings | what it does |",
        "|---|---|---|",
    ]
    for name, builder in sorted(room.BUILDERS.items()):
        said = " ".join((inspect.getdoc(builder) or "").partition("\n\n")[0].split())
        settings = ", ".join(f"`{each}`" for each in inspect.signature(builder).parameters)
        lines.append(f"| `{name}` | {settings} | {said} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
