"""The one file of a run or a net: the states of its parts, what kind of file it is, and what wrote it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

import autodiff
from autodiff.system.files import as_path, read_file, write_file
from nn.saving.archive import Arrays, check, decoded, encoded

__all__ = ["VERSION", "Contents", "contents", "write"]

#: The version of the format, which goes up when a file can no longer be read by the code of today.
VERSION: Final = 1
_ABOUT: Final = "about"
_FIELDS: Final = {"kind": str, "version": int, "written_by": dict, "parts": dict, "extra": object}


@dataclass(frozen=True, eq=False)
class Contents:
    """What a file holds.

    ``kind`` is "run" or "net", ``version`` that of the format; ``written_by`` gives the versions of autodiff, numpy and
    python, ``parts`` the class of each part, ``arrays`` all arrays under "part/key", and ``extra`` what the kind adds.
    Printed, it is a table of the arrays.

    >>> print(Contents("run", 1, {"numpy": "2.0.0"}, {"optimizer": "SGD"}, {"optimizer/rate": np.array(0.1)}))
    run, version 1, written by numpy 2.0.0
    optimizer (SGD)
      rate  float64 ()
    """

    kind: str
    version: int
    written_by: dict[str, str]
    parts: dict[str, str]
    arrays: Arrays
    extra: Any = None

    def state(self, part: str) -> Arrays:
        """The state of one part, for its ``load``.

        Raises:
            ValueError: if there is no such part; the message lists those that exist.

        >>> Contents("run", 1, {}, {"optimizer": "SGD"}, {"optimizer/rate": np.array(0.1)}).state("optimizer")
        {'rate': array(0.1)}
        """
        if part not in self.parts:
            raise ValueError(f"there is no part {part!r}; the parts are {', '.join(self.parts)}")
        start = f"{part}/"
        return {key.removeprefix(start): array for key, array in self.arrays.items() if key.startswith(start)}

    def __str__(self) -> str:
        by = ", ".join(f"{name} {version}" for name, version in self.written_by.items())
        lines = [f"{self.kind}, version {self.version}, written by {by}"]
        for part, name in self.parts.items():
            state = self.state(part)
            width = max(map(len, state), default=0)
            lines.append(f"{part} ({name})")
            lines += [f"  {key:{width}}  {array.dtype} {array.shape}" for key, array in state.items()]
        return "\n".join(lines)


def write(
    path: str | os.PathLike[str], kind: str, parts: Mapping[str, tuple[str, Mapping[str, Any]]], extra: Any = None
) -> None:
    """Write the states of parts, each with the name of its class, as one file, completely or not at all.

    Raises:
        TypeError, ValueError: if a key or an array cannot be saved.
        OSError: if the file cannot be written.
    """
    target = as_path(path)
    about = {
        "kind": kind,
        "version": VERSION,
        "written_by": {
            "autodiff": autodiff.__version__, "numpy": np.__version__, "python": platform.python_version(),
        },
        "parts": {part: name for part, (name, _) in parts.items()},
        "extra": extra,
    }  # fmt: skip
    arrays = {f"{part}/{key}": array for part, (_, state) in parts.items() for key, array in state.items()}
    write_file(target, encoded({_ABOUT: np.array(json.dumps(about)), **arrays}), durable=True)


def contents(path: str | os.PathLike[str]) -> Contents:
    """What a file that `nn.save` or ``net.save`` wrote holds, checked by its checksum.

    Raises:
        OSError: if there is no such file, or it cannot be read.
        ValueError: if it is another kind of file, or damaged, or written by a later version of autodiff.
    """
    source = as_path(path)
    data = read_file(source)
    try:
        arrays = decoded(data)
        about = _about(arrays)
    except ValueError as error:
        raise _unreadable(source, error) from error
    if about["version"] > VERSION:
        writer = about["written_by"].get("autodiff")
        raise ValueError(
            f"{source} is of version {about['version']}, written by autodiff {writer}, and this autodiff reads up to "
            f"version {VERSION}; update autodiff"
        )
    try:
        arrays = check(arrays)
    except ValueError as error:
        raise _unreadable(source, error) from error
    del arrays[_ABOUT]
    return Contents(arrays=arrays, **{field: about[field] for field in _FIELDS})


def _about(arrays: Arrays) -> dict[str, Any]:
    """What the file says about itself; fields of later versions are left out."""
    try:
        about = json.loads(str(arrays[_ABOUT].tolist()))
        known = all(isinstance(about[field], kind) for field, kind in _FIELDS.items())
    except (KeyError, TypeError, ValueError, RecursionError):
        known = False
    if not known:
        raise ValueError("it does not say what it is")
    return dict(about)


def _unreadable(source: Path, error: ValueError) -> ValueError:
    return ValueError(f"{source} is not a whole file of nn.save or of a net's save: {error}")
