"""Drawings for narrow pages: from top to bottom where that fits better, and DOT in bands."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations, pairwise

import pytest

import autodiff as ad
from autodiff import Value, error_flow, tanh
from autodiff.draw import dot, picture, svg
from autodiff.draw.layout.bands import lay_out_in_bands, lay_out_within
from autodiff.draw.layout.down import lay_out_down
from autodiff.draw.layout.lines import footer, header
from autodiff.draw.layout.positions import lay_out
from autodiff.draw.views.computation import computation
from autodiff.flow import Flow
from autodiff.words.typeset import width
from tests.draw.readable.measures import measured
from tests.draw.views.test_saturation import chain, places, saturated_flow
from tests.draw.views.test_views import overlap
from tests.support import statements
from tests.support.flows import deep_flow, margin_flow, notes_flow

PHONE = 390.0


@pytest.mark.parametrize("view", ["rail", "network"])
def test_the_notes_example_is_readable_on_a_phone(view: str) -> None:
    """No text below 9 px, and every box of the way below the one before it: a₄⁽¹⁾, W₁₄⁽¹⁾, z₁⁽²⁾, z₁⁽³⁾."""
    what = picture(notes_flow(), view)
    drawn = svg(what, width=PHONE)
    assert measured(drawn, PHONE).smallest >= 9.0
    layout = lay_out_within(what, 430.0)
    assert layout.down
    place = {box.label: layout.boxes[box.id] for box in what.boxes}
    way = [place[name] for name in ("a₄⁽¹⁾", "W₁₄⁽¹⁾", "z₁⁽²⁾", "z₁⁽³⁾")]
    assert all(upper.y + upper.height < lower.y for upper, lower in pairwise(way))
    xs = [place[f"a{k}⁽¹⁾"].middle[0] for k in "₁₂₃₄"]
    assert xs == sorted(xs)


@pytest.mark.parametrize("view", ["rail", "network"])
def test_what_fits_a_slide_runs_from_left_to_right(view: str) -> None:
    """Inputs on the left, as in the notes."""
    what = picture(notes_flow(), view)
    assert not lay_out_within(what, 1280.0).down
    assert lay_out_within(what, 1280.0).boxes == lay_out(what).boxes


NETS = [notes_flow(), margin_flow(suffix="ᶜ"), deep_flow(), saturated_flow()]


@pytest.mark.parametrize(("flow", "view"), [
    *((flow, view) for flow in NETS for view in ("rail", "network", "shares")),
    *((chain(3.0), view) for view in ("rail", "shares")),
])  # fmt: skip
def test_nothing_overlaps_from_top_to_bottom(flow: Flow, view: str) -> None:
    """Boxes and texts; every wire starts and ends at the edge of its boxes, and each row of boxes is above the next."""
    what = picture(flow, view)
    layout = lay_out_down(what)
    assert not [pair for pair in combinations(layout.boxes.values(), 2) if overlap(*pair)]
    column = {box.id: box.column for box in what.boxes}
    for one, other in combinations(what.boxes, 2):
        if column[one.id] < column[other.id]:
            assert layout.boxes[other.id].y + layout.boxes[other.id].height < layout.boxes[one.id].y
    for wire in what.wires:
        for end, point in ((wire.tail, layout.wires[wire.id][0]), (wire.head, layout.wires[wire.id][-1])):
            place = layout.boxes[end]
            assert place.x - 1.0 <= point[0] <= place.right + 1.0
            assert min(abs(point[1] - place.y), abs(point[1] - place.y - place.height)) < 13.0
    assert max(rect.right for rect in layout.boxes.values()) <= layout.width + 1e-6
    assert min(rect.x for rect in layout.boxes.values()) >= 0.0


@pytest.mark.parametrize("view", ["rail", "network"])
def test_a_drawing_on_a_phone_is_the_same_statement(view: str) -> None:
    """The arrows of the drawing, read back, are those of the drawing on a slide, and no text covers another."""
    what = picture(saturated_flow(), view, digits=17)
    narrow, wide = (statements.read_svg(svg(what, width=most)) for most in (PHONE, 1280.0))

    def told(read: statements.Read) -> list[tuple[str, str, float | None, int]]:
        return [(arrow.tail, arrow.head, arrow.share, arrow.sign) for arrow in read.arrows]

    assert told(narrow) == told(wide)
    for arrow in narrow.arrows:
        start, tip = arrow.ends or ((0.0, 0.0), (0.0, 0.0))
        assert narrow.boxes[arrow.tail].touches(start)
        assert narrow.boxes[arrow.head].touches(tip)
    texts = list(places(svg(what, width=PHONE)))
    assert not [pair for pair in combinations(texts, 2) if overlap(*pair)]


def test_lines_above_and_below_fit_a_phone() -> None:
    """Entries of the legend that are wider than the page are broken between words."""
    what = picture(saturated_flow(), "rail")
    for line in (*header(what, 354.0), *footer(what, 354.0)):
        for run in line.runs:
            assert run.x + sum(width(part.text, line.size, bold=part.bold) for part in run.segments) <= 380.0


def test_dot_is_wrapped_into_bands_too() -> None:
    """Wires between bands do not push boxes to the right, and Graphviz shrinks the rest to the width."""
    x = top = Value(0.5, name="x")
    for k in range(24):
        top = tanh(top) if k % 2 else top * x
    what = computation(top)
    bands = lay_out_in_bands(what, 1280.0).bands
    assert len({*bands.values()}) > 1
    text = dot(what, width=1280.0)
    assert 'size="13.33,1000"' in text
    led_on = sum(bands[wire.tail] != bands[wire.head] for wire in what.wires)
    assert text.count("constraint=false") == led_on > 0
    starts = re.findall(r"^\t\t(n\d+) -> (n\d+) \[style=invis\]$", text, flags=re.MULTILINE)
    assert [bands[end] for pair in starts for end in pair][::2] == list(range(len({*bands.values()}) - 1))
    assert "constraint" not in dot(what, width=None)
    assert " size=" not in dot(what, width=None)


def test_a_source_above_the_rail_keeps_clear_of_the_circles() -> None:
    """A box with a value is larger than a circle; names make circles wide."""
    u, r, c, t = (Value(2.0, name=name) for name in ("U", "R", "C", "a time with a name"))
    what = picture(error_flow(u * (1.0 - ad.exp(-t / (r * c))), r), "rail")
    assert any(box.kind == "source" for box in what.boxes)
    for layout in (lay_out(what), lay_out_down(what)):
        grown = [
            replace(box, x=box.x - 6.0, y=box.y - 6.0, width=box.width + 12.0, height=box.height + 12.0)
            for box in layout.boxes.values()
        ]
        assert not [pair for pair in combinations(grown, 2) if overlap(*pair)]


def test_a_long_factor_leaves_out_the_derivative_that_it_is() -> None:
    """years·(1 + rate)^(years − 1) without ∂…/∂…; a short one keeps its name."""
    rate, years = Value(0.03, name="rate"), Value(10.0, name="years")
    labels = [wire.label for wire in picture(error_flow(1000.0 * (1.0 + rate) ** years, rate), "rail").wires]
    assert "× years·(1 + rate)^(years − 1) = 10 × 1.03⁹ = 13.05" in labels
    x, n = Value(2.0, name="x"), Value(3.0, name="n")
    short = [wire.label for wire in picture(error_flow(x**n, x), "rail").wires if wire.lane == "error"]
    assert short[0].startswith("× ∂(x^n)/∂x = n·x^(n − 1) = ")


def test_labels_of_wires_that_are_led_on_stay_inside_the_drawing() -> None:
    """The number of a step, right of the left edge, wherever the rail is cut."""
    rate, years = Value(0.03, name="rate"), Value(10.0, name="years")
    what = picture(error_flow(1000.0 * (1.0 + rate) ** years, rate), "rail")
    for across in (600.0, 700.0, 800.0, 900.0, 1000.0, 1100.0):
        discs = re.findall(r'<circle cx="(-?[\d.]+)" cy="[^"]*" r="8.5"', svg(what, width=across))
        assert len(discs) > 2
        assert min(map(float, discs)) >= 8.5
