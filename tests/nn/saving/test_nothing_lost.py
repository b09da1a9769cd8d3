"""What happens to files in the world: kills, full disks, two writers, links, long names."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

import nn
from tests.nn.saving.parts import Changing
from tests.support.places import ROOT

resource = pytest.importorskip("resource", reason="this system has no limits for files")
MANY = settings().max_examples > 500  # the profile `thorough`


@pytest.mark.parametrize("kind", ["nameless", "named"])
def test_kills_while_saving_lose_nothing(kind: str, tmp_path: Path) -> None:
    """Whether the system can write a file without a name or not; what a kill leaves, the next save deletes."""
    kills = 1000 if MANY else 12
    command = [sys.executable, "-m", "tests.nn.saving.killing", str(tmp_path), str(kills), kind]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{kills} ")


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file can grow beyond this size, as on a full disk."""
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)


@pytest.mark.parametrize("named", [False, True])
def test_a_full_disk_is_one_sentence(named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever in the file it is full; the old file stays, nothing else does, and with room again all goes on."""
    if named:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    path, net = tmp_path / "run.npz", nn.Layer(2, 1)
    nn.save(path, model=net, a=Changing(0.5))
    good = path.read_bytes()
    for size in (0, 1, 100, len(good) - 1):
        with largest_file(size), pytest.raises(OSError, match=r"^cannot write .*run\.npz: File too large$"):
            nn.save(path, model=net, a=Changing(0.25))
        with largest_file(size), pytest.raises(OSError, match=r"^cannot write .*net\.npz: File too large$"):
            net.save(tmp_path / "net.npz")
        assert os.listdir(tmp_path) == ["run.npz"]
        assert path.read_bytes() == good
    nn.save(path, model=net, a=Changing(0.25))
    assert float(nn.contents(path).arrays["a/number"]) == 0.25


@pytest.mark.parametrize("named", [False, True])
def test_two_writers_and_a_reader(named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At any moment there is one whole file, of one writer; neither takes the other's for a leftover."""
    if named:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    path = tmp_path / "run.npz"

    def write(number: int) -> None:
        for _ in range(500 if MANY else 20):
            nn.save(path, a=Changing(number), b=Changing(number))

    write(1)
    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write, number) for number in (1, 2, 3)]
        while not all(writer.done() for writer in writers):
            found = nn.contents(path).arrays
            assert found["a/number"] == found["b/number"]
    for writer in writers:
        writer.result()
    assert os.listdir(tmp_path) == ["run.npz"]


def test_links_long_names_and_permissions(tmp_path: Path) -> None:
    """A link is followed, also to a file that is not there yet; a name of 255 bytes will do; the mode stays."""
    (tmp_path / "kept").mkdir()
    real = tmp_path / "kept" / ("ä" * 125 + "x.npz")
    link = tmp_path / "run.npz"
    link.symlink_to(real)
    for number in (0.5, 0.25):
        nn.save(link, a=Changing(number))
        assert link.is_symlink()
        assert float(nn.contents(real).arrays["a/number"]) == number
        real.chmod(0o600)
    assert real.stat().st_mode & 0o777 == 0o600
    assert os.listdir(real.parent) == [real.name]
    with pytest.raises(OSError, match=r"^cannot write .*: File name too long$"):
        nn.save(real.with_name("x" + real.name), a=Changing(0.5))


def test_the_content_is_on_the_disk_before_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is synced, then renamed, then its folder is synced."""
    order: list[str] = []
    sync, rename = os.fsync, os.replace

    def synced(handle: int) -> None:
        order.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "file")
        sync(handle)

    def renamed(*paths: Path) -> None:
        order.append("rename")
        rename(*paths)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    nn.save(tmp_path / "run.npz", a=Changing(0.5))
    assert order == ["file", "rename", "folder"]


def test_arrays_of_views_are_not_changed_by_saving(tmp_path: Path) -> None:
    """A part may give views of its own arrays."""
    part, numbers = Changing(0.5), np.arange(4.0)
    part.state = lambda: {"number": np.array(1.0), "view": numbers[::2]}  # type: ignore[method-assign]
    nn.save(tmp_path / "run.npz", a=part)
    nn.contents(tmp_path / "run.npz").arrays["a/view"][:] = 9.0
    assert numbers.tolist() == [0.0, 1.0, 2.0, 3.0]
