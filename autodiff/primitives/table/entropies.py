"""The primitive at the end of a classifier: the cross-entropy of the softmax of logits, in one node."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff.primitives.definition import primitive
from autodiff.primitives.domain import Example
from autodiff.primitives.expression import Expression
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.table.elementwise import exp, expm1, negative, where
from autodiff.primitives.table.layout import expand_dims

__all__ = ["label_entropy"]


def _forward(xp: Any, x: Any, *, labels: Any) -> Any:
    """top − x_y + ln(1 + Σ_j e^(x_j − top)) over all j but that of the top: nothing overflows, and no digit is lost."""
    if np.shape(labels) != x.shape[:-1]:
        raise ValueError(f"logits of shape {x.shape} need labels of shape {x.shape[:-1]}, and got {np.shape(labels)}")
    rows = x.reshape(-1, x.shape[-1])
    every, chosen = np.arange(len(rows)), np.asarray(labels).ravel()
    place = rows.argmax(axis=-1)
    top = rows[every, place]
    with np.errstate(over="ignore", invalid="ignore"):
        others = np.exp(rows - top[:, None])
        others[every, place] = 0.0
        terms = (top - rows[every, chosen]) + np.log1p(others.sum(axis=-1))
    return terms.reshape(x.shape[:-1])


def _share(g: Any, z: Any, x: Any, labels: Any) -> Any:
    """g·(softmax(x) − y); at the label, softmax − 1 = e^(−J) − 1, which keeps all digits where J is near 0."""
    if isinstance(x, Expression):
        return Expression("xp", "share_of_label_entropy", g, z, x)
    chosen = np.asarray(labels)
    of_label = x[(*np.indices(chosen.shape), chosen)]
    here = expand_dims(expm1(negative(z)), axis=-1)
    shares = exp(x - expand_dims(of_label + z, axis=-1))
    return expand_dims(g, axis=-1) * where(chosen[..., None] == np.arange(x.shape[-1]), here, shares)


# fmt: off
label_entropy: Primitive = primitive("label_entropy", _forward,
    [lambda g, z, x, *, labels: _share(g, z, x, labels)],
    symbol="−ln softmax", elementwise=False,
    examples=(Example(((4, 3),), {"labels": np.array([0, 2, 1, 1])}), Example(((2, 1, 3),), {"labels": np.array([[2], [0]])}),
              Example(((3,),), {"labels": np.array(1)})),
    doc="Cross-entropy −ln softmax(x)_y of each row of logits with its label y, in nats: its gradient is softmax(x) − y (notes, section 3).")
# fmt: on
