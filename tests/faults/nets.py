"""Faults of the nets: common mistakes in layers, objectives, initial weights and unrolled networks."""

from __future__ import annotations

from typing import Final

from tests.faults.descent import DESCENT_FAULTS
from tests.faults.fault import change, classified
from tests.faults.over_time import TIME_FAULTS
from tests.faults.tricks import TRICK_FAULTS

_INIT, _LAYERS, _NETWORK, _OBJECTIVE, _PARAMETERS, _BLOCKS, _RECURRENT, _SCORER, _STRATEGIES = (
    f"nn/{name}.py"
    for name in (
        "parameters/init", "layers", "network", "objectives/margin", "parameters/state",
        "parameters/blocks", "recurrence/recurrent", "scorer", "strategies",
    )
)  # fmt: skip

_FAULTS: Final = {
    "sign": (
        change(
            "objective: the wrong side of the hinge", _OBJECTIVE, "ad.hinge(score, corrupt,",
            "ad.hinge(corrupt, score,",
        ),
        change("xavier: no negative weights", _INIT, "uniform(-bound, bound", "uniform(0.0, bound"),
    ),
    "missing factor": (
        change(
            "objective: the margin asked for is ignored", _OBJECTIVE, "corrupt, margin=margin)", "corrupt, margin=1.0)",
        ),
    ),
    "scale": (
        change("objective: the mean of a batch for its sum", _OBJECTIVE, "ad.sum(losses)", "ad.mean(losses)"),
        change(
            "xavier: 6/(n_in + n_out) without the root", _INIT, "sqrt(6.0 / (fan_in + fan_out))",
            "6.0 / (fan_in + fan_out)",
        ),
        change("xavier: the deviation is taken for the bound", _INIT, "sqrt(6.0 /", "sqrt(2.0 /"),
    ),
    "wrong operand": (
        change("xavier: fan-in for the sum of both", _INIT, "(fan_in + fan_out))", "fan_in)"),
        change("xavier: fan-in twice", _INIT, "(fan_in + fan_out))", "(fan_in + fan_in))"),
        change(
            "recurrent: the weights of state and input exchanged", _RECURRENT, "[self.W, self.V]", "[self.V, self.W]",
        ),
        change("recurrent: outputs of z, not of f(z)", _RECURRENT, "ad.affine(self.U, h,", "ad.affine(self.U, z,"),
        change("network: the output unit has the hidden f", _NETWORK, "final if k == last else hidden", "hidden"),
    ),
    "wrong formula": (
        change("layer: biases begin at 1", _LAYERS, "keep(np.zeros(units), b_name)", "keep(np.ones(units), b_name)"),
        change("neuron: the bias begins at 1", _LAYERS, "keep(0.0, _b)", "keep(1.0, _b)"),
        change(
            "xavier: all weights are equal", _INIT, "generator(random).uniform(-bound, bound, (fan_out, fan_in))",
            "np.full((fan_out, fan_in), bound)",
        ),
        change(
            "layers of one net draw the same numbers", _LAYERS, "initializer(init)(generator(random), inputs, units)",
            'initializer(init)(__import__("copy").deepcopy(generator(random)), inputs, units)',
        ),
        change(
            "blocks of one recurrent net draw the same numbers", _RECURRENT, "f(random, n, m)",
            'f(__import__("copy").deepcopy(random), n, m)',
        ),
        change(
            "scorer: U draws the numbers of W", _SCORER, "xavier(random, hidden, 1)",
            "xavier(np.random.default_rng(0), hidden, 1)",
        ),
        change(
            "layer: f is applied twice", _LAYERS, "name_results(self._activation(z), ",
            "name_results(self._activation(self._activation(z)), ",
        ),
        change(
            "recurrent: the first state is not 0", _RECURRENT, "h = np.zeros(len(self.W))",
            "h = np.ones(len(self.W))",
        ),
        change("recurrent of Values: the first state is not 0", _RECURRENT, "Value(0.0, name=", "Value(1.0, name="),
    ),
    "missing term": (
        change("objective: the margin is dropped", _OBJECTIVE, "corrupt, margin=margin)", "corrupt, margin=0.0)"),
        change(
            "layer: b is left out", _LAYERS, "ad.affine(self._W, x, self._b)",
            "ad.affine(self._W, x, np.zeros(len(self._b)))",
        ),
        change("neuron: b is left out", _LAYERS, "ad.weighted_sum(self.w, x, self.b)", "ad.weighted_sum(self.w, x)"),
        change(
            "recurrent: the state is not passed on", _RECURRENT, "np.concatenate([h, name_results",
            "np.concatenate([self._start(suffix), mark",
        ),
        change(
            "recurrent: the error stops after one step", _RECURRENT, "np.concatenate([h, name_results",
            "np.concatenate([np.array([ad.detach(v) for v in h]) if h.dtype == object else ad.detach(h), mark",
        ),
        change(
            "scorer: word vectors are not learned", _SCORER, "joined([*words, self.layer", "joined([self.layer",
        ),
        change(
            "network: the last layer's parameters are not learned", _NETWORK,
            "joined([layer.parameters() for layer in self.layers])",
            "joined([layer.parameters() for layer in self.layers[:-1]])",
        ),
    ),
    "gates": (
        change("layer: f is left out", _LAYERS, "(self._activation(z), ", "(TABLE['identity'](z), "),
        change("neuron: f is left out", _LAYERS, "(self.activation(z), ", "(TABLE['identity'](z), "),
        change("recurrent: f is left out", _RECURRENT, '(self.activation(z), "h"', '(unit("identity")(z), "h"'),
    ),
    "accumulation: overwritten": (
        change("a word met again gets new Values", _SCORER, "sorted(words - self._words.keys())", "sorted(words)"),
    ),
    "accumulation: aliased": (
        change("a state shares memory with the net", _PARAMETERS, "np.array(numbers(block))", "numbers(block)"),
    ),
    "broadcasting: wrong axis": (
        change("objective: any shapes that broadcast are taken", _OBJECTIVE, "if shapes[0] != shapes[1]:", "if False:"),
    ),
    "axes and layout": (
        change(
            "scorer: dimension by dimension, not word by word", _SCORER, "self.L[ids].reshape(",
            "self.L[ids].swapaxes(-1, -2).reshape(",
        ),
        change("blocks are listed column by column", _BLOCKS, "block.flat, strict=True)", "block.T.flat, strict=True)"),
        change(
            "Values are named with their indices exchanged", _BLOCKS, "str(_entry(name, place))",
            "str(_entry(name, place[::-1]))",
        ),
        change(
            "the numbers of Values come back column by column", _BLOCKS, "for item in array.flat]",
            "for item in array.T.flat]",
        ),
    ),
    "structure: cut off by one": (
        change("scorer: ids are counted from 1", _SCORER, "self.L[ids].reshape(", "self.L[ids - 1].reshape("),
        change("scorer: one id too many is taken", _SCORER, "array.max() < len(self.L)", "array.max() <= len(self.L)"),
        change(
            "recurrent: the last step is left out", _RECURRENT, "enumerate(steps, start=1)",
            "enumerate(steps[:-1], start=1)",
        ),
        change(
            "recurrent: steps are counted from 0", _RECURRENT, "enumerate(steps, start=1)",
            "enumerate(steps, start=0)",
        ),
        change(
            "network: f at the output unit, not at the last hidden", _NETWORK, "final if k == last else",
            "final if k == last - 1 else",
        ),
        change("names are counted from 0", _BLOCKS, "tuple(index + 1 for index in place)", "tuple(place)"),
        change("windows draw an id too many", _STRATEGIES, "st.integers(0, words - 1)", "st.integers(0, words)"),
    ),
    "special points: kinks and edges": (
        change(
            "state: numbers that are not finite are loaded", "nn/parameters/saved.py",
            "if not np.all(np.isfinite(array)):", "if False:",
        ),
    ),
    "state: stale operand": (
        change(
            "predict: the numbers of the first call", _NETWORK, "self.plain()(x)",
            "vars(self).setdefault('_was', self.plain())(x)",
        ),
    ),
    "state: unneeded gradient": (
        change("zero_grad gives 0, not None", "autodiff/engine/graph.py", "repeat(None)", "repeat(0.0)"),
    ),
    "state: half-written after an exception": (
        change(
            "load: blocks are written one by one", _PARAMETERS,
            "fresh = {name: _checked(saved[given[name]], name, block) for name, block in blocks.items()}\n"
            "    return _assigned((block, fresh[name]) for name, block in blocks.items())",
            "for name, block in blocks.items():\n"
            "        commit(*_assigned([(block, _checked(saved[given[name]], name, block))]))\n"
            "    return []",
        ),
        change(
            "a word is met in two steps", _SCORER, "(np.ndarray.__setitem__, repeat(self.L), fresh, rows),\n",
            "(np.ndarray.__setitem__, repeat(self.L), fresh, rows),\n        )\n        commit(\n",
        ),
    ),
    "types: integer truncation": (
        change(
            "an embedding of integers stays one", _SCORER, 'array = as_operand("an embedding", data)',
            "array = np.asarray(data)",
        ),
    ),
    "0-d against (1,)": (
        change(
            "a scalar network with one output gives an array", _NETWORK, "and x.dtype == object and x.shape[-1] == 1:",
            "and False:",
        ),
        change(
            "a hinge of one pair is summed", _OBJECTIVE, "ad.sum(losses) if shapes[0] else losses", "ad.sum(losses)",
        ),
    ),
}  # fmt: skip

NET_FAULTS: Final = (*classified(_FAULTS), *DESCENT_FAULTS, *TRICK_FAULTS, *TIME_FAULTS)
