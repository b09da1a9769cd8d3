"""A network from a .json or .npz file: its weights and biases, and optionally an input, all checked."""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from autodiff.words.notation import Name

__all__ = ["read_network"]

_KEY: Final = re.compile(r"([Wb])_?\(?([1-9][0-9]{0,3})\)?")



def read_network(path: Path) -> tuple[dict[str, Any], tuple[float, ...] | None]:
    """The weights and biases of a .json or .npz file under ``W(1)``, ``b(1)``, …, and its x, or None if it has none.

    Raises:
        ValueError: if the file cannot be read, contains anything but W1, b1, W2, b2, … and x, or shapes do not fit.
    """
    content = {key: _array(path, key, block) for key, block in _content(path).items()}
    x = content.pop("x", None)
    weights: dict[str, Any] = {}
    for key, block in content.items():
        found = _KEY.fullmatch(key)
        if found is None:
            raise ValueError(f"{path} may contain W1, b1, W2, b2, … and x only, and contains {key!r}")
        name = Name(found[1], (), int(found[2])).ascii()
        if name in weights:
            raise ValueError(f"{path} contains {name} twice, in two spellings")
        weights[name] = np.atleast_2d(block) if found[1] == "W" else np.atleast_1d(block)
    _check_layers(path, weights)
    if x is not None and x.ndim > 1:
        raise ValueError(f"{path}: x must be one input, a vector of numbers, and has shape {x.shape}")
    return weights, None if x is None else tuple(np.atleast_1d(x).tolist())


def _content(path: Path) -> Mapping[str, Any]:
    if path.suffix not in (".json", ".npz"):
        raise ValueError(f"--network must be a .json or .npz file, and got {path}")
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as archive:
                return dict(archive)
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, TypeError, RuntimeError, MemoryError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        detail = f": {error}" if isinstance(error, json.JSONDecodeError) else ""
        raise ValueError(f"{path} is not a readable {path.suffix} file{detail}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} must contain one object with W1, b1, W2, b2, …, and got a {type(content).__name__}")
    return content


def _array(path: Path, key: str, block: Any) -> np.ndarray[Any, Any]:
    try:
        array = np.asarray(block)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind not in "fiu" or not np.all(np.isfinite(array)) or array.ndim > 2 or not array.size:
        raise ValueError(f"{path}: {key} must be a vector or matrix of finite numbers")
    return array.astype(float)


def _check_layers(path: Path, weights: Mapping[str, Any]) -> None:
    layers = max(len(weights) // 2, 1)
    wanted = {f"{letter}({k})" for letter in "Wb" for k in range(1, layers + 1)}
    if set(weights) != wanted:
        raise ValueError(
            f"{path} must contain W1, b1, W2, b2, …, one W and one b for each layer, and contains "
            f"{', '.join(weights) or 'none'}"
        )
    for k in range(1, layers + 1):
        rows, shape = len(weights[f"W({k})"]), weights[f"b({k})"].shape
        if shape != (rows,):
            raise ValueError(f"{path}: b{k} must have shape ({rows},), one entry per row of W{k}, and got {shape}")
    for k in range(1, layers):
        before, after = weights[f"W({k})"].shape, weights[f"W({k + 1})"].shape
        if before[0] != after[1]:
            raise ValueError(
                f"{path}: W{k + 1} must have as many columns as W{k} has rows, {before[0]}, and has {after[1]}"
            )
