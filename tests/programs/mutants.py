"""Plant faults and report those that the tests miss: ``python -m tests.programs.mutants [words] [--workers 2]``.

For each input of every rule of the table, the share is multiplied by 1.001, negated, and dropped; rules, engine and
nets also get the faults that people make. Each fault is planted in a copy of the project, in a separate process, and
the tests run there until one fails. The exit status is 1 if a fault survives, 2 if the tests fail without one.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import Any

# Loaded once, before the processes fork; nothing of the project may be among them.
import hypothesis.extra.numpy  # noqa: F401
import mpmath  # noqa: F401
import numpy as np  # noqa: F401
import pytest

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
from tests.support.places import ROOT

COPIED = ("autodiff", "nn", "tests")
_ARGUMENTS = (
    "-x", "-q", "-o", "addopts=", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning", "-m",
)  # fmt: skip
#: A fault that makes the tests hang counts as found after this multiple of the time that the tests take without a
#: fault. A limit in seconds would find every fault as soon as the tests take longer.
PATIENCE = 4
_PARTS = "rules", "compositions", "engine", "rows", "nets", "foreign", "drawing", "naming", "saving"

#: Rooms and single files whose tests do not take part (programs, pictures, shrinking, planted faults, style of the
#: source): faults must be found without them. A fault must not be found because its text has no docstring.
LEFT_OUT = (
    "tests/cli", "tests/demos", "tests/draw", "tests/house", "tests/reference", "tests/system", "tests/telling",
    "tests/engine/test_scale.py", "tests/testing/random_programs/test_planted_faults.py",
    "tests/testing/random_programs/test_strategies.py", "tests/testing/test_plugin.py", "tests/words/test_phrases.py",
)  # fmt: skip
FIRST_FOR_RULES = ("tests/primitives/test_primitives.py", "tests/primitives/test_conventions.py")
FIRST_FOR_COMPOSITIONS = (
    "tests/values/test_compositions.py", "tests/values/test_moves.py", "tests/values/test_linalg.py",
    "tests/values/test_numpy_names.py", "tests/values/test_numpy_protocol.py",
)  # fmt: skip
FIRST_FOR_ENGINE = (
    "tests/engine/test_backward.py", "tests/transforms/test_transforms.py", "tests/values/test_tensor.py",
    "tests/values/test_value.py", "tests/engine/test_graph.py", "tests/engine/test_errors.py",
    "tests/values/test_numpy_protocol.py", "tests/engine/test_determinism.py", "tests/engine/test_closed_gates.py",
    "tests/engine/test_constants.py", "tests/testing/random_programs/test_metamorphic.py",
)  # fmt: skip
FIRST_FOR_FOREIGN = (
    "tests/foreign/test_jax_operations.py", "tests/foreign/test_torch_operations.py", "tests/foreign/test_from_jax.py",
    "tests/foreign/test_from_torch.py",
)  # fmt: skip
FIRST_FOR_NETS = (
    "tests/nn/test_layers.py", "tests/nn/test_scorer.py", "tests/nn/test_optimizer.py",
    "tests/nn/recurrence/test_recurrent.py", "tests/nn/test_strategies.py", "tests/nn/test_descents.py",
    "tests/nn/test_rates.py", "tests/nn/test_groups_and_clipping.py", "tests/nn/test_descent_state.py",
    "tests/nn/recurrence/test_language_model.py", "tests/nn/recurrence/test_cells.py",
    "tests/nn/recurrence/test_in_time.py",
)  # fmt: skip
#: Only faults of drawings are found by tests of drawings.
FIRST_FOR_DRAWING = (
    "tests/draw/views/test_network.py", "tests/draw/views/test_narrow.py", "tests/draw/views/test_saturation.py",
    "tests/draw/views/test_large_graphs.py", "tests/draw/views/test_views.py",
)  # fmt: skip

_FOREIGN = "autodiff/foreign/"

Outcome = tuple[str | None, float]  # the test that found the fault, and the seconds it took


class _Watch:
    """A pytest plugin that runs the tests of the fault's target first, and keeps the name of the first to fail."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.killer: str | None = None

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: f"[{self.target}" not in item.nodeid and f"_{self.target}_" not in item.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and self.killer is None:
            self.killer = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and self.killer is None:
            self.killer = f"import of {report.nodeid}"


@contextmanager
def project_copy() -> Iterator[Path]:
    """A copy of the project in which this process works, as if nothing of the project were loaded."""
    with tempfile.TemporaryDirectory(prefix="mutant") as folder:
        root = Path(folder)
        for name in COPIED:
            shutil.copytree(ROOT / name, root / name)
        for name in ("setup.cfg", "pyproject.toml", "README.md"):
            if (ROOT / name).exists():
                shutil.copy2(ROOT / name, root / name)
        for name in [name for name in sys.modules if name.split(".")[0] in COPIED]:
            del sys.modules[name]
        sys.path[:] = [str(root), *(path for path in sys.path if path and Path(path).resolve() != ROOT)]
        os.chdir(root)
        yield root


def silence() -> None:
    """Discard the output of this process."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def trial(fault: Fault | None, stages: Sequence[Sequence[str]], limit: int = 0) -> Outcome:
    """Plant the fault, if any, in this process and run the test files, stage by stage, until a test fails.

    It gives up after ``limit`` seconds; never if ``limit`` is 0.
    """
    start = time.monotonic()
    silence()
    os.environ["HYPOTHESIS_PROFILE"] = "mutants"
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(limit)
    watch = _Watch(fault.target if fault else "")
    with project_copy() as root:
        if fault:
            fault.plant(root)
        for files in stages:
            present = [file for file in files if (root / file).exists()]
            arguments = [*_ARGUMENTS, _marks(fault), *present]
            status = pytest.main(arguments, plugins=[watch]) if present else 0
            if Path(sys.modules["autodiff"].__file__ or "").parents[1] != root:
                raise RuntimeError("the tests ran against another copy of the project")
            if status:
                return watch.killer or f"exit status {status}", time.monotonic() - start
        return None, time.monotonic() - start


def _marks(fault: Fault | None) -> str:
    """The tests that take part; comparisons with torch and jax do so only for faults in their tables."""
    return "not browser" if fault and fault.file.startswith(_FOREIGN) else "not peer and not browser"


def _give_up(*_: Any) -> None:
    raise TimeoutError(f"the tests took more than {PATIENCE} times as long as without a fault")


def slots() -> dict[str, int]:
    """The number of inputs of each primitive of the table; if it takes any number, that of its largest example."""
    with project_copy():
        import nn  # noqa: F401 - it enters primitives of its own
        from autodiff import TABLE

        return {name: entry.arity or max(len(item.shapes) for item in entry.examples) for name, entry in TABLE.items()}


def stages_for(fault: Fault | None) -> list[list[str]]:
    """The test files in the order in which they run."""
    file, target = (fault.file, fault.target) if fault else ("", "")
    first: tuple[str, ...]
    if file.startswith("nn/"):
        first = FIRST_FOR_NETS
    elif file.startswith(_FOREIGN):
        first = FIRST_FOR_FOREIGN
    elif file.startswith("autodiff/draw/"):
        first = FIRST_FOR_DRAWING
    elif target:
        first = FIRST_FOR_RULES
    elif file.startswith("autodiff/primitives/table/"):
        first = (*FIRST_FOR_RULES, *FIRST_FOR_COMPOSITIONS)
    else:
        first = FIRST_FOR_COMPOSITIONS if file.startswith("autodiff/values/compositions/") else FIRST_FOR_ENGINE
    names = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py"))
    return [[*first], [name for name in names if not name.startswith((*LEFT_OUT, *first))]]


def run(faults: Sequence[Fault], workers: int, limit: int, report: Callable[[Fault, Outcome], None]) -> None:
    """Try every fault in a separate process, ``workers`` at a time."""
    with multiprocessing.get_context("fork").Pool(workers, maxtasksperchild=1) as pool:
        waiting = [(fault, pool.apply_async(trial, (fault, stages_for(fault), limit))) for fault in faults]
        for fault, answer in waiting:
            report(fault, answer.get())


def in_a_process(function: Callable[..., Any], *given: Any) -> Any:
    """The result of one call in a separate process."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(function, given)


def main() -> int:
    """Plant all faults, or those that contain one of the words; print survivors and counts by class."""
    parser = argparse.ArgumentParser(description="Plant faults and report those that the tests miss.")
    parser.add_argument("words", nargs="*", help="only faults whose class or name contains one of these words")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", choices=[*_PARTS], help="only faults of one part")
    parser.add_argument(
        "--seconds", type=int, help="duration of the tests without a fault, if known from a run of the same sources"
    )
    parser.add_argument("--every", action="store_true", help="print the result of every fault, not only of survivors")
    options = parser.parse_args()

    seconds = options.seconds
    if seconds is None:
        killer, seconds = in_a_process(trial, None, stages_for(None))
        if killer:
            print(f"without a fault, {killer} fails: repair it first")
            return 2
        print(f"without a fault, all tests pass in {seconds:.0f} s")

    parts = {
        "rules": (*rule_faults(in_a_process(slots)), *RULE_FAULTS), "compositions": COMPOSITION_FAULTS,
        "engine": ENGINE_FAULTS, "rows": ROW_FAULTS, "nets": NET_FAULTS, "foreign": FOREIGN_FAULTS,
        "drawing": (*DRAWING_FAULTS, *FOLDING_FAULTS), "naming": NAMING_FAULTS, "saving": SAVING_FAULTS,
        "programs": PROGRAM_FAULTS,
    }  # fmt: skip
    faults = [fault for name, part in parts.items() if options.only in (None, name) for fault in part]
    if options.words:
        faults = [item for item in faults if any(word in f"{item.kind}; {item.name}" for word in options.words)]
    astray = [fault.name for fault in faults if not fault.applies(ROOT)]
    if astray:
        print("the source text that these faults change is gone; rewrite them:", *astray, sep="\n  ")
        return 2
    found: dict[Fault, str | None] = {}

    def report(fault: Fault, outcome: Outcome) -> None:
        found[fault] = outcome[0]
        if options.every or not outcome[0]:
            verdict = f"killed by {outcome[0]}" if outcome[0] else fault.equivalent or "SURVIVED"
            print(f"{len(found):4}/{len(faults)}  {fault.name:60} {outcome[1]:5.1f} s  {verdict}", flush=True)

    tried = [item for item in faults if not item.equivalent or options.every]
    run(tried, options.workers, ceil(PATIENCE * seconds), report)
    return summary(faults, found)


ENDS = ("found", "equivalent", "survived")


def summary(faults: Sequence[Fault], found: dict[Fault, str | None]) -> int:
    """Print how many faults each test function found, and the results by class; return 1 if a fault survived."""
    killers = Counter((killer or "").split("[")[0] for killer in found.values() if killer)
    print("\nfaults found by")
    for name, count in killers.most_common():
        print(f"{count:6}  {name}")
    ends = {x: "found" if found.get(x) else "equivalent" if x.equivalent else "survived" for x in faults}
    print(f"\n{'class':42} planted {' '.join(f'{end:>10}' for end in ENDS)}")
    for kind in [*CLASSES, ""]:
        each = [end for fault, end in ends.items() if not kind or fault.kind == kind]
        if each:
            print(f"{kind or 'all':42} {len(each):7} {' '.join(f'{each.count(end):10}' for end in ENDS)}")
    for fault, end in ends.items():
        if end != "found":
            print(f"{end}: {fault.name}{fault.equivalent and ', for ' + fault.equivalent}")
    return 1 if "survived" in ends.values() else 0


if __name__ == "__main__":
    sys.exit(main())
