"""The rooms of the house, from the ground up, and the room of each module.

A room is a folder; its ``__init__.py`` says what belongs there. A module imports from its own room and from rooms in
lower layers, never from another room in its own layer.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tests.support.places import ROOT

__all__ = ["FILES", "LAYERS", "MOST_FILES", "TREES", "breaches", "imported", "layer", "purpose", "room"]

#: From the ground up. Rooms in one layer do not know each other; `autodiff` is the module of ``import autodiff``.
LAYERS: Final = (
    ("autodiff.words", "autodiff.primitives"),
    ("autodiff.system", "autodiff.primitives.table"),
    ("autodiff.engine", "autodiff.slopes"),
    ("autodiff.naming",),
    ("autodiff.values.compositions", "autodiff.flow"),
    ("autodiff.values",),
    ("autodiff.transforms", "autodiff.foreign", "autodiff.program.recording"),
    ("autodiff.program.compiling",),
    ("autodiff.program.arrays", "autodiff.program.writing"),
    ("autodiff.program.prose",),
    ("autodiff.program",),
    ("autodiff.telling", "autodiff.testing.subject"),
    ("autodiff.draw.model", "autodiff.testing.oracles"),
    ("autodiff.draw.grouping",),
    ("autodiff.draw.views", "autodiff.draw.layout", "autodiff.testing.random_programs"),
    ("autodiff.draw.writers", "autodiff.testing.relations"),
    ("autodiff.draw.page", "autodiff.draw.charts"),
    ("autodiff.draw",),
    ("autodiff.testing.check",),
    ("autodiff.testing.hooks",),
    ("autodiff.testing", "autodiff"),
    ("nn.parameters",),
    ("nn.lagging",),
    ("nn.descent", "nn.objectives", "nn.data", "nn.saving"),
    ("nn.training", "nn.modules"),
    ("nn.recurrence", "nn.windows"),
    ("nn",),
    ("autodiff.reference",),
    ("autodiff.cli",),
)
MOST_FILES: Final = 12  # in one room, not counting ``__init__.py``


def _module_of(path: Path) -> str:
    """The dotted name of a file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES: Final = {_module_of(path): path for name in ("autodiff", "nn") for path in sorted((ROOT / name).rglob("*.py"))}


class _Trees(dict[str, ast.Module]):
    """The syntax tree of each module, parsed when asked for: every process that collects tests loads this file."""

    def __missing__(self, module: str) -> ast.Module:
        tree = self[module] = ast.parse(FILES[module].read_text(encoding="utf-8"))
        return tree


TREES: Final = _Trees()


def room(module: str) -> str:
    """The room of a module, which is its folder; ``__main__`` belongs to the room of the commands."""
    if module == "autodiff.__main__":
        return "autodiff.cli"
    return _module_of(FILES[module].parent / "__init__.py")


def layer(module: str) -> int:
    """The height of a module's room in the layers; raises KeyError if no layer names the room."""
    return {name: height for height, names in enumerate(LAYERS) for name in names}[room(module)]


def purpose(name: str) -> str:
    """The purpose of a room: the first paragraph of its docstring."""
    return (ast.get_docstring(TREES[name]) or "").split("\n\n")[0].replace("\n", " ")


def imported(module: str) -> Iterator[str]:
    """The modules that a module imports, except in blocks for type checkers."""
    for node in _statements(TREES[module].body):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{module} imports relatively, in line {node.lineno}")
            base = str(node.module)
            yield from {f"{base}.{a.name}" if f"{base}.{a.name}" in FILES else base for a in node.names}


def _statements(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Every statement that runs, at any depth; expressions contain no imports and make up most of a tree."""
    for node in body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        for part in ("body", "orelse", "handlers", "finalbody", "cases"):
            yield from _statements(getattr(node, part, ()))


def breaches(module: str) -> list[str]:
    """The errors in the place of a module: it is in no room, or it imports from a room that is not in a lower layer."""
    if not any(room(module) in names for names in LAYERS):
        return [f"{module}: {room(module)} is in no layer of tests/house/rooms.py"]
    return [
        f"{module} imports {name}, which is not in a lower layer"
        for name in imported(module)
        if name in FILES and room(name) != room(module) and not layer(name) < layer(module)
    ]
