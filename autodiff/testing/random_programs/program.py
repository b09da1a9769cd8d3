"""Random straight-line programs: lists of instructions that print as Python, fit on a line, and shrink.

An instruction names an operation and its operands, counted back from the newest value modulo the number of values, so
that a program is still valid without one of its instructions; −1, −2, … are the first input, the second, … An
instruction that does not fit its operands is skipped. The output is a weighted sum of all values that no step uses:
only a branch not taken is dead code, and no cotangent is all ones. If all branches end in constants, so is the output.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce
from operator import add
from typing import Any, Final, Literal, get_args
from urllib.parse import unquote

import numpy as np

from autodiff.engine.plain import as_leaf_array, as_value_data
from autodiff.primitives.domain import Shape
from autodiff.primitives.namespace import is_plain_number
from autodiff.primitives.operands import describe
from autodiff.primitives.registry import TABLE
from autodiff.testing.random_programs.literals import as_word, listed
from autodiff.testing.random_programs.operations import (
    Kind,
    Operand,
    Operation,
    Vocabulary,
    check_operations,
    vocabulary,
)  # fmt: skip
from autodiff.testing.random_programs.smoothness import is_smooth
from autodiff.values.tensor import Tensor
from autodiff.values.value import Value

__all__ = [
    "LIMIT", "Engine", "Instruction", "Kinks", "Program", "Step", "as_given", "check_program", "resolve", "weights_of",
]  # fmt: skip

Instruction = tuple[Any, ...]  #: the name of an operation, then the distance back to each operand
Step = tuple[str, tuple[int, ...]]
Engine = Mapping[str, Callable[..., Any]]
Kinks = Literal["anywhere", "inputs", "nowhere"]

LIMIT: Final = 4.0  # of absolute values: beyond it, 1 − tanh² and the like lose digits in every engine
_MOST_ELEMENTS: Final = 36


@dataclass(frozen=True, eq=False, repr=False)
class Program:
    """A straight-line program: ``inputs``, ``steps`` of (operation, operands), and ``weights`` of the unused values.

    Values are numbered from 0, inputs first. Called with leaves, it returns its output; ``str`` writes it on one line,
    `python` returns its source. `resolve` and `parse` make programs.

    >>> program = Program.parse("Value 0.5; exp 0; multiply 1 0")
    >>> print(program.python())
    import autodiff as ad
    <BLANKLINE>
    x0 = ad.Value(0.5)
    v1 = ad.exp(x0)
    v2 = ad.multiply(x0, v1)
    output = v2 * 0.25
    >>> from autodiff import gradients
    >>> x = Value(0.5)
    >>> gradients(program(x), x) == gradients(0.25 * (x * np.exp(x)), x)
    True
    """

    inputs: tuple[Any, ...]
    steps: tuple[Step, ...]
    weights: tuple[tuple[int, Operand], ...]
    operations: Vocabulary = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        """Value for a program over numbers, Tensor for one over arrays."""
        return Tensor if any(isinstance(x, np.ndarray) for x in self.inputs) else Value

    @property
    def instructions(self) -> list[Instruction]:
        """The steps with their operands counted back, as `resolve` and `parse` read them."""
        count = len(self.inputs)
        return [
            (name, *(count + k - 1 - operand for operand in operands)) for k, (name, operands) in enumerate(self.steps)
        ]

    def leaves(self) -> list[Value | Tensor]:
        """New leaves that hold the inputs."""
        return [self.kind(x) for x in self.inputs]

    def __call__(self, *inputs: Any) -> Any:
        """The output on these inputs: leaves, or plain numbers and arrays."""
        return self.output(self.operations, inputs)

    def parts(self, *inputs: Any) -> list[Any]:
        """The values that no step uses, with the constant 1.0 after the first: a function of several outputs.

        >>> Program.parse("Value 2.0 1.5; square 0").parts(2.0, 1.5)
        [2.0, 1.0, 2.25]
        """
        values = self.values(self.operations, inputs)
        first, *others = (values[sink] for sink, _ in self.weights)
        return [first, 1.0, *others]

    def engine(self, xp: Any) -> Engine:
        """The steps in other arithmetic: the forwards of their primitives over the namespace ``xp``."""
        return {name: partial(self.operations[name].forward, xp) for name, _ in self.steps}

    def output(self, engine: Engine, inputs: Sequence[Any], nudged: int = -1, nudge: float = 0.0) -> Any:
        """The output by an engine, a function for each operation; the result of step ``nudged`` grows by ``nudge``."""
        values = self.values(engine, inputs, nudged, nudge)
        total = engine.get("sum", TABLE["sum"])
        return _added([_weighted(values[sink], weight, total) for sink, weight in self.weights])

    def values(self, engine: Engine, inputs: Sequence[Any], nudged: int = -1, nudge: float = 0.0) -> list[Any]:
        """The inputs and the results of all steps, as `output` computes them."""
        values = list(inputs)
        for k, (name, operands) in enumerate(self.steps):
            result = engine[name](*(values[operand] for operand in operands))
            values.append(result * (1.0 + nudge) if k == nudged else result)
        return values

    def python(self) -> str:
        """Python source that builds the same graph: ``output``, computed from the leaves x0, x1, …"""
        names = [f"x{k}" for k in range(len(self.inputs))]
        lines = [f"{name} = ad.{self.kind.__name__}({listed(x)})" for name, x in zip(names, self.inputs, strict=True)]
        for name, operands in self.steps:
            operation = self.operations[name]
            source = operation.source([names[operand] for operand in operands])
            names.append(f"v{len(names)}")
            lines.append('with np.errstate(all="ignore"): ' * operation.quiet + f"{names[-1]} = {source}")
        terms = [_term(names[sink], weight) for sink, weight in self.weights]
        lines.append(f"output = {' + '.join(terms)}")
        needed = ["import autodiff as ad"] + ["import numpy as np"] * any("np." in line for line in lines)
        return "\n".join([*needed, "", *lines])

    def __str__(self) -> str:
        inputs = " ".join(listed(x).replace(" ", "") for x in self.inputs)
        steps = ["; " + " ".join([as_word(name), *map(str, back)]) for name, *back in self.instructions]
        return f"{self.kind.__name__} {inputs}{''.join(steps)}"

    def __repr__(self) -> str:
        return f"Program.parse({str(self)!r})"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """For hypothesis and IPython, which would print every field."""
        printer.text(repr(self))

    def __eq__(self, other: object) -> bool:
        """Whether both have the same line, and the same operations behind its names."""
        if not isinstance(other, Program):
            return NotImplemented
        return str(self) == str(other) and all(
            self.operations[name] == other.operations[name] for name, _ in self.steps
        )

    def __hash__(self) -> int:
        return hash(str(self))

    @staticmethod
    def parse(line: str, operations: Vocabulary | None = None) -> Program:
        """The program of a line that ``str`` wrote.

        Args:
            line: the text.
            operations: the meaning of its names; the table's `vocabulary` if left out.

        Raises:
            TypeError: if ``line`` is not a string.
            ValueError: if it cannot be read, or an instruction does not fit its operands.

        >>> Program.parse("Tensor [[1.0,2.0]] [0.5]; add 0 1; sum 0")
        Program.parse('Tensor [[1.0,2.0]] [0.5]; add 0 1; sum 0')
        """
        if not isinstance(line, str):
            raise TypeError(f"Program.parse takes a line of text, and got {describe(line)}")
        head, *rest = [part.split() for part in line.split(";")]
        try:
            read = _READ[head[0]]
            inputs = [read(json.loads(x)) for x in head[1:]]
            instructions: list[Instruction] = [(unquote(name), *map(int, back)) for name, *back in rest]
        except (LookupError, TypeError, ValueError):
            inputs = []
        if not inputs:
            raise ValueError(f"a program is written like 'Value 2.0 3.0; multiply 1 0; exp 0', and got {line!r}")
        program = resolve(instructions, inputs, operations)
        for k, (name, *back) in enumerate(instructions):
            arity, there = program.operations[name].arity, len(inputs) + k
            if len(back) != arity or any(not -len(inputs) <= operand < there for operand in back):
                raise ValueError(
                    f"{name} takes {arity} of the {there} values before it (0 is the newest, −1 the first input), "
                    f"and got {', '.join(map(str, back)) or 'none'} in {line!r}"
                )
        if len(program.steps) < len(instructions):
            raise ValueError(f"an instruction of {line!r} does not fit its operands; the others make {program!r}")
        return program


def resolve(
    instructions: Iterable[Instruction],
    inputs: Sequence[Any],
    operations: Vocabulary | None = None,
    *,
    kinks: Kinks = "anywhere",
    limit: float = LIMIT,
) -> Program:
    """The program of the instructions that fit, on these inputs.

    Args:
        instructions: (name, back, …); surplus operands are ignored.
        inputs: floats for a program over Values, arrays for one over Tensors; at least one.
        operations: the meaning of the names; the table's `vocabulary` if left out.
        kinks: where a step or its slope may have a kink: "anywhere"; at the "inputs" only, which are equal bit for bit
            in every engine; "nowhere". Conventions at two kinks need not fit together: relu(x) − relu(−x) has slope 1
            at 0, but the gradient of a correct engine is 0 there.
        limit: steps whose result is larger in absolute value, or not finite, are skipped.

    Raises:
        TypeError: if an argument is of another type.
        ValueError: if no operation has a name, there is no input, or an input is not finite.
    """
    given = _checked(inputs)
    if kinks.__class__ is not str or kinks not in _KINKS:
        raise ValueError(f"kinks must be one of {', '.join(map(repr, _KINKS))}, and got {describe(kinks)}")
    if not is_plain_number(limit) or not limit > 0:
        raise ValueError(f"limit must be a positive number, and got {describe(limit)}")
    if not isinstance(instructions, Iterable) or isinstance(instructions, str):
        raise TypeError(f"instructions must be a list, and got {describe(instructions)}")
    known = _vocabulary_of(given) if operations is None else operations
    check_operations(known)
    values: list[Operand] = list(given)
    steps: list[Step] = []
    with np.errstate(all="ignore"):
        for instruction in instructions:
            try:
                name, *back = instruction
                operation = known[name]
                operands = tuple([len(values) - 1 - k % len(values) for k in back[: operation.arity]])
                data = [values[k] for k in operands]
            except (KeyError, TypeError, ValueError) as error:
                raise _misread(instruction, known) from error
            result = _result(operation, data, limit)
            anyway = kinks == "anywhere" or (kinks == "inputs" and all(k < len(given) for k in operands))
            if result is not None and (anyway or is_smooth(operation, data)):
                values.append(result)
                steps.append((name, operands))
    used = {operand for _, operands in steps for operand in operands}
    sinks = [k for k in range(len(values)) if k not in used]
    weights = tuple((sink, weights_of(getattr(values[sink], "shape", ()), sink)) for sink in sinks)
    return Program(tuple(given), tuple(steps), weights, known)


def weights_of(shape: Shape, k: int) -> Operand:
    """A cotangent for value k that is not all ones: a float for a number, else an array."""
    if not shape:
        return 1.0 - 0.375 * (k % 5)
    count = int(np.prod(shape))
    return (1.0 - 0.375 * ((np.arange(count) + k) % 5)).reshape(shape)


_READ: Final[Mapping[str, Callable[[Any], Operand]]] = {
    "Value": as_value_data, "Tensor": lambda x: np.array(as_leaf_array(x)),
}  # fmt: skip
_KINKS: Final = get_args(Kinks)


def _vocabulary_of(inputs: Sequence[Operand]) -> Vocabulary:
    return vocabulary(Tensor if any(isinstance(x, np.ndarray) for x in inputs) else Value)


def _checked(inputs: Any) -> list[Operand]:
    """The inputs of a program: finite floats and float arrays, at least one."""
    if isinstance(inputs, str | bytes) or not isinstance(inputs, Sequence | np.ndarray):
        raise TypeError(f"the inputs of a program must be a list, and got {describe(inputs)}")
    if not len(inputs):
        raise ValueError(f"a program needs at least one input, and got {describe(inputs)}")
    given = [x if x.__class__ is float else as_given(x) for x in inputs]
    for x in given:
        if not (math.isfinite(x) if x.__class__ is float else np.isfinite(x).all()):
            raise ValueError(f"the inputs of a program must be finite, and got {', '.join(map(describe, inputs))}")
    return given


def as_given(x: Any) -> Operand:
    """An input as a float if it is a number, else as an array of floats; raises TypeError if it is neither.

    >>> as_given(2), as_given([1, 2])
    (2.0, array([1., 2.]))
    """
    if x.__class__ is np.ndarray and x.dtype == float:
        return x
    if isinstance(x, list | tuple | np.ndarray):
        return np.array(as_leaf_array(x), dtype=float)
    return as_value_data(x)


def _misread(instruction: Any, known: Vocabulary) -> Exception:
    """The error for an instruction that cannot be read."""
    name = instruction[0] if isinstance(instruction, tuple | list) and instruction else None
    if isinstance(name, str) and name not in known:
        return ValueError(f"no operation is called {name!r}; the operations are {', '.join(known)}")
    return TypeError(
        "an instruction must be a name and the distances back to its operands, as in ('add', 1, 0), and got "
        f"{describe(instruction)}"
    )


def check_program(program: Any, asker: str) -> None:
    """Raise TypeError unless ``program`` is a `Program`; ``asker`` is the function that takes it."""
    if not isinstance(program, Program):
        raise TypeError(f"{asker} takes a Program, and got {describe(program)}")


def _result(operation: Operation, data: Sequence[Operand], limit: float) -> Operand | None:
    """The result of the operation on plain data; None if it is not defined, too large or too long."""
    if len(data) < operation.arity or not operation.fits(*data):
        return None
    try:
        result = operation.call(*data)
    except (ValueError, TypeError, IndexError):
        return None
    if result.__class__ is float:
        return result if -limit <= result <= limit else None
    small = 0 < np.size(result) <= _MOST_ELEMENTS and np.all(np.abs(result) <= limit)
    return result if small else None


def _weighted(value: Any, weight: Operand, total: Callable[[Any], Any]) -> Any:
    if weight.__class__ is not float:
        return total(value * weight)
    return value if weight == 1.0 else value * weight


def _added(terms: list[Any]) -> Any:
    return reduce(add, terms)


def _term(name: str, weight: Operand) -> str:
    if isinstance(weight, np.ndarray):
        return f"ad.sum({name} * np.array({weight.tolist()}))"
    return name if weight == 1.0 else f"{name} * {weight}"
