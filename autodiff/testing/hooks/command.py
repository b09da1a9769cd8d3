"""``autodiff check FILE:FUNCTION``: is this gradient right? For people who never read the documentation."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import Any, Final

from autodiff.testing.check.gradients import check_gradients
from autodiff.testing.check.picture import drawing
from autodiff.testing.check.report import Report
from autodiff.testing.hooks.arguments import origin, parsed, points, told, without_options
from autodiff.testing.hooks.user_file import Attempt, as_script, function_of, loaded, none_fits, raised
from autodiff.testing.oracles.rerun import ORACLES

__all__ = ["add_check"]

_FAILED: Final = 1
_UNDECIDED: Final = 3


def add_check(commands: Any) -> None:
    """Add the command to the subparsers of the program."""
    check = commands.add_parser(
        "check",
        help="check the gradient of a function",
        description="Check the gradient of a function at one point: every entry beside an independent derivative with "
        "its error. The function is written with this project's functions or with NumPy's; with --gradient, any "
        "function of floats and arrays is checked. A wrong entry is named, blamed and drawn. Without --at, the "
        "function's default arguments are used, and drawn matrices, vectors or numbers for the others; an argument "
        "that can be given by name only keeps its default.",
        epilog="Exit status: 0 no fault was found; 1 the gradient is wrong; 2 bad input; 3 nothing could be decided.",
    )
    check.set_defaults(run=_check)
    check.add_argument("function", metavar="FILE:FUNCTION", help="such as model.py:loss")
    check.add_argument("--at", metavar="X; X; …", help='the arguments as Python, such as "2.0; [[1, 2], [3, 4]]"')
    check.add_argument("--gradient", metavar="NAME", help="a function of the file that computes the gradient")
    check.add_argument("--order", type=int, default=1, choices=(1, 2), help="2: the second derivatives as well")
    oracles = ("auto", *ORACLES, "interval")
    check.add_argument(
        "--oracle", default="auto", choices=oracles, metavar="NAME",
        help=f"what it is compared with: {', '.join(oracles)} (default: %(default)s)",
    )  # fmt: skip
    check.add_argument(
        "--directions", type=_whole, metavar="N",
        help="check so many random directions instead of every entry; 0: every entry, however many",
    )  # fmt: skip
    check.add_argument("--seed", type=_whole, default=0, metavar="N", help="of drawn points, cotangents and directions")
    check.add_argument("--curve", action="store_true", help="show the error of plain differences over the step")
    check.add_argument("--json", action="store_true", help="print the report as data")
    check.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="where a fault is drawn (default: NAME-fault.svg)"
    )


def _whole(given: str) -> int:
    if not re.fullmatch("[0-9]{1,18}", given):
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 0, and got {given!r}")
    return int(given)


def _check(options: argparse.Namespace) -> int:
    path, _, name = options.function.rpartition(":")
    if not path or not name:
        raise ValueError(f"a function is named as FILE:FUNCTION, such as model.py:loss, and got {options.function!r}")
    quiet = redirect_stdout(sys.stderr) if options.json else nullcontext()  # what the file prints is no JSON
    with quiet, as_script(Path(path)):
        module = loaded(Path(path))
        f = function_of(module, path, name)
        gradient = None if options.gradient is None else function_of(module, path, options.gradient)
        report = _report(f, options, gradient, Path(path))
    if options.json:
        print(json.dumps(report.as_dict(), indent=1))
    else:
        print(report)
        if report.passed:  # else it tells its point itself
            print(f"  at {report.point}")
        if options.at is None:
            print(f"  ({origin(f)}; choose the point with --at)")
    if report.failed and report.blame is not None and report.blame.graph is not None:
        saved = drawing(report).save(options.output or f"{name}-fault.svg")
        print(f"\nWrote {saved.path} (drawn by {saved.engine}).", file=sys.stderr if options.json else sys.stdout)
    if not report:
        return _FAILED
    return 0 if any(finding.verdict.decided for finding in report.findings) else _UNDECIDED


def _report(f: Callable[..., Any], options: argparse.Namespace, gradient: Any, path: Path) -> Report:
    chosen = {
        "order": options.order, "gradient": gradient, "oracle": options.oracle, "directions": options.directions,
        "seed": options.seed, "curve": options.curve,
    }  # fmt: skip
    if options.at is not None:
        return _checked(f, parsed(options.at), chosen, path)
    f = without_options(f)
    attempts: list[Attempt] = []
    for inputs in points(f, options.seed):
        try:
            f(*inputs) if gradient is not None else None
            return check_gradients(f, *inputs, **chosen)
        except SystemExit:
            raise ValueError(f"the function ends Python at {inputs}") from None
        except Exception as error:  # shapes that do not fit may end in any error
            attempts.append(Attempt(error, told(f, inputs)))
    raise none_fits(attempts, path)


def _checked(f: Callable[..., Any], inputs: list[Any], chosen: dict[str, Any], path: Path) -> Report:
    """The report; an error of the function itself is told where it was raised."""
    try:
        return check_gradients(f, *inputs, **chosen)
    except (Exception, SystemExit) as error:
        sentence = raised(error, path)
        if sentence is None:
            raise
        raise sentence from error
