"""The gradient of a matrix on the page: its column δ, its row aᵀ and their product; and exponents in its sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from autodiff import Tensor, error_flow, tanh
from autodiff.draw import see
from autodiff.draw.model.tiles import pooled, tile_rows
from autodiff.draw.page.page import page
from tests.draw.page.test_page import data_of, read
from tests.support.browser import Browser
from tests.support.flows import X as INPUT
from tests.support.flows import array_flow, notes_flow


def place_of(data: dict[str, Any], label: str) -> str:
    return str([node[0] for node in data["nodes"]].index(label))


def test_the_factors_are_those_of_the_ledger() -> None:
    """In the notes' network, δ⁽²⁾ is a column and x a row, with the colours of the boxes that they come from."""
    flow = array_flow()
    data = data_of(page(flow))
    column, row, notes = data["outers"][str(data["parameter"])]
    node = {node.label: node for node in flow.nodes}
    delta, x = (np.asarray(part, dtype=float) for part in (node["z⁽²⁾"].error, INPUT))
    assert column == ["δ⁽²⁾", "error", [*tile_rows(delta.reshape(-1, 1), data["scales"]["error"])]]
    assert row == ["a⁽¹⁾ᵀ", "forward", [*tile_rows(x.reshape(1, -1), data["scales"]["forward"])]]
    assert notes == []


def test_only_matrices_have_factors() -> None:
    """Every weight matrix has its own, not only the one that the page shows first; a page of numbers has none."""
    data = data_of(page(array_flow()))
    assert set(data["outers"]) == {place_of(data, label) for label in ("W⁽¹⁾", "W⁽²⁾")}
    assert "outers" not in data_of(page(notes_flow()))


def test_a_sum_over_a_batch_says_what_the_factors_do_not_show() -> None:
    """Of 40 examples, 16 tiles are left; the notes below tell of the sum and of the share of the penalty."""
    X, W = Tensor(np.arange(160.0).reshape(40, 4) % 7 - 3, name="X"), Tensor(np.eye(4, 3) - 0.2, name="W")
    data = data_of(page(error_flow((tanh(X @ W) ** 2.0).sum() + 0.1 * (W**2.0).sum(), W)))
    column, row, notes = data["outers"][str(data["parameter"])]
    assert (len(column[2]), {len(line) for line in column[2]}) == (4, {16})
    assert (len(row[2]), {len(line) for line in row[2]}) == (16, {3})
    assert column[2] == [*tile_rows(pooled(np.asarray(X.data).T, columns=16), data["scales"]["forward"])]
    assert [read(data, text, "en", 4) for text in notes] == ["sum of 40 outer products", "plus 0.2·W"]
    assert [read(data, text, "zh", 4) for text in notes] == ["40 个外积之和", "再加 0.2·W"]


#: The frames of the parameter's tiles as (x, y, width, height), and the small texts beside them.
BLOCK = """
const box = document.querySelector(`figure [data-node="${document.querySelector('#picker').value}"]`)
const frames = [...box.querySelectorAll('.frame')].map(f => ['x', 'y', 'width', 'height'].map(k => f[k].baseVal.value))
return [frames, [...box.querySelectorAll('text.small')].map(t => t.textContent)]
"""


def test_column_beside_row_makes_the_matrix(browser: Browser, tmp_path: Path) -> None:
    """The column is as high as the product and at its left; the row is as wide and above it; names stand beside."""
    file = tmp_path / "page.html"
    file.write_text(page(array_flow()), encoding="utf-8")
    browser.open(file)
    assert len(browser.run(BLOCK)[0]) == 1, "before the last step, nothing is given away"
    browser.click("#last")
    (_, column, row, product), names = browser.run(BLOCK)
    assert names == ["δ⁽²⁾", "a⁽¹⁾ᵀ"]
    assert (column[1], column[3]) == (product[1], product[3])
    assert (row[0], row[2]) == (product[0], product[2])
    assert column[0] + column[2] < product[0]
    assert row[1] + row[3] < product[1]


def test_exponents_are_raised_in_sentences_and_in_the_table(browser: Browser, tmp_path: Path) -> None:
    """No sentence contains a caret, and the full stop of a sentence is not part of an exponent."""

    def growth(rate: Any, years: Any) -> Any:
        return 100.0 * (1.0 + rate) ** years

    file = tmp_path / "page.html"
    see(growth, 0.05, 7.0, parameter="rate").save(file)
    browser.open(file)
    browser.click("#last")
    parts = ["#shares", "#steps", "#why"]
    said = browser.run(
        "return ['figure', '#formula', '#caption', '#info', ...arguments[0]]"
        ".map(part => document.querySelector(part).textContent).join(' ')", parts,
    )  # fmt: skip
    raised = browser.run(
        "return arguments[0].map(part => [...document.querySelectorAll(part + ' sup')].map(sup => sup.textContent))",
        parts,
    )
    assert "^" not in said
    assert all({"years"} <= set(found) <= {"years", "years − 1"} for found in raised)
