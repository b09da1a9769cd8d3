"""What a program has become: its source, its formulas, a file of it, and a report."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from keyword import iskeyword
from os import PathLike
from pathlib import Path
from typing import Any, Final

from autodiff.program.arrays.lowering import form_of
from autodiff.program.checking import ProgramError
from autodiff.program.compiling.form import Apply, Sum
from autodiff.program.plan import Plan
from autodiff.program.prose.formula import Formula, formula
from autodiff.program.prose.source import NotPlainError, Prose, prose
from autodiff.program.recording.recording import Guard
from autodiff.system.replace import replace

__all__ = ["Told"]

_MOST_CHANGES: Final = 100


class Told:
    """A program that tells what it has become."""

    _origin: Any
    _eager: dict[Any, str]

    @property
    def programs(self) -> list[Plan]:
        """The recorded programs, those of the newest structure last."""
        raise NotImplementedError

    def _begin(self) -> None:
        self._changes: deque[Guard] = deque(maxlen=_MOST_CHANGES)

    def _newest(self) -> Plan:
        if self.programs:
            return self.programs[-1]
        reasons = [*self._eager.values()]
        told = f"is not replayed: {reasons[-1]}" if reasons else "has not been recorded; call it first"
        raise ProgramError(f"the program {self._origin.name} {told}")

    @property
    def source(self) -> str:
        """The newest recorded program as NumPy that a person could have written.

        Its function takes the parameters and inputs as arrays and returns the results, then the gradients of their
        sum. What NumPy does not have is called by the primitive's name.

        Raises:
            ProgramError: if nothing has been recorded.
            NotPlainError: if source cannot express the program.
        """
        return _prose(self._newest(), self._origin.name).text

    @property
    def formula(self) -> Formula:
        """The newest recorded program in the notes' matrix form; ``formula.latex`` is the same as LaTeX.

        Raises:
            ProgramError: if nothing has been recorded.
            NotPlainError: if source cannot express the program.
        """
        return formula(_prose(self._newest(), self._origin.name).translation)

    def save(self, path: str | PathLike[str]) -> None:
        """Write `source` to a file that needs only NumPy, completely or not at all.

        Raises:
            ProgramError: if nothing has been recorded.
            NotPlainError: if the program calls a primitive that NumPy does not have; the message names it.
            OSError: if the file cannot be written.
        """
        plan = self._newest()
        told = _prose(plan, self._origin.name)
        if told.calls:
            named = ", ".join(told.calls)
            raise NotPlainError(f"the program calls {named}, and NumPy alone has no such function; see its source")
        replace(Path(path), f"{_heading(told)}{told.text}".encode())

    def report(self) -> str:
        """What was recorded: sizes, statements, guards with their lines, seconds, and what is not replayed and why."""
        count = len(self.programs)
        lines = [f"program {self._origin.name}: {count} recorded"]
        for k, plan in enumerate(self.programs, 1):
            lines += [f"{k}. {line}" if not j else f"   {line}" for j, line in enumerate(_of_plan(plan))]
        lines += [f"not replayed: {reason}" for reason in self._eager.values()]
        again = Counter((guard.kind, guard.place) for guard in self._changes)
        lines += [f"recorded again {n} x: {kind} at {place} came out otherwise" for (kind, place), n in again.items()]
        return "\n".join(lines)


def _prose(plan: Plan, name: str) -> Prose:
    """The newest plan's prose; integers that choose elements of Tensors, or in each example, are not in its form."""
    if plan.recording.indices or plan.recording.batched_integers:
        raise NotPlainError(f"source cannot express it: {plan.reason}")
    name = name if name.isidentifier() and not iskeyword(name) and name not in ("np", "N", "len") else "step"
    try:
        form = form_of(plan.recording)
        return prose(form, name, results=plan.recorded.results, mean=plan.mean if plan.batched else None)
    except (NotImplementedError, RecursionError) as error:
        raise NotPlainError(f"source cannot express it: {error}") from None


def _heading(told: Prose) -> str:
    shapes = [f"    {array.name}: an array of shape {_shape(array.shape)}" for array in told.translation.arguments]
    shapes += ["    integers: those among the arguments, in their order"] * told.translation.chooses
    return "\n".join([
        '"""Results and gradients of a recorded program, written by autodiff; needs only NumPy.', "",
        "The function takes", "", *shapes, "",
        "and returns the results, then the gradient of their sum with respect to each array of parameters.", '"""', "",
        "",
    ])  # fmt: skip


def _shape(shape: tuple[int, ...]) -> str:
    return str(shape).replace("-1", "N")


def _of_plan(plan: Plan) -> Iterable[str]:
    """The lines on one recorded program."""
    recording, recorded = plan.recording, plan.recorded
    yield (
        f"{len(recorded.order):,} nodes, {len(recording.parameters):,} leaves, {len(recording.inputs):,} inputs, "
        f"{recorded.results} results, {plan.calls:,} replays"
    )
    if plan.reason:
        yield f"replayed by its graph: {plan.reason}"
    else:
        form = form_of(plan.recording)
        kinds = Counter(_kind(statement) for statement in form.statements)
        parts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        numbers = sum(statement.target.size for statement in form.statements)
        yield f"{len(form.statements):,} statements ({parts}) that compute {numbers:,} numbers"
    for guard, _ in recorded.guards:
        yield f"guard at {guard.place}: {guard.kind} gave {guard.outcome!r:.40}"
    record, compile_ = plan.seconds
    yield f"{record:.3f} s of recording, {compile_:.3f} s of compiling"


def _kind(statement: Any) -> str:
    if isinstance(statement, Sum):
        return "products" if statement.products else "sums"
    return "element by element" if isinstance(statement, Apply) else "calls"
