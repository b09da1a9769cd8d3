"""The program: ``autodiff flow`` draws one gradient of a network, ``autodiff explain`` explains it in words.

``autodiff table`` prints every operation with its derivative; ``autodiff reference`` writes that and every public name
as a page; ``autodiff check`` checks the gradient of a function
(`autodiff.testing.hooks.command`); ``autodiff predict`` marks the words of a sentence (`autodiff.cli.predict`).
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Final, NoReturn

import numpy as np

from autodiff import __version__
from autodiff.cli import arguments, predict
from autodiff.cli.example import example
from autodiff.draw import Drawing, MissingProgramError, see
from autodiff.draw.files import OURS, write
from autodiff.draw.unit_curves import unit
from autodiff.reference import operations, tables
from autodiff.system.console import readable_output
from autodiff.telling.explain import Explanation, explain
from autodiff.telling.latex import latex
from autodiff.telling.markdown import prose
from autodiff.telling.notes import Notes
from autodiff.telling.story import flow_story
from autodiff.telling.style import Style
from autodiff.telling.text import plain_text
from autodiff.words.notation import parse
from autodiff.words.phrases import say

__all__ = ["main"]

_FAILED: Final = 1  # the numerical derivative disagrees
_REFUSED: Final = 2  # the input was bad; nothing was written

#: The writers of stories, by format.
_WRITERS: Final[Mapping[str, Callable[..., str]]] = {"text": plain_text, "markdown": prose, "latex": latex}
_PICTURE: Final = "picture"  # the format of every other file that can be written
_USUAL_WIDTH: Final = 80


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
    arguments.add_options(flow, "an .svg file in this folder")
    explain = commands.add_parser(
        "explain",
        help="explain one gradient in words",
        description="Explain one gradient of a network: why it is what it is, what it means, numbered steps, two "
        "derivations side by side, and where the gradient shrinks. Without options: the 4-2-1 network "
        "of the notes and its weight W14(1).",
    )
    explain.set_defaults(run=_explain)
    arguments.add_options(explain, "none; the text is printed")
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
    drawn = commands.add_parser(
        "unit",
        help="draw a unit and its derivative",
        description="Draw a unit a = f(z) and its derivative over z and over a, and print both formulas.",
    )
    drawn.set_defaults(run=_unit)
    drawn.add_argument("name", metavar="NAME", help="a unit such as tanh, or leaky_relu(0.1) with its param")
    drawn.add_argument("-o", "--output", type=Path, metavar="FILE", help="an .svg file (default: NAME.svg here)")
    predict.add_predict(commands)
    import_module("autodiff.testing.hooks.command").add_check(commands)  # only this command needs autodiff.testing
    return parser


# ---- autodiff flow ---------------------------------------------------------------------------------------------------


def _flow(options: argparse.Namespace) -> int:
    made = _made(options, check=True)
    path = options.output or f"error-flow-{_file_name(arguments.parameter(options))}.svg"
    drawing = _drawing(made, options)
    saved = drawing.save(path)
    style = Style.of(options.language, options.digits)
    told = flow_story(made.flow, style)
    if options.notes:
        told = replace(told, blocks=(*told.blocks, *Notes(made.flow, style).errata()))
    print(_WRITERS[options.format or "text"](told).rstrip("\n"))
    aside = sys.stderr if options.format not in (None, "text") else sys.stdout  # a document is printed alone
    if made.check is not None:
        verdict = style.say(f"check.{made.check.verdict}")
        key = "check.line-direction" if np.ndim(made.flow.parameter.value) else "check.line"
        print(f"\n{style.say(key, check=made.check.numerical, verdict=verdict)}", file=aside)
    print(f"\n{style.say('wrote', path=saved.path, engine=saved.engine)}", file=aside)
    if options.open:
        drawing.show()
    return _status(made)


# ---- autodiff explain ------------------------------------------------------------------------------------------------


def _explain(options: argparse.Namespace) -> int:
    format = _format(options)
    made = _made(options, check=options.check)
    if format == _PICTURE:
        saved = _drawing(made, options).save(options.output)
        print(say("wrote", options.language, path=saved.path, engine=saved.engine))
    else:
        _tell(made, format, options)
    if options.open:
        _drawing(made, options).show()
    return _status(made)


def _tell(made: Explanation, format: str, options: argparse.Namespace) -> None:
    """Print the explanation, or write it to a file."""
    width = {"width": _width(options)} if format == "text" else {}
    story = made.story(options.language, digits=options.digits)
    told = _WRITERS[format](story, **width).rstrip("\n") + "\n"
    if options.output is None:
        print(told, end="")
    else:
        saved = write({OURS[arguments.FORMATS[format]]: lambda: told}, options.output)
        print(say("wrote-text", options.language, path=saved.path))


# ---- what both do ----------------------------------------------------------------------------------------------------


def _made(options: argparse.Namespace, *, check: bool) -> Explanation:
    given = example(options)
    name = arguments.parameter(options)
    return explain(given.network, name, given.x, corrupt=options.corrupt, check=check, notes=options.notes)


def _drawing(made: Explanation, options: argparse.Namespace) -> Drawing:
    return see(
        made.flow, view=options.view, theme=options.theme, width=options.width, language=options.language,
        digits=options.digits, direction=options.direction,
    )  # fmt: skip


def _file_name(parameter: str) -> str:
    """A name in characters that are safe in any shell and file system: W14-1."""
    return "-".join(re.findall("[A-Za-z0-9]+", parse(parameter).ascii()))


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
    by_ending = {ending: format for format, ending in arguments.FORMATS.items()}
    ending = options.output.suffix.lower()
    if ending not in by_ending and options.format is None:
        return _PICTURE  # `Drawing.save` refuses other endings
    if options.format not in (None, by_ending.get(ending)):
        raise ValueError(f"--format {options.format} needs a {arguments.FORMATS[options.format]} file, and got "
                         f"{options.output.name!r}")
    return by_ending[ending]


# ---- autodiff table --------------------------------------------------------------------------------------------------


def _table(options: argparse.Namespace) -> int:
    found = operations.everything()
    if options.names:
        found = operations.selected(found, options.names)
    print(tables.markdown(found) if options.markdown else tables.text(found), end="")
    return 0


# ---- autodiff unit, autodiff reference -------------------------------------------------------------------------------


def _unit(options: argparse.Namespace) -> int:
    name, params = arguments.operation_of(options.name)
    curves = unit(name, **params)
    saved = curves.save(f"{name}.svg" if options.output is None else options.output)
    print(curves)
    print(say("wrote-text", "en", path=saved.path))
    return 0


def _reference(options: argparse.Namespace) -> int:
    saved = import_module("autodiff.reference.page").save(options.output)  # nothing else here needs the whole package
    print(say("wrote-text", "en", path=saved.path))
    return 0
