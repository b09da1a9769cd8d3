"""Tables whose rows lag behind their optimiser: every reader sees the numbers of whole tables, to 1e-12."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import pytest

import autodiff as ad
import nn
from autodiff import Rows, Tensor, Value
from autodiff.engine.graph import StaleGraphError, clock
from nn.descent.formulas import FORMULAS
from nn.lagging import missed
from nn.lagging.saved import LAG
from nn.lagging.table import Lagging
from tests.nn.test_rows import peak, step_of
from tests.support.interrupts import states

V, D = 6000, 3
Make = Callable[[Any], Any]
#: Formulas whose steps with a gradient of 0 have a closed form.
MAKE: Final[dict[str, Make]] = {
    "SGD with a decay": lambda x: nn.SGD(x, rate=0.1, decay=0.05),
    "momentum": lambda x: nn.Momentum(x, rate=0.1),
    "momentum with a decay": lambda x: nn.Momentum(x, rate=0.1, decay=0.05),
    "momentum, α outside": lambda x: nn.Momentum(x, rate=nn.rates.exponential(0.1, k=0.03), form="alpha outside"),
    "Nesterov": lambda x: nn.Nesterov(x, rate=nn.rates.step(0.1, every=7), decay=0.05),
    "Nesterov, α outside": lambda x: nn.Nesterov(x, rate=0.1, mu=0.8, form="alpha outside", clip=0.5),
    "RMSprop": lambda x: nn.RMSprop(x, rate=0.01),
    "RMSprop, ε outside": lambda x: nn.RMSprop(x, rate=0.01, form="epsilon outside"),
    "Adam": lambda x: nn.Adam(x, rate=nn.rates.cosine(0.1, steps=25)),
    "Adam, a large ε": lambda x: nn.Adam(x, rate=0.1, epsilon=1e-3),
    "Adam, uncorrected": lambda x: nn.Adam(x, rate=0.1, form="uncorrected"),
    "Adam in groups": lambda x: nn.Adam({"L": x[0]}, rate=0.1, groups={"L": {"rate": 0.02, "beta1": 0.7}}),
}
each = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)


def table() -> Tensor:
    return Tensor(np.random.default_rng(0).normal(size=(V, D)), name="L")


def step(L: Tensor, descent: Any, ids: Any, *, whole: bool = False, scale: float = 1.0) -> None:
    """A step with the gradient of a few words, as rows or as an array."""
    descent.zero_grad()
    J = ad.sum(np.tanh(L[ids]) * (scale * (1.0 + np.arange(float(len(ids)))))[:, None])
    J.backward()
    assert L.grad_rows.__class__ is Rows
    if whole:
        L.grad = L.grad
    descent.step()


def ids_of(turns: int) -> list[Any]:
    random = np.random.default_rng(1)
    return [random.integers(0, 9, 4) - 3 for _ in range(turns)]


def pair(make: Make, turns: Sequence[Any] = ()) -> tuple[tuple[Tensor, Any], tuple[Tensor, Any]]:
    """A table that lags and one that does not, after the same steps."""
    L, M = table(), table()
    lags, plain = (L, make([L])), (M, make([M]))
    for ids in turns:
        step(*lags, ids)
        step(*plain, ids, whole=True)
    return lags, plain


def close(x: Any, y: Any) -> bool:
    return bool(np.allclose(x, y, rtol=1e-12, atol=1e-13))


def alike(lags: tuple[Tensor, Any], plain: tuple[Tensor, Any]) -> None:
    """Slots agree first, before the table is read, and then the table."""
    one, other = lags[1].state(), plain[1].state()
    assert {key for key in one if LAG not in key} == {key for key in other if LAG not in key}
    for key in one.keys() & other.keys():
        array = one[key]
        assert array == other[key] if array.dtype.kind == "U" else close(array, other[key])
    assert close(lags[0].data, plain[0].data)


@each
@pytest.mark.parametrize("scale", [1.0, 1e-6])
def test_rows_catch_up_with_whole_tables(make: Make, scale: float) -> None:
    """Thirty steps of random words, the rate changed by hand, gradients of whole tables between; it lags in between."""
    (L, lags), (M, plain) = pair(make)
    for turn, ids in enumerate(ids_of(30)):
        if turn == 17:
            lags.rate = plain.rate = 0.02
        step(L, lags, ids, scale=scale, whole=turn == 11)
        step(M, plain, ids, scale=scale, whole=True)
        assert (type(L) is Lagging) is (turn != 11)
        assert type(M) is Tensor
    alike((L, lags), (M, plain))
    assert type(L) is Tensor


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "data": lambda L: L.data,
    "row by row": lambda L: [L[[k]].data for k in range(-5, 9)],
    "an int": lambda L: L[5].data,
    "ints and a column": lambda L: L[[5, 1, -2], 0].data,
    "a slice": lambda L: L[1:8].data,
    "a column": lambda L: L[:, 1].data,
    "a mask": lambda L: L[np.arange(V) < 8].data,
    "a new axis": lambda L: L[None, [5, 1]].data,
    "an ellipsis": lambda L: L[..., 1].data,
    "take": lambda L: L.take([1, 5, -2], axis=0).data,
    "take columns": lambda L: L.take([1], axis=1).data,
    "take_along_axis": lambda L: np.take_along_axis(L, np.array([[1, 5, 3]]), axis=0).data,
    "a product": lambda L: (2.0 * L).data,
    "with a Value": lambda L: (Value(2.0) * L).data,
    "a matrix product": lambda L: (L @ np.ones(D)).data,
    "NumPy": lambda L: np.exp(L).data,
    "sum": lambda L: L.sum().data,
    "stack": lambda L: ad.stack([L, L]).data,
    "detach": lambda L: L.detach().data,
    "copy": lambda L: copy.copy(L).data,
    "deepcopy": lambda L: copy.deepcopy(L).data,
    "pickle": lambda L: pickle.loads(pickle.dumps(L)).data,
    "a pickled graph": lambda L: pickle.loads(pickle.dumps(L[[5, 1]])).inputs[0].data,
    "list": lambda L: L.tolist(),
    "comparison": lambda L: np.where(L > 0, L, 0).data,
    "its kind": lambda L: type(L)(L.data).data,
    "plain numbers": lambda L: np.argmax(L, axis=0),
    "gradient": lambda L: ad.grad(lambda x: ad.sum(x * x))(L),
    "jacobian of rows": lambda L: ad.grad(lambda x: ad.sum(x[[1, 5]] ** 2))(L),
}


@pytest.fixture(scope="module")
def momenta() -> Any:
    return pair(MAKE["momentum with a decay"], ids_of(5))


@pytest.mark.parametrize("read", _READERS.values(), ids=_READERS)
def test_no_reader_sees_a_stale_row(momenta: Any, read: Callable[[Any], Any]) -> None:
    (L, lags), (M, plain) = momenta
    for ids in ids_of(2):
        step(L, lags, ids)
        step(M, plain, ids, whole=True)
    assert type(L) is Lagging
    stamp = L.version
    one, other = read(L), read(M)
    assert close(one, other)
    assert L.version == stamp


def test_shapes_and_names_wake_nothing() -> None:
    (L, _), _ = pair(MAKE["Adam"], ids_of(3))
    assert [L.shape, L.ndim, L.size, len(L), L.name] == [(V, D), 2, V * D, V, "L"]
    assert L.dtype == np.float64
    assert L.is_leaf
    assert type(L).__name__ == "Tensor"
    assert isinstance(L, Tensor)
    assert L.__class__ is Tensor
    assert not L.is_detached
    assert L.grad_rows.__class__ is Rows
    assert type(L) is Lagging
    with pytest.raises((IndexError, ValueError)):
        L[[V]]
    assert repr(L).startswith("Tensor(")
    assert type(L) is Tensor


@each
def test_states_and_copies_in_the_middle(make: Make) -> None:
    """A state, a deep copy, a pickle and a copy of an optimiser go on as the original does."""
    turns = ids_of(16)
    lags, plain = pair(make, turns[:8])
    L, descent = lags
    fresh = Tensor(np.zeros((V, D)), name="L")
    again = make([fresh])
    again.load(descent.state())
    fresh.data = L.data
    step(*lags, turns[8])
    step(fresh, again, turns[8])
    step(*plain, turns[8], whole=True)
    deep = copy.deepcopy((L, descent))
    step(*lags, turns[9])
    pickled = pickle.loads(pickle.dumps(deep[::-1]))[::-1]
    one_by_one = [lags, (fresh, again), deep, pickled]
    for k, (x, theirs) in enumerate(one_by_one):
        for ids in turns[10 - (k > 0) : 16]:
            step(x, theirs, ids)
    for ids in turns[9:]:
        step(*plain, ids, whole=True)
    for each_one in one_by_one:
        alike(each_one, plain)


def test_a_copied_optimiser_has_slots_of_its_own() -> None:
    turns = ids_of(6)
    lags, plain = pair(MAKE["Adam"], turns[:4])
    twins = [(x, copy.copy(descent)) for x, descent in (lags, plain)]
    for twin, other, whole in zip(twins, (lags, plain), (False, True), strict=True):
        step(*twin, turns[4], whole=whole)
        step(*other, turns[5], whole=whole)
    alike(lags, plain)
    alike(*twins)


def test_two_optimisers_of_one_table() -> None:
    """Whoever steps first lets the rows catch up with the other."""
    (L, one), (M, other) = pair(MAKE["momentum"], ids_of(3))
    pairs = [(nn.Adam([x], rate=0.1), nn.AdaGrad([x], rate=0.1), d) for x, d in ((L, one), (M, other))]
    for turn, ids in enumerate(ids_of(9)):
        step(L, pairs[0][turn % 3], ids)
        step(M, pairs[1][turn % 3], ids, whole=True)
    for mine, theirs in zip(*pairs, strict=True):
        alike((L, mine), (M, theirs))


def test_data_assigned_in_between_and_a_state_loaded() -> None:
    turns = ids_of(12)
    lags, plain = pair(MAKE["Adam"], turns[:4])
    early = [descent.state() for _, descent in (lags, plain)]
    for (x, descent), state, whole in zip((lags, plain), early, (False, True), strict=True):
        step(x, descent, turns[4], whole=whole)
        x.data = 0.5 * np.ones((V, D))
        step(x, descent, turns[5], whole=whole)
        descent.load(state)
        step(x, descent, turns[6], whole=whole)
        nn.clip_norm([x], 0.1)
        descent.step()
    alike(lags, plain)


def test_a_kept_graph_becomes_stale_by_steps_and_not_by_reading() -> None:
    (L, descent), _ = pair(MAKE["momentum"], ids_of(3))
    J = ad.sum(L[[1, 2]])
    assert type(L) is Lagging
    assert L.data.shape == (V, D)
    J.backward()
    descent.step()
    with pytest.raises(StaleGraphError):
        J.backward()


def test_what_a_user_holds_does_not_change() -> None:
    (L, descent), _ = pair(MAKE["momentum"], ids_of(3))
    held = L.data
    known = np.array(held)
    for ids in ids_of(3):
        step(L, descent, ids)
    assert not np.array_equal(L.data, known)
    assert np.array_equal(held, known)


@pytest.mark.parametrize("kind", ["momentum", "Adam"])
def test_a_longer_lag_ends_by_itself(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for room in ("lag", "missed", "saved"):
        monkeypatch.setattr(f"nn.lagging.{room}.MOST", 7)
    alike(*pair(MAKE[kind], ids_of(20)))


def test_long_lags() -> None:
    """A row that has missed 150 steps."""
    makes = ("momentum with a decay", "Adam", "RMSprop")
    for make in (MAKE[key] for key in makes):
        L, M = (Tensor(np.random.default_rng(0).normal(size=(5462, D))) for _ in range(2))
        pairs = (L, make([L])), (M, make([M]))
        for x, descent in pairs:
            ad.sum(x[[1, 2]] ** 2).backward()
            if x is M:
                x.grad = x.grad
            descent.step()
            x.grad = Rows([7], np.ones((1, D)), x.shape)
            if x is M:
                x.grad = x.grad
            for _ in range(150):
                descent.step()
        assert type(L) is Lagging
        assert close(L[[1]].data, M.data[1])
        assert close(L.data, M.data)


def test_a_step_that_fails_changes_nothing() -> None:
    lags, plain = pair(MAKE["Adam"], ids_of(4))
    L, descent = lags
    L.grad = Rows([3], np.full((1, D), np.inf), (V, D))
    with pytest.raises(ValueError, match="finite"):
        descent.step()
    assert descent.t == 4
    alike(lags, plain)


def test_nobody_sees_half_a_step() -> None:
    """Before every bytecode, what rows a reader would see is all old or all new; reading in the midst harms nothing."""
    lags, plain = pair(MAKE["momentum"], ids_of(3))
    L, descent = lags
    begun = clock.tick()
    for pairs, whole in ((lags, False), (plain, True)):
        step(*pairs, [1, 2], whole=whole)
        ad.sum(pairs[0][[2, 5]] ** 2).backward()
        if whole:
            pairs[0].grad = pairs[0].grad

    def look() -> Any:
        return np.round(L._data[:12], 12).tolist(), L.version, descent.t

    assert begun < L.version
    assert len(states(descent.step, look)) == 2
    plain[1].step()
    alike(lags, plain)


def test_nobody_sees_half_a_catching_up() -> None:
    """Reading at every bytecode of another reading gives the same numbers, and those of whole tables."""
    for every in (False, True):
        lags, plain = pair(MAKE["Adam"], ids_of(5))
        L = lags[0]

        def look(L: Tensor = L, every: bool = every) -> Any:
            return np.round(L._data[:12], 12).tolist() if every else type(L) is Lagging

        assert len(states(partial(getattr, L, "_data"), look)) == (1 if every else 2)
        alike(lags, plain)


def test_a_reading_in_the_midst_of_another() -> None:
    """As by the handler of a signal, at each of many moments: neither lets a row catch up twice."""
    lags, plain = pair(MAKE["momentum"], ids_of(3))
    L = lags[0]
    for moment in range(0, 180, 3):
        step(*lags, [1, moment % 9])
        step(*plain, [1, moment % 9], whole=True)
        turns = iter(range(10_000))

        def look(turns: Any = turns, moment: int = moment) -> None:
            if next(turns) == moment:
                assert L._data.shape == (V, D)

        states(partial(getattr, L, "_data"), look)
    alike(lags, plain)


@pytest.mark.parametrize("make", [lambda x: nn.Momentum(x, rate=0.1), nn.Adam], ids=["momentum", "Adam"])
def test_the_memory_of_a_step_does_not_grow_with_the_table(make: Make) -> None:
    """A hundred times as many words: at most 1.3 times the memory."""
    few, many = (peak(step_of(words, make)) for words in (2_000, 100_000))
    assert many <= 1.3 * few


def test_float32() -> None:
    L, M = (Tensor(np.random.default_rng(0).normal(size=(V, D)).astype(np.float32)) for _ in range(2))
    lags, plain = (nn.Adam([x], rate=0.01) for x in (L, M))
    for ids in ids_of(9):
        step(L, lags, ids)
        step(M, plain, ids, whole=True)
    assert L.data.dtype == np.float32
    assert np.allclose(L.data, M.data, rtol=1e-5, atol=1e-6)


def test_formulas_without_a_closed_form_lag_not() -> None:
    assert missed.closed_form(FORMULAS["Adam"], {"beta1": 0.9, "beta2": 0.9, "epsilon": 1e-8}, 0.0) is None
    (L, _), _ = pair(lambda x: nn.Adam(x, decay=0.1), ids_of(3))
    assert type(L) is Tensor


_ALL: Final = {
    name: (lambda x, kind=kind, decay=decay: kind(x, rate=0.1, decay=decay, lazy=True))
    for kind in (nn.SGD, nn.Momentum, nn.Nesterov, nn.AdaGrad, nn.RMSprop, nn.Adam)
    for decay in (0.0, 0.05)
    for name in [f"{kind.__name__}, decay {decay}"]
}


@pytest.mark.parametrize("make", _ALL.values(), ids=_ALL)
def test_lazy_steps_move_rows_with_a_gradient_alone(make: Make) -> None:
    """They move as a table of these rows does; the others and their slots stay."""
    L = table()
    few = Tensor(L.data[:3])
    lazy, small = make([L]), make([few])
    start = np.array(L.data)
    for _ in range(4):
        step(L, lazy, [0, 1, 2])
        small.zero_grad()
        ad.sum(np.tanh(few) * (1.0 + np.arange(3.0))[:, None]).backward()
        small.step()
        assert type(L) is Tensor
    assert close(L.data[:3], few.data)
    assert np.array_equal(L.data[3:], start[3:])
    slots = [array for key, array in lazy.state().items() if array.shape == (V, D)]
    assert not any(array[3:].any() for array in slots)


def test_lazy_is_told_and_checked() -> None:
    L = table()
    assert nn.Adam([L], lazy=True).state()["optimizer"] != nn.Adam([L]).state()["optimizer"]
    with pytest.raises(ValueError, match="lazy"):
        nn.Adam([L]).load(nn.Adam([L], lazy=True).state())
    with pytest.raises(TypeError, match="lazy"):
        nn.Adam([L], lazy="yes")  # type: ignore[arg-type]
