"""Columns of a terminal: no line is wider than asked, and no character is lost."""

from __future__ import annotations

import pytest

from autodiff.words.columns import columns, fitted, wrapped

TEXTS = ("z₁⁽³⁾ = W₁₁⁽²⁾ · a₁⁽²⁾ + W₁₂⁽²⁾ · a₂⁽²⁾ + b₁⁽²⁾", "显式求导 ↓：对 W₁₄⁽¹⁾ 的导数", "x" * 50, "", "ē" * 9)


@pytest.mark.parametrize("width", [4, 7, 20, 80])
@pytest.mark.parametrize("text", TEXTS)
def test_lines_are_no_wider_than_asked(text: str, width: int) -> None:
    """Only spaces may go."""
    lines = wrapped(text, width)
    assert max(map(columns, lines)) <= width
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_what_fits_stays_on_one_line() -> None:
    """Chinese characters count two columns."""
    assert wrapped("误差分享", 8) == ["误差分享"]
    assert wrapped("误差分享", 7) == ["误差分", "  享"]


def test_only_the_widest_column_gives_way() -> None:
    """Columns of short numbers keep their width."""
    assert fitted([47, 65, 6], 80) == [37, 37, 6]
    assert fitted([5, 6], 80) == [5, 6]
