"""Which Graphviz draws DOT text: the system's dot, else pygraphviz in a process of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

__all__ = ["ENGINES", "MissingProgramError", "render"]

_SECONDS: Final = 60.0  # dot's time explodes with the size of a graph
_FOLDERS: Final = (
    "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin", "/opt/local/bin", r"C:\Program Files\Graphviz\bin",
)  # fmt: skip
_PYGRAPHVIZ: Final = (
    "import sys, pygraphviz; "
    "graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode()); "
    "sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog=sys.argv[2]))"
)
#: Every engine that can be asked for, in the order in which they are tried, and how to get it.
ENGINES: Final = {
    "dot": "run apt install graphviz, or on macOS brew install graphviz, or on Windows winget install graphviz",
    "pygraphviz": "run pip install pygraphviz",
}


class MissingProgramError(RuntimeError):
    """There is no Graphviz on this machine, or it could not draw the picture."""


class TooSlowError(MissingProgramError):
    """An engine was stopped: the next one would take as long."""


def render(text: str, kind: str, *, engine: str | None = None, layout: str = "dot") -> tuple[bytes, str]:
    """DOT text drawn as ``kind`` (png, pdf, svg …), and which engine drew it: ``dot``, or else ``pygraphviz``.

    Where the first fails the second is tried. pygraphviz runs in a process of its own: its C code could not be stopped
    when it takes too long.

    Args:
        text: DOT.
        kind: a format that Graphviz knows.
        engine: the only one to be tried.
        layout: how Graphviz finds places: "dot", or "nop" where each node brings its own.

    Raises:
        MissingProgramError: the engine is not there, or it failed, or took more than a minute.
    """
    failed: MissingProgramError | None = None
    for name, command in _commands(kind, layout):
        if engine in (None, name):
            try:
                return _run(command, text, name), name
            except TooSlowError:
                raise
            except MissingProgramError as error:
                failed = failed or error
    if failed is not None:
        raise failed
    if engine is not None:
        raise MissingProgramError(f"the engine {engine} is not on this machine: {ENGINES[engine]}")
    raise MissingProgramError(
        f"a .{kind} is drawn by Graphviz, which is not on this machine: run pip install pygraphviz, "
        "or install Graphviz; all other formats need neither"
    )


def _commands(kind: str, layout: str) -> Iterator[tuple[str, list[str]]]:
    """The engines that are there, and how each is called; -P: no file of the reader's folder is a module there."""
    program = find_dot()
    if program is not None:
        yield "dot", [program, f"-K{layout}", f"-T{kind}"]
    if find_spec("pygraphviz") is not None:
        yield "pygraphviz", [sys.executable, "-P", "-c", _PYGRAPHVIZ, kind, layout]


def find_dot() -> str | None:
    """The program dot: on the PATH, or where installers put it."""
    return shutil.which("dot") or next((found for found in map(_executable, _FOLDERS) if found), None)


def _executable(folder: str) -> str | None:
    return shutil.which("dot", path=folder) if Path(folder).is_dir() else None


def _run(command: Sequence[str], text: str, engine: str) -> bytes:
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise TooSlowError(f"{engine} did not finish in {_SECONDS:g} seconds; save an .svg instead") from error
    except OSError as error:
        raise MissingProgramError(f"{engine} could not be started: {error.strerror or error}") from error
    said = done.stderr.decode(errors="replace").strip().splitlines()
    errors = [line for line in said if line.startswith("Error")]  # of a label that it left out, with status 0
    if done.returncode or errors or not done.stdout:
        raise MissingProgramError(f"{engine} could not draw the picture: {(errors or said or ['no message'])[-1]}")
    return done.stdout
