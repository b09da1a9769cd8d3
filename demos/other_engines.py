"""Random programs on which micrograd or HIPS autograd disagrees with this engine, shrunk to a few steps.

    python demos/other_engines.py --programs 2000

Both engines are in the extra "peers". Gradients are compared away from kinks, then everywhere, without the operations
already found: the remaining disagreements are of conventions at kinks, and are reported as such. For micrograd, half
the gradient of two backward passes is compared too, since passes add up here, as in PyTorch.
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from itertools import islice
from typing import Any

import numpy as np

import autodiff as ad
from autodiff.system.console import readable_output
from autodiff.system.extras import install
from autodiff.testing.random_programs.operations import Operation, Vocabulary, vocabulary
from autodiff.testing.random_programs.program import Program
from autodiff.testing.random_programs.search import Search, search

Gradients = Callable[[Program], Sequence[Any]]


def micrograd(passes: int = 1) -> tuple[Vocabulary, Gradients]:
    """The operations that micrograd has, and its gradient of a program over numbers: the mean of some passes."""
    value = import_module("micrograd.engine").Value
    calls: dict[str, Callable[..., Any]] = {
        "add": lambda x, y: x + y, "subtract": lambda x, y: x - y, "multiply": lambda x, y: x * y,
        "divide": lambda x, y: x / y, "negative": lambda x: -x, "relu": lambda x: x.relu(),
        **{f"power[n={n}]": (lambda x, n=n: x**n) for n in (0, 1, 2, 3, -1, -2, 0.5)},
    }  # fmt: skip
    known = vocabulary(ad.Value)

    def gradients(program: Program) -> Sequence[Any]:
        leaves = [value(x) for x in program.inputs]
        output = program.output(calls, leaves)
        times = passes if program.steps else 1  # at the output, micrograd sets the gradient instead of adding to it
        for _ in range(times):
            output.backward()
        return [leaf.grad / times for leaf in leaves]

    return {name: known[name] for name in calls}, gradients


def hips() -> tuple[Vocabulary, Gradients]:
    """The operations whose forwards HIPS autograd can record, and its gradient of a program over arrays."""
    autograd, xp = import_module("autograd"), import_module("autograd.numpy")

    def gradients(program: Program) -> Sequence[Any]:
        engine = {**program.engine(xp), "sum": xp.sum}
        places = list(range(len(program.inputs)))
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            return autograd.grad(lambda *inputs: program.output(engine, inputs), places)(*program.inputs)

    def records(operation: Operation) -> bool:
        """Whether its forward consists of functions that autograd knows; its pullback is what the demo checks."""
        points = [np.full(shape, 0.3) for shape in operation.shapes or [()] * operation.arity]
        try:
            with warnings.catch_warnings(action="ignore"):  # that an output does not depend on its input
                _, result = autograd.make_vjp(lambda inputs: operation.forward(xp, *inputs))(points)
        except (AttributeError, TypeError, ValueError, NotImplementedError):
            return False
        return np.asarray(result).dtype == float  # an object array would hold autograd's boxes

    return {name: item for name, item in vocabulary(ad.Tensor, of=ad.TABLE).items() if records(item)}, gradients


def disagreement(program: Program, theirs: Gradients) -> str | None:
    """Both gradients, if they differ by more than rounding; None if they agree."""
    leaves = program.leaves()
    ours = ad.gradients(program(*leaves), leaves)
    try:
        others = theirs(program)
    except Exception as error:
        return f"the other engine raises {type(error).__name__}: {error}"
    for mine, other in zip(ours, others, strict=True):
        if not np.allclose(mine, other, rtol=1e-7, atol=1e-9):  # values and slopes of some tens at most
            return f"ours {np.asarray(mine).tolist()}, theirs {np.asarray(other).tolist()}"
    return None


def disagreements(operations: Vocabulary, theirs: Gradients, count: int, kind: type) -> Iterator[tuple[str, Search]]:
    """Searches until one finds nothing: each excludes the most frequent operation of the previous counterexample."""
    left = dict(operations)
    for kinks in ("nowhere", "anywhere"):
        while left:
            done = search(lambda program: disagreement(program, theirs), count, kind=kind, operations=left, kinks=kinks)
            yield kinks, done
            if done.found is None:
                break
            used = Counter(name for name, _ in reversed(done.found.program.steps)).most_common(1)
            left = {name: item for name, item in left.items() if used and name != used[0][0]}


def report(
    title: str, operations: Vocabulary, theirs: Gradients, count: int, kind: type, *, most: int | None = None
) -> None:
    """Print the disagreements with one engine, at most ``most`` of them if given."""
    print(f"{title}: {len(operations)} operations")
    for kinks, done in islice(disagreements(operations, theirs, count, kind), most):
        where = "away from kinks" if kinks == "nowhere" else "conventions at kinks"
        if done.found is None:
            print(f"  {where}: {done.tried:,} programs agree")
        else:
            print(f"  {where}: {done.found.program}\n      {done.found.reason}")


@readable_output()
def main(arguments: Sequence[str] | None = None) -> None:
    """Run both engines, if they are installed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--programs", type=int, default=2000, help="programs of each search (default: 2000)")
    options = parser.parse_args(arguments)
    for title, made, kind, most in (
        ("micrograd", micrograd, ad.Value, None),
        ("micrograd, backward twice", lambda: micrograd(passes=2), ad.Value, 1),  # whatever the operation
        ("HIPS autograd", hips, ad.Tensor, None),
    ):
        try:
            operations, gradients = made()
        except ImportError:
            print(f"{title} is not installed: {install('peers')}")
            continue
        report(title, operations, gradients, options.programs, kind, most=most)


if __name__ == "__main__":
    main()
