"""Faults of the notes' tricks: initial weights, objectives, penalties, dropout, preprocessing and mini-batches."""

from __future__ import annotations

from typing import Final

from tests.faults.fault import change, classified

_INIT, _ENTROPY, _MARGIN, _PENALTIES, _RECURRENT, _DROPOUT, _NETWORK, _SCALES, _BATCHES = (
    f"nn/{name}.py"
    for name in (
        "parameters/init", "objectives/entropy", "objectives/margin", "objectives/penalties", "recurrence/recurrent",
        "dropout",
        "network", "data/preprocessing", "data/batches",
    )
)  # fmt: skip

_TERMS: Final = "nn/objectives/terms.py"
_FIT, _PLACE, _STOPPING = (f"nn/training/{name}.py" for name in ("fit", "place", "early_stopping"))

_FAULTS: Final = {
    "missing term": (
        change("logistic: only the part of yes", _ENTROPY, " + (1.0 - y) * ad.softplus(z)", ""),
        change(
            "twins: outgoing weights are not compared", "nn/parameters/twins.py",
            "np.hstack([W, np.atleast_2d(numbers(following)).T, ", "np.hstack([W, ",
        ),
    ),
    "scale": (
        change("whiten with S, not S/√n", _SCALES, "S[:rank] / np.sqrt(len(X))", "S[:rank]"),
        change("whiten with S/√(n − 1)", _SCALES, "S[:rank] / np.sqrt(len(X))", "S[:rank] / np.sqrt(len(X) - 1)"),
        change("whiten projects on Vᵀ", _SCALES, "V = Vt[:rank].T\n", "V = Vt[:, :rank]\n"),
        change("standardise by the variance", _SCALES, "largest * np.sqrt(", "largest * ("),
        change(
            "objective: bits for nats", "nn/objectives/terms.py", 'terms if unit == "nats" else',
            'terms if unit == "bits" else',
        ),
        change("multiclass margin: the mean over classes", _MARGIN, "ad.sum(losses, axis", "ad.mean(losses, axis"),
        change("squared error: half of it", "nn/objectives/squares.py", "ad.square(y -", "0.5 * ad.square(y -"),
    ),
    "missing factor": (
        change("dropout is not scaled", _DROPOUT, "< self._keep) / self._keep", "< self._keep) * 1.0"),
        change("dropout is scaled by 1/(1 − p)", _DROPOUT, ") / self._keep", ") / (1 - self._keep)"),
        change("penalty: its rate is left out", _PENALTIES, "factor * total", "1.0 * total"),
    ),
    "wrong formula": (
        change("l2: Σ‖W‖ without the square", _PENALTIES, "rate, ad.square,", "rate, ad.norm,"),
        change("penalties: biases are penalised", _PENALTIES, 'if not str(key).startswith("b")', "if True"),
        change("dropout keeps with probability 1 − p", _DROPOUT, "< self._keep) /", ">= self._keep) /"),
        change("dropout: one mask for a batch", _DROPOUT, "random(shape)", "random(shape[-1:])"),
    ),
    "state: stale operand": (
        change(
            "standardise with the statistics of the data at hand", _SCALES,
            "return (self._columns(data) - self.mean) / self._divisor",
            "return (self._columns(data) - np.mean(data, axis=0)) / np.std(data, axis=0)",
        ),
        change(
            "mini-batches are shuffled once", _BATCHES, "if not self._drawn and",
            "if not self._drawn and not self._epoch and",
        ),
        change(
            "mini-batches begin each loop anew", _BATCHES, "        while True:\n",
            "        self._position = 0\n        while True:\n",
        ),
        change(
            "mini-batches: a loaded order is drawn anew", _BATCHES, "_order=order, _drawn=is_drawn",
            "_order=order, _drawn=False",
        ),
        change("mini-batches: a batch given back at the end of an epoch is in a new order", _BATCHES,
               "self._length - 1, drawn=True", "self._length - 1, drawn=False"),
        change("mini-batches: the state of others is loaded", _BATCHES, "self._check_settings(state)", "pass"),
        change("early stopping: the state of another is loaded", _STOPPING, "if key in state and", "if False and"),
        change("fit: an interrupted step keeps its batch", _PLACE, "self._data.give_back()", "pass"),
        change("fit: an interrupted step keeps what dropout drew", _PLACE, "put_back(self._drawn)", "pass"),
        change("fit: a step that is made gives its batch back", _FIT, "if moves is None or optimizer.t == moves:",
               "if True:"),
        change(
            "mini-batches: the order is not loaded", _BATCHES, "_order=order", "_order=self._order",
        ),
        change("dropout at test", _DROPOUT, "        if self._is_exact:\n            return x\n", ""),
        change("dropout in nets of plain arrays", _NETWORK, "if parameters and not any(", "if False and not any("),
        change("state: how dropout goes on is left out", _NETWORK, "{**super().state(), **states}", "super().state()"),
    ),
    "wrong operand": (
        change(
            "flat layers: every activation is flat", "autodiff/telling/remarks.py",
            "np.sum(is_flat(entry.name, slopes))", "np.sum(is_flat(entry.name, 0.0 * slopes))",
        ),
        change(
            "unit curves: f′ over z, not over a", "autodiff/draw/unit_curves.py", "replace(curve, x=curve.z, z=",
            "replace(curve, z=",
        ),
        change(
            "a unit's param is ignored", "nn/modules/activations.py", "(z, **{self.param: self.value})", "(z)",
        ),
        change("He: fan-out for fan-in", _INIT, "bound = sqrt(6.0 / fan_in)", "bound = sqrt(6.0 / fan_out)"),
        change("He: fan-out for fan-in, normal", _INIT, "sqrt(2.0 / fan_in)", "sqrt(2.0 / fan_out)"),
        change("recurrent: the identity at the inputs too", _RECURRENT, "xavier if draw is identity else draw", "draw"),
    ),
    "special points: kinks and edges": (
        change("whiten: a deviation of 0 is loaded", _SCALES, "array <= 0.0 if self._divides", "array < 0.0 if False"),
        change("targets: J of float32 outputs has the type of the targets", _TERMS,
               "found = array.astype(kind, copy=False)", "found = array"),
        change("standardise divides by 0", _SCALES, "np.where(self.constant, 1.0, self.deviation)", "self.deviation"),
        change(
            "a constant column varies by rounding", _SCALES, "np.where(is_constant, X[0], X.mean(axis=0))",
            "X.mean(axis=0)",
        ),
        change(
            "the smaller last batch is dropped", _BATCHES, "-(-count // self._size) if last",
            "count // self._size if last",
        ),
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
