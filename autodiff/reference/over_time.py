"""Nets over time in the reference: each with its formula, its picture, the names to use, and a demo if there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from autodiff.draw.charts.heat import Heat, heat_chart
from autodiff.reference.markup import Links, code
from nn import GRU, Attention, RecurrentLM, shares_in_time

__all__ = ["over_time"]

_DEMO: Final = "demos/language_model.py"
_STEPS: Final = 12


@dataclass(frozen=True, slots=True)
class _Topic:
    """Formulas, what they say, the names that compute them, a picture as SVG, and a demo."""

    title: str
    formulas: tuple[str, ...]
    said: str
    names: tuple[str, ...]
    picture: Callable[[], str] | None = None
    demo: str = ""


def over_time(links: Links) -> Iterator[str]:
    """The topics as HTML; pictures are drawn anew from nets with fixed seeds.

    >>> list(over_time(Links({"nn.RecurrentLM"})))[0]
    '<h3 id="time.1">The recurrent language model</h3>'
    """
    for count, topic in enumerate(_TOPICS, start=1):
        yield f'<h3 id="time.{count}">{topic.title}</h3>'
        yield f"<p>{'<br>'.join(map(code, topic.formulas))}</p>"
        yield f"<p>{links.inline(topic.said)}</p>"
        if topic.picture is not None:
            yield f'<div class="wide">{topic.picture()}</div>'
        named = ", ".join(links.name(name, "nn") for name in topic.names)
        yield f'<p class="names">{named}{f"; demo: {code(topic.demo)}" if topic.demo else ""}</p>'


def _in_time(**options: str) -> str:
    """The shares in time of a net before its first step, as a picture."""
    net = RecurrentLM(5, 8, random=np.random.default_rng(0), **options)  # type: ignore[arg-type]
    ids = np.random.default_rng(1).integers(0, 5, _STEPS + 1)
    return shares_in_time(net, ids[:-1], ids[1:]).svg(title=f"Shares in time, {', '.join(options.values())}")


def _gates() -> str:
    """The states of a GRU over time: a row for each unit."""
    gru = GRU(3, 6, random=np.random.default_rng(0)).plain()
    x = np.random.default_rng(2).normal(size=(_STEPS, 3))
    states = np.array([*gru.over(x)])
    return heat_chart([Heat("h_t of a GRU", states.T)], across="t", down="unit")


def _attended() -> str:
    """The weights of two causal heads."""
    attention = Attention(8, heads=2, causal=True, random=np.random.default_rng(0))
    weights = attention.weights(2.0 * np.random.default_rng(3).normal(size=(8, 8)))
    heads = np.where(np.tri(8, dtype=bool), weights, np.nan)
    return heat_chart([Heat(f"A, head {k}", head) for k, head in enumerate(heads, 1)], across="from", down="to")


_TOPICS: Final = (
    _Topic(
        "The recurrent language model",
        ("h_t = f(W_hh h_{t−1} + W_hx x_t + b_h)", "ŷ_t = softmax(W_S h_t + b_S)", "J = −(1/T) Σ_t ln ŷ_t[y_t]"),
        "x_t is the one-hot vector of a character or word, so that W_hx x_t is a column of W_hx. h₀ is 0, learned, "
        "given, or carried on from the stretch before, which is truncated backpropagation through time.",
        ("RecurrentLM", "Recurrent", "Carried", "sequences", "Vocabulary", "generate", "NGrams"),
        demo=_DEMO,
    ),
    _Topic(
        "Perplexity",
        ("e^J, J in nats", "2^J, J in bits"),
        "The number of equally likely symbols that would be as hard to predict. The print has 2^J beside natural "
        "logarithms, which mixes the two.",
        ("perplexity", "text_loss", "softmax_cross_entropy"),
        demo=_DEMO,
    ),
    _Topic(
        "Shares in time",
        ("∂J/∂W_hh = Σ_t Σ_{k ≤ t} ∂J_t/∂h_t · ∂h_t/∂h_k · ∂h_k/∂W_hh", "∂h_t/∂h_k = Π_{j=k+1…t} diag(f′(z_j)) W_hh",
         "‖∂h_t/∂h_k‖ ≤ (max f′ · ‖W_hh‖)^{t−k}"),
        "Every pair of a step t, whose objective sends the error, and a step k, where it meets the weight, has its "
        "share. Here errors of sigmoid units vanish; with ReLU units and the identity as W_hh they stay as they are.",
        ("shares_in_time", "InTime", "clip_norm"),
        lambda: _in_time(activation="sigmoid") + _in_time(activation="relu", init="identity"),
        demo=_DEMO,
    ),
    _Topic(
        "Gated recurrent unit",
        ("z = σ(W_z x_t + U_z h_{t−1} + b_z)", "r = σ(W_r x_t + U_r h_{t−1} + b_r)",
         "h̃ = tanh(W_h x_t + r ∘ (U_h h_{t−1}) + b_h)", "h_t = (1 − z) ∘ h̃ + z ∘ h_{t−1}"),
        "Where z is near 1, the state is kept, and its error too.",
        ("GRU",),
        _gates,
    ),
    _Topic(
        "Long short-term memory",
        ("i, f, o = σ(W x_t + U h_{t−1} + b)", "c̃ = tanh(W_c x_t + U_c h_{t−1} + b_c)",
         "c_t = f ∘ c_{t−1} + i ∘ c̃", "h_t = o ∘ tanh(c_t)"),
        "The cell c is a sum, along which an error passes as it is where f is near 1.",
        ("LSTM",),
    ),
    _Topic(
        "Attention",
        ("A = softmax(Q Kᵀ/√d_h)", "y = W_O concat(A V)", "Q = W_Q x, K = W_K x, V = W_V x"),
        "Every position takes from all positions, or from none after it if `causal`; each row of A sums to 1. In a net "
        "of Values the weights α have names, so that the flow through a softmax over positions can be drawn.",
        ("Attention",),
        _attended,
    ),
)  # fmt: skip
