"""Where the project lies."""

from __future__ import annotations

from pathlib import Path

#: The folder of ``setup.cfg``.
ROOT = Path(__file__).parents[2]
