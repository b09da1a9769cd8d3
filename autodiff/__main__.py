"""``python -m autodiff``: the program."""

import sys

from autodiff.cli.program import main

if __name__ == "__main__":
    sys.exit(main())
