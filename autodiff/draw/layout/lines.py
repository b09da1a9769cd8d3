"""Lines of text above and below a drawing, no wider than it: title, formula, legend, steps and captions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, zip_longest
from typing import Final, NamedTuple

from autodiff.draw.layout.tiles import SCALE
from autodiff.draw.model.picture import Picture
from autodiff.words.phrases import say
from autodiff.words.typeset import width

__all__ = ["SMALLEST", "Line", "Mark", "Run", "Segment", "footer", "header"]

_TITLE: Final = 21.0
_FORMULA: Final = 16.5
_LEGEND: Final = 13.0
_STEP: Final = 13.5
_CODE: Final = 13.0
SMALLEST: Final = min(_TITLE, _FORMULA, _LEGEND, _STEP, _CODE)  # px of text above and below a drawing
_LETTER: Final = 0.602  # em, the width of the letters of common fonts for code
_INDENT: Final = 26.0
#: Entries of the legend without a sign.
_WORDS_ALONE: Final = ("graph", "width", "loses-inside", "tiles", "tiles-pooled")
_LEGEND_COLOURS: Final = {
    "rest": "muted", "graph": "muted", "width": "muted", "mark": "ink", "saturated": "ink", "loses": "ink",
    "loses-inside": "ink", "tiles": "muted", "tiles-pooled": "muted", "tiles-not-finite": "ink",
    "tiles-forward": "forward", "tiles-parameter": "parameter", "tiles-error": "error", "tiles-gradient": "error",
}  # fmt: skip
_BADGE: Final = 26.0
_COLUMNS_APART: Final = 30.0
_BREAK: Final = re.compile(r"(?<= [·×+=]) ")


class Segment(NamedTuple):
    """Text of one colour."""

    text: str
    colour: str
    bold: bool = False


class Run(NamedTuple):
    """Segments in a row, starting at x; letters of formulas are italic, those of code equally wide."""

    x: float
    segments: tuple[Segment, ...]
    formula: bool = False
    code: bool = False


class Mark(NamedTuple):
    """A sign of the legend or the number of a step, starting at x."""

    x: float
    kind: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """Runs of one size and marks at one height."""

    height: float
    size: float
    runs: tuple[Run, ...]
    marks: tuple[Mark, ...] = ()


def header(picture: Picture, across: float) -> Iterator[Line]:
    """Title, formula and legend."""
    for text in _wrapped(picture.title, _TITLE, across, bold=True):
        yield Line(32.0, _TITLE, (Run(0.0, (Segment(text, "ink", True),)),))
    if picture.formula:
        yield from _formula(picture.formula, across)
    yield Line(4.0, _LEGEND, ())
    yield from _legend(picture, across)


def footer(picture: Picture, across: float) -> Iterator[Line]:
    """The steps in two columns, then the captions and the listing."""
    if picture.steps:
        yield Line(14.0, _STEP, ())
        yield from _steps(picture.steps, across)
    if picture.captions:
        yield Line(12.0, _STEP, ())
    for caption in picture.captions:
        for text in _wrapped(caption, _STEP, across):
            yield Line(21.0, _STEP, (Run(0.0, (Segment(text, "muted"),)),))
    if picture.listing:
        yield from _listing(picture, across)


def _listing(picture: Picture, across: float) -> Iterator[Line]:
    """The source of a function, each line after its number."""
    yield Line(8.0, _STEP, ())
    yield Line(21.0, _STEP, (Run(0.0, (Segment(say("graph.code", picture.language), "muted"),)),))
    letter = _LETTER * _CODE
    digits = max(len(str(line.number)) for line in picture.listing)
    most = int(across / letter) - digits - 2
    for line in picture.listing:
        code = line.text if len(line.text) <= most else f"{line.text[: most - 1]}…"
        indent = len(code) - len(code.lstrip())
        number = Run(letter * (digits - len(str(line.number))), (Segment(str(line.number), "muted"),), code=True)
        text = Run(letter * (digits + 2 + indent), (Segment(code[indent:], "ink"),), code=True)
        yield Line(18.0, _CODE, (number, text))


def _formula(parts: Sequence[str], across: float) -> Iterator[Line]:
    """An equation: the derivative in ink, its result bold, broken into lines if it is too long."""
    first, *middle, last = parts
    tokens = [Segment(first, "ink"), *(Segment(word, "error") for part in middle for word in _words(f"= {part}"))]
    tokens += [Segment("=", "error"), Segment(last, "negative" if last.startswith("−") else "error", True)]
    line: list[Segment] = []
    x = room = 0.0
    for k, token in enumerate(tokens):
        wide = width(token.text + " ", _FORMULA, bold=token.bold)
        ahead = wide + (
            width(tokens[k + 1].text, _FORMULA, bold=True) if token.text == "=" and k + 1 < len(tokens) else 0.0
        )
        if line and x + room + ahead > across:
            yield Line(27.0, _FORMULA, (Run(x, tuple(line), True),))
            line, x, room = [], _INDENT, 0.0
        line.append(Segment((" " if line else "") + token.text, token.colour, token.bold))
        room += wide
    yield Line(27.0, _FORMULA, (Run(x, tuple(line), True),))


def _words(text: str) -> list[str]:
    """The text of a formula in pieces, between which a line may break."""
    return _BREAK.split(text)


def _legend(picture: Picture, across: float) -> Iterator[Line]:
    x = 0.0
    runs: list[Run] = []
    marks: list[Mark] = []
    scales = {f"tiles-{lane}": most for lane, most in picture.scales}
    for kind in _signs_in(picture):
        sign = 0.0 if kind in _WORDS_ALONE else SCALE + 8.0 if kind in scales else _INDENT + 8.0
        text = say(f"legend.{kind}", picture.language, most=scales.get(kind))
        for k, part in enumerate(_wrapped(text, _LEGEND, across - sign)):
            wide = sign + width(part, _LEGEND)
            if runs and (k or x + wide > across):
                yield Line(22.0, _LEGEND, tuple(runs), tuple(marks))
                x, runs, marks = 0.0, [], []
            if sign and not k:
                marks.append(Mark(x, kind))
            runs.append(Run(x + sign, (Segment(part, _LEGEND_COLOURS.get(kind, kind)),)))
            x += wide + 14.0
    if runs:
        yield Line(22.0, _LEGEND, tuple(runs), tuple(marks))


def _signs_in(picture: Picture) -> list[str]:
    """The kinds of entries in the legend, in order: only what occurs in the picture."""
    lanes, signs = {wire.lane for wire in picture.wires}, {wire.sign for wire in picture.wires}
    kinds = {box.kind for box in picture.boxes}
    roles = {row.cells[0].role for box in picture.boxes for row in box.rows}
    tiles = [cell.tiles for box in picture.boxes for row in box.rows for cell in row.cells if cell.tiles is not None]
    holds = {
        "graph": picture.kind == "graph", "forward": "forward" in lanes, "error": "error" in lanes,
        "negative": -1 in signs, "zero": 0 in signs, "parameter": "parameter" in kinds,
        "rest": bool(picture.formula) and not kinds.isdisjoint(("rest", "value")),
        "mark": any(box.mark for box in picture.boxes) or any(wire.mark for wire in picture.wires),
        "saturated": "saturated" in roles,
        "loses": any(wire.loses for wire in picture.wires), "loses-inside": "loses" in roles,
        "width": "error" in lanes, **{f"tiles-{lane}": True for lane, _ in picture.scales}, "tiles": bool(tiles),
        "tiles-pooled": any(part.is_pooled for part in tiles),
        "tiles-not-finite": any(part.is_not_finite for part in tiles),
    }  # fmt: skip
    return [kind for kind, shown in holds.items() if shown]


class _Told(NamedTuple):
    """A line of a step: its text, its indent and, on the first line, the number of the step."""

    text: str
    indent: float
    number: int | None = None

    @property
    def right(self) -> float:
        return self.indent + width(self.text, _STEP)


def _steps(steps: Sequence[str], across: float) -> Iterator[Line]:
    """Numbered sentences with further lines in two columns, read downwards, or in one if two do not fit."""
    blocks = [list(_lines_of(step, number, across)) for number, step in enumerate(steps, start=1)]
    columns = _in_two(blocks)
    second = max(line.right for line in columns[0]) + _COLUMNS_APART
    if columns[1] and second + max(line.right for line in columns[1]) > across:
        columns = ([line for block in blocks for line in block], [])
    for both in zip_longest(*columns):
        placed = [(x, line) for x, line in zip((0.0, second), both, strict=True) if line is not None]
        marks = tuple(Mark(x, "badge", line.number) for x, line in placed if line.number is not None)
        yield Line(23.0, _STEP, tuple(Run(x + line.indent, (Segment(line.text, "ink"),)) for x, line in placed), marks)


def _lines_of(step: str, number: int, across: float) -> Iterator[_Told]:
    """The lines of a step: the sentence after its number, then its further lines with a larger indent, all wrapped."""
    for k, text in enumerate(step.split("\n")):
        indent = _BADGE + (_INDENT if k else 0.0)
        for j, part in enumerate(_wrapped(text, _STEP, across - indent - _INDENT)):
            yield _Told(part, indent + (_INDENT if j else 0.0), None if k or j else number)


def _in_two(blocks: Sequence[list[_Told]]) -> tuple[list[_Told], list[_Told]]:
    """Two columns of about the same height, with no block split between them."""
    ends = list(accumulate(map(len, blocks)))
    split = min(range(1, len(blocks) + 1), key=lambda k: max(ends[k - 1], ends[-1] - ends[k - 1]))
    first, second = blocks[:split], blocks[split:]
    return [line for block in first for line in block], [line for block in second for line in block]


def _wrapped(text: str, size: float, across: float, *, bold: bool = False) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width(longer, size, bold=bold) > across:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
