"""The direction in which a drawing runs can be asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autodiff import Flow
from autodiff.cli.program import main
from autodiff.draw import see
from autodiff.draw.views.choose_view import picture
from tests.support.flows import deep_flow, notes_flow


def places(svg: str) -> tuple[float, float, float, float]:
    """The left and upper edges of the parameter's box and the output's, which the drawing lists first."""
    boxes = re.findall(r'data-box="(n\d+)" data-kind="(\w+)">.*?<rect x="([\d.]+)" y="([\d.]+)"', svg, re.DOTALL)
    (x, y), *_ = ((float(x), float(y)) for _, kind, x, y in boxes if kind == "parameter")
    _, _, to_x, to_y = boxes[0]
    return x, y, float(to_x), float(to_y)


@pytest.mark.parametrize("width", [1280.0, 500.0, None])
@pytest.mark.parametrize(("flow", "view"), [(notes_flow(), "rail"), (deep_flow(), "shares"), (deep_flow(), "network")])
def test_a_drawing_runs_where_it_is_asked_to(flow: Flow, view: str, width: float | None) -> None:
    """The parameter is above the output, or left of it where the columns are not wrapped."""
    x, y, to_x, to_y = places(see(flow, view=view, width=width, direction="down").svg())
    assert y + 100.0 < to_y
    if width is None:
        x, y, to_x, to_y = places(see(flow, view=view, width=width, direction="right").svg())
        assert x + 100.0 < to_x


def test_the_default_fits_better() -> None:
    """It is one of both drawings."""
    for width in (1280.0, 500.0):
        asked = [see(notes_flow(), width=width, direction=direction).svg() for direction in ("right", "down")]
        assert see(notes_flow(), width=width).svg() in asked
        assert asked[0] != asked[1]


def test_a_graph_runs_to_the_right() -> None:
    """Asked for by name or chosen; other words are no direction."""
    assert see(notes_flow(), view="graph", direction="right").svg() == see(notes_flow(), view="graph").svg()
    for what in (notes_flow(), deep_flow()):
        with pytest.raises(ValueError, match="the view 'graph' runs to the right only, since inputs have their ports"):
            see(what, view="graph", direction="down")
    assert picture(deep_flow()).kind == "shares"
    for word in ("up", "", 3):
        with pytest.raises(ValueError, match=rf"unknown direction {word!r} \(must be one of right, down\)"):
            see(notes_flow(), direction=word)  # type: ignore[arg-type]


def test_the_program_has_the_option(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """In both commands; an unknown word is one sentence."""
    path = tmp_path / "flow.svg"
    assert main(["flow", "--direction", "down", "-o", str(path)]) == 0
    assert path.read_text(encoding="utf-8") == see(notes_flow(), direction="down").svg()
    assert main(["explain", "--direction", "up"]) != 0
    assert "unknown direction 'up' (must be one of right, down)" in capsys.readouterr().err
