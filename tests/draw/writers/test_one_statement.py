"""Picture, page, text and data of a flow are one statement: read back, each says what the ledger says.

Which arrow leads from where to where, which number is on it, and which error is at each box: all of it is read from the
writers' output by parsers of our own (`tests.support.statements`) and compared with the ledger.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autodiff as ad
from autodiff import error_flow
from autodiff.draw import dot, picture, svg, text
from autodiff.draw.model.data import as_json
from autodiff.draw.page.page import page
from autodiff.draw.writers.pinned_dot import pinned_dot
from autodiff.flow import Flow, FlowEdge
from autodiff.telling.latex import tex
from autodiff.telling.markdown import markdown
from autodiff.testing.hooks.strategies import programs
from autodiff.testing.random_programs.program import Program
from nn import Network
from tests.support import statements
from tests.support.examples import examples
from tests.support.flows import FLOWS
from tests.support.programs import ELEMENTWISE
from tests.support.statements import Read, plain
from tests.support.sums import Merged, sums
from tests.support.tiles import ReadTiles, block_entry, level_of, read_tiles

FULL = 17  # digits: a number that is read back is the same number
SOME = examples(5)


@st.composite
def graphs(draw: st.DrawFn) -> Flow:
    """The flow of a random program to any of its nodes; each node has a name that says nothing else."""
    program: Program = draw(programs(operations=ELEMENTWISE, kinks="inputs", most=24))
    output = program(*program.leaves())
    nodes = ad.topological(output)
    for k, node in enumerate(nodes):
        node.name = f"node{k}"
    return error_flow(output, nodes[draw(st.integers(0, len(nodes) - 1))])


@st.composite
def nets(draw: st.DrawFn) -> Flow:
    """The flow of a random network, or of two windows of it, to any of its parameters or hidden units."""
    sizes = [*draw(st.lists(st.integers(1, 3), min_size=2, max_size=3)), 1]
    random = np.random.default_rng(draw(st.integers(0, 99)))
    activation = draw(st.sampled_from(["sigmoid", "tanh", "relu"]))
    network = Network(sizes, activation=activation, random=random, scalar=True)
    output = network(random.normal(size=sizes[0]).tolist())
    if draw(st.booleans()):
        output = ad.hinge(output, network(random.normal(size=sizes[0]).tolist(), suffix="ᶜ"))
        output.name = "J"
    nodes = [node for node in ad.topological(output) if node.name]
    return error_flow(output, nodes[draw(st.integers(0, len(nodes) - 1))])


def views_of(flow: Flow, *more: str) -> list[str]:
    """The views that fit a flow; where no path leads, there is no arrow to read."""
    named = all(node.name for node in flow.nodes)  # a computation graph leaves out the labels of nodes without a name
    return [] if flow.is_empty else ["rail", "shares", *["graph"] * named, *more]


# ---- what the ledger says --------------------------------------------------------------------------------------------


def edges_of(flow: Flow, view: str) -> list[FlowEdge]:
    """The edges that a view draws: those of the strongest path or all; chains of + are one sum except in graphs."""
    edges = flow.strongest(1)[0].edges if view == "rail" else flow.edges
    return [*edges] if view == "graph" else Merged(flow).edges(edges)


def label(flow: Flow, node: int) -> str:
    """The label of a node by its id, as it is read back."""
    return plain(flow.nodes[node].label)


def ledgers(flow: Flow, view: str, box_of: dict[str, str]) -> Counter[Any]:
    """The arrows that a view has to draw: from box to box, each with its share."""
    edges = edges_of(flow, view)
    ends = [(box_of.get(label(flow, e.consumer)), box_of.get(label(flow, e.input)), repr(e.share)) for e in edges]
    return Counter(end for end in ends if end[0] != end[1])


def boxes_by_name(read: Read, flow: Flow, view: str) -> dict[str, str]:
    """The box of every node on the drawn paths; those in the middle of a long rail share one, which counts them."""
    found = {name: id for id, box in read.boxes.items() for name in box.names}
    middle = next((id for id, box in read.boxes.items() if box.names == ["..."]), None)
    nodes = flow.nodes[:1] + tuple(flow.nodes[edge.input] for edge in edges_of(flow, view))
    for node in nodes:
        name = plain(node.label)
        if name not in found:
            assert view == "rail", f"{name} has no box"
            assert middle is not None, f"{name} has no box"
            found[name] = middle
    return found


def same(read: float | None, known: Any) -> bool:
    """Whether a number was read back as it is; text has no −0."""
    return read is not None and (read == known or (math.isnan(read) and math.isnan(known)))


def check_boxes(read: Read, flow: Flow, view: str) -> None:
    """Every value and every error stands beside the name of its node."""
    every = {plain(node.label): node for node in (flow.flows.nodes if view == "graph" else flow.every)}
    on_path = {plain(node.label) for node in flow.nodes}
    for box in read.boxes.values():
        known = [every[name] for name in box.names if name in every]
        if len(known) < len(box.names) or not box.values:
            continue
        assert all(map(same, box.values, (node.value for node in known)))
        if view == "graph" or on_path.issuperset(box.names):
            assert len(box.errors) == len(known), box.names
            assert all(
                node.error is None or same(said, node.error) for said, node in zip(box.errors, known, strict=True)
            )
        arriving = sorted(repr(edge.share + 0.0) for edge in flow.edges if label(flow, edge.input) == box.names[-1])
        if view == "shares" and box.names[-1] in on_path:
            assert sorted(repr((share or 0.0) + 0.0) for share in box.shares) == arriving, box.names


# ---- what the drawings say -------------------------------------------------------------------------------------------


def check_drawings(flow: Flow, view: str) -> None:
    """The arrows and boxes of one view, in three formats."""
    what = picture(flow, view, digits=FULL)
    source = svg(what)
    drawn = statements.read_svg(source)
    box_of = boxes_by_name(drawn, flow, view)
    expected = ledgers(flow, view, box_of)
    assert Counter((arrow.tail, arrow.head, repr(arrow.share)) for arrow in drawn.errors) == expected
    check_boxes(drawn, flow, view)
    for arrow in drawn.arrows:  # the line is where the data says
        start, tip = arrow.ends or ((0.0, 0.0), (0.0, 0.0))
        assert drawn.boxes[arrow.tail].touches(start), (arrow, drawn.boxes[arrow.tail])
        assert drawn.boxes[arrow.head].touches(tip), (arrow, drawn.boxes[arrow.head])
    check_looks(drawn, [float(edge.share) for edge in edges_of(flow, view)])

    written = statements.read_dot(dot(what))
    check_boxes(written, flow, view)
    sent = [(arrow.tail, arrow.head, arrow.sign, f"{arrow.width:.2f}", arrow.lane) for arrow in written.arrows]
    assert Counter(sent) == Counter((a.tail, a.head, a.sign, f"{a.width:.2f}", a.lane) for a in drawn.arrows)
    if view == "shares":
        arrived = Counter((arrow.tail, arrow.head, repr((arrow.share or 0.0) + 0.0)) for arrow in written.errors)
        assert arrived == Counter((tail, head, repr(float(share) + 0.0)) for tail, head, share in expected.elements())
    if view in ("rail", "graph"):
        check_factors(written, flow, view, box_of)

    height = float(ElementTree.fromstring(source).attrib["viewBox"].split()[3])
    pinned, arrows = statements.read_pinned(pinned_dot(source), height), statements.arrows_of_svg(source)
    assert np.ravel(sorted(pinned)) == pytest.approx(np.ravel(sorted(arrows)), abs=0.06)


def check_looks(read: Read, shares: Iterable[float]) -> None:
    """The width of an arrow is in proportion to its share, and its sign is told by its line."""
    sizes = [abs(share) for share in shares if math.isfinite(share)]
    largest = max(sizes, default=0.0)
    for arrow in read.errors:
        assert arrow.share is not None
        assert arrow.sign == (-1 if arrow.share < 0 else 0 if arrow.share == 0 else 1)
        if largest and math.isfinite(arrow.share):
            assert arrow.width == pytest.approx(1 + 2.2 * abs(arrow.share) / largest, abs=0.006)


def check_factors(written: Read, flow: Flow, view: str, box_of: dict[str, str]) -> None:
    """Each arrow of the error has the local gradient of its edge: on the wire of a rail, at the port of a graph."""
    edges = edges_of(flow, view)
    known = ((box_of[label(flow, e.consumer)], box_of[label(flow, e.input)], e.local) for e in edges)
    expected = Counter((tail, head, repr((local or 0.0) + 0.0)) for tail, head, local in known if tail != head)
    read = ((arrow.tail, arrow.head, statements.last_number(arrow.text)) for arrow in written.errors)
    assert Counter((tail, head, repr((local or 0.0) + 0.0)) for tail, head, local in read) == expected


@SOME
@given(flow=graphs())
def test_drawings_of_random_graphs_are_their_ledgers(flow: Flow) -> None:
    """SVG, DOT and DOT with fixed positions, in every view that fits."""
    for view in views_of(flow):
        check_drawings(flow, view)


@SOME
@given(flow=sums())
def test_chains_of_additions_are_one_sum_everywhere(flow: Flow) -> None:
    """Rail, shares, page and texts; a graph may draw them apart."""
    for view in ("rail", "shares"):
        check_drawings(flow, view)
    check_data(flow)
    check_texts(flow)


@SOME
@given(flow=nets())
def test_drawings_of_random_networks_are_their_ledgers(flow: Flow) -> None:
    """The view of neurons too, where two windows share the boxes."""
    for view in views_of(flow, "network"):
        check_drawings(flow, view)


@SOME
@given(flow=graphs())
def test_grey_wires_are_the_edges_off_the_paths(flow: Flow) -> None:
    """In a computation graph, each edge that carries no share is a grey wire from an input to its result."""
    drawn = statements.read_svg(svg(picture(flow, "graph", digits=FULL)))
    names = {id: box.names[0] for id, box in drawn.boxes.items()}
    every = {node.id: plain(node.label) for node in flow.every}
    grey = Counter((names[arrow.tail], names[arrow.head]) for arrow in drawn.arrows if arrow.lane == "rest")
    assert grey == Counter((every[wire.input], every[wire.consumer]) for wire in flow.off_path_wires)


# ---- what page, data and text say ------------------------------------------------------------------------------------


def check_data(flow: Flow) -> None:
    """The page and the JSON hold every edge and every error of the ledger, and the ledger's are the engine's."""
    data = statements.read_page(page(flow))
    labels = [node[0] for node in data["nodes"]]
    known = {node.label: node for node in (*flow.flows.nodes, flow.parameter)}
    for called, value, error, *_ in data["nodes"]:
        assert same(float(value), known[called].value)
        assert (error is None) == (known[called].error is None)
        assert error is None or same(float(error), known[called].error)
    edges = Counter(
        (consumer, item, slot, repr(local), repr(share))
        for consumer, item, slot, local, share in Merged(flow).every_edge()
        if {consumer, item} <= {*labels}
    )
    assert edges == Counter(
        (labels[consumer], labels[item], slot, repr(float(local)), repr(float(share)))
        for consumer, item, slot, local, _, share, *_ in data["edges"]
    )
    assert labels[data["output"]] == flow.output.label
    assert labels[data["parameter"]] == flow.parameter.label

    told = json.loads(as_json(flow.as_dict()))
    arrived: dict[int, float] = {0: float(told["seed"])}
    for edge in told["edges"]:  # consumers come before their inputs
        error, share = float(told["nodes"][edge["consumer"]]["error"]), float(edge["share"])
        assert same(float(edge["error"]), error)
        if not edge["closed"]:
            assert same(share, error * float(edge["local"]))
        arrived[edge["input"]] = arrived.get(edge["input"], 0.0) + share
    for node in told["nodes"]:
        assert float(node["error"]) == pytest.approx(arrived[node["id"]], rel=1e-12, abs=1e-300, nan_ok=True)
    assert flow.is_empty or same(float(told["gradient"]), flow.gradient)


def check_texts(flow: Flow) -> None:
    """Each error that a text states is the sum of the shares that arrive there, from the nodes that send them."""
    told = text(flow, digits=FULL)
    stated = statements.read_text(told.partition("\n(1) ")[2].partition("\n\n")[0])
    nodes, merged = {plain(node.label): node for node in flow.nodes}, Merged(flow)
    left_out = "more lines" in told
    for each in stated:
        name = plain(each.name)
        node = flow.parameter if name.startswith("∂") or " · ∂" in each.name else nodes[name.replace("δ", "z", 1)]
        arriving = [edge for edge in merged.edges() if edge.input == node.id]
        assert same(each.result, node.error), each
        senders = [_sender(flow, said, nodes) for said in each.shares]
        assert Counter(senders) == Counter(flow.nodes[edge.consumer].label for edge in arriving), each
        check_numbers(each.numbers, arriving)
    named = {plain(each.name).replace("δ", "z", 1) for each in stated}
    inner = {plain(node.label) for node in merged.nodes[1:-1]}
    assert left_out or inner <= named, inner - named
    for other in (markdown(flow, digits=FULL), tex(flow, digits=FULL)):
        pages = plain(other).replace("\\", "")
        for each in stated:
            assert f"{abs(each.result):.17g}" in pages


def _sender(flow: Flow, said: str, nodes: dict[str, Any]) -> str:
    """The label of the node at which a share begins."""
    called = plain(said)
    return str(nodes[called.replace("δ", "z", 1)].label)


def check_numbers(numbers: str, arriving: Sequence[FlowEdge]) -> None:
    """One share is error × local gradient; several are listed one by one."""
    if len(arriving) == 1 and " × " in numbers:
        error, local = (statements.last_number(part) for part in numbers.split(" × "))
        assert same(error, arriving[0].error)
        assert same(local, arriving[0].local)
        return
    found = sorted(repr((statements.last_number(part) or 0.0) + 0.0) for part in numbers.split(" + "))
    assert found == sorted(repr(edge.share + 0.0) for edge in arriving)


@SOME
@given(flow=graphs() | nets())
def test_page_data_and_texts_are_the_ledger(flow: Flow) -> None:
    """Node by node and edge by edge; a text names the senders of every share."""
    check_data(flow)
    check_texts(flow)


@SOME
@given(flow=graphs())
def test_the_ledger_is_what_the_backward_pass_leaves(flow: Flow) -> None:
    """The error at every node of the graph is the gradient that backward() leaves there."""
    output = flow.flows.graph[0]
    output.backward()
    for node, described in zip(flow.flows.graph, flow.flows.nodes, strict=True):
        assert described.error is None or same(float(node.grad), described.error)


@pytest.mark.parametrize("kind", [kind for kind in FLOWS if kind not in ("arrays", "empty", "ladder", "wide", "long")])
def test_the_flows_of_the_notes(kind: str) -> None:
    """The network of section 1.5, its windows, several paths, a seed."""
    flow = FLOWS[kind]()
    for view in views_of(flow, *["network"] * (kind not in ("skipping",))):
        check_drawings(flow, view)
    check_data(flow)
    check_texts(flow)


# ---- what tiles say --------------------------------------------------------------------------------------------------

ENTRIES = st.one_of(
    st.floats(-8.0, 8.0), st.sampled_from([0.0, -0.0, 1e-300, -5e-324, math.nan, math.inf, -math.inf, 1e300])
)


@st.composite
def arrays(draw: st.DrawFn) -> Any:
    """An array of up to three axes, small or longer than 32 along an axis, with some entries of its own."""
    shape = draw(st.lists(st.sampled_from([1, 2, 3, 5, 31, 33, 70]), min_size=1, max_size=2))
    shape = draw(st.sampled_from([shape, [2, 3, *shape][-3:]]))
    random = np.random.default_rng(draw(st.integers(0, 99)))
    array = random.normal(size=shape) * 2.0 ** random.integers(-8, 2, size=shape)
    for entry in draw(st.lists(ENTRIES, max_size=6)):
        array.flat[draw(st.integers(0, array.size - 1))] = entry
    return array


@SOME
@given(array=arrays())
def test_tiles_are_the_signs_and_sizes_of_an_array(array: Any) -> None:
    """Every tile of the value and of the error, on the scale that the legend states."""
    x = ad.Tensor(array, name="x")
    product = x * ad.Tensor(np.flip(array).copy(), name="y")
    product.name = "p"
    flow = error_flow(product.sum(), x)
    for view in ("graph", "rail"):
        what = picture(flow, view, digits=FULL)
        source = svg(what)
        drawn, scales = read_tiles(source), {lane: float(number) for lane, number in what.scales}
        stated = re.findall(r"full colour (\S+?)<", source)
        assert [float(number) for number in stated] == [*scales.values()]
        checked = 0
        nodes = {"x": flow.parameter, "p": flow.nodes[1]}
        for box in what.boxes:
            texts = [cell.text for row in box.rows for cell in row.cells]
            node = next((node for name, node in nodes.items() if name in texts), None)
            if node is None or np.size(node.value) < 2:
                continue
            for read, known in zip(drawn[box.id], (node.value, node.error), strict=True):
                check_tiles(read, known, scales[read.lane])
                checked += 1
        assert checked == (4 if array.size > 1 else 0)


def check_tiles(read: ReadTiles, array: Any, full: float) -> None:
    """Each tile of an array says the sign and the level of the largest entry in its block."""
    size = np.shape(array)
    whole = (size[0], 1) if len(size) == 1 else (math.prod(size[:-1]), size[-1])
    assert read.shape == tuple(min(count, 32) for count in whole)
    assert full >= max((abs(x) for x in np.ravel(array) if math.isfinite(x)), default=0.0)
    for i in range(read.shape[0]):
        for j in range(read.shape[1]):
            entry = block_entry(array, read.shape, i, j)
            assert read.at(i, j) == level_of(entry, full), (i, j, entry)
