"""The window-scorer demo: it learns, compares itself with every baseline, says what wins, and refuses bad files."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import nn
from autodiff.cli.program import main as autodiff
from autodiff.system.extras import install
from tests.support.places import ROOT


@pytest.fixture(scope="module")
def demo() -> ModuleType:
    """The script, whose own folder is on the path when it runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "demos"))
        return importlib.import_module("window_scorer")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that the run below writes."""
    return tmp_path_factory.mktemp("run") / "tagger.npz"


@pytest.fixture(scope="module")
def output(demo: ModuleType, model: Path) -> str:
    """What one short run on the corpus of the project prints."""
    with pytest.MonkeyPatch.context() as patch:
        said: list[str] = []
        patch.setattr("builtins.print", lambda *texts, file=None: said.append(" ".join(map(str, texts))))
        assert demo.main(["--epochs", "5", "--output", str(model)]) == 0
    return "\n".join(said)


def test_the_scorer_beats_majority_and_dictionary(output: str) -> None:
    """On held-out sentences, in AUC and in F1, after five epochs, with J per epoch on the way."""
    assert "The scorer beats the majority (never a target)." in output
    assert "The scorer beats the centre-word dictionary." in output
    rows = {line[:38].strip(): [*map(float, line[38:].split())] for line in output.splitlines() if "0." in line[38:46]}
    own, other = rows["window scorer"], rows["centre-word dictionary"]
    assert all(a > b > 0.5 for a, b in zip((own[0], *own[3:]), (other[0], *other[3:]), strict=True))
    assert rows["majority (never a target)"] == [0.5, 0.0, 0.0, 0.0, 0.0]
    assert own[3] == pytest.approx(2 * own[1] * own[2] / (own[1] + own[2]), abs=1e-4)
    errors = [float(line.split()[4]) for line in output.splitlines() if line.startswith("epoch")]
    assert len(errors) == 5
    assert "per pair, AUC" in output
    assert errors[-1] < errors[0]


def test_the_best_epoch_is_kept(demo: ModuleType, output: str, model: Path) -> None:
    """The saved scorer has the AUC on dev of the best epoch."""
    random = np.random.default_rng(0)
    asked = demo.parsed([])
    corpus = nn.read_tagged(asked.path, random)
    tagger = nn.load(model)
    dev = nn.cut_windows(corpus.parts["dev"], tagger.vocabulary)
    reached = [float(line.split()[8]) for line in output.splitlines() if line.startswith("epoch")]
    assert nn.auc(tagger.scorer.predict(dev.ids), dev.target) == pytest.approx(max(reached), abs=1e-4)
    assert tagger.threshold == nn.best_threshold(tagger.scorer.predict(dev.ids), dev.target)


def test_the_command_it_ends_with_works(
    output: str, model: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The notes' sentence has one place."""
    monkeypatch.chdir(tmp_path)
    assert output.endswith(f'python -m autodiff predict {model} "Museums in Paris are amazing" --why 3')
    assert autodiff(["predict", str(model), "Museums in Paris are amazing", "--why", "3"]) == 0
    assert capsys.readouterr().out.startswith("Museums in [Paris] are amazing\n")


def test_every_way_it_is_compared_with_is_named(demo: ModuleType, output: str, capsys: Any) -> None:
    """Those that it beats, those that it does not, in which measure, and one that was not run; ties do not count."""
    titles = [line[:38].strip() for line in output.split("on the test part")[1].splitlines()[1:5]]
    assert titles[3] == "window scorer"
    assert all(output.count(f"beats the {title}") + output.count(f"not beat the {title}") == 1 for title in titles[:3])
    found, other = nn.Found(0.5, 0.5, 0.541), nn.Found(0.5, 0.5, 0.587)
    rows = [("closer look", 0.9671, other, other, 0.0), ("twin", 0.9642, found, found, 0.0)]
    demo.report([*rows, ("window scorer", 0.9642, found, nn.Found(0.5, 0.5, 0.6), 0.0)])
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "The scorer does not beat the closer look: AUC 0.9642 against 0.9671, F1 0.5410 against 0.5870.",
        "The scorer does not beat the twin: AUC 0.9642 against 0.9642, F1 0.5410 against 0.5410.",
        f"The logistic regression, one-hot window, was not run: it needs scikit-learn, {install('demos')}.",
    ]


def test_without_scikit_learn_one_row_is_left_out(
    demo: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """And said to be; another seed, another corruption and another tag work too."""
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    options = ["--epochs", "1", "--pairs", "1", "--seed", "1", "--corrupt", "centre", "--tag", "any"]
    assert demo.main([*options, "--features", "word", "shape", "suffix", "--output", str(tmp_path / "t.npz")]) == 0
    out = capsys.readouterr().out
    assert f"was not run: it needs scikit-learn, {install('demos')}" in out


@pytest.mark.slow
def test_runs_are_deterministic(
    demo: ModuleType, output: str, model: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The same seed prints the same text and writes the same numbers."""
    again = tmp_path / "again.npz"
    assert demo.main(["--epochs", "5", "--output", str(again)]) == 0
    assert capsys.readouterr().out.replace(str(again), str(model)) == f"{output}\n"
    states = (nn.load(path).state().values() for path in (again, model))
    assert all(np.array_equal(a, b) for a, b in zip(*states, strict=True))


ROWS = "train\tIn Rome\tO L\ndev\tIn Rome\tO L\ntest\tIn Rome\tO L\n"
REFUSED = {
    "not there": (None, [], "cannot read"),
    "no tag": ("Rome\n", [], "rows.tsv, line 1: expected a word and its tag, and got 'Rome'"),
    "no places": (
        ROWS.replace("L\n", "E\n"), [],
        "rows.tsv: the part 'train' needs words that are tagged LOC and words that are not; its tags are MISC",
    ),
    "no tags": (ROWS.replace("L\n", "O\n"), [], "its tags are all O"),
    "activation": (ROWS, ["--activation", "sigmiod"], "unknown activation 'sigmiod'"),
    "window": (ROWS, ["--window", "4"], "the width of a window must be odd"),
    "epochs": (ROWS, ["--epochs", "-1"], "epochs must be"),
    "rate": (ROWS, ["--rate", "-1"], "rate"),
    "unknown": (ROWS, ["--unknown", "1"], "fraction of hidden words"),
    "batch": (ROWS, ["--batch", "0"], "the size of a batch"),
    "margin": (ROWS, ["--margin", "0"], "margin"),
    "seed": (ROWS, ["--seed", "-1"], "--seed must be at least 0, and got -1"),
    "features": (ROWS, ["--features", "colour"], "features must be 'word'"),
    "corrupt": (ROWS, ["--corrupt", "both"], "corrupt windows are 'other' or 'centre'"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_gets_one_sentence(
    demo: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    """Files and options; exit status 2, and no model is written."""
    content, options, text = REFUSED[case]
    path = tmp_path / "rows.tsv"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    assert demo.main([str(path), *options, "--output", str(tmp_path / "t.npz")]) == 2
    err = capsys.readouterr().err
    assert text in err
    assert err.startswith("window_scorer: ")
    assert err.count("\n") == 1
    assert not (tmp_path / "t.npz").exists()
