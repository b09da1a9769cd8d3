"""Text printed in an encoding that lacks some characters: ASCII spelling, never an error, nothing half done."""

from __future__ import annotations

import ast
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import cache
from itertools import cycle, product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodiff.cli.program import main
from autodiff.draw import svg
from autodiff.system.console import encodable, readable_output
from autodiff.words.notation import in_ascii
from autodiff.words.phrases import PHRASES
from tests.support.flows import notes_flow
from tests.support.places import ROOT

ENCODINGS = ("ascii", "latin-1", "cp1252", "cp437", "gbk", "shift_jis", "utf-8", "utf-16")
DEMOS = ("error_sharing.py", "find_the_bug.py")
CHECKED = """
import autodiff as ad
σ = ad.sigmoid
def f(δ):
    print("σ′(z₁⁽²⁾)")
    return σ(δ)
def wrong(x):
    return x * x.detach()
"""


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.py").write_text(CHECKED, encoding="utf-8")


def printed(encoding: str, *arguments: str) -> tuple[int, str, str]:
    """The exit status of the program, and what it prints to streams of this encoding."""
    kept = io.BytesIO(), io.BytesIO()
    out, err = (io.TextIOWrapper(each, encoding=encoding, write_through=True) for each in kept)
    with redirect_stdout(out), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", err)
        try:
            status = main(arguments)
        except SystemExit as ended:  # of --help
            status = int(ended.code or 0)
    return status, kept[0].getvalue().decode(encoding), kept[1].getvalue().decode(encoding)


COMMANDS = {
    "explain": (0, ("explain", "--check")), "matrix": (0, ("explain", "W(1)")),
    "latex": (0, ("explain", "--format", "latex")), "markdown": (0, ("explain", "--format", "markdown")),
    "objective": (0, ("explain", "--corrupt", "0.1,0.2,0.3,0.4")),
    "flow": (0, ("flow",)), "flow of a net": (0, ("flow", "--sizes", "3,3,2,1", "--seed", "2", "--parameter", "b2(1)")),
    "check": (0, ("check", "model.py:f")), "wrong": (1, ("check", "model.py:wrong", "--at", "2.0")),
    "curve": (0, ("check", "model.py:f", "--curve", "--order", "2")), "json": (0, ("check", "model.py:f", "--json")),
    "help": (0, ("explain", "--help")), "unknown name": (2, ("explain", "W₉₉⁽¹⁾")),
    "table": (0, ("table",)), "table in Markdown": (0, ("table", "--markdown")), "no such row": (2, ("table", "∂")),
}  # fmt: skip


@cache
def in_utf_8(command: str) -> tuple[int, str, str]:
    """What a command prints in UTF-8, asked once for all encodings."""
    return printed("utf-8", *COMMANDS[command][1])


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_prints_in_every_encoding(command: str, encoding: str) -> None:
    """With the exit status that it has in UTF-8, and the same text, written out or in ASCII spelling."""
    status, arguments = COMMANDS[command]
    found, out, err = printed(encoding, *arguments)
    assert found == status
    whole = in_utf_8(command)
    if encoding.startswith("utf"):
        assert (found, out, err) == whole
    else:
        assert in_ascii(out).split() == in_ascii(whole[1]).split()
        assert in_ascii(err).split() == in_ascii(whole[2]).split()


def test_names_formulas_and_signs_are_spelled() -> None:
    """As Name.ascii does, with the columns of tables below each other."""
    _, out, _ = printed("cp1252", "explain", "--check")
    assert "dW14(1) = 1 * 1 * W11(2) * sigma'(z1(2)) * a4(1)\n" in out
    assert "= 1 x 1 x 0.9 x 0.1793 x 0.8\n" in out
    assert "grad W(1) = delta(2) a(1)^T" in out
    assert "ok 0.1291 ~ 0.1291 (by finite differences)\n" in out
    rows = out[out.index("factor of the strongest path") :].splitlines()[2:7]
    assert len({row.rindex(" ") for row in rows}) == 1


def test_chinese_is_told_as_far_as_the_encoding_has_it() -> None:
    """A Chinese console shows it with spelled names; elsewhere its characters become escapes."""
    _, out, err = printed("gbk", "explain", "--language", "zh")
    assert out.startswith("梯度 da1(3)/dW14(1) 详解\n")
    status, out, err = printed("ascii", "flow", "--language", "zh")
    assert (status, err) == (0, "")
    assert "\\u68af\\u5ea6" in out


def test_files_are_utf_8_whatever_is_printed() -> None:
    """The console's encoding does not affect files, and files are not spelled in ASCII."""
    assert printed("ascii", "flow")[0] == 0
    assert Path("error-flow-W14-1.svg").read_text(encoding="utf-8") == svg(notes_flow())
    assert printed("ascii", "explain", "-o", "a.md") == (0, "Wrote a.md.\n", "")
    assert "W₁₄⁽¹⁾" in Path("a.md").read_text(encoding="utf-8")


PROCESSES = {
    "cp1252": {"PYTHONIOENCODING": "cp1252"}, "ascii": {"PYTHONIOENCODING": "ascii"},
    "C locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}  # fmt: skip


#: The demo, handed programs that fail: what it prints matters here; `tests.demos.test_find_the_bug` runs its search.
FOUND_AT_ONCE = f"""
import runpy
from autodiff.testing.random_programs import search as loop
from autodiff.testing.random_programs.program import Program
lines = ["Value 2.0; multiply 0 0", "Value 1.0; sigmoid_unit 0", "Tensor [[1.0,2.0],[0.0,1.0]] [1.0,0.0]; dense 1 0"]
def search(fault, *_, **__):
    program = Program.parse(lines.pop(0))
    return loop.Search(1, found=loop.Counterexample(program, fault(program), program, 1))
loop.search = search
runpy.run_path({str(ROOT / "demos" / "find_the_bug.py")!r}, run_name="__main__")
assert not lines
"""


#: The status of each, and its arguments.
PROGRAMS: dict[str, tuple[int, list[str | bytes]]] = {
    "explain": (0, ["-m", "autodiff", "explain"]),
    "flow": (0, ["-m", "autodiff", "flow", "--output", b"\xff.svg"]),
    "unknown name": (2, ["-m", "autodiff", "explain", "W₉₉⁽¹⁾".encode()]),
    "error_sharing": (0, [str(ROOT / "demos" / "error_sharing.py")]),
    "find_the_bug": (0, ["-c", FOUND_AT_ONCE]),
}


# each command where the locale decides, and with one of the two encodings that are asked for, which meet every command
# in `test_every_command_prints_in_every_encoding`
@pytest.mark.parametrize(
    ("process", "name"),
    [*product(["C locale"], PROGRAMS), *zip(cycle(["cp1252", "ascii"]), PROGRAMS, strict=False)],
)
def test_as_a_process(process: str, name: str) -> None:
    """The program and the demos; standard error too, and a path that is no text."""
    status, command = PROGRAMS[name]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG", "PYTHON"))}
    environment |= {**PROCESSES[process], "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, *command], capture_output=True, env=environment, timeout=120, check=False)
    assert done.returncode == status, done.stderr
    assert done.stdout or done.stderr
    assert (done.stdout + done.stderr).decode("cp1252")


def test_a_program_without_a_console() -> None:
    """Streams that are not there, and streams without an encoding, stay what they are."""
    with redirect_stdout(None), readable_output():
        print("a₁⁽²⁾")
    with redirect_stdout(io.StringIO()) as out, readable_output():
        print("a₁⁽²⁾")
    assert out.getvalue() == "a₁⁽²⁾\n"


def english() -> Iterator[str]:
    """The project's English texts, and every string in its code that is not a docstring."""
    yield from (phrase.en for phrase in PHRASES.values())
    for folder in ("autodiff", "nn", "demos"):
        for path in (ROOT / folder).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            nodes = list(ast.walk(tree))
            prose = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
            constants = (node for node in nodes if isinstance(node, ast.Constant) and id(node) not in prose)
            yield from (node.value for node in constants if isinstance(node.value, str))


#: Characters of other scripts: those of Chinese sentences, and the ends of ranges of letters that are set otherwise.
FOREIGN = re.compile("[\u0590-\u08ff\u2028\u2029\u2e80-\u9fff\uf900-\uffef]")


def test_all_that_the_project_says_has_an_ascii_spelling() -> None:
    """A sign that is new to its texts needs a row of the table in `autodiff.words.notation`."""
    missing = {c for text in english() for c in FOREIGN.sub("", in_ascii(text)) if not c.isascii()}
    assert not missing


@pytest.mark.parametrize(("text", "spelled"), [
    ("x² − 10⁻¹²", "x^2 - 10^-12"), ("z₁⁽²⁾ᶜ", "z1(2)^c"), ("2×3", "2x3"), ("eˣ", "e^x"), ("a₄⁽¹⁾ᵀ", "a4(1)^T"),
    ("é ≤ 梯度", "é <= 梯度"), ("⟨∇f, v⟩", "<grad f, v>"), ("⁽", "("),
])  # fmt: skip
def test_spelling(text: str, spelled: str) -> None:
    """Powers are distinguished from layers; text that is not notation stays."""
    assert in_ascii(text) == spelled


@given(st.text(), st.sampled_from(ENCODINGS))
def test_any_text_can_be_written(text: str, encoding: str) -> None:
    """Lone surrogates, names in any script; characters that the encoding has are unchanged."""
    found = encodable(text, encoding)
    found.encode(encoding)
    assert encodable(found, encoding) == found
    if text.isascii() or encoding.startswith("utf"):
        assert found == text.encode(errors="backslashreplace").decode()
