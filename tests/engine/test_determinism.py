"""The same program gives the same bits: in any process, in any thread, by either kind of backward pass."""

from __future__ import annotations

import builtins
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff.draw import dot, see
from autodiff.draw.views.choose_view import VIEWS
from autodiff.draw.writers.pinned_dot import pinned_dot
from autodiff.engine.backward import run_backward
from autodiff.testing.random_programs.program import resolve
from tests.support.flows import FLOWS
from tests.support.processes import printed_here_and_elsewhere
from tests.support.programs import ELEMENTWISE, OPERATIONS, long_program
from tests.support.threads import at_once

_SCALARS = [0.3, -1.7, 2.1]


def scalar_graph(seed: int) -> tuple[Any, list[ad.Value]]:
    """A random program over Values, its inputs used many times over."""
    program = resolve(long_program(seed, list(ELEMENTWISE)), _SCALARS, ELEMENTWISE, kinks="inputs")
    leaves = [ad.Value(x) for x in program.inputs]
    return program(*leaves) + sum(leaf * leaf for leaf in leaves), leaves


def tensor_graph(seed: int) -> tuple[Any, list[ad.Tensor]]:
    """A random program over Tensors of several shapes."""
    random = np.random.default_rng(seed)
    inputs = [random.uniform(-2.0, 2.0, shape) for shape in ((2, 3), (3,), (3, 1))]
    program = resolve(long_program(seed, list(OPERATIONS)), inputs, OPERATIONS, kinks="inputs")
    leaves = [ad.Tensor(x) for x in program.inputs]
    return program(*leaves) + sum((leaf * leaf).sum() for leaf in leaves), leaves


def bits(signals: dict[Any, Any]) -> list[str]:
    """Error signals in the order of their delivery, each as the operation of its node and its bytes."""
    return [f"{node.label} {np.asarray(signal).tobytes().hex()}" for node, signal in signals.items()]


def fingerprint() -> str:
    """Everything that an order could change: the nodes in topological order, and all error signals bit for bit."""
    lines: list[str] = []
    for seed in range(30):
        for output in (scalar_graph(seed)[0], tensor_graph(seed)[0]):
            lines += [node.label for node in ad.topological(output)]
            lines += bits(ad.backpropagate(output))
    return "\n".join(lines)


@pytest.mark.slow
def test_processes_with_different_hash_seeds_give_the_same_bits() -> None:
    """No order depends on hashes or addresses: every error signal of 60 programs is the same bit for bit."""
    program = "from tests.engine.test_determinism import fingerprint; print(fingerprint())"
    here, elsewhere = printed_here_and_elsewhere(program)
    assert len(here.splitlines()) > 1000
    assert here == elsewhere


def nested(output: Any) -> dict[Any, Any]:
    """The error signals of ``output`` from a pass that runs during another one, and so without the slots."""
    found: list[dict[Any, Any]] = []
    run_backward(ad.Value(1.0) * 2.0, None, lambda *_: found.append(ad.backpropagate(output)))
    return found[0]


@pytest.mark.parametrize("graph", [scalar_graph, tensor_graph])
def test_a_pass_inside_another_gives_the_same_bits(graph: Callable[[int], tuple[Any, Any]]) -> None:
    """The pass that keeps its state in dictionaries delivers the bits, in the order, of the one that uses slots."""
    for seed in range(30):
        output, _ = graph(seed)
        assert bits(nested(output)) == bits(ad.backpropagate(output))


@pytest.mark.parametrize("graph", [scalar_graph, tensor_graph])
def test_backward_inside_another_pass_adds_the_same_bits(graph: Callable[[int], tuple[Any, Any]]) -> None:
    """``.backward()`` writes the same gradients whether or not another pass is under way."""
    for seed in range(10):
        (alone, free), (inside, held) = graph(seed), graph(seed)
        alone.backward()
        run_backward(ad.Value(1.0) + 0.0, None, lambda node, *_, output=inside: node.is_leaf and output.backward())
        assert [np.asarray(x.grad).tobytes() for x in held] == [np.asarray(x.grad).tobytes() for x in free]


def test_threads_that_share_nodes_give_the_bits_of_one_thread() -> None:
    """Passes of two threads over shared nodes do not meet, and each gets what it would get alone."""
    outputs = [scalar_graph(seed)[0] * tensor_graph(seed)[0] for seed in range(20)]
    expected = [bits(ad.backpropagate(output)) for output in outputs]
    found: list[list[list[str]]] = []
    start = threading.Barrier(2)

    def work() -> None:
        start.wait()
        found.extend([bits(ad.backpropagate(output)) for output in outputs] for _ in range(5))

    at_once(work, work)
    assert len(found) == 10
    assert all(signals == expected for signals in found)


# ---- any version of Python -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FLOWS)
def test_pictures_add_no_floats_by_the_builtin_sum(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Python 3.12 and later add floats differently from 3.11, so that the same picture would have other bytes; the
    right sum (fsum), and one sum after the other, are the same everywhere."""
    added = builtins.sum

    def whole(items: Iterable[Any], start: Any = 0) -> Any:
        terms = [start, *items]
        assert not any(isinstance(term, float) for term in terms)
        return added(terms[1:], start)

    monkeypatch.setattr(builtins, "sum", whole)
    flow = FLOWS[kind]()
    drawn = see(flow)
    for write in (drawn.html, drawn.text, drawn.json, drawn.tex, drawn.markdown):
        write()  # the same in every view
    for view in VIEWS:
        with suppress(ValueError):  # not every flow can be drawn in every view
            drawing = see(flow, view=view)
            dot(drawing.picture), pinned_dot(drawing.svg(), theme="light")
