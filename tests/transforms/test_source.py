"""The source of a function that is drawn is its own, or none is shown."""

from __future__ import annotations

import importlib
import linecache
import sys
from pathlib import Path
from typing import Any

import pytest

import autodiff as ad
from autodiff.draw import see
from autodiff.transforms.run import run


def test_lines_of_a_file_that_changed_are_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They would be said to compute what they do not: another line, then another number."""
    file = tmp_path / "edited_module.py"
    source = "def f(x):\n    y = x * 2.0\n    return y * y\n"
    file.write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    f = importlib.import_module("edited_module").f
    assert [line.text for line in run(f, [3.0]).listing] == source.splitlines()
    for changed in (f"a = 1\nb = 2\n\n{source}", source.replace("2.0", "4.0"), source.replace("y", "z"), "a\n" * 9, ""):
        file.write_text(changed, encoding="utf-8")
        linecache.checkcache()
        drawing = see(f, 3.0)
        assert drawing.picture.listing == ()
        assert "line" not in drawing.text()
    del sys.modules["edited_module"]


def test_code_that_claims_a_file_in_which_it_does_not_stand_has_no_lines() -> None:
    """As templates and code generators make it."""
    made: dict[str, Any] = {}
    exec(compile("def f(x):\n    y = x * 2.0\n    return y * y\n", __file__, "exec"), made)
    assert see(made["f"], 3.0).picture.listing == ()


def test_closures_methods_and_decorated_functions_have_theirs() -> None:
    """Compiled alone, their variables are of other kinds."""
    factor = 3.0

    class Model:
        __hidden = 2.0

        def loss(self, x: Any) -> Any:
            def inner(t: float = 1.5) -> Any:
                return x * factor * t

            return inner() * self.__hidden

    assert len(run(Model().loss, [2.0]).listing) == 4


def test_functions_of_this_package_are_drawn_as_operations() -> None:
    """Without the source of the call of a primitive, and with x for the input."""
    drawing = see(ad.sin, 3.0)
    assert (drawing.picture.listing, [box.label for box in drawing.picture.boxes]) == ((), ["sin", "x"])
    assert [*run(ad.multiply, [2.0, 3.0]).inputs] == ["x1", "x2"]


@pytest.mark.filterwarnings("error")
def test_generators_and_coroutines_have_not_run() -> None:
    """The message says so, without an address, and no coroutine is left behind."""

    def generator(x: Any) -> Any:
        yield x

    async def coroutine(x: Any) -> Any:
        return x

    async def both(x: Any) -> Any:
        yield x

    for f, kind in ((generator, "generator"), (coroutine, "coroutine"), (both, "async_generator")):
        with pytest.raises(TypeError, match=f"returned a {kind}, and none of it has run; draw a function that returns"):
            see(f, 2.0)
