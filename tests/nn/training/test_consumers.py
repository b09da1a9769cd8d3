"""Consumers of the stream of steps: history, validation, early stopping, progress."""

import csv
import io
import re
import sys
from typing import Any

import numpy as np
import pytest

from autodiff import Tensor
from nn import Network
from nn.training.early_stopping import EarlyStopping
from nn.training.history import History
from nn.training.progress import progress
from nn.training.step import Step
from nn.training.validation import validated


def steps(*losses: float) -> list[Step]:
    return [Step(k, 1, J, 0.1, 2.0, 0.001) for k, J in enumerate(losses, start=1)]


def test_every_number_of_a_history_reads_back_from_its_csv() -> None:
    history = History()
    for _ in history(validated(steps(1 / 3, 2e-300, 1e22), every=2, error=lambda: 0.1)):
        pass
    lines = list(csv.DictReader(io.StringIO(history.csv())))
    assert [float(line["J"]) for line in lines] == [1 / 3, 2e-300, 1e22]
    assert [line["step"] for line in lines] == ["1", "2", "3"]
    assert [line["error"] for line in lines] == ["", "0.1", ""]


def test_a_number_that_comes_late_is_nan_before() -> None:
    history = History()
    history.add(J=1.0)
    history.add(J=0.5, accuracy=0.75)
    assert np.array_equal(history["accuracy"], [np.nan, 0.75], equal_nan=True)
    assert list(history.columns()) == ["J", "accuracy"]


def test_a_loaded_history_goes_on() -> None:
    history, other = History(), History()
    history.add(step=1, J=1.0)
    other.load(history.state())
    for each in (history, other):
        each.add(step=2, J=0.5)
    assert history.csv() == other.csv()


@pytest.mark.parametrize(
    "state", [{"J": [1.0], "step": [1.0, 2.0]}, {"J": 1.0}, {"J": [[1.0]]}, {"J": ["a"]}, {"J": [None]}]
)
def test_a_state_that_is_no_history_changes_nothing(state: dict[str, Any]) -> None:
    history = History()
    history.add(J=0.5)
    with pytest.raises(ValueError, match="column"):
        history.load(state)
    assert history["J"].tolist() == [0.5]


def test_wrong_numbers_and_names_are_refused() -> None:
    history = History()
    with pytest.raises(TypeError, match=r"'J' is 'low' \(str\)"):
        history.add(J="low")  # type: ignore[arg-type]
    assert len(history) == 0
    history.add(J=1.0)
    with pytest.raises(KeyError, match="no 'loss'; it has J"):
        history["loss"]


def test_a_history_is_drawn_by_the_names_asked_for() -> None:
    history = History()
    for _ in history(steps(3.0, 2.0, 1.0)):
        pass
    assert history.svg("J", "norm", log=True).count("<path") == 2


def test_a_measure_is_taken_at_every_nth_step_only() -> None:
    taken = []
    stream = validated(steps(*range(7)), every=3, error=lambda: taken.append(1) or 0.5)  # type: ignore[func-returns-value]
    assert [step.measures.get("error") for step in stream] == [None, None, 0.5, None, None, 0.5, None]
    assert len(taken) == 2


def test_wrong_measures_are_refused_at_the_call() -> None:
    with pytest.raises(TypeError, match="'error' must be a function"):
        validated([], error=0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a number 'J' already"):
        validated([], J=lambda: 0.5)
    with pytest.raises(ValueError, match="every"):
        validated([], every=0)


def test_a_measure_that_is_not_one_number_is_named() -> None:
    def measured(found: Any) -> Any:
        return [dict(step.measures) for step in validated(steps(1.0), error=lambda: found)]

    assert measured(Tensor([2.0])) == [{"error": 2.0}]
    for found in (None, "0.5", [0.5], np.ones(2)):
        with pytest.raises(TypeError, match="the measure 'error' must return one number, and returned"):
            measured(found)


def test_a_history_refuses_what_it_could_not_show() -> None:
    """A number that no column holds would spoil all later calls."""
    history = History()
    with pytest.raises(ValueError, match="beyond the largest float"):
        history.add(J=10**400)
    for state in (5, {1: [0.5]}):
        with pytest.raises(TypeError, match=r"a mapping of names to arrays|are named by strings"):
            history.load(state)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"'J' is .* \(list\)"):
        history.load({"J": [[1.0], [1.0, 2.0]]})
    assert len(history) == 0


@pytest.mark.parametrize("J", [[1e308, -1e308, 1.0], [5e-324, 0.0, 1.0], [5e-324, 0.0, 5e-324], [1e-300, 0.0, 0.0]])
def test_a_history_of_huge_and_tiny_numbers_is_drawn(J: list[float]) -> None:
    history = History()
    history.load({"step": [1, 2, 3], "J": J})
    assert "nan" not in history.svg()


def test_patience_counts_looks_that_are_not_better() -> None:
    stopping = EarlyStopping(patience=3)
    assert [step.number for step in stopping(steps(3.0, 2.0, 2.0, float("nan"), 2.5, 1.0))] == [1, 2, 3, 4, 5]
    assert (stopping.best, stopping.best_step) == (2.0, 2)


def test_a_rising_number_and_a_measure_can_be_watched() -> None:
    found = iter([0.5, 0.9, 0.8, 0.85])
    stream = validated(steps(*range(8)), every=2, accuracy=lambda: next(found))
    stopping = EarlyStopping("accuracy", patience=2, rising=True)
    assert [step.number for step in stopping(stream)] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert (stopping.best, stopping.best_step) == (0.9, 4)


def test_the_parameters_of_the_best_look_come_back_at_the_end() -> None:
    net = Network((2, 1))
    losses = iter([2.0, 1.0, 3.0, 4.0])

    def stream() -> Any:
        for k, J in enumerate(losses, start=1):
            net.load({**net.state(), "b(1)": [float(k)]})
            yield Step(k, 1, J, 0.1, 1.0, 0.0)

    for _ in EarlyStopping(patience=2, model=net)(stream()):
        pass
    assert net.state()["b(1)"].tolist() == [2.0]


def test_a_loaded_stopping_goes_on_counting() -> None:
    first, second = EarlyStopping(patience=3), EarlyStopping(patience=3)
    list(first(steps(1.0, 2.0, 2.0)))
    second.load(first.state())
    assert len(list(second(steps(2.0, 0.5)))) == 1


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({}, "the state to load has no best;"),
        ({"best": 1.0, "best_step": 2}, "the state to load has no waited;"),
        ({"best": [1.0], "best_step": 1, "waited": 0}, "needs one number"),
        ({"best": 1.0, "best_step": 1, "waited": 0, "watch": "loss"}, "has watch = 'loss', and this EarlyStopping has"),
        ({"best": 1.0, "best_step": 1, "waited": 0, "rising": True}, "has rising = True, and this EarlyStopping has"),
    ],
)
def test_a_state_that_is_none_of_early_stopping_changes_nothing(state: dict[str, Any], said: str) -> None:
    stopping = EarlyStopping(patience=2)
    list(stopping(steps(1.0)))
    with pytest.raises(ValueError, match=said):
        stopping.load(state)
    assert stopping.best == 1.0
    other = EarlyStopping("accuracy", rising=True, patience=2)
    with pytest.raises(ValueError, match="has watch = 'accuracy', and this EarlyStopping has 'J'"):
        stopping.load(other.state())


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"best": "x"}, "needs one number 'best'"),
        ({"best": float("nan")}, "needs one number 'best'"),
        ({"best_step": 1.5}, "needs one number 'best_step'"),
        ({"waited": -1}, "needs one number 'waited'"),
        ({"wait": 1}, "'wait', which this EarlyStopping does not keep"),
        ({"kept/W(9)": [0.0]}, "has no W⁽¹⁾, b⁽¹⁾"),
        ({}, "this early stopping keeps the parameters of a model"),
    ],
)
def test_early_stopping_refuses_what_it_could_not_go_on_from(state: dict[str, Any], said: str) -> None:
    stopping, whole = EarlyStopping(patience=2, model=Network((2, 1))), {"best": 1.0, "best_step": 1, "waited": 0}
    with pytest.raises(ValueError, match=re.escape(said)):
        stopping.load(whole | state)
    assert stopping.best_step == 0
    with pytest.raises(ValueError, match="has no model"):
        EarlyStopping(patience=2).load(whole | {"kept/b": [0.0]})


def test_wrong_parts_of_early_stopping_are_refused_at_once() -> None:
    with pytest.raises(TypeError, match="by its name, and got 5"):
        EarlyStopping(5, patience=1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"a model with state\(\) and load\(\)"):
        EarlyStopping(patience=1, model=[])
    with pytest.raises(TypeError, match="a mapping of names"):
        EarlyStopping(patience=1).load(5)  # type: ignore[arg-type]


def test_progress_is_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert [step.J for step in progress(steps(1.0, 0.5))] == [1.0, 0.5]
    assert capsys.readouterr() == ("", "")


def test_progress_shows_J_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    pytest.importorskip("tqdm")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert len(list(progress(steps(1.0, 0.25), total=2))) == 2
    assert "J=0.25" in terminal.getvalue()


def test_progress_names_the_extra_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with pytest.raises(ImportError, match=r"\[demos\]"):
        progress(steps(1.0))
