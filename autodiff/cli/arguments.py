"""The options that `flow` and `explain` share, and how their texts are read; a bad one is refused in one sentence."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from autodiff.draw.files import ENDINGS
from autodiff.draw.layout.bands import DIRECTIONS
from autodiff.draw.model.palette import THEMES
from autodiff.draw.views.choose_view import VIEWS
from autodiff.draw.writers.frame import SLIDE
from autodiff.system.search_path import own_modules_first
from autodiff.words.phrases import LANGUAGES

with own_modules_first():  # every student of backpropagation has an nn.py
    from nn.modules.activations import UnitWithParam, unit

__all__ = ["FORMATS", "PARAMETER", "add_options", "add_shared", "operation_of", "parameter", "with_joined_numbers"]

#: The formats of printed texts, with the endings of their files.
FORMATS: Final[Mapping[str, str]] = {"text": ".txt", "markdown": ".md", "latex": ".tex"}
PARAMETER: Final = "W14(1)"
_LISTS: Final = ("--input", "--corrupt", "--target")  # of numbers, which may begin with a minus


def add_options(command: argparse.ArgumentParser, file: str) -> None:
    """Add the options that `flow` and `explain` share; ``file`` is what -o writes if it is left out."""
    command.add_argument(
        "name", nargs="?", metavar="NAME",
        help=f"a weight such as W14(1), b1(2) or U1, a unit such as z1(2), or W(1) for a matrix (default: {PARAMETER})",
    )  # fmt: skip
    command.add_argument("--parameter", dest="named", metavar="NAME", help="the same as NAME")
    for title, options in _OPTIONS.items():
        group = command.add_argument_group(title)
        for flag, settings in options.items():
            group.add_argument(*flag.split(), **settings)
        if title == "what is written":
            group.add_argument("-o", "--output", type=_file, metavar="FILE", help=f"{_WRITES} (default: {file})")


def add_shared(command: argparse.ArgumentParser, *flags: str) -> None:
    """Add some of these options to another command."""
    for flag in flags:
        command.add_argument(flag, **next(group[flag] for group in _OPTIONS.values() if flag in group))


def parameter(options: argparse.Namespace) -> str:
    """The name of the parameter, given in one of two ways."""
    if options.name is not None and options.named is not None:
        raise ValueError(f"give one parameter, and not both {options.name!r} and --parameter {options.named!r}")
    name = options.name if options.named is None else options.named
    return PARAMETER if name is None else str(name)


def operation_of(name: str) -> tuple[str, dict[str, float]]:
    """The operation and the params of a unit's name, such as ``leaky_relu(0.1)``."""
    found = unit(name)
    return (found.operation, {found.param: found.value}) if isinstance(found, UnitWithParam) else (name, {})


def with_joined_numbers(arguments: Sequence[str]) -> list[str]:
    """``--input -1,2`` as ``--input=-1,2``: argparse mistakes a leading minus for another option."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] in _LISTS and re.match(r"[-−][\d.]", argument):
            joined[-1] = f"{joined[-1]}={argument}"
        else:
            joined.append(argument)
    return joined


# ---- how texts are read ----------------------------------------------------------------------------------------------


def _sizes(given: str) -> tuple[int, ...]:
    """Numbers of units: 4,2,1."""
    try:
        found = tuple(int(part) for part in given.split(","))
    except ValueError:
        found = ()
    if len(found) < 2 or min(found) < 1:
        raise argparse.ArgumentTypeError(
            f"expected at least two positive whole numbers, such as 4,2,1, and got {given!r}"
        )
    return found


def _seed(given: str) -> int:
    """A whole number of at least 0."""
    if not re.fullmatch("[0-9]{1,18}", given):
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 0, and got {given!r}")
    return int(given)


def _digits(given: str) -> int:
    """A number of significant digits, 1 to 17."""
    if not re.fullmatch("[1-9]|1[0-7]", given):
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to 17, and got {given!r}")
    return int(given)


def _numbers(given: str) -> tuple[float, ...]:
    """Finite numbers with commas between them; a minus may be − as well."""
    try:
        found = tuple(float(part.replace("−", "-")) for part in given.split(","))
    except ValueError:
        found = (math.nan,)
    if not all(map(math.isfinite, found)):
        raise argparse.ArgumentTypeError(f"expected numbers such as 1,-0.5,0.25, and got {given!r}")
    return found


def _unit(given: str) -> int:
    """The number of an output unit, from 1."""
    if not re.fullmatch("[1-9][0-9]{0,8}", given):
        raise argparse.ArgumentTypeError(f"expected the number of an output unit, from 1, and got {given!r}")
    return int(given)


def _width(given: str) -> float | None:
    """A width in px; None for 0, any width."""
    try:
        found = float(given)
    except ValueError:
        found = math.nan
    if not 0 <= found < math.inf:
        raise argparse.ArgumentTypeError(f"expected a width in px, such as 800, or 0 for any width, and got {given!r}")
    return found or None


def _activation(given: str) -> str:
    try:
        unit(given)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return given


def _file(given: str) -> Path:
    if given.isdigit():
        raise argparse.ArgumentTypeError(f"expected a file, and got {given!r}; write --unit {given} for an output unit")
    return Path(given)


def _one_of(what: str, known: Sequence[str]) -> Callable[[str], str]:
    """A function that reads one of the known words."""

    def read(given: str) -> str:
        if given not in known:
            raise argparse.ArgumentTypeError(f"unknown {what} {given!r} (must be one of {', '.join(known)})")
        return given

    return read


# ---- the table of options --------------------------------------------------------------------------------------------

_WRITES: Final = f"a {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]} file"

_OPTIONS: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    "the network": {
        "--sizes": {"type": _sizes, "metavar": "N,N,…", "help": "numbers of units (default: 4,2,1)"},
        "--activation": {
            "type": _activation, "metavar": "F", "help": "activation of the hidden layers (default: sigmoid)",
        },
        "--seed": {"type": _seed, "metavar": "N", "help": "draw random weights and a random input with this seed"},
        "--network": {
            "type": Path, "metavar": "FILE", "help": "a .json or .npz file with W1, b1, W2, b2, … and optionally x",
        },
        "--input": {"type": _numbers, "metavar": "X,X,…", "help": "the input x"},
    },
    "where the error starts": {
        "--unit": {"type": _unit, "metavar": "K", "help": "at output unit K, if there are several"},
        "--target": {
            "type": _numbers, "metavar": "Y,Y,…", "help": "at the loss J = ½ Σ e² of all outputs, e = a − y",
        },
        "--corrupt": {
            "type": _numbers, "metavar": "X,X,…",
            "help": "at the objective J = max(0, 1 + s_c − s) with this corrupt input",
        },
    },
    "what is written": {
        "--format": {
            "type": _one_of("format", tuple(FORMATS)), "metavar": "F",
            "help": f"of the printed text: {', '.join(FORMATS)} (default: text)",
        },
        "--check": {"action": "store_true", "help": "compare with a derivative by differences (flow always does)"},
        "--notes": {"action": "store_true", "help": "tell where the printed notes are wrong"},
        "--language": {
            "type": _one_of("language", LANGUAGES), "default": "en", "metavar": "L",
            "help": f"{' or '.join(LANGUAGES)} (default: %(default)s)",
        },
        "--digits": {
            "type": _digits, "default": 4, "metavar": "N", "help": "significant digits (default: %(default)s)",
        },
        "--view": {
            "type": _one_of("view", VIEWS), "default": "auto", "metavar": "V",
            "help": f"of the picture: {', '.join(VIEWS)} (default: %(default)s)",
        },
        "--theme": {
            "type": _one_of("theme", tuple(THEMES)), "default": "auto", "metavar": "T",
            "help": f"of the picture: {', '.join(THEMES)} (default: %(default)s, the reader's system)",
        },
        "--width": {
            "type": _width, "default": SLIDE, "metavar": "PX",
            "help": f"the picture is at most this wide; 0: any width (default: {SLIDE:g})",
        },
        "--direction": {
            "type": _one_of("direction", DIRECTIONS), "default": None, "metavar": "D",
            "help": f"in which the picture runs: {' or '.join(DIRECTIONS)} (default: the one that fits better)",
        },
        "--open": {"action": "store_true", "help": "open the picture, with its steps, in the browser"},
    },
}  # fmt: skip
