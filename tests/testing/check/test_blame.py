"""Blame: which rule is wrong, or that all are right and the shares are added up wrongly, or the graph is cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Primitive
from autodiff.engine import general_pass, shares, slot_pass
from autodiff.testing.check.gradients import check_gradients
from autodiff.testing.check.picture import drawing
from autodiff.testing.check.report import Blame, Report
from autodiff.testing.check.verdicts import Verdict
from autodiff.testing.random_programs.written import python_of
from tests.support.present import present


def wrong_sine(define: Callable[..., Primitive], factor: float = 1.01) -> Primitive:
    """A sine whose rule is off by a percent."""
    return define("wrong_sine", lambda xp, x: xp.sin(x), [lambda g, z, x: g * ad.cos(x) * factor])


def test_a_wrong_rule_is_named(define: Callable[..., Primitive]) -> None:
    """In the middle of other operations; the program that shows it has one step."""
    sine = wrong_sine(define)
    report = check_gradients(lambda x, y: ad.exp(sine(x * y)) + y, 0.5, 2.0)
    assert report.failed
    blame = present(report.blame)
    assert blame.kind == "rule"
    assert blame.sentence.startswith("the rule of wrong_sine is wrong: it gives 0.5457")
    assert blame.program == "x0 = ad.Value(1.0)\nv1 = ad.TABLE['wrong_sine'](x0)"
    assert blame.graph.primitive is sine
    assert f"blame: {blame.sentence}" in str(report)


def test_the_wrong_input_of_a_rule_is_named(define: Callable[..., Primitive]) -> None:
    """A matrix product whose second rule forgets to transpose, on square matrices."""
    wrong = define(
        "wrong_matmul", lambda xp, x, y: x @ y, [lambda g, z, x, y: g @ y.T, lambda g, z, x, y: x @ g],
        elementwise=False,
    )  # fmt: skip
    w, x = np.array([[1.0, 0.5], [0.25, 2.0]]), np.array([[1.0, 2.0], [0.5, -1.0]])
    report = check_gradients(lambda w, x: ad.tanh(wrong(w, x)), w, x)
    blame = present(report.blame)
    assert blame.kind == "rule"
    assert blame.slot == 1
    assert blame.sentence.startswith("the rule of wrong_matmul for its second input is wrong: it gives ")


def test_a_rule_that_is_wrong_in_the_second_order(define: Callable[..., Primitive]) -> None:
    """First order right, second order wrong: the rule is still named."""
    wrong = define("cut_cube", lambda xp, x: x * x * x, [lambda g, z, x: g * (3.0 * x * ad.detach(x))])
    report = check_gradients(lambda x: ad.sin(wrong(x)), 1.5, order=2)
    blame = present(report.blame)
    assert blame.kind == "rule"
    assert "the rule of cut_cube is wrong" in blame.sentence


@pytest.fixture
def written_anew() -> Iterator[None]:
    """The loops of the slot pass are written from what the test changes, and from what is right afterwards."""
    slot_pass.forget_loops()
    yield
    slot_pass.forget_loops()


@pytest.mark.usefixtures("written_anew")
def test_a_fault_of_accumulation(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `=` in place of `+=` all rules are right, and the smallest program uses one value twice."""
    monkeypatch.setattr(shares, "gather", lambda known, share: share)
    for name, guarded in (("SENDERS", False), ("GUARDED", True)):
        written = shares._Written(send=True, guarded=guarded)
        monkeypatch.setattr(shares, name, written)
        monkeypatch.setattr(slot_pass, name, written)
    x = np.array([0.5, 2.0])
    report = check_gradients(lambda x: ad.exp(x * 3.0) * ad.sin(x * x), x)
    blame = present(report.blame)
    assert blame.kind == "accumulation"
    assert "every rule is right: the fault is in how shares are added up" in blame.sentence
    assert blame.program == "x = ad.Tensor(np.array([0.5, 2.0]))\nv1 = ad.multiply(x, x)"


@pytest.mark.parametrize("x", [0.5, np.array([0.5, 2.0])])
def test_a_fault_of_accumulation_in_the_second_order(monkeypatch: pytest.MonkeyPatch, x: float | np.ndarray) -> None:
    """`=` for `+=` in a pass that is recorded: the first order is right, and the second is blamed like the first."""
    right = shares.accumulate
    wrong = lambda known, share, signal: share if isinstance(share, ad.Node) else right(known, share, signal)  # noqa: E731
    monkeypatch.setattr(general_pass, "accumulate", wrong)
    report = check_gradients(lambda x: ad.exp(x * 3.0) * ad.sin(x * x), x, order=2)
    assert {finding.order for finding in report.failures} == {2}
    blame = present(report.blame)
    assert blame.kind == "accumulation"
    assert blame.sentence.startswith("every rule is right in both passes: the fault is in how shares are added")
    assert blame.program.splitlines()[1:] == ["v1 = ad.multiply(x, x)"]
    assert "✗" in drawing(report).svg()


def test_a_wrong_rule_is_named_among_many_operations(define: Callable[..., Primitive]) -> None:
    """Of more operations than are asked, each primitive is asked."""
    sine = wrong_sine(define)

    def f(x: Any) -> Any:
        y = x
        for k in range(400):
            y = y * (1.0 + k * 1e-9)
        return sine(y)

    assert present(check_gradients(f, 0.5).blame).sentence.startswith("the rule of wrong_sine is wrong")
    report = check_gradients(lambda x: f(x) * 0.0 + f(x).detach() + x, 0.5)
    blame = present(report.blame)
    assert blame.kind == "rule"


def test_what_is_said_of_many_operations_that_are_right() -> None:
    """How many rules were asked stands in the message, and no program of hundreds of lines."""

    def f(x: Any) -> Any:
        y = x
        for k in range(400):
            y = y * (1.0 + k * 1e-9)
        return y * x.detach()

    report = check_gradients(f, 0.5)
    blame = present(report.blame)
    assert blame.kind == "graph"
    assert blame.sentence.startswith("the rules of 300 of its 401 different operations are right, and so is")
    assert blame.program == "# 401 operations"


def test_a_graph_that_is_cut() -> None:
    """detach() leaves a constant in the graph, and .data a number: the graph is not the function."""
    report = check_gradients(lambda x: ad.exp(x) * x.detach(), 2.0)
    blame = present(report.blame)
    assert blame.kind == "graph"
    assert "it contains the detached constant 2" in blame.sentence
    report = check_gradients(lambda x: ad.exp(x) * x.data, 2.0)
    blame = present(report.blame)
    assert blame.kind == "graph"
    assert "look for .data, .item(), detach()" in blame.sentence


@pytest.mark.parametrize("x", [800.0, 710.0, 709.9])  # e^709.9 is beyond the largest float
def test_a_rule_that_cannot_be_judged_is_not_called_right(define: Callable[..., Primitive], x: float) -> None:
    """Where exp overflows, or nearly, nothing can be said of the reciprocal behind it: the sentence says so."""
    wrong = define("wrong_reciprocal", lambda xp, x: 1.0 / x, [lambda g, z, x: g * 1.0])
    report = check_gradients(lambda x: wrong(ad.exp(x)), x)
    assert report.failed
    blame = present(report.blame)
    assert blame.kind == "open"
    assert "no rule could be checked (exp returns inf; wrong_reciprocal receives inf)" in blame.sentence
    assert "shares are added up correctly: one of these rules is wrong, or " in blame.sentence
    assert "nan times" not in str(report)
    assert "inf times" not in str(report)


def test_a_cotangent_makes_no_overflow(define: Callable[..., Primitive]) -> None:
    """Just below the largest float, twice the derivative of exp overflows: exp is right, the rule behind it wrong."""
    assert all(check_gradients(ad.exp, 709.7, seed=seed).passed for seed in range(4))
    wrong = define("wrong_tenth", lambda xp, x: x / 10.0, [lambda g, z, x: g * 0.2])
    report = check_gradients(lambda x: wrong(ad.exp(x)), 709.7)
    assert "the rule of wrong_tenth is wrong" in present(report.blame).sentence


def test_a_special_case_that_is_wrong_is_no_convention(define: Callable[..., Primitive]) -> None:
    """Wrong at one point only, and a single rule is to blame: a failure; sums of right conventions are none."""
    wrong = define(
        "wrong_at_zero", lambda xp, x: x * x + x, [lambda g, z, x: g * ad.where(x == 0, 0.0, 2.0 * x + 1.0)]
    )
    report = check_gradients(wrong, 0.0)
    assert report.verdict == Verdict.FAIL
    blame = present(report.blame)
    assert blame.kind == "rule"
    report = check_gradients(lambda x: ad.relu(x) - ad.relu(-x), 0.0)
    assert report.verdict == Verdict.ISOLATED
    assert report.blame is None


def test_ties_counted_twice_are_a_wrong_rule(define: Callable[..., Primitive]) -> None:
    """(1, 1) at a tie of max(x, y) is valid in each entry, and no mixture of the gradients nearby."""
    wrong = define(
        "doubled_ties", lambda xp, x, y: xp.maximum(x, y),
        [lambda g, z, x, y: g * (x >= y), lambda g, z, x, y: g * (y >= x)],
    )  # fmt: skip
    report = check_gradients(lambda x, y: wrong(x, y) * 2.0, 1.0, 1.0)
    assert report.failed
    blame = present(report.blame)
    assert blame.kind == "rule"
    assert "the rule of doubled_ties" in blame.sentence


@pytest.mark.parametrize("seed", range(5))
def test_many_kinks_at_once_are_no_fault(seed: int) -> None:
    """Six elements of a hinge on its kink, and a clip at both ends: conventions, each on its own."""
    x = np.array([[0.5, -0.5, 0.5], [0.5, 2.5, 0.5]])
    y = np.array([[-1.5, -2.5, -1.5], [-1.5, 0.5, 1.0]])
    assert not check_gradients(lambda x, y: ad.hinge(x, y, margin=2.0), x, y, seed=seed).failed
    ends = np.array([-1.0, 1.0, -1.0, 1.0, 0.0])
    assert not check_gradients(lambda x: ad.clip(x, -1.0, 1.0) + ad.relu(x) - ad.relu(-x), ends, seed=seed).failed


@pytest.mark.parametrize("entry", [e for e in ad.TABLE.values() if not e.packed], ids=lambda e: e.name)
def test_right_rules_are_never_blamed(entry: Primitive) -> None:
    """Every primitive of the table passes its own check, at kinks too: on its examples, and on small integers."""
    random = np.random.default_rng(5)
    for example in entry.examples[:3] or [ad.Example(((),) * (entry.arity or 2))]:
        shapes = example.shapes
        domains = (entry.domain * len(shapes))[: len(shapes)]
        points = [domain.draw(random, shape) for domain, shape in zip(domains, shapes, strict=True)]
        report = check_gradients(lambda *xs: entry(*xs, **example.params), *points)  # noqa: B023 - called at once
        assert not report.failed, report
        assert Verdict.PASS in report.counts or Verdict.VALID in report.counts


def test_a_program_is_text_that_computes_the_same() -> None:
    """What is printed runs, and gives the value that it was printed from."""
    x, w = ad.Value(0.5, name="x"), ad.Tensor([[1.0, 2.0]], name="W(1)")
    y = ad.sum(w * x, axis=1).value() ** 2 + ad.weighted_sum([x, 2.0], [x, x])
    text = python_of(ad.topological(y), [y])
    scope = {"ad": ad, "np": np}
    exec(text, scope)
    last = text.splitlines()[-1].split(" = ")[0]
    assert float(scope[last].data) == y.data


def test_no_two_leaves_of_a_program_share_a_name() -> None:
    """An argument may be called x0, v1 or lambda, or hold the same name as another; detached ones are c0, c1, ...."""
    names = ["x0", None, "x0", "v1", "lambda", "ad"]
    leaves = [ad.Value(float(k + 1), name=name) for k, name in enumerate(names)]
    y = leaves[0].detach() * sum(leaf * leaf for leaf in leaves)
    text = python_of(ad.topological(y), [y])
    assigned = [line.split(" = ")[0] for line in text.splitlines()]
    assert len(assigned) == len({*assigned})
    assert "x0 = ad.Value(1.0)" in text
    assert "c0 = ad.Value(1.0).detach()" in text
    scope = {"ad": ad, "np": np}
    exec(text, scope)
    assert scope[assigned[-1]].data == y.data


def test_a_program_does_not_pretend_to_show_what_it_hides() -> None:
    """inf and nan are Python, float32 stays, and of many numbers a comment says that they are not shown."""
    x = ad.Tensor(np.array([1.0, np.inf, np.nan], np.float32), name="x")
    y = ad.where(np.array([True, False, True]), x, np.inf)
    scope = {"ad": ad, "np": np}
    exec(python_of(ad.topological(y), [y]), scope)
    assert np.array_equal(scope["v1"].data, y.data, equal_nan=True)
    assert scope["x"].data.dtype == np.float32
    long = ad.Tensor(np.arange(60.0), name="w")
    y = long * np.arange(60.0)
    text = python_of(ad.topological(y), [y])
    assert text.splitlines()[0] == "# w: 60 numbers, replaced by ones here"
    assert "# a constant of v1: 60 numbers, replaced by ones here" in text


def test_the_picture_marks_the_wrong_wire(define: Callable[..., Primitive]) -> None:
    """One wire of the operation is red, and says what it gives and what it should give."""
    wrong = define(
        "half_product", lambda xp, x, y: x * y, [lambda g, z, x, y: g * y, lambda g, z, x, y: g * x * 0.5]
    )
    report = check_gradients(lambda x, y: ad.sin(wrong(x, y)), 3.0, 2.0)
    made = drawing(report).picture
    (wire,) = [wire for wire in made.wires if wire.lane == "error"]
    assert (wire.port, wire.label) == (1, "✗ 1.5, not 3")
    (caption,) = made.captions
    blame = present(report.blame)
    assert caption.lower() == f"{blame.sentence}.".lower()
    assert made.title == "The rule of half_product is wrong"
    assert "✗ 1.5, not 3" in drawing(report).svg()


def test_the_picture_of_a_lost_share_says_what_should_be_added() -> None:
    """Both wires are red; the first has the sum, and the box what it comes to."""
    x = ad.Value(3.0, name="x")
    blame = Blame("accumulation", "of two shares one is kept", graph=x * x)
    made = drawing(Report("square", (), blame=blame)).picture
    assert [wire.label for wire in made.wires if wire.lane == "error"] == ["✗ 3 + 3", ""]
    (box,) = [box for box in made.boxes if box.kind == "parameter"]
    assert box.rows[1].cells[1].text == "6"
    assert made.title == "Shares are added up wrongly"
    arrays = Blame("accumulation", "of two shares one is kept", graph=ad.Tensor([1.0, 2.0], name="x") ** 2.0)
    assert drawing(Report("square", (), blame=arrays)).svg().startswith("<svg")


def test_the_picture_of_a_cut_graph() -> None:
    """The constant that was detached is marked; where a number left the graph unseen there is nothing to mark."""
    made = drawing(check_gradients(lambda x: ad.exp(x) * x.detach(), 2.0)).picture
    (wire,) = [wire for wire in made.wires if wire.label]
    assert (wire.label, wire.lane) == ("✗ cut", "rest")
    assert made.title == "The graph misses a dependence of the function"
    unseen = drawing(check_gradients(lambda x: ad.exp(x) * x.data, 2.0)).picture
    assert not any(wire.label for wire in unseen.wires)


def test_there_is_no_picture_without_a_graph() -> None:
    """One sentence instead, for a pass and for a fault of a pair of functions."""
    unseen = "this fault cannot be drawn: it has no graph of Values or Tensors that is small enough"
    with pytest.raises(ValueError, match=unseen):
        drawing(check_gradients(np.sin, 0.5, gradient=np.sin))
    with pytest.raises(ValueError, match="there is no fault to draw: gradient check of sin: no failure found"):
        drawing(check_gradients(ad.sin, 0.5))
