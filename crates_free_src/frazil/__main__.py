"""`python -m frazil` is the command `frazil`."""

from frazil.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
