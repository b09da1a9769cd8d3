"""Hidden files: what a killed writer left is deleted, what a living one writes and what others own is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autodiff.system import leftovers
from autodiff.system.leftovers import delete_leftovers, hidden_name, lock, same_lock

pytest.importorskip("fcntl", reason="this system has no locks")


def test_only_files_without_a_writer_are_deleted(tmp_path: Path) -> None:
    """A second descriptor keeps the lock of a closed one; other names and folders stay."""
    left, held = tmp_path / hidden_name(), tmp_path / hidden_name()
    left.touch()
    others = [tmp_path / ".autodiff-0", tmp_path / ".autodiff-0123456789abcdeg", tmp_path / "run.npz"]
    for other in others:
        other.touch()
    (folder := tmp_path / hidden_name()).mkdir()
    (link := tmp_path / hidden_name()).symlink_to(others[2])
    first = lock(os.open(held, os.O_CREAT | os.O_WRONLY))
    second = same_lock(first)
    assert second is not None
    os.close(first)
    delete_leftovers(tmp_path)
    assert {*tmp_path.iterdir()} == {*others, held, folder, link}
    os.close(second)
    delete_leftovers(tmp_path)
    assert {*tmp_path.iterdir()} == {*others, folder, link}


def test_without_locks_age_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour without a change."""
    monkeypatch.setattr(leftovers, "fcntl", None)
    old, new = tmp_path / hidden_name(), tmp_path / hidden_name()
    for path, age in ((old, 4000), (new, 3000)):
        path.touch()
        os.utime(path, (0, path.stat().st_mtime - age))
    assert lock(0) == 0
    assert same_lock(0) is None
    delete_leftovers(tmp_path)
    assert [*tmp_path.iterdir()] == [new]


def test_a_folder_that_cannot_be_listed_is_left_alone(tmp_path: Path) -> None:
    """Whether the file can be written is the writer's to say."""
    delete_leftovers(tmp_path / "none")
