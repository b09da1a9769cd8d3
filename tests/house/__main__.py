"""``python -m tests.house``: the rooms from the top down, with their numbers of files and their purposes.

``python -m tests.house api`` prints the public names with their signatures. ``check`` reports in a second what is in
the wrong place, with exit status 1 if anything is; `.ci/pre-commit` runs it before each commit.
"""

from __future__ import annotations

import sys
from collections import Counter
from importlib import import_module

from tests.house.rooms import FILES, LAYERS, breaches, purpose, room


def rooms() -> str:
    """A line for every room: its layer, its name, its files without the ``__init__.py``, its purpose."""
    count = Counter(room(module) for module in FILES if room(module) != module)
    lines = [(height, name) for height, names in enumerate(LAYERS) for name in names]
    return "".join(f"{height:2}  {name:34} {count[name]:2}  {purpose(name)}\n" for height, name in reversed(lines))


def check() -> int:
    """Print a line for each file in no room and each import that does not point down; 1 if there are any, else 0."""
    found = [line for module in FILES for line in breaches(module)]
    print("".join(f"{line}\n" for line in found), end="")
    return int(bool(found))


def main(arguments: list[str]) -> int:
    """Run one of the three commands."""
    if arguments == ["check"]:
        return check()
    # the public names need the whole package, the rooms only its text
    print(import_module("tests.house.public_api").public_api() if arguments == ["api"] else rooms(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
