"""Values that a loop computed are named after its variable and the turn, and no node gets the name of another value."""

from __future__ import annotations

import linecache
import re
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autodiff as ad
from autodiff import Flow, Value, error_flow
from autodiff.words.notation import subscript

_NAMED: Final = re.compile("([abc])([₀-₉]*)")
_LEVEL: Final = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


def labels(flow: Flow) -> list[str]:
    """The labels of all nodes, inputs first."""
    return [node.label for node in reversed(flow.flows.nodes)]


def named(flow: Flow) -> list[str]:
    """The labels that are a variable with its turn."""
    return [label for label in labels(flow) if re.fullmatch("[a-z]+[₀-₉]+", label)]


# ---- loops as people write them --------------------------------------------------------------------------------------


def test_a_function_that_runs_again_has_its_new_turns() -> None:
    """What its text says is remembered; the number of turns and what the variables hold are not."""

    def grown(count: int, start: Value, *, late: bool = False) -> list[str]:
        if late:
            start = start * 1.0
        total = start
        for _ in range(count):
            total = total * 2.0
        return named(error_flow(total, start))

    for count in (3, 2, 4):
        assert grown(count, Value(1.0)) == [f"total{subscript(str(k))}" for k in range(count)]
    assert grown(3, Value(1.0), late=True) == grown(3, Value(1.0))


def test_a_loan() -> None:
    """The last value has the plain name, with and without ``names``; formulas use the short names."""
    rate, payment, balance = Value(0.01, name="rate"), Value(90.0, name="payment"), Value(1e3, name="loan")
    for _ in range(12):
        balance = balance * (1 + rate) - payment
    for flow in (error_flow(balance, rate), error_flow(balance, rate, names=locals())):
        assert flow.output.label == "balance"
        assert named(flow) == [f"balance{subscript(str(k))}" for k in range(1, 12)]
        assert "balance₁₁·(1 + rate)" in labels(flow)
        assert [flow.flows.nodes[3 * k].label for k in (1, 2)] == ["balance₁₁", "balance₁₀"]


def test_a_leaf_with_the_variable_s_name_keeps_it() -> None:
    """Then the last value has a number too."""
    x = start = Value(3.0, name="x")
    for _ in range(3):
        x = x - 0.1 * (2.0 * x + ad.sin(x))
    assert [label for label in labels(error_flow(x, start)) if "(" not in label and "·" not in label] == [
        "x", "x₁", "x₂", "x₃",
    ]  # fmt: skip


def test_two_variables_that_depend_on_each_other() -> None:
    """In order or at once; the values before the loop have the number 0."""
    k, x, v = Value(4.0, name="k"), Value(1.0), Value(0.0)
    for _ in range(2):
        v -= 0.1 * k * x
        x = x + 0.1 * v
    assert named(error_flow(x, k)) == ["v₀", "x₀", "v₁", "x₁"]
    y, u = Value(1.0), Value(0.0)
    for _ in range(2):
        y, u = y + 0.1 * u, u - 0.1 * k * y
    assert named(error_flow(y + u, k)) == ["y₀", "u₀", "y₁", "u₁"]


def test_a_recurrent_net_with_an_intermediate_value() -> None:
    """Also over inputs in a list, and through a method."""
    h, w, u = Value(0.0), Value(0.5, name="w"), Value(0.8, name="u")
    for x in [Value(0.1), Value(0.2), Value(0.3)]:
        z = w * h + u * x
        h = z.tanh()
    assert named(error_flow(h, w)) == ["h₀", "z₁", "h₁", "z₂", "h₂"]


def _step(x: Any, r: Any) -> Any:
    y = r * x
    return y * (1.0 - x)


def test_functions_of_the_user_s_are_followed() -> None:
    """A turn is one call, whatever happens inside."""
    x, r = Value(0.3), Value(3.2, name="r")
    n = 3
    while n:
        x = _step(x, r)
        n -= 1
    assert named(error_flow(x, r)) == ["x₀", "x₁", "x₂"]


def test_a_turn_of_two_equal_operations() -> None:
    """Two products make one turn."""
    x, g = Value(2.0), Value(1.1, name="g")
    for _ in range(3):
        x = x * g * g
    assert labels(error_flow(x, g)) == ["x₀", "g", "x₀·g", "x₁", "x₁·g", "x₂", "x₂·g", "x"]


def test_lines_that_are_no_loop_have_no_numbers() -> None:
    """Nor has a value that was given another name; a sum that begins with the int 0 has its numbers."""
    x = Value(2.0, name="x")
    y = x * x
    z = y * y
    for _ in range(0):
        z = z * z
    assert named(error_flow(z, x)) == []
    total: Any = 0
    for _ in range(3):
        total = total + x * x
    assert labels(error_flow(total, x)) == ["x", "total₁", "x·x", "total₂", "x·x#2", "total"]
    q = x
    for _ in range(3):
        q = q * x
    q.name = "cube"
    assert named(error_flow(q, x)) == []


def test_a_variable_assigned_after_the_loop() -> None:
    """The steps of the other variable are still known; a factor that is another node now stops the search."""
    x, g = Value(2.0), Value(1.1, name="g")
    for _ in range(3):
        x = x * g
    x = x + 1.0
    assert named(error_flow(x, g)) == []
    y, f = Value(2.0), Value(1.1, name="f")
    for _ in range(3):
        y = y * f
    f = Value(1.1, name="g")
    assert named(error_flow(y, y)) == []


def _squared(x: Any, n: int) -> Flow:
    while n:
        x = x * x
        n -= 1
    return error_flow(x, x)


def test_both_operands_are_the_same_value() -> None:
    """The product that is passed in is no turn, although it is a product."""
    p, q = Value(0.3, name="p"), Value(0.7, name="q")
    assert named(_squared(p * q, 3)) == []
    assert named(_squared(p, 3)) == ["x₁", "x₂"]


def _scaled(x: Any, q: Any, n: int) -> Flow:
    while n:
        x = x * q
        n -= 1
    return error_flow(x, q)


def test_another_operation_is_no_turn() -> None:
    """A difference of the same variables ends the search before a leaf is reached, so no turn has a number."""
    p, q = Value(0.3, name="p"), Value(0.7, name="q")
    assert named(_scaled(p - q, q, 3)) == []
    assert named(_scaled(p, q, 3)) == ["x₁", "x₂"]


def test_a_loop_that_breaks_has_no_count() -> None:
    """Three turns of five are not the last three."""
    kept, flow = run(
        "def program(p, q):\n    a = p * q\n    kept = [(a,)]\n    for k in range(5):\n        a = a * q\n"
        "        kept.append((a,))\n        if k == 2:\n            break\n    return kept, error_flow(a, q)\n"
    )
    assert len(kept) == 4
    assert named(flow) == []


def test_very_long_loops_are_not_followed() -> None:
    """Nor does their depth matter."""
    x, g = Value(2.0), Value(1.0, name="g")
    for _ in range(3_000):
        x = x * g
    assert named(error_flow(x, g)) == []


# ---- random loops ----------------------------------------------------------------------------------------------------

_ATOMS: Final = st.sampled_from(["a", "b", "c", "p", "q", "2.0", "k"])
_EXPRESSIONS: Final = st.recursive(
    _ATOMS,
    lambda parts: (
        st.builds("({} {} {})".format, parts, st.sampled_from("+-*"), parts)
        | st.builds("ad.{}({})".format, st.sampled_from(["sin", "tanh"]), parts)
        | st.builds("-{}".format, parts)
        | st.builds("step({}, {})".format, parts, parts)
    ),
    max_leaves=5,
)
_STATEMENTS: Final = (
    st.builds("{} = {}".format, st.sampled_from("abc"), _EXPRESSIONS)
    | st.builds("{} {}= {}".format, st.sampled_from("abc"), st.sampled_from("+-*"), _EXPRESSIONS)
    | st.builds("a, b = {}, {}".format, _EXPRESSIONS, _EXPRESSIONS)
    | st.builds("if k % 2: {} = {}".format, st.sampled_from("abc"), _EXPRESSIONS)
)
_STARTS: Final = st.sampled_from(["Value(0.5)", "0", "0.25", "p * q", "ad.sin(p)", "p"])
_LOOPS: Final = st.sampled_from(["for k in range({}):", "for k in [*range({})]:", "while len(kept) <= {}:"])


@st.composite
def sources(draw: st.DrawFn) -> str:
    """A function with a loop that keeps all values of its variables."""
    body = draw(st.lists(_STATEMENTS, min_size=1, max_size=3))
    loop = draw(_LOOPS).format(draw(st.integers(1, 5)))
    lines = [
        f"a, b, c = {draw(_STARTS)}, {draw(_STARTS)}, {draw(_STARTS)}",
        *draw(st.lists(_STATEMENTS.map(lambda line: line.replace("k", "3")), max_size=1)),
        "k, kept = 3, [(a, b, c)]",
        loop,
        *(f"    {line}" for line in body),
        "    kept.append((a, b, c))",
        *draw(st.lists(_STATEMENTS.map(lambda line: line.replace("k", "3")), max_size=1)),
        "return kept, error_flow(a + b + c + p, p)",
    ]
    return "def program(p, q):\n" + "".join(f"    {line}\n" for line in lines)


def run(source: str) -> tuple[list[tuple[Any, ...]], Flow]:
    """Run the function of a source that `linecache` knows."""
    name = "<random loop>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    space: dict[str, Any] = {"ad": ad, "Value": Value, "error_flow": error_flow, "step": _step, "__name__": "random"}
    exec(compile(source, name, "exec"), space)
    made: tuple[list[tuple[Any, ...]], Flow] = space["program"](Value(0.3, name="p"), Value(0.7, name="q"))
    return made


@given(source=sources())
def test_a_number_is_the_turn_of_the_value(source: str) -> None:
    """Whatever the loop does, a node named a₂ is what ``a`` held after two turns; and labels are unique."""
    kept, flow = run(source)
    graph, told = flow.flows.graph, [node.label for node in flow.flows.nodes]
    assert len({*told}) == len(told)
    for node, label in zip(graph, told, strict=True):
        found = _NAMED.fullmatch(label)
        if found is not None:
            turn = int(found[2].translate(_LEVEL)) if found[2] else len(kept) - 1
            assert kept[turn]["abc".index(found[1])] is node, (label, source)


@pytest.mark.parametrize(
    ("over", "inside", "behind"),
    [
        ("range(n)", "pass", "n = 2"),
        ("range(n)", "n -= 1", "pass"),
        ("ws", "pass", "ws = ws[:2]"),
        ("ws", "pass", "ws.pop()"),
        ("ws", "pass", "del ws[0]"),
        ("ws", "pass", "ws[1:] = []"),
        ("ws", "ws.append(1.0) if len(ws) < 6 else None", "pass"),
        ("ws", "for _ in range(2): ws = ws[:3]", "pass"),
    ],
)
def test_a_count_that_changed_does_not_number_the_turns(over: str, inside: str, behind: str) -> None:
    """Neither a line before the loop nor a turn too few shifts the numbers."""
    for start in ("p", "p * q", "Value(2.0)"):
        kept, flow = run(
            f"def program(p, q):\n    n, ws, a = 4, [1.0, 2.0, 3.0, 4.0], {start}\n    kept = [(a,)]\n"
            f"    for _ in {over}:\n        a = a * q\n        {inside}\n        kept.append((a,))\n"
            f"    {behind}\n    return kept, error_flow(a, q)\n"
        )
        for node, made in zip(flow.flows.graph, flow.flows.nodes, strict=True):
            found = re.fullmatch("a([₀-₉]+)", made.label)
            assert found is None or kept[int(found[1].translate(_LEVEL))][0] is node, made.label


def test_a_count_that_each_outer_turn_sets_does_not_number_the_turns() -> None:
    """1 + 2 turns, not two times 2."""
    kept, flow = run(
        "def program(p, q):\n    a = p * q\n    kept = [(a,)]\n    for k in range(2):\n        n = k + 1\n"
        "        for _ in range(n):\n            a = a * q\n            kept.append((a,))\n"
        "    return kept, error_flow(a, q)\n"
    )
    assert len(kept) == 4
    assert named(flow) == []


def test_random_loops_are_named() -> None:
    """The property above is not empty."""
    kept, flow = run(
        "def program(p, q):\n    a = Value(0.5)\n    kept = [(a,)]\n    for k in range(3):\n"
        "        a = step(a, p) + k * q\n        kept.append((a,))\n    return kept, error_flow(a, p)\n"
    )
    assert named(flow) == ["a₀", "a₁", "a₂"]
    assert len(kept) == 4


@pytest.mark.parametrize("text", ["not python (", "", "\x00"])
def test_sources_that_do_not_fit_name_nothing(text: str) -> None:
    """The file may have changed since it was run."""
    loop = "    for k in range(3):\n        a = a * q\n"
    source = f"def program(p, q):\n    a = p\n{loop}    return a, error_flow(a, p)\n"
    linecache.cache["<changed>"] = (len(text), None, text.splitlines(keepends=True), "<changed>")
    space: dict[str, Any] = {"error_flow": error_flow, "__name__": "random"}
    exec(compile(source, "<changed>", "exec"), space)
    _, flow = space["program"](Value(0.3, name="p"), Value(0.7, name="q"))
    assert named(flow) == []


def test_turns_that_continue_may_have_skipped() -> None:
    """z₃ would be the value of turn 4: a turn that assigned nothing leaves no trace."""
    w, z = Value(0.9, name="w"), Value(1.0)
    for k in range(7):
        if k == 2:
            continue
        z = z + w
    assert named(error_flow(z, w)) == []
    y = Value(1.0)
    for k in range(3):
        for j in range(2):
            if j == k:
                continue
        y = y * w
    assert named(error_flow(y, w)) == ["y₀", "y₁", "y₂"]
