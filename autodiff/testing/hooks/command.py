"""``autodiff check FILE:FUNCTION``: is this gradient right? For people who have not read the documentation."""

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
        description="Check the gradient of a function at one point: every entry is compared with an independent "
        "derivative of known error. Write the function with this project's functions or with NumPy's; with --gradient, "
        "it may be any function of floats and arrays. The report names a wrong entry and the faulty rule, and the "
        "fault is drawn. Without --at, arguments take their defaults, and those without a default are random matrices, "
        "vectors or numbers; a keyword-only argument keeps its default.",
        epilog="Exit status: 0 no fault was found; 1 the gradient is wrong; 2 bad input; 3 nothing could be decided.",
    )
    check.set_defaults(run=_check)
    check.add_argument("function", metavar="FILE:FUNCTION", help="the function to check, such as model.py:loss")
    check.add_argument("--at", metavar="X; X; …", help='the arguments as Python, such as "2.0; [[1, 2], [3, 4]]"')
    check.add_argument("--gradient", metavar="NAME", help="a function in the file that computes the gradient")
    check.add_argument("--order", type=int, default=1, choices=(1, 2), help="2: check second derivatives as well")
    oracles = ("auto", *ORACLES, "interval")
    check.add_argument(
        "--oracle", default="auto", choices=oracles, metavar="NAME",
        help=f"the independent derivative: {', '.join(oracles)} (default: %(default)s)",
    )  # fmt: skip
    check.add_argument(
        "--directions", type=_whole, metavar="N",
        help="check N random directions instead of every entry; 0: every entry, however many",
    )  # fmt: skip
    check.add_argument(
        "--seed", type=_whole, default=0, metavar="N", help="seed of random points, cotangents and directions"
    )
    check.add_argument("--curve", action="store_true", help="show the error of plain differences at each step")
    check.add_argument("--json", action="store_true", help="print the report as JSON")
    check.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="file for the drawing of a fault (default: NAME-fault.svg)"
    )


def _whole(given: str) -> int:
    if not re.fullmatch("[0-9]{1,18}", given):
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 0, and got {given!r}")
    return int(given)


def _check(options: argparse.Namespace) -> int:
    path, _, name = options.function.rpartition(":")
    if not path or not name:
        raise ValueError(f"expected FILE:FUNCTION, such as model.py:loss, and got {options.function!r}")
    quiet = redirect_stdout(sys.stderr) if options.json else nullcontext()  # the file's own output is not JSON
    with quiet, as_script(Path(path)):
        module = loaded(Path(path))
        f = function_of(module, path, name)
        gradient = None if options.gradient is None else function_of(module, path, options.gradient)
        report = _report(f, options, gradient, Path(path))
    if options.json:
        print(json.dumps(report.as_dict(), indent=1))
    else:
        print(report)
        if report.passed:  # otherwise, the report includes its point
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
            raise ValueError(f"the function exits Python at {inputs}") from None
        except Exception as error:  # shapes that do not fit may cause any error
            attempts.append(Attempt(error, told(f, inputs)))
    raise none_fits(attempts, path)


def _checked(f: Callable[..., Any], inputs: list[Any], chosen: dict[str, Any], path: Path) -> Report:
    """The report; an error of the function itself is reported with its line."""
    try:
        return check_gradients(f, *inputs, **chosen)
    except (Exception, SystemExit) as error:
        sentence = raised(error, path)
        if sentence is None:
            raise
        raise sentence from error
