"""Pictures of error sharing: made as data from a flow, and written as SVG, DOT, text, JSON, PNG or PDF."""

from autodiff.draw.compose import picture
from autodiff.draw.computation import computation
from autodiff.draw.dot import dot
from autodiff.draw.engine import MissingProgramError, render
from autodiff.draw.picture import Box, Cell, Picture, Row, Wire
from autodiff.draw.save import Saved
from autodiff.draw.see import Drawing, save, see
from autodiff.draw.svg import svg
from autodiff.draw.text import text

__all__ = [
    "Box", "Cell", "Drawing", "MissingProgramError", "Picture", "Row", "Saved", "Wire", "computation", "dot", "picture",
    "render", "save", "see", "svg", "text",
]  # fmt: skip
