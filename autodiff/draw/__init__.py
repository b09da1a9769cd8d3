"""Pictures of error sharing: built as data from a flow, then written as SVG, DOT, text, JSON, PNG or PDF."""

from autodiff.draw.drawing import Drawing, save, see
from autodiff.draw.files import Saved
from autodiff.draw.graphviz import MissingProgramError, render
from autodiff.draw.model.picture import Box, Cell, Picture, Row, Wire
from autodiff.draw.unit_curves import UnitCurves, unit
from autodiff.draw.views.choose_view import picture
from autodiff.draw.views.computation import computation
from autodiff.draw.writers.dot import dot
from autodiff.draw.writers.svg import svg
from autodiff.telling.text import text

__all__ = [
    "Box", "Cell", "Drawing", "MissingProgramError", "Picture", "Row", "Saved", "UnitCurves", "Wire", "computation",
    "dot", "picture", "render", "save", "see", "svg", "text", "unit",
]  # fmt: skip
