"""Drawing of DOT text by Graphviz: the system's dot, else pygraphviz in a separate process."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

__all__ = ["ENGINES", "MissingProgramError", "render"]

_SECONDS: Final = 60.0  # dot's running time explodes with the size of a graph
_FOLDERS: Final = (
    "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin", "/opt/local/bin", r"C:\Program Files\Graphviz\bin",
)  # fmt: skip
_PYGRAPHVIZ: Final = (
    "import sys, pygraphviz; "
    "graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode()); "
    "sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog=sys.argv[2]))"
)
#: The engines in the order in which they are tried, each with its installation command.
ENGINES: Final = {
    "dot": "run apt install graphviz, or on macOS brew install graphviz, or on Windows winget install graphviz",
    "pygraphviz": "run pip install pygraphviz",
}


class MissingProgramError(RuntimeError):
    """Raised if Graphviz is not installed or could not draw the picture."""


class TooSlowError(MissingProgramError):
    """Raised if an engine was stopped after a minute; the next one would take as long."""


def render(text: str, kind: str, *, engine: str | None = None, layout: str = "dot") -> tuple[bytes, str]:
    """Draw DOT text as ``kind`` (png, pdf, svg …) and return it with the name of the engine, ``dot`` or ``pygraphviz``.

    If the first engine fails, the second is tried. pygraphviz runs in a separate process, because its C code could not
    be stopped otherwise.

    Args:
        text: DOT.
        kind: a format that Graphviz supports.
        engine: the only engine to try; all by default.
        layout: Graphviz's layout program: "dot", or "nop" for nodes with given positions.

    Raises:
        MissingProgramError: if the engine is not installed, fails, or takes more than a minute.
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
        raise MissingProgramError(f"the engine {engine} is not installed; {ENGINES[engine]}")
    raise MissingProgramError(
        f"a .{kind} needs Graphviz, which is not installed; run pip install pygraphviz or install Graphviz "
        "(other formats need neither)"
    )


def _commands(kind: str, layout: str) -> Iterator[tuple[str, list[str]]]:
    """The installed engines with their commands; -P keeps modules in the working folder from being imported."""
    program = find_dot()
    if program is not None:
        yield "dot", [program, f"-K{layout}", f"-T{kind}"]
    if find_spec("pygraphviz") is not None:
        yield "pygraphviz", [sys.executable, "-P", "-c", _PYGRAPHVIZ, kind, layout]


def find_dot() -> str | None:
    """The program dot, on the PATH or in a usual installation folder."""
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
    errors = [line for line in said if line.startswith("Error")]  # dot leaves out bad labels but exits with status 0
    if done.returncode or errors or not done.stdout:
        raise MissingProgramError(f"{engine} could not draw the picture: {(errors or said or ['no message'])[-1]}")
    return done.stdout
