"""The view of a flow on narrow pages: the first in the order of preference whose text people can read there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Final

from autodiff.draw.layout.bands import Lay
from autodiff.draw.model.picture import Picture
from autodiff.draw.model.shorten import with_short_factors
from autodiff.draw.views.choose_view import picture
from autodiff.draw.writers.frame import LETTERS, SLIDE, smallest_text
from autodiff.flow import Flow

__all__ = ["in_order", "readable"]

_ROUNDING: Final = 1e-9
_SHORT: Final = (24, 17)  # characters of a local gradient


def in_order(flow: Flow, view: str, direction: str | None = None, **how: Any) -> Iterator[Picture]:
    """The pictures of a flow, the preferred one first; several if the view is "auto".

    The graph and the rail of the strongest path are what "auto" chooses where shares have too many boxes.
    """
    made = picture(flow, view, **how)
    yield made
    if view == "auto" and not flow.is_empty:
        for other in ("graph", "rail"):
            if other != made.kind and (other, direction) != ("graph", "down"):
                yield picture(flow, other, **how)


def readable(pictures: Iterable[Picture], width: float | None, direction: str | None, lay: Lay) -> Picture:
    """The first picture without text below 9 px at this width, or else the one with the largest text.

    Before the next picture, the same one with shorter formulas of local gradients is tried.

    At the width of a slide and more, it is the first one, which is not laid out: the choice of a view already keeps to
    what is readable there.
    """
    found = iter(pictures)
    best = next(found)
    if width is None or width >= SLIDE:
        return best
    size = smallest_text(best, width, direction, lay)
    others = chain(
        _with_short_factors(best), chain.from_iterable((other, *_with_short_factors(other)) for other in found)
    )
    while size < LETTERS - _ROUNDING and (other := next(others, None)) is not None:
        larger = smallest_text(other, width, direction, lay)
        if larger > size:
            best, size = other, larger
    return best


def _with_short_factors(what: Picture) -> Iterator[Picture]:
    """The picture with shorter formulas of local gradients, and with still shorter ones, if it has longer ones."""
    for most in _SHORT:
        shorter = with_short_factors(what, most)
        if shorter is not what:
            yield shorter
