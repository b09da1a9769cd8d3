"""`program`: a function that is recorded at its first call and replayed from then on."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from operator import add
from time import perf_counter
from typing import Any, Final

import numpy as np

from autodiff.engine.trees import flatten, rebuild, tree_map
from autodiff.primitives.operands import describe
from autodiff.primitives.origin import Origin
from autodiff.program.back_end import back_end
from autodiff.program.batches import BatchCall, by_example, totalled
from autodiff.program.checking import ProgramError, agree_with_function, agree_with_graph
from autodiff.program.gradients import Gradients, eager_gradients, one_of
from autodiff.program.keys import Call, objects_in
from autodiff.program.node import WHOLE, result_of
from autodiff.program.plan import ChangedError, Plan, Run
from autodiff.program.recording.collecting import PAUSED
from autodiff.program.recording.record import Recorded, is_by_element, record
from autodiff.program.replay import replayed
from autodiff.program.surroundings import Surroundings
from autodiff.program.telling import Told
from autodiff.values.reading import recorder

__all__ = ["Program", "program"]

_MOST_PROGRAMS: Final = 256
_MOST_IN_A_ROW: Final = 8  # recordings of one structure without a replay between; then it is cheaper not to record


class Program(Told):
    """A function as a program; made by `program`."""

    def __init__(
        self, function: Callable[..., Any], batch: Iterable[str] = (), on_change: str = "record", verify: Any = True,
        mean: bool = True,
    ) -> None:  # fmt: skip
        functools.update_wrapper(self, function)
        self.function, self.batch, self.on_change, self.verify = function, tuple(batch), on_change, verify
        self.mean = mean
        self._begin()

    def _begin(self) -> None:
        super()._begin()
        self._plans: dict[Any, tuple[Plan, ...]] = {}
        self._around: Surroundings | None = None
        self._eager: dict[Any, str] = {}
        self._misses: dict[Any, int] = {}
        self._lock = threading.RLock()
        self._calls = 0
        self._of_one: Program | None = None
        self._origin = Origin(WHOLE, {}, getattr(self.function, "__name__", "program"))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program; the result is a node, or nodes in the structure that the function returns."""
        if recorder() is not None:  # inside another program, which records what is inside
            return self.function(*args, **kwargs)
        call = self._call(args, kwargs)
        run = self._run(call)
        return result_of(run) if isinstance(run, Run) else self._eagerly(call, run)

    def _call(self, args: Any, kwargs: Any) -> Call:
        return BatchCall(self.function, self.batch, args, kwargs) if self.batch else Call(args, kwargs)

    def _eagerly(self, call: Call, recorded: Recorded | None) -> Any:
        """The result without a replay; of a batch, that of the programs of its examples.

        A call that was recorded in vain has its result already, unless something stood for nodes in it.
        """
        if recorded is not None and not (call.linked or call.integers):
            return recorded.result
        if not isinstance(call, BatchCall):
            result = self.function(*call.args, **call.kwargs)
            if recorded is None:  # and the function itself does not fail
                self._eager.setdefault(call.key, "the function fails with what stands for its arguments")
            return result
        if self._of_one is None:
            self._of_one = Program(self.function, (), self.on_change, self.verify)
        total = None
        for k in range(call.count):
            args, kwargs = call.example(k)
            result = self._of_one(*args, **kwargs)
            total = result if total is None else rebuild(result, list(map(add, flatten(total), flatten(result))))
        return tree_map(lambda item: item / float(call.count), total) if self.mean else total

    def value_and_grad(self, *args: Any, **kwargs: Any) -> tuple[Any, Gradients]:
        """The result as plain data and its `Gradients`, without touching any ``.grad``.

        Raises:
            ValueError: if the result is not one number.
        """
        if recorder() is not None:
            return eager_gradients(self.function(*args, **kwargs))
        call = self._call(args, kwargs)
        run = self._run(call)
        if isinstance(run, Run) and run.plan.single is not None:
            number = run.numbers[0]
            return number, Gradients(run.plan.recording.parameters, *run.pulled([one_of(number)]))
        output = result_of(run) if isinstance(run, Run) else self._eagerly(call, run)
        return eager_gradients(output)

    def _run(self, call: Call) -> Run | Recorded | None:
        """The replay of a call; if it must be eager, None or what was recorded in vain."""
        if self._around is not None and self._around.changed():
            self._plans, self._around = {}, None
        for plan in self._plans.get(call.key, ()):
            if plan.fits(call.integers):
                try:
                    run = plan.called(call.inputs, call.integers, call.linked)
                except ChangedError as change:
                    self._report(change)
                    continue
                self._used(call.key, plan)
                if (
                    self.verify
                    and (not plan.checked or self.verify == "always")
                    and agree_with_function(self, plan, run, call)
                ):
                    self._around = self._reached(call)  # the function itself may have counted something
                return run
        if call.key in self._eager:
            return None
        return self._recorded(call)

    def _reached(self, call: Call) -> Surroundings:
        """What the function reaches now, through the arguments of all recorded calls too."""
        return Surroundings(self.function, *objects_in([*self._plans, call.key]))

    def _used(self, key: Any, plan: Plan) -> None:
        self._calls += 1
        plan.calls, plan.last = plan.calls + 1, self._calls
        if self._misses.get(key):
            self._misses[key] = 0

    def _report(self, change: ChangedError) -> None:
        guard = change.args[0]
        if guard is not None:
            self._changes.append(guard)
        if self.on_change == "raise" and guard is not None:
            raise ProgramError(
                f"{guard.kind} at {guard.place} came out otherwise than in the recording ({guard.outcome}); another "
                'branch is another program: leave out on_change="raise" to record it, or compute with nodes only'
            )

    def _recorded(self, call: Call) -> Run | Recorded | None:
        key = call.key
        missed = self._misses[key] = self._misses.get(key, 0) + 1
        if missed > _MOST_IN_A_ROW:
            self._eager[key] = "another branch was taken at each call"
            return None
        with PAUSED:
            began = perf_counter()
            recorded = self._record(call)
            return None if recorded is None else self._made(call, recorded, perf_counter() - began)

    def _made(self, call: Call, recorded: Recorded, seconds: float) -> Run | Recorded | None:
        """The first run of what was recorded; what was recorded in vain if there is a reason not to replay it."""
        key = call.key
        if recorded.reason:
            self._eager[key] = recorded.reason
            return None if isinstance(call, BatchCall) else recorded
        began = perf_counter()
        plan = self._plan(recorded)
        plan.seconds = seconds, perf_counter() - began
        try:
            run = plan.called(call.inputs, call.integers, call.linked)
        except ChangedError:  # inf or nan in the first call: nothing to replay
            return None if isinstance(call, BatchCall) else recorded
        self._around = self._reached(call)
        if self.verify:
            agree_with_graph(self, plan, run)
            if self._around.asks_types:  # what stands for a float is no float
                agree_with_function(self, plan, run, call)
        plan.first = call.inputs, call.integers
        self._keep(key, plan)
        return run

    def _plan(self, recorded: Recorded) -> Plan:
        exact, found = replayed(recorded), back_end(recorded)
        run, reason = (None, found) if isinstance(found, str) else (found, "")
        if not recorded.recording.batched and not recorded.recording.batched_integers:
            return Plan(recorded, run or exact, exact, self._origin, reason=reason)
        exact = totalled(by_example(recorded.recording, exact), recorded.results, mean=self.mean)
        run = None if run is None else totalled(run, recorded.results, mean=self.mean)
        return Plan(recorded, run or exact, exact, self._origin, mean=self.mean, reason=reason)

    def _record(self, call: Call) -> Recorded | None:
        """A recording, with arrays as Tensors if the function works with arrays, else as Values; ints as inputs if they
        can be, else as they are; None if the function fails with all of these.
        """
        args, kwargs = call.args, call.kwargs
        axes: dict[str, Any] = {}
        if isinstance(call, BatchCall):
            args, kwargs = call.example(0)
            axes = {"batched": call.batched, "batched_integers": call.batched_integers}
        found: Recorded | None = None
        has_arrays = any(isinstance(item, np.ndarray) for item in call.inputs)
        for vary in (True, False) if call.integers and not axes.get("batched_integers") else (True,):
            for scalars in (False, True) if has_arrays else (False,):
                try:
                    recorded = record(self.function, args, kwargs, integers_vary=vary, scalars=scalars, **axes)
                except Exception:  # what the eager call raises is raised by the eager call
                    continue
                if scalars and recorded.reason and found:
                    break
                found = recorded
                if scalars or not has_arrays or not is_by_element(recorded):
                    break
            if found is not None:
                return found
        return None

    def _keep(self, key: Any, plan: Plan) -> None:
        with self._lock:
            self._calls += 1
            plan.last = self._calls
            plans = {**self._plans, key: (plan, *self._plans.get(key, ()))}
            while sum(map(len, plans.values())) > _MOST_PROGRAMS:
                oldest = min((each.last, place) for place, row in enumerate(plans.values()) for each in row)
                worst = list(plans)[oldest[1]]
                kept = tuple(each for each in plans[worst] if each.last != oldest[0])
                plans = {k: row for k, row in {**plans, worst: kept}.items() if row}
            self._plans = plans

    @property
    def programs(self) -> list[Plan]:
        """The recorded programs, those of the newest structure last."""
        return [plan for row in self._plans.values() for plan in reversed(row)]

    def forget(self) -> None:
        """Forget all recordings, as after a change that a program cannot see."""
        with self._lock:
            self._begin()

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self if owner is None else functools.partial(self, owner)

    def __repr__(self) -> str:
        return f"<program {self._origin.name}, {len(self.programs)} recorded>"

    def __reduce__(self) -> Any:
        return Program, (self.function, self.batch, self.on_change, self.verify, self.mean)

    def __deepcopy__(self, memo: Mapping[int, Any]) -> Program:
        return Program(deepcopy(self.function, memo), self.batch, self.on_change, self.verify, self.mean)  # type: ignore[arg-type]


def program(
    function: Callable[..., Any] | None = None, *, batch: Iterable[str] = (), on_change: str = "record",
    verify: Any = True, mean: bool = True,
) -> Any:  # fmt: skip
    """A function that is run once, recorded as a graph, and replayed from then on.

    Args:
        function: takes numbers, arrays, ints, Values, Tensors, and nested lists, tuples and dicts of them.
        batch: names of arguments with a leading axis of examples: the function is written for one example.
        on_change: what happens where Python looked at a number while recording, as in ``if x > 0``, and sees something
            else in a replay: "record" records the other branch as a program of its own, "raise" raises.
        verify: True compares the first call with the recorded graph, and the second one on other inputs with a second
            eager execution; "always" compares every call; False none.
        mean: whether a batch is averaged; else it is summed.

    Returns:
        a callable `Program`. Its result is a node, or nodes in the structure that the function returns: ``backward()``
        adds to the ``.grad`` of all leaves that the function used. ``value_and_grad`` returns plain numbers instead.

    Floats and arrays are inputs; ints pick from lists and Tensors, or else make a guard, as comparisons of numbers do.
    Leaves that the function reaches without an argument are known by identity, and their data are read at each call.
    Numbers drawn by `nn.Dropout` are drawn anew; the time, files and ``random`` are constants of the recording.
    Where a replay gives inf or nan, the function is called instead, and so it is if it cannot be recorded.

    Raises:
        TypeError: if the function is not callable.
        ValueError: if an argument is not one of those above, or the examples of a batch differ in number.
        ProgramError: from a call, if program and function differ, or a guard changes with ``on_change="raise"``.

    Source: the project's own; the idea of guards is that of Dr.Jit's frozen functions.

    >>> from autodiff import Value, program
    >>> w = Value(3.0)
    >>> step = program(lambda x: (w * x - 1.0) ** 2)
    >>> J = step(2.0)
    >>> J.backward()
    >>> J.data, w.grad, step(1.0).data
    (25.0, 20.0, 4.0)
    """
    if function is None:
        return functools.partial(program, batch=batch, on_change=on_change, verify=verify, mean=mean)
    if not callable(function):
        raise TypeError(f"program takes a function, and got {describe(function)}")
    if on_change not in ("record", "raise"):
        raise ValueError(f'on_change is "record" or "raise", and got {describe(on_change)}')
    if verify not in (True, False, "always"):
        raise ValueError(f'verify is True, False or "always", and got {describe(verify)}')
    return Program(function, (batch,) if isinstance(batch, str) else batch, on_change, verify, mean)
