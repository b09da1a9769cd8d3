"""Optimisers, which move parameters against their gradients (the notes, sections 1.5 and 2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf
from typing import Any

from autodiff.engine.graph import Node, commit, forgotten, own_copy
from autodiff.primitives.namespace import as_float, is_plain_number
from autodiff.primitives.operands import describe
from autodiff.primitives.rows import Rows
from autodiff.values.refusals import called_as
from autodiff.values.updates import moved_by_gradients
from nn.descent.rows import step_of_rows

__all__ = ["SGD", "AdaGrad", "Optimizer"]


class Optimizer:
    """Base class of optimisers: it holds parameters and a learning rate and resets gradients; subclasses define `step`.

    ``copy.deepcopy`` and ``pickle`` copy an optimiser with its parameters; after ``deepcopy((net, descent))``, the
    copied optimiser moves the copied net. ``copy.copy`` makes an optimiser of the same parameters with separate caches.
    """

    @called_as("{kind}(network, rate=0.1)")
    def __init__(self, parameters: Any, *, rate: float) -> None:
        #: The object or the list itself, so that copies and pickles refer to their own.
        self._source: Any = parameters if _has_parameters(parameters) else _checked(parameters)
        self._parameters()
        self.rate = rate

    def _parameters(self) -> list[Any]:
        """The current parameters, checked."""
        return self._source if self._source.__class__ is list else _checked(self._source.parameters())

    @property
    def rate(self) -> float:
        """The learning rate α, a positive number; it may be changed between steps."""
        return self._rate

    @rate.setter
    def rate(self, rate: float) -> None:
        self._rate = _positive(rate, "learning rate")

    def zero_grad(self) -> None:
        """Reset all gradients to None, "not reached yet"; if an error is raised, none has changed."""
        commit(forgotten(self._parameters()))

    def step(self) -> None:
        """Move every parameter that has a gradient."""
        raise NotImplementedError(f"{type(self).__name__} cannot move its parameters; define step()")


class SGD(Optimizer):
    """Gradient descent: θ ← θ − α ∇J for every parameter that a backward pass has reached.

    Args:
        parameters: a dict or an iterable of Values and Tensors, or an object with ``parameters()``, which is called
            anew at every step.
        rate: the learning rate α > 0.

    Call ``step()`` after the whole backward pass, which needs the old weights. Gradients add up from pass to pass, so
    call ``zero_grad()`` before the next one. If a step raises an error, Ctrl-C included, no parameter has changed.

    Raises:
        TypeError: if a parameter is not a Value or Tensor, or the rate is not a number.
        ValueError: if a parameter was computed, the rate is not positive and finite, or (in a step) the shape of a
            gradient does not fit.

    Source: notes, section 1.5.

    >>> from autodiff import Value
    >>> w = Value(3.0)
    >>> descent = SGD([w], rate=0.1)
    >>> (w * w).backward()
    >>> descent.step()
    >>> round(w.data, 12)
    2.4
    """

    def step(self) -> None:
        """Move every parameter that has a gradient."""
        down = -self._rate
        changes = [(item, down * grad) for item in self._parameters() if (grad := item.grad_rows) is not None]
        commit(*moved_by_gradients(changes))


class AdaGrad(Optimizer):
    """Gradient descent with steps that shrink where gradients were large: θ ← θ − α g/√(cache + ε), cache = Σ g².

    Args:
        parameters: as for `SGD`.
        rate: the learning rate α > 0.
        epsilon: ε > 0; it keeps the step finite where all gradients were 0.

    The vector of a rare word, which has received few gradients, still takes large steps when those of common words
    hardly move.

    Raises:
        TypeError, ValueError: as for `SGD`.

    Source: notes, section 2 (AdaGrad).

    >>> from autodiff import Value
    >>> w = Value(3.0)
    >>> descent = AdaGrad([w], rate=0.1)
    >>> (w * w).backward()
    >>> descent.step()
    >>> round(w.data, 6)
    2.9
    """

    @called_as("{kind}(network, rate=0.1)")
    def __init__(self, parameters: Any, *, rate: float, epsilon: float = 1e-8) -> None:
        super().__init__(parameters, rate=rate)
        self._epsilon = _positive(epsilon, "epsilon")
        self._caches: dict[Node, Any] = {}

    def step(self) -> None:
        """Move every parameter that has a gradient, and add the gradient's square to its cache."""
        caches, changes, writing = dict(self._caches), [], []
        for x in self._parameters():
            if (grad := x.grad_rows) is not None:
                slots = (caches.get(x, 0.0),)
                if grad.__class__ is Rows:
                    step, (caches[x],), more = step_of_rows(grad, slots, self._update)
                    writing += more
                else:
                    step, (caches[x],) = self._update(grad, slots)
                changes.append((x, step))
        commit(*moved_by_gradients(changes), (object.__setattr__, (self,), ("_caches",), (caches,)), *writing)

    def _update(self, g: Any, slots: tuple[Any, ...]) -> tuple[Any, tuple[Any]]:
        cache = slots[0] + g * g
        return -self._rate * g / (cache + self._epsilon) ** 0.5, (cache,)

    def __copy__(self) -> AdaGrad:
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__, _caches={x: own_copy(cache) for x, cache in self._caches.items()})
        return twin


def _has_parameters(source: Any) -> bool:
    return callable(getattr(source, "parameters", None)) and not isinstance(source, type)


def _checked(parameters: Mapping[Any, Any] | Iterable[Any]) -> list[Any]:
    if isinstance(parameters, Node) or not isinstance(parameters, Iterable) or getattr(parameters, "ndim", 1) == 0:
        raise TypeError(
            "an optimiser takes a dict or list of Values and Tensors, or an object with parameters(), "
            f"and got {describe(parameters)}"
        )
    items = list(parameters.values() if isinstance(parameters, Mapping) else parameters)
    for item in items:
        if not isinstance(item, Node):
            raise TypeError(f"an optimiser moves Values and Tensors, and got {describe(item)}")
        if not item.is_leaf:
            raise ValueError(f"an optimiser moves leaves, and got {item.label}, which was computed from its inputs")
    return list(dict.fromkeys(items))  # a parameter listed twice moves once


def _positive(value: Any, what: str) -> float:
    if not is_plain_number(value):
        raise TypeError(f"the {what} must be a positive number, and got {describe(value)}")
    if not 0 < value < inf:
        raise ValueError(f"the {what} must be a positive finite number, and got {value}")
    return as_float(value)
