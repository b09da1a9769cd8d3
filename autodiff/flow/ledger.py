"""The ledger of one gradient: the share of an output's error that crosses each edge on the way to one parameter.

Every node between output and parameter has an error δ, and every edge a local gradient ∂z/∂x. The edge carries their
product, its *share* of the error. The shares that arrive at a node add up to its error; those that arrive at the
parameter add up to its gradient. The ledger knows no colours and no layout: texts and pictures are made from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from autodiff.flow.anomalies import Anomaly, first_errors, is_finite
from autodiff.flow.as_data import flow_as_data
from autodiff.flow.factors import Factor, Path, products
from autodiff.flow.labels import bracketed
from autodiff.flow.parts import FlowEdge, FlowNode, Number, Signal, Wire
from autodiff.flow.paths import count_paths, exact_sum, most_roundings, strongest_paths, total_strength
from autodiff.slopes.slope import Slope
from autodiff.system.display import bundle
from autodiff.words.formulas import quotient
from autodiff.words.notation import number

if TYPE_CHECKING:
    from autodiff.flow.flows import Flows

__all__ = ["Flow"]

_MOST_EXACT: Final = 2_000  # edges: the time and memory of the exact sum grow with their square
_HALF_AN_ULP: Final = 2.0**-53  # of 1: the largest relative error of one rounding
_FORMULA_PATHS: Final = 4


@dataclass(frozen=True, eq=False)
class Flow:
    """The ledger of the error that flows from an output to one parameter; made by `error_flow`.

    ``nodes`` and ``edges`` are those between output and parameter, in the order of the backward pass: the output
    first, the parameter last, every edge after all shares of its consumer. ``off_path`` and ``off_path_wires`` are the
    other nodes and edges of the graph, and ``flows`` holds the flows to all nodes. Ids are indices into ``every``.
    ``gradient`` is None if no path leads from the output to the parameter: then nodes and edges are empty. A gradient
    of 0.0 is different: paths lead there, but nothing arrives.
    """

    output: FlowNode
    parameter: FlowNode
    seed: Number
    gradient: Signal
    nodes: tuple[FlowNode, ...]
    edges: tuple[FlowEdge, ...]
    flows: Flows = field(repr=False)

    @cached_property
    def off_path(self) -> tuple[FlowNode, ...]:
        """The nodes of the graph that are on no path to the parameter; their ids follow those of ``nodes``."""
        here = {self.flows.number_of(node) for node in self.nodes}
        off = (node for node in self.flows.nodes if node.id not in here)
        return tuple(replace(node, id=k) for k, node in enumerate(off, start=len(self.nodes)))

    @cached_property
    def off_path_wires(self) -> tuple[Wire, ...]:
        """The edges that carry no share of the gradient: those to nodes in ``off_path``."""
        ids = {self.flows.number_of(node): node.id for node in self.every}
        wires = (Wire(ids[wire.consumer], ids[wire.input], wire.slot) for wire in self.flows.numbered.wires())
        return tuple(wire for wire in wires if wire.input >= len(self.nodes))

    @property
    def rest(self) -> tuple[FlowNode, ...]:
        """The former name of `off_path`."""
        return self.off_path

    @property
    def rest_wires(self) -> tuple[Wire, ...]:
        """The former name of `off_path_wires`."""
        return self.off_path_wires

    @property
    def every(self) -> tuple[FlowNode, ...]:
        """All nodes of the graph by their ids in this flow: first ``nodes``, then ``off_path``."""
        return (*self.nodes, *self.off_path)

    @property
    def is_empty(self) -> bool:
        """Whether no path leads from the output to the parameter."""
        return not self.nodes

    @property
    def derivative(self) -> str:
        """The gradient in symbols: ∂a₁⁽³⁾/∂W₁₄⁽¹⁾, preceded by the seed unless it is 1."""
        symbols = quotient(self.output.label, self.parameter.label)
        if np.all(np.equal(self.seed, 1.0)):
            return symbols
        return f"{bracketed(number(self.seed)) if isinstance(self.seed, float) else 'seed'} · {symbols}"

    @cached_property
    def _arriving(self) -> dict[int, list[FlowEdge]]:
        arriving: dict[int, list[FlowEdge]] = {}
        for edge in self.edges:
            arriving.setdefault(edge.input, []).append(edge)
        return arriving

    def arriving(self, node: FlowNode) -> tuple[FlowEdge, ...]:
        """The edges whose shares add up, in this order, to the error of ``node``."""
        return tuple(self._arriving.get(node.id, ()))

    def slope_of(self, edge: FlowEdge) -> Slope | None:
        """The local gradient of an edge as a formula; None if it is only a number or the other factor of a product.

        >>> from autodiff import Value, tanh
        >>> from autodiff.flow import error_flow
        >>> z = Value(0.5, name="z")
        >>> a = tanh(z)
        >>> a.name = "a"
        >>> flow = error_flow(a, z)
        >>> flow.slope_of(flow.edges[0]).symbols
        '1 − a²'
        """
        return self.flows.slope_of(self.nodes[edge.consumer], edge)

    def __repr__(self) -> str:
        """One line, also of a flow through millions of nodes."""
        if self.is_empty:
            return f"<Flow: no path from {self.output.label} to {self.parameter.label}>"
        size = np.shape(self.gradient)
        told = f"array of shape {size}" if size else number(float(self.gradient))
        return f"<Flow: {self.derivative} = {told}; {len(self.nodes)} nodes, {len(self.edges)} edges>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """The formula and the picture for notebooks."""
        return bundle(self)

    @property
    def shares(self) -> tuple[FlowEdge, ...]:
        """The edges whose shares add up to the gradient."""
        return self.arriving(self.parameter)

    @cached_property
    def anomalies(self) -> tuple[Anomaly, ...]:
        """Where numbers stop being finite: values in the order of computation, then errors in backward order.

        A value off the paths counts only if the output or an error is not finite either: otherwise it has no effect.
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
        """Σ |product| over all paths; None where it has no meaning: for arrays, after overflow, if all are zero."""
        if self.is_empty or not isinstance(self.seed, float) or any(edge.local is None for edge in self.edges):
            return None
        total = total_strength(self._pairs, self._gains, len(self.nodes) - 1, start=abs(self.seed))
        return total if 0 < total < math.inf else None

    @property
    def left_after_cancelling(self) -> float | None:
        """|gradient| / Σ |product| over all paths: 1 if no paths have opposite signs, 0 if all paths cancel."""
        return None if self._total is None else abs(self.gradient) / self._total

    @property
    def rounding(self) -> float | None:
        """A bound on the rounding error of the gradient: Σ |product| over all paths · their roundings · ε/2.

        It assumes that each local gradient is accurate to an ulp. None where `left_after_cancelling` is None.
        """
        if self._total is None:
            return None
        return self._total * most_roundings(self._pairs, len(self.nodes) - 1) * _HALF_AN_ULP

    @property
    def cancels_exactly(self) -> bool:
        """Whether the products of all paths, not all 0, add up to exactly 0 without rounding.

        This is checked only if the gradient is 0 and the graph has at most 2,000 edges.
        """
        if self._total is None or self.gradient or len(self.edges) > _MOST_EXACT:
            return False
        return not exact_sum(self._pairs, self._gains, len(self.nodes) - 1)

    def strongest(self, k: int = 3) -> tuple[Path, ...]:
        """The k paths with the largest |product of local gradients|, strongest first; all if there are fewer.

        An edge of arrays counts with the factor by which it scales the norm of the error, ‖share‖/‖δ‖.

        Raises:
            TypeError: if k is not an integer. ValueError: if k is less than 1.
        """
        if isinstance(k, bool) or not isinstance(k, int):
            raise TypeError(f"expected an integer number of paths, but got k={k!r}")
        if k < 1:
            raise ValueError(f"expected at least 1 path, but got k={k}")
        if self.is_empty:
            return ()
        found = strongest_paths(self._pairs, self._gains, len(self.nodes) - 1, k)
        return tuple(self._path([self.edges[position] for position in path]) for path in found)

    def _path(self, edges: Sequence[FlowEdge]) -> Path:
        seed = self.seed if isinstance(self.seed, float) else None
        symbol = number(float(np.asarray(self.seed).item())) if np.size(self.seed) == 1 else "seed"
        factors = (Factor(symbol, seed, None), *(Factor(edge.local_symbol, edge.local, edge) for edge in edges))
        product = next(reversed(products(factors)), None)
        share = None if product is None or self._total is None else 100 * abs(product) / self._total
        return Path(factors, product, share)

    @cached_property
    def strongest_path(self) -> Path | None:
        """The strongest path; None for an empty flow."""
        return next(iter(self.strongest(1)), None)

    @property
    def weakest(self) -> Factor | None:
        """The local gradient that shrinks the error most on the strongest path; None if none shrinks it."""
        return None if self.strongest_path is None else self.strongest_path.weakest

    def formula(self) -> str:
        """The gradient as a product in symbols and numbers, or as the sum of the products of its paths.

        >>> from autodiff import Value
        >>> from autodiff.flow import error_flow
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
        """The flow as plain data for ``json.dumps``: numbers in full, arrays as lists, nan and inf as text.

        A ``path_count`` beyond 2⁵³ is text too, because JSON readers would round it. Each entry of ``anomalies`` has
        the label of its node and the 0-based index of its edge in ``edges``.

        >>> from autodiff import Value
        >>> from autodiff.flow import error_flow
        >>> x = Value(3.0, name="x")
        >>> error_flow(x * x, x).as_dict()["gradient"]
        6.0
        """
        return flow_as_data(self)


def _gain(edge: FlowEdge) -> float:
    """The factor by which an edge scales the size of the error."""
    if edge.local is not None:
        return edge.local
    with np.errstate(all="ignore"):
        size = float(np.linalg.norm(edge.error))
        return float(np.linalg.norm(edge.share)) / size if size else 0.0
