"""What holds for every test: the processes that tests start run this checkout too, and are quiet neighbours."""

import os
from pathlib import Path

import frazil

os.environ["PYTHONPATH"] = str(Path(frazil.__file__).parents[1])
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
