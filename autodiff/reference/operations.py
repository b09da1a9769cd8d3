"""The contents of the reference: every operation with its derivative, and the status of NumPy's functions.

Both are read from their definitions: operations from the table, NumPy's functions from the modules that handle them.

>>> [operation.derivatives for operation in selected(everything(), ["np.sqrt"]).operations]
[('∂z/∂x = 1/(2·z)',)]
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from inspect import Parameter
from typing import Final

from autodiff.primitives import table as ops
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import TABLE
from autodiff.primitives.signatures import signature_of
from autodiff.values.compositions import COMPOSITIONS, numpy_function
from autodiff.values.numpy_protocol import QUESTIONS, spelled
from autodiff.values.refusals import REFUSED

__all__ = ["MADE", "Function", "Group", "Operation", "Reference", "everything", "inputs", "selected", "topics"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the table; ``topic`` names the module that defines it, ``numpy`` are names such as np.exp."""

    topic: str
    name: str
    symbol: str
    internal: bool
    formula: str
    derivatives: tuple[str, ...]
    domain: str
    numpy: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A NumPy function that is not an operation, such as np.linalg.norm; ``reason`` says why if it is refused."""

    name: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """NumPy functions that are handled in the same way, described by ``sentence``."""

    title: str
    sentence: str
    functions: tuple[Function, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """The contents of the reference, or a selection."""

    operations: tuple[Operation, ...]
    groups: tuple[Group, ...]


MADE: Final = (
    "NumPy functions made of these operations",
    "On nodes, they are recorded as the operations they are composed of and have derivatives of any order. An argument "
    "without a rule raises an error.",
)
_ASKING: Final = (
    "NumPy functions without a derivative",
    "On nodes, they compute with the plain data. Nothing is recorded, so no error signal passes through them.",
)
_REFUSING: Final = ("NumPy functions that are refused", "On nodes, they raise an error.")

_OWN_TOPIC: Final = "User-defined"
_X: Final = re.compile(r"\bx\b")


# ---- contents --------------------------------------------------------------------------------------------------------


def everything() -> Reference:
    """Every operation of the table, and the other functions of the installed NumPy that are handled or refused."""
    made = [Function(f"np.{name}") for name in sorted(COMPOSITIONS) if numpy_function(name) is not None]
    asking = [Function(name) for name in sorted(map(spelled, QUESTIONS))]
    refusing = [
        Function(f"np.{name}", reason) for name, reason in sorted(REFUSED.items()) if numpy_function(name) is not None
    ]
    groups = ((MADE, made), (_ASKING, asking), (_REFUSING, refusing))
    exported = {name for topic in ops.__all__ for name in getattr(ops, topic).__all__}
    return Reference(
        tuple(_operation(entry, exported) for entry in TABLE.values()),
        tuple(Group(*told, tuple(functions)) for told, functions in groups),
    )


def _operation(entry: Primitive, exported: Collection[str]) -> Operation:
    names = inputs(entry)
    return Operation(
        topic=entry.forward.__module__.rpartition(".")[2].capitalize() if entry.built_in else _OWN_TOPIC,
        name=entry.name,
        symbol="" if entry.symbol == entry.name else entry.symbol,
        internal=entry.built_in and entry.name not in exported,
        formula=" ".join(entry.doc.split()),
        derivatives=_derivatives(entry, names),
        domain=_domain(entry, names),
        numpy=tuple(dict.fromkeys(map(spelled, entry.numpy))),
    )


def inputs(entry: Primitive) -> Sequence[str]:
    """The names of the inputs in the forward, such as w, x, b, unless they clash with g and z in formulas."""
    signature = signature_of(entry.forward)
    found = list(signature.parameters.values())[1:] if signature is not None else []
    names = [item.name for item in found if item.kind is Parameter.POSITIONAL_OR_KEYWORD]
    return names if len(names) == entry.arity and not {"g", "z"} & {*names} else entry.letters


def _derivatives(entry: Primitive, names: Sequence[str]) -> tuple[str, ...]:
    top = "∂z" if entry.elementwise else "∂J"
    found = [f"{top}/∂{name} = {entry.formula(k, names)}" for k, name in enumerate(names)]
    return tuple(found) if entry.arity else (f"with inputs {', '.join(names)}:", *found)


def _domain(entry: Primitive, names: Sequence[str]) -> str:
    """One text if it holds for all inputs, else one text for each."""
    texts = [domain.text for domain in entry.domain]
    if len({*texts}) == 1 and not _X.search(texts[0]):
        return texts[0]
    return "; ".join(_domain_of(name, text) for name, text in zip(names, texts, strict=False))


def _domain_of(name: str, text: str) -> str:
    """A domain text, written for x, with the name of the input."""
    return _X.sub(name, text) if _X.search(text) else f"{name}: {text}"


# ---- looking up ------------------------------------------------------------------------------------------------------


def selected(found: Reference, names: Sequence[str]) -> Reference:
    """The rows with these names: by exact name if any match, else by symbol, else rows that contain the name.

    A name may be that of an operation or of a NumPy function, with or without ``np.``.

    Raises:
        ValueError: if no row matches a name.

    >>> [operation.name for operation in selected(everything(), ["arct"]).operations]
    ['arctan', 'arctan2', 'arctanh']
    """
    chosen = {row for name in names for row in _rows(found, name)}
    groups = (
        Group(group.title, group.sentence, tuple(row for row in group.functions if row in chosen))
        for group in found.groups
    )
    return Reference(
        tuple(row for row in found.operations if row in chosen), tuple(group for group in groups if group.functions)
    )


_Row = Operation | Function


def _rows(found: Reference, name: str) -> list[_Row]:
    rows: list[_Row] = [*found.operations, *(row for group in found.groups for row in group.functions)]
    bare = re.sub(r"^(np|numpy)\.", "", name.strip())
    asked = {bare, *_meant(bare, rows)}
    ways: tuple[Callable[[_Row], bool], ...] = (
        lambda row: not asked.isdisjoint(_names(row)),
        lambda row: isinstance(row, Operation) and row.symbol == bare,
        lambda row: any(bare.casefold() in each for each in _names(row)),
    )
    for way in ways if bare else ():
        if matching := [row for row in rows if way(row)]:
            return matching
    raise ValueError(_unknown(name, bare, rows))


def _meant(bare: str, rows: Iterable[_Row]) -> Iterator[str]:
    """Other names of a NumPy function: abs for absolute, and linalg.norm for the operation norm."""
    function = numpy_function(bare)
    name = spelled(function).removeprefix("np.") if hasattr(function, "__name__") else ""
    if function is not None and numpy_function(name) is function:  # np.random.power claims to be np.power
        yield name
    for row in rows:
        if isinstance(row, Function) and not row.reason and row.name == f"np.{bare}":
            yield bare.rpartition(".")[2]


def _names(row: _Row) -> set[str]:
    """The names that find a row: its name, those of its NumPy functions, and norm for linalg.norm."""
    if isinstance(row, Operation):
        return {row.name, *(name.removeprefix("np.") for name in row.numpy)}
    name = row.name.removeprefix("np.")
    return {name, name.rpartition(".")[2]}


def _unknown(name: str, bare: str, rows: Iterable[_Row]) -> str:
    known = sorted({each for row in rows for each in _names(row)})
    inside = sorted(
        (each for each in known if len(each) > 2 and each in bare), key=lambda each: (len(each), bare.startswith(each))
    )
    close = inside[-1:] or get_close_matches(bare, known, n=1, cutoff=0.7)
    advice = f"did you mean {close[0]}?" if close else "autodiff table lists all of them"
    return f"the table has no operation or NumPy function {name!r}; {advice}"


def topics(found: Reference) -> Iterator[tuple[str, list[Operation]]]:
    """The operations of each topic, in the order of the table."""
    for topic in dict.fromkeys(operation.topic for operation in found.operations):
        yield topic, [operation for operation in found.operations if operation.topic == topic]
