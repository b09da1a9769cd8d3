"""Hidden files while they are written, and what killed processes left of them.

A writer locks its hidden file until it is done; the lock of a killed process is gone, and so its file is known.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from time import time
from typing import Final

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["delete_leftovers", "hidden_name", "lock", "same_lock"]

_HIDDEN: Final = re.compile(r"\.autodiff-[0-9a-f]{16}")
_OLD: Final = 3600.0  # seconds; where there are no locks, a file that has not changed for that long is left


def hidden_name() -> str:
    """A new name for a file while it is written."""
    return f".autodiff-{os.urandom(8).hex()}"


def lock(handle: int) -> int:
    """Lock an open file until all its descriptors are closed, which tells others that its writer lives."""
    if fcntl is not None:
        with suppress(OSError):  # not every file system has locks
            fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


def same_lock(handle: int) -> int | None:
    """A second descriptor that keeps the lock of the first; None where there are no locks."""
    return None if fcntl is None else os.dup(handle)


def delete_leftovers(folder: Path) -> None:
    """Delete the hidden files of killed writers; those of living writers, and those we may not delete, stay."""
    with suppress(OSError), os.scandir(folder) as entries:
        for name in [entry.name for entry in entries if _HIDDEN.fullmatch(entry.name)]:
            with suppress(OSError):
                _delete_if_left(folder / name)


def _delete_if_left(path: Path) -> None:
    if fcntl is None:
        if time() - path.stat(follow_symlinks=False).st_mtime > _OLD:
            path.unlink()
        return
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    finally:
        os.close(handle)
