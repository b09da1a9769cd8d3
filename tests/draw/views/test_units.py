"""Units that are alike, and terms of a sum over examples, are folded into boxes; the error still adds up."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import pytest

import autodiff as ad
from autodiff import Value
from autodiff.draw import Picture, see
from tests.draw.views.test_views import check_layout

ROWS = ((2.0, 3.0), (3.0, -1.0), (0.5, 1.0), (1.0, 1.0))


class Net:
    """A net of tanh or ReLU units, without names."""

    def __init__(self, *sizes: int, linear: bool = False) -> None:
        numbers = iter(0.37 * (k % 7) - 1.0 for k in range(1_000))
        self.layers = [[[Value(next(numbers)) for _ in range(n + 1)] for _ in range(m)] for n, m in pairwise(sizes)]
        self.linear = linear

    def __call__(self, x: Any, activation: Any = ad.tanh) -> Any:
        for layer in self.layers:
            sums = [sum((w * item for w, item in zip(unit[1:], x, strict=True)), unit[0]) for unit in layer]
            x = sums if self.linear and layer is self.layers[-1] else [activation(total) for total in sums]
        return x[0]


@cache
def net() -> tuple[Net, Value, Value]:
    """A net, its output for one example, and its squared errors."""
    made = Net(2, 4, 4, 1)
    loss: Any = sum((made([Value(x), Value(y)]) - 1.0) ** 2 for x, y in ROWS)
    return made, made([Value(0.5), Value(-0.2)]), loss


def labels(what: Picture) -> list[str]:
    """The first texts of the boxes that represent several nodes."""
    return [box.label for box in what.boxes if box.kind == "fold"]


def check_shares(what: Picture) -> int:
    """The shares that arrive add up to the error of each box; returns in how many they are known."""
    check_layout(what)
    arriving: dict[str, list[Any]] = {}
    for wire in what.wires:
        if wire.lane == "error":
            arriving.setdefault(wire.head, []).append(wire.share)
    known = [box for box in what.boxes if box.id in arriving and None not in arriving[box.id]]
    for box in known:
        (error,) = (cell.number for row in box.rows for cell in row.cells if cell.role == "error")
        assert sum(arriving[box.id]) == pytest.approx(error, rel=1e-9)
    return len(known)


@pytest.mark.parametrize(("activation", "text"), [(ad.tanh, "tanh"), (ad.relu, "ReLU"), (ad.sigmoid, "σ")])
def test_a_net_is_drawn_by_its_neurons(activation: Any, text: str) -> None:
    """Nine boxes and two inputs, in the order of the calls; with unfold=True, every node."""
    x = [Value(0.5, name="first"), Value(-0.2, name="second")]
    output = net()[0](x, activation)
    what = see(output).picture
    assert labels(what) == 9 * [f"{text}(w·x + b)"]
    assert len(what.boxes) == 11
    assert len(what.wires) == 8 + 16 + 4
    assert what.captions[0].startswith(f"{len(ad.topological(output)) - 2} nodes are folded: units that are alike")
    assert len(see(output, unfold=True).picture.boxes) == len(ad.topological(output))
    names = [node.data for node in ad.topological(output) if not node.inputs and node.name is None]
    assert len(names) == 12 + 20 + 5


def test_names_of_weights_do_not_hinder_it_and_stand_in_the_tooltip() -> None:
    """names= says layers[0][1]; the box of that neuron says which weights it has, with their gradients."""
    made, output, _ = net()
    what = see(output, names={"net": made}).picture
    assert len(what.boxes) == 11
    for unit in (0, 3):
        hints = [box.hint for box in what.boxes if f"net.layers[0][{unit}][2] = " in box.hint]
        assert len(hints) == 1
        assert all(f"net.layers[0][{unit}][{k}] = " in hints[0] for k in range(3))


def test_a_linear_output_stays_as_it_is() -> None:
    """Its terms are products with a weight, no examples; without a bias nothing says b."""
    made = Net(2, 4, 4, 1, linear=True)
    assert labels(see(made([Value(0.5), Value(-0.2)])).picture) == 8 * ["tanh(w·x + b)"]
    x, y = Value(0.5), Value(0.2)
    bare = [ad.tanh(Value(0.1 * k) * x + Value(0.2) * y) for k in range(6)]
    assert labels(see(bare[0] * bare[1] * bare[2] * bare[3] * bare[4] * bare[5]).picture) == 6 * ["tanh(w·x)"]


def test_small_pictures_and_steps_one_after_another_are_not_folded() -> None:
    """Three neurons have less than 31 boxes; units of a chain are no layer."""
    assert labels(see(Net(2, 2, 1)([Value(0.5), Value(-0.2)])).picture) == []
    x = Value(0.5)
    for k in range(6):
        x = ad.tanh(Value(0.1 * k) * x + Value(0.2) * Value(0.3) + Value(0.1))
    assert labels(see(x).picture) == []


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_the_unit_of_the_parameter_is_drawn(layer: int) -> None:
    """The others are boxes, also on the way, and the shares add up to every error."""
    made, output, _ = net()
    flow = see(output, made.layers[layer][0][1]).flow
    assert flow is not None
    what = see(output, made.layers[layer][0][1], view="graph").picture
    assert "parameter" in [box.kind for box in what.boxes]
    assert len(labels(what)) == 8
    assert check_shares(what) >= 5


def test_of_squared_errors_one_example_is_drawn() -> None:
    """The sum says how many more there are; the shares of all examples arrive at the parameter."""
    made, _, loss = net()
    what = see(loss).picture
    assert labels(what).count("Σ") == 1
    assert len(what.boxes) == 9 + 2 + 2 + 1
    (box,) = (box for box in what.boxes if box.label == "Σ")
    assert [cell.text for row in box.rows for cell in row.cells][2] == "3 more terms"
    assert box.rows[0].cells[1].number == loss.data
    drawing = see(loss, made.layers[0][2][1])
    assert drawing.picture.kind == "graph"
    assert check_shares(drawing.picture) >= 5
    (parameter,) = (box.id for box in drawing.picture.boxes if box.kind == "parameter")
    (end,) = (box.id for box in drawing.picture.boxes if box.label == "Σ")
    tails = [wire.tail for wire in drawing.picture.wires if wire.head == parameter]
    assert len(tails) == 2
    assert end in tails


def test_the_example_of_the_parameter_is_drawn() -> None:
    """An input of the third example, not of the first one."""
    made, third = Net(2, 4, 1), Value(0.7, name="third")
    rows = [[Value(x), Value(y)] for x, y in ROWS]
    rows[2][1] = third
    what = see(sum((made(row) - 1.0) ** 2 for row in rows), third, view="graph").picture
    assert [box.label for box in what.boxes if box.kind == "parameter"] == ["third"]
    assert labels(what).count("Σ") == 1
    assert check_shares(what) >= 3


@pytest.mark.parametrize(
    ("bias", "said"),
    [("leaf", "tanh(w·x + b)"), ("shared", "tanh(w·x + b)"), ("number", "tanh(w·x + b)"), ("none", "tanh(w·x)"),
     ("scaled", None)],
)  # fmt: skip
def test_a_folded_unit_says_whether_it_has_a_bias(bias: str, said: str | None) -> None:
    """A leaf, a result that all units share, or a number; not the 0 with which Python's sum starts."""
    x = [Value(0.1 * k, name=f"x{k}") for k in range(4)]
    common = ad.exp(Value(-0.5))
    for _ in range(2):
        sums = [sum(Value(0.2 - 0.03 * j * k) * item for k, item in enumerate(x)) for j in range(4)]
        x = [
            ad.tanh({
                "leaf": lambda z=z: z + Value(0.5), "shared": lambda z=z: z + common, "number": lambda z=z: z + 0.5,
                "none": lambda z=z: z, "scaled": lambda z=z: z * 0.5,
            }[bias]())
            for z in sums
        ]  # fmt: skip
    found = {label for label in labels(see(sum(x), view="graph").picture) if "tanh" in label}
    assert found == {said} if said else found and not any("w·x" in label for label in found)
