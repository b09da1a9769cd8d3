"""Faults of nets over time: recurrences, the language model, cells with gates, attention, shares in time."""

from __future__ import annotations

from typing import Final

from tests.faults.fault import change, classified

__all__ = ["TIME_FAULTS"]

_STATES, _ENTROPIES = (f"autodiff/primitives/table/{name}.py" for name in ("recurrences", "entropies"))
_MODEL, _CELLS, _ATTENTION, _CARRIED, _IN_TIME, _SAMPLING, _NGRAMS = (
    f"nn/recurrence/{name}.py"
    for name in ("language_model", "cells", "attention", "carried", "in_time", "sampling", "ngrams")
)

TIME_FAULTS: Final = classified({
    "sign": (
        change("label entropy: the label's share with the other sign", _ENTROPIES, "expm1(negative(z))",
               "negative(expm1(negative(z)))"),
    ),
    "wrong operand": (
        change("recurrence: W from the states after the step", _STATES,
               "concatenate([h.reshape((1, *shape[1:])), z[:-1]])", "z"),
        change("language model: targets by sequence, logits by step", _MODEL, "), aims.T\n", "), aims\n"),
        change("GRU: the gate keeps the new and not the old", _CELLS, "(1.0 - z) * n + z * h", "z * n + (1.0 - z) * h"),
    ),
    "wrong formula": (
        change("recurrence: the slope of the logistic unit", _STATES, "g, 1.0 - z * z, ", "g, z * (1.0 - z), "),
        change("perplexity of nats as of bits", _SAMPLING, '"nats": float(np.e)', '"nats": 2.0'),
    ),
    "missing term": (
        change("LSTM: the forget gate is left out", _CELLS, "f * c + i * g", "c + i * g"),
        change("n-grams: the shorter context is forgotten", _NGRAMS, "p *= self.prior", "p *= 0.0"),
    ),
    "missing factor": (
        change("attention: scores are not divided by √d", _ATTENTION, "axis2=-2)) / sqrt(q.shape[-1])", "axis2=-2))"),
        change("shares in time: a sum over t instead of the mean", _IN_TIME, "int(aims[t])) / steps", "int(aims[t]))"),
    ),
    "structure: cut off by one": (
        change("truncated backpropagation: the state is not carried on", _CARRIED, "start=self.h if fits else None",
               "start=None"),
    ),
})  # fmt: skip
