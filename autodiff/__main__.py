"""The program: ``autodiff flow`` explains one gradient of a network in steps, numbers, a check and a picture."""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np

from autodiff.draw import MissingProgramError, save, text
from autodiff.flow import Flow, error_flow
from autodiff.notation import Name, parse
from autodiff.numeric import NumericalDerivative, numerical_derivative
from nn.layers import Network

__all__ = ["main"]

_FAILED: Final = 1  # the check found another derivative
_REFUSED: Final = 2  # the input was bad; nothing was written

_DISAGREES: Final = "DISAGREES"

#: The notes' 4-2-1 network and its input (section 1.5): ∂s/∂W₁₄⁽¹⁾ = 1 · 1 · 0.9 · 0.1793 · 0.8 = 0.1291.
_SIZES: Final = (4, 2, 1)
_WEIGHTS: Final[Mapping[str, Any]] = {
    "W(1)": [[0.3, -0.2, 0.5, 0.7], [-0.4, 0.1, 0.6, -0.3]],
    "b(1)": [0.1, -0.05],
    "W(2)": [[0.9, -0.6]],
    "b(2)": [0.2],
}
_INPUT: Final = (1.0, -0.5, 0.25, 0.8)
_PARAMETER: Final = "W14(1)"

_MOST_PARAMETERS: Final = 1_000_000  # each is a Value of its own: a few seconds, and 0.5 GB

_KEY: Final = re.compile(r"([Wb])_?\(?([1-9][0-9]{0,3})\)?")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program with these arguments (those of the command line if left out).

    Returns:
        0; 1 if the numerical derivative disagrees with the gradient; 2, after one sentence on standard error, for bad
        input: then nothing was written.
    """
    arguments = _with_joined_numbers(sys.argv[1:] if argv is None else argv)
    try:
        options = _parser().parse_args(arguments)
        return int(options.run(options))
    except (ValueError, TypeError, OSError, MissingProgramError) as error:
        print(f"autodiff: {' '.join(str(error).split())}", file=sys.stderr)
        return _REFUSED


# ---- arguments -------------------------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """Bad arguments raise one sentence, like all bad input."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; {self.prog} --help lists what can be said")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="autodiff", description="See a gradient: automatic differentiation, explained.")
    commands = parser.add_subparsers(title="commands", metavar="command", required=True)
    flow = commands.add_parser(
        "flow",
        help="follow the output's error to one parameter",
        description="Follow the output's error to one parameter of a network: numbered steps, the product in symbols "
        "and numbers, a check against a numerical derivative, and a picture. Without options: the 4-2-1 network of "
        "the notes and its weight W14(1).",
    )
    flow.set_defaults(run=_flow)
    flow.add_argument(
        "--parameter", default=_PARAMETER, metavar="NAME", help="such as W14(1) or b1(2) (default: %(default)s)"
    )
    flow.add_argument("--sizes", type=_sizes, metavar="N,N,…", help="units of each layer, the last 1 (default: 4,2,1)")
    flow.add_argument("--activation", metavar="F", help="of the hidden layers (default: sigmoid)")
    flow.add_argument("--seed", type=_seed, metavar="N", help="draw weights and input with this seed")
    flow.add_argument("--input", type=_numbers, metavar="X,X,…", help="the input x")
    flow.add_argument("--network", type=Path, metavar="FILE", help=".json or .npz with W1, b1, W2, b2, … and perhaps x")
    flow.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help=".svg, .dot, .txt, .json, .png or .pdf (default: an .svg in this folder)",
    )
    return parser


def _with_joined_numbers(arguments: Sequence[str]) -> list[str]:
    """``--input -1,2`` as ``--input=-1,2``: argparse takes a leading minus for another option."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] == "--input" and re.match(r"[-−][\d.]", argument):
            joined[-1] = f"--input={argument}"
        else:
            joined.append(argument)
    return joined


def _sizes(given: str) -> tuple[int, ...]:
    try:
        sizes = tuple(int(part) for part in given.split(","))
    except ValueError:
        sizes = ()
    if len(sizes) < 2 or min(sizes) < 1:
        raise argparse.ArgumentTypeError(
            f"expected at least two positive whole numbers, such as 4,2,1, and got {given!r}"
        )
    if sizes[-1] != 1:
        raise argparse.ArgumentTypeError(f"a flow starts at one output, so the last size must be 1, and got {given!r}")
    return sizes


def _seed(given: str) -> int:
    if not re.fullmatch("[0-9]{1,18}", given):
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 0, and got {given!r}")
    return int(given)


def _numbers(given: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part.replace("−", "-")) for part in given.split(","))
    except ValueError:
        numbers = (math.nan,)
    if not all(map(math.isfinite, numbers)):
        raise argparse.ArgumentTypeError(f"expected numbers such as 1,-0.5,0.25, and got {given!r}")
    return numbers


# ---- autodiff flow ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Example:
    """A network of named Values and an input for it."""

    network: Network
    x: tuple[float, ...]


def _flow(options: argparse.Namespace) -> int:
    example = _example(options)
    parameter = example.network.parameter(options.parameter)
    flow = error_flow(example.network(example.x), parameter)
    check = _check(example, options.parameter)
    saved = save(flow, options.output or f"error-flow-{_file_name(options.parameter)}.svg")
    verdict = _verdict(flow, check)
    print(f"{text(flow)}\n\nCheck: numerical derivative {check}: {verdict}.")
    print(f"\nWrote {saved.path} (drawn by {saved.engine}).")
    return _FAILED if verdict == _DISAGREES else 0


def _verdict(flow: Flow, check: NumericalDerivative) -> str:
    if check.agrees(flow.gradient):
        return "agrees"
    return _DISAGREES if math.isfinite(check.error) else "cannot tell, the function jumps or is not defined around here"


def _check(example: _Example, name: str) -> NumericalDerivative:
    """The derivative of the output by differences, on a copy of the network."""
    network = example.network.scalar()
    parameter = network.parameter(name)

    def output(value: float) -> float:
        parameter.data = value
        return float(network(example.x).data)

    return numerical_derivative(output, parameter.data)


def _file_name(parameter: str) -> str:
    """A name in characters that no shell and no file system minds: W14-1."""
    return "-".join(re.findall("[A-Za-z0-9]+", parse(parameter).ascii()))


def _example(options: argparse.Namespace) -> _Example:
    if options.network is not None:
        if options.sizes or options.seed is not None:
            raise ValueError("--network brings its own sizes and weights; leave out --sizes and --seed")
        weights, x = _read(options.network)
        network = _loaded(weights, options.activation)
    elif options.seed is None and options.sizes in (None, _SIZES):
        network, x = _loaded(_WEIGHTS, options.activation), _INPUT
    else:
        random = np.random.default_rng(options.seed or 0)
        sizes = options.sizes or _SIZES
        network = _made(sizes, options.activation, random)
        x = tuple(random.uniform(-1.0, 1.0, sizes[0]).tolist())
    if options.input is not None:
        x = options.input
    if x is None:
        raise ValueError(f"{options.network} has no x; give the input with --input")
    return _Example(network, x)


def _loaded(weights: Mapping[str, Any], activation: str | None) -> Network:
    """A network of Values with these numbers; its sizes are theirs."""
    blocks = {key: np.asarray(block, dtype=float) for key, block in weights.items()}
    matrices = [blocks[f"W({k})"] for k in range(1, len(blocks) // 2 + 1)]
    sizes = [matrices[0].shape[1], *(matrix.shape[0] for matrix in matrices)]
    network = _made(sizes, activation)
    network.load(blocks)
    return network


def _made(sizes: Sequence[int], activation: str | None, random: np.random.Generator | None = None) -> Network:
    """A network of Values, if it is not too large for that."""
    count = sum((inputs + 1) * units for inputs, units in pairwise(sizes))
    if count > _MOST_PARAMETERS:
        most = f"{_MOST_PARAMETERS:,}"
        raise ValueError(f"weights are explained one by one, at most {most} of them, and here are {count:,}")
    return Network(sizes, activation="sigmoid" if activation is None else activation, random=random, scalar=True)


# ---- files with a network --------------------------------------------------------------------------------------------


def _read(path: Path) -> tuple[dict[str, Any], tuple[float, ...] | None]:
    """The weights of a file, under ``W(1)``, ``b(1)``, …, and its x if it has one."""
    content = {key: _array(path, key, block) for key, block in _content(path).items()}
    x = content.pop("x", None)
    weights: dict[str, Any] = {}
    for key, block in content.items():
        found = _KEY.fullmatch(key)
        if found is None:
            raise ValueError(f"{path} has {key!r}, and may have W1, b1, W2, b2, … and x only")
        name = Name(found[1], (), int(found[2])).ascii()
        if name in weights:
            raise ValueError(f"{path} has {name} twice, in two spellings")
        weights[name] = np.atleast_2d(block) if found[1] == "W" else np.atleast_1d(block)
    _check_layers(path, weights)
    if x is not None and x.ndim > 1:
        raise ValueError(f"{path}: x must be one input, a vector of numbers, and has shape {x.shape}")
    return weights, None if x is None else tuple(np.atleast_1d(x).tolist())


def _content(path: Path) -> Mapping[str, Any]:
    if path.suffix not in (".json", ".npz"):
        raise ValueError(f"a network is read from a .json or .npz file, and got {path}")
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as archive:
                return dict(archive)
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, TypeError, RuntimeError, MemoryError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        detail = f": {error}" if isinstance(error, json.JSONDecodeError) else ""
        raise ValueError(f"{path} is not a {path.suffix} file that can be read{detail}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} must hold one object with W1, b1, W2, b2, …, and holds a {type(content).__name__}")
    return content


def _array(path: Path, key: str, block: Any) -> np.ndarray[Any, Any]:
    try:
        array = np.asarray(block)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind not in "fiu" or not np.all(np.isfinite(array)) or array.ndim > 2 or not array.size:
        raise ValueError(f"{path}: {key} must be finite numbers, a vector or rows of one length")
    return array.astype(float)


def _check_layers(path: Path, weights: Mapping[str, Any]) -> None:
    layers = max(len(weights) // 2, 1)
    wanted = {f"{letter}({k})" for letter in "Wb" for k in range(1, layers + 1)}
    if set(weights) != wanted:
        raise ValueError(
            f"{path} must have W1, b1, W2, b2, …, one of each for every layer, and has {', '.join(weights) or 'none'}"
        )
    for k in range(1, layers + 1):
        rows, shape = len(weights[f"W({k})"]), weights[f"b({k})"].shape
        if shape != (rows,):
            raise ValueError(f"{path}: b{k} must be a vector of {rows}, one a row of W{k}, and has shape {shape}")
    for k in range(1, layers):
        before, after = weights[f"W({k})"].shape, weights[f"W({k + 1})"].shape
        if before[0] != after[1]:
            raise ValueError(f"{path}: W{k} has {before[0]} rows and W{k + 1} {after[1]} columns; they must be as many")
    if weights[f"W({layers})"].shape[0] != 1:
        raise ValueError(f"{path}: a flow starts at one output, so W{layers} must have one row")


if __name__ == "__main__":
    sys.exit(main())
