"""``python -m tests.nn.saving.killing FOLDER KILLS named|nameless``: kill a process that saves, again and again.

After each kill the file must be whole, and hold the last save that was reported as done or the one after it. Printed:
the number of kills, of saves, and of hidden files that were left, of which there may never be more than one.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import nn
from tests.nn.saving.parts import Changing

_MOST = 0.02  # seconds until a kill


def save_for_ever(path: Path, first: int, report: int) -> None:
    """Save one number in many places, and report it when it is saved."""
    for number in range(first, first + 10**6):
        whole = Changing(number)
        nn.save(path, many=_Many(number), one=whole, random=np.random.default_rng(number))
        os.write(report, number.to_bytes(4, "big"))


class _Many(Changing):
    """A state of 30,000 equal numbers."""

    def state(self) -> dict[str, Any]:
        """All of them."""
        return {"number": np.array(self.number), "numbers": np.full(30_000, float(self.number))}


def kill_once(path: Path, first: int) -> tuple[int, int]:
    """The last number that was reported as saved before a kill at a random moment, and the number in the file."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            save_for_ever(path, first, writing)
        finally:
            os._exit(1)
    os.close(writing)
    reported = os.read(reading, 4) if random.random() < 0.7 else b""  # else perhaps before the first save is done
    time.sleep(random.uniform(0.0, _MOST))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    while more := os.read(reading, 1 << 16):
        reported += more
    os.close(reading)
    if not os.WIFSIGNALED(status):
        raise RuntimeError(f"the saving process ended by itself, with {status}")
    return int.from_bytes(reported[-4:], "big") if reported else first - 1, number_in(path)


def number_in(path: Path) -> int:
    """The number that a whole file holds in all its places."""
    found = nn.contents(path).arrays
    (number,) = {int(each) for key in ("many/number", "many/numbers", "one/number") for each in found[key].flat}
    random_state = nn.contents(path).state("random")
    nn.resume(path, many=_Many(0), one=Changing(0), random=np.random.default_rng(0))
    if not str(random_state["state"]):
        raise RuntimeError("the generator is gone")
    return number


def main(folder: str, kills: str, kind: str) -> None:
    """Kill, look, and start again from what was found."""
    if kind == "named" and hasattr(os, "O_TMPFILE"):
        del os.O_TMPFILE
    path, left = Path(folder) / "run.npz", 0
    nn.save(path, many=_Many(0), one=Changing(0), random=np.random.default_rng(0))
    last = 0
    for _ in range(int(kills)):
        reported, found = kill_once(path, last + 1)
        if found not in (reported, reported + 1):
            raise RuntimeError(f"{reported} was saved, and the file holds {found}")
        last = found
        hidden = [name for name in os.listdir(folder) if name != path.name]
        if len(hidden) > 1:
            raise RuntimeError(f"more than one file was left: {hidden}")
        left += len(hidden)
    nn.save(path, one=Changing(1))
    if os.listdir(folder) != [path.name]:
        raise RuntimeError("a file of a killed process stayed")
    print(kills, last, left)


if __name__ == "__main__":
    main(*sys.argv[1:])
