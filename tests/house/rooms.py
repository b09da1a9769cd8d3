"""The rooms of the house, from the ground up, and which room a module is in.

A room is a folder; its ``__init__.py`` says what belongs there. A module imports from its own room and from rooms of
lower layers, never from another room of the same layer.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.support.places import ROOT

__all__ = ["FILES", "LAYERS", "MOST_FILES", "TREES", "imported", "layer", "purpose", "room"]

#: From the ground up. Rooms of one layer do not import each other; `autodiff` is the module of ``import autodiff``.
LAYERS: Final = (
    ("autodiff.words", "autodiff.primitives"),
    ("autodiff.system", "autodiff.primitives.table"),
    ("autodiff.engine",),
    ("autodiff.values.compositions", "autodiff.flow"),
    ("autodiff.values",),
    ("autodiff.transforms",),
    ("autodiff.telling", "autodiff.testing.subject"),
    ("autodiff.draw.model", "autodiff.testing.oracles"),
    ("autodiff.draw.views", "autodiff.draw.layout", "autodiff.testing.random_programs"),
    ("autodiff.draw.writers", "autodiff.testing.relations"),
    ("autodiff.draw.page",),
    ("autodiff.draw",),
    ("autodiff.testing.check",),
    ("autodiff.testing.hooks",),
    ("autodiff.testing", "autodiff"),
    ("nn",),
    ("autodiff.cli",),
)
MOST_FILES: Final = 12  # in one room, without the ``__init__.py`` that says what it is for


def _module_of(path: Path) -> str:
    """The dotted name of a file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES: Final = {_module_of(path): path for name in ("autodiff", "nn") for path in sorted((ROOT / name).rglob("*.py"))}
TREES: Final = {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in FILES.items()}


def room(module: str) -> str:
    """The room of a module: its folder. ``autodiff.__main__`` is in the room of its commands."""
    if module == "autodiff.__main__":
        return "autodiff.cli"
    return _module_of(FILES[module].parent / "__init__.py")


def layer(module: str) -> int:
    """The height of a module's room among the layers; raises KeyError for a room that is in no layer."""
    return {name: height for height, names in enumerate(LAYERS) for name in names}[room(module)]


def purpose(name: str) -> str:
    """What belongs in a room and what does not: the first paragraph of its docstring."""
    return (ast.get_docstring(TREES[name]) or "").split("\n\n")[0].replace("\n", " ")


def imported(module: str) -> Iterator[str]:
    """The modules that a module imports, except in blocks for type checkers."""
    typing_only = {
        node
        for block in ast.walk(TREES[module])
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
        for node in ast.walk(block)
    }
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import) and node not in typing_only:
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node not in typing_only:
            if node.level:
                raise ValueError(f"{module} imports relatively, in line {node.lineno}")
            base = str(node.module)
            yield from {f"{base}.{a.name}" if f"{base}.{a.name}" in FILES else base for a in node.names}
