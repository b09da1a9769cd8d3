"""Objectives against their definitions at 60 digits, torch, and check_gradients; nats and bits; wrong calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import mpmath
import numpy as np
import pytest

import autodiff as ad
import nn
from autodiff import Tensor, Value
from autodiff.testing import check_gradients

LOGITS: Final = np.array([[0.5, -1.25, 2.0], [30.0, 29.0, -4.0], [-700.0, 900.0, 899.0], [0.0, 0.0, 0.0]])
LABELS: Final = np.array([2, 0, 2, 1])
SHARES: Final = np.array([[0.25, 0.25, 0.5], [0.0, 1.0, 0.0], [0.0, 0.75, 0.25], [0.1, 0.2, 0.7]])
ONE_HOT: Final = np.eye(3)[LABELS]


def values(numbers: Any) -> Any:
    """An object array of Values."""
    return np.vectorize(Value, otypes=[object])(numbers)


def exact(logits: Any, targets: Any, *, base: int | None = None) -> float:
    """The mean of −Σ y log softmax(z), at 60 digits."""
    with mpmath.workdps(60):
        log = mpmath.log if base is None else (lambda x: mpmath.log(x, base))
        terms = []
        for z, y in zip(logits.tolist(), targets.tolist(), strict=True):
            total = mpmath.fsum(mpmath.exp(item) for item in z)
            terms.append(-mpmath.fsum(p * log(mpmath.exp(item) / total) for p, item in zip(y, z, strict=True)))
        return float(mpmath.fsum(terms) / len(terms))


KINDS: Final[dict[str, Callable[[Any], Any]]] = {"plain": np.asarray, "Tensor": Tensor, "Values": values}


def number(J: Any) -> float:
    """The number of a node, or a plain number."""
    return float(J.data if isinstance(J, ad.Node) else J)


# ---- values ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("targets", [LABELS, ONE_HOT, SHARES], ids=["labels", "one-hot", "shares"])
def test_softmax_cross_entropy_is_its_definition(kind: str, targets: Any) -> None:
    """To 1e-14 relative, for logits of 900 too, in nats and bits, mean and sum, whatever holds the logits."""
    full = targets if targets.ndim == 2 else ONE_HOT
    J = nn.softmax_cross_entropy(KINDS[kind](LOGITS), targets)
    assert number(J) == pytest.approx(exact(LOGITS, full), rel=1e-14)
    in_bits = nn.softmax_cross_entropy(KINDS[kind](LOGITS), targets, unit="bits", reduction="sum")
    assert number(in_bits) == pytest.approx(4 * exact(LOGITS, full, base=2), rel=1e-14)
    if kind != "plain":
        assert (J.name, in_bits.name) == ("J (nats)", "J (bits)")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("targets", [LABELS[[0, 1, 3]], SHARES[[0, 1, 3]]], ids=["labels", "shares"])
def test_fused_and_unfused_cross_entropy_are_equal(kind: str, targets: Any) -> None:
    """To 1e-15, and their gradients too, where no probability rounds to 0."""
    z = KINDS[kind](LOGITS[[0, 1, 3]])
    fused = nn.softmax_cross_entropy(z, targets, reduction="sum")
    unfused = nn.cross_entropy(ad.softmax(z), targets, reduction="sum")
    assert number(fused) == pytest.approx(number(unfused), rel=1e-15, abs=1e-15)
    if kind == "Tensor":
        for one, other in zip(*(ad.gradients(J, [z]) for J in (fused, unfused)), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-15)


def test_an_improbable_class_keeps_its_digits() -> None:
    """Unfused, the probability of e⁻¹⁸⁰⁰ is 0 and J infinite, which is refused; a target of 0 there counts nothing."""
    z = [900.0, -900.0]
    assert number(nn.softmax_cross_entropy(z, 1)) == 1800.0
    with pytest.raises(ValueError, match="infinite: a probability is 0 where its target is not"):
        nn.cross_entropy(ad.softmax(z), 1)
    p = Tensor([1.0, 0.0])
    J = nn.cross_entropy(p, [1.0, 0.0])
    J.backward()
    assert number(J) == 0.0
    assert np.array_equal(p.grad, [-1.0, 0.0])
    masked = Tensor([1.0, -np.inf])
    J = nn.softmax_cross_entropy(masked, [1.0, 0.0])
    J.backward()
    assert number(J) == 0.0
    assert np.array_equal(masked.grad, [0.0, 0.0])


@pytest.mark.parametrize("kind", KINDS)
def test_logistic_is_its_definition_and_stable(kind: str) -> None:
    """To 1e-14 against 60 digits, at ±1000 as well, for sure and for unsure targets."""
    z, y = np.array([0.3, -2.0, 40.0, 40.0, 1000.0, -1000.0, 1000.0]), np.array([1.0, 0.25, 1.0, 0.0, 0.0, 0.0, 1.0])
    with mpmath.workdps(500):
        yes, no = ([mpmath.log(1 / (1 + mpmath.exp(-mpmath.mpf(x)))) for x in each.tolist()] for each in (z, -z))
        terms = [-float(t * log + (1 - t) * other) for t, log, other in zip(y.tolist(), yes, no, strict=True)]
    for k, term in enumerate(terms):
        for targets in (y[k : k + 1], y[k]):
            logit = KINDS[kind](z[k : k + 1])
            J = nn.logistic(logit if targets.shape else logit[0], targets)
            assert number(J) == pytest.approx(term, rel=1e-14, abs=0)
    assert number(nn.logistic(KINDS[kind](z), y)) == pytest.approx(np.mean(terms), rel=1e-14)
    bits = nn.logistic(KINDS[kind](z), y, unit="bits", reduction="sum")
    assert number(bits) == pytest.approx(np.sum(terms) / np.log(2), rel=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_squared_error_and_margins_are_their_definitions(kind: str) -> None:
    """Sums of a few terms by hand."""
    y = KINDS[kind]([[1.0, 2.0], [-1.0, 0.5]])
    assert number(nn.squared_error(y, [[0.0, 4.0], [-1.0, 0.0]])) == 5.25 / 4
    assert number(nn.squared_error(y, [[0.0, 4.0], [-1.0, 0.0]], reduction="sum")) == 5.25
    scores = KINDS[kind]([[3.0, 2.5, 0.0, 4.0], [1.0, 0.0, 0.5, 0.25]])
    assert number(nn.multiclass_margin(scores, [0, 3])) == (0.5 + 2.0) + (1.75 + 0.75 + 1.25)
    assert number(nn.multiclass_margin(scores, [0, 3], reduction="mean", margin=2.0)) == (4.5 + 6.75) / 2
    assert number(nn.multiclass_margin(scores[0], 0)) == 2.5
    assert number(nn.multiclass_margin(scores[0, :2], 1)) == number(nn.max_margin(scores[0, 1], scores[0, 0]))


@pytest.mark.peer
def test_objectives_and_gradients_are_torchs() -> None:
    """Mean and sum, labels and probabilities, to 1e-12."""
    torch = pytest.importorskip("torch")
    F = torch.nn.functional
    n = len(LOGITS)
    pairs: list[tuple[Any, Any]] = [
        (lambda z: nn.softmax_cross_entropy(z, LABELS), lambda z: F.cross_entropy(z, torch.tensor(LABELS))),
        (lambda z: nn.softmax_cross_entropy(z, SHARES), lambda z: F.cross_entropy(z, torch.tensor(SHARES))),
        (lambda z: nn.logistic(z, SHARES), lambda z: F.binary_cross_entropy_with_logits(z, torch.tensor(SHARES))),
        (lambda z: nn.squared_error(z, SHARES), lambda z: F.mse_loss(z, torch.tensor(SHARES))),
        (
            lambda z: nn.multiclass_margin(z, LABELS),
            lambda z: 3 * n * F.multi_margin_loss(z, torch.tensor(LABELS)),
        ),
    ]
    for ours, theirs in pairs:
        z, t = Tensor(LOGITS), torch.tensor(LOGITS, requires_grad=True)
        J, K = ours(z), theirs(t)
        J.backward()
        K.backward()
        assert number(J) == pytest.approx(K.item(), rel=1e-12)
        np.testing.assert_allclose(z.grad, t.grad.numpy(), rtol=1e-12, atol=1e-13)


# ---- gradients -------------------------------------------------------------------------------------------------------

SMALL: Final = np.array([[0.4, -0.9, 1.3], [2.0, 0.1, -0.6]])
SOFT: Final = np.array([[0.2, 0.0, 0.8], [0.5, 0.25, 0.25]])
OBJECTIVES: Final[dict[str, Callable[[Any], Any]]] = {
    "softmax, labels, bits": lambda z: nn.softmax_cross_entropy(z, [2, 0], unit="bits"),
    "softmax, shares": lambda z: nn.softmax_cross_entropy(z, SOFT, reduction="sum"),
    "unfused": lambda z: nn.cross_entropy(ad.softmax(z), SOFT),
    "logistic, soft": lambda z: nn.logistic(z, SOFT, unit="bits"),
    "logistic, hard": lambda z: nn.logistic(z, SOFT > 0.4),
    "squared error": lambda z: nn.squared_error(z, SOFT),
    "classes": lambda z: nn.multiclass_margin(z * z, [2, 0]),
}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_gradients_are_right_to_second_order(name: str) -> None:
    """Along two directions through all entries, and through those of the Hessian."""
    check_gradients(OBJECTIVES[name], SMALL, order=2, directions=2).raise_unless_passed()


def test_gradients_of_values_are_those_of_a_tensor() -> None:
    """One code for both."""
    for name, objective in OBJECTIVES.items():
        z, v = Tensor(SMALL), values(SMALL)
        objective(z).backward()
        objective(v).backward()
        np.testing.assert_allclose(z.grad, [[item.grad for item in row] for row in v], rtol=1e-13, err_msg=name)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_J_has_the_type_of_the_outputs(kind: Any) -> None:
    """Whatever the type of the targets, which are data; so has the gradient."""
    for targets in (SHARES, SHARES.astype(np.float32)):
        for objective in (nn.softmax_cross_entropy, nn.logistic, nn.squared_error):
            z = Tensor(LOGITS.astype(kind))
            J = objective(z, targets)
            J.backward()
            assert J.dtype == z.grad.dtype == kind
    assert nn.cross_entropy(Tensor(np.full(ONE_HOT.shape, 0.25, kind)), ONE_HOT).dtype == kind
    assert nn.squared_error(Tensor(np.ones(2, kind)), [1, 0]).dtype == kind
    with pytest.raises(ValueError, match="must be finite in float32, and one is 1e"):
        nn.squared_error(Tensor(np.ones(1, np.float32)), [1e300])


# ---- wrong calls -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (lambda: nn.softmax_cross_entropy(LOGITS, [0, 1]), ValueError, r"shape \(4, 3\) needs labels of shape \(4,\)"),
        (lambda: nn.softmax_cross_entropy(LOGITS, [0, 1, 2, 3]), ValueError, r"in 0 … 2 for 3 classes, and got 0 … 3"),
        (lambda: nn.softmax_cross_entropy(LOGITS, [0, 1, 2, -1]), ValueError, r"and got -1 … 2"),
        (lambda: nn.softmax_cross_entropy(LOGITS, [0.0, 1, 2, 1]), TypeError, "must be integers from 0"),
        (lambda: nn.softmax_cross_entropy(LOGITS, SHARES * 2), ValueError, r"sum to 1, and one sum is 2\.0"),
        (lambda: nn.softmax_cross_entropy(LOGITS, SHARES * 3 - 1), ValueError, r"at least 0, .* and one is -0\.25"),
        (lambda: nn.softmax_cross_entropy(LOGITS, Tensor(SHARES)), TypeError, r"plain numbers, .*use its \.data"),
        (lambda: nn.softmax_cross_entropy(2.0, 0), ValueError, r"and got shape \(\)"),
        (lambda: nn.softmax_cross_entropy(np.zeros((0, 3)), []), ValueError, r"at least one number, .* \(0, 3\)"),
        (lambda: nn.softmax_cross_entropy(LOGITS, LABELS, unit="nat"), ValueError, "unit must be 'nats' or 'bits'"),
        (lambda: nn.logistic([0.0], [1.0], reduction="max"), ValueError, "reduction must be 'mean' or 'sum'"),
        (lambda: nn.cross_entropy(LOGITS, LABELS), ValueError, r"from 0 to 1, and one is -1\.25; softmax_cross"),
        (lambda: nn.logistic([0.0, 1.0], [1.0]), ValueError, r"logits \(2,\) and targets \(1,\)"),
        (lambda: nn.logistic([0.0], [2.0]), ValueError, r"from 0 to 1, and one is 2\.0"),
        (lambda: nn.logistic([0.0], [np.nan]), ValueError, "must be finite, and one is nan"),
        (lambda: nn.squared_error([[0.0]], [0.0]), ValueError, r"outputs \(1, 1\) and targets \(1,\)"),
        (lambda: nn.multiclass_margin(LOGITS, LABELS, margin=0), ValueError, "positive finite number"),
        (lambda: nn.multiclass_margin(LOGITS, ONE_HOT), ValueError, r"scores \(4, 3\) and labels \(4, 3\)"),
        (lambda: nn.multiclass_margin([[1.0]], [0]), ValueError, "at least two classes"),
        (lambda: nn.squared_error("x", 1.0), TypeError, "squared_error takes real numbers"),
    ],
)
def test_wrong_calls_are_told(call: Callable[[], Any], kind: type[Exception], said: str) -> None:
    """Each message says what was expected, with shapes, and what came."""
    with pytest.raises(kind, match=said):
        call()
