"""The recurrent language model: beside loops by hand, torch, and itself in other kinds; its training in stretches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn
from autodiff.testing import check_gradients
from nn.parameters.blocks import numbers

X, Y = [0, 3, 1, 1, 2], [3, 1, 1, 2, 0]


def model(**options: Any) -> nn.RecurrentLM:
    """Four symbols, three units; weights and biases that differ."""
    random = np.random.default_rng(4)
    net = nn.RecurrentLM(4, 3, random=random, **options)
    net.load({key: random.normal(size=block.shape) / 2 for key, block in net.state().items()})
    return net


def by_hand(state: dict[str, np.ndarray], h: np.ndarray, f: Any = np.tanh) -> tuple[float, list[np.ndarray]]:
    """J in nats and the states, one step after the other."""
    zero = {"b_h": np.zeros(3), "b_S": np.zeros(4)}
    W, V, b, U, c = ((zero | state)[key] for key in ("W_hh", "W_hx", "b_h", "W_S", "b_S"))
    J, states = 0.0, []
    for x, y in zip(X, Y, strict=True):
        h = f(W @ h + V[:, x] + b)
        s = U @ h + c
        J += np.log(np.sum(np.exp(s))) - s[y]
        states.append(h)
    return J / len(X), states


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("start", ["zero", "learned"])
@pytest.mark.parametrize(("activation", "f"), [("tanh", np.tanh), ("relu", lambda z: np.maximum(z, 0.0))])
def test_the_loss_by_hand(bias: bool, start: str, activation: str, f: Any) -> None:
    """Of Tensors, of Values and of plain numbers; h₀ is 0, learned or given."""
    net = model(bias=bias, start=start, activation=activation)
    state = net.state()
    expected, states = by_hand(state, state.get("h", np.zeros(3)), f)
    for kind in (net, net.scalar(), net.plain()):
        assert float(numbers(kind.loss(X, Y))) == pytest.approx(expected, rel=1e-14)
    np.testing.assert_allclose(net.plain().states(X), states, rtol=1e-14)
    given = np.array([0.5, -0.25, 1.0])
    assert float(net.loss(X, Y, start=given).data) == pytest.approx(by_hand(state, given, f)[0], rel=1e-14)
    bits = net.loss(X, Y, unit="bits")
    assert bits.name == "J (bits)"
    assert float(bits.data) == pytest.approx(expected / np.log(2.0), rel=1e-14)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_values_and_tensors_have_the_same_gradients(activation: str) -> None:
    """To the last few bits, for one sequence and for two."""
    net = model(start="learned", activation=activation)
    for ids, targets in ((X, Y), ([X, Y], [Y, X])):
        tensors, values = net.tensor(), net.scalar()
        tensors.loss(ids, targets).backward()
        values.loss(ids, targets).backward()
        for name, block in tensors.blocks().items():
            found = np.array([value.grad or 0.0 for value in values.blocks()[name].flat]).reshape(block.shape)
            np.testing.assert_allclose(found, block.grad, rtol=1e-13, atol=1e-15)


def test_gradients_to_the_second_order() -> None:
    """By independent derivatives, in every parameter at once: the recurrence as one node, and its way back as one."""
    net = model(start="learned")
    names = [*net.blocks()]

    def objective(*blocks: Any) -> Any:
        given = dict(zip(names, blocks, strict=True))
        return net._kept_as(lambda _, name: given[name]).loss([X[:3], Y[:3]], [Y[:3], X[:3]])

    assert check_gradients(objective, *net.state().values(), order=2)


def test_gradients_against_torch() -> None:
    """torch.nn.RNN and its cross-entropy, two sequences, with biases and a start."""
    torch = pytest.importorskip("torch")
    net = model(start="learned")
    blocks = {name.letter: torch.tensor(block.data.copy(), requires_grad=True) for name, block in net.blocks().items()}
    peer = torch.nn.RNN(4, 3).double()
    ids, aims = torch.tensor([X, Y]), torch.tensor([Y, X])
    with torch.no_grad():
        for name, letter in (("weight_hh_l0", "W_hh"), ("weight_ih_l0", "W_hx"), ("bias_ih_l0", "b_h")):
            getattr(peer, name).copy_(blocks[letter])
        peer.bias_hh_l0.zero_()
    one_hot = torch.nn.functional.one_hot(ids.T, 4).double()
    h, _ = peer(one_hot, blocks["h"].expand(1, 2, 3))
    J = torch.nn.functional.cross_entropy((h @ blocks["W_S"].T + blocks["b_S"]).reshape(-1, 4), aims.T.reshape(-1))
    J.backward()
    ours = net.loss([X, Y], [Y, X])
    ours.backward()
    assert float(ours.data) == pytest.approx(J.item(), rel=1e-12)
    found = {name.letter: block.grad for name, block in net.blocks().items()}
    for letter, grad in (
        ("W_hh", peer.weight_hh_l0.grad), ("W_hx", peer.weight_ih_l0.grad), ("b_h", peer.bias_ih_l0.grad),
        *((letter, blocks[letter].grad) for letter in ("W_S", "b_S", "h")),
    ):  # fmt: skip
        np.testing.assert_allclose(found[letter], grad.numpy(), rtol=1e-12, atol=1e-15)


def test_many_symbols_are_looked_up() -> None:
    """Beyond 256 symbols the columns of W_hx are looked up; the same numbers as by one-hot vectors."""
    net = nn.RecurrentLM(300, 3)
    ids = np.array([[299, 0, 7], [7, 7, 1]])
    states = net.states(ids)
    one_hot = np.eye(300)[ids[0]] @ net.state()["W_hx"].T
    np.testing.assert_allclose(states.data[0, 0], np.tanh(one_hot[0]), rtol=1e-14)
    states.sum().backward()
    columns = np.abs(net.parameter("W_hx").grad).sum(axis=0) > 0
    assert [*np.flatnonzero(columns)] == [0, 1, 7, 299]


def test_names_tell_the_step() -> None:
    """As in the notes, the weights by their letters below; only the 1 of a one-hot vector is a node."""
    J = model(scalar=True, start="learned").loss(X, Y)
    names = {node.name for node in ad.topological(J)}
    assert {"W_hh₁,₂", "W_hx₃,₄", "W_S₄,₁", "b_h₁", "b_S₂", "h₁", "x₄⁽²⁾", "z₃⁽⁵⁾", "h₂⁽¹⁾", "s₄⁽³⁾"} <= names
    assert model(scalar=True).parameter("W_{hh}1,2").name == "W_hh₁,₂"


def test_a_saved_model_is_made_anew(tmp_path: Path) -> None:
    """With its start, its units and its kind of parameters."""
    for net in (model(start="learned", activation="relu"), model(bias=False, scalar=True)):
        net.save(tmp_path / "net.npz")
        again = nn.load(tmp_path / "net.npz")
        assert repr(again) == repr(net)
        np.testing.assert_array_equal(again.plain()(X), net.plain()(X))


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (lambda: model()([0, 4]), ValueError, r"ids must be in 0 … 3, and got 0 … 4"),
        (lambda: model()([0.5]), TypeError, r"integer ids from 0, and got .*see nn.Vocabulary"),
        (lambda: model()([]), TypeError, "integer ids"),
        (lambda: model()(np.zeros((0, 2), int)), ValueError, r"with at least one step, and got \(0, 2\)"),
        (lambda: model()(3), ValueError, r"ids must have shape"),
        (lambda: model().loss(X, Y[:2]), ValueError, r"a target for each step: ids \(5,\), targets \(2,\)"),
        (lambda: model()(X, start=np.zeros(2)), ValueError, r"h₀ must have shape \(3,\)"),
        (lambda: nn.RecurrentLM(4, 3, start="given"), ValueError, "must be 'zero' or 'learned'"),
        (lambda: nn.RecurrentLM(4, 3, bias=1),  # type: ignore[arg-type]
         TypeError, "bias must be True or False"),
        (lambda: nn.RecurrentLM(0, 3), ValueError, "the number of symbols must be at least 1"),
        (lambda: ad.recurrence(np.eye(2), np.zeros((3, 3)), np.zeros(2)), ValueError, "needs W of shape"),
        (lambda: nn.sequences([0, 1, 2], 3), ValueError, "at least 4 symbols"),
        (lambda: nn.Vocabulary("ab").ids("abc"), ValueError, "'c' is not among the 2 symbols"),
        (lambda: nn.perplexity(-1.0), ValueError, "at least 0"),
        (lambda: nn.perplexity(1.0, unit="digits"), ValueError, "'nats' or 'bits'"),
        (lambda: nn.draw_symbol([0.0], 7),  # type: ignore[arg-type]
         TypeError, "must be a NumPy generator"),
        (lambda: nn.draw_symbol([0.0], np.random.default_rng(0), temperature=-1.0), ValueError, "temperature"),
        (lambda: nn.Carried(nn.Batches(X, size=1, random=np.random.default_rng(0))), TypeError, "random order"),
    ],
)
def test_wrong_calls_are_refused(call: Any, kind: type[Exception], said: str) -> None:
    """With what is expected, and what came."""
    with pytest.raises(kind, match=said):
        call()


# ---- training in stretches -------------------------------------------------------------------------------------------

TEXT = "the cat sat on the mat. the rat sat on the cat. " * 3


def training(seed: int = 0) -> tuple[nn.RecurrentLM, dict[str, Any]]:
    """The parts of a run on two streams of a small text."""
    vocabulary = nn.Vocabulary(TEXT)
    net = nn.RecurrentLM(len(vocabulary), 8, random=np.random.default_rng(seed))
    x, y = nn.sequences(vocabulary.ids(TEXT), 6, streams=2)
    batches = nn.Batches(x, y, size=2, random=None)
    optimizer = nn.AdaGrad(net, rate=0.1, clip=5.0)
    return net, {"optimizer": optimizer, "batches": batches, "carried": nn.Carried(batches)}


def run(net: nn.RecurrentLM, parts: dict[str, Any], steps: int) -> list[float]:
    """J of so many steps."""
    stream = nn.fit(net, parts["carried"], parts["batches"], optimizer=parts["optimizer"], steps=steps)
    return [step.J for step in stream]


def test_a_resumed_run_has_the_same_bits(tmp_path: Path) -> None:
    """Saved in the middle of an epoch, with the state that is carried on."""
    net, parts = training()
    whole = run(net, parts, 35)
    first, half = training()
    begun = run(first, half, 17)
    nn.save(tmp_path / "run.npz", model=first, **half)
    second, rest = training(seed=1)
    nn.resume(tmp_path / "run.npz", model=second, **rest)
    assert begun + run(second, rest, 18) == whole
    assert whole[-1] < whole[0] / 2
    for key, block in net.state().items():
        np.testing.assert_array_equal(second.state()[key], block)


def test_the_state_goes_on_and_the_error_does_not() -> None:
    """Stretch by stretch, J is that of the whole text, until the epoch begins again."""
    net, parts = training()
    vocabulary, plain = nn.Vocabulary(TEXT), net.plain()
    parts["optimizer"].rate = 1e-300
    J = run(net, parts, len(parts["batches"]) + 1)
    streams = np.split(vocabulary.ids(TEXT)[: 2 * 6 * len(parts["batches"])], 2)
    ends = [stream[: 6 * len(parts["batches"])] for stream in streams]
    targets = vocabulary.ids(TEXT)[1:]
    aims = [targets[k * len(ends[0]) : (k + 1) * len(ends[0])] for k in (0, 1)]
    assert np.mean(J[:-1]) == pytest.approx(plain.loss(ends, aims), rel=1e-12)
    assert J[-1] == J[0]


def test_the_loss_of_a_text_carries_its_state_on() -> None:
    """Computed in parts, as if it were one sequence."""
    net, ids = model(), np.random.default_rng(0).integers(0, 4, 1203)
    assert nn.text_loss(net, ids) == pytest.approx(float(net.plain().loss(ids[:-1], ids[1:])), rel=1e-13)


# ---- samples and counts ----------------------------------------------------------------------------------------------


def test_samples_follow_the_probabilities() -> None:
    """Within four standard deviations; sharper when it is cold, and only the k likeliest if asked."""
    s, random = np.array([1.0, 0.0, 2.0, -1.0]), np.random.default_rng(5)

    def shares(**options: Any) -> np.ndarray:
        return np.bincount([nn.draw_symbol(s, random, **options) for _ in range(500)], minlength=4) / 500

    for tau in (1.0, 0.5):
        p = np.exp(s / tau) / np.exp(s / tau).sum()
        assert np.all(np.abs(shares(temperature=tau) - p) < 4 * np.sqrt(p / 500))
    p = np.array([np.e, 0.0, np.e**2, 0.0]) / (np.e + np.e**2)
    assert np.all(np.abs(shares(top_k=2) - p) <= 4 * np.sqrt(p / 500))
    assert {nn.draw_symbol(s, random, temperature=tau) for tau in (0.0, 1e-320) for _ in range(9)} == {2}


def test_a_sample_step_by_step() -> None:
    """At temperature 0, each symbol is the likeliest after all before it; the same generator draws the same text."""
    net = model()
    drawn = nn.generate(net, 6, random=np.random.default_rng(0), prompt=[1, 2], temperature=0.0)
    text = [1, 2, *drawn]
    for k in range(2, 8):
        assert text[k] == np.argmax(net.plain()(text[:k])[-1])
    two = [nn.generate(net, 9, random=np.random.default_rng(3)).tolist() for _ in range(2)]
    assert two[0] == two[1]


def test_ngrams_by_hand() -> None:
    """Counts with the shorter context as prior; probabilities sum to 1, and an unknown context is the shorter one."""
    text, lam = [0, 1, 0, 2, 0, 1], 0.5
    two = nn.NGrams(text, 2, symbols=3, prior=lam)
    single = (np.bincount(text) + lam / 3) / (len(text) + lam)
    np.testing.assert_allclose(two.probabilities([]), single, rtol=1e-14)
    np.testing.assert_allclose(two.probabilities([2, 0]), (np.array([0, 2, 1]) + lam * single) / (3 + lam), rtol=1e-14)
    three = nn.NGrams(text, 3, symbols=3, prior=lam)
    np.testing.assert_array_equal(three.probabilities([2, 2]), two.probabilities([2]))
    expected = -np.mean([np.log(three.probabilities(text[:t])[text[t]]) for t in range(1, len(text))])
    assert three.loss(text) == pytest.approx(expected, rel=1e-14)
    assert nn.generate(three, 5, random=np.random.default_rng(0)).shape == (5,)


def test_a_vocabulary_of_words_and_stretches() -> None:
    """The frequent first; rare words share one id; stretches continue each other stream by stream."""
    words = nn.Vocabulary("to be or not to be, that", words=True, most=3)
    assert words.symbols == ("be", "to", words.unknown)
    assert words.ids("to that to").tolist() == [1, 2, 1]
    x, y = nn.sequences(np.arange(26), 4, streams=3)
    assert x[:3].tolist() == [[0, 1, 2, 3], [8, 9, 10, 11], [16, 17, 18, 19]]
    np.testing.assert_array_equal(y, x + 1)
    np.testing.assert_array_equal(x[3:, 0], x[:3, -1] + 1)


def test_perplexity_in_its_unit() -> None:
    """e^J in nats, 2^J in bits: the same number, and V for a model that knows nothing."""
    net = nn.RecurrentLM(64, 2, init=lambda random, n, m: np.zeros((m, n)))
    J, bits = net.loss(X, Y), net.loss(X, Y, unit="bits")
    assert nn.perplexity(J) == pytest.approx(64.0, rel=1e-13)
    assert nn.perplexity(bits, unit="bits") == pytest.approx(64.0, rel=1e-13)
