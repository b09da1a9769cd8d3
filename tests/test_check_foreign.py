"""`check_gradients` on torch's and jax's functions, and on micrograd's and HIPS autograd's gradients as pairs."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import Value
from autodiff.testing.check import check_gradients
from autodiff.testing.verdicts import Verdict


@pytest.mark.parametrize("order", [1, 2])
def test_a_torch_function(order):
    """Nested tensors, first and second order."""
    torch = pytest.importorskip("torch")
    w = torch.linspace(-1.0, 1.0, 6, dtype=torch.float64).reshape(2, 3)
    p = {"w": w, "b": torch.tensor([0.5, -0.5], dtype=torch.float64)}
    report = check_gradients(lambda p: torch.tanh(p["w"] @ p["w"].T + p["b"]), p, order=order)
    assert report.counts == {Verdict.PASS: 8 * order}


def test_a_wrong_torch_function():
    """A custom backward that is off by 0.1 % in one entry; torch's own check lets it through."""
    torch = pytest.importorskip("torch")

    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(context, x):
            context.save_for_backward(x)
            return x.sin()

        @staticmethod
        def backward(context, g):
            (x,) = context.saved_tensors
            return g * x.cos() * torch.tensor([1.0, 1.001, 1.0], dtype=torch.float64)

    x = torch.tensor([0.5, 1.0, 1.5], dtype=torch.float64)
    report = check_gradients(lambda x: Wrong.apply(x).sum(), x)
    assert [failure.place.index for failure in report.failures] == [(1,)]
    assert torch.autograd.gradcheck(Wrong.apply, (x.requires_grad_(),))


def test_a_torch_function_whose_output_is_cut_off():
    """One sentence instead of torch's."""
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match="it is not connected to the inputs"):
        check_gradients(lambda x: x.detach() * 2.0, torch.tensor(1.0, dtype=torch.float64))


def test_bad_torch_input():
    """One sentence for what has no real numbers in NumPy, and for complex results."""
    torch = pytest.importorskip("torch")
    one = torch.ones(2, dtype=torch.float64)
    for x in (one.bfloat16(), one.to_sparse(), one > 0, one * 1j, Value(1.0)):
        with pytest.raises(TypeError, match=r"^gradients are checked at numbers .* and x is"):
            check_gradients(lambda y, x: y, one, x)
    with pytest.raises(TypeError, match=r"real numbers of the engine of the inputs, and f returned tensor\("):
        check_gradients(torch.fft.fft, one)


def test_a_torch_function_that_writes_to_its_input():
    """Though its gradient may be right at what is there afterwards."""
    torch = pytest.importorskip("torch")

    def f(x):
        with torch.no_grad():
            x.mul_(2.0)
        return x * 3.0

    report = check_gradients(f, torch.ones(2, dtype=torch.float64))
    assert "f wrote to its input x: what is computed from it later is wrong" in str(report)


def test_bad_results_of_jax():
    """Whole numbers, truth values and complex numbers are no outputs to differentiate."""
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    x = jax.numpy.ones(2)
    for f in (jax.numpy.argmax, lambda x: x > 0, lambda x: x * 1j, lambda x: None):
        with pytest.raises(TypeError, match="real numbers of the engine of the inputs, and f returned "):
            check_gradients(f, x)


@pytest.mark.parametrize("order", [1, 2])
def test_a_jax_function(order):
    """In float64 and in float32, whose bars are wider; kinks are kinks there too."""
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    x = jax.numpy.linspace(-1.0, 1.0, 4)
    report = check_gradients(lambda x: jax.numpy.sum(jax.numpy.tanh(x) * x), x, order=order)
    assert report.counts == {Verdict.PASS: 4 * order}
    assert not check_gradients(lambda x: jax.numpy.sin(x), x.astype(jax.numpy.float32)).failed
    assert check_gradients(jax.nn.relu, jax.numpy.asarray(0.0)).verdict == Verdict.VALID


def test_a_fault_of_jax():
    """d/dx xʸ at 0⁰ is nan in jax: a nan always fails."""
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    power = lambda x: jax.numpy.power(x, 0.0)  # noqa: E731
    assert check_gradients(power, jax.numpy.asarray(0.0)).failed == bool(np.isnan(jax.grad(power)(0.0)))


def test_a_fault_of_hips_autograd():
    """tile(x, (2,)) of a matrix has a wrong gradient there, without a word."""
    autograd = pytest.importorskip("autograd")
    x = np.arange(6.0).reshape(2, 3)

    def f(x):
        return autograd.numpy.sum(autograd.numpy.tile(x, (2,)) * autograd.numpy.arange(12.0).reshape(2, 6))

    assert check_gradients(f, x, gradient=autograd.grad(f)).failed


def test_micrograd_as_a_pair():
    """Its Values become floats on the way in and out; its gradients are right here."""
    engine = pytest.importorskip("micrograd.engine")

    def outputs(x, y):
        a, b = engine.Value(x), engine.Value(y)
        return a, b, (a * b + a**3).relu() + a / b

    def f(x, y):
        return outputs(x, y)[2].data

    def gradient(x, y):
        a, b, output = outputs(x, y)
        output.backward()
        return a.grad, b.grad

    assert check_gradients(f, 1.5, -2.0, gradient=gradient).counts == {Verdict.PASS: 2}
