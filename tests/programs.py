"""Random straight-line programs that any engine can run: what the cross-checks draw, shrink and print.

A program is a list of instructions ``(operation, i, j)``. Its operands are counted back from the newest value, modulo
the number of values, so that a program with an instruction left out is a program still. An instruction that does not
fit its operands is skipped. The output is a weighted sum of all values that nothing else used: nothing is dead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

import autodiff as ad

Instruction = tuple[str, int, int]
Step = tuple[str, tuple[int, ...]]
Engine = Mapping[str, Callable[..., Any]]

LIMIT = 4.0  # beyond it 1 − tanh² and its like lose digits in every engine, and 1e-12 could not be asked for
MARGIN = 1e-6  # values closer than this to a kink may fall on either side of it in another engine


@dataclass(frozen=True)
class Operation:
    """How many operands, where it is defined, and how far its operands are from a kink (None: it has none)."""

    arity: int
    fits: Callable[..., bool] = lambda *_: True
    gap: Callable[..., Any] | None = None


def _away(*kinks: float) -> Callable[[Any], Any]:
    return lambda x: np.min([np.abs(x - kink) for kink in kinks], axis=0)


def _above(low: float) -> Callable[..., bool]:
    return lambda x, *_: bool(np.all(np.asarray(x) > low))


def _within(high: float) -> Callable[..., bool]:
    return lambda x, *_: bool(np.all(np.abs(x) < high))


def _gap_of_pair(x: Any, y: Any) -> Any:
    return np.abs(np.subtract(x, y))


def _broadcast(x: Any, y: Any) -> bool:
    """Whether the shapes broadcast together."""
    return all(m == n or 1 in (m, n) for m, n in zip(np.shape(x)[::-1], np.shape(y)[::-1], strict=False))


def _divisible(x: Any, y: Any) -> bool:
    return _broadcast(x, y) and bool(np.all(np.abs(y) > 0.2))


def _has_axis(x: Any, *_: Any) -> bool:
    return np.ndim(x) > 0


def _gap_of_largest(axis: int | None) -> Callable[[Any], Any]:
    """How far the largest element is above the next one, over ``axis``."""

    def gap(x: Any) -> Any:
        ordered = np.sort(x, axis=axis)
        ordered = np.moveaxis(ordered, axis, -1) if axis is not None else ordered
        return ordered[..., -1] - ordered[..., -2] if ordered.shape[-1] > 1 else np.inf

    return gap


def _multiplies(x: Any, y: Any) -> bool:
    """Whether ``x @ y`` is defined."""
    if not np.ndim(x) or not np.ndim(y):
        return False
    stacks = _broadcast(np.empty(np.shape(x)[:-2]), np.empty(np.shape(y)[:-2]))
    return stacks and np.shape(x)[-1] == np.shape(y)[-2 if np.ndim(y) > 1 else 0]


def _joins(x: Any, y: Any) -> bool:
    return np.ndim(x) > 0 and np.ndim(x) == np.ndim(y) and np.shape(x)[1:] == np.shape(y)[1:]


#: Operations on each element alone, the simplest first: hypothesis shrinks towards the front.
ELEMENTWISE: dict[str, Operation] = {
    "add": Operation(2, _broadcast), "multiply": Operation(2, _broadcast), "subtract": Operation(2, _broadcast),
    "negative": Operation(1), "square": Operation(1), "identity": Operation(1), "divide": Operation(2, _divisible),
    "reciprocal": Operation(1, lambda x: bool(np.all(np.abs(x) > 0.2))), "cube": Operation(1),
    "pow": Operation(2, lambda x, y: _broadcast(x, y) and _above(0.1)(x)), "root": Operation(1, _above(0.05)),
    "exp": Operation(1), "expm1": Operation(1), "log": Operation(1, _above(0.05)), "log1p": Operation(1, _above(-0.9)),
    "sqrt": Operation(1, _above(0.05)), "sin": Operation(1), "cos": Operation(1), "tan": Operation(1, _within(1.2)),
    "arcsin": Operation(1, _within(0.9)), "arccos": Operation(1, _within(0.9)), "arctan": Operation(1),
    "sinh": Operation(1), "cosh": Operation(1), "tanh": Operation(1), "erfc": Operation(1), "sigmoid": Operation(1),
    "log_sigmoid": Operation(1), "softplus": Operation(1), "gelu": Operation(1),
    "weighted_sum": Operation(2, lambda x, y: _broadcast(x, y)),
    "soft_sign": Operation(1, gap=_away(0.0)), "elu": Operation(1, gap=_away(0.0)),
    "absolute": Operation(1, gap=_away(0.0)), "relu": Operation(1, gap=_away(0.0)),
    "leaky_relu": Operation(1, gap=_away(0.0)), "sign": Operation(1, gap=_away(0.0)),
    "hard_tanh": Operation(1, gap=_away(-1.0, 1.0)), "clip": Operation(1, gap=_away(-0.5, 2.0)),
    "maximum": Operation(2, _broadcast, _gap_of_pair), "minimum": Operation(2, _broadcast, _gap_of_pair),
    "hinge": Operation(2, _broadcast, lambda x, y: np.abs(np.subtract(1.0 + y, x))),
    "where": Operation(2, _broadcast, _gap_of_pair),
}  # fmt: skip

#: Operations on arrays: reductions, products, layout.
ARRAYS: dict[str, Operation] = {
    "sum": Operation(1), "sum_first": Operation(1, _has_axis), "sum_last": Operation(1, _has_axis),
    "mean": Operation(1), "mean_first": Operation(1, _has_axis), "prod_last": Operation(1, _has_axis),
    "max": Operation(1, _has_axis, _gap_of_largest(None)), "max_last": Operation(1, _has_axis, _gap_of_largest(-1)),
    "min_first": Operation(1, _has_axis, lambda x: _gap_of_largest(0)(-x)),
    "logsumexp": Operation(1, _has_axis), "softmax": Operation(1, _has_axis), "log_softmax": Operation(1, _has_axis),
    "norm_last": Operation(1, _has_axis, lambda x: np.linalg.norm(x, axis=-1)), "cumsum": Operation(1, _has_axis),
    "var": Operation(1, lambda x: np.ndim(x) > 0 and np.shape(x)[0] > 1),
    "matmul": Operation(2, _multiplies), "dot_self": Operation(1, lambda x: np.ndim(x) == 2),
    "outer": Operation(2, lambda x, y: np.ndim(x) == np.ndim(y) == 1), "trace": Operation(1, lambda x: np.ndim(x) == 2),
    "row_sums": Operation(1, lambda x: np.ndim(x) == 2),
    "transpose": Operation(1, lambda x: np.ndim(x) == 2), "flatten": Operation(1), "lift": Operation(1),
    "first": Operation(1, _has_axis), "tail": Operation(1, _has_axis), "repeat": Operation(1, _has_axis),
    "flip": Operation(1, _has_axis), "concatenate": Operation(2, _joins),
    "stack": Operation(2, lambda x, y: np.shape(x) == np.shape(y)), "pad": Operation(1, lambda x: np.ndim(x) == 1),
}  # fmt: skip

OPERATIONS = {**ELEMENTWISE, **ARRAYS}
SMOOTH = tuple(name for name, operation in OPERATIONS.items() if operation.gap is None)

_PICKED = np.array([0, -1, 0])  # the first element twice: its shares must add

#: How this project computes each operation; on plain floats and arrays it gives plain results.
OURS: Engine = {
    **{name: getattr(ad, name) for name in ELEMENTWISE if hasattr(ad, name)},
    "cube": lambda x: x**3, "root": lambda x: x**0.5, "clip": lambda x: ad.clip(x, -0.5, 2.0),
    "weighted_sum": lambda x, y: ad.weighted_sum([x, y, 0.5], [y, x, x], y),
    "where": lambda x, y: ad.where(np.less(_plain(x), _plain(y)), x, y),
    "sum": lambda x: ad.sum(x), "sum_first": lambda x: ad.sum(x, axis=0),
    "sum_last": lambda x: ad.sum(x, axis=-1, keepdims=True), "mean": lambda x: ad.mean(x),
    "mean_first": lambda x: ad.mean(x, axis=0), "prod_last": lambda x: ad.prod(x, axis=-1),
    "max": lambda x: ad.max(x), "max_last": lambda x: ad.max(x, axis=-1, keepdims=True),
    "min_first": lambda x: ad.min(x, axis=0), "logsumexp": lambda x: ad.logsumexp(x, axis=-1),
    "softmax": lambda x: ad.softmax(x), "log_softmax": lambda x: ad.log_softmax(x),
    "norm_last": lambda x: ad.norm(x, axis=-1), "cumsum": lambda x: ad.cumsum(x, axis=0),
    "var": lambda x: ad.var(x, axis=0), "matmul": ad.matmul, "dot_self": lambda x: ad.matmul(x.T, x),
    "outer": ad.outer, "trace": ad.trace, "row_sums": lambda x: ad.einsum("ij->i", x),
    "transpose": lambda x: x.T, "flatten": lambda x: ad.reshape(x, shape=(-1,)),
    "lift": lambda x: ad.expand_dims(x, axis=0), "first": lambda x: x[0], "tail": lambda x: x[..., -2:],
    "repeat": lambda x: x[_PICKED], "flip": lambda x: ad.flip(x, axis=0),
    "concatenate": lambda x, y: ad.concatenate([x, y]), "stack": lambda x, y: ad.stack([x, y], axis=-1),
    "pad": lambda x: ad.pad(x, (1, 2)),
}  # fmt: skip


def _plain(x: Any) -> Any:
    return x.data if isinstance(x, ad.Node) else x


NUDGE = 1e-8


@dataclass(frozen=True)
class Program:
    """Steps with resolved operands for given inputs, and the values that nothing uses, with their weights."""

    inputs: tuple[Any, ...]
    steps: tuple[Step, ...]
    weights: tuple[tuple[int, Any], ...]

    def output(self, engine: Engine, inputs: Sequence[Any], nudged: int = -1) -> Any:
        """The output of one engine; the result of step ``nudged`` is moved by `NUDGE` of itself."""
        values = list(inputs)
        for k, (name, operands) in enumerate(self.steps):
            result = engine[name](*(values[operand] for operand in operands))
            values.append(result * (1.0 + NUDGE) if k == nudged else result)
        terms = [values[sink] * weight for sink, weight in self.weights]
        terms = [
            engine["sum"](term) if np.ndim(weight) else term
            for term, (_, weight) in zip(terms, self.weights, strict=True)
        ]
        output = terms[0]
        for term in terms[1:]:
            output = output + term
        return output


def _weights(shape: tuple[int, ...], k: int) -> Any:
    """A cotangent that is not all ones: a float for a number."""
    weights = 1.0 - 0.375 * ((np.arange(int(np.prod(shape))) + k) % 5)
    return weights.reshape(shape) if shape else float(weights[0])


def resolve(instructions: Sequence[Instruction], inputs: Sequence[Any], *, kinks: bool) -> Program:
    """The program of the instructions that fit, on these inputs.

    With ``kinks`` an operation may stand exactly on its kink, at inputs only: they are the same in every engine.
    """
    values, steps = list(inputs), []
    for name, *back in instructions:
        operation = OPERATIONS[name]
        operands = tuple(len(values) - 1 - k % len(values) for k in back[: operation.arity])
        data = [values[operand] for operand in operands]
        if not operation.fits(*data):
            continue
        exact = kinks and all(operand < len(inputs) for operand in operands)
        if operation.gap is not None and not exact and not np.all(np.asarray(operation.gap(*data)) > MARGIN):
            continue
        result = OURS[name](*data)
        if np.size(result) and np.size(result) <= 36 and np.all(np.abs(result) <= LIMIT):
            values.append(result)
            steps.append((name, operands))
    used = {operand for _, operands in steps for operand in operands}
    sinks = [k for k in range(len(values)) if k not in used]
    return Program(tuple(inputs), tuple(steps), tuple((sink, _weights(np.shape(values[sink]), sink)) for sink in sinks))


def tolerances(program: Program, reach: Sequence[Any], derivatives: Callable[[int], Sequence[Any]]) -> list[Any]:
    """How far two correct engines may be apart, for each derivative and element.

    An operation and its rule may round by 1e-12 of their results (some thousand units in the last place, for
    1 − tanh² near `LIMIT`). To first order that moves a derivative by 1e-12 of its ``reach``, the sum of all shares
    without their signs, and by what moving each result alone does to it.
    """
    base = derivatives(-1)
    for k in range(len(program.steps)):
        moves = [np.abs(moved - part) / NUDGE for moved, part in zip(derivatives(k), base, strict=True)]
        reach = [size + move for size, move in zip(reach, moves, strict=True)]
    return [1e-12 * size for size in reach]


# ---- drawing ---------------------------------------------------------------------------------------------------------

SCALARS = st.one_of(
    st.integers(1, 3).map(float), st.integers(-3, 3).map(float), st.floats(-3.0, 3.0, width=16, allow_subnormal=False)
)
SHAPES = ((), (1,), (3,), (2, 3), (3, 2), (1, 3), (2, 1), (3, 3), (2, 2, 3), (2, 1, 3))


@st.composite
def instructions(draw: st.DrawFn, operations: Sequence[str]) -> list[Instruction]:
    """A list of instructions made of one to eight kinds of operation: few kinds meet more often."""
    kinds = draw(st.lists(st.sampled_from(operations), min_size=1, max_size=8, unique=True))
    return draw(st.lists(st.tuples(st.sampled_from(kinds), st.integers(0, 7), st.integers(0, 7)), max_size=24))


@st.composite
def scalar_inputs(draw: st.DrawFn) -> list[float]:
    """One to three floats, many of them small integers."""
    return draw(st.lists(SCALARS, min_size=1, max_size=3))


@st.composite
def array_inputs(draw: st.DrawFn) -> list[np.ndarray[Any, Any]]:
    """One to three arrays of quarters between −3 and 3, with ties and zeros among them."""
    shapes = draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3))
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    return [np.asarray(random.integers(-12, 13, shape) / 4.0) for shape in shapes]


def long_program(seed: int, operations: Sequence[str]) -> list[Instruction]:
    """Twenty instructions of all kinds: longer than hypothesis likes to draw."""
    random = np.random.default_rng(seed)
    names = random.choice(list(operations), 20)
    return [(str(name), int(i), int(j)) for name, i, j in zip(names, *random.integers(0, 8, (2, 20)), strict=True)]


def shortest(program: list[Instruction], fails: Callable[[list[Instruction]], bool]) -> list[Instruction]:
    """A failing program without the instructions that it can fail without."""
    k = 0
    while k < len(program):
        shorter = program[:k] + program[k + 1 :]
        program, k = (shorter, 0) if fails(shorter) else (program, k + 1)
    return program
