"""The recorded graph: what a node holds, in which order nodes depend on each other, and when a graph is stale."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from autodiff.primitive import Origin, Primitive

__all__ = [
    "BY_RULE", "DETACHED", "LEAF", "Node", "StaleGraphError", "check_all_fresh", "check_fresh", "clock", "link",
    "topological",
]  # fmt: skip

#: In `Node.da`: this node's shares come from its primitive's rule, not from stored local gradients.
BY_RULE: Final = object()

LEAF: Final = Origin(None)
DETACHED: Final = Origin(None, {"detached": True})


class StaleGraphError(RuntimeError):
    """A node's input was given new data after the node was computed: a backward pass would mix old and new values."""


class _Clock:
    """Counts assignments to ``.data``. Nodes keep the reading at their creation.

    One shared number costs a node 8 bytes and no work; a serial of its own would cost 40 bytes and a call.
    """

    __slots__ = ("_lock", "now")

    def __init__(self) -> None:
        self.now = 0
        self._lock = threading.Lock()

    def tick(self) -> int:
        with self._lock:
            self.now += 1
            return self.now


clock: Final = _Clock()


class Node:
    """One value of a graph: its primal, where it comes from, its inputs, and the error signal once one arrived.

    Ten slots and no dictionary: 112 bytes and one object for the garbage collector, whatever the operation. ``a`` and
    ``b`` are the inputs (a node or a constant each; a tuple in ``a`` for any other number), ``da`` and ``db`` the
    local gradients on their edges (None: a constant). With tuples, ``b`` and ``db`` leave constants out; with ``da``
    `BY_RULE`, ``b`` is the inputs' data and ``db`` what the rule needs of the forward's way. In a backward pass
    ``delta`` is the error signal, as far as it has arrived, and ``due`` the number of shares still to come.
    """

    __slots__ = ("_data", "a", "b", "da", "db", "delta", "due", "grad", "origin", "stamp")

    _data: Any
    a: Any
    b: Any
    da: Any
    db: Any
    delta: Any
    due: int
    grad: Any
    origin: Origin
    stamp: int

    if TYPE_CHECKING:  # what each kind of node adds
        scalar: bool
        constant: Callable[[Any], Any]
        from_tensor: Callable[[Any], Any]
        _leaf: Callable[[Any, Origin], Any]

    @property
    def primitive(self) -> Primitive | None:
        """The primitive that made this node; None for a leaf."""
        return self.origin.primitive

    @property
    def params(self) -> dict[str, Any]:
        """The params of the call that made this node."""
        return dict(self.origin.params)

    @property
    def inputs(self) -> tuple[Any, ...]:
        """The inputs in the order of the call: nodes, and plain numbers or arrays for constants; () for a leaf."""
        a = self.a
        if a.__class__ is tuple:
            return a
        if a is None:
            return ()
        return (a,) if self.b is None else (a, self.b)

    @property
    def is_leaf(self) -> bool:
        """Whether this node was given, not computed."""
        return self.a is None

    @property
    def is_detached(self) -> bool:
        """Whether this leaf is a constant: made by ``detach``, or by the engine, with nothing to differentiate."""
        return "detached" in self.origin.params and self.a is None

    @property
    def name(self) -> str | None:
        """What this node is called in formulas and pictures; None if it has no name."""
        return self.origin.name

    @name.setter
    def name(self, name: str | None) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"a name is a string, and got {name!r} ({type(name).__name__})")
        self.origin = Origin(self.origin.primitive, self.origin.params, name)

    @property
    def label(self) -> str:
        """The name, or the operation for a node without one."""
        return self.origin.name or (self.origin.primitive.name if self.origin.primitive else type(self).__name__)


def topological(output: Node) -> list[Node]:
    """All nodes ``output`` depends on, inputs before consumers, ``output`` last.

    The order follows from the graph alone, never from addresses or hashes; it is iterative, so that depth is free.

    >>> from autodiff import Value
    >>> x = Value(3.0)
    >>> [node.label for node in topological(x * x + x)]
    ['Value', 'multiply', 'add']
    """
    seen: set[Node] = set()
    order: list[Node] = []
    stack: list[tuple[Node, bool]] = [(output, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((item, False) for item in reversed(node.inputs) if isinstance(item, Node) and item not in seen)
    return order


def link(node: Node, inputs: tuple[Any, ...], partials: tuple[Any, ...]) -> None:
    """Set the edges of a Value with its inputs in a tuple; ``b`` and ``db`` leave the constants out."""
    edges = [(x, local) for x, local in zip(inputs, partials, strict=True) if isinstance(x, Node)]
    node.a, node.da = inputs, partials
    node.b, node.db = (tuple(part) for part in zip(*edges, strict=True))


def check_fresh(node: Node, item: Node) -> None:
    """Raise StaleGraphError if ``item`` was assigned to after ``node`` was computed from it."""
    if item.stamp > node.stamp:
        raise StaleGraphError(
            f"{_account(item)} was given new data after {_account(node)} was computed from it, so the gradient would "
            "mix old and new values; compute the output again after assigning .data, then call backward()"
        )


def check_all_fresh(nodes: Iterable[Node]) -> None:
    """Raise StaleGraphError if any of these nodes has an input that was assigned to after it was computed."""
    for node in nodes:
        for item in node.inputs:
            if isinstance(item, Node):
                check_fresh(node, item)


def _account(node: Node) -> str:
    kind = node.origin.primitive
    made = f"the result of {kind.name}" if kind else f"the leaf {type(node).__name__}"
    return f"{node.name!r} ({made})" if node.name else made
