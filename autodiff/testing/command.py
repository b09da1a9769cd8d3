"""``autodiff check FILE:FUNCTION``: is this gradient right? For people who never read the documentation."""

from __future__ import annotations

import argparse
import ast
import importlib.util
import inspect
import json
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import nullcontext, redirect_stdout
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np

from autodiff.testing.check import check_gradients
from autodiff.testing.picture import drawing
from autodiff.testing.report import Report
from autodiff.tree import flatten

__all__ = ["add_check"]

_FAILED: Final = 1
#: What is tried for arguments without a default, the simplest first.
_SHAPES: Final = ((), (3,), (3, 3))


def add_check(commands: Any) -> None:
    """Add the command to the subparsers of the program."""
    check = commands.add_parser(
        "check",
        help="check the gradient of any function",
        description="Check the gradient of a function, written with this project's functions, at one point: every "
        "entry beside an independent derivative with its error. A wrong one is named, blamed and drawn. Without --at, "
        "the function's default arguments are used, and random numbers, vectors or matrices for the others.",
    )
    check.set_defaults(run=_check)
    check.add_argument("function", metavar="FILE:FUNCTION", help="such as model.py:loss")
    check.add_argument("--at", metavar="X; X; …", help='the arguments as Python, such as "2.0; [[1, 2], [3, 4]]"')
    check.add_argument("--gradient", metavar="NAME", help="a function of the file that computes the gradient")
    check.add_argument("--order", type=int, default=1, choices=(1, 2), help="2: the second derivatives as well")
    check.add_argument("--seed", type=_seed, default=0, metavar="N", help="of random points and cotangents")
    check.add_argument("--curve", action="store_true", help="show the error of plain differences over the step")
    check.add_argument("--json", action="store_true", help="print the report as data")
    check.add_argument("--output", type=Path, metavar="FILE", help="where a fault is drawn (default: NAME-fault.svg)")


def _seed(given: str) -> int:
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
        print(json.dumps(report.as_dict(), ensure_ascii=False, indent=1))
    else:
        print(report)
    if report.failed and report.blame is not None and report.blame.graph is not None:
        saved = drawing(report).save(options.output or f"{name}-fault.svg")
        print(f"\nWrote {saved.path} (drawn by {saved.engine}).", file=sys.stderr if options.json else sys.stdout)
    return _FAILED if report.failed else 0


def _loaded(path: Path) -> ModuleType:
    """The module of a file, with its folder on the path as if it were run."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if path.suffix != ".py" or not path.is_file() or spec is None or spec.loader is None:
        raise ValueError(f"a function is read from a Python file that is there, and got {path}")
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
    return found  # type: ignore[no-any-return]


def _report(f: Callable[..., Any], options: argparse.Namespace, gradient: Callable[..., Any] | None) -> Report:
    chosen = {"order": options.order, "gradient": gradient, "seed": options.seed, "curve": options.curve}
    if options.at is not None:
        return _checked(f, _parsed(options.at), chosen)
    f = _without_options(f)
    refusals = []
    for inputs in _points(f, options.seed):
        try:
            f(*inputs) if gradient is not None else None
            return check_gradients(f, *inputs, **chosen)
        except SystemExit:
            raise ValueError(f"the function ends Python at {inputs}") from None
        except Exception as error:  # shapes that do not fit may end in any error
            refusals.append(f"{type(error).__name__}: {' '.join(str(error).split())}")
    raise ValueError(f"no arguments were found that the function takes; give them with --at ({refusals[0]})")


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


def _without_options(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function of those arguments that may be differentiated: a default that is no number stays what it is."""
    kept = [item for item in _parameters(f) if item.default is item.empty or _is_number(item.default)]
    if len(kept) == len(_parameters(f)):
        return f
    names = [item.name for item in kept]

    def call(*given: Any) -> Any:
        values = dict(zip(names, given, strict=True))
        return f(*(values.get(item.name, item.default) for item in _parameters(f)))

    call.__name__ = getattr(f, "__name__", type(f).__name__)
    call.__signature__ = inspect.Signature(kept)  # type: ignore[attr-defined]
    return call


def _is_number(default: Any) -> bool:
    return all(isinstance(item, int | float | np.ndarray) and not isinstance(item, bool) for item in flatten(default))


def _parameters(f: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        items = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        raise ValueError("this function does not say what its arguments are; give them with --at") from None
    return [item for item in items if item.kind in (item.POSITIONAL_ONLY, item.POSITIONAL_OR_KEYWORD)]


def _parsed(text: str) -> list[Any]:
    """The arguments in ``text``, as Python literals with lists of numbers as arrays."""
    try:
        return [_as_input(ast.literal_eval(part.strip())) for part in text.split(";")]
    except (ValueError, SyntaxError):
        raise ValueError(f'arguments are Python numbers and lists, such as "2.0; [1, 2]", and got {text!r}') from None


def _as_input(item: Any) -> Any:
    if isinstance(item, list):
        return np.array(item, dtype=float)
    if isinstance(item, dict):
        return {key: _as_input(part) for key, part in item.items()}
    return tuple(map(_as_input, item)) if isinstance(item, tuple) else item


def _points(f: Callable[..., Any], seed: int) -> Iterator[list[Any]]:
    """Arguments to try: defaults where there are some, else numbers, vectors, matrices, and mixtures of them."""
    items = _parameters(f)
    random = np.random.default_rng(seed)
    open_ones = sum(item.default is item.empty for item in items)
    mixtures = [(shape,) * open_ones for shape in _SHAPES]
    mixtures += [((3, 3),) * k + ((3,),) * (open_ones - k) for k in range(1, open_ones)]
    mixtures += [((3,),) * (open_ones - 1) + ((),)] if open_ones > 1 else []
    for shapes in mixtures:
        drawn = iter([_drawn(random, shape) for shape in shapes])
        yield [_as_input(item.default) if item.default is not item.empty else next(drawn) for item in items]


def _drawn(random: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Eighths between 1/8 and 2: positive, so that logarithms and roots are defined."""
    numbers = random.integers(1, 17, shape) / 8.0
    return numbers if shape else float(numbers)
