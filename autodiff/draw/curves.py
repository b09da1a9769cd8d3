"""The curves of an operation and its derivative, drawn as SVG from the forward and the rule in the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter
from typing import Any, Final

import numpy as np

from autodiff.draw.writers.svg_text import px
from autodiff.primitives.namespace import arrays, is_plain_number
from autodiff.primitives.operands import describe
from autodiff.primitives.primitive import Primitive
from autodiff.transforms.functional import value_and_grad

__all__ = ["Curve", "Kink", "curve_of", "kinks_of", "svg"]

_COUNT: Final = 240  # steps along x
_MOST: Final = 6.0  # largest |z| and |derivative| shown
_SIDE: Final = 1e-12  # distance from a kink at which its two slopes are taken
_SHARE: Final = 0.65  # relative position in its domain of a second input that is held constant
_EXAMPLES: Final = 3  # the last of these is drawn, since the first often has the simplest param, such as x⁰

_STEPS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 3.0)  # between the marks of the vertical axis
_MOST_MARKS: Final = 6.0

_WIDTH, _HEIGHT = 300.0, 180.0
_LEFT, _BELOW, _TOP = 34.0, 20.0, 8.0

Floats = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Curve:
    """z and ∂z/∂x at points x, the inputs and params that are held constant, and the kinks of the domain."""

    x: Floats
    z: Floats
    slope: Floats
    held: Mapping[str, Any]
    kinks: tuple[Kink, ...]


@dataclass(frozen=True, slots=True)
class Kink:
    """A kink of an operation of one input: its value, the slopes on both sides, and the slope at the kink."""

    x: float
    z: float
    before: float
    slope: float
    after: float


def curve_of(
    entry: Primitive, names: Sequence[str], *, params: Mapping[str, float] | None = None, reach: float = 2.0
) -> Curve | None:  # fmt: skip
    """The curve over the first input, with any second input held constant; None if a curve makes no sense.

    Args:
        entry: an elementwise primitive of one or two inputs.
        names: the names of its inputs.
        params: params that differ from the defaults; names and numbers are checked.
        reach: the curve covers −reach … reach as well as its domain.

    >>> from autodiff import exp
    >>> curve = curve_of(exp, ["x"])
    >>> bool(np.all(curve.z == curve.slope))
    True
    """
    if not entry.elementwise or entry.arity not in (1, 2):
        return None
    used = _params(entry, params)
    if any(isinstance(each, bool) for each in used.values()):  # a choice just returns one of its inputs
        return None
    domain = entry.domain[0]
    x = np.linspace(min(domain.low, -reach), max(domain.high, reach), _COUNT + 1)
    others = {
        name: round(each.low + _SHARE * (each.high - each.low), 1)
        for name, each in zip(names[1:], entry.domain[1:], strict=True)
    }
    inputs = (x, *(np.full_like(x, other) for other in others.values()))
    with np.errstate(all="ignore"):
        z = np.asarray(entry.forward(arrays, *inputs, **used), dtype=float)
        slope = np.broadcast_to(entry.rule(0)(np.ones_like(x), z, *inputs, **used), x.shape)
    slope = np.where(np.isfinite(z), slope, np.nan)
    return Curve(x, z, slope, {**others, **used}, kinks_of(entry, params=used))


def _params(entry: Primitive, given: Mapping[str, float] | None) -> dict[str, Any]:
    """The given params, else the defaults; for params without a default, those of an example."""
    scalar = [each.params for each in entry.examples[:_EXAMPLES] if not any(each.shapes)]
    shown = scalar[-1] if scalar else {}
    usual = {key: shown.get(key) if default is Parameter.empty else default for key, default in entry.defaults.items()}
    for key, number in (given or {}).items():
        if key not in usual or not is_plain_number(number):
            known = ", ".join(usual) or "no params"
            raise TypeError(f"{entry.name} has {known}, each a number, and got {key}={describe(number)}")
    return {**usual, **(given or {})}


def kinks_of(entry: Primitive, *, params: Mapping[str, float] | None = None) -> tuple[Kink, ...]:
    """The values and slopes of an operation of one input at the kinks of its domain, as `autodiff.grad` returns them.

    >>> from autodiff import relu
    >>> [(kink.before, kink.slope, kink.after) for kink in kinks_of(relu)]
    [(0.0, 0.0, 1.0)]
    """
    if not entry.elementwise or entry.arity != 1:
        return ()
    used = _params(entry, params)
    at = value_and_grad(lambda x: entry(x, **used))
    return tuple(_kink(at, x) for x in entry.domain[0].kinks)


def _kink(at: Any, x: float) -> Kink:
    z, slope = at(x)
    return Kink(x, float(z), float(at(x - _SIDE)[1]), float(slope), float(at(x + _SIDE)[1]))


# ---- drawing ---------------------------------------------------------------------------------------------------------


def svg(curve: Curve, title: str) -> str:
    """Draw z as a solid line and ∂z/∂x as a dashed line, with a dot for the derivative at each kink.

    The colours come from the page: ``.plot .z``, ``.slope``, ``.axis``.
    """
    low, high = _limits(curve)
    left, right = float(curve.x[0]), float(curve.x[-1])

    def across(x: Any) -> Any:
        return (x - left) / (right - left) * (_WIDTH - _LEFT - 8.0)

    def down(y: Any) -> Any:
        return (high - y) / (high - low) * (_HEIGHT - _TOP - _BELOW)

    inner = f'width="{px(_WIDTH - _LEFT - 8.0)}" height="{px(_HEIGHT - _TOP - _BELOW)}"'
    parts = [
        f'<svg class="plot" viewBox="0 0 {px(_WIDTH)} {px(_HEIGHT)}" role="img"><title>{title}</title>',
        *_labels(left, right, low, high, across, down),
        f'<svg x="{px(_LEFT)}" y="{px(_TOP)}" {inner}>',  # clips the curves
        '<rect class="ground" width="100%" height="100%"/>',
        *(f'<path class="axis" d="M0 {px(down(0.0))}H{px(_WIDTH)}"/>' for _ in range(low <= 0.0 <= high)),
        *(f'<path class="axis" d="M{px(across(0.0))} 0V{px(_HEIGHT)}"/>' for _ in range(left <= 0.0 <= right)),
        f'<path class="z" d="{_path(across(curve.x), down(curve.z))}"/>',
        f'<path class="slope" d="{_path(across(curve.x), down(curve.slope))}"/>',
        *(
            f'<circle class="kink" cx="{px(across(kink.x))}" cy="{px(down(kink.slope))}" r="3.5"/>'
            for kink in curve.kinks
            if np.isfinite(kink.slope)
        ),
        "</svg></svg>",
    ]
    return "".join(parts)


def _limits(curve: Curve) -> tuple[float, float]:
    """The vertical range of z and the derivative, with room around flat lines."""
    shown = np.concatenate([curve.z, curve.slope, [kink.slope for kink in curve.kinks], [0.0]])
    shown = np.clip(shown[np.isfinite(shown)], -_MOST, _MOST)
    low, high = float(shown.min()), float(shown.max())
    room = max(0.08 * (high - low), 0.1)
    return low - room, high + room


def _labels(left: float, right: float, low: float, high: float, across: Any, down: Any) -> Iterator[str]:
    for x in range(int(np.ceil(left)), int(right) + 1):
        yield f'<text x="{px(_LEFT + across(x))}" y="{px(_HEIGHT - 5.0)}" text-anchor="middle">{_minus(x)}</text>'
    step = next(step for step in _STEPS if (high - low) / step < _MOST_MARKS)
    for k in range(int(np.ceil(low / step)), int(high / step + 1.0)):
        if low <= k * step <= high:
            at = f'x="{px(_LEFT - 6.0)}" y="{px(_TOP + down(k * step) + 4.0)}"'
            yield f'<text {at} text-anchor="end">{_minus(k * step)}</text>'


def _path(x: Floats, y: Floats) -> str:
    """Lines through the points, interrupted where a value is not finite or the curve jumps."""
    words: list[str] = []
    drawn = False
    steps = np.abs(np.diff(y, prepend=y[:1]))
    near = np.minimum(np.concatenate([steps[:1], steps[:-1]]), np.concatenate([steps[1:], steps[-1:]]))
    for across, down, step, usual in zip(x, y, steps, near, strict=True):
        if not np.isfinite(down) or abs(down) > 4.0 * _HEIGHT:
            drawn = False
            continue
        jumps = step > 12.0 and step > 8.0 * max(usual, 0.5)
        words.append(f"{'L' if drawn and not jumps else 'M'}{px(across)} {px(down)}")
        drawn = True
    return "".join(words)


def _minus(value: float) -> str:
    return f"{value:g}".replace("-", "−")
