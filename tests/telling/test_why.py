"""Why a gradient is what it is: the chain rule once, where each factor comes from, and what the number means."""

from __future__ import annotations

import re

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, Value
from autodiff.telling.explain import explain
from autodiff.words.columns import columns
from tests.support.flows import CORRUPT, X, chain, notes_network

LANGUAGE = pytest.mark.parametrize("language", ["en", "zh"])


def test_each_factor_of_the_notes_example_has_its_origin() -> None:
    """W₁₁⁽²⁾ and a₄⁽¹⁾ are other factors, σ′ is a slope, the output unit changes nothing; x is shown."""
    text = explain(notes_network(), "W14(1)", X).text()
    assert text.count("chain rule") == 1
    assert "The input: a₁⁽¹⁾ = 1, a₂⁽¹⁾ = −0.5, a₃⁽¹⁾ = 0.25, a₄⁽¹⁾ = 0.8." in text
    assert re.findall(r"^  (.*(?:multiplies|slope of|changes as).*)$", text, flags=re.MULTILINE) == [
        "1: a₁⁽³⁾ = z₁⁽³⁾ changes as much as z₁⁽³⁾",
        "W₁₁⁽²⁾ = 0.9 multiplies a₁⁽²⁾ in z₁⁽³⁾ = W₁₁⁽²⁾ · a₁⁽²⁾ + W₁₂⁽²⁾ · a₂⁽²⁾ + b₁⁽²⁾",
        "σ′(z₁⁽²⁾) = a₁⁽²⁾·(1 − a₁⁽²⁾) = 0.7658 × 0.2342 = 0.1793 is the slope of σ at z₁⁽²⁾ = 1.185",
        "a₄⁽¹⁾ = 0.8 multiplies W₁₄⁽¹⁾ in z₁⁽²⁾ = W₁₄⁽¹⁾ · a₄⁽¹⁾ + …",
    ]


def test_the_number_is_what_a_step_does() -> None:
    """s of a network with W₁₄⁽¹⁾ = 0.71, computed anew; descent goes the other way."""
    moved = notes_network()
    moved.parameter("W14(1)").data = 0.71
    before, after = notes_network()(X).data, moved(X).data
    text = explain(notes_network(), "W14(1)", X).text(digits=9)
    assert f"Raise W₁₄⁽¹⁾ by 0.01, and a₁⁽³⁾ rises by {after - before:.9g}, from {before:.9g} to {after:.9g}; " in text
    assert "Gradient descent, which makes a₁⁽³⁾ smaller, lowers W₁₄⁽¹⁾." in text


def test_the_direction_follows_the_sign() -> None:
    """A negative slope, no slope, and an array."""
    w = Value(2.0, name="w")
    down = explain(w * -3.0, w).text()
    assert "Raise w by 0.01, and w·(−3) falls by 0.03, from −6 to −6.03" in down
    assert "raises w." in down
    off = explain(ad.relu(w - 5.0), w).text()
    assert "ReLU(w − 5) = 0 does not change" in off
    assert "descent" not in off
    W = Tensor(np.array([1.0, 2.0]), name="W")
    text = explain(ad.sum(W * np.array([3.0, 4.0])), W).text()
    assert "Move W by 0.01 against its gradient, and Σ(W·[3, 4]) falls by 0.05, from 11 to 10.95" in text


def test_several_paths_are_summed() -> None:
    """Both windows of J, and of a long path only the ends."""
    text = explain(notes_network(), "W14(1)", X, corrupt=CORRUPT).text()
    assert "along 2 paths" in text
    assert "Where each factor of the strongest path comes from" in text
    long = explain(*chain(300)).text()
    why = long[long.index("Where each factor") : long.index("What the number means")]
    assert why.count("\n") < 20


def test_nothing_is_said_where_nothing_can_be_replayed() -> None:
    """With a seed, the gradient is that of a multiple of the output; on no path there is none."""
    w = Value(2.0, name="w")
    assert "Raise" not in explain(w * 3.0, w, seed=2.0).text()
    assert "Why" not in explain(Value(1.0, name="y") * 2.0, w).text()


@LANGUAGE
@pytest.mark.parametrize("width", [60, 80, 100])
def test_tables_are_no_wider_than_asked(language: str, width: int) -> None:
    """All rows of all tables; without a limit, the two derivations are wider than 100."""
    made = explain(notes_network(), "W14(1)", X, check=True)

    def widest(text: str) -> int:
        rules = [m.start() for m in re.finditer(r"^  ─", text, flags=re.MULTILINE)]
        blocks = [text[text.rfind("\n\n", 0, at) + 2 : text.find("\n\n", at)] for at in rules]
        return max(columns(line) for block in blocks for line in block.splitlines())

    assert widest(made.text(language, width=width)) <= width
    assert widest(made.text(language, width=None)) > 100
