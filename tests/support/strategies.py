"""Draws of the engine's tests: calls of every primitive of the table, and points where they are smooth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import Parameter
from typing import Any

import numpy as np
import pytest

import nn  # noqa: F401 - it may add primitives to the table
from autodiff import TABLE, Node, Primitive, Tensor, Value
from autodiff.testing.random_programs.operations import BRANCHES, GATES, Vocabulary, vocabulary

#: The table after both packages are imported, without primitives that doctests and tests define later.
PRIMITIVES: tuple[Primitive, ...] = tuple(TABLE.values())

#: Likewise the operations of random programs: the same in a single test and in the whole suite.
NAMES = (*(entry.name for entry in PRIMITIVES), *BRANCHES, *GATES)
VOCABULARY: dict[type, Vocabulary] = {kind: vocabulary(kind, of=NAMES) for kind in (Value, Tensor)}

FAMILIES: dict[str, Callable[[Primitive], bool]] = {
    "elementwise": lambda entry: entry.elementwise,
    "reduction": lambda entry: entry.reduces,
    "linear layout": lambda entry: entry.linear and not entry.elementwise and not entry.reduces,
    "product": lambda entry: not (entry.linear or entry.elementwise or entry.reduces),
}


@dataclass(frozen=True)
class Case:
    """One example call of a primitive."""

    entry: Primitive
    shapes: tuple[tuple[int, ...], ...]
    params: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, *inputs: Any) -> Any:
        return self.entry([*inputs], **self.params) if self.entry.packed else self.entry(*inputs, **self.params)

    def forward(self, xp: Any, *inputs: Any) -> Any:
        """The forward rule alone, in the arithmetic of ``xp``."""
        return self.entry.forward(xp, *inputs, **self.params)

    def points(self, random: np.random.Generator, shapes: Any = None) -> list[np.ndarray]:
        """Operands inside the domain, with no two elements of a reduction closer than 0.05: its kinks are ties."""
        shapes = self.shapes if shapes is None else shapes
        domains = self.entry.domain if self.entry.arity else self.entry.domain * len(shapes)
        drawn = [domain.draw(random, shape) for domain, shape in zip(domains, shapes, strict=True)]
        while self.entry.reduces and np.diff(np.sort(drawn[0], axis=None)).min(initial=1.0) < 0.05:
            drawn = [self.entry.domain[0].draw(random, shapes[0])]
        return drawn

    def tensors(self, random: np.random.Generator, dtype: type = np.float64) -> list[Tensor]:
        """The operands as leaves of a graph."""
        return [Tensor(point.astype(dtype)) for point in self.points(random)]

    @property
    def size(self) -> int:
        """How many numbers all operands hold."""
        return sum(int(np.prod(shape)) for shape in self.shapes)

    def __str__(self) -> str:
        shapes = " ".join("×".join(map(str, shape)) or "number" for shape in self.shapes)
        params = " ".join(f"{key}={_short(value)}" for key, value in self.params.items())
        return f"{self.entry.name} {shapes} {params}".strip()


def _short(value: Any) -> str:
    return "".join(str(value).split()).replace("::", ":")


def cases(wanted: Callable[[Primitive], bool]) -> list[Any]:
    """Every example of the primitives that are ``wanted``, as parameters of a test."""
    return [pytest.param(case, id=str(case)) for entry in PRIMITIVES if wanted(entry) for case in cases_of(entry)]


def cases_of(entry: Primitive) -> list[Case]:
    """The examples of one primitive; an elementwise one without any is called on numbers."""
    given = [Case(entry, example.shapes, example.params) for example in entry.examples]
    return given or [Case(entry, ((),) * (entry.arity or 0))]


def scalar_cases() -> list[Any]:
    """The elementwise examples on numbers alone."""
    every = [case for entry in PRIMITIVES if entry.elementwise for case in cases_of(entry)]
    return [pytest.param(case, id=str(case)) for case in every if not any(case.shapes)]


def everything(_: Primitive) -> bool:
    """True for every primitive."""
    return True


def named(wanted: Callable[[Primitive], bool] = everything) -> list[Any]:
    """The primitives that are ``wanted``, as parameters of a test."""
    return [pytest.param(entry, id=entry.name) for entry in PRIMITIVES if wanted(entry)]


def needs_params(entry: Primitive) -> bool:
    """Whether a call needs more than its operands."""
    return Parameter.empty in entry.defaults.values()


def plain(x: Any) -> Any:
    """The data of a node; anything else unchanged."""
    return x.data if isinstance(x, Node) else x
