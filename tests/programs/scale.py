"""The cost of a long chain of Values: ``python -m tests.programs.scale 10000000`` prints bytes and ns per node.

Memory and time are measured in separate processes, since tracing memory slows a program down several times.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

import autodiff as ad
from autodiff.system.console import readable_output
from tests.support.places import ROOT

_SHALLOW = 120  # frames: enough for this program, and far from enough for a walk that recurses


def chain(count: int, w: ad.Value, b: ad.Value) -> Any:
    """``count`` nodes in a row, each the input of the next: alternately times w and plus b."""
    y: Any = w
    for _ in range(count // 2):
        y = y * w + b
    return y


def traced(count: int) -> dict[str, float]:
    """Bytes per node by tracemalloc after forward, backward and freeing, and objects that only the collector freed."""
    w, b = ad.Value(0.999999), ad.Value(1e-6)
    chain(10, w, b).backward()  # so that no setup happens while measuring
    gc.collect()
    gc.disable()
    tracemalloc.start()
    start = tracemalloc.get_traced_memory()[0]
    y = chain(count, w, b)
    forward = tracemalloc.get_traced_memory()[0]
    y.backward()
    backward, peak = tracemalloc.get_traced_memory()
    del y
    left = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    garbage = gc.collect()
    sizes = {"forward": forward, "backward": backward, "peak": peak, "left": left}
    return {**{key: (size - start) / count for key, size in sizes.items()}, "garbage": garbage}


def timed(count: int) -> dict[str, float]:
    """CPU nanoseconds per node for forward, backward and freeing, with the collector on, and resident bytes per node.

    ``blocks`` is the number of Python objects left at the end, ``garbage`` of those that only the collector freed.
    """
    w, b = ad.Value(0.999999), ad.Value(1e-6)
    chain(10, w, b).backward()
    gc.collect()
    collected, blocks, resident = _collected(), sys.getallocatedblocks(), resident_bytes()
    start = time.process_time_ns()
    y = chain(count, w, b)
    recorded = time.process_time_ns()
    y.backward()
    passed = time.process_time_ns()
    grown = resident_bytes() - resident
    final = time.process_time_ns()
    del y
    freed = time.process_time_ns()
    blocks = sys.getallocatedblocks() - blocks
    gc.collect()
    spans = {"forward": recorded - start, "backward": passed - recorded, "free": freed - final, "resident": grown}
    return {**{key: span / count for key, span in spans.items()}, "blocks": blocks, "garbage": _collected() - collected}


def _collected() -> int:
    """How many objects the garbage collector has freed so far."""
    return sum(generation["collected"] for generation in gc.get_stats())


def resident_bytes() -> float:
    """The resident memory of this process, in bytes; nan if the system does not report it."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else float("nan")


def measured(kind: str, count: int) -> dict[str, float]:
    """`traced` or `timed` in a separate process."""
    command = [sys.executable, "-m", "tests.programs.scale", str(count), "--only", kind]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if answer.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with status {answer.returncode}: {answer.stderr[-500:]}")
    return dict(json.loads(answer.stdout))


def table(counts: list[int]) -> str:
    """Bytes and nanoseconds per node for chains of several lengths."""
    lines = ["| nodes | bytes after forward | after backward | resident | ns forward | backward | free | garbage |"]
    lines.append("|" + "---:|" * 8)
    for count in counts:
        size, span = measured("traced", count), measured("timed", count)
        cells = (size["forward"], size["backward"], span["resident"], span["forward"], span["backward"], span["free"])
        lines.append(f"| {count:,} | " + " | ".join(f"{cell:.1f}" for cell in cells) + f" | {size['garbage']:.0f} |")
    return "\n".join(lines)


@readable_output()
def main() -> None:
    """Print the table for the given length and smaller ones, or one measurement as JSON."""
    parser = argparse.ArgumentParser(description="Measure the cost of a long chain of Values.")
    parser.add_argument("nodes", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--only", choices=["traced", "timed"], help="one measurement in this process, as JSON")
    options = parser.parse_args()
    if options.only:
        sys.setrecursionlimit(_SHALLOW)
        print(json.dumps({"traced": traced, "timed": timed}[options.only](options.nodes)))
    else:
        print(table([count for count in (100_000, 1_000_000) if count < options.nodes] + [options.nodes]))


if __name__ == "__main__":
    main()
