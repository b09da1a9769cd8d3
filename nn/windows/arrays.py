"""An .npz archive of word ids, labels and word vectors, as sentences."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import numpy as np

from nn.windows.tokens import Sentence, Token, plain_tag

__all__ = ["PARTS", "read_arrays"]

PARTS: Final = ("train", "dev", "test")
Vectors = dict[str, np.ndarray[Any, Any]]


def read_arrays(path: Path, name: str | None, texts: Sequence[str] | None) -> tuple[dict[str, list[Sentence]], Vectors]:
    """The sentences of each part, and the word vectors, scaled to a standard deviation of 1.

    The archive holds word ids NAME_train_w, labels NAME_train_y (0: outside, 1: place, 2: other), sentence numbers _s
    and letter kinds _shape, likewise for dev and test, and the vectors E, one in a row.

    Args:
        path: the archive.
        name: the corpus to read, if there are several; the first if None.
        texts: the words by id; "word 7" and so on if None.

    Raises:
        ValueError: if arrays are missing or do not fit each other. OSError: if the file cannot be read.
    """
    try:
        with np.load(path) as archive:
            arrays = dict(archive)
    except (ValueError, TypeError, RuntimeError, MemoryError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is not an .npz archive of plain arrays ({error})") from error
    names = [key.removesuffix("_train_w") for key in arrays if key.endswith("_train_w")]
    if not names or (name is not None and name not in names):
        asked = "" if name is None else f" named {name!r}"
        held = ", ".join(arrays)
        raise ValueError(f"{path} contains no corpus{asked}, that is, no array NAME_train_w; its arrays are {held}")
    vectors = _column(arrays, "E", path)
    if vectors.ndim != 2 or vectors.dtype.kind != "f" or not vectors.size:
        raise ValueError(f"{path}: E must hold one word vector per row, and got {vectors.dtype} {vectors.shape}")
    if not np.isfinite(vectors).all():
        raise ValueError(f"{path}: E must be finite, and holds nan or inf")
    texts = [f"word {k}" for k in range(len(vectors))] if texts is None else texts
    columns = {part: _columns(arrays, f"{name or names[0]}_{part}", path) for part in PARTS}
    ids = [found[1] for found in columns.values()]
    if max(part.max(initial=0) for part in ids) >= min(len(vectors), len(texts)):
        raise ValueError(f"{path} contains word ids beyond its {len(vectors)} vectors and {len(texts)} words")
    if min(part.min(initial=0) for part in ids) < 0:
        raise ValueError(f"{path} contains word ids below 0")
    parts = {part: list(_from_arrays(found, texts)) for part, found in columns.items()}
    scaled = vectors.astype(float) / (vectors.astype(float).std() or 1.0)
    return parts, dict(zip(texts, scaled, strict=False))


def _columns(arrays: Mapping[str, Any], name: str, path: Path) -> list[np.ndarray[Any, Any]]:
    """Sentence numbers, word ids, letter kinds and labels of one part, all of one length."""
    found = [_column(arrays, f"{name}_{kind}", path) for kind in ("s", "w", "shape", "y")]
    if any(column.dtype.kind not in "iu" or column.shape != (len(found[0]),) for column in found):
        came = ", ".join(f"{column.dtype} {column.shape}" for column in found)
        raise ValueError(
            f"{path}: {name}_s, _w, _shape and _y must be lists of whole numbers of one length, and got {came}"
        )
    return found


def _column(arrays: Mapping[str, Any], key: str, path: Path) -> np.ndarray[Any, Any]:
    if key not in arrays:
        raise ValueError(f"{path} contains no array {key}; its arrays are {', '.join(arrays)}")
    found: np.ndarray[Any, Any] = np.atleast_1d(arrays[key])
    return found


def _from_arrays(columns: Sequence[np.ndarray[Any, Any]], texts: Sequence[str]) -> Iterator[Sentence]:
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for _, group in groupby(rows, key=lambda row: row[0]):
        yield [Token(texts[w], texts[w], f"<shape {shape}>", plain_tag(str(y))) for _, w, shape, y in group]
