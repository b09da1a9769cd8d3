"""One test of many cases fails for each case as tests of one case each would."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cases import each


def test_every_case_runs_and_every_failure_is_named(tmp_path: Path) -> None:
    """Cases multiply as those of parametrize do; fixtures are passed on; a skip is no pass."""
    seen: list[tuple[int, str, Path]] = []

    @each("text", "ab")
    @each("number", iter([1, 2, 3]))
    def case(number: int, text: str, tmp_path: Path) -> None:
        """One case."""
        seen.append((number, text, tmp_path))
        assert number < 3
        if (number, text) == (2, "b"):
            pytest.skip("nothing to see")

    with pytest.raises(BaseExceptionGroup, match="2 of 2 cases of text fail") as caught:
        case(tmp_path=tmp_path)
    assert seen == [(number, text, tmp_path) for text in "ab" for number in (1, 2, 3)]
    told = [
        [(inner.__class__.__name__, inner.__notes__) for inner in of_text.exceptions]
        for of_text in caught.value.exceptions
    ]
    assert told == [
        [("AssertionError", ["in the case number = 3"])],
        [("Skipped", ["in the case number = 2"]), ("AssertionError", ["in the case number = 3"])],
    ]
    with pytest.raises(AssertionError, match="no case of number"):
        each("number", [])


@each("number", [1, 2])
def test_pytest_asks_for_fixtures_alone(number: int, tmp_path: Path) -> None:
    """The name of the cases is no fixture."""
    assert tmp_path.exists()
    assert number in (1, 2)
