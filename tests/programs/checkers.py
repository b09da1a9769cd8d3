"""How good is a gradient check? ``python -m tests.programs.checkers`` counts false alarms and misses, ours and peers'.

All checkers judge the same random programs as black boxes, floats in and one float out, with the same gradients: the
right one, and one in which the share of one edge is spoiled. Each runs with its defaults. A program is *smooth*;
*wide*, smooth with inputs and results scaled by powers of ten from 1e−4 to 1e4; or *kinked*, mostly at a kink.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

import autodiff as ad
from autodiff.engine.shares import edge_shares
from autodiff.system.console import readable_output
from autodiff.testing.check.gradients import check_gradients
from autodiff.testing.random_programs.operations import vocabulary
from autodiff.testing.random_programs.program import Program
from autodiff.testing.random_programs.sampling import random_program

Vector = np.ndarray[Any, Any]

SMOOTH = (
    "add", "subtract", "multiply", "divide", "negative", "exp", "expm1", "log", "log1p", "sqrt", "square", "reciprocal",
    "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "erfc", "sigmoid", "log_sigmoid",
    "softplus", "gelu", "pow",
)  # fmt: skip
KINKED = (
    "add", "subtract", "multiply", "negative", "exp", "sin", "square", "absolute", "relu", "maximum", "minimum",
    "leaky_relu", "hard_tanh", "soft_sign", "elu", "hinge",
)  # fmt: skip

#: Factors of the share of one edge.
SPOILED = {
    "10 %": 1.1, "1 %": 1.01, "0.1 %": 1.001, "1e−6": 1 + 1e-6, "sign": -1.0, "dropped": 0.0,
}  # fmt: skip
LOST = 1e-12  # a spoiled gradient that is closer to the right one than this in every entry is as good


@dataclass(frozen=True)
class Case:
    """A program with a scale for each input and for its result, seen as a function of one vector."""

    program: Program
    scales: Vector
    unit: float

    @property
    def point(self) -> Vector:
        """The point at which it is checked."""
        return np.array(self.program.inputs) * self.scales

    def value(self, x: Vector) -> float:
        """The result on plain floats."""
        return float(self.program(*(x / self.scales).tolist())) * self.unit

    def gradient(self, x: Vector, edge: tuple[int, int] | None = None, factor: float = 1.0) -> Vector:
        """The gradient by this engine; the share of ``edge``, (node, its input), becomes ``factor`` times as much."""
        leaves = [ad.Value(a) for a in (x / self.scales).tolist()]
        output = self.program(*leaves)
        signals = {output: self.unit}
        for k, node in enumerate(ad.topological(output)[::-1]):
            for slot, (item, share) in enumerate(edge_shares(node, signals[node])):
                part = share * factor if (k, slot) == edge else share
                signals[item] = signals.get(item, 0.0) + part
        return np.array([signals.get(leaf, 0.0) for leaf in leaves]) / self.scales

    def edge(self, random: Random) -> tuple[int, int] | None:
        """A random edge without which the gradient would differ; None if there is none."""
        nodes = ad.topological(self.program(*[ad.Value(x) for x in self.program.inputs]))[::-1]
        edges = [
            (k, slot)
            for k, node in enumerate(nodes)
            for slot in range(sum(isinstance(item, ad.Node) for item in node.inputs))
        ]
        right = self.gradient(self.point)
        for edge in random.sample(edges, len(edges)):
            if not as_good_as(right, self.gradient(self.point, edge, 0.0)):
                return edge
        return None


def as_good_as(right: Vector, wrong: Vector) -> bool:
    """Whether no check could tell a gradient from the right one."""
    return bool(np.all(np.abs(wrong - right) <= LOST * np.abs(right)))


def cases(kind: str, count: int, seed: int) -> Iterator[Case]:
    """``count`` programs of a kind with a finite gradient."""
    random = Random(f"{kind} {seed}")
    operations = vocabulary(ad.Value, of=KINKED if kind == "kinked" else SMOOTH)
    while count:
        program = random_program(
            random, operations=operations, length=12, kinks="anywhere" if kind == "kinked" else "nowhere"
        )
        exponents = [random.randint(-4, 4) if kind == "wide" else 0 for _ in (*program.inputs, 0)]
        case = Case(program, np.array([10.0**e for e in exponents[:-1]]), 10.0 ** exponents[-1])
        with np.errstate(all="ignore"):
            fine = program.steps and np.all(np.isfinite(case.gradient(case.point))) and case.edge(Random(0))
        if fine:
            yield case
            count -= 1


# ---- checkers -------------------------------------------------------------------------------------------------------

Checker = Callable[[Callable[[Vector], float], Vector, Callable[[Vector], Vector]], str]


def ours(f: Callable[[Vector], float], x: Vector, gradient: Callable[[Vector], Vector]) -> str:
    """This project's interval check."""
    report = check_gradients(f, x, gradient=gradient, oracle="interval")
    return "wrong" if report.failed else "right" if report.decided else "undecided"


def torch_check(torch: Any, **options: Any) -> Checker:
    """``torch.autograd.gradcheck``."""

    def check(f: Callable[[Vector], float], x: Vector, gradient: Callable[[Vector], Vector]) -> str:
        class Function(torch.autograd.Function):  # type: ignore[misc]
            @staticmethod
            def forward(context: Any, given: Any) -> Any:
                context.save_for_backward(given)
                return torch.tensor(f(given.detach().numpy()), dtype=torch.float64)

            @staticmethod
            def backward(context: Any, cotangent: Any) -> Any:
                (given,) = context.saved_tensors
                return None if cotangent is None else cotangent * torch.from_numpy(gradient(given.detach().numpy()))

        point = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        fine = torch.autograd.gradcheck(Function.apply, (point,), raise_exception=False, **options)
        return "right" if fine else "wrong"

    return check


def jax_check(test_util: Any) -> Checker:
    """``jax.test_util.check_vjp``, which ``check_grads`` calls."""

    def check(f: Callable[[Vector], float], x: Vector, gradient: Callable[[Vector], Vector]) -> str:
        def value(point: Any) -> Any:
            return np.float64(f(np.asarray(point)))

        def pulled(point: Any) -> Any:
            return value(point), lambda cotangent: (np.asarray(cotangent) * gradient(np.asarray(point)),)

        try:
            test_util.check_vjp(value, pulled, (x,))
        except (AssertionError, ArithmeticError, ValueError):
            return "wrong"
        return "right"

    return check


def hips_check(autograd: Any) -> Checker:
    """``autograd.test_util.check_vjp``, which ``check_grads`` calls."""

    def check(f: Callable[[Vector], float], x: Vector, gradient: Callable[[Vector], Vector]) -> str:
        function = autograd.extend.primitive(f)
        autograd.extend.defvjp(function, lambda z, point: lambda cotangent: cotangent * gradient(point))
        np.random.seed(0)  # it draws its direction from there
        try:
            autograd.test_util.check_vjp(function, x)
        except (AssertionError, ArithmeticError, ValueError):
            return "wrong"
        return "right"

    return check


def checkers() -> dict[str, Checker]:
    """Ours, and those of the peers that are installed."""
    found: dict[str, Checker] = {"ours": ours}
    try:
        import torch

        found["torch gradcheck"] = torch_check(torch)
        found["torch, fast mode"] = torch_check(torch, fast_mode=True)
    except ImportError:
        print("torch is not installed: left out")
    try:
        import jax
        from jax import test_util

        jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
        found["jax check_vjp"] = jax_check(test_util)
    except ImportError:
        print("jax is not installed: left out")
    try:
        import autograd
        import autograd.extend
        import autograd.test_util

        found["HIPS check_vjp"] = hips_check(autograd)
    except ImportError:
        print("autograd is not installed: left out")
    return found


# ---- counting --------------------------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What a checker said of one kind of programs."""

    right: Counter[str]
    missed: Counter[str]
    seconds: float = 0.0


def judged(checker: Checker, case: Case, gradient: Callable[[Vector], Vector]) -> str:
    """What a checker says; what it raises besides counts as an alarm."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return checker(case.value, case.point, gradient)
        except Exception:
            return "wrong"


def measured(kind: str, count: int, seed: int, found: dict[str, Checker]) -> tuple[dict[str, Tally], Counter[str]]:
    """Each checker's answers to right and spoiled gradients, and how many spoiled ones are as good as right."""
    tallies = {name: Tally(Counter(), Counter()) for name in found}
    lost: Counter[str] = Counter()
    random = Random(seed)
    for case in cases(kind, count, seed):
        right, edge = case.gradient(case.point), case.edge(random)
        for name, checker in found.items():
            start = time.perf_counter()
            answer = judged(checker, case, case.gradient)
            tallies[name].right[answer] += 1
            tallies[name].seconds += time.perf_counter() - start
            if name == "ours" and answer == "wrong":
                report = check_gradients(case.value, case.point, gradient=case.gradient, oracle="interval")
                print(f"FALSE ALARM\n{case.program!r} {case.scales} {case.unit}\n{report}")
        for size, factor in SPOILED.items():
            wrong = case.gradient(case.point, edge, factor)
            lost[size] += as_good_as(right, wrong)

            def spoiled(x: Vector, edge: Any = edge, factor: float = factor, case: Case = case) -> Vector:
                return case.gradient(x, edge, factor)

            for name, checker in found.items():
                tallies[name].missed[size] += judged(checker, case, spoiled) != "wrong"
    return tallies, lost


def places_of(name: str) -> int:
    """In how many places a wrong entry is looked for: torch's slow check takes every entry, and is asked twice."""
    return 2 if name == "torch gradcheck" else 10


def one_of_a_thousand(found: dict[str, Checker]) -> dict[str, list[str]]:
    """Whether each checker sees one wrong entry among 1,000, in ten places; slow ones in as many as `places_of`."""
    random = np.random.default_rng(0)
    slopes = random.normal(size=1000)
    answers: dict[str, list[str]] = {}
    for name, checker in found.items():
        answers[name] = []
        for factor in (0.0, *(SPOILED[size] for size in ("10 %", "1 %", "0.1 %"))):
            caught = 0
            places = random.integers(0, 1000, places_of(name))
            for place in places:

                def gradient(x: Vector, place: int = int(place), factor: float = factor) -> Vector:
                    wrong = slopes * np.cos(x)
                    wrong[place] *= factor
                    return wrong

                case_f = lambda x: float(slopes @ np.sin(x))  # noqa: E731
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    caught += checker(case_f, np.linspace(-1.0, 1.0, 1000), gradient) == "wrong"
            answers[name].append(f"{100 * caught / len(places):.0f} %")
    return answers


@readable_output()
def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.programs.checkers", description=__doc__)
    parser.add_argument("--programs", type=int, default=1500, help="of each of the three kinds (default: 1500)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ours", action="store_true", help="leave the peers out")
    parser.add_argument("--kinds", default="smooth,wide,kinked", help="of programs (default: %(default)s)")
    options = parser.parse_args()
    found: dict[str, Checker] = {"ours": ours} if options.ours else checkers()
    kinds, totals = options.kinds.split(","), {name: Counter[str]() for name in found}
    heads = ["false alarms", "undecided", *SPOILED, "ms"]
    for kind in kinds:
        tallies, lost = measured(kind, options.programs, options.seed, found)
        print(f"\n{options.programs} {kind} programs; misses in % by the size of the error of one edge")
        print(f"{'':18}" + "".join(f"{head:>13}" for head in heads))
        for name, tally in tallies.items():
            totals[name] += tally.missed + Counter({"alarms": tally.right["wrong"]})
            counts = [tally.right["wrong"], tally.right["undecided"], *(tally.missed[size] for size in SPOILED)]
            parts = [f"{100 * c / options.programs:.1f}" for c in counts]
            parts[0] = str(counts[0])
            parts.append(f"{1000 * tally.seconds / options.programs:.1f}")
            print(f"{name:18}" + "".join(f"{part:>13}" for part in parts))
        floor = [f"{100 * lost[size] / options.programs:.1f}" for size in SPOILED]
        print(f"{'lost in rounding':18}" + "".join(f"{part:>13}" for part in ["", "", *floor]), flush=True)
    every = options.programs * len(kinds)
    print(f"\nTogether, of {every} programs: false alarms, misses of 1 % and of 0.1 % in %")
    for name, total in totals.items():
        parts = [str(total["alarms"]), *(f"{100 * total[size] / every:.2f}" for size in ("1 %", "0.1 %"))]
        print(f"{name:18}" + "".join(f"{part:>13}" for part in parts))
    print("\nOne wrong entry of 1,000 found (zeroed, 10 %, 1 %, 0.1 %)")
    for name, answers in one_of_a_thousand(found).items():
        print(f"{name:18}" + "".join(f"{answer:>13}" for answer in answers) + f"   of {places_of(name)} places")


if __name__ == "__main__":
    main()
