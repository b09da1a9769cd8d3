"""Find the list that is being indexed, from the frame that indexes it.

An object's ``__index__`` is not told which list asks. But the instruction that runs has a place in the source, and the
expression before its brackets can be evaluated again if that has no side effects: names, attributes that are no
properties, and items of lists and dicts.
"""

from __future__ import annotations

import ast
import dis
import inspect
import linecache
from functools import cached_property, lru_cache
from itertools import islice
from types import CodeType, FrameType
from typing import Any, Final

import numpy as np

__all__ = ["UnknownError", "container_of", "is_call_of"]


class UnknownError(Exception):
    """The expression is not one that can be evaluated again."""


#: Opcodes of ``a[b]``; since Python 3.14 it is one of the binary operations.
_SUBSCRIPTS: Final = frozenset(dis.opmap[name] for name in ("BINARY_SUBSCR", "BINARY_OP") if name in dis.opmap)
_CALLS: Final = frozenset(number for name, number in dis.opmap.items() if name.startswith("CALL"))


def container_of(frame: FrameType, index: Any, found: Any) -> Any:
    """What the running instruction of ``frame`` indexes by ``index``; raises `UnknownError`, as for a slice.

    ``found(container, index)`` answers for an item that an integer of the recording picked.
    """
    code = frame.f_code
    if code.co_code[frame.f_lasti] not in _SUBSCRIPTS:
        raise UnknownError
    tree = _expression(code, frame.f_lasti)
    if not isinstance(tree, ast.Subscript) or _value(tree.slice, frame, found) is not index:
        raise UnknownError
    return _value(tree.value, frame, found)


def is_call_of(frame: FrameType, functions: tuple[Any, ...]) -> bool:
    """Whether the running instruction of ``frame`` calls one of these functions by a name."""
    if frame.f_code.co_code[frame.f_lasti] not in _CALLS:
        return False
    tree = _expression(frame.f_code, frame.f_lasti)
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        return False
    try:
        return _value(tree.func, frame, None) in functions
    except UnknownError:
        return False


@lru_cache(4096)
def _expression(code: CodeType, place: int) -> ast.expr | None:
    """The expression of the instruction at ``place``; None if the source is not known."""
    line, last, start, end = next(islice(code.co_positions(), place // 2, None))
    if line is None or last is None or start is None or end is None:
        return None
    lines = [text.encode() for text in linecache.getlines(code.co_filename)[line - 1 : last]]
    if len(lines) != last - line + 1:
        return None
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    try:
        return ast.parse(b"(" + b"".join(lines) + b"\n)", mode="eval").body
    except SyntaxError:
        return None


def _value(tree: ast.expr, frame: FrameType, found: Any) -> Any:
    if isinstance(tree, ast.Constant):
        return tree.value
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub) and isinstance(tree.operand, ast.Constant):
        return -tree.operand.value  # type: ignore[operator]
    if isinstance(tree, ast.Name):
        for names in (frame.f_locals, frame.f_globals, frame.f_builtins):
            if tree.id in names:
                return names[tree.id]
        raise UnknownError
    if isinstance(tree, ast.Attribute):
        return _attribute(_value(tree.value, frame, found), tree.attr)
    if isinstance(tree, ast.Subscript):
        return _item(_value(tree.value, frame, found), _value(tree.slice, frame, found), found)
    raise UnknownError


def _attribute(owner: Any, name: str) -> Any:
    try:
        static = inspect.getattr_static(owner, name)
    except AttributeError:
        raise UnknownError from None
    if isinstance(static, property | cached_property) or hasattr(type(owner), "__getattr__"):
        raise UnknownError
    return getattr(owner, name)


def _item(container: Any, index: Any, found: Any) -> Any:
    if type(container) not in (list, tuple, dict) and not isinstance(container, np.ndarray):
        raise UnknownError
    if type(index) in (int, str):
        return container[index]
    return found(container, index)
