"""The demo of the language model: it learns, beats its baselines on its own text, and goes on where it was stopped."""

from __future__ import annotations

import importlib
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import nn
from tests.support.places import ROOT


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, whose own folder is on the path when it runs."""
    monkeypatch.syspath_prepend(str(ROOT / "demos"))
    made = importlib.import_module("language_model")
    whole = made.grammar_text
    monkeypatch.setattr(made, "grammar_text", lambda sentences=60: whole(sentences))
    return made


def options(folder: Path, steps: int, *more: str) -> list[str]:
    sizes = f"--units 8 --length 6 --streams 2 --sample 20 --steps {steps} --output {folder}"
    return [*sizes.split(), *more]


def test_it_learns_says_so_and_draws_its_shares(demo: ModuleType, tmp_path: Path, capsys: Any) -> None:
    """A text by path, here of words; the pictures are well-formed."""
    text = tmp_path / "text.txt"
    text.write_text(demo.grammar_text(80), encoding="utf-8")
    before = len(nn.Vocabulary(demo.grammar_text(80), words=True))
    reached = demo.main([*options(tmp_path / "out", 40, "--words"), str(text)])
    said = capsys.readouterr().out
    assert reached < before / 2
    assert said.count("perplexity") >= 5 + demo.SAMPLES
    assert "2-grams: perplexity" in said
    assert "relu-identity, fresh: ‖∂h_t/∂h_k‖ is 1 over 5 steps" in said
    for name in ("in-time-learned", "in-time-sigmoid", "in-time-relu-identity", "language-model-history"):
        ElementTree.parse(tmp_path / "out" / f"{name}.svg")


def test_a_resumed_run_has_the_same_bits(demo: ModuleType, tmp_path: Path) -> None:
    """Stopped in the middle and gone on, beside one that was not stopped."""
    whole = demo.main(options(tmp_path / "whole", 24))
    demo.main(options(tmp_path / "parts", 11))
    assert demo.main(options(tmp_path / "parts", 24, "--resume")) == whole
    states = [nn.contents(tmp_path / name / "language-model.npz") for name in ("whole", "parts")]
    for part in ("model", "optimizer", "carried"):
        for key, block in states[0].state(part).items():
            np.testing.assert_array_equal(states[1].state(part)[key], block)


def test_the_verb_agrees_with_the_noun_far_before_it(demo: ModuleType) -> None:
    """The reason to remember: plural subjects have verbs without s, whatever stands between."""
    for line in demo.grammar_text(200).splitlines():
        words = line.rstrip(".").split()
        assert words[1].endswith("s") != words[-1].endswith("s")
