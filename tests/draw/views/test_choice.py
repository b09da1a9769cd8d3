"""The view that is chosen where none is asked for, and the order of its columns."""

from __future__ import annotations

import pytest

import autodiff as ad
from autodiff import Flow, Value, error_flow
from autodiff.draw import picture
from autodiff.draw.layout.exchange import fewer_crossings
from tests.support.flows import deep_flow


def of_values(boxes: int) -> Flow:
    """A flow with two paths and this many boxes of shares: x, its square, a chain of sines."""
    x = Value(0.5, name="x")
    top = x * x
    for _ in range(boxes - 2):
        top = ad.sin(top)
    return error_flow(top, x)


@pytest.mark.parametrize(("boxes", "kind"), [(7, "shares"), (8, "graph")])
def test_more_than_seven_values_are_drawn_as_a_graph(boxes: int, kind: str) -> None:
    """Shares of eight values wrap into bands that are higher than a slide; asked for by name, they are drawn."""
    flow = of_values(boxes)
    what = picture(flow)
    assert (what.kind, len(what.boxes)) == (kind, boxes)
    assert picture(flow, "shares").kind == "shares"


def test_units_are_drawn_as_shares() -> None:
    """A box holds z and a of a unit, so a network has fewer boxes than its graph."""
    flow = deep_flow()
    what = picture(flow)
    assert what.kind == "shares"
    assert sum(box.kind in ("unit", "parameter") for box in what.boxes) > 7


def test_items_move_to_where_their_wires_cross_least() -> None:
    """Also past several others, but never past one below which they must stay."""
    orders = {0: ["a", "b", "c", "d"], 1: ["p", "q", "r", "s"]}
    pairs = dict(zip("abcd", "sqrp", strict=True))
    wires = {one: [(other, 0.0)] for one, other in [*pairs.items(), *((q, p) for p, q in pairs.items())]}
    found = fewer_crossings(orders, wires, lambda above, below: False)
    assert [pairs[item] for item in found[0]] == found[1]
    kept = fewer_crossings(orders, wires, lambda above, below: above < below)
    assert kept == orders
