"""The layers of torch that autograd records as one function: convolutions, pooling, normalisation, attention.

The entries consist of primitives, so that they run on nodes, on object arrays of Values and on plain arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from autodiff.foreign.singles import constant_of, holds_values, product
from autodiff.foreign.torch_call import Call
from autodiff.foreign.windows import at_positions, convolution, padded, picked, positions, windows
from autodiff.primitives.registry import TABLE
from autodiff.primitives.table.choices import where
from autodiff.primitives.table.elementwise import absolute, add, divide, multiply, power, sqrt, square, subtract, tanh
from autodiff.primitives.table.layout import flip, getitem, reshape, split, swapaxes
from autodiff.primitives.table.reductions import mean, softmax, sum
from autodiff.primitives.table.units import gelu, sigmoid, softplus

__all__ = ["LAYERS", "averaged"]

Operation = Callable[[Call], Any]


def _along_channels(item: Any, axes: int) -> Any:
    """One number for each channel, beside an array with that many axes."""
    return reshape(item, shape=(1, -1, *[1] * (axes - 2)))


# ---- convolutions ----------------------------------------------------------------------------------------------------


def _convolution(call: Call) -> Any:
    x, w = call.operand(0, "input"), call.operand(1, "weight")
    margins, stride, groups = call.saved("padding"), call.saved("stride"), call.saved("groups")
    how = {"dilation": call.saved("dilation"), "groups": groups}
    if call.saved("transposed"):
        made = _transposed(x, w, margins, stride, call.saved("output_padding"), how)
    else:
        made = convolution(x, w, stride=stride, margins=[(n, n) for n in margins], **how)
    if call.inputs[2] is None:
        _refuse_constant_bias(call.saved("bias_sym_sizes_opt"))
        return made
    return add(made, _along_channels(call.inputs[2], len(call.shape)))


def _refuse_constant_bias(shape: Any) -> None:
    if shape is not None and len(shape) and 0 not in shape:
        raise NotImplementedError("with a constant bias, which torch does not record; give it requires_grad=True")


def _transposed(x: Any, w: Any, margins: Any, stride: Any, more: Any, how: dict[str, Any]) -> Any:
    """The transpose of a convolution: one over x with zeros between its elements, with flipped weights."""
    groups, (inputs, outputs, *size) = how["groups"], np.shape(w)
    spatial = tuple(range(3, 3 + len(size)))
    flipped = flip(reshape(w, shape=(groups, inputs // groups, outputs, *size)), axis=spatial)
    weights = reshape(swapaxes(flipped, axis1=1, axis2=2), shape=(groups * outputs, inputs // groups, *size))
    reach = [gap * (n - 1) for gap, n in zip(how["dilation"], size, strict=True)]
    sides = [(n - m, n - m + extra) for n, m, extra in zip(reach, margins, more, strict=True)]
    return convolution(padded(x, sides, stride), weights, stride=[1] * len(size), margins=[(0, 0)] * len(size), **how)


# ---- pooling ---------------------------------------------------------------------------------------------------------


def _largest_in_windows(axes: int) -> Operation:
    """The elements whose positions torch recorded."""

    def pool(call: Call) -> Any:
        x, taken = call.inputs[0], call.saved("result1")
        lead = np.shape(x)[: np.ndim(x) - axes]
        flat = picked(reshape(x, shape=(*lead, -1)), taken.reshape(*lead, -1), len(lead))
        return reshape(flat, shape=taken.shape)

    return pool


def _mean_of_windows(call: Call) -> Any:
    if call.saved("ceil_mode"):
        raise NotImplementedError("with ceil_mode")
    x, size, margins = call.inputs[0], call.saved("kernel_size"), [(n, n) for n in call.saved("padding")]
    over = tuple(range(-len(size), 0))
    steps = call.saved("stride") or size

    def total(item: Any) -> Any:
        return sum(windows(padded(item, margins), size, steps, [1] * len(size)), axis=over)

    divisor: Any = call.saved("divisor_override") or float(math.prod(size))
    if not call.saved("count_include_pad"):
        divisor = total(np.ones(np.shape(x)[np.ndim(x) - len(size) :]))
    return divide(total(x), divisor)


def _mean_of_bins(call: Call) -> Any:
    """Means over bins that share the rows and columns as evenly as they can, as products with constant matrices."""
    rows, columns = (_bins(n, m) for n, m in zip(np.shape(call.inputs[0])[-2:], call.shape[-2:], strict=True))
    return product(product(rows, call.inputs[0]), columns.T)


def _bins(length: int, count: int) -> Any:
    weights = np.zeros((count, length))
    for k in range(count):
        bin_ = slice(k * length // count, -(-(k + 1) * length // count))
        weights[k, bin_] = 1.0 / (bin_.stop - bin_.start)
    return weights


# ---- normalisation ---------------------------------------------------------------------------------------------------


def _normalised(x: Any, axes: tuple[int, ...], epsilon: float) -> Any:
    """(x − μ)/√(σ² + ε) with the mean and variance over axes."""
    centred = subtract(x, mean(x, axis=axes, keepdims=True))
    return multiply(centred, power(add(mean(square(centred), axis=axes, keepdims=True), epsilon), n=-0.5))


def _scaled(call: Call, y: Any, shaped: Callable[[Any], Any]) -> Any:
    """y times the weight plus the bias, each if there is one."""
    weight = call.inputs[1] if call.inputs[1] is not None else call.saved("weight")
    bias = call.inputs[2]
    if bias is None and call.has("bias"):
        bias = call.saved("bias")
    elif bias is None and weight is not None:
        _refuse_constant_bias(np.shape(constant_of(weight)))
    y = y if weight is None else multiply(y, shaped(weight))
    return y if bias is None else add(y, shaped(bias))


def _batch_norm(call: Call) -> Any:
    x, epsilon = call.operand(0, "input"), call.saved("eps")
    axes = np.ndim(x)

    def shaped(item: Any) -> Any:
        return _along_channels(item, axes)

    if call.saved("training"):
        y = _normalised(x, (0, *range(2, axes)), epsilon)
    else:
        factor = (call.saved("running_var") + epsilon) ** -0.5
        y = multiply(subtract(x, shaped(call.saved("running_mean"))), shaped(factor))
    return _scaled(call, y, shaped)


def _layer_norm(call: Call) -> Any:
    x, over = call.operand(0, "input"), call.saved("normalized_shape")
    axes = tuple(range(np.ndim(x) - len(over), np.ndim(x)))
    return _scaled(call, _normalised(x, axes, _epsilon(call, axes)), lambda item: item)


def _epsilon(call: Call, axes: tuple[int, ...]) -> float:
    """ε of a layer norm, which torch records only in 1/√(σ² + ε); rounded to a short number if that is as good."""
    x, factor = call.saved("input"), call.saved("result2")
    variance = np.var(x, axis=axes, keepdims=True, dtype=np.float64)
    found = float(np.median(np.float64(factor) ** -2.0 - variance))
    short = float(f"{found:.3g}")
    noise = 16 * float(np.finfo(x.dtype).eps) * float(np.max(variance) + abs(found))
    return short if abs(short - found) <= noise else found


def _group_norm(call: Call) -> Any:
    x, groups = call.operand(0, "input"), call.saved("group")
    shape = np.shape(x)
    y = _normalised(reshape(x, shape=(shape[0], groups, -1)), (2,), call.saved("eps"))
    return _scaled(call, reshape(y, shape=shape), lambda item: _along_channels(item, len(shape)))


# ---- looking up, attention, masks ------------------------------------------------------------------------------------


def _embedding(call: Call) -> Any:
    if call.saved("scale_grad_by_freq"):
        raise NotImplementedError("with scale_grad_by_freq")
    taken, padding = call.saved("indices"), call.saved("padding_idx")
    rows = getitem(call.inputs[0], index=taken)
    if not (taken == padding).any():
        return rows
    return where(np.broadcast_to((taken == padding)[..., None], call.shape), constant_of(rows), rows)


def _attention(call: Call) -> Any:
    """softmax(qkᵀ/√d + mask)·v."""
    if call.saved("dropout_p"):
        raise NotImplementedError("with dropout, whose mask torch does not record")
    q, k, v = (call.operand(n, key) for n, key in enumerate(("query", "key", "value")))
    scale = call.saved("scale") if call.saved("scale") is not None else np.shape(q)[-1] ** -0.5
    scores = multiply(product(q, swapaxes(k, axis1=-1, axis2=-2)), scale)
    mask = call.saved("attn_mask")
    if call.saved("is_causal"):
        mask = np.tril(np.ones(np.shape(scores)[-2:], dtype=bool))
    if mask is not None:
        scores = _unmasked(scores, mask) if mask.dtype == bool else add(scores, mask)
    return product(softmax(scores), v)


def _unmasked(scores: Any, mask: Any) -> Any:
    return where(np.broadcast_to(mask, np.shape(scores)), scores, -np.inf)


def _dropout(call: Call) -> Any:
    kept = call.saved("result1")
    return multiply(call.inputs[0], kept / (1.0 - call.saved("p")))


def _triangle(part: Callable[..., Any]) -> Operation:
    return lambda call: where(part(np.ones(call.shape, dtype=bool), call.saved("diagonal")), call.inputs[0], 0.0)


def _masked_fill(call: Call) -> Any:
    mask = np.broadcast_to(call.saved("mask"), call.shape)
    if not mask.any():
        return call.inputs[0]
    fill = next((item for item in call.inputs[1:] if item is not None), call.constant)
    return where(mask, fill, call.inputs[0])


def _constant_pad(call: Call) -> Any:
    widths = call.saved("pad")
    pairs: Sequence[tuple[int, int]] = [*zip(widths[::2], widths[1::2], strict=True)][::-1]
    return padded(call.inputs[0], pairs)


def _sorted(call: Call) -> Any:
    return [picked(call.inputs[0], call.saved("indices"), call.saved("dim") % np.ndim(call.inputs[0])), None]


def _moved(move: Callable[[Any, Call], Any]) -> Operation:
    """A function of NumPy that moves elements, by where it moves the positions."""

    def apply(call: Call) -> Any:
        return at_positions(call.inputs[0], move(positions(np.shape(call.inputs[0])), call))

    return apply


def _selected(call: Call) -> Any:
    axis = call.saved("dim") % len(call.shape)
    return getitem(call.inputs[0], index=(*[slice(None)] * axis, call.saved("index")))


# ---- functions of several operations ---------------------------------------------------------------------------------


def averaged(call: Call, losses: Any) -> Any:
    """The losses themselves, their mean or their sum, as the call says."""
    how: dict[int, Operation] = {0: lambda x: x, 1: mean, 2: sum}
    return how[call.saved("reduction")](losses)


def _near_and_far(name: str) -> Operation:
    """A loss that is quadratic up to a bound and linear beyond it."""

    def loss(call: Call) -> Any:
        bound = float(call.saved(name))
        error = subtract(call.operand(0, "self"), call.operand(1, "target"))
        size, quadratic = absolute(error), multiply(0.5, square(error))
        if name == "beta":  # smooth L1: Huber's loss divided by the bound
            near, far = divide(quadratic, bound) if bound else size, subtract(size, 0.5 * bound)
        else:
            near, far = quadratic, multiply(bound, subtract(size, 0.5 * bound))
        return averaged(call, where(constant_of(size) < bound, near, far))

    return loss


def _variance(call: Call) -> Any:
    x, axes = call.inputs[0], call.axes()
    keepdims = bool(call.saved("keepdim"))
    freedom = call.saved("correction")
    count = np.size(constant_of(x)) if axes is None else math.prod(np.shape(x)[axis] for axis in axes)
    centred = subtract(x, mean(x, axis=axes, keepdims=True))
    total = sum(square(centred), axis=axes, keepdims=keepdims)
    return divide(total, float(count - (1 if freedom is None else freedom)))


def _smooth_gelu(x: Any) -> Any:
    """GELU by the hyperbolic tangent, torch's approximate="tanh"."""
    inner = multiply(math.sqrt(2.0 / math.pi), add(x, multiply(0.044715, power(x, n=3.0))))
    return multiply(multiply(0.5, x), add(1.0, tanh(inner)))


def _hard_swish(call: Call) -> Any:
    x = call.inputs[0]
    z = constant_of(x)
    curved = multiply(x, divide(add(x, 3.0), 6.0))
    return where(z <= -3.0, 0.0, where(z >= 3.0, x, curved))


def _leaky(call: Call) -> Any:
    x, slope = call.operand(0, "self"), call.operand(1, "weight")
    return where(constant_of(x) > 0, x, multiply(slope, x))


def _gated(call: Call) -> Any:
    axis = call.saved("dim") % np.ndim(call.inputs[0])
    parts = split(call.inputs[0], 2, axis=axis)
    return multiply(parts[0], sigmoid(parts[1]))


def _weighted_product(call: Call) -> Any:
    """β·c + α·ab."""
    made = product(call.operand(1, "batch1"), call.operand(2, "batch2"))
    made = made if call.saved("alpha") == 1 else multiply(call.saved("alpha"), made)
    base = call.inputs[0] if call.inputs[0] is not None else call.constant
    return add(base if call.saved("beta") == 1 else multiply(call.saved("beta"), base), made)


def _plus_product(call: Call) -> Any:
    """c + value·ab."""
    factors = multiply(multiply(call.saved("value"), call.operand(1, "tensor1")), call.operand(2, "tensor2"))
    return add(call.inputs[0] if call.inputs[0] is not None else call.constant, factors)


def _converted(call: Call) -> Any:
    x, kind = call.inputs[0], str(call.function._input_metadata[0].dtype).rpartition(".")[2]  # noqa: SLF001
    if kind not in ("float32", "float64"):
        raise NotImplementedError(f"to {kind}, which this engine does not have")
    if holds_values(x) or x.dtype == kind:
        return x
    return x.astype(kind) if isinstance(x, np.ndarray) else TABLE["astype"](x, dtype=kind)


LAYERS: Final[dict[str, Operation]] = {
    "AdaptiveAvgPool2DBackward0": _mean_of_bins, "AdaptiveMaxPool2DBackward0": _largest_in_windows(2),
    "AddcmulBackward0": _plus_product, "AvgPool2DBackward0": _mean_of_windows, "AvgPool3DBackward0": _mean_of_windows,
    "BaddbmmBackward0": _weighted_product, "ConstantPadNdBackward0": _constant_pad,
    "ConvolutionBackward0": _convolution,
    "DiagonalBackward0": _moved(lambda at, call: np.diagonal(at, *map(call.saved, ("offset", "dim1", "dim2")))),
    "EmbeddingBackward0": _embedding, "FlipBackward0": _moved(lambda at, call: np.flip(at, call.saved("dims"))),
    "GeluBackward0": lambda call: (gelu if call.saved("approximate") == "none" else _smooth_gelu)(call.inputs[0]),
    "GluBackward0": _gated, "HardswishBackward0": _hard_swish,
    "HuberLossBackward0": _near_and_far("delta"), "IndexSelectBackward0": _selected,
    "MaskedFillBackward0": _masked_fill, "MaskedFillBackward1": _masked_fill,
    "MaxPool2DWithIndicesBackward0": _largest_in_windows(2),
    "MaxPool3DWithIndicesBackward0": _largest_in_windows(3),
    "MishBackward0": lambda call: multiply(call.inputs[0], tanh(softplus(call.inputs[0]))),
    "NativeBatchNormBackward0": _batch_norm, "NativeDropoutBackward0": _dropout,
    "NativeGroupNormBackward0": _group_norm, "NativeLayerNormBackward0": _layer_norm,
    "PreluKernelBackward0": _leaky,
    "RepeatBackward0": _moved(lambda at, call: np.tile(at, call.saved("repeats"))),
    "RollBackward0": _moved(lambda at, call: np.roll(at, call.saved("shifts"), call.saved("dims") or None)),
    "ScaledDotProductFlashAttentionForCpuBackward0": _attention, "SmoothL1LossBackward0": _near_and_far("beta"),
    "SortBackward0": _sorted, "StdBackward0": lambda call: sqrt(_variance(call)), "ToCopyBackward0": _converted,
    "TopkBackward0": _sorted, "TrilBackward0": _triangle(np.tril), "TriuBackward0": _triangle(np.triu),
    "VarBackward0": _variance,
}  # fmt: skip
