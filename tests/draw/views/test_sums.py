"""Chains of + as one box Σ in the computation graph."""

from __future__ import annotations

import pytest

import autodiff as ad
from autodiff import Tensor, Value, error_flow
from autodiff.draw import picture
from autodiff.draw.model.picture import Box, Picture
from autodiff.draw.views.computation import computation


def leaves(names: str) -> list[Value]:
    """Leaves with these names and the values 1, 2, 3, …"""
    return [Value(float(k), name=name) for k, name in enumerate(names, start=1)]


def box_of(what: Picture, symbol: str) -> Box:
    """The box whose first cell is this symbol."""
    (found,) = (box for box in what.boxes if box.label == symbol)
    return found


def tails(what: Picture, head: Box) -> list[str]:
    """The labels of the boxes with wires into a box, in the order of its ports."""
    labels = {box.id: box.label for box in what.boxes}
    forward = [(wire.port, labels[wire.tail]) for wire in what.wires if wire.lane != "error" and wire.head == head.id]
    back = [(wire.port, labels[wire.head]) for wire in what.wires if wire.lane == "error" and wire.tail == head.id]
    return [label for _, label in sorted((port or 0, label) for port, label in forward + back)]


@pytest.mark.parametrize("brackets", ["left", "right", "pairs", "sum"])
def test_a_chain_is_one_box_with_all_terms(brackets: str) -> None:
    """However the sum was bracketed; Python's sum begins with a 0, which is no term."""
    a, b, c, d = leaves("abcd")
    total = {"left": a + b + c + d, "right": a + (b + (c + d)), "pairs": (a + b) + (c + d), "sum": sum([a, b, c, d])}
    what = computation(ad.tanh(total[brackets]))
    box = box_of(what, "Σ")
    assert [cell.text for cell in box.ports] == ["× 1"] * 4
    assert [cell.text for cell in box.rows[0].cells] == ["Σ", "10"]
    assert tails(what, box) == ["a", "b", "c", "d"]
    assert len(what.boxes) == 6


def test_shares_on_the_wires_are_those_of_the_ledger() -> None:
    """Of the parameter's wire into the sum; the other terms have grey wires."""
    a, b, c = leaves("abc")
    output = ad.tanh((a + b + c) * 0.1)
    flow = error_flow(output, a)
    what = picture(flow, "graph")
    box = box_of(what, "Σ")
    (wire,) = (wire for wire in what.wires if wire.lane == "error" and wire.tail == box.id)
    assert wire.share == flow.gradient
    assert next(each for each in what.boxes if each.id == wire.head).label == "a"


def test_a_name_another_use_or_the_parameter_keeps_a_box() -> None:
    """A named part of a sum, one that is used twice, and one that the flow leads to."""
    a, b, c, d = leaves("abcd")
    part = a + b
    part.name = "part"
    assert {box.label for box in computation(part + c + d).boxes} == {"Σ", "+", "a", "b", "c", "d"}
    twice = a + b
    assert not any(box.label == "Σ" for box in computation((twice + c) * twice).boxes)
    inner = a + b
    what = picture(error_flow(inner + c + d, inner), "graph")
    assert next(box for box in what.boxes if box.kind == "parameter").label == "+"


def test_two_terms_and_other_shapes_stay_as_they_are() -> None:
    """a + b is a box +; a bias that is broadcast is added where it is added."""
    a, b = leaves("ab")
    assert box_of(computation(a + b), "+")
    x, y = Tensor([1.0, 2.0], name="x"), Tensor(1.0, name="y")
    what = computation(ad.sum((y + 1.0) + x + x))
    assert not any(len(box.ports) > 3 for box in what.boxes)


def test_long_sums_and_deep_graphs_fold() -> None:
    """12 ports at most; 10,000 terms without recursion; terms inside folded boxes keep their wires."""
    many = [Value(1.0, name=f"v{k}") for k in range(40)]
    box = box_of(computation(sum(many)), "Σ")
    assert len(box.ports) == 12
    deep = Value(0.0, name="x")
    top = deep
    for k in range(10_000):
        top = top + Value(1.0, name=f"v{k}")
    assert computation(top).boxes
    assert computation(ad.tanh(sum(many)), most=5).boxes


@pytest.mark.parametrize("terms", [7, 8])
def test_a_sum_of_more_than_seven_terms_is_folded_like_a_loop(terms: int) -> None:
    """Seven terms are drawn as one box Σ, eight only if the picture is unfolded."""
    top = ad.tanh(sum(leaves("abcdefgh"[:terms])))
    folded, whole = computation(top, unfold=False), computation(top, unfold=True)
    assert box_of(whole, "Σ")
    assert any(box.kind == "fold" for box in folded.boxes) == (terms > 7)
    assert any(box.label == "Σ" for box in folded.boxes) == (terms <= 7)


def test_a_folded_sum_leaves_no_part_of_it_in_a_box() -> None:
    """The first terms of a dot product of 16 are not a sum of their own."""
    x, w = ([Value(0.1 * k) for k in range(start, start + 16)] for start in (0, 20))
    top = sum(p * q for p, q in zip(x, w, strict=True))
    what = computation(top, unfold=False)
    assert [box.label for box in what.boxes if box.kind == "value"].count("+") == 2
    assert not any(box.label == "Σ" for box in what.boxes)
    assert len(what.boxes) == 12
