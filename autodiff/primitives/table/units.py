"""Units, a = f(z): the activations of the notes (section 2, "Units and their derivatives") and their smooth relatives;
and the hinge, the unit at the end of the max-margin objective.

Each is a primitive, not a composite, so that a neuron's edge carries f′(z) itself and so that nothing overflows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from autodiff.primitives.definition import primitive
from autodiff.primitives.domain import NONZERO, Domain, Example
from autodiff.primitives.expression import read_as
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.table.elementwise import exp, gaussian, maximum, sign, where

__all__ = [
    "elu", "gelu", "hard_tanh", "hinge", "hinge_sum", "identity", "leaky_relu", "log_sigmoid", "relu", "sigmoid",
    "soft_sign", "softplus",
]  # fmt: skip

_HARD_TANH_DOMAIN: Final = Domain(-2.0, 2.0, "all reals", kinks=(-1.0, 1.0))
_ROOT_2PI: Final = 2.5066282746310002
_BY_WINDOW: Final = np.array([[-1.0], [1.0]])  # ∂J/∂s and ∂J/∂s_c of a pair that violates the margin


def _violation(larger: Callable[[Any, Any], Any], scores: Any, margin: Any) -> Any:
    """max(Δ + s_c − s, 0) of each pair, where the first half of the scores is s and the second s_c."""
    pairs = scores.reshape((2, -1))
    return larger(margin + pairs[1] - pairs[0], 0.0)


def _shared_by_pairs(g: Any, scores: Any, margin: Any) -> Any:
    active = g * sign(_violation(maximum, scores, margin))
    return (_BY_WINDOW * active).reshape(scores.shape)


def _bell(x: Any) -> Any:
    """e^(−x²/2)."""
    return read_as(gaussian(x), lambda: exp(-(x * x) / 2.0))


# fmt: off
identity = primitive("identity", lambda xp, x: x + 0.0,
    [lambda g, z, x: g],
    symbol="=", linear=True, doc="x itself, as a separate node: the output unit of a scorer.")

sigmoid: Primitive = primitive("sigmoid", lambda xp, x: xp.logistics(x)[0],
    [lambda g, z, x: g * (z * read_as(co_sigmoid(x), lambda: 1.0 - z))],
    symbol="σ", doc="Sigmoid σ(x) = 1/(1 + e⁻ˣ), with derivative σ(1 − σ); 0 and 1 at ∓1000 (notes, section 1.1).")

co_sigmoid: Primitive = primitive("co_sigmoid", lambda xp, x: xp.logistics(x)[1],
    [lambda g, z, x: -(g * (z * sigmoid(x)))],
    symbol="1 − σ", doc="1 − σ(x) = σ(−x), accurate to the last digits where σ rounds to 1.")

log_sigmoid = primitive("log_sigmoid", lambda xp, x: xp.minimum(x, 0.0) - xp.log1p(xp.exp(xp.copysign(x, -1.0))),
    [lambda g, z, x: g * sigmoid(-x)],
    symbol="ln σ", doc="ln σ(x), finite for every finite x.")

softplus = primitive("softplus", lambda xp, x: xp.maximum(x, 0.0) + xp.log1p(xp.exp(xp.copysign(x, -1.0))),
    [lambda g, z, x: g * sigmoid(x)],
    doc="ln(1 + eˣ), without overflow.")

relu = primitive("relu", lambda xp, x: xp.maximum(x, 0.0),
    [lambda g, z, x: g * sign(z)],
    symbol="ReLU", domain=NONZERO, gate=True, doc="max(x, 0); its derivative at 0 is 0, at nan it is nan.")

leaky_relu = primitive("leaky_relu", lambda xp, x, *, slope=0.01: xp.where(x > 0, x, slope * x),
    [lambda g, z, x, *, slope=0.01: g * where(x > 0, 1.0, where(x == x, slope, x))],
    symbol="leaky ReLU", domain=NONZERO, gate=True, examples=(Example(((),)), Example(((),), {"slope": 0.25})),
    doc="x for x > 0, else slope·x; its derivative at 0 is slope.")

hard_tanh = primitive("hard_tanh", lambda xp, x: xp.minimum(xp.maximum(x, -1.0), 1.0),
    [lambda g, z, x: g * where((x >= -1.0) & (x <= 1.0), 1.0, where(x == x, 0.0, x))],
    symbol="hard tanh", domain=_HARD_TANH_DOMAIN, gate=True, doc="x limited to [−1, 1]; the derivative is 1 inside and at ±1, 0 outside.")

soft_sign = primitive("soft_sign", lambda xp, x: x / (1.0 + abs(x)),
    [lambda g, z, x: g / (1.0 + abs(x)) / (1.0 + abs(x))],
    symbol="soft sign", doc="x/(1 + |x|), with derivative 1/(1 + |x|)².")

elu = primitive("elu", lambda xp, x, *, alpha=1.0: xp.where(x > 0, x, alpha * xp.expm1(xp.minimum(x, 0.0))),
    [lambda g, z, x, *, alpha=1.0: g * where(x > 0, 1.0, alpha * exp(where(x > 0, 0.0, x)))],
    symbol="ELU", domain=NONZERO, examples=(Example(((),)), Example(((),), {"alpha": 0.5})),
    doc="x for x > 0, else alpha·(eˣ − 1); its derivative at 0 is alpha.")

normal_cdf: Primitive = primitive("normal_cdf", lambda xp, x: xp.normal_cdf(x),
    [lambda g, z, x: g * (_bell(x) / _ROOT_2PI)],
    symbol="Φ", doc="Normal distribution function Φ(x) = erfc(−x/√2)/2.")

gelu = primitive("gelu", lambda xp, x: x * xp.normal_cdf(x),
    [lambda g, z, x: g * (normal_cdf(x) + x * _bell(x) / _ROOT_2PI)],
    symbol="GELU", doc="x·Φ(x), Φ the normal distribution function (exact, not the tanh approximation).")

hinge = primitive("hinge", lambda xp, score, corrupt, *, margin=1.0: xp.maximum(margin + corrupt - score, 0.0),
    [lambda g, z, score, corrupt, *, margin=1.0: -(g * sign(z)), lambda g, z, score, corrupt, *, margin=1.0: g * sign(z)],
    symbol="max(0, Δ + s_c − s)", domain=Domain(-0.4, 0.4, "all reals"), gate=True,
    examples=(Example(((), ())), Example(((), ()), {"margin": 2.0}), Example(((), ()), {"margin": -2.0})),
    doc="Max-margin objective J = max(Δ + s_c − s, 0): ∂J/∂s = −1 and ∂J/∂s_c = 1 where J > 0, else 0, also at the "
        "kink (notes, section 1.4). A primitive, so that its two edges read −1 and 1 as in the notes.")

hinge_sum = primitive("hinge_sum", lambda xp, scores, *, margin=1.0: _violation(xp.maximum, scores, margin).sum(),
    [lambda g, z, scores, *, margin=1.0: _shared_by_pairs(g, scores, margin)],
    symbol="Σ max(0, Δ + s_c − s)", elementwise=False, domain=Domain(-0.4, 0.4, "all reals"), gate=True,
    examples=(Example(((2,),)), Example(((6,),)), Example(((4,),), {"margin": 0.5})),
    doc="`hinge` summed over pairs whose scores form one vector, true windows first: both windows of each pair are "
        "scored together, which takes half the time for small batches.")
# fmt: on
