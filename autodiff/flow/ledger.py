"""Error sharing as data: which share of an output's error crosses which edge on its way to one parameter.

The chain rule as a ledger. Every node between output and parameter has an error δ, every edge a local gradient ∂z/∂x,
and what the edge carries is their product, its *share* of the error. The shares that arrive at a node add up to its
error; those that arrive at the parameter add up to its gradient. No colour and no layout here: text and pictures are
made from this.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from autodiff.engine.backward import backpropagate
from autodiff.engine.gates import Reach, everywhere, has_nan, reach, reached
from autodiff.engine.graph import BY_RULE, Node
from autodiff.engine.shares import edge_shares, local_gradients, plain_shares
from autodiff.flow.anomalies import Anomaly, first_errors, first_values, is_finite
from autodiff.flow.labels import Reading, labels, read_edge
from autodiff.flow.parts import FlowEdge, FlowNode, Wire
from autodiff.flow.paths import count_paths, exact_sum, most_roundings, strongest_paths, total_strength
from autodiff.flow.variable_names import names_in
from autodiff.primitives.operands import describe
from autodiff.primitives.table.units import hinge
from autodiff.words.notation import number

__all__ = ["Factor", "Flow", "Flows", "Path", "bracketed", "count_text", "error_flow"]

_MOST_FACTORS = 40  # in one printed product
_EXACT_IN_JSON = 2**53
_MOST_EXACT = 2_000  # edges: the exact sum takes time and memory with their square
_HALF_AN_ULP = 2.0**-53  # of 1: what one rounding changes


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """One factor of a path's product: how it reads, its number (None for arrays) and its edge (None: the seed)."""

    symbol: str
    number: float | None
    edge: FlowEdge | None


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """One way from the output to the parameter: the seed, then the local gradients it crosses.

    ``product`` is their product, the share of the error that comes this way, and ``percentage`` how much that is of
    all paths together, signs aside; both are None where edges are arrays.
    """

    factors: tuple[Factor, ...]
    product: float | None
    percentage: float | None

    @property
    def edges(self) -> tuple[FlowEdge, ...]:
        """The edges, from the output on."""
        return tuple(factor.edge for factor in self.factors if factor.edge is not None)

    @property
    def products(self) -> tuple[float, ...]:
        """What is left of the seed after each factor, the last of them ``product``; () where edges are arrays."""
        return _products(self.factors)

    @property
    def weakest(self) -> Factor | None:
        """The local gradient that shrinks the signal most; None if none does."""
        sized = [factor for factor in self.factors if factor.edge is not None and factor.number is not None]
        smallest = min(sized, key=lambda factor: abs(factor.number or 0.0), default=None)
        return smallest if smallest is not None and abs(smallest.number or 0.0) < 1 else None

    def symbols(self, *, most: int = _MOST_FACTORS) -> str:
        """The product in symbols, 1 · W₁₁⁽²⁾ · σ′(z₁⁽²⁾) · a₄⁽¹⁾; of more than ``most`` factors the outer ones."""
        return " · ".join(_shortened([bracketed(factor.symbol) for factor in self.factors], most))

    def numbers(self, *, most: int = _MOST_FACTORS) -> str:
        """The same product in numbers, 1 × 0.9 × 0.1793 × 0.8; "" where edges are arrays."""
        if self.product is None:
            return ""
        return " × ".join(_shortened([bracketed(number(factor.number)) for factor in self.factors], most))

    def formula(self) -> str:
        """Symbols = numbers = product."""
        return f"{self.symbols()} = {self.numbers()} = {number(self.product)}" if self.numbers() else self.symbols()


@dataclass(frozen=True, eq=False)
class Flow:
    """The way of an output's error to one parameter, as a ledger; made by `error_flow`.

    ``nodes`` and ``edges`` are what lies between output and parameter, in the order of the backward pass: the output
    first, the parameter last, every edge after all shares of its consumer. ``rest`` and ``rest_wires`` are the other
    nodes and edges of the graph, ``flows`` what leads to all of them. ``gradient`` is None if the parameter is on no
    path from the output: then nodes and edges are empty. A gradient of 0.0 is another thing: paths lead there, and
    nothing arrives.
    """

    output: FlowNode
    parameter: FlowNode
    seed: Any
    gradient: Any
    nodes: tuple[FlowNode, ...]
    edges: tuple[FlowEdge, ...]
    flows: Flows = field(repr=False)

    @cached_property
    def rest(self) -> tuple[FlowNode, ...]:
        """The nodes of the graph that are not on the way, with ids behind those that are."""
        here = {node.label for node in self.nodes}
        rest = (node for node in self.flows.nodes if node.label not in here)
        return tuple(replace(node, id=number) for number, node in enumerate(rest, start=len(self.nodes)))

    @cached_property
    def rest_wires(self) -> tuple[Wire, ...]:
        """The edges that carry no share of the gradient: those to nodes of the rest."""
        return tuple(self.flows.wires_to(self.rest, self.nodes))

    @property
    def is_empty(self) -> bool:
        """Whether the parameter lies on no path from the output."""
        return not self.nodes

    @property
    def derivative(self) -> str:
        """What the gradient is, in symbols: ∂a₁⁽³⁾/∂W₁₄⁽¹⁾, with the seed before it if that is not 1."""
        quotient = f"∂{self.output.label}/∂{self.parameter.label}"
        if np.all(np.equal(self.seed, 1.0)):
            return quotient
        return f"{bracketed(number(self.seed)) if isinstance(self.seed, float) else 'seed'} · {quotient}"

    @cached_property
    def _arriving(self) -> dict[int, list[FlowEdge]]:
        arriving: dict[int, list[FlowEdge]] = {}
        for edge in self.edges:
            arriving.setdefault(edge.input, []).append(edge)
        return arriving

    def arriving(self, node: FlowNode) -> tuple[FlowEdge, ...]:
        """The edges whose shares add up, in this order, to the error of ``node``."""
        return tuple(self._arriving.get(node.id, ()))

    @property
    def shares(self) -> tuple[FlowEdge, ...]:
        """The edges whose shares add up to the gradient."""
        return self.arriving(self.parameter)

    @cached_property
    def anomalies(self) -> tuple[Anomaly, ...]:
        """Where numbers stop being finite: values, in the order of computation, then errors, in that of the pass.

        A value off the way counts only where the output or an error is not finite either: else it leaves no trace.
        """
        if self.is_empty:
            return ()
        errors = tuple(first_errors(self.nodes, self.edges))
        values = self.flows.first_values
        if not errors and is_finite(self.output.value) and is_finite(self.gradient):
            way = {node.label for node in self.nodes}
            values = tuple(anomaly for anomaly in values if anomaly.node.label in way)
        return (*values, *errors)

    @cached_property
    def _pairs(self) -> list[tuple[int, int]]:
        return [(edge.consumer, edge.input) for edge in self.edges]

    @cached_property
    def _gains(self) -> list[float]:
        return [_gain(edge) for edge in self.edges]

    @cached_property
    def path_count(self) -> int:
        """The number of paths from output to parameter, exactly; 0 for an empty flow."""
        return 0 if self.is_empty else count_paths(self._pairs, len(self.nodes) - 1)

    @cached_property
    def _total(self) -> float | None:
        """Σ |product| over all paths; None where it means nothing: arrays, overflow, everything zero."""
        if self.is_empty or not isinstance(self.seed, float) or any(edge.local is None for edge in self.edges):
            return None
        total = total_strength(self._pairs, self._gains, len(self.nodes) - 1, start=abs(self.seed))
        return total if 0 < total < math.inf else None

    @property
    def left_after_cancelling(self) -> float | None:
        """|gradient| / Σ |product| over all paths: 1 if no two paths work against each other, 0 if all cancel."""
        return None if self._total is None else abs(self.gradient) / self._total

    @property
    def rounding(self) -> float | None:
        """How large the rounding error of the gradient may be: Σ |product| over all paths · their roundings · ε/2.

        It takes each local gradient to be right to an ulp. None where `left_after_cancelling` is.
        """
        if self._total is None:
            return None
        return self._total * most_roundings(self._pairs, len(self.nodes) - 1) * _HALF_AN_ULP

    @property
    def cancels_exactly(self) -> bool:
        """Whether the products of all paths, not all 0, add up to 0 without any rounding.

        That is looked into where the gradient is 0, in graphs of up to 2,000 edges.
        """
        if self._total is None or self.gradient or len(self.edges) > _MOST_EXACT:
            return False
        return not exact_sum(self._pairs, self._gains, len(self.nodes) - 1)

    def strongest(self, k: int = 3) -> tuple[Path, ...]:
        """The k paths with the largest |product of local gradients|, strongest first; all if there are fewer.

        An edge of arrays counts by how much it changes the size of the error, ‖share‖/‖δ‖.

        Raises:
            TypeError, ValueError: k is not an integer, or below 1.
        """
        if isinstance(k, bool) or not isinstance(k, int):
            raise TypeError(f"the number of paths is an integer, and got {k!r}")
        if k < 1:
            raise ValueError(f"the number of paths is at least 1, and got {k}")
        if self.is_empty:
            return ()
        found = strongest_paths(self._pairs, self._gains, len(self.nodes) - 1, k)
        return tuple(self._path([self.edges[position] for position in path]) for path in found)

    def _path(self, edges: Sequence[FlowEdge]) -> Path:
        seed = self.seed if isinstance(self.seed, float) else None
        symbol = number(float(self.seed.item()) if seed is None else seed) if np.size(self.seed) == 1 else "seed"
        factors = (Factor(symbol, seed, None), *(Factor(edge.local_symbol, edge.local, edge) for edge in edges))
        product = next(reversed(_products(factors)), None)
        share = None if product is None or self._total is None else 100 * abs(product) / self._total
        return Path(factors, product, share)

    @cached_property
    def strongest_path(self) -> Path | None:
        """The strongest path, None for an empty flow."""
        return next(iter(self.strongest(1)), None)

    @property
    def weakest(self) -> Factor | None:
        """On the strongest path, the local gradient that shrinks the error most; None if none does."""
        return None if self.strongest_path is None else self.strongest_path.weakest

    def formula(self) -> str:
        """The gradient as a product in symbols and numbers, or as the sum of the paths' products.

        >>> from autodiff import Value
        >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
        >>> error_flow(w * x, w).formula()
        '1 · x = 1 × 3 = 3'
        >>> error_flow(w * w, w).formula()
        '1 · w + 1 · w = 2 + 2 = 4'
        """
        if self.is_empty:
            return ""
        if self.path_count == 1:
            return self.strongest(1)[0].formula()
        paths = self.strongest(_FORMULA_PATHS)
        more = ["…"] * (self.path_count > len(paths))
        symbols = " + ".join([path.symbols() for path in paths] + more)
        if any(path.product is None for path in paths):
            return symbols
        numbers = " + ".join([bracketed(number(path.product)) for path in paths] + more)
        return f"{symbols} = {numbers} = {number(self.gradient)}"

    def as_dict(self) -> dict[str, Any]:
        """The flow as plain data, fit for ``json.dumps``: numbers in full, arrays as lists, nan and inf as text.

        ``path_count`` beyond 2⁵³ is text too: no reader of JSON could take it as a number. ``anomalies`` have the label
        of their node, and the place of their edge among ``edges``, counted from 0.

        >>> from autodiff import Value
        >>> x = Value(3.0, name="x")
        >>> error_flow(x * x, x).as_dict()["gradient"]
        6.0
        """
        count = self.path_count
        position = {id(edge): k for k, edge in enumerate(self.edges)}
        return {
            "output": self.output.label,
            "parameter": self.parameter.label,
            "seed": _plain(self.seed),
            "gradient": _plain(self.gradient),
            "on_a_path": not self.is_empty,
            "nodes": [_record(node) for node in self.nodes],
            "edges": [_record(edge) for edge in self.edges],
            "path_count": count if count <= _EXACT_IN_JSON else count_text(count),
            "paths": [_path_record(path) for path in self.strongest(_JSON_PATHS)],
            "formula": self.formula(),
            "anomalies": [
                {"kind": each.kind, "node": each.node.label, "edge": position.get(id(each.edge))}
                for each in self.anomalies
            ],
        }


_FORMULA_PATHS = 4
_JSON_PATHS = 10


def error_flow(output: Any, parameter: Any, *, seed: Any = None, names: Mapping[str, Any] | None = None) -> Flow:
    """The ledger of the error on its way from ``output`` to ``parameter``: each share is δ × local gradient.

    Args:
        output: a Value or Tensor; without ``seed`` it holds one number.
        parameter: any node of a graph, such as ``network.parameter("W14(1)")``; leaves and results on the way.
        seed: the error signal of the output, of its shape; 1 if left out.
        names: what nodes without a name are called, such as ``locals()``; see `autodiff.flow.variable_names.names_in`.

    Returns:
        a `Flow`; empty, with gradient None, if ``output`` does not depend on ``parameter``. The units of a gradient
        are those of the output per unit of the parameter.

    Raises:
        TypeError: output or parameter is not a node. ValueError: no seed and more than one number, or a seed of
        another shape. StaleGraphError: data was assigned after the graph was recorded.

    At a kink the local gradient is the one of the table of primitives, and the node says ``at_kink``.

    Source: notes, section 1.5 ("error sharing").

    >>> from autodiff import Value
    >>> a, b = Value(2.0, name="a"), Value(3.0, name="b")
    >>> flow = error_flow(a * b + a, a)
    >>> [(edge.local_symbol, edge.share) for edge in flow.shares], flow.gradient, flow.path_count
    ([('1', 1.0), ('b', 3.0)], 4.0, 2)
    """
    _check_parameter(parameter)
    return Flows(output, parameter, seed=seed, names=names).to(parameter)


class Flows:
    """The flows of one output's error to every node of its graph: one backward pass for all of them.

    Made by `error_flow`, and kept as ``Flow.flows``. ``nodes`` are all nodes of the graph in the order of the backward
    pass, with ids from 0 in this order; values and errors are those of the moment of the pass.

    >>> from autodiff import Value
    >>> a, b = Value(2.0, name="a"), Value(3.0, name="b")
    >>> flows = error_flow(a * b, a).flows
    >>> flows.to(b).gradient, [edge.share for edge in flows.edges()]
    (2.0, [3.0, 2.0])
    """

    def __init__(
        self, output: Node, parameter: Node, *, seed: Any = None, names: Mapping[str, Any] | None = None
    ) -> None:
        self._signals = backpropagate(output, seed)
        self._order = order = list(self._signals)
        self._lone = None if parameter in self._signals else parameter
        self._given = given = names_in(names or {})
        self._names = labels(order[::-1] if self._lone is None else [parameter, *order[::-1]], given)
        self._shares: dict[Node, list[_Share]] = {}
        self._consumers: dict[Node, list[Node]] = {}
        self.nodes = tuple(self._flow_node(node, k, self._signals[node]) for k, node in enumerate(order))
        self._ids = {node: k for k, node in enumerate(order)}
        self.by_label = {node.label: node.id for node in self.nodes}

    def edges(self) -> Iterator[FlowEdge]:
        """Every edge of the graph with its share, by the ids of ``nodes``."""
        for node in self._order:
            yield from self._edges_of(node, self._ids)

    def edges_of(self, node: FlowNode) -> tuple[FlowEdge, ...]:
        """The edges that share out the error of ``node``, by the ids of ``nodes``."""
        return tuple(self._edges_of(self.node_of(node), self._ids))

    def to(self, parameter: Node | FlowNode) -> Flow:
        """The flow to a node of the graph, given as itself or as a node of one of these flows."""
        if isinstance(parameter, FlowNode):
            parameter = self.node_of(parameter)
        order = self._order
        if parameter is self._lone:
            target, way = self._flow_node(parameter, len(order), None), []
        else:
            way = self._on_the_way(parameter)
            target = self.nodes[self._ids[parameter]]
        ids = {node: k for k, node in enumerate(way)}
        found = (self.nodes[self._ids[node]] for node in way)
        nodes = tuple(node if node.id == k else replace(node, id=k) for k, node in enumerate(found))
        return Flow(
            output=nodes[0] if nodes else self.nodes[0],
            parameter=nodes[-1] if nodes else target,
            seed=self._signals[order[0]],
            gradient=target.error,
            nodes=nodes,
            edges=tuple(edge for node in way[:-1] for edge in self._edges_of(node, ids)),
            flows=self,
        )

    @cached_property
    def first_values(self) -> tuple[Anomaly, ...]:
        return tuple(first_values(reversed(self.nodes), reversed(self._order)))

    @property
    def graph(self) -> tuple[Node, ...]:
        """The Values or Tensors themselves, in the order of ``nodes``."""
        return tuple(self._order)

    def _flow_node(self, node: Node, number: int, error: Any) -> FlowNode:
        entry, name = node.origin.primitive, node.name or self._given.get(node)
        operation, sign = (None, None) if entry is None else (entry.name, entry.symbol)
        return FlowNode(number, self._names[node], name, operation, sign, node._data, error, _at_kink(node))

    def node_of(self, node: FlowNode) -> Node:
        """The node of the graph that a node of these flows describes."""
        return self._order[self.by_label[node.label]]

    def label_of(self, node: Node) -> str:
        """What a Value or Tensor of the graph is called."""
        return self._names[node]

    def _on_the_way(self, parameter: Node) -> list[Node]:
        """The nodes between output and parameter, in the order of the backward pass."""
        if not self._consumers:
            for node in self._order:
                for item in node.inputs:
                    if isinstance(item, Node):
                        self._consumers.setdefault(item, []).append(node)
        way, stack = {parameter}, [parameter]
        while stack:
            fresh = {*self._consumers.get(stack.pop(), ())} - way
            way |= fresh
            stack += fresh
        return sorted(way, key=self._ids.__getitem__)

    def _edges_of(self, node: Node, ids: Mapping[Node, int]) -> Iterator[FlowEdge]:
        """The edges from ``node`` to those of its inputs that have an id."""
        if node not in self._shares:
            self._shares[node] = list(self._shares_of(node))
        error, number = self._signals[node], ids[node]
        for slot, item, local, reading, share, closed in self._shares[node]:
            if item in ids:
                yield FlowEdge(number, ids[item], slot, local, *reading, error, share, closed)

    @cached_property
    def _come(self) -> dict[Node, Reach]:
        """How far the error comes; needed where 0 meets an infinity only."""
        return reached(self._order[0], self._signals[self._order[0]])

    def _shares_of(self, node: Node) -> Iterator[_Share]:
        """Each edge to a node, in the order of the backward pass."""
        error, slots = self._signals[node], [k for k, item in enumerate(node.inputs) if isinstance(item, Node)]
        with np.errstate(all="ignore"):
            shares = plain_shares(node, error, {node.inputs[k] for k in slots})
            spoiled = any(has_nan(share) for _, share in shares)
        if spoiled:
            shares = edge_shares(node, error, come=self._come[node])
        partials = (None,) * len(node.inputs) if node.da is BY_RULE else local_gradients(node)
        for slot, (item, share) in zip(slots, shares, strict=True):
            local = partials[slot]
            closed = local == 0 and not reach(node, everywhere(node)).inputs[slot]
            yield slot, item, local, read_edge(node, slot, local, self._names), share, closed

    def wires_to(self, rest: Sequence[FlowNode], way: Sequence[FlowNode]) -> Iterator[Wire]:
        numbers = {self.by_label[node.label]: node.id for node in (*way, *rest)}
        ids = {node: numbers[k] for node, k in self._ids.items()}
        for node in self._order:
            for slot, item in enumerate(node.inputs):
                if isinstance(item, Node) and ids[item] >= len(way):
                    yield Wire(ids[node], ids[item], slot)


#: The slot, the input, the local gradient and how it reads, the share, whether the edge is closed.
_Share = tuple[int, Node, float | None, Reading, Any, bool]


def bracketed(factor: str) -> str:
    """``factor`` as it may stand in a product: a sum or a negative number in brackets.

    >>> bracketed("−0.6"), bracketed("1 + x"), bracketed("f′(z)")
    ('(−0.6)', '(1 + x)', 'f′(z)')
    """
    return f"({factor})" if factor.startswith("−") or " + " in factor or " − " in factor else factor


def count_text(count: int) -> str:
    """A count for people: exact up to 15 digits, beyond that its size.

    >>> count_text(6), count_text(2**200)
    ('6', 'about 1.6e60')
    """
    if count < 10**15:
        return str(count)
    shift = max(count.bit_length() - 64, 0)  # the decimal digits of a huge integer take quadratic time
    digits = math.log10(count >> shift) + shift * math.log10(2.0)
    exponent = math.floor(digits)
    first = f"{10 ** (digits - exponent):.1f}"
    return f"about 1.0e{exponent + 1}" if first == "10.0" else f"about {first}e{exponent}"


def _check_parameter(parameter: Any) -> None:
    if isinstance(parameter, str):
        raise TypeError(
            f"a flow leads to a node, and got the name {parameter!r}; "
            f"look it up in its network first: network.parameter({parameter!r})"
        )
    if not isinstance(parameter, Node):
        raise TypeError(f"a flow leads to a Value or Tensor of the output's graph, and got {describe(parameter)}")


def _at_kink(node: Node) -> bool:
    """Whether a Value was computed exactly at a kink of its primitive."""
    entry = node.origin.primitive
    if entry is None or not node.scalar or not (entry is hinge or (entry.domain[0].kinks and entry.arity == 1)):
        return False
    data = [item._data if isinstance(item, Node) else item for item in node.inputs]
    if entry is hinge:
        score, corrupt = data
        margin = node.origin.params.get("margin", entry.defaults["margin"])
        return bool(margin + corrupt - score == 0)
    return not entry.singular and data[0] in entry.domain[0].kinks


def _gain(edge: FlowEdge) -> float:
    """By how much an edge scales the size of the error."""
    if edge.local is not None:
        return edge.local
    with np.errstate(all="ignore"):
        size = float(np.linalg.norm(edge.error))
        return float(np.linalg.norm(edge.share)) / size if size else 0.0


def _products(factors: Sequence[Factor]) -> tuple[float, ...]:
    """The products from left to right, as the backward pass multiplies: 0 behind a closed edge; () with arrays."""
    found, left, closed = [], 1.0, False
    for factor in factors:
        if factor.number is None:
            return ()
        left *= factor.number
        closed = closed or (factor.edge is not None and factor.edge.closed)
        if closed and left != left:
            left = 0.0
        found.append(left)
    return tuple(found)


def _shortened(factors: list[str], most: int) -> list[str]:
    if len(factors) <= most:
        return factors
    half = most // 2
    return [*factors[:half], f"… ({len(factors) - 2 * half} more) …", *factors[-half:]]


def _record(item: FlowNode | FlowEdge) -> dict[str, Any]:
    return {key: _plain(getattr(item, key)) for key in item.__slots__}


def _path_record(path: Path) -> dict[str, Any]:
    return {
        "factors": [{"symbol": factor.symbol, "number": _plain(factor.number)} for factor in path.factors],
        "product": _plain(path.product),
        "percentage": _plain(path.percentage),
    }


def _plain(value: Any) -> Any:
    """Floats, texts and nested lists of them; a number that JSON does not know as its name."""
    if isinstance(value, np.ndarray | np.generic):  # NumPy answers with scalars of its own where no axis is left
        return _plain(value.tolist())
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
