"""Replace a file completely or not at all, under errors, Ctrl-C and kills.

The new content is written to a file without a name if the system supports that (Linux, on most file systems); if the
process is killed in the meantime, nothing remains. Between the two system calls that put it in the place of the old
file, it is called ``.autodiff-`` followed by sixteen hexadecimal digits; on other systems it has such a name while it
is written. Only a killed process leaves a file of such a name behind; nothing reads it, and the next `replace` in that
folder deletes it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO, Final

from autodiff.system.leftovers import delete_leftovers, hidden_name, lock, same_lock

__all__ = ["replace"]

_OPEN_FILES: Final = "/proc/self/fd"


def replace(target: Path, data: bytes | memoryview, *, durable: bool = False) -> None:
    """Make ``data`` the content of a file, following symbolic links; a pipe or device is written to directly.

    If ``durable``, the content is on the disk before it replaces the old one, and the new name before this returns, so
    that a power failure, too, leaves one of the two. Of two writers at once, the last to finish wins.

    An existing file keeps its permissions, and its owner as far as the system allows; its other hard links keep the
    old content. A new file gets the permissions that the umask leaves.

    Raises:
        OSError: if the file cannot be opened for writing, or a system call fails; then nothing has changed.
    """
    old = _status(target)
    if old is not None and not S_ISREG(old.st_mode):
        target.write_bytes(data)
        return
    if old is not None:
        os.close(os.open(target, os.O_WRONLY))  # a file without write permission is not replaced either
    place = Path(os.path.realpath(target))
    # the target's name may have the maximal length, so the hidden name does not extend it
    hidden = place.with_name(hidden_name())
    delete_leftovers(place.parent)
    held = None
    try:
        with os.fdopen(_opened(hidden), "wb") as file:
            held = same_lock(file.fileno())  # until the file has its name, and closing it has raised no error
            _fill(file, data, old, durable=durable)
            if not os.fstat(file.fileno()).st_nlink:
                _give_name(file.fileno(), hidden)
        os.replace(hidden, place)
    except BaseException:
        hidden.unlink(missing_ok=True)
        raise
    finally:
        if held is not None:
            os.close(held)
    if durable:
        _keep_name(place.parent)


def _fill(file: BinaryIO, data: bytes | memoryview, old: os.stat_result | None, *, durable: bool) -> None:
    file.write(data)
    file.flush()
    if old is not None:
        _make_like(file.fileno(), old)
    if durable:
        os.fsync(file.fileno())


def _keep_name(folder: Path) -> None:
    """Wait until the entries of a folder are on the disk, where the system lets a folder be opened."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        with suppress(OSError):  # the file is in place, and some file systems sync no folders
            os.fsync(handle)
    finally:
        os.close(handle)


def _status(target: Path) -> os.stat_result | None:
    try:
        return target.stat()
    except FileNotFoundError:
        return None


def _opened(hidden: Path) -> int:
    """A new locked file, without a name if the system supports that and can give it a name later."""
    if hasattr(os, "O_TMPFILE") and os.path.isdir(_OPEN_FILES):
        with suppress(OSError):  # not every file system supports it
            return lock(os.open(hidden.parent, os.O_TMPFILE | os.O_WRONLY, 0o666))
    while True:
        handle = lock(os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666))
        if os.fstat(handle).st_nlink:
            return handle
        os.close(handle)  # another writer took it for a leftover in the moment before it was locked


def _give_name(handle: int, name: Path) -> None:
    folder = os.open(name.parent, os.O_RDONLY)
    try:
        # the folder is needed: without it Python calls link(2), which links to the entry in /proc
        os.link(f"{_OPEN_FILES}/{handle}", name.name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        os.close(folder)


def _make_like(handle: int, old: os.stat_result) -> None:
    """Copy the permissions of the replaced file, and its owner if allowed."""
    if hasattr(os, "fchmod"):  # on other systems a writable file has no permissions to keep
        with suppress(OSError):
            os.fchown(handle, old.st_uid, old.st_gid)
        os.fchmod(handle, old.st_mode & 0o777)
