"""Training with large tables: a step touches the rows of its words only, and gives the numbers of whole tables."""

from __future__ import annotations

import copy
import tracemalloc
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pytest

import autodiff as ad
import nn
from autodiff import Rows, Tensor
from autodiff.engine.graph import clock
from tests.support.interrupts import states

V, D = 6000, 3
DESCENTS: Final[dict[str, Callable[[Any], Any]]] = {
    "SGD": lambda x: nn.SGD(x, rate=0.1),
    "AdaGrad": lambda x: nn.AdaGrad(x, rate=0.1),
}
#: Formulas whose steps with a gradient of 0 have no closed form: exact by whole tables. Others: `test_lagging`.
WHOLE: Final[dict[str, Callable[[Any], Any]]] = {
    "RMSprop with a decay": lambda x: nn.RMSprop(x, rate=0.1, decay=0.01),
    "Adam with a decay": lambda x: nn.Adam(x, rate=0.1, decay=0.01),
    "AdaGrad, in groups": lambda x: nn.AdaGrad(x, rate=0.1, groups={"0": {"rate": 0.2}}),
}
each = pytest.mark.parametrize("make", DESCENTS.values(), ids=DESCENTS)


def table() -> Tensor:
    return Tensor(np.random.default_rng(0).normal(size=(V, D)), name="L")


def loss(L: Tensor, turn: int) -> Any:
    """An objective of a few words, some twice, others than in the last turn."""
    ids = np.array([0, turn, turn + 1, 0, 7 * turn % 11])
    return ad.sum(np.tanh(L[ids]) * (1.0 + np.arange(5.0))[:, None])


def trained(L: Tensor, descent: Any, turns: range, *, whole: bool = False) -> None:
    """Steps by rows, or with ``whole`` by arrays."""
    for turn in turns:
        descent.zero_grad()
        loss(L, turn).backward()
        if whole:
            L.grad = L.grad
        assert (L.grad_rows.__class__ is Rows) is not whole
        descent.step()


@pytest.mark.parametrize("make", (DESCENTS | WHOLE).values(), ids=DESCENTS | WHOLE)
def test_steps_by_rows_are_steps_by_arrays(make: Callable[[Any], Any]) -> None:
    """Bit for bit, also where whole tables and rows alternate."""
    by_rows, by_arrays = table(), table()
    one, other = make([by_rows]), make([by_arrays])
    for start in range(0, 9, 3):
        trained(by_rows, one, range(start, start + 2))
        trained(by_rows, one, range(start + 2, start + 3), whole=True)
        trained(by_arrays, other, range(start, start + 3), whole=True)
        assert by_rows.data.tobytes() == by_arrays.data.tobytes()


@each
def test_copies_of_an_optimiser_go_their_own_way(make: Callable[[Any], Any]) -> None:
    """What a copy remembers does not change when the original steps, nor the other way round."""
    L = table()
    descent = make([L])
    trained(L, descent, range(3))
    twin, deep = copy.copy(descent), copy.deepcopy((L, descent))
    before = np.array(L.data)
    trained(L, descent, range(3, 5))
    expected = np.array(L.data)
    L.data = before
    trained(L, twin, range(3, 5))
    assert np.array_equal(L.data, expected)
    trained(*deep, range(3, 5))
    assert np.array_equal(deep[0].data, expected)


@each
def test_what_a_user_holds_does_not_change(make: Callable[[Any], Any]) -> None:
    """``before = L.data`` and a plain net keep the numbers of their time."""
    scorer = nn.WindowScorer(np.random.default_rng(0).normal(size=(V, D)), window=2, hidden=2)
    descent = make(scorer)
    before, plain = scorer.L.data, scorer.plain()
    known = np.array(before)
    for _ in range(2):
        descent.zero_grad()
        scorer([5, 6]).backward()
        descent.step()
    assert np.array_equal(before, known)
    assert np.array_equal(plain.L, known)
    assert not np.array_equal(scorer.L.data, known)


@each
def test_nobody_sees_half_a_step(make: Callable[[Any], Any]) -> None:
    """Before every bytecode, rows of two tables and of their caches, and stamps, are all old or all new."""
    tables = [table(), table()]
    descent = make(tables)
    for turn in range(2):
        descent.zero_grad()
        ad.add(*(loss(L, turn) for L in tables)).backward()
        if not turn:
            descent.step()
    begun, arrays = clock.tick(), [id(L._data) for L in tables]

    def look() -> Any:
        numbers = [*(L._data for L in tables), *(slot for slots in descent._memory.values() for slot in slots)]
        return [x[:12].tolist() for x in numbers], [L.version > begun for L in tables]

    assert len(states(descent.step, look)) == 2
    assert arrays == [id(L._data) for L in tables]


def test_clipping_by_norm() -> None:
    """The norm of a gradient of rows is that of its rows, and clipping keeps rows."""
    L = table()
    loss(L, 3).backward()
    rows = L.grad_rows
    norm = float(np.sqrt((rows.rows**2).sum()))
    L.grad = rows * (0.5 / norm)
    assert L.grad_rows.__class__ is Rows
    assert np.isclose(np.linalg.norm(L.grad), 0.5, rtol=1e-14)
    assert np.array_equal(rows.map(lambda x: np.clip(x, -0.1, 0.1)).dense(), np.clip(rows.dense(), -0.1, 0.1))


def test_a_clipped_step() -> None:
    """The norm of rows is that of the table, added up in another order; a step clips rows as it clips tables."""
    tables = [table(), table()]
    for L, whole in zip(tables, (False, True), strict=True):
        trained(L, nn.SGD([L], rate=0.1, clip=0.3), range(4), whole=whole)
        loss(L, 5).backward()
        nn.clip_value([L], 0.2)
        nn.clip_norm([L], 0.3)
        L.data = L.data - L.grad
    assert np.allclose(tables[0].data, tables[1].data, rtol=1e-13)


def step_of(words: int, make: Callable[[Any], Any]) -> Callable[[], None]:
    """A training step of a scorer with that many words; as most programs do, it keeps its objective."""
    random = np.random.default_rng(0)
    scorer = nn.WindowScorer(np.zeros((words, 10)), window=5, hidden=8, random=random)
    descent, kept = make(scorer), {}

    def step() -> None:
        descent.zero_grad()
        kept["J"] = ad.sum(nn.max_margin(scorer(random.integers(0, words, (8, 5))), scorer([[1, 2, 3, 4, 5]] * 8)))
        kept["J"].backward()
        descent.step()

    step()
    step()
    return step


def peak(step: Callable[[], None]) -> int:
    """The most memory, in bytes, that a step takes beyond what is there before."""
    tracemalloc.start()
    try:
        step()
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        step()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@each
def test_the_memory_of_a_step_does_not_grow_with_the_table(make: Callable[[Any], Any]) -> None:
    """A hundred times as many words: at most 1.3 times the memory."""
    few, many = (peak(step_of(words, make)) for words in (2_000, 100_000))
    assert many <= 1.3 * few


def test_fit_keeps_the_rows_of_a_table() -> None:
    """Its norm of the gradient used to read ``.grad``, which was dense for good: 50 ms a step instead of 2."""
    L = table()
    descent = nn.SGD([L], rate=0.1)
    (step,) = nn.fit(L, loss, [(1,)], optimizer=descent, steps=1)
    assert L.grad_rows.__class__ is Rows
    assert step.norm == pytest.approx(float(np.linalg.norm(L.grad)))


def test_the_report_of_a_fit_finds_the_example_among_rows() -> None:
    L = table()
    wrong = np.zeros((8, 1))
    wrong[5] = np.nan
    data, descent = [(np.arange(8), wrong)], nn.SGD([L], rate=0.1)
    stream = nn.fit(L, lambda L, ids, more: ad.sum(L[ids] + more), data, optimizer=descent)
    with pytest.raises(FloatingPointError, match="example 5 of the batch"):
        next(stream)
