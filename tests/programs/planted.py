"""Plant faults of rules, of accumulation and of order, and print how soon random programs find them.

``python -m tests.programs.planted [words] [--driver hypothesis]`` plants each fault alone and searches over the whole
table from several seeds. It prints the number of the program that found the fault, and the steps and inputs of the
shortest such program; then the programs per second of both drivers.

A rule is spoiled in the table itself, as in `tests.faults.fault`. A fault of the engine is one change of its source:
the functions that differ get the changed code, so that the whole project runs it, relations included.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from statistics import median
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as starting_from

import autodiff as ad
from autodiff import Primitive
from autodiff.engine import shares, slot_pass
from autodiff.system.console import readable_output
from autodiff.testing.check.entries import Check, Curvature
from autodiff.testing.check.point import Point
from autodiff.testing.hooks.strategies import programs
from autodiff.testing.random_programs.judging import Judge, Undecided, dual_fault
from autodiff.testing.random_programs.operations import GATES, Operation, Vocabulary, vocabulary
from autodiff.testing.random_programs.program import Program, resolve
from autodiff.testing.random_programs.search import Counterexample, Search, search
from autodiff.testing.relations.metamorphic import broken_relation
from autodiff.testing.subject import OwnFunction
from tests.faults.engine import ENGINE_FAULTS
from tests.faults.fault import Fault
from tests.faults.rules import CHANGES, EQUIVALENT
from tests.support.strategies import NAMES, PRIMITIVES, VOCABULARY

MOST_EXAMPLES, MOST_STEPS = 200, 3
KINDS = (ad.Value, ad.Tensor)

Vocabularies = Mapping[type, Vocabulary]
Driver = Callable[..., Search]


@dataclass(frozen=True)
class Planted:
    """A fault that can be planted in this process: ``plant`` yields the operations of programs while it is planted."""

    name: str
    kinds: tuple[type, ...]
    plant: Callable[[], AbstractContextManager[Vocabularies]]
    judge: Callable[[], Judge]
    equivalent: str = ""

    def search(self, kind: type, seed: int, most: int = MOST_EXAMPLES, driver: Driver = search) -> Search:
        """The search for the first of ``most`` programs that has the fault, shrunk."""
        with self.plant() as operations:
            return driver(self.judge(), most, kind=kind, seed=seed, operations=operations[kind])


class Found(Exception):  # noqa: N818 - not an error
    """A program has the fault; hypothesis then looks for a smaller one."""


def by_hypothesis(judge: Judge, count: int, *, kind: type, operations: Vocabulary, seed: int = 0) -> Search:
    """Like `autodiff.testing.search`, with programs that hypothesis draws and shrinks, without a database."""
    done = Search()
    found: list[tuple[Program, str]] = []
    known: dict[str, str | None] = {}  # hypothesis comes to one program by many choices, most of all when it shrinks
    phases = [Phase.generate, Phase.shrink]

    @starting_from(seed)
    @settings(
        max_examples=count, database=None, deadline=None, phases=phases, report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(programs(kind, operations=operations, kinks="anywhere"))
    def each(program: Program) -> None:
        done.tried += not found
        line = str(program)
        try:
            wrong = known[line] if line in known else judge(program)
        except Undecided:
            done.undecided += not found
            return
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
        known[line] = wrong
        if wrong:
            found.append((program, wrong))
            raise Found

    with suppress(Found):
        each()
    if found:
        (drawn, _), (least, wrong) = found[0], found[-1]
        done.found = Counterexample(least, wrong, drawn, done.tried)
    return done


DRIVERS: Mapping[str, Driver] = {"loop": search, "hypothesis": by_hypothesis}


def judged() -> Judge:
    """A judge for one search: dual numbers and all relations until one fails; then only that one, for shrinking."""
    only: list[str] = []

    def judge(program: Program) -> str | None:
        wrong = None
        if program.kind is ad.Value and only in ([], ["dual numbers"]):
            with suppress(Undecided):
                wrong = dual_fault(program)
        if wrong:
            only[:] = ["dual numbers"]
        elif only != ["dual numbers"]:
            wrong = broken_relation(program, *program.inputs, only=only or None)
            only[:] = [wrong.partition(":")[0]] if wrong else only
        return wrong

    return judge


def judged_by_slopes(program: Program) -> str | None:
    """The fault by a slope that uses no rule: from dual numbers for Values, from differences for Tensors."""
    if program.kind is ad.Value:
        return dual_fault(program)
    return broken_relation(program, *program.inputs, only=["pushforward and pullback agree"])


def judged_by_curvature(program: Program) -> str | None:
    """The fault by differences of the gradient along one direction, of the program without its steps at kinks."""
    smooth = resolve(program.instructions, program.inputs, program.operations, kinks="nowhere")
    check = Check(Curvature(Point(OwnFunction(smooth, smooth.inputs))))
    finding = check.finding(check.point.direction(np.arange(check.point.count)))
    return str(finding) if finding.verdict.failed else None


def judged_by_depth(program: Program) -> str | None:
    """The fault by the relations that walk a graph without a backward pass."""
    only = ["the order of nodes follows from the graph alone", "a copy of the graph has the same gradients"]
    return broken_relation(program, *program.inputs, only=only)


# ---- rules -----------------------------------------------------------------------------------------------------------


def rules() -> Iterator[Planted]:
    """Three faults for each input of each primitive of the table."""
    for entry in PRIMITIVES:
        kinds = tuple(kind for kind in KINDS if any(x.primitive is entry for x in VOCABULARY[kind].values()))
        for slot in range(entry.arity or max(len(example.shapes) for example in entry.examples)):
            for change, changed_share in CHANGES.values():
                wrong = spoiled(entry, slot, eval(f"lambda share: {changed_share}"))
                title = f"{entry.name}, input {slot + 1}: share {change}"
                why = EQUIVALENT.get((entry.name, slot), "")
                yield Planted(title, kinds, partial(in_the_table, wrong), lambda: judged_by_slopes, why)


def spoiled(entry: Primitive, slot: int, change: Callable[[Any], Any]) -> Primitive:
    """The primitive, with a wrong rule for one input."""

    def rule(k: int) -> Callable[..., Any]:
        right = entry.rule(k)
        return (lambda *given, **params: change(right(*given, **params))) if k == slot else right

    if entry.arity is None:
        return replace(entry, vjp=lambda k, *given, **params: rule(k)(*given, **params))
    return replace(entry, vjp=tuple(map(rule, range(entry.arity))))


@contextmanager
def in_the_table(wrong: Primitive) -> Iterator[Vocabularies]:
    """The table with a wrong primitive instead of the right one; operators stay right."""
    right = ad.TABLE[wrong.name]
    ad.TABLE[wrong.name] = wrong
    try:
        table = [name for name in NAMES if name not in GATES]  # whose lines hold the right primitives
        yield {kind: vocabulary(kind, of=table) for kind in KINDS}
    finally:
        ad.TABLE[wrong.name] = right


# ---- accumulation and order ------------------------------------------------------------------------------------------


def engine() -> Iterator[Planted]:
    """Faults of the backward pass and of the functions that it calls; those of depth need a deep step."""
    for fault in ENGINE_FAULTS:
        if fault.kind.startswith(_KINDS_OF_FAULTS) and fault.name not in (*_OF_OPEN_INFINITIES, *_OF_CALLERS):
            deep, gates = "depth" in fault.kind, "infinity" in fault.kind
            plant = partial(
                in_the_engine, fault, (_DEEP,) if deep else (), ("add", "multiply", *GATES) if gates else ()
            )
            judge, kinds = (
                ((lambda: judged_by_depth), KINDS[:1]) if deep else (judged, KINDS)
            )  # a walk is the same for both kinds
            second = fault.name.startswith("second order")
            yield Planted(
                fault.name, kinds, plant, (lambda: judged_by_curvature) if second else judge, fault.equivalent
            )


_KINDS_OF_FAULTS = ("accumulation", "order", "state: mutated cotangent", "special points: zero times infinity")
#: This needs a caller who changes the seed after the pass; `tests.engine.test_backward` does so.
_OF_CALLERS = ("the caller's seed is kept",)
#: These need an infinite slope that no gate closes, which no program has: a smooth 0 beside it makes the gradient nan.
#: The last needs an index behind a gate: one program in thousands.
_OF_OPEN_INFINITIES = (
    "a seed of 0 is taken for an error", "the sum of what is reached is taken for all of it",
    "a signal 0 crosses infinite factors of a sum", "a nan that goes no further is not asked about",
)  # fmt: skip


def _deep(x: Any) -> Any:
    for _ in range(sys.getrecursionlimit()):
        x = ad.TABLE["identity"](x)
    return x


#: One step that consists of a thousand.
_DEEP = Operation("deep", 1, _deep, written="deep({0})", primitive=ad.TABLE["identity"])


@contextmanager
def in_the_engine(fault: Fault, more: Sequence[Operation] = (), only: Sequence[str] = ()) -> Iterator[Vocabularies]:
    """The engine with a fault in the source of one module; programs of all operations or ``only`` some, and of more."""
    module = import_module(fault.file.removesuffix(".py").replace("/", "."))
    changes = changed(module, fault)
    if not changes:
        raise ValueError(f"{fault.name!r} changes no function of {fault.file}; its text has moved: write it anew")
    try:
        for owner, name, _, wrong in changes:
            setattr(owner, name, wrong)
        _forget_written()
        some = {kind: vocabulary(kind, of=only) if only else known for kind, known in VOCABULARY.items()}
        yield {kind: {**known, **{each.name: each for each in more}} for kind, known in some.items()}
    finally:
        for owner, name, right, _ in changes:
            setattr(owner, name, right)
        _forget_written()


def changed(module: ModuleType, fault: Fault) -> list[tuple[Any, str, Any, Any]]:
    """The changes of a fault to a module: (owner, attribute, right, wrong), for code of functions and for templates."""
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    if source.count(fault.old) <= fault.place:
        return []
    twins = [ModuleType(module.__name__), ModuleType(module.__name__)]
    for twin, written in zip(twins, (source, fault.planted(source)), strict=True):
        exec(compile(written, fault.file, "exec"), vars(twin))
    right, wrong = map(vars, twins)
    found: list[tuple[Any, str, Any, Any]] = []
    for name, item in right.items():
        mine = vars(module).get(name)
        if isinstance(item, FunctionType) and isinstance(mine, FunctionType):
            if _text_of(item.__code__) != _text_of(wrong[name].__code__):
                found.append((mine, "__code__", mine.__code__, wrong[name].__code__))
        elif isinstance(item, str) and item != wrong[name]:
            found.append((module, name, mine, wrong[name]))
    return found


def _text_of(code: Any) -> tuple[Any, ...]:
    """The code of a function, independent of its place in the file."""
    inner = [_text_of(item) if hasattr(item, "co_code") else repr(item) for item in code.co_consts]
    return code.co_code, code.co_names, code.co_varnames, code.co_freevars, tuple(inner)


def _forget_written() -> None:
    """Have the functions that count edges and deliver shares regenerated."""
    slot_pass.forget_loops()
    for written in (shares.SENDERS, shares.GUARDED, shares._SHARERS):
        written.clear()


# ---- the table of results --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shortest:
    """The number of the program that found a fault, steps and inputs of the shortest that has it, and that program."""

    number: int
    steps: int
    inputs: int
    program: str


@dataclass(frozen=True)
class Row:
    """The results for one fault in programs of one kind, seed by seed."""

    fault: str
    kind: str
    found: tuple[Shortest | None, ...]
    equivalent: str = ""

    @property
    def shown(self) -> bool:
        """Whether it was found from every seed, and shrunk to at most three steps."""
        return all(each is not None and each.steps <= MOST_STEPS for each in self.found)

    def __str__(self) -> str:
        every = [each for each in self.found if each]
        head = f"{self.fault:68} {self.kind:6} {len(every)} of {len(self.found)}"
        if not every:
            return f"{head}  {self.equivalent}".rstrip()
        longest = max(every, key=lambda each: (each.steps, each.inputs))
        number = median(each.number for each in every)
        return f"{head} {number:7.0f} {longest.steps:5} {longest.inputs:6}  {longest.program}"


def row(fault: Planted, kind: type, seeds: Iterable[int], driver: Driver = search) -> Row:
    """The results of the searches for a fault from every seed."""
    done = [fault.search(kind, seed, driver=driver).found for seed in seeds]
    found = (
        Shortest(x.number, len(x.program.steps), len(x.program.inputs), str(x.program)) if x else None for x in done
    )
    return Row(fault.name, kind.__name__, tuple(found), fault.equivalent)


RULES, ENGINE = tuple(rules()), tuple(engine())
FAULTS = (*RULES, *ENGINE)


def rows_of(number: int, seeds: Sequence[int], driver: str) -> list[Row]:
    """A row for each kind of program that could have the fault; number in `FAULTS`, name in `DRIVERS`."""
    return [row(FAULTS[number], kind, seeds, DRIVERS[driver]) for kind in FAULTS[number].kinds]


def summary(name: str, faults: Sequence[list[Row]]) -> str:
    """How many faults were shown and how soon: a rule's in programs of each kind that have it, others' in one kind."""
    enough = all if name == "rules" else any
    real = [rows for rows in faults if not rows[0].equivalent]
    shown = [rows for rows in real if enough(row.shown for row in rows)]
    numbers = sorted(each.number for rows in shown for row in rows if row.shown for each in row.found if each)
    lines = [
        f"{name}: {len(shown)} of {len(real)} found from every seed within {MOST_EXAMPLES} programs and cut to "
        f"{MOST_STEPS} steps or fewer; {len(faults) - len(real)} more are equivalent",
        *(
            f"  {share} % of them by program {numbers[len(numbers) * share // 100]}"
            for share in (50, 90, 99)
            if numbers
        ),
        *(f"  NOT SHOWN: {rows[0].fault}" for rows in real if rows not in shown),
    ]
    longest = max((each.inputs for rows in shown for row in rows if row.shown for each in row.found if each), default=0)
    return "\n".join([*lines, f"  inputs of the shortest: {longest} at the most"])


# ---- programs a second -----------------------------------------------------------------------------------------------


def speeds() -> Iterator[str]:
    """Programs per second of CPU time: only drawn, and also judged."""
    for kind in KINDS:
        for name, judge in (("drawn", lambda program: None), ("slopes", judged_by_slopes), ("relations", judged())):
            for driver, count in (("loop", 2000), ("hypothesis", 500)):
                few = count if name == "drawn" or kind is ad.Value else count // 5
                start = time.process_time()
                DRIVERS[driver](judge, few, kind=kind, operations=VOCABULARY[kind])
                yield f"{kind.__name__:6} {name:9} {driver:10}: {few / (time.process_time() - start):7,.0f}"


@readable_output()
def main() -> int:
    """Print a row for each fault and kind of program, counts, and programs per second; return 1 if one was missed."""
    parser = argparse.ArgumentParser(description="Plant faults and print how soon random programs find them.")
    parser.add_argument("words", nargs="*", help="only faults whose name contains one of these words")
    parser.add_argument("--only", choices=["rules", "engine", "speeds"], help="only one part")
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds to search from")
    parser.add_argument("--driver", choices=DRIVERS, default="loop", help="what draws and shrinks (default: loop)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    parts = {name: part for name, part in (("rules", RULES), ("engine", ENGINE)) if options.only in (None, name)}
    texts = []
    if parts:
        print(f"{'fault':68} {'kind':6}  found program steps inputs  the longest of the shortest programs")
    with multiprocessing.get_context("fork").Pool(options.workers) as pool:
        for name, part in parts.items():
            wanted = [k for k, fault in enumerate(FAULTS) if fault in part and matches(fault.name, options.words)]
            waiting = [pool.apply_async(rows_of, (k, range(1, options.seeds + 1), options.driver)) for k in wanted]
            faults = []
            for answer in waiting:
                faults.append(answer.get())
                print(*faults[-1], sep="\n", flush=True)
            texts.append(summary(name, faults))
    print("", *texts, sep="\n", flush=True)
    if options.only in (None, "speeds") and not options.words:
        print("", "programs per second", *speeds(), sep="\n")
    return int(any("NOT SHOWN" in text for text in texts))


def matches(name: str, words: Sequence[str]) -> bool:
    """Whether a name contains one of the words; True if there are none."""
    return not words or any(word in name for word in words)


if __name__ == "__main__":
    sys.exit(main())
