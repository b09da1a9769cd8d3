"""What a program prints in this process and in another one, whose hashes and addresses differ."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO

from tests.support.places import ROOT

__all__ = ["printed_here_and_elsewhere"]


def printed_here_and_elsewhere(program: str) -> tuple[str, str]:
    """The output of one program, run in this process and in a new one with another hash seed.

    One process more is enough, since the hash seed of this one is drawn at its start or is not 7.
    """
    here = StringIO()
    with redirect_stdout(here):
        exec(compile(program, "<program>", "exec"), {"__name__": "__main__"})
    seed = "8" if os.environ.get("PYTHONHASHSEED") == "7" else "7"
    there = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", program], cwd=ROOT, capture_output=True, check=True, encoding="utf-8",
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])},
    )  # fmt: skip
    return here.getvalue(), there.stdout
