"""``python -m tests.house``: the rooms from the top down, how many files each has, and what belongs there."""

from __future__ import annotations

from collections import Counter

from tests.house.rooms import FILES, LAYERS, purpose, room

if __name__ == "__main__":
    count = Counter(map(room, FILES))
    for height, names in reversed([*enumerate(LAYERS)]):
        for name in names:
            print(f"{height:2}  {name:34} {count[name]:2}  {purpose(name)}")
