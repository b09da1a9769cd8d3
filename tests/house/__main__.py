"""``python -m tests.house``: the rooms from the top down, how many files each has, and what belongs there.

``python -m tests.house api`` prints the public names with their signatures.
"""

from __future__ import annotations

import sys
from collections import Counter

from tests.house.public_api import public_api
from tests.house.rooms import FILES, LAYERS, purpose, room


def rooms() -> str:
    """A line for every room: its layer, its name, its files without the ``__init__.py``, its purpose."""
    count = Counter(room(module) for module in FILES if room(module) != module)
    lines = [(height, name) for height, names in enumerate(LAYERS) for name in names]
    return "".join(f"{height:2}  {name:34} {count[name]:2}  {purpose(name)}\n" for height, name in reversed(lines))


if __name__ == "__main__":
    print(public_api() if sys.argv[1:] == ["api"] else rooms(), end="")
