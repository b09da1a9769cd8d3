"""Pictures: their numbers are the ledger's, nothing overlaps, names cannot act as markup, files are complete."""

from __future__ import annotations

import json
import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autodiff as ad
from autodiff import Tensor, Value, error_flow
from autodiff.draw import Picture, dot, picture, svg, text
from autodiff.draw.grouping.groups import grouped
from autodiff.draw.layout.lines import footer, header
from autodiff.draw.layout.positions import lay_out
from autodiff.draw.layout.sizes import Rect
from autodiff.telling.style import USUAL
from autodiff.words.typeset import pieces, width
from tests.support.examples import examples
from tests.support.flows import (
    FLOWS,
    HOSTILE,
    array_flow,
    chain,
    deep_flow,
    empty_flow,
    hostile_flow,
    ladder,
    margin_flow,
    notes_flow,
    skipping,
    wide_flow,
)
from tests.support.present import present
from tests.support.processes import printed_here_and_elsewhere

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(params=FLOWS)
def flow(request: pytest.FixtureRequest) -> ad.Flow:
    """One flow of every kind."""
    return FLOWS[request.param]()


def of_paths(flow: ad.Flow) -> Picture:
    """The usual picture, but shares where so many values would be a graph."""
    what = picture(flow)
    return picture(flow, "shares") if what.kind == "graph" else what


def parsed(flow: ad.Flow) -> ElementTree.Element:
    """The SVG as a tree: it is well-formed XML."""
    return ElementTree.fromstring(svg(flow))


def words(element: ElementTree.Element) -> str:
    """All text in an element."""
    return "".join(element.itertext())


# ---- the numbers -----------------------------------------------------------------------------------------------------


def test_the_numbers_in_the_svg_are_the_ledgers() -> None:
    """Every value, error and share, in full and as printed; on a rail and with several paths."""
    for flow in (notes_flow(), deep_flow(), margin_flow(), skipping()):
        root = parsed(flow)
        cells = [(item.get("data-role"), item.get("data-number"), words(item)) for item in root.iter(f"{SVG}text")]
        shares = sorted(float(item.attrib["data-share"]) for item in root.iter(f"{SVG}g") if item.get("data-share"))
        for node in flow.nodes:
            assert ("value", repr(node.value), USUAL.amount(node.value)) in cells
            assert ("error", repr(node.error), USUAL.amount(node.error)) in cells
        inside = sum(len(group.nodes) - 1 for group in grouped(flow, units=picture(flow).kind == "shares"))
        assert len(shares) >= len(flow.edges) - inside
        assert set(shares) <= {edge.share for edge in flow.edges}


def test_the_rail_of_the_notes_example() -> None:
    """Six boxes, five wires each way, the numbers of the steps ① to ⑧, the product in the header."""
    what = picture(notes_flow())
    assert what.kind == "rail"
    way = [box for box in what.boxes if box.kind != "rest"]
    assert [(box.kind, box.label) for box in way] == [
        ("unit", "a₁⁽³⁾"), ("unit", "z₁⁽³⁾"), ("unit", "a₁⁽²⁾"), ("unit", "z₁⁽²⁾"), ("parameter", "W₁₄⁽¹⁾"),
        ("source", "a₄⁽¹⁾"),
    ]  # fmt: skip
    assert [box.label for box in what.boxes if box.kind == "rest"] == ["a₂⁽²⁾", "z₂⁽²⁾", "a₁⁽¹⁾", "a₂⁽¹⁾", "a₃⁽¹⁾"]
    back = [(wire.step, wire.label) for wire in what.wires if wire.lane == "error"]
    assert back == [(2, "× 1"), (None, "× W₁₁⁽²⁾ = 0.9"), (5, "× σ′(z₁⁽²⁾) = 0.1793"), (7, "× a₄⁽¹⁾ = 0.8")]
    assert [wire.label for wire in what.wires if wire.lane == "forward"] == ["=", "× W₁₁⁽²⁾", "σ", "Σ", "×"]
    assert [cell.step for box in way[:5] for row in box.rows for cell in row.cells if cell.step] == [1, 3, 4, 6, 8]
    assert what.formula == (
        "∂a₁⁽³⁾/∂W₁₄⁽¹⁾", "1 · 1 · W₁₁⁽²⁾ · σ′(z₁⁽²⁾) · a₄⁽¹⁾", "1 × 1 × 0.9 × 0.1793 × 0.8", "0.1291",
    )  # fmt: skip
    badges = [int(item.attrib["data-step"]) for item in parsed(notes_flow()).iter(f"{SVG}g") if item.get("data-step")]
    assert set(badges) == set(range(1, 9))


def test_widths_of_wires_follow_their_shares() -> None:
    """1 + 2.2·|share|/largest |share|, never under 1."""
    for flow in (notes_flow(), deep_flow()):
        wires = [wire for wire in picture(flow).wires if wire.lane == "error"]
        largest = max(float(np.max(np.abs(edge.share))) for edge in flow.edges)
        for wire in wires:
            assert wire.width == pytest.approx(1 + 2.2 * abs(wire.share) / largest)
    x = Value(1.0, name="x")
    for output in (x * math.nan, x * math.inf, x * 0.0):
        assert [wire.width for wire in picture(error_flow(output, x)).wires if wire.lane == "error"] == [1.0]


def test_signs_are_told_by_more_than_colour() -> None:
    """Negative wires are dashed, zero ones dotted, positive ones solid; the legend explains each."""
    root = parsed(notes_flow("W24(1)"))
    dashes = {
        item.get("class"): item.get("stroke-dasharray")
        for item in root.iter(f"{SVG}path")
        if item.get("fill") == "none"
    }
    assert dashes["s-error"] is None
    assert " " in present(dashes["s-negative"])
    assert "negative share" in words(root)
    met = parsed(margin_flow(shift=3.0))
    assert any(
        item.get("class") == "s-zero" and item.get("stroke-dasharray") == "1.5 4" for item in met.iter(f"{SVG}path")
    )
    assert "share exactly 0" in words(met)


def test_several_paths_have_a_row_for_every_share() -> None:
    """The rows of a box list the shares in symbols and numbers; their sum is the error below."""
    flow = deep_flow()
    what = picture(flow)
    assert what.kind == "shares"
    boxes = {box.label: box for box in what.boxes if box.kind in ("unit", "parameter")}
    rows = [row.cells[0] for row in boxes["z₁⁽²⁾"].rows if row.cells[0].role == "share"]
    assert [cell.text.partition(" = ")[0] for cell in rows] == ["δ₁⁽³⁾ · W₁₁⁽²⁾", "δ₂⁽³⁾ · W₂₁⁽²⁾", "δ₃⁽³⁾ · W₃₁⁽²⁾"]
    error = next(cell for cell in boxes["z₁⁽²⁾"].rows[-1].cells[1:])
    assert math.fsum(cell.number for cell in rows) == pytest.approx(error.number, rel=1e-12)
    ports = {(wire.head, wire.head_row) for wire in what.wires if wire.lane == "error"}
    assert len(ports) == sum(wire.lane == "error" for wire in what.wires)


def test_a_wire_names_its_window() -> None:
    """The rows at both scores of J say which window's they are."""
    cells = [cell.text for box in picture(margin_flow()).boxes for row in box.rows for cell in row.cells]
    assert "true window: × (−1) = −1" in cells
    assert "corrupt window: × 1 = 1" in cells


def test_a_bias_is_drawn_as_a_weight_on_a_constant_one() -> None:
    """Its source is a box with the number 1."""
    source = next(box for box in picture(notes_flow("b1(1)")).boxes if box.kind == "source")
    assert [row.cells[0].text for row in source.rows] == ["constant", "1"]


def test_long_paths_are_drawn_without_their_middle() -> None:
    """Fourteen boxes, one of them for the nodes left out and the product of their factors."""
    flow = error_flow(*chain(100))
    what = picture(flow)
    (more,) = (box for box in what.boxes if box.kind == "more")
    assert len(what.boxes) == 14
    assert more.rows[1].cells[0].text == "88 more"
    hidden = more.rows[3].cells[0].number
    shown = [edge for edge in flow.edges if {edge.consumer, edge.input} <= {*range(7), *range(95, 101)}]
    whole, seen = (math.prod(present(edge.local) for edge in edges) for edges in (flow.edges, shown))
    assert hidden * flow.edges[6].local * flow.edges[94].local == pytest.approx(whole / seen, rel=1e-9)


def test_more_than_a_reader_takes_in_shows_the_strongest_path() -> None:
    """Of 2²⁰⁰ paths one is drawn, and a caption says so."""
    what = picture(error_flow(*ladder(200)))
    assert what.kind == "rail"
    assert what.captions[0].startswith("Only the strongest of about 1.6e60 paths")
    assert what.formula[0].endswith("along the strongest path")


def test_a_long_column_of_the_rest_shows_how_many_are_left_out() -> None:
    """Five circles and a count."""
    what = picture(wide_flow())
    inputs = [box for box in what.boxes if box.column == max(box.column for box in what.boxes)]
    assert [box.label for box in inputs if box.kind in ("rest", "more")] == [
        "a₁⁽¹⁾",
        "a₂⁽¹⁾",
        "a₃⁽¹⁾",
        "a₄⁽¹⁾",
        "+ 6",
        "a₁₂⁽¹⁾",
    ]


def test_a_crowd_around_the_way_is_left_out() -> None:
    """With more than 400 other nodes, only the paths are drawn, on a rail and with several paths."""
    others = [Value(float(k)) for k in range(401)]
    w = Value(1.0, name="w")
    for output in (ad.weighted_sum([w, *others], [2.0] * 402), ad.weighted_sum([w, w, *others], [2.0] * 403)):
        assert {box.kind for box in picture(error_flow(output, w)).boxes} == {"unit", "parameter"}


def test_more_than_three_sources_are_not_drawn_as_boxes() -> None:
    """Values that a parameter multiplies in four places appear in the rows of its shares and as grey circles."""
    x = Value(1.0, name="x")
    weights = [Value(float(k), name=f"v{k}") for k in range(4)]
    what = picture(error_flow(sum(x * weight for weight in weights), x), "shares")
    assert "source" not in {box.kind for box in what.boxes}
    assert sum(box.kind == "rest" for box in what.boxes) == 4


def test_shares_beyond_the_largest_float_draw_without_warnings() -> None:
    """Warnings are errors here; a wire whose share overflows has the widest stroke."""
    t = Tensor([1.0, 1.0], name="T")
    parsed(error_flow((t * 1e170).sum(), t))  # the squares in a norm overflow
    x = Value(1e300, name="x")
    parsed(error_flow(x * x * x + x, x))


def test_no_path_looks_like_no_path() -> None:
    """The parameter's box is separate, without an error lane, and the caption says why."""
    what = picture(empty_flow())
    assert what.kind == "empty"
    assert what.wires == ()
    assert what.boxes[1].rows[-1].cells[0].text == "no path"
    assert what.captions[0].startswith("No path leads from a₁⁽³⁾ to W₁₄⁽¹⁾")
    assert "no error reaches" in what.title


# ---- the drawing -----------------------------------------------------------------------------------------------------


def overlaps(one: Rect, other: Rect) -> bool:
    """Whether two boxes share an area."""
    return (
        one.x < other.right and other.x < one.right
        and one.y < other.y + other.height - 1e-6 and other.y < one.y + one.height - 1e-6
    )  # fmt: skip


def test_no_two_boxes_overlap(flow: ad.Flow) -> None:
    """In no kind of picture."""
    layout = lay_out(picture(flow))
    for one, other in combinations(layout.boxes.values(), 2):
        assert not overlaps(one, other)
    assert min(rect.x for rect in layout.boxes.values()) >= 0
    assert max(rect.right for rect in layout.boxes.values()) <= layout.width
    assert max(rect.y + rect.height for rect in layout.boxes.values()) <= layout.height + 1e-6


def test_labels_of_wires_fit_between_their_boxes() -> None:
    """On a rail, whatever the font: the widest usual one is assumed."""
    what = picture(notes_flow())
    places = lay_out(what).boxes
    for wire in what.wires:
        if wire.label:
            left, right = sorted((places[wire.tail], places[wire.head]), key=lambda rect: rect.x)
            assert right.x - left.right >= width(wire.label, 14.0) + (22.0 if wire.step else 0.0)


def test_texts_fit_into_their_cells(flow: ad.Flow) -> None:
    """Every row is as wide as its box allows."""
    what = picture(flow)
    places = lay_out(what).boxes
    for box in what.boxes:
        for row in box.rows if box.rows[0].lane != "rest" else ():
            for cell in row.cells:
                room = places[box.id].width / len(row.cells)
                size = {"name": 17.0, "share": 13.5, "factor": 13.5}.get(cell.role, 15.0)
                assert width(cell.text, size, bold=cell.role == "error") <= room


def test_lines_of_text_are_no_wider_than_the_picture(flow: ad.Flow) -> None:
    """Title, formula, legend, steps and captions are broken into lines."""
    what = picture(flow)
    for line in (*header(what, 900.0), *footer(what, 900.0)):
        for run in line.runs:
            assert run.x + sum(width(segment.text, line.size, bold=segment.bold) for segment in run.segments) <= 930.0


def test_a_long_title_is_broken_between_words() -> None:
    """No word is lost, and no line is wider than the picture."""
    x = Value(0.5, name="the slope of the line through both points")
    what = picture(error_flow(x * 2.0, x))
    size = next(header(what, 400.0)).size
    lines = [line.runs[0].segments[0].text for line in header(what, 400.0) if line.size == size]
    assert len(lines) > 1
    assert " ".join(lines) == what.title
    assert all(width(line, size, bold=True) <= 400.0 for line in lines)


def test_wires_pass_columns_between_boxes() -> None:
    """A wire that skips columns goes around the boxes there."""
    what = picture(skipping(), "shares")
    layout = lay_out(what)
    column = {box.id: box.column for box in what.boxes}
    for wire in what.wires:
        points = layout.wires[wire.id]
        for box in what.boxes:
            if min(column[wire.tail], column[wire.head]) < box.column < max(column[wire.tail], column[wire.head]):
                place = layout.boxes[box.id]
                for x, y in points:
                    assert not (place.x <= x <= place.right and place.y < y < place.y + place.height)


def test_the_svg_is_an_image_with_title_and_description(flow: ad.Flow) -> None:
    """role="img"; a title, and the story in words."""
    root = ElementTree.fromstring(svg(of_paths(flow)))
    assert root.get("role") == "img"
    title, description = present(root.find(f"{SVG}title")), present(root.find(f"{SVG}desc"))
    assert words(title).startswith("Error sharing: ")
    assert len(words(description)) > 20
    _, _, wide, high = map(float, root.attrib["viewBox"].split())
    assert float(root.attrib["width"]) == min(wide, 1280.0)  # a slide
    assert float(root.attrib["height"]) / high == pytest.approx(float(root.attrib["width"]) / wide, abs=1e-3)


def test_the_description_tells_the_steps() -> None:
    """For those who cannot see the picture."""
    description = present(parsed(notes_flow()).find(f"{SVG}desc"))
    formula = "σ′(z₁⁽²⁾) = a₁⁽²⁾·(1 − a₁⁽²⁾) = 0.7658 × 0.2342 = 0.1793"
    assert f"× {formula} carries it through the neuron." in words(description)


def test_sub_and_superscripts_are_stacked() -> None:
    """W₁₄⁽¹⁾ is set as W with 14 lowered and (1) raised above it, and the pen comes back to the line."""
    (cell,) = [
        item
        for item in parsed(notes_flow()).iter(f"{SVG}text")
        if item.get("data-role") == "name" and words(item) == "W14(1)"
    ]
    base, low, high = cell.iter(f"{SVG}tspan")
    assert (base.text, base.get("font-style")) == ("W", "italic")
    assert (low.text, high.text) == ("14", "(1)")
    assert float(low.attrib["dy"]) > 0 > float(high.attrib["dy"])
    assert float(high.attrib["dx"]) < 0
    for item in parsed(deep_flow()).iter(f"{SVG}text"):
        spans = list(item.iter(f"{SVG}tspan"))
        if spans and not spans[-1].get("font-size"):
            assert sum(float(span.get("dy") or 0) for span in spans) == pytest.approx(0, abs=0.02)


def test_an_index_without_a_base_is_raised_alone() -> None:
    """A node called ² is drawn as a small raised 2, with no empty piece before it."""
    x = Value(2.0, name="²")
    names = [item for item in parsed(error_flow(x * 3.0, x)).iter(f"{SVG}text") if item.get("data-role") == "name"]
    (raised,) = next(item for item in names if words(item) == "2").iter(f"{SVG}tspan")
    assert raised.text == "2"
    assert float(raised.attrib["dy"]) < 0


def test_pieces_of_a_text() -> None:
    """Two-digit indices keep their comma, minus signs and the corrupt window's c are raised; words stay upright."""
    assert pieces("W₁₀,₂⁽¹⁾ᶜ", formula=True) == [("W", True, "10,2", "(1)c")]
    assert pieces("x⁻²", formula=True) == [("x", True, "", "−2")]
    assert pieces("tanh′(x)", formula=True) == [("tanh′(", False, "", ""), ("x", True, "", ""), (")", False, "", "")]
    assert pieces("a share of a₁", formula=False) == [("a share of ", False, "", ""), ("a", True, "1", "")]
    assert pieces("²", formula=True) == [("", False, "", "2")]


def test_widths_allow_for_any_character() -> None:
    """East Asian wide characters take at least an em, combining ones nothing, capitals more than small letters."""
    assert width("日", 10.0) == pytest.approx(11.0)
    assert width("e\u0301", 10.0) == width("e", 10.0)
    assert width("W", 10.0) > width("w", 10.0) > width("i", 10.0)
    assert width("W", 10.0, bold=True) > width("W", 10.0)


# ---- names that users choose -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_becomes_markup(name: str) -> None:
    """The SVG parses, with only the elements we write; text and JSON hold the name; ids are ours."""
    flow = hostile_flow(name)
    root = parsed(flow)
    assert {item.tag.removeprefix(SVG) for item in root.iter()} <= {
        "svg", "title", "desc", "style", "g", "rect", "circle", "path", "text", "tspan",
    }  # fmt: skip
    assert not any(key.startswith("on") or "href" in key for item in root.iter() for key in item.attrib)
    assert {item.get("data-box") for item in root.iter() if item.get("data-box")} == {
        box.id for box in picture(flow).boxes
    }
    assert "\n" not in flow.parameter.label
    json.dumps(flow.as_dict(), allow_nan=False)
    assert flow.parameter.label in text(flow)


@pytest.mark.slow
@examples(30)
@given(st.text(min_size=1, max_size=20))
def test_any_name_gives_xml_that_parses(name: str) -> None:
    """Whatever hypothesis thinks of."""
    parsed(hostile_flow(name))
    dot(hostile_flow(name)).encode()


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_becomes_dot(name: str) -> None:
    """Nodes and edges of the DOT text are the picture's, and names in labels contain no live markup."""
    flow = hostile_flow(name)
    source = dot(flow)
    what = picture(flow)
    assert len(re.findall(r"^\t(n\d+) \[", source, flags=re.MULTILINE)) == len(what.boxes)
    assert len(re.findall(r"^\tn\d+(?::r\d+:[ew])? -> n\d+", source, flags=re.MULTILINE)) == len(what.wires)
    assert "\\" not in source
    assert not {"SCRIPT", "script"} & set(re.findall(r"<(\w+)", source))


# ---- DOT and Graphviz ------------------------------------------------------------------------------------------------


def test_dot_text_has_a_table_for_every_box_and_an_edge_for_every_wire(flow: ad.Flow) -> None:
    """Rows are ports; errors run backwards along forward edges."""
    what = of_paths(flow)
    source = dot(what)
    for box in what.boxes:
        assert re.search(rf"^\t{box.id} \[label=<", source, flags=re.MULTILINE)
    back = re.findall(r"dir=back", source)
    assert len(back) == sum(wire.lane == "error" for wire in what.wires)
    for wire in what.wires:
        if wire.lane == "error":
            assert f"{wire.head}:r{wire.head_row}:e -> {wire.tail}:r{wire.tail_row}:w" in source


def test_steps_beyond_ten_are_numbered_in_brackets() -> None:
    """The circled digits of common fonts end at 10."""
    source = dot(deep_flow())
    assert "⑩" in source
    assert "(11)" in source
    assert "⑪" not in source


# ---- text ------------------------------------------------------------------------------------------------------------


def test_the_text_of_the_notes_example() -> None:
    """The product in three lines, the eight steps, the shares and their sum, the factor that shrinks most."""
    lines = text(notes_flow()).splitlines()
    assert lines[:5] == [
        "How the error of a₁⁽³⁾ reaches W₁₄⁽¹⁾",
        "",
        "  ∂a₁⁽³⁾/∂W₁₄⁽¹⁾ = 1 · 1 · W₁₁⁽²⁾ · σ′(z₁⁽²⁾) · a₄⁽¹⁾",
        "                 = 1 × 1 × 0.9 × 0.1793 × 0.8",
        "                 = 0.1291",
    ]
    assert lines[-4:] == [
        "The share that arrives at W₁₄⁽¹⁾ is the gradient:",
        "  δ₁⁽²⁾ · a₄⁽¹⁾ = 0.1291",
        "",
        "σ′(z₁⁽²⁾) = 0.1793 shrinks the error most.",
    ]
    assert sum(bool(re.match(r"\(\d\) ", line)) for line in lines) == 8


def test_the_text_lists_paths_with_their_percentages() -> None:
    """The strongest first; what they sum to is 100."""
    flow = margin_flow()
    found = re.findall(r"^ +([\d.]+) %  .* = (\S+)$", text(flow), flags=re.MULTILINE)
    assert [float(percent) for percent, _ in found] == [60.5, 39.5]
    assert [number for _, number in found] == [USUAL.amount(path.product) for path in flow.strongest(2)]


def test_long_texts_leave_out_their_middle() -> None:
    """Sixty lines of steps at most, twelve shares at most."""
    assert "more lines …" in text(error_flow(*chain(100)))
    x = Value(1.0, name="x")
    total = sum(x * float(k) for k in range(1, 20))
    assert "  … 7 more …" in text(error_flow(total, x)).splitlines()
    y = x * 2.0
    assert "x·2 is the output itself." in text(error_flow(y, y))


def test_the_same_bytes_in_every_process() -> None:
    """SVG, DOT, text and JSON do not depend on hash seeds or addresses."""
    script = (
        "import json; from autodiff.draw import dot, svg, text; from tests.support.flows import *; "
        "flows = [notes_flow(), deep_flow(), margin_flow(), skipping()]; "
        "print(*(f(x) for x in flows for f in (svg, dot, text)), *(json.dumps(x.as_dict()) for x in flows))"
    )
    here, elsewhere = printed_here_and_elsewhere(script)
    assert here == elsewhere
    assert len(here) > 100_000


def test_arrays_show_shape_and_norm() -> None:
    """In boxes and text."""
    flow = array_flow()
    size = f"{np.linalg.norm(flow.gradient):.4g}"
    assert f"is the gradient:\n  δ⁽²⁾ a⁽¹⁾ᵀ, a 2×4 matrix of norm {size}" in text(flow)
    cells = [cell.text for box in picture(flow).boxes for row in box.rows for cell in row.cells]
    assert f"2×4, norm {np.linalg.norm(flow.gradient):.4g}" in cells


def test_a_long_path_through_arrays() -> None:
    """The omitted part then has no product."""
    y = t = Tensor([0.1, 0.2], name="T")
    for _ in range(30):
        y = ad.tanh(y)
    flow = error_flow(y.sum(), t)
    (more,) = (box for box in picture(flow).boxes if box.kind == "more")
    assert more.rows[3].cells[0].text == "…"
    parsed(flow)


@pytest.mark.parametrize("letter", ["x", "\\", "&", "😀"])
def test_names_of_any_length_are_short_enough_for_graphviz(letter: str) -> None:
    """Graphviz refuses texts of 16 kB and more; an escaped character may take six bytes."""
    x = Value(2.0, name=letter * 10_000)
    text = dot(error_flow(x * x, x))
    assert max(len(line.encode()) for line in text.splitlines()) < 16_000


@pytest.mark.parametrize("f", [lambda a: a + a, lambda a: a * a, lambda a: a - a], ids=["a + a", "a·a", "a − a"])
def test_same_operand_twice_is_drawn_with_two_wires(f: Callable[[Value], Value]) -> None:
    """Each edge has a separate wire and row, in the picture and in DOT."""
    a = Value(3.0, name="a")
    flow = error_flow(f(a), a)
    wires = [wire for wire in picture(flow).wires if wire.lane == "error"]
    assert len({wire.head_row for wire in wires}) == len(wires) == 2
    assert dot(flow).count("dir=back") == 2
    assert len(flow.edges) == 2


def test_the_text_of_a_seed_has_room_beside_the_output() -> None:
    """A long seed is to the right of the output's box and inside the drawing."""
    x = Tensor(np.arange(6.0), name="x")
    made = ElementTree.fromstring(svg(picture(error_flow(x * x, x, seed=np.full(6, 0.12345)), "graph")))
    label = next(item for item in made.iter(f"{SVG}text") if "".join(item.itertext()).startswith("6, norm 0.3"))
    half = width("6, norm 0.3024", 14.0, bold=True) / 2
    boxes = [item for item in made.iter(f"{SVG}rect") if item.get("class") == "s-ink"]
    right = max(float(box.attrib["x"]) + float(box.attrib["width"]) for box in boxes)
    assert right <= float(label.attrib["x"]) - half
    assert float(label.attrib["x"]) + half <= float(made.attrib["width"])
