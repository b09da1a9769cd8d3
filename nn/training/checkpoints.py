"""Checkpoints: the whole run in a file, again and again while it learns."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

from autodiff.primitives.operands import whole_number
from nn.saving.run import save
from nn.training.step import Step

__all__ = ["checkpoints"]


def checkpoints(
    stream: Iterable[Step], path: str | os.PathLike[str], /, *, every: int = 100, **parts: Any
) -> Iterator[Step]:
    """The same stream; the run is saved at every ``every``-th step, and when the stream ends.

    Args:
        stream: steps. Put this consumer around all others, so that what they keep of a step is saved with it. If the
            loop is left early, the last checkpoint stays.
        path: the file, which `resume` reads; the last good one stays until the next is whole.
        every: 1 saves at each step, 100 at steps 100, 200, …
        parts: all that the run needs to go on, as for `save`.

    Raises:
        TypeError, ValueError, OSError: as `save` does.

    >>> import tempfile
    >>> from nn import SGD, Network, resume
    >>> net, path = Network((1, 1)), os.path.join(tempfile.mkdtemp(), "run.npz")
    >>> for step in checkpoints([Step(1, 1, 0.5, 0.1, 2.0, 0.001)], path, model=net):
    ...     pass
    >>> resume(path, model=Network((1, 1)))
    """
    return _saved(stream, path, whole_number(every, "every", least=1), parts)


def _saved(stream: Iterable[Step], path: Any, every: int, parts: dict[str, Any]) -> Iterator[Step]:
    for step in stream:
        if step.number % every == 0:
            save(path, **parts)
        yield step
    save(path, **parts)  # also behind the last step saved: its end may have changed parts, as early stopping does
