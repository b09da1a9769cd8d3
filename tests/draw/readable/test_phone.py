"""Where no view is asked for, a narrow page gets one that people can read there; a slide gets the preferred one."""

from __future__ import annotations

from typing import Final

import pytest
from contact_sheets import WIDTHS, size_of
from programs import drawn_at

import autodiff as ad
from autodiff import Value, error_flow
from autodiff.draw import fitting, see
from autodiff.draw.model.picture import Picture
from autodiff.draw.writers.frame import SLIDE, smallest_text

PHONE: Final = WIDTHS["phone"]
BOOK: Final = 760.0
#: The views of programs on a slide and on a phone.
VIEWS_AT: Final = {
    "scorer 4-3-2-1": ("shares", "shares"),
    "scorer 20-8-1, one weight": ("rail", "graph"),
    "compound interest": ("rail", "graph"),
    "voltage divider": ("shares", "graph"),
    "charging capacitor": ("rail", "graph"),
    "projectile": ("rail", "rail"),
    "real gas": ("shares", "graph"),
    "energy of an orbit": ("shares", "shares"),
    "Snell's law": ("rail", "graph"),
    "Planck's law": ("rail", "graph"),
    "rotation": ("graph", "graph"),
    "perceptron": ("rail", "graph"),
    "Kullback–Leibler divergence": ("shares", "shares"),
    "cross-entropy of arrays": ("graph", "graph"),
    "layer normalisation": ("graph", "rail"),
    "Rayleigh quotient": ("shares", "graph"),
    "least squares": ("graph", "rail"),
}


def ways() -> ad.Flow:
    """Two paths through boxes whose shares are too wide for a phone."""
    volts, r, s = Value(12.0, name="volts"), Value(100.0, name="r"), Value(50.0, name="s")
    return error_flow(volts * s / (r + s), s)


@pytest.mark.parametrize("name", VIEWS_AT)
def test_a_picture_is_readable_at_every_width(name: str) -> None:
    """No line of text below 9 px, in the first view in which that is so; the text is as small as was measured."""
    slide, book, phone = drawn_at(name, (SLIDE, BOOK, PHONE))
    assert (slide.picture.kind, phone.picture.kind) == VIEWS_AT[name]
    assert book.picture.kind == slide.picture.kind
    for drawing, width in ((book, BOOK), (phone, PHONE)):
        size = size_of(drawing.svg(), width).smallest
        assert size >= 8.999  # 9 px before the numbers of the SVG were rounded
        assert smallest_text(drawing.picture, width) == pytest.approx(size, rel=1e-3)


@pytest.mark.parametrize("name", ["scorer 20-8-1", "12 layers of arrays", "attention", "convolution by slices"])
def test_graphs_become_readable_on_a_phone(name: str) -> None:
    """The fan stands closer, and long local gradients have gaps; a box of the cut ones shows the whole on hover."""
    slide, phone = drawn_at(name, (SLIDE, PHONE))
    assert phone.picture.kind == slide.picture.kind == "graph"
    assert size_of(phone.svg(), PHONE).smallest >= 8.999
    whole = {cell.whole or cell.text for box in slide.picture.boxes for cell in box.ports}
    cells = [cell for box in phone.picture.boxes for cell in box.ports]
    assert {cell.whole or cell.text for cell in cells} == whole
    assert all(len(cell.text) <= 24 for cell in cells)


def test_a_slide_needs_no_layout() -> None:
    """The preferred view is chosen there without any; `see` lays out nothing before it is drawn."""
    for width in (SLIDE, 1920.0, None):
        drawing = see(ways(), width=width)
        assert drawing.picture.kind == "shares"
        assert drawing.lay.cache_info().misses == 0  # type: ignore[attr-defined]
    phone = see(ways(), width=PHONE)
    before = phone.lay.cache_info().misses  # type: ignore[attr-defined]
    assert 1 <= before <= 3
    phone.svg()
    assert phone.lay.cache_info().misses == before  # type: ignore[attr-defined]


def test_views_that_are_asked_for_are_kept() -> None:
    """Also where they are too wide."""
    for view in ("shares", "rail", "graph"):
        assert see(ways(), view=view, width=PHONE).picture.kind == view
    assert see(ways(), width=PHONE, direction="right").picture.kind == "graph"
    assert see(ways(), width=PHONE, direction="down").picture.kind != "graph"


def test_the_listing_and_the_check_stand_in_every_view() -> None:
    """Whichever is chosen."""

    def divider(volts: float, r: float, s: float) -> float:
        return volts * s / (r + s)

    phone = see(divider, 12.0, 100.0, 50.0, parameter="s", check=True, width=PHONE)
    assert phone.picture.kind == "graph"
    assert any("return" in line.text for line in phone.picture.listing)
    assert phone.stamp in phone.picture.captions
    assert phone.picture.description.endswith(phone.stamp)


def test_where_none_is_readable_the_largest_text_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one, if several are equally large; once one is readable, no other is built."""
    rail, shares, graph = (see(ways(), view=view).picture for view in ("rail", "shares", "graph"))
    sizes = {rail: 5.0, shares: 7.0, graph: 7.0}
    monkeypatch.setattr(fitting, "smallest_text", lambda what, *_: sizes[what])

    def chosen(*pictures: Picture) -> Picture:
        return fitting.readable(iter(pictures), PHONE, None, lambda *_: pytest.fail("laid out"))

    assert chosen(rail, shares, graph) is shares
    assert chosen(rail, graph, shares) is graph
    sizes[shares] = 9.0
    left = iter([shares, graph])
    assert fitting.readable(left, PHONE, None, lambda *_: pytest.fail("laid out")) is shares
    assert list(left) == [graph]
    assert chosen(rail, shares, graph) is shares


def test_a_parameter_without_any_path_has_one_picture() -> None:
    """On a phone, too."""
    x, y = Value(1.0, name="x"), Value(2.0, name="y")
    assert see(error_flow(x * x, y), width=100.0).picture.kind == "empty"
