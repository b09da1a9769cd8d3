"""Drawings of gradients: one call turns a node of any graph into a drawing in any format."""

from __future__ import annotations

import math
import os
import sys
import tempfile
import webbrowser
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from autodiff.draw.files import OURS, Saved, write
from autodiff.draw.fitting import in_order, readable
from autodiff.draw.layout.bands import DIRECTIONS, Lay, check_direction
from autodiff.draw.layout.positions import lay_out
from autodiff.draw.model.data import as_json, plain_data
from autodiff.draw.model.palette import checked_theme
from autodiff.draw.model.picture import Picture
from autodiff.draw.notebook import formats
from autodiff.draw.page.page import page
from autodiff.draw.page.whole import sheet, story
from autodiff.draw.start import start
from autodiff.draw.views.choose_view import VIEWS
from autodiff.draw.views.computation import computation
from autodiff.draw.writers.dot import dot
from autodiff.draw.writers.frame import SLIDE
from autodiff.draw.writers.pinned_dot import pinned_dot
from autodiff.draw.writers.svg import svg
from autodiff.flow import Flow, error_flow
from autodiff.primitives.origin import SourceLine
from autodiff.system.console import readable_output
from autodiff.telling.latex import latex, tex
from autodiff.telling.markdown import markdown, prose
from autodiff.telling.style import Style
from autodiff.telling.text import plain_text, text
from autodiff.transforms.replay import stamp
from autodiff.words.phrases import say

__all__ = ["Drawing", "save", "see"]


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """A picture that can be shown, or saved in any format; made by `see`. Notebooks display it automatically.

    ``flow`` is the ledger behind the picture, None for a whole computation graph. ``stamp`` says whether finite
    differences agree with the gradient; it is "" without a check. ``lay`` lays out the picture once for all writers.
    """

    picture: Picture
    flow: Flow | None
    theme: str = "auto"
    language: str = "en"
    digits: int = 4
    stamp: str = ""
    width: float | None = SLIDE
    direction: str | None = None
    lay: Lay = field(default_factory=lambda: cache(lay_out), repr=False)

    def __reduce__(self) -> tuple[type[Drawing], tuple[Any, ...]]:
        """All fields but ``lay``, a function, which a copy makes again."""
        return Drawing, tuple(getattr(self, each.name) for each in fields(self) if each.name != "lay")

    def svg(self) -> str:
        """The picture as SVG: the same bytes on every machine."""
        return svg(self.picture, theme=self.theme, width=self.width, direction=self.direction, lay=self.lay)

    def dot(self) -> str:
        """The picture as DOT text for Graphviz."""
        return dot(self.picture, theme=self.theme, width=self.width, lay=self.lay)

    def text(self) -> str:
        """The story in words and numbers."""
        if self.flow is None:
            return plain_text(story(self.picture)) + "\n"
        told = text(self.flow, language=self.language, digits=self.digits)
        return "\n\n".join(filter(None, [told, self.stamp])) + "\n"

    def json(self) -> str:
        """The ledger, or the picture if there is no ledger, as JSON with every number in full."""
        if self.flow is None:
            return as_json(plain_data(self.picture))
        return as_json(self.flow.as_dict() | ({"check": self.stamp} if self.stamp else {}))

    def html(self) -> str:
        """One self-contained page: a flow to step through, or the picture of a whole graph."""
        if self.flow is None:
            return sheet(self.picture, theme=self.theme, width=self.width)
        return page(self.flow, theme=self.theme, language=self.language, digits=self.digits)

    def tex(self) -> str:
        """A LaTeX document."""
        if self.flow is None:
            return latex(story(self.picture))
        return tex(self.flow, language=self.language, digits=self.digits)

    def markdown(self) -> str:
        """Markdown with formulas."""
        if self.flow is None:
            return prose(story(self.picture))
        return markdown(self.flow, language=self.language, digits=self.digits)

    def save(self, path: str | os.PathLike[str], *, engine: str | None = None) -> Saved:
        """Write the drawing to a .svg, .png, .pdf, .dot, .html, .txt, .json, .tex or .md file.

        Args:
            path: the file; an existing file is replaced completely or not at all.
            engine: autodiff, dot or pygraphviz; by default the first that can draw the format.

        Returns:
            the path, and the engine that drew. Without Graphviz, a .svg is written instead of a .png or .pdf, with a
            warning.

        Raises:
            ValueError: if the ending or the engine is unknown. MissingProgramError: if the engine is not installed.
            OSError: if the file cannot be written.

        >>> from autodiff import Value
        >>> x = Value(3.0, name="x")
        >>> see(x * x, x).save("x.bmp")
        Traceback (most recent call last):
        ValueError: cannot save as 'x.bmp': the file name must end in one of .svg, .png, .pdf, .dot, .html, .txt, \
.json, .tex, .md
        """
        writers = {name: getattr(self, name) for name in OURS.values()}
        return write({**writers, "placed": lambda: pinned_dot(self.svg(), theme=self.theme)}, path, engine)

    def show(self) -> Path:
        """Open the drawing in a browser, or print its file name if there is no screen; returns the path of the file."""
        path = self.save(Path(tempfile.mkdtemp(prefix="autodiff-")) / "picture.html").path
        if not (_has_screen() and webbrowser.open(path.as_uri())):
            with readable_output():
                print(say("wrote", self.language, path=path, engine="autodiff"))
        return path

    def __repr__(self) -> str:
        return f"<Drawing: {self.picture.title}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """The picture for notebooks, no wider than their cell, and the text for frontends that cannot draw."""
        return {**formats(self.svg(), self.theme), "text/plain": self.text()}


def see(
    output: Any, *inputs: Any, parameter: Any = None, view: str = "auto", names: Any = None,
    theme: str = "auto", language: str = "en", digits: int = 4, seed: Any = None, check: bool = False,
    width: float | None = SLIDE, unfold: bool | str = False, direction: str | None = None,
) -> Drawing:  # fmt: skip
    """Draw how the error flows from ``output`` to ``parameter``, or draw the whole graph if no parameter is given.

    ``see(output, parameter)`` draws a result; ``see(f, 2.0, 3.0)`` calls a function with these inputs and draws what
    it computes, with the names of its variables and the line of its source at each box (`autodiff.transforms.run`).

    Args:
        output: a result: a Value or Tensor, a torch tensor (see `from_torch`), a traced function of jax (see
            `from_jax`), or a flow returned by `autodiff.flow.error_flow`; or a function or network to be called.
        inputs: the parameter, if ``output`` is a result; its inputs, if it is a function or network.
        parameter: any node of the output's graph, or its name: an input or variable of a called function, or a weight
            of a network. In a torch program, a leaf or one element of it; in a function of jax, a name such as
            ``"params['w1'][0, 3]"``.
        view: "rail" (one path), "shares" (several), "graph" (every value with its operation), "network" (neurons and
            weights), or "auto", which chooses a view that readers can take in: on a page narrower than a slide, one
            whose text is at least 9 px there, if there is one.
        names: a dict of variables, such as ``locals()``, a module or an object, whose names label unnamed nodes; the
            nodes do not change. The values of a loop in the calling code are named without it: x₁, x₂, …, x.
        theme: "light", "dark", "print", or "auto", which follows the reader's system and is light on paper.
        language: "en" or "zh".
        digits: the number of significant digits shown.
        seed: the error signal of the output; 1 by default.
        check: whether to compare the gradient with finite differences; the drawing shows the result.
        width: the largest width of the drawing in px, by default that of a slide. A wider drawing is wrapped into bands
            that keep every line of text at 9 px or more at this width (from about 650 px on); with None, it is as wide
            as it likes.
        unfold: whether to draw every step of a loop, or the name of the variable whose steps to draw. By default, the
            computation graph folds more than six steps: those between the first and the last become one box, and
            "auto" chooses this view for loops with several paths. With ``width=None``, every step is drawn. Units of a
            net that are alike, and all terms of a sum over examples but one, are folded in the same way.
        direction: "right" or "down", the way from the inputs to the output; by default, that which fits the width
            better. A computation graph runs to the right. DOT text keeps the default.

    Raises:
        TypeError, ValueError: those of `autodiff.flow.error_flow` and `autodiff.draw.picture`. ValueError: if the theme
        is unknown, or if view, seed or check needs a parameter and none is given; or if width is not positive or not
        finite; or if the direction is unknown, or is "down" for a computation graph. TypeError: if width is not a
        number.

    Source: notes, section 1.5 ("error sharing").

    >>> from autodiff import Value
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> see(w * x, w, check=True).stamp
    '✓ 3 ≈ 3 (by finite differences)'
    >>> see(lambda x, y: x * y, 3.0, 2.0, parameter="y").flow.gradient
    3.0
    """
    checked_theme(theme)
    _check_width(width)
    _check_direction(direction)
    unfold = width is None if unfold is False else unfold
    output, parameter, names, errors, listing = start(output, inputs, parameter, names)
    flow, lay = _flow(output, parameter, seed, names), cache(lay_out)
    if flow is None:
        _check_whole(view, seed, check)
        what = computation(output, names=names, language=language, digits=digits, unfold=unfold, errors=errors)
        _check_direction(direction, what)
        what = readable([replace(what, listing=listing)], width, direction, lay)
        return Drawing(what, None, theme, language, digits, "", width, direction, lay)
    said = _stamp(flow, language, digits) if check else ""
    made = in_order(flow, view, direction, language=language, digits=digits, unfold=unfold)
    what = readable((_finished(one, listing, said) for one in made), width, direction, lay)
    _check_direction(direction, what)
    return Drawing(what, flow, theme, language, digits, said, width, direction, lay)


def save(flow: Flow, path: str | os.PathLike[str], *, engine: str | None = None) -> Saved:
    """Write a flow to a file: ``see(flow).save(path)``."""
    return see(flow).save(path, engine=engine)


def _flow(output: Any, parameter: Any, seed: Any, names: Any) -> Flow | None:
    if isinstance(output, Flow):
        if any(item is not None for item in (parameter, seed, names)):
            raise ValueError("a flow already has its parameter, seed and names; leave them out, or pass its output")
        return output
    return None if parameter is None else error_flow(output, parameter, seed=seed, names=names)


def _finished(what: Picture, listing: tuple[SourceLine, ...], said: str) -> Picture:
    """A picture with the source of the function, and with what the check says."""
    if said:
        what = replace(what, captions=(*what.captions, said), description=f"{what.description} {said}")
    return replace(what, listing=listing)


def _check_whole(view: str, seed: Any, check: bool) -> None:
    """Refuse arguments that need a parameter."""
    if check:
        raise ValueError("check=True needs a parameter: see(output, parameter, check=True)")
    if seed is not None:
        raise ValueError("a seed needs a parameter: see(output, parameter, seed=…)")
    if view not in VIEWS:
        raise ValueError(f"unknown view {view!r} (must be one of {', '.join(VIEWS)})")
    if view not in ("auto", "graph"):
        raise ValueError(f"the view {view!r} needs a parameter: see(output, parameter, view={view!r})")


def _check_width(width: Any) -> None:
    if width is None:
        return
    if not isinstance(width, int | float) or isinstance(width, bool):
        raise TypeError(f"expected the width as a number of px, or None, but got {width!r}")
    if not 0 < width < math.inf or width > sys.float_info.max:
        raise ValueError(f"expected a positive, finite width in px, or None, but got {width!r}")


def _check_direction(direction: Any, what: Picture | None = None) -> None:
    if direction is not None and direction not in DIRECTIONS:
        raise ValueError(f"unknown direction {direction!r} (must be one of {', '.join(DIRECTIONS)})")
    if what is not None:
        check_direction(what, direction)


def _stamp(flow: Flow, language: str, digits: int) -> str:
    graph = flow.flows
    nodes = graph.node_of(flow.output), graph.node_of(flow.parameter)
    style = Style.of(language, digits)
    return stamp(*nodes, flow.gradient, seed=flow.seed, language=style.language, write=style.write)


def _has_screen() -> bool:
    """Whether a window could open; on Linux and similar systems, the environment says so."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
