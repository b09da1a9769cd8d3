"""A power whose exponent is no digit: raised in SVG, DOT, LaTeX and HTML, with a caret in plain text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

import autodiff as ad
from autodiff import Value
from autodiff.draw import see
from autodiff.telling.explain import explain
from autodiff.telling.latex import formula
from autodiff.words.notation import in_ascii
from autodiff.words.typeset import pieces, width


@pytest.mark.parametrize(
    ("text", "raised"),
    [
        ("(1 + rate)^years", ["years"]), ("x^(n − 1)·y^0.5", ["n − 1", "0.5"]), ("x₁^y", ["", "y"]),
        ("2^f(x)", ["f(x)"]), ("a ^ b", []), ("^x", []), ("(^x", []), ("x^", []), ("x^\\input", []), ("x^()", []),
    ],
)  # fmt: skip
def test_exponents(text: str, raised: list[str]) -> None:
    """A caret without a base or an exponent stays as it is."""
    assert [piece.sup for piece in pieces(text, formula=True) if piece.sub or piece.sup] == raised


def test_everywhere() -> None:
    """The same power in all formats, and no caret in any that sets formulas."""
    rate, years = Value(0.05, name="rate"), Value(10.0, name="years")
    growth = (1.0 + rate) ** years
    drawing = see(ad.log(growth), rate)
    drawn = "".join(ElementTree.fromstring(drawing.svg()).itertext())
    assert "years" in drawn
    texts = [*ElementTree.fromstring(drawing.svg()).iter("{http://www.w3.org/2000/svg}text")]
    assert not any("^" in "".join(text.itertext()) for text in texts)
    raised = [span for text in texts for span in text if "font-size" in span.attrib and span.text == "years"]
    assert raised
    assert all(float(span.attrib["dy"]) < 0 for span in raised)
    assert "<SUP>years</SUP>" in drawing.dot()
    assert "^" not in re.sub(r'tooltip="[^"]*"', "", drawing.dot())
    told = explain(ad.log(growth), rate)
    assert "(1 + rate)^years" in in_ascii(told.text())
    assert r"(1+\text{rate})^{\text{years}}" in told.latex()


def test_exponents_are_printed_and_never_executed() -> None:
    """Names in an exponent are text."""
    assert formula("x^(\\input{a})") == r"x^{\text{\textbackslash{}}\text{input}\text{\{}a\text{\}}}"
    base = Value(2.0, name="x") ** Value(3.0, name="<b>y&</b>")
    drawing = see(base)
    assert "<b>" not in drawing.svg()
    assert "<b>" not in drawing.dot().replace("<B>", "")


def test_a_raised_exponent_is_narrower() -> None:
    """Boxes leave room for what is drawn."""
    assert width("x^years", 10.0) < width("xyears", 10.0)
