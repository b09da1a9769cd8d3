"""Activations by name, those with a param of their own included: relu, leaky_relu(0.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from inspect import Parameter
from math import isfinite
from typing import Any, Final

from autodiff import TABLE
from autodiff.primitives.operands import describe
from autodiff.primitives.primitive import Primitive
from nn.modules.architecture import BY_CODE

__all__ = ["Activation", "UnitWithParam", "name_of", "unit", "with_param"]

Activation = str | Callable[[Any], Any]

_CALL: Final = re.compile(r"\s*(\w+)\s*\(\s*(?:(\w+)\s*=\s*)?([^()=,]+?)\s*\)\s*")


@dataclass(frozen=True)
class UnitWithParam:
    """An activation f(z) = ``TABLE[operation](z, param=value)``; units of equal params are equal.

    >>> UnitWithParam("leaky_relu", "slope", 0.25)(-2.0)
    -0.5
    """

    operation: str
    param: str
    value: float

    @property
    def name(self) -> str:
        """The name by which `nn.unit` finds it.

        >>> UnitWithParam("leaky_relu", "slope", 0.1).name
        'leaky_relu(slope=0.1)'
        """
        return f"{self.operation}({self.param}={self.value!r})"

    def __call__(self, z: Any) -> Any:
        return TABLE[self.operation](z, **{self.param: self.value})

    def __repr__(self) -> str:
        return self.name


def with_param(name: str, known: Mapping[str, Primitive]) -> UnitWithParam:
    """The unit of a name such as ``leaky_relu(0.1)`` or ``leaky_relu(slope=0.1)``.

    Raises:
        ValueError: if there is no such unit, it does not have exactly one param, or that of this name, or no finite
            number is given.

    >>> with_param("elu(0.5)", TABLE)
    elu(alpha=0.5)
    """
    found = _CALL.fullmatch(name)
    operation, key, text = found.groups() if found else (name.partition("(")[0].strip(), None, "")
    if operation not in known:
        raise ValueError(f"unknown activation {operation!r} in {name!r} (must be one of {', '.join(sorted(known))})")
    params = [*known[operation].defaults]
    if len(params) != 1 or key not in (None, params[0]):
        having = f"the param {params[0]}" if len(params) == 1 else "no param"
        raise ValueError(f"{operation} has {having}, and got {name!r}")
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise ValueError(f"{operation} takes one finite number as its {params[0]}, and got {name!r}")
    return UnitWithParam(operation, params[0], number)


def unit(activation: Activation) -> Callable[[Any], Any]:
    """The activation f of that name, any elementwise primitive of one operand; a callable is returned unchanged.

    A param is given in brackets: "leaky_relu(0.1)" or "leaky_relu(slope=0.1)", 0.01 if left out.

    Raises:
        ValueError: if no activation has that name.
        TypeError: if ``activation`` is neither a name nor a callable.

    Source: notes, section 2, "Units and their derivatives".

    >>> unit("relu")
    <primitive relu>
    """
    if isinstance(activation, str):
        known = {name: entry for name, entry in TABLE.items() if _is_unit(entry)}
        if "(" in activation:
            return with_param(activation, known)
        if activation not in known:
            close = "".join(f"; did you mean {name!r}?" for name in get_close_matches(activation.lower(), known, 1))
            raise ValueError(f"unknown activation {activation!r} (must be one of {', '.join(sorted(known))}){close}")
        return known[activation]
    if not callable(activation):
        raise TypeError(f"activation must be a name, such as 'sigmoid', or a callable, and got {describe(activation)}")
    return activation


def name_of(activation: Callable[[Any], Any]) -> str:
    """The name by which `unit` finds this activation.

    Raises:
        ValueError: if it has none.

    >>> name_of(unit("relu"))
    'relu'
    """
    name = getattr(activation, "name", None)
    if isinstance(name, str):
        with suppress(ValueError):
            if unit(name) == activation:
                return name
    raise ValueError(
        f"a file holds an activation by its name in the table, such as 'relu', and {describe(activation)} has "
        f"none; {BY_CODE}"
    )


def _is_unit(entry: Primitive) -> bool:
    return entry.elementwise and entry.arity == 1 and Parameter.empty not in entry.defaults.values()
