"""What holds for every test: the processes that tests start run this checkout too, and are quiet neighbours."""

import os
from pathlib import Path

from hypothesis import settings

import frazil

os.environ["PYTHONPATH"] = str(Path(frazil.__file__).parents[1])
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

# A build fails for a change, not for the luck of a draw; runs by hand go on looking for new examples.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
