"""Automatic differentiation that lets people see a gradient.

Build a graph with `Value` (a float) or `Tensor` (an array), differentiate it with ``backward()``, `gradients` or the
transforms `grad`, `jacobian`, `hessian` …, and use `error_flow` to see how the error is divided on its way back to one
parameter.
"""

from autodiff.system import search_path  # noqa: F401 - before NumPy, so that no numpy.py in the user's folder shadows it

# isort: split
from importlib import import_module
from typing import TYPE_CHECKING, Any

from autodiff.engine.backward import backpropagate
from autodiff.engine.graph import Node, StaleGraphError, topological
from autodiff.flow import Flow, error_flow
from autodiff.primitives.definition import primitive
from autodiff.primitives.domain import Domain, Example
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import TABLE
from autodiff.primitives.rows import Rows
from autodiff.primitives.table import (
    choices,
    elementwise,
    entropies,
    layout,
    linear,
    recurrences,
    reductions,
    rounding,
    scientific,
    units,
)  # fmt: skip
from autodiff.primitives.table.choices import *  # noqa: F403 - each file lists its exports, so a new operation
from autodiff.primitives.table.elementwise import *  # noqa: F403  changes the table only
from autodiff.primitives.table.entropies import *  # noqa: F403
from autodiff.primitives.table.layout import *  # noqa: F403
from autodiff.primitives.table.linear import *  # noqa: F403
from autodiff.primitives.table.recurrences import *  # noqa: F403
from autodiff.primitives.table.reductions import *  # noqa: F403
from autodiff.primitives.table.rounding import *  # noqa: F403
from autodiff.primitives.table.scientific import *  # noqa: F403
from autodiff.primitives.table.units import *  # noqa: F403
from autodiff.program.program import program
from autodiff.system.display import RICH
from autodiff.transforms.anomaly import detect_anomaly
from autodiff.transforms.functional import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from autodiff.transforms.gradients import gradients
from autodiff.values import recording  # noqa: F401 - gives Value and Tensor their operators
from autodiff.values.base import detach, stop_gradient
from autodiff.values.tensor import Tensor
from autodiff.values.updates import move
from autodiff.values.value import Value
from autodiff.values.written_code import show_source

__version__ = "0.1.0"

__all__ = [
    "TABLE", "Domain", "Example", "Flow", "Node", "Primitive", "Rows", "StaleGraphError", "Tensor", "Traced",
    "TracedFunction", "Value", "backpropagate", "detach", "detect_anomaly", "error_flow", "from_jax", "from_torch",
    "grad", "gradients", "hessian", "hvp", "jacobian", "jvp", "move", "primitive", "program", "show_source",
    "stop_gradient", "topological", "value_and_grad", "vjp",
]  # fmt: skip
__all__ += choices.__all__
__all__ += elementwise.__all__
__all__ += entropies.__all__
__all__ += layout.__all__
__all__ += linear.__all__
__all__ += recurrences.__all__
__all__ += reductions.__all__
__all__ += rounding.__all__
__all__ += scientific.__all__
__all__ += units.__all__


RICH.append(lambda item: dict(import_module("autodiff.draw.notebook").rich(item)))  # drawing is imported on first use

if TYPE_CHECKING:
    from autodiff.foreign.from_jax import TracedFunction, from_jax
    from autodiff.foreign.from_torch import Traced, from_torch
else:  # type checkers would take every misspelled name for Any
    _LATER = {
        "see": "autodiff.draw", "Traced": "autodiff.foreign.from_torch", "TracedFunction": "autodiff.foreign.from_jax",
        "from_jax": "autodiff.foreign.from_jax", "from_torch": "autodiff.foreign.from_torch",
    }  # fmt: skip

    def __getattr__(name: str) -> Any:
        """What few programs use, imported on first use: drawing takes longer than the rest, tracing a tenth of it."""
        if name in _LATER:
            return getattr(import_module(_LATER[name]), name)
        if name == "explain":
            return import_module("autodiff.explain")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LATER, "explain"})
