"""The backward pass that keeps counts and signals in two slots of the nodes: fast, and for one thread at a time.

Its loops are generated from templates, like the functions that send the shares of a rule. The templates state once how
an edge is counted and how a share is delivered, and no edge pays for a call, which would take half as long again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import repeat
from typing import Any, Final, NamedTuple

import numpy as np

from autodiff.engine.emit import compiled, delivered, filled
from autodiff.engine.graph import (
    BY_RULE,
    Deliver,
    Node,
    add_to_grads,
    check_all_fresh,
    commit,
    grads_are_written,
    set_grad,
    topological,
)
from autodiff.engine.shares import GUARDED, SENDERS, Patched, Senders, in_the_rule_of, is_finite_sum
from autodiff.primitives.rows import Rows, dense

__all__ = ["forget_loops", "slot_pass"]

_NOWHERE: Final[list[Any]] = []  # a list that no one reads


def slot_pass(output: Node, seed: Any, deliver: Deliver | None) -> bool:
    """Both phases with their state in the nodes' slots; False, with nothing written, if a nan came out.

    First ``due`` counts the edges that lead into each node. Then a node passes its ``delta`` on as soon as the last of
    these edges has delivered its share. Each edge is walked twice and nothing is sorted. The ``delta`` of a counted
    node starts as a zero object unique to this pass, so shares can be added without checking which is the first:
    −0.0 + x is x bit for bit.
    """
    token = float("-0.0")
    loops = _loops()
    rules = loops.count_edges(output, token)
    if rules is None and seed.__class__ is float:
        return _add_to_grads(output, seed, loops) if deliver is None else loops.walk(output, seed, deliver, _NOWHERE)
    output.delta = seed
    arrived: dict[Node, Any] = {}
    if rules is GUARDED:
        with np.errstate(all="ignore"):
            sound = _walk_by_rules(output, token, rules, deliver, arrived, loops)
    else:
        sound = _walk_by_rules(output, token, rules or SENDERS, deliver, arrived, loops)
    if sound and deliver is None:
        add_to_grads(arrived)
    return sound


def _add_to_grads(output: Node, seed: float, loops: _Loops) -> bool:
    """A pass over Values that adds each signal to ``.grad`` as it arrives; undone if the pass does not finish."""
    before: list[tuple[Node, float]] = []
    with grads_are_written:
        try:
            sound = loops.walk(output, seed * 1.0, None, before)  # a float object unique to this pass, for `_undo`
            if not sound:
                _undo(output, before)
        except BaseException:  # including an interrupt of the undoing
            _undo(output, before)
            raise
    return sound


def _undo(output: Node, before: list[tuple[Node, float]]) -> None:
    """Restore each ``.grad`` to its content before a pass over Values: the numbers in ``before``, elsewhere None.

    Where ``.grad`` was None, the pass stored the same object as in ``delta``, which no ``.grad`` held before the pass.
    So the pass need not list these nodes, which would take up to 8 % of its time.
    """
    fresh = [node for node in topological(output) if node._grad is node.delta]
    nodes, grads = zip(*before, strict=True) if before else ((), ())
    commit((set_grad, fresh, repeat(None)), (set_grad, nodes, grads))


def _walk_by_rules(
    output: Node, token: object, rules: Senders, deliver: Deliver | None, arrived: dict[Node, Any], loops: _Loops
) -> bool:
    """The second phase if some nodes share by rules; without ``deliver``, signals are collected in ``arrived``."""
    todo = [output]
    pop, push, sound, guarded = todo.pop, todo.append, True, rules is GUARDED
    while todo:
        node = pop()
        signal = node.delta
        node.delta = None  # release arrays
        if signal.__class__ is Patched:
            signal = signal.whole
        if deliver is None:
            arrived[node] = signal
        else:
            deliver(node, dense(signal))
        if node.da is BY_RULE:
            try:
                if rules[node.origin.primitive](node, signal, token, push):
                    sound = False  # even if an index would drop the nan before it reaches a leaf
            except Exception as error:
                error.add_note(in_the_rule_of(node, signal))
                raise
        elif node.a is None:
            if signal.__class__ is not np.ndarray:
                sound = sound and _is_sound(signal)
            elif signal.size:
                low = signal.item(signal.argmin())  # `has_nan` inlined: a third of the time
                if low != low:
                    sound = False
        else:
            if guarded and signal != signal:
                sound = False
            loops.send_to_many(node, *_edges(node), signal, push)
    return sound


def _is_sound(signal: Any) -> bool:
    """Whether a number or Rows hold no nan."""
    if signal.__class__ is Rows:
        return not signal.has_nan()
    return bool(signal == signal)


def _edges(node: Node) -> tuple[Any, Any]:
    """The inputs of a Value that are nodes, and the local gradients on their edges."""
    if node.a.__class__ is tuple:
        return node.b, node.db
    kept = [k for k, local in enumerate((node.da, node.db)) if local is not None]
    return [(node.a, node.b)[k] for k in kept], [(node.da, node.db)[k] for k in kept]


# ---- templates -------------------------------------------------------------------------------------------------------


class _Loops(NamedTuple):
    """The generated loops over nodes and edges.

    ``count_edges(output, token)`` marks every node with ``token`` and counts its edges in ``due``. It returns the
    senders of the nodes that share by a rule, or None if there is no such node, and raises StaleGraphError.
    ``walk(output, seed, deliver, before)`` is the second phase over Values. It hands signals to ``deliver``, or without
    ``deliver`` adds them to ``.grad`` and lists in ``before`` each old ``.grad`` that was a number; False if a nan came
    out.
    ``send_to_many(node, items, partials, signal, push)`` delivers the shares of a Value with many inputs.
    """

    count_edges: Callable[[Node, object], Senders | None]
    walk: Callable[[Node, float, Deliver | None, list[tuple[Node, float]]], bool]
    send_to_many: Callable[[Node, Sequence[Node], Sequence[float], float, Callable[[Node], None]], None]


#: Count one more edge into a node; a node met for the first time is marked and then visited.
_COUNTED: Final = """
    if $item.delta is token:
        $item.due += 1
    else:
        $item.delta, $item.due = token, 1
        $met
"""

#: ``oldest`` is the smallest version of the computed nodes, ``newest`` the largest of the leaves.
_COUNT: Final = """
    def function(output, token):
        output.delta, output.due = token, 0
        rules = None
        oldest, newest = output.version, 0
        todo = [output]
        pop, push = todo.pop, todo.append
        while todo:
            node = pop()
            da, db, version = node.da, node.db, node.version
            if da is None is db:
                if version > newest: newest = version
                continue
            if version < oldest: oldest = version
            if da.__class__ is float:
                a = node.a
                $first
            elif da is BY_RULE:
                if rules is not GUARDED:
                    rules = GUARDED if node.origin.primitive.singular else SENDERS
                for item in node.a:
                    if isinstance(item, Node):
                        $by_rule
                continue
            elif da is not None:
                for item in node.b:
                    $each
                continue
            if db is not None:
                b = node.b
                $second
        if newest > oldest:
            check_all_fresh(topological(output))
        return rules
"""

_WALK: Final = """
    def function(output, seed, deliver, before):
        output.delta = seed
        todo = []
        pop, push, sound, node = todo.pop, todo.append, True, output
        while node is not None:
            signal = node.delta
            if deliver is not None:
                node.delta = None  # a share that arrived later would raise instead of being lost
                deliver(node, signal)
            elif node._grad is None:
                node._grad = signal
            else:
                before.append((node, node._grad))
                node._grad = node._grad + signal
            da, db = node.da, node.db
            if da.__class__ is float:
                a = node.a
                $first
            elif da is not None:
                send_to_many(node, node.b, db, signal, push)
                db = None
            elif db is None and signal != signal:
                sound = False
            if db is not None:
                b = node.b
                $second
            node = pop() if todo else None
        return sound
"""

#: A signal 0 is delivered across finite local gradients without a multiplication.
_SEND_TO_MANY: Final = """
    def function(node, items, partials, signal, push):
        if not signal and is_finite_sum(node):
            for item in items:
                $zero
            return
        for item, local in zip(items, partials):
            $share
"""


def _written() -> _Loops:
    leaf_or_look = ["if item.a is not None: push(item)", "elif item.version > newest: newest = item.version"]
    count = filled(
        _COUNT, first=_counted("a"), second=_counted("b"), each=_counted("item"), by_rule=_counted("item", leaf_or_look)
    )
    send = filled(
        _SEND_TO_MANY, zero=delivered("item", "item.delta += signal"),
        share=delivered("item", "item.delta += signal * local"),
    )  # fmt: skip
    walk = filled(
        _WALK, first=delivered("a", "a.delta += signal * da"),
        second=delivered("b", "b.delta += signal * db", ready=["node = b", "continue"]),  # most often the next
    )  # fmt: skip
    scope: dict[str, Any] = {
        "BY_RULE": BY_RULE, "GUARDED": GUARDED, "Node": Node, "SENDERS": SENDERS, "check_all_fresh": check_all_fresh,
        "is_finite_sum": is_finite_sum, "topological": topological,
    }  # fmt: skip
    many = scope["send_to_many"] = compiled("shares of many Values", send, scope)
    return _Loops(compiled("count of edges", count, scope), compiled("pass over Values", walk, scope), many)


def _counted(item: str, met: Sequence[str] = ()) -> list[str]:
    return filled(_COUNTED, item=item, met=met or [f"push({item})"])


_loops: Final = cache(_written)
#: Lets the loops be written again from templates that have changed, as tests change them.
forget_loops: Final = _loops.cache_clear
