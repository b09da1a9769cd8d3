"""A function in a file of the user: loaded as if the file were run, with errors reported by line."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any, Final

__all__ = ["Attempt", "as_script", "function_of", "loaded", "none_fits", "raised"]

_LONGEST: Final = 200  # characters of an error that is quoted
_PACKAGES: Final = tuple(Path(__file__).resolve().parents[3] / name for name in ("autodiff", "nn"))
#: Errors that a function may raise for arguments that do not fit; any other error comes from its own code.
_OF_ARGUMENTS: Final = (TypeError, ValueError, IndexError, AttributeError, AssertionError)


@contextmanager
def as_script(path: Path) -> Iterator[None]:
    """In its body, imports work as if the file were run: its folder comes first, and a ``nn`` there hides this one."""
    folder = path.resolve().parent
    kept = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "nn"}
    nets = (folder / "nn.py", folder / "nn" / "__init__.py")
    has_another = folder / "nn" not in _PACKAGES and any(file.exists() for file in nets)
    hidden = kept if has_another else {}
    for name in hidden:
        del sys.modules[name]
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        if has_another:
            for name in [name for name in sys.modules if name.partition(".")[0] == "nn"]:
                del sys.modules[name]
            sys.modules.update(hidden)


def loaded(path: Path) -> ModuleType:
    """The module of a file.

    Raises:
        ValueError: if the file does not exist, is not a Python file, or raises an error, which is quoted with its line.
    """
    if not path.exists():
        raise ValueError(f"{path} does not exist")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if path.suffix != ".py" or not path.is_file() or spec is None or spec.loader is None:
        raise ValueError(f"expected a Python file, and got {path}")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ValueError(f"{path} cannot be run: {_text(error)}{_in_brackets(*_place(error, path))}") from error
    return module


def function_of(module: ModuleType, path: str, name: str) -> Callable[..., Any]:
    """The function ``name`` of the module; raises ValueError, which lists the functions there are, if it is not one."""
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
            f"{name} needs an instance of {owner}; write {one} = {owner}(…) in {path}, and check "
            f"{path}:{one}.{method}"
        )
    return found  # type: ignore[no-any-return]


def _needs_an_instance(module: ModuleType, name: str) -> bool:
    """Whether a name is that of a method that takes an instance first: defined in a class, and not static."""
    owner, _, method = name.rpartition(".")
    holder = attrgetter(owner)(module) if owner else None
    held = inspect.getattr_static(holder, method) if isinstance(holder, type) else None
    return hasattr(held, "__get__") and not isinstance(held, staticmethod | classmethod)


# ---- errors of the user's function -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attempt:
    """The error of a call, and its arguments in words."""

    error: BaseException
    arguments: str


def raised(error: BaseException, path: Path) -> ValueError | None:
    """The error of a function as one sentence; None if it was raised outside the user's files."""
    place = _place(error, path)
    return ValueError(f"the function raised {_text(error)}{_in_brackets(*place)}") if place else None


def none_fits(attempts: Sequence[Attempt], path: Path) -> ValueError:
    """The error to raise if every attempt failed: the function's own error, or the error for each kind of arguments.

    An error is the function's own if arguments cannot cause its type, or if it is the same for all arguments.
    """
    errors = [(_text(each.error), _place(each.error, path)) for each in attempts]
    own = (k for k, (_, place) in enumerate(errors) if place and not isinstance(attempts[k].error, _OF_ARGUMENTS))
    chosen = next(own, 0 if len(set(errors)) == 1 else None)
    if chosen is not None:
        error, arguments = attempts[chosen].error, attempts[chosen].arguments
        sentence = raised(error, path) or error
        return ValueError(f"{sentence}; it was called with {arguments}; give other arguments with --at")
    shapes: dict[str, list[str]] = {}
    for each, (text, place) in zip(attempts, errors, strict=True):
        shapes.setdefault(text + _in_brackets(*place[:1]), []).append(each.arguments)
    tried = "; ".join(f"with {', or '.join(arguments)}: {text}" for text, arguments in shapes.items())
    return ValueError(f"found no arguments that the function accepts; give them with --at. Tried {tried}")


def _place(error: BaseException, path: Path) -> tuple[str, ...]:
    """The line of the user's files where an error was raised: "file, line N" and its text; () if there is none."""
    folder = path.resolve().parent
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.is_absolute() and _is_own(file.resolve(), folder):
            return f"{path.parent / file.resolve().relative_to(folder)}, line {frame.lineno}", frame.line or ""
    return ()


def _is_own(file: Path, folder: Path) -> bool:
    foreign = "site-packages" in file.parts or any(file.is_relative_to(package) for package in _PACKAGES)
    return file.is_relative_to(folder) and not foreign


def _text(error: BaseException) -> str:
    """Type and message of an error in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:_LONGEST].removesuffix(": ")


def _in_brackets(*place: str) -> str:
    return f" ({': '.join(place)})" if place else ""
