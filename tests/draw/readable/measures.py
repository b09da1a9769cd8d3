"""Measures of a picture's SVG on a slide: its smallest text, its dead boxes, and the crossings of its wires.

``python -m tests.draw.readable.measures`` prints the table.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from typing import Final, NamedTuple

import numpy as np

from autodiff.draw import Drawing, see
from tests.draw.readable.programs import PROGRAMS

__all__ = ["SLIDE", "Measured", "drawn", "measured"]

SLIDE: Final = 1280.0
_SVG: Final = "{http://www.w3.org/2000/svg}"
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
_STEPS: Final = 6  # straight pieces of a curve


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


def drawn(name: str) -> Drawing:
    """The drawing of a program of the gallery."""
    build, view = PROGRAMS[name]
    built = build()
    return see(*built, view=view) if isinstance(built, tuple) else see(built)


def measured(svg: str, slide: float = SLIDE) -> Measured:
    """The measures of an SVG text on a slide of this width in px."""
    root = ElementTree.fromstring(svg)
    _, _, wide, high = (float(part) for part in root.attrib["viewBox"].split())
    sizes = [float(item.attrib["font-size"]) for item in root.iter(f"{_SVG}text")]
    wires = [item for item in root.iter(f"{_SVG}g") if "data-wire" in item.attrib]
    joined = {item.attrib[end] for item in wires for end in ("data-from", "data-to")}
    boxes = [item for item in root.iter(f"{_SVG}g") if "data-box" in item.attrib]
    dead = [item for item in boxes if item.attrib["data-kind"] == "rest" and item.attrib["data-box"] not in joined]
    return Measured(
        wide, high, len(boxes), min(sizes) * min(1.0, slide / wide), len(dead) / len(boxes), _crossings(wires)
    )


def _crossings(wires: list[ElementTree.Element]) -> int:
    """The pairs of wires that cross and share no box."""
    lines = []
    for item in wires:
        points = _points(next(part.attrib["d"] for part in item if part.tag == f"{_SVG}path"))
        ends = {item.attrib["data-from"], item.attrib["data-to"]}
        lines.append((points.min(axis=0), points.max(axis=0), ends, points))
    lines.sort(key=lambda line: float(line[0][0]))
    count = 0
    for k, (low, high, ends, points) in enumerate(lines):
        for other_low, other_high, other_ends, other_points in lines[k + 1 :]:
            if other_low[0] > high[0]:
                break
            apart = other_low[1] > high[1] or other_high[1] < low[1] or ends & other_ends
            count += not apart and _cross(points, other_points)
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
            t = step / _STEPS
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
            x, y = (sum(w * p[axis] for w, p in zip(weights, (a, b, c, d), strict=True)) for axis in (0, 1))
            if len(found) > 1 and found[-2][1] == found[-1][1] == y:
                found.pop()
            found.append((x, y))
    return np.array(found)


def _cross(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two lines of straight pieces cross between the ends of two pieces."""
    a, b, c, d = one[:-1, None], one[1:, None], other[None, :-1], other[None, 1:]
    apart = _side(a, b, c) * _side(a, b, d) < 0
    return bool(np.any(apart & (_side(c, d, a) * _side(c, d, b) < 0)))


def _side(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    ab, ac = b - a, c - a
    return np.asarray(ab[..., 0] * ac[..., 1] - ab[..., 1] * ac[..., 0])


if __name__ == "__main__":
    print(f"{'program':<36}{'wide':>7}{'high':>7}{'boxes':>6}{'text px':>8}{'dead':>6}{'crossings':>10}")
    for name in PROGRAMS:
        m = measured(drawn(name).svg())
        row = f"{m.wide:>7.0f}{m.high:>7.0f}{m.boxes:>6}{m.smallest:>8.1f}{m.dead:>6.0%}{m.crossings:>10}"
        print(f"{name:<36}{row}")
