"""PNG and PDF: our drawing with fixed positions, painted by Graphviz."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

from autodiff.draw import MissingProgramError, render, see
from autodiff.draw.model.palette import THEMES
from autodiff.draw.writers.pinned_dot import pinned_dot
from autodiff.flow import Flow
from tests.support.flows import FLOWS, HOSTILE, deep_flow, hostile_flow, notes_flow

SVG = "{http://www.w3.org/2000/svg}"


def source_of(flow: Flow, theme: str = "light") -> str:
    """The DOT text of a drawing."""
    return pinned_dot(see(flow, theme=theme).svg(), theme=theme)


def texts_of(svg: str) -> list[str]:
    """The pieces of text of an SVG, as they are drawn."""
    root = ElementTree.fromstring(svg)
    pieces = [piece for item in root.iter(f"{SVG}text") for piece in item.itertext()]
    return [piece for piece in pieces if piece.strip()]


@pytest.mark.parametrize("kind", FLOWS)
def test_every_piece_of_text_is_a_node_in_its_place(kind: str) -> None:
    """Parsed back: the texts of the SVG, one by one, all inside the picture."""
    pygraphviz = pytest.importorskip("pygraphviz")
    drawing = see(FLOWS[kind]())
    graph = pygraphviz.AGraph(string=pinned_dot(drawing.svg()))
    root = ElementTree.fromstring(drawing.svg())
    nodes = [node for node in graph.nodes() if node.startswith("t") and node != "to"]
    assert [re.sub(r"\\[ln]$", "", graph.get_node(node).attr["label"]) for node in nodes] == texts_of(drawing.svg())
    width, height = map(float, root.attrib["viewBox"].split()[2:])  # before a scale to the slide
    for node in nodes:
        x, y = map(float, graph.get_node(node).attr["pos"].split(","))
        assert 0 < x < 1.2 * width  # a node is wider than its text, for fonts that are
        assert 0 < y < height
    assert graph.get_node("to").attr["pos"] == f"{width:.2f},0.00"


@pytest.mark.parametrize("theme", THEMES)
def test_colours_are_those_of_the_theme(theme: str) -> None:
    """And has no other colours."""
    used = set(re.findall(r"#[0-9A-Fa-f]{6}", source_of(deep_flow(), theme)))
    assert used <= set(THEMES[theme].values())
    assert THEMES[theme]["negative"] in used


def test_shapes_are_curves_of_the_background() -> None:
    """Each with 3k + 1 points; wires of negative shares are dashed; no string is too long for Graphviz."""
    source = source_of(deep_flow())
    (parts,) = re.findall(r"_background=(.*)\]", source)
    strings = re.findall(r"\"([^\"]*)\"", parts)
    background = "".join(strings)
    splines = re.findall(r"[bB] (\d+)((?: -?[\d.]+ -?[\d.]+)+)", background)
    assert len(splines) > 60
    for count, points in splines:
        assert len(points.split()) == 2 * int(count)
        assert int(count) % 3 == 1
    assert "6 -dashed" in background
    assert len(strings) > 1
    assert max(map(len, strings)) < 16_000


def test_a_box_has_round_corners() -> None:
    """A rectangle of 40 × 20 with corners of radius 5: the spline touches the middles of its sides."""
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="50">'
        '<rect x="10" y="20" width="40" height="20" rx="5" class="rest"/></svg>'
    )
    (points,) = re.findall(r"b 28((?: -?[\d.]+)+)", pinned_dot(svg))
    numbers = [float(number) for number in points.split()]
    assert (min(numbers[::2]), max(numbers[::2])) == (10.0, 50.0)
    assert (min(numbers[1::2]), max(numbers[1::2])) == (10.0, 30.0)  # y grows upwards, from 50 − 40 to 50 − 20
    assert numbers[:2] == numbers[-2:] == [15.0, 30.0]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_painted(name: str) -> None:
    """Names have no effect: Graphviz reads the text and finds only our nodes."""
    pygraphviz = pytest.importorskip("pygraphviz")
    source = source_of(hostile_flow(name))
    graph = pygraphviz.AGraph(string=source)
    assert all(re.fullmatch(r"from|to|t\d+", node) for node in graph.nodes())
    assert not graph.edges()
    labels = [node.attr["label"] for node in graph.nodes()]
    assert all(re.fullmatch(r"(?:[^\\]|\\\\)*\\[ln]|", label, flags=re.DOTALL) for label in labels)


@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_graphviz_paints_it(ending: str, magic: bytes) -> None:
    """In the size of the SVG, with two pixels of the PNG for each pixel of the SVG."""
    drawing = see(notes_flow())
    try:
        data, _ = render(pinned_dot(drawing.svg()), ending, layout="nop")
    except MissingProgramError:
        pytest.skip("neither dot nor pygraphviz is installed")
    assert data.startswith(magic)
    if ending == "png":
        root = ElementTree.fromstring(drawing.svg())
        width, height = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
        assert width == pytest.approx(2 * float(root.attrib["viewBox"].split()[2]), rel=0.02)
        assert height == pytest.approx(2 * float(root.attrib["viewBox"].split()[3]), rel=0.02)
