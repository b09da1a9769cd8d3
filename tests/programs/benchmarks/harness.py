"""Timing side by side: contenders take turns in one process, CPU time counts, and ratios are formed round by round.

On a shared machine absolute times wander by tens of percent; a ratio of neighbours does not.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Result", "compare", "faster", "least_ratios", "table"]


@dataclass(frozen=True)
class Result:
    """The time of one contender: the least CPU seconds per call, and its ratios to the reference by round."""

    name: str
    seconds: float
    ratios: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median of the ratios."""
        return statistics.median(self.ratios)

    @property
    def row(self) -> str:
        low, middle, high = min(self.ratios), self.median, max(self.ratios)
        return f"  {self.name:<34}{self.seconds * 1e6:>14,.1f}{middle:>12.3f}   [{low:.3f} … {high:.3f}]"


def compare(
    contenders: dict[str, Callable[[], object]],
    reference: str,
    *,
    rounds: int = 15,
    slice_seconds: float = 0.03,
    collector: bool = True,
) -> list[Result]:
    """Let the contenders take turns for ``rounds`` rounds; each ratio is contender ÷ reference of the same round.

    The collector runs at its default settings, or is off while a slice is timed (garbage is collected in between).
    """
    repeats = {name: _repeats(call, slice_seconds) for name, call in contenders.items()}
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, call in contenders.items():
            gc.collect()
            if not collector:
                gc.disable()
            start = time.process_time()
            for _ in range(repeats[name]):
                call()
            taken[name].append((time.process_time() - start) / repeats[name])
            gc.enable()
    base = taken[reference]
    ratios = {name: tuple(t / r for t, r in zip(times, base, strict=True)) for name, times in taken.items()}
    return [Result(name, min(times), ratios[name]) for name, times in taken.items()]


def _repeats(call: Callable[[], object], seconds: float) -> int:
    call()  # compilation, caches
    start = time.process_time()
    call()
    once = max(time.process_time() - start, 1e-7)
    return max(1, min(20_000, int(seconds / once)))


def table(title: str, results: list[Result], reference: str) -> str:
    """The results as text."""
    head = f"  {'':<34}{'µs a call':>14}{'× ' + reference:>12}   [spread]"
    return "\n".join([title, head, *(result.row for result in results)])


def faster(results: list[Result], reference: str) -> str:
    """How many times faster than the reference each other contender is, by the median of its ratios."""
    others = [r for r in results if r.name != reference]
    return "\n".join(f"  {r.name}: {1 / r.median:.2f} times as fast as {reference}" for r in others)


def least_ratios(results: list[Result], reference: str) -> list[float]:
    """The least time of each other contender in least times of the reference: a cell of a wide table."""
    base = next(r.seconds for r in results if r.name == reference)
    return [r.seconds / base for r in results if r.name != reference]
