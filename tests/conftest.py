"""What holds for every test: the processes that tests start run this checkout too, and are quiet neighbours."""

import os
import random
from pathlib import Path

import pytest
from hypothesis import settings

import frazil
from frazil.errors import ArtifactError

os.environ["PYTHONPATH"] = str(Path(frazil.__file__).parents[1])
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

collect_ignore = ["data"]  # files, and scripts that made them with packages of their own

# A build fails for a change, not for the luck of a draw; runs by hand go on looking for new examples.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(scope="session")
def flips():
    """Give the bytes once for each position, with one bit there flipped."""

    def flipped(whole, seed):
        rng = random.Random(seed)
        for position, byte in enumerate(whole):
            yield whole[:position] + bytes([byte ^ (1 << rng.randrange(8))]) + whole[position + 1 :]

    return flipped


@pytest.fixture(scope="session")
def outcome():
    """Return what a reader makes of damaged bytes, or the words of its refusal; other errors pass."""

    def read_or_refused(read, *args):
        try:
            return read(*args)
        except ArtifactError as error:
            return str(error)

    return read_or_refused
