"""Faults of accumulation and order, planted in the engine, are found by random programs and cut to a few steps."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest

import autodiff as ad
from autodiff import backprop
from autodiff.testing.loop import dual_fault, search
from autodiff.testing.metamorphic import broken_relation
from autodiff.testing.operations import vocabulary
from autodiff.testing.program import Program
from tests.faults import Fault
from tests.faults_of_the_engine import ACCUMULATION, ORDER

_PASS = Path(backprop.__file__)


def module_with(fault: Fault) -> ModuleType:
    """The backward pass with a fault in its source, loaded as a module of its own."""
    source = _PASS.read_text(encoding="utf-8")
    parts = source.split(fault.old)
    assert len(parts) > fault.place + 1, f"{fault.name} does not fit the source any more"
    text = fault.old.join(parts[: fault.place + 1]) + fault.new + fault.old.join(parts[fault.place + 1 :])
    module = ModuleType("backprop_with_a_fault")
    exec(compile(text, fault.name, "exec"), module.__dict__)
    return module


def plant(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> None:
    """Let Values, Tensors and transforms use this backward pass."""
    for user in ("autodiff.node", "autodiff.transforms", "autodiff.backprop"):
        monkeypatch.setattr(importlib.import_module(user), "send_back", module.send_back)
    for user in ("autodiff", "autodiff.backprop", "autodiff.testing.metamorphic"):
        monkeypatch.setattr(importlib.import_module(user), "backpropagate", module.backpropagate)


#: What these faults do is not seen in numbers, but in shared memory, in the sign of zero, or in a last bit.
_UNSEEN = ("copied", "views", "memory", "positive zero", "leaves the", "another order")
_FEW = {
    ad.Value: vocabulary(ad.Value, of=["add", "multiply", "sin", "relu", "square", "weighted_sum"]),
    ad.Tensor: vocabulary(ad.Tensor, of=["add", "multiply", "sin", "relu", "matmul", "matvec", "sum", "getitem"]),
}
PLANTED = [
    pytest.param(fault, id=fault.name)
    for fault in (*ACCUMULATION, *ORDER)
    if fault.file == "autodiff/backprop.py" and not any(word in fault.name for word in _UNSEEN)
]


def fault_of(program: Program) -> str | None:
    """What dual numbers or any relation say against a program."""
    return (dual_fault(program) if program.kind is ad.Value else None) or broken_relation(program, *program.inputs)


@pytest.mark.parametrize("fault", PLANTED)
def test_planted_faults_are_found_and_cut_short(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing accumulation and wrong order: found within 200 programs, and shrunk to at most three operations."""
    plant(monkeypatch, module_with(fault))
    done = search(fault_of, 200, seed=1, operations=_FEW[ad.Value])
    if done.found is None:
        done = search(fault_of, 200, seed=1, operations=_FEW[ad.Tensor], kind=ad.Tensor)
    assert done.found is not None
    assert len(done.found.program.steps) <= 3, done


def test_most_kinds_of_faults_are_planted() -> None:
    """Names that stop to fit would let the test above pass by testing little."""
    assert len(PLANTED) >= 15
