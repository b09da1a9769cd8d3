"""A picture as plain data."""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

__all__ = ["as_json", "plain_data"]


def as_json(data: Any) -> str:
    """Plain data as JSON text, with one item per line.

    >>> as_json({"x": 1.5})
    '{\\n "x": 1.5\\n}\\n'
    """
    return json.dumps(data, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def plain_data(item: Any) -> Any:
    """A picture, or part of one, as dicts, lists, strings and numbers for ``json.dumps``; nan and inf become strings.

    >>> from autodiff.draw.model.picture import Cell
    >>> plain_data(Cell("value", "∞", float("inf")))["number"]
    'inf'
    """
    if is_dataclass(item):
        return {field.name: plain_data(getattr(item, field.name)) for field in fields(item)}
    if isinstance(item, np.ndarray | np.generic):
        return plain_data(item.tolist())
    if isinstance(item, list | tuple):
        return [plain_data(part) for part in item]
    return str(item) if isinstance(item, float) and not math.isfinite(item) else item
