"""Each elementwise primitive has the values, gradients and kink conventions of torch's function of the same name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff.system.extras import install

pytestmark = pytest.mark.peer

torch = pytest.importorskip("torch", reason=f"comparing with torch needs an extra: {install('peers')}")
functional = torch.nn.functional

CONDITION = np.array([True, False, True, False, True, False, True])

#: Torch's spelling, where it is not ``torch.<name>``.
SPELLED: dict[str, Callable[..., Any]] = {
    "power": lambda x, *, n: torch.pow(x, n),
    "clip": lambda x, *, low, high: torch.clamp(x, low, high),
    "where": lambda x, y, *, condition: torch.where(torch.tensor(condition), x, y),
    "identity": torch.clone,
    "cbrt": lambda x: torch.sign(x) * torch.abs(x) ** (1 / 3),
    "floor_divide": lambda x, y: torch.div(x, y, rounding_mode="floor"),
    "rint": torch.round,
    "spherical_bessel": lambda x, *, n: torch.sin(x) / x if n == 0 else torch.sin(x) / x**2 - torch.cos(x) / x,
    "log_sigmoid": functional.logsigmoid,
    "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),  # functional.softplus is linear above 20
    "leaky_relu": lambda x, *, slope: functional.leaky_relu(x, slope),
    "hard_tanh": functional.hardtanh,
    "soft_sign": functional.softsign,
    "elu": lambda x, *, alpha: functional.elu(x, alpha),
    "gelu": functional.gelu,
    "normal_cdf": torch.special.ndtr,
    "gaussian": lambda x, *, scale: torch.exp(-scale * x * x),
    "lorentzian": lambda x: 1.0 / (1.0 + x * x),
    "sech2": lambda x: 1.0 - torch.tanh(x) ** 2,
    "co_sigmoid": lambda x: torch.sigmoid(-x),
    "hinge": lambda x, y, *, margin: functional.relu(margin + y - x),  # margin_ranking_loss has slope ±1 at the kink
}
PARAMS: dict[str, list[dict[str, Any]]] = {
    "power": [{"n": 2}, {"n": 3}, {"n": -1}, {"n": 0.5}, {"n": 2.5}, {"n": 0}],
    "clip": [{"low": -0.5, "high": 1.0}],
    "where": [{"condition": CONDITION}],
    "leaky_relu": [{"slope": 0.01}, {"slope": 0.3}],
    "elu": [{"alpha": 1.0}, {"alpha": 0.5}],
    "hinge": [{"margin": 1.0}, {"margin": 0.25}],
    "spherical_bessel": [{"n": 0}, {"n": 1}],
    "gaussian": [{"scale": 0.5}, {"scale": 1.0}],
}
#: Not compared here, and why.
SKIPPED = {
    "weighted_sum": "n-ary, without a torch function; it is in the random programs",
    "by_convention": "what rules say of their own slopes; tests of second derivatives at kinks have it",
}

ELEMENTWISE = [
    name for name, entry in ad.TABLE.items() if entry.elementwise and entry.forward.__module__.startswith("autodiff.")
]
CALLS = [(name, params) for name in ELEMENTWISE if name not in SKIPPED for params in PARAMS.get(name, [{}])]


def theirs(name: str, inputs: list[Any], cotangent: Any, params: dict[str, Any]) -> tuple[Any, list[Any]]:
    """Value and gradients by torch."""
    function = SPELLED.get(name) or getattr(torch, name)
    leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in inputs]
    output = function(*leaves, **params)
    found = torch.autograd.grad(output, leaves, torch.tensor(cotangent, dtype=torch.float64), allow_unused=True)
    return output.detach().numpy(), [
        np.zeros_like(x) if part is None else part.numpy() for x, part in zip(inputs, found, strict=True)
    ]


def as_tensors(name: str, inputs: list[Any], cotangent: Any, params: dict[str, Any]) -> tuple[Any, list[Any]]:
    """Value and gradients by Tensors."""
    leaves = [ad.Tensor(x) for x in inputs]
    with np.errstate(all="ignore"):  # at edges NumPy warns of the inf or nan that is wanted here
        output = ad.TABLE[name](*leaves, **params)
    return output.data, ad.gradients(output, leaves, seed=cotangent)


def as_values(name: str, inputs: list[Any], cotangent: Any, params: dict[str, Any]) -> tuple[Any, list[Any]]:
    """Value and gradients by Values, element by element."""
    outputs, slopes = [], []
    for k in range(len(cotangent)):
        leaves = [ad.Value(x[k]) for x in inputs]
        local = {key: bool(item[k]) if key == "condition" else item for key, item in params.items()}
        output = ad.TABLE[name](*leaves, **local)
        outputs.append(output.data)
        slopes.append(ad.gradients(output, leaves, seed=float(cotangent[k])))
    return np.array(outputs), [np.array(part) for part in zip(*slopes, strict=True)]


@pytest.mark.parametrize("record", [as_tensors, as_values])
@pytest.mark.parametrize(("name", "params"), CALLS, ids=lambda item: item if isinstance(item, str) else "")
def test_primitive_agrees_with_the_torch_function_of_its_name(
    name: str, params: dict[str, Any], record: Callable[..., Any]
) -> None:
    """Values and gradients are torch's at random points of the primitive's domain, for Tensors and Values."""
    entry, random = ad.TABLE[name], np.random.default_rng(len(name))
    inputs = [domain.draw(random, (7,)) for domain in entry.domain]
    cotangent = random.uniform(0.5, 2.0, 7)
    value, slopes = record(name, inputs, cotangent, params)
    expected, directions = theirs(name, inputs, cotangent, params)
    np.testing.assert_allclose(value, expected, rtol=1e-14)
    for own, other in zip(slopes, directions, strict=True):
        # 1 − tanh² and its like lose a digit where they are small: the largest slope is the scale.
        np.testing.assert_allclose(own, other, rtol=1e-13, atol=1e-14 * np.abs(other).max())


def test_every_elementwise_primitive_is_compared_or_skipped_with_a_reason() -> None:
    """A new elementwise primitive must be compared with torch here, or be listed with a reason for not doing so."""
    unknown = [name for name, _ in CALLS if name not in SPELLED and not hasattr(torch, name)]
    assert not unknown
    assert set(SKIPPED) <= set(ELEMENTWISE)


#: The points at kinks and edges: primitive, params, inputs.
EDGES: list[tuple[str, dict[str, Any], list[float]]] = [
    ("relu", {}, [0.0]),
    ("relu", {}, [-0.0]),
    ("absolute", {}, [0.0]),
    ("sign", {}, [0.0]),
    ("hinge", {"margin": 1.0}, [1.0, 0.0]),
    ("maximum", {}, [2.0, 2.0]),
    ("minimum", {}, [2.0, 2.0]),
    ("sqrt", {}, [0.0]),
    ("power", {"n": 0.5}, [0.0]),
    ("power", {"n": 2}, [-3.0]),
    ("power", {"n": 3}, [-2.0]),
    ("power", {"n": -1}, [-2.0]),
    ("power", {"n": 0}, [0.0]),
    ("power", {"n": 1}, [0.0]),
    ("power", {"n": 2}, [0.0]),
    ("pow", {}, [0.0, 0.0]),
    ("pow", {}, [0.0, 2.0]),
    ("pow", {}, [0.0, 0.5]),
    ("pow", {}, [0.0, 1.0]),
    ("pow", {}, [-2.0, 3.0]),
    ("pow", {}, [-8.0, 1 / 3]),
    ("clip", {"low": -1.0, "high": 1.0}, [-1.0]),
    ("clip", {"low": -1.0, "high": 1.0}, [1.0]),
    ("clip", {"low": -1.0, "high": 1.0}, [2.0]),
    ("leaky_relu", {"slope": 0.25}, [0.0]),
    ("elu", {"alpha": 0.5}, [0.0]),
    ("soft_sign", {}, [0.0]),
    ("sigmoid", {}, [1000.0]),
    ("sigmoid", {}, [-1000.0]),
    ("log_sigmoid", {}, [-1000.0]),
    ("softplus", {}, [1000.0]),
    ("tanh", {}, [1000.0]),
    ("log", {}, [0.0]),
    ("arcsin", {}, [1.0]),
    ("arccos", {}, [-1.0]),
    ("log1p", {}, [-1.0]),
    ("gelu", {}, [0.0]),
]  # fmt: skip


@pytest.mark.parametrize("record", [as_tensors, as_values])
@pytest.mark.parametrize(("name", "params", "point"), EDGES, ids=str)
def test_convention_at_an_edge_is_the_one_of_torch(
    name: str, params: dict[str, Any], point: list[float], record: Callable[..., Any]
) -> None:
    """At kinks, ties, bounds and infinite slopes, values and gradients equal torch's, including signs of infinities."""
    inputs = [np.array([x]) for x in point]
    value, slopes = record(name, inputs, np.array([1.5]), params)
    expected, directions = theirs(name, inputs, np.array([1.5]), params)
    np.testing.assert_allclose(value, expected, rtol=1e-15)
    for own, other in zip(slopes, directions, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-15)


@pytest.mark.parametrize("reduction", ["max", "min", "prod", "norm"])
@pytest.mark.parametrize(
    "row", [[0.0, 2.0, 3.0], [0.0, 0.0, 3.0], [2.0, 2.0, 2.0], [0.0, 0.0, 0.0], [1.0, 3.0, 3.0]], ids=str
)
def test_reduction_at_ties_and_zeros_is_as_in_torch(reduction: str, row: list[float]) -> None:
    """Ties of max and min share equally, products with zeros are right, and the norm has gradient 0 at 0."""
    x, y = ad.Tensor(row), torch.tensor(row, dtype=torch.float64, requires_grad=True)
    other = {"max": torch.amax, "min": torch.amin, "prod": torch.prod, "norm": torch.linalg.vector_norm}[reduction]
    other(y).backward()
    np.testing.assert_allclose(ad.gradients(ad.TABLE[reduction](x), x), y.grad.numpy(), rtol=1e-15)


def test_hard_tanh_differs_from_torch_at_its_bounds_alone() -> None:
    """The notes say derivative 1 on [−1, 1]; torch takes 0 at the bounds. The nets follow the notes."""
    x, y = ad.Tensor([-1.0, 1.0]), torch.tensor([-1.0, 1.0], dtype=torch.float64, requires_grad=True)
    functional.hardtanh(y).sum().backward()
    assert ad.gradients(ad.TABLE["hard_tanh"](x).sum(), x).tolist() == [1.0, 1.0]
    assert y.grad.tolist() == [0.0, 0.0]


def test_relu_of_nan_passes_nan_on_and_torch_a_number() -> None:
    """A nan stays visible in the backward pass; torch passes the error signal as if the unit were active."""
    x, y = ad.Tensor([np.nan]), torch.tensor([np.nan], dtype=torch.float64, requires_grad=True)
    torch.relu(y).sum().backward()
    assert np.isnan(ad.gradients(ad.TABLE["relu"](x).sum(), x)).all()
    assert y.grad.tolist() == [1.0]
