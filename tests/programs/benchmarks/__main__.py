"""``python -m tests.programs.benchmarks``: this engine beside its peers and beside NumPy by hand, in one process.

CPU time, BLAS on one thread, contenders taking turns; ratios of the same round with their spread. Peers that are not
installed are left out, and it says so.
"""

from __future__ import annotations

import os
import sys

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ[variable] = "1"  # before NumPy is loaded: two busy-waiting threads turn 1 ms into 60

from autodiff.system.console import readable_output  # noqa: E402
from tests.programs.benchmarks import (  # noqa: E402
    classifier,
    drawing,
    expressions,
    language,
    moons,
    ordinary,
    programs,
    scorer,
    words,
)
from tests.programs.benchmarks.harness import compare, faster, least_ratios, table  # noqa: E402

BATCHES = (1, 64, 4096)


def scalar_graphs() -> None:
    """The two moons: the speed relative to micrograd."""
    steps = moons.contenders(100)
    reference = "micrograd" if "micrograd" in steps else "autodiff"
    for collector in (True, False):
        state = "at its default" if collector else "off"
        results = compare(steps, reference, rounds=9, slice_seconds=0.01, collector=collector)
        print(table(f"Scalars: two moons, 2-16-16-1, 100 samples, garbage collector {state}", results, reference))
        print(faster(results, reference), "\n")


def scalar_expressions() -> None:
    """One window score in scalars, on every engine."""
    results = compare(expressions.contenders(), "autodiff", rounds=9)
    print(table("Scalars: a 20-8-1 score, one scalar per number, forward and backward", results, "autodiff"), "\n")


def array_steps() -> None:
    """The scorer on arrays beside NumPy by hand."""
    for batch in BATCHES:
        results = compare(scorer.contenders(batch), "NumPy by hand", rounds=25)
        print(table(f"Arrays: training step of the scorer 20-8-1, batch {batch}", results, "NumPy by hand"))
        torch = next((r for r in results if r.name == "torch"), None)
        ours = next(r for r in results if r.name == "autodiff")
        if torch is not None:
            print(f"  autodiff takes 1/{torch.median / ours.median:.2f} of torch's time")
        print()


def ordinary_programs() -> None:
    """Ten programs that nobody fused, by size: times of NumPy by hand, and of torch."""
    columns = [f"{size:>14,}" for size in ordinary.SIZES]
    print("Eager: ten programs with their gradients; × NumPy by hand: autodiff / torch (whole table: elements)")
    print(f"  {'':<16}{''.join(columns)}")
    for name in ordinary.PROGRAMS:
        cells = []
        for size in ordinary.SIZES:
            results = compare(ordinary.contenders(name, size), "NumPy by hand", rounds=11, slice_seconds=0.015)
            cells.append(" / ".join(f"{least:.2f}" for least in least_ratios(results, "NumPy by hand")))
        print(f"  {name:<16}{''.join(f'{cell:>14}' for cell in cells)}", flush=True)
    print()


def word_vectors() -> None:
    """A scorer that learns word vectors: a step costs the same however many words there are."""
    for count in (1_000, 10_000, 100_000):
        results = compare(words.contenders(count), "NumPy by hand", rounds=15)
        print(table(f"Word vectors: training step of a scorer 250-100-1, {count:,} words", results, "NumPy by hand"))
    print()


def classifiers() -> None:
    """A classifier with dropout and Adam beside NumPy by hand, torch and jax."""
    for batch in (1, 64, 1024):
        results = compare(classifier.contenders(batch), "NumPy by hand", rounds=15)
        title = f"Training: step of 784-128-64-10 with dropout and Adam, batch {batch:,}"
        print(table(title, results, "NumPy by hand"))
    print()


def language_models() -> None:
    """A character model beside NumPy by hand, torch and jax, by the number of sequences side by side."""
    seconds = {}
    for rows in (1, 16):
        results = compare(language.contenders(rows), "NumPy by hand", rounds=15)
        title = f"Text: step of a character model 65-100-65, 25 steps, AdaGrad, {rows} sequence{'s' * (rows > 1)}"
        print(table(title, results, "NumPy by hand"))
        seconds[rows] = next(r.seconds for r in results if r.name == "autodiff") / rows
    print(f"  a sequence among 16 takes {seconds[16] / seconds[1]:.2f} of the time of one alone\n")


def drawings() -> None:
    """Pictures of graphs of 30 to 10,000 boxes."""
    print("Drawing: rows of values, each computed from two of the row before")
    print(drawing.times())
    print(drawing.way_alone())
    print(drawing.chains(), "\n")


BENCHMARKS = {
    "scalars": (scalar_graphs, scalar_expressions),
    "arrays": (array_steps,),
    "eager": (ordinary_programs,),
    "training": (word_vectors, classifiers),
    "text": (language_models,),
    "drawing": (drawings,),
    "programs": (programs.report,),
}

if __name__ == "__main__":
    chosen = sys.argv[1:] or list(BENCHMARKS)
    if unknown := set(chosen) - set(BENCHMARKS):
        raise SystemExit(f"unknown benchmark {', '.join(sorted(unknown))}; choose from {', '.join(BENCHMARKS)}")
    with readable_output():
        for name, parts in BENCHMARKS.items():
            if name in chosen:
                for part in parts:
                    part()
