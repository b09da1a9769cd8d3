"""Arrays in pictures: tiles in every box that holds an array, on one scale for all values, parameters or errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from autodiff.draw.model.cells import brief
from autodiff.draw.model.picture import Box, Cell, Picture, Row
from autodiff.draw.model.tiles import MOST_TILES, Tiles, as_matrix, full_scale, pooled, tile_rows
from autodiff.engine.graph import Node
from autodiff.flow import Flow
from autodiff.flow.labels import read_edge
from autodiff.flow.products import product
from autodiff.telling.derivation import OuterProduct, outer_product
from autodiff.telling.style import Style
from autodiff.words.formulas import of_constant

__all__ = ["array_factor", "with_tiles"]

_LANES: Final[tuple[str, ...]] = ("forward", "parameter", "error", "gradient")
_MOST_EXAMPLES: Final = 16  # of a batch, in the factors of an outer product
_MOST_LARGE: Final = 24  # boxes with arrays; in pictures of more, tiles are smaller
_MOST_BOXES: Final = 150  # with arrays; in larger pictures, tiles are too small to see and make the file large


def with_tiles(what: Picture, style: Style, flow: Flow | None = None) -> Picture:
    """The picture with tiles in the boxes of arrays; at the parameter, its gradient as an outer product.

    >>> from autodiff import Tensor
    >>> from autodiff.draw.views.computation import computation
    >>> what = computation(Tensor([1.0, -0.3], name="x"))
    >>> what.boxes[0].rows[0].cells[1].tiles.rows, what.scales
    (('6', 'e'), (('forward', '1'),))
    """
    found = list(_arrays(what))
    count = len({box.id for box, *_ in found})
    if not 0 < count <= _MOST_BOXES:
        return what
    made = None if flow is None or np.size(flow.gradient) < 2 else outer_product(flow, style)
    if made is not None and not (made.left.size and made.right.size):
        made = None  # a sum over no examples
    numbers: dict[str, list[Any]] = {}
    for box, _, cell in found:
        numbers.setdefault(_lane(box, cell), []).append(cell.number)
    for lane, array in () if made is None else made.factors():
        numbers.setdefault(lane, []).append(array)
    scales = {lane: full_scale(numbers[lane]) for lane in _LANES if lane in numbers}
    arrays = {id(cell) for *_, cell in found}
    tiler = _Tiler(style, made, scales, arrays, on_rail=what.kind == "rail", small=count > _MOST_LARGE)
    written = tuple((lane, style.write(scale)) for lane, scale in scales.items())
    said = [style.say(f"tiles.scale-{lane}", most=scale) for lane, scale in written]
    if made is not None:
        noted = "; ".join(_notes(made, style))
        total = style.say("term.in-brackets", text=noted) if noted else ""
        said.append(style.say("tiles.outer", left=made.left_name, right=made.right_name, sum=total))
    description = " ".join([what.description, *said])
    return replace(what, boxes=tuple(map(tiler.box, what.boxes)), scales=written, description=description)


def _arrays(what: Picture) -> Iterator[tuple[Box, Row, Cell]]:
    """The cells that hold an array with at least two entries, except in grey circles and in boxes above a rail."""
    above = what.beside if what.kind == "rail" else ()
    for box in what.boxes:
        for row in box.rows if box.id not in above and box.rows[0].lane != "rest" else ():
            for cell in row.cells:
                if cell.role in ("value", "error") and isinstance(cell.number, np.ndarray) and cell.number.size > 1:
                    yield box, row, cell


def _lane(box: Box, cell: Cell) -> str:
    """Parameters and their gradients have scales of their own: they are far smaller, or larger, than signals."""
    return _LANES[2 * (cell.role == "error") + (box.rows[0].lane == "parameter")]


class _Tiler:
    """Makes the tiles of one picture: those of the cells with the ids ``arrays``."""

    def __init__(
        self, style: Style, made: OuterProduct | None, scales: Mapping[str, float], arrays: set[int], *,
        on_rail: bool, small: bool,
    ) -> None:  # fmt: skip
        self.style, self.made, self.scales, self.arrays = style, made, scales, arrays
        self.on_rail, self.small, self.most = on_rail, small, MOST_TILES[small]

    def box(self, box: Box) -> Box:
        return replace(box, rows=tuple(row for old in box.rows for row in self.rows(box, old)))

    def rows(self, box: Box, row: Row) -> Iterator[Row]:
        """A row with its tiles; on a rail, whose rows are at one height, an outer product gets a row of its own."""
        if all(id(cell) not in self.arrays for cell in row.cells):
            yield row
            return
        made = self.made if box.kind == "parameter" and row.cells[-1].role == "error" else None
        if made is None or not self.on_rail:
            yield replace(row, cells=tuple(self.tiled(box, cell, made) for cell in row.cells))
            return
        yield row
        (cell,) = row.cells
        yield replace(row, cells=(replace(self.tiled(box, cell, made), role="outer", text=self.equation(made)),))

    def equation(self, made: OuterProduct) -> str:
        rest = f" + {brief(made.rest_name)}" if made.rest_name else ""
        return f"= {brief(made.left_name)} {brief(made.right_name)}{rest}"

    def tiled(self, box: Box, cell: Cell, made: OuterProduct | None) -> Cell:
        if id(cell) not in self.arrays:
            return cell
        tiles = self.tiles(_lane(box, cell), cell.number)
        return replace(cell, tiles=tiles if made is None else self.with_factors(tiles, made))

    def with_factors(self, tiles: Tiles, made: OuterProduct) -> Tiles:
        (left_lane, left), (top_lane, top) = made.factors()
        return replace(
            tiles,
            notes=(*tiles.notes, *_notes(made, self.style)),
            left=self.factor(left_lane, pooled(left, self.most, _MOST_EXAMPLES), made.left_name),
            top=self.factor(top_lane, pooled(top, _MOST_EXAMPLES, self.most), made.right_name),
        )

    def factor(self, lane: str, matrix: Any, name: str) -> Tiles:
        return Tiles(lane, tile_rows(matrix, self.scales[lane]), (brief(name),))

    def tiles(self, lane: str, array: Any) -> Tiles:
        matrix = as_matrix(array)
        shown = pooled(matrix, self.most, self.most)
        is_pooled = shown.shape != matrix.shape
        notes = [self.style.say("tiles.stacked", shape=_by(matrix.shape))] if np.ndim(array) > 2 else []
        notes += [self.style.say("tiles.pooled", shape=_by(shown.shape))] if is_pooled else []
        said = self.style.extent(array)
        rows = tile_rows(shown, self.scales[lane])
        return Tiles(lane, rows, tuple(notes), is_pooled=is_pooled, said=said, small=self.small)


def _notes(made: OuterProduct, style: Style) -> Iterator[str]:
    """What the two factors of a gradient do not show: what their product is summed over, and other shares."""
    if made.sum:
        yield made.sum
    if made.rest_name:
        yield style.say("tiles.rest", rest=brief(made.rest_name))


def _by(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def array_factor(node: Node, slot: int, names: Mapping[Node, str]) -> str:
    """How an array operation changes its error signal δ for an input: Wᵀ δ, ∘ σ′(z), × 2."""
    operands = [names[item] if isinstance(item, Node) else of_constant(item)[0] for item in node.inputs]
    of_matrices = product(node, slot, operands)
    if of_matrices is not None:
        return of_matrices
    entry, symbol = node.origin.primitive, read_edge(node, slot, None, names).symbol
    if entry is None or not entry.elementwise:
        return symbol
    return f"× {symbol}" if symbol.lstrip("−").replace(",", "").replace(".", "", 1).isdigit() else f"∘ {symbol}"
