"""`save` and `resume`: all parts of a run in one file, and back into fresh objects, all or none."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autodiff.engine.graph import Change
from autodiff.primitives.operands import describe
from nn.parameters.generators import commit_with_generators, generator_changes, generator_state
from nn.saving.file import contents, write

__all__ = ["resume", "save"]


def save(path: str | os.PathLike[str], /, **parts: Any) -> None:
    """Write the states of all parts of a run as one ``.npz`` file; an older one is replaced completely or not at all.

    Args:
        path: the file. After a kill, a full disk or a power failure it is the old or the new one, whole.
        parts: objects with ``state()`` and ``load(state)``, such as nets and optimisers, and NumPy's random generators,
            under names of your choice, to which `resume` refers.

    A state is a dict of arrays of numbers, bools or strings; their bits are kept. Where a part can check a state
    without loading it (``load_changes(state)``), a state that `resume` would refuse, with a weight of nan for example,
    is not written, and the last good file stays. Of two writers at once, the last to finish wins.

    Raises:
        TypeError: if a part has no state, or its state holds anything else; the message names it.
        ValueError: if there is no part, a name or key cannot be written, or a state could not be loaded again.
        OSError: if the file cannot be written.

    >>> import os, tempfile
    >>> from nn import Layer
    >>> path = os.path.join(tempfile.mkdtemp(), "run.npz")
    >>> save(path, model=Layer(2, 1), random=np.random.default_rng(0))
    >>> random = np.random.default_rng(1)
    >>> resume(path, model=Layer(2, 1), random=random)
    >>> float(random.random()) == float(np.random.default_rng(0).random())
    True
    """
    if not parts:
        raise ValueError("there is nothing to save; name the parts of the run, as in save(path, model=net)")
    states = {name: _state(name, part) for name, part in parts.items()}
    for name, part in parts.items():
        if (changes_of := _load_changes(part)) is not None:
            _explained(f"{name} cannot be saved, because it could not be resumed", changes_of, states[name])
    write(path, "run", {name: (type(part).__name__, states[name]) for name, part in parts.items()})


def resume(path: str | os.PathLike[str], /, **parts: Any) -> None:
    """Load the states in a file of `save` into the same parts, made anew: all of them, or none if an error is raised.

    Args:
        path: the file.
        parts: the objects under the names that they were saved by.

    A resumed run is bit for bit the run that was never interrupted. "All or none" includes Ctrl-C: parts that return
    their changes without making them (``load_changes(state)``, as nets and optimisers do) are loaded in one step, and
    so are generators. A part that only has ``load`` is loaded before that step, and gets its old state back if anything
    fails.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if the file is damaged or of another kind, a part is missing in it or left over, or a state does not
            fit its part; the message names the part.
        TypeError: if a part cannot be loaded.
    """
    found = contents(path)
    _same_names(path, found.parts, parts)
    changes: list[Change] = []
    others: list[tuple[str, Any]] = []
    for name, part in parts.items():
        if (changes_of := _load_changes(part)) is not None:
            changes += _explained(f"{path}: {name}", changes_of, found.state(name))
        else:
            others.append((name, part))
    done: list[bool] = []
    changes.append((done.append, (True,)))
    before = [(part, _state(name, part)) for name, part in others]
    try:
        for name, part in others:
            _explained(f"{path}: {name}", part.load, found.state(name))
        commit_with_generators(changes)
    except BaseException:
        if not done:
            for part, state in before:
                part.load(state)
        raise


def _state(name: str, part: Any) -> dict[str, np.ndarray[Any, Any]]:
    if "/" in name:
        raise ValueError(f"the name of a part must not contain a slash, and got {name!r}")
    if isinstance(part, np.random.Generator):
        return dict(_explained(name, generator_state, part))
    if isinstance(part, type) or not all(callable(getattr(part, method, None)) for method in ("state", "load")):
        raise TypeError(
            f"a part of a run must have state() and load(), or be a numpy.random.Generator, and {name} is "
            f"{describe(part)}"
        )
    state = part.state()
    if not isinstance(state, Mapping):
        raise TypeError(f"the state() of {name} must be a dict of arrays, and it gave {describe(state)}")
    return dict(state)


def _load_changes(part: Any) -> Callable[[Mapping[str, Any]], Any] | None:
    """The function that returns the changes of loading a state into this part, if it has one."""
    if isinstance(part, np.random.Generator):
        return lambda state: generator_changes(part, state)
    load_changes = getattr(part, "load_changes", None)
    return load_changes if callable(load_changes) and not isinstance(part, type) else None


def _explained(where: str, call: Callable[[Any], Any], argument: Any) -> Any:
    """The result of a call, whose errors say where they came from."""
    try:
        return call(argument)
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError  # others, such as json's, take more arguments
        raise kind(f"{where}: {error}") from error


def _same_names(path: object, found: Mapping[str, str], parts: Mapping[str, Any]) -> None:
    missing = [name for name in parts if name not in found]
    left = [name for name in found if name not in parts]
    if missing:
        raise ValueError(f"{path} has no {', '.join(missing)}, only {', '.join(found)}; nothing was loaded")
    if left:
        raise ValueError(
            f"{path} also holds {', '.join(left)}; resume these parts as well, or load one part by its "
            f"load(nn.contents(path).state({next(iter(found))!r})); nothing was loaded"
        )
