"""Line charts: every point at its place, no peak lost, round marks, and names that stay text."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from autodiff.draw.charts.axis import Axis
from autodiff.draw.charts.lines import Line, line_chart

SVG = "{http://www.w3.org/2000/svg}"


def points(chart: str) -> list[list[tuple[float, float]]]:
    """The points of each line in px, read back."""
    paths = ElementTree.fromstring(chart).findall(f"{SVG}path")
    pairs = [[pair.split() for pair in path.get("d", "")[1:].split("L")] for path in paths]
    return [[(float(x), float(y)) for x, y in line] for line in pairs]


def texts(chart: str) -> list[str]:
    return ["".join(each.itertext()) for each in ElementTree.fromstring(chart).iter(f"{SVG}text")]


def rules(chart: str) -> dict[str, float]:
    """The heights of the horizontal rules by their numbers, read back."""
    heights = [float(each.get("y1", "")) for each in ElementTree.fromstring(chart).findall(f"{SVG}line")]
    return dict(zip(texts(chart), heights, strict=False))


def test_points_stand_at_their_numbers_on_the_rules() -> None:
    chart = line_chart([Line("J", np.array([1.0, 2.0, 3.0]), np.array([3.0, 1.0, 2.0]))], across="step")
    (found,) = points(chart)
    at = rules(chart)
    assert [y for _, y in found] == [at["3"], at["1"], at["2"]]
    assert found[1][0] - found[0][0] == pytest.approx(found[2][0] - found[1][0], abs=0.11)  # px have one decimal


def test_equal_factors_are_equal_distances_on_a_logarithmic_axis() -> None:
    chart = line_chart([Line("J", np.arange(3), np.array([100.0, 1.0, 0.01]))], across="step", log=True)
    heights = [y for _, y in points(chart)[0]]
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], abs=0.11)
    assert {"0.01", "0.1", "1", "10", "100"} <= {*texts(chart)}


def test_the_numbers_of_a_long_logarithmic_axis_are_powers() -> None:
    chart = line_chart([Line("J", np.arange(2), np.array([1e-12, 1.0]))], across="step", log=True)
    assert "10−12" in texts(chart)  # the exponent is raised


def test_no_peak_of_a_long_line_is_lost() -> None:
    y = np.zeros(100_000)
    y[31_415], y[92_653] = 5.0, -2.0
    (found,) = points(line_chart([Line("J", np.arange(y.size), y)], across="step"))
    heights = [height for _, height in found]
    assert len(found) < 3_000
    assert heights.count(min(heights)) == heights.count(max(heights)) == 1


def test_points_that_are_not_finite_are_left_out() -> None:
    chart = line_chart([Line("J", np.arange(4), np.array([1.0, np.nan, np.inf, 2.0]))], across="step")
    assert len(points(chart)[0]) == 2


@pytest.mark.parametrize(("y", "log"), [([np.nan], False), ([0.0, -1.0], True), ([], False)])
def test_a_chart_of_nothing_is_refused_by_name(y: list[float], log: bool) -> None:
    with pytest.raises(ValueError, match=r"at least one finite point.*loss has none"):
        line_chart([Line("loss", np.arange(len(y)), np.array(y))], across="step", log=log)


def test_a_flat_line_and_a_single_point_can_be_drawn() -> None:
    for y in ([2.0, 2.0], [0.0], [-1e300, 1e300], [1.0, 1.0 + 1e-15]):
        (found,) = points(line_chart([Line("J", np.arange(len(y)), np.array(y))], across="step"))
        assert all(0 <= x <= 760 and 0 <= height <= 360 for x, height in found)


def test_names_at_the_right_end_do_not_touch() -> None:
    lines = [Line(f"line {k}", np.arange(2), np.array([0.0, 1.0 + k / 1000])) for k in range(4)]
    found = ElementTree.fromstring(line_chart(lines, across="step")).findall(f"{SVG}text")
    heights = sorted(float(each.get("y", "")) for each in found if "".join(each.itertext()).startswith("line"))
    assert min(np.diff(heights)) > 15.8  # px have one decimal


def test_lines_differ_by_their_dashes_too() -> None:
    lines = [Line(f"{k}", np.arange(2), np.array([0.0, k + 1.0])) for k in range(4)]
    paths = ElementTree.fromstring(line_chart(lines, across="step")).findall(f"{SVG}path")
    assert len({path.get("stroke-dasharray") for path in paths}) == 4


def test_hostile_names_stay_text() -> None:
    hostile = '</text><script>alert("x")</script>'
    chart = line_chart([Line(hostile, np.arange(2), np.arange(2.0))], across=hostile, title=hostile)
    assert not re.search("<script", chart)
    assert hostile in texts(chart)


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [(0.0, 1.0, ["0", "0.2", "0.4", "0.6", "0.8", "1"]), (-3.0, 7.0, ["−2", "0", "2", "4", "6"]), (0.0, 3000.0, None)],
)
def test_marks_are_round_and_inside(low: float, high: float, marks: list[str] | None) -> None:
    found = list(Axis(low, high, 0.0, 100.0).marks())
    assert marks is None or [text for _, text in found] == marks
    assert 2 <= len(found) <= 7
    assert all(low <= value <= high for value, _ in found)
