"""Generating Python source from the table: the parts common to `emit_values` (Values) and `emit_arrays` (Tensors)."""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from inspect import Parameter
from itertools import count
from keyword import iskeyword
from string import Template
from textwrap import dedent
from typing import Any, Final

from autodiff.primitives.expression import Expression, variable
from autodiff.primitives.primitive import Primitive

__all__ = [
    "WRITTEN", "NotAnExpressionError", "Writer", "clash", "compiled", "defaults_of", "delivered", "filled", "handed_on",
    "is_name", "keywords", "param", "param_variables", "passed", "source_of", "traced", "words",
]  # fmt: skip

#: The prefix of the file names of generated source.
WRITTEN: Final = "<autodiff "
_numbers: Final = count(1)


class NotAnExpressionError(Exception):
    """The primitive cannot be written as a single expression, so no source is generated for it."""


class _Tracer:
    """Replaces ``xp`` while a forward runs on symbols: calling one of its functions builds an expression."""

    def __getattr__(self, name: str) -> Callable[..., Expression]:
        return lambda *operands, **params: Expression("xp", name, *operands, params=params)


_TRACER: Final = _Tracer()


def traced(entry: Primitive, slot: int | None, /, *operands: Any, **params: Any) -> Any:
    """Run the forward of a primitive, or its rule for one ``slot``, on symbols.

    Any exception becomes NotAnExpressionError, because a user-defined primitive may use operations that numbers have
    and symbols lack. No other step of code generation is expected to fail.
    """
    try:
        return entry.forward(_TRACER, *operands, **params) if slot is None else entry.rule(slot)(*operands, **params)
    except Exception as error:
        raise NotAnExpressionError(f"{entry.name}: {error}") from error


class Writer:
    """Lines of source, and the names of the parts computed so far: each shared part is computed once."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.memo: dict[str, str] = {}

    def shared(self, text: str) -> str:
        """The variable that holds the value of ``text``; a new value adds one line."""
        if text not in self.memo:
            self.memo[text] = f"t{len(self.memo)}"
            self.lines.append(f"{self.memo[text]} = {text}")
        return self.memo[text]


def is_name(text: Any) -> bool:
    """Whether ``text`` can be used as a name in source; the names of user-defined primitives are data and never are."""
    return isinstance(text, str) and text.isidentifier() and not iskeyword(text)


def param(key: str) -> str:
    """The name of a param in generated source, free of clashes with a user's ``key`` such as ``g`` or ``x0``."""
    return f"param_{key}"


def passed(entry: Primitive) -> str:
    """The params of a call as the source of a dict."""
    return "{" + ", ".join(f"{key!r}: {param(key)}" for key in entry.defaults) + "}"


def keywords(entry: Primitive, named: Callable[[str], str] = str) -> str:
    """The params as keyword-only parameters of a function header, after its operands, each called ``named(key)``."""
    each = [named(key) + f"=_{key}" * (value is not Parameter.empty) for key, value in entry.defaults.items()]
    return "".join(f", {text}" for text in ["*", *each]) if each else ""


def handed_on(entry: Primitive) -> str:
    """The params of a call as keyword arguments of another call, after the operands."""
    return "".join(f", {key}={param(key)}" for key in entry.defaults)


def param_variables(entry: Primitive) -> dict[str, Expression]:
    """The params of a call as variables in expressions."""
    return {key: variable(param(key)) for key in entry.defaults}


def defaults_of(entry: Primitive) -> dict[str, Any]:
    """The defaults of the params, by the names of those defaults in generated source."""
    return {f"_{key}": value for key, value in entry.defaults.items()}


def words(lines: Iterable[str]) -> set[str]:
    """All names in ``lines`` except keys, in quotes or of keyword arguments."""
    return set(re.findall(r"(?<![\w'])[^\W\d]\w*(?![\w']|=param_)", " ".join(lines)))


def clash(keys: Collection[str], lines: Iterable[str], scope: Collection[str]) -> bool:
    """Whether a function with keyword arguments ``keys`` would shadow a name that its body needs."""
    return bool(keys) and not words(lines).union(scope).isdisjoint(keys)


def filled(template: str, /, **parts: str | Sequence[str]) -> list[str]:
    r"""Fill in a template: ``$name`` alone on a line is replaced by lines with its indentation, elsewhere by text.

    >>> filled("if $x is None:\n    $lines", x="a0", lines=["a0 = 1", "b0 = 2"])
    ['if a0 is None:', '    a0 = 1', '    b0 = 2']
    """
    lines = []
    for line in dedent(template).strip("\n").split("\n"):
        indent, name = line[: len(line) - len(line.lstrip())], line.strip().removeprefix("$")
        block = parts.get(name, "") if line.strip() == f"${name}" else ""
        if isinstance(block, str):
            lines.append(Template(line).substitute(parts))
        else:
            lines += [indent + each for each in block]
    return lines


#: Deliver a share to ``$item``, which passes its signal on after the last share has arrived.
_DELIVERED: Final = """
    $added
    due = $item.due
    if due == 1:
        $ready
    else:
        $item.due = due - 1
"""


def delivered(item: str, added: str, ready: Sequence[str] = ()) -> list[str]:
    """Lines that deliver a share: ``added`` adds it to the signal, ``ready`` starts to pass the signal on."""
    return filled(_DELIVERED, item=item, added=added, ready=ready or [f"push({item})"])


def compiled(name: str, lines: list[str], scope: dict[str, Any]) -> Callable[..., Any]:
    """Compile ``lines`` and return the function called ``function`` that they define; tracebacks show its source."""
    source = "\n".join(lines) + "\n"
    spelled = name.encode("unicode_escape").decode("ascii")  # a path holds no null character and no lone surrogate
    path = f"{WRITTEN}{spelled}, written from the table, {next(_numbers)}>"  # names can be reused for other primitives
    linecache.cache[path] = (len(source), None, source.splitlines(keepends=True), path)
    found: dict[str, Any] = {}
    exec(compile(source, path, "exec"), scope, found)
    return found["function"]  # type: ignore[no-any-return]


def source_of(function: Callable[..., Any]) -> str:
    """The source text from which `compiled` made a function."""
    return "".join(linecache.getlines(function.__code__.co_filename))
