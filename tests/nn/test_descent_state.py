"""The state of an optimiser: loaded into a fresh one, the run goes on bit for bit; what is not its own is refused."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import numpy as np
import pytest

import nn
from autodiff import Tensor, Value
from nn import rates
from tests.support.descents import DESCENTS, Descent, gradients, walked
from tests.support.interrupts import states

each = pytest.mark.parametrize("descent", DESCENTS.values(), ids=DESCENTS)
OPTIONS: dict[str, Any] = {
    "rate": rates.warm_up(rates.exponential(0.1, k=0.3), steps=2), "decay": 0.1, "clip": 2.0,
    "groups": {"b*": {"decay": 0.0, "rate": 0.02}},
}  # fmt: skip


def net(*, scalar: bool = False, seed: int = 0) -> nn.Network:
    """A small net."""
    return nn.Network((3, 2, 2), random=np.random.default_rng(seed), scalar=scalar)


def step(model: Any, descent: Any, k: int) -> None:
    """A step along gradients that depend on the parameters."""
    descent.zero_grad()
    out = model(np.random.default_rng(k).normal(size=3))
    (out * out).sum().backward() if isinstance(out, Tensor) else sum(x * x for x in out).backward()
    descent.step()


def through_a_file(state: dict[str, Any]) -> dict[str, Any]:
    """The arrays as numpy.load gives them back, without pickling."""
    file = io.BytesIO()
    np.savez(file, **state)
    file.seek(0)
    return dict(np.load(file))


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Equal keys in their order, types, shapes and bits."""
    return [*one] == [*other] and all(
        one[key].dtype == other[key].dtype and one[key].shape == other[key].shape
        and one[key].tobytes() == other[key].tobytes()
        for key in one
    )  # fmt: skip


@each
@pytest.mark.parametrize("scalar", [False, True])
def test_a_run_goes_on_bit_for_bit(descent: Descent, scalar: bool) -> None:
    """At each step: save, load into fresh objects, and make the next; in the end also by deepcopy and pickle."""
    model = net(scalar=scalar)
    made = descent.make(model, **OPTIONS)
    last = 2 if scalar else 5
    for k in range(last + 1):
        fresh = net(scalar=scalar, seed=k + 1)
        other = descent.make(fresh, **OPTIONS)
        fresh.load(through_a_file(model.state()))
        other.load(through_a_file(made.state()))
        twins = [(fresh, other)]
        if k == last:
            twins += [copy.deepcopy((model, made)), pickle.loads(pickle.dumps((model, made)))]
        assert all(same(made.state(), their.state()) for _, their in twins)
        step(model, made, k)
        for twin, their in twins:
            step(twin, their, k)
            assert same(twin.state(), model.state())
            assert same(their.state(), made.state())


@each
def test_a_run_on_a_list_goes_on_bit_for_bit(descent: Descent) -> None:
    """Parameters in a list have their places as names; a rate changed by hand comes along."""
    path = gradients(8, 5)
    nodes: Any = ([Tensor(np.ones(5)), Tensor(np.ones(5, np.float32)), Value(1.0), Tensor(1.0)] for _ in range(2))
    here, there = nodes
    made, other = descent.make(here), descent.make(there)
    for k, g in enumerate(path):
        made.rate = 0.1 / (k + 1)
        for x in here:
            x.grad = g[: x.shape[0]].astype(x.dtype) if x.shape else g[0]
        made.step()
        if k == 4:
            for x, y in zip(here, there, strict=True):
                y.data = x.data
            other.load(through_a_file(made.state()))
        if k > 4:
            other.rate = made.rate
            for x, y in zip(here, there, strict=True):
                y.grad = x.grad
            other.step()
            assert same(other.state(), made.state())
            assert all(np.array_equal(x.data, y.data) for x, y in zip(here, there, strict=True))


def test_words_that_were_not_met_keep_their_slots() -> None:
    """The Values of a word come with its first window; slots loaded before wait for them, and are saved on."""
    vectors = np.random.default_rng(0).normal(size=(6, 2))

    def made() -> tuple[Any, Any]:
        scorer = nn.WindowScorer(vectors, 2, 3, scalar=True)
        return scorer, nn.Adam(scorer, rate=0.1)

    def walk(scorer: Any, descent: Any, ids: list[int]) -> None:
        descent.zero_grad()
        scorer(ids).backward()
        descent.step()

    scorer, descent = made()
    walk(scorer, descent, [1, 2])
    walk(scorer, descent, [2, 3])
    fresh, other = made()
    fresh.load(scorer.state())
    other.load(descent.state())
    assert {key: array.tolist() for key, array in other.state().items()} == {
        key: array.tolist() for key, array in descent.state().items()
    }
    for ids in ([4, 2], [1, 3], [3, 5]):
        walk(scorer, descent, ids)
        walk(fresh, other, ids)
        assert same(fresh.state(), scorer.state())
    saved, again = descent.state(), other.state()
    assert all(np.array_equal(array, again[key]) for key, array in saved.items())
    assert saved.keys() == again.keys()


def test_a_state_is_a_copy() -> None:
    """A later step changes no state, and a loaded array belongs to its giver."""
    x, y = Tensor(np.ones(2)), Tensor(np.ones(2))
    descent, other = nn.Momentum([x], rate=0.1), nn.Momentum([y], rate=0.1)
    walked(descent, [x], [np.ones(2)])
    state = descent.state()
    assert state["0/v"].tolist() == [-0.1, -0.1]
    other.load(state)
    state["0/v"][:] = 7.0
    assert descent.state()["0/v"].tolist() == other.state()["0/v"].tolist() == [-0.1, -0.1]


def test_slots_of_what_made_no_step_are_0() -> None:
    """They are in the state, so that a state has all names; loaded, they begin as if nothing had been loaded."""
    x, y = Value(1.0), Tensor(np.ones(3, np.float32))
    descent = nn.Adam({"x": x, "y": y})
    state = descent.state()
    assert [*state] == ["optimizer", "t", "rate", "x/t", "x/m", "x/v", "y/t", "y/m", "y/v"]
    assert (state["y/m"].dtype, state["y/m"].tolist(), state["y/t"].shape) == (np.float32, [0.0] * 3, ())
    descent.load(state)
    other = nn.Adam({"x": Value(1.0), "y": Tensor(np.ones(3, np.float32))})
    for made, nodes in ((descent, (x, y)), (other, other._source.nodes())):
        for node in nodes:
            node.grad = np.ones(node.shape)
        made.step()
    assert same(descent.state(), other.state())


def refusal(kind: type[Exception], descent: Any, state: Any) -> str:
    """The text of the error with which a state is refused, which changes nothing."""
    before = descent.state()
    with pytest.raises(kind) as error:
        descent.load(state)
    assert same(descent.state(), before)
    return str(error.value)


def test_foreign_states_are_refused() -> None:
    """Another optimiser's, other settings, other parameters: one sentence that names both."""
    model = net()
    descent, plain = nn.Adam(model), nn.SGD(model, rate=0.1)
    assert "the state to load is that of SGD(decay=0.0), and this is Adam(beta1=0.9," in refusal(
        ValueError, descent, plain.state()
    )
    assert "beta1=0.8" in refusal(ValueError, descent, nn.Adam(model, beta1=0.8).state())
    assert "clip=2.0" in refusal(ValueError, descent, nn.Adam(model, clip=2.0).state())
    assert "'b*': (" in refusal(ValueError, descent, nn.Adam(model, groups={"b*": {"decay": 0.5}}).state())
    assert "Adam, uncorrected(" in refusal(ValueError, descent, nn.Adam(model, form="uncorrected").state())
    assert "has the rate cosine(0.1, steps=5, floor=0.0), and this optimiser 0.001" in refusal(
        ValueError, descent, nn.Adam(model, rate=rates.cosine(0.1, steps=5)).state()
    )
    scheduled = nn.Adam(model, rate=rates.cosine(0.1, steps=5))
    assert "has the rate 0.001, and this optimiser cosine(0.1" in refusal(ValueError, scheduled, descent.state())
    smaller, larger = nn.Adam(nn.Network((3, 2))), nn.Adam(nn.Network((3, 4, 2, 1)))
    assert "the state to load has slots of W(2); the parameters here are W(1), b(1)" in refusal(
        ValueError, smaller, descent.state()
    )
    assert "the state to load has no W(3)/t" in refusal(ValueError, larger, descent.state())


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"x/m": None}, ValueError, "the state to load has no x/m; nothing was loaded"),
        ({"t": None}, ValueError, "the state to load has no t; nothing was loaded"),
        ({"x/w": 1.0}, ValueError, "the state to load has 'x/w', which this optimiser does not keep"),
        ({"z/m": 1.0}, ValueError, "has slots of z; the parameters here are x, W(1)"),
        ({"note": 1.0}, ValueError, "has 'note', which this optimiser does not keep"),
        ({3: 1.0}, ValueError, "has 3, which this optimiser does not keep"),
        ({"x/m": [1.0, 2.0]}, ValueError, "x/m has shape (), and in the state (2,); nothing was loaded"),
        ({"W(1)/v": [1.0]}, ValueError, "W(1)/v has shape (2,), and in the state (1,)"),
        ({"W(1)/v": [1.0, np.nan]}, ValueError, "the state's W(1)/v holds a number that is not finite"),
        ({"W(1)/m": ["a", "b"]}, TypeError, "the state's W(1)/m"),
        ({"x/t": 1.5}, ValueError, "the state's x/t must be a number of steps, and is 1.5"),
        ({"t": -1}, ValueError, "the state's t must be a whole number of at least 0, and is -1"),
        ({"t": 1.5}, ValueError, "the state's t must be a whole number of at least 0, and is 1.5"),
        ({"rate": np.inf}, ValueError, "the learning rate must be a positive finite number, and got inf"),
        ({"rate": [1.0, 2.0]}, TypeError, "the learning rate must be a positive number"),
    ],
)  # fmt: skip
def test_altered_states_are_refused(change: dict[Any, Any], kind: type[Exception], words: str) -> None:
    """A missing, unknown or altered array: the error names its key, and nothing has changed."""
    descent = nn.Adam({"x": Value(1.0), "W(1)": Tensor([1.0, 2.0])})
    state = {**descent.state(), **change}
    assert words in refusal(kind, descent, {key: each for key, each in state.items() if each is not None})


def test_names_of_any_kind_are_kept() -> None:
    """Keys with slashes, empty ones, numbers, and the names of other entries of the state; two alike are refused."""
    nodes = [Value(1.0) for _ in range(4)]
    descent, other = (nn.Adam(dict(zip(("a/b", "", "t", 3), nodes, strict=True))) for _ in range(2))
    for x in nodes:
        x.grad = 1.0
    descent.step()
    other.load(through_a_file(descent.state()))
    assert same(other.state(), descent.state())
    with pytest.raises(ValueError, match="two parameters have the name 3; give each a name of its own"):
        nn.Adam({"3": nodes[0], 3: nodes[1]})


@pytest.mark.parametrize("wrong", [None, 3, [("t", 1)], "state"])
def test_what_is_no_state(wrong: Any) -> None:
    """A mapping is expected."""
    words = "a state must be a mapping of names to arrays, such as numpy.load gives, and got"
    assert words in refusal(TypeError, nn.SGD([], rate=0.1), wrong)


def test_an_optimiser_of_ones_own_has_a_state() -> None:
    """Its class, t and rate; what else it keeps, it adds itself."""

    class Own(nn.Optimizer):
        def step(self) -> None:
            """Stay."""

    descent = Own([Value(1.0)], rate=0.5)
    state = {**descent.state(), "rate": 0.25}
    assert state["optimizer"] == "Own"
    descent.load(state)
    assert descent.rate == 0.25
    assert "that of SGD(decay=0.0), and this is Own" in refusal(ValueError, descent, nn.SGD([], rate=0.1).state())


def test_nobody_sees_a_step_half_counted() -> None:
    """Parameters, slots, waiting slots and t change together."""
    x, y = Value(1.0), Tensor([1.0, 2.0])
    descent = nn.RMSprop([x, y], rate=rates.inverse(0.1, tau=1), groups={"0": {"rate": 0.5}})
    x.grad, y.grad = 1.0, np.ones(2)
    seen = states(
        descent.step, lambda: (x.data, y.data.tolist(), [array.tolist() for array in descent.state().values()])
    )
    assert len(seen) == 2


def test_slots_of_a_replaced_parameter_are_dropped() -> None:
    """Those of the others stay, as do those of a parameter that has no gradient this time."""
    parts = {"w": Value(1.0), "v": Tensor([1.0, 2.0]), "u": Tensor([3.0])}

    class Model:
        def parameters(self) -> dict[str, Any]:
            return parts

    descent = nn.AdaGrad(Model(), rate=0.1)
    for x in parts.values():
        x.grad = 2.0 if isinstance(x, Value) else np.full(x.shape, 2.0)
    descent.step()
    old = parts["v"]
    parts["v"], parts["u"].grad = Tensor([0.0, 0.0]), None
    parts["v"].grad = np.ones(2)
    descent.step()
    assert old not in descent._memory
    assert {key: descent.state()[key].tolist() for key in ("w/c", "v/c", "u/c")} == {
        "w/c": 8.0, "v/c": [1.0, 1.0], "u/c": [4.0],
    }  # fmt: skip
