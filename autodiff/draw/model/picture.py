"""A picture as data: boxes of cells, and wires between them. No coordinates, no colours: layout and writers add those.

Ids follow the order of creation (n0, n1, …; w0, w1, …), so equal flows make equal pictures, and names chosen by users
never become ids.
"""

from __future__ import annotations

from dataclasses import dataclass

from autodiff.draw.model.tiles import Tiles
from autodiff.flow import Signal
from autodiff.primitives.origin import SourceLine

__all__ = ["Box", "Cell", "Cluster", "Picture", "Row", "Wire"]


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """One text in a box. ``number`` is the number in the text, in full; ``step`` is the number of its step; ``sign`` is
    −1 for a negative number, 0 for exactly zero, else 1; ``whole`` is the text before it was cut, "" if it was not;
    ``tiles`` are the entries of an array.

    Roles: ``name``, ``value``, ``error-name``, ``error``, ``share`` (arrives on a wire) and ``factor`` (× f′(z) inside
    a unit), the marks ``saturated`` and ``loses`` (the unit has the factor that loses most), and on a rail ``outer``
    (the parameter's error as an outer product). In a computation graph
    also ``sign`` (of the operation) and, for the local gradients of the inputs, ``way`` on a path to the parameter,
    else ``port``.
    """

    role: str
    text: str
    number: Signal = None
    step: int | None = None
    sign: int = 1
    whole: str = ""
    tiles: Tiles | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """Cells side by side in one lane: ``forward``, ``parameter``, ``error``, or ``none`` where there is no error and in
    the marks below them.
    """

    lane: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """A node of the picture; ``column`` counts from 0, the output's column, towards the inputs.

    Kinds: ``unit`` and ``parameter`` (on a path of the error), ``source`` (multiplied by the parameter), ``rest`` (on
    no path), ``value`` (the same in a computation graph), ``fold`` (represents several nodes) and ``more`` (represents
    nodes left out). ``ports`` are the inputs of an operation, from top to bottom, on its left side. ``mark`` is the
    text of a mark where numbers stop being finite, else "". ``lines`` are the numbers of the source lines that
    computed it, in a picture with a listing.
    """

    id: str
    kind: str
    column: int
    rows: tuple[Row, ...]
    hint: str
    ports: tuple[Cell, ...] = ()
    mark: str = ""
    lines: tuple[int, ...] = ()

    @property
    def label(self) -> str:
        """The first text in the box."""
        return self.rows[0].cells[0].text


@dataclass(frozen=True, slots=True, eq=False)
class Wire:
    """A wire from a row of box ``tail`` to a row of box ``head``, in the direction of the signal.

    Lanes: ``forward``, ``rest`` and ``error``. An error wire carries ``share``, with its ``sign`` as in a `Cell`;
    ``width`` is its stroke, from 1 to 3.2. In a computation graph, the wire meets the operation's box at ``port``, and
    the row there is ignored. ``hint`` is the tooltip, and ``mark`` is as in a `Box`. A wire that ``loses`` most of
    the error says so in its label. ``numbers`` stand on the wire: its local gradient as a ``factor`` and, where several
    shares meet, its ``share``.
    """

    id: str
    tail: str
    head: str
    tail_row: int
    head_row: int
    lane: str
    label: str = ""
    step: int | None = None
    share: Signal = None
    width: float = 1.0
    sign: int = 1
    port: int | None = None
    hint: str = ""
    mark: str = ""
    loses: bool = False
    numbers: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Cluster:
    """Boxes that belong together, such as a layer or a scope of names; ``boxes`` are ids."""

    id: str
    label: str
    boxes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """The contents of a picture. Kinds: ``rail`` (one path), ``shares`` (several), ``empty`` (none), ``graph`` (every
    value with its operation) and ``network`` (neurons and weights).

    ``boxes`` are listed from top to bottom within each column; ``clusters`` are drawn behind them. ``formula`` holds
    the parts of an equation, from the derivative to its number, or () without a parameter. ``seed`` is the error signal
    that enters at the output. Below the drawing follow the ``steps``, each a sentence with further lines, and the
    ``captions``. Cells and wires carry the numbers of these steps, each at least once, and no others. ``description``
    is the content in words, for readers who cannot see the picture. ``language`` is the language of all sentences.
    ``listing`` is the source of the function whose picture this is, with its indentation.
    ``scales`` are pairs of a lane of tiles and the number that has its full colour, as text.
    """

    kind: str
    title: str
    formula: tuple[str, ...]
    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]
    seed: str
    steps: tuple[str, ...]
    captions: tuple[str, ...]
    description: str
    clusters: tuple[Cluster, ...] = ()
    language: str = "en"
    listing: tuple[SourceLine, ...] = ()
    scales: tuple[tuple[str, str], ...] = ()

    @property
    def beside(self) -> frozenset[str]:
        """The boxes above the line of a rail: those on no path, except a source that leads into the parameter."""
        parameters = {box.id for box in self.boxes if box.kind == "parameter"}
        leading = {wire.tail for wire in self.wires if wire.lane == "forward" and wire.head in parameters}
        return frozenset(
            box.id for box in self.boxes
            if box.rows[0].lane == "rest" or (box.kind == "source" and box.id not in leading)
        )  # fmt: skip
