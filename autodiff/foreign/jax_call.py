"""One equation of a jaxpr: its primitive, its inputs, its params, and its line in the user's program."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node
from autodiff.foreign.singles import constant_of, holds_values

__all__ = ["Call", "data_of", "is_node"]

_HERE: Final = str(Path(__file__).parents[1]) + os.sep


def is_node(item: Any) -> bool:
    """Whether this is a node or an array of Values, not a constant."""
    return isinstance(item, Node) or holds_values(item)


def data_of(item: Any, dtype: Any) -> Any:
    """The numbers of nodes as an array of that type; a constant unchanged."""
    return np.asarray(constant_of(item), dtype) if is_node(item) else item


class UntraceableError(ValueError):
    """A primitive that cannot be traced, why, and the line of the user's program, "" if jax does not know it."""

    def __init__(self, name: str, why: str, line: str) -> None:
        super().__init__(
            f"cannot trace {name} of the jax program{line}: {why}; write it with other operations, give it a "
            "derivative with jax.custom_jvp, or compute it before and pass the result as an argument"
        )
        self.name, self.why, self.line = name, why, line


@dataclass(frozen=True, slots=True)
class Call:
    """An equation and its inputs: nodes, object arrays of Values, or the constants that jax computed.

    ``run`` evaluates a nested jaxpr, given as a closed one, on inputs.
    """

    equation: Any
    inputs: tuple[Any, ...]
    run: Callable[[Any, tuple[Any, ...]], list[Any]]

    @property
    def name(self) -> str:
        """The name of the primitive, such as dot_general."""
        return str(self.equation.primitive.name)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the first result."""
        return tuple(self.equation.outvars[0].aval.shape)

    def param(self, key: str) -> Any:
        """A param of the equation, such as ``axes``."""
        return self.equation.params[key]

    def data(self, k: int) -> Any:
        """The numbers of the k-th input as an array."""
        return np.asarray(data_of(self.inputs[k], self.equation.invars[k].aval.dtype))

    def operand(self, k: int) -> Any:
        """The k-th input as an operand of this engine: a constant as an array, or as a float if it is one number."""
        item = self.inputs[k]
        if is_node(item):
            return item
        array = np.asarray(item)
        return float(array) if not array.ndim and array.dtype.kind == "f" else array

    @property
    def operands(self) -> tuple[Any, ...]:
        """All inputs as operands."""
        return tuple(map(self.operand, range(len(self.inputs))))

    def by_jax(self, *inputs: Any, **changed: Any) -> Any:
        """The results that jax itself gives for constants."""
        params = self.equation.primitive.get_bind_params({**self.equation.params, **changed})
        subfuns, params = params if isinstance(params, tuple) else ((), params)
        return self.equation.primitive.bind(*subfuns, *inputs, **params)

    @property
    def plain_inputs(self) -> tuple[Any, ...]:
        """All inputs as constants."""
        return tuple(data_of(x, v.aval.dtype) for x, v in zip(self.inputs, self.equation.invars, strict=True))

    @property
    def line(self) -> str:
        """The line of the user's program that made the equation, "" if jax does not know it."""
        libraries = (_HERE, str(Path(sys.modules["jax"].__file__ or "").parent) + os.sep)
        for frame in getattr(getattr(self.equation.source_info, "traceback", None), "frames", ()):
            if not frame.file_name.startswith(libraries):
                return f" ({Path(frame.file_name).name}, line {frame.line_num}, in {frame.function_name})"
        return ""

    def refusal(self, why: str) -> UntraceableError:
        """The error for an equation that cannot be traced."""
        return UntraceableError(self.name, why, self.line)
