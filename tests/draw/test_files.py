"""Files: every format by its ending, written completely or not at all; engines in turn, and without each of them."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from autodiff import Value, error_flow
from autodiff.draw import MissingProgramError, dot, picture, render, save, svg, text
from autodiff.draw import graphviz as engine
from autodiff.draw.page.page import page
from tests.support.flows import FLOWS, HOSTILE, deep_flow, hostile_flow, notes_flow

# ---- files -----------------------------------------------------------------------------------------------------------


def test_files_by_their_ending(tmp_path: Path) -> None:
    """Each contains the result of the function for its format."""
    flow = notes_flow()
    for ending, content in (("svg", svg(flow)), ("dot", dot(flow)), ("txt", text(flow) + "\n"), ("html", page(flow))):
        saved = save(flow, tmp_path / f"flow.{ending.upper()}")
        assert saved.path.read_text(encoding="utf-8") == content
        assert saved.engine == "autodiff"
    data = json.loads(save(flow, str(tmp_path / "flow.json")).path.read_text(encoding="utf-8"))
    assert data == json.loads(json.dumps(flow.as_dict()))


@pytest.mark.parametrize("kind", FLOWS)
def test_every_kind_of_flow_can_be_saved(tmp_path: Path, kind: str) -> None:
    """In every format that needs no other program; `tests.draw.page.test_page` makes the page of each."""
    flow = FLOWS[kind]()
    for ending in ("svg", "dot", "txt", "json", "tex", "md"):
        assert save(flow, tmp_path / f"flow.{ending}").path.stat().st_size > 100


def test_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    """The sentence lists the known endings."""
    with pytest.raises(ValueError, match=r"cannot save as 'flow\.bmp'") as caught:
        save(notes_flow(), tmp_path / "flow.bmp")
    assert str(caught.value) == (
        "cannot save as 'flow.bmp': the file name must end in one of "
        ".svg, .png, .pdf, .dot, .html, .txt, .json, .tex, .md"
    )


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    """And so is a folder with the name of the file."""
    with pytest.raises(FileNotFoundError) as caught:
        save(notes_flow(), tmp_path / "none" / "flow.svg")
    assert str(caught.value) == f"cannot write {tmp_path / 'none' / 'flow.svg'}: No such file or directory"
    (tmp_path / "flow.svg").mkdir()
    with pytest.raises(OSError, match=r"^cannot write .*flow\.svg: "):
        save(notes_flow(), tmp_path / "flow.svg")
    assert [item.name for item in tmp_path.iterdir()] == ["flow.svg"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new file replaces the old one only when it is complete; nothing else stays behind."""
    target = tmp_path / "flow.svg"
    target.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match=r"^cannot write .*flow\.svg: No space left on device$"):
        save(notes_flow(), target)
    assert target.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["flow.svg"]


def test_permissions_stay(tmp_path: Path) -> None:
    """A replaced file keeps its mode; a new one has the mode that the umask allows."""
    target = tmp_path / "flow.svg"
    target.write_text("old")
    target.chmod(0o600)
    save(notes_flow(), target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    plain = tmp_path / "plain"
    plain.touch()
    fresh = save(notes_flow(), tmp_path / "new.svg").path
    assert fresh.stat().st_mode == plain.stat().st_mode


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """The target of the link is written, as with open(): over several links, and if the target does not exist yet."""
    (tmp_path / "kept").mkdir()
    target = tmp_path / "kept" / "real.svg"
    (tmp_path / "inner.svg").symlink_to(target)
    (tmp_path / "outer.svg").symlink_to("inner.svg")
    for _ in range(2):  # first a new file, then one that is there
        assert save(notes_flow(), tmp_path / "outer.svg").path == tmp_path / "outer.svg"
        assert (tmp_path / "outer.svg").is_symlink()
        assert (tmp_path / "inner.svg").is_symlink()
        assert target.read_text(encoding="utf-8") == svg(notes_flow())
        target.write_text("old")
    assert [item.name for item in (tmp_path / "kept").iterdir()] == ["real.svg"]
    (tmp_path / "round.svg").symlink_to("round.svg")
    with pytest.raises(OSError, match=r"^cannot write .*round\.svg: "):
        save(notes_flow(), tmp_path / "round.svg")
    assert (tmp_path / "round.svg").is_symlink()


def test_a_name_may_be_as_long_as_the_system_allows(tmp_path: Path) -> None:
    """255 characters here; one more is one sentence."""
    longest = os.pathconf(tmp_path, "PC_NAME_MAX")
    for length in (longest, longest - 8):
        target = tmp_path / f"{'n' * (length - 4)}.txt"
        for _ in range(2):
            assert save(notes_flow(), target).path.read_text(encoding="utf-8") == text(notes_flow()) + "\n"
    with pytest.raises(OSError, match=r"^cannot write .*n\.txt: File name too long$"):
        save(notes_flow(), tmp_path / f"{'n' * (longest - 3)}.txt")
    assert len([*tmp_path.iterdir()]) == 2


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    """It stays a pipe: only regular files are replaced."""
    pipe = tmp_path / "flow.txt"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        save(notes_flow(), pipe)
        assert os.read(reader, 1_000_000).decode() == text(notes_flow()) + "\n"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert [item.name for item in tmp_path.iterdir()] == ["flow.txt"]


def test_a_file_that_may_not_be_written_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder would allow it; open() for writing refuses it, and so does a save."""
    target = tmp_path / "flow.svg"
    target.write_text("old")
    opened = os.open

    def refuse(path: Any, flags: int, *more: Any) -> int:  # for root the system refuses none
        if path == target and flags & os.O_WRONLY:
            raise PermissionError(13, "Permission denied")
        return opened(path, flags, *more)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(PermissionError, match=r"^cannot write .*flow\.svg: Permission denied$"):
        save(notes_flow(), target)
    assert target.read_text() == "old"


KILLED = """
import os, signal, sys
from autodiff import Value
from autodiff.draw import see

def killed(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

{taken_away}
os.{call} = killed
x = Value(2.0, name="x")
see(x * x, x).save(sys.argv[1])
"""


def can_be_nameless(folder: Path) -> bool:
    """Whether the file system has files without a name."""
    try:
        os.close(os.open(folder, os.O_TMPFILE | os.O_WRONLY))
    except (AttributeError, OSError):
        return False
    return True


@pytest.mark.parametrize("taken_away", ["", "del os.O_TMPFILE"], ids=["without a name", "with a name"])
@pytest.mark.parametrize("call", ["fchmod", "replace"])
def test_a_kill_leaves_the_old_file(tmp_path: Path, call: str, taken_away: str) -> None:
    """While the new one is written, nothing is beside it where files need no name; else one that says whose it is."""
    target = tmp_path / "flow.svg"
    target.write_text("old")
    code = KILLED.format(call=call, taken_away=taken_away or "pass")
    done = subprocess.run([sys.executable, "-c", code, str(target)], capture_output=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert target.read_text() == "old"
    others = [item.name for item in tmp_path.iterdir() if item != target]
    assert len(others) == (0 if call == "fchmod" and not taken_away and can_be_nameless(tmp_path) else 1)
    assert all(re.fullmatch(r"\.autodiff-[0-9a-f]{16}", name) for name in others)


def test_a_name_that_the_system_cannot_write_is_one_sentence(tmp_path: Path) -> None:
    """Half a character here; in the C locale, any that is not ASCII."""
    with pytest.raises(ValueError, match=r"^the file name '.*\\ud800\.svg' cannot be encoded in utf-8$"):
        save(notes_flow(), tmp_path / "\ud800.svg")


def test_half_a_character_in_a_name_is_saved(tmp_path: Path) -> None:
    """UTF-8 cannot encode a lone surrogate; JSON escapes it, and it reads back unchanged."""
    x = Value(2.0, name="\ud800")
    data = json.loads(save(error_flow(x * x, x), tmp_path / "flow.json").path.read_text(encoding="utf-8"))
    assert data["nodes"][-1]["name"] == "\ud800"
    for ending in (".svg", ".dot", ".txt"):
        assert "\N{REPLACEMENT CHARACTER}" in save(error_flow(x * x, x), tmp_path / f"flow{ending}").path.read_text(
            encoding="utf-8"
        )


# ---- engines

@pytest.fixture(scope="module")
def has_graphviz() -> bool:
    """Whether this machine can draw PNG."""
    try:
        render("digraph {a}", "png")
    except MissingProgramError:
        return False
    return True


@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_png_and_pdf_are_drawn_by_graphviz(tmp_path: Path, ending: str, magic: bytes, has_graphviz: bool) -> None:
    """By dot or by pygraphviz; the result names the engine."""
    if not has_graphviz:
        pytest.skip("neither dot nor pygraphviz is installed")
    saved = save(deep_flow(), tmp_path / f"flow.{ending}")
    assert saved.path.read_bytes().startswith(magic)
    assert saved.engine in ("dot", "pygraphviz")


@pytest.mark.parametrize("name", HOSTILE)
def test_graphviz_takes_hostile_names(name: str, has_graphviz: bool) -> None:
    """Our text is valid DOT, whatever the names are."""
    if not has_graphviz:
        pytest.skip("neither dot nor pygraphviz is installed")
    drawn, _ = render(dot(hostile_flow(name)), "svg")
    root = ElementTree.fromstring(drawn)
    assert not any(item.tag.endswith("script") for item in root.iter())


@pytest.fixture
def no_graphviz(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with neither dot nor pygraphviz."""
    monkeypatch.setattr(engine, "find_dot", lambda: None)
    monkeypatch.setattr(engine, "find_spec", lambda name: None)


@pytest.mark.parametrize("ending", [".png", ".pdf"])
def test_without_graphviz_our_own_svg_is_written(tmp_path: Path, no_graphviz: None, ending: str) -> None:
    """Under the same name with another ending; the result and one sentence say so, and what to install."""
    with pytest.warns(UserWarning, match="^wrote") as warned:
        saved = save(notes_flow(), tmp_path / f"flow{ending}")
    assert saved == (tmp_path / "flow.svg", "autodiff")
    assert saved.path.read_text(encoding="utf-8") == svg(notes_flow())
    assert [str(warning.message) for warning in warned] == [
        f"wrote {tmp_path / 'flow.svg'} instead of {tmp_path / 'flow'}{ending}: a {ending} needs Graphviz, which is "
        "not installed; run pip install pygraphviz or install Graphviz (other formats need neither)"
    ]
    assert [item.name for item in tmp_path.iterdir()] == ["flow.svg"]


@pytest.mark.parametrize(
    ("name", "command"), [("dot", "apt install graphviz"), ("pygraphviz", "pip install pygraphviz")]
)
def test_a_forced_engine_that_is_missing_is_one_sentence(
    tmp_path: Path, no_graphviz: None, name: str, command: str
) -> None:
    """With the command that installs it; nothing is written."""
    for ending in (".png", ".svg"):
        with pytest.raises(MissingProgramError) as caught:
            save(notes_flow(), tmp_path / f"flow{ending}", engine=name)
        assert str(caught.value).startswith(f"the engine {name} is not installed; run ")
        assert command in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("ending", "name", "sentence"),
    [
        (".svg", "neato", "unknown engine 'neato' (must be one of autodiff, dot, pygraphviz)"),
        (".png", "autodiff", "the engine autodiff does not write .png files; use dot or pygraphviz"),
        (".txt", "dot", "the engine dot does not write .txt files; use autodiff"),
    ],
)
def test_an_engine_that_cannot_is_one_sentence(tmp_path: Path, ending: str, name: str, sentence: str) -> None:
    """An unknown one, and one that does not draw this format."""
    with pytest.raises(ValueError) as caught:
        save(notes_flow(), tmp_path / f"flow{ending}", engine=name)
    assert str(caught.value) == sentence


@pytest.fixture
def fake_dot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in place of dot, and no pygraphviz; write its lines into it."""
    program = tmp_path / "dot"
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    monkeypatch.setattr(engine, "find_dot", lambda: str(program))
    return program


def write_program(program: Path, body: str) -> None:
    program.write_text(f"#!{sys.executable}\n{body}\n")
    program.chmod(0o755)


def test_dot_is_preferred_and_gets_the_text(fake_dot: Path) -> None:
    """The text goes to standard input, the kind is an option."""
    write_program(fake_dot, "import sys; sys.stdout.write(' '.join(sys.argv[1:]) + sys.stdin.read())")
    assert render("digraph {a}", "png") == (b"-Kdot -Tpngdigraph {a}", "dot")
    assert render("digraph {a}", "pdf", layout="nop") == (b"-Knop -Tpdfdigraph {a}", "dot")


def test_a_failing_or_endless_program_is_one_sentence(fake_dot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line of its output, or that it took too long."""
    write_program(fake_dot, "import sys; sys.stderr.write('first\\nlast\\n'); sys.exit(1)")
    with pytest.raises(MissingProgramError, match=r"^dot could not draw the picture: last$"):
        render("digraph {a}", "png")
    write_program(fake_dot, "")
    with pytest.raises(MissingProgramError, match=r"^dot could not draw the picture: no message$"):
        render("digraph {a}", "png")
    write_program(fake_dot, "import time; time.sleep(60)")
    monkeypatch.setattr(engine, "_SECONDS", 0.2)
    with pytest.raises(MissingProgramError, match=r"^dot did not finish in 0\.2 seconds; save an \.svg instead$"):
        render("digraph {a}", "png")


def test_an_error_beside_a_drawing_is_an_error(fake_dot: Path) -> None:
    """Graphviz leaves out a label that it cannot read, and ends with status 0; a warning is no error."""
    write_program(fake_dot, "import sys; print('drawn'); sys.stderr.write('Warning: no font\\n')")
    assert render("digraph {a}", "png") == (b"drawn\n", "dot")
    write_program(fake_dot, "import sys; print('drawn'); sys.stderr.write('Error: bad label\\nin line 1\\n')")
    with pytest.raises(MissingProgramError, match=r"^dot could not draw the picture: Error: bad label$"):
        render("digraph {a}", "png")


def test_where_dot_fails_pygraphviz_draws(fake_dot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken installation is no reason to stop; a picture that takes too long is."""
    monkeypatch.setattr(engine, "find_spec", lambda name: name)
    monkeypatch.setattr(engine, "_PYGRAPHVIZ", "print('by the other')")
    write_program(fake_dot, "import sys; sys.exit(1)")
    assert render("digraph {a}", "png") == (b"by the other\n", "pygraphviz")
    with pytest.raises(MissingProgramError, match=r"^dot could not draw the picture: no message$"):
        render("digraph {a}", "png", engine="dot")
    fake_dot.write_text("#!/none\n")
    assert render("digraph {a}", "png")[1] == "pygraphviz"
    with pytest.raises(MissingProgramError, match=r"^dot could not be started: No such file or directory$"):
        render("digraph {a}", "png", engine="dot")
    write_program(fake_dot, "import time; time.sleep(60)")
    monkeypatch.setattr(engine, "_SECONDS", 0.2)
    with pytest.raises(MissingProgramError, match="did not finish"):
        render("digraph {a}", "png")


def test_pygraphviz_is_stopped_when_it_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs in a separate process."""
    monkeypatch.setattr(engine, "find_dot", lambda: None)
    monkeypatch.setattr(engine, "find_spec", lambda name: name)
    monkeypatch.setattr(engine, "_PYGRAPHVIZ", "while True: pass")
    monkeypatch.setattr(engine, "_SECONDS", 0.5)
    with pytest.raises(MissingProgramError, match=r"^pygraphviz did not finish in 0\.5 seconds"):
        render("digraph {a}", "png")


PROGRAM = """
import sys, warnings
from autodiff.draw import graphviz as engine
from autodiff.cli.program import main
{taken_away}
sys.exit(main(["flow", "--output", sys.argv[1]]))
"""


@pytest.mark.parametrize(
    ("taken_away", "drew"),
    [
        ("", "dot"),
        ("engine.find_dot = lambda: None", "pygraphviz"),
        ("engine.find_dot = lambda: None; sys.modules['pygraphviz'] = None", "autodiff"),
    ],
    ids=["dot", "pygraphviz", "neither"],
)
def test_the_whole_job_in_each_situation(tmp_path: Path, taken_away: str, drew: str) -> None:
    """The program explains, checks and draws, and says which engine drew; without any it draws the SVG itself."""
    if drew == "dot":  # a program of that name on the PATH, whether this machine has Graphviz or not
        taken_away = f"engine.find_dot = lambda: {str(tmp_path / 'dot')!r}"
        write_program(tmp_path / "dot", "import sys; sys.stdin.read(); sys.stdout.buffer.write(b'\\x89PNG drawn')")
    if drew == "pygraphviz":
        pytest.importorskip("pygraphviz")
    wanted = tmp_path / "flow.png"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(taken_away=taken_away), str(wanted)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    target = wanted.with_suffix(".svg") if drew == "autodiff" else wanted
    assert f"Wrote {target} (drawn by {drew})." in done.stdout
    assert "Check: numerical derivative" in done.stdout
    content = target.read_bytes()
    assert content.startswith(b"<svg" if drew == "autodiff" else b"\x89PNG")
    assert ("pip install pygraphviz" in done.stderr) == (drew == "autodiff")
    assert wanted.exists() == (drew != "autodiff")


@pytest.mark.parametrize("name", HOSTILE)
def test_dot_parsed_back_has_the_pictures_nodes_and_edges(name: str) -> None:
    """No name adds one, whatever is in it."""
    pygraphviz = pytest.importorskip("pygraphviz")
    flow = hostile_flow(name)
    graph = pygraphviz.AGraph(string=dot(flow))
    what = picture(flow)
    assert sorted(graph.nodes()) == sorted(box.id for box in what.boxes)
    seen = [edge for edge in graph.edges() if edge.attr["style"] != "invis"]
    assert len(seen) == len(what.wires)
    assert {frozenset(edge) for edge in seen} == {frozenset((wire.tail, wire.head)) for wire in what.wires}


def test_dot_is_looked_for_on_the_path_and_where_installers_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First the PATH, then the usual folders."""
    program = tmp_path / "dot"
    write_program(program, "")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert engine.find_dot() == str(program)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(engine, "_FOLDERS", (str(tmp_path / "none"), str(tmp_path)))
    assert engine.find_dot() == str(program)
    monkeypatch.setattr(engine, "_FOLDERS", ())
    assert engine.find_dot() is None




def test_wires_leave_boxes_at_their_outer_side() -> None:
    """In DOT, a row of two cells has its right port at the second: no wire runs below a box."""
    what = picture(deep_flow(), "network")
    boxes = {box.id: box for box in what.boxes}
    source = dot(what)
    errors = [wire for wire in what.wires if wire.lane == "error"]
    wires = [wire for wire in errors if len(boxes[wire.head].rows[wire.head_row].cells) > 1]
    assert wires
    for wire in wires:
        assert f"{wire.head}:r{wire.head_row}e:e -> {wire.tail}:r{wire.tail_row}:w" in source


@pytest.mark.parametrize("name", [None, "pygraphviz"])
def test_what_graphviz_would_take_minutes_for_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str | None
) -> None:
    """An estimate decides, and one sentence says so: our SVG is written, unless an engine was given."""
    monkeypatch.setattr(sys.modules["autodiff.draw.files"], "_MOST", 1000)
    sentence = "is too large for Graphviz; fold the graph or save an .svg"
    if name is None:
        with pytest.warns(UserWarning, match=sentence):
            assert save(notes_flow(), tmp_path / "flow.png") == (tmp_path / "flow.svg", "autodiff")
    else:
        with pytest.raises(MissingProgramError, match=sentence):
            save(notes_flow(), tmp_path / "flow.png", engine=name)
