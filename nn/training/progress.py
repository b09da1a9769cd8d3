"""A progress bar for a stream of steps."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

from autodiff.system.extras import install
from nn.training.step import Step

__all__ = ["progress"]


def progress(stream: Iterable[Step], *, total: int | None = None) -> Iterator[Step]:
    """The same stream, with a bar on the terminal that shows J and its measures; silent where there is no terminal.

    Args:
        stream: steps, as from `fit`.
        total: how many steps are expected; without it the bar counts them.

    Raises:
        ImportError: if there is a terminal and tqdm, of the extra "demos", is not installed.

    >>> [step.J for step in progress([Step(1, 1, 0.5, 0.1, 2.0, 0.001)])]
    [0.5]
    """
    if not sys.stderr.isatty():
        return iter(stream)
    try:
        bars = import_module("tqdm")
    except ImportError as error:
        raise ImportError(f"a progress bar needs tqdm: {install('demos')}") from error
    return _shown(stream, bars.tqdm(total=total, unit="step", dynamic_ncols=True))


def _shown(stream: Iterable[Step], bar: Any) -> Iterator[Step]:
    with bar:
        for step in stream:
            bar.set_postfix({"J": f"{step.J:.4g}", **{key: f"{each:.4g}" for key, each in step.measures.items()}})
            bar.update()
            yield step
