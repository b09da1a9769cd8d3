"""Other engines, run through the same random programs."""

from __future__ import annotations

from importlib import util
from types import ModuleType

import pytest

import autodiff as ad
from autodiff.testing.random_programs.program import Program
from tests.support.places import ROOT

pytestmark = pytest.mark.peer

_DEMO = ROOT / "demos" / "other_engines.py"


@pytest.fixture(scope="module")
def demo() -> ModuleType:
    """The program as a module."""
    spec = util.spec_from_file_location("other_engines", _DEMO)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_fault_is_listed_with_its_smallest_program(demo: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """Gradients that are ten percent off where a program multiplies: one step, both numbers."""

    def theirs(program: Program) -> list[float]:
        leaves = program.leaves()
        scale = 1.1 if "multiply" in str(program) else 1.0
        return [scale * slope for slope in ad.gradients(program(*leaves), leaves)]

    operations = {name: item for name, item in demo.vocabulary(ad.Value).items() if name in {"add", "multiply"}}
    demo.report("mistaken", operations, theirs, 100, ad.Value)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "mistaken: 2 operations"
    assert lines[1] == "  away from kinks: Value 1.0; multiply 0 0"
    assert lines[2].startswith("      ours 1.25, theirs 1.375")
    assert lines[3] == "  away from kinks: 100 programs agree"


def test_micrograd_agrees(demo: ModuleType) -> None:
    """All its operations, also on kinks: its relu has slope 0 at 0, as ours."""
    pytest.importorskip("micrograd", reason="micrograd comes with the extra 'peers'")
    operations, gradients = demo.micrograd()
    assert all(done.found is None for _, done in demo.disagreements(operations, gradients, 200, ad.Value))


def test_micrograd_adds_what_the_first_pass_left(demo: ModuleType) -> None:
    """A second backward pass of micrograd sends old error signals once more: shown by one step."""
    pytest.importorskip("micrograd", reason="micrograd comes with the extra 'peers'")
    operations, gradients = demo.micrograd(passes=2)
    _, done = next(demo.disagreements(operations, gradients, 200, ad.Value))
    assert done.found is not None
    assert len(done.found.program.steps) == 1
    assert demo.disagreement(done.found.program, demo.micrograd()[1]) is None


def test_hips_autograd_runs_the_same_forwards(demo: ModuleType) -> None:
    """It agrees away from kinks on what is made of its functions, but for faults of its own, such as a zero in prod."""
    pytest.importorskip("autograd", reason="HIPS autograd comes with the extra 'peers'")
    operations, gradients = demo.hips()
    assert len(operations) > 80
    assert demo.disagreement(Program.parse("Tensor [0.5,1.5]; tanh 0; multiply 1 0; exp 1"), gradients) is None
    zero = Program.parse("Tensor [0.0,2.0]; prod 0")
    assert demo.disagreement(zero, gradients) == "ours [1.25, 0.0], theirs [nan, 0.0]"
    tied = Program.parse("Tensor 0.0; relu 0")
    assert demo.disagreement(tied, gradients) == "ours 0.0, theirs 0.3125"
