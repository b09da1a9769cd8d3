"""see(): one call for a drawing in every format, in notebooks and on screens; errors are one sentence."""

from __future__ import annotations

import json
import re
import sys
import tempfile
import webbrowser
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Primitive, Tensor, Value, error_flow
from autodiff.draw import Drawing, dot, see, svg, text
from autodiff.draw.page.page import page
from autodiff.telling.latex import tex
from autodiff.telling.markdown import markdown
from tests.support.flows import FLOWS, HOSTILE, empty_flow, margin_flow, notes_flow, notes_network
from tests.support.present import present
from tests.support.processes import printed_here_and_elsewhere

SVG = "{http://www.w3.org/2000/svg}"


def example() -> tuple[Value, Value]:
    """Two named nodes with an unnamed one between them."""
    x, w = Value(0.5, name="x"), Value(2.0, name="w")
    return (x * w).tanh(), w


def test_a_node_and_a_parameter_give_what_their_flow_gives() -> None:
    """The same text in every format, from nodes and from the flow."""
    output, w = example()
    drawing, flow = see(output, w), error_flow(output, w)
    assert isinstance(drawing, Drawing)
    assert drawing.svg() == svg(flow) == see(flow).svg()
    assert drawing.dot() == dot(flow)
    assert drawing.text() == text(flow) + "\n"
    assert drawing.html() == page(flow)
    assert drawing.tex() == tex(flow)
    assert drawing.markdown() == markdown(flow)
    assert json.loads(drawing.json()) == json.loads(json.dumps(flow.as_dict()))
    assert repr(drawing) == "<Drawing: Error sharing: how the output’s error reaches w>"


def test_names_are_given_to_nodes_without_one() -> None:
    """A dict of variables; the nodes do not change, and named nodes keep their names."""
    output, w = example()
    (product,) = output.inputs
    drawing = see(output, w, names={"y": output, "p": product, "v": w})
    assert {box.label for box in drawing.picture.boxes} >= {"y", "p", "w"}
    assert output.name is None


def test_digits_language_and_seed() -> None:
    """They reach the drawing."""
    output, w = example()
    assert see(output, w, digits=7).picture.formula[-1] == f"{0.5 / np.cosh(1.0) ** 2:.7g}"
    assert see(output, w, language="zh").picture.title.startswith("误差分享")
    assert "误差" in see(output, w, language="zh").text()
    ahead, back = present(see(output, w).flow), present(see(output, w, seed=-1.0).flow)
    assert back.gradient == -ahead.gradient


def test_the_stamp_compares_with_differences() -> None:
    """On the picture, in the text and in JSON; in the reader's language."""
    network = notes_network()
    drawing = see(network((1.0, -0.5, 0.25, 0.8)), network.parameter("W14(1)"), check=True)
    assert drawing.stamp == "✓ 0.1291 ≈ 0.1291 (by finite differences)"
    assert drawing.stamp in drawing.svg()
    assert drawing.stamp in drawing.text()
    assert json.loads(drawing.json())["check"] == drawing.stamp
    assert see(margin_flow(), check=True, language="zh").stamp.startswith("✓ ")
    assert see(notes_flow()).stamp == ""


@pytest.mark.parametrize(
    ("seed", "stamp"),
    [
        (None, "0 lies within 0.5 ± 0.5, the accuracy of finite differences here"),
        (-3.0, "0 lies within −1.5 ± 1.5, the accuracy of finite differences here"),
    ],
)
def test_the_stamp_at_a_kink_says_between_which_slopes(seed: float | None, stamp: str) -> None:
    """ReLU at 0 has slope 0 on the left and 1 on the right, so ≈ with either number would be wrong."""
    x = Value(0.0, name="x")
    drawing = see(ad.relu(x), x, seed=seed, check=True)
    assert drawing.stamp == stamp
    assert drawing.stamp in drawing.svg()


def test_a_wrong_convention_at_a_kink_gets_no_stamp_that_agrees(define: Callable[..., Primitive]) -> None:
    """2 is not a slope of a function with slopes 0 on the left and 1 on the right."""
    wrong = define("a kink with a wrong rule", lambda xp, x: xp.maximum(x, 0.0), [lambda g, z, x: g * 2.0])
    x = Value(0.0, name="x")
    assert see(wrong(x), x, check=True).stamp.startswith("finite differences cannot tell")


def test_the_stamp_of_an_array_says_of_what_its_numbers_are() -> None:
    """All entries move at once: the number is a slope, not a norm."""
    t = Tensor([1.0, 2.0], name="t")
    stamp = see(ad.tanh(t).sum(), t, check=True).stamp
    assert stamp.endswith("(by finite differences), along one direction of all entries")


def test_a_wrong_rule_has_another_stamp(define: Callable[..., Primitive]) -> None:
    """✗, both numbers."""
    square = define("a square with a wrong rule", lambda xp, x: x * x, [lambda g, z, x: g * x])
    x = Value(3.0, name="x")
    assert see(square(x), x, check=True).stamp == "✗ 3 ≠ 6 (by finite differences)"


@pytest.mark.parametrize("kind", FLOWS)
def test_notebooks_get_svg_and_text(kind: str) -> None:
    """Of every kind of flow; the SVG parses, and HTML and PDF hold the same picture."""
    drawing = see(FLOWS[kind]())
    bundle = drawing._repr_mimebundle_(include=None, exclude=None)
    assert {*bundle} - {"application/pdf"} == {"image/svg+xml", "text/html", "text/plain"}  # PDF needs Graphviz
    assert bundle["image/svg+xml"] in bundle["text/html"]
    root = ElementTree.fromstring(bundle["image/svg+xml"])
    assert root.get("style") == "max-width:100%;height:auto"  # no wider than the cell
    assert bundle["text/plain"] == drawing.text()


def test_show_says_where_the_file_is_when_there_is_no_screen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """No browser is started then: one in a terminal would take it over."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(webbrowser, "open", lambda url: pytest.fail("a browser was started"))
    path = see(notes_flow()).show()
    assert path.suffix == ".html"
    assert capsys.readouterr().out == f"Wrote {path} (drawn by autodiff).\n"


def test_show_opens_a_browser(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """With the address of the file; if that fails, the path is printed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    opened = []

    def shows(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", shows)
    path = see(notes_flow()).show()
    assert opened == [path.as_uri()]
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    assert str(see(notes_flow()).show()) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"theme": "pink"}, "unknown theme 'pink' (must be one of auto, light, dark, print)"),
        ({"view": "spam"}, "unknown view 'spam' (must be one of auto, "),
        ({"language": "tlh"}, "unknown language 'tlh' (must be one of en, zh)"),
    ],
)
def test_what_is_unknown_is_one_sentence(wrong: dict[str, Any], sentence: str) -> None:
    """The message lists the valid ones."""
    with pytest.raises(ValueError, match="unknown") as caught:
        see(*example(), **wrong)
    assert str(caught.value).startswith(sentence)


def test_digits_are_at_least_one() -> None:
    """Of a number's notation."""
    with pytest.raises(ValueError, match="digits"):
        see(*example(), digits=0)


def test_a_parameter_that_is_no_node_is_one_sentence() -> None:
    """A name must be looked up in its network first; a number is not a node."""
    output, _ = example()
    with pytest.raises(TypeError, match=r"look it up in its network first: network\.parameter\('W14\(1\)'\)"):
        see(output, "W14(1)")
    with pytest.raises(TypeError, match="expected the parameter as a Value or Tensor of the output's graph, but got"):
        see(output, 3.0)


def test_an_output_that_is_no_scalar_is_one_sentence() -> None:
    """It needs a seed; with one it works."""
    t = ad.Tensor([1.0, 2.0], name="T")
    with pytest.raises(ValueError, match="seed"):
        see(t * 2.0, t)
    assert present(see(t * 2.0, t, seed=np.ones(2)).flow).gradient.tolist() == [2.0, 2.0]


def test_a_node_of_another_graph_has_no_path() -> None:
    """The picture says so, and does not say 0."""
    assert "(None, not 0)" in " ".join(see(empty_flow()).picture.captions)
    assert "no path" in see(empty_flow()).svg()


def test_a_check_of_a_node_without_a_path_compares_with_0() -> None:
    """The node is not in the graph of the output, but is found all the same."""
    x, y = Value(1.0, name="x"), Value(2.0, name="y")
    assert see(y * y, x, check=True).stamp == "✓ 0 ≈ 0 (by finite differences)"


def test_what_a_flow_has_already_is_not_given_again() -> None:
    """Its parameter, seed and names."""
    flow = notes_flow()
    again: list[dict[str, Any]] = [{"parameter": Value(1.0)}, {"seed": 1.0}, {"names": {}}]
    for more in again:
        with pytest.raises(ValueError, match=r"^a flow already has its parameter, seed and names; leave them out"):
            see(flow, **more)


def test_files_of_a_hostile_place(tmp_path: Path) -> None:
    """A missing folder, and a folder with the name of the file."""
    with pytest.raises(OSError, match=r"^cannot write .*: No such file or directory$"):
        see(notes_flow()).save(tmp_path / "none" / "x.svg")
    (tmp_path / "x.svg").mkdir()
    with pytest.raises(OSError, match=r"^cannot write "):
        see(notes_flow()).save(str(tmp_path / "x.svg"))
    assert see(notes_flow()).save(tmp_path / "x.txt").path == Path(tmp_path / "x.txt")


# ---- a whole computation graph ---------------------------------------------------------------------------------------


def whole() -> Drawing:
    """y = a·a + a, differentiated."""
    a = Value(3.0, name="a")
    y = a * a + a
    y.backward()
    return see(y, names={"y": y})


def test_without_a_parameter_the_whole_graph_is_drawn() -> None:
    """With every number in SVG, text and JSON; in DOT too."""
    drawing = whole()
    assert drawing.flow is None
    assert drawing.picture.kind == "graph"
    assert drawing.text() == (
        "Computation graph of y\n\nBoxes, starting at the output:\n"
        "  y = add(…): 12.0; gradient: 1.0\n  a·a = multiply(…): 9.0; gradient: 1.0\n"
        "  a: 3.0; gradient: 7.0\n"
    )
    assert {cell.text for box in drawing.picture.boxes for row in box.rows for cell in row.cells} >= {"a", "y", "+"}
    numbers = {
        float(item.attrib["data-number"])
        for item in ElementTree.fromstring(drawing.svg()).iter(f"{SVG}text")
        if item.get("data-number")
    }
    assert numbers >= {3.0, 7.0, 9.0, 12.0, 1.0}
    told = json.loads(drawing.json())
    assert {cell["number"] for box in told["boxes"] for row in box["rows"] for cell in row["cells"]} >= {7.0, 12.0}
    assert "digraph" in drawing.dot()
    assert drawing._repr_mimebundle_().keys() >= {"image/svg+xml", "text/html", "text/plain"}


@pytest.mark.parametrize("ending", ["svg", "dot", "html", "txt", "json", "tex", "md"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_whole_graph_in_files(tmp_path: Path, ending: str, language: str) -> None:
    """Of every format, with the value and the gradient of a in it."""
    a = Value(0.1 + 0.2, name="a")
    (a * 7.0).backward()
    told = see(a * 7.0, language=language).save(tmp_path / f"graph.{ending}").path.read_text()
    assert ("0.3" if ending == "dot" else "0.30000000000000004") in told
    assert "7" in told


@pytest.mark.parametrize("name", HOSTILE)
def test_the_page_of_a_whole_graph_holds_no_markup_of_names(name: str) -> None:
    """One title, one picture, no script, nothing to load."""
    a = Value(3.0, name=name)
    told = see(a * a).html()
    assert re.findall(r"<(script|img|a|iframe|object|link|base|b)\b", told) == []
    assert told.count("<pre>") == told.count("</svg>") == 1
    assert "default-src 'none'" in told


@pytest.mark.parametrize("theme", ["auto", "light", "dark", "print"])
def test_the_page_of_a_whole_graph_has_the_colours_of_its_theme(theme: str) -> None:
    """Ground and text; only auto follows the reader."""
    a = Value(3.0, name="a")
    told = see(a * a, theme=theme).html()
    assert ("#0f1720;color:#e6edf3" in told) == (theme in ("auto", "dark"))
    assert ("body{margin:0;background:#ffffff" in told) == (theme != "dark")


def test_show_opens_the_page_of_a_whole_graph(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is no flow to step through, but there is a page."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert whole().show().suffix == ".html"
    assert "picture.html" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"view": "map"}, "unknown view 'map' (must be one of auto, rail, shares, graph, network)"),
        ({"view": "rail"}, "the view 'rail' needs a parameter: see(output, parameter, view='rail')"),
        ({"seed": 2.0}, "a seed needs a parameter: see(output, parameter, seed=…)"),
    ],
)
def test_what_only_goes_with_a_parameter_is_one_sentence(wrong: dict[str, Any], sentence: str) -> None:
    """No argument is ignored."""
    with pytest.raises(ValueError, match=re.escape(sentence)) as caught:
        see(Value(3.0, name="a") * 2.0, **wrong)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("digits", [1.5, "4", True, None])
def test_digits_are_an_integer(digits: Any) -> None:
    """With and without a parameter."""
    a = Value(3.0, name="a")
    for parameter in (None, a):
        with pytest.raises(TypeError, match=r"^expected an integer number of significant digits, but got digits="):
            see(a * 2.0, parameter, digits=digits)


def test_a_name_that_no_file_has_is_one_sentence() -> None:
    """A null character."""
    with pytest.raises(ValueError, match=r"^a file name must not contain a null character, but got 'a.x00.svg'"):
        see(Value(3.0, name="a") * 2.0).save("a\0.svg")


def test_a_check_needs_a_parameter() -> None:
    """Without a parameter there is no single gradient to compare."""
    a = Value(3.0, name="a")
    with pytest.raises(ValueError, match=r"^check=True needs a parameter: see\(output, parameter, check=True\)$"):
        see(a * a, check=True)


def test_numbers_json_does_not_know_are_text() -> None:
    """Arrays become lists; nan and inf become their names."""
    t = ad.Tensor([np.inf, 1.0], name="T")
    told = json.loads(see(t * 2.0).json())
    (shown, *_) = (cell["number"] for cell in told["boxes"][0]["rows"][0]["cells"] if cell["number"] is not None)
    assert shown == ["inf", 2.0]


def test_a_graph_that_is_no_graph_is_one_sentence() -> None:
    """A number, for example."""
    with pytest.raises(TypeError, match="expected the output of a graph as a Value or Tensor, but got"):
        see(3.0)


SCRIPT = """
import hashlib
from autodiff.draw import see
from autodiff.draw.writers.pinned_dot import pinned_dot
from nn import Recurrent
from tests.support.flows import deep_flow, margin_flow, notes_flow
through_time = Recurrent(1, 2, scalar=True)
score = through_time([[1.0], [0.5], [-1.0]])[-1]
flows = notes_flow(), deep_flow(), margin_flow()
drawings = [see(flow) for flow in flows] + [see(score, through_time.parameter("W11"), check=True)]
texts = [text for drawing in drawings for text in (drawing.html(), drawing.text(), drawing.json(), drawing.tex(),
                                                   drawing.markdown())]  # the same in every view
drawings += [see(flow, view="graph") for flow in flows] + [see(flows[1], view="network")]
texts += [text for drawing in drawings for text in (drawing.svg(), drawing.dot(), pinned_dot(drawing.svg()))]
for text in texts:
    print(hashlib.sha256(text.encode()).hexdigest())
print(hashlib.sha256((see(score).svg() + see(score).json()).encode()).hexdigest())
"""


@pytest.mark.slow
def test_the_same_bytes_in_every_process_and_for_every_hash_seed() -> None:
    """Every format, in every view."""
    here, elsewhere = printed_here_and_elsewhere(SCRIPT)
    assert here == elsewhere
    lines = here.splitlines()
    assert len(lines) == len({*lines}) == 4 * 5 + 8 * 3 + 1
