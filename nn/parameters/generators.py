"""NumPy's random generators as parts of a run: their states as text, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Change, commit
from autodiff.primitives.operands import describe

__all__ = [
    "SEED", "commit_with_generators", "generator", "generator_changes", "generator_state", "made_generator", "noted",
    "put_back",
]  # fmt: skip

Noted = list[tuple[Any, tuple[Any, Any]]]

#: The seed of the default generator, so that the same program gives the same network.
SEED: Final = 0

_KEY: Final = "state"
#: NumPy's bit generators, whose states are dicts of whole numbers and arrays of them.
_KINDS: Final = {
    kind.__name__: kind
    for kind in (np.random.MT19937, np.random.PCG64, np.random.PCG64DXSM, np.random.Philox, np.random.SFC64)
}
#: The largest places in a generator's own memory, at which it reads without a check of its own.
_MOST: Final = {"pos": 624, "buffer_pos": 4, "has_uint32": 1}
_LARGEST_POOL: Final = 1024  # words; NumPy's default is 4, and its time grows with the square

#: One call that runs no Python code, so that `commit` can make it.
_set_both: Final = vars(np.random.BitGenerator)["__setstate__"]


def generator(random: np.random.Generator | None) -> np.random.Generator:
    """``random`` itself, or a new generator with `SEED` if it is None.

    Raises:
        TypeError: if ``random`` is anything else, such as a seed.

    >>> float(generator(None).random()) == float(np.random.default_rng(SEED).random())
    True
    """
    if random is None:
        return np.random.default_rng(SEED)
    if not isinstance(random, np.random.Generator):
        raise TypeError(
            f"random must be a NumPy generator, such as numpy.random.default_rng(0), and got {describe(random)}"
        )
    return random


def generator_state(random: np.random.Generator) -> dict[str, np.ndarray[Any, Any]]:
    """The state of the bit generator and the seeds that ``spawn`` goes on from, as JSON in a 0-d array of str.

    Raises:
        TypeError: if the bit generator is not one of NumPy's.

    >>> str(generator_state(np.random.Generator(np.random.SFC64(1)))["state"])[:26]
    '{"bit_generator": "SFC64",'
    """
    source = _known(random)
    seeds = source.seed_seq
    spawning = seeds.state if type(seeds) is np.random.SeedSequence else None
    return {_KEY: np.array(json.dumps({**dict(source.state), "seeds": spawning}, default=_as_lists))}


def made_generator(state: Mapping[str, Any]) -> np.random.Generator:
    """A new generator of the kind of a saved state, in that state.

    Raises:
        ValueError: if it is not the state of a generator.

    >>> random = made_generator(generator_state(np.random.default_rng(0)))
    >>> float(random.random()) == float(np.random.default_rng(0).random())
    True
    """
    try:
        kind = _KINDS[json.loads(_text(state[_KEY]))["bit_generator"]]
    except (KeyError, TypeError, ValueError, RecursionError):
        raise ValueError("the state to load is not that of a generator; nothing was loaded") from None
    random = np.random.Generator(kind(0))
    commit_with_generators(generator_changes(random, state))
    return random


def commit_with_generators(changes: Iterable[Change]) -> None:
    """`autodiff.engine.graph.commit`, for changes that may be of generators: all of them, or none under Ctrl-C.

    NumPy divides long whole numbers before it sets a state, and Python handles signals in such divisions. So generators
    come first, before anything else has changed, and get their old states back if an exception comes in there.

    >>> random = np.random.default_rng(0)
    >>> commit_with_generators(generator_changes(random, generator_state(np.random.default_rng(1))))
    >>> float(random.random()) == float(np.random.default_rng(1).random())
    True
    """
    every = list(changes)
    ours = [change for change in every if change[0] is _set_both]
    before = _noted(source for change in ours for source in change[1])
    done: list[bool] = []
    try:
        commit(*ours, *(change for change in every if change[0] is not _set_both), (done.append, (True,)))
    except BaseException:
        if not done:
            put_back(before)
        raise


def noted(generators: Iterable[np.random.Generator]) -> Noted:
    """The states of those generators whose bit generators are NumPy's, in a moment, to be put back in this process.

    >>> random = np.random.default_rng(0)
    >>> before, first = noted([random]), float(random.random())
    >>> put_back(before)
    >>> float(random.random()) == first
    True
    """
    return _noted(each.bit_generator for each in generators if type(each.bit_generator) in _KINDS.values())


def _noted(sources: Iterable[Any]) -> Noted:
    return [(source, (source.state, source.seed_seq)) for source in sources]


def put_back(before: Noted) -> None:
    """Give generators the states of `noted`."""
    for source, both in before:
        _set_both(source, both)


def generator_changes(random: np.random.Generator, state: Mapping[str, Any]) -> tuple[Change, ...]:
    """The changes that give a generator the saved state, checked on another generator of its kind.

    Raises:
        TypeError: if the bit generator is not one of NumPy's.
        ValueError: if the state is that of another kind of bit generator, or no state at all.
    """
    kind = type(_known(random))
    try:
        (text,) = (state[key] for key in {*state, _KEY})
        saved = json.loads(_text(text))
        name, spawning = saved["bit_generator"], saved.pop("seeds", None)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise ValueError("the state to load is not that of a generator; nothing was loaded") from None
    if str(name) != kind.__name__:
        raise ValueError(
            f"the state to load is that of a generator of kind {name!r}, and the generator is a {kind.__name__}; "
            f"make it by numpy.random.Generator(numpy.random.{name}())"
            if str(name) in _KINDS
            else f"the state to load is that of a generator of kind {name!r}, which is not one of NumPy's"
        )
    trial = kind(0)
    try:
        wanted = _like(trial.state, saved)
        seeds = random.bit_generator.seed_seq if spawning is None else np.random.SeedSequence(**_seeds(spawning))
        _set_both(trial, (wanted, seeds))
        right = _as_text(trial.state) == _as_text(wanted)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise ValueError(f"the state to load is not that of a {name} generator: {error}; nothing was loaded") from error
    if not right:
        raise ValueError(f"the state to load holds numbers that a {name} generator cannot have; nothing was loaded")
    return ((_set_both, (random.bit_generator,), ((wanted, seeds),)),)


def _known(random: np.random.Generator) -> Any:
    source = random.bit_generator
    if type(source) not in _KINDS.values():
        raise TypeError(
            f"only NumPy's own bit generators ({', '.join(_KINDS)}) can be saved, and got a {type(source).__name__}"
        )
    return source


def _text(array: Any) -> Any:
    """The text in a 0-d array; `str` of an array that an interrupt once left gives "..." from then on."""
    return np.asarray(array).tolist()


def _as_lists(item: Any) -> Any:
    return item.tolist()


def _as_text(state: Mapping[str, Any]) -> str:
    return json.dumps(dict(state), default=_as_lists)


def _like(template: Any, saved: Any, name: str = "") -> Any:
    """``saved`` with arrays where the template has them, if it consists of the same whole numbers otherwise."""
    if isinstance(template, Mapping):
        if not isinstance(saved, Mapping) or saved.keys() != template.keys():
            raise ValueError(f"it must consist of {', '.join(template)}")
        return {key: _like(part, saved[key], key) for key, part in template.items()}
    if isinstance(template, np.ndarray):
        if not isinstance(saved, list) or len(saved) != len(template) or any(type(each) is not int for each in saved):
            raise ValueError(f"its {name} must be {len(template)} whole numbers")
        return np.array(saved, dtype=template.dtype)
    if type(saved) is not type(template) or (isinstance(saved, int) and not 0 <= saved <= _MOST.get(name, saved)):
        raise ValueError(f"its {name} is wrong")
    return saved


def _seeds(spawning: Mapping[str, Any]) -> dict[str, Any]:
    if spawning["pool_size"] > _LARGEST_POOL:
        raise ValueError(f"its pool of seeds must not be larger than {_LARGEST_POOL}")
    return dict(spawning)
