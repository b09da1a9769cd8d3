"""A point where a gradient is checked: the analytic gradient, what f does along directions, the points next to it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import Any, Final

import numpy as np

from autodiff.primitives.operands import describe
from autodiff.testing.check.verdicts import Place
from autodiff.testing.oracles.interval import Estimate, estimate
from autodiff.testing.subject import Arrays, Subject, check_steady

__all__ = ["Point", "slope_along"]

_SEEDS: Final = (-2.0, -0.5, 0.5, 2.0)  # cotangents of one number: not 1, and exact to divide by
_ROOM: Final = 2.0**-24  # above this fraction of the largest float of its type, twice a derivative may overflow
_JITTER: Final = 2.0**-50  # four units in the last place
_SHAKES: Final = 8
_MOST_NAMED: Final = 4
_NEARBY: Final = 2.0**-20
_HALF: Final = 2.0**-10  # the relative rounding of half precision: 10 bits, or 7 in bfloat16
_TWINS: Final = 3
_NOISY: Final = 8
_TINY: Final = (2.0**-900, 2.0**-30)  # inputs between these sizes are also given steps of their own size,
_SHARP: Final = 1e-3  # unless larger steps gave the derivative with an error bar below this fraction


class Point:
    """A subject at its inputs, with a cotangent drawn from ``seed`` and the gradient to check.

    If the output is one number, derivatives are divided by its cotangent.

    Raises:
        ValueError: if there is nothing to check, or the output is not finite.
    """

    def __init__(self, subject: Subject, *, seed: int = 0) -> None:
        self.subject = subject
        self.random = np.random.default_rng(seed)
        self.spent = Counter({"evaluations": 0})  # shared with the points nearby
        self.raised = ""  # the error of f where it is not defined
        self.inputs = subject.points
        self.count = sum(x.size for x in self.inputs)
        if not self.count:
            raise ValueError("check_gradients needs inputs that hold at least one number, and got only empty arrays")
        self.outputs = [np.array(z) for z in subject.first_values(self.inputs)]  # f may keep its result and write to it
        _check_outputs(self.outputs)
        self.cotangents = self.draw_cotangents()
        one = len(self.outputs) == 1 and np.size(self.outputs[0]) == 1
        self.unit = float(np.asarray(self.cotangents[0]).item()) if one else 1.0
        self.weights = [c / self.unit for c in self.cotangents]
        self.gradient = self.gradient_at(self.inputs)
        self.size = self._size_of(self.outputs)
        self.epsilon = max([subject.epsilon, *(_epsilon(output) for output in self.outputs)])
        if self.epsilon >= _HALF:
            self.size = max(self.size, self._usual_size(seed))

    def _size_of(self, outputs: Iterable[Any]) -> float:
        return sum(float(np.sum(np.abs(w * z))) for w, z in zip(self.weights, outputs, strict=True))

    def _usual_size(self, seed: int) -> float:
        """The size of f at inputs of other signs and sizes: in half precision, terms often cancel to exactly 0 here."""
        random = np.random.default_rng(seed)
        others = [x * random.choice((-1.0, -0.5, 0.5, 1.0), x.shape) for x in self.inputs]
        try:
            size = self._size_of(self.subject.values(others))
        except (ArithmeticError, ValueError):  # out of the domain
            return 0.0
        return size if math.isfinite(size) else 0.0

    def draw_cotangents(self) -> Arrays:
        """Random eighths between −2 and 2, never 0; for one number a power of two, never 1."""
        if not self.subject.takes_cotangent:
            return [np.ones(np.shape(output)) for output in self.outputs]
        if len(self.outputs) == 1 and np.size(self.outputs[0]) == 1:
            seed = self.random.choice(_SEEDS)
            seed = seed / 4 if abs(seed) > 1 and _is_huge(self.outputs[0]) else seed
            return [np.full(np.shape(self.outputs[0]), seed)]
        drawn = (self.random.integers(1, 17, np.shape(z)) * self.random.choice((-1, 1), np.shape(z))
                 for z in self.outputs)  # fmt: skip
        return [np.asarray(numbers / 8.0) for numbers in drawn]

    def gradient_at(self, points: Arrays) -> Arrays:
        """The analytic gradient; if the output is one number, divided by its cotangent."""
        cotangents = [c.copy() for c in self.cotangents]  # a gradient function may write to them: a side effect
        return [part / self.unit for part in self.subject.pullback(points, cotangents)]

    # ---- along a direction -------------------------------------------------------------------------------------------

    def analytic(self, direction: Arrays) -> float:
        """⟨gradient, direction⟩."""
        return slope_along(self.gradient, direction)

    def numeric(self, direction: Arrays) -> Estimate:
        """The derivative of ⟨cotangent, f⟩ along a direction, by differences."""
        phi = self.along(direction)
        found = estimate(phi, scale=self.scale(direction), epsilon=self.epsilon, size=self.size)
        tiny = max(float(np.max(np.abs(x[v != 0]), initial=0.0)) for x, v in zip(self.inputs, direction, strict=True))
        if not _is_sharp(found) and _TINY[0] < tiny < _TINY[1]:
            closer = estimate(phi, scale=tiny, epsilon=self.epsilon, size=self.size)
            chosen = closer if _is_sharp(closer) else found
            found = replace(chosen, evaluations=found.evaluations + closer.evaluations)
        self.spent["evaluations"] += found.evaluations
        return found

    def along(self, direction: Arrays) -> Callable[[float], float]:
        """φ(t) = ⟨cotangent, f(x + t·direction)⟩; if the output is one number, divided by its cotangent."""
        points, weights = self.inputs, self.weights
        moves = [v if v.any() else None for v in direction]

        def phi(t: float) -> float:
            moved = [x if v is None else x + t * v for x, v in zip(points, moves, strict=True)]
            with np.errstate(all="ignore"):
                try:
                    outputs = self.subject.values(moved)
                except (ArithmeticError, ValueError) as error:  # out of the domain, as ``math`` says it
                    self.raised = f"{type(error).__name__}: {error}"
                    return math.nan
                check_steady(outputs, weights)
                return sum(float(np.sum(w * z)) for w, z in zip(weights, outputs, strict=True))

        return phi

    def scale(self, direction: Arrays) -> float:
        """The size of the input that a direction through one entry moves, at least 1; else 1."""
        sizes = [np.abs(x[v != 0]) for x, v in zip(self.inputs, direction, strict=True)]
        single = sum(size.size for size in sizes) == 1
        return max(1.0, *(float(np.max(size, initial=0.0)) for size in sizes)) if single else 1.0

    def moved(self, direction: Arrays) -> float:
        """The largest change of the analytic derivative when its input changes by rounding."""
        ours = self.analytic(direction)
        return max((abs(slope_along(gradient, direction) - ours) for gradient in self.shaken), default=0.0)

    @cached_property
    def shaken(self) -> list[Arrays]:
        """Gradients at inputs that are moved by up to four units in the last place."""
        points = [self.displaced(self.moves(), _JITTER, np.abs) for _ in range(_SHAKES)]
        return [gradient for _, gradient in self.defined(points)]

    # ---- points nearby -----------------------------------------------------------------------------------------------

    @cached_property
    def twins(self) -> list[Point]:
        """A few random points right next to this one, those where there is a gradient: the same for all entries."""
        found = []
        for inputs, gradient in self.defined(self.neighbours(_TWINS)):
            twin = copy(self)
            for name in ("shaken", "noise"):
                twin.__dict__.pop(name, None)
            twin.inputs, twin.gradient = inputs, gradient
            found.append(twin)
        return found

    @cached_property
    def noise(self) -> list[Arrays]:
        """The gradients at some random points right next to this one, the same for all entries."""
        return self.slopes_beside(_NOISY)

    def slopes_beside(self, count: int) -> list[Arrays]:
        """The gradients at random points right next to this one."""
        return [gradient for _, gradient in self.defined(self.neighbours(count))]

    def defined(self, points: Iterable[Arrays]) -> Iterable[tuple[Arrays, Arrays]]:
        """The points where the gradient is defined, each with its gradient."""
        for x in points:
            try:
                with np.errstate(all="ignore"):
                    gradient = self.gradient_at(x)
            except (ArithmeticError, ValueError):  # out of the domain, as ``math`` says it
                continue
            yield x, gradient

    def neighbours(self, count: int) -> Iterable[Arrays]:
        """Random points next to this one, every second one opposite the one before: on both sides of a kink."""
        moves: Arrays = []
        for k in range(count):
            moves = [-move for move in moves] if k % 2 else self.moves()
            yield self.displaced(moves, _NEARBY, lambda x: np.maximum(1.0, np.abs(x)))

    def moves(self) -> Arrays:
        """A random move of every entry, between a half and 1, up or down."""
        return [self.random.choice((-1, 1), x.shape) * self.random.uniform(0.5, 1.0, x.shape) for x in self.inputs]

    def displaced(self, moves: Arrays, part: float, size: Callable[[Any], Any]) -> Arrays:
        """The inputs, each entry moved by ``part`` · move · ``size``(entry)."""
        return [x + part * move * size(x) for x, move in zip(self.inputs, moves, strict=True)]

    # ---- directions --------------------------------------------------------------------------------------------------

    def unit_vector(self, entry: int) -> Arrays:
        """The direction of one entry, counted through all leaves."""
        return self.split(np.eye(1, self.count, entry)[0])

    def direction(self, entries: Any) -> Arrays:
        """A random direction through some entries: sums of drawn integers, which are nearly Gaussian, in eighths."""
        flat = np.zeros(self.count)
        drawn = self.random.integers(-3, 4, (4, len(entries))).sum(axis=0)
        drawn[drawn == 0] = 1
        sizes = np.concatenate([np.abs(x).ravel() for x in self.inputs])[entries]
        flat[entries] = drawn / 8.0 * 2.0 ** np.ceil(np.log2(np.maximum(sizes, 1.0)))
        return self.split(flat)

    def split(self, flat: Any) -> Arrays:
        """A flat vector in the shapes of the leaves."""
        ends = np.cumsum([x.size for x in self.inputs])[:-1]
        return [part.reshape(x.shape) for part, x in zip(np.split(flat, ends), self.inputs, strict=True)]

    def place(self, direction: Arrays) -> Place:
        """The entry, or the several entries, that a direction moves."""
        touched = [k for k, v in enumerate(direction) if v.any()]
        leaf = self.subject.leaves[touched[0]]
        entries = np.argwhere(direction[touched[0]])
        if len(touched) == 1 and len(entries) == 1:
            return Place(leaf.argument, leaf.name, tuple(int(k) for k in entries[0]), leaf.point.shape)
        names = ", ".join(self.subject.leaves[k].name for k in touched[:_MOST_NAMED])
        more = f" and {len(touched) - _MOST_NAMED} more" * (len(touched) > _MOST_NAMED)
        return Place(leaf.argument, names + more, None, leaf.point.shape)


def slope_along(gradient: Arrays, direction: Arrays) -> float:
    """⟨gradient, direction⟩; entries in which the direction is 0 are ignored, even if they are nan.

    >>> slope_along([np.array([2.0, np.nan])], [np.array([3.0, 0.0])])
    6.0
    """
    return sum(float(np.sum(g[v != 0] * v[v != 0])) for g, v in zip(gradient, direction, strict=True))


def _is_sharp(found: Estimate) -> bool:
    return found.kind == "smooth" and found.bar <= _SHARP * abs(found.value)


def _is_huge(output: Any) -> bool:
    kind = np.asarray(output).dtype
    largest = float(np.finfo(kind if kind.kind == "f" else float).max)
    return float(np.max(np.abs(output))) > largest * _ROOM


def _epsilon(output: Any) -> float:
    kind = np.asarray(output).dtype
    return float(np.finfo(kind).eps) if kind.kind == "f" else 2.0**-52


def _check_outputs(outputs: Arrays) -> None:
    if not any(z.size for z in outputs):
        shapes = [z.shape for z in outputs]
        raise ValueError(f"f must return at least one number, and returned arrays of shapes {shapes}")
    for output in outputs:
        if not np.all(np.isfinite(output)):
            raise ValueError(f"f must be finite where its gradient is checked, and returned {_short(output)}")


def _short(output: Any) -> str:
    array = np.asarray(output)
    if not array.ndim:
        return str(array)
    place = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
    return f"{array[place]} at index {place} of {describe(array)}"
