"""Relations between gradients that hold whatever the program: checks that need no oracle.

Each relation builds the graph of ``f`` in two ways whose gradients must agree: bit by bit where nothing is rounded
differently, else within a few roundings of every share that was added up.
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
    """Two ways to one gradient disagree."""


def check_relations(f: Callable[..., Any], *inputs: Any, only: Sequence[str] | None = None) -> tuple[str, ...]:
    """Check the relations that hold for every gradient, of ``f`` at ``inputs``; no oracle is needed.

    Args:
        f: a function of Values (for numbers) and Tensors (for arrays) that returns one, or a plain number or array
            where it is constant; a `Program` is one.
        inputs: where; at least one.
        only: names from `RELATIONS`, if not all are wanted.

    Returns:
        the names of the relations that held. One that says nothing about f, such as how sums are bracketed where
        nothing is added, is not among them.

    Raises:
        RelationError: an AssertionError that names the relation, the numbers, and the program of a `Program`.
        TypeError: f cannot be called, or returns no number or array; or an input is neither a number nor an array; or
            its result depends on no input, but it read the ``.data`` of a node that does. ValueError: no input, no
            number in the output, or a name that no relation has.

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
    """The first relation that is broken, with its numbers, as `check_relations`; None if there is none."""
    return next((f"{name}: {wrong}" for name, wrong in _answers(f, inputs, only) if wrong is not None), None)


def relation_fault(program: Program) -> str | None:
    """What is wrong with the gradients of a program over Values or Tensors, by the relations: a judge for `search`.

    >>> relation_fault(Program.parse("Tensor [1.5,2.0]; sin 0; multiply 1 0"))
    """
    check_program(program, "relation_fault")
    return broken_relation(program, *program.inputs)


def _answers(
    f: Callable[..., Any], inputs: Sequence[Any], only: Sequence[str] | None
) -> Iterator[tuple[str, str | None]]:
    """Each relation that says something about ``f``, and what is wrong, None if it holds."""
    if not callable(f):
        raise TypeError(f"relations are checked of a function, and got {describe(f)}")
    if not inputs:
        raise ValueError("relations are checked at one or more inputs of f, and got none")
    if isinstance(only, str) or not isinstance(only, Iterable | None):
        raise TypeError(f"only is a list of names of relations, and got {describe(only)}")
    names = list(RELATIONS) if only is None else list(only)
    if unknown := [name for name in names if not isinstance(name, str) or name not in RELATIONS]:
        raise ValueError(f"no relation is called {', '.join(map(repr, unknown))}; there are {', '.join(RELATIONS)}")
    run = Run(f, inputs, asked=True)
    for name in names:
        try:
            with np.errstate(all="ignore"):
                wrong = RELATIONS[name](run)
        except DoesNotApply:
            continue
        yield name, wrong


# ---- the other way round ---------------------------------------------------------------------------------------------


def _push_and_pull(run: Run) -> str | None:
    """⟨J v, u⟩ = ⟨v, Jᵀu⟩: the left side from values of f alone, by differences with their own error.

    At a tie a convention may give what no slope around it is: a disagreement counts if it is there nearby, too. Where
    f has no slope, one nearby is asked for.
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
    """Whether f is smooth here, and by how much the two sides differ if it is."""
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


#: What holds for every correct gradient, by name: each compares two ways to one result.
RELATIONS: Final[dict[str, Relation]] = {
    **OF_PASSES,
    "pushforward and pullback agree": _push_and_pull,
    **OF_GRAPHS,
    **OF_RULES,
}
