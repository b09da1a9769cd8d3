"""``python -m tests.nn.saving.old_files``: write the files of today, of which the tests keep copies that never change.

A new version adds files with its number; those of older versions stay as they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

import nn
from nn.saving.file import VERSION
from tests.nn.saving.parts import Loaded

__all__ = ["FILES", "network", "random"]

FILES: Final = Path(__file__).parent / "files"


def network(**options: Any) -> nn.Network:
    """A network with numbers that no file and no generator is needed for."""
    net = nn.Network((3, 2, 1), activation="tanh", **options)
    net.load({key: np.arange(array.size).reshape(array.shape) / 8 - 0.25 for key, array in net.state().items()})
    return net


def random() -> np.random.Generator:
    """A generator in the middle of a 64-bit number, with a child."""
    made = np.random.default_rng(2026)
    made.integers(9, dtype=np.uint32)
    made.spawn(1)
    return made


def main() -> None:
    """Write one run and one net."""
    FILES.mkdir(exist_ok=True)
    nn.save(FILES / f"run_{VERSION}.npz", model=network(), random=random(), number=Loaded(0.1))
    network(scalar=True).save(FILES / f"net_{VERSION}.npz")


if __name__ == "__main__":
    main()
