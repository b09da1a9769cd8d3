"""What a computation graph says about folded nodes: the texts in their boxes and tooltips, and the captions below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from autodiff.draw.grouping.folding import CROWD, Fold
from autodiff.draw.grouping.repeats import Steps
from autodiff.draw.grouping.units import Terms, Unit
from autodiff.draw.model.cells import brief, operation_symbol
from autodiff.flow import FlowNode
from autodiff.telling.style import Style

__all__ = ["captions_on_folding", "texts_of", "weights_told"]

_MOST_WEIGHTS: Final = 12  # in a tooltip
_ADD, _MULTIPLY = "add", "multiply"


def texts_of(
    key: Unit | Terms, members: Sequence[int], items: Sequence[FlowNode], inputs: Sequence[Sequence[int]], style: Style
) -> tuple[str, str]:  # fmt: skip
    """What a folded unit computes, such as tanh(w·x + b), with its name; or Σ with the number of terms folded."""
    root = items[key.root]
    if isinstance(key, Terms):
        return "Σ", style.say("graph.terms", count=key.more)
    inner = {k: items[k].operation for k in members if inputs[k] and k != key.root}
    if len(inputs[key.root]) == 1 and _is_weighted_sum(inner, inputs):
        bias = " + b" * any(_adds_a_bias(k, inner, items, inputs) for k in inner if inner[k] == _ADD)
        return f"{operation_symbol(root, style)}(w·x{bias})", brief(root.name or "")
    return brief(root.label), ""


def _is_weighted_sum(inner: Mapping[int, str | None], inputs: Sequence[Sequence[int]]) -> bool:
    """Whether these results are products of what stands outside, and sums."""
    products = [k for k, operation in inner.items() if operation == _MULTIPLY]
    return (
        {_ADD, _MULTIPLY} >= {*inner.values()}
        and bool(products)
        and not any(item in inner for k in products for item in inputs[k])
    )


def _adds_a_bias(
    k: int, inner: Mapping[int, str | None], items: Sequence[FlowNode], inputs: Sequence[Sequence[int]]
) -> bool:
    """Whether an addition adds something else than products: a leaf, a result from outside, or a number but 0."""
    own = inputs[k]
    return any(item not in inner for item in own) or (len(own) == 1 and items[k].value != items[own[0]].value)


def weights_told(key: Unit | Terms, items: Sequence[FlowNode], style: Style) -> str:
    """The weights of a folded unit with their values and gradients, for its tooltip; "" if it has none."""
    if isinstance(key, Terms) or not key.weights:
        return ""
    own = [items[k] for k in key.weights]
    gradient = style.say("term.gradient")
    told = [
        f"{item.label if item.name else 'w'} = {style.amount(item.value)} ({gradient} {style.amount(item.error)})"
        if item.error is not None else f"{item.label if item.name else 'w'} = {style.amount(item.value)}"
        for item in own[:_MOST_WEIGHTS]
    ]  # fmt: skip
    return ", ".join([*told, *["…"] * (len(own) > _MOST_WEIGHTS)])


def captions_on_folding(fold: Fold, count: int, way: int, style: Style) -> Iterator[str]:
    """Captions on nodes that are folded or left out, of ``count`` nodes, of which ``way`` lead to the parameter."""
    boxes = Counter(key for key in fold.box_of.values() if not isinstance(key, int))
    kinds: dict[Any, int] = {key: boxes[key] for key in boxes if isinstance(key, tuple)}
    steps = [(key[0], own) for key, own in kinds.items() if isinstance(key[0], Steps)]
    for own, nodes in steps:
        asked = f'unfold="{own.name}"' if own.name else 'view="graph", unfold=True'
        yield style.say("caption.steps", count=own.turns, nodes=nodes, unfold=asked)
    left_out = count - len(fold.box_of)
    if fold.kind == "units":
        nodes = sum(own for key, own in kinds.items() if isinstance(key[0], Unit | Terms)) + left_out
        yield style.say("caption.units", count=nodes, unfold='view="graph", unfold=True')
    elif fold.kind == "ends":
        yield style.say("graph.ends", count=boxes[CROWD])
    elif boxes and not steps:
        yield style.say("caption.folded", count=sum(boxes.values()), boxes=len(boxes))
    if left_out and fold.kind != "units":
        yield style.say("graph.path-only", shown=way, count=left_out)
