"""What operations are called: in Chinese every one of the table has a name, and sentences and pictures use it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, Value
from autodiff.draw import see
from autodiff.primitives.registry import BUILT_IN, TABLE
from autodiff.telling.derivation import equation_of
from autodiff.telling.explain import explain
from autodiff.telling.style import Style
from autodiff.words.operations import CHINESE, ENGLISH_SYMBOLS, operation_name
from tests.support.flows import notes_flow
from tests.words.test_phrases import is_chinese

ZH = Style("zh")


def test_every_operation_has_a_chinese_name_of_its_own() -> None:
    """A new operation of the table fails here until it is named; a name for none is dead."""
    assert set(CHINESE) == BUILT_IN
    assert all(any(map(is_chinese, name)) for name in CHINESE.values())
    assert len(set(CHINESE.values())) == len(CHINESE)
    assert not any(re.search(r"[,.;:()?!_]", name) for name in CHINESE.values())


def test_english_names_are_those_of_the_table() -> None:
    """They are what one writes, also under a language's default."""
    assert [operation_name(name) for name in BUILT_IN] == list(BUILT_IN)
    with pytest.raises(ValueError, match=r"^unknown language 'fr' \(must be one of en, zh\)$"):
        operation_name("add", "fr")


def test_symbols_that_are_english_words() -> None:
    """Each is the name of its operation; the other symbols of that kind are written in Chinese books too."""
    words = {entry.symbol for entry in TABLE.values() if entry.symbol == entry.name}
    functions = {
        "exp", "expm1", "log1p", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh", "tanh",
        "arcsinh", "arccosh", "arctanh", "sign", "erfc", "softplus", "sinc", "det", "max", "min",
    }  # fmt: skip
    assert {name for name in words if name in BUILT_IN} == ENGLISH_SYMBOLS | functions
    assert not ENGLISH_SYMBOLS & functions


def signs(output: Any) -> set[str]:
    """What stands for the operations in a graph's boxes."""
    boxes = see(output, view="graph", language="zh").picture.boxes
    return {cell.text for box in boxes for row in box.rows for cell in row.cells if cell.role == "sign"}


def test_boxes_have_chinese_words_and_the_usual_symbols() -> None:
    """Mathematics stays what it is."""
    x = Tensor([[1.0, 2.0]], name="X")
    assert signs(ad.sum(ad.tanh(ad.concatenate([x, np.ones((1, 2))])))) == {"Σ", "tanh", "拼接"}
    assert signs(ad.leaky_relu(Value(1.0, name="x"))) == {"带泄露的 ReLU 函数"}


def test_sentences_name_operations_in_chinese() -> None:
    """The output unit, a result that is explained, an equation, and the hints of boxes."""
    x = Value(2.0, name="x")
    power = x**3
    assert "“乘方”运算的结果" in explain(ad.tanh(power), power).text("zh")
    y = ad.maximum(x, 1.0) * x
    flow = ad.error_flow(y, x)
    made = next(node for node in flow.every if node.operation == "maximum")
    assert equation_of(flow, made, ZH) == "较大值(x, 1)"
    hints = [box.hint for box in see(notes_flow(), view="graph", language="zh").picture.boxes]
    sigmoid = r"a₁⁽²⁾ = Sigmoid 函数\(…\)：0\.76\d+；梯度：0\.9 – σ′\(z₁⁽²⁾\) = .* = 0\.1793"
    assert any(re.fullmatch(sigmoid, hint) for hint in hints), hints


def test_an_operation_of_the_users_keeps_its_name() -> None:
    """Nobody has another for it."""
    cube = ad.primitive("my_cube", lambda xp, x: x * x * x, [lambda g, z, x: g * 3.0 * x**2])
    made = cube(Value(2.0, name="x"))
    assert "“my_cube”运算的结果" in explain(ad.tanh(made), made).text("zh")
    assert operation_name("my_cube", "zh") == "my_cube"
