"""Files: the end of a file's name says as what, and a write that fails leaves what was there."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from autodiff.draw.graphviz import ENGINES, MissingProgramError, render
from autodiff.system.replace import replace

__all__ = ["ENDINGS", "OURS", "Saved", "write"]

#: What our own writers write, by the ending of the file.
OURS: Final = {
    ".svg": "svg", ".dot": "dot", ".html": "html", ".txt": "text", ".json": "json", ".tex": "tex", ".md": "markdown",
}  # fmt: skip
_BY_GRAPHVIZ: Final = (".svg", ".png", ".pdf")
ENDINGS: Final = tuple(dict.fromkeys([".svg", ".png", ".pdf", *OURS]))
_MOST: Final = 8_000_000  # characters: the time Graphviz takes to read them grows with their square
_OWN: Final = "autodiff"


class Saved(NamedTuple):
    """What was written where, and by which engine.

    >>> str(Saved(Path("flow.svg"), "autodiff").path)
    'flow.svg'
    """

    path: Path
    engine: str


def write(writers: Mapping[str, Callable[[], str]], path: str | os.PathLike[str], engine: str | None = None) -> Saved:
    """Write a drawing to a file.

    Args:
        writers: the text of each format of `OURS`, by its name, and of "placed": DOT in which everything has its place.
        path: where; a file that is there is replaced as a whole, or not at all (`autodiff.system.replace`).
        engine: the only one to be used: autodiff, dot or pygraphviz.

    Returns:
        the path, and the engine that drew. A .png or .pdf is painted by dot, else by pygraphviz, as our SVG looks;
        where there is neither our own SVG is written beside it, the path says so, and so does a warning.

    Raises:
        ValueError: another ending or engine. MissingProgramError: the engine that was asked for is not there. OSError:
        the file cannot be written; its message is one sentence that names the file.
    """
    target = Path(path)
    if "\0" in str(target):
        raise ValueError(f"no file has a name with a null character, and got {str(target)!r}")
    try:
        os.fsencode(target)
    except UnicodeEncodeError:
        encoding = sys.getfilesystemencoding()
        raise ValueError(f"names of files are written in {encoding} here, which has no {str(target)!a}") from None
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


def _drawn_by_graphviz(
    writers: Mapping[str, Callable[[], str]], ending: str, engine: str | None
) -> tuple[bytes, str]:
    source, layout = ("dot", "dot") if ending in OURS else ("placed", "nop")
    text = writers[source]()
    if len(text) > _MOST:
        raise MissingProgramError(
            f"a drawing of {len(text) / 1e6:.0f} MB is more than Graphviz paints in a minute; fold it, or save an .svg"
        )
    return render(text, ending[1:], engine=engine, layout=layout)


def _check(target: Path, ending: str, engine: str | None) -> None:
    if ending not in ENDINGS:
        known = ", ".join(ENDINGS)
        raise ValueError(f"cannot save as {target.name!r}: the name of the file must end in one of {known}")
    if engine not in (None, _OWN, *ENGINES):
        raise ValueError(f"unknown engine {engine!r} (must be one of {', '.join([_OWN, *ENGINES])})")
    if engine == _OWN and ending not in OURS:
        raise ValueError(f"the engine {_OWN} draws .svg, and a {ending} is drawn by {' or '.join(ENGINES)}")
    if engine in ENGINES and ending not in _BY_GRAPHVIZ:
        raise ValueError(f"the engine {engine} draws {', '.join(_BY_GRAPHVIZ)}, and a {ending} is written by {_OWN}")


def _put(target: Path, data: str | bytes, engine: str) -> Saved:
    try:
        # half a character of a name in .json is no text in UTF-8
        replace(target, data.encode(errors="backslashreplace") if isinstance(data, str) else data)
    except OSError as error:
        raise type(error)(f"cannot write {target}: {error.strerror or error}") from error
    return Saved(target, engine)
