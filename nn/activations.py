"""Units with a param of their own, by name: leaky_relu(0.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from autodiff import TABLE
from autodiff.primitives.primitive import Primitive

__all__ = ["UnitWithParam", "with_param"]

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
