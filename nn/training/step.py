"""What is known of one step of training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Step"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of training, after its parameters have moved.

    Attributes:
        number: the number of this step, from 1.
        epoch: the pass over the data in which it was made, from 1.
        J: the objective of the batch before the step, in the objective's unit.
        rate: the learning rate α of the step.
        norm: ‖∇J‖, the norm of the gradient over all parameters, before any clipping.
        seconds: the time of the step, from the call of the objective to the moved parameters.
        measures: what `validated` and other consumers measured at this step, by name.
        objective: the node J with its graph, in which every node still has its value and its ``.grad``; the graph is
            stale for another backward pass, since the parameters have moved.

    >>> Step(1, 1, 0.5, 0.1, 2.0, 0.001).numbers()
    {'step': 1, 'epoch': 1, 'J': 0.5, 'rate': 0.1, 'norm': 2.0, 'seconds': 0.001}
    """

    number: int
    epoch: int
    J: float
    rate: float
    norm: float
    seconds: float
    measures: Mapping[str, float] = field(default_factory=dict)
    objective: Any = field(default=None, repr=False, compare=False)

    def numbers(self) -> dict[str, float]:
        """All numbers of the step by name, as in one line of a history."""
        return {
            "step": self.number, "epoch": self.epoch, "J": self.J, "rate": self.rate, "norm": self.norm,
            "seconds": self.seconds, **self.measures,
        }  # fmt: skip
