"""Faults of the notes' tricks: initial weights, objectives, penalties, dropout, preprocessing and mini-batches."""

from __future__ import annotations

from typing import Final

from tests.faults.fault import change, classified

_INIT, _ENTROPY, _MARGIN, _RECURRENT = (
    f"nn/{name}.py" for name in ("parameters/init", "objectives/entropy", "objectives/margin", "recurrent")
)

_FAULTS: Final = {
    "missing term": (
        change("logistic: only the part of yes", _ENTROPY, " + (1.0 - y) * ad.softplus(z)", ""),
        change(
            "twins: outgoing weights are not compared", "nn/parameters/twins.py",
            "np.hstack([W, np.atleast_2d(numbers(following)).T, ", "np.hstack([W, ",
        ),
    ),
    "scale": (
        change(
            "objective: bits for nats", "nn/objectives/terms.py", 'terms if unit == "nats" else',
            'terms if unit == "bits" else',
        ),
        change("multiclass margin: the mean over classes", _MARGIN, "ad.sum(losses, axis", "ad.mean(losses, axis"),
        change("squared error: half of it", "nn/objectives/squares.py", "ad.square(y -", "0.5 * ad.square(y -"),
    ),
    "wrong operand": (
        change("He: fan-out for fan-in", _INIT, "bound = sqrt(6.0 / fan_in)", "bound = sqrt(6.0 / fan_out)"),
        change("He: fan-out for fan-in, normal", _INIT, "sqrt(2.0 / fan_in)", "sqrt(2.0 / fan_out)"),
        change("recurrent: the identity at the inputs too", _RECURRENT, "xavier if draw is identity else draw", "draw"),
    ),
    "special points: kinks and edges": (
        change(
            "softmax: the maximum is not taken off", "autodiff/primitives/table/reductions.py",
            "return x - _top(data, axis)", "return x - 0.0 * _top(data, axis)",
        ),
        change(
            "softmax cross-entropy: the logarithm of a softmax", _ENTROPY, "ad.log_softmax(z)",
            "ad.log(ad.softmax(z))",
        ),
        change(
            "logistic: the logarithm of a sigmoid", _ENTROPY, "ad.softplus(signs * z)",
            "-ad.log(ad.sigmoid(-signs * z))",
        ),
        change("cross-entropy: 0 · ln 0", _ENTROPY, "p if np.all(positive) else ad.where(positive, p, 1.0)", "p"),
    ),
}  # fmt: skip

TRICK_FAULTS: Final = classified(_FAULTS)
