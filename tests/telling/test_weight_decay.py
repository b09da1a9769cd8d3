"""The gradient of a matrix that also has a penalty: δaᵀ + 2λW, in pictures and texts; arrays told in sentences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, error_flow
from autodiff.draw import dot, picture, svg
from autodiff.flow import Flow
from autodiff.telling.derivation import outer_product
from autodiff.telling.explain import explain
from autodiff.telling.text import text

RANDOM = np.random.default_rng(5)
PENALTIES: dict[str, Any] = {
    "W·W": lambda W: 0.1 * ad.sum(W * W), "W²": lambda W: 0.1 * ad.sum(W**2), "|W|": lambda W: ad.sum(abs(W)),
}  # fmt: skip


def flow_of(penalty: str, shape: tuple[int, int] = (2, 3)) -> Flow:
    """The flow of a loss with a penalty to the weights of one layer."""
    W, x = Tensor(RANDOM.normal(size=shape), name="W"), Tensor(RANDOM.normal(size=shape[1]), name="x")
    z = W @ x
    z.name = "z"
    loss = ad.sum(ad.tanh(z)) + PENALTIES[penalty](W)
    loss.name = "J"
    return error_flow(loss, W)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_both_terms_make_the_gradient(penalty: str) -> None:
    """The product of the factors plus the rest, entry by entry."""
    flow = flow_of(penalty)
    made = outer_product(flow)
    assert made is not None
    assert made.rest is not None
    assert np.allclose(made.left @ made.right + made.rest, flow.gradient, rtol=1e-12, atol=0)
    assert (made.rest_name == "0.2·W") == (penalty != "|W|")


def test_a_rest_that_is_no_multiple_is_told_as_its_share() -> None:
    """|W| adds a sign to each entry."""
    made = outer_product(flow_of("|W|"))
    assert made is not None
    assert made.rest_name.startswith("(error at |W|) ∘ ")


def test_pictures_and_texts_show_both() -> None:
    """Below the tiles, in the description, and above the table of entries."""
    flow = flow_of("W²")
    for written in (svg(picture(flow)), dot(picture(flow))):
        assert "plus 0.2·W" in written.replace("</tspan>", "").replace('<tspan font-style="italic">', "")
    told = explain(flow.flows.graph[0], flow.flows.node_of(flow.parameter)).text()
    assert "∂J/∂W = (error at z) xᵀ + 0.2·W, an outer product and another share; its entries:" in told
    large = flow_of("W·W", (3, 12))
    told = explain(large.flows.graph[0], large.flows.node_of(large.parameter)).text()
    made = outer_product(large)
    assert made is not None
    assert made.rest is not None
    k = np.unravel_index(np.argmax(np.abs(large.gradient)), (3, 12))
    assert told.count(" × ") >= 3
    assert f"= {large.gradient[k]:.4g}".replace("-", "−") in told


def test_arrays_are_told_in_sentences() -> None:
    """No bare pairs of a shape and a norm in the steps, and one number is a number."""
    z = Tensor([0.5, 1.0], name="z")
    steps = text(flow_of("W²")).partition("\n(1) ")[2].partition("\n\n")[0]
    assert "(error at tanh(z)) ∘ tanh′(z), a vector of 2 entries and norm " in steps
    assert "∂J/∂W, the gradient, is a 2×3 matrix of norm " in steps
    assert "error at Σ(tanh(z)) = (error at J) · 1 = 1" in steps
    alone = text(error_flow(ad.sum(ad.tanh(z) * 2.0), z))
    assert "The share of tanh(z) is (error at tanh(z)·2) ∘ 2, a vector of 2 entries and norm 2.828: the error" in alone
    assert "  (error at tanh(z)) ∘ tanh′(z), a vector of 2 entries and norm " in alone
    assert "The share that arrives at z is the gradient:\n" in alone
    assert "their sum, the gradient: a 2×3 matrix of norm " in text(flow_of("W²"))
    assert "[" not in steps
    chinese = text(flow_of("W²"), language="zh")
    assert "2 维向量，范数为" in chinese
    assert "2×3 矩阵，范数为" in chinese
