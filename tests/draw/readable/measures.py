"""Measures of a picture's SVG on a slide: its smallest text, its dead boxes, and the crossings of its wires.

``python -m tests.draw.readable.measures`` prints the table.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from typing import Final, NamedTuple

import numpy as np
from contact_sheets import WIDTHS, size_of
from programs import PROGRAMS, drawn_at

__all__ = ["SLIDE", "Measured", "measured"]

SLIDE: Final = WIDTHS["slide"]
_SVG: Final = "{http://www.w3.org/2000/svg}"
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
_STEPS: Final = 6  # straight pieces of a curve
#: Of the four points of a curve, at the end of each piece.
_WEIGHTS: Final = [
    ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3) for t in (k / _STEPS for k in range(1, _STEPS + 1))
]


class Measured(NamedTuple):
    """``smallest`` is the size in px of the smallest line of text when the picture fits the slide; scripts are smaller,
    in proportion. ``dead`` is the share of grey boxes without a wire, ``crossings`` the number of pairs of wires that
    cross, and ``boxes`` the number of boxes. ``wide`` and ``high`` are the picture's own size in px.
    """

    wide: float
    high: float
    boxes: int
    smallest: float
    dead: float
    crossings: int


def measured(svg: str, slide: float = SLIDE) -> Measured:
    """The measures of an SVG text on a slide of this width in px."""
    root = ElementTree.fromstring(svg)
    _, _, wide, high = (float(part) for part in root.attrib["viewBox"].split())
    wires = [item for item in root.iter(f"{_SVG}g") if "data-wire" in item.attrib]
    joined = {item.attrib[end] for item in wires for end in ("data-from", "data-to")}
    boxes = [item for item in root.iter(f"{_SVG}g") if "data-box" in item.attrib]
    dead = [item for item in boxes if item.attrib["data-kind"] == "rest" and item.attrib["data-box"] not in joined]
    return Measured(wide, high, len(boxes), size_of(svg, slide).smallest, len(dead) / len(boxes), _crossings(wires))


def _crossings(wires: list[ElementTree.Element]) -> int:
    """The pairs of wires that cross and share no box."""
    lines = []
    for item in wires:
        points = _points(next(part.attrib["d"] for part in item if part.tag == f"{_SVG}path"))
        ends = {item.attrib["data-from"], item.attrib["data-to"]}
        lines.append((points.min(axis=0), points.max(axis=0), ends, points))
    lines.sort(key=lambda line: float(line[0][0]))
    lows, highs = (np.array([line[k] for line in lines]).reshape(-1, 2) for k in (0, 1))
    count = 0
    for k, (low, high, ends, points) in enumerate(lines):
        last = int(np.searchsorted(lows[:, 0], high[0], side="right"))
        level = (lows[k + 1 : last, 1] <= high[1]) & (highs[k + 1 : last, 1] >= low[1])
        others = (lines[k + 1 + place] for place in np.flatnonzero(level).tolist())
        count += _crossed(points, [line[3] for line in others if not ends & line[2]])
    return count


def _points(path: str) -> np.ndarray:
    """The points of a line, or of straight pieces along its curves, without those inside a level stretch."""
    numbers = [float(number) for number in _NUMBER.findall(path)]
    given = list(zip(numbers[::2], numbers[1::2], strict=True))
    if "C" not in path:
        return np.array(given)
    found = [given[0]]
    for k in range(1, len(given), 3):
        a, (b, c, d) = found[-1], given[k : k + 3]
        for step in range(1, _STEPS + 1) if {a[1], b[1], c[1]} != {d[1]} else (_STEPS,):
            p, q, r, s = _WEIGHTS[step - 1]
            x, y = (p * a[axis] + q * b[axis] + r * c[axis] + s * d[axis] for axis in (0, 1))
            if len(found) > 1 and found[-2][1] == found[-1][1] == y:
                found.pop()
            found.append((x, y))
    return np.array(found)


def _crossed(line: np.ndarray, others: list[np.ndarray]) -> int:
    """How many of other lines of straight pieces cross one, between the ends of two pieces."""
    if not others:
        return 0
    a, b = line[:-1, None], line[1:, None]
    c, d = np.concatenate([other[:-1] for other in others]), np.concatenate([other[1:] for other in others])
    owners = np.repeat(np.arange(len(others)), [len(other) - 1 for other in others])
    near = np.all((np.minimum(c, d) <= line.max(axis=0)) & (np.maximum(c, d) >= line.min(axis=0)), axis=-1)
    c, d = c[near], d[near]
    apart = _side(a, b, c) * _side(a, b, d) < 0
    met = np.any(apart & (_side(c, d, a) * _side(c, d, b) < 0), axis=0)
    return len(set(owners[near][met].tolist()))


def _side(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    ab, ac = b - a, c - a
    return np.asarray(ab[..., 0] * ac[..., 1] - ab[..., 1] * ac[..., 0])


if __name__ == "__main__":
    print(f"{'program':<36}{'wide':>7}{'high':>7}{'boxes':>6}{'text px':>8}{'dead':>6}{'crossings':>10}{'phone px':>9}")
    for name in PROGRAMS:
        slide, phone = drawn_at(name, (SLIDE, WIDTHS["phone"]))
        m = measured(slide.svg())
        row = f"{m.wide:>7.0f}{m.high:>7.0f}{m.boxes:>6}{m.smallest:>8.1f}{m.dead:>6.0%}{m.crossings:>10}"
        print(f"{name:<36}{row}{size_of(phone.svg(), WIDTHS['phone']).smallest:>9.1f} {phone.picture.kind}")
