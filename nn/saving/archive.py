"""Arrays by name as the bytes of an ``.npz`` file with a checksum, and back; nothing is pickled, nothing is run."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Mapping
from hashlib import sha256
from io import BytesIO
from tokenize import TokenError
from typing import Any, Final

import numpy as np

from autodiff.primitives.operands import describe

__all__ = ["CHECKSUM", "Arrays", "check", "decoded", "encoded"]

Arrays = dict[str, np.ndarray[Any, Any]]

#: The entry that holds the SHA-256 of all others.
CHECKSUM: Final = "checksum"
_START: Final = b"PK\x03\x04"
_ENDING: Final = ".npy"
_KINDS: Final = "biufU"  # bool, integers, floats, str
_WIDEST: Final = 8  # bytes: longer floats differ from machine to machine
#: What zipfile and NumPy raise for bytes that are wrong; not Exception, since that of a timer says nothing about them.
_DAMAGE: Final = (
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, RuntimeError, TokenError, TypeError,
    ValueError, Warning, struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
_LONGEST: Final = 1000  # characters of a key


def encoded(arrays: Mapping[str, Any]) -> memoryview:
    """The bytes of the file, which ``numpy.load(path, allow_pickle=False)`` reads; equal arrays give equal bytes.

    Raises:
        TypeError: if one is not an array of numbers, bools or strings; the message names it.
        ValueError: if a key cannot be the name of an entry.

    >>> sorted(np.load(BytesIO(encoded({"rate": np.array(0.1)}))))
    ['checksum', 'rate']
    """
    checked = {_key(key): _plain(key, array) for key, array in arrays.items()}
    file = BytesIO()
    archive = zipfile.ZipFile(file, "w")
    try:
        for key, array in {**checked, CHECKSUM: np.array(_checksum(checked))}.items():
            entry = zipfile.ZipInfo(key + _ENDING)  # with a constant date
            entry.create_system = 3
            content = BytesIO()
            np.lib.format.write_array(content, array, version=(1, 0), allow_pickle=False)
            archive.writestr(entry, content.getbuffer())
        archive.close()
    except BaseException:
        archive.fp = None  # or closing an entry that Ctrl-C left open would raise a ValueError instead
        raise
    return file.getbuffer()


def decoded(data: bytes) -> Arrays:
    """The arrays of such a file, bit for bit, with the checksum among them, which `check` compares.

    Raises:
        ValueError: if the data are no such file; the message is a clause, such as "it is empty".

    >>> sorted(decoded(bytes(encoded({"rate": np.array(0.1)}))))
    ['checksum', 'rate']
    """
    if not data:
        raise ValueError("it is empty")
    if not data.startswith(_START):
        raise ValueError("it does not start as a zip file does")
    try:
        return _entries(data)
    except _DAMAGE as error:
        raise ValueError(str(error) or type(error).__name__) from error


def check(arrays: Arrays) -> Arrays:
    """The arrays without their checksum, which was found to be right.

    Raises:
        ValueError: if it is not.

    >>> check(decoded(bytes(encoded({"rate": np.array(0.1)}))))
    {'rate': array(0.1)}
    """
    rest = {key: array for key, array in arrays.items() if key != CHECKSUM}
    if arrays[CHECKSUM].tolist() != _checksum(rest):
        raise ValueError("its checksum does not fit its contents")
    return rest


def _key(key: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key must be a string, and got {describe(key)}")
    if not key.isprintable() or not 0 < len(key) <= _LONGEST or "\\" in key or key == CHECKSUM:
        raise ValueError(
            f"a key must consist of 1 to {_LONGEST} printable characters other than a backslash, "
            f"and got {key[:_LONGEST]!r}"
        )
    return key


def _plain(key: str, item: Any) -> np.ndarray[Any, Any]:
    array = np.asarray(item) if isinstance(item, np.ndarray | np.generic | int | float | str) else np.array(None)
    wide = array.dtype.kind == "f" and array.dtype.itemsize > _WIDEST
    if array.dtype.kind not in _KINDS or wide or isinstance(item, np.ma.MaskedArray):
        raise TypeError(f"{key} must be an array of numbers, bools or strings to be saved, and got {describe(item)}")
    return array


def _checksum(arrays: Mapping[str, np.ndarray[Any, Any]]) -> str:
    """SHA-256 over names, dtypes, shapes and bytes, in the order of the names."""
    digest = sha256()
    for key in sorted(arrays):
        array = np.ascontiguousarray(arrays[key])
        digest.update(json.dumps([key, array.dtype.str, arrays[key].shape]).encode())
        digest.update(array.reshape(-1).view(np.uint8).data if array.nbytes else b"")
    return digest.hexdigest()


def _entries(data: bytes) -> Arrays:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        entries = archive.infolist()
        names = {entry.filename for entry in entries}
        if CHECKSUM + _ENDING not in names:
            raise ValueError("it has no checksum")
        if len(names) < len(entries):
            raise ValueError("two entries have the same name")
        return {entry.filename.removesuffix(_ENDING): _array(archive, entry) for entry in entries}


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray[Any, Any]:
    """One entry; no array is made that is larger than its data, whatever its header says."""
    if entry.compress_type != zipfile.ZIP_STORED or not entry.filename.endswith(_ENDING):
        raise ValueError(f"its entry {entry.filename!r} is not an uncompressed array")
    file = BytesIO(archive.read(entry))
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError(f"its entry {entry.filename!r} has an unknown format")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    content = file.read()
    if dtype.kind not in _KINDS or len(content) != dtype.itemsize * int(np.prod(shape, dtype=object)):
        raise ValueError(f"its entry {entry.filename!r} does not have the size of its array")
    return np.ndarray(shape, dtype, content, order="F" if fortran else "C").copy(order="K")
