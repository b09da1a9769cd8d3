"""Relations between gradients that hold for every program: checks that need no oracle.

Each relation builds the graph of ``f`` in two ways whose gradients must agree: bit for bit if both round alike, else
within a few roundings of every share that was added up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from autodiff.primitives.operands import describe
from autodiff.testing.oracles.interval import estimate
from autodiff.testing.random_programs.program import Program, check_program
from autodiff.testing.relations.passes import OF_PASSES
from autodiff.testing.relations.rebuilding import OF_GRAPHS
from autodiff.testing.relations.run import ROUNDING, DoesNotApply, Relation, Run
from autodiff.testing.relations.watching import OF_RULES

__all__ = ["RELATIONS", "RelationError", "broken_relation", "check_relations", "relation_fault"]


class RelationError(AssertionError):
    """Two computations of one gradient disagree."""


def check_relations(f: Callable[..., Any], *inputs: Any, only: Sequence[str] | None = None) -> tuple[str, ...]:
    """Check that the gradient of ``f`` at ``inputs`` obeys every relation of `RELATIONS`; no oracle is needed.

    Args:
        f: a function of Values (for numbers) and Tensors (for arrays) that returns a Value or Tensor, or a plain number
            or array where it is constant; a `Program` is such a function.
        inputs: the point at which to check; at least one number or array.
        only: names from `RELATIONS`; all of them if left out.

    Returns:
        the names of the relations that held. A relation that does not apply to f, such as one on the bracketing of sums
        where nothing is added, is not among them.

    Raises:
        RelationError: an AssertionError that names the relation and the numbers, with the source of a `Program`.
        TypeError: if f cannot be called, or returns no number or array; if an input is neither a number nor an array;
            or if the result depends on no input, but f read the ``.data`` of a node that does.
        ValueError: if there is no input, no number in the output, or no relation of a name in ``only``.

    >>> from autodiff import exp
    >>> held = check_relations(lambda x: x * exp(x), 0.5)
    >>> held[:2]
    ('backward twice doubles', 'signals are linear in the seed')
    >>> "sums and products may be bracketed otherwise" in held
    False
    """
    held: list[str] = []
    for name, wrong in _answers(f, inputs, only):
        if wrong is not None:
            source = getattr(f, "python", None)
            raise RelationError(f"{name}: {wrong}" + (f"\n\n{source()}" if callable(source) else ""))
        held.append(name)
    return tuple(held)


def broken_relation(f: Callable[..., Any], *inputs: Any, only: Sequence[str] | None = None) -> str | None:
    """The first broken relation with its numbers, as in `check_relations`; None if all hold."""
    return next((f"{name}: {wrong}" for name, wrong in _answers(f, inputs, only) if wrong is not None), None)


def relation_fault(program: Program) -> str | None:
    """The first relation that the gradient of a program breaks, None if all hold: a judge for `search`.

    >>> relation_fault(Program.parse("Tensor [1.5,2.0]; sin 0; multiply 1 0"))
    """
    check_program(program, "relation_fault")
    return broken_relation(program, *program.inputs)


def _answers(
    f: Callable[..., Any], inputs: Sequence[Any], only: Sequence[str] | None
) -> Iterator[tuple[str, str | None]]:
    """Each relation that applies to ``f``, with the violation, None if it holds."""
    if not callable(f):
        raise TypeError(f"f must be a function, and got {describe(f)}")
    if not inputs:
        raise ValueError("relations are checked at one or more inputs of f, and got none")
    if isinstance(only, str) or not isinstance(only, Iterable | None):
        raise TypeError(f"only must be a list of names of relations, and got {describe(only)}")
    names = list(RELATIONS) if only is None else list(only)
    if unknown := [name for name in names if not isinstance(name, str) or name not in RELATIONS]:
        names_of_all = ", ".join(RELATIONS)
        raise ValueError(f"no relation is called {', '.join(map(repr, unknown))}; the relations are {names_of_all}")
    run = Run(f, inputs, asked=True)
    for name in names:
        try:
            with np.errstate(all="ignore"):
                wrong = RELATIONS[name](run)
        except DoesNotApply:
            continue
        yield name, wrong


# ---- pushforward and pullback ----------------------------------------------------------------------------------------


def _push_and_pull(run: Run) -> str | None:
    """⟨J v, u⟩ = ⟨v, Jᵀu⟩: the left side from values of f alone, by differences with their estimated error.

    At a tie, a convention may give a gradient that equals no slope nearby: a disagreement counts only if it also occurs
    nearby. Where f has no slope, the relation is checked at a point nearby.
    """
    if _pushed_otherwise(run) == (True, None):
        return None
    for phase in (7.0, 9.0):
        smooth_nearby, wrong_nearby = _pushed_otherwise(Run(run.f, _moved(run.inputs, 1e-3, _directions(run, phase))))
        if smooth_nearby:
            return wrong_nearby
    raise DoesNotApply


def _directions(run: Run, phase: float) -> list[Any]:
    """A direction for each input whose entries are all different."""
    waves = [np.cos(phase + k + np.arange(np.size(x))) for k, x in enumerate(run.inputs)]
    return [wave.reshape(np.shape(x)) for wave, x in zip(waves, run.inputs, strict=True)]


def _moved(inputs: Sequence[Any], t: float, directions: Sequence[Any]) -> list[Any]:
    moved = [x + t * v for x, v in zip(inputs, directions, strict=True)]
    return [np.asarray(y) if isinstance(x, np.ndarray) else y for x, y in zip(inputs, moved, strict=True)]


def _pushed_otherwise(run: Run) -> tuple[bool, str | None]:
    """Whether f is smooth here, and the disagreement of the two sides, None if they agree."""
    output, _ = run.usual
    seed, directions = np.asarray(run.seed(output)), _directions(run, 1.0)

    def along(t: float) -> float:
        moved, _ = Run(run.f, _moved(run.inputs, t, directions)).record()
        return float(np.sum(seed * np.asarray(moved.data)))

    back = sum(float(np.sum(g * v)) for g, v in zip(run.usual_gradients, directions, strict=True))
    found = estimate(along)
    distance, allowed = abs(back - found.value), 4 * found.bar + 1e-7 * max(abs(back), abs(found.value))
    if found.kind != "smooth" or distance <= allowed:
        return found.kind == "smooth", None
    size = sum(float(np.sum(part)) for part in run.sizes)  # takes a pass over the graph: only where it decides
    if distance <= allowed + ROUNDING * size:
        return True, None
    return True, f"⟨v, Jᵀu⟩ is {back!r}, and ⟨J v, u⟩ is {found.value!r} ± {found.bar:.1g}"


#: The relations that hold for every correct gradient, by name: each compares two computations of one result.
RELATIONS: Final[dict[str, Relation]] = {
    **OF_PASSES,
    "pushforward and pullback agree": _push_and_pull,
    **OF_GRAPHS,
    **OF_RULES,
}
