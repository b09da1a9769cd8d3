"""Operations that promise to change state all or nothing do so, whenever they are interrupted."""

from __future__ import annotations

import contextlib
import random
import signal
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

import autodiff as ad
import nn
from autodiff import Tensor, Value
from autodiff.engine import backward as backprop
from autodiff.engine.graph import clock, commit, grads_are_written
from tests.support.interrupts import bytecodes, interrupted, states, without_collector

Promise = tuple[Callable[[], object], Callable[[], Any]]  # the work, and a look at all that it may change
#: Moments, drawn at random, at which a piece of work is interrupted; shorter ones are at each. Ten times as many are
#: with the profile `thorough`.
_MOST = settings().max_examples


def seen(nodes: Sequence[Any]) -> Callable[[], Any]:
    """A look at nodes: data, gradients, and whether data was assigned since now. Neither inf nor nan occurs."""
    begun = clock.tick()

    def look() -> Any:
        return [(np.asarray(x._data).tolist(), np.asarray(x.grad).tolist(), x.version > begun) for x in nodes]

    return look


def leaves() -> list[Any]:
    """Two Values and two Tensors, with gradients."""
    x, y, t, point = Value(1.0), Value(2.0), Tensor([1.0, -2.0]), Tensor(3.0)
    ad.sum(x * y * t * point).backward()
    return [x, y, t, point]


def sgd() -> Promise:
    """A step downhill."""
    parameters = leaves()
    descent = nn.SGD(parameters, rate=0.5)
    return descent.step, seen(parameters)


def adagrad() -> Promise:
    """A step with caches, which must belong to the parameters' numbers."""
    parameters = leaves()
    descent = nn.AdaGrad(parameters, rate=0.5)
    look = seen(parameters)
    return descent.step, lambda: (look(), [array.tolist() for array in descent.state().values()])


def adam() -> Promise:
    """A step that counts itself, from a state that was loaded, with a norm that is too large."""
    parameters = leaves()
    descent = nn.Adam(parameters, rate=nn.rates.exponential(0.5, k=1.0), clip=0.5)
    descent.load(descent.state())
    look = seen(parameters)
    return descent.step, lambda: (look(), descent.rate, [array.tolist() for array in descent.state().values()])


def loading_slots() -> Promise:
    """Slots, the count of steps and the rate, which belong together."""
    parameters = leaves()
    descent, other = (nn.Adam(parameters, rate=rate) for rate in (0.5, 0.25))
    other.step()
    saved = other.state()
    return lambda: descent.load(saved), lambda: [array.tolist() for array in descent.state().values()]


def clipping() -> Promise:
    """Gradients that share one factor."""
    parameters = leaves()
    return lambda: nn.clip_norm(parameters, 0.5), seen(parameters)


def zero_grad() -> Promise:
    """Forgetting: a gradient left behind would add to the next one."""
    parameters = leaves()
    return nn.SGD(parameters, rate=0.5).zero_grad, seen(parameters)


def move() -> Promise:
    """Changes of several leaves, one of them twice."""
    parameters = leaves()
    changes = [(leaf, 0.5 * leaf.grad) for leaf in (*parameters, parameters[2])]
    return lambda: ad.move(changes), seen(parameters)


def assignment(kind: Callable[[Any], Any], fresh: Any) -> Promise:
    """New data and the version that makes graphs stale."""
    leaf = kind(1.0)
    return lambda: setattr(leaf, "data", fresh), seen([leaf])


def loading(net: Any) -> Promise:
    """All blocks of a net: Tensors, Values, and word vectors that are plain numbers yet."""
    saved = {key: array + 1.0 for key, array in net.state().items()}
    look = seen(list(net.parameters().values()))
    return lambda: net.load(saved), lambda: ([array.tolist() for array in net.state().values()], look())


def scorer() -> Any:
    """A scorer of Values that has met one of its words."""
    net = nn.WindowScorer(np.ones((3, 1)), window=1, hidden=1, scalar=True)
    net([1])
    return net


def meeting() -> Promise:
    """The first window with certain words makes Values of their vectors, which are parameters from then on."""
    net = scorer()
    return lambda: net([2]), lambda: ([type(item) for item in net.L.flat], sorted(map(str, net.parameters())))


def backward(leaf: Any, other: Any = 3.0, *, again: bool = False) -> Promise:
    """The first or second pass over √relu(x)·y + x, in which a closed gate stands before an infinity for x < 0."""
    free_locks()
    gate = ad.relu(leaf)
    output = ad.sum(ad.sqrt(gate) * other + leaf)
    if again:
        output.backward()
    return output.backward, seen([x for x in (leaf, gate, other, output) if isinstance(x, ad.Node)])


#: Everything that promises to change all or nothing; each gives the work anew, from the same state.
PROMISES: dict[str, Callable[[], Promise]] = {
    "SGD.step": sgd,
    "AdaGrad.step": adagrad,
    "Adam.step": adam,
    "Adam.load": loading_slots,
    "clip_norm": clipping,
    "zero_grad": zero_grad,
    "move": move,
    "data of a Value": lambda: assignment(Value, 2.0),
    "data of a Tensor": lambda: assignment(Tensor, 2.0),
    "load, Tensors": lambda: loading(nn.Network((2, 1))),
    "load, Values": lambda: loading(nn.Network((2, 1), scalar=True)),
    "load, word vectors": lambda: loading(scorer()),
    "meeting a word": meeting,
    "backward, a Tensor": lambda: backward(Tensor([1.0, 2.0])),
    "backward, a Tensor with gradients": lambda: backward(Tensor([1.0, 2.0]), again=True),
    "backward, a Tensor behind a closed gate": lambda: backward(Tensor([1.0, -2.0]), again=True),
    "backward, Values and a Tensor": lambda: backward(Value(1.0), Tensor([1.0, 2.0]), again=True),
}
#: Passes over Values write as they go, and undo it if they do not get to their end.
UNDONE: dict[str, Callable[[], Promise]] = {
    "backward, Values": lambda: backward(Value(1.0)),
    "backward, Values with gradients": lambda: backward(Value(1.0), again=True),
    "backward, Values behind a closed gate": lambda: backward(Value(-1.0)),
    "backward, Values with gradients behind a closed gate": lambda: backward(Value(-1.0), again=True),
}
each = pytest.mark.parametrize("promise", PROMISES.values(), ids=PROMISES)
each_or_undone = pytest.mark.parametrize("promise", (PROMISES | UNDONE).values(), ids=PROMISES | UNDONE)


def free_locks() -> None:
    """Release what a traced interrupt left: it comes between a body of ``with`` and its exit too, as no signal does."""
    if backprop._slots_in_use.locked():
        backprop._slots_in_use.release()
    while grads_are_written._is_owned():  # type: ignore[attr-defined]
        grads_are_written.release()


@each
def test_nobody_sees_a_half(promise: Callable[[], Promise]) -> None:
    """Before every bytecode, where an interrupt may come, all is as before or all is done."""
    work, look = promise()
    assert len(states(work, look)) == 2


@pytest.mark.slow
@each_or_undone
def test_interrupted_work_is_not_begun_or_done(promise: Callable[[], Promise]) -> None:
    """KeyboardInterrupt at any moment leaves all or nothing, and what was not begun can be done afterwards."""
    promise()[0]()  # what is compiled once is there from then on
    places = bytecodes(promise()[0])
    free_locks()
    work, look = promise()
    begun = look()
    steps = states(work, look, every=True)
    done = steps[-1]
    assert len(steps) == len(places) + 1
    moments = [k for k, state in enumerate(steps[:-1]) if state not in (begun, done)]  # undone work's; all of them
    moments += range(len(places)) if len(places) <= _MOST else random.Random(0).sample(range(len(places)), _MOST)
    for moment in moments:
        work, look = promise()
        before = look()
        assert interrupted(work, places[moment])
        free_locks()
        if look() != done:
            assert look() == before
            work()
            assert look() == done


@pytest.mark.slow
@pytest.mark.parametrize("end", [lambda x: x, lambda x: ad.sqrt(ad.relu(x))], ids=["sound", "a nan, and a second pass"])
def test_an_interrupted_pass_leaves_no_gradient_behind(end: Callable[[Any], Any]) -> None:
    """A backward pass over Values writes as it goes: an interrupt at any moment, also while it is taken back, leaves
    all gradients as they were, the numbers and None, or all of them new."""

    def begun() -> tuple[Any, list[Any]]:
        x, y, z = Value(-1.0), Value(2.0), Value(3.0)
        x.grad, y.grad = 0.5, -0.0
        nodes = [x, y, z, product := x * y, total := ad.weighted_sum([x, y], [product, z]), end(x) + total]
        return nodes[-1].backward, nodes

    def grads(nodes: list[Any]) -> list[Any]:
        return [node.grad for node in nodes]

    work, nodes = begun()
    before = grads(nodes)
    work()  # what is compiled once is there from then on
    done = grads(nodes)
    moments = bytecodes(begun()[0])
    for moment in random.Random(0).sample(moments, min(len(moments), 10 * _MOST)):
        work, nodes = begun()
        assert interrupted(work, moment)
        free_locks()
        assert grads(nodes) in (before, done)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no timers that send signals")
@pytest.mark.parametrize("optimiser", [nn.SGD, nn.AdaGrad])
def test_a_step_interrupted_by_a_timer(optimiser: Any) -> None:
    """A signal that arrives while a thousand parameters are moved moves them all, or leaves them where they were."""
    parameters = [Value(0.0) for _ in range(1000)]
    descent = optimiser(parameters, rate=0.5)
    for x in parameters:
        x.grad = 1.0
    begun = time.perf_counter()
    descent.step()
    span, delays = time.perf_counter() - begun, random.Random(0)
    former = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        for _ in range(100):
            with without_collector(), contextlib.suppress(KeyboardInterrupt):
                signal.setitimer(signal.ITIMER_REAL, delays.uniform(1e-6, span))
                try:
                    descent.step()
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0.0)
            assert len({x.data for x in parameters}) == 1
    finally:
        signal.signal(signal.SIGALRM, former)


def test_a_commit_is_one_bytecode() -> None:
    """Every change of a commit is done between two bytecodes, however many they are."""
    made: dict[str, float] = {}
    changes = [(made.__setitem__, [f"x{k}" for k in range(100)], [0.0] * 100), (made.__delitem__, ["x0"])]
    assert states(lambda: commit(*changes), lambda: len(made)) == [0, 99]
