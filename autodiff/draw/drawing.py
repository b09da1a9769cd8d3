"""Seeing a gradient: one call from a node of any graph to a drawing in every format."""

from __future__ import annotations

import os
import sys
import tempfile
import webbrowser
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autodiff.draw.files import OURS, Saved, write
from autodiff.draw.model.data import as_json, plain_data
from autodiff.draw.model.palette import checked_theme
from autodiff.draw.model.picture import Picture
from autodiff.draw.page.page import page
from autodiff.draw.page.whole import sheet, story
from autodiff.draw.views.choose_view import VIEWS, picture
from autodiff.draw.views.computation import computation
from autodiff.draw.writers.dot import dot
from autodiff.draw.writers.pinned_dot import pinned_dot
from autodiff.draw.writers.svg import svg
from autodiff.flow import Flow, error_flow
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
    """A picture, ready to be shown or saved in any format; made by `see`. A notebook shows it by itself.

    ``flow`` is the ledger it was made from, None for a whole computation graph; ``stamp`` says whether the derivative
    by differences agrees, "" where that was not asked for.
    """

    picture: Picture
    flow: Flow | None
    theme: str = "auto"
    language: str = "en"
    digits: int = 4
    stamp: str = ""

    def svg(self) -> str:
        """The picture as our own SVG: the same bytes everywhere."""
        return svg(self.picture, theme=self.theme)

    def dot(self) -> str:
        """The picture as DOT text for Graphviz."""
        return dot(self.picture, theme=self.theme)

    def text(self) -> str:
        """The story in words and numbers."""
        if self.flow is None:
            return plain_text(story(self.picture)) + "\n"
        told = text(self.flow, language=self.language, digits=self.digits)
        return "\n\n".join(filter(None, [told, self.stamp])) + "\n"

    def json(self) -> str:
        """Every number in full: the ledger, or the picture where there is none."""
        if self.flow is None:
            return as_json(plain_data(self.picture))
        return as_json(self.flow.as_dict() | ({"check": self.stamp} if self.stamp else {}))

    def html(self) -> str:
        """One self-contained page: to step through, or the whole graph where there is no way to tell."""
        if self.flow is None:
            return sheet(self.picture, theme=self.theme)
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
        """Write to a file: .svg, .png, .pdf, .dot, .html, .txt, .json, .tex or .md.

        Args:
            path: where; a file that is there is replaced as a whole, or not at all.
            engine: autodiff, dot or pygraphviz; the first that can if left out.

        Returns:
            the path, and the engine that drew; without any Graphviz a .svg in place of a .png or .pdf, with a warning.

        Raises:
            ValueError: an unknown ending or engine. MissingProgramError: the engine is not there. OSError: the file
            cannot be written.

        >>> from autodiff import Value
        >>> x = Value(3.0, name="x")
        >>> see(x * x, x).save("x.bmp")
        Traceback (most recent call last):
        ValueError: cannot save as 'x.bmp': the name of the file must end in one of .svg, .png, .pdf, .dot, .html, \
.txt, .json, .tex, .md
        """
        writers = {name: getattr(self, name) for name in OURS.values()}
        return write({**writers, "placed": lambda: pinned_dot(self.svg(), theme=self.theme)}, path, engine)

    def show(self) -> Path:
        """Open the drawing in a browser; where there is no screen, print which file it is in. Gives that file."""
        path = self.save(Path(tempfile.mkdtemp(prefix="autodiff-")) / "picture.html").path
        if not (_has_screen() and webbrowser.open(path.as_uri())):
            with readable_output():
                print(say("wrote", self.language, path=path, engine="autodiff"))
        return path

    def __repr__(self) -> str:
        return f"<Drawing: {self.picture.title}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """What a notebook shows: the SVG, or the text where it cannot draw."""
        return {"image/svg+xml": self.svg(), "text/plain": self.text()}


def see(
    output: Any, parameter: Any = None, *, view: str = "auto", names: Mapping[str, Any] | None = None,
    theme: str = "auto", language: str = "en", digits: int = 4, seed: Any = None, check: bool = False,
) -> Drawing:  # fmt: skip
    """A drawing of the error's way from ``output`` to ``parameter``; of the whole computation graph without one.

    Args:
        output: a Value or Tensor, or a flow that `autodiff.flow.error_flow` gave.
        parameter: any node of the output's graph.
        view: "rail" (one path), "shares" (several), "graph" (every value with its operation), "network" (neurons and
            weights), or "auto": what a reader can take in.
        names: a dict of your variables, such as ``locals()``, for nodes without a name; the nodes stay as they are.
        theme: "light", "dark", "print", or "auto": as the reader's system is, and light on paper.
        language: "en" or "zh".
        digits: how many significant digits are shown.
        seed: the error signal of the output, 1 if left out.
        check: compare with the derivative by differences, and say whether it agrees.

    Raises:
        TypeError, ValueError: as `autodiff.flow.error_flow` and `autodiff.draw.picture` do, for an unknown theme, and
        for what only goes with a parameter.

    Source: notes, section 1.5 ("error sharing").

    >>> from autodiff import Value
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> see(w * x, w, check=True).stamp
    '✓ 3 ≈ 3 (by finite differences)'
    """
    checked_theme(theme)
    flow = _flow(output, parameter, seed, names)
    if flow is None:
        _check_whole(view, seed, check)
        what = computation(output, names=names, language=language, digits=digits)
        return Drawing(what, None, theme, language, digits)
    said = _stamp(flow, language, digits) if check else ""
    what = picture(flow, view, language=language, digits=digits)
    if said:
        what = replace(what, captions=(*what.captions, said), description=f"{what.description} {said}")
    return Drawing(what, flow, theme, language, digits, said)


def save(flow: Flow, path: str | os.PathLike[str], *, engine: str | None = None) -> Saved:
    """Write a flow to a file: ``see(flow).save(path)``."""
    return see(flow).save(path, engine=engine)


def _flow(output: Any, parameter: Any, seed: Any, names: Mapping[str, Any] | None) -> Flow | None:
    if isinstance(output, Flow):
        if any(item is not None for item in (parameter, seed, names)):
            raise ValueError("a flow has its parameter, seed and names already; leave them out, or give its output")
        return output
    return None if parameter is None else error_flow(output, parameter, seed=seed, names=names)


def _check_whole(view: str, seed: Any, check: bool) -> None:
    """Refuse for a whole graph what only goes with a parameter."""
    if check:
        raise ValueError("a check compares one gradient; name its parameter: see(output, parameter, check=True)")
    if seed is not None:
        raise ValueError("a seed sends an error to a parameter; name it: see(output, parameter, seed=…)")
    if view not in VIEWS:
        raise ValueError(f"unknown view {view!r} (must be one of {', '.join(VIEWS)})")
    if view not in ("auto", "graph"):
        raise ValueError(f"the view {view!r} shows the way to a parameter; name it: see(output, parameter, …)")


def _stamp(flow: Flow, language: str, digits: int) -> str:
    graph = flow.flows
    nodes = graph.node_of(flow.output), graph.node_of(flow.parameter)
    style = Style.of(language, digits)
    return stamp(*nodes, flow.gradient, seed=flow.seed, language=style.language, write=style.write)


def _has_screen() -> bool:
    """Whether a window could open: on Linux and its kin that is said in the environment."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
