"""Programs that try to make a replay wrong: each call of each program gives what its function gives, or raises."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from autodiff import Tensor, Value, gradients, program
from tests.support.cases import each

W = [Value(0.3 * k - 0.8, name=f"w{k}") for k in range(6)]
ROWS = [[Value(0.1 * k + 0.7 * j - 1.0) for j in range(3)] for k in range(5)]
STATE = {"wte": ROWS, "out": [W[:3], W[3:]]}
LEAVES = [*W, *(item for row in ROWS for item in row)]
T = Tensor(np.linspace(-1.0, 1.0, 12).reshape(4, 3))
PLAIN = [0.5, -1.5, 2.5, 3.5]


def same(step: Any, function: Callable[..., Any], calls: Sequence[tuple[Any, ...]], leaves: Sequence[Any]) -> None:
    """Every call of the program gives the value and the gradients of a call of its function."""
    for args in calls:
        mine, other = step(*args), function(*args)
        if not hasattr(other, "grad"):  # plain arguments alone give a plain number
            assert np.allclose(mine.data, other, rtol=1e-12), args
            continue
        assert np.allclose(mine.data, other.data, rtol=1e-12), args
        found, expected = gradients(mine, leaves), gradients(other, leaves)
        for one, two in zip(found, expected, strict=True):
            assert np.allclose(0.0 if one is None else one, 0.0 if two is None else two, rtol=1e-10, atol=1e-14), args


def branch(x: float) -> Any:
    y = W[0] * x
    return y.exp() if y > 0 else y * y


def loop(x: float) -> Any:
    y = W[1] * x
    while y.data < 3.0:
        y = y * y + 1.0
    return y


def softmax(x: float, target: int) -> Any:
    logits = [w * x for w in W]
    m = max(v.data for v in logits)
    powers = [(v - m).exp() for v in logits]
    total = sum(powers)
    return -(powers[target] / total).log()


def maximum_that_counts_elsewhere(x: float) -> Any:
    """At the point of the recording nothing depends on the maximum."""
    m = max((w * x).data for w in W)
    return W[0] * (x - 1.0) * m + W[1]


def held_maximum(x: float) -> Any:
    """The maximum is also one of the numbers that are used for themselves."""
    data = [(w * x).data for w in W]
    m = max(data)
    return W[0] * (data[0] - m) + W[1]


def ranked(x: float) -> Any:
    first, *_, last = sorted(W, key=lambda w: (w * x).data)
    return first * last * x


def dict_key(x: float) -> Any:
    table = {1.0: W[0], 2.0: W[1], 4.0: W[2]}
    return table.get(x * 2.0, W[3]) * x


def whole(x: float) -> Any:
    return W[int(x)] * x + W[math.floor(x)]


def rounded(x: float) -> Any:
    return W[0] * round((W[1] * x).data, 1) + x


def text(x: float) -> Any:
    return W[0] * float(f"{x:.1f}")


def arithmetic(x: float) -> Any:
    y = Value(x) * 2.0 + (2.0 * x - x / 3.0) ** 2
    return y * W[2] + abs(x) + (-x) * W[0]


def lookup(t: int) -> Any:
    return sum(a * b for a, b in zip(STATE["wte"][t], W, strict=False))


def document(tokens: list[int]) -> Any:
    total = Value(0.0)
    for here, there in pairwise(tokens):
        logits = [sum(a * b for a, b in zip(ROWS[here], row, strict=True)) for row in ROWS]
        m = max(v.data for v in logits)
        powers = [(v - m).exp() for v in logits]
        total = total - (powers[there] / sum(powers)).log()
    return total / len(tokens)


def generators(xs: list[float]) -> Any:
    def terms() -> Any:
        for w, x in zip(W, xs, strict=False):
            yield w * x

    return sum(term.tanh() for term in terms() if term.data > -0.5) + W[0] * 0.0


def recursive(x: float) -> Any:
    def power(y: Any, n: int) -> Any:
        return y if n == 0 or y > 10.0 else power(y * y + 0.5, n - 1)

    return power(W[0] * x, 4)


def caught(x: float) -> Any:
    try:
        if (W[0] * x).data > 0.2:
            raise ValueError
        return W[1] * x
    except ValueError:
        return W[2] * x


def identical(x: Any, y: Any) -> Any:
    return W[0] * x if x is y else W[1] * x + y


def computed_with(t: int) -> Any:
    return ROWS[t + 1][t % 3] * float(t) + (W[0] if t == 2 else W[1])


def plain_table(t: int) -> Any:
    return W[0] * PLAIN[t]


def nested_choice(a: int, b: int) -> Any:
    return ROWS[a][b] * 2.0 + [w * w for w in W][a]


def rest_of_list(t: int) -> Any:
    """After the choice, the list is as before."""
    probabilities = [w.sigmoid() for w in W]
    chosen = probabilities[t]
    return chosen / sum(probabilities) + probabilities[0] * probabilities[t - 1]


def slices(n: int) -> Any:
    return sum(W[:n]) + W[0]


def tensors(x: np.ndarray, ids: np.ndarray) -> Any:
    h = T[ids] * x
    m = h.data.max(axis=1, keepdims=True)
    p = np.exp(h - m)
    return np.log(p.sum(axis=1)).sum() + (h @ T.T).sum()


def largest_place(x: np.ndarray) -> Any:
    return T[int(np.argmax((T @ x).data))].sum() * x[0]


def sorted_tensor(x: np.ndarray) -> Any:
    return (np.sort(T @ x)[:2] * np.array([1.0, 2.0])).sum()


def detached(x: float) -> Any:
    y = W[0] * x
    return y * y.detach()


OBJECTS = np.array(W, dtype=object)


def object_item(t: int) -> Any:
    return OBJECTS[t] * 2.0


def object_items(ids: np.ndarray) -> Any:
    return OBJECTS[ids].sum()


def two_indices(i: int, j: int) -> Any:
    return T[i, j] * W[0]


def tensor_slice(n: int) -> Any:
    return T[:n].sum()


def compared_array(x: float) -> Any:
    return np.where(T.data > x, T, 0.0).sum()


def branch_on_array(x: np.ndarray) -> Any:
    return (T @ x).sum() if x.sum() > 0 else T.sum()


def as_lists(x: float) -> Any:
    return W[0] * sum((T * x).tolist()[1])


def enumerated(tokens: list[int]) -> Any:
    return sum(W[t] * float(k) for k, t in enumerate(tokens)) + W[1] * float(len(set(tokens)))


def one_hot(t: int) -> Any:
    return sum(w * (1.0 if k == t else 0.0) for k, w in enumerate(W))


def dict_of_ints(t: int) -> Any:
    return {0: W[0], 1: W[1], 2: W[2]}[t] * 1.0


def settings(options: dict[str, Any]) -> Any:
    return W[0] * (2.0 if options["mode"] == "a" else 3.0) * options["x"]


def iterated(xs: Any) -> Any:
    total = W[1] * 1.0
    for x in xs:
        total = total + W[0] * x
    return total


RANDOM = np.random.default_rng(5)
ARRAYS = [(RANDOM.standard_normal(3),) for _ in range(5)]
FLOATS = [(x,) for x in (0.7, 1.9, -1.2, 2.0, 0.5, 1.0, 2.6)]
TOKENS = [(t,) for t in (0, 3, 1, 2, -1, 3)]

CASES: list[tuple[Callable[..., Any], list[tuple[Any, ...]]]] = [
    *((f, FLOATS) for f in (branch, loop, held_maximum, ranked, dict_key, rounded, text, arithmetic, recursive, caught,
                            detached)),
    (maximum_that_counts_elsewhere, [(1.0,), (-2.0,), (3.0,), (-1.0,)]),
    (whole, [(0.5,), (1.5,), (2.7,), (1.1,)]),
    (softmax, [(x, t) for (x,), t in zip(FLOATS, (0, 5, 2, 3, -1, 0, 4), strict=True)]),
    (lookup, TOKENS), (plain_table, TOKENS), (computed_with, [(t,) for t in (0, 2, 1, 2, 3)]), (rest_of_list, TOKENS),
    (slices, [(t,) for t in (1, 2, 5, 1)]),
    (nested_choice, [(0, 1), (2, 2), (4, 0), (-1, -2), (2, 2)]),
    (document, [([0, 1, 2],), ([3, 3, 4],), ([1, 0, 2, 4],), ([4, 4, 4],), ([2, 1, 0, 3],)]),
    (generators, [([0.4, -0.9, 1.0],), ([0.9, 2.0, -0.3],), ([-4.0, 0.1, 0.2, 0.3],), ([0.4, -0.9, 1.0],)]),
    (identical, [(1.0, 2.0), (3.0, 0.5)]),
    (tensors, [(RANDOM.standard_normal(3), np.array(ids)) for ids in ([0, 1], [2, 2], [3, 0], [-1, 1], [1, 1, 1])]),
    (object_item, [(0,), (2,), (-1,)]), (object_items, [(np.array(ids),) for ids in ([0, 1], [2, 2], [1, 0])]),
    (two_indices, [(0, 1), (3, 2), (1, -1)]), (tensor_slice, [(1,), (3,), (2,)]),
    (compared_array, [(0.5,), (-0.5,), (0.1,)]), (as_lists, FLOATS[:3]), (one_hot, [(0,), (1,), (0,), (5,)]),
    (branch_on_array, [(np.ones(3),), (-np.ones(3),), (2.0 * np.ones(3),)]), (dict_of_ints, [(0,), (1,), (0,), (2,)]),
    (enumerated, [([0, 1, 2],), ([2, 2, 0],), ([1, 2, 0],)]),
    (settings, [({"mode": mode, "x": x},) for mode, x in (("a", 1.0), ("b", 1.0), ("a", 4.0), ("b", 2.0))]),
    (iterated, [([1.0, 2.0],), ([3.0, 4.0],), (np.array([1.0, 2.0]),), (np.array([5.0, 2.0]),), ([],), ((1.0,),)]),
    (largest_place, ARRAYS), (sorted_tensor, ARRAYS),
]  # fmt: skip


@each("case", CASES)
def test_a_program_gives_what_its_function_gives(case: tuple[Callable[..., Any], list[tuple[Any, ...]]]) -> None:
    """Over calls that take other branches, other ids and other lengths, with parameters that move between calls."""
    function, calls = case
    step = program(function)
    same(step, function, calls, [*LEAVES, T])
    before = [leaf.data for leaf in (*LEAVES, T)]
    try:
        for leaf in (*LEAVES, T):
            leaf.data = leaf._data * 1.1 - 0.05
        same(step, function, calls[::-1], [*LEAVES, T])
    finally:
        for leaf, data in zip((*LEAVES, T), before, strict=True):
            leaf.data = data
