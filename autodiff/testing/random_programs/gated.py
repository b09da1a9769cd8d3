"""Steps that are not primitives: branches that end in a constant, and closed gates beside infinite slopes.

Each is one line of Python, which is printed, and run both on nodes and in other arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any, Final

import numpy as np

from autodiff.primitives.domain import Shape
from autodiff.primitives.namespace import is_plain_number
from autodiff.primitives.registry import TABLE
from autodiff.primitives.table.choices import where

__all__ = ["BRANCHES", "GATES", "Line", "lines"]


@dataclass(frozen=True)
class Line:
    """A step: Python with {0} and {1} for its operands, which have ``shapes``.

    ``where``, written likewise, holds where no infinite slope gets through: a smooth factor 0 would make nan of it.
    """

    name: str
    written: str
    shapes: tuple[Shape, ...] = ((),)
    where: str = ""

    def call(self, *, quiet: bool) -> Callable[..., Any]:
        """The line as a function of nodes or plain data; ``quiet`` silences NumPy's warnings on values behind gates."""
        return partial(_silently if quiet else _called, _function(self.written, len(self.shapes)))

    @property
    def fits(self) -> Callable[..., bool]:
        """A function that tells whether plain data may be the operands."""
        condition = _function(self.where or "True", len(self.shapes))
        return lambda *operands: _holds(condition, *operands)

    @property
    def over(self) -> Callable[..., Any]:
        """The line in other arithmetic: a function of a namespace for forwards, then the operands."""
        run = _function(self.written, len(self.shapes))
        return lambda xp, *operands: run(_Forwards(xp), *operands)


def _function(written: str, count: int) -> Callable[..., Any]:
    names = [f"x{k}" for k in range(count)]
    return eval(f"lambda {', '.join(['ad', *names])}: {written.format(*names)}", {"np": np})  # type: ignore[no-any-return]


def _called(run: Callable[..., Any], *operands: Any) -> Any:
    return run(_PRIMITIVES, *operands)


def _silently(run: Callable[..., Any], *operands: Any) -> Any:
    with np.errstate(all="ignore"):
        return run(_PRIMITIVES, *operands)


def _holds(condition: Callable[..., Any], *operands: Any) -> bool:
    """Whether a condition holds for every element; False if the shapes do not fit."""
    try:
        return bool(np.all(_silently(condition, *operands)))
    except (TypeError, ValueError):
        return False


class _Forwards:
    """The forwards of primitives by name, over a namespace like those of `autodiff.primitives.namespace`."""

    def __init__(self, xp: Any) -> None:
        self.xp = xp

    def __getattr__(self, name: str) -> Callable[..., Any]:
        entry = TABLE[name]

        def forward(*operands: Any, **params: Any) -> Any:
            if all(map(is_plain_number, operands)):  # constants from a gate: in IEEE arithmetic
                return entry(*operands, **params)
            return entry.forward(self.xp, *operands, **params)

        return forward

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        return TABLE["where"].forward(self.xp, x, y, condition=condition)


_PRIMITIVES: Final = SimpleNamespace(**{**TABLE, "where": where})

_TWO: Final[tuple[Shape, ...]] = ((), ())
_BRANCH: Final = Line("branch", "({0} if {0} > 0.0 else 0.0)")
_BRANCH_OF_SUM: Final = Line("branch", "(ad.sum({0}) if ad.sum({0}) > 0.0 else 0.0)")
_CHOICE: Final = Line("choice", "ad.where({0} > 0.0, {0}, 0.0)")
#: A closed gate, a constant factor 0 included, lets nothing through, whatever comes before or after it. Lengths and
#: squares are smooth at 0, although a slope inside is infinite there.
_GATED: Final = (
    Line("root_of_relu", "ad.sqrt(ad.relu({0}))"),
    Line("root_of_maximum", "ad.sqrt(ad.maximum({0}, 0.0))", where="{0} != 0.0"),
    Line(
        "arcsin_of_minimum",
        "ad.arcsin(ad.minimum({0}, 1.0) * 0.5 + 0.5)",
        where="({0} > -2.9) & (np.abs({0} - 1.0) > 0.01)",
    ),
    Line("root_where_positive", "ad.where({0} > 0.0, ad.sqrt({0}), 0.0)"),
    Line("log_where_positive", "ad.where({0} > 0.0, ad.log({0}), 0.0)"),
    Line("reciprocal_where_not_0", "ad.where({0} != 0.0, ad.reciprocal({0}), 0.0)"),
    Line("clipped_length", "ad.clip(ad.sqrt({0} * {0}), low=0.5, high=2.0)"),
    Line("length_of_1_or_more", "ad.maximum(ad.sqrt({0} * {0}), 1.0)"),
    Line("reciprocal_of_4_or_less", "ad.minimum(ad.reciprocal({0} * {0}), 4.0)"),
    Line("length_times_0", "0.0 * ad.sqrt({0} * {0}) + {0}"),
    Line("quotient_where_not_0", "ad.where({0} != 0.0, ad.divide({1}, {0}), 0.0)", _TWO),
    Line("root_by_another", "ad.where({1} > 0.0, {1}, ad.sqrt({0}))", _TWO, "({1} > 0.0) | ({0} > 0.0)"),
    Line("relu_times_root", "ad.relu({1}) * ad.sqrt(ad.relu({0}))", _TWO),
    Line("power_where_positive", "ad.where({0} > 0.0, ad.pow({0}, {1}), 1.0)", _TWO),
    Line("hinge_of_root", "ad.hinge(ad.sqrt(ad.relu({0})), {1})", _TWO),
    Line("difference_beyond_1", "ad.relu(ad.sqrt(({0} - {1}) * ({0} - {1})) - 1.0)", _TWO),
)
_MASK: Final = "np.array([[True], [False], [True]])"
_MASKED: Final = (
    Line("masked_row", f"ad.where({_MASK}[:, 0], ad.where({_MASK}, {{0}}, np.inf) @ {{1}}, 0.0)", ((3, 2), (2,))),
    Line(
        "masked_roots",
        f"ad.where({_MASK}[:, 0], 0.0, ad.sqrt({{0}} @ {{1}}))",
        ((3, 2), (2,)),
        f"{_MASK}[:, 0] | ({{0}} @ {{1}} > 0.0)",
    ),
    Line("roots_of_units", "ad.sqrt(ad.relu({0} @ {1}))", ((3, 2), (2,))),
)

#: Functions that are 0 below a kink at 0: by Python's ``if`` (for an array, on its sum), which ends in a plain
#: constant, and by `autodiff.where`.
BRANCHES: Final = (_BRANCH.name, _CHOICE.name)
#: Closed gates before and after infinite slopes; the last ones are products of arrays with masks.
GATES: Final = tuple(line.name for line in (*_GATED, *_MASKED))


def lines(*, arrays: bool) -> Mapping[str, Line]:
    """The steps of `BRANCHES` and `GATES` by name, over arrays or over numbers."""
    every = (_BRANCH_OF_SUM, _CHOICE, *_GATED, *_MASKED) if arrays else (_BRANCH, _CHOICE, *_GATED)
    return {line.name: line for line in every}
