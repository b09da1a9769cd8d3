"""Tables whose rows lag: reading, saving and loading change no bit of what follows."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

import autodiff as ad
import nn
from autodiff import Rows, Tensor
from autodiff.draw import see
from nn.lagging.table import Lagging
from tests.nn.test_lagging import MAKE, D, V, each, ids_of, step, table

TURNS: Final = ids_of(24)


def bits(L: Tensor, descent: Any) -> dict[str, bytes]:
    """All that a run goes on from, in bits."""
    return {key: array.tobytes() for key, array in descent.state().items()} | {"L": L.data.tobytes()}


@pytest.fixture(scope="module")
def uninterrupted() -> Callable[[str], dict[str, bytes]]:
    """The bits after all steps of runs that nobody reads."""
    known: dict[str, dict[str, bytes]] = {}

    def after(kind: str) -> dict[str, bytes]:
        if kind not in known:
            L = table()
            descent = MAKE[kind]([L])
            for ids in TURNS:
                step(L, descent, ids)
            assert type(L) is Lagging
            known[kind] = bits(L, descent)
        return known[kind]

    return after


_READ: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "data": lambda L, _: L.data,
    "gradient": lambda L, _: L.grad,
    "rows": lambda L, _: L[[0, 5, 5, -1]].data,
    "print": lambda L, _: repr(L),
    "state": lambda _, descent: descent.state(),
    "copies": lambda L, descent: (copy.deepcopy((L, descent)), copy.copy(descent), copy.copy(L), L.detach()),
    "pickle": lambda L, descent: pickle.dumps((L, descent)),
    "draw": lambda L, _: see(ad.sum(L[[1, 2]])).svg(),
    "plain numbers": lambda L, _: np.exp(L.data[:3]),
    "the same numbers": lambda L, _: setattr(L, "data", L.data),
    "a step that fails": lambda L, descent: _failed(L, descent),
}


def _failed(L: Tensor, descent: Any) -> None:
    kept = L.grad_rows
    L.grad = Rows([0, 3], np.full((2, D), np.inf), (V, D))
    with pytest.raises(ValueError, match="finite"):
        descent.step()
    L.grad = kept


@pytest.mark.parametrize("read", _READ.values(), ids=_READ)
@pytest.mark.parametrize("kind", ["momentum with a decay", "Adam"])
def test_reading_changes_no_bit(kind: str, read: Callable[[Any, Any], Any], uninterrupted: Any) -> None:
    """Between steps, and between a backward pass and its step."""
    L = table()
    descent = MAKE[kind]([L])
    for turn, ids in enumerate(TURNS):
        if turn % 5 == 3:
            read(L, descent)
        descent.zero_grad()
        ad.sum(np.tanh(L[ids]) * (1.0 + np.arange(float(len(ids))))[:, None]).backward()
        if turn % 5 == 1:
            read(L, descent)
        descent.step()
    assert bits(L, descent) == uninterrupted(kind)


@pytest.mark.parametrize("kind", MAKE)
def test_a_run_goes_on_bit_for_bit(kind: str, uninterrupted: Any) -> None:
    """At each step: save, load into fresh objects, in either order, and go on with these; in between also by copies."""
    L = table()
    descent = MAKE[kind]([L])
    for turn, ids in enumerate(TURNS):
        if turn == 7:
            L, descent = copy.deepcopy((L, descent))
        elif turn == 8:
            L, descent = pickle.loads(pickle.dumps((L, descent)))
        else:
            state, numbers, L = descent.state(), np.array(L.data), Tensor(np.ones((V, D)), name="L")
            descent = MAKE[kind]([L])
            if turn % 2:
                descent.load(state)
            L.data = numbers
            if not turn % 2:
                descent.load(state)
            assert bits(L, descent) == {key: array.tobytes() for key, array in state.items()} | {"L": numbers.tobytes()}
        step(L, descent, ids)
    assert bits(L, descent) == uninterrupted(kind)


def test_a_gradient_that_is_written_to_counts() -> None:
    L, M = table(), table()
    pairs = [(x, nn.Momentum([x], rate=0.1)) for x in (L, M)]
    for x, descent in pairs:
        step(x, descent, [1, 2])
        ad.sum(x[[2, 3]]).backward()
        assert np.count_nonzero(x.grad) == 3 * D
        if x is L:
            x.grad *= 0.5
            x.grad[4000] = 1.0
        else:
            halved = np.array(x.grad) * 0.5
            halved[4000] = 1.0
            x.grad = halved
        assert copy.copy(x).grad[4000].tolist() == [1.0] * D
        ad.sum(x[[1, 1]]).backward()
        descent.step()
    assert bits(*pairs[0]) == bits(*pairs[1])


def test_a_run_of_a_scorer_in_files(tmp_path: Path) -> None:
    """By nn.save and nn.resume at each step."""

    def fresh() -> tuple[Any, Any]:
        scorer = nn.WindowScorer(np.zeros((5000, 4)), window=3, hidden=2, random=np.random.default_rng(2))
        return scorer, nn.Momentum(scorer, rate=0.1)

    def go_on(scorer: Any, descent: Any, k: int) -> None:
        descent.zero_grad()
        ad.sum(scorer(np.random.default_rng(k).integers(0, 9, (4, 3))) ** 2).backward()
        descent.step()

    scorer, descent = fresh()
    resumed = fresh()
    for k in range(6):
        go_on(scorer, descent, k)
        go_on(*resumed, k)
        nn.save(tmp_path / "run.npz", model=resumed[0], optimizer=resumed[1])
        resumed = fresh()
        nn.resume(tmp_path / "run.npz", model=resumed[0], optimizer=resumed[1])
    assert type(scorer.L) is Lagging
    for one, other in ((scorer, resumed[0]), (descent, resumed[1])):
        assert {k: x.tobytes() for k, x in one.state().items()} == {k: x.tobytes() for k, x in other.state().items()}


@each
def test_turns_of_rows_catch_up_in_a_long_run(make: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """With at most 7 missed steps for a row: the numbers of whole tables, and bits that saving does not change."""
    for room in ("lag", "missed", "saved"):
        monkeypatch.setattr(f"nn.lagging.{room}.MOST", 7)
    (L, descent), (M, plain), (N, other) = ((x, make([x])) for x in (table(), table(), table()))
    for turn, ids in enumerate(ids_of(30)):
        step(L, descent, ids)
        step(M, plain, ids, whole=True)
        if turn % 4 == 1:
            state, numbers = other.state(), N.data
            N = table()
            other = make([N])
            N.data = numbers
            other.load(state)
        step(N, other, ids)
    assert bits(L, descent) == bits(N, other)
    assert np.allclose(L.data, M.data, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("key", "wrong", "message"),
    [
        ("L/lag/last", lambda x: x + 1000, "last"),
        ("L/lag/last", lambda x: x + 0.5, "last"),
        ("L/lag/last", lambda x: x[:-1], "shape"),
        ("L/lag/table", lambda x: x * np.nan, "finite"),
        ("L/lag/count", lambda x: -x, "count"),
        ("L/lag/rates", lambda x: x[:-1], "rates"),
        ("L/lag/settings", lambda x: x[:-1], "settings"),
        ("L/lag/v", None, "no L/lag/v"),
        ("L/lag/x", lambda _: np.ones(1), "L/lag/x"),
        ("M/lag/table", lambda _: np.ones(1), "M"),
    ],
)
def test_a_lag_that_does_not_fit_is_refused(key: str, wrong: Any, message: str) -> None:
    L = table()
    descent = nn.Momentum({"L": L}, rate=0.1)
    step(L, descent, [1, 2])
    state = descent.state()
    known = dict(state)
    if wrong is None:
        del state[key]
    else:
        state[key] = wrong(state.get(key, np.ones(1)))
    other = nn.Momentum({"L": L}, rate=0.1)
    with pytest.raises(ValueError, match=message):
        other.load(state)
    assert other.t == 0
    other.load(known)
    assert other.t == 1
