"""The list of planted faults does not rot: every fault fits the source, and every class has one. Nothing is run."""

from __future__ import annotations

from collections import Counter

import pytest

from autodiff import TABLE
from tests.faults.compositions import COMPOSITION_FAULTS
from tests.faults.drawing import DRAWING_FAULTS
from tests.faults.engine import ENGINE_FAULTS
from tests.faults.fault import CLASSES, Fault
from tests.faults.folding import FOLDING_FAULTS
from tests.faults.foreign import FOREIGN_FAULTS
from tests.faults.naming import NAMING_FAULTS
from tests.faults.nets import NET_FAULTS
from tests.faults.programs import PROGRAM_FAULTS
from tests.faults.rows import ROW_FAULTS
from tests.faults.rules import RULE_FAULTS, rule_faults
from tests.faults.saving import SAVING_FAULTS
from tests.programs import mutants
from tests.support.cases import each
from tests.support.places import ROOT

WRITTEN = (
    *RULE_FAULTS, *COMPOSITION_FAULTS, *ENGINE_FAULTS, *NET_FAULTS, *FOREIGN_FAULTS, *DRAWING_FAULTS, *NAMING_FAULTS,
    *ROW_FAULTS, *SAVING_FAULTS, *FOLDING_FAULTS, *PROGRAM_FAULTS,
)  # fmt: skip
WRAPPED = tuple(rule_faults({"multiply": 2}))


@each("fault", (*WRITTEN, *WRAPPED))
def test_a_fault_fits_the_source(fault: Fault) -> None:
    """Its text is in the source, it changes the text, and the result is valid Python."""
    assert fault.applies(ROOT), f"{fault.file} does not hold {fault.old!r} any more: write the fault anew"
    source = (ROOT / fault.file).read_text(encoding="utf-8")
    assert fault.planted(source) != source
    compile(fault.planted(source), fault.file, "exec")


def test_a_fault_of_several_places_names_the_one() -> None:
    """Text that occurs in several places is changed in one of them."""
    fault = Fault("second", "", "z", "x", place=1)
    assert fault.planted("x + x + x") == "x + z + x"


def test_every_class_has_a_fault_and_every_fault_a_class() -> None:
    """No class named in the literature is empty, even without the faults generated for every rule."""
    assert {*CLASSES} == {fault.kind for fault in WRITTEN}
    assert {fault.kind for fault in WRAPPED} < {*CLASSES}


def test_rules_engine_and_nets_have_many() -> None:
    """Names distinguish faults, including those of every primitive."""
    made = rule_faults({name: entry.arity or 3 for name, entry in TABLE.items()})
    assert max(Counter(fault.name for fault in (*WRITTEN, *made)).values()) == 1
    assert len(RULE_FAULTS) >= 80
    assert len(ENGINE_FAULTS) >= 80
    assert len(NET_FAULTS) >= 50
    assert len(DRAWING_FAULTS) >= 20


def test_files_that_are_left_out_or_come_first_exist() -> None:
    """A renamed test file would silently run, or silently lose its priority."""
    named = [*mutants.LEFT_OUT]
    first = (
        mutants.FIRST_FOR_RULES, mutants.FIRST_FOR_COMPOSITIONS, mutants.FIRST_FOR_ENGINE, mutants.FIRST_FOR_NETS,
        mutants.FIRST_FOR_FOREIGN, mutants.FIRST_FOR_DRAWING,
    )  # fmt: skip
    named += [name for names in first for name in names]
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_tests_of_a_fault_come_first() -> None:
    """The tests of its part come first, and no file is missing or run twice."""
    first = {
        "rules": RULE_FAULTS[0], "compositions": COMPOSITION_FAULTS[0], "engine": ENGINE_FAULTS[0],
        "nets": NET_FAULTS[0], "foreign": FOREIGN_FAULTS[0],
    }  # fmt: skip
    asked = {part: mutants.stages_for(fault) for part, fault in first.items()}
    assert {part: stages[0][0] for part, stages in asked.items()} == {
        "rules": "tests/primitives/test_primitives.py", "compositions": "tests/values/test_compositions.py",
        "engine": "tests/engine/test_backward.py", "nets": "tests/nn/test_layers.py",
        "foreign": "tests/foreign/test_jax_operations.py",
    }  # fmt: skip
    assert mutants.stages_for(DRAWING_FAULTS[0])[0][0] == "tests/draw/views/test_network.py"
    files = [sorted(file for stage in stages for file in stage) for stages in asked.values()]
    assert all(listed == files[0] for listed in files)
    assert files[0] == sorted({*files[0]})


def test_the_table_counts_by_class(capsys: pytest.CaptureFixture[str]) -> None:
    """Planted, found, equivalent and survived; a survivor sets the exit status."""
    found, lost = Fault("a", "", "", kind="sign"), Fault("c", "", "", kind="gates")
    equal = Fault("b", "", "", kind="sign", equivalent="it is 0")
    killer = "tests/test_x.py::test_y[1]"
    assert mutants.summary([found, equal], {found: killer}) == 0
    assert mutants.summary([found, equal, lost], {found: killer, lost: None}) == 1
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["1", "tests/test_x.py::test_y"] in lines
    assert ["sign", "2", "1", "1", "0"] in lines
    assert ["gates", "1", "0", "0", "1"] in lines
    assert [" ".join(line) for line in lines[-3:]] == ["all 3 1 1 1", "equivalent: b, for it is 0", "survived: c"]
