"""Operations as HTML: formula, curve, derivative, domain, kinks, shapes, NumPy names and an example."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Final

from autodiff.draw.curves import Curve, Kink, curve_of, kinks_of, svg
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import TABLE
from autodiff.reference.markup import Links, code, facts, session, source
from autodiff.reference.operations import Operation, inputs
from autodiff.reference.samples import call_of, shapes
from autodiff.reference.samples import session as sample
from autodiff.reference.sources import definition

__all__ = ["anchor", "card", "kinks"]

_ENDLESS: Final = 1e6  # a slope at least this large beside a kink counts as unbounded


def anchor(row: Operation, exported: Mapping[str, object]) -> str:
    """The anchor of an operation on the page: the public name that calls it, if there is one.

    >>> from autodiff.reference.operations import everything, selected
    >>> [row] = selected(everything(), ["sech2"]).operations
    >>> anchor(row, {})
    'operation.sech2'
    """
    return f"autodiff.{row.name}" if exported.get(row.name) is TABLE[row.name] else f"operation.{row.name}"


def card(row: Operation, place: str, links: Links) -> str:
    """The card of an operation of the table; ``place`` is its `anchor`."""
    entry = TABLE[row.name]
    names = list(inputs(entry))
    curve = curve_of(entry, names)
    note = "<small>internal</small>" if row.internal else ""
    symbol = f'<span class="symbol">{escape(row.symbol)}</span>' if row.symbol else ""
    head = f"<h4>{code(call_of(entry, names))} {symbol}{note}</h4>"
    text = "".join(
        [
            f"<p>{links.inline(row.formula)}</p>",
            facts(_facts(row, entry, names, curve)),
            session(sample(entry, f"ad.{row.name}")) if place.startswith("autodiff.") else "",
            source(definition(entry)),
        ]
    )
    drawn = _figure(entry, curve, names[0]) if curve is not None else ""
    return f'<article class="card" id="{escape(place)}">{head}<div>{text}</div>{drawn}</article>'


def _facts(row: Operation, entry: Primitive, names: Sequence[str], curve: Curve | None) -> Iterator[tuple[str, str]]:
    head, *rest = row.derivatives if row.derivatives[0].endswith(":") else ("", *row.derivatives)
    shown = [f"{escape(head)}<br>"] if head else []
    yield "Derivative", "".join(shown) + "<br>".join(map(code, rest))
    yield "Domain", escape(row.domain, quote=False)
    if curve is not None and curve.kinks:
        told = (f"at {names[0]} = {x}: ∂z/∂{names[0]} is {_number(kink.slope)}" for x, kink in _grouped(curve.kinks))
        yield "At kinks", "<br>".join(told)
    if found := shapes(entry):
        yield "Shapes", "<br>".join(map(code, found))
    if row.numpy:
        yield "NumPy", ", ".join(map(code, row.numpy))


def _figure(entry: Primitive, curve: Curve, first: str) -> str:
    held = ", ".join(f"{key} = {_number(each)}" for key, each in curve.held.items())
    title = f"{escape(entry.name)}: z and ∂z/∂{first} over {first}" + (f", {held}" if held else "")
    caption = f'<span class="forward">z</span> solid, <span class="error">∂z/∂{first}</span> dashed'
    return f"<figure>{svg(curve, title)}<figcaption>{caption}{f'; {held}' if held else ''}</figcaption></figure>"


def kinks(found: Iterable[tuple[Operation, str]]) -> str:
    """A table of values and slopes at the kinks of operations of one input, with links to their cards."""
    head = "".join(f"<th>{each}</th>" for each in ("Operation", "x", "slope below", "derivative", "slope above"))
    rows = "".join(
        f'<tr><th><a href="#{escape(place)}">{code(row.name)}</a></th><td>{x}</td>{_cells(kink)}</tr>'
        for row, place in found
        for x, kink in _grouped(kinks_of(TABLE[row.name]))
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _cells(kink: Kink) -> str:
    return "".join(f"<td>{_number(each)}</td>" for each in (kink.before, kink.slope, kink.after))


def _grouped(found: Iterable[Kink]) -> Iterator[tuple[str, Kink]]:
    """Groups of kinks with the same slopes: their points, and one kink of each group."""
    groups = groupby(found, lambda each: tuple(map(_number, (each.before, each.slope, each.after))))
    for _, group in groups:
        alike = list(group)
        yield ", ".join(_number(each.x) for each in alike), alike[0]


def _number(value: float) -> str:
    if math.isfinite(value) and abs(value) < _ENDLESS:
        return f"{value:.4g}".replace("-", "−")
    return "nan" if math.isnan(value) else "∞" if value > 0 else "−∞"
