"""The programs ``autodiff flow`` and ``explain``: what they print and write, and one sentence for bad input."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from autodiff import __version__
from autodiff.cli.program import main
from autodiff.draw import drawing, see, svg
from autodiff.telling.explain import explain
from autodiff.transforms import replay
from autodiff.transforms.finite_differences import NumericalDerivative
from autodiff.words.notation import parse
from tests.support.flows import CORRUPT, WEIGHTS, X, margin_flow, notes_flow, notes_network
from tests.support.places import ROOT

HELP = "; see autodiff flow --help"
HELP_EXPLAIN = "; see autodiff explain --help"
SIZES = "argument --sizes: expected at least two positive whole numbers, such as 4,2,1, and got "
BLOCKS = "net.json must contain W1, b1, W2, b2, …, one W and one b for each layer, and contains "
NUMBERS = "net.json: W1 must be a vector or matrix of finite numbers"
UNREADABLE = "net.json is not a readable .json file"
TWO_OUTPUTS = "the network has 2 outputs; choose one with --unit 1 … 2, or their loss with --target Y,Y"
VIEWS = "argument --view: unknown view 'side' (must be one of auto, rail, shares, graph, network)"
LANGUAGE = "argument --language: unknown language 'fr' (must be one of en, zh)"
THEME = "argument --theme: unknown theme 'blue' (must be one of auto, light, dark, print)"
WIDTH = "argument --width: expected a width in px, such as 800, or 0 for any width, and got "
PARAMETERS = "no parameter W₉₉⁽¹⁾: layer 1 has W₁₁⁽¹⁾ … W₂₄⁽¹⁾, b₁⁽¹⁾ … b₂⁽¹⁾; layer 2 has W₁₁⁽²⁾ … W₁₂⁽²⁾, b₁⁽²⁾"
ENDINGS = (
    "cannot save as 'flow.bmp': the file name must end in one of "
    ".svg, .png, .pdf, .dot, .html, .txt, .json, .tex, .md"
)
OWN = "--network sets the sizes and weights; leave out --sizes and --seed"
FILE = {"W1": WEIGHTS["W(1)"], "b1": WEIGHTS["b(1)"], "W2": [0.9, -0.6], "b2": 0.2}


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the program prints when all is well."""
    assert main(["flow", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The sentence about bad input; nothing is printed, nothing is written."""
    before = sorted(Path().iterdir())
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert sorted(Path().iterdir()) == before
    assert err.startswith("autodiff: ")
    assert err.count("\n") == 1
    return err.removeprefix("autodiff: ").rstrip("\n")


# ---- what it does ----------------------------------------------------------------------------------------------------


def test_the_notes_example_without_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    """Eight steps, the product, the check, and an SVG in this folder that is the picture of that flow."""
    out = run(capsys)
    assert "= 1 · 1 · W₁₁⁽²⁾ · σ′(z₁⁽²⁾) · a₄⁽¹⁾\n" in out
    assert "= 1 × 1 × 0.9 × 0.1793 × 0.8\n" in out
    assert re.findall(r"^\((\d)\)", out, flags=re.MULTILINE) == list("12345678")
    assert re.search(r"^Check: numerical derivative 0\.1291 ± \de−1\d: agrees\.$", out, flags=re.MULTILINE)
    assert out.endswith("\nWrote error-flow-W14-1.svg (drawn by autodiff).\n")
    assert Path("error-flow-W14-1.svg").read_text(encoding="utf-8") == svg(notes_flow())


def test_another_network_is_drawn_by_its_seed(capsys: pytest.CaptureFixture[str]) -> None:
    """Sizes, activation, parameter and seed; the same seed gives the same numbers, another one others."""
    arguments = ["--sizes", "4,3,2,1", "--activation", "tanh", "--parameter", "W_{21}^{(2)}", "--output", "a.json"]
    first = run(capsys, *arguments, "--seed", "3")
    data = json.loads(Path("a.json").read_text(encoding="utf-8"))
    assert data["parameter"] == "W₂₁⁽²⁾"
    assert {"tanh"} <= {node["operation"] for node in data["nodes"]}
    assert run(capsys, *arguments, "--seed", "3") == first
    assert run(capsys, *arguments, "--seed", "4") != first


def test_sizes_without_a_seed(capsys: pytest.CaptureFixture[str]) -> None:
    """Weights are drawn then too; 4,2,1 without a seed is the notes' example."""
    run(capsys, "--sizes", "3,2,1", "--parameter", "b1(1)")
    assert Path("error-flow-b1-1.svg").exists()
    assert "= 0.1291" in run(capsys, "--sizes", "4,2,1")
    assert "= 0.1291" not in run(capsys, "--seed", "0")


def test_an_input_that_begins_with_a_minus(capsys: pytest.CaptureFixture[str]) -> None:
    """As a word of its own, with = and with a typographic minus."""
    for arguments in (["--input", "-1,0.5,0,2"], ["--input=-1,0.5,0,2"], ["--input", "−1,0.5,0,2"]):
        assert "× a₁⁽¹⁾ = −1," in run(capsys, *arguments, "--parameter", "W11(1)")


@pytest.mark.parametrize("ending", ["svg", "dot", "txt", "json"])
def test_the_output_format_follows_the_ending(capsys: pytest.CaptureFixture[str], ending: str) -> None:
    """And the program says what it wrote."""
    assert run(capsys, "--output", f"flow.{ending}").endswith(f"\nWrote flow.{ending} (drawn by autodiff).\n")
    assert Path(f"flow.{ending}").stat().st_size > 500


def test_a_network_from_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Weights and input of the notes' example from a file give the same picture."""
    Path("net.json").write_text(json.dumps({**FILE, "x": X}))
    run(capsys, "--network", "net.json")
    assert Path("error-flow-W14-1.svg").read_text(encoding="utf-8") == svg(notes_flow())


def test_a_network_from_npz(capsys: pytest.CaptureFixture[str]) -> None:
    """Keys as a network's state has them; the input comes from an option, which also overrules the file's."""
    np.savez("net.npz", **WEIGHTS)  # type: ignore[arg-type]
    np.savez("with_x.npz", **WEIGHTS, x=np.zeros(4))  # type: ignore[arg-type]
    given = ",".join(map(str, X))
    for name in ("net.npz", "with_x.npz"):
        run(capsys, "--network", name, "--input", given)
        assert Path("error-flow-W14-1.svg").read_text(encoding="utf-8") == svg(notes_flow())


def test_a_kink_is_within_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    """relu at exactly 0: the numerical derivative lies between the slopes, and the gradient 0 agrees."""
    Path("net.json").write_text(json.dumps({"W1": [[1.0]], "b1": [0.0], "W2": [[2.0]], "b2": [0.0], "x": [0.0]}))
    out = run(capsys, "--network", "net.json", "--activation", "relu", "--parameter", "b1(1)")
    assert "Check: numerical derivative 1 ± 1: agrees." in out
    assert "exactly at a kink" in out


def test_where_differences_cannot_tell(capsys: pytest.CaptureFixture[str]) -> None:
    """ln of a negative number: the output is not defined, and the check says so."""
    out = run(capsys, "--activation", "log", "--parameter", "b2(1)")
    assert (
        "Check: numerical derivative nan ± inf: cannot tell, because the function jumps or is undefined nearby." in out
    )


def test_a_wrong_gradient_gives_status_1(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """If the check found another derivative, the program would say so and end with status 1."""
    monkeypatch.setattr(replay, "numerical_derivative", lambda f, x: NumericalDerivative(0.5, 1e-12, 9))
    assert main(["flow"]) == 1
    assert "Check: numerical derivative 0.5 ± 1e−12: DISAGREES." in capsys.readouterr().out
    assert main(["explain", "--check"]) == 1
    assert "✗ 0.1291 ≠ 0.5 (by finite differences)" in capsys.readouterr().out
    assert main(["explain"]) == 0


def test_as_a_process() -> None:
    """``python -m autodiff flow`` and its help; bad input has status 2 there too."""
    done = subprocess.run([sys.executable, "-m", "autodiff", "flow"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert Path("error-flow-W14-1.svg").exists()
    bad = subprocess.run([sys.executable, "-m", "autodiff", "flow", "--seed", "x"], capture_output=True, check=False)
    assert (bad.returncode, bad.stdout) == (2, b"")


def test_the_package_needs_neither_nets_nor_drawing() -> None:
    """``import autodiff`` brings numpy and nothing of nn, drawing or the graphviz packages."""
    script = (
        "import sys, autodiff; loaded = {name.partition('.')[0] for name in sys.modules}; "
        "print(sorted(loaded & {'nn', 'graphviz', 'pygraphviz'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout == "[]\n"


def test_the_demo_derives_the_gradient_in_four_ways() -> None:
    """By hand, vectorised, and by the engine on numbers and on arrays: the same to the last bits, and a picture."""
    demo = ROOT / "demos" / "error_sharing.py"
    done = subprocess.run([sys.executable, str(demo), "."], capture_output=True, check=True)
    ways = [float(number) for number in re.findall(r"^  (0\.\d{16})  ", done.stdout.decode(), flags=re.MULTILINE)]
    assert ways == pytest.approx([notes_flow().gradient] * 4, rel=1e-15)
    assert Path("error-sharing.svg").read_text(encoding="utf-8") == svg(notes_flow())


def test_the_programs_own_lines_are_chinese_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Headings, the check's line and what was written where; in Latin letters are names of files and functions."""
    out = run(capsys, "--language", "zh", "--output", "f.svg")
    assert set(re.findall("[A-Za-z]{3,}", out)) == {"svg", "autodiff"}
    assert out.endswith("，与梯度一致。\n\n已写入 f.svg（由 autodiff 绘制）。\n")
    out = run(capsys, "--language", "zh", "--activation", "log", "--parameter", "b2(1)", "--output", "f.svg")
    assert "检验：数值导数为 nan ± inf，无法判断：函数在此附近有跳跃或没有定义。" in out
    out = explained(capsys, "--language", "zh", "--check", "--corrupt", "1,0,1,0")
    assert set(re.findall("[A-Za-z]{3,}", out)) == {"max"}
    headings = re.findall("(.+)\n─+\n", out)
    assert headings == [
        "为什么", "这个数的含义", "基本信息", "形状", "误差分享：逐步说明", "两种推导，同一结果", "梯度检验",
        "梯度在何处衰减",
    ]  # fmt: skip
    assert "讲义的印刷错误" in explained(capsys, "--language", "zh", "--notes")
    assert explained(capsys, "--language", "zh", "--output", "e.md") == "已写入 e.md。\n"
    assert Path("e.md").read_text(encoding="utf-8").startswith("# 梯度 ∂a₁⁽³⁾/∂W₁₄⁽¹⁾ 详解\n")


def test_a_wrong_gradient_in_chinese(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so and ends with status 1, as in English."""
    monkeypatch.setattr(replay, "numerical_derivative", lambda f, x: NumericalDerivative(0.5, 1e-12, 9))
    assert main(["flow", "--language", "zh"]) == 1
    assert "检验：数值导数为 0.5 ± 1e−12，与梯度不一致。" in capsys.readouterr().out


def test_help_lists_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    """With status 0."""
    with pytest.raises(SystemExit) as caught:
        main(["flow", "--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    assert all(
        option in out
        for option in ("--parameter", "--sizes", "--activation", "--seed", "--input", "--network", "--output")
    )


def test_flow_and_explain_have_the_same_options(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a help of at most 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    found = []
    for command in ("flow", "explain"):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        out = capsys.readouterr().out
        assert max(map(len, out.splitlines())) <= 80
        found.append(set(re.findall("--[a-z]+", out)))
    assert found[0] == found[1] >= {"--corrupt", "--format", "--notes", "--view", "--theme", "--width", "--unit"}


def test_pictures_and_words_as_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """View, theme, language and digits reach the picture and the text."""
    out = run(capsys, "--view", "graph", "--theme", "dark", "--language", "zh", "--digits", "8", "--output", "f.svg")
    picture = Path("f.svg").read_text(encoding="utf-8")
    assert picture == see(notes_flow(), view="graph", theme="dark", language="zh", digits=8).svg()
    assert "= 0.12911479\n" in out
    assert "(8) ∂a₁⁽³⁾/∂W₁₄⁽¹⁾ = 0.16139349 × 0.8 = 0.12911479，即所求梯度。" in out
    assert re.search(r"^检验：数值导数为 0\.1291 ± \de−1\d，与梯度一致。$", out, flags=re.MULTILINE)
    assert out.endswith("\n已写入 f.svg（由 autodiff 绘制）。\n")


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What ``autodiff explain`` prints when all is well."""
    assert main(["explain", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_explain_prints_the_explanation(capsys: pytest.CaptureFixture[str]) -> None:
    """The notes' example without arguments; other networks, parameters, languages and digits as for flow."""
    made = explain(notes_network(), "W14(1)", X, check=True)
    assert explained(capsys, "--check") == made.text() + "\n"
    assert explained(capsys) == explain(notes_network(), "W14(1)", X).text() + "\n"
    told = explained(capsys, "b2(1)", "--language", "zh", "--digits", "6")
    assert told == explain(notes_network(), "b2(1)", X).text("zh", digits=6) + "\n"
    assert "W₂₁⁽²⁾" in explained(capsys, "W21(2)", "--sizes", "4,3,2,1", "--seed", "3", "--activation", "tanh")
    assert "∇W⁽¹⁾ = δ⁽²⁾ a⁽¹⁾ᵀ" in explained(capsys, "W(1)")
    assert list(Path().iterdir()) == []


def test_explain_in_three_formats(capsys: pytest.CaptureFixture[str]) -> None:
    """By name, or by the ending of the file; the file holds what would have been printed."""
    made = explain(notes_network(), "W14(1)", X)
    for format, ending, text in (
        ("text", "txt", made.text() + "\n"), ("markdown", "md", made.markdown()), ("latex", "tex", made.latex()),
    ):  # fmt: skip
        assert explained(capsys, "--format", format) == text
        assert explained(capsys, "-o", f"a.{ending}") == f"Wrote a.{ending}.\n"
        assert Path(f"a.{ending}").read_text(encoding="utf-8") == text


def test_explain_draws_what_it_explains(capsys: pytest.CaptureFixture[str]) -> None:
    """A file of a picture gets the picture of the same flow, of a unit as well."""
    assert explained(capsys, "-o", "a.svg") == "Wrote a.svg (drawn by autodiff).\n"
    assert Path("a.svg").read_text(encoding="utf-8") == svg(notes_flow())
    assert explained(capsys, "z1(2)", "--language", "zh", "-o", "z.svg") == "已写入 z.svg（由 autodiff 绘制）。\n"
    assert "z.svg" in {path.name for path in Path().iterdir()}


@pytest.mark.parametrize("command", ["flow", "explain"])
def test_open_shows_the_picture_or_says_where_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """With a screen the browser gets a page of that flow; without one its path is printed."""
    opened: list[str] = []

    def open_page(address: str) -> bool:
        opened.append(address)
        return True

    monkeypatch.setattr("webbrowser.open", open_page)
    monkeypatch.setattr(drawing, "_has_screen", lambda: True)
    assert main([command, "--open"]) == 0
    assert len(opened) == 1
    assert opened[0].endswith("/picture.html")
    assert "picture.html" not in capsys.readouterr().out
    monkeypatch.setattr(drawing, "_has_screen", lambda: False)
    assert main([command, "--open"]) == 0
    assert re.search(r"Wrote \S+picture\.html", capsys.readouterr().out)
    assert len(opened) == 1


@pytest.mark.parametrize("name", ["z1(2)", "a1(2)", "W(1)"])
def test_units_and_matrices_flow_too(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """`flow` takes every name that `explain` takes, and its check agrees."""
    out = run(capsys, "--parameter", name)
    assert ": agrees.\n" in out
    assert str(parse(name)) in out


def test_explain_the_objective(capsys: pytest.CaptureFixture[str]) -> None:
    """With a corrupt window, whose numbers may begin with a minus."""
    given = ",".join(map(str, CORRUPT))
    out = explained(capsys, "--corrupt", given, "--digits", "9")
    assert f"{margin_flow().gradient:.9g}".replace("-", "−") in out
    assert "active, Δ + s_c − s > 0" in out
    assert explained(capsys, "--corrupt", "-1,0,0,0") == explained(capsys, "--corrupt=-1,0,0,0")


def test_a_net_with_several_outputs(capsys: pytest.CaptureFixture[str]) -> None:
    """One of them, alone or in the objective of two windows, for a weight and for a matrix; each check agrees."""
    net = ["--sizes", "3,3,2", "--input", "-1,0.5,2"]
    assert "reaches W₁₁⁽¹⁾" in (first := run(capsys, "W11(1)", *net, "--unit", "1"))
    assert "∂a₂⁽³⁾/∂W₁₁⁽¹⁾" in (second := run(capsys, "W11(1)", *net, "--unit", "2"))
    assert first != second
    for name in ("W11(1)", "W(1)", "z1(2)"):
        for start in (["--unit", "2"], ["--unit", "2", "--corrupt", "-1,1,1"], ["--target", "-1,1"]):
            assert ": agrees.\n" in run(capsys, name, *net, *start)
            assert "✓" in explained(capsys, name, *net, *start, "--check")


def test_the_loss_of_all_outputs(capsys: pytest.CaptureFixture[str]) -> None:
    """J = ½ Σ (a − y)²: its gradient with respect to an output's bias is a − y; also for a matrix and one output."""
    run(capsys, "b2(1)", "--sizes", "3,2", "--input", "1,0,-1", "--target", "1,-2", "-o", "loss.json")
    flow = json.loads(Path("loss.json").read_text(encoding="utf-8"))
    value = next(node["value"] for node in flow["nodes"] if node["label"] == "a₂⁽²⁾")
    assert flow["output"] == "J"
    assert flow["gradient"] == pytest.approx(value + 2.0)
    total = next(node["value"] for node in flow["nodes"] if node["label"] == "J")
    run(capsys, "b1(1)", "--sizes", "3,2", "--input", "1,0,-1", "--target", "1,-2", "-o", "loss.json")
    flow = json.loads(Path("loss.json").read_text(encoding="utf-8"))
    other = next(node["value"] for node in flow["nodes"] if node["label"] == "a₁⁽²⁾")
    assert total == pytest.approx(((other - 1.0) ** 2 + (value + 2.0) ** 2) / 2)
    assert ": agrees.\n" in run(capsys, "W(1)", "--target", "1")


def test_flow_takes_the_options_of_explain_and_the_reverse(capsys: pytest.CaptureFixture[str]) -> None:
    """Corrupt windows, formats and slips of the notes in flow; views, themes and widths of pictures in explain."""
    given = ",".join(map(str, CORRUPT))
    run(capsys, "--corrupt", given, "-o", "margin.svg")
    assert Path("margin.svg").read_text(encoding="utf-8") == see(margin_flow()).svg()
    assert "Errors in the printed notes\n─" in run(capsys, "--notes")
    assert main(["flow", "--format", "latex"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("\\documentclass")
    assert out.endswith("\\end{document}\n")
    assert "agrees" in err
    assert "Wrote error-flow-W14-1.svg" in err
    explained(capsys, "--view", "graph", "--theme", "dark", "--width", "500", "-o", "a.svg")
    expected = see(notes_flow(), view="graph", theme="dark", width=500.0).svg()
    assert Path("a.svg").read_text(encoding="utf-8") == expected
    explained(capsys, "--width", "0", "-o", "a.svg")
    assert Path("a.svg").read_text(encoding="utf-8") == see(notes_flow(), width=None).svg()


# ---- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("", "the following arguments are required: command; see autodiff --help"),
        ("flow --colour red", "unrecognized arguments: --colour; see autodiff --help"),
        ("flow --sizes 4,2", TWO_OUTPUTS),
        ("flow --sizes 4,3 --unit 4", "--unit: expected 1 … 3, a unit of the output layer, and got 4"),
        ("flow --unit 0", "argument --unit: expected the number of an output unit, from 1, and got '0'" + HELP),
        ("flow --output 2",
         "argument -o/--output: expected a file, and got '2'; write --unit 2 for an output unit" + HELP),
        ("flow --target 1,2", "--target: the network has 1 output, and got 2 numbers"),
        ("flow --target 1 --unit 1",
         "the loss of --target needs all outputs and one input; leave out --unit and --corrupt"),
        ("flow W11(1) --parameter W12(1)",
         "give one parameter, and not both 'W11(1)' and --parameter 'W12(1)'"),
        ("flow --view side", VIEWS + HELP),
        ("explain --view side", VIEWS + HELP_EXPLAIN),
        ("explain --width wide", WIDTH + "'wide'" + HELP_EXPLAIN),
        ("flow --width -1", WIDTH + "'-1'" + HELP),
        ("flow --format latex -o", "argument -o/--output: expected one argument" + HELP),
        ("flow --sizes 4,,1", SIZES + "'4,,1'" + HELP),
        ("flow --sizes 0,1", SIZES + "'0,1'" + HELP),
        ("flow --seed -1", "argument --seed: expected a whole number of at least 0, and got '-1'" + HELP),
        ("flow --input 1,two", "argument --input: expected numbers such as 1,-0.5,0.25, and got '1,two'" + HELP),
        ("flow --input 1,inf", "argument --input: expected numbers such as 1,-0.5,0.25, and got '1,inf'" + HELP),
        ("flow --input 1,2", "--input: the network has 4 inputs, and got 2 numbers"),
        ("flow --parameter W99(1)", PARAMETERS),
        ("flow --output flow.bmp", ENDINGS),
        ("flow --output none/flow.svg", "cannot write none/flow.svg: No such file or directory"),
        ("flow --network none.json", "cannot read none.json: No such file or directory"),
        ("flow --network net.txt", "--network must be a .json or .npz file, and got net.txt"),
        ("flow --network net.json --seed 3", OWN),
        ("flow --network net.json --sizes 4,2,1", OWN),
        ("flow --language fr", LANGUAGE + HELP),
        ("flow --theme blue", THEME + HELP),
        ("flow --digits 0", "argument --digits: expected a whole number from 1 to 17, and got '0'" + HELP),
        ("explain --digits 18", "argument --digits: expected a whole number from 1 to 17, and got '18'" + HELP_EXPLAIN),
        ("explain W99(1)", PARAMETERS),
        ("explain --language fr", LANGUAGE + HELP_EXPLAIN),
        ("explain --input 1,2", "--input: the network has 4 inputs, and got 2 numbers"),
        ("explain --corrupt 1", "--corrupt: the network has 4 inputs, and got 1 number"),
        ("explain -o a.bmp", ENDINGS.replace("flow.bmp", "a.bmp")),
        ("explain --format latex -o a.svg", "--format latex needs a .tex file, and got 'a.svg'"),
        ("explain --format latex -o a.md", "--format latex needs a .tex file, and got 'a.md'"),
        ("explain -o none/a.md", "cannot write none/a.md: No such file or directory"),
        ("explain --network none.json", "cannot read none.json: No such file or directory"),
        ("explain --sizes 4,2", TWO_OUTPUTS),
        ("explain --sizes 4,3",
         "the network has 3 outputs; choose one with --unit 1 … 3, or their loss with --target Y,Y,…"),
    ],
)  # fmt: skip
def test_bad_arguments_are_one_sentence(capsys: pytest.CaptureFixture[str], arguments: str, sentence: str) -> None:
    """On standard error, with status 2, and nothing is written."""
    assert refused(capsys, *arguments.split()) == sentence


def test_unknown_names_say_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Commands, activations and spellings of parameters."""
    assert "invalid choice: 'expound'" in refused(capsys, "expound")
    assert refused(capsys, "flow", "--activation", "sigmund").startswith(
        "argument --activation: unknown activation 'sigmund' (must be one of "
    )
    assert "sigmoid" in refused(capsys, "flow", "--activation", "sigmund")
    assert refused(capsys, "flow", "--parameter", "weight").startswith("cannot read 'weight' as a name: ")
    said = refused(capsys, "explain", "--format", "word")
    assert said.startswith("argument --format: unknown format 'word' (must be one of text, markdown, latex)")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", UNREADABLE + ": Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("[" * 100_000, UNREADABLE),
        ("[1]", "net.json must contain one object with W1, b1, W2, b2, …, and got a list"),
        ("{}", BLOCKS + "none"),
        ('{"W1": [[1]]}', BLOCKS + "W(1)"),
        ('{"W1": [[1]], "b1": [1], "W3": [[1]], "b3": [1]}', BLOCKS + "W(1), b(1), W(3), b(3)"),
        ('{"weights": [1]}', "net.json may contain W1, b1, W2, b2, … and x only, and contains 'weights'"),
        ('{"W1": [["a"]], "b1": [1]}', NUMBERS),
        ('{"W1": [[1], [1, 2]], "b1": [1]}', NUMBERS),
        ('{"W1": [[NaN]], "b1": [1]}', NUMBERS),
        ('{"W1": [[true]], "b1": [1]}', NUMBERS),
        ('{"W1": [[1]], "b1": [1, 2]}',
         "net.json: b1 must have shape (1,), one entry per row of W1, and got (2,)"),
        ('{"W1": [[1]], "W(1)": [[2]], "b1": [1], "x": [1]}', "net.json contains W(1) twice, in two spellings"),
        ('{"W1": [[1]], "b1": [1], "x": [[1]]}',
         "net.json: x must be one input, a vector of numbers, and has shape (1, 1)"),
        ('{"W1": [[1, 2]], "b1": [1], "W2": [[1, 2]], "b2": [1]}',
         "net.json: W2 must have as many columns as W1 has rows, 1, and has 2"),
        ('{"W1": [[1], [2]], "b1": [1, 2], "x": [1]}', TWO_OUTPUTS),
        ('{"W1": [[1, 2]], "b1": [1], "x": [1]}', "net.json: x: the network has 2 inputs, and got 1 number"),
        ('{"W1": [[1]], "b1": [1]}', "net.json contains no x; give the input with --input"),
    ],
)  # fmt: skip
def test_bad_networks_are_one_sentence(capsys: pytest.CaptureFixture[str], content: str, sentence: str) -> None:
    """What the file holds and what it should hold."""
    Path("net.json").write_text(content)
    assert refused(capsys, "flow", "--network", "net.json", "--parameter", "b1(1)") == sentence


def test_what_is_no_archive_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """Random bytes, and an archive of Python objects, which would have to be trusted."""
    Path("net.npz").write_bytes(b"not an archive")
    assert refused(capsys, "flow", "--network", "net.npz") == "net.npz is not a readable .npz file"
    np.savez("net.npz", W1=np.array([object()]))
    assert refused(capsys, "flow", "--network", "net.npz") == "net.npz is not a readable .npz file"
    np.savez("net.npz", **{"W(1)": np.ones((1, 2, 3)), "b(1)": np.ones(1)})  # type: ignore[arg-type]
    assert "W(1) must be a vector or matrix of finite numbers" in refused(capsys, "flow", "--network", "net.npz")


def _broken_archive(place: bytes, offset: int, value: int) -> bytes:
    """An archive with one byte changed: ``offset`` behind each mark ``place``."""
    np.savez_compressed("whole.npz", W1=np.arange(900.0).reshape(1, 900), b1=[1.0])
    data = bytearray(Path("whole.npz").read_bytes())
    Path("whole.npz").unlink()
    start = data.find(place)
    while start >= 0:
        data[start + offset] = value
        start = data.find(place, start + 1)
    return bytes(data)


@pytest.mark.parametrize(("place", "offset", "value"), [
    (b"PK\x01\x02", 10, 99), (b"PK\x01\x02", 8, 1), (b"W1.npy", 40, 255),
], ids=["unknown compression", "encrypted", "damaged"])  # fmt: skip
def test_archives_that_cannot_be_unpacked_are_one_sentence(
    capsys: pytest.CaptureFixture[str], place: bytes, offset: int, value: int
) -> None:
    """zipfile and zlib raise errors of their own."""
    Path("net.npz").write_bytes(_broken_archive(place, offset, value))
    assert refused(capsys, "flow", "--network", "net.npz") == "net.npz is not a readable .npz file"


def test_an_array_under_the_name_of_an_archive_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """numpy.load then gives the array itself."""
    np.save("net.npy", np.ones(3))
    Path("net.npy").rename("net.npz")
    assert refused(capsys, "flow", "--network", "net.npz") == "net.npz is not a readable .npz file"


@pytest.mark.parametrize("sizes", ["1000,1000,1", "1000000000000,1", "99999999999999999999999,1"])
def test_networks_too_large_to_explain_are_one_sentence(capsys: pytest.CaptureFixture[str], sizes: str) -> None:
    """Each weight is a Value of its own; before anything is allocated."""
    assert refused(capsys, "flow", "--sizes", sizes).startswith("a network may have at most 1,000,000 weights and")


def test_an_empty_activation_is_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    """It is not taken for none given."""
    said = refused(capsys, "flow", "--activation", "")
    assert said.startswith("argument --activation: unknown activation '' (must be one of ")


def test_weights_at_the_end_of_the_floats(capsys: pytest.CaptureFixture[str]) -> None:
    """Beyond 2¹⁰²³ no step is larger; the check says what it can."""
    Path("net.json").write_text('{"W1": [[1e308]], "b1": [0.0], "x": [1.0]}')
    assert "Check: numerical derivative" in run(capsys, "--network", "net.json", "--parameter", "W11(1)")


def test_without_graphviz_an_svg_is_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Instead of a .png; a warning has the install command."""
    module = sys.modules["autodiff.draw.graphviz"]
    monkeypatch.setattr(module, "find_dot", lambda: None)
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.warns(UserWarning, match="pip install pygraphviz"):
        assert "Wrote flow.svg (drawn by autodiff)" in run(capsys, "--output", "flow.png")


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    """That of the package, which the changelog's newest heading names too."""
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"autodiff {__version__}\n"
    headings = re.findall(r"^## (\d.*)$", (ROOT / ".github" / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == __version__
