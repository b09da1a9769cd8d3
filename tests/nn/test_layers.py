"""Neurons, layers and networks: the notes' formulas, names, shapes, and one code for Values, Tensors and arrays."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autodiff as ad
import nn
from autodiff import TABLE, Tensor, Value
from autodiff.engine.backward import backpropagate
from autodiff.engine.graph import topological
from autodiff.words.notation import Name
from nn.modules.activations import unit
from tests.support.cases import each

UNITS = ["sigmoid", "tanh", "hard_tanh", "soft_sign", "relu", "leaky_relu", "softplus", "elu", "gelu", "identity"]


def generator(seed: int = 0) -> np.random.Generator:
    """A generator of its own."""
    return np.random.default_rng(seed)


def lively(sizes: Sequence[int], *, seed: int = 0, **options: Any) -> nn.Network:
    """A network whose biases are not zero either, so that no term of a formula is hidden."""
    random = generator(seed)
    network = nn.Network(sizes, random=random, **options)
    network.load({key: random.normal(size=array.shape) * 0.7 for key, array in network.state().items()})
    return network


def message(kind: type[Exception], call: Callable[..., Any], *args: Any, **options: Any) -> str:
    """The text of the error that a call raises."""
    with pytest.raises(kind) as error:
        call(*args, **options)
    return str(error.value)


# ---- first weights ---------------------------------------------------------------------------------------------------


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32))
def test_xavier_lies_in_the_bounds_of_the_notes(inputs: int, units: int, seed: int) -> None:
    """|W_ij| ≤ √(6/(n_in + n_out)), in the shape (n_out, n_in)."""
    W = nn.xavier(generator(seed), inputs, units)
    assert W.shape == (units, inputs)
    assert np.abs(W).max() <= math.sqrt(6 / (inputs + units))


def test_xavier_fills_the_interval_evenly() -> None:
    """Mean 0 and variance r²/3, and the extremes come within 1 % of the bounds."""
    W = nn.xavier(generator(), 300, 200)
    r = math.sqrt(6 / 500)
    n = W.size
    assert abs(W.mean()) < 5 * r / math.sqrt(3 * n)  # five standard errors of the mean
    assert abs(W.var() / (r * r / 3) - 1) < 5 * math.sqrt(0.8 / n)  # the variance of U² is 4r⁴/45
    assert W.max() > 0.99 * r
    assert W.min() < -0.99 * r


def test_first_weights_differ_and_biases_are_zero() -> None:
    """Equal weights would never break the symmetry of a layer's units."""
    state = nn.Network((4, 3, 2)).state()
    assert len(set(state["W(1)"].ravel())) == 12
    assert not state["b(1)"].any()
    assert not state["b(2)"].any()


def test_layers_of_one_size_begin_with_different_weights() -> None:
    """The layers of a network draw one after the other from one generator."""
    state = nn.Network((3, 3, 3)).state()
    assert not {*state["W(1)"].flat} & {*state["W(2)"].flat}


def test_the_same_generator_gives_the_same_network_and_none_means_seed_zero() -> None:
    """Networks are determined by their generator alone, in either form."""
    given_seed = nn.Network((4, 3, 1), random=generator(0)).state()
    for other in (nn.Network((4, 3, 1)), nn.Network((4, 3, 1), scalar=True)):
        assert all(np.array_equal(array, given_seed[key]) for key, array in other.state().items())
    assert not np.array_equal(nn.Network((4, 3, 1), random=generator(1)).state()["W(1)"], given_seed["W(1)"])


def test_xavier_refusals() -> None:
    """A seed is no generator, and a layer has at least one input and one unit."""
    words = "random must be a NumPy generator, such as numpy.random.default_rng(0), and got 3 (int)"
    assert message(TypeError, nn.xavier, 3, 4, 2) == words
    assert "such as numpy.random.default_rng(0)" in message(TypeError, nn.Network, (2, 1), random=np.random)
    assert "the number of inputs must be at least 1, got 0 (int)" in message(ValueError, nn.xavier, generator(), 0, 2)
    assert "the number of units must be at least 1, got 0 (int)" in message(ValueError, nn.Layer, 2, 0)


# ---- one neuron ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scalar", [True, False])
def test_neuron_is_the_formula_of_section_1_1(scalar: bool) -> None:
    """a = σ(wᵀx + b) and ∂a/∂w = a(1 − a)x, ∂a/∂b = a(1 − a)."""
    neuron = nn.Neuron(3, random=generator(1), scalar=scalar)
    parameters = neuron.parameters()
    x = np.array([0.5, -1.0, 2.0])
    a = neuron(x)
    w = np.array([item.data for name, item in parameters.items() if name.letter == "w"]).ravel()
    expected = 1 / (1 + math.exp(-(w @ x)))
    assert a.item() == pytest.approx(expected, rel=1e-14)
    a.backward()
    slope = expected * (1 - expected)
    gradient = np.array([item.grad for item in parameters.values() if item.name.startswith("w")]).ravel()
    np.testing.assert_allclose(gradient, slope * x, rtol=1e-13)
    assert float(parameters[Name("b")].grad) == pytest.approx(slope, rel=1e-13)


def test_neuron_of_values_is_two_nodes_with_the_notes_names() -> None:
    """z is one weighted sum of w₁ … wₙ, x₁ … xₙ and b, and a is f(z)."""
    a = nn.Neuron(2, scalar=True, activation="tanh")([1.0, 2.0], suffix="ᶜ")
    (z,) = a.inputs
    assert (a.name, a.primitive.name, z.name, z.primitive.name) == ("aᶜ", "tanh", "zᶜ", "weighted_sum")
    assert [item.name for item in z.inputs] == ["w₁", "w₂", "x₁ᶜ", "x₂ᶜ", "b"]


def test_neuron_refusals() -> None:
    """Another number of inputs is named with the right one, and a neuron takes one vector."""
    neuron = nn.Neuron(3)
    assert message(ValueError, neuron, [1.0, 2.0]) == "the neuron takes 3 inputs, and got 2, shape (2,)"
    assert message(ValueError, neuron, 1.0) == "the neuron takes 3 inputs, and got one number"
    assert "takes an input vector of shape (3,), and got shape (2, 3)" in message(ValueError, neuron, np.ones((2, 3)))
    assert repr(neuron) == "Neuron(3 inputs, sigmoid)"


# ---- the notes' closed forms -----------------------------------------------------------------------------------------


def test_eight_steps_of_w14() -> None:
    """The 4-2-1 network: ∂s/∂W₁₄⁽¹⁾ = a₄⁽¹⁾ f′(z₁⁽²⁾) W₁⁽²⁾, with every stop of the error named as in section 1.5."""
    network = lively((4, 2, 1), scalar=True)
    x = [0.5, -1.0, 2.0, 0.8]
    s = network(x)
    signals = {node.name: signal for node, signal in backpropagate(s).items()}
    nodes = {node.name: node for node in topological(s)}
    slope = nodes["a₁⁽²⁾"].data * (1 - nodes["a₁⁽²⁾"].data)
    W2 = network.parameter("W11(2)").data
    assert s.name == "a₁⁽³⁾"
    assert s.primitive.name == "identity"
    assert signals["a₁⁽³⁾"] == 1.0
    assert signals["z₁⁽³⁾"] == 1.0
    assert signals["a₁⁽²⁾"] == W2
    assert signals["z₁⁽²⁾"] == pytest.approx(slope * W2, rel=1e-15)
    assert signals["W₁₄⁽¹⁾"] == pytest.approx(0.8 * slope * W2, rel=1e-15)
    assert signals["b₁⁽¹⁾"] == signals["z₁⁽²⁾"]


def by_recursion(network: nn.Network, x: list[float]) -> dict[Name, float]:
    """Section 1.5, element by element: {name: ∂s/∂parameter} for a network with one identity output, by loops."""
    layers = network.plain().layers
    a, z = [x], []
    for layer in layers:
        z.append(
            [sum(w * v for w, v in zip(row, a[-1], strict=True)) + b for row, b in zip(layer.W, layer.b, strict=True)]
        )
        a.append([float(layer.activation(float(v))) for v in z[-1]])
    delta, found = [1.0], {}
    for k in range(len(layers) - 1, -1, -1):
        for i, error in enumerate(delta):
            found[Name("b", (i + 1,), k + 1)] = error
            for j, forwarded in enumerate(a[k]):
                found[Name("W", (i + 1, j + 1), k + 1)] = error * forwarded
        if k:
            slope = ad.grad(layers[k - 1].activation)
            back = [sum(delta[i] * layers[k].W[i, j] for i in range(len(delta))) for j in range(len(a[k]))]
            delta = [slope(float(v)) * error for v, error in zip(z[k - 1], back, strict=True)]
    return found


networks = st.tuples(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.sampled_from(UNITS), st.integers(0, 2**32))


@given(networks)
def test_values_follow_the_recursion_of_section_1_5(drawn: tuple[list[int], str, int]) -> None:
    """δ_j = f′(z_j) Σᵢ δᵢ W_ij and ∂s/∂W_ij = δᵢ a_j, for any widths (1 among them), depth and unit."""
    sizes, activation, seed = drawn
    network = lively((*sizes, 1), activation=activation, seed=seed, scalar=True)
    x = generator(seed + 1).normal(size=sizes[0])
    network(x).backward()
    expected = by_recursion(network, x.tolist())
    found = {name: item.grad for name, item in network.parameters().items()}
    assert found.keys() == expected.keys()
    for name, gradient in found.items():
        assert gradient == pytest.approx(expected[name], rel=1e-12, abs=1e-14), str(name)


def test_tensors_follow_the_vectorised_form_of_section_1_6() -> None:
    """δ⁽ᵏ⁾ = f′(z⁽ᵏ⁾) ∘ (W⁽ᵏ⁾ᵀ δ⁽ᵏ⁺¹⁾), ∇W⁽ᵏ⁾ = δ⁽ᵏ⁺¹⁾ a⁽ᵏ⁾ᵀ, ∇b⁽ᵏ⁾ = δ⁽ᵏ⁺¹⁾, with the nodes under their names."""
    network = lively((5, 4, 3, 1))
    x = generator(3).normal(size=5)
    s = network(x)
    signals = {node.name: signal for node, signal in backpropagate(s).items()}
    primal = {node.name: node.data for node in topological(s)} | {"a⁽¹⁾": x}
    for k, upper in (("¹", "²"), ("²", "³"), ("³", "⁴")):
        delta = signals[f"z⁽{upper}⁾"]
        np.testing.assert_allclose(signals[f"W⁽{k}⁾"], np.outer(delta, primal[f"a⁽{k}⁾"]), rtol=1e-14)
        np.testing.assert_array_equal(signals[f"b⁽{k}⁾"], delta)
        if k != "¹":
            a = primal[f"a⁽{k}⁾"]
            back = primal[f"W⁽{k}⁾"].T @ delta
            np.testing.assert_allclose(signals[f"a⁽{k}⁾"], back, rtol=1e-14)
            np.testing.assert_allclose(signals[f"z⁽{k}⁾"], a * (1 - a) * back, rtol=1e-13)


# ---- one code for three kinds of parameters --------------------------------------------------------------------------


@given(networks, st.integers(1, 3))
def test_both_forms_agree_to_the_last_bits(drawn: tuple[list[int], str, int], batch: int) -> None:
    """The Tensor network and the same network of Values: outputs and gradients of a batch, and predict, agree."""
    sizes, activation, seed = drawn
    network = lively((*sizes, 1), activation=activation, seed=seed)
    values = network.scalar()
    x = generator(seed + 1).normal(size=(batch, sizes[0]))
    outputs, scores = network(x), values(x)
    np.testing.assert_allclose([s.data for s in scores], outputs.data[:, 0], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(network.predict(x), outputs.data, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(values.predict(x), outputs.data, rtol=1e-14, atol=1e-15)
    ad.sum(outputs).backward()
    ad.sum(scores).backward()
    for name, item in network.parameters().items():
        parts = [
            part.grad
            for key, part in values.parameters().items()
            if (key.letter, key.layer) == (name.letter, name.layer)
        ]
        np.testing.assert_allclose(np.reshape(parts, item.shape), item.grad, rtol=1e-12, atol=1e-14)


def test_forms_turn_into_each_other_and_keep_all_numbers() -> None:
    """tensor → scalar → tensor → plain is the same network bit by bit, with parameters of its own."""
    network = lively((3, 2, 2))
    there = network.scalar()
    back = there.tensor()
    for other in (there, back, network.plain()):
        assert all(np.array_equal(other.state()[key], array) for key, array in network.state().items())
    back.parameter("b(1)").data = [7.0, 7.0]
    assert not np.any(network.state()["b(1)"] == 7.0)


@pytest.mark.parametrize("scalar", [True, False])
def test_shapes_in_and_out(scalar: bool) -> None:
    """(n,) gives (m,), rows give rows; a scalar network with one output unit drops the last axis."""
    one, two = nn.Network((3, 2, 1), scalar=scalar), nn.Network((3, 2), scalar=scalar)
    assert two([1, 2, 3]).shape == (2,)
    assert two(np.ones((4, 3))).shape == (4, 2)
    assert two(np.ones((5, 4, 3))).shape == (5, 4, 2)
    assert one([1, 2, 3]).shape == (() if scalar else (1,))
    assert one(np.ones((4, 3))).shape == ((4,) if scalar else (4, 1))
    assert isinstance(one([1, 2, 3]), Value if scalar else Tensor)


def test_plain_networks_make_no_graph() -> None:
    """Parameters that are plain arrays give a plain array; with a Tensor as input the graph leads to it alone."""
    plain = lively((3, 4, 2)).plain()
    x = np.ones((6, 3))
    assert type(plain(x)) is np.ndarray
    assert type(plain([1.0, 2.0, 3.0])) is np.ndarray
    tensor = Tensor(x)
    leaves = [node for node in topological(plain(tensor)) if node.is_leaf]
    assert leaves == [tensor] or len(leaves) == 1  # == of Tensors is elementwise
    assert leaves[0] is tensor


@pytest.mark.parametrize("scalar", [True, False])
def test_predictions_follow_the_parameters(scalar: bool) -> None:
    """What predict computes with are the numbers of this moment, also after a step."""
    network, x = lively((2, 3, 1), scalar=scalar), [0.5, -1.0]
    descent, before = nn.SGD(network, rate=0.1), network.predict(x)
    ad.sum(network(x)).backward()
    descent.step()
    assert network.predict(x).item() == pytest.approx(network(x).item(), rel=1e-14)
    assert network.predict(x) != before


def test_inputs_may_be_nodes() -> None:
    """Error signals pass on to inputs that are Values or Tensors; the names they have stay."""
    network = lively((2, 3, 1))
    x = [Value(0.5, name="p"), Value(-1.0)]
    network.scalar()(x).backward()
    assert [item.name for item in x] == ["p", "a₂⁽¹⁾"]
    tensor = Tensor([0.5, -1.0])
    network(tensor).backward()
    np.testing.assert_allclose([item.grad for item in x], tensor.grad, rtol=1e-12)
    again = [Value(0.5), Value(-1.0)]
    network(again).backward()
    np.testing.assert_allclose([item.grad for item in again], tensor.grad, rtol=1e-12)
    rows = [[Value(0.5), Value(-1.0)], [Value(0.5), 2.0]]
    assert network(rows).shape == (2, 1)
    assert network.plain()(np.array([1, 2])).shape == (1,)


def test_a_width_of_one_is_a_layer_like_any_other() -> None:
    """1-1-1: s = W₂ σ(W₁x + b₁) + b₂."""
    network = lively((1, 1, 1))
    W1, b1, W2, b2 = (float(array.item()) for array in network.state().values())
    assert network([0.3]).item() == pytest.approx(W2 / (1 + math.exp(-(W1 * 0.3 + b1))) + b2, rel=1e-15)
    assert network.scalar()([0.3]).data == pytest.approx(network([0.3]).item(), rel=1e-15)


# ---- names -----------------------------------------------------------------------------------------------------------


def test_names_of_parameters_and_their_order() -> None:
    """Layer by layer, W row by row, then b; the key is the name that the node carries."""
    parameters = nn.Network((3, 2, 1), scalar=True).parameters()
    assert " ".join(map(str, parameters)) == (
        "W₁₁⁽¹⁾ W₁₂⁽¹⁾ W₁₃⁽¹⁾ W₂₁⁽¹⁾ W₂₂⁽¹⁾ W₂₃⁽¹⁾ b₁⁽¹⁾ b₂⁽¹⁾ W₁₁⁽²⁾ W₁₂⁽²⁾ b₁⁽²⁾"
    )
    assert all(item.name == str(name) for name, item in parameters.items())
    assert [str(name) for name in nn.Network((3, 2, 1)).parameters()] == ["W⁽¹⁾", "b⁽¹⁾", "W⁽²⁾", "b⁽²⁾"]


def test_names_of_all_nodes_of_a_call() -> None:
    """Inputs, z and a of every unit carry the notes' names; a suffix marks what one call made, not the parameters."""
    network = nn.Network((2, 1, 1), scalar=True)
    made = {node.name for node in topological(network([1.0, 2.0], suffix="ᶜ"))} - {str(n) for n in network.parameters()}
    assert made == {"a₁⁽¹⁾ᶜ", "a₂⁽¹⁾ᶜ", "z₁⁽²⁾ᶜ", "a₁⁽²⁾ᶜ", "z₁⁽³⁾ᶜ", "a₁⁽³⁾ᶜ"}
    assert {node.name for node in topological(network.tensor()([1.0, 2.0]))} >= {"z⁽²⁾", "a⁽²⁾", "z⁽³⁾", "a⁽³⁾"}


def test_the_same_call_twice_makes_different_nodes_with_the_same_names() -> None:
    """Names are shared, nodes are not: an operation keeps its own primitive and params under its name."""
    network = nn.Network((2, 2, 1), scalar=True, activation=lambda z: ad.leaky_relu(z, slope=0.3))
    first, second = network([1.0, 2.0]), network([1.0, 2.0])
    assert first is not second
    assert first.name == second.name
    hidden = [node for node in topological(first) if node.name == "a₁⁽²⁾"]
    assert hidden[0].params == {"slope": 0.3}
    assert ad.leaky_relu(Value(1.0), slope=0.3).name is None


@pytest.mark.parametrize("spelling", ["W14(1)", "W_{14}^{(1)}", "W1[1,4]", "W₁₄⁽¹⁾", "W^(1)_14", Name("W", (1, 4), 1)])
def test_parameters_are_found_by_any_spelling(spelling: str | Name) -> None:
    """W₁₄⁽¹⁾ goes to unit 1 of layer 2 from unit 4 of layer 1: row 0 and column 3 of the first W."""
    network = nn.Network((4, 2, 1), scalar=True)
    assert network.parameter(spelling) is network.layers[0].W[0, 3]


def test_a_wrong_name_says_which_exist() -> None:
    """The message lists the parameters in ranges, for either form."""
    assert message(ValueError, nn.Network((4, 2, 1), scalar=True).parameter, "W35(1)") == (
        "no parameter W₃₅⁽¹⁾: layer 1 has W₁₁⁽¹⁾ … W₂₄⁽¹⁾, b₁⁽¹⁾ … b₂⁽¹⁾; layer 2 has W₁₁⁽²⁾ … W₁₂⁽²⁾, b₁⁽²⁾"
    )
    assert message(ValueError, nn.Network((4, 2, 1)).parameter, "W35(1)") == (
        "no parameter W₃₅⁽¹⁾: layer 1 has W⁽¹⁾, b⁽¹⁾; layer 2 has W⁽²⁾, b⁽²⁾"
    )


def test_an_entry_of_a_tensor_is_refused_with_the_way_to_it() -> None:
    """A Tensor network has W⁽¹⁾; its entry is a Value of network.scalar()."""
    network = nn.Network((4, 2, 1))
    assert network.parameter("W(1)") is network.layers[0].W
    text = message(ValueError, network.parameter, "W14(1)")
    assert text == (
        "W₁₄⁽¹⁾ is one entry of W⁽¹⁾, and W⁽¹⁾ is one Tensor here; use .scalar().parameter('W14(1)'), "
        "where each weight is a Value, or .parameter('W(1)')[0, 3]"
    )
    assert network.scalar().parameter("W14(1)").data == network.parameter("W(1)")[0, 3].item()


# ---- saving ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scalar", [True, False])
def test_state_goes_through_an_npz_file(tmp_path: Path, scalar: bool) -> None:
    """What state() gives is what load() takes, through numpy.savez, into either form; nodes stay the same objects."""
    network = lively((3, 2, 1))
    np.savez(tmp_path / "weights.npz", **network.state())  # type: ignore[arg-type]
    other = nn.Network((3, 2, 1), scalar=scalar)
    before = list(other.parameters().values())
    with np.load(tmp_path / "weights.npz") as saved:
        other.load(saved)
    assert all(a is b for a, b in zip(before, other.parameters().values(), strict=True))
    assert all(np.array_equal(other.state()[key], array) for key, array in network.state().items())


def test_state_is_a_copy() -> None:
    """Writing into a state changes no network."""
    network = nn.Network((2, 1))
    network.state()["W(1)"][:] = 9.0
    assert not np.any(network.state()["W(1)"] == 9.0)


@pytest.mark.parametrize("scalar", [True, False])
@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"b(2)": None}, "the state to load has no b⁽²⁾; nothing was loaded"),
        ({"W(3)": [1.0]}, "no parameter W⁽³⁾: layer 1 has"),
        ({"b(2)": [1.0, 2.0]}, "b⁽²⁾ has shape (1,), and in the state (2,); nothing was loaded"),
        ({"b(2)": [math.nan]}, "the state's b⁽²⁾ holds a number that is not finite; nothing was loaded"),
        ({"hello": [1.0]}, "cannot read 'hello' as a name"),
    ],
)
def test_load_changes_all_or_nothing(scalar: bool, change: dict[str, list[float] | None], text: str) -> None:
    """Whatever is wrong with a state, the network keeps its numbers."""
    network = nn.Network((3, 2, 1), scalar=scalar)
    before = network.state()
    state = {key: array + 1.0 for key, array in before.items()} | change
    state = {key: array for key, array in state.items() if array is not None}
    assert text in message(ValueError, network.load, state)
    assert all(np.array_equal(network.state()[key], array) for key, array in before.items())


def test_load_refuses_read_only_arrays() -> None:
    """An object array of plain numbers takes new ones only if it can be written to."""
    W = np.array([[1.0, 2.0]], dtype=object)
    W.setflags(write=False)
    layer = nn.Layer.of(W, np.array([0.5], dtype=object))
    words = "W⁽¹⁾ is a read-only array; nothing was loaded"
    assert message(ValueError, layer.load, {"W(1)": [[3.0, 4.0]], "b(1)": [0.0]}) == words
    assert layer.b[0] == 0.5


def test_load_refuses_what_holds_no_nodes() -> None:
    """Plain arrays are a snapshot for predictions, and strings are no numbers."""
    network = nn.Network((2, 1))
    assert "is a plain array; load into" in message(TypeError, network.plain().load, network.state())
    assert "the state's b⁽¹⁾ takes real numbers" in message(TypeError, network.load, {**network.state(), "b(1)": ["x"]})


@pytest.mark.parametrize("scalar", [True, False])
def test_networks_can_be_copied_and_pickled(scalar: bool) -> None:
    """A copy has the same numbers and names, and parameters of its own."""
    network = lively((3, 2, 1), scalar=scalar)
    for twin in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert np.array_equal(twin.predict([1.0, 2.0, 3.0]), network.predict([1.0, 2.0, 3.0]))
        pairs = zip(twin.parameters().values(), network.parameters().values(), strict=True)
        assert all(a is not b and a.name == b.name for a, b in pairs)


# ---- activations -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", UNITS)
def test_every_unit_of_the_notes_is_found_by_name(name: str) -> None:
    """A name gives the primitive of the table, the same for all layers but the last."""
    network = nn.Network((2, 2, 2, 1), activation=name, output="tanh")
    assert [layer.activation for layer in network.layers] == [TABLE[name], TABLE[name], TABLE["tanh"]]


def test_an_unknown_activation_says_which_exist() -> None:
    """The list holds functions of one number only."""
    text = message(ValueError, nn.Network, (2, 1), activation="sigmiod")
    assert text.startswith("unknown activation 'sigmiod' (must be one of absolute, ")
    assert all(name in text for name in UNITS)
    assert "hinge" not in text
    assert "power" not in text
    assert message(TypeError, unit, 3) == "activation must be a name, such as 'sigmoid', or a callable, and got 3 (int)"


def test_an_activation_may_be_any_callable() -> None:
    """z·σ(z), written with operators, works on Values, Tensors and plain arrays; z returned as it is keeps its name."""
    network = lively((2, 2, 1), activation=lambda z: z * ad.sigmoid(z), output=lambda z: z)
    x = [0.3, -0.5]
    values = network.scalar()
    assert values(x).data == pytest.approx(network(x).item(), rel=1e-14)
    assert network.predict(x) == pytest.approx(network(x).item(), rel=1e-14)
    assert values(x).name == "z₁⁽³⁾"
    assert "<lambda>" in repr(network)


def test_a_layer_may_give_constants() -> None:
    """An activation that is a step has no node to name, and the numbers go through."""
    layer = nn.Layer(2, 2, scalar=True, activation=lambda z: np.array([1.0 if v > 0 else 0.0 for v in z], dtype=object))
    assert list(layer([1.0, 2.0])) in ([0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0])


# ---- layers of one's own ---------------------------------------------------------------------------------------------


def test_a_new_layer_is_a_few_lines() -> None:
    """A residual layer, six lines, trains as part of a chain, with no class to inherit from."""

    class Residual:
        def __init__(self, inner: nn.Layer) -> None:
            self.inner, self.parameters = inner, inner.parameters

        def __call__(self, x: Any) -> Any:
            return x + self.inner(x)

    random = generator(5)
    first, last = nn.Layer(2, 4, activation="tanh", random=random), nn.Layer(4, 1, number=3, random=random)
    network = nn.Network.of(first, Residual(nn.Layer(4, 4, activation="tanh", number=2, random=random)), last)
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = np.array([[0.0], [1.0], [1.0], [0.0]])
    descent = nn.AdaGrad(network, rate=0.3)
    for _ in range(200):
        descent.zero_grad()
        ad.sum(ad.square(network(x) - y)).backward()
        descent.step()
    assert np.abs(network(x).data - y).max() < 0.1
    assert [str(name) for name in network.parameters()] == ["W⁽¹⁾", "b⁽¹⁾", "W⁽²⁾", "b⁽²⁾", "W⁽³⁾", "b⁽³⁾"]


def test_layers_are_made_of_ready_parameters() -> None:
    """Layer.of keeps Tensors, Values or arrays as they are, and takes nested lists for arrays."""
    W, b = Tensor([[1.0, 2.0]], name="W⁽¹⁾"), Tensor([0.5], name="b⁽¹⁾")
    layer = nn.Layer.of(W, b, activation="identity")
    assert layer.W is W
    assert layer.b is b
    assert layer([1.0, 1.0]).data == 3.5
    assert layer.scalar()([1.0, 1.0])[0].data == 3.5
    assert repr(nn.Network.of(layer)) == "Network(Layer(2, 1, identity, number=1))"
    assert "got W (2,) and b (1,)" in message(ValueError, nn.Layer.of, [1.0, 2.0], [0.0])
    assert "got W (1, 2) and b (2,)" in message(ValueError, nn.Layer.of, [[1.0, 2.0]], [0.0, 0.0])
    mixed = np.array([[Value(1.0), 2.0]], dtype=object)
    assert nn.Layer.of(mixed, np.array([0.0], dtype=object)).tensor().W.tolist() == [[1.0, 2.0]]


def test_chains_refuse_what_does_not_fit() -> None:
    """A chain needs layers that can be called, have parameters, and have names of their own."""
    assert "at least one layer" in message(ValueError, nn.Network.of)
    assert "a layer must be a callable with parameters(), and got" in message(TypeError, nn.Network.of, np.tanh)
    text = message(ValueError, nn.Network.of, nn.Layer(2, 2), nn.Layer(2, 2))
    assert text == "two layers have a parameter W⁽¹⁾; give each layer a different number"


# ---- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scalar", [True, False])
@pytest.mark.parametrize("x", [[1.0, 2.0, 3.0], [1.0] * 5, np.ones((4, 3)), np.ones((2, 0))])
def test_a_wrong_number_of_inputs_names_both(scalar: bool, x: list[float] | np.ndarray) -> None:
    """No silent truncation: the layer says how many inputs it takes and how many came."""
    came = np.shape(x)
    text = message(ValueError, nn.Network((4, 2, 1), scalar=scalar), x)
    assert text == f"layer 1 takes 4 inputs, and got {came[-1]}, shape {came}"


def test_refused_inputs() -> None:
    """A number, strings, and a Tensor for a network of Values, each with its reason."""
    network = nn.Network((4, 2, 1))
    assert "layer 1 takes 4 inputs, and got one number" in message(ValueError, network, 3.0)
    assert "takes real numbers" in message(TypeError, network, ["a", "b", "c", "d"])
    assert "takes real numbers" in message(TypeError, network, np.array([True, False, True, True]))
    text = message(TypeError, network.scalar(), Tensor(np.ones(4)))
    assert "layer 1 consists of Values and takes numbers or Values, and got Tensor of shape (4,)" in text


@pytest.mark.parametrize(
    ("sizes", "kind", "text"),
    [
        ((4,), ValueError, "a network needs at least two sizes, each at least 1, such as (4, 2, 1), and got (4,)"),
        ((4, 0, 1), ValueError, "and got (4, 0, 1)"),
        ((4, 2.5, 1), TypeError, "the sizes of a network must be integers, such as (4, 2, 1), and got (4, 2.5, 1)"),
        (4, TypeError, "the sizes of a network must be integers, such as (4, 2, 1), and got 4"),
    ],
)
def test_refused_sizes(sizes: Any, kind: type[Exception], text: str) -> None:
    """Sizes are at least two integers, each at least 1."""
    assert text in message(kind, nn.Network, sizes)


@pytest.mark.parametrize("scalar", [False, True])
@pytest.mark.parametrize(("change", "kind", "text"), [
    ({"b^(1)": np.full(2, 9.0)}, ValueError, "the state to load contains b⁽¹⁾ twice, in two spellings; nothing"),
    ({"b(1)": [Value(5.0), Value(6.0)]}, TypeError, "must consist of plain numbers, and its b⁽¹⁾ is [Value(data=5"),
    ({"b(1)": [10**400, 1]}, ValueError, "numbers that fit a float"),
])  # fmt: skip
def test_load_refuses_doubles_and_objects(
    scalar: bool, change: dict[str, Any], kind: type[Exception], text: str
) -> None:
    """Two spellings of one name, nodes, and numbers that no float holds; what was there stays."""
    network = nn.Network((3, 2, 1), scalar=scalar)
    before = network.state()
    assert text in message(kind, network.load, {**before, **change})
    assert all(np.array_equal(before[key], array) for key, array in network.state().items())


@pytest.mark.parametrize("state", [None, [1.0], "W"])
def test_load_takes_mappings(state: Any) -> None:
    """Anything else is named."""
    assert "a state must be a mapping of names to arrays" in message(TypeError, nn.Network((2, 1)).load, state)


def test_a_layer_of_tensors_takes_object_arrays() -> None:
    """Of numbers and of Values, as it takes lists of them."""
    network, values = nn.Network((2, 1)), [Value(1.0), Value(2.0)]
    expected = network([1.0, 2.0]).data
    assert np.array_equal(network(np.array([1, 2], dtype=object)).data, expected)
    score = network(np.array(values))
    assert np.array_equal(score.data, expected)
    assert [ad.gradients(score, x) for x in values] == network.parameter("W(1)").data[0].tolist()


def test_a_bool_is_no_size() -> None:
    """True is 1 for Python only."""
    assert "the sizes of a network must be integers" in message(TypeError, nn.Network, (True, 1))


SIZES = {
    "the number of inputs": (
        lambda n: nn.Layer(n, 1), nn.Neuron, lambda n: nn.Recurrent(n, 1), lambda n: nn.xavier(generator(), n, 1),
    ),
    "the number of units": (
        lambda n: nn.Layer(2, n), lambda n: nn.Recurrent(2, 1, n), lambda n: nn.xavier(generator(), 1, n),
    ),
    "the number of a layer": (
        lambda n: nn.Layer(2, 1, number=n), lambda n: nn.Layer.of([[1.0]], [0.0], number=n),
    ),
    "window": (lambda n: nn.WindowScorer(np.ones((2, 2)), n, 1),),
    "hidden": (lambda n: nn.WindowScorer(np.ones((2, 2)), 1, n),),
}  # fmt: skip


@pytest.mark.parametrize(("what", "make"), [(what, make) for what, makes in SIZES.items() for make in makes])
@each("wrong", ["a", None, True, 1.5, 2.0, 1j, [2], np.array([1, 2]), math.nan, 0, -1, 10**400])
def test_sizes_are_whole_numbers_from_1(what: str, make: Callable[[Any], Any], wrong: Any) -> None:
    """A size of another kind is a TypeError, one below 1 or beyond every array a ValueError, and both name it."""
    whole = isinstance(wrong, int) and not isinstance(wrong, bool)
    text = message(ValueError if whole else TypeError, make, wrong)
    assert text.startswith(f"{what} must be {'at ' if whole else 'a whole number, got'}")
    if whole and not wrong:  # Python does not print as many digits
        assert "got one too long to print (int)" in message(ValueError, make, 10**5000)


@pytest.mark.parametrize("make", [
    lambda flag: nn.Neuron(2, scalar=flag), lambda flag: nn.Layer(2, 1, scalar=flag),
    lambda flag: nn.Network((2, 1), scalar=flag), lambda flag: nn.Recurrent(2, 1, scalar=flag),
    lambda flag: nn.WindowScorer(np.ones((2, 2)), 1, 1, scalar=flag),
])  # fmt: skip
def test_scalar_is_a_bool(make: Callable[[Any], Any]) -> None:
    """A text or an array is not taken for True."""
    for wrong in ("no", None, 1, np.array([True, False])):
        assert "scalar must be True for Values or False for Tensors" in message(TypeError, make, wrong)


def test_a_suffix_is_text() -> None:
    """It stands at the end of names."""
    for net, x in ((nn.Layer(2, 1), [1.0, 2.0]), (nn.Neuron(2, scalar=True), [1.0, 2.0])):
        for wrong in (None, 1, ["′"]):
            assert "suffix must be a string" in message(TypeError, net, x, suffix=wrong)
