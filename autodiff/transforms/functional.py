"""Derivatives as functions of functions: ``grad(f)`` and its relatives, to any order, over nested inputs.

Plain numbers in, plain numbers out. If an argument is a node, or the function closes over one, the result is a node
too, as that of any expression would be: that is how transforms nest, without levels and without a mode.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from autodiff.engine.backward import own_copy, run_backward
from autodiff.engine.graph import Node, clock, topological
from autodiff.engine.reading import WATCHES, passed, recorded
from autodiff.engine.trees import flatten, flatten_as, rebuild, tree_map
from autodiff.primitives.namespace import WholeNumber, is_plain_number
from autodiff.primitives.operands import describe
from autodiff.primitives.table.layout import reshape, stack
from autodiff.primitives.table.reductions import sum as sum_over
from autodiff.primitives.table.units import identity
from autodiff.values.tensor import Tensor
from autodiff.values.value import Value

__all__ = ["grad", "gradients", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]


def gradients(output: Any, inputs: Any, *, seed: Any = None, create_graph: bool = False) -> Any:
    """∂output/∂input for every input: the graph function behind all transforms; writes to no ``.grad``.

    Args:
        output: a Value or Tensor; without ``seed`` it holds one number.
        inputs: a node, or nested lists, tuples and dicts of nodes; leaves or results on the way.
        seed: the error signal of the output, of its shape; 1 if left out.
        create_graph: the gradients are nodes, which can be differentiated again.

    Returns:
        the structure of ``inputs`` with floats for Values and arrays for Tensors (nodes with ``create_graph``);
        None for a node that the output does not depend on.

    Raises:
        TypeError: output or an input is not a node. ValueError: shape of the seed. StaleGraphError: new data.

    Source: notes, section 1.5.

    >>> x, y = Value(2.0), Value(3.0)
    >>> gradients(x * y, {"x": x, "y": y})
    {'x': 3.0, 'y': 2.0}
    """
    wanted = flatten(inputs)
    for item in wanted:
        if not isinstance(item, Node):
            raise TypeError(f"gradients are taken with respect to Values and Tensors, and got {describe(item)}")
    if WATCHES and not create_graph and isinstance(output, Node):
        passed(output)
    found: dict[Node, Any] = {}
    targets = set(wanted)

    def deliver(node: Node, signal: Any) -> None:
        if node in targets:
            found[node] = own_copy(signal)

    run_backward(output, seed, deliver, create_graph=create_graph, wanted=targets)
    if create_graph:
        found = {node: _as_node(signal, node) for node, signal in found.items()}
    return rebuild(inputs, [found.get(item) for item in wanted])


def grad(f: Callable[..., Any], argnum: WholeNumber | Sequence[WholeNumber] = 0) -> Callable[..., Any]:
    """The function that computes ∇f with respect to argument ``argnum``.

    Args:
        f: a function whose result is one number (a Value or Tensor when called with them).
        argnum: which positional argument, 0-based; a sequence gives a tuple of gradients.

    Returns:
        a function of the same arguments. The argument may nest lists, tuples and dicts of numbers, arrays and nodes:
        so does the result. An argument that f ignores has gradient 0, and so has every argument of a constant.

    Raises:
        TypeError: f is not callable, the argument holds no numbers, or the result is no number; or it depends on none
            of them, but f read the ``.data`` of a node that does (the message names the line).
        ValueError: the result has more than one element, or there is no such argument.

    >>> grad(lambda x: x ** 3)(2.0)
    12.0
    >>> grad(grad(lambda x: x ** 3))(2.0)
    12.0
    """
    both = value_and_grad(f, argnum)

    @wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return gradient


def value_and_grad(
    f: Callable[..., Any], argnum: WholeNumber | Sequence[WholeNumber] = 0
) -> Callable[..., tuple[Any, Any]]:
    """The function that computes (f, ∇f) in one forward and one backward pass; see `grad`.

    >>> value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)
    """
    _check_function(f)

    @wraps(f)
    def both(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        call = _Call(f, argnum, args, kwargs)
        output = call.single_output()
        return call.plain(output), call.pullback(output, None)

    return both


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """f(*primals) and the pullback ū ↦ Jᵀū: one gradient for each primal.

    The result of f may nest; the cotangent has its structure and shapes. Raises as `grad`.

    >>> value, pullback = vjp(lambda x, y: x * y, 2.0, 3.0)
    >>> value, pullback(1.0)
    (6.0, (3.0, 2.0))
    """
    _check_function(f)
    call = _Call(f, tuple(range(len(primals))), primals, {})
    outputs = flatten(call.result)
    if not outputs:
        raise TypeError(f"vjp needs a result that holds a number, and the function returned {describe(call.result)}")

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        return call.pullback_of_all(outputs, flatten_as(cotangent, call.result, "the cotangent"))  # type: ignore[no-any-return]

    return tree_map(call.plain, call.result), pullback


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """f(*primals) and the directional derivative J·t.

    The pullback ū ↦ Jᵀū is linear, so its own pullback is J: two backward passes, no second table of rules.

    Args:
        primals: the arguments, as a list or tuple; each may nest.
        tangents: one direction for each, of the same structure and shapes.

    Raises:
        TypeError: primals or tangents are not lists or tuples. ValueError: their structures or shapes differ.

    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.0))
    (6.0, 3.0)
    """
    _check_function(f)
    for role, items in (("primals", primals), ("tangents", tangents)):
        if not isinstance(items, list | tuple):
            raise TypeError(f"jvp needs {role} as a list or tuple, one for each argument, and got {describe(items)}")
    given, directions = flatten(list(primals)), flatten_as(list(tangents), list(primals), "tangents")
    shapes = [np.shape(x) for x in given], [np.shape(x) for x in directions]
    if shapes[0] != shapes[1]:
        raise ValueError(f"jvp needs tangents of the primals' shapes {shapes[0]}, and got {shapes[1]}")
    call = _Call(f, tuple(range(len(primals))), tuple(primals), {})
    outputs = flatten(call.result)
    derivatives = [_pushforward(call, output, directions) for output in outputs]
    return tree_map(call.plain, call.result), rebuild(call.result, derivatives)


def jacobian(f: Callable[..., Any], argnum: WholeNumber = 0) -> Callable[..., Any]:
    """The function that computes ∂f/∂x: for a result of shape s and an argument of shape t, an array of shape s + t.

    A nested result or argument gives the same nesting: the result's outside, the argument's inside. Raises as `grad`.

    >>> jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    _check_function(f)

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        call = _Call(f, argnum, args, kwargs)
        return tree_map(lambda output: _rows(call, output), call.result)

    return derivative


def hessian(f: Callable[..., Any], argnum: WholeNumber = 0) -> Callable[..., Any]:
    """The function that computes ∂²f/∂x²: the `jacobian` of the gradient; shape t + t for an argument of shape t.

    >>> hessian(lambda x: x[0] * x[0] * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """
    return jacobian(grad(f, argnum), argnum)


def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """The product of the Hessian of f at x with v, without the Hessian: the gradient of ⟨∇f, v⟩.

    ``v`` has the structure and shapes of ``x``, and so has the result. Raises ValueError where they differ.

    >>> hvp(lambda x: x ** 3, 2.0, 1.0)
    12.0
    """
    direction = flatten_as(v, x, "v")
    shapes = [np.shape(a) for a in flatten(x)], [np.shape(a) for a in direction]
    if shapes[0] != shapes[1]:
        raise ValueError(f"hvp needs v of the shapes of x, {shapes[0]}, and got {shapes[1]}")

    def along(point: Any) -> Any:
        slopes = flatten(grad(f)(point))
        return _total(_dot(slope, part) for slope, part in zip(slopes, direction, strict=True))

    return grad(along)(x)


def _check_function(f: Any) -> None:
    if not callable(f):
        raise TypeError(f"a derivative is taken of a function, and got {describe(f)}; use gradients(output, inputs)")


class _Call:
    """One call of a function with fresh leaves in place of the arguments to differentiate."""

    def __init__(
        self, f: Any, argnum: WholeNumber | Sequence[WholeNumber], args: Sequence[Any], kwargs: dict[str, Any]
    ) -> None:
        self.several = isinstance(argnum, Iterable)
        numbers = _places(argnum, len(args))
        self.start = clock.tick()
        self.chosen = [args[k] for k in numbers]
        leaves = [[_fresh(leaf) for leaf in flatten(arg)] for arg in self.chosen]
        self.inputs = [leaf for group in leaves for leaf in group]
        if not self.inputs:
            raise TypeError("there is nothing to differentiate with respect to: the argument holds no numbers")
        replaced = list(args)
        for k, group in zip(numbers, leaves, strict=True):
            replaced[k] = rebuild(args[k], group)
        self.result = recorded(f, replaced, kwargs, self.inputs)
        for output in flatten(self.result):
            _check_output(output)
        self.open = any(isinstance(leaf, Node) for arg in self.chosen for leaf in flatten(arg)) or self._closes_over()

    def _closes_over(self) -> bool:
        """Whether the result depends on a leaf from before this call: a node from outside."""
        return any(
            node.is_leaf and node.version < self.start and not node.is_detached
            for output in flatten(self.result)
            if isinstance(output, Node)
            for node in topological(output)
        )

    def single_output(self) -> Any:
        """The result, which must be one number."""
        output = self.result
        if isinstance(output, list | tuple | dict):
            raise TypeError(f"a gradient is taken of one number, and the function returned {describe(output)}")
        shape = _shape(output)
        if math.prod(shape) != 1:
            raise ValueError(
                f"the function returned shape {shape}; a gradient is taken of one number: "
                "reduce it, as with .sum(), or use jacobian or vjp"
            )
        return output

    def plain(self, item: Any) -> Any:
        """A result as the caller gets it: a node if any argument was one, else numbers."""
        return item if self.open or not isinstance(item, Node) else own_copy(item._data)

    def pullback(self, output: Any, seed: Any, create_graph: bool | None = None) -> Any:
        """The gradients of one output, in the structure of the arguments; zero where it does not depend on them."""
        graph = self.open if create_graph is None else create_graph
        if isinstance(output, Node):
            found = gradients(output, self.inputs, seed=seed, create_graph=graph)
        else:
            found = [None] * len(self.inputs)  # a constant: the function ignores its argument
            came, needed = _shape(seed), _shape(output)
            if seed is not None and came != needed:
                raise ValueError(f"the seed has shape {came}, the output {needed}; they must be the same")
        return self.structured([_zero(leaf) if g is None else g for leaf, g in zip(self.inputs, found, strict=True)])

    def pullback_of_all(self, outputs: Sequence[Any], seeds: Sequence[Any]) -> Any:
        """The sum over outputs of their gradients with the given seeds."""
        graph = self.open or any(isinstance(seed, Node) for seed in seeds)
        parts = [flatten(self.pullback(output, seed, graph)) for output, seed in zip(outputs, seeds, strict=True)]
        return self.structured([_total(column) for column in zip(*parts, strict=True)])

    def structured(self, leaves: Iterable[Any]) -> Any:
        rebuilt = rebuild(list(self.chosen), list(leaves))
        return tuple(rebuilt) if self.several else rebuilt[0]


def _places(argnum: WholeNumber | Sequence[WholeNumber], count: int) -> list[int]:
    """Which of ``count`` arguments are to be differentiated; raises for what is not there or named twice."""
    numbers = list(argnum) if isinstance(argnum, Iterable) else [argnum]
    for k in numbers:
        if not isinstance(k, int | np.integer) or isinstance(k, bool):
            raise TypeError(f"argnum is an int or a sequence of ints, and got {argnum!r}")
        if not -count <= k < count:
            raise ValueError(f"argnum {k} asks for an argument that is not there: {count} positional ones came")
    if len({k % count for k in numbers}) < len(numbers):
        raise ValueError(f"argnum names each argument once, and got {argnum!r} for {count} arguments")
    return [int(k) for k in numbers]


def _check_output(output: Any) -> None:
    """Raise TypeError for a result that is neither a node nor a constant number or array."""
    if isinstance(output, Node):
        return
    if isinstance(output, bool | str) or not isinstance(output, int | float | np.ndarray | np.generic):
        raise TypeError(f"the function returned {describe(output)}, not a number, a Value or a Tensor")
    if np.asarray(output).dtype.kind not in "fiu":
        raise TypeError(f"the function returned an {describe(output)}; autodiff.stack makes one Tensor of Values")


def _shape(output: Any) -> tuple[int, ...]:
    return np.shape(output._data if isinstance(output, Node) else output)


def _fresh(leaf: Any) -> Any:
    if isinstance(leaf, Node):
        return identity(leaf)  # a new node behind the old: gradients stop here, the outer graph goes on
    return Value(leaf) if is_plain_number(leaf) else Tensor(leaf)


def _zero(leaf: Node) -> Any:
    return 0.0 if leaf._data.__class__ is float else np.zeros_like(leaf._data)


def _as_node(signal: Any, like: Node) -> Any:
    return signal if isinstance(signal, Node) else type(like).constant(signal)


def _total(items: Iterable[Any]) -> Any:
    first, *rest = items
    for item in rest:
        first = first + item
    return first


def _dot(x: Any, y: Any) -> Any:
    with np.errstate(all="ignore"):  # a slope may be infinite where the direction is 0: nothing comes of it
        product = x * y
        return product if np.ndim(product) == 0 else sum_over(product)


def _pushforward(call: _Call, output: Any, directions: Sequence[Any]) -> Any:
    """J·t for one output: the pullback's own pullback, at any cotangent (1 here; it is linear)."""
    if not isinstance(output, Node):
        return 0.0 if np.ndim(output) == 0 else np.zeros(np.shape(output))
    data = output._data
    cotangent: Any = Value(1.0) if data.__class__ is float else Tensor(np.ones(data.shape, data.dtype))
    back = gradients(output, call.inputs, seed=cotangent, create_graph=True)
    terms = [_dot(slope, part) for slope, part in zip(back, directions, strict=True) if slope is not None]
    forward = None
    if terms and isinstance(total := _total(terms), Node):
        graph = call.open or any(isinstance(part, Node) for part in directions)
        forward = gradients(total, cotangent, create_graph=graph)
    return _zero(cotangent) if forward is None else forward


def _rows(call: _Call, output: Any) -> Any:
    """The Jacobian of one output: one backward pass for each of its elements."""
    shape = _shape(output)
    if shape == ():
        return call.pullback(output, None)
    rows = []
    for k in range(int(np.prod(shape))):
        seed = np.zeros(shape, output.dtype)
        seed.flat[k] = 1.0
        rows.append(flatten(call.pullback(output, seed)))
    if not rows:
        empty = [np.zeros(shape + np.shape(leaf._data)) for leaf in call.inputs]
        return call.structured(empty)
    return call.structured([_stacked(column, shape) for column in zip(*rows, strict=True)])


def _stacked(column: Sequence[Any], shape: tuple[int, ...]) -> Any:
    if not any(isinstance(row, Node) for row in column):
        return np.stack(column).reshape(shape + np.shape(column[0]))
    return reshape(stack(column), shape=shape + np.shape(column[0]))
