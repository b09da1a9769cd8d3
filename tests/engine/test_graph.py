"""The recorded graph: order, copies, staleness, garbage, threads, nested passes and user-defined rules."""

from __future__ import annotations

import copy
import gc
import math
import pickle
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Node, Primitive, StaleGraphError, Tensor, Value, gradients, topological
from autodiff.engine import emit_values as scalar
from tests.support.threads import at_once

Define = Callable[..., ad.Primitive]
KINDS = pytest.mark.parametrize("kind", [Value, Tensor], ids=["Value", "Tensor"])


def mixed_graph() -> tuple[Node, list[Node]]:
    """An output over Values, Tensors, constants, n-ary nodes and params, and its leaves."""
    a, b = Value(0.5, name="a"), Value(-1.5)
    t = Tensor([1.0, 2.0, 3.0], name="t")
    neuron = ad.weighted_sum([a, b, 0.1], [b, a, a], b)
    top = (np.exp(t * a)[[0, 2, 2]] * np.array([1.0, -1.0, 2.0])).sum()
    return top.value() * neuron.tanh() + ad.norm([a, b]) ** 2 - 3.0 / (b * b), [a, b, t]


def flat(found: list[Any]) -> list[float]:
    """All numbers of a list of gradients."""
    return [float(x) for part in found for x in np.ravel(part)]


def second_order(output: Node, leaves: Any) -> list[float]:
    """The gradient of the sum of all gradients."""
    slopes = gradients(output, leaves, create_graph=True)
    return flat(gradients(sum(ad.sum(slope) for slope in slopes), leaves))


# ---- order -----------------------------------------------------------------------------------------------------------


def test_topological_order_has_inputs_first_and_output_last() -> None:
    """Every node comes once, after its inputs; the order is the same each time."""
    output, _ = mixed_graph()
    order = topological(output)
    place = {node: k for k, node in enumerate(order)}
    assert len(place) == len(order)
    assert order[-1] is output
    assert all(place[item] < k for k, node in enumerate(order) for item in node.inputs if isinstance(item, Node))
    assert topological(output) == order
    assert [node.label for node in topological(mixed_graph()[0])] == [node.label for node in order]


# ---- copies ----------------------------------------------------------------------------------------------------------

def pickled(x: Any) -> Any:
    """The result of pickling and unpickling."""
    return pickle.loads(pickle.dumps(x))


COPIES = pytest.mark.parametrize("twin_of", [copy.deepcopy, pickled])


@COPIES
def test_copy_of_a_graph_is_the_same_graph_apart(twin_of: Callable[[Any], Any]) -> None:
    """Labels, data, params, existing and later gradients are equal; no node and no memory is shared."""
    output, leaves = mixed_graph()
    output.backward()
    twin = twin_of(output)
    pairs = list(zip(topological(output), topological(twin), strict=True))
    assert all(new is not old for old, new in pairs)
    for old, new in pairs:
        assert (new.label, new.name, type(new), new.primitive, new.is_leaf) == (
            old.label, old.name, type(old), old.primitive, old.is_leaf,
        )  # fmt: skip
        np.testing.assert_equal(new.params, old.params)
        np.testing.assert_equal(new.data, old.data)
        np.testing.assert_equal(new.grad, old.grad)
        assert not isinstance(new.grad, np.ndarray) or not np.shares_memory(new.grad, old.grad)
    originals, twins = zip(*[pair for pair in pairs if pair[0] in set(leaves)], strict=True)
    assert flat(gradients(twin, twins)) == flat(gradients(output, originals))
    assert second_order(twin, twins) == second_order(output, originals)


def test_copies_in_one_container_share_what_the_originals_share() -> None:
    """deepcopy of a list of nodes copies a shared input once."""
    x = Value(3.0)
    y, z = copy.deepcopy([x * x, x + 1.0])
    assert y.inputs[0] is z.inputs[0]
    assert y.inputs[0] is not x


@KINDS
def test_shallow_copy_is_one_new_node_on_the_same_inputs(kind: type) -> None:
    """copy.copy makes a second consumer of the same inputs."""
    x = kind(3.0)
    h = x * x
    y = h + 1.0
    twin = copy.copy(y)
    assert twin is not y
    assert twin.inputs == (h, 1.0)
    assert gradients(twin, x) == 6.0
    assert copy.copy(x).is_leaf


def test_pickled_graph_is_read_only_and_keeps_float32() -> None:
    """After unpickling, data and constants are read-only again, of the type they were."""
    x = Tensor(np.ones(2, np.float32))
    twin = pickled((x * np.array([2.0, 3.0], np.float32)).sum())
    product = twin.inputs[0]
    assert product.inputs[0].dtype == product.inputs[1].dtype == np.float32
    assert not product.inputs[1].flags.writeable
    assert not product.inputs[0].data.flags.writeable
    assert gradients(twin, product.inputs[0]).tolist() == [2.0, 3.0]


def test_detached_leaf_stays_detached_in_copies() -> None:
    """A constant that nothing is differentiated with respect to is one in every copy."""
    for twin in (copy.copy, copy.deepcopy, pickled):
        assert twin(Value(1.0).detach()).is_detached
        assert not twin(Value(1.0)).is_detached


def test_primitives_are_copied_by_name(define: Define) -> None:
    """A primitive is one object: its copies and pickles are itself; one that is not in the table cannot be loaded."""
    cube = define("cube", lambda xp, x: x * x * x, [lambda g, z, x: g * (3.0 * x * x)])
    assert copy.deepcopy(cube) is cube
    assert pickled(cube) is copy.copy(cube) is cube
    text = pickle.dumps(cube(Value(2.0)))
    assert pickle.loads(text).data == 8.0
    del ad.TABLE["cube"]
    with pytest.raises(LookupError, match="'cube' is not in the table; define it before loading"):
        pickle.loads(text)


# ---- staleness -------------------------------------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize("run", [
    lambda y, x: y.backward(), gradients, lambda y, x: ad.backpropagate(y),
    lambda y, x: copy.deepcopy(y).backward(),
    lambda y, x: gradients(y, x, create_graph=True), lambda y, x: pickle.dumps(y),
    lambda y, x: gradients(y, y.inputs[0]), lambda y, x: ad.backpropagate(y, 2.0),
])  # fmt: skip
def test_stale_graph_is_refused_everywhere(kind: type, run: Callable[[Any, Any], Any]) -> None:
    """However deep the assigned leaf lies, no kind of pass mixes old and new values."""
    x = kind(2.0)
    h = x * 3.0
    y = h * h
    x.data = 5.0
    with pytest.raises(StaleGraphError, match="was given new data after the result of multiply was computed"):
        run(y, x)


@KINDS
def test_assigning_makes_only_dependents_stale(kind: type) -> None:
    """A graph that never read the assigned leaf stays good, and one computed afterwards is good again."""
    x, other = kind(2.0), kind(7.0)
    old = x * x
    other.data = 8.0
    assert gradients(old, x) == 4.0
    new = old * other
    assert gradients(new, [x, other]) == [32.0, 4.0]
    x.data = 3.0
    with pytest.raises(StaleGraphError):
        gradients(new, x)
    assert gradients(x * x, x) == 6.0
    assert gradients(ad.weighted_sum([x], [other]), x) == 8.0


def test_stale_leaf_of_a_neuron_is_named() -> None:
    """In an n-ary node too, the message says which leaf and which node."""
    w, x = Value(1.0, name="w"), Value(2.0)
    z = ad.weighted_sum([w], [x], 1.0)
    z.name = "z"
    w.data = 5.0
    with pytest.raises(StaleGraphError, match=r"'w' \(the leaf Value\) .* 'z' \(the result of weighted_sum\)"):
        z.backward()


# ---- memory ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Nothing but counting frees memory, and what is there already does not count.

    It stays frozen: `tests.conftest` froze most of it, and searching it takes a second each time.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("create_graph", [False, True])
def test_a_step_leaves_no_cyclic_garbage(create_graph: bool) -> None:
    """Graphs are freed by counting alone: after forward and backward the collector finds nothing."""
    mixed_graph()[0].backward()  # what is written and cached once is not garbage
    gc.collect()
    for _ in range(3):
        output, leaves = mixed_graph()
        output.backward()
        gradients(output, leaves, create_graph=create_graph)
        ad.grad(lambda x: x**3)(2.0)
        del output, leaves
        assert gc.collect() == 0


SHALLOW = """
import sys
import weakref
import autodiff as ad
x = ad.Value(1.0)
t = ad.Tensor(1.0)
u, v = x, t
for _ in range(200_000):
    u = u + 1.0
for _ in range(20_000):
    v = v * 1.0
sys.setrecursionlimit(120)
u.backward()
v.backward()
print(x.grad, t.grad, len(ad.topological(u)), ad.gradients(v, t))
del u, v
"""


@pytest.mark.slow
def test_200_000_nodes_within_120_frames() -> None:
    """No function calls itself along the graph: a long chain works where Python allows hardly any depth."""
    answer = subprocess.run([sys.executable, "-c", SHALLOW], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["1.0", "1.0", "200001", "1.0"]


# ---- threads and nested passes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Value, Tensor])
def test_threads_that_share_nodes_get_the_same_bits(kind: type) -> None:
    """Two threads run passes over graphs that share leaves and interior nodes, 150 times each: the same bits."""
    leaves = [kind(0.1 * k + 0.3) for k in range(8)]
    shared = leaves[0]
    for k in range(60):
        shared = shared * leaves[k % 8] + leaves[(3 * k) % 8].tanh()
    outputs = [shared * leaves[1], shared + shared * shared]
    expected = [flat(gradients(output, leaves)) for output in outputs]
    found: list[list[list[float]]] = [[], []]

    def work(k: int) -> None:
        for _ in range(150):
            found[k].append(flat(gradients(outputs[k], leaves)))

    at_once(lambda: work(0), lambda: work(1))
    for k in range(2):
        assert len(found[k]) == 150
        assert all(one == expected[k] for one in found[k])


@KINDS
def test_pass_nested_in_a_rule(kind: type, define: Define) -> None:
    """A rule may differentiate another graph, even one that shares nodes with the pass that called it."""
    shared = kind(3.0)
    inner = shared * shared

    def rule(g: Any, z: Any, x: Any) -> Any:
        return g * float(gradients(inner, shared)) * float(gradients(Value(2.0) ** 2 * 1.0, Value(2.0)) or 1.0)

    odd = define("odd", lambda xp, x: x * 1.0, [rule])
    y = odd(shared) * inner + inner
    assert gradients(y, shared) == 6.0 * 9.0 + 3.0 * 6.0 + 6.0
    y.backward()
    assert shared.grad == 78.0


@KINDS
def test_backward_nested_in_a_rule(kind: type, define: Define) -> None:
    """A rule may even call backward() of another graph: both passes' gradients are added, none is lost."""
    shared = kind(3.0)
    inner = shared * shared

    def rule(g: Any, z: Any, x: Any) -> Any:
        inner.backward()
        return g

    odd = define("odd", lambda xp, x: x + 0.0, [rule])
    y = odd(Tensor(1.0) * shared) + shared
    y.backward()
    assert shared.grad == 2.0 + 6.0
    assert inner.grad == 1.0


# ---- user-defined primitives -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("forward", "vjp", "options"), [
    (lambda xp, x: x * x * x, lambda g, z, x: g * 3.0 * x * x, {}),  # an expression: written out as source
    (lambda xp, x: np.power(x, 3), lambda g, z, x: g * 3.0 * x**2, {}),  # NumPy's own function
    (lambda xp, x: xp.float_power(x, 3), lambda g, z, x: g * 3.0 * x**2, {}),  # one that math lacks
    (lambda xp, x: x**3 if x > 0 else x * x * x, lambda g, z, x: g * 3.0 * x**2 if x > 0 else g, {}),  # a decision
    (lambda xp, x: xp.minimum(x, float("inf")) ** 3, lambda g, z, x: g * np.float64(3.0) * x * x, {}),  # constants
    (lambda xp, *xs: xs[0] ** 3, lambda k, g, z, *xs: g * 3.0 * xs[k] * xs[k], {}),  # any number of inputs
    (lambda xp, x: x.item() ** 3 if hasattr(x, "item") else x**3, lambda g, z, x: g * 3.0 * x * x, {}),
])  # fmt: skip
@KINDS
def test_user_defined_primitive_in_any_style(define: Define, kind: type, forward: Any, vjp: Any, options: Any) -> None:
    """Whether its rules can be written out as source or not, a user's primitive works on Values and Tensors."""
    many = vjp.__code__.co_varnames[0] == "k"
    cube = define("cube", forward, vjp if many else [vjp], **options)
    x = kind(2.0)
    y = cube(x)
    assert (float(y.data), float(gradients(y, x))) == (8.0, 12.0)
    assert cube(2.0) == 8.0
    (cube(x) + cube(x * 1.0)).backward()
    assert x.grad == 24.0


@KINDS
def test_params_of_any_name(define: Define, kind: type) -> None:
    """Keyword-only params reach forward and rule whatever they are called, with and without a default."""
    rule = lambda g, z, x, *, a, b=2.0, n=1: g * a * b**n  # noqa: E731 - as users write them
    scaled = define("scaled", lambda xp, x, *, a, b=2.0, n=1: a * x * b**n, [rule])
    x = kind(3.0)
    y = scaled(x, a=5.0)
    assert (float(y.data), float(gradients(y, x)), y.params["a"]) == (30.0, 10.0, 5.0)
    assert float(gradients(scaled(x, a=5.0, b=3.0, n=2), x)) == 45.0
    with pytest.raises(TypeError, match=r"^scaled\b.*\ba\b"):
        scaled(x)


@KINDS
def test_params_that_cannot_be_hashed(define: Define, kind: type) -> None:
    """A list as a param, such as the coefficients of a polynomial, works; so does an array."""
    poly = define(
        "poly",
        lambda xp, x, *, c: sum(a * x**k for k, a in enumerate(c)),
        [lambda g, z, x, *, c: g * sum(k * a * x ** (k - 1) for k, a in enumerate(c) if k)],
    )
    x = kind(2.0)
    for coefficients in ([1.0, 2.0, 3.0], np.array([1.0, 2.0, 3.0])):
        y = poly(x, c=coefficients)
        assert (float(y.data), float(gradients(y, x))) == (17.0, 14.0)
        assert list(y.params["c"]) == [1.0, 2.0, 3.0]


def test_faults_of_floats_in_any_number_of_inputs(define: Define) -> None:
    """Where Python's arithmetic raises an error, a primitive with many inputs gives the IEEE value and gradients."""
    ratio = define("ratio", lambda xp, *x: x[0] / x[1] if x[0] > -9.0 else 0.0,
                   lambda k, g, z, *x: g / x[1] if k == 0 else -g * z / x[1])  # fmt: skip
    x = [Value(1.0), Value(0.0)]
    y = ratio(*x)
    assert (y.data, gradients(y, x)) == (np.inf, [np.inf, -np.inf])


def test_rules_with_slices_and_products(define: Define) -> None:
    """Slices and products of symbols are written out; the gradient is that of the forward rule."""
    rule = lambda g, z, x: g * 2.0 * x[::-1]  # noqa: E731 - as users write them
    palindrome = define("palindrome", lambda xp, x: x.dot(x[::-1]), [rule], elementwise=False)
    x = Tensor([1.0, 2.0, 5.0])
    assert gradients(palindrome(x), x).tolist() == [10.0, 4.0, 2.0]
    gram = define("gram", lambda xp, a: a @ a.T, [lambda g, z, a: ad.matmul(g + g.T, a)], elementwise=False)
    a = Tensor([[1.0, 2.0]])
    assert gradients(gram(a), a, seed=[[3.0]]).tolist() == [[6.0, 12.0]]
    constant = define("constant", lambda xp, x: 3.0, [lambda g, z, x: g * 0.0])
    assert [constant(v).data for v in (Value(1.0), Tensor(1.0))] == [3.0, 3.0]


def test_primitive_of_matrices(define: Define) -> None:
    """Operations that only arrays have, such as a determinant, need no code for symbols, and differentiate twice."""
    inverse: Primitive
    det = define("own det", lambda xp, x: np.linalg.det(x), [lambda g, z, x: g * z * inverse(x).T], elementwise=False)
    inverse = define("own inv", lambda xp, x: np.linalg.inv(x), [lambda g, z, x: -(z.T @ g @ z.T)], elementwise=False)
    m = np.array([[2.0, 1.0], [0.5, 3.0]])
    np.testing.assert_allclose(ad.grad(det)(m), [[3.0, -0.5], [-1.0, 2.0]], rtol=1e-14)
    np.testing.assert_allclose(ad.hessian(det)(m)[0, 0], [[0.0, 0.0], [0.0, 1.0]], atol=1e-14)


def test_shares_of_any_shape_are_fitted(define: Define) -> None:
    """A share that is a number, or smaller than its input, is repeated; one that is larger is summed."""
    spread = define("spread out", lambda xp, x: x.sum(), [lambda g, z, x: g], elementwise=False)
    wide = define("wide", lambda xp, x: x.sum(), [lambda g, z, x: g * np.ones((5, 3))], elementwise=False)
    number = define("number", lambda xp, x: x.sum(), [lambda g, z, x: 2.0], elementwise=False)
    x = Tensor([1.0, 2.0, 3.0])
    assert gradients(spread(x), x).tolist() == [1.0, 1.0, 1.0]
    assert gradients(wide(x), x).tolist() == [5.0, 5.0, 5.0]
    assert gradients(number(x), x).tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("create_graph", [False, True])
def test_rule_with_a_wrong_shape_is_named(define: Define, create_graph: bool) -> None:
    """A share that cannot be fitted is an error that shows both shapes, and notes the primitive and its operands."""
    bad = define("bad", lambda xp, x: x * 1.0, [lambda g, z, x: np.ones(3)])
    x = Tensor([1.0, 2.0])
    with pytest.raises(ValueError, match=r"share of shape \(3,\) for an input of shape \(2,\)") as error:
        gradients(bad(x).sum(), x, create_graph=create_graph)
    assert error.value.__notes__[0].startswith("in the rule of <primitive bad>, with error signal")
    assert "Tensor of shape (2,)" in error.value.__notes__[0]


#: Names that the source written from the table uses itself.
HIDING = ["g", "z", "x0", "t0", "a0", "node", "a", "d0", "x", "entry", "origin", "exp", "where", "token", "new"]


@pytest.mark.parametrize("name", HIDING)
@KINDS
def test_a_param_may_be_called_like_anything_in_the_written_source(name: str, kind: type, define: Define) -> None:
    """y = k·eˣ with k called ``name``: a param that hid the error signal g would give a wrong gradient silently."""
    scope: dict[str, Any] = {"exp_": ad.exp}
    exec(f"forward = lambda xp, q, *, {name}=2.0: xp.exp(q) * {name}", scope)
    exec(f"rule = lambda h, y, q, *, {name}=2.0: h * ({name} * exp_(q))", scope)
    scaled = define(f"scaled_{name}", scope["forward"], [scope["rule"]])
    for given, factor in (({}, 2.0), ({name: 5.0}, 5.0)):
        x = kind(1.5)
        y = scaled(x, **given)
        y.backward(3.0)
        assert float(y.data) == pytest.approx(factor * math.exp(1.5), rel=1e-14)
        assert float(x.grad) == pytest.approx(3.0 * factor * math.exp(1.5), rel=1e-14)


def test_params_reach_the_rule_whatever_the_operands_are() -> None:
    """An array beside a Value makes the call one on Tensors: the margin must not be lost."""
    assert ad.hinge(np.array([1.0, 2.0]), Value(1.0), margin=3.0).data.tolist() == [3.0, 2.0]
    assert ad.hinge(Value(1.0), np.array([1.0, 2.0]), margin=3.0).data.tolist() == [3.0, 4.0]


def test_a_zero_signal_cuts_only_what_is_infinite() -> None:
    """Where c = 0, √0's infinite edge carries 0, but the finite edge beside it keeps its second derivative, 1/(2√4)."""
    c, x = Tensor([0.0, 0.0]), Tensor([0.0, 4.0])
    slope = gradients((c * ad.sqrt(x)).sum(), x, create_graph=True)
    assert gradients(slope.sum(), c).data[1] == 0.25


def test_many_inputs_cost_in_proportion() -> None:
    """3,000 Values stacked: rule by rule, never n rules of n arguments written as source (which took 33 s)."""
    values = [Value(float(k)) for k in range(3000)]
    stacked = ad.stack(values)
    (stacked * stacked).sum().backward()
    assert [x.grad for x in values] == [2.0 * k for k in range(3000)]


@pytest.mark.parametrize("count", [1, 31, 32, 33, 784, 5003])
def test_a_neuron_of_any_width(count: int) -> None:
    """One node for every 1,000 terms; z adds from the bias on, as a loop over floats does: the same bits."""
    weights, inputs = [Value(0.1 * k - 1.0) for k in range(count)], [Value(1.0 / (k + 1)) for k in range(count)]
    z = ad.weighted_sum(weights, inputs, Value(0.3))
    expected = 0.3
    for w, x in zip(weights, inputs, strict=True):
        expected += w.data * x.data
    z.backward()
    assert z.data == expected
    assert sum(node.a is not None for node in topological(z)) == -(-count // 1000)
    assert [w.grad for w in weights] == [x.data for x in inputs]
    assert [x.grad for x in inputs] == [w.data for w in weights]


@KINDS
def test_threads_that_add_to_one_leaf_lose_nothing(kind: type) -> None:
    """grad + share is reading and writing: with the interpreter switching all the time, 800 passes of 2 give 1600."""
    x = kind(1.0)

    def work() -> None:
        for _ in range(200):
            (x * 2.0).backward()

    at_once(*[work] * 4)
    assert float(x.grad) == 1600.0


@KINDS
def test_pickled_beside_its_output_a_leaf_stays_its_leaf(kind: type) -> None:
    """A net and its loss in one pickle: the loss's gradient reaches the net's own parameter."""
    x = kind(3.0)
    both = pickle.loads(pickle.dumps({"x": x, "y": x * x}))
    both["y"].backward()
    assert float(both["x"].grad) == 6.0


NO_REAL = [None, 1j, "text", [1.0]]


@pytest.mark.parametrize("wrong", NO_REAL, ids=repr)
@KINDS
def test_a_rule_or_forward_that_gives_no_real_number_is_named(kind: type, wrong: Any, define: Define) -> None:
    """NumPy would read None as nan and drop an imaginary part: silently wrong gradients."""
    forward = define("odd_forward", lambda xp, x: wrong, [lambda g, z, x: g])
    with pytest.raises(TypeError, match=r"the forward of odd_forward must return|odd_forward takes"):
        forward(kind(2.0))
    rule = define("odd_rule", lambda xp, x: x * 2.0, [lambda g, z, x: wrong if wrong != [1.0] else None])
    with pytest.raises(TypeError, match=r"a rule returned|the rule of odd_rule"):
        rule(kind(2.0)).backward()


@pytest.mark.parametrize("call", [
    lambda big: Value(big), lambda big: Value(1.0) * big, lambda big: big - Value(1.0), lambda big: Tensor([1.0]) * big,
    lambda big: Tensor([1.0]) ** big, lambda big: Value(1.0) ** big, lambda big: ad.power(2.0, n=big),
])  # fmt: skip
def test_an_integer_beyond_every_float_is_a_value_error(call: Callable[[int], Any]) -> None:
    with pytest.raises(ValueError, match=r"an int of 1329 bits is beyond the largest float|int too large to convert"):
        call(10**400)


def test_infinities_of_both_signs_meet_silently() -> None:
    """δ/x at x = 0 with δ = ±1: the engine's search for nan must not warn (warnings are errors here)."""
    x = Tensor([0.0, 0.0])
    with np.errstate(all="ignore"):
        y = (np.array([1.0, -1.0]) / x).sum()
    y.backward()
    assert x.grad.tolist() == [-math.inf, math.inf]


def test_a_complex_share_is_refused(define: Define) -> None:
    rule = define("complex_rule", lambda xp, x: x * 2.0, [lambda g, z, x: g * 1j])
    with pytest.raises(TypeError, match="a rule returned array of shape"):
        rule(Tensor([1.0, 2.0])).sum().backward()


def test_the_widest_node_still_has_written_source() -> None:
    """1,000 weights, 1,000 inputs and a bias: without source, every node of that width costs a quarter of a second."""
    assert scalar.many(ad.TABLE["weighted_sum"], (Value,) * 2001, Value) is not None


@pytest.mark.parametrize("kind", [Value, Tensor])
def test_weak_references_to_nodes(kind: type) -> None:
    """A node can be referenced weakly, and is gone, leaf or result, when nobody else holds it."""
    x = kind(2.0)
    y = x * x
    leaf, result = weakref.ref(x), weakref.ref(y)
    kept = weakref.WeakKeyDictionary({x: "x", y: "y"})
    assert (leaf(), result(), len(kept)) == (x, y, 2)
    del y
    assert (result(), list(kept.values())) == (None, ["x"])
    del x
    assert leaf() is None
