"""``autodiff check FILE:FUNCTION``: is this gradient right? For people who never read the documentation."""

from __future__ import annotations

import argparse
import importlib.util
import inspect
import json
import re
import sys
import traceback
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from autodiff.testing.arguments import origin, parsed, points, told, without_options
from autodiff.testing.check import check_gradients
from autodiff.testing.oracles import ORACLES
from autodiff.testing.picture import drawing
from autodiff.testing.report import Report

__all__ = ["add_check"]

_FAILED: Final = 1
_UNDECIDED: Final = 3
_LONGEST: Final = 200  # characters of an error that is told again


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
    check.add_argument("--output", type=Path, metavar="FILE", help="where a fault is drawn (default: NAME-fault.svg)")


def _whole(given: str) -> int:
    if not re.fullmatch("[0-9]{1,18}", given):
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 0, and got {given!r}")
    return int(given)


def _check(options: argparse.Namespace) -> int:
    path, _, name = options.function.rpartition(":")
    if not path or not name:
        raise ValueError(f"a function is named as FILE:FUNCTION, such as model.py:loss, and got {options.function!r}")
    with redirect_stdout(sys.stderr) if options.json else nullcontext():  # what the file prints is no JSON
        module = _loaded(Path(path))
        f = _function(module, path, name)
        gradient = None if options.gradient is None else _function(module, path, options.gradient)
        report = _report(f, options, gradient)
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
    if report.failed:
        return _FAILED
    return 0 if any(finding.verdict.decided for finding in report.findings) else _UNDECIDED


def _loaded(path: Path) -> ModuleType:
    """The module of a file, with its folder on the path as if it were run."""
    if not path.exists():
        raise ValueError(f"{path} does not exist")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if path.suffix != ".py" or not path.is_file() or spec is None or spec.loader is None:
        raise ValueError(f"a function is read from a Python file, and {path} is none")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ValueError(f"{path} cannot be run: {type(error).__name__}: {error}") from error
    finally:
        sys.path.pop(0)
    return module


def _function(module: ModuleType, path: str, name: str) -> Callable[..., Any]:
    try:
        found = attrgetter(name)(module)
    except AttributeError:
        found = None
    if not callable(found):
        own = [
            key
            for key, item in vars(module).items()
            if inspect.isfunction(item) and item.__module__ == module.__name__ and not key.startswith("_")
        ]
        raise ValueError(f"{path} has no function {name}; it has {', '.join(own) or 'none'}")
    if _needs_an_instance(module, name):
        owner, _, method = name.rpartition(".")
        one = owner.rpartition(".")[2].lower()
        raise ValueError(
            f"{name} is called on a {owner}, and none was made; write {one} = {owner}(…) in {path}, and name "
            f"{path}:{one}.{method}"
        )
    return found  # type: ignore[no-any-return]


def _needs_an_instance(module: ModuleType, name: str) -> bool:
    """Whether a name is that of a method that Python would call with an instance first: of a class, and not static."""
    owner, _, method = name.rpartition(".")
    holder = attrgetter(owner)(module) if owner else None
    held = inspect.getattr_static(holder, method) if isinstance(holder, type) else None
    return hasattr(held, "__get__") and not isinstance(held, staticmethod | classmethod)


def _report(f: Callable[..., Any], options: argparse.Namespace, gradient: Callable[..., Any] | None) -> Report:
    chosen = {
        "order": options.order, "gradient": gradient, "oracle": options.oracle, "directions": options.directions,
        "seed": options.seed, "curve": options.curve,
    }  # fmt: skip
    if options.at is not None:
        return _checked(f, parsed(options.at), chosen)
    f = without_options(f)
    refusals: dict[str, list[str]] = {}
    for inputs in points(f, options.seed):
        try:
            f(*inputs) if gradient is not None else None
            return check_gradients(f, *inputs, **chosen)
        except SystemExit:
            raise ValueError(f"the function ends Python at {inputs}") from None
        except Exception as error:  # shapes that do not fit may end in any error
            text = f"{type(error).__name__}: {' '.join(str(error).split())}"[:_LONGEST]
            refusals.setdefault(text, []).append(told(f, inputs))
    tried = "; ".join(f"with {', or '.join(shapes)}: {text}" for text, shapes in refusals.items())
    raise ValueError(f"no arguments were found that the function takes; give them with --at. Tried {tried}")


def _checked(f: Callable[..., Any], inputs: list[Any], chosen: dict[str, Any]) -> Report:
    """The report; an error of the function itself is told where it was raised."""
    try:
        return check_gradients(f, *inputs, **chosen)
    except (Exception, SystemExit) as error:
        source = getattr(inspect.unwrap(f), "__code__", None)
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if source is not None and frame.filename == source.co_filename]
        if not own:
            raise
        where = f"{own[-1].filename}, line {own[-1].lineno}: {own[-1].line}"
        raise ValueError(f"the function raised {type(error).__name__}: {error} ({where})") from error
