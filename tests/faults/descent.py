"""Faults of optimisers: their formulas, schedules, groups, clipping, and what they save and load."""

from __future__ import annotations

from typing import Final

from tests.faults.fault import change, classified

_CLIPPING, _FORMULAS, _GROUPS, _MEMORY, _MOVES, _OPTIMIZER, _SCHEDULES, _SETTINGS, _SOURCES, _WRITTEN = (
    f"nn/descent/{name}.py"
    for name in (
        "clipping", "formulas", "groups", "memory", "moves", "optimizer", "schedules", "settings", "sources", "written",
    )
)  # fmt: skip
_RANGES: Final = "nn/parameters/ranges.py"

_FAULTS: Final = {
    "sign": (
        change("SGD climbs", _FORMULAS, "return -rate * g, ()", "return rate * g, ()"),
        change("AdaGrad climbs", _FORMULAS, "-rate * g / (c + epsilon) ** 0.5", "rate * g / (c + epsilon) ** 0.5"),
        change(
            "momentum: the sign of v", _FORMULAS, "v = mu * v - rate * g\n    return v",
            "v = -mu * v - rate * g\n    return v",
        ),
        change("decay grows the weights of Values", _MOVES, "g + decay * data if decay", "g - decay * data if decay"),
        change(
            "decay grows the weights", _WRITTEN, 'g + variable("decay") * data', 'g - variable("decay") * data',
        ),
    ),
    "missing factor": (
        change("SGD without its rate", _FORMULAS, "return -rate * g, ()", "return -1.0 * g, ()"),
        change("a group's rate without 1/√n_in", _SETTINGS, "else rate) * self.factor", "else rate)"),
    ),
    "wrong formula": (
        change("AdaGrad without the square root", _FORMULAS, "(c + epsilon) ** 0.5", "(c + epsilon)"),
        change("AdaGrad: ε outside the root", _FORMULAS, "(c + epsilon) ** 0.5", "(c**0.5 + epsilon)"),
        change("AdaGrad by torch: ε inside the root", _FORMULAS, "(c**0.5 + epsilon)", "(c + epsilon) ** 0.5"),
        change("RMSprop: ε outside the root", _FORMULAS, "(c + epsilon) ** 0.5", "(c**0.5 + epsilon)", 1),
        change("RMSprop by torch: ε inside the root", _FORMULAS, "(c**0.5 + epsilon)", "(c + epsilon) ** 0.5", 1),
        change("AdaGrad sums |g|, not g²", _FORMULAS, "c = c + g * g", "c = c + abs(g)"),
        change("Nesterov: the old v in the step", _FORMULAS, "return mu * v - rate * g, (v,)", "return v, (v,)"),
        change("Adam: the correction of m with β₂", _FORMULAS, "rate / (1 - beta1**t)", "rate / (1 - beta2**t)"),
        change("Adam: v is not corrected", _FORMULAS, "(v / (1 - beta2**t)) ** 0.5", "v**0.5"),
        change(
            "Adam: ε inside the root", _FORMULAS, "((v / (1 - beta2**t)) ** 0.5 + epsilon)",
            "(v / (1 - beta2**t) + epsilon) ** 0.5",
        ),
        change(
            "Adam: the uncorrected form is corrected", _FORMULAS, "-rate * m / (v**0.5",
            "-rate / (1 - beta1) * m / (v**0.5",
        ),
        change(
            "clip_norm: each array by its own norm", _CLIPPING, "[factor * g for g in grads]",
            "[min(most / _norm([g]), 1.0) * g for g in grads]",
        ),
        change("a cosine over half of its steps", _SCHEDULES, "ad.cos(pi * ", "ad.cos(2 * pi * "),
    ),
    "accumulation: overwritten": (
        change("AdaGrad without memory: caches are new at every step", _FORMULAS, "c = c + g * g", "c = g * g"),
        change(
            "AdaGrad without memory: caches are not kept", _OPTIMIZER, 'own |= {"_memory": memory,',
            'own |= {"_memory": {},',
        ),
        change(
            "a step forgets the slots of what it did not reach", _OPTIMIZER, "{**memory, **dict(zip(", "{**dict(zip(",
        ),
    ),
    "accumulation: aliased": (
        change("a parameter listed twice moves twice", _SOURCES, "list(dict.fromkeys(items))", "items"),
        change(
            "a state of an optimiser shares memory with it", _MEMORY, '.sign}": np.array(each)',
            '.sign}": np.asarray(each)',
        ),
        change(
            "a loaded slot shares memory with the state", _MEMORY, "np.array(array, _type(node))",
            "np.asarray(array, _type(node))",
        ),
        change("a block leaves out its last number", _MOVES, "slice(start, start + _BLOCK), min(size - start, _BLOCK)",
               "slice(start, start + _BLOCK - 1), min(size - start, _BLOCK - 1)"),
        change(
            "an operand stands where the other one is computed", _WRITTEN,
            'place, free = free or self._spare(taken), ""', "place = free",
        ),
    ),
    "broadcasting: mean": (
        change("AdaGrad: one cache for a whole array", _FORMULAS, "c = c + g * g", "c = c + ad.mean(g * g)"),
    ),
    "structure: cut off by one": (
        change("schedule: off by one", _OPTIMIZER, "self._rate(self._t)", "self._rate(self._t + 1)"),
        change("schedule: the rate of a step is that of the next", _SETTINGS, "rate(t) if", "rate(t + 1) if"),
        change("warm-up: the first rate is 0", _SCHEDULES, "(t + 1) / (n + 1)", "t / n"),
        change("warm-up: what follows does not begin at its 0", _SCHEDULES, "then(ad.maximum(t - n, 0))", "then(t)"),
        change("schedule by steps: a step late", _SCHEDULES, "ad.floor(t / n)", "ad.floor((t - 1) / n)"),
        change("Adam: t counts from 0", _FORMULAS, "    t = t + 1\n", "    t = t + 1 - (t > 0)\n"),
    ),
    "special points: kinks and edges": (
        change("optimiser: a rate of 0 is taken", _RANGES, "and not hyper.open_low", ""),
        change(
            "optimiser: a gradient that is not finite moves a Value", _MOVES, "            if not isfinite(data):",
            "            if False:",
        ),
        change(
            "optimiser: a gradient that is not finite moves a Tensor", _MOVES, "if not isfinite(total):  # a sum",
            "if False:  # a sum",
        ),
        change(
            "optimiser: a gradient that is not finite moves a large Tensor", _MOVES, "total + of_blocks", "total",
        ),
        change(
            "optimiser: a gradient that is not finite moves many Values", _MOVES,
            "if not isfinite(total) and not np.isfinite(new).all():", "if False:",
        ),
        change(
            "optimiser: squares that overflow are taken for numbers that are not finite", _MOVES,
            "if not np.isfinite(new).all():\n                    raise", "if True:\n                    raise",
        ),
        change("clip_norm: huge gradients overflow", _CLIPPING, "if _TINY < total < inf or not grads:", "if True:"),
    ),
    "state: stale operand": (
        change("the count of steps is not saved", _OPTIMIZER, '"t": np.array(self._t)', '"t": np.array(0)'),
        change("slots are not saved", _MEMORY, "theirs = memory.get(node) or ", "theirs = "),
        change("a schedule is not part of the state", _OPTIMIZER, "if text != repr(own):", "if False:"),
        change("slots of words not met are dropped", _OPTIMIZER, "{**claimed, **self._memory}", "{**self._memory}"),
        change("slots of a replaced parameter stay", _OPTIMIZER, "if len(memory) > len(nodes):", "if False:"),
        change("a group by fan-in keeps its old factor", _OPTIMIZER, "self._groups.forget()", "pass"),
        change("groups: an earlier pattern wins", _GROUPS, "given |= own", "given = {**own, **given}"),
        change(
            "optimiser: the parameters of a net are asked for once", _SOURCES, "else _checked(given.parameters())",
            "else self.names or self.names.extend(_checked(given.parameters())) or self.names",
        ),
    ),
    "state: unneeded gradient": (
        change("zero_grad forgets nothing", _OPTIMIZER, "commit(forgotten(self._source.nodes()))", "pass"),
    ),
    "state: half-written after an exception": (
        change(
            "AdaGrad: caches are written before the step", _OPTIMIZER, "commit(*assigned(moves.nodes",
            "self._memory = memory\n        commit(*assigned(moves.nodes",
        ),
        change(
            "load of an optimiser: in two steps", _OPTIMIZER,
            "return [assigning(self, _memory=memory", "self._memory = memory\n        return [assigning(self",
        ),
    ),
}  # fmt: skip

DESCENT_FAULTS: Final = classified(_FAULTS)
