"""The window scorer and its objective: the notes' sizes and formulas, word vectors that learn, and both forms."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autodiff as ad
import nn
from autodiff import Tensor, Value
from autodiff.engine.backward import backpropagate
from autodiff.engine.graph import topological


def generator(seed: int = 0) -> np.random.Generator:
    """A generator of its own."""
    return np.random.default_rng(seed)


def lively(
    words: int = 9, dimensions: int = 4, window: int = 5, hidden: int = 8, *, seed: int = 0, **options: Any
) -> nn.WindowScorer:
    """A scorer whose biases are not zero either."""
    random = generator(seed)
    scorer = nn.WindowScorer(random.normal(size=(words, dimensions)), window, hidden, random=random, **options)
    scorer.load({key: random.normal(size=array.shape) * 0.5 for key, array in scorer.state().items()})
    return scorer


def message(kind: type[Exception], call: Callable[..., Any], *args: Any, **options: Any) -> str:
    """The text of the error that a call raises."""
    with pytest.raises(kind) as error:
        call(*args, **options)
    return str(error.value)


TRUE, CORRUPT = [1, 2, 3, 4, 5], [6, 7, 1, 3, 3]

# ---- the score -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scalar", [True, False])
def test_the_scorer_of_the_notes_has_176_parameters(scalar: bool) -> None:
    """20 inputs (5 words of 4 dimensions), 8 units: 160 + 8 + 8, besides the word vectors."""
    scorer = nn.WindowScorer(np.zeros((9, 4)), window=5, hidden=8, scalar=scalar)
    assert sum(item.size for name, item in scorer.parameters().items() if name.letter != "L") == 176
    assert {key: array.shape for key, array in scorer.state().items()} == {
        "L": (9, 4), "W(1)": (8, 20), "b(1)": (8,), "U": (8,),
    }  # fmt: skip
    x = [len(layer_input) for layer_input in [scorer.vectors(TRUE)]]
    assert x == [20]


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_score_is_the_formula_of_section_1_3(activation: str) -> None:
    """s = Uᵀ f(Wx + b), x the window's word vectors one after the other, in every form."""
    scorer = lively(activation=activation)
    L, W, b, U = scorer.state().values()
    z = W @ np.concatenate([L[word] for word in TRUE]) + b
    s = U @ {"sigmoid": 1 / (1 + np.exp(-z)), "tanh": np.tanh(z), "relu": np.maximum(z, 0)}[activation]
    for found in (scorer(TRUE).item(), scorer.scalar()(TRUE).data, scorer.predict(TRUE), scorer.scalar().predict(TRUE)):
        assert float(found) == pytest.approx(s, rel=1e-13)


def test_gradients_of_the_score_are_the_closed_forms() -> None:
    """∂s/∂U = a, δ = U ∘ a ∘ (1 − a), ∂s/∂W = δxᵀ, ∂s/∂b = δ, and Wᵀδ reaches the word vectors, slot by slot."""
    scorer = lively()
    L, W, b, U = scorer.state().values()
    x = np.concatenate([L[word] for word in CORRUPT])
    a = 1 / (1 + np.exp(-(W @ x + b)))
    delta = U * a * (1 - a)
    scorer(CORRUPT).backward()
    gradient = {str(name): item.grad for name, item in scorer.parameters().items()}
    np.testing.assert_allclose(gradient["U"], a, rtol=1e-13)
    np.testing.assert_allclose(gradient["b⁽¹⁾"], delta, rtol=1e-12)
    np.testing.assert_allclose(gradient["W⁽¹⁾"], np.outer(delta, x), rtol=1e-12)
    expected = np.zeros_like(L)
    for word, share in zip(CORRUPT, (W.T @ delta).reshape(5, 4), strict=True):
        expected[word] += share  # word 3 stands in the window twice
    np.testing.assert_allclose(gradient["L"], expected, rtol=1e-12, atol=1e-15)


@given(
    st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4)),
    st.sampled_from(["sigmoid", "tanh", "relu"]),
    st.integers(0, 2**32),
)
def test_both_forms_agree_to_the_last_bits(sizes: tuple[int, int, int, int], activation: str, seed: int) -> None:
    """J over a batch of pairs and all its gradients, word vectors too, are the same for Tensors and for Values."""
    words, dimensions, window, hidden = sizes
    scorer = lively(words, dimensions, window, hidden, activation=activation, seed=seed)
    values = scorer.scalar()
    true, corrupt = generator(seed).integers(0, words, (2, 3, window))
    objectives = [nn.max_margin(each(true), each(corrupt)) for each in (scorer, values)]
    for J in objectives:
        J.backward()
    assert objectives[1].data == pytest.approx(objectives[0].item(), rel=1e-12)
    whole = {(name.letter, name.layer): item.grad for name, item in scorer.parameters().items()}
    found = {key: np.zeros_like(array) for key, array in whole.items()}
    for name, item in values.parameters().items():
        found[name.letter, name.layer][tuple(index - 1 for index in name.indices)] = item.grad
    for key, gradient in whole.items():
        np.testing.assert_allclose(found[key], gradient, rtol=1e-12, atol=1e-13)


def test_batches_score_each_window() -> None:
    """Rows of ids give one score each; ready-made vectors go straight in; an empty batch has no scores."""
    scorer = lively()
    both = scorer([TRUE, CORRUPT])
    alone = [scorer(TRUE).item(), scorer(CORRUPT).item()]
    np.testing.assert_allclose(both.data, alone, rtol=1e-14)
    np.testing.assert_allclose([s.data for s in scorer.scalar()([TRUE, CORRUPT])], alone, rtol=1e-14)
    x = scorer.plain().vectors([TRUE, CORRUPT])
    np.testing.assert_allclose(scorer.score_vectors(x).data, alone, rtol=1e-14)
    assert scorer(np.zeros((0, 5), dtype=int)).shape == (0,)


# ---- names and word vectors ------------------------------------------------------------------------------------------


def test_names_of_the_scorer() -> None:
    """W₁₄⁽¹⁾, b₁⁽¹⁾, U₁, and L₂₃ for dimension 3 of the word with id 1; z, a and s of the corrupt window are marked."""
    scorer = nn.WindowScorer(np.zeros((9, 4)), 5, 8, scalar=True)
    s = scorer(TRUE)
    assert scorer.parameter("W14(1)") is scorer.layer.W[0, 3]
    assert scorer.parameter("b_1^(1)") is scorer.layer.b[0]
    assert scorer.parameter("U1") is scorer.U[0]
    assert scorer.parameter("L23") is scorer.L[1, 2]
    assert scorer.parameter("L23").name == "L₂₃"
    assert s.name == "s"
    computed = {node.name for node in topological(scorer(CORRUPT, suffix="ᶜ")) if not node.is_leaf}
    assert computed == {"sᶜ"} | {f"{letter}{i}⁽²⁾ᶜ" for letter in "za" for i in "₁₂₃₄₅₆₇₈"}
    assert [s.name for s in scorer([TRUE, CORRUPT])] == ["s₁", "s₂"]


def test_tensor_names_and_refused_entries() -> None:
    """Whole arrays have the notes' names; an entry of one is refused with the way to it, a wrong name with a list."""
    scorer = nn.WindowScorer(np.zeros((9, 4)), 5, 8)
    assert [str(name) for name in scorer.parameters()] == ["L", "W⁽¹⁾", "b⁽¹⁾", "U"]
    assert {node.name for node in topological(scorer(TRUE))} >= {"L", "z⁽²⁾", "a⁽²⁾", "s", "U"}
    text = message(ValueError, scorer.parameter, "U3")
    assert text.startswith("U₃ is one entry of U, and U is one Tensor here; use .scalar().parameter('U3')")
    assert message(ValueError, scorer.parameter, "V") == "no parameter V: layer 1 has W⁽¹⁾, b⁽¹⁾; L, U"


def test_words_become_values_when_a_window_has_them() -> None:
    """Only the words met are Values, each word once; the parameters list them, words in the order met."""
    scorer = nn.WindowScorer(generator().normal(size=(9, 2)), 3, 2, scalar=True)

    def words() -> list[str]:
        return [str(name) for name in scorer.parameters() if name.letter == "L"]

    assert words() == []
    scorer([4, 1, 4])
    assert words() == ["L₂₁", "L₂₂", "L₅₁", "L₅₂"]
    first = scorer.parameter("L51")
    x = scorer.vectors([4, 0, 4])
    assert x[0] is first
    assert x[4] is first
    assert words() == ["L₂₁", "L₂₂", "L₅₁", "L₅₂", "L₁₁", "L₁₂"]
    assert sum(isinstance(item, Value) for item in scorer.L.flat) == 6
    assert "; L₁₁ … L₅₂ (with gaps), U₁ … U₂" in message(ValueError, scorer.parameter, "L31")


def test_a_word_twice_in_a_window_gets_both_shares() -> None:
    """∂s/∂L of a repeated word is the sum over its places, in either form."""
    scorer = lively(hidden=2)
    values = scorer.scalar()
    scorer([3, 0, 3, 1, 3]).backward()
    values([3, 0, 3, 1, 3]).backward()
    L = scorer.parameter("L").grad
    np.testing.assert_allclose([values.parameter(f"L4{k}").grad for k in "1234"], L[3], rtol=1e-12)
    assert not L[[2, 4, 5, 6, 7, 8]].any()


@pytest.mark.parametrize("scalar", [True, False])
def test_training_moves_word_vectors_and_forms_keep_them(scalar: bool) -> None:
    """After a step the words met have new vectors, the others their old ones, also in the other form and in predict."""
    scorer = lively(scalar=scalar)
    before = scorer.state()["L"]
    descent = nn.SGD(scorer, rate=0.1)  # made before any word was met
    nn.max_margin(scorer(TRUE), scorer(CORRUPT), margin=100.0).backward()
    descent.step()
    after = scorer.state()["L"]
    moved = np.any(after != before, axis=1)
    assert np.flatnonzero(moved).tolist() == sorted({*TRUE, *CORRUPT})
    for other in (scorer.scalar(), scorer.tensor(), scorer.plain()):
        assert np.array_equal(other.state()["L"], after)
        assert float(other.predict(TRUE)) == pytest.approx(scorer(TRUE).item(), rel=1e-14)


def test_the_embedding_is_copied() -> None:
    """Later writes to the array that was given change nothing."""
    embedding = np.ones((9, 4))
    scorers = [nn.WindowScorer(embedding, 5, 2, scalar=scalar) for scalar in (True, False)]
    embedding[:] = 7.0
    assert all((scorer.state()["L"] == 1.0).all() for scorer in scorers)


@pytest.mark.parametrize("scalar", [True, False])
def test_state_and_load(scalar: bool) -> None:
    """A state goes from any form to any other, to words met and not met; a wrong one changes nothing."""
    scorer, other = lively(seed=1), lively(seed=2, scalar=scalar)
    other(TRUE)
    other.load(scorer.state())
    assert float(other.predict(CORRUPT)) == float(scorer.predict(CORRUPT))
    assert other(TRUE).item() == pytest.approx(scorer(TRUE).item(), rel=1e-14)
    wrong = {**lively(seed=3).state(), "U": np.zeros(3)}
    assert "U has shape (8,), and in the state (3,)" in message(ValueError, other.load, wrong)
    assert float(other.predict(CORRUPT)) == float(scorer.predict(CORRUPT))


@pytest.mark.parametrize("scalar", [True, False])
def test_scorers_can_be_copied_and_pickled(scalar: bool) -> None:
    """A copy scores the same and shares no parameter."""
    scorer = lively(scalar=scalar)
    scorer(TRUE)
    for twin in (copy.deepcopy(scorer), pickle.loads(pickle.dumps(scorer))):
        assert float(twin.predict(TRUE)) == float(scorer.predict(TRUE))
        twin(TRUE).backward()
        assert all(item.grad is None for item in scorer.parameters().values())
        assert any(item.grad is not None for item in twin.parameters().values())


def test_the_same_seed_gives_the_same_scorer() -> None:
    """The generator decides all first weights; 0 is its seed where none is given."""
    default, zero, one = (
        nn.WindowScorer(np.ones((3, 2)), 3, 4, random=random) for random in (None, generator(0), generator(1))
    )
    assert np.array_equal(default.state()["U"], zero.state()["U"])
    assert not np.array_equal(default.state()["U"], one.state()["U"])
    assert repr(default) == "WindowScorer(3 words × 2, window=3, Layer(6, 4, sigmoid, number=1))"


# ---- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scalar", [True, False])
@pytest.mark.parametrize(
    ("ids", "kind", "text"),
    [
        ([1, 2, 3, 4], ValueError, "windows must have shape (5,) or (batch, 5), and got shape (4,)"),
        ([[[1, 2, 3, 4, 5]]], ValueError, "and got shape (1, 1, 5)"),
        (3, ValueError, "and got shape ()"),
        ([1, 2, 3, 4, 9], ValueError, "word ids must be in 0 … 8, and got 1 … 9; reserve an id for unknown"),
        ([1, 2, 3, 4, -1], ValueError, "word ids must be in 0 … 8, and got -1 … 4"),
        ([1.0, 2.0, 3.0, 4.0, 5.0], TypeError, "a window must consist of integer word ids, and got [1.0, 2.0"),
    ],
)
def test_refused_windows(scalar: bool, ids: Any, kind: type[Exception], text: str) -> None:
    """Another length, ids out of range (negative ones do not count from the end), and floats."""
    assert text in message(kind, nn.WindowScorer(np.zeros((9, 4)), 5, 8, scalar=scalar), ids)


@pytest.mark.parametrize(
    ("embedding", "window", "hidden", "kind", "text"),
    [
        (np.zeros(4), 5, 8, ValueError, "an embedding must have shape (V, d), one word vector of plain numbers per"),
        (np.zeros((0, 4)), 5, 8, ValueError, "an embedding must have shape (V, d)"),
        ([["a"]], 5, 8, TypeError, "an embedding takes real numbers"),
        (np.zeros((9, 4)), 0, 8, ValueError, "window must be at least 1, got 0"),
        (np.zeros((9, 4)), 5, 0, ValueError, "hidden must be at least 1, got 0"),
        (np.zeros((9, 4)), 2.5, 8, TypeError, "window must be a whole number, got 2.5"),
    ],
)
def test_refused_sizes(embedding: Any, window: float, hidden: int, kind: type[Exception], text: str) -> None:
    """The embedding is a matrix of numbers, window and hidden are counts."""
    assert text in message(kind, nn.WindowScorer, embedding, window, hidden)


def test_ready_made_vectors_of_another_length() -> None:
    """The layer names both lengths."""
    text = message(ValueError, nn.WindowScorer(np.zeros((9, 4)), 5, 8).score_vectors, np.zeros(19))
    assert text == "layer 1 takes 20 inputs, and got 19, shape (19,)"


# ---- the objective ---------------------------------------------------------------------------------------------------


def test_objective_of_one_pair_is_the_hinge_itself() -> None:
    """J = max(0, Δ + s_c − s) as one node, with ∂J/∂s = −1 and ∂J/∂s_c = 1 where it is active."""
    s, corrupt = Value(0.2), Value(0.5)
    J = nn.max_margin(s, corrupt)
    assert J.data == 1.0 + 0.5 - 0.2
    assert (J.name, J.primitive.name) == ("J", "hinge")
    assert J.inputs == (s, corrupt)
    signals = backpropagate(J)
    assert (signals[s], signals[corrupt]) == (-1.0, 1.0)


@pytest.mark.parametrize(("score", "margin"), [(2.0, 1.0), (1.0, 1.0), (0.25, 0.25)])
def test_nothing_is_learned_where_the_margin_is_met(score: float, margin: float) -> None:
    """J = 0 has zero gradients, at the kink Δ + s_c − s = 0 too: zero, which is not "not reached"."""
    for s, corrupt in ((Value(score), Value(0.0)), (Tensor(score), Tensor(0.0)), (Tensor([score]), Tensor([0.0]))):
        J = nn.max_margin(s, corrupt, margin=margin)
        J.backward()
        assert J.item() == 0.0
        assert float(np.ravel(s.grad)[0]) == 0.0
        assert float(np.ravel(corrupt.grad)[0]) == 0.0


def test_objective_is_summed_over_windows() -> None:
    """J of a batch adds its pairs: some active, some not, one at the kink."""
    s, corrupt = [0.2, 3.0, 1.5, -1.0], [0.5, 0.1, 0.5, 1.0]
    tensors = Tensor(s), Tensor(corrupt)
    values = [np.array([Value(item) for item in side], dtype=object) for side in (s, corrupt)]
    for scores, corrupts in (tensors, values, map(list, values)):
        J = nn.max_margin(scores, corrupts)
        assert J.item() == pytest.approx(1.3 + 3.0, rel=1e-15)
        J.backward()
    assert tensors[0].grad.tolist() == [-1.0, 0.0, 0.0, -1.0]
    assert tensors[1].grad.tolist() == [1.0, 0.0, 0.0, 1.0]
    assert [item.grad for item in values[0]] == [-2.0, 0.0, 0.0, -2.0]  # the same Values took part twice
    assert float(nn.max_margin(np.array(s), np.array(corrupt))) == pytest.approx(4.3, rel=1e-15)
    assert nn.max_margin(0.2, 0.5) == pytest.approx(1.3, rel=1e-15)


@pytest.mark.parametrize("scalar", [True, False])
def test_the_flows_of_both_windows_add_up(scalar: bool) -> None:
    """∂J/∂θ = −∂s/∂θ + ∂s_c/∂θ for every parameter: W, b and U are the same in both windows."""
    scorer = lively(scalar=scalar)
    parameters = [scorer(TRUE), scorer(CORRUPT)] and scorer.parameters()
    J, s, corrupt = (
        ad.gradients(output, parameters)
        for output in (nn.max_margin(scorer(TRUE), scorer(CORRUPT), margin=50.0), scorer(TRUE), scorer(CORRUPT))
    )
    assert isinstance(parameters, dict)
    assert J.keys() == parameters.keys()
    for name, found in J.items():
        parts = [0.0 if part is None else part for part in (s[name], corrupt[name])]
        np.testing.assert_allclose(found, parts[1] - parts[0], rtol=1e-12, atol=1e-15, err_msg=str(name))


def test_refused_objectives() -> None:
    """Shapes that differ never broadcast, and the margin is a positive number."""
    assert message(ValueError, nn.max_margin, Tensor([1.0, 2.0]), Tensor([[1.0], [2.0]])) == (
        "each true window needs one corrupt window, and got scores of shape (2,) and corrupt scores of shape (2, 1)"
    )
    assert "got scores of shape () and corrupt scores of shape (3,)" in message(
        ValueError, nn.max_margin, Value(1.0), np.zeros(3)
    )
    for margin in (0.0, -1.0, math.nan, math.inf):
        assert "must be a positive finite number" in message(ValueError, nn.max_margin, 1.0, 0.0, margin=margin)
    for wrong in ("1", None, True, Value(1.0)):
        assert "the margin must be a positive number" in message(TypeError, nn.max_margin, 1.0, 0.0, margin=wrong)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("scalar", [False, True])
def test_an_embedding_is_finite(wrong: float, scalar: bool) -> None:
    """One number that is not finite is refused with its word: every score with the word would be nan."""
    with pytest.raises(ValueError, match=f"an embedding must be finite, and the vector of word 1 has {wrong}"):
        nn.WindowScorer([[0.0, 1.0], [wrong, 2.0]], 1, 1, scalar=scalar)
