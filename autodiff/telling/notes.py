"""The notes on a parameter: an overview, the shapes of the quantities, and errors in the printed text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node
from autodiff.flow import Flow, FlowNode
from autodiff.flow.labels import CORRUPT
from autodiff.flow.order import in_order, is_weighted_sum, notes_name, suffix
from autodiff.telling.story import Block, Heading, Paragraph, Table
from autodiff.telling.style import Style
from autodiff.telling.terms import error_symbol
from autodiff.words.notation import Name, superscript

__all__ = ["Notes"]

_MOST_LISTED: Final = 4


class Notes:
    """The sections of an explanation that follow the notes, for the parameter of one flow."""

    def __init__(self, flow: Flow, style: Style) -> None:
        self.flow, self.style = flow, style
        self.name = notes_name(flow.parameter)
        self.letter, self.indices = ("", ()) if self.name is None else (self.name.letter, self.name.indices)
        self.is_output_weight = self.letter == "U" and len(self.indices) == 1
        self.has_windows = any(node.label.endswith(CORRUPT) for node in flow.every)
        self.by_name: dict[Name, FlowNode] = {}
        for node in flow.every:
            name = notes_name(node)
            if name is not None and (name not in self.by_name or not suffix(node)):
                self.by_name[name] = node  # of two windows, the true one

        self.is_recurrent = any(name.letter == "h" for name in self.by_name)  # then superscripts are time steps

    def say(self, key: str, **fields: object) -> str:
        return self.style.say(key, **fields)

    def heading(self, section: str) -> Heading:
        return Heading(self.say(f"explain.{section}"))

    # ---- overview ----------------------------------------------------------------------------------------------------

    def what_it_is(self) -> Iterator[Block]:
        flow = self.flow
        rows = [("parameter", self.valued(flow.parameter)), ("kind", self.kind())]
        rows += self.ends()
        rows += [("output", self.valued(flow.output)), ("paths", self.style.counted(flow.path_count))]
        rows += [("objective", said) for said in self.objective()]
        yield self.heading("what")
        yield Table((), tuple((self.say(f"explain.{key}"), text) for key, text in rows))

    def valued(self, node: FlowNode) -> str:
        return f"{node.label} = {self.style.amount(node.value)}"

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
        return self.say("explain.a-result", operation=self.style.operation(parameter.operation))

    def ends(self) -> list[tuple[str, str]]:
        """The two ends of the parameter's wire."""
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
        """The ends of a parameter without the notes' indices: its consumers, and its partners in products."""
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
        if nodes == [None] and self.flow.shares:  # a scorer's inputs are entries of word vectors and named after them
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
        """Whether Δ + s_c − s is exactly 0; for Tensors the ledger does not record it."""
        made = self.flow.flows.node_of(node)
        score, corrupt = (item._data if isinstance(item, Node) else item for item in made.inputs)
        return bool(np.all(made.params.get("margin", 1.0) + corrupt - score == 0))

    # ---- shapes ------------------------------------------------------------------------------------------------------

    def shapes_by_letter(self) -> Mapping[tuple[str, int | None], tuple[int, ...]]:
        """The shape of every quantity of the notes in the graph; for Values, from their largest indices."""
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
        if len(rows) < 2 or self.is_recurrent or not any(formula for *_, formula in rows):
            return
        yield self.heading("shapes")
        head = tuple(self.say(f"explain.{key}") for key in ("quantity", "shape", "its-gradient"))
        yield Table(head, tuple(rows))
        matrix = self.of_same_shape(self.letter, self.name.layer, found) if self.name is not None else ""
        if matrix and self.name is not None and self.name.indices and self.letter in "WbU":
            whole = _titled(self.letter, self.name.layer)
            said = self.say("explain.entry", parameter=self.flow.parameter.label, whole=whole, matrix=matrix)
            yield Paragraph((said,))

    def of_same_shape(self, letter: str, layer: int | None, found: Mapping[tuple[str, int | None], Any]) -> str:
        """A formula such as ∇W⁽¹⁾ = δ⁽²⁾ a⁽¹⁾ᵀ; "" where the notes have none."""
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
        """The error at a⁽ᵏ⁾: W⁽ᵏ⁾ᵀ δ⁽ᵏ⁺¹⁾, U δ, or the error of the output."""
        letters = {(name.letter, name.layer) for name in self.by_name}
        this, next_ = superscript(f"({layer})"), superscript(f"({layer + 1})")
        if ("W", layer) in letters:
            return f"W{this}ᵀ δ{next_}"
        return "U δ" if layer == 2 and ("U", None) in letters else self.say("term.error-at", node=f"a{this}")

    # ---- errors in the printed notes ---------------------------------------------------------------------------------

    def errata(self) -> Iterator[Block]:
        """The errors in the printed notes that concern this gradient."""
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
                yield self.say("erratum.index", parameter=label, error=self.error_without_mark(to), signal=signal)
            if self.letter == "b":
                error, layer = self.error_without_mark(to), name.layer
                yield self.say("erratum.bias", parameter=label, error=error, layer=layer, next=layer + 1)
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

    def error_without_mark(self, node: FlowNode) -> str:
        symbol = error_symbol(self.flow, node) or "δ"
        mark = suffix(node)
        return symbol[: len(symbol) - len(mark)] if mark else symbol


def _kind(name: Name) -> str | None:
    """The key of the phrase that describes a quantity of the notes."""
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
    """A shape in the style of the notes: vectors are columns."""
    return "×".join(map(str, (*shape, 1)[: max(len(shape), 2)])) if shape else "1×1"


def _in_layers(item: tuple[tuple[str, int | None], Any]) -> tuple[int, int]:
    """A sort key for the order a⁽¹⁾, W⁽¹⁾, b⁽¹⁾, z⁽²⁾, a⁽²⁾, …, U."""
    letter, layer = item[0]
    return (layer or 10**9, "zaWbU".find(letter))


def _is_hidden(node: FlowNode) -> bool:
    name = notes_name(node)
    return name is not None and name.letter == "a"
