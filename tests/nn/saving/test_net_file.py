"""``net.save`` and ``nn.load``: the net made anew, and nothing in a file run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from autodiff import Tensor, Value
from nn.modules.architecture import block_kinds
from nn.saving.archive import encoded
from tests.nn.saving.parts import bits


def scorer(*, scalar: bool) -> nn.WindowScorer:
    """A window scorer that has met two of its four words."""
    net = nn.WindowScorer(np.arange(8.0).reshape(4, 2), window=2, hidden=2, activation="tanh", scalar=scalar)
    net([2, 1])
    return net


def nets(*, scalar: bool) -> dict[str, Any]:
    """One of each class."""
    return {
        "neuron": nn.Neuron(2, activation="relu", scalar=scalar),
        "layer": nn.Layer(2, 3, number=4, activation="softplus", scalar=scalar),
        "network": nn.Network((2, 3, 1), activation="tanh", scalar=scalar),
        "nested": nn.Network.of(nn.Network((2, 3), scalar=scalar), nn.Layer(3, 1, number=2, scalar=scalar)),
        "recurrent": nn.Recurrent(2, 3, 2, activation="relu", scalar=scalar),
        "scorer": scorer(scalar=scalar),
    }


NETS = {
    **nets(scalar=False),
    **{f"{name} of Values": net for name, net in nets(scalar=True).items()},
    **{f"plain {name}": net.plain() for name, net in nets(scalar=False).items()},
    "layer of float32": nn.Layer.of(
        Tensor(np.ones((1, 2), dtype=np.float32), name="W⁽¹⁾"), Tensor(np.ones(1, dtype=np.float32), name="b⁽¹⁾")
    ),
    "layer of both kinds": nn.Layer.of(Tensor(np.ones((1, 2))), np.ones(1)),
}


def outputs(net: Any) -> Any:
    """What a net gives for some input, in bits."""
    given = {nn.WindowScorer: [[1, 3], [2, 0]], nn.Recurrent: [[1.0, 2.0], [0.5, -1.0]]}.get(type(net), [1.0, -2.0])
    made = net.plain()(given)
    return [np.asarray(item).tobytes() for item in (made if isinstance(made, tuple) else [made])]


def described(net: Any) -> list[Any]:
    """Names, kinds, types and shapes of the parameters."""
    return [
        (str(name), type(item), getattr(item, "name", None), np.asarray(getattr(item, "data", item)).dtype, item.shape)
        for name, item in net.parameters().items()
    ]


@pytest.mark.parametrize("name", NETS)
def test_a_net_is_made_anew(name: str, tmp_path: Path) -> None:
    """Class, numbers, activations, kinds and names of parameters; what it gives and what it can learn."""
    net = NETS[name]
    net.save(tmp_path / "net.npz")
    twin = nn.load(tmp_path / "net.npz")
    assert type(twin) is type(net)
    assert repr(twin) == repr(net)
    assert bits(twin.state()) == bits(net.state())
    assert block_kinds(twin.blocks()) == block_kinds(net.blocks())
    assert outputs(twin) == outputs(net)
    if not name.startswith("plain") and name != "layer of both kinds":
        assert described(twin) == described(net)
        twin.load({key: array + 1.0 for key, array in twin.state().items()})
        assert bits(twin.state()) != bits(net.state())


class Mine(nn.Layer):
    """A class of someone's own."""


class Lookalike:
    """An activation that has the name of another."""

    name = "relu"

    def __call__(self, z: Any) -> Any:
        """Not relu."""
        return z


def test_what_a_file_cannot_hold_is_refused(tmp_path: Path) -> None:
    """The sentence says what to do instead; no file is written."""
    path = tmp_path / "net.npz"
    advice = r"use nn\.save\(path, model=net\), and nn\.resume\(path, model=net\) with a net that your code made$"
    shared = Tensor(np.ones((2, 2)))
    twice = nn.Network.of(nn.Layer.of(shared, [0.0, 0.0]), nn.Layer.of(shared, [0.0, 0.0], number=2))
    mixed = np.array([[Value(1.0), 2.0]], dtype=object)
    refused: list[tuple[Any, type[Exception], str]] = [
        (Mine(2, 2), TypeError, r"^a file can hold one of Attention, Dropout, GRU, .*, WindowScorer, and got .*"),
        (nn.Network.of(Mine(2, 2)), TypeError, r"whose class it cannot; "),
        (nn.Layer(2, 1, activation=np.tanh), ValueError, r"^a file holds an activation by its name .* has none; "),
        (nn.Recurrent(2, 1, activation=lambda z: z), ValueError, r"has none; "),
        (nn.Neuron(2, activation=Lookalike()), ValueError, r"has none; "),
        (twice, ValueError, r"^a parameter stands in two places of this net, which a file cannot hold; "),
        (nn.Layer.of(mixed, [0.0]), ValueError, r"W⁽¹⁾ mixes Values and plain numbers, which a file cannot hold; "),
    ]
    for net, kind, message in refused:
        with pytest.raises(kind, match=message + advice):
            net.save(path)
    with pytest.raises(ValueError, match=r"^b\(1\) holds a number that is not finite; nothing was saved$"):
        nn.Layer.of([[1.0]], [np.inf]).save(path)
    assert not path.exists()


def test_nets_of_ones_own_are_resumed_in_code(tmp_path: Path) -> None:
    """As the sentence says."""
    net, other = Mine(2, 2), Mine(2, 2, random=np.random.default_rng(1))
    nn.save(tmp_path / "run.npz", model=net)
    nn.resume(tmp_path / "run.npz", model=other)
    assert bits(other.state()) == bits(net.state())
    with pytest.raises(ValueError, match=r"run\.npz holds a run with model; .* nn\.resume\(path, model=…\)$"):
        nn.load(tmp_path / "run.npz")


# ---- hostile files ---------------------------------------------------------------------------------------------------


LAYER = {"class": "Layer", "activation": "sigmoid", "number": 1}
KINDS = {"W(1)": "Tensor", "b(1)": "Tensor"}
ARRAYS = {"W(1)": np.ones((1, 2)), "b(1)": np.ones(1)}


def forged(path: Path, architecture: Any, kinds: Any = KINDS, arrays: Any = ARRAYS, **about: Any) -> Path:
    """A file with a right checksum and any contents."""
    says = {
        "kind": "net", "version": 1, "written_by": {}, "parts": {"model": "Layer"},
        "extra": {"architecture": architecture, "blocks": kinds}, **about,
    }  # fmt: skip
    model = {f"model/{key}": array for key, array in arrays.items()}
    path.write_bytes(encoded({"about": np.array(json.dumps(says)), **model}))
    return path


def nested(depth: int) -> Any:
    """Networks in networks."""
    data: Any = LAYER
    for _ in range(depth):
        data = {"class": "Network", "layers": [data]}
    return data


RECURRENT = {"class": "Recurrent", "activation": "tanh"}
SCORER = {"class": "WindowScorer", "layer": LAYER, "window": 1, "words": []}
FLOATS = {"L": "floats", **KINDS, "U": "Tensor"}
WORDS = {"L": np.ones((3, 2)), **ARRAYS, "U": np.ones(1)}
HOSTILE: list[tuple[Any, Any, Any]] = [
    (None, KINDS, ARRAYS),
    ([], KINDS, ARRAYS),
    ({**LAYER, "class": "os.system"}, KINDS, ARRAYS),
    ({**LAYER, "class": "Module"}, KINDS, ARRAYS),
    ({**LAYER, "class": ["Layer"]}, KINDS, ARRAYS),
    ({**LAYER, "activation": "exec"}, KINDS, ARRAYS),
    ({**LAYER, "activation": "__class__"}, KINDS, ARRAYS),
    ({**LAYER, "activation": {"relu": 1}}, KINDS, ARRAYS),
    ({**LAYER, "number": True}, KINDS, ARRAYS),
    ({**LAYER, "number": -1}, KINDS, ARRAYS),
    ({**LAYER, "number": 2}, KINDS, ARRAYS),
    ({"class": "Network", "layers": []}, KINDS, ARRAYS),
    ({"class": "Network", "layers": [LAYER, LAYER]}, KINDS, ARRAYS),
    ({"class": "Network", "layers": LAYER}, KINDS, ARRAYS),
    (nested(400), KINDS, ARRAYS),
    (LAYER, {}, ARRAYS),
    (LAYER, {**KINDS, "b(1)": "eval"}, ARRAYS),
    (LAYER, {**KINDS, "b(1)": []}, ARRAYS),
    (LAYER, ["W(1)", "b(1)"], ARRAYS),
    (LAYER, {**KINDS, "U": "Tensor"}, {**ARRAYS, "U": np.ones(1)}),
    (LAYER, KINDS, {**ARRAYS, "b(1)": np.ones(2)}),
    (LAYER, KINDS, {**ARRAYS, "b(1)": np.array([np.nan])}),
    (LAYER, KINDS, {**ARRAYS, "b(1)": np.array(["x"])}),
    (LAYER, {"W(1)": "Tensor", "!": "Tensor"}, {"W(1)": np.ones((1, 2)), "!": np.ones(1)}),
    ({"class": "Neuron", "activation": "relu"}, {"w": "numbers", "b": "numbers"}, {"w": np.ones(2), "b": np.ones(1)}),
    (RECURRENT, dict.fromkeys("WVU", "Tensor"), {"W": np.ones((2, 3)), "V": np.ones((2, 1)), "U": np.ones((1, 2))}),
    (RECURRENT, dict.fromkeys("WVU", "Tensor"), dict.fromkeys("WVU", np.array(1.0))),
    ({**SCORER, "window": 2}, FLOATS, WORDS),
    ({**SCORER, "window": 0}, FLOATS, WORDS),
    ({**SCORER, "words": [3]}, FLOATS, WORDS),
    ({**SCORER, "words": [0]}, {**FLOATS, "L": "Tensor"}, WORDS),
    ({**SCORER, "layer": None}, FLOATS, WORDS),
    ({**SCORER, "layer": {"class": "Network", "layers": [LAYER]}}, FLOATS, WORDS),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_forged_file_makes_no_net(number: int, tmp_path: Path) -> None:
    """Its checksum is right, so each name and number in it is checked; the sentence names the file."""
    path = forged(tmp_path / "net.npz", *HOSTILE[number])
    with pytest.raises(ValueError, match=r"^\S*net\.npz holds no net that this autodiff can make: .") as caught:
        nn.load(path)
    assert "\n" not in str(caught.value)


def test_the_forgery_itself_is_right(tmp_path: Path) -> None:
    """What the others differ from in one place; and nets may be nested some times."""
    for architecture in (LAYER, nested(20)):
        assert nn.load(forged(tmp_path / "net.npz", architecture))([1.0, 1.0]).shape == (1,)
    assert nn.load(forged(tmp_path / "net.npz", SCORER, FLOATS, WORDS)).predict([0]).shape == ()


@pytest.mark.parametrize("load", [nn.load, nn.contents, lambda path: nn.resume(path, model=nn.Layer(2, 1))])
def test_a_later_version_is_one_sentence(load: Any, tmp_path: Path) -> None:
    """Also if it has another kind of checksum."""
    path = forged(tmp_path / "net.npz", LAYER, version=2, written_by={"autodiff": "9.0"})
    with np.load(path) as found:
        entries = {**found, "checksum": np.array("of another kind")}
    np.savez(path, **entries)
    with pytest.raises(ValueError, match=r"net\.npz is of version 2, written by autodiff 9\.0, .* update autodiff$"):
        load(path)


def test_dropout_goes_on_drawing_where_it_stopped(tmp_path: Path) -> None:
    dropout = nn.Dropout(0.5, random=np.random.Generator(np.random.Philox(3)))
    net = nn.Network((3, 6, 1), activation="leaky_relu(0.1)", dropout=dropout)
    net(np.ones(3))
    net.save(tmp_path / "net.npz")
    made = nn.load(tmp_path / "net.npz")
    assert repr(made) == repr(net)
    assert made(np.ones(3)).data.tobytes() == net(np.ones(3)).data.tobytes()
    net.plain().save(tmp_path / "plain.npz")
    assert nn.load(tmp_path / "plain.npz")(np.ones(3)).tobytes() == net.plain()(np.ones(3)).tobytes()
