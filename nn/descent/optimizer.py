"""The base of all optimisers: a shell that keeps parameters, slots, the rate and the number of steps of a formula."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np

from autodiff.engine.graph import Change, assigned, commit, forgotten
from autodiff.primitives.operands import describe
from autodiff.primitives.rows import Rows
from autodiff.values.refusals import called_as
from nn.descent.clipping import checked_bound, clipped
from nn.descent.formulas import Formula, State
from nn.descent.groups import Groups
from nn.descent.memory import loaded, own_slots, saved
from nn.descent.moves import Mover, Moves
from nn.descent.schedules import Rate, Schedule, as_text, checked_rate
from nn.descent.sources import Source
from nn.lagging.lag import catching_up
from nn.parameters.saved import assigning, check_keys, check_mapping, saved_count

__all__ = ["Optimizer"]


class Optimizer:
    """Base class of optimisers: it holds parameters, their slots and a learning rate, and moves them by a formula.

    A subclass names its formula, or defines a `step` of its own. ``copy.deepcopy`` and ``pickle`` copy an optimiser
    with its parameters; after ``deepcopy((net, descent))``, the copied optimiser moves the copied net. ``copy.copy``
    makes an optimiser of the same parameters with separate slots.

    A table of which a pass reached some rows (`autodiff.Rows`) moves by these rows. Where the formula moves the others
    too, as momentum, Adam and a decay do, they catch up with the steps they missed when they are next read, with the
    numbers of whole tables to 1e-12; reading, drawing or saving them changes no bit of what follows. AdaGrad, RMSprop
    and Adam with a decay have no closed form of several steps (nor has Adam unless β₁ ≤ β₂⁴ ≥ 0.9), so the whole table
    takes each step, which is exact and slow.
    """

    _formula: Formula | None = None
    _groups: Any = None

    @called_as("{kind}(network, rate=0.1)")
    def __init__(self, parameters: Any, *, rate: Rate) -> None:
        self._source = Source(parameters)
        self._rate = checked_rate(rate)
        self._clip: float | None = None
        self._memory: dict[Any, State] = {}
        #: Loaded slots of entries that are not parameters yet, by name.
        self._waiting: dict[str, State] = {}
        self._t = 0

    def _moves_by(
        self, formula: Formula, usual: Mapping[str, Any], groups: Any, clip: float | None, *, lazy: bool
    ) -> None:
        """Move by this formula, with these settings."""
        if not isinstance(lazy, bool):
            raise TypeError(f"lazy must be True or False, and got {describe(lazy)}")
        formula = replace(formula, name=f"{formula.name}, lazy", lazy=True) if lazy else formula
        self._formula, self._groups = formula, Groups(formula, usual, groups, self._source)
        self._clip = None if clip is None else checked_bound(clip, "clip")

    @property
    def t(self) -> int:
        """The number of steps made so far."""
        return self._t

    @property
    def rate(self) -> float:
        """The learning rate α of the next step; a number or a schedule may be assigned between steps."""
        return self._rate(self._t) if isinstance(self._rate, Schedule) else self._rate

    @rate.setter
    def rate(self, rate: Rate) -> None:
        self._rate = checked_rate(rate)
        if self._groups is not None:
            self._groups.forget()

    def parameters(self) -> list[Any]:
        """The parameters that it moves, each once."""
        return list(self._source.nodes())

    def zero_grad(self) -> None:
        """Reset all gradients to None, "not reached yet"; if an error is raised, none has changed."""
        commit(forgotten(self._source.nodes()))

    def step(self) -> None:
        """Move every parameter that has a gradient, and count the step; if an error is raised, nothing has changed.

        Raises:
            ValueError: if a parameter would not be finite, as with a gradient that is not.
        """
        self.step_with(None)

    def step_with(self, norm: float | None) -> None:
        """Make a step, for which ``clip`` need not compute ‖g‖ of all gradients together if it is known.

        >>> from autodiff import Value
        >>> from nn import SGD, gradient_norm
        >>> x = Value(1.0)
        >>> x.grad = 4.0
        >>> SGD([x], rate=0.25, clip=2.0).step_with(gradient_norm([x]))
        >>> x.data
        0.5
        """
        if self._formula is None:
            raise NotImplementedError(f"{type(self).__name__} cannot move its parameters; define step()")
        memory, waiting = self._claimed() if self._waiting else (self._memory, self._waiting)
        with catching_up:
            nodes = self._source.nodes()
            moves = self._moves([x for x in nodes if x._grad is not None], memory, norm)
            own: dict[str, Any] = {"_t": self._t + 1}
            if moves.slots:
                memory = {**memory, **dict(zip(moves.nodes, moves.slots, strict=True))}
                if len(memory) > len(nodes):  # the net has other parameters in place of some
                    memory = {x: memory[x] for x in nodes if x in memory}
                own |= {"_memory": memory, "_waiting": waiting}
            commit(*assigned(moves.nodes, moves.data), assigning(self, **own), *moves.changes)

    def _moves(self, nodes: list[Any], memory: Mapping[Any, State], norm: float | None) -> Moves:
        """Where the parameters go, each group by its settings."""
        formula: Any = self._formula
        grads = [Rows.kept(x._grad) for x in nodes]
        if self._clip is not None:
            grads = clipped(grads, self._clip, norm)[0]
        groups = self._groups.split(nodes, self._source, self._rate)
        if len(groups) == 1:
            settings = groups[0][0]
            return Mover(formula, settings.rate_at(self._t, self._rate), settings, memory).moves(nodes, grads)
        grad_of = dict(zip(nodes, grads, strict=True))
        every = []
        for settings, some in groups:
            mover = Mover(formula, settings.rate_at(self._t, self._rate), settings, memory)
            every.append(mover.moves(some, [grad_of[x] for x in some]))
        return Moves.joined(every)

    def __copy__(self) -> Optimizer:
        twin = object.__new__(type(self))
        memory = {x: own_slots(slots) for x, slots in self._memory.items()}  # rows are written in place
        twin.__dict__.update(self.__dict__, _memory=memory, _groups=copy(self._groups))  # which follow the rate
        return twin

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        """Copies of all that a run needs to go on, as arrays: settings, t, rate, and slots under ``W(1)/c``, ….

        Parameters that come as a list have their places as names: ``0/c``, …. Of a table whose rows lag, slots have
        caught up, and ``L/lag/table``, … are the rows and slots as of each row's last step, from which a run goes on.

        >>> from autodiff import Value
        >>> from nn import AdaGrad
        >>> {key: array.tolist() for key, array in AdaGrad({"x": Value(1.0)}, rate=0.1).state().items()}
        {'optimizer': 'AdaGrad(epsilon=1e-08, decay=0.0)', 't': 0, 'rate': 0.1, 'x/c': 0.0}
        """
        rate = repr(self._rate) if isinstance(self._rate, Schedule) else self._rate
        own = {"optimizer": np.array(self._described()), "t": np.array(self._t), "rate": np.array(rate)}
        if self._formula is None:
            return own
        return own | saved(self._source, self._memory, self._waiting, self._formula.slots)

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`, bit for bit as the optimiser that gave it; if an error is raised, nothing has changed.

        A constant rate is taken from the state; a schedule must be the same.

        Raises:
            ValueError: if the state comes from another optimiser, other settings or other parameters, or an array is
                missing, unknown, of another shape, or not finite.
            TypeError: if it is not a mapping of arrays.

        >>> from autodiff import Value
        >>> from nn import SGD
        >>> descent = SGD([Value(1.0)], rate=0.1)
        >>> descent.load({**descent.state(), "t": 7})
        >>> descent.t
        7
        """
        commit(*self.load_changes(state))

    def load_changes(self, state: Mapping[str, Any]) -> list[Change]:
        """The changes that `load` makes, checked but not made."""
        check_mapping(state)
        own = ("optimizer", "t", "rate")
        check_keys("this optimiser", [key for key in state if key in own], own)
        saved_by = as_text(state["optimizer"])
        if saved_by != self._described():
            raise ValueError(
                f"the state to load is that of {saved_by}, and this is {self._described()}; nothing was loaded"
            )
        t, rate = saved_count(state["t"], "t"), self._loaded_rate(np.asarray(state["rate"]))
        rest = {key: data for key, data in state.items() if key not in own}
        memory, waiting = loaded(self._source, rest, self._formula) if self._formula else ({}, {})
        return [assigning(self, _memory=memory, _waiting=waiting, _t=t, _rate=rate)]

    def _claimed(self) -> tuple[dict[Any, State], dict[str, State]]:
        """The slots with those of entries that have become parameters, and those that still wait."""
        nodes = {name: node for name, node in self._source.named().items() if name in self._waiting}
        claimed = {node: self._waiting[name] for name, node in nodes.items()}
        return {**claimed, **self._memory}, {name: each for name, each in self._waiting.items() if name not in nodes}

    def _loaded_rate(self, rate: np.ndarray[Any, Any]) -> Rate:
        own = self._rate
        if isinstance(own, Schedule) or rate.dtype.kind == "U":
            text = as_text(rate)
            if text != repr(own):
                raise ValueError(f"the state to load has the rate {text}, and this optimiser {own}; nothing was loaded")
            return own
        return checked_rate(rate[()])

    def _described(self) -> str:
        """The kind and the settings, which a state must share."""
        if self._formula is None:
            return type(self).__name__
        clip = "" if self._clip is None else f", clip={self._clip}"
        return f"{self._formula.name}({self._groups!r}{clip})"
