"""A resumed run is the uninterrupted run, bit for bit, wherever it was interrupted."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

import nn
from tests.support.interrupts import bytecodes, interrupted

#: Steps after which the run is saved, resumed in fresh objects, and led on by one step.
STEPS = 1000 if settings().max_examples >= 1000 else 14

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(20, 3))
Y = np.where(X[:, :1] * X[:, 1:2] > 0, 1.0, 0.0)

OPTIMISERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda net: nn.SGD(net, rate=0.1),
    "momentum": lambda net: nn.Momentum(net, rate=0.1),
    "Nesterov": lambda net: nn.Nesterov(net, rate=0.1),
    "AdaGrad": lambda net: nn.AdaGrad(net, rate=0.1),
    "RMSprop": lambda net: nn.RMSprop(net, rate=0.01),
    "Adam": lambda net: nn.Adam(net, rate=0.01),
    "a schedule": lambda net: nn.SGD(net, rate=nn.rates.exponential(0.3, k=0.05)),
}


class Run:
    """All parts of a run, made anew; dropout and the batches draw from generators of their own."""

    def __init__(self, optimiser: Callable[[Any], Any]) -> None:
        hidden = nn.Layer(3, 6, activation="tanh", random=np.random.default_rng(1))
        last = nn.Layer(6, 1, activation="identity", number=2, random=np.random.default_rng(2))
        self.dropout = nn.Dropout(0.7, random=np.random.default_rng(3))
        self.net = nn.Network.of(hidden, self.dropout, last)
        self.batches = nn.Batches(X, Y, size=8, random=np.random.default_rng(4))
        self.optimiser = optimiser(self.net)
        self.history = nn.History()
        self.stopping = nn.EarlyStopping(patience=10_000, model=self.net)

    def parts(self) -> dict[str, Any]:
        return {
            "net": self.net, "dropout": self.dropout, "batches": self.batches, "optimiser": self.optimiser,
            "history": self.history, "stopping": self.stopping,
        }  # fmt: skip

    def fitted(self, **until: int) -> Any:
        return self.history(self.stopping(nn.fit(self.net, objective, self.batches, optimizer=self.optimiser, **until)))

    def plain(self, steps: int) -> None:
        """The same steps, in a loop of one's own."""
        while steps > 0:
            for x, y in self.batches:
                self.optimiser.zero_grad()
                J = objective(self.net, x, y)
                J.backward()
                self.optimiser.step()
                self.history.add(J=J.item())
                steps -= 1
                if steps == 0:
                    return

    def bits(self) -> dict[str, bytes]:
        """Everything that the parts hold, as bytes; all but the seconds of the history."""
        states = {name: part.state() for name, part in self.parts().items()}
        states["history"].pop("seconds", None)
        return {f"{name}/{key}": each.tobytes() for name, state in states.items() for key, each in state.items()}


def objective(net: Any, x: Any, y: Any) -> Any:
    return nn.logistic(net(x), y) + nn.l2(net, 1e-3)


@pytest.mark.parametrize("optimiser", OPTIMISERS.values(), ids=OPTIMISERS.keys())
def test_a_run_resumed_after_any_step_makes_the_same_next_step(
    optimiser: Callable[[Any], Any], tmp_path: Path
) -> None:
    run, path = Run(optimiser), tmp_path / "run.npz"
    resumed = None
    for _ in nn.checkpoints(run.fitted(steps=STEPS), path, every=1, **run.parts()):
        if resumed is not None:
            assert resumed.bits() == run.bits()
        resumed = Run(optimiser)
        nn.resume(path, **resumed.parts())
        assert len(list(resumed.fitted(steps=1))) == 1
    assert run.optimiser.t == STEPS


@pytest.mark.parametrize("optimiser", OPTIMISERS.values(), ids=OPTIMISERS.keys())
def test_a_plain_loop_resumes_too(optimiser: Callable[[Any], Any], tmp_path: Path) -> None:
    run, path = Run(optimiser), tmp_path / "run.npz"
    for _ in range(STEPS // 2):
        run.plain(1)
        nn.save(path, **run.parts())
        resumed = Run(optimiser)
        nn.resume(path, **resumed.parts())
        run.plain(1)
        resumed.plain(1)
        assert resumed.bits() == run.bits()


def test_whole_runs_interrupted_at_random_end_alike(tmp_path: Path) -> None:
    path, random = tmp_path / "run.npz", np.random.default_rng(6)
    whole = Run(OPTIMISERS["Adam"])
    for _ in whole.fitted(epochs=4):
        pass
    for _ in range(10):
        run, path = Run(OPTIMISERS["Adam"]), tmp_path / "run.npz"
        path.unlink(missing_ok=True)
        while run.batches.epoch < 4:
            left = int(random.integers(1, 5))
            for made, _ in enumerate(nn.checkpoints(run.fitted(epochs=4), path, every=2, **run.parts()), start=1):
                if made == left:
                    break
            run = Run(OPTIMISERS["Adam"])
            if path.exists():
                nn.resume(path, **run.parts())
        assert run.bits() == whole.bits()


def test_a_run_goes_on_after_ctrl_c_in_a_step_as_if_it_had_not_come() -> None:
    """Net, optimiser, batches and dropout are those before the step or those after it, never a mixture."""

    def at(steps: int) -> Run:
        run = Run(OPTIMISERS["Adam"])
        for _ in nn.fit(run.net, objective, run.batches, optimizer=run.optimiser, steps=steps):
            pass
        return run

    def step(run: Run) -> None:
        next(nn.fit(run.net, objective, run.batches, optimizer=run.optimiser))

    def stopped(steps: int, moment: tuple[int, int]) -> Run:
        run = at(steps)
        interrupted(partial(step, run), moment)
        return run

    whole = at(5).bits()
    for steps in (2, 3):  # before the last step of an epoch and before the first, for which an order is drawn
        moments = bytecodes(partial(step, at(steps)))
        moved = bisect_left(moments, steps + 1, key=lambda moment: stopped(steps, moment).optimiser.t)
        made = set()
        for moment in (*moments[:80:5], *moments[::599], *moments[moved - 4 : moved + 8]):
            run = stopped(steps, moment)
            made.add(run.optimiser.t)
            while run.optimiser.t < 5:
                step(run)
            assert run.bits() == whole
        assert made == {steps, steps + 1}


def test_checkpoints_come_at_every_nth_step_and_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = []
    run, path = Run(OPTIMISERS["SGD"]), tmp_path / "run.npz"
    monkeypatch.setattr("nn.training.checkpoints.save", lambda path, **parts: saved.append(parts["optimiser"].t))
    for _ in nn.checkpoints(run.fitted(steps=7), path, every=3, **run.parts()):
        pass
    assert saved == [3, 6, 7]
    with pytest.raises(ValueError, match="every"):
        nn.checkpoints([], path, every=0)


def test_a_run_resumed_at_its_early_end_makes_no_step_more(tmp_path: Path) -> None:
    """Neither from the checkpoint of its last step nor from that of its end, and the best parameters come back."""

    def made() -> Run:
        run = Run(OPTIMISERS["momentum"])
        run.stopping = nn.EarlyStopping(patience=2, model=run.net)
        return run

    whole, interrupted, resumed, path = made(), made(), made(), tmp_path / "run.npz"
    count = sum(1 for _ in nn.checkpoints(whole.fitted(epochs=20), path, every=1, **whole.parts()))
    assert whole.stopping.waited == 2
    nn.resume(path, **resumed.parts())
    assert resumed.bits() == whole.bits()  # the file is that of the end
    for number, _ in enumerate(interrupted.fitted(epochs=20), start=1):
        if number == count:
            nn.save(path, **interrupted.parts())
            break
    nn.resume(path, **resumed.parts())
    assert list(resumed.fitted(epochs=20)) == []
    assert resumed.bits() == whole.bits()
