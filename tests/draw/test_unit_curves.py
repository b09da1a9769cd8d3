"""Units as pictures and formulas: f and f′ over z and over a, by Python and by the program."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import autodiff as ad
from autodiff import draw
from autodiff.cli.program import main

FORMULAS = {
    "sigmoid": "a·(1 − a)", "tanh": "1 − a²", "soft_sign": "1/(1 + |z|)²", "relu": "0 for z < 0, 1 for z > 0",
    "hard_tanh": "0 for z < −1, 1 for −1 < z < 1, 0 for z > 1", "identity": "1",
    "leaky_relu": "0.01 for z < 0, 1 for z > 0", "elu": "exp(z) for z < 0, 1 for z > 0",
}  # fmt: skip


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas_are_those_of_the_notes(name: str) -> None:
    """In a where the rule is written in a; for each side of a kink."""
    assert draw.unit(name).formulas[1] == f"f′ = {FORMULAS[name]}"


@pytest.mark.parametrize(("name", "slope"), [("sigmoid", lambda a: a * (1 - a)), ("tanh", lambda a: 1 - a * a)])
def test_the_curve_over_a_is_the_formula_in_a(name: str, slope: object) -> None:
    """f′ over a, and over z what `ad.grad` gives."""
    curves = draw.unit(name)
    assert curves.over_a is not None
    assert callable(slope)
    np.testing.assert_allclose(curves.over_a.slope, slope(curves.over_a.x), atol=1e-14)
    f = ad.TABLE[name]
    for k in (0, 77, 240):
        assert curves.over_z.slope[k] == pytest.approx(ad.grad(f)(float(curves.over_z.x[k])), rel=1e-13)
    assert (curves.over_z.x[0], curves.over_z.x[-1]) == (-5.0, 5.0)


def test_a_param_changes_curve_kink_and_formula() -> None:
    """leaky_relu with slope 0.25."""
    curves = draw.unit("leaky_relu", slope=0.25)
    assert str(curves) == "a = leaky_relu(z, slope=0.25)\nf′ = 0.25 for z < 0, 1 for z > 0"
    assert curves.over_z.z[0] == -1.25
    assert (curves.over_z.kinks[0].before, curves.over_z.kinks[0].after) == (0.25, 1.0)
    assert curves.over_a is not None
    assert draw.unit("gelu").over_a is None  # f falls and rises
    assert draw.unit("hard_tanh").over_a is None  # at a = 1, f′ is 1 or 0
    assert draw.unit("log").over_z.x[0] == -2.0


def test_the_picture_is_one_svg_with_two_panels(tmp_path: Path) -> None:
    """Well-formed, in the theme's colours, and saved as .svg only."""
    text = draw.unit("tanh").svg()
    assert text.count('class="plot"') == 2
    assert text.count("<svg") == text.count("</svg>")
    assert "a = tanh(z); f′ = 1 − a²" in text
    assert "#0f1720" in draw.unit("tanh").svg("dark")
    assert draw.unit("gelu").svg().count('class="plot"') == 1
    draw.unit("tanh").save(tmp_path / "tanh.svg")
    assert (tmp_path / "tanh.svg").read_text(encoding="utf-8") == text
    with pytest.raises(ValueError, match=r"written as an \.svg file, and got"):
        draw.unit("tanh").save(tmp_path / "tanh.png")


def test_the_program_draws_a_unit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Formulas on standard output, the picture in a file; one sentence for bad names."""
    path = tmp_path / "leaky.svg"
    assert main(["unit", "leaky_relu(0.1)", "-o", str(path)]) == 0
    assert capsys.readouterr().out == (
        f"a = leaky_relu(z, slope=0.1)\nf′ = 0.1 for z < 0, 1 for z > 0\nWrote {path}.\n"
    )
    assert re.match("<svg ", path.read_text(encoding="utf-8"))
    assert main(["unit", "sigmod", "-o", str(path)]) == 2
    assert "did you mean 'sigmoid'?" in capsys.readouterr().err


def test_wrong_units_are_told() -> None:
    """Names and params."""
    with pytest.raises(ValueError, match="no unit is called 'sine'"):
        draw.unit("sine")
    with pytest.raises(ValueError, match="no unit is called 'add'"):
        draw.unit("add")
    with pytest.raises(TypeError, match="relu has no params, each a number, and got slope=1"):
        draw.unit("relu", slope=1)
    with pytest.raises(TypeError, match="leaky_relu has slope, each a number, and got slope='x'"):
        draw.unit("leaky_relu", slope="x")  # type: ignore[arg-type]
