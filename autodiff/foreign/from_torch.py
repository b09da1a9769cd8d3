"""`from_torch`: the graph of a torch tensor as a graph of this engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autodiff.engine.graph import Node
from autodiff.foreign.from_jax import TracedFunction
from autodiff.foreign.singles import MOST_SINGLES, entry_name, singles, with_entry
from autodiff.foreign.torch_call import as_plain
from autodiff.foreign.torch_graph import check_unchanged, functions, leaf_of, result, run, solved
from autodiff.foreign.torch_operations import LAYOUT
from autodiff.primitives.operands import describe
from autodiff.values.tensor import Tensor

__all__ = ["Traced", "adopt", "from_torch", "is_foreign"]


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """A torch program as a graph of this engine; made by `from_torch`.

    ``output`` is the node of the loss, ``parameter`` the node of the parameter, or None if none was given.
    """

    output: Node
    parameter: Node | None
    _results: dict[Any, Any] = field(repr=False)

    def node(self, tensor: Any) -> Node:
        """The node of a torch leaf, or of a tensor that the program computed.

        Raises:
            ValueError: if the tensor is not in the graph of the loss, or was traced as single numbers.
        """
        found = _found(self._results, tensor)
        if not isinstance(found, Node):
            raise ValueError(
                "the tensor has no node in this trace; pass it as the parameter: from_torch(loss, parameter)"
            )
        return found


def from_torch(loss: Any, parameter: Any = None, *, names: Any = None) -> Traced:
    """Trace the graph that torch recorded for ``loss`` into a graph of this engine, with the same values and gradients.

    Args:
        loss: a real torch tensor with a ``grad_fn``; ``backward()`` has not yet freed its graph.
        parameter: a leaf of the graph, one element of a leaf such as ``net.fc1.weight[0, 3]``, or a tensor on the way.
            For one element of a small program, the graph consists of Values.
        names: an ``nn.Module``, whose parameters give their names (``fc1.weight``), or a dict of tensors and modules,
            such as ``locals()``.

    Every value has the unit of the tensor it comes from. Kinks follow this engine's conventions, which are torch's.

    Raises:
        TypeError: if ``loss`` is not a torch tensor. ValueError: if an operation cannot be traced (the message names
        it), a tensor was changed in place or freed since, or the parameter is not in the graph.

    Source: torch's autograd graph, ``loss.grad_fn`` and ``next_functions``.

    >>> from_torch(3.0)
    Traceback (most recent call last):
    TypeError: from_torch takes a torch tensor with a grad_fn, and got 3.0
    """
    if not is_torch(loss):
        raise TypeError(f"from_torch takes a torch tensor with a grad_fn, and got {describe(loss)}")
    if loss.grad_fn is None:
        raise ValueError("the torch tensor has no grad_fn, so torch recorded no graph; compute it from parameters")
    order = functions(loss.grad_fn)
    check_unchanged(order)
    constants = solved(order, loss)
    plain = run(order, as_plain, constants)
    if not _agrees(_of(plain, loss), as_plain(loss)):
        raise ValueError(
            f"the traced program gives {np.ravel(_of(plain, loss))[0]:.12g} and the torch tensor of "
            f"{loss.grad_fn.name()} is {np.ravel(as_plain(loss))[0]:.12g}; a parameter or constant was changed after "
            "the loss was computed, so compute it again"
        )
    named = dict(_named(names))
    leaf, index = (None, ()) if parameter is None else _element(parameter, plain)
    few = sum(np.size(item) for item in plain.values() if not isinstance(item, list)) <= MOST_SINGLES
    entry = None if leaf is None or few else Tensor(as_plain(leaf)[index], name=entry_name(named.get(id(leaf)), index))

    def start(tensor: Any) -> Any:
        name, data = named.get(id(tensor)), as_plain(tensor)
        if leaf is None:
            return Tensor(data, name=name)
        if few:
            return singles(data, name)
        if tensor is not leaf:
            return Tensor(data, name=name)
        return with_entry(data, index, entry)

    results = run(order, start, constants)
    output = _node(_of(results, loss))
    if parameter is None:
        return Traced(output, None, results)
    if leaf is None:
        return Traced(output, _found(results, parameter), results)
    return Traced(output, entry if entry is not None else _of_leaf(results, leaf)[index], results)


def adopt(output: Any, parameter: Any, names: Any) -> tuple[Any, Any, Any]:
    """The same three arguments, or the nodes of a torch tensor or a traced jax function and its parameter."""
    if isinstance(output, TracedFunction):
        chosen = output if parameter is None else output.at(parameter)
        return chosen.output, chosen.parameter, names
    if not is_torch(output):
        return output, parameter, names
    traced = from_torch(output, parameter, names=names)
    return traced.output, traced.parameter, None


def is_foreign(item: Any) -> bool:
    """Whether `adopt` makes a graph of it: a torch tensor, or a traced function of jax."""
    return isinstance(item, TracedFunction) or is_torch(item)


def is_torch(item: Any) -> bool:
    """Whether this is a torch tensor; torch need not be installed."""
    return type(item).__module__.partition(".")[0] == "torch" and hasattr(item, "grad_fn")


def _agrees(ours: Any, theirs: Any) -> bool:
    tolerance = float(np.finfo(theirs.dtype).eps) ** 0.75
    with np.errstate(all="ignore"):
        return bool(np.allclose(ours, theirs, rtol=tolerance, atol=tolerance, equal_nan=True))


def _of(results: dict[Any, Any], tensor: Any) -> Any:
    return result(results, tensor.grad_fn, tensor.output_nr)


def _of_leaf(results: dict[Any, Any], leaf: Any) -> Any:
    return next((item for function, item in results.items() if leaf_of(function) is leaf), None)


def _found(results: dict[Any, Any], tensor: Any) -> Any:
    """The result of a leaf or of a computed tensor; None if it is not in the graph."""
    if tensor.grad_fn is None:
        return _of_leaf(results, tensor)
    return _of(results, tensor) if tensor.grad_fn in results else None


def _element(parameter: Any, results: dict[Any, Any]) -> tuple[Any, tuple[int, ...]]:
    """The leaf and the index of one element of it; None and () for a tensor that is in the graph as a whole."""
    if not is_torch(parameter):
        raise TypeError(f"expected the parameter as a torch tensor, like the loss, but got {describe(parameter)}")
    if _found(results, parameter) is not None:
        return None, ()
    if parameter.grad_fn is None:
        raise ValueError("the parameter is a torch tensor that is not in the graph of the loss")
    order = functions(parameter.grad_fn)
    leaf = leaf_of(order[0])
    if leaf is None or _of_leaf(results, leaf) is None or parameter.numel() != 1:
        raise ValueError(
            "the parameter is not in the graph of the loss; pass a leaf, one element of a leaf (net.fc1.weight[0, 3]), "
            "or a tensor from which the loss was computed"
        )
    numbers = run(order, lambda tensor: np.arange(tensor.numel()).reshape(tensor.shape), {}, LAYOUT)
    index = np.unravel_index(int(np.ravel(_of(numbers, parameter))[0]), tuple(leaf.shape))
    return leaf, tuple(map(int, index))


def _named(names: Any) -> Iterator[tuple[int, str]]:
    """The names by the identity of the tensors; the first name counts least, so that a module's own name wins."""
    if names is None:
        return
    if hasattr(names, "named_parameters"):
        yield from ((id(tensor), name) for name, tensor in names.named_parameters())
        return
    if not isinstance(names, Mapping):
        raise TypeError(f"names must be an nn.Module or a dict of tensors and modules, and got {describe(names)}")
    for name, item in names.items():
        if hasattr(item, "named_parameters") and not isinstance(item, type):
            yield from ((id(tensor), f"{name}.{key}") for key, tensor in item.named_parameters())
        elif is_torch(item):
            yield id(item), name


def _node(item: Any) -> Node:
    if isinstance(item, np.ndarray) and item.dtype == object and item.size == 1:
        item = item.item()
    if not isinstance(item, Node):
        raise ValueError("expected a loss of one number; sum the losses or take one of them")
    return item
