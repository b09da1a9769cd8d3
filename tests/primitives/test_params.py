"""Params are constants of a call: no node among them is lost, and no later edit reaches the backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, Value, gradients
from tests.support.cases import each


@pytest.mark.parametrize("call", [
    lambda: ad.leaky_relu(Value(-2.0), slope=Value(0.1)),
    lambda: ad.leaky_relu(Tensor([-2.0]), slope=Value(0.1)),
    lambda: ad.elu(Value(-2.0), alpha=Tensor(0.1)),
    lambda: ad.power(Tensor([3.0, 2.0]), n=Value(2.0)),
    lambda: ad.hinge(Tensor([1.0]), Tensor([2.0]), margin=Tensor([1.0])),
])  # fmt: skip
def test_node_as_param_is_refused(call: Callable[[], Any]) -> None:
    """A node passed as a param would silently get no gradient."""
    with pytest.raises(TypeError, match=r"as a constant, which no error signal reaches.*use its \.data"):
        call()


HUGE = 10**400
KINDS = [(entry, key, kind) for entry in ad.TABLE.values() for key, kind in entry.kinds.items()]


def test_params_with_a_kind_are_known() -> None:
    """Defaults and examples determine which params are numbers or flags: every such param of the table is found."""
    numbers = {(entry.name, key) for entry, key, kind in KINDS if kind is float}
    assert numbers >= {
        ("leaky_relu", "slope"), ("elu", "alpha"), ("hinge", "margin"), ("hinge_sum", "margin"), ("power", "n"),
        ("clip", "low"), ("clip", "high"),
    }  # fmt: skip
    flags = {(entry.name, key) for entry, key, kind in KINDS if kind is bool}
    assert flags >= {("where", "condition"), ("sum", "keepdims"), ("norm", "keepdims"), ("logsumexp", "keepdims")}


@pytest.mark.parametrize(("entry", "key", "kind"), KINDS, ids=lambda item: getattr(item, "name", None))
@each("wrong", ["a", None, 1j, [], (1.0, 2.0), {}, np.array(["a"]), np.array([1j]), True, 1.0, HUGE])
@each("make", [Value, Tensor, float])
def test_param_of_another_kind(entry: Any, key: str, kind: type, wrong: Any, make: Any) -> None:
    """Refused by name even if it would not be used: leaky_relu of 2.0 never uses its slope."""
    example = entry.examples[-1]
    inputs = [make(2.0) if entry.elementwise else np.full(shape, 2.0) for shape in example.shapes]
    if make is Tensor and not entry.elementwise:
        inputs = [Tensor(x) for x in inputs]
    if kind is type(wrong):
        entry(*inputs, **{**example.params, key: wrong})
    elif wrong is HUGE and kind is float:
        with pytest.raises(ValueError, match="beyond the largest float"):
            entry(*inputs, **{**example.params, key: wrong})
    else:
        asked = "a real number" if kind is float else "True or False"
        with pytest.raises(TypeError, match=f"{entry.name} takes {key} as {asked}, and got"):
            entry(*inputs, **{**example.params, key: wrong})


@pytest.mark.parametrize("number", [2, 2.0, np.float32(2.0), np.int8(2), np.array([2.0, 2.0]), np.array([2, 2])])
def test_param_of_the_same_kind(number: Any) -> None:
    """Any real number and, for what works on each element, an array of them."""
    assert np.all(ad.leaky_relu(Tensor([-1.0, -2.0]), slope=number).data == [-2.0, -4.0])
    assert np.all(ad.leaky_relu(np.array([-1.0, -2.0]), slope=number) == [-2.0, -4.0])


@pytest.mark.parametrize("wrong", [{"index": "a"}, {"index": (1, 2)}, {"shape": 1.5}, {"shape": -1}, {"shape": None}])
def test_layout_of_a_value_is_refused_in_one_sentence(wrong: Any) -> None:
    """The error for an array of Values names the operation and its operands."""
    with pytest.raises((TypeError, ValueError, IndexError), match=r"scatter\(.* is not defined: "):
        ad.scatter(Value(1.0), **{"index": 1, "shape": (3,), **wrong})
    assert ad.scatter(Value(1.0), index=1, shape=(3,))[1].data == 1.0
    assert ad.scatter(Value(1.0), index=np.array([0, 2]), shape=(3,)).tolist() == [1.0, 0.0, 1.0]


def test_params_edited_after_the_call_change_nothing() -> None:
    """The backward pass uses the params of the forward pass, whatever happens to the caller's arrays and lists."""
    index, condition, axes = np.array([0, 0]), np.array([True, False]), [1, 0]
    x, m = Tensor([1.0, 2.0]), Tensor(np.ones((2, 3)))
    picked = ad.getitem(x, index=index)
    chosen = ad.TABLE["where"](x, 0.0, condition=condition)
    turned = ad.transpose(m, axes=axes)
    index[:], condition[:], axes[:] = 1, False, [0, 1]
    assert gradients(picked, x, seed=np.ones(2)).tolist() == [2.0, 0.0]
    assert gradients(chosen, x, seed=np.ones(2)).tolist() == [1.0, 0.0]
    assert gradients(turned, m, seed=np.ones((3, 2))).shape == (2, 3)
    assert not picked.params["index"].flags.writeable


def test_users_param_edited_after_the_call_changes_nothing(define: Callable[..., ad.Primitive]) -> None:
    """The same for an array that a user's primitive takes as a param."""
    masked = define(
        "masked", lambda xp, x, *, mask: x * mask, [lambda g, z, x, *, mask: g * mask], elementwise=False
    )
    x, mask = Tensor([1.0, 2.0]), np.array([1.0, 0.0])
    y = masked(x, mask=mask)
    mask[:] = 7.0
    assert gradients(y, x, seed=np.ones(2)).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("axis", [2, -3, (0, 5), "a", 1.0])
def test_axis_of_values_is_checked(axis: Any) -> None:
    """An axis that is out of range for a list of Values is refused and does not wrap around."""
    with pytest.raises((TypeError, ValueError), match=r"sum\(.*axis=.*is not defined"):
        ad.sum([[Value(1.0)], [Value(2.0)]], axis=axis)


def test_one_value_has_the_axes_of_one_number() -> None:
    """A reduction over the last axis of one number is the number, for a Value as for a float and a Tensor."""
    v = Value(2.0)
    assert ad.sum(v, axis=-1).data == 2.0
    assert [ad.softmax(x).item() for x in (v, Tensor(2.0), np.float64(2.0))] == [1.0, 1.0, 1.0]
    assert gradients(ad.logsumexp(v, axis=0), v) == 1.0


@pytest.mark.parametrize(("data", "kind", "words"), [
    (np.ma.array([1.0, 2.0], mask=[False, True]), TypeError, "takes real numbers"),
    (np.ones(2, np.longdouble), TypeError, "takes real numbers"),
    ([10**400, 1], ValueError, "numbers that fit a float"),
])  # fmt: skip
def test_data_that_would_lose_something(data: Any, kind: type[Exception], words: str) -> None:
    """A mask, digits beyond float64 and integers beyond every float are refused, not dropped."""
    with pytest.raises(kind, match=words):
        Tensor(data)


def test_data_in_other_clothes() -> None:
    """Integers beyond 64 bits and the other byte order are numbers like any others."""
    assert Tensor([10**25, 1]).data.tolist() == [1e25, 1.0]
    swapped = Tensor(np.array([1.0, 2.0], np.dtype("f4").newbyteorder()))
    assert (swapped.dtype, swapped.data.tolist()) == (np.dtype(np.float32), [1.0, 2.0])


@pytest.mark.parametrize("plain", [np.array([True, False]), np.True_, np.ones(2, np.float16), np.array([1j]), "ab"])
def test_plain_data_of_other_kinds_is_refused(plain: Any) -> None:
    """On plain data too a primitive takes real numbers: exp of a bool is no float16."""
    with pytest.raises(TypeError, match="exp takes real numbers"):
        ad.exp(plain)


def test_plain_integers_become_floats() -> None:
    """A plain integer array is computed as float64: 2⁻¹ is 0.5, and a square does not wrap around."""
    assert ad.power(np.array([2, 4]), n=-1).tolist() == [0.5, 0.25]
    assert ad.square(np.array([100], np.int8)).tolist() == [10000.0]


def test_domain_that_is_none_is_refused() -> None:
    """A primitive's domain is a Domain, not a text."""
    with pytest.raises(TypeError, match="needs a Domain, or one for each input, and got 'R'"):
        ad.primitive("nowhere", lambda xp, x: x, [lambda g, z, x: g], domain="R")  # type: ignore[arg-type]


def test_a_read_only_view_of_a_changing_array_is_copied(define: Callable[..., ad.Primitive]) -> None:
    """The base of a view may be written to between forward and backward: the param does not change."""
    entry = define("scaled_by", lambda xp, x, *, by: x * by, [lambda g, z, x, *, by: g * by], elementwise=False)
    base = np.array([2.0, 3.0])
    view = base[:]
    view.setflags(write=False)
    x = ad.Tensor([1.0, 1.0])
    y = entry(x, by=view)
    base[:] = 100.0
    ad.sum(y).backward()
    assert x.grad.tolist() == [2.0, 3.0]
