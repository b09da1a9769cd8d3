"""The output of ``autodiff table``: the whole table, once, as text and as Markdown, and look-ups by name."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from markdown_it import MarkdownIt

import autodiff as ad
from autodiff import Primitive
from autodiff.cli.program import main
from autodiff.primitives.domain import ANY
from autodiff.primitives.registry import BUILT_IN, TABLE
from autodiff.reference import tables
from autodiff.reference.operations import everything, selected
from autodiff.values import refusals
from autodiff.values.compositions import COMPOSITIONS, numpy_functions
from autodiff.values.numpy_protocol import QUESTIONS, spelled
from autodiff.words.notation import in_ascii
from tests.support.places import ROOT

MADE = [name for name in COMPOSITIONS if numpy_functions({name: None})]
REFUSED = [name for name in refusals.REFUSED if numpy_functions({name: None})]
HEAD = ["Operation", "Formula", "Derivative", "Domain", "NumPy"]


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The output of ``autodiff table`` without errors."""
    assert main(["table", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def unknown(capsys: pytest.CaptureFixture[str], *names: str) -> str:
    """The sentence on an unknown name; nothing else is printed."""
    assert main(["table", *names]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err.removeprefix("autodiff: ").rstrip("\n")


def entry(told: str, name: str) -> str:
    """The paragraph of one operation."""
    [paragraph] = [part for part in told.split("\n\n") if re.split(r"\s", part)[0] == name and "\n  Formula" in part]
    return paragraph


def rendered(told: str) -> list[list[list[str]]]:
    """The cells of every Markdown table as rendered: the text of each, code without its marks."""
    found: list[list[list[str]]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(told):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and found and token.level >= 4:
            found[-1][-1].append("".join(part.content for part in token.children or ()))
    return found


# ---- all of it -------------------------------------------------------------------------------------------------------


def test_every_operation_appears_once(capsys: pytest.CaptureFixture[str]) -> None:
    """In the text and in the tables, by topic in the order of the table, with the words of its entry."""
    out = shown(capsys)
    topics = dict.fromkeys(each.forward.__module__.rpartition(".")[2].capitalize() for each in TABLE.values())
    assert re.findall(r"^(\w+)\n-+$", out, flags=re.MULTILINE) == [*topics]
    assert re.findall(r"^(\w+).*\n  Formula ", out, flags=re.MULTILINE) == [*TABLE]
    rows = [row for table in rendered(shown(capsys, "--markdown")) for row in table if table[0] == HEAD]
    assert [row[0].split()[0] for row in rows if row != HEAD] == [*TABLE]
    for each in TABLE.values():
        told = " ".join(entry(out, each.name).split())
        assert each.doc.replace("`", "") in told
        assert each.symbol in told
        assert all(spelled(function) in told for function in each.numpy)


def test_every_function_of_numpy_appears_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Those composed of operations, those without a derivative, and those refused, each in its place."""
    groups = [sorted(f"np.{name}" for name in MADE), sorted(map(spelled, QUESTIONS))]
    for told in (shown(capsys), shown(capsys, "--markdown")):
        lists = re.findall(r"^ *(`?np\.[^:|]*?)(?:\n\n)", told, flags=re.MULTILINE)
        assert [re.findall(r"np\.[\w.]+", names) for names in lists] == groups
    refused = sorted(f"np.{name}" for name in REFUSED)
    assert re.findall(r"^  (np\.[\w.]+): ", shown(capsys), flags=re.MULTILINE) == refused
    assert [row[0] for row in rendered(shown(capsys, "--markdown"))[-1][1:]] == refused


def test_only_what_this_numpy_has(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Names from other versions are not listed."""
    monkeypatch.setitem(COMPOSITIONS, "linalg.of_tomorrow", np.sum)
    monkeypatch.setitem(refusals.REFUSED, "of_yesterday", "It is gone.")
    out = shown(capsys)
    assert "tomorrow" not in out
    assert "gone" not in out


def test_the_derivatives_are_those_of_the_table() -> None:
    """Each input has one, in the forward's letters if possible."""
    for row in everything().operations:
        each = TABLE[row.name]
        told = [item for item in row.derivatives if not item.endswith(":")]
        assert len(told) == (each.arity or 2)
        if told[0].startswith(("∂z/∂x = ", "∂J/∂x = ")) and each.arity == 1:
            assert told[0].partition(" = ")[2] == each.formula(0)
            assert row.domain == each.domain[0].text
    rows = {row.name: row for row in everything().operations}
    assert rows["affine"].derivatives == ("∂J/∂w = outer(g, x)", "∂J/∂x = matvec(w.T, g)", "∂J/∂b = g")
    assert rows["scatter"].derivatives == ("∂J/∂x = getitem(g, index=index)",)
    assert rows["divide"].domain == "x: all reals; y ≠ 0"
    assert rows["divide"].numpy == ("np.divide",)
    assert {rows[name].internal for name in ("sech2", "inner")} == {True}
    assert {row.internal == (row.name not in ad.__all__) for row in rows.values()} == {True}


def test_your_own_operation_is_in_the_table(define: Callable[..., Primitive]) -> None:
    """Under a separate heading, with its docstring."""
    define("cube_|x|", lambda xp, x: x * x * x, [lambda g, z, x: g * (3.0 * x * x)], doc="Cube\n|x|³.", domain=ANY)
    found = selected(everything(), ["cube_|x|"])
    section = "User-defined\n------------\n\ncube_|x|\n  Formula     Cube |x|³.\n  Derivative  ∂z/∂x = "
    assert section in tables.text(found)
    [[head, row]] = rendered(tables.markdown(found))
    assert head == HEAD
    assert row[:2] == ["cube_|x|", "Cube |x|³."]


# ---- how it reads ----------------------------------------------------------------------------------------------------


def test_text_fits_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """100 columns, even in ASCII spelling; no trailing spaces and no two consecutive empty lines."""
    out = shown(capsys)
    for line in out.splitlines():
        assert len(line) <= 100
        assert len(in_ascii(line)) <= 100
        assert line == line.rstrip()
    assert "\n\n\n" not in out
    assert out.endswith("\n")
    assert not out.endswith("\n\n")


def test_markdown_has_rows_of_one_length(capsys: pytest.CaptureFixture[str]) -> None:
    """As written, and as a renderer splits it: a pipe in |x| is not a border."""
    out = shown(capsys, "--markdown")
    blocks = [part.splitlines() for part in out.split("\n\n") if part.startswith("| ")]
    assert len(blocks) == len({entry.forward.__module__ for entry in TABLE.values() if entry.built_in}) + 1
    for block in blocks:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block}) == 1
    found = rendered(out)
    assert [len(table) for table in found] == [len(block) - 1 for block in blocks]
    assert [row for table in found for row in table if row[0].startswith("absolute")] == [
        ["absolute |x|", "Absolute value |x|; its derivative at 0 is 0.", "∂z/∂x = sign(x)", "x ≠ 0",
         "np.absolute, np.fabs"],
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "facts"), [
    ("relu", ["max(x, 0); its derivative at 0 is 0, at nan it is nan.", "∂z/∂x = sign(z)"]),
    ("maximum", ["The larger of x and y; a tie shares the error equally.", "NumPy       np.maximum"]),
    ("log", ["Natural logarithm ln x; −inf at 0, nan below.", "∂z/∂x = 1/x\n", "  x > 0\n", "NumPy       np.log"]),
    ("pow", ["∂z/∂y = where(x = 0 and y ≥ 0, 0.0, z·log(x))", "x > 0; y: all reals", "np.power, np.float_power"]),
    ("sum", ["every element gets the whole error signal", "∂J/∂x = spread(g, shape=x.shape, "]),
])  # fmt: skip
def test_facts_that_are_known(capsys: pytest.CaptureFixture[str], name: str, facts: list[str]) -> None:
    """As a reader looks them up."""
    told = entry(shown(capsys, name), name)
    assert all(fact in told for fact in facts)


def test_the_legend_tells_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    """Error signals, internal operations and the notes are explained where they occur."""
    said = ("g = ∂J/∂z is the error signal", "Internal operations", "course CS224n", "composed of several operations")
    assert all(part in shown(capsys) for part in said)
    assert all(part in shown(capsys, "--markdown") for part in said)
    assert not any(part in shown(capsys, "sqrt") for part in said)
    assert "error signal" in shown(capsys, "sum")
    assert "Internal operations" in shown(capsys, "sech2")
    assert "z is the result" not in shown(capsys, "np.argmax")


# ---- looking up ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "operations", "functions"), [
    (["sqrt"], ["sqrt"], []), (["np.sqrt"], ["sqrt"], []), (["numpy.sqrt"], ["sqrt"], []),
    (["np.linalg.norm"], ["norm"], ["np.linalg.norm"]), (["linalg.norm"], ["norm"], ["np.linalg.norm"]),
    (["norm"], ["norm"], ["np.linalg.norm"]), (["np.clip"], ["clip"], ["np.clip"]),
    (["np.abs"], ["absolute"], []), (["np.true_divide"], ["divide"], []), (["np.amax"], ["max"], []),
    (["np.std"], [], ["np.std"]), (["np.argmax"], [], ["np.argmax"]),
    (["ln"], ["log"], []), (["ReLU"], ["relu"], []), (["Σ"], ["weighted_sum", "einsum", "sum"], []),
    (["arct"], ["arctan", "arctan2", "arctanh"], []), (["tanh", "exp", "tanh"], ["exp", "tanh"], []),
])  # fmt: skip
def test_a_name_finds_its_rows(asked: list[str], operations: list[str], functions: list[str]) -> None:
    """By the exact name, in the package or in NumPy; then by the sign; then by a part, in the order of the table."""
    found = selected(everything(), asked)
    assert [row.name for row in found.operations] == operations
    assert [row.name for group in found.groups for row in group.functions] == functions


def test_every_name_finds_its_own_row(capsys: pytest.CaptureFixture[str]) -> None:
    """Every name in the table can be looked up, in both forms."""
    found = everything()
    for name in BUILT_IN:
        assert name in [row.name for row in selected(found, [name]).operations]
    for name in [*(f"np.{name}" for name in MADE + REFUSED), *map(spelled, QUESTIONS)]:
        groups = selected(found, [name]).groups
        assert name in [row.name for group in groups for row in group.functions]
    for name in REFUSED:
        told = rendered(shown(capsys, "--markdown", f"np.{name}"))[-1]
        assert [f"np.{name}", refusals.REFUSED[name]] in told


@pytest.mark.parametrize(("name", "advice"), [
    ("sqrtt", "did you mean sqrt?"), ("arcsn", "did you mean arcsin?"), ("cosinus", "did you mean cos?"),
    ("np.linalg.nrm", "did you mean linalg.norm?"), ("zzz", "autodiff table lists all of them"),
    ("", "autodiff table lists all of them"), ("np.", "autodiff table lists all of them"),
    ("__dict__", "autodiff table lists all of them"), ("np.random.power", "did you mean power?"),
])  # fmt: skip
def test_an_unknown_name_is_one_sentence(capsys: pytest.CaptureFixture[str], name: str, advice: str) -> None:
    """With a similar name, if there is one; also after known names."""
    sentence = f"the table has no operation or NumPy function {name!r}; {advice}"
    assert unknown(capsys, name) == sentence
    assert unknown(capsys, "sqrt", name) == sentence


def test_bad_options_are_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """As for the other commands."""
    assert unknown(capsys, "--html") == "unrecognized arguments: --html; see autodiff --help"


@pytest.mark.parametrize("arguments", [[], ["--markdown"], ["norm"]])
def test_in_ascii_as_a_process(arguments: list[str]) -> None:
    """With signs and formulas spelled in ASCII, and the same columns."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "autodiff", "table", *arguments]
    done = subprocess.run(command, capture_output=True, env=environment, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    out = done.stdout.decode("ascii")
    assert "dJ/dx is the share" in out
    assert "\\u" not in out
    if "--markdown" not in arguments:
        assert all(len(line) <= 100 for line in out.splitlines())
        assert "\nnorm          ||x||\n  Formula     Euclidean norm sqrt" in out
        assert "\n  Domain      x != 0\n" in out
