"""Graphs that the tests of flow, drawing and program share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autodiff as ad
from autodiff import Value, error_flow
from nn import Network

X = (1.0, -0.5, 0.25, 0.8)
WEIGHTS: dict[str, list[Any]] = {
    "W(1)": [[0.3, -0.2, 0.5, 0.7], [-0.4, 0.1, 0.6, -0.3]], "b(1)": [0.1, -0.05], "W(2)": [[0.9, -0.6]], "b(2)": [0.2],
}  # fmt: skip
CORRUPT = (0.1, 0.2, 0.3, 0.4)


def notes_network(*, scalar: bool = True) -> Network:
    """The notes' 4-2-1 network (section 1.5) with one set of numbers: ∂s/∂W₁₄⁽¹⁾ = 0.9 · 0.1793 · 0.8 = 0.1291."""
    network = Network((4, 2, 1), scalar=scalar)
    network.load(WEIGHTS)
    return network


def notes_flow(parameter: str = "W14(1)", *, seed: float | None = None) -> ad.Flow:
    """The flow to one parameter of that network."""
    network = notes_network()
    return ad.error_flow(network(X), network.parameter(parameter), seed=seed)


def deep_flow(parameter: str = "W14(1)") -> ad.Flow:
    """A flow with six paths, in a 4-3-3-2-1 network of tanh units."""
    network = Network((4, 3, 3, 2, 1), activation="tanh", scalar=True)
    return ad.error_flow(network(X), network.parameter(parameter))


def margin_flow(*, suffix: str = "", shift: float = 0.0) -> ad.Flow:
    """Both windows' flows of J; ``shift`` is added to the true window's score."""
    network = notes_network()
    score, corrupt = network(X), network(CORRUPT, suffix=suffix)
    objective = ad.hinge(score + shift if shift else score, corrupt)
    objective.name = "J"
    return ad.error_flow(objective, network.parameter("W14(1)"))


def ladder(rungs: int) -> tuple[Value, Value]:
    """Diamonds in a chain: 2 to the power of ``rungs`` paths."""
    bottom = top = Value(0.5, name="x")
    for _ in range(rungs):
        top = top + top * 0.25
    return top, bottom


def chain(length: int) -> tuple[Value, Value]:
    """One path through ``length`` units."""
    bottom = top = Value(0.5, name="x")
    for _ in range(length):
        top = ad.tanh(top)
    return top, bottom


def skipping() -> ad.Flow:
    """A graph of named and unnamed Values with edges that skip columns, a square, and a sum."""
    x = bottom = Value(0.5, name="x")
    kept = []
    for k in range(3):
        x = ad.tanh(x * 1.3)
        x.name = f"h{k}"
        kept.append(x)
    total = x * x
    for item in kept:
        total = total + item * bottom
    total.name = "y"
    return ad.error_flow(total, bottom)


def array_flow() -> ad.Flow:
    """The notes' network on arrays."""
    network = notes_network(scalar=False)
    return error_flow(network(X), network.parameter("W(1)"))


def empty_flow() -> ad.Flow:
    """A parameter of another network."""
    return error_flow(notes_network()(X), notes_network().parameter("W14(1)"))


def wide_flow() -> ad.Flow:
    """More inputs than a column shows."""
    network = Network((12, 4, 1), scalar=True)
    return error_flow(network([0.1 * k for k in range(12)]), network.parameter("W3,10(1)"))


FLOWS: dict[str, Callable[[], ad.Flow]] = {
    "rail": notes_flow, "bias": lambda: notes_flow("b1(1)"), "negative": lambda: notes_flow("W24(1)"),
    "deep": deep_flow, "margin": margin_flow, "met": lambda: margin_flow(shift=3.0), "skipping": skipping,
    "long": lambda: error_flow(*chain(60)), "ladder": lambda: error_flow(*ladder(70)), "arrays": array_flow,
    "empty": empty_flow, "wide": wide_flow, "seeded": lambda: notes_flow(seed=-1.0),
}  # fmt: skip

HOSTILE = [
    '<script>alert("x")</script>', "</text></svg>", "]]><!--", "&amp; &#x41; <b>", "\x00\x07\ufffe\ud800",
    "a\\N\\l\\\"b", "<b>bold</b>", "a:b", "\u202eevil", "{0} %s {z}", "日本語の名前", "x" * 300, " ", "n0",
    "line\nbreak\r\n",
]  # fmt: skip


def hostile_flow(name: str) -> ad.Flow:
    """A flow in which every node has that name."""
    w, x = Value(2.0, name=name), Value(3.0, name=name)
    unit = ad.tanh(w * x * 0.1)
    unit.name = name
    return error_flow(unit * unit, w)


def paths_one_by_one(output: Any, parameter: Any) -> list[list[tuple[Any, int]]]:
    """Every path as (node, slot) pairs, found by walking them all: the reference for the dynamic program."""
    if output is parameter:
        return [[]]
    found = []
    for slot, item in enumerate(output.inputs):
        if isinstance(item, ad.Node):
            found += [[(output, slot), *rest] for rest in paths_one_by_one(item, parameter)]
    return found
