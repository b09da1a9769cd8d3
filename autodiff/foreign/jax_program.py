"""Evaluation of a jaxpr by this engine's operations: its equations in order, nested ones as if written out.

Equations of constants, and those with integer or boolean results, are evaluated by jax itself. Loops are unrolled, and
of a condition only the branch taken is traced.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from autodiff.engine.plain import boxed
from autodiff.foreign.jax_call import Call, UntraceableError, is_node
from autodiff.foreign.jax_moves import stacked
from autodiff.foreign.jax_operations import OPERATIONS, clamped
from autodiff.foreign.singles import product
from autodiff.primitives.table.elementwise import add, multiply, subtract
from autodiff.primitives.table.layout import getitem, reshape
from autodiff.primitives.table.scientific import logaddexp
from autodiff.primitives.table.units import relu, softplus
from autodiff.values.base import detach
from autodiff.values.value import Value

__all__ = ["NESTED", "run"]

_MOST_SLOPES: Final = 10_000_000  # numbers in the derivative of a function with a derivative of its own


def run(closed: Any, inputs: tuple[Any, ...]) -> list[Any]:
    """The results of a closed jaxpr on nodes, object arrays of Values, and constants.

    Raises:
        ValueError: if a primitive cannot be traced; the message names it and its line.
    """
    jaxpr = closed.jaxpr
    known = dict(zip(jaxpr.constvars, closed.consts, strict=True)) | dict(zip(jaxpr.invars, inputs, strict=True))
    for equation in jaxpr.eqns:
        given = tuple(_read(known, variable) for variable in equation.invars)
        known.update(zip(equation.outvars, _results(Call(equation, given, run)), strict=True))
    return [_read(known, variable) for variable in jaxpr.outvars]


def _read(known: dict[Any, Any], variable: Any) -> Any:
    return np.asarray(variable.val, variable.aval.dtype) if hasattr(variable, "val") else known[variable]


def _results(call: Call) -> list[Any]:
    if not any(map(is_node, call.inputs)) or not _has_real_result(call):
        found = call.by_jax(*call.plain_inputs)
        return list(found) if call.equation.primitive.multiple_results else [found]
    operation = NESTED.get(call.name) or OPERATIONS.get(call.name)
    if operation is None:
        raise call.refusal("this engine has no such operation")
    try:
        with np.errstate(all="ignore"):
            found = operation(call)
    except NotImplementedError as error:
        raise call.refusal(str(error)) from error
    results = found if isinstance(found, list) else [found]
    return [boxed(item) if isinstance(item, Value) else item for item in results]


def _has_real_result(call: Call) -> bool:
    numpy = sys.modules["jax"].numpy
    return any(numpy.issubdtype(variable.aval.dtype, numpy.inexact) for variable in call.equation.outvars)


# ---- nested jaxprs ---------------------------------------------------------------------------------------------------


class _Closed:
    """A jaxpr without constants, as if it were closed."""

    def __init__(self, jaxpr: Any) -> None:
        self.jaxpr, self.consts = jaxpr, ()


def _inlined(call: Call) -> list[Any]:
    jaxpr = next(call.equation.params[key] for key in ("jaxpr", "call_jaxpr") if key in call.equation.params)
    try:
        return call.run(jaxpr if hasattr(jaxpr, "consts") else _Closed(jaxpr), call.inputs)
    except UntraceableError as error:
        if error.line or not call.line:
            raise
        raise UntraceableError(error.name, error.why, call.line) from None  # inside a function of jax


def _cond(call: Call) -> list[Any]:
    branches = call.param("branches")
    taken = min(max(int(call.data(0)), 0), len(branches) - 1)
    return call.run(branches[taken], call.inputs[1:])


def _while(call: Call) -> list[Any]:
    split = call.param("cond_nconsts"), call.param("cond_nconsts") + call.param("body_nconsts")
    tested, fixed, state = call.inputs[: split[0]], call.inputs[split[0] : split[1]], list(call.inputs[split[1] :])
    while bool(np.asarray(call.run(call.param("cond_jaxpr"), (*tested, *state))[0])):
        state = call.run(call.param("body_jaxpr"), (*fixed, *state))
    return state


def _scan(call: Call) -> list[Any]:
    constants, carried, length = call.param("num_consts"), call.param("num_carry"), call.param("length")
    fixed, state = call.inputs[:constants], list(call.inputs[constants : constants + carried])
    rows = call.inputs[constants + carried :]
    columns: list[list[Any]] = [[] for _ in call.equation.outvars[carried:]]
    for k in reversed(range(length)) if call.param("reverse") else range(length):
        results = call.run(call.param("jaxpr"), (*fixed, *state, *(_row(item, k) for item in rows)))
        state = results[:carried]
        for column, item in zip(columns, results[carried:], strict=True):
            column.append(item)
    avals = [variable.aval for variable in call.equation.outvars[carried:]]
    return [*state, *(_column(*pair, call.param("reverse")) for pair in zip(columns, avals, strict=True))]


def _row(item: Any, k: int) -> Any:
    found = getitem(item, index=k) if is_node(item) else item[k]
    return boxed(found) if isinstance(found, Value) else found


def _column(parts: list[Any], aval: Any, reverse: bool) -> Any:
    parts = parts[::-1] if reverse else parts
    if any(map(is_node, parts)):
        return stacked([part if is_node(part) else np.asarray(part) for part in parts])
    return sys.modules["jax"].numpy.stack(parts) if parts else np.zeros(aval.shape, aval.dtype)


# ---- functions with a derivative of their own ------------------------------------------------------------------------


def _log_of_sum(x: Any, y: Any) -> Any:
    """ln(eˣ + eʸ), which is how jax.nn.softplus is written."""
    return softplus(x) if isinstance(y, float) and y == 0.0 else logaddexp(x, y)


#: Functions of jax with a derivative of their own that this engine has, too.
_KNOWN: Final[dict[str, Callable[..., Any]]] = {
    "logaddexp": _log_of_sum, "relu": relu, "relu6": lambda x: clamped(x, 0.0, 6.0),
}  # fmt: skip


def _custom(call: Call) -> Any:
    debug = call.param("call_jaxpr").jaxpr.debug_info
    folder = str(sys.modules["jax"].__path__[0])
    if debug.func_name in _KNOWN and f" at {folder}" in str(debug.func_src_info):
        return _KNOWN[debug.func_name](*call.operands)
    return _tangent(call)


def _tangent(call: Call) -> list[Any]:
    """y + J·(x − x̄) with the derivative J that jax uses at x̄: the same value and the same gradient."""
    jax, inputs = sys.modules["jax"], call.plain_inputs
    chosen = [k for k, item in enumerate(call.inputs) if is_node(item)]

    def rule(*points: Any) -> list[Any]:
        given = list(inputs)
        for k, point in zip(chosen, points, strict=True):
            given[k] = point
        found = call.by_jax(*given)
        return list(found) if isinstance(found, list | tuple) else [found]

    points = [jax.numpy.asarray(inputs[k]) for k in chosen]
    values, pullback = jax.vjp(rule, *points)
    results = [np.asarray(value) for value in values]
    for j, value in enumerate(values):
        if not jax.numpy.issubdtype(value.dtype, jax.numpy.floating):
            continue
        for place, k in enumerate(chosen):
            x = call.inputs[k]
            back = _Back(pullback, values, j, place)
            change = subtract(x, detach(x) if not isinstance(x, np.ndarray) else call.data(k))
            results[j] = add(results[j], back.forward(change))
    return results


class _Back:
    """The error signals that jax sends from one result of a function to one of its inputs."""

    def __init__(self, pullback: Callable[..., Any], values: list[Any], j: int, place: int) -> None:
        self.pullback, self.values, self.j, self.place = pullback, values, j, place

    def __call__(self, g: Any) -> Any:
        jax = sys.modules["jax"]
        signals = [
            jax.numpy.asarray(g, value.dtype) if k == self.j else _no_signal(jax, value)
            for k, value in enumerate(self.values)
        ]
        return np.asarray(self.pullback(signals)[self.place])

    def forward(self, change: Any) -> Any:
        """J times a change of the input: element by element if J is diagonal, which a random signal tells."""
        value, shape = np.asarray(self.values[self.j]), np.shape(change)
        if value.shape == shape:
            slope, random = self(np.ones(shape)), np.random.default_rng(0).uniform(1.0, 2.0, shape)
            if np.allclose(self(random), random * slope, rtol=1e-5, atol=0.0):
                return multiply(slope, change)
        if value.size * np.size(change) > _MOST_SLOPES:
            raise NotImplementedError(f"its own derivative has {value.size} × {np.size(change)} numbers")
        rows = [self(unit.reshape(value.shape)).reshape(-1) for unit in np.eye(value.size, dtype=value.dtype)]
        slopes = np.array(rows).reshape(value.size, np.size(change))
        return reshape(product(slopes, reshape(change, shape=(-1,))), shape=value.shape)


def _no_signal(jax: Any, value: Any) -> Any:
    if jax.numpy.issubdtype(value.dtype, jax.numpy.inexact):
        return jax.numpy.zeros_like(value)
    return np.zeros(value.shape, jax.dtypes.float0)


NESTED: Final[dict[str, Callable[[Call], Any]]] = {
    **dict.fromkeys(("checkpoint", "closed_call", "core_call", "jit", "pjit", "remat", "remat2"), _inlined),
    "cond": _cond, "custom_jvp_call": _custom, "custom_vjp_call": _tangent, "custom_vjp_call_jaxpr": _tangent,
    "scan": _scan, "while": _while,
    # with jax's own derivative: jax chooses the signs of factors, and shares out ties in the order of its scan
    **dict.fromkeys(("cholesky", "cummax", "cummin", "custom_linear_solve", "eigh"), _tangent),
    **dict.fromkeys(("lu", "qr", "svd", "triangular_solve"), _tangent),
}  # fmt: skip
