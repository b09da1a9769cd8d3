"""What `see` was given: a result with its parameter, or a function or network with its inputs, which is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from autodiff.engine.backward import backpropagate
from autodiff.engine.graph import Node, topological
from autodiff.flow import Flow
from autodiff.foreign.from_torch import adopt, is_foreign
from autodiff.primitives.operands import describe
from autodiff.primitives.origin import SourceLine
from autodiff.primitives.whole import unfolded
from autodiff.telling.explain import explain
from autodiff.transforms.run import is_function, is_network, run

__all__ = ["Start", "start"]


class Start(NamedTuple):
    """A result, its parameter or None, and names of variables; of a function, also what only calling it tells.

    ``errors`` are the gradients of all its nodes if there is no parameter, and ``listing`` is its source.
    """

    output: Any
    parameter: Any
    names: Any
    errors: Mapping[Node, Any] | None = None
    listing: tuple[SourceLine, ...] = ()


def start(output: Any, inputs: Sequence[Any], parameter: Any, names: Any) -> Start:
    """The result to be drawn, from the arguments of `see` with these names; a function or network is called.

    Raises:
        TypeError: if the output is no result, function or network; if a result comes with several parameters; errors of
            `autodiff.transforms.run.run` and of `explain`.
    """
    if is_function(output):
        return _of_function(output, inputs, parameter, names)
    if is_network(output) and not is_foreign(output):
        return _of_network(output, inputs, parameter, names)
    if not (isinstance(output, Flow | Node) or is_foreign(output)):
        raise TypeError(
            f"expected the output of a graph as a Value or Tensor, but got {describe(output)}; "
            "a function is drawn with its inputs: see(f, 2.0, 3.0)"
        )
    given = [*inputs] if parameter is None else [*inputs, parameter]
    if len(given) > 1:
        raise TypeError(f"a result is drawn with one parameter, as in see(output, parameter), but got {len(given)}")
    if isinstance(output, Node):
        output = unfolded(output, topological(output))
    return Start(*adopt(output, given[0] if given else None, names))


def _of_function(f: Any, inputs: Sequence[Any], parameter: Any, names: Any) -> Start:
    done = run(f, inputs)
    if parameter is not None:
        return Start(done.output, done.node(parameter), done.names(names), None, done.listing)
    errors = backpropagate(done.output) if done.output.size == 1 else None
    return Start(done.output, None, done.names(names), errors, done.listing)


def _of_network(network: Any, inputs: Sequence[Any], parameter: Any, names: Any) -> Start:
    if not inputs:
        raise TypeError(
            f"see draws a result, but got the network {describe(network)}; pass its input too: see(network, x)"
        )
    if parameter is not None:
        return Start(explain(network, parameter, *inputs, names=names).flow, None, None)
    output = network(*inputs)
    if not (isinstance(output, Node) or is_foreign(output)):
        raise TypeError(f"the network returned {describe(output)}; draw one of its outputs: see(network(x)[0])")
    return Start(*adopt(output, None, names))
