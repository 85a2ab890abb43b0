"""What a run may spend, and what the machine leaves it."""

import numpy as np
import pytest

from frazil import budget
from frazil.budget import Budget, available_bytes, parse_bytes
from frazil.errors import SettingError


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"seconds": "5m"}, "seconds='5m'; it takes a positive number.*budget='5m'"),
        ({"seconds": True}, "seconds=True; it takes a positive number"),
        ({"trials": "10"}, "trials='10'; it takes 1 or more, in whole numbers"),
        ({"trials": 2.5}, r"trials=2\.5; it takes 1 or more, in whole numbers"),
        ({"trials": 1, "cuts": "2"}, "cuts='2'; it takes 1 or more"),
        ({"trials": 1, "beyond": 1e6}, "beyond=1000000.0; it takes 0 or more rows, in whole numbers, or None"),
        ({"trials": 1, "memory": "0.5"}, "memory='0.5' is not an amount"),
    ],
)
def test_an_amount_of_another_kind_is_refused_with_what_is_taken(given, words):
    with pytest.raises(SettingError, match=words):
        Budget(**given)


def test_numbers_of_numpy_are_numbers():
    assert Budget.of(np.int64(90)).seconds == 90.0
    assert Budget(trials=np.int64(3)).trials == 3
    assert parse_bytes(np.int64(1000)) == 1000


@pytest.mark.parametrize(
    ("files", "left"),
    [
        ({"memory.max": "1000", "memory.current": "900"}, 100),
        ({"memory.max": "1000", "memory.current": "900", "memory.stat": "anon 100\ninactive_file 700\n"}, 800),
        ({"memory.max": "1000", "memory.current": "1200"}, 0),
        ({"memory.max": "max", "memory.current": "900"}, 5000),
        (
            {
                "memory/memory.limit_in_bytes": "1000",
                "memory/memory.usage_in_bytes": "900",
                "memory/memory.stat": "inactive_file 1\ntotal_inactive_file 300\n",
            },
            400,
        ),
    ],
)
def test_pages_of_files_that_can_be_dropped_are_left_to_the_run(tmp_path, monkeypatch, files, left):
    (tmp_path / "memory").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(budget, "CGROUP", tmp_path)
    monkeypatch.setattr(budget, "_machine_bytes", lambda: 5000)
    assert available_bytes() == left
