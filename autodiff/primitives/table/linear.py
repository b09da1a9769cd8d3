"""Primitives that multiply and add: products of vectors and matrices, einsum, and the weighted sum of a neuron."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from autodiff.primitives.definition import primitive
from autodiff.primitives.domain import Example
from autodiff.primitives.expression import Expression
from autodiff.primitives.operands import as_operand
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.table.elementwise import multiply
from autodiff.primitives.table.layout import broadcast_to, expand_dims, reshape, squeeze, swapaxes, transpose

__all__ = ["affine", "dot", "einsum", "matmul", "outer", "tensordot", "weighted_sum"]

# fmt: off
inner = primitive("inner", lambda xp, x, y: x.dot(y),
    [lambda g, z, x, y: g * y, lambda g, z, x, y: g * x],
    symbol="·", elementwise=False, multilinear=True, examples=(Example(((3,), (3,))), Example(((1,), (1,)))),
    doc="Scalar product Σᵢ xᵢyᵢ of two vectors.")

matvec: Primitive = primitive("matvec", lambda xp, a, x: a.dot(x),
    [lambda g, z, a, x: outer_product(g, x), lambda g, z, a, x: matvec(a.T, g)],
    symbol="@", elementwise=False, multilinear=True, examples=(Example(((2, 3), (3,))), Example(((1, 3), (3,)))),
    doc="Matrix times vector A x: the gradient of A is δxᵀ, that of x is Aᵀδ (notes, section 1.6).")

vecmat: Primitive = primitive("vecmat", lambda xp, x, a: x.dot(a),
    [lambda g, z, x, a: matvec(a, g), lambda g, z, x, a: outer_product(x, g)],
    symbol="@", elementwise=False, multilinear=True, examples=(Example(((2,), (2, 3))),),
    doc="Vector times matrix xᵀA.")

outer_product: Primitive = primitive("outer", lambda xp, x, y: x[:, None] * y,
    [lambda g, z, x, y: matvec(g, y), lambda g, z, x, y: vecmat(x, g)],
    symbol="⊗", elementwise=False, multilinear=True, examples=(Example(((2,), (3,))), Example(((1,), (3,)))),
    doc="Outer product xyᵀ of two vectors.")

matmat: Primitive = primitive("matmul", lambda xp, a, b: a.dot(b),
    [lambda g, z, a, b: matmat(g, b.T), lambda g, z, a, b: matmat(a.T, g)],
    symbol="@", elementwise=False, multilinear=True, examples=(Example(((2, 3), (3, 4))), Example(((1, 3), (3, 1)))),
    doc="Product A B of two matrices: the gradients are δBᵀ and Aᵀδ.")

stacks: Primitive = primitive("stacked_matmul", lambda xp, a, b: np.matmul(a, b),
    [lambda g, z, a, b: stacks(g, swapaxes(b, axis1=-1, axis2=-2)), lambda g, z, a, b: stacks(swapaxes(a, axis1=-1, axis2=-2), g)],
    symbol="@", elementwise=False, multilinear=True,
    examples=(Example(((2, 3), (3, 4))), Example(((5, 2, 3), (3, 1))), Example(((2, 1, 2, 3), (4, 3, 2)))),
    doc="Matrix products A B over leading axes that broadcast.")

affine_vector = primitive("affine", lambda xp, w, x, b: w.dot(x) + b,
    [lambda g, z, w, x, b: outer_product(g, x), lambda g, z, w, x, b: matvec(w.T, g), lambda g, z, w, x, b: g],
    symbol="W x + b", elementwise=False, multilinear=True, examples=(Example(((2, 3), (3,), (2,))),),
    doc="The pre-activation of a layer, z = Wx + b (notes, section 1.2): the gradient of the bias is δ itself.")

affine_rows = primitive("affine_rows", lambda xp, w, x, b: x.dot(w.T) + b,
    [lambda g, z, w, x, b: matmat(g.T, x), lambda g, z, w, x, b: matmat(g, w), lambda g, z, w, x, b: g],
    symbol="W x + b", elementwise=False, multilinear=True, examples=(Example(((2, 3), (4, 3), (2,))), Example(((2, 3), (1, 3), (2,)))),
    doc="z = Wx + b for a batch of rows x: the gradients of W and b sum over the batch.")

_weighted = primitive("weighted_sum", lambda xp, *terms: _weigh(terms),
    lambda k, g, z, *terms: g * _partner(k, terms),
    symbol="Σ", multilinear=True, examples=(Example(((), (), (), (), ())),),
    doc="A neuron's z = Σ wᵢxᵢ + b as one node: inputs w₁ … wₙ, x₁ … xₙ, b.")

_einsum = primitive("einsum", lambda xp, *xs, subscripts: np.asarray(np.einsum(subscripts, *xs)),
    lambda k, g, z, *xs, subscripts: _einsum_share(k, g, xs, subscripts),
    symbol="Σ", elementwise=False, multilinear=True,
    examples=(Example(((2, 3), (3, 4)), {"subscripts": "ij,jk->ik"}), Example(((2, 3), (2,), (3,)), {"subscripts": "ij,i,j->"}),
              Example(((2, 3),), {"subscripts": "ij->j"}), Example(((2, 3), (4,)), {"subscripts": "ij,k->ik"})),
    doc="Sums of products in Einstein notation.")
# fmt: on


_BY_AXES: Final = {(1, 1): inner, (2, 1): matvec, (1, 2): vecmat, (2, 2): matmat}
_MOST_TERMS: Final = 1000  # in one node: its source is compiled once for each number of terms


def _weigh(terms: Sequence[Any]) -> Any:
    n = len(terms) // 2
    total = terms[-1]
    for weight, item in zip(terms[:n], terms[n:-1], strict=True):
        total = total + weight * item
    return total


def _partner(k: int, terms: Sequence[Any]) -> Any:
    """The factor that multiplies the k-th input; 1 for the bias."""
    n = len(terms) // 2
    return 1.0 if k == 2 * n else terms[k + n] if k < n else terms[k - n]


def weighted_sum(weights: Any, inputs: Any, bias: Any = 0.0) -> Any:
    """Return a neuron's z = Σ wᵢxᵢ + b: on Values one node, whose edges carry the local gradients xᵢ, wᵢ and 1.

    More than 1,000 terms are recorded as one node per 1,000 terms, each with the previous node as its bias.

    Args:
        weights: n weights: a sequence of Values or numbers, or a vector (Tensor or array).
        inputs: n inputs, likewise.
        bias: one Value or number, 0 if omitted.

    Raises:
        TypeError: if an operand is not a Value or a real number.
        ValueError: if the numbers of weights and inputs differ, or there are none.

    Source: notes, section 1.1.

    >>> from autodiff import Value
    >>> w, x = [Value(2.0), Value(3.0)], [Value(5.0), Value(7.0)]
    >>> z = weighted_sum(w, x, Value(1.0))
    >>> z.backward()
    >>> z.data, w[1].grad, x[1].grad
    (32.0, 7.0, 3.0)
    """
    if weights.__class__ is inputs.__class__ is list or (_is_sequence(weights) and _is_sequence(inputs)):
        if len(weights) != len(inputs) or not len(weights):
            raise ValueError(
                f"weighted_sum needs as many inputs as weights, at least one; "
                f"it got {len(weights)} weights and {len(inputs)} inputs"
            )
        if len(weights) <= _MOST_TERMS:
            return _weighted(*weights, *inputs, bias)
        for start in range(0, len(weights), _MOST_TERMS):
            part = slice(start, start + _MOST_TERMS)
            bias = _weighted(*weights[part], *inputs[part], bias)
        return bias
    return dot(weights, inputs) + bias


def _is_sequence(x: Any) -> bool:
    return isinstance(x, list | tuple) or (_holds_values(x) and x.ndim == 1)


def affine(w: Any, x: Any, b: Any) -> Any:
    """Return the pre-activation of a layer, z = Wx + b, for one input or for rows of inputs.

    Args:
        w: weights, shape (m, n).
        x: an input of shape (n,), or rows of inputs of shape (…, n).
        b: biases, shape (m,).

    Returns:
        z of shape (m,) or (…, m). With object arrays of Values, each z is one `weighted_sum` node.

    Raises:
        TypeError: if an argument is not an array of real numbers.
        ValueError: if the shapes do not fit.

    Source: notes, sections 1.2 and 1.6.

    >>> affine(np.eye(2), np.array([1.0, 2.0]), np.ones(2))
    array([2., 3.])
    """
    try:
        shape, weights = x.shape, w.shape
    except AttributeError:
        return affine(*(item if hasattr(item, "shape") else as_operand("affine", item) for item in (w, x, b)))
    if len(weights) != 2 or shape[-1:] != weights[1:] or b.shape != weights[:1]:
        raise ValueError(
            f"affine needs W of shape (m, n), x of shape (n,) or (…, n) and b of shape (m,); "
            f"it got W {weights}, x {shape}, b {b.shape}"
        )
    if (x.__class__ is np.ndarray and x.dtype.char == "O") or (w.__class__ is np.ndarray and w.dtype.char == "O"):
        rows = [_neurons(w, row, b) for row in x.reshape(-1, weights[1])]
        return np.array(rows, dtype=object).reshape(*shape[:-1], weights[0])
    if len(shape) <= 2:
        affine_of = affine_rows if len(shape) == 2 else affine_vector
        return (affine_of.methods.get(w.__class__) or affine_of)(w, x, b)
    flat = affine_rows(w, reshape(x, shape=(-1, weights[1])), b)
    return reshape(flat, shape=(*shape[:-1], weights[0]))


def _holds_values(x: Any) -> bool:
    return x.__class__ is np.ndarray and x.dtype.char == "O"


def _neurons(w: Any, x: Any, b: Any) -> list[Any]:
    inputs = _listed(x)
    return [weighted_sum(row, inputs, bias) for row, bias in zip(map(_listed, w), _listed(b), strict=True)]


def _listed(x: Any) -> list[Any]:
    return x.tolist() if x.__class__ is np.ndarray else list(x)  # Tensor.tolist would leave the graph


def matmul(a: Any, b: Any) -> Any:
    """Return the product ``a @ b`` with NumPy's shapes: vectors, matrices, and stacks of matrices that broadcast.

    Raises:
        TypeError: if an operand is not made of real numbers.
        ValueError: if the shapes do not fit, or an operand has no axes.

    >>> matmul(np.eye(2), np.array([1.0, 2.0]))
    array([1., 2.])
    """
    try:
        product = _BY_AXES[a.ndim, b.ndim]
    except (AttributeError, KeyError):  # lists, symbols; stacks of matrices
        return _stacked(a, b)
    return (product.methods.get(a.__class__) or product)(a, b)


def _stacked(a: Any, b: Any) -> Any:
    if isinstance(a, Expression) or isinstance(b, Expression):
        return stacks(a, b)
    if not (hasattr(a, "ndim") and hasattr(b, "ndim")):
        return matmul(*(x if hasattr(x, "ndim") else as_operand("matmul", x) for x in (a, b)))
    axes = a.ndim, b.ndim
    if 0 in axes:
        raise ValueError(
            f"matmul needs vectors or matrices, and got shapes {np.shape(a)} and {np.shape(b)}; to scale, use *"
        )
    if axes[0] == 1:
        return squeeze(stacks(expand_dims(a, axis=0), b), axis=-2)
    if axes[1] == 1:
        return squeeze(stacks(a, expand_dims(b, axis=1)), axis=-1)
    return stacks(a, b)


def dot(a: Any, b: Any) -> Any:
    """Return ``numpy.dot``: the scalar product, the matrix product or, with a scalar operand, the plain product.

    >>> float(dot([1.0, 2.0], [3.0, 4.0]))
    11.0
    """
    axes = np.ndim(a), np.ndim(b)
    if 0 in axes:
        return multiply(a, b)
    return matmul(a, b) if max(axes) <= 2 or axes[1] == 1 else tensordot(a, b, axes=((-1,), (-2,)))


def outer(x: Any, y: Any) -> Any:
    """Return the outer product xyᵀ of two vectors (flattened as in NumPy), of shape (n, m).

    >>> outer([1.0, 2.0], [3.0])
    array([[3.],
           [6.]])
    """
    x, y = (reshape(v, shape=(-1,)) if np.ndim(v) != 1 else v for v in (x, y))
    return outer_product(x, y)


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Return the sum of products over ``axes``: a number (last axes of ``a``, first of ``b``) or a pair of axis lists.

    Raises:
        TypeError: if ``axes`` is neither a number nor a pair of axis lists.
        ValueError: if an axis is out of range, or the lengths of paired axes differ.

    >>> float(tensordot(np.ones((2, 3)), np.ones((2, 3))))
    6.0
    """
    a, b = (np.asarray(x) if isinstance(x, list | tuple) else x for x in (a, b))
    shape_a, shape_b = np.shape(a), np.shape(b)
    over_a, over_b = _paired(axes, len(shape_a), len(shape_b))
    if [shape_a[k] for k in over_a] != [shape_b[k] for k in over_b]:
        raise ValueError(
            f"tensordot cannot pair axes {over_a} of shape {shape_a} with axes {over_b} of shape {shape_b}"
        )
    keep_a = tuple(k for k in range(len(shape_a)) if k not in over_a)
    keep_b = tuple(k for k in range(len(shape_b)) if k not in over_b)
    size = int(np.prod([shape_a[k] for k in over_a]))
    rows = int(np.prod([shape_a[k] for k in keep_a]))
    columns = int(np.prod([shape_b[k] for k in keep_b]))
    left = reshape(transpose(a, axes=keep_a + over_a), shape=(rows, size))
    right = reshape(transpose(b, axes=over_b + keep_b), shape=(size, columns))
    return reshape(matmat(left, right), shape=tuple(shape_a[k] for k in keep_a) + tuple(shape_b[k] for k in keep_b))


def _paired(axes: Any, count_a: int, count_b: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes over which `tensordot` sums, counted from the front, for operands with this many axes."""
    counted = np.lib.array_utils.normalize_axis_tuple
    try:
        if not isinstance(axes, int | np.integer):
            of_a, of_b = axes
        elif 0 <= axes <= min(count_a, count_b):
            of_a, of_b = range(count_a - axes, count_a), range(axes)
        else:
            raise ValueError(f"the number of axes must be from 0 to {min(count_a, count_b)}")
        return counted(of_a, count_a), counted(of_b, count_b)
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            f"tensordot over axes={axes!r} of operands with {count_a} and {count_b} axes is not defined: {error}"
        ) from error


def einsum(subscripts: str, *operands: Any) -> Any:
    """Return sums of products in Einstein notation, as ``numpy.einsum``: letters, ``...``, an optional ``->``.

    Args:
        subscripts: for example ``"ij,jk->ik"``; a letter that occurs twice in one operand takes its diagonal.
        operands: one array or Tensor for each part.

    Raises:
        TypeError: if ``subscripts`` is not a string.
        ValueError: if ``subscripts`` does not fit the operands.

    >>> einsum("ij,j->i", np.eye(2), np.array([1.0, 2.0]))
    array([1., 2.])
    """
    if not isinstance(subscripts, str):
        raise TypeError(f"einsum needs its subscripts first, as a string like 'ij,jk->ik', and got {subscripts!r}")
    operands = tuple(np.asarray(x) if isinstance(x, list | tuple) else x for x in operands)
    parts, result = _explicit(subscripts, [np.ndim(x) for x in operands])
    cleaned = [_take_diagonals(part, x) for part, x in zip(parts, operands, strict=True)]
    text = ",".join(part for part, _ in cleaned) + "->" + result
    return _einsum(*(x for _, x in cleaned), subscripts=text)


def _explicit(subscripts: str, axes: Sequence[int]) -> tuple[list[str], str]:
    """The parts and the result with every ``...`` and the implied result spelled out in letters."""
    left, arrow, result = subscripts.replace(" ", "").partition("->")
    parts = left.split(",")
    if len(parts) != len(axes):
        raise ValueError(f"einsum {subscripts!r} names {len(parts)} operands, and got {len(axes)}")
    spare = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in subscripts]
    extra = [n - len(part.replace("...", "")) for part, n in zip(parts, axes, strict=True)]
    for part, more, ndim in zip(parts, extra, axes, strict=True):
        if more < 0 or (more and "..." not in part) or part.count("...") > 1:
            raise ValueError(f"einsum {subscripts!r}: the part {part!r} does not fit an operand with ndim={ndim}")
    dots = "".join(spare[: max(extra, default=0)])
    if not arrow:
        letters = left.replace(",", "").replace("...", "")
        result = "..." * ("..." in left) + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    if dots and "..." not in result:
        raise ValueError(f"einsum {subscripts!r}: the result must have the '...' of its operands, or sum letters instead")
    spelled = [part.replace("...", dots[len(dots) - more :]) for part, more in zip(parts, extra, strict=True)]
    return spelled, result.replace("...", dots)


def _take_diagonals(part: str, x: Any) -> tuple[str, Any]:
    """``part`` and operand without repeated letters: ``ii`` becomes ``i`` of the diagonal."""
    for letter in sorted(set(part)):
        while part.count(letter) > 1:
            first = part.index(letter)
            second = part.index(letter, first + 1)
            rest = [k for k in range(len(part)) if k not in (first, second)]
            if np.shape(x)[first] != np.shape(x)[second]:
                raise ValueError(
                    f"einsum: letter {letter!r} has lengths {np.shape(x)[first]} and {np.shape(x)[second]}"
                )
            order = np.arange(np.shape(x)[first])
            x = transpose(x, axes=(first, second, *rest))[order, order]
            part = letter + "".join(part[k] for k in rest)
    return part, x


def _einsum_share(k: int, g: Any, operands: Sequence[Any], subscripts: Any) -> Any:
    """The share of the k-th operand: the same sum with g in its place, repeated along letters that only it has.

    The share has the full length of every letter, even if the operand has length 1 there: the engine sums it.
    """
    if isinstance(subscripts, Expression):
        return Expression("xp", "einsum_share", g, *operands)
    left, _, result = subscripts.partition("->")
    parts = left.split(",")
    others = [part for j, part in enumerate(parts) if j != k]
    known = set(result).union(*others)
    reachable = "".join(c for c in parts[k] if c in known)
    share = _einsum(
        g, *(x for j, x in enumerate(operands) if j != k), subscripts=f"{','.join([result, *others])}->{reachable}"
    )
    alone = tuple(j for j, c in enumerate(parts[k]) if c not in known)
    whole = _lengths(parts[k], parts, operands)
    share = expand_dims(share, axis=alone) if alone else share
    return share if share.shape == whole else broadcast_to(share, shape=whole)


def _lengths(letters: str, parts: Sequence[str], operands: Sequence[Any]) -> tuple[int, ...]:
    """The length of each letter; an operand with length 1 is repeated along it."""
    lengths = {c: n for part, x in zip(parts, operands, strict=True) for c, n in zip(part, x.shape, strict=True) if n != 1}
    return tuple(lengths.get(c, 1) for c in letters)
