"""The page says why: the chain rule first, the origin of each factor and what the number means at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autodiff import Value, error_flow
from autodiff.draw import see
from autodiff.draw.page.page import page
from autodiff.draw.page.why import why_teller
from autodiff.telling.explain import Explanation
from autodiff.telling.lesson import consequences, nudged, reasons
from autodiff.telling.style import Style
from tests.draw.page.test_page import data_of, read
from tests.support.browser import Browser
from tests.support.flows import FLOWS, margin_flow, notes_flow
from tests.support.pages import flow_and_page

REASON = "A change of W₁₄⁽¹⁾ reaches J along 2 paths"
ORIGIN = "0.1793 is the slope of σ at z₁⁽²⁾ = 1.185"
MEANING = "Raise W₁₄⁽¹⁾ by 0.01, and J "


@pytest.mark.parametrize("kind", FLOWS)
@pytest.mark.parametrize(("language", "digits"), [("en", 4), ("zh", 9)])
def test_the_page_has_the_sentences_of_explain(kind: str, language: str, digits: int) -> None:
    """For the parameter that the page shows first; numbers in the reader's digits."""
    (flow, source), style = flow_and_page(kind), Style.of(language, digits)
    data = data_of(source)
    told = data["flows"][str(data["parameter"])][5:]
    said, origins = reasons(flow, style)
    listed = () if origins is None else (origins.head, *origins.lines)
    found = [tuple(read(data, text, language, digits) for text in texts) for texts in told]
    assert found == [said, listed, consequences(flow, nudged(flow), style)]
    whole = Explanation(flow, None).text(language, digits=digits, width=None)
    assert all(line in whole for line in (*said, *listed))


def test_steps_of_parameters_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many nodes computed again, the other parameters keep their reasons and lose what the number means."""
    flow = notes_flow()
    monkeypatch.setattr("autodiff.draw.page.why._MOST_MOVED", 2 * len(flow.flows.nodes))
    why = why_teller()
    said = [why(flow)(Style.of("en", 4)) for _ in range(3)]
    assert [len(meaning) for _, _, meaning in said] == [2, 2, 0]
    assert said[0][:2] == said[2][:2]


def test_nothing_is_said_where_no_error_arrives() -> None:
    """Of a parameter that the output does not depend on, and of the output itself."""
    x = Value(2.0, name="x")
    y = x * 3.0
    for flow in (error_flow(y, Value(1.0, name="w")), error_flow(y, y)):
        assert why_teller()(flow)(Style.of("en", 4)) == ((), (), ())


def test_the_reasons_come_first_and_the_origins_last(browser: Browser, tmp_path: Path) -> None:
    """Before the first step nothing is given away, nor to a reader who predicts; at the end all is told."""
    file = tmp_path / "page.html"
    file.write_text(page(margin_flow()), encoding="utf-8")
    browser.open(file)

    def why() -> str:
        return str(browser.run("return document.querySelector('#why').textContent"))

    first = why()
    assert REASON in first
    assert ORIGIN not in first
    assert MEANING not in first
    browser.click("#last")
    last = why()
    assert all(sentence in last for sentence in (REASON, ORIGIN, MEANING))
    browser.click("#predict")
    guess = why()
    assert REASON in guess
    assert ORIGIN not in guess


def test_the_page_has_the_lines_of_the_source(browser: Browser, tmp_path: Path) -> None:
    """Of a function that was run to be drawn: a node that is chosen says which line computed it."""

    def power(speed: Any) -> Any:
        force = 3.0 * speed
        return force * speed

    first = power.__code__.co_firstlineno
    file = tmp_path / "page.html"
    see(power, 2.0, parameter="speed").save(file)
    data = data_of(file.read_text(encoding="utf-8"))
    told = {node[0]: (node[5][0], read(data, node[5][1], "zh", 4)) for node in data["nodes"] if len(node) > 5}
    assert told["force"] == (first + 1, "force = 3.0 * speed")
    assert told["power"] == (first + 2, "return force * speed")
    browser.open(file, "#parameter=force")
    info = str(browser.run("return document.querySelector('#info').textContent"))
    assert info.endswith(f"line {first + 1}: force = 3.0 * speed")
