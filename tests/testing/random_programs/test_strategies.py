"""The strategies draw what they say, and shrink to the fewest nodes and the simplest numbers."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

import autodiff as ad
from autodiff.testing.hooks.entry import register
from autodiff.testing.hooks.strategies import (
    arrays,
    coordinates,
    numbers,
    points,
    programs,
    register_profiles,
    shapes,
    tensors,
    values,
)
from autodiff.testing.random_programs.operations import vocabulary
from autodiff.testing.random_programs.program import Program
from autodiff.testing.subject import as_node
from autodiff.words.notation import Name, parse
from nn.strategies import networks, windows
from tests.support.strategies import PRIMITIVES, VOCABULARY

#: Without hypothesis's explanation of what it has found, which changes nothing in it and takes most of the time.
QUIET = settings(
    database=None, derandomize=True, deadline=None, max_examples=200, phases=[Phase.generate, Phase.shrink]
)
#: Few operations, so that each comes soon; what other tests define is not among them.
FEW = {kind: vocabulary(kind, of=["add", "multiply", "exp", "tanh"]) for kind in (ad.Value, ad.Tensor)}


def least(strategy: Any, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
    """What hypothesis shrinks to."""
    return find(strategy, wanted, settings=QUIET)


def has(name: str) -> Callable[[Program], bool]:
    """Whether a program has a step of this name."""
    return lambda program: any(name == step for step, _ in program.steps)


def test_numbers_shrink_to_small_integers() -> None:
    """1 comes first, then 2, 3, 0 and the negative ones; of others the simplest."""
    assert least(numbers()) == 1.0
    assert least(numbers(), lambda x: x < 0) == -1.0
    assert least(numbers(), lambda x: x not in (1.0, 2.0, 3.0)) == 0.0
    assert least(numbers(0.1, 0.9), lambda x: x > 0.4) == 0.5


def test_arrays_shrink_to_one_number() -> None:
    """No axes and ones, unless more is needed."""
    assert least(shapes()) == ()
    assert least(arrays()).tolist() == 1.0
    assert least(arrays(), lambda x: x.ndim == 2 and x.min() < 0).tolist() == [[-1.0]]
    assert least(tensors((2,))).data.tolist() == [1.0, 1.0]
    assert least(values()).data == 1.0


@pytest.mark.slow
def test_programs_shrink_to_the_fewest_steps() -> None:
    """An input of 1 and no step; with a step wanted, that step alone on that input."""
    few = programs(operations=FEW[ad.Value])
    assert str(least(few)) == "Value 1.0"
    assert str(least(few, has("tanh"))) == "Value 1.0; tanh 0"
    assert str(least(programs(ad.Tensor, operations=FEW[ad.Tensor]), has("exp"))) == "Tensor 1.0; exp 0"


@pytest.mark.slow
@pytest.mark.parametrize("kind", VOCABULARY)
def test_every_operation_is_drawn_soon(kind: type) -> None:
    """300 programs over the whole table leave out 5 of its 163 operations at the most, of the 79 on numbers none."""
    seen: Counter[str] = Counter()

    @settings(QUIET, phases=[Phase.generate], max_examples=300)
    @given(programs(kind, operations=VOCABULARY[kind], kinks="anywhere"))
    def draw(program: Program) -> None:
        seen.update({name for name, _ in program.steps})

    draw()
    never = [name for name in VOCABULARY[kind] if not seen[name]]
    assert len(never) <= (5 if kind is ad.Tensor else 0), never


@pytest.mark.slow
def test_products_shrink_to_their_own_inputs() -> None:
    """A product of arrays takes its own operands, of ones, and no others."""
    every = programs(ad.Tensor, operations=VOCABULARY[ad.Tensor])
    program = "Tensor [[1.0,1.0,1.0],[1.0,1.0,1.0]] [1.0,1.0,1.0] [1.0,1.0]; affine 2 1 0"
    assert str(least(every, has("affine"))) == program


@pytest.mark.slow
def test_steps_that_meet_shrink_to_those_steps() -> None:
    """A wanted pair of operations is left with few others, on one input.

    An idle step between the two goes only together with a step of the way back to the first: some stay.
    """
    few = programs(operations=FEW[ad.Value])

    def nests(program: Program) -> bool:
        made = {len(program.inputs) + k: name for k, (name, _) in enumerate(program.steps)}
        return any(name == "exp" and made.get(k) == "tanh" for name, operands in program.steps for k in operands)

    nested = least(few, nests)
    assert len(nested.steps) <= 4
    assert nested.inputs == (1.0,)


def test_shared_operands_shrink_to_a_square() -> None:
    """A value that is used twice by one step: x·x or x + x of one input."""
    few = programs(operations=FEW[ad.Value])
    shared = least(few, lambda program: any(len({*k}) < len(k) for _, k in program.steps))
    assert [operands for _, operands in shared.steps] == [(0, 0)]
    assert shared.inputs == (1.0,)


@settings(max_examples=50)
@given(programs(operations=VOCABULARY[ad.Value], kinks="nowhere"))
def test_programs_are_finite(program: Program) -> None:
    """Every output is a number, and every input a leaf of its graph, but for what a branch of Python's leaves out."""
    leaves = program.leaves()
    output = as_node(program(*leaves))
    assert np.isfinite(output.data)
    assert "branch" in str(program) or {*leaves} <= {*ad.topological(output)}


@settings(max_examples=50)
@given(programs(ad.Tensor, operations=VOCABULARY[ad.Tensor], kinks="anywhere"))
def test_tensor_programs_are_finite(program: Program) -> None:
    """Also over arrays."""
    output = as_node(program(*program.leaves()))
    assert np.size(output.data) == 1
    assert np.isfinite(output.data).all()


@pytest.mark.parametrize("name", [entry.name for entry in PRIMITIVES])
def test_points_lie_in_the_domain(name: str) -> None:
    """Points have an example's shapes, stay inside the interval that the table says, and away from its kinks."""
    entry = ad.TABLE[name]

    @settings(QUIET, max_examples=10)
    @given(points(entry))
    def inside(found: tuple[Any, ...]) -> None:
        domains = entry.domain if entry.arity else entry.domain * len(found)
        assert tuple(map(np.shape, found)) in [x.shapes for x in entry.examples] or not entry.examples
        for x, domain in zip(found, domains, strict=True):
            assert np.all((domain.low <= np.asarray(x)) & (np.asarray(x) <= domain.high))
            assert all(np.all(np.abs(x - kink) >= 0.05) for kink in domain.kinks)

    inside()


def test_points_may_stand_on_kinks() -> None:
    """With kinks allowed, relu's 0 is among the points."""
    assert least(points(ad.relu, shapes=[()], kinks=True), lambda x: x[0] == 0.0) == (0.0,)
    assert least(coordinates(ad.TABLE["divide"].domain[1]), lambda x: 0 < x < 1) >= 0.05


def test_points_of_a_name() -> None:
    """A primitive may be named; what is none is refused at once."""
    assert least(points("log")) == (1.0,)
    with pytest.raises(ValueError, match=r"no primitive is called 'lag'; the table has add, "):
        points("lag")
    with pytest.raises(TypeError, match=r"points takes a primitive or its name, and got 3"):
        points(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["Value", None, int, ad.Node])
def test_other_kinds_are_refused(kind: Any) -> None:
    """A program is over Values or Tensors, and nothing else stands for either; refused before anything is drawn."""
    for ask in (vocabulary, programs, lambda kind: programs(kind, operations=FEW[ad.Value])):
        with pytest.raises(TypeError, match=r"kind must be the class Value or the class Tensor, and got "):
            ask(kind)
    with pytest.raises(ValueError, match=r"a program needs at least one operation, and got none"):
        programs(operations={})


def test_programs_of_a_type_are_of_both_kinds() -> None:
    """``st.from_type(Program)`` draws programs over Values, the simpler, and over Tensors."""
    for kind in (ad.Value, ad.Tensor):
        assert least(st.from_type(Program), partial(_of_kind, kind)).inputs == (1.0,)


def _of_kind(kind: type, program: Program) -> bool:
    return program.kind is kind


@pytest.mark.parametrize("kind", [ad.Value, ad.Tensor, Program, Name])
def test_types_have_strategies(kind: type) -> None:
    """``st.from_type`` knows what belongs to this project."""

    @settings(QUIET, max_examples=5)
    @given(st.from_type(kind))
    def of_kind(found: Any) -> None:
        assert isinstance(found, kind)

    of_kind()


def test_hypothesis_loads_types_and_not_strategies() -> None:
    """The entry point tells hypothesis the types; the strategies are loaded with the first that is drawn."""
    code = (
        "import sys, hypothesis\nfrom autodiff.testing.hooks.entry import register\nregister()\n"
        "print('autodiff.testing.hooks.strategies' in sys.modules, 'pytest' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["False", "False"]
    register()  # twice is no mistake


def test_a_new_primitive_joins_the_strategies(define: Callable[..., ad.Primitive]) -> None:
    """What anybody adds to the table is drawn at once."""
    define("thrice", lambda xp, x: 3.0 * x, [lambda g, z, x: 3.0 * g])
    assert "thrice" in vocabulary(ad.Value)
    some = vocabulary(ad.Value, of=["add", "thrice"])
    assert str(least(programs(operations=some), has("thrice"))) == "Value 1.0; thrice 0"


@pytest.mark.slow
def test_networks_shrink_to_one_unit() -> None:
    """One layer, one unit, weight and bias 1."""
    network = least(networks(scalar=False))
    assert repr(network) == "Network(Layer(1, 1, identity, number=1))"
    assert [float(np.ravel(x)[0]) for x in network.state().values()] == [1.0, 1.0]


def test_windows_shrink_to_the_first_word() -> None:
    """The word with id 0, length times."""
    assert least(windows(7, 2)).tolist() == [0, 0]


@given(st.from_type(Name))
def test_names_are_those_that_can_be_read(name: Name) -> None:
    """Every name is read back from its text."""
    assert parse(str(name)) == name


def test_profiles_have_their_names() -> None:
    """ci draws the same examples every time; thorough ten times as many."""
    register_profiles()
    assert settings.get_profile("ci").derandomize
    assert settings.get_profile("dev").max_examples < settings.get_profile("ci").max_examples
    assert settings.get_profile("thorough").max_examples == 10 * settings.get_profile("ci").max_examples
