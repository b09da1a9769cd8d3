"""Formulas cut to a length keep whole terms, closed brackets and an operand on each side of every operator."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autodiff as ad
from autodiff import Value
from autodiff.draw import picture, see
from autodiff.flow.labels import labels
from autodiff.telling.explain import explain
from autodiff.words.gaps import LONGEST_NAME, with_gaps

NAMES = ["x", "w0", "rate", "y²", "f(z)", "tanh(a + b)", "|u − v|", "p[1, 2]", "0.05"]
TOKEN = re.compile(r"[^\s()\[\]|+−·/,]+")
OPERATOR = "[+−·/]"


def formulas() -> st.SearchStrategy[str]:
    """Random formulas with brackets, lists, sums and products."""

    def wider(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        several = st.lists(part, min_size=2, max_size=4)
        return st.one_of(
            several.map(" + ".join), several.map(" − ".join), several.map("·".join), several.map("/".join),
            part.map("({})".format), several.map(lambda parts: f"max({', '.join(parts)})"),
        )  # fmt: skip

    return st.recursive(st.sampled_from(NAMES), wider, max_leaves=12)


@settings(max_examples=40)
@given(text=formulas(), most=st.integers(7, 60))
def test_cut_at_whole_terms(text: str, most: int) -> None:
    """No operator dangles, brackets match, and every name is one of the whole formula."""
    cut = with_gaps(text, most)
    assert len(cut) <= most
    assert (cut == text) == (len(text) <= most)
    if "…" in cut[:-1] or cut.endswith((" …", "·…", "/…")):
        assert not re.search(rf"(^|[(,]) ?[+·/]|{OPERATOR} ?($|[),])|{OPERATOR} ?[+·/]", cut), cut
        assert cut.count("(") == cut.count(")")
        assert {*TOKEN.findall(cut)} <= {*TOKEN.findall(text), "…"}


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("v − 0.1·k·v·v − 0.1·k·(v − 0.1·k·v·v)", "v − 0.1·k·v·v − 0.1·k·(…)"),
        ("tanh(b + w0·x0 + w1·x1 + w2·x2)", "tanh(b + w0·x0 + … + w2·x2)"),
        ("(principal + interest + fees)·(1 + rate)", "(… + fees)·(1 + rate)"),
        ("a_name_without_any_operator_in_it", "a_name_without_any_operator_i…"),
        ("|first_name − second_name| + |third_name|", "… + |third_name|"),
    ],
)
def test_outer_operations_stay(text: str, cut: str) -> None:
    """The innermost part is left out first."""
    assert with_gaps(text) == cut


def test_one_length_in_boxes_formulas_and_texts_and_the_whole_on_hover() -> None:
    """The label of a node is the same text everywhere; tooltips of SVG, DOT and page have the whole formula."""
    x = [Value(0.5 * k, name=f"x{k}") for k in range(4)]
    inner = x[0] * x[1] + x[1] * x[2] + x[2] * x[3] + x[3] * x[0]
    drawing = see(ad.tanh(inner), x[0])
    flow = drawing.flow
    assert flow is not None
    label = flow.nodes[1].label
    whole = "x0·x1 + x1·x2 + x2·x3 + x3·x0"
    assert len(whole) <= LONGEST_NAME or label != whole
    long = ad.tanh(inner + x[1] * x[3])
    flow = ad.error_flow(long, x[0])
    label, whole = "x0·x1 + x1·x2 + … + x1·x3", f"{whole} + x1·x3"
    assert label in labels(ad.topological(long)).values()
    boxes = picture(flow, "shares").boxes
    assert label in {cell.text for box in boxes for row in box.rows for cell in row.cells}
    assert any(box.hint.startswith(f"{whole}: ") for box in boxes)
    assert label in explain(long, x[0]).text()
    drawn = see(long, x[0])
    for source in (drawn.svg(), drawn.dot(), drawn.html()):
        assert whole in source
