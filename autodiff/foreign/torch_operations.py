"""The table of torch's recorded functions: for each name, the same operation of this engine.

The entries consist of primitives, so that they run on nodes, on object arrays of Values and on plain arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from autodiff.foreign.singles import holds_values, product
from autodiff.foreign.torch_call import Call
from autodiff.foreign.torch_layers import LAYERS, averaged
from autodiff.foreign.windows import columns_of_windows, picked, running_logsumexp, windows_along
from autodiff.primitives.registry import TABLE
from autodiff.primitives.table.choices import where
from autodiff.primitives.table.elementwise import (
    add,
    clip,
    divide,
    erfc,
    log,
    maximum,
    minimum,
    multiply,
    negative,
    pow,
    power,
    subtract,
)
from autodiff.primitives.table.layout import (
    broadcast_to,
    concatenate,
    expand_dims,
    getitem,
    reshape,
    stack,
    swapaxes,
    transpose,
)
from autodiff.primitives.table.reductions import (
    cumprod,
    cumsum,
    log_softmax,
    logsumexp,
    max,
    mean,
    min,
    norm,
    prod,
    softmax,
    sum,
)
from autodiff.primitives.table.scientific import arctan2, logaddexp
from autodiff.primitives.table.units import elu, leaky_relu, sigmoid, softplus

__all__ = ["ADDENDS", "INVERSES", "LAYOUT", "OPERATIONS", "operands"]

Operation = Callable[[Call], Any]

_MOST: Final = np.iinfo(np.int64).max


def _of_one(function: Callable[..., Any]) -> Operation:
    return lambda call: function(call.inputs[0])


def _reduced(function: Callable[..., Any]) -> Operation:
    return lambda call: function(call.inputs[0], **call.reduction)


def _scaled(call: Call, key: str, item: Any) -> Any:
    return item if (factor := call.saved(key)) == 1 else multiply(factor, item)


def _addend(call: Call, k: int) -> Any:
    return call.inputs[k] if call.inputs[k] is not None else call.constant


def _add(call: Call) -> Any:
    # `x + 2` and `2 + x` are recorded alike: the constant is the missing input
    return add(_addend(call, 0), _scaled(call, "alpha", _addend(call, 1)))


def _subtract(call: Call) -> Any:
    return subtract(_addend(call, 0), _scaled(call, "alpha", _addend(call, 1)))


def _addmm(call: Call) -> Any:
    a, b, bias = call.operand(1, "mat1"), call.operand(2, "mat2"), _scaled(call, "beta", _addend(call, 0))
    if call.saved("alpha") == 1 and any(map(holds_values, (a, b, bias))):
        return product(a, b, bias)
    return add(bias, _scaled(call, "alpha", product(a, b)))


def _of_two(function: Callable[..., Any], *keys: str) -> Operation:
    return lambda call: function(*(call.operand(k, key) for k, key in enumerate(keys)))


def _power(call: Call) -> Any:
    return power(call.inputs[0], n=float(call.saved("exponent")))


def _transpose(call: Call) -> Any:
    return swapaxes(call.inputs[0], axis1=call.saved("dim0"), axis2=call.saved("dim1"))


def _t(call: Call) -> Any:
    return transpose(call.inputs[0])


def _permute(call: Call) -> Any:
    return transpose(call.inputs[0], axes=call.saved("dims"))


def _reshape(call: Call) -> Any:
    return reshape(call.inputs[0], shape=call.shape)


def _expand(call: Call) -> Any:
    return broadcast_to(call.inputs[0], shape=call.shape)


def _at(axis: int, item: Any) -> tuple[Any, ...]:
    return (..., item) if axis == -1 else (*[slice(None)] * axis, item)


def _select(call: Call) -> Any:
    return getitem(call.inputs[0], index=_at(call.saved("dim"), call.saved("index")))


def _slice(call: Call) -> Any:
    end = call.saved("end")
    taken = slice(call.saved("start"), None if end == _MOST else end, call.saved("step"))
    return getitem(call.inputs[0], index=_at(call.saved("dim"), taken))


def _index(call: Call) -> Any:
    taken = tuple(slice(None) if item is None else item for item in call.saved("indices"))
    return getitem(call.inputs[0], index=taken)


def _picked(key: str) -> Operation:
    return lambda call: picked(call.inputs[0], call.saved(key), call.saved("dim"))


def _max_along(call: Call) -> Any:
    axis, chosen = call.saved("dim"), call.saved("indices")
    keepdims = call.saved("keepdim")
    taken = chosen if keepdims else np.expand_dims(chosen, axis)
    found = picked(call.inputs[0], taken, axis)
    return found if keepdims else reshape(found, shape=call.shape)


def _unbind(call: Call) -> list[Any]:
    axis, count = call.saved("dim"), call.count
    return [getitem(call.inputs[0], index=_at(axis, k)) for k in range(count)]


def _split(call: Call) -> list[Any]:
    axis, size, parts = call.saved("dim"), call.saved("split_size"), call.count
    return [getitem(call.inputs[0], index=_at(axis, slice(k * size, (k + 1) * size))) for k in range(parts)]


def _joined(function: Callable[..., Any]) -> Operation:
    def join(call: Call) -> Any:
        if any(item is None for item in call.inputs):
            raise NotImplementedError("with a constant part, which torch does not record")
        return function(list(call.inputs), axis=call.saved("dim"))

    return join


def _along(function: Callable[..., Any]) -> Operation:
    return lambda call: function(call.inputs[0], axis=call.saved("dim"))


def _nll(call: Call) -> Any:
    scores, target, weight = call.inputs[0], call.saved("target"), call.saved("weight")
    if target.ndim == 0:
        raise NotImplementedError("with a single target without a batch")
    counted = target != call.saved("ignore_index")
    weights = counted * (1.0 if weight is None else weight[np.where(counted, target, 0)])
    losses = negative(getitem(scores, index=(np.arange(target.size), np.where(counted, target, 0))))
    reduction = call.saved("reduction")
    if reduction == 1 and np.all(weights == 1.0):
        return mean(losses)
    weighted = losses if np.all(weights == 1.0) else multiply(weights, losses)
    if reduction == 0:
        return weighted
    return sum(weighted) if reduction == 2 else divide(sum(weighted), np.sum(weights))


def _mse(call: Call) -> Any:
    return averaged(call, power(subtract(call.operand(0, "self"), call.operand(1, "target")), n=2.0))


def _logits_loss(call: Call) -> Any:
    if call.saved("pos_weight") is not None or call.saved("weight") is not None or call.inputs[1] is not None:
        raise NotImplementedError("with weights, or with targets that are differentiated")
    z = call.inputs[0]
    return averaged(call, subtract(softplus(z), multiply(call.saved("target"), z)))


def _cross_entropy(call: Call) -> Any:
    if call.saved("weight") is not None or call.inputs[1] is not None:
        raise NotImplementedError("with weights, or with targets that are differentiated")
    p, t = call.inputs[0], call.saved("target")
    # torch bounds the logarithms at −100
    logs = [clip(log(item), low=-100.0) for item in (p, subtract(1.0, p))]
    return averaged(call, negative(add(multiply(t, logs[0]), multiply(1.0 - t, logs[1]))))


def _clamp(call: Call) -> Any:
    low, high = (call.saved(key) if call.has(key) else None for key in ("min", "max"))
    return clip(call.inputs[0], low=low, high=high)


def _softplus(call: Call) -> Any:
    if call.saved("beta") != 1:
        raise NotImplementedError("with beta")
    return softplus(call.inputs[0])


def _leaky_relu(call: Call) -> Any:
    return leaky_relu(call.inputs[0], slope=call.saved("negative_slope"))


def _elu(call: Call) -> Any:
    if call.saved("input_scale") != 1:
        raise NotImplementedError("with input_scale")
    return _scaled(call, "scale", elu(call.inputs[0], alpha=call.saved("alpha")))


def _silu(call: Call) -> Any:
    return multiply(call.inputs[0], sigmoid(call.inputs[0]))


def _where(call: Call) -> Any:
    return where(call.saved("condition"), _addend(call, 0), _addend(call, 1))


def _unsqueeze(call: Call) -> Any:
    return expand_dims(call.inputs[0], axis=call.saved("dim"))


def _norm(call: Call) -> Any:
    if call.saved("ord") == 1:
        return sum(TABLE["absolute"](call.inputs[0]), **call.reduction)
    if call.saved("ord") != 2:
        raise NotImplementedError("of an order other than 1 and 2")
    return norm(call.inputs[0], **call.reduction)


def _lerp(call: Call) -> Any:
    if call.name == "LerpBackward1":
        start, end, weight = (call.operand(k, key) for k, key in enumerate(("self", "end", "weight")))
    else:
        (start, end), weight = call.inputs, call.saved("weight")
    if start is None or end is None:
        raise NotImplementedError("with a constant end, which torch does not record; give it requires_grad=True")
    return add(start, multiply(weight, subtract(end, start)))


#: Operations that only arrange elements; one element of a leaf is found through them.
LAYOUT: Final[dict[str, Operation]] = {
    "AliasBackward0": _reshape, "CloneBackward0": _of_one(lambda x: x), "ExpandBackward0": _expand,
    "IndexBackward0": _index, "PermuteBackward0": _permute, "ReshapeAliasBackward0": _reshape,
    "SelectBackward0": _select, "SliceBackward0": _slice, "SplitBackward0": _split, "SqueezeBackward0": _reshape,
    "SqueezeBackward1": _reshape, "SqueezeBackward2": _reshape, "TBackward0": _t, "TransposeBackward0": _transpose,
    "UnbindBackward0": _unbind, "UnsafeViewBackward0": _reshape, "UnsqueezeBackward0": _unsqueeze,
    "ViewBackward0": _reshape,
}  # fmt: skip

#: Functions of one number that are primitives of this engine.
_SAME: Final = {
    "AbsBackward0": "absolute", "AcosBackward0": "arccos", "AsinBackward0": "arcsin", "AtanBackward0": "arctan",
    "CosBackward0": "cos", "CoshBackward0": "cosh", "ErfcBackward0": "erfc", "ExpBackward0": "exp",
    "Expm1Backward0": "expm1", "FloorBackward0": "floor", "Log10Backward0": "log10", "Log1PBackward0": "log1p",
    "Log2Backward0": "log2", "LogBackward0": "log", "LogSigmoidBackward0": "log_sigmoid", "NegBackward0":
    "negative", "ReciprocalBackward0": "reciprocal", "ReluBackward0": "relu", "SigmoidBackward0": "sigmoid",
    "SignBackward0": "sign", "SinBackward0": "sin", "SinhBackward0": "sinh", "SqrtBackward0": "sqrt",
    "TanBackward0": "tan", "TanhBackward0": "tanh",
}  # fmt: skip

OPERATIONS: Final[dict[str, Operation]] = {
    **LAYOUT, **LAYERS, **{name: _of_one(TABLE[entry]) for name, entry in _SAME.items()},
    "AddBackward1": lambda call: add(call.inputs[0], call.constant),
    "Atan2Backward0": _of_two(arctan2, "self", "other"), "CumprodBackward0": _along(cumprod),
    "CummaxBackward0": _picked("indices"), "CumminBackward0": _picked("indices"),
    "DivBackward1": lambda call: divide(call.inputs[0], call.saved("other")),
    "ErfBackward0": _of_one(lambda x: subtract(1.0, erfc(x))),
    "Im2ColBackward0": lambda call: columns_of_windows(
        call.inputs[0], *map(call.saved, ("kernel_size", "stride", "padding", "dilation"))
    ),
    "LerpBackward0": _lerp, "LerpBackward1": _lerp, "LogaddexpBackward0": _of_two(logaddexp, "self", "other"),
    "MulBackward1": lambda call: multiply(call.inputs[0], call.saved("other")), "SafeSoftmaxBackward0": _along(softmax),
    "UnfoldBackward0": lambda call: windows_along(call.inputs[0], *map(call.saved, ("dimension", "size", "step"))),
    "UnsafeSplitBackward0": _split,
    "AddBackward0": _add, "AddmmBackward0": _addmm, "AmaxBackward0": _reduced(max),
    "AminBackward0": _reduced(min), "BinaryCrossEntropyBackward0": _cross_entropy,
    "BinaryCrossEntropyWithLogitsBackward0": _logits_loss, "BmmBackward0": _of_two(product, "self", "mat2"),
    "CatBackward0": _joined(concatenate), "ClampBackward1": _clamp, "ClampMinBackward0": _clamp,
    "CumsumBackward0": _along(cumsum), "DivBackward0": _of_two(divide, "self", "other"),
    "DotBackward0": _of_two(product, "self", "tensor"), "EluBackward0": _elu, "GatherBackward0": _picked("index"),
    "HardtanhBackward0": lambda call: clip(call.inputs[0], low=call.saved("min_val"), high=call.saved("max_val")),
    "LeakyReluBackward0": _leaky_relu, "LinalgVectorNormBackward0": _norm,
    "LogSoftmaxBackward0": _along(log_softmax), "LogsumexpBackward0": _reduced(logsumexp),
    "LogcumsumexpBackward0": _along(running_logsumexp),
    "MaxBackward0": _max_along, "MaxBackward1": _of_one(max), "MaximumBackward0": _of_two(maximum, "self", "other"),
    "MeanBackward0": _of_one(mean), "MeanBackward1": _reduced(mean), "MinBackward0": _max_along,
    "MinBackward1": _of_one(min), "MinimumBackward0": _of_two(minimum, "self", "other"),
    "MmBackward0": _of_two(product, "self", "mat2"), "MseLossBackward0": _mse,
    "MulBackward0": _of_two(multiply, "self", "other"), "MvBackward0": _of_two(product, "self", "vec"),
    "NllLossBackward0": _nll, "PowBackward0": _power,
    "PowBackward1": _of_two(pow, "self", "exponent"),
    "PowBackward2": lambda call: pow(call.saved("self"), call.inputs[0]), "ProdBackward0": _of_one(prod),
    "ProdBackward1": _reduced(prod),
    "RsqrtBackward0": _of_one(lambda x: power(x, n=-0.5)),
    "RsubBackward1": lambda call: subtract(call.constant, _scaled(call, "alpha", call.inputs[0])),
    "SiluBackward0": _silu, "SoftmaxBackward0": _along(softmax), "SoftplusBackward0": _softplus,
    "StackBackward0": _joined(stack), "SubBackward0": _subtract, "SumBackward0": _of_one(sum),
    "SumBackward1": _reduced(sum), "WhereBackward0": _where,
}  # fmt: skip

#: Operations whose constant addend torch does not record, because no gradient needs it.
ADDENDS: Final = (
    "AddBackward0", "AddBackward1", "AddcmulBackward0", "AddmmBackward0", "BaddbmmBackward0", "MaskedFillBackward0",
    "RsubBackward1", "SubBackward0", "WhereBackward0",
)  # fmt: skip

#: The operand of an operation, from its saved result: nan where it is not determined.
INVERSES: Final[dict[str, Callable[[Any], Any]]] = {
    "ExpBackward0": np.log, "ReciprocalBackward0": np.reciprocal, "ReluBackward0": lambda y: np.where(y > 0, y, np.nan),
    "RsqrtBackward0": lambda y: y**-2.0, "SigmoidBackward0": lambda y: np.log(y) - np.log1p(-y),
    "SqrtBackward0": np.square, "TanhBackward0": np.arctanh,
}  # fmt: skip


def operands(call: Call) -> list[Any]:
    """The values of the operands that torch saved, None where it saved none."""
    if call.name in INVERSES:
        with np.errstate(all="ignore"):
            return [INVERSES[call.name](call.saved("result"))]
    keys = {"AddmmBackward0": ("", "mat1", "mat2"), "MmBackward0": ("self", "mat2"), "MvBackward0": ("self", "vec"),
            "BmmBackward0": ("self", "mat2"), "DotBackward0": ("self", "tensor"), "PowBackward2": ("exponent",),
            "MseLossBackward0": ("self", "target")}.get(call.name, ("self", "other"))  # fmt: skip
    return [call.saved(key) if key and call.has(key) else None for key in keys]
