"""The architecture: imports point one way, no heavy library is loaded, and the rules hold in every file."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

import autodiff
import nn
from tests.house.__main__ import check, rooms
from tests.house.rooms import FILES, LAYERS, MOST_FILES, TREES, breaches, imported, purpose, room
from tests.support.cases import each
from tests.support.places import ROOT

ROOTS = {"autodiff": Path(autodiff.__file__).parent, "nn": Path(nn.__file__).parent}
EACH = each("module", FILES)

_TEST_LIBRARIES = {
    "autodiff.testing.hooks.strategies": {"hypothesis"},
    "nn.strategies": {"hypothesis"},
    "autodiff.testing.hooks.plugin": {"pytest"},
}


@EACH
def test_every_file_is_in_a_room_of_one_layer(module: str) -> None:
    """A new folder needs a layer and a sentence on its contents."""
    assert sum(room(module) in names for names in LAYERS) == 1
    assert purpose(room(module)).endswith(".")


@each("name", sorted({*map(room, FILES)}))
def test_a_room_can_be_seen_at_a_glance(name: str) -> None:
    """Not counting the file that states its purpose."""
    assert sum(room(module) == name and module != name for module in FILES) <= MOST_FILES


def test_the_table_of_rooms_is_printed() -> None:
    """``python -m tests.house`` names every room once."""
    printed = [line.split()[1] for line in rooms().splitlines()]
    assert printed == [name for names in reversed(LAYERS) for name in reversed(names)]


def test_imports_have_no_cycle() -> None:
    """The modules can be put in an order in which each imports only earlier ones."""
    graph = {module: [name for name in imported(module) if name in FILES] for module in FILES}
    order = list(graphlib.TopologicalSorter(graph).static_order())
    assert {*order} == {*FILES}


@EACH
def test_imports_point_down(module: str) -> None:
    """A module imports from its own room or from lower layers; inside the package nobody imports the package itself."""
    assert breaches(module) == []


def test_what_is_in_the_wrong_place_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``python -m tests.house check``, which runs before each commit, ends with 1."""
    assert check() == 0
    monkeypatch.setitem(TREES, "autodiff.words.notation", ast.parse("from nn.layers import unit"))
    assert check() == 1
    monkeypatch.setitem(FILES, "autodiff.attic.box", ROOT / "autodiff" / "attic" / "box.py")
    monkeypatch.setitem(TREES, "autodiff.attic.box", ast.parse(""))
    assert check() == 1
    assert capsys.readouterr().out.splitlines() == [
        "autodiff.words.notation imports nn.layers, which is not in a lower layer",
        "autodiff.words.notation imports nn.layers, which is not in a lower layer",
        "autodiff.attic.box: autodiff.attic is in no layer of tests/house/rooms.py",
    ]


@EACH
def test_only_draw_imports_graphviz(module: str) -> None:
    """Besides the standard library: NumPy, Graphviz in the drawings, and the test libraries in three files."""
    foreign = {name.split(".")[0] for name in imported(module)} - set(sys.stdlib_module_names) - set(ROOTS)
    own = _TEST_LIBRARIES.get(module, set())
    assert foreign <= {"numpy"} | ({"graphviz"} if module.startswith("autodiff.draw") else own)


def test_nothing_but_testing_imports_testing() -> None:
    """The engine, the networks and the pictures work without the test tools."""
    for module in FILES:
        if not module.startswith("autodiff.testing") and module != "nn.strategies":
            assert not any(name.startswith("autodiff.testing") for name in imported(module)), module


@EACH
def test_imports_stand_at_the_top(module: str) -> None:
    """No function has an import statement."""
    functions = [node for node in ast.walk(TREES[module]) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    inside = [node for f in functions for node in ast.walk(f) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert inside == []


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
    """User errors raise a sentence: an assert vanishes under -O, and a bare except hides Ctrl-C."""
    for node in ast.walk(TREES[module]):
        assert not isinstance(node, ast.Assert), f"{module}, line {node.lineno}"
        assert not isinstance(node, ast.ExceptHandler) or node.type is not None, f"{module}, line {node.lineno}"


def test_no_drawer_for_odds_and_ends() -> None:
    """Every module is named after its contents."""
    beside = [path for folder in ("tests", "demos") for path in (ROOT / folder).rglob("*.py")]
    stems = {path.stem for path in [*FILES.values(), *beside]}
    assert not stems & {"utils", "util", "helpers", "helper", "common", "misc"}


@EACH
def test_every_module_says_what_it_is_and_exports_what_exists(module: str) -> None:
    """A module has a docstring, and every name of its __all__ is defined in it."""
    if FILES[module].stat().st_size:
        assert ast.get_docstring(TREES[module])
    if not module.endswith("__main__"):
        loaded = __import__(module, fromlist=["_"])
        assert all(hasattr(loaded, name) for name in getattr(loaded, "__all__", ()))


@EACH
def test_a_file_can_be_read_in_one_go(module: str) -> None:
    """At most 350 lines; only the tables of words and of operations are longer."""
    tables = {"autodiff.words.phrases", "autodiff.primitives.table.linear", "autodiff.primitives.table.factorizations"}
    assert module in tables or len(FILES[module].read_text(encoding="utf-8").splitlines()) <= 350


@each("name", sorted({*autodiff.__all__} - {"TABLE"}))
def test_public_names_are_documented(name: str) -> None:
    """Every exported name has a docstring of at least one sentence."""
    doc = getattr(autodiff, name).__doc__
    assert doc
    assert len(doc.split()) >= 3 or doc.endswith(".")
    assert "." in doc


def test_packages_are_typed() -> None:
    """Type checkers find the marker file."""
    assert all((root / "py.typed").exists() for root in ROOTS.values())
