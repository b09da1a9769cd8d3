"""Drawing the next symbol from logits, and text from a model; perplexity."""

from __future__ import annotations

from math import isfinite
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node
from autodiff.primitives.operands import as_operand, describe, whole_number
from nn.parameters.generators import generator
from nn.parameters.ranges import Hyper, number_in

__all__ = ["draw_symbol", "generate", "perplexity"]

_BASES: Final = {"nats": float(np.e), "bits": 2.0}


def perplexity(J: Any, *, unit: str = "nats") -> float:
    """The perplexity of a cross-entropy J: e^J if J is in nats, 2^J if it is in bits.

    It is the number of equally likely symbols among which a model with this J would choose: V for a model that knows
    nothing, 1 for one that is always right. The print has 2^J beside natural logarithms, which is too small by far:
    at J = ln 65 nats it gives 18 instead of 65.

    Args:
        J: the mean over all steps, at least 0: a number, or a node that holds one.
        unit: of J, "nats" or "bits".

    Raises:
        ValueError: if J is below 0 or not finite, or the unit is unknown.
        TypeError: if J is not a number.

    Source: notes, section 3, and its erratum.

    >>> perplexity(6.0, unit="bits"), round(perplexity(np.log(65.0)), 9)
    (64.0, 65.0)
    """
    if not isinstance(unit, str) or unit not in _BASES:
        raise ValueError(f"unit must be 'nats' or 'bits', and got {describe(unit)}")
    number = as_operand("perplexity", J.data if isinstance(J, Node) else J)
    if number.size != 1 or number.dtype == object:
        raise TypeError(f"perplexity takes one number, and got {describe(J)}")
    if not number.item() >= 0.0 or not isfinite(number.item()):
        raise ValueError(f"perplexity takes a cross-entropy of at least 0, and got {number.item()}")
    return float(_BASES[unit] ** number.item())


def draw_symbol(
    logits: Any, random: np.random.Generator, *, temperature: float = 1.0, top_k: int | None = None
) -> int:
    """Draw a symbol by the probabilities softmax(s/τ).

    Args:
        logits: s, plain numbers of shape (V,).
        random: the generator; one number is drawn from it.
        temperature: τ; 1 draws as the model says, lower ones prefer the likely, and 0 takes the likeliest, of equal
            ones the first.
        top_k: choose among the k likeliest only; of equal ones, among the first.

    Raises:
        ValueError: if the temperature is negative or not finite, ``top_k`` is below 1, or no logit is finite.
        TypeError: if the generator is none.

    >>> draw_symbol([0.0, 5.0, 1.0], np.random.default_rng(0), temperature=0.0)
    1
    """
    tau = number_in(temperature, Hyper("temperature", "τ", 1.0))
    s, random = as_operand("draw_symbol", logits), generator(random)
    if s.ndim != 1 or s.dtype == object or np.any(np.isnan(s)) or not np.any(np.isfinite(s)):
        raise ValueError(
            f"draw_symbol takes logits of shape (V,), plain numbers of which one is finite, and got {describe(logits)}"
        )
    chance = random.random()
    order = np.argsort(-s, kind="stable")[: None if top_k is None else whole_number(top_k, "top_k", least=1)]
    if tau == 0.0:
        return int(order[0])
    with np.errstate(over="ignore"):  # a low temperature makes others −inf, of probability 0
        odds = np.exp((s[order] - s[order[0]]) / tau)
    sums = np.cumsum(odds)
    return int(order[np.searchsorted(sums, chance * sums[-1], side="right")])


def generate(
    model: Any, count: int, *, random: np.random.Generator, prompt: Any = (0,), temperature: float = 1.0,
    top_k: int | None = None,
) -> np.ndarray[Any, Any]:
    """Draw ``count`` symbols, each from the model's probabilities after all before it.

    Args:
        model: a `RecurrentLM`, an `NGrams`, or any object whose ``following(ids)`` is a generator that gives the logits
            after these ids, and after each further id that is sent to it.
        count: how many symbols are drawn.
        random: the generator.
        prompt: ids with which the text begins, at least one; they are not returned.
        temperature, top_k: as for `draw_symbol`.

    Returns:
        the ids drawn, shape (count,).

    Raises:
        ValueError, TypeError: as `draw_symbol`, and if the prompt holds no ids of the model.

    Source: notes, section 3.

    >>> from nn import RecurrentLM
    >>> generate(RecurrentLM(5, 3), 4, random=np.random.default_rng(0)).shape
    (4,)
    """
    count = whole_number(count, "the number of symbols", least=0)
    turns = model.following(prompt)
    drawn: list[int] = []
    logits = next(turns)
    for _ in range(count):
        drawn.append(draw_symbol(logits, random, temperature=temperature, top_k=top_k))
        logits = turns.send(drawn[-1])
    return np.array(drawn, dtype=np.intp)
