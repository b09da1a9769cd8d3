"""A unit's a = f(z) and f′, over z and over a, as one picture read from the table (the notes, section 2)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from html import escape
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Any, Final

import numpy as np

from autodiff.draw.curves import Curve, Kink, curve_of, svg
from autodiff.draw.files import Saved, write
from autodiff.draw.model.palette import FONTS, THEMES, checked_theme
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import TABLE
from autodiff.slopes.slope import slope

__all__ = ["UnitCurves", "unit"]

_WIDTH, _PANEL, _TOP, _HEIGHT = 640, 320, 52, 270
_REACH: Final = 5.0  # where σ′ is 1/40 of its largest value
_MOST: Final = 1e-9  # by which a may fall over z where it is constant, by rounding


@dataclass(frozen=True)
class UnitCurves:
    """The curves of one unit: over z, and f′ over a if each a has one f′; `unit` makes it."""

    name: str
    over_z: Curve
    over_a: Curve | None
    formulas: tuple[str, ...]

    def svg(self, theme: str = "light") -> str:
        """The picture as SVG: f solid and f′ dashed over z; beside it f′ over a.

        Raises:
            ValueError: if there is no theme of that name.
        """
        colours = THEMES[checked_theme(theme)]
        style = (
            f".plot .ground{{fill:{colours['rest']}}}.plot path{{fill:none;stroke-width:2}}"
            f".plot .axis{{stroke:{colours['line']};stroke-width:1}}.plot .z{{stroke:{colours['forward']}}}"
            f".plot .slope{{stroke:{colours['error']};stroke-dasharray:5 4}}.plot .kink{{fill:{colours['error']}}}"
            f".plot text{{fill:{colours['muted']};font-size:11px}}"
        )
        panels = [("over z: a = f(z) solid, f′(z) dashed", self.over_z)]
        panels += [("over a: f′ dashed", self.over_a)] if self.over_a is not None else []
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
            f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="{escape(FONTS)}"><style>{style}</style>',
            f'<rect width="100%" height="100%" fill="{colours["paper"]}"/>',
            f'<text x="16" y="26" font-size="16" fill="{colours["ink"]}">{escape("; ".join(self.formulas))}</text>',
        ]
        for k, (title, curve) in enumerate(panels):
            x = k * _PANEL
            parts.append(f'<text x="{x + 40}" y="{_TOP}" font-size="12" fill="{colours["muted"]}">{title}</text>')
            drawn = svg(curve, f"{escape(self.name)}, {title}")
            parts.append(drawn.replace("<svg ", f'<svg x="{x + 8}" y="{_TOP + 10}" width="300" height="200" ', 1))
        return "".join([*parts, "</svg>"])

    def save(self, path: str | os.PathLike[str], theme: str = "light") -> Saved:
        """Write the picture as an ``.svg`` file.

        Raises:
            ValueError: if the name does not end in .svg. OSError: if the file cannot be written.
        """
        if Path(path).suffix != ".svg":
            raise ValueError(f"the curves of a unit are written as an .svg file, and got {os.fspath(path)!r}")
        return write({"svg": lambda: self.svg(theme)}, path)

    def _repr_svg_(self) -> str:
        return self.svg()

    def __str__(self) -> str:
        return "\n".join(self.formulas)

    def __repr__(self) -> str:
        return f"<curves of {self.name}>"


def unit(name: str, **params: float) -> UnitCurves:
    """The curves of a unit a = f(z) and of f′, in z and in a, unless one a has several f′ (gelu, hard_tanh).

    Args:
        name: a unit of the table, such as "tanh".
        params: its params, such as ``slope=0.1`` of "leaky_relu".

    Returns:
        `UnitCurves`, to look at in a notebook, print, or save as ``.svg``. The formulas are read from the rules of the
        table; those of kinked units stand for each side of a kink.

    Raises:
        ValueError: if there is no such unit. TypeError: if it has no such param, or that is not a number.

    Source: notes, section 2, "Units and their derivatives".

    >>> print(unit("tanh"))
    a = tanh(z)
    f′ = 1 − a²
    >>> print(unit("leaky_relu", slope=0.1))
    a = leaky_relu(z, slope=0.1)
    f′ = 0.1 for z < 0, 1 for z > 0
    """
    entry = TABLE.get(name)
    is_unit = entry is not None and entry.elementwise and entry.arity == 1
    over_z = _over_z(entry, params) if entry is not None and is_unit else None
    if entry is None or over_z is None:
        raise ValueError(f"no unit is called {name!r}; one is an operation on each number, such as 'tanh' or 'relu'")
    full = over_z.held
    said = "".join(f", {key}={item:g}" for key, item in full.items())
    formulas = (f"a = {name}(z{said})", f"f′ = {_slopes(entry, full, over_z)}")
    return UnitCurves(name + (f"({said[2:]})" if said else ""), over_z, _over_a(over_z), formulas)


def _over_z(entry: Primitive, params: Mapping[str, float]) -> Curve | None:
    """The curve from −5 to 5 if the unit is finite there, else over its domain."""
    curve = curve_of(entry, ["z"], params=params, reach=_REACH)
    return curve if curve is None or np.all(np.isfinite(curve.z)) else curve_of(entry, ["z"], params=params)


def _slopes(entry: Primitive, params: Mapping[str, Any], curve: Curve) -> str:
    """The formula of f′, or one for each side of the kinks."""
    ends = [-inf, *(kink.x for kink in curve.kinks), inf]
    pieces = [(_slope(entry, params, *between, curve), _range(*between)) for between in pairwise(ends)]
    if len({text for text, _ in pieces}) == 1:
        return pieces[0][0]
    return ", ".join(f"{text} for {where}" for text, where in pieces)


def _slope(entry: Primitive, params: Mapping[str, Any], low: float, high: float, curve: Curve) -> str:
    """The formula between two kinks; the number if it is one, or if it is not short."""
    inside = np.flatnonzero((curve.x > low) & (curve.x < high) & (curve.z != 0.0))
    k = int(inside[len(inside) // 3]) if len(inside) else int(np.flatnonzero((curve.x > low) & (curve.x < high))[0])
    z, a, local = (float(item[k]) for item in (curve.x, curve.z, curve.slope))
    found = slope(entry, 0, params, ["z", "a"], [z, a], local)
    return found.symbols if found is not None and found.symbols else f"{local:g}".replace("-", "−")


def _range(low: float, high: float) -> str:
    if low == -inf:
        return f"z < {high:g}".replace("-", "−")
    return (f"z > {low:g}" if high == inf else f"{low:g} < z < {high:g}").replace("-", "−")


def _over_a(curve: Curve) -> Curve | None:
    """f′ over a, if f never falls and is not constant, so that each a has one f′."""
    if not np.all(np.isfinite(curve.z)) or np.min(np.diff(curve.z)) < -_MOST or curve.z[0] == curve.z[-1]:
        return None
    if any(kink.slope and 0.0 in (kink.before, kink.after) for kink in curve.kinks):
        return None  # hard tanh: at a = 1, f′ is 1 at the kink and 0 beyond it
    kinks = tuple(_at_a(curve.kinks))
    return replace(curve, x=curve.z, z=np.full_like(curve.z, np.nan), kinks=kinks)


def _at_a(kinks: tuple[Kink, ...]) -> Iterator[Kink]:
    for kink in kinks:
        yield replace(kink, x=kink.z)
