"""The README's code runs and prints what it says."""

import doctest
import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"


@pytest.mark.usefixtures("define")  # what the README enters in the table leaves it again
def test_code_of_the_readme_prints_what_it_says():
    """Every ``>>>`` block, in order, in one session, as a reader would type it."""
    failed, attempted = doctest.testfile(str(README), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert attempted >= 20
    assert failed == 0


def test_the_two_commands_set_up_everything_themselves():
    """One line for the main job and one for the tests, each with its own virtual environment."""
    lines = re.findall(r"^python3 -m venv .*$", README.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert [line.rsplit(" ", 1)[1] for line in lines] == ["flow", "pytest"]
    assert all("pip install" in line for line in lines)
