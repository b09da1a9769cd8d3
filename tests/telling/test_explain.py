"""Explanations: the notes' example in both derivations, every kind of parameter, errors in the notes, refusals."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, Value
from autodiff.flow import Flow
from autodiff.telling.derivation import derivation, equation_of
from autodiff.telling.explain import Explanation, explain
from autodiff.telling.story import Heading, Numbered, Table
from autodiff.telling.terms import share_text
from autodiff.transforms.replay import check, replayed
from nn import Network, Neuron, WindowScorer
from nn.recurrence.recurrent import Recurrent
from tests.support.flows import CORRUPT, X, chain, deep_flow, margin_flow, notes_flow, notes_network, skipping
from tests.support.present import present

LANGUAGE = pytest.mark.parametrize("language", ["en", "zh"])


def scorer() -> WindowScorer:
    """A window scorer of Values, with words 0 … 6."""
    random = np.random.default_rng(0)
    return WindowScorer(random.normal(size=(7, 4)), window=5, hidden=3, scalar=True, random=random)


def facts(explanation: Explanation, language: str = "en") -> dict[str, str]:
    """The overview table of the parameter."""
    table = next(block for block in explanation.story(language).blocks if isinstance(block, Table))
    return {row[0]: row[1] for row in table.rows}


def headings(explanation: Explanation) -> list[str]:
    """The titles of the sections."""
    return [block.text for block in explanation.story().blocks if isinstance(block, Heading)]


def test_the_notes_example() -> None:
    """W₁₄⁽¹⁾ of the 4-2-1 network: ends, eight steps, and 0.9 · σ(1 − σ) · 0.8 in both derivations."""
    explanation = explain(notes_network(), "W14(1)", X, check=True)
    sigma = 1 / (1 + np.exp(-1.185))
    assert explanation.gradient == pytest.approx(0.9 * sigma * (1 - sigma) * 0.8, rel=1e-12)
    assert explanation.explicit == pytest.approx(explanation.gradient, rel=1e-12)
    assert present(explanation.check).verdict == "agrees"
    assert present(explanation.weakest).symbol == "σ′(z₁⁽²⁾)"
    assert facts(explanation) == {
        "parameter": "W₁₄⁽¹⁾ = 0.7", "kind": "a weight of layer 1",
        "to": "unit 1 of layer 2: z₁⁽²⁾ = 1.185, a₁⁽²⁾ = 0.7658",
        "from": "unit 4 of layer 1, the input layer: a₄⁽¹⁾ = 0.8", "output": "a₁⁽³⁾ = 0.6753", "paths": "1",
    }  # fmt: skip
    told = next(block for block in explanation.story().blocks if isinstance(block, Numbered))
    assert [number for number, _ in told.lines] == [*range(1, 9)]
    text = explanation.text()
    assert "✓ 0.1291 ≈ 0.1291" in text
    assert text.count("finite differences") == 1  # the check is told once
    assert re.search(r"^  W⁽¹⁾ +2×4 +∇W⁽¹⁾ = δ⁽²⁾ a⁽¹⁾ᵀ$", text, flags=re.MULTILINE)
    assert str(explanation) == text


def test_without_a_check_there_is_no_stamp() -> None:
    """The check costs forward passes and runs only on request."""
    assert "✓" not in explain(notes_network(), "W14(1)", X).text()


@pytest.mark.parametrize("flow", [notes_flow(), deep_flow(), margin_flow(), skipping(), notes_flow(seed=-2.0)])
def test_both_derivations_end_at_one_number(flow: Flow) -> None:
    """Explicit differentiation is forward accumulation: the same sum of products in another order."""
    lines = derivation(flow)
    assert flow.seed * lines[-1].derivative == pytest.approx(flow.gradient, rel=1e-12)
    function = replayed(flow.flows.graph[0], flow.flows.node_of(flow.parameter))
    slope = (function(flow.parameter.value + 1e-6) - function(flow.parameter.value - 1e-6)) / 2e-6
    assert lines[-1].derivative == pytest.approx(slope, rel=1e-7)  # error O(ε²) and rounding/ε


def test_on_one_path_derivative_times_error_is_the_gradient() -> None:
    """In every row of the two derivations."""
    flow = notes_flow("W11(1)")
    for line in derivation(flow):
        assert line.derivative * line.node.error == pytest.approx(flow.gradient, rel=1e-12)


def test_equations_name_what_is_on_the_way() -> None:
    """Long sums by the term that depends on the parameter; functions, signs and the objective as themselves."""
    flow = margin_flow()
    assert [equation_of(flow, line.node) for line in derivation(flow)][:2] == [
        "z₁⁽²⁾ = W₁₄⁽¹⁾ · a₄⁽¹⁾ + …", "a₁⁽²⁾ = σ(z₁⁽²⁾)",
    ]  # fmt: skip
    assert equation_of(flow, flow.output) == "J = max(0, 1 + a₁⁽³⁾ᶜ − a₁⁽³⁾)"
    bias = notes_flow("b1(1)")
    assert equation_of(bias, derivation(bias)[0].node) == "z₁⁽²⁾ = b₁⁽¹⁾ + …"


@pytest.mark.parametrize(
    ("name", "kind", "ends"),
    [
        ("b1(1)", "a bias of layer 1: a weight on the constant 1", {"from": "the constant 1"}),
        ("z1(2)", "the weighted sum that enters unit 1 of layer 2; its error signal is δ", {"forwarded to": "a₁⁽²⁾"}),
        ("a1(2)", "the activation of unit 1 of layer 2; the error here is not δ, which is the error at z",
         {"forwarded to": "z₁⁽³⁾"}),
        ("a4(1)", "an input of the network", {"forwarded to": "z₁⁽²⁾, z₂⁽²⁾"}),
    ],
)  # fmt: skip
def test_biases_and_units(name: str, kind: str, ends: dict[str, str]) -> None:
    """Every quantity of the network can be explained."""
    explanation = explain(notes_network(), name, X, check=True)
    assert present(explanation.check).verdict == "agrees"
    assert facts(explanation)["kind"] == kind
    assert facts(explanation).items() >= ends.items()


def test_a_delta_is_the_error_signal_at_z() -> None:
    """δ₁⁽²⁾ = 0.9 · σ′(z₁⁽²⁾)."""
    assert explain(notes_network(), "δ1(2)", X).gradient == explain(notes_network(), "z1(2)", X).gradient


def test_the_scorer() -> None:
    """Output weights and word vectors; a word that comes twice gets both shares."""
    ids = [0, 1, 2, 1, 4]
    U = explain(scorer(), "U2", ids, check=True)
    assert facts(U)["kind"] == "an output weight of the scorer; W⁽²⁾ = Uᵀ, so it is W₁₂⁽²⁾"
    assert facts(U)["to"] == "s"
    L = explain(scorer(), "L23", ids, check=True)
    assert facts(L)["kind"].startswith("dimension 3 of the vector of word 2 ")
    assert facts(L)["paths"] == "6"  # two places in the window, three hidden units
    assert (present(U.check).verdict, present(L.check).verdict) == ("agrees", "agrees")


def test_the_objective_says_whether_it_is_active() -> None:
    """Both windows' flows; the margin met; exactly at the kink."""
    active = explain(notes_network(), "W14(1)", X, corrupt=CORRUPT, check=True)
    assert active.gradient == pytest.approx(margin_flow().gradient, rel=1e-12)
    assert present(active.check).verdict == "agrees"
    assert "objective  J = 0.7907: active" in active.text()
    assert "∇W⁽¹⁾ = δ⁽²⁾ a⁽¹⁾ᵀ + δ⁽²⁾ᶜ a⁽¹⁾ᶜᵀ" in active.text()
    met = explain(notes_network(), "W14(1)", X, corrupt=CORRUPT, margin=0.001)
    assert met.gradient == 0
    assert "inactive, Δ + s_c − s < 0" in met.text()
    score = Value(2.0, name="s")
    J = ad.hinge(score, Value(1.0, name="s_c"))
    assert "at its kink, Δ + s_c − s = 0" in explain(J, score).text()


def test_tensors_and_values_stand_in_for_each_other() -> None:
    """One entry of a Tensor network, the whole matrix of a network of Values."""
    entry = explain(notes_network(scalar=False), "W14(1)", X)
    assert entry.gradient == explain(notes_network(), "W14(1)", X).gradient
    matrix = explain(notes_network(), "W(1)", X, check=True)
    assert matrix.gradient[0, 3] == pytest.approx(entry.gradient, rel=1e-12)
    assert present(matrix.check).verdict == "agrees"
    assert "∇W⁽¹⁾ = δ⁽²⁾ a⁽¹⁾ᵀ, the error signals times the inputs" in matrix.text()
    assert "δ₁⁽²⁾ · a₁⁽¹⁾ = 0.1614 × 1 = 0.1614; the same entry of ∇W⁽¹⁾ is 0.1614." in matrix.text()
    assert matrix.explicit is None


def test_arrays_are_told_in_matrix_form() -> None:
    """Wᵀδ back through a layer, ∘ f′(z) through its units, δ aᵀ into the weights, a sum over rows into the bias."""
    text = explain(notes_network(scalar=False), "W(1)", X, corrupt=CORRUPT).text()
    assert "error at a⁽²⁾ = W⁽²⁾ᵀ δ⁽³⁾, a vector of 2 entries and norm 1.082" in text
    assert "δ⁽²⁾ᶜ = (error at a⁽²⁾ᶜ) ∘ σ′(z⁽²⁾ᶜ), a vector of 2 entries and norm 0.2584" in text
    assert "∂J/∂W⁽¹⁾ = δ⁽²⁾ a⁽¹⁾ᵀ + δ⁽²⁾ᶜ a⁽¹⁾ᶜᵀ\n" in text
    assert "active, Δ + s_c − s > 0" in text
    assert "(error at a⁽²⁾) ∘ σ′(z⁽²⁾) shrinks the error most: 0.1961 of its norm remains." in text
    rows = np.arange(6.0).reshape(3, 2)
    network = Network((2, 2, 1))
    flow = ad.error_flow(ad.sum(network(rows)), network.parameter("b(1)"))
    assert [share_text(flow, edge) for edge in flow.shares] == ["Σ δ⁽²⁾"]
    flow = ad.error_flow(ad.sum(network(rows)), network.parameter("W(1)"))
    (edge,) = flow.shares
    assert share_text(flow, edge) == "δ⁽²⁾ᵀ a⁽¹⁾"
    assert edge.share == pytest.approx(flow.nodes[edge.consumer].error.T @ rows, rel=1e-15)
    A, v = Tensor(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), name="A"), Tensor(np.array([0.5, -1.0]), name="v")
    products: tuple[tuple[Any, dict[str, str]], ...] = (
        (A @ v, {"A": "(error at y) vᵀ", "v": "Aᵀ (error at y)"}),
        (np.array([1.0, 2.0, 3.0]) @ A, {"A": "[1, 2, 3] (error at y)ᵀ"}),
        (A @ (v * np.ones((2, 2))), {"A": "(error at y) (v·array(2×2))ᵀ"}),
    )
    for made, forms in products:
        made.name = "y"
        for parameter in (A, v):
            if parameter.name in forms:
                flow = ad.error_flow(ad.sum(made), parameter)
                assert share_text(flow, flow.shares[0]) == forms[parameter.name]


def test_a_wrong_gradient_of_an_array_shows() -> None:
    """One wrong entry is enough, because the direction moves every entry."""
    W = Tensor([[0.5, -1.0], [2.0, 0.25]], name="W")
    output = ad.sum(ad.tanh(W @ np.array([0.3, -0.7])))
    flow = ad.error_flow(output, W)
    assert check(output, W, flow.gradient).verdict == "agrees"
    for place in np.ndindex(2, 2):
        wrong = np.array(flow.gradient)
        wrong[place] *= 1.001
        assert check(output, W, wrong).verdict == "disagrees"


def test_replaying_writes_to_nothing() -> None:
    """Data, gradients and the graph do not change; the backward pass still runs."""
    x, w = Value(3.0), Value(2.0)
    y = (w * x).tanh()
    before = y.data
    assert replayed(y, w)(0.0) == 0.0
    assert (y.data, w.data, w.grad) == (before, 2.0, None)
    y.backward()


def test_where_the_gradient_died() -> None:
    """A saturated unit is named; so is a unit that is off."""
    network = Network((1, 1, 1), scalar=True)
    network.load({"W(1)": [[9.0]], "b(1)": [0.0], "W(2)": [[1.0]], "b(2)": [0.0]})
    text = explain(network, "W11(1)", [1.0]).text()
    assert "a₁⁽²⁾ = 0.9999 is saturated: σ is flat there" in text
    assert "σ′(z₁⁽²⁾) = 0.0001234 shrinks the error most." in text
    off = Network((1, 1, 1), activation="relu", scalar=True)
    off.load({"W(1)": [[-1.0]], "b(1)": [0.0], "W(2)": [[1.0]], "b(2)": [0.0]})
    dead = explain(off, "W11(1)", [1.0])
    assert "The error dies here: ReLU′(z₁⁽²⁾) = 0." in dead.text()
    assert present(dead.weakest).number == 0


def test_what_is_on_no_path() -> None:
    """None is not 0, and there is nothing to derive."""
    explanation = explain(Value(1.0, name="y") * 2.0, Value(2.0, name="w"))
    assert (explanation.gradient, explanation.explicit) == (None, None)
    assert "has no gradient (None, not 0)" in explanation.text()
    assert "Two derivations, one number" not in headings(explanation)


def test_slips_of_the_print_where_they_belong() -> None:
    """Only on request; σ only if it is on a path, the sum over i only where several shares meet, b only for biases."""
    assert "the notes" not in explain(notes_network(), "W14(1)", X).text()
    plain = explain(notes_network(), "W14(1)", X, notes=True).text()
    assert "the notes print δ_i · a_i where they mean δ_i · a_j" in plain
    assert "the gradient of the loss" in plain
    assert "the gradient of the loss" not in explain(notes_network(), "W14(1)", X, corrupt=CORRUPT, notes=True).text()
    deep = explain(deep_flow().flows.graph[0], "W14(1)", notes=True).text()
    assert "1/(1 + exp(−z))" not in deep
    assert "Σ_i δ_i W_ij" in deep
    assert "The gradient of b₁⁽¹⁾ is δ₁⁽²⁾, of layer 2: the notes print δ of layer 1." in (
        explain(notes_network(), "b1(1)", X, notes=True).text()
    )
    soft = Network((2, 2, 1), activation="soft_sign", scalar=True)
    assert "soft sign′(z) = 1/(1 + |z|)²" in explain(soft, "W11(1)", [1.0, 2.0], notes=True).text()
    assert "W⁽²⁾ = Uᵀ, a row" in explain(scorer(), "U2", [0, 1, 2, 1, 4], notes=True).text()


@LANGUAGE
def test_a_users_own_graph(language: str) -> None:
    """Graphs without names of the notes; long graphs without their middle."""
    x = Value(0.5)
    explanation = explain((x * x + 1.0).tanh(), x, names={"x": x}, check=True)
    assert explanation.explicit == pytest.approx(explanation.gradient, rel=1e-12)
    assert "∂tanh(x·x + 1)/∂x" in explanation.text(language)
    assert len(explain(*chain(3000)).text(language)) < 30_000


@LANGUAGE
def test_numbers_are_the_same_in_every_format_and_language(language: str) -> None:
    """Each format shows the gradient to the requested digits."""
    explanation = explain(notes_network(), "W14(1)", X)
    for text in (explanation.text(language, digits=9), explanation.markdown(language, digits=9)):
        assert f"{explanation.gradient:.9g}" in text
    assert f"{explanation.gradient:.9g}" in explanation.latex(language, digits=9)


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ((3.0, "W14(1)"), TypeError,
         "expected a network (a callable with parameter(name) or parameters()) or an output node, but got"),
        ((notes_network(), "W14(1)"), ValueError, "a network needs an input; pass it as x"),
        ((notes_network(), "W99(1)", X), ValueError, "no parameter W₉₉⁽¹⁾: layer 1 has W₁₁⁽¹⁾ … W₂₄⁽¹⁾"),
        ((notes_network(), "weight", X), ValueError, "cannot read 'weight' as a name"),
        ((Network((2, 3), scalar=True), "W11(1)", [1.0, 2.0]), ValueError,
         "expected 1 output, but got 3; set output to one of a₁⁽²⁾, a₂⁽²⁾, a₃⁽²⁾"),
        ((Value(1.0), "w", X), ValueError, "a node already holds its result and takes no input"),
        ((Value(1.0) * 2.0, "t"), ValueError, "no node 't' in the graph of the output, which has multiply, Value"),
        ((Value(1.0, name="y") * 2.0, "t"), ValueError, "no parameter t: y"),
        ((Value(1.0), 3), TypeError, "expected a parameter as a name or a node, but got"),
    ],
)  # fmt: skip
def test_errors_are_one_sentence(arguments: tuple[Any, ...], error: type[Exception], sentence: str) -> None:
    """The error says what was expected, what came and what to do."""
    with pytest.raises(error, match=re.escape(sentence)):
        explain(*arguments)


def test_a_neuron_and_a_users_own_network() -> None:
    """A callable that lists its parameters, by the notes' names or others, is enough."""
    assert present(explain(Neuron(2, scalar=True), "w2", [1.0, 2.0], check=True).check).verdict == "agrees"

    class Line:
        def __init__(self) -> None:
            self.slope = Value(0.5)

        def parameters(self) -> dict[str, Value]:
            return {"slope": self.slope}

        def __call__(self, x: float) -> Any:
            return self.slope * x

    assert explain(Line(), "slope", 3.0).gradient == 3.0
    with pytest.raises(ValueError, match="no parameter r₁: there are none"):
        explain(Line(), "r1", 3.0)

    class Listing(Line):  # as micrograd's Module does
        def parameters(self) -> Any:
            return [self.slope]

    with pytest.raises(ValueError, match="gives list, not a dict by name, and no node is called 'W1'"):
        explain(Listing(), "W1", 3.0)
    net = Listing()
    net.slope.name = "W1"
    assert explain(net, "W1", 3.0).gradient == 3.0


def test_networks_of_plain_data_are_refused() -> None:
    """Both the output and the parameter must be nodes."""

    class Line:
        def parameters(self) -> dict[str, float]:
            return {"slope": 0.5}

        def __call__(self, x: Any) -> Any:
            return x * 0.5

    with pytest.raises(TypeError, match="expected the output as a Value or Tensor, but got"):
        explain(Line(), "slope", 3.0)
    with pytest.raises(ValueError, match="slope is plain data in this network; pass a network of Values or Tensors"):
        explain(Line(), "slope", Value(3.0))


def test_a_recurrent_network_has_a_share_for_every_step() -> None:
    """Superscripts are time steps: no layers, no shapes of layers; the shares of the steps add up."""
    network, x = Recurrent(1, 1, scalar=True), [[1.0], [0.5], [-1.0]]
    explanation = explain(network, "W11", x, output="s1(3)", check=True)
    assert present(explanation.check).verdict == "agrees"
    assert explanation.explicit == pytest.approx(explanation.gradient, rel=1e-12)
    shares = [edge.share for edge in explanation.flow.shares]
    assert len(shares) == 3
    assert sum(shares) == pytest.approx(explanation.gradient, rel=1e-12)
    assert "layer" not in explanation.text()
    assert facts(explanation)["kind"] == "a weight shared by all time steps: the shares of the steps add up"
    assert facts(explanation)["forwarded to"] == "z₁⁽¹⁾, z₁⁽²⁾, z₁⁽³⁾"
    assert "Shapes" not in headings(explanation)
    hidden = explain(network, "h1(3)", x, output="s1(3)").flow.parameter.value
    assert explain(network, "U1,1", x, output="s1(3)").gradient == hidden
    with pytest.raises(ValueError, match="expected 1 output, but got 3; set output to one of s₁⁽¹⁾, s₁⁽²⁾, s₁⁽³⁾"):
        explain(network, "W11", x)


def test_one_of_several_outputs() -> None:
    """By its name, of Tensors too."""
    tensors = explain(Network((2, 3)), "W21(1)", [1.0, 2.0], output="a2(2)")
    assert tensors.gradient == explain(Network((2, 3), scalar=True), "W21(1)", [1.0, 2.0], output="a2(2)").gradient
    network = Network((2, 3), scalar=True)
    explanation = explain(network, "W21(1)", [1.0, 2.0], output="a2(2)")
    assert explanation.flow.output.label == "a₂⁽²⁾"
    assert explanation.gradient is not None
    with pytest.raises(ValueError, match="no node a9"):
        explain(network, "W21(1)", [1.0, 2.0], output="a9(2)")
