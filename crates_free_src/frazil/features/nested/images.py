"""What the first bytes of a PNG, JPEG or GIF say: its format, width and height."""

from __future__ import annotations

FORMATS = ("png", "jpeg", "gif")
PNG, JPEG, GIFS = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", (b"GIF87a", b"GIF89a")
# Markers of a JPEG that start a frame, whose head has the sizes; C4, C8 and CC are tables.
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
BARE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length behind them
MOST_MARKERS = 10_000


def image_facts(data: bytes) -> tuple[int | None, int | None, int | None]:
    """Return an image's format, as its place in `FORMATS`, its width and height in pixels; None for what is not said.

    Source: PNG (ISO/IEC 15948, 11.2.2), JPEG (ITU T.81, B.2.2), GIF89a specification, section 18.

    >>> image_facts(b"GIF89a" + bytes([4, 0, 2, 0]))
    (2, 4, 2)
    >>> image_facts(b"text")
    (None, None, None)
    """
    if data.startswith(PNG):
        # The first chunk has to be IHDR.
        sizes = (data[16:20], data[20:24]) if data[12:16] == b"IHDR" else (b"", b"")
        return 0, *_sizes(*sizes, length=4, order="big")
    if data.startswith(JPEG):
        start = _frame(data)
        sizes = (data[start + 3 : start + 5], data[start + 1 : start + 3]) if start else (b"", b"")
        return 1, *_sizes(*sizes, length=2, order="big")
    if data.startswith(GIFS):
        return 2, *_sizes(data[6:8], data[8:10], length=2, order="little")
    return None, None, None


def _sizes(width: bytes, height: bytes, *, length: int, order: str) -> tuple[int | None, int | None]:
    if len(width) != length or len(height) != length:
        return None, None
    big = order == "big"
    read = [int.from_bytes(value, "big" if big else "little") or None for value in (width, height)]
    return read[0], read[1]


def _frame(data: bytes) -> int:
    """Return where the head of a JPEG's frame starts, behind its length; 0 where there is none."""
    at = 2
    for _ in range(MOST_MARKERS):
        if at + 4 > len(data) or data[at] != 0xFF:
            return 0
        marker = data[at + 1]
        if marker in FRAMES:
            return at + 4
        if marker == 0xFF:  # any marker may have such bytes before it
            at += 1
        elif marker in BARE:
            at += 2
        elif marker in (0xD9, 0xDA):  # the end, or the pixels, come before any frame
            return 0
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return 0
