"""The public names and their signatures change only together with the snapshot, where a reviewer sees it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.house.public_api import SNAPSHOT
from tests.support.places import ROOT


@pytest.mark.slow
def test_the_public_names_are_those_of_the_snapshot() -> None:
    """Renew it after an intended change: ``python -m tests.house api > tests/house/public_api.txt``."""
    command = [sys.executable, "-X", "utf8", "-m", "tests.house", "api"]
    answer = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, cwd=ROOT)
    now, before = answer.stdout.splitlines(), SNAPSHOT.read_text(encoding="utf-8").splitlines()
    assert sorted({*before} - {*now}) == [], "gone, or with another signature"
    assert sorted({*now} - {*before}) == [], "new"
