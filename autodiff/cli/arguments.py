"""The texts of a command line as sizes, seeds and numbers; a bad one is refused in one sentence."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Sequence

__all__ = ["digits", "numbers", "seed", "sizes", "with_joined_numbers"]


def with_joined_numbers(arguments: Sequence[str]) -> list[str]:
    """``--input -1,2`` as ``--input=-1,2``: argparse mistakes a leading minus for another option."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] in ("--input", "--corrupt") and re.match(r"[-−][\d.]", argument):
            joined[-1] = f"{joined[-1]}={argument}"
        else:
            joined.append(argument)
    return joined


def sizes(given: str) -> tuple[int, ...]:
    """Numbers of units, the last 1: 4,2,1."""
    try:
        found = tuple(int(part) for part in given.split(","))
    except ValueError:
        found = ()
    if len(found) < 2 or min(found) < 1:
        raise argparse.ArgumentTypeError(
            f"expected at least two positive whole numbers, such as 4,2,1, and got {given!r}"
        )
    if found[-1] != 1:
        raise argparse.ArgumentTypeError(f"the network needs one output, so the last size must be 1, and got {given!r}")
    return found


def seed(given: str) -> int:
    """A whole number of at least 0."""
    if not re.fullmatch("[0-9]{1,18}", given):
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 0, and got {given!r}")
    return int(given)


def digits(given: str) -> int:
    """A number of significant digits, 1 to 17."""
    if not re.fullmatch("[1-9]|1[0-7]", given):
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to 17, and got {given!r}")
    return int(given)


def numbers(given: str) -> tuple[float, ...]:
    """Finite numbers with commas between them; a minus may be − as well."""
    try:
        found = tuple(float(part.replace("−", "-")) for part in given.split(","))
    except ValueError:
        found = (math.nan,)
    if not all(map(math.isfinite, found)):
        raise argparse.ArgumentTypeError(f"expected numbers such as 1,-0.5,0.25, and got {given!r}")
    return found
