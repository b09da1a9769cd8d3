"""What the tools for tests say when they are asked for what they cannot do: nothing is searched, checked or skipped."""

# Nearly every row passes a wrong kind on purpose.
# mypy: disable-error-code="arg-type, dict-item, list-item"

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

import autodiff as ad
from autodiff import Tensor, Value
from autodiff.testing import (
    Operation,
    Program,
    check_gradients,
    check_relations,
    coordinates,
    drawing,
    dual_fault,
    numbers,
    programs,
    random_program,
    relation_fault,
    resolve,
    search,
    shortest,
    vocabulary,
)
from tests.engine.test_errors import check, table

SINE = Program.parse("Value 1.5; sin 0")


def square(x: Any) -> Any:
    """x²."""
    return x * x


def drawn(**options: Any) -> Callable[[], Any]:
    """A program with one option that is not one."""
    return lambda: random_program(Random(0), **options)


def searched(**options: Any) -> Callable[[], Any]:
    """A search with one option that is not one."""
    return lambda: search(dual_fault, **{"count": 3, **options})


@table(
    (lambda: search(None, 3), TypeError, "judge must be a function that returns the fault of a program, and got None"),
    (lambda: search("dual", 3), TypeError, "judge must be a function"),
    (searched(count=-1), ValueError, "the number of programs must be at least 0, got -1 (int)"),
    (searched(count="a"), TypeError, "the number of programs must be a whole number, got 'a' (str)"),
    (searched(count=1.5), TypeError, "the number of programs must be a whole number, got 1.5"),
    (searched(count=True), TypeError, "the number of programs must be a whole number, got True"),
    (searched(seed=-1), ValueError, "the seed must be at least 0, got -1 (int)"),
    (searched(seed=None), TypeError, "the seed must be a whole number, got None"),
    (searched(seed="a"), TypeError, "the seed must be a whole number, got 'a'"),
    (searched(length=0), ValueError, "the length of a program must be at least 1, got 0 (int)"),
    (searched(length="a"), TypeError, "the length of a program must be a whole number, got 'a'"),
    (searched(kinks="a"), ValueError, "kinks must be one of 'anywhere', 'inputs', 'nowhere', and got 'a' (str)"),
    (searched(kinks=np.ones(2)), ValueError, "kinks must be one of 'anywhere', 'inputs', 'nowhere', and got array of"),
    (searched(operations=3), TypeError, "operations must be a dict by name, such as vocabulary(Value), and got 3"),
    (searched(operations=["add"]), TypeError, "operations must be a dict by name"),
    (searched(kind=float), TypeError, "kind must be the class Value or the class Tensor, and got <class 'float'>"),
    (lambda: random_program(0), TypeError, "random must be a random.Random, such as Random(0), and got 0"),
    (drawn(length=1.5), TypeError, "the length of a program must be a whole number, got 1.5"),
    (drawn(must_include=None), TypeError, "must_include must be the name of an operation or a list of names, and"),
    (drawn(operations="add"), TypeError, "operations must be a dict by name"),
    (lambda: shortest("a", bool), TypeError, "shortest takes a Program, and got 'a' (str)"),
    (lambda: shortest(SINE, None), TypeError, "fails must be a function of a program, and got None"),
    (lambda: dual_fault("a"), TypeError, "dual_fault takes a Program, and got 'a' (str)"),
    (lambda: relation_fault(3), TypeError, "relation_fault takes a Program, and got 3 (int)"),
)
def test_searching(call: Any, kind: Any, words: str) -> None:
    """Counts, seeds, lengths, judges and vocabularies."""
    check(call, kind, words)


@table(
    (lambda: vocabulary(Value, of="add"), TypeError, "a list of names, such as ['add', 'exp'], and got 'add' (str)"),
    (lambda: vocabulary(Value, of=3), TypeError, "a list of names, such as ['add', 'exp'], and got 3 (int)"),
    (lambda: vocabulary(Value, of=[[]]), TypeError, "the name of a primitive must be a string, and got [] (list)"),
    (lambda: Operation(3, 1, abs), TypeError, "an operation needs a name and a function…and got 3 (int)"),
    (lambda: Operation("f", 1, None), TypeError, "an operation needs a name and a function…and got 'f' (str) and None"),
    (lambda: Operation("f", "a", abs), TypeError, "the number of operands of f must be a whole number, got 'a' (str)"),
    (lambda: Operation("f", 0, abs), ValueError, "the number of operands of f must be at least 1, got 0 (int)"),
    (lambda: resolve(None, [1.0]), TypeError, "instructions must be a list, and got None"),
    (lambda: resolve([3], [1.0]), TypeError, "an instruction must be a name and the distances back…and got 3 (int)"),
    (lambda: resolve([[]], [1.0]), TypeError, "an instruction must be a name and the distances back…and got [] (list)"),
    (lambda: resolve([("sin", "a")], [1.0]), TypeError, "an instruction must be a name…and got ('sin', 'a') (tuple)"),
    (lambda: resolve([("sin", 0)], []), ValueError, "a program needs at least one input, and got []"),
    (lambda: resolve([("sin", 0)], 3.0), TypeError, "the inputs of a program must be a list, and got 3.0"),
    (lambda: resolve([("sin", 0)], ["a"]), TypeError, "a Value takes one real number, and got 'a' (str)"),
    (lambda: resolve([("sin", 0)], [None]), TypeError, "a Value takes one real number, and got None"),
    (lambda: resolve([("sin", 0)], [Value(1.0)]), TypeError, "a Value takes one real number…it is already a node"),
    (lambda: resolve([("sin", 0)], [np.array(["a"])]), TypeError, "a Tensor takes real numbers"),
    (lambda: resolve([("sin", 0)], [math.nan]), ValueError, "inputs of a program must be finite, and got nan"),
    (lambda: resolve([("sin", 0)], [1.0], 3), TypeError, "operations must be a dict by name"),
    (lambda: resolve([("sin", 0)], [1.0], limit="a"), ValueError, "limit must be a positive number"),
    (lambda: resolve([("sin", 0)], [1.0], limit=-1.0), ValueError, "limit must be a positive number"),
)
def test_making_programs(call: Any, kind: Any, words: str) -> None:
    """Operations, instructions and inputs."""
    check(call, kind, words)


@table(
    (lambda: check_relations(square, "a"), TypeError, "a Value takes one real number, and got 'a' (str)"),
    (lambda: check_relations(square, "3"), TypeError, "a Value takes one real number, and got '3' (str)"),
    (lambda: check_relations(square, None), TypeError, "a Value takes one real number, and got None"),
    (lambda: check_relations(square, [1j]), TypeError, "a Tensor takes real numbers"),
    (lambda: check_relations(square, Tensor([1.0])), TypeError, "a Value takes one real number, and got Tensor"),
    (lambda: check_relations(square, []), ValueError, "at least one number, and returned an array of shape (0,)"),
    (lambda: check_relations(square, 1.0, only="all"), TypeError, "only must be a list of names of relations, and got"),
    (lambda: check_relations(square, 1.0, only=3), TypeError, "only must be a list of names of relations, and got 3"),
    (lambda: check_relations(square, 1.0, only=[[]]), ValueError, "no relation is called []; the relations are backw"),
    (lambda: check_gradients(square, 1.0, order=np.ones(2)), ValueError, "order must be 1 or 2, and got array"),
    (lambda: check_gradients(square, 1.0, order=np.True_), ValueError, "order must be 1 or 2, and got "),
    (lambda: check_gradients(square, 1.0, oracle=np.ones(2)), ValueError, "unknown oracle array"),
    (lambda: check_gradients(square, 1.0, curve="no"), TypeError, "curve must be True or False, and got 'no' (str)"),
    (lambda: drawing("a"), TypeError, "drawing() takes a report of check_gradients, and got 'a' (str)"),
)
def test_checking(call: Any, kind: Any, words: str) -> None:
    """Points, names of relations and options of checks."""
    check(call, kind, words)


@table(
    (lambda: numbers("a"), TypeError, "low and high must be numbers, and got 'a' (str) and 3.0"),
    (lambda: numbers(1.0, 0.0), ValueError, "low and high must be finite with low ≤ high, and got 1.0 and 0.0"),
    (lambda: numbers(0.0, math.inf), ValueError, "low and high must be finite with low ≤ high, and got 0.0 and inf"),
    (lambda: coordinates(3), TypeError, "coordinates takes a Domain, and got 3 (int)"),
    (lambda: programs(most="a"), TypeError, "the largest number of instructions must be a whole number, got 'a' (str)"),
    (lambda: programs(most=-1), ValueError, "the largest number of instructions must be at least 0, got -1 (int)"),
    (lambda: programs(operations=3), TypeError, "operations must be a dict by name"),
)
def test_strategies(call: Any, kind: Any, words: str) -> None:
    """Intervals and sizes of what hypothesis draws."""
    check(call, kind, words)


def test_numbers_of_other_kinds_are_taken() -> None:
    """Integers and NumPy's numbers are inputs, counts and seeds like any others."""
    for one in (1, np.float32(1.0), np.int8(1)):
        assert str(resolve([("sin", 0)], [one])) == "Value 1.0; sin 0"
    assert search(dual_fault, np.int64(2), seed=np.int8(3), length=np.int8(2)).tried == 2
    assert check_relations(square, [1, 2]) == check_relations(square, np.array([1.0, 2.0]))
    assert ad.TABLE["sin"] is vocabulary(Value, of=("sin",))["sin"].primitive
