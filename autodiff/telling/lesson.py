"""The story of one gradient: what the parameter is, shapes, steps, two derivations, a check, and slips of the print."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from operator import itemgetter
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node
from autodiff.flow import Flow, FlowEdge, FlowNode, Path, bracketed
from autodiff.flow.labels import CORRUPT
from autodiff.telling.derivation import derivation, equation_of
from autodiff.telling.remarks import remarks
from autodiff.telling.steps import steps
from autodiff.telling.story import Block, Heading, Paragraph, Story, Table, numbered, product
from autodiff.telling.terms import (
    Write,
    amount,
    counted,
    derivative,
    equation,
    error_name,
    error_symbol,
    in_order,
    is_weighted_sum,
    notes_name,
    share_text,
    shares_in_order,
    suffix,
)
from autodiff.transforms.replay import Check
from autodiff.words.notation import Name, number, superscript
from autodiff.words.phrases import checked_language, say

__all__ = ["lesson"]

_MOST_ROWS: Final = 40
_MOST_LISTED: Final = 4
_SATURATING: Final = {"sigmoid": 0.25, "tanh": 1.0, "soft_sign": 1.0}  # the largest f′
_SATURATED: Final = 0.1  # of it


def lesson(flow: Flow, check: Check | None = None, *, language: str = "en", write: Write = number) -> Story:
    """All there is to say about one gradient, as blocks of text.

    Raises:
        ValueError: an unknown language.

    Source: notes, section 1.5.
    """
    checked_language(language)
    teller = _Lesson(flow, language, write)
    blocks: list[Block] = [] if flow.is_empty else [product(flow, language, write)]
    blocks += [*teller.what_it_is(), *teller.shapes()]
    if not flow.is_empty:
        told = steps(flow, language=language, write=write)
        blocks += [teller.heading("steps"), numbered(told, language)]
        blocks += [*teller.derivations(), *teller.matrix_form()]
    blocks += [*teller.checked(check), *teller.weak(), *teller.errata()]
    symbol = derivative(flow, language=language, write=write)
    return Story(teller.say("explain.title", derivative=symbol), tuple(blocks), language)


class _Lesson:
    """Tells about one flow in one language, with numbers written in one way."""

    def __init__(self, flow: Flow, language: str, write: Write) -> None:
        self.flow, self.language, self.write = flow, language, write
        self.name = notes_name(flow.parameter)
        self.letter, self.indices = ("", ()) if self.name is None else (self.name.letter, self.name.indices)
        self.is_output_weight = self.letter == "U" and len(self.indices) == 1
        self.has_windows = any(node.label.endswith(CORRUPT) for node in flow.every)
        self.by_name: dict[Name, FlowNode] = {}
        for node in flow.every:
            name = notes_name(node)
            if name is not None and (name not in self.by_name or not suffix(node)):
                self.by_name[name] = node  # of two windows the true one

        self.is_recurrent = any(name.letter == "h" for name in self.by_name)  # then a raised number is a time, no layer

    def say(self, key: str, **fields: object) -> str:
        return say(key, self.language, **fields)

    def heading(self, section: str) -> Heading:
        return Heading(self.say(f"explain.{section}"))

    def amount(self, value: Any) -> str:
        return amount(value, language=self.language, write=self.write)

    def error(self, node: FlowNode) -> str:
        return error_name(self.flow, node, language=self.language, write=self.write)

    # ---- what it is --------------------------------------------------------------------------------------------------

    def what_it_is(self) -> Iterator[Block]:
        flow = self.flow
        rows = [("parameter", self.valued(flow.parameter)), ("kind", self.kind())]
        rows += self.ends()
        rows += [("output", self.valued(flow.output)), ("paths", counted(flow.path_count, language=self.language))]
        rows += [("objective", said) for said in self.objective()]
        yield self.heading("what")
        yield Table((), tuple((self.say(f"explain.{key}"), text) for key, text in rows))

    def valued(self, node: FlowNode) -> str:
        return f"{node.label} = {self.amount(node.value)}"

    def kind(self) -> str:
        name, parameter = self.name, self.flow.parameter
        if name is not None and not self.is_recurrent and (key := _kind(name)) is not None:
            first, second = (*name.indices, 0, 0)[:2]
            return self.say(
                key, layer=name.layer, index=first, word=first, dimension=second, weight=Name("W", (1, first or 1), 2)
            )
        if parameter.operation is None:
            used_again = self.is_recurrent and self.letter in ("W", "V", "U")
            return self.say("explain.recurrent-weight" if used_again else "explain.a-leaf")
        return self.say("explain.a-result", operation=parameter.operation)

    def ends(self) -> list[tuple[str, str]]:
        """Where the parameter's wire leads to, and where it comes from."""
        name = self.name
        if name is None:
            return []
        if self.letter in "zaxL" or name.layer is None or self.is_recurrent:
            return self.ends_by_edges()
        if not name.indices:
            return [("to", self.units(name.layer + 1)), *([("from", self.units(name.layer))] * (self.letter == "W"))]
        to, *from_ = name.indices
        rows = [("to", self.unit(to, name.layer + 1, "za"))]
        if from_:
            return [*rows, ("from", self.unit(from_[0], name.layer, "a"))]
        return [*rows, ("from", self.say("explain.constant"))] if self.letter == "b" else rows

    def ends_by_edges(self) -> list[tuple[str, str]]:
        """Of what the notes' indices do not tell: the nodes it goes into, and what it is multiplied by."""
        consumers = {edge.consumer for edge in self.flow.shares}
        to = [node.label for node in sorted((self.flow.nodes[k] for k in consumers), key=in_order)]
        if self.is_output_weight:
            return [("to", self.listed(to)), ("from", self.unit(self.indices[0], 2, "a"))]
        more = ["…"] if len(to) > _MOST_LISTED else []
        return [("forwarded-to", self.listed([*to[:_MOST_LISTED], *more]))] if to else []

    def listed(self, items: Sequence[str]) -> str:
        return reduce(lambda first, second: self.say("term.pair", first=first, second=second), items) if items else ""

    def unit(self, index: int, layer: int, letters: str) -> str:
        nodes = [self.by_name.get(Name(letter, (index,), layer)) for letter in letters]
        unit = self.say("explain.input-unit" if layer == 1 else "explain.unit", index=index, layer=layer)
        if nodes == [None] and self.flow.shares:  # a scorer's inputs are entries of word vectors, and have those names
            nodes = [node for node in self.flow.off_path if node.label == self.flow.shares[0].partner]
        values = self.listed([self.valued(node) for node in nodes if node is not None])
        return self.say("explain.with", unit=unit, values=values) if values else unit

    def units(self, layer: int) -> str:
        shapes = self.shapes_by_letter()
        shape = shapes.get(("a", layer)) or shapes.get(("z", layer)) or ()
        weights = shapes.get(("W", layer))
        count = shape[-1] if shape else weights[-1] if weights else "–"
        return self.say("explain.units", count=count, layer=layer)

    def objective(self) -> Iterator[str]:
        for node in self.flow.nodes:
            if node.operation == "hinge" and np.size(node.value) == 1:
                key = "active" if np.all(node.value > 0) else "at-kink" if self.is_at_kink(node) else "inactive"
                yield self.say("explain.with", unit=self.valued(node), values=self.say(f"explain.{key}"))

    def is_at_kink(self, node: FlowNode) -> bool:
        """Whether Δ + s_c − s is exactly 0; of Tensors the ledger does not say so."""
        made = self.flow.flows.node_of(node)
        score, corrupt = (item._data if isinstance(item, Node) else item for item in made.inputs)
        return bool(np.all(made.params.get("margin", 1.0) + corrupt - score == 0))

    # ---- shapes ------------------------------------------------------------------------------------------------------

    def shapes_by_letter(self) -> Mapping[tuple[str, int | None], tuple[int, ...]]:
        """The shape of every quantity of the notes in the graph: of Values by their largest indices."""
        found: dict[tuple[str, int | None], tuple[int, ...]] = {}
        for name, node in self.by_name.items():
            shape = name.indices or np.shape(node.value)
            known = found.get((name.letter, name.layer), (0,) * len(shape))
            if len(known) == len(shape):
                found[name.letter, name.layer] = tuple(map(max, known, shape)) if name.indices else shape
        return found

    def shapes(self) -> Iterator[Block]:
        found = self.shapes_by_letter()
        rows = [
            (_titled(letter, layer), _columns(shape), self.of_same_shape(letter, layer, found))
            for (letter, layer), shape in sorted(found.items(), key=_in_layers)
            if letter in "aWbzU"
        ]
        if len(rows) < 2 or self.is_recurrent:
            return
        yield self.heading("shapes")
        head = tuple(self.say(f"explain.{key}") for key in ("quantity", "shape", "its-gradient"))
        yield Table(head, tuple(rows))
        matrix = self.of_same_shape(self.letter, self.name.layer, found) if self.name is not None else ""
        if matrix and self.name is not None and self.name.indices and self.letter in "WbU":
            yield Paragraph((self.say("explain.entry", parameter=self.flow.parameter.label, matrix=matrix),))

    def of_same_shape(self, letter: str, layer: int | None, found: Mapping[tuple[str, int | None], Any]) -> str:
        """∇W⁽¹⁾ = δ⁽²⁾ a⁽¹⁾ᵀ and the like; "" where the notes have no such formula."""
        if letter == "U":
            return "∇U = δ a⁽²⁾" + " + δᶜ a⁽²⁾ᶜ" * self.has_windows if ("a", 2) in found else ""
        if layer is None:
            return ""
        this, next_ = superscript(f"({layer})"), superscript(f"({layer + 1})")
        if letter == "W":
            return f"∇W{this} = δ{next_} a{this}ᵀ" + f" + δ{next_}ᶜ a{this}ᶜᵀ" * self.has_windows
        if letter == "b":
            return f"∇b{this} = δ{next_}" + f" + δ{next_}ᶜ" * self.has_windows
        below = self.error_at(layer)
        if letter == "z":
            return f"δ{this} = f′(z{this}) ∘ ({below})"
        is_output = below == self.say("term.error-at", node=f"a{this}")
        return "" if is_output else f"{self.say('term.error-at', node=f'a{this}')} = {below}"

    def error_at(self, layer: int) -> str:
        """The error at a⁽ᵏ⁾: W⁽ᵏ⁾ᵀ δ⁽ᵏ⁺¹⁾, Uᵀ's way, or the output's own error."""
        letters = {(name.letter, name.layer) for name in self.by_name}
        this, next_ = superscript(f"({layer})"), superscript(f"({layer + 1})")
        if ("W", layer) in letters:
            return f"W{this}ᵀ δ{next_}"
        return "U δ" if layer == 2 and ("U", None) in letters else self.say("term.error-at", node=f"a{this}")

    # ---- derivations -------------------------------------------------------------------------------------------------

    def derivations(self) -> Iterator[Block]:
        """The equations with their derivatives, and beside each the error that error sharing puts there."""
        flow, lines = self.flow, derivation(self.flow)
        if not lines:
            return
        rows = [
            (
                equation_of(flow, line.node),
                f"∂{line.node.label}/∂{flow.parameter.label} = {self.slope(line)}",
                f"{self.error(line.node)} = {self.amount(line.node.error)}",
            )
            for line in lines
        ]
        yield self.heading("derivations")
        head = (
            self.say("explain.equation"), self.say("explain.downwards", parameter=flow.parameter.label),
            self.say("explain.upwards"),
        )  # fmt: skip
        yield Table(head, tuple(_without_middle(rows)))
        explicit = flow.seed * lines[-1].slope
        same = math.isclose(explicit, flow.gradient, rel_tol=1e-9, abs_tol=0.0)
        finite = math.isfinite(explicit) and math.isfinite(flow.gradient)
        key = "equal" if same else "unequal" if finite else "not-finite"
        if math.isnan(explicit) and math.isnan(flow.gradient):
            key = "no-number"
        said = [self.say(f"explain.{key}", explicit=self.write(explicit), gradient=self.write(flow.gradient))]
        if flow.path_count == 1 and key == "equal":
            said.append(self.say("explain.constant-product"))
        yield Paragraph(tuple(said))

    def slope(self, line: Any) -> str:
        if all(edge.input == self.flow.parameter.id for edge in line.edges) and len(line.edges) == 1:
            return equation(line.edges[0].local_symbol, line.edges[0].local, write=self.write)
        return f"{line.symbols(write=self.write)} = {self.write(line.slope)}"

    def matrix_form(self) -> Iterator[Block]:
        """Of a whole W⁽ᵏ⁾: the outer products of error signals and inputs, and the largest entry of their sum."""
        flow, name = self.flow, self.name
        pairs = [self.outer_pair(edge) for edge in shares_in_order(flow, flow.parameter)]
        if name is None or self.letter != "W" or name.indices or not pairs or None in pairs:
            return
        known = [pair for pair in pairs if pair is not None]
        total = np.sum([np.outer(z.error, inputs) for z, inputs in known], axis=0)
        i, j = (int(k) for k in np.unravel_index(int(np.argmax(np.abs(total))), total.shape))
        layer = name.layer or 1
        marks = [suffix(z) for z, _ in known]
        symbols = [f"{Name('δ', (i + 1,), layer + 1)}{mark} · {Name('a', (j + 1,), layer)}{mark}" for mark in marks]
        numbers = [
            " × ".join(bracketed(self.write(float(item))) for item in (z.error[i], inputs[j])) for z, inputs in known
        ]
        shares = " + ".join(share_text(flow, edge) for edge in shares_in_order(flow, flow.parameter))
        yield self.heading("derivations")
        yield Paragraph((
            self.say("explain.matrix", matrix=f"∇{name} = {shares}"),
            self.say(
                "explain.largest", symbols=" + ".join(symbols), numbers=" + ".join(numbers),
                entry=self.write(float(total[i, j])), matrix=f"∇{name}",
                gradient=self.write(float(flow.gradient[i, j])),
            ),
        ))  # fmt: skip

    def outer_pair(self, edge: FlowEdge) -> tuple[FlowNode, Any] | None:
        """The z that an edge to W leads from, and the vector that W was multiplied by; None for rows of inputs."""
        z = self.flow.nodes[edge.consumer]
        if z.operation != "affine" or not is_weighted_sum(z):
            return None
        inputs = self.flow.flows.node_of(z).inputs[1]
        return z, inputs._data if isinstance(inputs, Node) else inputs

    # ---- check, weak factors, slips of the print ---------------------------------------------------------------------

    def checked(self, check: Check | None) -> Iterator[Block]:
        if check is None:
            return
        lines = [
            check.said(language=self.language, write=self.write),
            self.say("check.line", check=str(check.numerical), verdict=self.say(f"check.{check.verdict}")),
        ]
        if isinstance(self.flow.parameter.value, np.ndarray):
            lines.insert(0, self.say("explain.direction"))
        yield self.heading("check")
        yield Paragraph(tuple(lines))

    def weak(self) -> Iterator[Block]:
        """The strongest path factor by factor, with what is left of the error behind each, and the weakest by name."""
        flow = self.flow
        said = list(remarks(flow, language=self.language, write=self.write))
        path = flow.strongest_path
        rows: list[tuple[str, ...]] = []
        head = tuple(self.say(f"explain.{key}") for key in ("factor", "number", "left"))
        if path is not None and path.product is not None:
            rows = list(self.factors(path))
            saturated = [self.saturated(factor.edge) for factor in path.factors if _is_saturated(flow, factor.edge)]
            said += saturated[:_MOST_LISTED]
        elif path is not None and path.edges:
            head = tuple(self.say(f"explain.{key}") for key in ("share", "scale", "size"))
            scales = [(_size(edge.share) / (_size(edge.error) or 1.0), edge) for edge in path.edges]
            rows = [(self.share(edge), self.write(scale), self.write(_size(edge.share))) for scale, edge in scales]
            least, edge = min(scales, key=itemgetter(0))
            if least < 1:
                said.append(self.say("explain.scales-least", share=self.share(edge), scale=self.write(least)))
        if rows or said:
            yield self.heading("weak")
        if rows:
            yield Table(head, tuple(_without_middle(rows)))
            said = said or [self.say("explain.nothing-shrinks")]
        if said:
            yield Paragraph(tuple(said))

    def factors(self, path: Path) -> Iterator[tuple[str, ...]]:
        for factor, left in zip(path.factors, path.products, strict=True):
            symbol = factor.symbol if factor.symbol != number(factor.number) else self.quotient(factor.edge)
            yield symbol, self.write(factor.number), self.write(left)

    def share(self, edge: FlowEdge) -> str:
        return share_text(self.flow, edge, language=self.language, write=self.write)

    def quotient(self, edge: FlowEdge | None) -> str:
        if edge is None:
            return self.say("term.seed")
        return f"∂{self.flow.nodes[edge.consumer].label}/∂{self.flow.nodes[edge.input].label}"

    def saturated(self, edge: FlowEdge | None) -> str:
        unit = self.flow.nodes[0 if edge is None else edge.consumer]
        return self.say("explain.saturated", unit=unit.label, value=self.amount(unit.value), function=unit.sign)

    def errata(self) -> Iterator[Block]:
        """Where the printed notes say something else about this very gradient."""
        said = list(self.slips()) if not self.flow.is_empty else []
        if said:
            yield self.heading("errata")
            yield Paragraph(tuple(said))

    def slips(self) -> Iterator[str]:
        flow, name, label = self.flow, self.name, self.flow.parameter.label
        operations = {node.operation for node in flow.nodes if node is not flow.parameter}
        to = flow.nodes[flow.shares[0].consumer] if flow.shares else flow.output
        if name is not None and name.layer is not None and is_weighted_sum(to):
            if self.letter == "W" and len(name.indices) == 2:
                signal = Name("a", (name.indices[1],), name.layer)
                yield self.say("erratum.index", parameter=label, error=self.plain_error(to), signal=signal)
            if self.letter == "b":
                yield self.say(
                    "erratum.bias", parameter=label, error=self.plain_error(to), layer=name.layer, next=name.layer + 1
                )
        is_weight = self.is_output_weight or (self.letter in ("W", "b") and name is not None and name.layer is not None)
        if self.is_output_weight or (self.letter == "W" and name is not None and name.layer == 2):
            yield self.say("erratum.transpose")
        if is_weight and not any(node.operation in ("hinge", "hinge_sum") for node in flow.nodes):
            yield self.say("erratum.loss", output=flow.output.label)
        if any(len(flow.arriving(node)) > 1 for node in flow.nodes if _is_hidden(node)):
            yield self.say("erratum.general")
        if "sigmoid" in operations:
            yield self.say("erratum.sigma")
        if "soft_sign" in operations:
            yield self.say("erratum.soft-sign")

    def plain_error(self, node: FlowNode) -> str:
        symbol = error_symbol(self.flow, node) or "δ"
        mark = suffix(node)
        return symbol[: len(symbol) - len(mark)] if mark else symbol


def _kind(name: Name) -> str | None:
    """The phrase for what a quantity of the notes is."""
    single = len(name.indices)
    layered = name.layer is not None
    keys = {
        ("W", 2, True): "a-weight", ("W", 0, True): "weights", ("b", 1, True): "a-bias", ("b", 0, True): "biases",
        ("U", 1, False): "an-output-weight", ("L", 2, False): "a-word-vector", ("z", 1, True): "a-weighted-sum",
        ("a", 1, True): "an-input" if name.layer == 1 else "an-activation",
    }  # fmt: skip
    key = keys.get((name.letter, single, layered))
    return None if key is None else f"explain.{key}"


def _titled(letter: str, layer: int | None) -> str:
    return str(Name(letter, (), layer))


def _columns(shape: Sequence[int]) -> str:
    """A shape as the notes write it: vectors are columns."""
    return "×".join(map(str, (*shape, 1)[: max(len(shape), 2)])) if shape else "1×1"


def _in_layers(item: tuple[tuple[str, int | None], Any]) -> tuple[int, int]:
    """a⁽¹⁾, W⁽¹⁾, b⁽¹⁾, z⁽²⁾, a⁽²⁾, …, U."""
    letter, layer = item[0]
    return (layer or 10**9, "zaWbU".find(letter))


def _is_hidden(node: FlowNode) -> bool:
    name = notes_name(node)
    return name is not None and name.letter == "a"


def _is_saturated(flow: Flow, edge: FlowEdge | None) -> bool:
    if edge is None or edge.local is None:
        return False
    largest = _SATURATING.get(flow.nodes[edge.consumer].operation or "")
    return largest is not None and abs(edge.local) < _SATURATED * largest


def _size(array: Any) -> float:
    with np.errstate(all="ignore"):
        return float(np.linalg.norm(array))


def _without_middle(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    if len(rows) <= _MOST_ROWS:
        return list(rows)
    half = _MOST_ROWS // 2
    return [*rows[:half], ("…",) * len(rows[0]), *rows[-half:]]
