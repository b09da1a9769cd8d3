"""The program: ``autodiff flow`` draws one gradient of a network, ``autodiff explain`` explains it in words.

``autodiff table`` prints every operation with its derivative; ``autodiff reference`` writes that and every public name
as a page; ``autodiff check`` checks the gradient of a function
(`autodiff.testing.hooks.command`).
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

import numpy as np

from autodiff import __version__
from autodiff.cli import arguments
from autodiff.cli.network_file import read_network
from autodiff.draw import MissingProgramError, see, text
from autodiff.draw.files import ENDINGS, write
from autodiff.draw.writers.svg import SLIDE
from autodiff.reference import operations, tables
from autodiff.system.console import readable_output
from autodiff.system.search_path import own_modules_first
from autodiff.telling.explain import Explanation, explain
from autodiff.words.notation import parse
from autodiff.words.phrases import checked_language, say

with own_modules_first():  # every student of backpropagation has an nn.py
    from nn.network import Network

__all__ = ["main"]

_FAILED: Final = 1  # the numerical derivative disagrees
_REFUSED: Final = 2  # the input was bad; nothing was written


class _Format(NamedTuple):
    """The suffix of its files, and its writer."""

    ending: str
    writer: str


_FORMATS: Final = {
    "text": _Format(".txt", "text"), "markdown": _Format(".md", "markdown"), "latex": _Format(".tex", "tex"),
}  # fmt: skip

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

_PICTURE: Final = "picture"  # the format of every other file that can be written
_USUAL_WIDTH: Final = 80
_MOST_PARAMETERS: Final = 1_000_000  # each is a separate Value: a few seconds and 0.5 GB


@readable_output()
def main(argv: Sequence[str] | None = None) -> int:
    """Run the program with these arguments (those of the command line if left out).

    Returns:
        the exit status: 0 for success; 1 if the numerical derivative disagrees with the gradient; 2 for bad input,
        after one sentence on standard error, and then nothing was written; 3 if a check could not decide anything.
    """
    given = arguments.with_joined_numbers(sys.argv[1:] if argv is None else argv)
    try:
        options = _parser().parse_args(given)
        return int(options.run(options))
    except (ValueError, TypeError, OSError, MissingProgramError) as error:
        print(f"autodiff: {' '.join(str(error).split())}", file=sys.stderr)
        return _REFUSED


# ---- arguments -------------------------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """Bad arguments raise ValueError with one sentence, like all bad input."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="autodiff", description="See a gradient: automatic differentiation, explained.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="command", required=True)
    flow = commands.add_parser(
        "flow",
        help="follow the output's error back to one parameter",
        description="Follow the output's error back to one parameter of a network: numbered steps, the product in "
        "symbols and numbers, a check against a numerical derivative, and a picture. Without options: the 4-2-1 "
        "network of the notes and its weight W14(1).",
    )
    flow.set_defaults(run=_flow)
    flow.add_argument(
        "--parameter", default=_PARAMETER, metavar="NAME", help="as for explain (default: %(default)s)"
    )
    _add_network_options(flow)
    flow.add_argument("--view", default="auto", metavar="V", help="auto, rail, shares, graph or network")
    flow.add_argument("--theme", default="auto", metavar="T", help="auto (the reader's system), light, dark or print")
    flow.add_argument("--width", type=float, default=SLIDE, metavar="PX", help="at most this wide; 0: any width")
    flow.add_argument(
        "-o", "--output",
        type=Path,
        metavar="FILE",
        help=f"a {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]} file (default: an .svg file in this folder)",
    )
    explain = commands.add_parser(
        "explain",
        help="explain one gradient in words",
        description="Explain one gradient of a network: why it is what it is, what it means, numbered steps, two "
        "derivations side by side, and where the gradient shrinks. Without options: the 4-2-1 network "
        "of the notes and its weight W14(1).",
    )
    explain.set_defaults(run=_explain)
    explain.add_argument(
        "parameter", nargs="?", default=_PARAMETER, metavar="NAME",
        help="a name such as W14(1), b1(2), z1(2), or W(1) for a whole matrix (default: %(default)s)",
    )  # fmt: skip
    _add_network_options(explain)
    explain.add_argument(
        "--corrupt", type=arguments.numbers, metavar="X,X,…",
        help="input of a corrupt window, for J = max(0, 1 + s_c − s)",
    )  # fmt: skip
    explain.add_argument("--format", choices=_FORMATS, metavar="F", help=f"{', '.join(_FORMATS)} (default: text)")
    explain.add_argument("--check", action="store_true", help="compare with a derivative by differences")
    explain.add_argument("--notes", action="store_true", help="tell where the printed notes are wrong")
    explain.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write a .txt, .md or .tex file, or a picture (.svg, …)"
    )
    table = commands.add_parser(
        "table",
        help="look up operations and NumPy's functions",
        description="Look up the formula of an operation, its derivative, its domain, its conventions at kinks, and "
        "its NumPy names; and whether another NumPy function works here. Without names: all of them.",
    )
    table.set_defaults(run=_table)
    table.add_argument("names", nargs="*", metavar="NAME", help="a name such as sqrt, np.linalg.norm or linalg.norm")
    table.add_argument("--markdown", action="store_true", help="print tables in Markdown")
    reference = commands.add_parser(
        "reference",
        help="write the reference as a page",
        description="Write the reference as one page of HTML, which needs no network: every operation with its curve "
        "and derivative, and every public name with its signature, errors and examples.",
    )
    reference.set_defaults(run=_reference)
    reference.add_argument(
        "-o", "--output", type=Path, default=Path("reference.html"), metavar="PATH",
        help="an .html file, or a folder for %(default)s (default: %(default)s in this folder)",
    )  # fmt: skip
    import_module("autodiff.testing.hooks.command").add_check(commands)  # only this command needs autodiff.testing
    return parser


def _add_network_options(command: argparse.ArgumentParser) -> None:
    """Add the options for the network, its input, and the language and digits of the output."""
    add = command.add_argument
    add("--sizes", type=arguments.sizes, metavar="N,N,…", help="numbers of units, the last 1 (default: 4,2,1)")
    add("--activation", metavar="F", help="activation of the hidden layers, also of --network's (default: sigmoid)")
    add("--seed", type=arguments.seed, metavar="N", help="draw random weights and a random input with this seed")
    add("--input", type=arguments.numbers, metavar="X,X,…", help="the input x")
    add("--network", type=Path, metavar="FILE", help="a .json or .npz file with W1, b1, W2, b2, … and optionally x")
    add("--open", action="store_true", help="open the picture, with its steps, in the browser")
    add("--language", default="en", metavar="L", help="en or zh (default: %(default)s)")
    add("--digits", type=arguments.digits, default=4, metavar="N", help="significant digits (default: %(default)s)")


# ---- autodiff flow ---------------------------------------------------------------------------------------------------


def _flow(options: argparse.Namespace) -> int:
    example = _example(options)
    made = explain(example.network, options.parameter, example.x, check=True)
    flow, found = made.flow, made.check
    told = {"language": options.language, "digits": options.digits}
    path = options.output or f"error-flow-{_file_name(options.parameter)}.svg"
    drawing = see(flow, view=options.view, theme=options.theme, width=options.width or None, **told)
    saved = drawing.save(path)
    print(text(flow, **told))
    if found is not None:
        verdict = say(f"check.{found.verdict}", options.language)
        print(f"\n{say('check.line', options.language, check=found.numerical, verdict=verdict)}")
    print(f"\n{say('wrote', options.language, path=saved.path, engine=saved.engine)}")
    if options.open:
        drawing.show()
    return _status(made)


# ---- autodiff explain ------------------------------------------------------------------------------------------------


def _explain(options: argparse.Namespace) -> int:
    format = _format(options)
    example = _example(options)
    made = explain(example.network, options.parameter, example.x, corrupt=options.corrupt, check=options.check,
                   notes=options.notes)
    drawing = partial(see, made.flow, language=options.language, digits=options.digits)
    if format == _PICTURE:
        saved = drawing().save(options.output)
        print(say("wrote", options.language, path=saved.path, engine=saved.engine))
    else:
        _told(made, format, options)
    if options.open:
        drawing().show()
    return _status(made)


def _told(made: Explanation, format: str, options: argparse.Namespace) -> None:
    """Print the explanation, or write it to a file."""
    tells: Mapping[str, Callable[..., str]] = {
        "text": partial(made.text, width=_width(options)), "markdown": made.markdown, "latex": made.latex,
    }  # fmt: skip
    told = tells[format](options.language, digits=options.digits).rstrip("\n") + "\n"
    if options.output is None:
        print(told, end="")
    else:
        saved = write({_FORMATS[format].writer: lambda: told}, options.output)
        print(say("wrote-text", options.language, path=saved.path))


def _status(made: Explanation) -> int:
    return _FAILED if made.check is not None and made.check.verdict == "disagrees" else 0


def _width(options: argparse.Namespace) -> int:
    """The columns of a printed table: those of the terminal; 80 in a file or a pipe, whose reader is unknown."""
    to_terminal = options.output is None and sys.stdout.isatty()
    return shutil.get_terminal_size().columns if to_terminal else _USUAL_WIDTH


def _format(options: argparse.Namespace) -> str:
    """The requested format, or that of the file's suffix."""
    if options.output is None:
        return options.format or "text"
    by_ending = {ending: format for format, (ending, _) in _FORMATS.items()}
    ending = options.output.suffix.lower()
    if ending not in by_ending and options.format is None:
        return _PICTURE  # `Drawing.save` refuses other endings
    if options.format not in (None, by_ending.get(ending)):
        raise ValueError(f"--format {options.format} needs a {_FORMATS[options.format].ending} file, and got "
                         f"{options.output.name!r}")
    return by_ending[ending]


# ---- autodiff table --------------------------------------------------------------------------------------------------


def _table(options: argparse.Namespace) -> int:
    found = operations.everything()
    if options.names:
        found = operations.selected(found, options.names)
    print(tables.markdown(found) if options.markdown else tables.text(found), end="")
    return 0


def _reference(options: argparse.Namespace) -> int:
    saved = import_module("autodiff.reference.page").save(options.output)  # nothing else here needs the whole package
    print(say("wrote-text", "en", path=saved.path))
    return 0


# ---- the network -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Example:
    """A network of named Values and an input for it."""

    network: Network
    x: tuple[float, ...]


def _file_name(parameter: str) -> str:
    """A name in characters that are safe in any shell and file system: W14-1."""
    return "-".join(re.findall("[A-Za-z0-9]+", parse(parameter).ascii()))


def _example(options: argparse.Namespace) -> _Example:
    checked_language(options.language)
    if options.network is not None:
        if options.sizes or options.seed is not None:
            raise ValueError("--network sets the sizes and weights; leave out --sizes and --seed")
        weights, x = read_network(options.network)
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
        raise ValueError(f"{options.network} contains no x; give the input with --input")
    return _Example(network, x)


def _loaded(weights: Mapping[str, Any], activation: str | None) -> Network:
    """A network of Values with these weights, which determine its sizes."""
    blocks = {key: np.asarray(block, dtype=float) for key, block in weights.items()}
    matrices = [blocks[f"W({k})"] for k in range(1, len(blocks) // 2 + 1)]
    sizes = [matrices[0].shape[1], *(matrix.shape[0] for matrix in matrices)]
    network = _made(sizes, activation)
    network.load(blocks)
    return network


def _made(sizes: Sequence[int], activation: str | None, random: np.random.Generator | None = None) -> Network:
    """A network of Values; raises ValueError if it is too large for that."""
    count = sum((inputs + 1) * units for inputs, units in pairwise(sizes))
    if count > _MOST_PARAMETERS:
        most = f"{_MOST_PARAMETERS:,}"
        raise ValueError(f"a network may have at most {most} weights and biases here, and got {count:,}")
    return Network(sizes, activation="sigmoid" if activation is None else activation, random=random, scalar=True)

