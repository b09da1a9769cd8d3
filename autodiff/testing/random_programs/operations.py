"""The operations of a program: each primitive of the table, with the params of its examples; branches; gates.

A primitive becomes an operation as soon as it is in the table. Only branches with a constant on their other side and
closed gates beside infinite slopes are listed by hand, in `autodiff.testing.random_programs.gated`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import Parameter
from itertools import chain
from typing import Any, Final

import numpy as np

from autodiff.primitives.domain import ANY, Domain, Example, Shape
from autodiff.primitives.operands import describe, whole_number
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import TABLE, remembered
from autodiff.testing.random_programs.gated import BRANCHES, GATES, Line, lines
from autodiff.testing.random_programs.literals import literal, spelled
from autodiff.values.tensor import Tensor
from autodiff.values.value import Value

__all__ = [
    "BRANCHES", "GATES", "Kind", "Operation", "Vocabulary", "check_kind", "check_operations", "chosen", "named",
    "vocabulary",
]

#: What a program is made of: `Value` or `Tensor`.
Kind = type[Value] | type[Tensor]

#: A value of a program: a number in one over Values, an array in one over Tensors.
Operand = float | np.ndarray[Any, Any]


def _anywhere(*_: Any) -> bool:
    return True


@dataclass(frozen=True, eq=False)
class Operation:
    """One step of a program: ``call`` of ``arity`` operands, defined where ``fits`` returns True.

    ``written`` is the call as Python source with {0}, {1}, … for the operands; ``shapes`` are shapes of operands that
    fit. An operation that is not a primitive may define itself in other arithmetic by ``over(xp, *operands)``. A
    ``quiet`` one computes values that it does not use, so its source runs without NumPy's warnings.
    """

    name: str
    arity: int
    call: Callable[..., Any]
    fits: Callable[..., bool] = _anywhere
    written: str = ""
    shapes: tuple[Shape, ...] = ()
    primitive: Primitive | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    over: Callable[..., Any] | None = None
    quiet: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not callable(self.call):
            raise TypeError(
                "an operation needs a name and a function, as in Operation('add', 2, operator.add), and got "
                f"{describe(self.name)} and {describe(self.call)}"
            )
        whole_number(self.arity, f"the number of operands of {self.name}", least=1)

    def __eq__(self, other: object) -> bool:
        """Whether both have the same name and call the same primitive, or else the same function."""
        if not isinstance(other, Operation):
            return NotImplemented
        return (self.name, self.primitive or self.call) == (other.name, other.primitive or other.call)

    def __hash__(self) -> int:
        return hash(self.name)

    def __call__(self, *operands: Any) -> Any:
        return self.call(*operands)

    def __repr__(self) -> str:
        return f"<operation {self.name}>"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """For hypothesis and IPython, which would print every field."""
        printer.text(repr(self))

    @property
    def domains(self) -> tuple[Domain, ...]:
        """The domain of each operand, apart from kinks and from ``fits``."""
        return (ANY,) * self.arity if self.primitive is None else (self.primitive.domain * self.arity)[: self.arity]

    @property
    def broadcasts(self) -> bool:
        """Whether operands may have any shapes that broadcast together."""
        return not any(self.shapes) and (self.primitive is None or self.primitive.elementwise)

    def forward(self, xp: Any, *operands: Any) -> Any:
        """The primitive's forward alone, in the arithmetic of ``xp``.

        Raises TypeError for an operation that is neither a primitive nor defined in other arithmetic.
        """
        if self.over is not None:
            return self.over(xp, *operands)
        if self.primitive is None:
            raise TypeError(
                f"{self.name} is neither a primitive nor defined in other arithmetic; give it over=, or "
                "define it in the engine"
            )
        return self.primitive.forward(xp, *operands, **self.params)

    def source(self, names: Sequence[str]) -> str:
        """The call as Python source."""
        return self.written.format(*names) if self.written else f"operations[{self.name!r}]({', '.join(names)})"


#: The operations that a program may call, by name.
Vocabulary = Mapping[str, Operation]


def vocabulary(kind: Kind = Value, *, of: Iterable[str] | None = None) -> dict[str, Operation]:
    """The operations that programs over ``kind`` are made of, by name.

    Args:
        kind: Value takes the elementwise primitives on numbers, Tensor every primitive of the table.
        of: names of primitives, of `BRANCHES` and of `GATES`; all of them if left out.

    Returns:
        the operations by name; params follow the name of the primitive: ``sum[axis=0]``.

    Raises:
        TypeError: if ``kind`` is neither Value nor Tensor, or ``of`` is not a list of names.
        ValueError: if a name is not in the table.

    >>> list(vocabulary(Value, of=["add", "leaky_relu"]))
    ['add', 'leaky_relu', 'leaky_relu[slope=0.25]']
    """
    check_kind(kind)
    if isinstance(of, str) or not isinstance(of, Iterable | None):
        raise TypeError(f"of must be a list of names, such as ['add', 'exp'], and got {describe(of)}")
    names = [*TABLE, *BRANCHES, *GATES] if of is None else list(of)
    found = [item for name in names if name not in _NAMES_OF_LINES for item in _operations(named(name))]
    if kind is Value:
        found = [item for item in found if item.primitive and item.primitive.elementwise and not any(item.shapes)]
    found += [_LINES[kind][name] for name in names if name in _NAMES_OF_LINES and name in _LINES[kind]]
    return {operation.name: operation for operation in found}


def named(name: str) -> Primitive:
    """The primitive of that name; raises ValueError if there is none, TypeError if ``name`` is not a string."""
    if not isinstance(name, str):
        raise TypeError(f"the name of a primitive must be a string, and got {describe(name)}")
    if name not in TABLE:
        raise ValueError(f"no primitive is called {name!r}; the table has {', '.join(TABLE)}")
    return TABLE[name]


def check_kind(kind: Any) -> None:
    """Raise TypeError unless ``kind`` is the class Value or the class Tensor."""
    if kind is not Value and kind is not Tensor:
        raise TypeError(f"kind must be the class Value or the class Tensor, and got {describe(kind)}")


def check_operations(operations: Any) -> None:
    """Raise TypeError unless ``operations`` is a `Vocabulary`."""
    if not isinstance(operations, Mapping):
        raise TypeError(f"operations must be a dict by name, such as vocabulary(Value), and got {describe(operations)}")


def chosen(kind: Kind, operations: Vocabulary | None) -> Vocabulary:
    """The operations for programs over ``kind``: those given, or all of `vocabulary` if None.

    Raises TypeError for another kind or for operations that are not a dict, ValueError if there are none.
    """
    check_kind(kind)
    known = vocabulary(kind) if operations is None else operations
    check_operations(known)
    if not known:
        raise ValueError("a program needs at least one operation, and got none")
    return known


_NAMES_OF_LINES: Final = (*BRANCHES, *GATES)


def _step(line: Line, kind: Kind) -> Operation:
    quiet = kind is Tensor and line.name in GATES
    return Operation(
        line.name, len(line.shapes), line.call(quiet=quiet), line.fits if line.where else _anywhere, line.written,
        line.shapes, over=line.over, quiet=quiet,
    )  # fmt: skip


_LINES: Final[Mapping[Kind, Mapping[str, Operation]]] = {
    kind: {name: _step(line, kind) for name, line in lines(arrays=kind is Tensor).items()} for kind in (Value, Tensor)
}


@remembered()
def _operations(entry: Primitive) -> tuple[Operation, ...]:
    """One operation for each set of params with which the examples of a primitive call it."""
    examples = entry.examples
    if not examples and entry.arity and Parameter.empty not in entry.defaults.values():
        examples = (Example(((),) * entry.arity),)
    ways = {(_named(entry, item), len(item.shapes)): item for item in reversed(examples)}
    return tuple(_operation(entry, item) for item in reversed(ways.values()))


def _named(entry: Primitive, example: Example) -> str:
    params = ",".join(f"{key}={_compact(value)}" for key, value in example.params.items())
    count = len(example.shapes) if entry.arity is None else 0
    return entry.name + (f"/{count}" if count else "") + (f"[{params}]" if params else "")


def _compact(value: Any) -> str:
    return "".join(literal(value).replace("np.array", "").split())


def _operation(entry: Primitive, example: Example) -> Operation:
    params = dict(example.params)

    def call(*operands: Any) -> Any:
        return entry([*operands], **params) if entry.packed else entry(*operands, **params)

    count = len(example.shapes)
    return Operation(
        _named(entry, example), count, call if params or entry.packed else entry, _fitting(entry),
        _written(entry, params, count), example.shapes, entry, params,
    )  # fmt: skip


def _fitting(entry: Primitive) -> Callable[..., bool]:
    """Where a primitive is defined: in its domain and, for products, on shapes like those of one of its examples."""
    domains = entry.domain if entry.arity else entry.domain * _MOST
    bounded = [(k, domain) for k, domain in enumerate(domains) if domain.text != ANY.text]
    product = not (entry.elementwise or entry.linear or entry.reduces)

    def fits(*operands: Any) -> bool:
        if product:
            shapes = tuple(map(np.shape, operands))
            if not any(_alike(example.shapes, shapes) for example in entry.examples):
                return False
        return all(operands[k] in domain for k, domain in bounded if k < len(operands))

    return fits if bounded or product else _anywhere


def _alike(example: Sequence[Shape], shapes: Sequence[Shape]) -> bool:
    """Whether shapes have as many axes as those of an example, and equal lengths wherever the example has them.

    >>> _alike([(2, 3), (3,)], [(5, 4), (4,)]), _alike([(2, 3), (3,)], [(5, 4), (5,)])
    (True, False)
    """
    lengths: dict[int, int] = {}
    return tuple(map(len, example)) == tuple(map(len, shapes)) and all(
        lengths.setdefault(wanted, length) == length
        for wanted, length in zip(chain(*example), chain(*shapes), strict=True)
    )


_MOST: Final = 8  # operands whose domains are checked, of a primitive that takes any number of them


def _written(entry: Primitive, params: Mapping[str, Any], count: int) -> str:
    function = _literally(spelled(entry))
    operands = ", ".join(f"{{{k}}}" for k in range(count))
    keywords = _literally("".join(f", {key}={literal(value)}" for key, value in params.items()))
    return f"{function}([{operands}]{keywords})" if entry.packed else f"{function}({operands}{keywords})"


def _literally(text: str) -> str:
    """``text`` with braces doubled, so that ``str.format`` leaves it unchanged."""
    return text.replace("{", "{{").replace("}", "}}")
