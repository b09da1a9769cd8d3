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
    """Where every frame is the package's own, the report says that the place is unknown."""
    monkeypatch.setattr("autodiff.reading.is_own", lambda frame: True)
    with pytest.raises(FloatingPointError, match="at an unknown place"), detect_anomaly():
        Value(0.0).log()


@pytest.mark.parametrize(("compute", "account"), [
    (lambda: Value(-8.0) ** 0.5, r"power\(-8\.0, n=0\.5\) gave nan"),
    (lambda: np.sqrt(Tensor([1.0, -4.0])), r"sqrt\(Tensor of shape \(2,\) .*\) gave a value with nan at index \(1,\)"),
    (lambda: Value(np.inf, name="w"), "the leaf w is inf"),
])  # fmt: skip
def test_hook_judges_what_the_packages_functions_return(compute: Callable[[], Any], account: str) -> None:
    """Results of the package's own functions, those written from the table among them; the line is the caller's."""
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
