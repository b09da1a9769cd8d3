"""Arguments at which a function is checked: from the command line, or drawn at random if none are given."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from autodiff.engine.trees import flatten
from autodiff.primitives.domain import Shape

__all__ = ["origin", "parameters", "parsed", "points", "told", "without_options"]


_NUMBER: Final[Shape] = ()
_VECTOR: Final[Shape] = (3,)
_MATRIX: Final[Shape] = (3, 3)
#: W, U2, X, w1, weight, weights_2, matrix.
_NAMES_OF_MATRICES: Final = re.compile(r"[A-Z]\w*|(w|weights?|matrix)(_?\d+)?")
_TYPES_OF_NUMBERS: Final = ("float", "int", "Value")


def parameters(f: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters of ``f`` that can be passed by position.

    Raises:
        ValueError: if f has no readable signature, or needs a keyword-only argument.
    """
    try:
        items = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        raise ValueError("this function has no readable signature; give its arguments with --at") from None
    by_name = [item.name for item in items if item.kind is item.KEYWORD_ONLY and item.default is item.empty]
    if by_name:
        raise ValueError(
            f"arguments are passed by position, and {by_name[0]} is keyword-only; check a function that calls this "
            f"one, such as def g(x): return f(x, {by_name[0]}=1.0)"
        )
    return [item for item in items if item.kind in (item.POSITIONAL_ONLY, item.POSITIONAL_OR_KEYWORD)]


def without_options(f: Callable[..., Any]) -> Callable[..., Any]:
    """``f`` as a function of its numeric arguments only: any default that is not a number stays fixed."""
    items = parameters(f)
    kept = [item for item in items if item.default is item.empty or _is_number(item.default)]
    if not kept:
        raise ValueError("this function has no numeric arguments; if it takes any, give them with --at")
    if len(kept) == len(items):
        return f
    names = [item.name for item in kept]

    def call(*given: Any) -> Any:
        values = dict(zip(names, given, strict=True))
        return f(*(values.get(item.name, item.default) for item in items))

    call.__name__ = getattr(f, "__name__", type(f).__name__)
    call.__signature__ = inspect.Signature(kept)  # type: ignore[attr-defined]
    return call


def _is_number(default: Any) -> bool:
    return all(isinstance(item, int | float | np.ndarray) and not isinstance(item, bool) for item in flatten(default))


def parsed(text: str) -> list[Any]:
    """The arguments in ``text``: Python literals separated by semicolons; lists of numbers become arrays.

    >>> parsed("2.0; [1, 2]")
    [2.0, array([1., 2.])]
    """
    try:
        return [_as_input(ast.literal_eval(part.strip())) for part in text.split(";")]
    except (ValueError, SyntaxError):
        raise ValueError(f'--at takes Python numbers and lists, such as "2.0; [1, 2]", and got {text!r}') from None


def _as_input(item: Any) -> Any:
    if isinstance(item, list):
        return np.array(item, dtype=float)
    if isinstance(item, dict):
        return {key: _as_input(part) for key, part in item.items()}
    return tuple(map(_as_input, item)) if isinstance(item, tuple) else item


def points(f: Callable[..., Any], seed: int) -> Iterator[list[Any]]:
    """Arguments to try, the most telling first: defaults where there are any, else matrices with vectors.

    A scalar argument shows few faults of a function of vectors, and vectors alone show no transposed matrix.
    """
    items = parameters(f)
    random = np.random.default_rng(seed)
    for shapes in _mixtures([item for item in items if item.default is item.empty]):
        drawn = iter([_drawn(random, shape) for shape in shapes])
        yield [_as_input(item.default) if item.default is not item.empty else next(drawn) for item in items]


def _mixtures(items: list[inspect.Parameter]) -> list[tuple[Shape, ...]]:
    """Shapes of the arguments, first those that their names suggest; an argument annotated as a number stays one."""
    n = len(items)
    if not n:
        return [()]
    named = tuple(_MATRIX if _NAMES_OF_MATRICES.fullmatch(item.name) else _VECTOR for item in items)
    with_vectors = [(_MATRIX,) * k + (_VECTOR,) * (n - k) for k in range(1, n)]
    tried = [named, *with_vectors[:1], (_VECTOR,) * n, (_MATRIX,) * n, *with_vectors[1:]]
    tried += [(_VECTOR,) * (n - 1) + (_NUMBER,), (_NUMBER,) * n]
    numbers = [_type_name(item.annotation) in _TYPES_OF_NUMBERS for item in items]
    pinned = [tuple(_NUMBER if is_number else x for x, is_number in zip(each, numbers, strict=True)) for each in tried]
    return list(dict.fromkeys(pinned))


def _type_name(annotation: Any) -> str:
    return str(getattr(annotation, "__name__", annotation)).rpartition(".")[2]


def _drawn(random: np.random.Generator, shape: Shape) -> Any:
    """Eighths between 1/8 and 2: positive, so that logarithms and roots are defined."""
    numbers = random.integers(1, 17, shape) / 8.0
    return numbers if shape else float(numbers)


def origin(f: Callable[..., Any]) -> str:
    """The origin of the arguments where none are given, in words.

    >>> origin(lambda w, x, rate=0.5: w)
    'w, x drawn at random'
    """
    drawn = [item.name for item in parameters(f) if item.default is item.empty]
    return f"{', '.join(drawn)} drawn at random" if drawn else "the defaults"


def told(f: Callable[..., Any], inputs: list[Any]) -> str:
    """The shapes of the arguments in words.

    >>> told(lambda w, x: w, [np.ones((3, 3)), 2.0])
    'w of shape (3, 3) and x a number'
    """
    return " and ".join(f"{item.name} {_told(x)}" for item, x in zip(parameters(f), inputs, strict=True))


def _told(x: Any) -> str:
    if isinstance(x, np.ndarray):
        return f"of shape {x.shape}"
    return "a number" if isinstance(x, int | float) else "its default"
