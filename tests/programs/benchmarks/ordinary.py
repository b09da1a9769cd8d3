"""Ten ordinary programs on arrays, none fused: written once for this engine and torch, and with gradients by hand.

Each program is a function of leaves and constant arrays that gives one number. ``size`` is the number of elements of
its largest leaf. By hand means NumPy as a person writes it who knows the formulas of the gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isqrt
from typing import Any, Final, NamedTuple

import numpy as np

import autodiff as ad
from autodiff.system.extras import install

__all__ = ["PROGRAMS", "SIZES", "contenders"]

SIZES: Final = (10, 1_000, 9_000, 100_000, 1_000_000)
EPSILON: Final = 1e-5
Step = Callable[[], object]
Arrays = Sequence[Any]


class Program(NamedTuple):
    """A program: its leaves and constants of a size, its text for any engine, and the same with gradients by hand."""

    inputs: Callable[[Any, int], tuple[Arrays, Arrays]]
    text: Callable[[Arrays, Arrays], Any]
    by_hand: Callable[[Arrays, Arrays], tuple[Any, Arrays]]


def _constant(x: Any) -> Any:
    """The numbers of a node, outside the graph."""
    return x.data if isinstance(x, ad.Tensor) else x.detach()


def _largest(x: Any) -> Any:
    data = _constant(x)
    return data.max(axis=1, keepdims=True) if isinstance(x, ad.Tensor) else data.amax(dim=1, keepdim=True)


def _rows(size: int) -> tuple[int, int]:
    side = max(isqrt(size), 3)
    return max(size // side, 3), side


# ---- the programs, in the order of the table -------------------------------------------------------------------------


def _pair(random: Any, size: int) -> tuple[Arrays, Arrays]:
    return random.normal(size=(2, size)) * 0.5, ()


def _chain(leaves: Arrays, _: Arrays) -> Any:
    x, y = leaves
    return ((x * y).exp() + x).sum()


def _chain_by_hand(leaves: Arrays, _: Arrays) -> tuple[Any, Arrays]:
    x, y = leaves
    e = np.exp(x * y)
    return (e + x).sum(), (e * y + 1.0, e * x)


def _matrix_row_column(random: Any, size: int) -> tuple[Arrays, Arrays]:
    m, n = _rows(size)
    return (random.normal(size=(m, n)), random.normal(size=n), random.normal(size=(m, 1))), ()


def _broadcasts(leaves: Arrays, _: Arrays) -> Any:
    x, row, column = leaves
    return ((x + row) * column - row).tanh().sum()


def _broadcasts_by_hand(leaves: Arrays, _: Arrays) -> tuple[Any, Arrays]:
    x, row, column = leaves
    shifted = x + row
    z = np.tanh(shifted * column - row)
    delta = 1.0 - z**2
    dx = delta * column
    return z.sum(), (dx, dx.sum(axis=0) - delta.sum(axis=0), (delta * shifted).sum(axis=1, keepdims=True))


def _matrix(random: Any, size: int) -> tuple[Arrays, Arrays]:
    return (random.normal(size=_rows(size)),), ()


def _reductions(leaves: Arrays, _: Arrays) -> Any:
    (x,) = leaves
    down, across = x.mean(axis=0), x.sum(axis=1)
    return (down * down).sum() + (across * across).mean() + (x * x).sum()


def _reductions_by_hand(leaves: Arrays, _: Arrays) -> tuple[Any, Arrays]:
    (x,) = leaves
    down, across = x.mean(axis=0), x.sum(axis=1)
    J = (down * down).sum() + (across * across).mean() + (x * x).sum()
    return J, ((2.0 / len(x)) * down + (2.0 / len(x)) * across[:, None] + 2.0 * x,)


def _vector(random: Any, size: int) -> tuple[Arrays, Arrays]:
    return (random.normal(size=size),), ()


def _slices(leaves: Arrays, _: Arrays) -> Any:
    (x,) = leaves
    step = x[1:] - x[:-1]
    return (step * step).sum() + (x[2:] * x[:-2]).sum()


def _slices_by_hand(leaves: Arrays, _: Arrays) -> tuple[Any, Arrays]:
    (x,) = leaves
    step = x[1:] - x[:-1]
    dx = np.zeros_like(x)
    dx[1:] += 2.0 * step
    dx[:-1] -= 2.0 * step
    dx[2:] += x[:-2]
    dx[:-2] += x[2:]
    return (step * step).sum() + (x[2:] * x[:-2]).sum(), (dx,)


def _logits(random: Any, size: int) -> tuple[Arrays, Arrays]:
    x = random.normal(size=_rows(size))
    return (x,), (random.normal(size=x.shape),)


def _softmax(leaves: Arrays, constants: Arrays) -> Any:
    (x,), (weights,) = leaves, constants
    e = (x - _largest(x)).exp()
    p = e / e.sum(axis=1, keepdims=True)
    return (p * weights).sum()


def _softmax_by_hand(leaves: Arrays, constants: Arrays) -> tuple[Any, Arrays]:
    (x,), (weights,) = leaves, constants
    e = np.exp(x - x.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    weighted = p * weights
    return weighted.sum(), (weighted - p * weighted.sum(axis=1, keepdims=True),)


def _layer_to_normalise(random: Any, size: int) -> tuple[Arrays, Arrays]:
    x = random.normal(size=_rows(size))
    n = x.shape[1]
    return (x, random.normal(size=n), random.normal(size=n)), (random.normal(size=x.shape),)


def _layer_norm(leaves: Arrays, constants: Arrays) -> Any:
    (x, gain, bias), (weights,) = leaves, constants
    centred = x - x.mean(axis=1, keepdims=True)
    variance = (centred * centred).mean(axis=1, keepdims=True)
    y = centred / (variance + EPSILON).sqrt() * gain + bias
    return (y * weights).sum()


def _layer_norm_by_hand(leaves: Arrays, constants: Arrays) -> tuple[Any, Arrays]:
    (x, gain, bias), (weights,) = leaves, constants
    centred = x - x.mean(axis=1, keepdims=True)
    size = np.sqrt((centred * centred).mean(axis=1, keepdims=True) + EPSILON)
    unit = centred / size
    J = ((unit * gain + bias) * weights).sum()
    delta = weights * gain
    along = (delta * unit).mean(axis=1, keepdims=True)
    dx = (delta - delta.mean(axis=1, keepdims=True) - unit * along) / size
    return J, (dx, (weights * unit).sum(axis=0), weights.sum(axis=0))


def _image_and_kernel(random: Any, size: int) -> tuple[Arrays, Arrays]:
    return (random.normal(size=_rows(size)), random.normal(size=(3, 3))), ()


def _convolution(leaves: Arrays, _: Arrays) -> Any:
    x, kernel = leaves
    m, n = x.shape[0] - 2, x.shape[1] - 2
    y = kernel[0, 0] * x[:m, :n]
    for i, j in [(i, j) for i in range(3) for j in range(3)][1:]:
        y = y + kernel[i, j] * x[i : i + m, j : j + n]
    return (y * y).sum()


def _convolution_by_hand(leaves: Arrays, _: Arrays) -> tuple[Any, Arrays]:
    x, kernel = leaves
    m, n = x.shape[0] - 2, x.shape[1] - 2
    y = np.zeros((m, n))
    for i in range(3):
        for j in range(3):
            y += kernel[i, j] * x[i : i + m, j : j + n]
    delta = 2.0 * y
    dx, dk = np.zeros_like(x), np.zeros_like(kernel)
    for i in range(3):
        for j in range(3):
            dx[i : i + m, j : j + n] += kernel[i, j] * delta
            dk[i, j] = (x[i : i + m, j : j + n] * delta).sum()
    return (y * y).sum(), (dx, dk)


def _queries_keys_values(random: Any, size: int) -> tuple[Arrays, Arrays]:
    return random.normal(size=(3, *_rows(size))), (random.normal(size=_rows(size)),)


def _attention(leaves: Arrays, constants: Arrays) -> Any:
    (q, k, v), (weights,) = leaves, constants
    scores = q @ k.T * (1.0 / q.shape[1] ** 0.5)
    e = (scores - _largest(scores)).exp()
    p = e / e.sum(axis=1, keepdims=True)
    return (p @ v * weights).sum()


def _attention_by_hand(leaves: Arrays, constants: Arrays) -> tuple[Any, Arrays]:
    (q, k, v), (weights,) = leaves, constants
    scale = 1.0 / q.shape[1] ** 0.5
    scores = q @ k.T * scale
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    dp = weights @ v.T
    delta = p * (dp - (p * dp).sum(axis=1, keepdims=True)) * scale
    return (p @ v * weights).sum(), (delta @ k, delta.T @ q, p.T @ weights)


def _state_and_weights(random: Any, size: int) -> tuple[Arrays, Arrays]:
    batch, hidden = _rows(size)
    hidden = min(hidden, 128)
    batch = max(size // hidden, 1)
    W, U = random.normal(size=(2, hidden, hidden)) * 0.1
    h, x, target = random.normal(size=(3, batch, hidden))
    return (h, W, U, random.normal(size=hidden)), (x, target)


def _recurrent_step(leaves: Arrays, constants: Arrays) -> Any:
    (h, W, U, b), (x, target) = leaves, constants
    error = (h @ W.T + x @ U.T + b).tanh() - target
    return (error * error).sum()


def _recurrent_step_by_hand(leaves: Arrays, constants: Arrays) -> tuple[Any, Arrays]:
    (h, W, U, b), (x, target) = leaves, constants
    new = np.tanh(h @ W.T + x @ U.T + b)
    error = new - target
    delta = 2.0 * error * (1.0 - new**2)
    return (error * error).sum(), (delta @ W, delta.T @ h, delta.T @ x, delta.sum(axis=0))


def _square_matrix_and_vectors(random: Any, size: int) -> tuple[Arrays, Arrays]:
    n = max(isqrt(size), 3)
    return (random.normal(size=(n, n)), random.normal(size=n), random.normal(size=n)), ()


def _quadratic_form(leaves: Arrays, _: Arrays) -> Any:
    A, x, b = leaves
    return 0.5 * (x @ (A @ x)) - b @ x


def _quadratic_form_by_hand(leaves: Arrays, _: Arrays) -> tuple[Any, Arrays]:
    A, x, b = leaves
    Ax = A @ x
    return 0.5 * (x @ Ax) - b @ x, (0.5 * np.outer(x, x), 0.5 * (Ax + A.T @ x) - b, -x)


PROGRAMS: Final[dict[str, Program]] = {
    "chain": Program(_pair, _chain, _chain_by_hand),
    "broadcasts": Program(_matrix_row_column, _broadcasts, _broadcasts_by_hand),
    "reductions": Program(_matrix, _reductions, _reductions_by_hand),
    "slices": Program(_vector, _slices, _slices_by_hand),
    "softmax": Program(_logits, _softmax, _softmax_by_hand),
    "layer norm": Program(_layer_to_normalise, _layer_norm, _layer_norm_by_hand),
    "convolution": Program(_image_and_kernel, _convolution, _convolution_by_hand),
    "attention": Program(_queries_keys_values, _attention, _attention_by_hand),
    "recurrent step": Program(_state_and_weights, _recurrent_step, _recurrent_step_by_hand),
    "quadratic form": Program(_square_matrix_and_vectors, _quadratic_form, _quadratic_form_by_hand),
}


# ---- the engines -----------------------------------------------------------------------------------------------------


def contenders(name: str, size: int) -> dict[str, Step]:
    """A program with its gradients on each engine that is installed; raises if the gradients differ."""
    program = PROGRAMS[name]
    leaves, constants = program.inputs(np.random.default_rng(0), size)
    expected = program.by_hand(leaves, constants)[1]
    _check(name, "autodiff", _ours(program, leaves, constants)(), expected)
    steps: dict[str, Step] = {
        "NumPy by hand": lambda: program.by_hand(leaves, constants),
        "autodiff": _ours(program, leaves, constants),
    }
    try:
        steps["torch"] = _with_torch(program, leaves, constants)
    except ImportError:
        print(f"  (torch is not installed: {install('peers')})")
    else:
        _check(name, "torch", steps["torch"](), expected)
    return steps


def _check(name: str, engine: str, came: Any, expected: Arrays) -> None:
    for k, (gradient, right) in enumerate(zip(came, expected, strict=True)):
        if not np.allclose(gradient, right, rtol=1e-9, atol=1e-9 * np.abs(right).max()):
            raise ArithmeticError(f"{name} on {engine}: the gradient of leaf {k} is not the one by hand")


def _ours(program: Program, leaves: Arrays, constants: Arrays) -> Callable[[], list[Any]]:
    tensors = [ad.Tensor(leaf) for leaf in leaves]
    fixed = [np.array(each) for each in constants]
    for each in fixed:
        each.setflags(write=False)  # or every call would copy it, to be safe from later writes

    def step() -> list[Any]:
        for tensor in tensors:
            tensor.grad = None
        program.text(tensors, fixed).backward()
        return [tensor.grad for tensor in tensors]

    return step


def _with_torch(program: Program, leaves: Arrays, constants: Arrays) -> Callable[[], list[Any]]:
    import torch

    torch.set_num_threads(1)
    tensors: list[Any] = [torch.tensor(leaf, requires_grad=True) for leaf in leaves]
    fixed = [torch.tensor(each) for each in constants]

    def step() -> list[Any]:
        for tensor in tensors:
            tensor.grad = None
        program.text(tensors, fixed).backward()
        return [tensor.grad for tensor in tensors]

    return step
