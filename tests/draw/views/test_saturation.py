"""Saturated units and the factor that loses most are marked by words and hatching in the drawing itself."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from itertools import combinations

import pytest

import autodiff as ad
from autodiff import Value, error_flow
from autodiff.draw import Picture, dot, picture, svg
from autodiff.draw.layout.sizes import Rect
from autodiff.draw.views.computation import graph_of_flow
from autodiff.flow import Flow
from autodiff.telling.style import Style
from autodiff.words.typeset import width
from nn import Network
from tests.draw.views.test_views import check_layout, overlap
from tests.support.flows import X, deep_flow, margin_flow, notes_flow

_SVG = "{http://www.w3.org/2000/svg}"
VIEWS = ("rail", "shares", "network", "graph")


def saturated_flow(*, bias: float = 8.0, weight: float = 0.9) -> Flow:
    """A 4-2-1 network whose first hidden unit has z₁⁽²⁾ = 9.085 and σ′(z₁⁽²⁾) = 0.0001133, if the bias is 8."""
    network = Network((4, 2, 1), scalar=True)
    network.load({
        "W(1)": [[0.3, -0.2, 0.5, 0.7], [-0.4, 0.1, 0.6, -0.3]], "b(1)": [bias, -0.05],
        "W(2)": [[weight, -0.6]], "b(2)": [0.2],
    })  # fmt: skip
    return error_flow(network(X), network.parameter("W14(1)"))


def words(what: Picture, role: str) -> list[tuple[str, str]]:
    """The labels of boxes with a row of this role, and its texts."""
    return [
        (next(c.text for own in box.rows for c in reversed(own.cells) if c.role == "name"), cell.text)
        for box in what.boxes for row in box.rows for cell in row.cells if cell.role == role
    ]  # fmt: skip


def places(drawing: str) -> Iterator[Rect]:
    """The places of all lines of text in a drawing, with our widths of letters."""
    root = ElementTree.fromstring(drawing)
    moved = [(root, 0.0, 0.0)]
    while moved:
        item, dx, dy = moved.pop()
        if "transform" in item.attrib:
            x, y = item.attrib["transform"].removeprefix("translate(").removesuffix(")").split()
            dx, dy = dx + float(x), dy + float(y)
        if item.tag != f"{_SVG}text":
            moved += [(part, dx, dy) for part in item]
            continue
        size = float(item.attrib["font-size"])
        wide = sum(
            width(text, size * (0.7 if part.get("dy") else 1.0)) for part in item.iter() for text in [part.text or ""]
        )
        start = float(item.attrib["x"]) + dx - (wide / 2 if item.get("text-anchor") == "middle" else 0.0)
        yield Rect(start, float(item.attrib["y"]) + dy - 0.75 * size, wide, 0.8 * size)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(("language", "word", "lost"), [
    ("en", "saturated", "loses most"), ("zh", "饱和", "误差衰减最大"),
])  # fmt: skip
def test_a_saturated_unit_and_its_loss_have_words(view: str, language: str, word: str, lost: str) -> None:
    """In the unit's box the word, and on its wire, or in the box that contains it, the loss; the legend explains."""
    what = picture(saturated_flow(), view, language=language)
    assert words(what, "saturated") == [("a₁⁽²⁾", word)]
    wires = [wire for wire in what.wires if wire.loses]
    told = [wire.label for wire in wires] or [text for _, text in words(what, "loses")]
    assert len(wires) == (view == "rail")
    assert len(told) == 1
    assert "0.000" in told[0]
    assert told[0].endswith(lost)
    drawn, source = svg(what), dot(what)
    said = "".join(ElementTree.fromstring(drawn).itertext())
    assert Style(language).say("legend.saturated").replace("′", "") in said.replace("′", "")
    assert said.count(Style(language).say("legend.loses" if wires else "legend.loses-inside")) == 1
    assert f"/// {word} ///" in source
    assert source.count(f"{lost} ///" if wires else lost) == 1


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_the_marks_are_hatched_in_ink(theme: str) -> None:
    """Shape, not colour: three strokes on both sides of the word, across the wire and twice in the legend."""
    drawn, plain = (svg(picture(flow, "rail"), theme=theme) for flow in (saturated_flow(), saturated_flow(bias=0.1)))
    strokes = 'class="s-ink" stroke-width="1.6"'
    assert (drawn.count(strokes), plain.count(strokes)) == (3 * (2 + 1 + 2), 0)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("flow", [notes_flow(), deep_flow(), margin_flow()])
def test_a_healthy_net_has_no_marks(flow: Flow, view: str) -> None:
    """A small factor alone is no mark: without a saturated unit the picture is as it was."""
    what = picture(flow, view)
    assert not words(what, "saturated") + words(what, "loses")
    assert not any(wire.loses for wire in what.wires)
    assert "saturated" not in svg(what) + dot(what)
    assert "loses" not in svg(what) + dot(what)


@pytest.mark.parametrize("view", ["shares", "network"])
def test_a_weight_that_loses_more_marks_its_wire(view: str) -> None:
    """W₁₁⁽²⁾ = 0.00001 is smaller than the slope of the saturated unit behind it."""
    what = picture(saturated_flow(weight=1e-5), view)
    assert words(what, "saturated") == [("a₁⁽²⁾", "saturated")]
    assert [wire.label for wire in what.wires if wire.loses] == ["× 1e−05, loses most"]
    assert words(what, "loses") == []


def test_a_graph_marks_the_factor_at_its_port() -> None:
    """The box of the saturated unit holds the smaller factor; with a tiny weight, the box of its sum does."""
    for weight, value, said in ((0.9, "0.9999", "× 0.0001133"), (1e-5, "−0.01397", "× 1e−05")):
        what = picture(saturated_flow(weight=weight), "graph")
        (box,) = (box for box in what.boxes if any(row.cells[0].role == "loses" for row in box.rows))
        assert box.rows[0].cells[1].text == value
        assert said in {cell.text for cell in box.ports}
        assert box.rows[-1].cells[0].text == f"{said}, loses most"


def test_a_folded_box_names_its_saturated_units() -> None:
    """In a graph of very few boxes, the middle of the path is one box."""
    what = graph_of_flow(saturated_flow(), Style(), most=2)
    assert words(what, "saturated") == [("…", "saturated: a₁⁽²⁾")]
    assert words(what, "loses") == [("…", "× 0.0001133, loses most")]


def test_of_two_windows_the_saturated_one_is_named() -> None:
    """One box of the network shows both windows; only one of them is saturated."""
    network = Network((1, 1, 1), scalar=True)
    network.load({"W(1)": [[9.0]], "b(1)": [0.0], "W(2)": [[1.0]], "b(2)": [0.0]})
    objective = ad.hinge(network([1.0]), network([0.1], suffix="ᶜ"))
    what = picture(error_flow(objective, network.parameter("W11(1)")), "network")
    assert [text for _, text in words(what, "saturated")] == ["saturated: a₁⁽²⁾"]


def test_a_unit_that_loses_all_says_so() -> None:
    """tanh(1000): its slope is exactly 0."""
    x = Value(1000.0, name="x")
    what = picture(error_flow(ad.tanh(x) * 2.0, x), "rail")
    assert [wire.label.rpartition(", ")[2] for wire in what.wires if wire.loses] == ["loses all"]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("weight", [0.9, 1e-5])
def test_no_text_covers_another(view: str, language: str, weight: float) -> None:
    """With the marks, in both languages, with the loss in a box and on a wire."""
    what = picture(saturated_flow(weight=weight), view, language=language)
    check_layout(what)
    assert not [pair for pair in combinations(places(svg(what)), 2) if overlap(*pair)]


def chain(first: float) -> Flow:
    """Twelve tanh in a row, the first one saturated: a rail that is wrapped into bands."""
    x = top = Value(first, name="x")
    for _ in range(12):
        top = ad.tanh(top)
    return error_flow(top, x)


def saturated_deep_flow() -> Flow:
    """Six paths in a 4-3-3-2-1 network of tanh units, several of them saturated."""
    network = Network((4, 3, 3, 2, 1), activation="tanh", scalar=True)
    network.load({**network.state(), "b(2)": [2.5, 3.0, -3.0]})
    return error_flow(network(X), network.parameter("W14(1)"))


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("make", [lambda: chain(3.0), saturated_deep_flow])
def test_no_text_covers_another_in_larger_pictures(view: str, make: Callable[[], Flow]) -> None:
    """In bands, and with saturated units on several paths, though none is on the strongest, which the rail shows."""
    flow = make()
    if view != "network" or flow.path_count > 1:
        what = picture(flow, view)
        assert len(words(what, "saturated")) == (flow.path_count == 1 or 2 * (view != "rail"))
        assert all(said.endswith(" on the strongest path") == (flow.path_count > 1) for _, said in words(what, "loses"))
        assert not [pair for pair in combinations(places(svg(what)), 2) if overlap(*pair)]
