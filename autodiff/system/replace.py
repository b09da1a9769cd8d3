"""A file is replaced as a whole or not at all: under errors, Ctrl-C and kills.

What is new is written to a file without a name, where the system has such (Linux, on most file systems): if the process
is killed meanwhile, nothing remains of it. For the moment between two system calls in which it takes the old file's
place it is called ``.autodiff-`` and sixteen hexadecimal digits; elsewhere it is called so while it is written. Only a
killed process leaves a file of such a name behind, and nothing reads it again: it may be deleted.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from typing import Final

__all__ = ["replace"]

_OPEN_FILES: Final = "/proc/self/fd"


def replace(target: Path, data: bytes) -> None:
    """Make ``data`` the content of a file, through symbolic links; a pipe or device is written to, as by `open`.

    A file that is there keeps its permissions, and its owner as far as the system allows; another name of it (a hard
    link) keeps the old content. A new file has the permissions that the umask leaves.

    Raises:
        OSError: as `open` for writing does, a file that may not be written included, or the system's error in between;
        then everything is as it was.
    """
    old = _status(target)
    if old is not None and not S_ISREG(old.st_mode):
        target.write_bytes(data)
        return
    if old is not None:
        os.close(os.open(target, os.O_WRONLY))  # one that may not be written is not replaced either
    place = Path(os.path.realpath(target))
    # its own name may be as long as a name can be, so none is made of it
    hidden = place.with_name(f".autodiff-{os.urandom(8).hex()}")
    try:
        with os.fdopen(_opened(hidden), "wb") as file:
            file.write(data)
            file.flush()
            if old is not None:
                _make_like(file.fileno(), old)
            if not os.fstat(file.fileno()).st_nlink:
                _give_name(file.fileno(), hidden)
        os.replace(hidden, place)
    except BaseException:
        hidden.unlink(missing_ok=True)
        raise


def _status(target: Path) -> os.stat_result | None:
    try:
        return target.stat()
    except FileNotFoundError:
        return None


def _opened(hidden: Path) -> int:
    """A new file: without a name where there can be one, and where it can be given a name later."""
    if hasattr(os, "O_TMPFILE") and os.path.isdir(_OPEN_FILES):
        with suppress(OSError):  # not every file system can
            return os.open(hidden.parent, os.O_TMPFILE | os.O_WRONLY, 0o666)
    return os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)


def _give_name(handle: int, name: Path) -> None:
    folder = os.open(name.parent, os.O_RDONLY)
    try:
        # a folder must be given: else Python calls link(2), which links to /proc's own entry
        os.link(f"{_OPEN_FILES}/{handle}", name.name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        os.close(folder)


def _make_like(handle: int, old: os.stat_result) -> None:
    """The owner, where that is allowed, and the permissions of the file that is replaced."""
    if hasattr(os, "fchmod"):  # elsewhere a file that may be written has no permissions to keep
        with suppress(OSError):
            os.fchown(handle, old.st_uid, old.st_gid)
        os.fchmod(handle, old.st_mode & 0o777)
