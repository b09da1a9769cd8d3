"""Random programs: they print as Python that makes the same graph, fit on a line, and stay programs when cut."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from importlib import import_module
from random import Random
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import testing
from autodiff.testing.random_programs.operations import Operation, vocabulary
from autodiff.testing.random_programs.program import Program, resolve, weights_of
from autodiff.testing.random_programs.sampling import random_program
from autodiff.testing.subject import as_node
from tests.support.cases import each
from tests.support.strategies import VOCABULARY

KINDS = pytest.mark.parametrize("kind", [ad.Value, ad.Tensor])


def programs(kind: type, count: int = 60) -> list[Program]:
    """Some random programs over all primitives."""
    random = Random(1)
    return [random_program(random, kind, operations=VOCABULARY[kind]) for _ in range(count)]


def graph_of(output: Any) -> list[Any]:
    """What makes two graphs the same: operations, params, edges and data to the last bit."""
    nodes = ad.topological(output)
    places = {node: k for k, node in enumerate(nodes)}
    return [
        (
            node.label, str(node.params), type(node), np.asarray(node.data).tobytes(),
            [places.get(x) if isinstance(x, ad.Node) else np.asarray(x).tobytes() for x in node.inputs],
        )
        for node in nodes
    ]  # fmt: skip


@KINDS
def test_printed_python_makes_the_same_graph(kind: type) -> None:
    """Executing `python()` gives a graph with the same operations, edges and bits, of values and of gradients."""
    for program in programs(kind):
        scope: dict[str, Any] = {}
        exec(program.python(), scope)
        leaves = program.leaves()
        output, printed = as_node(program(*leaves)), as_node(scope["output"])
        assert graph_of(printed) == graph_of(output)
        theirs = ad.gradients(printed, [scope[f"x{k}"] for k in range(len(leaves))])
        for ours, other in zip(ad.gradients(output, leaves), theirs, strict=True):
            np.testing.assert_array_equal(ours, other)


@KINDS
def test_a_line_gives_the_program_back(kind: type) -> None:
    """parse(str(p)) is p, and so is what its repr evaluates to."""
    for program in programs(kind):
        again = Program.parse(str(program))
        assert again == program
        assert (again.steps, hash(again)) == (program.steps, hash(program))
        assert eval(repr(program)) == program
        assert "\n" not in str(program)


def test_programs_of_other_operations_are_others() -> None:
    """The same line means another program where a name stands for another operation."""
    line, right = "Value 1.5; sin_of_program 0", Operation("sin_of_program", 1, ad.sin)
    programs = [Program.parse(line, {right.name: each}) for each in (right, right, Operation(right.name, 1, ad.cos))]
    assert programs[0] == programs[1]
    assert programs[0] != programs[2]
    assert programs[0] != line


@KINDS
def test_nothing_is_dead(kind: type) -> None:
    """The output depends on every input and every step, but for what a branch of Python's leaves out."""
    for program in programs(kind):
        if "branch" in str(program):
            continue
        leaves = program.leaves()
        output = program(*leaves)
        values = ad.topological(output)
        assert {*leaves} <= {*values}
        assert sum(not node.is_leaf for node in values) >= len(program.steps)


@KINDS
def test_a_program_with_an_instruction_left_out_is_a_program(kind: type) -> None:
    """Operands are counted back modulo the number of values, so that every cut leaves something that runs."""
    for program in programs(kind, 20):
        for k in range(len(program.steps)):
            rest = program.instructions[:k] + program.instructions[k + 1 :]
            shorter = resolve(rest, program.inputs)
            assert len(shorter.steps) < len(program.steps)
            assert np.isfinite(shorter(*shorter.inputs))


def test_what_does_not_fit_is_skipped() -> None:
    """A logarithm of a negative number, and a product beyond the limit, leave no step; the rest stays."""
    program = resolve([("log", 0), ("multiply", 0, 0), ("negative", 0), ("log", 0)], [-3.0])
    assert str(program) == "Value -3.0; negative 0; log 0"


def test_operands_are_counted_back_from_the_newest_value() -> None:
    """0 is the newest value, 1 the one before, and counting goes round."""
    program = resolve([("subtract", 1, 0), ("subtract", 3, 1)], [2.0, 3.0])
    assert program.steps == (("subtract", (0, 1)), ("subtract", (2, 1)))
    assert program.weights == ((3, weights_of((), 3)),)


def test_inputs_are_counted_from_the_front() -> None:
    """−1 is the first input and −2 the second, however many steps there are."""
    program = resolve([("negative", -1), ("negative", -2), ("add", -1, -2)], [1.0, 2.0])
    assert program.steps == (("negative", (0,)), ("negative", (1,)), ("add", (0, 1)))


def test_the_output_weighs_every_sink() -> None:
    """Values that nothing used are added with weights that are not all one: here 3 − 0.125·2 for value 3."""
    program = Program.parse("Value 1.0 3.0; negative 1; square 0")
    assert program(1.0, 3.0) == 3.0 * 0.625 + 1.0 * -0.125


def inside(domain: ad.Domain) -> float:
    """One half, where the domain holds it."""
    return 0.5 if domain.low <= 0.5 <= domain.high else (domain.low + domain.high) / 2


@each("name", VOCABULARY[ad.Value])
def test_every_operation_on_numbers_can_be_a_step(name: str) -> None:
    """Each elementwise primitive, with each of its params, runs at a point of its domain."""
    operation = VOCABULARY[ad.Value][name]
    assert len(one_step(operation, [inside(domain) for domain in operation.domains]).steps) == 1


@each("name", VOCABULARY[ad.Tensor])
def test_every_operation_on_arrays_can_be_a_step(name: str) -> None:
    """Each primitive, with each of its params, runs on the shapes of its example, and so does its source."""
    operation = VOCABULARY[ad.Tensor][name]
    halves = map(np.full, operation.shapes, map(inside, operation.domains))
    program = one_step(operation, [domain.arranged(x) for domain, x in zip(operation.domains, halves, strict=True)])
    assert len(program.steps) == 1
    scope: dict[str, Any] = {}
    exec(program.python(), scope)
    assert scope["output"].data == program(*program.leaves()).data


def one_step(operation: Operation, inputs: list[Any]) -> Program:
    """The program that calls one operation with these inputs in their order."""
    return resolve([(operation.name, *range(operation.arity)[::-1])], inputs)


def test_every_primitive_of_the_table_is_in_the_vocabulary() -> None:
    """Nothing is listed by hand: a primitive of the table can stand in programs."""
    found = {operation.primitive for operation in vocabulary(ad.Tensor).values()}
    assert found >= {entry for entry in ad.TABLE.values() if entry.examples or entry.elementwise}


def test_a_new_primitive_joins(define: Callable[..., ad.Primitive]) -> None:
    """What anybody adds to the table stands in programs, and in their source, at once."""
    define("cube_of_program", lambda xp, x: x * x * x, [lambda g, z, x: g * (3 * x * x)])
    program = Program.parse("Value 1.5; cube_of_program 0")
    scope: dict[str, Any] = {}
    exec(program.python(), scope)
    assert scope["output"].data == 3.375 * 0.625
    assert "ad.TABLE['cube_of_program'](x0)" in program.python()


def test_a_program_runs_in_other_arithmetic() -> None:
    """The forwards of the steps work on whatever a namespace computes with: here on the names of NumPy's functions."""

    class Names:
        def __getattr__(self, name: str) -> Callable[..., str]:
            return lambda *operands: f"{name}({', '.join(operands)})"

    program = Program.parse("Value 1.0; exp 0; sin 0; cos 0; tanh 0; exp 0")
    assert program.weights == ((5, 1.0),)
    assert program.output(program.engine(Names()), ["x"]) == "exp(tanh(cos(sin(exp(x)))))"


def test_kinks_can_be_left_out() -> None:
    """Nowhere: no step within 1e-6 of a kink, a jump or a tie; at inputs: only where the operands are inputs."""
    kinky = [("relu", 0), ("sign", 1), ("maximum", 2, 2), ("absolute", 0)]
    assert [name for name, _ in resolve(kinky, [0.0], kinks="nowhere").steps] == []
    assert [name for name, _ in resolve(kinky, [0.0], kinks="anywhere").steps] == [name for name, *_ in kinky]
    assert [name for name, _ in resolve(kinky, [0.0], kinks="inputs").steps] == ["relu", "sign", "maximum"]
    assert len(resolve(kinky, [0.5], kinks="nowhere").steps) == 3  # maximum(x, x) stays a tie


def test_ties_of_arrays_are_kinks() -> None:
    """A largest element that is there twice is a kink, wherever the two stand."""
    for i, j in ((0, 1), (0, 5), (2, 4)):
        x = np.zeros(6)
        x[[i, j]] = 1.0
        assert not resolve([("max", 0)], [x], kinks="nowhere").steps
        x[j] = 0.999
        assert resolve([("max", 0)], [x], kinks="nowhere").steps


def test_products_take_shapes_like_those_of_their_examples() -> None:
    """affine of W (1, 3), x (3,) and b (3,) computes, since the bias broadcasts: it is no call that the table means."""
    w, x, b = np.ones((1, 3)), np.ones(3), np.ones(1)
    assert not resolve([("affine", 1, 0, 0)], [w, x]).steps
    assert resolve([("affine", 2, 1, 0)], [w, x, b]).steps
    assert not resolve([("inner", 1, 0)], [w, x]).steps


@pytest.mark.parametrize(
    ("line", "error", "part"),
    [
        (3, TypeError, "Program.parse takes a line of text, and got 3"),
        ("", ValueError, "written like 'Value 2.0 3.0; multiply 1 0; exp 0', and got ''"),
        ("Number 1.0; exp 0", ValueError, "and got 'Number 1.0; exp 0'"),
        ("Value; exp 0", ValueError, "and got 'Value; exp 0'"),
        ("Value one; exp 0", ValueError, "and got 'Value one"),
        ("Value 1.0; exp zero", ValueError, "and got 'Value 1.0; exp zero'"),
        ("Value 1.0; exq 0", ValueError, "no operation is called 'exq'; the operations are add, "),
        ("Value -1.0; log 0", ValueError, "an instruction of 'Value -1.0; log 0' does not fit its operands; the o"),
        ("Value -1.0; add 0", ValueError, "add takes 2 of the 1 values before it (0 is the newest, −1 the"),
        ("Value 1.0; add 0 7", ValueError, "add takes 2 of the 1 values before it"),
        ("Value 1.0; add 0 1", ValueError, "0 is the newest, −1 the first input), and got 0, 1 in"),
        ("Value 1.0; exp 0; add 0 2", ValueError, "takes 2 of the 2 values before it"),
        ("Value 1.0; exp -2", ValueError, "exp takes 1 of the 1 values before it"),
        ("Value 1.0; exp 0 0", ValueError, "exp takes 1 of the 1 values before it"),
        ("Value 1.0; exp", ValueError, "−1 the first input), and got none in"),
        ("Value NaN; exp 0", ValueError, "the inputs of a program must be finite, and got nan (float)"),
        ("Tensor [Infinity,1.0]; exp 0", ValueError, "inputs of a program must be finite, and got array of shape (2"),
        ("Value true; exp 0", ValueError, "and got 'Value true; exp 0'"),
        ('Value "3"; exp 0', ValueError, "and got 'Value"), ('Tensor ["3"]; exp 0', ValueError, "and got 'Tensor"),
    ],
)
def test_lines_that_are_no_programs(line: Any, error: type[Exception], part: str) -> None:
    """Each is refused with what was expected and what came."""
    with pytest.raises(error) as caught:
        Program.parse(line)
    assert part in str(caught.value)


def test_unknown_primitives_are_refused() -> None:
    """A vocabulary is made of names of the table."""
    with pytest.raises(ValueError, match="no primitive is called 'exq'; the table has add, "):
        vocabulary(of=["exq"])


def test_an_operation_without_a_primitive_has_no_forward() -> None:
    """Composites run in engines that say what they do."""
    with pytest.raises(TypeError, match="twice is neither a primitive nor defined in other arithmetic; give it"):
        Operation("twice", 1, lambda x: x + x).forward(np, 1.0)


def test_the_package_gives_every_name() -> None:
    """What autodiff.testing lists is public in its module, and is there; it says what there is."""
    for module, names in testing._MODULES.items():
        home = import_module(f"autodiff.testing.{module}")
        assert all(getattr(testing, name) is getattr(home, name) for name in names)
        assert {*names} <= {*home.__all__}
    assert dir(testing) == testing.__all__
    with pytest.raises(AttributeError, match=r"autodiff\.testing has no name 'check'; its names are .*check_gradien"):
        testing.__getattr__("check")


def test_checkers_of_types_are_shown_every_module() -> None:
    """The modules whose names are loaded late are those that the block for type checkers imports."""
    tree = ast.parse(inspect.getsource(testing))
    shown = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"}
    assert shown == {f"autodiff.testing.{module}" for module in testing._MODULES}
