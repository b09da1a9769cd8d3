"""Seeing a gradient: one call from a node of any graph to a drawing in every format."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from autodiff.draw.compose import picture
from autodiff.draw.dot import dot
from autodiff.draw.palette import THEMES
from autodiff.draw.picture import Picture
from autodiff.draw.save import OURS, Saved, write
from autodiff.draw.svg import svg
from autodiff.draw.text import text
from autodiff.flow import Flow, error_flow

__all__ = ["Drawing", "save", "see"]

LANGUAGES: Final = ("en", "zh")
VIEWS: Final = ("auto", "rail", "shares", "graph", "network")


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """A picture, ready to be shown or saved in any format; made by `see`.

    ``flow`` is the ledger it was made from, None for a whole computation graph.
    """

    picture: Picture
    flow: Flow | None
    theme: str = "auto"
    language: str = "en"
    digits: int = 4

    def svg(self) -> str:
        """Our own SVG: the same bytes everywhere."""
        return svg(self.picture, theme=self.theme)

    def dot(self) -> str:
        """DOT text for Graphviz."""
        return dot(self.picture, theme=self.theme)

    def text(self) -> str:
        """The story in words and numbers."""
        return text(self._ledger("text")) + "\n"

    def json(self) -> str:
        """Every number in full."""
        return json.dumps(self._ledger("json").as_dict(), ensure_ascii=False, allow_nan=False, indent=1) + "\n"

    def html(self) -> str:
        """One self-contained page to step through."""
        return self._told("page", theme=self.theme)

    def tex(self) -> str:
        """A LaTeX document."""
        return self._told("tex")

    def markdown(self) -> str:
        """Markdown with formulas."""
        return self._told("markdown")

    def save(self, path: str | os.PathLike[str], *, engine: str | None = None) -> Saved:
        """Write to a file whose ending says the format; see `autodiff.draw.save.write`."""
        return write({name: getattr(self, name) for name in OURS.values()}, path, engine)

    def _told(self, module: str, **more: Any) -> str:
        write = getattr(import_module(f"autodiff.draw.{module}"), module)
        return str(write(self._ledger(module), language=self.language, digits=self.digits, **more))

    def _ledger(self, format: str) -> Flow:
        if self.flow is None:
            raise ValueError(f"{format} tells the way to a parameter; name one: see(output, parameter)")
        return self.flow

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """What a notebook shows."""
        return {"image/svg+xml": self.svg(), "text/plain": repr(self) if self.flow is None else self.text()}


def see(
    output: Any, parameter: Any = None, *, view: str = "auto", names: Mapping[str, Any] | None = None,
    theme: str = "auto", language: str = "en", digits: int = 4, seed: Any = None, check: bool = False,  # noqa: ARG001
) -> Drawing:  # fmt: skip
    """A drawing of the error's way from ``output`` to ``parameter``, or of the whole computation graph without one.

    >>> from autodiff import Value
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> see(w * x, w).picture.formula[-1]
    '3'
    """
    for asked, given, known in (("view", view, VIEWS), ("theme", theme, THEMES), ("language", language, LANGUAGES)):
        if given not in known:
            raise ValueError(f"unknown {asked} {given!r} (must be one of {', '.join(known)})")
    said = {} if (language, digits) == ("en", 4) else {"language": language, "digits": digits}
    named: dict[str, Any] = {} if names is None else {"names": names}
    if isinstance(output, Flow):
        flow: Flow | None = output
    else:
        flow = None if parameter is None else error_flow(output, parameter, seed=seed, **named)
    if flow is None:
        computation = getattr(import_module("autodiff.draw"), "computation")  # noqa: B009
        what = computation(output, **said, **named)
    else:
        named = said if view == "auto" else {"view": view, **said}
        what = picture(flow, **named)
    return Drawing(what, flow, theme, language, digits)


def save(flow: Flow, path: str | os.PathLike[str], *, engine: str | None = None) -> Saved:
    """Write a flow to a file: ``see(flow).save(path)``."""
    return see(flow).save(path, engine=engine)
