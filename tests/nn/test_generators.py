"""NumPy's generators as parts of a run: each kind goes on bit for bit, and no file gives one a state it cannot have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from nn.parameters.generators import commit_with_generators, generator_changes, generator_state
from tests.nn.saving.parts import Changing

KINDS = [np.random.MT19937, np.random.PCG64, np.random.PCG64DXSM, np.random.Philox, np.random.SFC64]
kinds = pytest.mark.parametrize("kind", KINDS)


def drawn(random: np.random.Generator) -> list[Any]:
    """Numbers of several kinds, and those of a child."""
    return [
        random.random(3).tolist(), random.integers(9, size=3, dtype=np.uint32).tolist(), random.permutation(5).tolist(),
        random.normal(size=2).tolist(), random.spawn(1)[0].random(),
    ]  # fmt: skip


@kinds
def test_a_generator_goes_on_from_its_file(kind: type[Any], tmp_path: Path) -> None:
    """In the middle of its buffers, and with the next child; another seed before makes no difference."""
    random = np.random.Generator(kind(3))
    drawn(random)
    random.integers(9, dtype=np.uint32)  # half of 64 bits is left
    nn.save(tmp_path / "run.npz", random=random)
    other = np.random.Generator(kind(4))
    nn.resume(tmp_path / "run.npz", random=other)
    assert drawn(other) == drawn(random)


def test_seeds_from_the_system_and_children_of_children() -> None:
    """Whatever the seeds were made of, the children that follow are those that would have followed."""
    entropies: list[Any] = [None, [1, 2**40], np.arange(3)]
    for random in [*map(np.random.default_rng, entropies), np.random.default_rng(1).spawn(3)[2].spawn(2)[1]]:
        other = np.random.default_rng(0)
        for function, *arguments in generator_changes(other, generator_state(random)):
            list(map(function, *arguments))
        assert drawn(other) == drawn(random)


def test_another_kind_of_generator_is_refused(tmp_path: Path) -> None:
    """The sentence says how to make the one in the file; nothing is loaded, not even the part before it."""
    path, before = tmp_path / "run.npz", Changing(0.0)
    nn.save(path, a=Changing(0.5), random=np.random.Generator(np.random.MT19937(0)))
    random = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"random: .* make it by numpy\.random\.Generator\(numpy\.random\.MT19937"):
        nn.resume(path, a=before, random=random)
    assert before.number == 0.0
    assert drawn(random) == drawn(np.random.default_rng(0))


def test_bit_generators_of_others_are_refused() -> None:
    """Nothing says that their state is all there is to them."""

    class Mine(np.random.PCG64):
        pass

    with pytest.raises(TypeError, match=r"only NumPy's own bit generators .* got a Mine$"):
        generator_state(np.random.Generator(Mine(0)))


def altered(random: np.random.Generator, *keys: str, to: Any) -> dict[str, Any]:
    """A state with one number changed."""
    data = place = json.loads(str(generator_state(random)["state"]))
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = to
    return {"state": np.array(json.dumps(data))}


HOSTILE: list[tuple[type[Any], list[str], Any]] = [
    (np.random.MT19937, ["state", "pos"], 625),
    (np.random.MT19937, ["state", "pos"], -1),
    (np.random.MT19937, ["state", "key"], [1]),
    (np.random.MT19937, ["state", "key"], [2**32] * 624),
    (np.random.MT19937, ["state", "key"], [0.5] * 624),
    (np.random.Philox, ["buffer_pos"], 5),
    (np.random.Philox, ["buffer_pos"], -1),
    (np.random.Philox, ["buffer"], "four"),
    (np.random.PCG64, ["state"], []),
    (np.random.PCG64, ["state", "inc"], 2**128),
    (np.random.PCG64, ["state", "inc"], True),
    (np.random.PCG64, ["has_uint32"], 2),
    (np.random.PCG64, ["uinteger"], 2**40),
    (np.random.PCG64, ["bit_generator"], "os"),
    (np.random.PCG64, ["bit_generator"], ["os"]),
    (np.random.PCG64, ["seeds"], 3),
    (np.random.PCG64, ["seeds", "pool_size"], 10**9),
    (np.random.PCG64, ["seeds", "pool_size"], "4"),
    (np.random.PCG64, ["seeds", "entropy"], {"a": 1}),
    (np.random.PCG64, ["seeds", "n_children_spawned"], "x"),
    (np.random.SFC64, ["state", "state"], [-1] * 4),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "keys", "to"), HOSTILE)
def test_a_state_that_a_generator_cannot_have_is_refused(kind: type[Any], keys: list[str], to: Any) -> None:
    """A place beyond its own memory would be read without a check."""
    random = np.random.Generator(kind(0))
    with pytest.raises(ValueError, match=r"the state to load "):
        generator_changes(random, altered(random, *keys, to=to))


@pytest.mark.parametrize("state", [{}, {"state": np.array("[")}, {"state": np.array("3")}, {"x": np.array(1)}])
def test_what_is_no_state_is_refused(state: dict[str, Any]) -> None:
    """Missing, unknown and unreadable alike."""
    with pytest.raises(ValueError, match=r"^the state to load is not that of a generator"):
        generator_changes(np.random.default_rng(0), state)


def test_generators_and_what_is_loaded_with_them_change_together() -> None:
    """An exception while one generator is set, as a signal handler may raise there, leaves all as they were."""
    one, other, names = np.random.default_rng(1), np.random.default_rng(2), {"x": 1.0}
    before = one.bit_generator.state, other.bit_generator.state
    (good,) = generator_changes(one, generator_state(np.random.default_rng(3)))
    bad = (good[0], (other.bit_generator,), (({"bit_generator": "PCG64"}, None),))
    with pytest.raises((KeyError, ValueError)):
        commit_with_generators([(names.__setitem__, ("x",), (2.0,)), good, bad])
    assert (one.bit_generator.state, other.bit_generator.state) == before
    assert names == {"x": 1.0}
