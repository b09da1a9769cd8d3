"""The anomaly report names the first value that is not finite, with the operation, its operands and the user's line."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, Value, detect_anomaly


def line() -> int:
    """The number of the caller's line."""
    return sys._getframe(1).f_lineno


@pytest.mark.parametrize(("compute", "account"), [
    (lambda: Value(0.0).log() * 2.0, r"log\(0\.0\) gave -inf"),
    (lambda: Value(1.0) / Value(0.0), r"divide\(1\.0, 0\.0\) gave inf"),
    (lambda: 1.0 / Value(0.0), r"divide\(1\.0, 0\.0\) gave inf"),
    (lambda: Value(-8.0) ** 0.5, r"power\(-8\.0, n=0\.5\) gave nan"),
    (lambda: ad.exp(Value(2.0) * 500.0) - 1.0, r"exp\(1000\.0\) gave inf"),
    (lambda: np.sqrt(Tensor([1.0, -4.0])), r"sqrt\(Tensor of shape \(2,\) .*\) gave a value with nan at index \(1,\)"),
    (lambda: Tensor([[1.0, 2.0]]) / np.array([[1.0, 0.0]]), r"divide\(Tensor .*, array .*\) gave .* index \(0, 1\)"),
    (lambda: Value(float("nan"), name="w") + 1.0, r"the leaf w is nan"),
    (lambda: Tensor([1.0, np.inf]), r"the leaf Tensor is a value with inf at index \(1,\)"),
    (lambda: ad.weighted_sum([Value(np.inf)], [Value(0.0)]), r"the leaf Value is inf"),
    (lambda: ad.norm([Value(1e200), Value(1.0)]) ** 2, r"power\(1e\+200, n=2 \(int\)\) gave inf"),
])  # fmt: skip
def test_first_value_that_is_not_finite_is_named(compute: Callable[[], Any], account: str) -> None:
    """Operation, operands, value; later values that follow from it are not blamed."""
    with np.errstate(all="ignore"), detect_anomaly(), pytest.raises(FloatingPointError) as error:
        compute()
    assert error.match(account)
    place = rf"test_anomaly\.py, line {compute.__code__.co_firstlineno}$"
    assert error.match(f"the first value that is not finite, at .*{place}")


def test_line_is_the_users_own() -> None:
    """Through NumPy's functions and the network's layers the report names the line outside the package."""
    x = Tensor([1.0, 0.0])
    with np.errstate(all="ignore"), detect_anomaly(), pytest.raises(FloatingPointError) as error:
        ad.norm(ad.softmax(x) / np.log(x * 1.0))
    assert error.match(f"log.*line {line() - 1}$")


def test_finite_programs_run_as_without() -> None:
    """Nothing is reported where everything is finite, and the results are the same."""
    with detect_anomaly():
        x = Value(2.0)
        y = x * x + ad.exp(x)
        y.backward()
    assert x.grad == 4.0 + ad.exp(2.0)


def test_outside_the_block_nothing_is_watched() -> None:
    """The hook that was there before comes back, also after an error; inf is a number again."""
    seen: list[str] = []

    def hook(_frame: Any, event: str, _argument: Any) -> None:
        seen.append(event)

    before = sys.getprofile()
    sys.setprofile(hook)
    try:
        with pytest.raises(FloatingPointError), detect_anomaly():
            Value(0.0).log()
        assert sys.getprofile() is hook
    finally:
        sys.setprofile(before)
    assert Value(0.0).log().data == -np.inf


def test_other_threads_are_not_watched() -> None:
    """The report is of this thread's calls."""
    found: list[float] = []
    with detect_anomaly():
        thread = threading.Thread(target=lambda: found.append(Value(0.0).log().data))
        thread.start()
        thread.join()
    assert found == [-np.inf]


def test_a_place_without_a_user_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """If every frame belongs to the package, the report says that the place is unknown."""
    monkeypatch.setattr("autodiff.transforms.anomaly.is_own", lambda frame: True)
    with pytest.raises(FloatingPointError, match="at an unknown place"), detect_anomaly():
        Value(0.0).log()


@pytest.mark.parametrize(("compute", "account"), [
    (lambda: Value(-8.0) ** 0.5, r"power\(-8\.0, n=0\.5\) gave nan"),
    (lambda: np.sqrt(Tensor([1.0, -4.0])), r"sqrt\(Tensor of shape \(2,\) .*\) gave a value with nan at index \(1,\)"),
    (lambda: Value(np.inf, name="w"), "the leaf w is inf"),
])  # fmt: skip
def test_hook_judges_what_the_packages_functions_return(compute: Callable[[], Any], account: str) -> None:
    """Results of the package's functions, including generated ones; the line is the caller's."""
    with detect_anomaly():
        hook = sys.getprofile()
    with np.errstate(all="ignore"):
        result = compute()
    told = {"hook": hook, "getframe": sys._getframe, "result": result, "finite": Value(1.0)}
    own = compile("hook(getframe(), 'return', result)", "<autodiff test>", "exec")
    with pytest.raises(FloatingPointError) as error:
        exec(own, told)
    assert error.match(rf"{account}, the first value that is not finite, at .*test_anomaly\.py, line {line() - 1}$")
    exec(compile("hook(getframe(), 'call', None)", "<autodiff test>", "exec"), told)
    exec(compile("hook(getframe(), 'return', finite)", "<autodiff test>", "exec"), told)
    exec(compile("hook(getframe(), 'return', result)", "users_own.py", "exec"), told)


# ---- errors ----------------------------------------------------------------------------------------------------------


def root_of_a_square(x: Any) -> Any:
    """|x| the hard way: at 0 its root has an infinite slope, and the square the slope 0."""
    square = x * x
    return ad.sqrt(square)


def told(compute: Callable[[], Any]) -> str:
    """The report on a program."""
    with np.errstate(all="ignore"), detect_anomaly(), pytest.raises(FloatingPointError) as error:
        compute()
    return str(error.value)


FIRST, THEN = (root_of_a_square.__code__.co_firstlineno + k for k in (3, 2))


def test_a_nan_born_in_the_backward_pass_is_named() -> None:
    """The operation that explodes, and the one at which nan begins, each with its line; nothing has been written."""
    x = Value(0.0, name="x")
    said = told(lambda: root_of_a_square(x).backward())
    assert said == (
        f"sqrt(0.0), computed at {__file__}, line {FIRST}, sends back 1.0 × inf = inf, the first error signal that is "
        f"not finite; then multiply(0.0, 0.0), computed at {__file__}, line {THEN}, sends back inf × 0.0 = nan"
    )
    assert x.grad is None


@pytest.mark.parametrize("differentiate", [
    lambda: ad.grad(root_of_a_square)(0.0),
    lambda: ad.value_and_grad(root_of_a_square)(0.0),
    lambda: ad.vjp(root_of_a_square, 0.0)[1](1.0),
    lambda: ad.grad(ad.grad(root_of_a_square))(0.0),
    lambda: ad.gradients(root_of_a_square(x := Value(0.0)), x, create_graph=True),
    lambda: ad.grad(lambda x: np.sum(root_of_a_square(x)))(np.array([0.0, 1.0])),
    lambda: ad.jacobian(root_of_a_square)(np.array([1.0, 0.0])),
])  # fmt: skip
def test_every_way_to_a_gradient_is_watched(differentiate: Callable[[], Any]) -> None:
    """Of one number and of arrays, in passes that are graphs themselves too: the same two lines."""
    said = told(differentiate)
    assert said.startswith("sqrt(")
    assert f"line {FIRST}, sends back" in said
    assert "; then multiply(" in said
    assert f"line {THEN}, sends back" in said
    assert said.count("inf") >= 1 <= said.count("nan")


def test_a_second_derivative_names_the_operation_whose_rule_made_it() -> None:
    """x^1.5 at 0: the first derivative is 0, the second infinite, by the power that the rule of the first one took."""
    compute = lambda: ad.grad(ad.grad(lambda x: x**1.5))(0.0)  # noqa: E731 - one line holds both
    place = f"{__file__}, line {compute.__code__.co_firstlineno}"
    assert told(compute) == (
        f"power(0.0, n=0.5), computed at {place}, in the backward pass of power(0.0, n=1.5), "
        "sends back 1.5 × inf = inf, the first error signal that is not finite"
    )


def test_infinities_that_meet_are_named() -> None:
    """√x − √(2x) at 0: inf − inf at x; sums beyond the largest number too."""
    said = told(lambda: ad.grad(lambda x: ad.sqrt(x) - ad.sqrt(2.0 * x))(0.0))
    assert "; then Value, given at " in said
    assert said.endswith("gets the shares -inf + inf = nan")
    said = told(lambda: ad.grad(lambda x: x * 1e308 + x * 1e308)(0.5))
    assert "gets the shares 1e+308 + 1e+308 = inf, the first error signal" in said


def test_a_line_outside_the_block_is_not_made_up() -> None:
    """A node computed before the block has no line: the report names the operation and says that it is from outside."""
    y = root_of_a_square(Value(0.0))
    said = told(y.backward)
    assert said.startswith("sqrt(0.0), computed at a place outside the block, sends back 1.0 × inf = inf")


def test_lines_are_those_of_the_nodes_that_are_alive() -> None:
    """In a loop memory is used again: the line is that of the last node in its place, not of one that is gone."""

    def compute() -> None:
        for _ in range(50):
            ad.tanh(Value(0.5) * 2.0).backward()
        root_of_a_square(Value(0.0)).backward()

    assert f"line {FIRST}, sends back" in told(compute)


def test_what_does_no_harm_is_not_reported() -> None:
    """An infinite slope in a branch not taken, at both orders, and one on the way to no gradient that was asked for.

    A seed that does not fit is said by the pass itself.
    """
    with detect_anomaly():
        assert ad.grad(lambda x: ad.where(x > 0.0, ad.sqrt(x), 0.0 * x))(0.0) == 0.0
        assert ad.grad(ad.grad(lambda x: ad.where(x > 0.0, ad.sqrt(x), 0.0 * x)))(0.0) == 0.0
        x, w = Value(0.0), Value(3.0)
        assert ad.gradients(ad.sqrt(x) + w * w, w) == 6.0
        y = w * 2.0
        y.backward(seed=1.0)
        with pytest.raises(ValueError, match="the seed has shape"):
            y.backward(seed=np.ones(2))
    assert w.grad == 2.0
