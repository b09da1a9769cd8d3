"""The optimisers by name, each a formula in the shell of `Optimizer` (the notes, sections 1.5 and 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from autodiff.primitives.operands import describe
from autodiff.values.refusals import called_as
from nn.descent.formulas import FORMULAS, Formula
from nn.descent.optimizer import Optimizer
from nn.descent.schedules import Rate

__all__ = ["SGD", "AdaGrad", "Adam", "Momentum", "Nesterov", "RMSprop"]


class SGD(Optimizer):
    """Gradient descent: θ ← θ − α ∇J for every parameter that a backward pass has reached.

    Args:
        parameters: a dict or an iterable of Values and Tensors, or an object with ``parameters()``, which is called
            anew at every step.
        rate: the learning rate α > 0, or a schedule of `nn.rates`.
        decay: λ of the L2 penalty ½λ‖θ‖², whose gradient λθ is added to that of J.
        clip: the largest norm of all gradients together, as for `nn.clip_norm`; ``.grad`` keeps its numbers.
        groups: settings of their own for parameters whose names match a pattern, such as
            ``{"b*": dict(decay=0.0), "L": dict(rate=0.5)}``.
        lazy: if true, rows of a large table that were not looked up stay where they are, as do their slots. This is
            another algorithm, as torch's SparseAdam: such rows feel neither momentum nor decay.

    Call ``step()`` after the whole backward pass, which needs the old weights. Gradients add up from pass to pass, so
    call ``zero_grad()`` before the next one. If a step raises an error, Ctrl-C included, no parameter has changed.

    Raises:
        TypeError: if a parameter is not a Value or Tensor, or the rate is not a number.
        ValueError: if a parameter was computed, a setting is out of range, or a pattern matches no parameter; in a
            step, if a parameter would not be finite, as with a gradient that is not.

    Source: notes, section 1.5.

    >>> from autodiff import Value
    >>> w = Value(3.0)
    >>> descent = SGD([w], rate=0.1)
    >>> (w * w).backward()
    >>> descent.step()
    >>> round(w.data, 12)
    2.4
    """

    @called_as("{kind}(network, rate=0.1)")
    def __init__(
        self,
        parameters: Any,
        *,
        rate: Rate,
        decay: float = 0.0,
        clip: float | None = None,
        groups: Any = None,
        lazy: bool = False,
    ) -> None:
        super().__init__(parameters, rate=rate)
        self._moves_by(FORMULAS["SGD"], {"decay": decay}, groups, clip, lazy=lazy)


class Momentum(Optimizer):
    """Gradient descent with momentum: v ← μv − α∇J, θ ← θ + v.

    Args:
        parameters, rate, decay, clip, groups, lazy: as for `SGD`.
        mu: μ in [0, 1), the share of the last step that goes on.
        form: "alpha inside", as above, or torch's "alpha outside": v ← μv + ∇J, θ ← θ − αv. They differ where the rate
            changes.

    A parameter whose gradient is 0 goes on moving; one that no pass has reached (None) does not.

    Raises:
        TypeError, ValueError: as for `SGD`; ValueError if the form is unknown.

    Source: notes, section 2 (momentum).

    >>> from autodiff import Value
    >>> w = Value(3.0)
    >>> descent = Momentum([w], rate=0.1, mu=0.5)
    >>> w.grad = 1.0
    >>> descent.step(), descent.step()
    (None, None)
    >>> round(w.data, 12)
    2.75
    """

    _kind = "momentum"

    @called_as("{kind}(network, rate=0.1)")
    def __init__(
        self,
        parameters: Any,
        *,
        rate: Rate,
        mu: float = 0.9,
        decay: float = 0.0,
        form: str = "alpha inside",
        clip: float | None = None,
        groups: Any = None,
        lazy: bool = False,
    ) -> None:
        super().__init__(parameters, rate=rate)
        self._moves_by(_form(self._kind, form, _ALPHA), {"mu": mu, "decay": decay}, groups, clip, lazy=lazy)


class Nesterov(Momentum):
    """Momentum whose gradient counts as that after the step to come: v ← μv − α∇J, θ ← θ + μv − α∇J.

    Args:
        parameters, rate, mu, decay, form, clip, groups, lazy: as for `Momentum`; "alpha outside" is v ← μv + ∇J,
            θ ← θ − α(∇J + μv).

    Raises:
        TypeError, ValueError: as for `Momentum`.

    Source: Nesterov 1983, in the form of Sutskever et al. 2013.

    >>> from autodiff import Value
    >>> w = Value(3.0)
    >>> descent = Nesterov([w], rate=0.1, mu=0.5)
    >>> w.grad = 1.0
    >>> descent.step()
    >>> round(w.data, 12)
    2.85
    """

    _kind = "Nesterov"


class AdaGrad(Optimizer):
    """Gradient descent with steps that shrink where gradients were large: θ ← θ − α g/√(c + ε), c = Σ g².

    Args:
        parameters, rate, decay, clip, groups, lazy: as for `SGD`.
        epsilon: ε > 0; it keeps the step finite where all gradients were 0.
        form: "epsilon inside" the root, as in the notes, or torch's "epsilon outside": √c + ε.

    The vector of a rare word, which has received few gradients, still takes large steps when those of common words
    hardly move.

    Raises:
        TypeError, ValueError: as for `SGD`; ValueError if the form is unknown.

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
    def __init__(
        self,
        parameters: Any,
        *,
        rate: Rate,
        epsilon: float = 1e-8,
        decay: float = 0.0,
        form: str = "epsilon inside",
        clip: float | None = None,
        groups: Any = None,
        lazy: bool = False,
    ) -> None:
        super().__init__(parameters, rate=rate)
        self._moves_by(_form("AdaGrad", form, _EPSILON), {"epsilon": epsilon, "decay": decay}, groups, clip, lazy=lazy)


class RMSprop(Optimizer):
    """AdaGrad with a mean that forgets in place of the sum: c ← ρc + (1 − ρ)g², θ ← θ − α g/√(c + ε).

    Args:
        parameters, rate, decay, clip, groups, lazy: as for `SGD`.
        rho: ρ in [0, 1), the share of the mean that stays; torch calls it alpha, with default 0.99.
        epsilon, form: as for `AdaGrad`.

    Raises:
        TypeError, ValueError: as for `AdaGrad`.

    Source: notes, section 2 (RMSprop).

    >>> from autodiff import Value
    >>> w = Value(3.0)
    >>> descent = RMSprop([w], rate=0.1, rho=0.75)
    >>> (w * w).backward()
    >>> descent.step()
    >>> round(w.data, 6)
    2.8
    """

    @called_as("{kind}(network, rate=0.1)")
    def __init__(
        self,
        parameters: Any,
        *,
        rate: Rate,
        rho: float = 0.9,
        epsilon: float = 1e-8,
        decay: float = 0.0,
        form: str = "epsilon inside",
        clip: float | None = None,
        groups: Any = None,
        lazy: bool = False,
    ) -> None:
        super().__init__(parameters, rate=rate)
        usual = {"rho": rho, "epsilon": epsilon, "decay": decay}
        self._moves_by(_form("RMSprop", form, _EPSILON), usual, groups, clip, lazy=lazy)


class Adam(Optimizer):
    """Means of g and g² that forget, each divided by the share 1 − βᵗ that they have seen: θ ← θ − α m̂/(√v̂ + ε).

    m ← β₁m + (1 − β₁)g and v ← β₂v + (1 − β₂)g²; m̂ = m/(1 − β₁ᵗ) and v̂ = v/(1 − β₂ᵗ) after t steps of a parameter.

    Args:
        parameters, rate, decay, clip, groups, lazy: as for `SGD`.
        beta1: β₁ in [0, 1).
        beta2: β₂ in [0, 1).
        epsilon: ε > 0, outside of the root.
        form: "corrected", as above, or the "uncorrected" one of the notes with m and v for m̂ and v̂, whose first steps
            are too large by (1 − β₁)/√(1 − β₂), about 3.

    Raises:
        TypeError, ValueError: as for `SGD`; ValueError if the form is unknown.

    Source: Kingma and Ba 2015; notes, section 2 (Adam), which leave out the correction.

    >>> from autodiff import Value
    >>> w = Value(3.0)
    >>> descent = Adam([w], rate=0.1)
    >>> (w * w).backward()
    >>> descent.step()
    >>> round(w.data, 6)
    2.9
    """

    @called_as("{kind}(network, rate=0.001)")
    def __init__(
        self,
        parameters: Any,
        *,
        rate: Rate = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        decay: float = 0.0,
        form: str = "corrected",
        clip: float | None = None,
        groups: Any = None,
        lazy: bool = False,
    ) -> None:
        super().__init__(parameters, rate=rate)
        usual = {"beta1": beta1, "beta2": beta2, "epsilon": epsilon, "decay": decay}
        self._moves_by(_form("Adam", form, _CORRECTION), usual, groups, clip, lazy=lazy)


#: The ends of names in the table of formulas, by the name of the form.
_ALPHA: Final = {"alpha inside": "", "alpha outside": ", α outside"}
_EPSILON: Final = {"epsilon inside": "", "epsilon outside": ", ε outside"}
_CORRECTION: Final = {"corrected": "", "uncorrected": ", uncorrected"}


def _form(name: str, form: str, ends: Mapping[str, str]) -> Formula:
    if not isinstance(form, str) or form not in ends:
        raise ValueError(f"the form of {name} must be one of {', '.join(map(repr, ends))}, and got {describe(form)}")
    return FORMULAS[f"{name}{ends[form]}"]
