"""The list of bad inputs and faults is whole: each of its 128 numbers stands in the name of a test or of an entry."""

import re
from pathlib import Path

NUMBERS = range(1, 129)


def test_every_number_of_the_list_has_an_entry():
    text = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    there = {int(number) for number in re.findall(r"[Aa](\d{1,3})(?![\da-z])", text)}
    assert sorted(set(NUMBERS) - there) == []
