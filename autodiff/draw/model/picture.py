"""A picture as data: boxes of cells, and wires between them. No coordinates, no colours: layout and writers add those.

Ids are given in the order of creation (n0, n1, …; w0, w1, …), so that equal flows make equal pictures and no name that
a user chose ever becomes an id.
"""

from __future__ import annotations

from dataclasses import dataclass

from autodiff.flow import Signal

__all__ = ["Box", "Cell", "Cluster", "Picture", "Row", "Wire"]


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """One text in a box. ``number`` is what the text shows, in full; ``step`` the step of the notes it belongs to;
    ``sign`` is −1 below zero, 0 for exactly zero, else 1.

    Roles: ``name``, ``value``, ``error-name``, ``error``, ``share`` (what arrives on a wire) and ``factor`` (× f′(z)
    inside a unit); in a computation graph ``sign`` (of the operation), and the local gradients of its inputs: ``way``
    where the error goes on to the parameter, else ``port``.
    """

    role: str
    text: str
    number: Signal = None
    step: int | None = None
    sign: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """Cells side by side, all of one lane: ``forward``, ``parameter``, ``error``, or ``none`` where no error is."""

    lane: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """A node of the picture; ``column`` counts from 0, the output's, towards the inputs.

    Kinds: ``unit`` and ``parameter`` (on the way of the error), ``source`` (what the parameter multiplies), ``rest``
    (not on the way), ``value`` (the same in a computation graph), ``fold`` (stands for several) and ``more`` (stands
    for what is left out). ``ports`` are the inputs of an operation, from top to bottom, at its left side. ``mark`` says
    that numbers stop being finite here, "" that they do not.
    """

    id: str
    kind: str
    column: int
    rows: tuple[Row, ...]
    hint: str
    ports: tuple[Cell, ...] = ()
    mark: str = ""

    @property
    def label(self) -> str:
        """The first text in the box."""
        return self.rows[0].cells[0].text


@dataclass(frozen=True, slots=True, eq=False)
class Wire:
    """A wire from box ``tail`` to box ``head``, as the signal runs, leaving and reaching them at rows.

    Lanes: ``forward``, ``rest`` and ``error``, where ``share`` is what the wire carries, ``sign`` its sign as in a
    `Cell`, and ``width`` its stroke, from 1 to 3.2. In a computation graph ``port`` is where it meets the box of the
    operation, whose row then says nothing; ``hint`` is for a reader who points at it, ``mark`` as that of a `Box`.
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


@dataclass(frozen=True, slots=True, eq=False)
class Cluster:
    """Boxes that belong together, a layer or a scope of names; ``boxes`` are ids."""

    id: str
    label: str
    boxes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """All that is to be seen and said. Kinds: ``rail`` (one path), ``shares`` (several), ``empty`` (none), ``graph``
    (every value with its operation) and ``network`` (neurons and weights).

    ``boxes`` stand in their columns from top to bottom, ``clusters`` behind them. ``formula`` holds the parts of an
    equation, from the derivative to its number, () without a parameter; ``seed`` is the error signal that enters at the
    output. Below the drawing come the ``steps``, each a sentence with its further lines, and the ``captions``. Cells
    and wires have the numbers of these steps, each at least once, and no others. ``description`` tells the whole in
    words, for those who cannot see it. ``language`` is that of all sentences.
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

    @property
    def beside(self) -> frozenset[str]:
        """The boxes that stand above the line of a rail: what is not on the way, unless it leads into the parameter."""
        parameters = {box.id for box in self.boxes if box.kind == "parameter"}
        leading = {wire.tail for wire in self.wires if wire.lane == "forward" and wire.head in parameters}
        return frozenset(
            box.id for box in self.boxes
            if box.rows[0].lane == "rest" or (box.kind == "source" and box.id not in leading)
        )  # fmt: skip
