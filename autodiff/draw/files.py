"""Writing of files: the ending of the name sets the format, and a failed write leaves the old file intact."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from autodiff.draw.graphviz import ENGINES, MissingProgramError, render
from autodiff.system.files import as_path, write_file

__all__ = ["ENDINGS", "OURS", "Saved", "write"]

#: The formats of our writers, by the ending of the file.
OURS: Final = {
    ".svg": "svg", ".dot": "dot", ".html": "html", ".txt": "text", ".json": "json", ".tex": "tex", ".md": "markdown",
}  # fmt: skip
_BY_GRAPHVIZ: Final = (".svg", ".png", ".pdf")
ENDINGS: Final = tuple(dict.fromkeys([".svg", ".png", ".pdf", *OURS]))
_MOST: Final = 8_000_000  # characters: Graphviz's time to read them grows with their square
_OWN: Final = "autodiff"


class Saved(NamedTuple):
    """The path of a written file, and the engine that drew it.

    >>> str(Saved(Path("flow.svg"), "autodiff").path)
    'flow.svg'
    """

    path: Path
    engine: str


def write(writers: Mapping[str, Callable[[], str]], path: str | os.PathLike[str], engine: str | None = None) -> Saved:
    """Write a drawing to a file.

    Args:
        writers: functions that return the text of each format in `OURS`, by name, and of "placed", which is DOT with
            fixed positions.
        path: the file; an existing file is replaced completely or not at all (`autodiff.system.replace`).
        engine: the only engine to use: autodiff, dot or pygraphviz.

    Returns:
        the path, and the engine that drew. A .png or .pdf is painted by dot, else by pygraphviz, and looks like our
        SVG. If neither is installed, our SVG is written under the same name with the ending .svg, with a warning.

    Raises:
        ValueError: if the ending or the engine is unknown. MissingProgramError: if ``engine`` is not installed.
        OSError: if the file cannot be written; the message is one sentence that names the file.
    """
    target = as_path(path)
    ending = target.suffix.lower()
    _check(target, ending, engine)
    if ending in OURS and engine in (None, _OWN):
        return _put(target, writers[OURS[ending]](), _OWN)
    try:
        data, drew = _drawn_by_graphviz(writers, ending, engine)
    except MissingProgramError as error:
        if engine is not None:
            raise
        instead = target.with_suffix(".svg")
        saved = _put(instead, writers["svg"](), _OWN)
        warnings.warn(f"wrote {instead} instead of {target}: {error}", stacklevel=3)
        return saved
    return _put(target, data, drew)


def _drawn_by_graphviz(writers: Mapping[str, Callable[[], str]], ending: str, engine: str | None) -> tuple[bytes, str]:
    source, layout = ("dot", "dot") if ending in OURS else ("placed", "nop")
    text = writers[source]()
    if len(text) > _MOST:
        raise MissingProgramError(
            f"a drawing of {len(text) / 1e6:.0f} MB is too large for Graphviz; fold the graph or save an .svg"
        )
    return render(text, ending[1:], engine=engine, layout=layout)


def _check(target: Path, ending: str, engine: str | None) -> None:
    if ending not in ENDINGS:
        known = ", ".join(ENDINGS)
        raise ValueError(f"cannot save as {target.name!r}: the file name must end in one of {known}")
    if engine not in (None, _OWN, *ENGINES):
        raise ValueError(f"unknown engine {engine!r} (must be one of {', '.join([_OWN, *ENGINES])})")
    if engine == _OWN and ending not in OURS:
        raise ValueError(f"the engine {_OWN} does not write {ending} files; use {' or '.join(ENGINES)}")
    if engine in ENGINES and ending not in _BY_GRAPHVIZ:
        raise ValueError(f"the engine {engine} does not write {ending} files; use {_OWN}")


def _put(target: Path, data: str | bytes, engine: str) -> Saved:
    # a lone surrogate in a name has no encoding in UTF-8
    write_file(target, data.encode(errors="backslashreplace") if isinstance(data, str) else data)
    return Saved(target, engine)
