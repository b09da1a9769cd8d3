"""A recorded graph as Python that computes it again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import count
from keyword import iskeyword
from typing import Any, Final
from unicodedata import normalize

import numpy as np

from autodiff.engine.graph import Node
from autodiff.testing.random_programs.literals import literal, spelled

__all__ = ["python_of"]

_MOST_PRINTED: Final = 36
_TAKEN: Final = frozenset({"ad", "np", "output", "float"})


def python_of(nodes: Sequence[Node], outputs: Sequence[Node]) -> str:
    """Python source that computes ``outputs``; inputs of ``nodes`` that are not among them become leaves.

    Leaves keep their names if these are valid and free in Python; others are called x0, x1, …, detached ones c0, c1, …,
    and results v1, v2, …. Arrays of more than 36 numbers are replaced by ones, with a comment.

    >>> from autodiff import Value, topological
    >>> x = Value(2.0, name="x")
    >>> y = x * x
    >>> print(python_of(topological(y), [y]))
    x = ad.Value(2.0)
    v1 = ad.multiply(x, x)
    """
    names = _names(nodes)
    lines = [line for node in _leaves(nodes) for line in _leaf(node, names[node])]
    lines += [line for node in nodes if not node.is_leaf for line in _call(node, names)]
    results = ", ".join(names[output] for output in outputs)
    return "\n".join(lines if len(outputs) == 1 else [*lines, f"output = [{results}]"])


def _leaves(nodes: Sequence[Node]) -> list[Node]:
    """The nodes from which the program starts, in the order of first use."""
    steps = {node for node in nodes if not node.is_leaf}
    met = (item for node in nodes for item in ((node,) if node.is_leaf else node.inputs) if isinstance(item, Node))
    return [item for item in dict.fromkeys(met) if item not in steps]


def _names(nodes: Sequence[Node]) -> dict[Node, str]:
    """A unique name for every node; leaves that have a name come first."""
    steps = [node for node in nodes if not node.is_leaf]
    names = {node: f"v{k}" for k, node in enumerate(steps, 1)}
    taken = {*_TAKEN, *names.values()}
    leaves = _leaves(nodes)
    for node in leaves:
        wanted = re.sub(r"\W+", "_", normalize("NFKC", node.name or "")).strip("_")  # as Python reads a name
        if wanted.isidentifier() and not iskeyword(wanted) and wanted not in taken and not node.is_detached:
            names[node] = wanted
            taken.add(wanted)
    fresh = {letter: _fresh(letter, taken) for letter in "cx"}
    names |= {node: next(fresh["c" if node.is_detached else "x"]) for node in leaves if node not in names}
    return names


def _fresh(letter: str, taken: set[str]) -> Iterator[str]:
    return (name for k in count() if (name := f"{letter}{k}") not in taken)


def _leaf(node: Node, name: str) -> Iterator[str]:
    yield from _hidden(name, node._data)
    detached = ".detach()" if node.is_detached else ""
    yield f"{name} = ad.{type(node).__name__}({_shown(node._data)}){detached}"


def _call(node: Node, names: dict[Node, str]) -> Iterator[str]:
    entry: Any = node.primitive
    constants = [*(item for item in node.inputs if not isinstance(item, Node)), *node.origin.params.values()]
    for item in constants:
        yield from _hidden(f"a constant of {names[node]}", item)
    operands = ", ".join(names[item] if isinstance(item, Node) else _shown(item) for item in node.inputs)
    operands = f"[{operands}]" if entry.packed or (entry.reduces and node.scalar) else operands
    params = "".join(f", {key}={_shown(item)}" for key, item in node.origin.params.items())
    yield f"{names[node]} = {spelled(entry)}({operands}{params})"


def _is_long(item: Any) -> bool:
    return isinstance(item, np.ndarray) and item.size > _MOST_PRINTED


def _shown(item: Any) -> str:
    return f"np.ones({item.shape})" if _is_long(item) else literal(item)


def _hidden(name: str, item: Any) -> Iterator[str]:
    if _is_long(item):
        yield f"# {name}: {item.size:,} numbers, replaced by ones here"
