"""Programs as learners, engineers and physicists write them, whose pictures the contact sheets show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autodiff.draw import Drawing, see
from programs.everyday import PROGRAMS

__all__ = ["PROGRAMS", "drawn", "drawn_at"]


def drawn(name: str, **how: Any) -> Drawing:
    """The drawing of a program: of its result, or of the way from its result to a parameter; ``how`` as in `see`."""
    return _seen(name, PROGRAMS[name][0](), **how)


def drawn_at(name: str, widths: Iterable[float]) -> list[Drawing]:
    """The drawings of a program, run once, for pages of these widths in px."""
    built = PROGRAMS[name][0]()
    return [_seen(name, built, width=width) for width in widths]


def _seen(name: str, built: Any, **how: Any) -> Drawing:
    return see(*built, view=PROGRAMS[name][1], **how) if isinstance(built, tuple) else see(built, **how)
