"""Places of definitions: file, line, text, and the ``#:`` comment above names without a docstring."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from autodiff.primitives.primitive import Primitive

__all__ = ["Source", "assignment", "comment", "definition"]

_OWN: Final = ("autodiff.", "nn.")


@dataclass(frozen=True, slots=True)
class Source:
    """A place in this project: the path from its root, the line (1-based), the text, and the comment."""

    path: str
    line: int
    text: str
    comment: str = ""


def definition(item: Any) -> Source | None:
    """The place where a function, a class or a primitive is defined; None for anything else.

    The text of a primitive is its entry in the table, the text of a function omits the docstring, and the text of a
    class is its first line.

    >>> from autodiff import exp
    >>> definition(exp).path
    'autodiff/primitives/table/elementwise.py'
    """
    if isinstance(item, Primitive):
        module = item.forward.__module__
        return _definitions(module).get(f"primitive {item.name}") if module.startswith(_OWN) else None
    item = inspect.unwrap(getattr(item, "__func__", item))
    module = getattr(item, "__module__", None) or ""
    if not module.startswith(_OWN):
        return None
    found = _definitions(module)
    return found.get(item.__qualname__) or found.get(item.__name__)  # hypothesis wraps a strategy in a function


def assignment(name: str) -> Source | None:
    """The first place where a module of this project assigns a public name, such as that of a type.

    >>> assignment("TABLE").comment
    'All primitives by name, in the order of their definition.'
    """
    for module in sorted(each for each in sys.modules if each.startswith(_OWN)):
        found = _definitions(module).get(name)
        if found is not None and not found.text.startswith(("def ", "class ")):
            return found
    return None


def comment(kind: type, attribute: str) -> str:
    """The ``#:`` comment above an attribute in the class body; "" if there is none.

    >>> from autodiff.testing import Verdict
    >>> comment(Verdict, "JUMP")
    'f jumps here, or its slope is infinite.'
    """
    for base in kind.__mro__:
        if base.__module__.startswith(_OWN):
            found = _definitions(base.__module__).get(f"{base.__qualname__}.{attribute}")
            if found is not None:
                return found.comment
    return ""


@cache
def _definitions(module: str) -> Mapping[str, Source]:
    """All definitions of a module by qualified name; an entry of the table is ``primitive`` plus its name."""
    loaded = sys.modules[module]
    if not getattr(loaded, "__file__", None):
        return {}
    lines = inspect.getsource(loaded).splitlines()
    file = "/__init__.py" if hasattr(loaded, "__path__") else ".py"
    path = module.replace(".", "/") + file
    return {
        name: Source(path, node.lineno, _text(node, lines), _comment_above(node, lines))
        for name, node in _named(ast.parse("\n".join(lines)).body)
    }


def _named(body: Sequence[ast.stmt], owner: str = "") -> Iterator[tuple[str, ast.stmt]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield owner + node.name, node
        if isinstance(node, ast.ClassDef):
            yield from _named(node.body, f"{owner}{node.name}.")
        if isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield owner + ast.unparse(target), node
            match node.value:
                case ast.Call(args=[ast.Constant(value=str(name)), *_]) if "primitive" in ast.unparse(node.value.func):
                    yield f"primitive {name}", node


def _text(node: ast.stmt, lines: Sequence[str]) -> str:
    """The lines of a definition without its docstring; for a class, only the first line."""
    first, last = node.lineno, node.end_lineno or node.lineno
    if isinstance(node, ast.ClassDef):
        return lines[first - 1].strip()
    kept = lines[first - 1 : last]
    if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None and len(node.body) > 1:
        begin, end = node.body[0].lineno, node.body[0].end_lineno or node.body[0].lineno
        end += not lines[end].strip()  # skip the empty line after a long docstring
        kept = [*lines[first - 1 : begin - 1], *lines[end:last]]
    indent = " " * node.col_offset
    return "\n".join(line.removeprefix(indent) for line in kept)


def _comment_above(node: ast.stmt, lines: Sequence[str]) -> str:
    """The ``#:`` lines directly above a definition."""
    found: list[str] = []
    for line in reversed(lines[: node.lineno - 1]):
        if not line.strip().startswith("#: "):
            break
        found.insert(0, line.strip()[3:])
    return " ".join(found)
