"""Programs as learners, engineers and physicists write them, whose pictures the contact sheets show."""

from __future__ import annotations

from typing import Any

from autodiff.draw import Drawing, see
from programs.everyday import PROGRAMS

__all__ = ["PROGRAMS", "drawn"]


def drawn(name: str, **how: Any) -> Drawing:
    """The drawing of a program: of its result, or of the way from its result to a parameter; ``how`` as in `see`."""
    build, view = PROGRAMS[name]
    built = build()
    return see(*built, view=view, **how) if isinstance(built, tuple) else see(built, **how)
