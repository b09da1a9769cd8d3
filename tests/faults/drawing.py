"""Planted faults in the layout of pictures, their bands and their marks."""

from __future__ import annotations

from typing import Final

from tests.faults.fault import change, classified

__all__ = ["DRAWING_FAULTS"]

_BANDS: Final = "autodiff/draw/layout/bands.py"
_COLUMNS: Final = "autodiff/draw/layout/columns.py"
_DOWN: Final = "autodiff/draw/layout/down.py"
_DOT: Final = "autodiff/draw/writers/dot.py"
_FAN: Final = "autodiff/draw/layout/fan.py"
_MARKS: Final = "autodiff/draw/views/saturation.py"
_NETWORK: Final = "autodiff/draw/views/network.py"
_ORDER: Final = "autodiff/draw/layout/order.py"
_PLATES: Final = "autodiff/draw/layout/plates.py"

_FAULTS: Final = {
    "order: off by one": (
        change(
            "bands: boxes stay at their heights", _BANDS, "moved(rect, band.dx, band.dy)", "moved(rect, band.dx, 0.0)"
        ),
        change(
            "network: a count is one too small",
            _NETWORK,
            "self.add_count(column, left_out)",
            "self.add_count(column, left_out - 1)",
        ),
        change(
            "names: two digits of a matrix are one index", _ORDER, "letter in MATRICES and len(places) == 2", "False"
        ),
    ),
    "order: parents in a set": (
        change("names: families are not sorted", _ORDER, "sorted(own, key=of.__getitem__)", "own"),
        change(
            "network: units of a layer are not sorted", _NETWORK, "sorted(units, key=_reading_order)", "units[::-1]"
        ),
        change(
            "network: units of a layer stand in two columns", _NETWORK, "return level if all(", "return own if all("
        ),
    ),
    "wrong operand": (
        change(
            "network: the wire carries the factor of the error",
            _NETWORK,
            "factor_text(flow, edge, self.style), edge.local)",
            "factor_text(flow, edge, self.style), edge.error)",
        ),
        change(
            "network: a share is written as the error",
            _NETWORK,
            "self.style.amount(edge.share)",
            "self.style.amount(edge.error)",
        ),
        change(
            "graph: the factor that loses most stands in the box of its input",
            _MARKS,
            "box_of.get(weakest.edge.consumer), _words",
            "box_of.get(weakest.edge.input), _words",
        ),
        change("down: values and errors leave at one place", _DOWN, "_ERROR: Final = 0.68", "_ERROR: Final = 3.68"),
    ),
    "missing term": (
        change("fan: wires run behind the boxes of their column", _FAN, "level.add(side)", "pass"),
        change("fan: the parameter stands beside its wire", _FAN, "y + part * (to_y - y) - place.rows[row]", "0.0"),
        change("plates: numbers cover boxes", _PLATES, "taken = list(layout.boxes.values())", "taken: list[Rect] = []"),
        change("plates: numbers cover each other", _PLATES, "            taken.append(best[2])\n", ""),
        change(
            "graph: saturated units are not marked",
            _MARKS,
            "boxes = [_with_units(box, units.get(box.id, ()), style)",
            "boxes = [_with_units(box, (), style)",
        ),
        change("dot: bands do not start on the left", _DOT, 'looks["constraint"] = "false"', "pass"),
    ),
    "scale": (
        change("bands: lanes lie on each other", _BANDS, "near * _LANE\n        entry", "0.0\n        entry"),
        change(
            "network: gaps ignore the width", _COLUMNS, "part = (room - smallest) / (natural - smallest)", "part = 1.0"
        ),
        change("down: rows of boxes touch", _DOWN, "+ _ROW_GAP + room.get(column, 0.0)", ""),
    ),
    "sign": (
        change(
            "down: inputs stand at the bottom",
            _DOWN,
            "sorted(by_column(picture).items(), reverse=True)",
            "sorted(by_column(picture).items())",
        ),
    ),
}

DRAWING_FAULTS: Final = classified(_FAULTS)
