"""The house as seen from the street: imports point one way, nothing heavy is loaded, rules hold in every file."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import autodiff
import nn

ROOTS = {"autodiff": Path(autodiff.__file__).parent, "nn": Path(nn.__file__).parent}

#: From the ground up: a module imports from its own layer or a lower one. What is not named stands above node.
LAYERS = (
    ("special", "symbol", "namespace", "signatures", "tree"), ("primitive", "source"), ("ops", "graph"),
    ("array", "scalar"),
    ("shares", "gates", "compositions", "refusals", "numpy_protocol", "plain", "read_only", "reading"),
    ("backprop", "copies"), ("node",),
)  # fmt: skip
ABOVE_NODE = len(LAYERS)
_TEST_LIBRARIES = {
    "autodiff.testing.hooks.strategies": {"hypothesis"},
    "nn.strategies": {"hypothesis"},
    "autodiff.testing.hooks.plugin": {"pytest"},
}
NN, PROGRAM = ABOVE_NODE + 1, ABOVE_NODE + 2


def module_of(path: Path, package: str) -> str:
    """The dotted name of a file of a package."""
    parts = path.relative_to(ROOTS[package].parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_of(path, package): path for package, root in ROOTS.items() for path in sorted(root.rglob("*.py"))}
TREES = {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in FILES.items()}
EACH = pytest.mark.parametrize("module", FILES)


def imported(module: str) -> Iterator[str]:
    """The modules that a module imports when it is loaded: of these packages the very module, of others the package."""
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
            assert not node.level, f"{module} imports relatively"
            base = str(node.module)
            yield from {f"{base}.{a.name}" if f"{base}.{a.name}" in FILES else base for a in node.names}


def layer(module: str) -> int:
    """How high a module stands."""
    package, *rest = module.split(".")
    if rest == ["__main__"]:
        return PROGRAM
    if package == "nn":
        return NN
    return next((k for k, names in enumerate(LAYERS) if rest and rest[0] in names), ABOVE_NODE)


def test_imports_have_no_cycle() -> None:
    """The modules can be put in an order in which each imports only earlier ones."""
    graph = {module: [name for name in imported(module) if name in FILES] for module in FILES}
    order = list(graphlib.TopologicalSorter(graph).static_order())
    assert {*order} == {*FILES}


@EACH
def test_imports_point_down(module: str) -> None:
    """No module imports from a layer above its own; inside the package nobody imports the package itself."""
    for name in imported(module):
        if name in FILES:
            assert layer(name) <= layer(module), f"{module} imports {name}"
            assert name != "autodiff" or layer(module) >= NN


@EACH
def test_only_draw_imports_graphviz(module: str) -> None:
    """Beside the standard library there is NumPy, in the drawings Graphviz, and in three files the test libraries."""
    foreign = {name.split(".")[0] for name in imported(module)} - set(sys.stdlib_module_names) - set(ROOTS)
    own = _TEST_LIBRARIES.get(module, set())
    assert foreign <= {"numpy"} | ({"graphviz"} if module.startswith("autodiff.draw") else own)


def test_nothing_but_testing_imports_testing() -> None:
    """The engine, the nets and the pictures work without their tests' tools."""
    for module in FILES:
        if not module.startswith("autodiff.testing") and module != "nn.strategies":
            assert not any(name.startswith("autodiff.testing") for name in imported(module)), module


@EACH
def test_imports_stand_at_the_top(module: str) -> None:
    """A function imports nothing, but for what is an extra that may be missing."""
    functions = [node for node in ast.walk(TREES[module]) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    inside = [node for f in functions for node in ast.walk(f) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {getattr(node, "module", None) or node.names[0].name for node in inside}
    assert {str(name).split(".")[0] for name in names} <= {"pygraphviz", "mpmath", "torch", "jax", "hypothesis"}


def test_importing_both_packages_loads_numpy_only() -> None:
    """import autodiff, nn starts fast: no drawing, no test library, no peer is loaded."""
    code = "import sys; old = {*sys.modules}; import autodiff, nn; print(*{m.split('.')[0] for m in sys.modules} - old)"
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"autodiff", "nn", "numpy"} <= {*names}
    assert not {*names} & {"graphviz", "pygraphviz", "hypothesis", "torch", "jax", "scipy", "pytest", "sklearn", "tqdm"}
    foreign = {*names} - set(sys.stdlib_module_names) - {*ROOTS, "numpy"}
    assert not {name for name in foreign if not name.startswith(("_", "cython_runtime"))}


@EACH
def test_no_asserts_and_no_bare_excepts(module: str) -> None:
    """User errors are raised with a sentence: an assert vanishes under -O, and a bare except hides Ctrl-C."""
    for node in ast.walk(TREES[module]):
        assert not isinstance(node, ast.Assert), f"{module}, line {node.lineno}"
        assert not isinstance(node, ast.ExceptHandler) or node.type is not None, f"{module}, line {node.lineno}"


def test_no_drawer_for_odds_and_ends() -> None:
    """Every module is named for what it holds."""
    here = Path(__file__).parent
    stems = {path.stem for path in [*FILES.values(), *here.rglob("*.py"), *(here.parent / "demos").rglob("*.py")]}
    assert not stems & {"utils", "util", "helpers", "helper", "common", "misc"}


@EACH
def test_every_module_says_what_it_is_and_exports_what_exists(module: str) -> None:
    """A module has a docstring, and every name of its __all__ is defined in it."""
    if FILES[module].stat().st_size:
        assert ast.get_docstring(TREES[module])
    if not module.endswith("__main__"):
        loaded = __import__(module, fromlist=["_"])
        assert all(hasattr(loaded, name) for name in getattr(loaded, "__all__", ()))


@pytest.mark.parametrize("name", sorted({*autodiff.__all__} - {"TABLE"}))
def test_public_names_are_documented(name: str) -> None:
    """What the package exports has a docstring of at least a sentence."""
    doc = getattr(autodiff, name).__doc__
    assert doc
    assert len(doc.split()) >= 3 or doc.endswith(".")
    assert "." in doc


def test_packages_are_typed() -> None:
    """Type checkers find the marker."""
    assert all((root / "py.typed").exists() for root in ROOTS.values())
