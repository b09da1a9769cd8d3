"""Paths of the project."""

from __future__ import annotations

from pathlib import Path

#: The folder of ``setup.cfg``.
ROOT = Path(__file__).parents[2]
