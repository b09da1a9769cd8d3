"""Every picture of the gallery is readable on a slide, and reaches the bounds that were measured for it."""

from __future__ import annotations

from typing import Final

import pytest
from programs import PROGRAMS, drawn

from autodiff import Value
from autodiff.draw import see
from tests.draw.readable.measures import SLIDE, measured

#: The crossings of wires that were reached; an improvement lowers the number.
CROSSINGS: Final = {
    "micrograd 3-4-4-1": 45,
    "loop of 12 steps": 0,
    "scorer 20-8-1": 5320,
    "network 784-128-10-1": 2917,
    "micrograd 2-3-1": 3,
    "micrograd 3-4-4-1, squared errors": 50,
    "neuron": 0,
    "scorer 4-2-1": 6,
    "scorer 4-2-1, the network": 6,
    "scorer 4-3-2-1": 21,
    "scorer 20-8-1, one weight": 225,
    "loop of 3 steps": 0,
    "gradient descent": 0,
    "momentum": 0,
    "pendulum": 2,
    "spring": 5,
    "Newton's square root": 0,
    "recurrent cell": 0,
    "Horner": 0,
    "distance": 0,
    "Gaussian": 0,
    "Lennard-Jones": 1,
    "lens": 0,
    "Black-Scholes": 8,
    "Rosenbrock": 2,
    "softmax loss": 0,
    "line fit": 3,
    "dot product of 16": 0,
    "dense layer of arrays": 0,
    "12 layers of arrays": 0,
    "attention": 0,
    "loan": 11,
    "compound interest": 0,
    "income tax": 0,
    "voltage divider": 0,
    "charging capacitor": 1,
    "projectile": 0,
    "real gas": 1,
    "energy of an orbit": 0,
    "relativistic energy": 0,
    "Snell's law": 1,
    "Planck's law": 0,
    "fall with drag": 0,
    "logistic map": 0,
    "PID controller": 40,
    "Kalman filter": 4,
    "Bezier curve": 5,
    "rotation": 1,
    "logistic regression": 2,
    "Huber loss": 0,
    "Kullback–Leibler divergence": 2,
    "cosine similarity": 7,
    "perceptron": 0,
    "exclusive or": 8,
    "gated recurrent unit": 27,
    "cross-entropy of arrays": 0,
    "layer normalisation": 0,
    "convolution by slices": 3,
    "Rayleigh quotient": 0,
    "least squares": 0,
}


def test_every_program_has_a_bound() -> None:
    """The table and the gallery name the same programs."""
    assert list(CROSSINGS) == list(PROGRAMS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_picture_is_readable_on_a_slide(name: str) -> None:
    """No line of text below 9 px, no dead box, and no more crossings than were reached."""
    made = measured(drawn(name).svg())
    assert made.smallest >= 9.0
    assert made.dead == 0.0
    assert made.crossings <= CROSSINGS[name]


def test_crossings_are_pairs_of_wires_without_a_common_box() -> None:
    """Each pair counts once, however often it crosses; wires that only touch do not cross."""
    paths = {
        "a b": "M 0 0 L 100 100", "c d": "M 0 50 L 60 50 L 60 90 L 100 90 L 100 60", "e f": "M 0 90 L 100 10",
        "g h": "M 0 30 C 40 30 60 30 100 60", "b i": "M 0 20 L 100 20", "j k": "M 0 90 L 40 90", "l m": "M 0 99 L 0 98",
    }  # fmt: skip
    wires = "".join(
        f'<g data-wire="{k}" data-from="{ends[0]}" data-to="{ends[2]}"><path d="{path}"/></g>'
        for k, (ends, path) in enumerate(paths.items())
    )
    box, line = '<g data-box="a" data-kind="rest"/>', '<text font-size="10">a</text>'
    made = measured(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">{box}{line}{wires}</svg>')
    with_slope, with_each_other = ["c d", "e f", "g h"], ["c d, e f", "e f, g h", "e f, b i"]
    assert made.crossings == len(with_slope) + len(with_each_other)


@pytest.mark.parametrize("width", [700.0, SLIDE, 1920.0])
def test_a_drawing_is_as_wide_as_asked(width: float) -> None:
    """At any width the texts keep their size on the page; with None, the drawing is as wide as it likes."""
    x = Value(0.5, name="x")
    top = x
    for k in range(24):
        top = top * x if k % 2 else top + x
    made = measured(see(top, width=width).svg(), width)
    assert made.smallest >= 9.0
    assert measured(see(top, width=None).svg()).wide > 1.5 * made.wide


@pytest.mark.parametrize("width", [0.0, -1.0, float("nan"), float("inf")])
def test_widths_that_are_none_are_refused(width: float) -> None:
    """Zero, negative and endless widths."""
    with pytest.raises(ValueError, match="expected a positive, finite width in px, or None, but got"):
        see(Value(1.0), width=width)
    with pytest.raises(TypeError, match="expected the width as a number of px, or None, but got '1280'"):
        see(Value(1.0), width="1280")  # type: ignore[arg-type]
