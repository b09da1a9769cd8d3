"""Saving a flow: the end of the file's name says as what, and a write that fails leaves what was there."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from autodiff.draw.dot import dot, render
from autodiff.draw.svg import svg
from autodiff.draw.text import text
from autodiff.flow import Flow

__all__ = ["Saved", "save"]


class Saved(NamedTuple):
    """What was written where, and by which engine."""

    path: Path
    engine: str


def _as_json(flow: Flow) -> str:
    return json.dumps(flow.as_dict(), ensure_ascii=False, allow_nan=False, indent=1) + "\n"


_WRITERS: Final[Mapping[str, Callable[[Flow], str]]] = {
    ".svg": svg, ".dot": dot, ".txt": lambda flow: text(flow) + "\n", ".json": _as_json,
}  # fmt: skip
_BY_GRAPHVIZ: Final = (".png", ".pdf")


def save(flow: Flow, path: str | os.PathLike[str]) -> Saved:
    """Write a flow to a file: .svg, .dot, .txt, .json by autodiff itself, .png and .pdf by Graphviz.

    Args:
        flow: what `autodiff.flow.error_flow` gives.
        path: where; a file that is there is replaced as a whole, or not at all.

    Returns:
        the path, and the engine that drew: autodiff, dot or pygraphviz.

    Raises:
        ValueError: another ending. MissingProgramError: no Graphviz for .png or .pdf. OSError: the file cannot be
        written; its message is one sentence that names the file.
    """
    target = Path(path)
    ending = target.suffix.lower()
    if ending in _WRITERS:
        data = _WRITERS[ending](flow).encode(errors="backslashreplace")  # half a character of a name in .json
        engine = "autodiff"
    elif ending in _BY_GRAPHVIZ:
        data, engine = render(dot(flow), ending[1:])
    else:
        known = ", ".join([*_WRITERS, *_BY_GRAPHVIZ])
        raise ValueError(f"cannot save as {target.name!r}: the name of the file must end in one of {known}")
    try:
        _replace(target, data)
    except OSError as error:
        raise type(error)(f"cannot write {target}: {error.strerror or error}") from error
    return Saved(target, engine)


def _replace(target: Path, data: bytes) -> None:
    """Write beside the target and move there in one go: a reader finds the old file or the new one."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(name, _mode_for(target))
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def _mode_for(target: Path) -> int:
    """The permissions of the file that is replaced, or those of any new file: mkstemp's are for its owner only."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
