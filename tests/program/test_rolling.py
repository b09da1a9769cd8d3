"""Re-rolled programs compute what their graphs compute, on the recorded numbers and on others."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Value
from autodiff.program.compiling import NotScalarError, rolled
from autodiff.program.compiling.form import Form
from autodiff.program.recording.recording import Recording, Selection
from autodiff.testing import random_program
from autodiff.testing.subject import as_node
from tests.support import scalar_programs as written
from tests.support.forms import computed, number
from tests.support.replays import differences, recorded, replayed

TOKENS = [3, 5, 1, 7, 5, 2]
PROGRAMS: dict[str, Callable[[], written.Written]] = {
    "moons": lambda: written.moons(12),
    "moons by weighted_sum": lambda: written.moons(5, ad.weighted_sum),
    "one pair": lambda: written.scorer(1),
    "20 pairs": lambda: written.scorer(20),
    "network": written.network,
    "recurrent": lambda: written.recurrent(5),
    "gpt": lambda: written.gpt(TOKENS, embed=4, heads=2, vocabulary=9, block=6),
}


def checked(outputs: list[Any], inputs: list[Any]) -> Form:
    """The form of a graph, after it was run on the recorded numbers and on others."""
    form = rolled(recorded(outputs, inputs))
    assert differences(form, replayed(outputs, {}), [x._data for x in inputs]) == []
    random = Random(0)
    others = {x: x._data + random.choice((-0.5, 0.25, 1.0)) for x in inputs}
    assert differences(form, replayed(outputs, others), list(others.values())) == []
    return form


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_node_of_a_program_as_people_write_it(name: str) -> None:
    output, inputs = PROGRAMS[name]()
    checked([output], inputs)


def test_random_programs_of_the_whole_table() -> None:
    for seed in range(150):
        random = Random(seed)
        program = random_program(random, length=random.choice((3, 12, 30)))
        leaves = program.leaves()
        with np.errstate(all="ignore"):
            output = as_node(program(*leaves))
        checked([output], leaves[: len(leaves) // 2])


def test_moons_is_the_program_that_a_person_would_write() -> None:
    output, inputs = written.moons(12)
    assert str(rolled(recorded([output], inputs))).splitlines() == [
        "z1[12, 16] = Σ2 x[0; 2, 0, 1]·p[0; 0, 2, 1] + p[32; 0, 1, 0]",
        "a1[192] = relu(z1[0; 1])",
        "z2[12, 16] = Σ16 a1[0; 16, 0, 1]·p[48; 0, 16, 1] + p[304; 0, 1, 0]",
        "a2[192] = relu(z2[0; 1])",
        "z3[12] = Σ16 a2[0; 16, 1]·p[320; 0, 1] + p[336; 0, 0]",
        "v1[12] = c[0; 1, 0]·z3[0; 1, 0] + 1",
        "relu1[12] = relu(v1[0; 1])",
        "J = 0.0001·Σ337 p[0; 1]·p[0; 1] + 0.0833333·Σ12 relu1[0; 1]",
    ]


def test_a_pair_of_windows_is_one_product() -> None:
    output, inputs = written.scorer(1)
    assert str(rolled(recorded([output], inputs))).splitlines() == [
        "z1[2, 8] = Σ20 x[0; 20, 0, 1]·p[0; 0, 20, 1] + p[160; 0, 1, 0]",
        "a1[16] = sigmoid(z1[0; 1])",
        "z2[2] = Σ8 a1[0; 8, 1]·p[168; 0, 1]",
        "v1 = (-1, 1)·Σ2 z2[0; 1] + 1",
        "J = relu(v1[0])",
    ]


def test_integers_choose_leaves_and_nodes() -> None:
    table = [[Value(10.0 * row + column) for column in range(3)] for row in range(5)]
    chosen = [Value(0.0) for _ in range(6)]
    selections = {leaf: Selection(k // 3, tuple(row[k % 3] for row in table)) for k, leaf in enumerate(chosen)}
    squares = [x * x + 1.0 for x in chosen]
    last = Value(0.0)
    selections[last] = Selection(2, (*squares, 7.0))
    form = rolled(recorded([last * 2.0, *squares], selections=selections))
    for integers in ((0, 4, 1), (-1, 2, -1), (3, 3, -7)):
        numbers = computed(form, [], integers)
        rows = [10.0 * (integers[k // 3] % 5) + k % 3 for k in range(6)]
        expected = [x * x + 1.0 for x in rows]
        assert [float(number(form, numbers, node)) for node in squares] == expected
        assert float(numbers[form.outputs[0].segment][form.outputs[0].start]) == 2.0 * [*expected, 7.0][integers[2]]
    with pytest.raises(IndexError):
        computed(form, [], (5, 0, 0))


def test_one_integer_chooses_from_parameters_and_inputs() -> None:
    p, x = [Value(2.0), Value(3.0)], [Value(5.0), Value(7.0)]
    one, other = Value(0.0), Value(0.0)
    selections = {one: Selection(0, tuple(p)), other: Selection(0, tuple(x))}
    output = one * 10.0 + other
    form = rolled(recorded([output], x, selections=selections))
    assert [float(number(form, computed(form, [5.0, 7.0], [k]), output)) for k in (0, 1)] == [25.0, 37.0]


def test_tokens_of_a_gpt_are_inputs() -> None:
    selections: dict[Any, Selection] = {}
    columns: dict[int, tuple[Any, ...]] = {}

    def chosen(table: list[Any], number: tuple[int, int]) -> Any:
        which, integer = number
        if isinstance(table[0], list):
            for k in range(len(table[0])):
                columns.setdefault(k, tuple(row[k] for row in table))
            return [stand_in(which, integer, columns[k]) for k in range(len(table[0]))]
        return stand_in(which, integer, tuple(table))

    def stand_in(which: int, integer: int, candidates: tuple[Any, ...]) -> Value:
        leaf = Value(candidates[integer]._data)
        selections[leaf] = Selection(which, candidates)
        return leaf

    size: Any = {"embed": 4, "heads": 2, "vocabulary": 9, "block": 6}
    output, _ = written.gpt(list(enumerate(TOKENS)), chosen=chosen, **size)
    form = rolled(recorded([output], selections=selections))
    assert differences(form, {}, [], TOKENS) == []
    for tokens in (TOKENS, [8, 0, 3, 3, 2, 1]):
        wanted, _ = written.gpt(tokens, **size)
        assert float(number(form, computed(form, [], tokens), output)) == pytest.approx(wanted.data, rel=1e-12)
    lines = str(form).splitlines()
    assert sum("which" in line for line in lines) == 2  # the rows of the table, and the probabilities
    assert len(lines) == 31


def test_a_causal_sum_is_a_product_with_a_mask() -> None:
    output, _ = written.gpt(TOKENS, embed=4, heads=2, vocabulary=9, block=6)
    lines = str(rolled(recorded([output]))).splitlines()
    assert lines[14:16] == [
        "scaled[10, 5] = c[0; 5, 1, 0]·joined[places (10, 5, 1)]",
        "v8[5, 2, 2] = Σ5 scaled[0; 10, 5, 0, 1]·z1[4; 0, 6, 1, 12]",
    ]


def test_an_axis_of_examples() -> None:
    output, inputs = written.scorer(1)
    form = rolled(recorded([output], inputs, batched=frozenset(range(len(inputs)))))
    rows = np.random.default_rng(0).normal(size=(7, len(inputs)))
    came = number(form, computed(form, list(rows.T)), output)
    wanted = [replayed([output], dict(zip(inputs, row.tolist(), strict=True)))[output] for row in rows]
    np.testing.assert_allclose(came, wanted, rtol=1e-12)
    assert all(segment.batched for segment, _ in (form.places[output], form.places[inputs[0]]))


def test_kinds_of_single_nodes() -> None:
    x, y = Value(2.0), Value(-3.0)
    constant = Value(5.0).detach()
    cases: list[Any] = [
        x, constant, x + constant, (x * 2 * 3 + 1) / 4, x / 0.0, x * float("inf"), x - x, x * x, 3.0 / x, x**0, x**2,
        ad.sum([x, 1.5, y]), ad.mean([x, y, 4.0]), ad.norm([x, y, x]), ad.max([x, 0.5, y]), ad.logsumexp([x, y]),
        ad.prod([x, y, y]), ad.hinge(x, y), ad.clip(x, 0.0, 1.0),
    ]  # fmt: skip
    with np.errstate(all="ignore"):
        for case in cases:
            checked([case], [x] if case is not constant else [])
        checked(cases, [])


def test_factors_are_not_merged_beyond_the_range_of_floats() -> None:
    x, y = Value(1e250), Value(1e-250)
    cases = [x * 1e-200 * 1e-200 * 1e300, y * 1e200 * 1e200 * 1e-300, x * 1e-200 * 1e-200]
    form = rolled(recorded(cases))
    came = computed(form, [])
    assert [float(number(form, came, case)) for case in cases] == pytest.approx(
        [1e150, 1e-150, 1e-150], rel=1e-12, abs=0
    )


def test_only_graphs_of_values() -> None:
    tensor = ad.Tensor([1.0, 2.0])
    with pytest.raises(NotScalarError, match="Values"):
        rolled(Recording((), (tensor,), (tensor.sum(),)))
    with pytest.raises(NotScalarError):
        rolled(recorded([tensor.sum().value() * Value(2.0)]))


def test_a_deep_chain() -> None:
    x: Any = Value(0.3)
    y = x
    for _ in range(400):
        y = (y * 0.9 + 0.1).tanh() + x
    checked([y], [x])


def test_sums_that_differ_in_their_numbers_of_parameters_are_not_one_group() -> None:
    x, p, q = Value(2.0), Value(3.0), Value(5.0)
    checked([(x * x).tanh() + p, (x * x).tanh() + p + q, (x * x).tanh() + 1.0], [x])


def test_an_irregular_graph() -> None:
    random = Random(5)
    leaves: list[Any] = [Value(random.uniform(-1.0, 1.0)) for _ in range(20)]
    nodes = [*leaves]
    for _ in range(1500):
        a, b = random.choice(nodes[-60:]), random.choice(nodes[-60:])
        nodes.append(random.choice((lambda a, b: a * b, lambda a, b: a - b, lambda a, b: a.tanh(), ad.maximum))(a, b))
    form = checked([ad.sum(nodes[-60:])], leaves[:5])
    assert form.pool
