"""`check_gradients` on torch's and jax's functions, and on micrograd's and HIPS autograd's gradients as pairs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Never

import numpy as np
import pytest

from autodiff import Value
from autodiff.testing.check.gradients import check_gradients
from autodiff.testing.check.verdicts import Verdict

pytestmark = pytest.mark.peer


@pytest.mark.parametrize("order", [1, 2])
def test_a_torch_function(order: int) -> None:
    """Nested tensors, first and second order."""
    torch = pytest.importorskip("torch")
    w = torch.linspace(-1.0, 1.0, 6, dtype=torch.float64).reshape(2, 3)
    p = {"w": w, "b": torch.tensor([0.5, -0.5], dtype=torch.float64)}
    report = check_gradients(lambda p: torch.tanh(p["w"] @ p["w"].T + p["b"]), p, order=order)
    assert report.counts == {Verdict.PASS: 8 * order}


def test_a_wrong_torch_function() -> None:
    """A custom backward that is off by 0.1 % in one entry; torch's own check lets it through."""
    torch = pytest.importorskip("torch")

    class Wrong(torch.autograd.Function):  # type: ignore[misc, name-defined]
        @staticmethod
        def forward(context: Any, x: Any) -> Any:
            context.save_for_backward(x)
            return x.sin()

        @staticmethod
        def backward(context: Any, g: Any) -> Any:
            (x,) = context.saved_tensors
            return g * x.cos() * torch.tensor([1.0, 1.001, 1.0], dtype=torch.float64)

    x = torch.tensor([0.5, 1.0, 1.5], dtype=torch.float64)
    report = check_gradients(lambda x: Wrong.apply(x).sum(), x)
    assert [failure.place.index for failure in report.failures] == [(1,)]
    assert torch.autograd.gradcheck(Wrong.apply, (x.requires_grad_(),))


def test_a_torch_function_whose_output_is_cut_off() -> None:
    """One sentence instead of torch's."""
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match="it is not connected to the inputs"):
        check_gradients(lambda x: x.detach() * 2.0, torch.tensor(1.0, dtype=torch.float64))


def test_bad_torch_input() -> None:
    """One sentence for what has no real numbers in NumPy, and for complex results."""
    torch = pytest.importorskip("torch")
    one = torch.ones(2, dtype=torch.float64)
    for x in (one.to_sparse(), one > 0, one * 1j, Value(1.0)):
        with pytest.raises(TypeError, match=r"^inputs of check_gradients must be numbers .* and x is"):
            check_gradients(lambda y, x: y, one, x)
    with pytest.raises(TypeError, match=r"of the engine of its inputs, and returned tensor\("):
        check_gradients(torch.fft.fft, one)


def test_a_torch_function_that_writes_to_its_input() -> None:
    """Though its gradient may be right at what is there afterwards."""
    torch = pytest.importorskip("torch")

    def f(x: Any) -> Any:
        with torch.no_grad():
            x.mul_(2.0)
        return x * 3.0

    report = check_gradients(f, torch.ones(2, dtype=torch.float64))
    assert "f wrote to its input x: later results that use it are wrong" in str(report)


def test_bad_results_of_jax() -> None:
    """Whole numbers, truth values and complex numbers are no outputs to differentiate."""
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    x = jax.numpy.ones(2)
    for f in (jax.numpy.argmax, lambda x: x > 0, lambda x: x * 1j, lambda x: None):
        with pytest.raises(TypeError, match="real numbers or arrays of the engine of its inputs, and returned "):
            check_gradients(f, x)


@pytest.mark.parametrize("order", [1, 2])
def test_a_jax_function(order: int) -> None:
    """In float64 and in float32, whose bars are wider; kinks are kinks there too."""
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    x = jax.numpy.linspace(-1.0, 1.0, 4)
    report = check_gradients(lambda x: jax.numpy.sum(jax.numpy.tanh(x) * x), x, order=order)
    assert report.counts == {Verdict.PASS: 4 * order}
    assert not check_gradients(lambda x: jax.numpy.sin(x), x.astype(jax.numpy.float32)).failed
    assert check_gradients(jax.nn.relu, jax.numpy.asarray(0.0)).verdict == Verdict.VALID


def test_a_fault_of_jax() -> None:
    """d/dx xʸ at 0⁰ is nan in jax: a nan always fails."""
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    power = lambda x: jax.numpy.power(x, 0.0)  # noqa: E731
    assert check_gradients(power, jax.numpy.asarray(0.0)).failed == bool(np.isnan(jax.grad(power)(0.0)))


def test_a_fault_of_hips_autograd() -> None:
    """tile(x, (2,)) of a matrix has a wrong gradient there, without a word."""
    autograd = pytest.importorskip("autograd")
    x = np.arange(6.0).reshape(2, 3)

    def f(x: Any) -> Any:
        return autograd.numpy.sum(autograd.numpy.tile(x, (2,)) * autograd.numpy.arange(12.0).reshape(2, 6))

    assert check_gradients(f, x, gradient=autograd.grad(f)).failed


def test_micrograd_as_a_pair() -> None:
    """Its Values become floats on the way in and out; its gradients are right here."""
    engine = pytest.importorskip("micrograd.engine")

    def outputs(x: float, y: float) -> tuple[Any, Any, Any]:
        a, b = engine.Value(x), engine.Value(y)
        return a, b, (a * b + a**3).relu() + a / b

    def f(x: float, y: float) -> Any:
        return outputs(x, y)[2].data

    def gradient(x: float, y: float) -> tuple[float, float]:
        a, b, output = outputs(x, y)
        output.backward()
        return a.grad, b.grad

    assert check_gradients(f, 1.5, -2.0, gradient=gradient).counts == {Verdict.PASS: 2}


# ---- what torch's modules hold ---------------------------------------------------------------------------------------


def modules() -> tuple[Any, ...]:
    """A module with a wrong gradient for its weight alone, one that leaves a parameter out of the graph, and torch."""
    torch = pytest.importorskip("torch")
    f64 = torch.float64

    class WrongForWeight(torch.autograd.Function):  # type: ignore[misc, name-defined]
        @staticmethod
        def forward(context: Any, x: Any, w: Any) -> Any:
            context.save_for_backward(x, w)
            return x @ w

        @staticmethod
        def backward(context: Any, g: Any) -> tuple[Any, Any]:
            x, w = context.saved_tensors
            return g @ w.T, 1.001 * (x.T @ g)

    class Wrong(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.linspace(-1.0, 1.5, 6, dtype=f64).reshape(3, 2))
            self.frozen = torch.nn.Parameter(torch.ones(2, dtype=f64), requires_grad=False)
            self.register_buffer("calls", torch.zeros((), dtype=f64))
            self.register_buffer("gain", torch.ones(2, dtype=f64).requires_grad_())
            self.last = None

        def forward(self, x: Any) -> Any:
            self.calls.add_(1)
            self.last = WrongForWeight.apply(x, self.weight) * self.gain + self.frozen
            return self.last

        def loss(self, x: Any) -> Any:
            return self(x).sum()

    class Cut(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.gain = torch.nn.Parameter(torch.ones(3, dtype=f64))

        def forward(self, x: Any) -> Any:
            return x * self.gain.detach()

    return torch, Wrong(), Cut()


def state(module: Any) -> tuple[list[Any], ...]:
    """All that a check might change, with where it is kept."""
    tensors = [*module.named_parameters(), *module.named_buffers()]
    return (
        [(name, item.detach().clone().numpy().tobytes(), item.data_ptr(), id(item)) for name, item in tensors],
        [(name, None if item.grad is None else item.grad.clone().numpy().tobytes()) for name, item in tensors],
        [{name: id(item) for name, item in vars(each).items()} for each in module.modules()],
    )


def test_the_parameters_of_a_module_are_checked_by_name() -> None:
    """Though that of its input is right: called itself, by a method, a partial, a closure, an object's method."""
    torch, wrong, _ = modules()
    x = torch.tensor([[1.0, -0.5, 0.25], [0.5, 2.0, -1.0]], dtype=torch.float64)
    wrong.weight.grad = torch.full((3, 2), 0.5, dtype=torch.float64)
    before = state(wrong)

    class Trainer:
        def __init__(self) -> None:
            self.nets = {"first": [wrong]}

        def loss(self, x: Any) -> Any:
            return self.nets["first"][0](x).sum()

    ways = {
        wrong: "", wrong.forward: "", wrong.loss: "", partial(lambda net, x: net(x), wrong): "",
        (lambda x: wrong(x).sum()): "wrong.", Trainer().loss: "nets['first'][0].",
    }  # fmt: skip
    for f, prefix in ways.items():
        report = check_gradients(f, x)
        assert {failure.place.name for failure in report.failures} == {f"{prefix}weight"}
        assert {failure.place.argument for failure in report.failures} == {None}
        assert [name.removeprefix(prefix) for name, _ in report.inputs] == ["x", "weight", "gain"]
        assert f"fail: parameter {prefix}weight[" in str(report)
        assert report.counts == {Verdict.FAIL: 6, Verdict.PASS: 8}
        assert state(wrong) == before


def test_a_parameter_that_is_left_out_of_the_graph_is_found() -> None:
    """Its gradient is 0, and the function moves with it."""
    torch, _, cut = modules()
    report = check_gradients(cut, torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64))
    assert {failure.place.name for failure in report.failures} == {"gain"}


def test_a_module_is_as_before_even_where_it_raises() -> None:
    """Whatever the call had done to it."""
    torch, wrong, _ = modules()
    before = state(wrong)

    def broken(x: Any) -> Never:
        wrong(x)
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        check_gradients(broken, torch.ones((1, 3), dtype=torch.float64))
    assert state(wrong) == before


def test_layers_of_torch_and_what_they_share() -> None:
    """Right ones pass, in training and not; a tied weight is one parameter; statistics are as they were."""
    torch = pytest.importorskip("torch")
    nn, f64 = torch.nn, torch.float64
    tied = nn.Sequential(nn.Linear(2, 2, dtype=f64), nn.Tanh(), nn.Linear(2, 2, dtype=f64))
    tied[2].weight = tied[0].weight
    normed = nn.Sequential(nn.Linear(2, 1, dtype=f64), nn.BatchNorm1d(1, dtype=f64), nn.Sigmoid())
    x = torch.tensor([[0.5, -1.0], [1.0, 0.25], [-0.75, 2.0]], dtype=f64)
    for net in (tied, normed, normed.eval()):
        before = state(net)
        report = check_gradients(lambda x, net=net: net(x), x)
        assert not report.failed
        assert report.counts[Verdict.PASS] > report.scope.entries / 2
        assert state(net) == before
    assert [name for name, _ in check_gradients(tied, x).inputs] == ["input", "0.weight", "0.bias", "2.bias"]
    before, report = state(normed), check_gradients(normed, x, order=2)
    assert report.passed
    assert state(normed) == before


def test_what_was_computed_before_is_a_constant() -> None:
    """A result of a module that the function only reads; its parameters are not the function's."""
    torch = pytest.importorskip("torch")
    encoder = torch.nn.Linear(3, 3, dtype=torch.float64)
    x = torch.ones(3, dtype=torch.float64)
    code = encoder(x)
    assert [name for name, _ in check_gradients(lambda x: (x * code).sum(), x).inputs] == ["x"]
    assert check_gradients(lambda x: (encoder(x) * code).sum(), x).passed


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_half_precision(kind: str) -> None:
    """Functions are computed in doubles; modules in their own kind, where rounding lets little be decided."""
    torch = pytest.importorskip("torch")
    x = torch.tensor([0.5, -1.5, 2.0], dtype=getattr(torch, kind))
    assert check_gradients(lambda x, y: torch.sin(x).sum() * y, x, torch.tensor(2.0)).passed
    net = torch.nn.Linear(3, 1).to(x.dtype)
    report = check_gradients(net, x)
    assert not report.failed
    assert report.scope.entries == 3 + 3 + 1


def test_half_precision_whose_terms_cancel() -> None:
    """Near here the module rounds to 0 exactly, which is no derivative of 0."""
    torch = pytest.importorskip("torch")
    net = torch.nn.Linear(3, 1).to(torch.bfloat16)
    with torch.no_grad():
        net.weight[:] = torch.tensor([[0.419921875, 0.142578125, -0.099609375]])
        net.bias[:] = 0.203125
    x = torch.tensor([0.5, -1.5, 2.0], dtype=torch.bfloat16)
    assert net(x).item() == 0.0
    assert not check_gradients(net, x).failed


def test_what_cannot_be_checked_of_a_module_is_said() -> None:
    """Complex parameters, and those without numbers so far."""
    torch = pytest.importorskip("torch")
    x = torch.ones(2, dtype=torch.float64)
    phases = torch.ones(2, dtype=torch.complex128, requires_grad=True)
    with pytest.raises(TypeError, match=r"^the parameters of f are checked too .*, and phases is complex; freeze"):
        check_gradients(lambda x: (x * phases).abs().sum(), x)
    with pytest.raises(ValueError, match=r"parameters of f are checked too, and weight is not initialised; call"):
        check_gradients(torch.nn.LazyLinear(2, dtype=torch.float64), x)


def test_trees_of_jax() -> None:
    """Classes that jax knows, None inside, numbers and arrays of NumPy and half precision beside single: no warning."""
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", False)
    try:
        x = jax.numpy.asarray([0.5, -1.5])

        @jax.tree_util.register_dataclass
        @dataclass
        class Parameters:
            w: Any
            b: Any

        report = check_gradients(lambda p: Parameters(p.w * p.w, p.b), Parameters(x, {"one": x, "none": None}))
        assert [name for name, _ in report.inputs] == ["p.w", "p.b['one']"]
        assert not report.failed
        f = lambda x, *more: sum((jax.numpy.sum(each * x) for each in more), jax.numpy.sum(x))  # noqa: E731
        report = check_gradients(f, x, 2.0, 3, np.ones(2), x.astype("float16"), x.astype("bfloat16"))
        assert report.counts == {Verdict.PASS: 10}
    finally:
        jax.config.update("jax_enable_x64", True)


def test_functions_of_torch_take_plain_numbers() -> None:
    """Whoever defines the function gets tensors of its own, also where the point is a float or an array."""
    torch = pytest.importorskip("torch")
    for f in (torch.sin, torch.nn.functional.softplus, torch.nn.Tanh(), torch.linalg.norm):
        for point in (0.7, np.array([[0.7, 1.2]])):
            assert check_gradients(f, point)
    with pytest.raises(TypeError, match=r"pass numbers of that engine: torch\.tensor\(0\.7, dtype=torch\.float64\)"):
        check_gradients(lambda x: torch.sin(x), 0.7)


def test_functions_of_jax_take_plain_numbers() -> None:
    """What jax defines or has compiled, too."""
    jax = pytest.importorskip("jax")
    for f in (jax.numpy.sin, jax.jit(lambda x: x * x), jax.nn.softplus):
        for point in (0.7, np.array([[0.7, 1.2]])):
            assert check_gradients(f, point)
    with pytest.raises(TypeError, match=r"another engine refused them; pass numbers of that engine"):
        check_gradients(lambda x: jax.numpy.sin(x), 0.7)
