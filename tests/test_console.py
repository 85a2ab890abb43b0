"""What a command knows of its process."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from frazil.console import plain

HOLDS = "held = b'x' * 400_000_000; print(flush=True); input()"
MEASURES = f"""
import subprocess, sys
from frazil.console import peak_memory_bytes
child = subprocess.Popen([sys.executable, "-c", {HOLDS!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
print(peak_memory_bytes())
child.communicate()
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells of children that live")
def test_the_peak_counts_a_child_that_has_not_ended():
    done = subprocess.run([sys.executable, "-c", MEASURES], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 400_000_000


def test_numbers_of_numpy_are_plain_numbers():
    given = {"threads": np.int64(2), "rope": np.float32(0.5), "sure": np.bool_(True), "grid": [np.array([15, 31])]}
    found = plain({**given, "none": np.float64("nan")})
    assert found == {"threads": 2, "rope": 0.5, "sure": True, "grid": [[15, 31]], "none": None}
    assert [type(each) for each in found.values()] == [int, float, bool, list, type(None)]
