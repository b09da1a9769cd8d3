"""Results in notebooks: short texts, formulas as mathematics, small pictures, and bounded cost for large graphs."""

from __future__ import annotations

import base64
import re
import time
import xml.etree.ElementTree as ElementTree
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, Value, error_flow
from autodiff.draw import notebook, see
from autodiff.draw.graphviz import MissingProgramError
from autodiff.system import display
from autodiff.telling.explain import explain
from tests.support.flows import HOSTILE, notes_flow


def bundle(item: Any) -> dict[str, str]:
    """What a notebook is given."""
    found: dict[str, str] = item._repr_mimebundle_(include=None, exclude=None)
    assert found["text/plain"] == repr(item)
    return found


def picture(html: str) -> ElementTree.Element:
    """The SVG in a piece of HTML."""
    found = re.search(r"<svg .*</svg>", html, flags=re.DOTALL)
    assert found is not None
    root = ElementTree.fromstring(found[0])
    assert root.get("style") == "max-width:100%;height:auto"
    return root


def test_a_value_shows_name_formula_number_and_its_graph() -> None:
    """In HTML, which needs no MathJax, and in LaTeX; the gradients are those in .grad."""
    x, w = Value(2.0, name="x"), Value(-3.0, name="w")
    y = (w * x + 1.0).tanh()
    y.name = "y"
    shown = bundle(y)
    assert shown.keys() == {"text/plain", "text/html", "text/latex"}
    assert "<p><i>y</i> = tanh(<i>w</i>·<i>x</i> + 1) = −0.9999</p>" in shown["text/html"]
    assert shown["text/latex"] == r"$\displaystyle y=\text{tanh}(w\cdot x+1)=-0.9999$"
    assert float(picture(shown["text/html"]).get("width", 0.0)) <= 760.0
    y.backward()
    assert str(w.grad) in bundle(y)["text/html"]
    assert (w * x)._repr_mimebundle_()["text/latex"] == r"$\displaystyle w\cdot x=-6$"


def test_a_tensor_shows_its_formula_and_its_graph() -> None:
    """Numbers of an array are its shape and norm."""
    W = Tensor(np.eye(2), name="W")
    shown = bundle(W @ np.array([3.0, 4.0]))
    assert "= 2, norm 5</p>" in shown["text/html"]
    assert picture(shown["text/html"]).tag.endswith("svg")


@pytest.mark.parametrize("leaf", [Value(2.0, name="x"), Tensor([1.0, 2.0]), Value(2.0).detach()])
def test_a_leaf_is_a_text(leaf: Any) -> None:
    """There is nothing to draw."""
    assert bundle(leaf).keys() == {"text/plain"}


def test_a_flow_shows_its_formula_and_its_picture() -> None:
    """The derivative as a fraction in LaTeX."""
    shown = bundle(notes_flow())
    start = r"$\displaystyle \frac{\partial a_{1}^{(3)}}{\partial W_{14}^{(1)}}=1\cdot 1\cdot W_{11}^{(2)}"
    assert shown["text/latex"].startswith(start)
    assert "∂<i>a</i><sub>1</sub><sup>(3)</sup>/∂<i>W</i><sub>14</sub><sup>(1)</sup> = 1 · 1 ·" in shown["text/html"]
    assert picture(shown["text/html"]).tag.endswith("svg")
    x = Value(2.0, name="x")
    assert "no path" in bundle(error_flow(x * 2.0, Value(1.0, name="w")))["text/html"]


def test_an_explanation_is_short_in_text_and_markdown_in_notebooks() -> None:
    """Its repr is one line."""
    x = Value(2.0, name="x")
    made = explain(x * x, x)
    assert "\n" not in repr(made)
    assert made._repr_markdown_() == made.markdown()


def test_large_graphs_cost_next_to_nothing() -> None:
    """No picture, no formula; 100,000 nodes are not even counted."""
    x = Value(1.0, name="x")
    y = x
    for _ in range(100_000):
        y = y * 1.0001
    started = time.process_time()
    assert bundle(y).keys() == {"text/plain"}
    assert 300 < notebook._count(y) < 310
    y.name = "y"
    assert bundle(y)["text/html"] == '<div class="autodiff"><p><i>y</i> = 22,020</p>\n</div>'
    flow = error_flow(y, x)
    checked = time.process_time()
    assert "<svg" not in bundle(flow)["text/html"]
    assert time.process_time() - checked < 0.3
    assert checked - started < 30.0
    assert "<svg" not in bundle(_chain(40))["text/html"]
    assert "<svg" in bundle(_chain(20))["text/html"]


def _chain(length: int) -> Value:
    y = Value(1.0, name="x")
    for _ in range(length):
        y = ad.sin(y)
    return y


@pytest.mark.parametrize("number", [np.inf, -np.inf, np.nan, 0.0, 1e308])
def test_no_number_and_no_name_makes_a_display_fail(number: float) -> None:
    """Nor does it change anything: data, gradients, names and later gradients stay."""
    for name in HOSTILE:
        x = Value(number, name=name)
        with np.errstate(all="ignore"):
            y = x * x
        shown = bundle(y)
        assert "<script" not in shown["text/html"]
        picture(shown["text/html"])
        assert (x.grad, y.grad, y.name, x.name) == (None, None, None, name)
        assert "codepoint" not in shown["text/latex"]


def test_a_display_inside_a_differentiated_function_changes_nothing() -> None:
    """It reads no data that a gradient would have to follow."""

    def f(x: Any) -> Any:
        bundle(x * x)
        return x * 3.0

    assert ad.grad(f)(2.0) == 3.0


def test_a_failing_display_leaves_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong in drawing."""

    def fails(item: Any) -> dict[str, str]:
        raise RuntimeError("no picture")

    monkeypatch.setattr(display, "RICH", [fails])
    assert bundle(Value(2.0) * 3.0) == {"text/plain": "Value(data=6, grad=–)"}


def test_a_stale_graph_is_shown() -> None:
    """As it was computed."""
    x = Value(2.0, name="x")
    y = x * x
    x.data = 5.0
    assert "text/html" in bundle(y)


def test_drawings_have_a_pdf_for_nbconvert_if_graphviz_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """In base64; nbconvert would need Inkscape for the SVG. Without Graphviz the rest is there."""
    monkeypatch.setattr(notebook, "render", lambda text, ending, layout: (b"%PDF-1.7", "dot"))
    assert base64.b64decode(see(notes_flow())._repr_mimebundle_()["application/pdf"]) == b"%PDF-1.7"

    def missing(text: str, ending: str, layout: str) -> None:
        raise MissingProgramError("no Graphviz")

    monkeypatch.setattr(notebook, "render", missing)
    assert see(notes_flow())._repr_mimebundle_().keys() == {"image/svg+xml", "text/html", "text/plain"}
