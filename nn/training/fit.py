"""`fit`: training as a generator of steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import isfinite
from time import perf_counter
from typing import Any

from autodiff.engine.graph import Node
from autodiff.primitives.operands import describe, whole_number
from nn.descent.clipping import gradient_norm
from nn.descent.optimizer import Optimizer
from nn.descent.sources import parameters_of
from nn.parameters.twins import warn_of_twins
from nn.training.not_finite import report
from nn.training.place import Place
from nn.training.step import Step

__all__ = ["fit"]


def fit(
    model: Any,
    objective: Callable[..., Any],
    data: Iterable[Any],
    *,
    optimizer: Any,
    epochs: int | None = None,
    steps: int | None = None,
) -> Iterator[Step]:
    """Train a model, one step for each item of the stream: θ ← θ − α ∇J on one batch after the other.

    Args:
        model: a net of Values or Tensors, or whatever the objective takes as its first argument.
        objective: called as ``objective(model, *batch)``; it returns J, a node that holds one number.
        data: the batches of one epoch, such as `Batches` or a list; a batch is a tuple of arguments, or one argument.
        optimizer: moves the parameters: ``zero_grad()``, ``step()``, ``rate``; steps are counted on from its ``t``.
        epochs: how many passes over the data are made in all; `Batches` counts those that it has finished, so that a
            resumed run makes the rest.
        steps: how many steps are made in this call at most. Without either, the stream has no end.

    Returns:
        an iterator of `Step`; each step is made when it is asked for. Leaving the loop ends the training, and whatever
        holds the state of a run (the net, the optimiser, the batches) can be saved between two steps. If a step raises
        an error, Ctrl-C included, all of them are as they were before it: `Batches` will give the batch again, and
        the net's `Dropout` will draw the same numbers. A warning names units with equal weights, which would never
        differ.

    Raises:
        TypeError: if the objective does not return a node.
        ValueError: if J is not one number, the first J was computed from none of the parameters that move, or an epoch
            has no batch.
        FloatingPointError: if J or a gradient is not finite; no parameter has moved. The message names the step, the
            first value that was not finite with its line, and the example.

    Source: notes, section 1.5.

    >>> from nn import SGD, Network
    >>> net = Network((1, 1))
    >>> stream = fit(net, lambda net, x: (net(x) ** 2).sum(), [[1.0]], optimizer=SGD(net, rate=0.1), epochs=3)
    >>> [step.number for step in stream]
    [1, 2, 3]
    """
    if not callable(objective):
        raise TypeError(f"fit calls its objective as objective(model, *batch), and got {describe(objective)}")
    is_one = isinstance(data, str | bytes | Mapping | Node) or getattr(data, "shape", None) == ()
    if is_one or not isinstance(data, Iterable):
        raise TypeError(f"fit takes an iterable of batches, such as nn.Batches or a list, and got {describe(data)}")
    if isinstance(optimizer, type) or not all(hasattr(optimizer, name) for name in ("step", "zero_grad", "rate")):
        raise TypeError(f"fit needs an optimiser with step(), zero_grad() and rate, and got {describe(optimizer)}")
    most = None if epochs is None else whole_number(epochs, "epochs", least=0)
    left = None if steps is None else whole_number(steps, "steps", least=0)
    if callable(getattr(model, "blocks", None)):
        warn_of_twins(model)
    return _steps(model, objective, _batches(data, most), optimizer, left, Place(model, data))


def _batches(data: Iterable[Any], most: int | None) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """The batches of all epochs, each with the number of its epoch, from 1."""
    epoch = getattr(data, "epoch", 0)
    while most is None or epoch < most:
        empty = True
        for batch in data:
            empty = False
            yield epoch + 1, batch if isinstance(batch, tuple) else (batch,)
        if empty:
            raise ValueError(f"epoch {epoch + 1} has no batch; an iterator serves one epoch, so pass a list or Batches")
        epoch += 1


def _steps(
    model: Any, objective: Callable[..., Any], batches: Iterator[Any], optimizer: Any, left: int | None, place: Place
) -> Iterator[Step]:
    first = number = getattr(optimizer, "t", 0)
    moved = optimizer if hasattr(optimizer, "parameters") else model
    last = None if left is None else number + left
    while last is None or number < last:
        place.note()
        moves = getattr(optimizer, "t", None)
        try:
            began = perf_counter()
            epoch, batch = next(batches, (0, None))
            if batch is None:
                return
            optimizer.zero_grad()
            J = _checked(objective(model, *batch))
            rate = optimizer.rate
            if not isfinite(J.item()):
                raise report(model, objective, batch, number + 1, epoch, f"J is {J.item()}")
            J.backward()
            norm = gradient_norm(moved)
            if not isfinite(norm):
                raise report(model, objective, batch, number + 1, epoch, f"‖∇J‖ is {norm}")
            if norm == 0.0 and number == first and not J.is_leaf:
                _check_reached(moved)
            _move(optimizer, norm)
        except BaseException:
            if moves is None or optimizer.t == moves:  # an interrupt may come just after the parameters have moved
                place.restore()
            raise
        number += 1
        yield Step(number, epoch, J.item(), rate, norm, perf_counter() - began, objective=J)


def _move(optimizer: Any, norm: float) -> None:
    """Make a step; an optimiser of this package, which may clip, need not compute the norm again."""
    if getattr(type(optimizer), "step", None) is Optimizer.step and "step" not in vars(optimizer):
        optimizer.step_with(norm)
    else:
        optimizer.step()


def _checked(J: Any) -> Any:
    """The objective's result, if it is a node that holds one number."""
    if not isinstance(J, Node):
        raise TypeError(
            f"the objective must return a node, a Value or a Tensor of one number, and returned {describe(J)}; was the "
            "net plain, or did .data or .item() leave the graph?"
        )
    if J.data.__class__ is not float and J.data.size != 1:
        raise ValueError(f"the objective must return one number, and J has shape {J.shape}; take its sum or its mean")
    return J


def _check_reached(moved: Any) -> None:
    """Refuse an objective of other parameters, such as those of a copy of the net, which would teach nothing."""
    if all(x.grad_rows is None for x in parameters_of(moved)):
        raise ValueError(
            "J was computed from none of the parameters that the optimiser moves, so that no step would change it; "
            "give the optimiser the net that the objective calls"
        )
