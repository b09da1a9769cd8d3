"""Random programs through other engines: where micrograd and HIPS autograd disagree with this one, cut to a few steps.

    python demos/other_engines.py --programs 2000

Both are extras (pip install 'autodiff[peers]'). Gradients are compared away from kinks, then everywhere: at a kink a
disagreement is one of conventions, and said to be.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any

import numpy as np

import autodiff as ad
from autodiff.testing.loop import Search, search
from autodiff.testing.operations import Operation, Vocabulary, vocabulary
from autodiff.testing.program import Program

Gradients = Callable[[Program], Sequence[Any]]


def micrograd() -> tuple[Vocabulary, Gradients]:
    """The operations that micrograd has, and its gradients of a program over numbers."""
    value = import_module("micrograd.engine").Value
    calls: dict[str, Callable[..., Any]] = {
        "add": lambda x, y: x + y, "subtract": lambda x, y: x - y, "multiply": lambda x, y: x * y,
        "divide": lambda x, y: x / y, "negative": lambda x: -x, "relu": lambda x: x.relu(),
        **{f"power[n={n}]": (lambda x, n=n: x**n) for n in (0, 1, 2, 3, -1, -2, 0.5)},
    }  # fmt: skip
    known = vocabulary(ad.Value)

    def gradients(program: Program) -> Sequence[Any]:
        leaves = [value(x) for x in program.inputs]
        program.output(calls, leaves).backward()
        return [leaf.grad for leaf in leaves]

    return {name: known[name] for name in calls}, gradients


def hips() -> tuple[Vocabulary, Gradients]:
    """The elementwise operations that HIPS autograd can run, and its gradients of a program over arrays."""
    autograd, xp = import_module("autograd"), import_module("autograd.numpy")

    def gradients(program: Program) -> Sequence[Any]:
        engine = {**program.engine(xp), "sum": xp.sum}
        places = list(range(len(program.inputs)))
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            return autograd.grad(lambda *inputs: program.output(engine, inputs), places)(*program.inputs)

    def runs(operation: Operation) -> bool:
        """Whether its forward is made of functions that autograd knows."""
        entry = operation.primitive
        if entry is None or not entry.elementwise or any(operation.shapes):
            return False
        try:
            with warnings.catch_warnings(action="ignore"):  # that an output does not depend on its input
                autograd.grad(lambda x: operation.forward(xp, *[x] * operation.arity))(0.3)
        except (AttributeError, TypeError, NotImplementedError):
            return False
        return True

    return {name: item for name, item in vocabulary(ad.Tensor).items() if runs(item)}, gradients


def disagreement(program: Program, theirs: Gradients) -> str | None:
    """Both gradients, if they are further apart than rounding can bring them; None if they agree."""
    leaves = program.leaves()
    ours = ad.gradients(program(*leaves), leaves)
    try:
        others = theirs(program)
    except Exception as error:
        return f"theirs raises {type(error).__name__}: {error}"
    for mine, other in zip(ours, others, strict=True):
        if not np.allclose(mine, other, rtol=1e-7, atol=1e-9):  # values and slopes of some tens at the most
            return f"ours {np.asarray(mine).tolist()}, theirs {np.asarray(other).tolist()}"
    return None


def disagreements(operations: Vocabulary, theirs: Gradients, count: int, kind: type) -> Iterator[tuple[str, Search]]:
    """Searches until none finds anything: each leaves out the last operation of what was found before."""
    for kinks in ("nowhere", "anywhere"):
        left = dict(operations)
        while left:
            done = search(lambda program: disagreement(program, theirs), count, kind=kind, operations=left, kinks=kinks)
            yield kinks, done
            if done.found is None:
                break
            steps = done.found.program.steps
            left = {name: item for name, item in left.items() if steps and name != steps[-1][0]}


def report(title: str, operations: Vocabulary, theirs: Gradients, count: int, kind: type) -> None:
    """Print what was found with one engine."""
    print(f"{title}: {len(operations)} operations")
    for kinks, done in disagreements(operations, theirs, count, kind):
        where = "away from kinks" if kinks == "nowhere" else "kinks among them: conventions"
        if done.found is None:
            print(f"  {where}: {done.tried:,} programs agree")
        else:
            print(f"  {where}: {done.found.program}\n      {done.found.reason}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run both engines, those of them that are installed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--programs", type=int, default=2000, help="of each search (default: 2000)")
    options = parser.parse_args(arguments)
    for title, made, kind in (("micrograd", micrograd, ad.Value), ("HIPS autograd", hips, ad.Tensor)):
        try:
            operations, gradients = made()
        except ImportError:
            print(f"{title} is not installed: pip install 'autodiff[peers]'")
            continue
        report(title, operations, gradients, options.programs, kind)


if __name__ == "__main__":
    main()
