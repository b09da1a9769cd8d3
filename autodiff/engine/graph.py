"""The recorded graph: the contents of a node, the order in which nodes depend on each other, and stale graphs."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain, count, islice, repeat, starmap
from operator import attrgetter, call
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from autodiff.primitives.operands import describe
from autodiff.primitives.origin import Origin
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.rows import Rows, dense, own_grad

__all__ = [
    "BY_RULE", "DETACHED", "LEAF", "Change", "Deliver", "Node", "StaleGraphError", "add_to_grads", "added", "assign",
    "assigned", "check_all_fresh", "check_fresh", "clock", "commit", "forgotten", "grads_are_written", "link",
    "own_copy", "post_order", "set_grad", "topological",
]  # fmt: skip

_Item = TypeVar("_Item")

#: In `Node.da`: the node computes its shares by its primitive's rule, not from stored local gradients.
BY_RULE: Final = object()

LEAF: Final = Origin(None)
DETACHED: Final = Origin(None, {"detached": True})


class StaleGraphError(RuntimeError):
    """Raised if an input was assigned new data after a node was computed: gradients would mix old and new values.

    >>> from autodiff import Value
    >>> x = Value(3.0)
    >>> y = x * x
    >>> x.data = 4.0
    >>> y.backward()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    autodiff.engine.graph.StaleGraphError: ... was given new data after ...
    """


#: Run an iterator to its end and keep nothing; made once, because making a deque takes as long as setting three slots.
_run: Final[Callable[[Iterable[Any]], None]] = deque(maxlen=0).extend

#: A function and, for each of its arguments, the values of successive calls.
Change = tuple[Any, ...]


def commit(*changes: Change) -> None:
    """Change state in one step, all or nothing: call each function with each row of its arguments.

    Args:
        changes: tuples ``(function, firsts, seconds, …)``; a change ends with the shortest of its arguments.

    Ctrl-C, the handler of a timer and an exception sent by another thread arrive between two Python bytecodes, never
    within one. Here everything happens in one bytecode, the call of ``_run``, *if* neither the functions nor the
    arguments run Python code (``__set__`` of slots, ``object.__setattr__``, ``dict.__setitem__`` with keys hashed in C,
    lists, ``itertools``) and no function can reject its arguments. So compute and check first, and commit last.
    Finalisers of replaced objects may run Python code, but Python reports and discards the exceptions they raise. This
    holds for CPython 3.11 to 3.14 with the global lock, also between threads; without the lock another thread may see
    a partial change.

    >>> names = {}
    >>> commit((names.__setitem__, ["x", "y"], [1.0, 2.0]))
    >>> names
    {'x': 1.0, 'y': 2.0}
    """
    if len(changes) == 1:
        _run(map(*changes[0]))
    else:
        _run(chain.from_iterable(starmap(map, changes)))


class _Clock:
    """Counts assignments to ``.data``; a node stores the reading at its creation.

    A shared number costs each node 8 bytes and no work; a serial number per node would cost 40 bytes and a call.
    """

    __slots__ = ("change", "now", "ticks")

    def __init__(self) -> None:
        self.now = 0
        #: Each item counts one assignment; it is drawn during the commit, so that the clock never runs backwards.
        self.ticks: Iterator[int] = count(1)
        self.change: Change = (_set_now, (self,), self.ticks)

    def tick(self) -> int:
        commit(self.change)
        return self.now


_set_now = vars(_Clock)["now"].__set__
clock: Final = _Clock()


class Node:
    """One value of a graph: its primal, its origin, its inputs, and its error signal once one has arrived.

    A node has eleven slots and no dictionary: 120 bytes (8 of them for weak references) and one object for the garbage
    collector, whatever the operation. Four slots hold the edges; their contents depend on the kind of node:

    ================  ==============  ==================  ==========================  ===============================
    kind of node      ``a``           ``b``               ``da``                      ``db``
    ================  ==============  ==================  ==========================  ===============================
    leaf              None            None                None                        None
    one input         the input       None                ∂z/∂a                       None
    two inputs        first input     second input        ∂z/∂a                       ∂z/∂b
    many inputs       all inputs      inputs with edges   all ∂z/∂input               those on the edges
    shares by a rule  all inputs      their data          `BY_RULE`                   what the forward saved, or None
    ================  ==============  ==================  ==========================  ===============================

    An input is a node or a constant; the ∂z/∂ of a constant is None. "All" and "those" are tuples. During a backward
    pass ``delta`` is the sum of the shares that have arrived, and ``due`` the number of shares still missing.
    """

    __slots__ = ("__weakref__", "_data", "_grad", "a", "b", "da", "db", "delta", "due", "origin", "version")

    _data: Any
    _grad: Any
    a: Any
    b: Any
    da: Any
    db: Any
    delta: Any
    due: int
    origin: Origin
    version: int

    if TYPE_CHECKING:  # what each kind of node adds
        scalar: bool
        data: Any
        backward: Callable[..., None]
        constant: Callable[[Any], Any]
        from_tensor: Callable[[Any], Any]
        _leaf: Callable[[Any, Origin], Any]
        _fitted: Callable[[Any], Any]
        _fitted_gradient: Callable[[Any], Any]

        @property
        def shape(self) -> tuple[int, ...]: ...

    @property
    def grad(self) -> Any:
        """The sum of the error signals from all backward passes so far; None before the first pass.

        A float for a Value; for a Tensor an array of its shape and type. It can be assigned; an assigned array is
        copied. An array of `Rows` may be written to as any other, and then counts in place of the rows.

        Raises:
            TypeError: if the assigned gradient is a node or not made of real numbers.
            ValueError: if it has another shape.
        """
        if self._grad.__class__ is Rows or self._grad.__class__ is tuple:
            with grads_are_written:
                self._grad, array = own_grad(self._grad)
                return array
        return self._grad

    @grad.setter
    def grad(self, grad: Any) -> None:
        if grad.__class__ is Rows and grad.shape == self.shape:
            self._grad = grad.astype(self._data.dtype)
        else:
            self._grad = None if grad is None else self._fitted_gradient(dense(grad))

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
        """Whether this node is a leaf: made by the user, not computed."""
        return self.a is None

    @property
    def is_detached(self) -> bool:
        """Whether this leaf is a constant, made by ``detach`` or by the engine, with nothing to differentiate."""
        return "detached" in self.origin.params and self.a is None

    @property
    def name(self) -> str | None:
        """The name of this node in formulas and pictures; None if it has none."""
        return self.origin.name

    @name.setter
    def name(self, name: str | None) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"a name must be a string, got {name!r} ({type(name).__name__})")
        self.origin = Origin(self.origin.primitive, self.origin.params, name, self.origin.line)

    @property
    def label(self) -> str:
        """The name of this node or, if it has none, the operation that made it."""
        return self.origin.name or (self.origin.primitive.name if self.origin.primitive else type(self).__name__)


_set_data, _set_version = (vars(Node)[slot].__set__ for slot in ("_data", "version"))
_readings: Final = map(attrgetter("now"), repeat(clock))  # of the clock, each taken when it is requested
_ASSIGNING: Final = (_set_data, _set_now, _set_version)

#: Takes each node with its final signal.
Deliver = Callable[[Node, Any], None]

#: ``set_grad(node, signal)`` for `commit`.
set_grad: Final = vars(Node)["_grad"].__set__


def assign(leaf: Node, data: Any) -> None:
    """Assign new data to one leaf, as `assigned` does for many, in two thirds of the time."""
    _run(map(call, _ASSIGNING, (leaf, clock, leaf), chain((data,), islice(clock.ticks, 1), _readings)))


def assigned(leaves: Collection[Node], data: Iterable[Any]) -> tuple[Change, ...]:
    """The changes that assign new data to leaves at one clock time, so that graphs computed from them become stale."""
    return (
        (_set_data, leaves, data),
        clock.change,
        (_set_version, leaves, _readings),
    )


def forgotten(nodes: Collection[Node]) -> Change:
    """The change that resets gradients to None."""
    return set_grad, nodes, repeat(None)


#: Adding to ``.grad`` reads and writes; two threads must not do so at once.
grads_are_written: Final = threading.RLock()


def add_to_grads(arrived: dict[Node, Any]) -> None:
    """Add the signals to ``.grad``, all or none; the first one of a computed Tensor is *lent*.

    Its ``_grad`` is then a tuple of one array, which other nodes may hold, and which is copied when ``.grad`` is read.
    """
    with grads_are_written:
        grads = [
            (x,) if node._grad is None and node.a is not None and x.__class__ is not float else added(node._grad, x)
            for node, x in arrived.items()
        ]
        commit((set_grad, arrived, grads))


def added(grad: Any, signal: Any) -> Any:
    """The sum of ``.grad`` and a signal as an array of its own; the signal of a leaf is one unless it is a view."""
    if grad is None:
        own = signal.__class__ in (float, Rows) or (signal.__class__ is np.ndarray and signal.base is None)
        return signal if own else np.array(signal)
    total = (grad[0] if grad.__class__ is tuple else Rows.kept(grad)) + signal
    return np.asarray(total) if isinstance(total, np.generic) else total  # as NumPy adds arrays without axes


def own_copy(signal: Any) -> Any:
    """A signal to keep: arrays and NumPy scalars are copied, floats and nodes returned unchanged."""
    return np.array(signal) if isinstance(signal, np.ndarray | np.generic) else signal


def topological(output: Node) -> list[Node]:
    """Return all nodes on which ``output`` depends, inputs before consumers, ``output`` last.

    The order follows from the graph alone, never from addresses or hashes. The search is iterative, so the depth of
    the graph is not limited.

    >>> from autodiff import Value
    >>> x = Value(3.0)
    >>> [node.label for node in topological(x * x + x)]
    ['Value', 'multiply', 'add']

    Raises:
        TypeError: if ``output`` is not a node.
    """
    if not isinstance(output, Node):
        raise TypeError(f"topological takes a Value or Tensor, and got {describe(output)}")
    return post_order(output, lambda node: [item for item in node.inputs if isinstance(item, Node)])


def post_order(last: _Item, before: Callable[[_Item], Sequence[_Item]]) -> list[_Item]:
    """All items on which ``last`` depends, where ``before`` gives those on which one depends directly; ``last`` last.

    >>> post_order(6, lambda n: [k for k in range(2, n) if n % k == 0])
    [2, 3, 6]
    """
    seen: set[_Item] = set()
    order: list[_Item] = []
    stack: list[tuple[_Item, bool]] = [(last, False)]
    while stack:
        item, done = stack.pop()
        if done:
            order.append(item)
        elif item not in seen:
            seen.add(item)
            stack.append((item, True))
            stack += [(each, False) for each in reversed(before(item)) if each not in seen]
    return order


def link(node: Node, inputs: tuple[Any, ...], partials: tuple[Any, ...]) -> None:
    """Set the edges of a Value with its inputs in a tuple; ``b`` and ``db`` omit the constants."""
    edges = [(x, local) for x, local in zip(inputs, partials, strict=True) if isinstance(x, Node)]
    node.a, node.da = inputs, partials
    node.b, node.db = (tuple(part) for part in zip(*edges, strict=True))


def check_fresh(node: Node, item: Node) -> None:
    """Raise StaleGraphError if ``item`` was assigned new data after ``node`` was computed from it."""
    if item.version > node.version:
        raise StaleGraphError(
            f"{_account(item)} was given new data after {_account(node)} was computed from it, so the gradient would "
            "mix old and new values; compute the output again after assigning .data, then call backward()"
        )


def check_all_fresh(nodes: Iterable[Node]) -> None:
    """Raise StaleGraphError if an input of one of these nodes was assigned new data after the node was computed."""
    for node in nodes:
        for item in node.inputs:
            if isinstance(item, Node):
                check_fresh(node, item)


def _account(node: Node) -> str:
    kind = node.origin.primitive
    made = f"the result of {kind.name}" if kind else f"the leaf {type(node).__name__}"
    return f"{node.name!r} ({made})" if node.name else made
