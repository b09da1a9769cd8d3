"""The curves of the reference match the operations and have gaps where these do."""

from __future__ import annotations

import re

import numpy as np
import pytest

import autodiff as ad
from autodiff import Primitive
from autodiff.draw.curves import curve_of, kinks_of, svg
from autodiff.primitives.registry import TABLE
from autodiff.reference.operations import inputs
from tests.support.present import present

CURVED = [each for each in TABLE.values() if curve_of(each, inputs(each)) is not None]


@pytest.mark.parametrize("each", [pytest.param(each, id=each.name) for each in CURVED])
def test_a_curve_is_that_of_the_operation(each: Primitive) -> None:
    """Value and slope at smooth points equal those that the package computes."""
    curve = present(curve_of(each, inputs(each)))
    params = {key: curve.held[key] for key in each.defaults}
    others = [held for key, held in curve.held.items() if key not in params]
    for k in range(3, len(curve.x), 29):
        value, slope = ad.value_and_grad(lambda x: each(x, *others, **params))(float(curve.x[k]))
        if np.isfinite(value) and np.isfinite(slope):
            assert curve.z[k] == pytest.approx(value, rel=1e-12, abs=1e-12)
            assert curve.slope[k] == pytest.approx(slope, rel=1e-12, abs=1e-12)
    assert np.isfinite(curve.z).sum() > len(curve.x) / 4


@pytest.mark.parametrize(("name", "kinks"), [
    ("relu", [(0.0, 0.0, 0.0, 0.0, 1.0)]), ("absolute", [(0.0, 0.0, -1.0, 0.0, 1.0)]),
    ("hard_tanh", [(-1.0, -1.0, 0.0, 1.0, 1.0), (1.0, 1.0, 1.0, 1.0, 0.0)]), ("exp", []), ("maximum", []),
])  # fmt: skip
def test_kinks_that_are_known(name: str, kinks: list[tuple[float, ...]]) -> None:
    """The point, the value, and the slopes below, at and above it."""
    found = [(each.x, each.z, each.before, each.slope, each.after) for each in kinks_of(TABLE[name])]
    assert found == [pytest.approx(kink) for kink in kinks]


def _point(text: str) -> tuple[float, float]:
    x, y = map(float, text.split())
    return x, y


def paths(name: str) -> dict[str, list[list[tuple[float, float]]]]:
    """The lines of a drawing by class, each as a list of pieces, which are lists of points."""
    drawn = svg(present(curve_of(TABLE[name], inputs(TABLE[name]))), name)
    return {
        kind: [[_point(at) for at in piece.split("L")] for piece in line.split("M")[1:]]
        for kind, line in re.findall(r'<path class="(z|slope)" d="([^"]*)"/>', drawn)
    }


def test_a_drawing_shows_its_curve() -> None:
    """The identity is a straight line upwards with a level slope; exp is its own derivative."""
    found = paths("identity")
    [line], [level] = found["z"], found["slope"]
    assert np.allclose(np.diff(line, n=2, axis=0), 0.0, atol=0.21)
    assert line[0][0] < line[-1][0]
    assert line[0][1] > line[-1][1]
    assert {y for _, y in level} == {level[0][1]}
    assert paths("exp")["z"] == paths("exp")["slope"]


def test_a_drawing_is_broken_where_the_curve_is() -> None:
    """At a jump, at a pole, and where the value is undefined."""
    assert [len(paths(name)["z"]) for name in ("sin", "floor", "sign", "reciprocal", "log")] == [1, 5, 3, 2, 1]
    assert paths("log")["z"][0][0][0] > paths("exp")["z"][0][0][0] + 50.0
    assert svg(present(curve_of(TABLE["clip"], ["x"])), "").count('class="kink"') == 2
    assert svg(present(curve_of(TABLE["reciprocal"], ["x"])), "").count('class="kink"') == 0
