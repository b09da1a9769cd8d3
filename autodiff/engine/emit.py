"""Writing Python source from the table: what `emit_values` and `emit_arrays`, for Values and for Tensors, share."""

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

#: What the file name of compiled source begins with.
WRITTEN: Final = "<autodiff "
_numbers: Final = count(1)


class NotAnExpressionError(Exception):
    """The primitive computes more than one expression can say, so there is no source to write."""


class _Tracer:
    """Stands for ``xp`` while a forward runs on symbols: every function of it leaves a call in the expression."""

    def __getattr__(self, name: str) -> Callable[..., Expression]:
        return lambda *operands, **params: Expression("xp", name, *operands, params=params)


_TRACER: Final = _Tracer()


def traced(entry: Primitive, slot: int | None, /, *operands: Any, **params: Any) -> Any:
    """What the forward of a primitive, or the rule for one ``slot``, gives for symbols.

    Raises NotAnExpressionError whatever comes up there: it may be a user's, and use anything that numbers have and
    symbols have not. Nothing else in the writing of code is expected to fail.
    """
    try:
        return entry.forward(_TRACER, *operands, **params) if slot is None else entry.rule(slot)(*operands, **params)
    except Exception as error:
        raise NotAnExpressionError(f"{entry.name}: {error}") from error


class Writer:
    """Lines of source, and the names of what they have computed already: each shared part is computed once."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.memo: dict[str, str] = {}

    def shared(self, text: str) -> str:
        """The variable that holds the value of ``text``, by a line of its own if it is new."""
        if text not in self.memo:
            self.memo[text] = f"t{len(self.memo)}"
            self.lines.append(f"{self.memo[text]} = {text}")
        return self.memo[text]


def is_name(text: Any) -> bool:
    """Whether ``text`` may stand in source as a name; what users call their primitives is data and never does."""
    return isinstance(text, str) and text.isidentifier() and not iskeyword(text)


def param(key: str) -> str:
    """What the params of a call are called in written source; users choose ``key``, such as ``g`` or ``x0``."""
    return f"param_{key}"


def passed(entry: Primitive) -> str:
    """The params of a call as source: a dict of what they are called there."""
    return "{" + ", ".join(f"{key!r}: {param(key)}" for key in entry.defaults) + "}"


def keywords(entry: Primitive, named: Callable[[str], str] = str) -> str:
    """The params as keyword arguments of a header, after its operands; ``named(key)`` is what each is called."""
    each = [named(key) + f"=_{key}" * (value is not Parameter.empty) for key, value in entry.defaults.items()]
    return "".join(f", {text}" for text in ["*", *each]) if each else ""


def handed_on(entry: Primitive) -> str:
    """The params of a call as keyword arguments of another call, after its operands."""
    return "".join(f", {key}={param(key)}" for key in entry.defaults)


def param_variables(entry: Primitive) -> dict[str, Expression]:
    """The params of a call as variables of expressions."""
    return {key: variable(param(key)) for key in entry.defaults}


def defaults_of(entry: Primitive) -> dict[str, Any]:
    """The defaults of the params by the names that they have in written source."""
    return {f"_{key}": value for key, value in entry.defaults.items()}


def words(lines: Iterable[str]) -> set[str]:
    """All names in ``lines``, but for keys: in quotes, or of keyword arguments."""
    return set(re.findall(r"(?<![\w'])[^\W\d]\w*(?![\w']|=param_)", " ".join(lines)))


def clash(keys: Collection[str], lines: Iterable[str], scope: Collection[str]) -> bool:
    """Whether a function with keyword arguments ``keys`` would hide a name that its body needs."""
    return bool(keys) and not words(lines).union(scope).isdisjoint(keys)


def filled(template: str, /, **parts: str | Sequence[str]) -> list[str]:
    r"""The lines of a template: ``$name`` alone in a line stands for a list of lines, indented as it is, else for text.

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


#: A share comes to ``$item``, which passes its signal on once the last one has come.
_DELIVERED: Final = """
    $added
    due = $item.due
    if due == 1:
        $ready
    else:
        $item.due = due - 1
"""


def delivered(item: str, added: str, ready: Sequence[str] = ()) -> list[str]:
    """Lines that deliver a share: ``added`` adds it to the signal, ``ready`` begins to pass that on."""
    return filled(_DELIVERED, item=item, added=added, ready=ready or [f"push({item})"])


def compiled(name: str, lines: list[str], scope: dict[str, Any]) -> Callable[..., Any]:
    """The function called ``function`` that ``lines`` define; tracebacks show its source."""
    source = "\n".join(lines) + "\n"
    spelled = name.encode("unicode_escape").decode("ascii")  # a path takes no null character and no half of a pair
    path = f"{WRITTEN}{spelled}, written from the table, {next(_numbers)}>"  # two primitives may have had one name
    linecache.cache[path] = (len(source), None, source.splitlines(keepends=True), path)
    found: dict[str, Any] = {}
    exec(compile(source, path, "exec"), scope, found)
    return found["function"]  # type: ignore[no-any-return]


def source_of(function: Callable[..., Any]) -> str:
    """The text that `compiled` was given for a function."""
    return "".join(linecache.getlines(function.__code__.co_filename))
