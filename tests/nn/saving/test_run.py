"""`nn.save` and `nn.resume`: going on as if there had been no detour, all parts or none."""

from __future__ import annotations

import copy
import json
import os
import pickle
import re
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

import nn
from tests.nn.saving.parts import Changing, Loaded, bits
from tests.support.interrupts import bytecodes, interrupted, states

MANY = settings().max_examples > 500  # the profile `thorough`


class Run:
    """A small run: a net, its optimiser's rate, a generator, and two parts of other people."""

    def __init__(self, seed: int, numbers: float) -> None:
        self.random = np.random.default_rng(seed)
        self.model = nn.Network((2, 2, 1), random=self.random)
        self.parts: dict[str, Any] = {
            "model": self.model, "own": Loaded(numbers), "random": self.random, "other": Changing(numbers),
            "last": Loaded(numbers),
        }  # fmt: skip

    def look(self) -> list[Any]:
        """All there is to it."""
        numbers = [block.data.tobytes() for block in self.model.blocks().values()]
        own = [self.parts[name].number for name in ("own", "other", "last")]
        return [numbers, self.random.bit_generator.state["state"], own]

    def step(self) -> None:
        """One step of training with a drawn example."""
        descent = nn.SGD(self.model, rate=0.1)
        self.model(self.random.normal(size=2)).backward(np.ones(1))
        descent.step()
        descent.zero_grad()


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """A run after three steps, and its file."""
    run = Run(0, 1.0)
    for _ in range(3):
        run.step()
    path = tmp_path_factory.mktemp("run") / "run.npz"
    nn.save(path, **run.parts)
    return path, run


def test_a_resumed_run_goes_on_bit_for_bit(tmp_path: Path) -> None:
    """At each step: into fresh objects, and one step more is the same step."""
    run, path = Run(0, 1.0), tmp_path / "run.npz"
    for _ in range(1000 if MANY else 10):
        nn.save(path, **run.parts)
        other = Run(1, 2.0)
        nn.resume(path, **other.parts)
        assert other.look() == run.look()
        run.step()
        other.step()
        assert other.look() == run.look()
        run = other
    assert os.listdir(tmp_path) == ["run.npz"]


@pytest.mark.parametrize("twin_of", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["copy", "pickle"])
def test_a_copied_run_goes_on_bit_for_bit(twin_of: Callable[[Any], Any]) -> None:
    """Copied as a whole, net and generator stay together, and apart from the original."""
    run = Run(0, 1.0)
    run.step()
    twin, before = twin_of(run), run.look()
    twin.step()
    assert run.look() == before
    run.step()
    assert twin.look() == run.look()


def test_values_tensors_and_any_spelling(tmp_path: Path) -> None:
    """A net of Tensors is resumed in one of Values; a net's own file serves as well."""
    net, other = nn.Network((2, 2, 1)), nn.Network((2, 2, 1), scalar=True, random=np.random.default_rng(1))
    nn.save(tmp_path / "run.npz", model=net)
    net.save(tmp_path / "net.npz")
    for name in ("run.npz", "net.npz"):
        fresh = other.scalar()
        nn.resume(tmp_path / name, model=fresh)
        assert bits(fresh.state()) == bits(net.state())


# ---- all or none -----------------------------------------------------------------------------------------------------


def test_an_error_leaves_all_parts_as_they_were(saved: tuple[Path, Run]) -> None:
    """Whichever part refuses its state: one that gives changes, or one that was loaded after another."""
    path = saved[0].with_name("negative.npz")
    for name in ("last", "other"):
        nn.save(path, **{**Run(0, 1.0).parts, name: Loaded(-1.0)})
        run = Run(1, 2.0)
        with pytest.raises(ValueError, match=rf"negative\.npz: {name}: the number is negative$"):
            nn.resume(path, **run.parts)
        assert run.look() == Run(1, 2.0).look()


def test_parts_that_give_changes_are_loaded_in_one_step(saved: tuple[Path, Run]) -> None:
    """Before each bytecode of it everything is old or everything new, for a reader as for Ctrl-C."""
    path, run = saved
    other = Run(1, 2.0)
    parts = {**other.parts, "own": Changing(2.0), "last": Changing(2.0)}
    other.parts = parts
    before = other.look()
    assert states(lambda: nn.resume(path, **parts), other.look) == [before, run.look()]


def test_ctrl_c_while_resuming(saved: tuple[Path, Run]) -> None:
    """Also with parts that are loaded one by one: interrupted near the end, before each bytecode, all or none."""
    path, run = saved
    after, outcomes = run.look(), set()
    other = Run(1, 2.0)
    before = other.look()
    moments = bytecodes(lambda: nn.resume(path, **other.parts))
    near_the_end = moments if MANY else moments[-420:-30:15] + moments[-30:]
    for moment in near_the_end:
        fresh = Run(1, 2.0)
        came = interrupted(partial(nn.resume, path, **fresh.parts), moment)
        assert fresh.look() in ([before, after] if came else [after])
        outcomes.add(fresh.look() == after)
    assert outcomes == {True, False}


class _AlarmError(Exception):
    """Raised by the timer."""


def _ring(number: int, frame: FrameType | None) -> None:
    raise _AlarmError


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers")
def test_a_timer_while_saving_and_resuming(
    saved: tuple[Path, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At random moments: the file is whole, no other is left, and a run is loaded as a whole."""
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)  # Python drops an alarm that rings in ZipFile.__del__
    path, run = saved
    target, after = tmp_path / "run.npz", run.look()
    before, random, former = Run(1, 2.0).look(), np.random.default_rng(), signal.signal(signal.SIGALRM, _ring)
    nn.save(target, **Run(1, 2.0).parts)
    try:
        for number in range(2000 if MANY else 40):
            fresh = Run(1, 2.0)
            work = partial(nn.resume, path, **fresh.parts) if number % 2 else partial(nn.save, target, **run.parts)
            try:
                signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-5, 4e-3))
                work()
                signal.setitimer(signal.ITIMER_REAL, 0)
            except _AlarmError:
                pass
            assert fresh.look() in (before, after)
            loaded = Run(3, 4.0)
            nn.resume(target, **loaded.parts)
            assert loaded.look() in (before, after)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
    assert os.listdir(tmp_path) == ["run.npz"]


# ---- wrong calls -----------------------------------------------------------------------------------------------------


def test_missing_and_left_over_parts_are_named(saved: tuple[Path, Run]) -> None:
    """Nothing is loaded; the sentence says how to load one part only."""
    path, _ = saved
    run = Run(1, 2.0)
    with pytest.raises(ValueError, match=r"run\.npz has no history, only model, own, random, other, last; nothing was"):
        nn.resume(path, **run.parts, history=Loaded(1.0))
    with pytest.raises(ValueError, match=r"also holds random, last; .*load\(nn\.contents\(path\)\.state\('model'\)\)"):
        nn.resume(path, **{name: part for name, part in run.parts.items() if name not in ("random", "last")})
    assert run.look() == Run(1, 2.0).look()
    run.model.load(nn.contents(path).state("model"))


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (1.0, r"a part of a run must have state\(\) and load\(\), or be a numpy\.random\.Generator, and x is 1\.0"),
        (np.random.RandomState(0), r"and x is "),
        (nn.Network, r"and x is "),
        (None, r"and x is None "),
    ],
)
def test_what_has_no_state_is_refused(part: Any, message: str, saved: tuple[Path, Run], tmp_path: Path) -> None:
    """By saving and by resuming."""
    with pytest.raises(TypeError, match=message):
        nn.save(tmp_path / "run.npz", x=part)
    nn.save(tmp_path / "run.npz", x=Loaded(1.0))
    with pytest.raises(TypeError, match=message):
        nn.resume(tmp_path / "run.npz", x=part)


def test_what_could_not_be_resumed_is_not_saved(tmp_path: Path) -> None:
    """The last good file stays: weights that are not finite would be found out when it is too late."""
    net, path = nn.Layer(2, 1), tmp_path / "run.npz"
    nn.save(path, model=net)
    good = path.read_bytes()
    net.b.data = [np.nan]
    with pytest.raises(ValueError, match=r"^model cannot be saved, because it could not be resumed: .*not finite"):
        nn.save(path, model=net)
    with pytest.raises(ValueError, match=r"^there is nothing to save"):
        nn.save(path)
    with pytest.raises(ValueError, match=r"must not contain a slash, and got 'a/b'$"):
        nn.save(path, **{"a/b": Loaded(1.0)})
    assert path.read_bytes() == good


def test_states_that_are_no_states(tmp_path: Path) -> None:
    """The part and the key are named."""
    part = Loaded(1.0)
    part.state = lambda: [1.0]  # type: ignore[method-assign,assignment,return-value]
    with pytest.raises(TypeError, match=r"^the state\(\) of x must be a dict of arrays"):
        nn.save(tmp_path / "run.npz", x=part)
    part.state = lambda: {"number": np.array([{}])}  # type: ignore[method-assign]
    with pytest.raises(TypeError, match=r"^x/number must be an array of numbers"):
        nn.save(tmp_path / "run.npz", x=part)
    assert not os.listdir(tmp_path)


def test_a_part_without_numbers_is_a_part(tmp_path: Path) -> None:
    """A schedule may have an empty state."""
    empty = Loaded(1.0)
    empty.state = dict  # type: ignore[method-assign]
    empty.load = lambda state: None  # type: ignore[method-assign]
    nn.save(tmp_path / "run.npz", schedule=empty)
    nn.resume(tmp_path / "run.npz", schedule=empty)
    with pytest.raises(ValueError, match="has no other, only schedule"):
        nn.resume(tmp_path / "run.npz", other=empty)


@pytest.mark.parametrize("name", ["none/run.npz", "folder"])
def test_paths_that_cannot_be_read_or_written(name: str, tmp_path: Path) -> None:
    """One sentence that names the file, of the system's kind of error."""
    (tmp_path / "folder").mkdir()
    path, part = tmp_path / name, Loaded(1.0)
    for verb, call in (("write", nn.save), ("read", nn.resume)):
        with pytest.raises(OSError, match=rf"^cannot {verb} {re.escape(str(path))}: ") as caught:
            call(path, x=part)
        assert type(caught.value) in (FileNotFoundError, IsADirectoryError)
    with pytest.raises(ValueError, match="null character"):
        nn.save("a\0b", x=part)


def test_what_a_file_holds_is_a_table(saved: tuple[Path, Run]) -> None:
    """Kind, versions, parts, and the type and shape of each array."""
    found = nn.contents(saved[0])
    head, *lines = str(found).splitlines()
    assert re.fullmatch(r"run, version 1, written by autodiff \S+, numpy \S+, python \S+", head)
    assert lines[:3] == ["model (Network)", "  W(1)  float64 (2, 2)", "  b(1)  float64 (2,)"]
    assert lines[5:7] == ["own (Loaded)", "  number  float64 ()"]
    with pytest.raises(ValueError, match=r"^there is no part 'x'; the parts are model, own, random, other, last$"):
        found.state("x")


def test_an_error_with_more_arguments_is_explained_too(tmp_path: Path) -> None:
    """Such as that of json, which is a ValueError."""

    class Part:
        def state(self) -> dict[str, Any]:
            return {"text": np.array("{")}

        def load(self, state: Any) -> None:
            raise NotImplementedError

        def load_changes(self, state: Any) -> list[Any]:
            return [json.loads(str(state["text"]))]

    with pytest.raises(ValueError, match="part cannot be saved, because it could not be resumed: Expecting property"):
        nn.save(tmp_path / "run.npz", part=Part())
