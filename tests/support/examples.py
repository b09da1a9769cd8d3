"""How many random examples a property gets."""

from __future__ import annotations

from hypothesis import settings

__all__ = ["examples"]

_IN_CI = 100  # of a property without settings of its own


def examples(count: int) -> settings:
    """``count`` examples with the profile ``ci``, ten times as many with ``thorough``, a fifth as many with ``dev``.

    For properties whose examples are dear: a picture of a random program takes as long as a hundred gradients.
    """
    return settings(max_examples=max(1, count * settings().max_examples // _IN_CI))
