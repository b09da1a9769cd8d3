"""The command ``autodiff predict``: words marked, decisions explained, bad input refused in one sentence."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

import nn
from autodiff.cli import window_picture
from autodiff.cli.program import main
from autodiff.words.phrases import say
from nn.windows.tokens import Token
from tests.nn.windows.sentences import tagger

TEXT = "We met in Lima today"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tagger that has learned where Oslo, Lima and Rome are."""
    path = tmp_path_factory.mktemp("model") / "tagger.npz"
    tagger().save(path)
    return path


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """What the program prints when all is well."""
    assert main(["predict", *map(str, arguments)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def texts(path: str) -> list[str]:
    """The texts of a picture."""
    root = ElementTree.parse(path).getroot()
    return ["".join(item.itertext()) for item in root.iter("{http://www.w3.org/2000/svg}text")]


def numbers(lines: list[str]) -> list[float]:
    return [float(line.split()[-1].replace("−", "-").replace("e-", "e-")) for line in lines]


def test_words_are_marked(capsys: pytest.CaptureFixture[str], model: Path) -> None:
    """In brackets, and each with its score; nothing is written."""
    lines = run(capsys, model, TEXT).splitlines()
    assert lines[0] == "We met in [Lima] today"
    assert [line.split()[:2] for line in lines[1:]] == [[str(k), word] for k, word in enumerate(TEXT.split(), start=1)]
    assert [line.split()[3:] for line in lines[1:]] == [[], [], [], ["LOC"], []]
    scores = [float(line.split()[2].replace("−", "-")) for line in lines[1:]]
    assert scores == pytest.approx([s for _, s, _ in nn.load(model).marked(TEXT)], rel=1e-3)
    assert [*Path().iterdir()] == []


def test_a_decision_is_explained_by_the_words_of_its_window(capsys: pytest.CaptureFixture[str], model: Path) -> None:
    """What each adds, in text and in the picture."""
    out = run(capsys, model, TEXT, "--why", "4").split("\n\n", 1)[1].splitlines()
    assert out[0].startswith("Lima is marked LOC: s = ")
    assert out[2] == say("predict.effects")
    assert [line.split()[0] for line in out[3:6]] == ["in", "Lima", "today"]
    assert out[-1] == "Wrote why-4.svg (drawn by autodiff)."
    found = nn.load(model).windows(TEXT)
    added = window_picture.effects(nn.load(model).scorer, found.ids[3], found.tokens[3])
    assert numbers(out[3:6]) == pytest.approx(added, rel=1e-3)
    drawn = texts("why-4.svg")
    titles = {window_picture.title(token.text, x) for token, x in zip(found.tokens[3], added, strict=True)}
    assert titles <= {*drawn}
    assert say("predict.caption") in drawn
    assert "met is not marked LOC" in run(capsys, model, TEXT, "--why", "2", "-o", "met.svg")
    assert Path("met.svg").exists()


def test_in_chinese(capsys: pytest.CaptureFixture[str], model: Path) -> None:
    """Text and picture."""
    out = run(capsys, model, TEXT, "--why", "4", "--language", "zh")
    assert say("predict.effects", "zh") in out
    assert "Lima 标记为 LOC" in out
    assert say("predict.caption", "zh") in texts("why-4.svg")


@pytest.mark.parametrize("name", ["W14(1)", "b2(1)", "U3", "L31"])
def test_the_error_is_followed_to_any_parameter(capsys: pytest.CaptureFixture[str], model: Path, name: str) -> None:
    """Weights, biases, and the vector of a word that is in the window; the gradient is that of the Tensors."""
    net = nn.load(model).scorer
    ids = nn.load(model).windows(TEXT).ids[3]
    name = f"L{ids[2] + 1},1" if name == "L31" else name
    out = run(capsys, model, TEXT, "--why", "4", "--parameter", name, "--digits", "9")
    values = net.scalar()
    s = values(ids)
    s.backward()
    told = [line for line in out.splitlines() if line.startswith("                ") or "the gradient" in line]
    gradient = values.parameter(name).grad
    assert any(number == pytest.approx(gradient, rel=1e-7) for line in told for number in _numbers(line))
    assert Path("why-4.svg").read_text(encoding="utf-8").startswith("<")


def _numbers(line: str) -> list[float]:
    found = []
    for word in line.replace("−", "-").replace(",", " ").split():
        try:
            found.append(float(word))
        except ValueError:
            continue
    return found


def test_a_word_that_occurs_twice_adds_what_it_adds_in_each_place() -> None:
    """The effects of a linear scorer add up to the score without its bias, also of equal words."""
    vectors = np.random.default_rng(3).normal(size=(4, 2))
    scorer = nn.WindowScorer(vectors, 6, 3, activation="identity", random=np.random.default_rng(5))
    window = [Token(word, word, "<x>", "O") for word in ("a", "b", "a")]
    ids = [1, 0, 2, 0, 1, 0]
    found = window_picture.effects(scorer, ids, window)
    assert sum(found) == pytest.approx(float(scorer.predict(ids)))
    assert found[0] != pytest.approx(found[2])


def test_hostile_words_do_no_harm(capsys: pytest.CaptureFixture[str], model: Path) -> None:
    """Markup, marks of direction, words such as names of weights, and a text of one mark."""
    for text in ("<b>&amp;</b> \u202e in W_1 W14(1) a.b", "δ₁ 误差 ß x" * 3, "?"):
        out = run(capsys, model, text, "--why", "1")
        assert "\u202e" not in out
        ElementTree.parse("why-1.svg")


def test_bad_input_gets_one_sentence(capsys: pytest.CaptureFixture[str], model: Path) -> None:
    """Files, places, parameters and texts; nothing is written."""
    nn.Network((2, 1)).save("net.npz")
    Path("no.npz").write_bytes(b"PK")
    cases = {
        (model, TEXT, "--why", "6"): "--why 6: the text has 5 words, counted from 1",
        (model, TEXT, "--why", "0"): "argument --why: expected the number of a word, from 1, and got '0'",
        (model, TEXT, "--parameter", "U1"): "explain the decision about one word; add --why N",
        (model, TEXT, "-o", "a.svg"): "explain the decision about one word; add --why N",
        (model, TEXT, "--why", "1", "--parameter", "W99(9)"): "no parameter W₉₉⁽⁹⁾",
        (model, TEXT, "--why", "1", "-o", "a.bmp"): "cannot save as 'a.bmp'",
        (model, " "): "expected a text with at least one word, and got ' '",
        ("net.npz", TEXT): "predict needs a file of an nn.Tagger, and net.npz holds a Network",
        ("no.npz", TEXT): "no.npz is not a whole file",
        ("missing.npz", TEXT): "missing.npz",
    }
    for arguments, text in cases.items():
        assert main(["predict", *map(str, arguments)]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        assert text in err
    assert sorted(path.name for path in Path().iterdir()) == ["net.npz", "no.npz"]
