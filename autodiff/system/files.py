"""Files by their paths: names that the system cannot write, and failed reads and writes, as one sentence each."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from autodiff.system.replace import replace

__all__ = ["as_path", "read_file", "write_file"]


def as_path(path: str | os.PathLike[str]) -> Path:
    """The path of a file.

    Raises:
        TypeError: if it is neither a string nor a path.
        ValueError: if the name contains a null character or cannot be encoded.
    """
    target = Path(path)
    if "\0" in str(target):
        raise ValueError(f"a file name must not contain a null character, but got {str(target)!r}")
    try:
        os.fsencode(target)
    except UnicodeEncodeError:
        encoding = sys.getfilesystemencoding()
        raise ValueError(f"the file name {str(target)!a} cannot be encoded in {encoding}") from None
    return target


def write_file(target: Path, data: bytes | memoryview, *, durable: bool = False) -> None:
    """Replace a file completely or not at all (`autodiff.system.replace`).

    Raises:
        OSError: if the file cannot be written; the message is one sentence that names the file.
    """
    try:
        replace(target, data, durable=durable)
    except OSError as error:
        raise type(error)(f"cannot write {target}: {error.strerror or error}") from error


def read_file(source: Path) -> bytes:
    """The content of a file.

    Raises:
        OSError: if the file cannot be read; the message is one sentence that names the file.
    """
    try:
        return source.read_bytes()
    except OSError as error:
        raise type(error)(f"cannot read {source}: {error.strerror or error}") from error
