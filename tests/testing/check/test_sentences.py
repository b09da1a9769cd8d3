"""Sentences of checks, oracles and relations that no other test reads: refusals, and reasons in reports."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import TABLE, Tensor, Value
from autodiff.primitives.expression import Expression
from autodiff.testing import check_gradients, vocabulary
from autodiff.testing.check import blame, differences
from autodiff.testing.check.entries import Check
from autodiff.testing.check.report import Report
from autodiff.testing.hooks.arguments import parameters
from autodiff.testing.oracles.dual import Dual, DualArray
from autodiff.testing.oracles.interval import Estimate
from autodiff.testing.relations.rebuilding import primitive_of
from autodiff.testing.relations.watching import _watched
from autodiff.testing.subject import subject_of


def estimate(value: float, bar: float) -> Estimate:
    """A smooth estimate of a derivative."""
    return Estimate("smooth", value, bar, value, value, bar, 1.0, 1)


@pytest.mark.parametrize(("call", "kind", "words"), [
    (lambda: blame.recorded(Check(subject_of(math.exp, (1.0,), math.exp, None))), TypeError,
     "only functions of Values and Tensors record a graph"),
    (lambda: float(Dual(1.0, 2.0)), TypeError, "float() of a dual number would lose its slope; use its .primal"),
    (lambda: Dual(1.0, 2.0).shape, AttributeError, "a dual number has no attribute shape"),
    (lambda: np.array([Dual(1.0, 2.0)]).view(DualArray).values, AttributeError,
     "an array of dual numbers has no attribute values"),
    (lambda: primitive_of(Value(1.0, name="x")), TypeError,
     "x has no primitive; only nodes made by a primitive can be rebuilt"),
    (lambda: _watched(TABLE["exp"]).rule(0)(Expression("g"), 1.0, 1.0), TypeError,
     "a watched rule cannot be written out as an expression"),
    (lambda: vocabulary(Value, of="add"), TypeError, "of must be a list of names, such as ['add', 'exp'], and got"),
    (lambda: parameters(dict), ValueError, "this function has no readable signature; give its arguments with --at"),
])  # fmt: skip
def test_refusals(call: Callable[[], Any], kind: type[Exception], words: str) -> None:
    """Each in one sentence."""
    with pytest.raises(kind) as caught:
        call()
    assert words in str(caught.value)


@pytest.mark.parametrize(("made", "words"), [
    (lambda: check_gradients(lambda x: x / 10.0, 1.0, oracle="exact"), "floats round in the forward pass"),
    (lambda: check_gradients(lambda x: x * x * x, 2.0**-7, oracle="exact"), "floats round "),
    (lambda: check_gradients(math.exp, 1.0, gradient=math.exp, oracle="complex"),
     "a conversion to a plain number or array has no complex derivative"),
    (lambda: check_gradients(ad.sin, 1.0, oracle="complex"), "it runs pairs of functions of NumPy arrays only"),
    (lambda: check_gradients(lambda x: 1.0, 1.0, gradient=lambda x: 0.0, oracle="complex"),
     "the function turned complex numbers into real ones"),
])  # fmt: skip
def test_an_oracle_says_why_it_does_not_apply(made: Callable[[], Report], words: str) -> None:
    """The reason is in the report."""
    assert words in str(made())


def test_reasons_why_nothing_is_decided() -> None:
    """Differences that give nothing, and differences that are too uncertain."""
    nothing = "differences give no value here: they are not finite, or they all round to the same number"
    assert differences._uncertain(estimate(math.nan, math.inf)) == nothing
    weak = differences._uncertain(estimate(1.0, 0.5))
    assert weak == "rounding inside f leaves differences uncertain by ± 0.5, more than a thousandth of the value"
    assert differences._uncertain(estimate(1.0, 2.0)).endswith("± 2, more than the value itself")


@pytest.mark.parametrize(("sentence", "words"), [
    (differences._ISOLATED, "conventions at kinks that do not fit together, or a wrong special case"),
    (differences._WRONG_NEARBY, "the gradient is also wrong right next to this point, where f has no kink"),
    (differences._NO_MIXTURE, "but the gradient is no mixture of gradients nearby"),
    (differences._ROUNDED, "as if its values were rounded, so larger steps were taken"),
    (differences._MOVED, "the gradient changes this much when its input changes by rounding"),
    (differences._REASONS["kink"], "f has a kink here; its one-sided slopes are the ends of the bar"),
])  # fmt: skip
def test_reasons_of_the_appeal(sentence: str, words: str) -> None:
    """The sentences that a report gives where differences and the gradient disagree."""
    assert words in sentence


def test_rules_that_could_not_be_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of them, and the reason of one."""
    rules = blame.Rules(None, ("exp returns inf",), 2, 2)
    assert str(rules) == "every rule that could be checked is right, but some could not be checked (exp returns inf)"

    def refuse(*_: Any, **__: Any) -> Any:
        raise ValueError("its inputs do not fit")

    monkeypatch.setattr(blame, "Check", refuse)
    assert blame._report_of(ad.exp(Tensor([1.0])), 1) == "cannot be checked: its inputs do not fit"
