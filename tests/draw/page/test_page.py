"""The page: its file without a browser, then real browsers that click through it."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import random
import re
import struct
import sys
import urllib.parse
from collections.abc import Callable, Sequence
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodiff import Tensor, Value, error_flow, tanh
from autodiff.draw import see
from autodiff.draw.page.page import page
from autodiff.draw.page.selection import select
from autodiff.flow import Flow
from autodiff.flow.sums import with_sums
from autodiff.telling.steps import steps
from autodiff.telling.style import USUAL, Style
from autodiff.telling.terms import derivative
from autodiff.words.formulas import quotient
from autodiff.words.notation import number
from autodiff.words.operations import operation_name
from autodiff.words.phrases import PHRASES
from autodiff.words.printable import printable
from nn import Network, WindowScorer, max_margin
from tests.support.browser import Browser
from tests.support.flows import (
    FLOWS,
    HOSTILE,
    array_flow,
    chain,
    deep_flow,
    empty_flow,
    hostile_flow,
    margin_flow,
    notes_flow,
)
from tests.support.pages import flow_and_page
from tests.support.processes import printed_here_and_elsewhere

#: The type of the fixture `visit`, a function that opens the page of a flow at a hash, with options.
Visit = Callable[..., Browser]

_FLOWS = pytest.mark.parametrize("kind", FLOWS)


_Tag = tuple[str, dict[str, str | None]]


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the text of elements that are not parsed."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[_Tag] = []
        self.texts: list[tuple[_Tag, str]] = []
        self.inside = False
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside = tag in ("script", "style")
        if self.inside:
            self.texts.append((self.tags[-1], ""))

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag not in ("script", "style")

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.texts[-1] = (self.texts[-1][0], self.texts[-1][1] + data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def data_of(source: str) -> dict[str, Any]:
    """The ledger embedded in a page, as JSON readers see it."""
    (text,) = [text for (tag, attributes), text in Elements(source).texts if attributes.get("id") == "data"]
    data: dict[str, Any] = json.loads(text)
    return data


def as_in_page(value: Any) -> Any:
    """A number or list of `Flow.as_dict` in the form of the page: a flat list of entries."""
    flat, rows = [], [value]
    while rows:
        item = rows.pop(0)
        rows[:0] = item if isinstance(item, list) else []
        flat += [] if isinstance(item, list) else [item]
    return flat if isinstance(value, list) else value


def number_in_page(value: Any) -> Any:
    return value["data"] if isinstance(value, dict) else value


def scorer_flow() -> Flow:
    """J with both windows of a small scorer."""
    embedding = [[0.3, -0.8], [0.5, 0.2], [-0.4, 0.9], [0.7, -0.1]]
    scorer = WindowScorer(embedding, window=3, hidden=2, scalar=True)
    objective = max_margin(scorer([0, 1, 2]), scorer([0, 3, 2], suffix="ᶜ"))
    return error_flow(objective, scorer.parameter("W12(1)"))


# ---- the file --------------------------------------------------------------------------------------------------------


@_FLOWS
def test_every_number_is_the_ledgers(kind: str) -> None:
    """Values, errors, local gradients and shares, in full, are those of `Flow.as_dict`; a chain of + is one sum."""
    given, source = flow_and_page(kind)
    flow = with_sums(given)
    data, ledger = data_of(source), flow.as_dict()
    nodes = {node[0]: node for node in data["nodes"]}
    kept = [node for node in ledger["nodes"] if node["label"] in nodes]
    assert len(kept) == len(ledger["nodes"]) or data["folded"]
    for node in kept:
        _, value, error, *rest = nodes[node["label"]]
        named = [read(data, text, language, 4) for text in rest[1:2] for language in ("en", "zh")]
        assert named == ([node["operation"], operation_name(node["operation"], "zh")] if node["operation"] else [])
        assert number_in_page(value) == as_in_page(node["value"])
        assert number_in_page(error) == as_in_page(node["error"])
    labels = [node["label"] for node in ledger["nodes"]]
    edges = {(data["nodes"][edge[0]][0], edge[2]): edge for edge in data["edges"]}
    for edge in ledger["edges"]:
        if labels[edge["consumer"]] in nodes and labels[edge["input"]] in nodes:
            _, item, _, local, symbol, share, *_ = edges[labels[edge["consumer"]], edge["slot"]]
            assert data["nodes"][item][0] == labels[edge["input"]]
            assert (local, number_in_page(share)) == (edge["local"], as_in_page(edge["share"]))
            assert (symbol or number(local)) == edge["local_symbol"]
    assert number_in_page(nodes[ledger["parameter"]][2]) == as_in_page(ledger["gradient"])
    assert data["nodes"][data["parameter"]][0] == ledger["parameter"]


def read(data: dict[str, Any], text: int, language: str, digits: int) -> str:
    """A text of the page with its slots filled in."""
    texts = data["texts"][text]
    pieces = [data["pieces"][k] for k in texts[min(["en", "zh"].index(language), len(texts) - 1)]]
    return "".join(piece if isinstance(piece, str) else number(piece, digits) for piece in pieces)


def in_words(data: dict[str, Any], told: Any) -> str:
    """A part of the story of a flow, its texts in English and all else as it is."""
    own, formulas, steps_, count, *others = told
    lines = [[read(data, text, "en", 17), *rest] for text, *rest in steps_]
    rest = [[read(data, text, "en", 17) for text in texts] for texts in (formulas, *others)]
    return repr((own and read(data, own, "en", 17), lines, count, rest))


@_FLOWS
def test_every_sentence_is_that_of_the_steps(kind: str) -> None:
    """For each parameter, in both languages, with more digits and with fewer."""
    given, source = flow_and_page(kind)
    flow, data = with_sums(given), data_of(source)
    for place, (own, _, told, count, *_) in data["flows"].items():
        label = data["nodes"][int(place)][0]
        one = flow if label == flow.parameter.label else next(
            flow.flows.to(node) for node in flow.flows.nodes if node.label == label
        )  # fmt: skip
        ends = one.output.label, one.parameter.label
        usual = "∂{}/∂{}".format(*ends)  # as the script writes it, without brackets
        assert (own is None) == (bool(np.all(flow.seed == 1)) and quotient(*ends) == usual)
        for language, digits in (("en", 4), ("zh", 9)):
            assert (usual if own is None else read(data, own, language, digits)) == derivative(
                one, Style.of(language, digits)
            )
            expected = steps(one, Style.of(language, digits))
            assert count == len(expected)
            if count <= 40 and max((len(step.lines) for step in expected), default=0) <= 16:
                found = [read(data, text, language, digits) for text, _, _ in told]
                assert found == ["\n".join([step.sentence, *step.lines]) for step in expected]


def test_a_sum_keeps_its_sign_when_it_is_the_parameter_first() -> None:
    """δ₁⁽²⁾ is at z₁⁽²⁾ whichever node the page begins with; for arrays, the page shows the formula of a share."""
    flow = notes_flow()
    z = next(node for node in flow.nodes if node.label == "z₁⁽²⁾")
    assert {node[0]: node[3:4] for node in data_of(page(flow.flows.to(z)))["nodes"]}["z₁⁽²⁾"] == ["δ₁⁽²⁾"]
    assert {tuple(edge[6:]) for edge in data_of(page(array_flow()))["edges"]} >= {("W⁽²⁾ᵀ δ⁽³⁾",), ("δ⁽²⁾ a⁽¹⁾ᵀ",)}


def test_one_pass_tells_the_flow_to_every_node() -> None:
    """Each weight, bias and unit of the notes' network has its story in the page."""
    data = data_of(page(notes_flow()))
    network = Network((4, 2, 1), scalar=True)
    assert {data["nodes"][int(k)][0] for k in data["flows"]} >= {str(name) for name in network.parameters()}
    assert len(data["flows"]) == len(data["nodes"]) == 23


def test_the_page_needs_no_further_backward_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """The flows to all nodes come from the pass of the given flow; data assigned later changes no number of theirs.

    A step of a parameter is left out where its values, computed again, are no longer those of the flow.
    """
    network = Network((4, 3, 1), scalar=True)
    flow = error_flow(network([1.0, 2.0, 3.0, 4.0]), network.parameter("W11(1)"))
    monkeypatch.setattr("autodiff.flow.flows.backpropagate", None)
    before = data_of(page(flow))
    network.parameter("W11(1)").data = 5.0
    after = data_of(page(flow))
    assert [node[:4] for node in after["nodes"]] == [node[:4] for node in before["nodes"]]
    assert after["edges"] == before["edges"]
    lost = 0
    for place, (*told, meaning) in before["flows"].items():
        *same, still = after["flows"][place]
        assert in_words(after, same) == in_words(before, told)
        assert meaning or int(place) == before["output"]
        left = [read(after, text, "en", 17) for text in still]
        assert left == [read(before, text, "en", 17) for text in meaning if still]
        lost += not still
    assert 1 < lost < len(after["flows"])


def test_the_notes_page_is_small() -> None:
    """Under 85 kB, whatever the language and theme; 27 kB of it say why, for 23 parameters in two languages."""
    for language in ("en", "zh"):
        assert len(page(notes_flow(), language=language, theme="dark", digits=17).encode()) < 85_000


def test_the_page_is_the_same_in_every_process() -> None:
    """Equal bytes for equal flows, whatever the hash seed."""
    program = (
        "import hashlib; from autodiff.draw.page.page import page; from tests.support.flows import *;"
        "print(hashlib.sha256((page(deep_flow()) + page(margin_flow()) + page(skipping())).encode()).hexdigest())"
    )
    here, elsewhere = printed_here_and_elsewhere(program)
    assert here == elsewhere != ""


@cache
def usual_tags() -> list[str]:
    """The elements of a page whose names are harmless."""
    return [tag for tag, _ in Elements(page(hostile_flow("w"))).tags]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_no_name_becomes_markup(name: str) -> None:
    """The page has the usual elements, and the name comes back as text."""
    source = page(hostile_flow(name))
    elements = Elements(source)
    assert [tag for tag, _ in elements.tags] == usual_tags()
    assert any(node[0] == printable(name) for node in data_of(source)["nodes"])
    source.encode()


def test_nothing_loads_and_only_our_script_runs() -> None:
    """The policy names the hashes of the only style and the only script, and no element has a link."""
    elements = Elements(page(notes_flow()))
    (policy,) = [meta["content"] for meta in elements.of("meta") if "http-equiv" in meta]
    hashes = {
        tag: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for (tag, attributes), text in elements.texts
        if "id" not in attributes
    }
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{hashes['style']}'; script-src 'sha256-{hashes['script']}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert len(elements.texts) == 3
    assert not any({"src", "href", "style", "onload"} & attributes.keys() for _, attributes in elements.tags)


def test_a_reader_without_scripts_gets_the_text() -> None:
    """The page itself contains the story in words and numbers."""
    source = page(notes_flow())
    assert "<noscript><pre>" in source
    assert "(8) ∂a₁⁽³⁾/∂W₁₄⁽¹⁾ = 0.1614 × 0.8 = 0.1291, the gradient." in source
    assert "0.129115，即所求梯度。" in page(notes_flow(), language="zh", digits=6).split("<script")[0]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"theme": "blue"}, "unknown theme 'blue' (must be one of auto, light, dark, print)"),
        ({"language": "fr"}, "unknown language 'fr' (must be one of en, zh)"),
        ({"digits": 0}, "expected 1 … 17 significant digits, but got digits=0"),
        ({"digits": True}, "expected 1 … 17 significant digits, but got digits=True"),
    ],
)
def test_bad_options_are_one_sentence(options: dict[str, Any], sentence: str) -> None:
    """The error for an unknown option lists the known ones."""
    with pytest.raises(ValueError, match=re.escape(sentence)):
        page(notes_flow(), **options)


@pytest.mark.parametrize("seed", [[1.0, -1.0], [0.0, 0.0], [2.0, 2.0]])
def test_a_seed_may_be_an_array(seed: list[float]) -> None:
    """In the flow to the output itself, which has no edge, it is the gradient."""
    t = Tensor([1.0, 2.0], name="T")
    data = data_of(page(error_flow(tanh(t), t, seed=seed)))
    output = data["nodes"][data["output"]]
    assert data["seed"]["data"] == output[2]["data"] == seed


def test_a_large_network_is_folded_and_says_so() -> None:
    """The strongest units of each layer stay, those of the flow first; the others are counted."""
    network = Network((60, 30, 4, 1), scalar=True)
    flow = error_flow(network([math.sin(k) for k in range(60)]), network.parameter("W20,50(1)"))
    made = select(flow)
    assert [len(column) for column in made.columns] == [1, 4, 12, 12]
    assert made.more == [0, 0, 18, 48]
    labels = [[flow.flows.nodes[box[-1]].label for box in column] for column in made.columns]
    assert "a₂₀⁽²⁾" in labels[2]
    assert "a₅₀⁽¹⁾" in labels[3]
    strongest = sorted(flow.flows.nodes, key=lambda node: -abs(node.error))
    assert next(node.label for node in strongest if node.label.startswith("a") and "⁽²⁾" in node.label) in labels[2]
    data = data_of(page(flow))
    assert data["folded"] == len(flow.flows.nodes) - len(data["nodes"]) > 1000
    assert data["nodes"][data["parameter"]][0] == "W₂₀,₅₀⁽¹⁾"


def test_a_long_way_is_told_in_a_moment_and_the_page_says_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a chain of 300 units, the first and last steps, and as many flows as the limit allows, this one first."""
    monkeypatch.setattr("autodiff.draw.page.page._MOST_EDGES", 1000)
    data = data_of(page(error_flow(*chain(300))))
    _, _, told, count, *_ = data["flows"][str(data["parameter"])]
    assert (len(told), count, data["folded"]) == (40, 302, 301 - 24)
    assert sum(data["more"]) == 301 - 24
    assert 1 < len(data["flows"]) < len(data["nodes"]) == 24


def test_weights_stand_on_wires_and_biases_in_boxes() -> None:
    """In the notes' network, all ten weights and three biases; with arrays none, because they are boxes."""
    made = select(notes_flow())
    assert len(made.wires) == 10
    assert len(made.biases) == 3
    assert [len(column) for column in made.columns] == [1, 2, 4]
    arrays = select(array_flow())
    assert (arrays.wires, arrays.biases) == ([], [])
    assert len(arrays.nodes) == len(array_flow().flows.nodes)


def test_drawings_give_the_page() -> None:
    """see(…).html() is the page, with its theme, language and digits."""
    flow = notes_flow()
    assert see(flow, theme="dark", language="zh", digits=6).html() == page(flow, theme="dark", language="zh", digits=6)


# ---- real browsers ---------------------------------------------------------------------------------------------------


@cache
def flow_of(make: Callable[[], Flow]) -> Flow:
    """The flow made by a function, shared by all browser tests, which do not change it."""
    return make()


@cache
def source_of(flow: Flow, **options: Any) -> str:
    """The page of a flow, written once for all tests and browsers."""
    return page(flow, **options)


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> Visit:
    """Open the page of a flow and return the browser."""

    def opened(flow: Flow, hash: str = "", **options: Any) -> Browser:
        file = tmp_path / "page.html"
        file.write_text(source_of(flow, **options), encoding="utf-8")
        browser.open(file, hash)
        assert browser.run("return document.documentElement.dataset.ready") == "", "the script did not reach its end"
        return browser

    return opened


def text(browser: Browser, selector: str) -> Any:
    """The text of an element."""
    return browser.run("return document.querySelector(arguments[0]).textContent", selector)


def texts(browser: Browser, *selectors: str) -> Any:
    """The texts of several elements, from one request."""
    return browser.run("return arguments[0].map(each => document.querySelector(each).textContent)", selectors)


def choose(browser: Browser, selector: str, value: str) -> None:
    """Choose an option as readers do."""
    browser.run(
        "const e = document.querySelector(arguments[0]); e.value = arguments[1]; e.dispatchEvent(new Event('change'))",
        selector, value,
    )  # fmt: skip


def follow(browser: Browser, hash: str) -> None:
    """Go to another hash of the page and wait until the page has followed; its listener runs before ours."""
    browser.run(
        "return new Promise(done => {"
        "addEventListener('hashchange', () => done(), {once: true}); location.hash = arguments[0] })",
        hash,
    )


def badge(n: int) -> str:
    return chr(0x245F + n) if n <= 20 else f"({n})"


def captions(flow: Flow, language: str = "en", digits: int = 4) -> list[str]:
    """The caption of each step."""
    told = steps(flow, Style.of(language, digits))
    return ["\n".join([f"{badge(step.number)} {step.sentence}", *step.lines]) for step in told]


def test_clicking_through_all_steps(visit: Visit) -> None:
    """Next shows every step, previous goes back, first and last go to the ends."""
    flow = flow_of(notes_flow)
    page_ = visit(flow)
    expected = captions(flow)
    for caption in expected:
        page_.click("#next")
        assert text(page_, "#caption") == caption
    page_.click("#previous")
    assert text(page_, "#caption") == expected[-2]
    page_.click("#first")
    assert text(page_, "#caption") == PHRASES["page.forward"].en
    assert not page_.run("return document.querySelector('#formula b')")
    page_.click("#last")
    assert text(page_, "#caption") == expected[-1]


@pytest.mark.parametrize("make", [notes_flow, deep_flow, scorer_flow, array_flow])
def test_every_step_of_every_flow(visit: Visit, make: Callable[..., Any]) -> None:
    """Next shows every step up to the last; the ledger's shares appear in turn."""
    flow = flow_of(make)
    page_ = visit(flow)
    told = page_.run(
        "const seen = [], next = document.querySelector('#next');"
        "const look = () => seen.push(document.querySelector('#caption').textContent);"
        "for (look(); next.ariaDisabled !== 'true' && seen.length < 99; look()) next.click();"
        "return seen"
    )
    assert told == [PHRASES["page.forward"].en, *captions(flow)]
    assert page_.run("return document.querySelector('#next').ariaDisabled") == "true"
    rows = page_.run("return [...document.querySelectorAll('#shares tbody tr')].map(r => r.lastChild.textContent)")
    assert sorted(row.split(" = ")[-1] for row in rows) == sorted(USUAL.amount(edge.share) for edge in flow.edges)
    assert text(page_, "#formula b") == USUAL.amount(flow.gradient)


#: A point where a click on the element with this name hits nothing else, even where wires cross.
FREE_POINT = """
document.querySelector('figure').scrollIntoView()
for (const pick of document.querySelectorAll('figure [data-node]')) {
  if (!pick.ariaLabel.startsWith(arguments[0] + ':') && !pick.ariaLabel.startsWith(arguments[0] + ' =')) continue
  const shape = pick.querySelector('.hit, .fill'), length = shape.getTotalLength()
  for (let part = 0.05; part < 1; part += 0.05) {
    const point = shape.getPointAtLength(part * length).matrixTransform(shape.getScreenCTM())
    const box = shape.getBoundingClientRect(), inside = shape.matches('.fill')
    const x = inside ? box.x + box.width * part : point.x, y = inside ? box.y + box.height / 2 : point.y
    if (document.elementFromPoint(Math.round(x), Math.round(y))?.closest('[data-node]') === pick) return [x, y]
  }
}"""


def test_clicking_any_weight_bias_or_unit_shows_its_flow(visit: Visit) -> None:
    """All 23 nodes of the notes' network: gradient in the heading, value and derivative in full below the picture."""
    flow = flow_of(notes_flow)
    page_ = visit(flow, "#step=8")
    for node in flow.flows.nodes:
        found = flow.flows.to(node)
        page_.click_at(*page_.run(FREE_POINT, node.label))
        page_.press("End")
        gradient, heading, caption, info = texts(page_, "#formula b", "h1", "#caption", "#info")
        assert gradient == number(found.gradient)
        assert heading == f"Error sharing: how the output’s error reaches {node.label}"
        assert caption == captions(found)[-1]
        made = f" = {node.operation}(…)" if node.operation else ""
        full = f"{found.parameter.label}{made}: {node.value!r}; {found.derivative}: {found.gradient!r}"
        assert info == full.replace("-", "−")


def test_values_are_shown_on_hover_and_focus(visit: Visit) -> None:
    """A unit's value and error in full under the mouse, and with the keyboard."""
    page_ = visit(flow_of(notes_flow), "#step=8")
    place = '[aria-label^="z₁⁽²⁾ ="]'
    page_.hover("h1")
    page_.hover(place)
    node = next(node for node in notes_flow().nodes if node.label == "z₁⁽²⁾")
    expected = f"z₁⁽²⁾ = weighted_sum(…): {node.value!r}; δ₁⁽²⁾: {node.error!r}"
    assert text(page_, "#info") == expected
    page_.hover("h1")
    page_.run("document.querySelector('#info').textContent = ''; document.querySelector(arguments[0]).focus()", place)
    assert text(page_, "#info") == expected


def doubles() -> list[float]:
    """Numbers of every size, exact ties between two roundings among them."""
    draw = random.Random(0)
    ties = [k + 0.5 for k in range(40)] + [m * 2.0**-k for m in (1, 3, 5, 7, 999) for k in range(70)]
    bits = [struct.unpack("<d", draw.randbytes(8))[0] for _ in range(600)]
    plain = [draw.uniform(-1, 1) * 10.0 ** draw.randint(-8, 20) for _ in range(600)]
    edges = [0.0, -0.0, 1.0, 0.1, 9.9995, 99995.0, 0.00012345, 1e16, 123456789012345680.0, 5e-324, sys.float_info.max]
    return [x for x in ties + bits + plain + edges + [-x for x in ties] if math.isfinite(x)]


def test_numbers_are_written_as_in_python(visit: Visit) -> None:
    """`notation.number` for every count of digits, and repr for all of them, to the last character."""
    page_ = visit(flow_of(notes_flow))
    numbers = doubles()
    packed = [struct.pack(">d", x).hex() for x in numbers]
    found = page_.run(
        "const write = autodiff.number, read = hex => { const view = new DataView(new ArrayBuffer(8));"
        "view.setBigUint64(0, BigInt('0x' + hex)); return view.getFloat64(0) };"
        "const each = [...Array(17).keys()].map(k => k + 1).concat('all');"
        "return arguments[0].map(read).map(x => each.map(digits => write(x, digits)))",
        packed,
    )
    for x, (*rounded, full) in zip(numbers, found, strict=True):
        assert rounded == [number(x, digits) for digits in range(1, 18)]
        assert full == repr(x).replace("-", "−")
    specials = page_.run("return ['nan', 'inf', '-inf', null].map(x => autodiff.number(x, 4))")
    assert specials == [number(math.nan), number(math.inf), number(-math.inf), number(None)]


def test_the_keyboard_alone_is_enough(visit: Visit) -> None:
    """Arrows, Home and End move; Tab reaches the weights, Enter and Space choose; text fields keep their keys."""
    flow = flow_of(notes_flow)
    page_ = visit(flow)
    told = captions(flow)
    page_.press("Right", "Right", "Right", "Left")
    assert text(page_, "#caption") == told[1]
    page_.press("End")
    assert text(page_, "#caption") == told[-1]
    page_.press("Home")
    assert text(page_, "#caption") == PHRASES["page.forward"].en
    page_.run("document.querySelector('#language').focus()")
    page_.press("Tab")
    for key in ("Enter", "Space"):
        page_.press("Tab")
        chosen = page_.run("return document.activeElement.ariaLabel.split(':')[0]")
        assert chosen in {node.label for node in flow.flows.nodes}
        page_.press(key)
        assert text(page_, "h1").endswith(f" reaches {chosen}")
        assert page_.run("return document.activeElement.ariaLabel.split(':')[0]") == chosen
    before = text(page_, "#caption")
    page_.run("document.querySelector('#find').focus()")
    page_.press("x", "Left", "Home")
    assert text(page_, "#caption") == before


CONTROLS = ("picker", "find", "predict", "theme", "digits", "language", "first", "previous", "next", "last")


@pytest.mark.parametrize("how", ["keyboard", "mouse"])
def test_after_any_control_the_arrow_keys_step(visit: Visit, how: str) -> None:
    """Whatever control was used last, even a list or a ticked box, the key changes no parameter."""
    flow = flow_of(notes_flow)
    page_ = visit(flow, "#step=3")
    told = ["Step 0 of 8", "Step 1 of 8", "Step 2 of 8", "Step 1 of 8", "Step 8 of 8"]
    page_.run(
        "window.counted = [];"
        "addEventListener('keyup', () => window.counted.push(document.querySelector('#counter').textContent))"
    )
    for control in CONTROLS:
        if how == "mouse":
            page_.click(f"#{control}")
            page_.run("const list = document.activeElement; if (list.matches('select')) { list.blur(); list.focus() }")
        else:
            page_.run("document.querySelector(arguments[0]).focus()", f"#{control}")
            page_.press({"predict": "Space", "find": "Left"}.get(control, "Shift"))
        page_.press("Home", "Right", "Right", "Left", "End")
        found, heading = page_.run(
            "return [window.counted.splice(0).slice(-5), document.querySelector('h1').textContent]"
        )
        assert found == told, control
        assert heading.endswith("W₁₄⁽¹⁾"), control


def test_a_choice_from_the_list_begins_at_the_first_step(visit: Visit) -> None:
    """With the keyboard, by a click, by name and by a link: no step is shown before it is requested."""
    page_ = visit(flow_of(notes_flow), "#step=8")
    page_.run("document.querySelector('#picker').focus()")
    page_.press("Down")
    chosen = text(page_, "h1")
    assert not chosen.endswith("W₁₄⁽¹⁾")
    ways: list[Callable[[], object]] = [
        lambda: None,
        lambda: page_.click_at(*page_.run(FREE_POINT, "W₂₃⁽¹⁾")),
        lambda: choose(page_, "#find", "b1(1)"),
        lambda: choose(page_, "#picker", page_.run("return document.querySelector('#picker').options[3].value")),
        lambda: visit(flow_of(notes_flow), "#parameter=W21(1)"),
    ]
    for way in ways:
        way()
        assert text(page_, "#counter").startswith("Step 0 of ")
        assert text(page_, "#caption") == PHRASES["page.forward"].en
        assert page_.run("return document.querySelectorAll('#steps li:not([hidden])').length") == 0
        assert not page_.run("return document.querySelector('#formula b')")
        page_.press("Right")
        assert text(page_, "#counter").startswith("Step 1 of ")
        page_.press("End")


def test_a_name_that_is_not_there_is_said_beside_the_field(visit: Visit) -> None:
    """The message is announced, in the reader's language, and withdrawn later; the same for a link."""
    page_ = visit(flow_of(notes_flow), "#step=2&parameter=Q7")
    assert text(page_, "#unknown") == "There is no Q7 on this page."
    page_.click("#find")
    page_.press(*"W99(9)", "Enter")
    assert text(page_, "#unknown") == "There is no W99(9) on this page."
    assert page_.run("return document.querySelector('#unknown').role") == "status"
    assert page_.run("return document.querySelector('#find').ariaInvalid") == "true"
    field, said, height = page_.run(
        "return [...['#find', '#unknown'].map(e => document.querySelector(e).getBoundingClientRect()), innerHeight]"
    )
    assert abs(field["y"] - said["y"]) < 60
    assert 0 <= said["top"] <= said["bottom"] <= height
    choose(page_, "#language", "zh")
    assert text(page_, "#unknown") == PHRASES["page.unknown"].zh.format(name="W99(9)")
    page_.click("#find")
    page_.press("Backspace")
    assert text(page_, "#unknown") == ""
    assert page_.run("return document.querySelector('#find').ariaInvalid") == "false"


def test_a_flow_that_is_not_told_cannot_be_chosen(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its box is not a button, and a search for its name explains why."""
    monkeypatch.setattr("autodiff.draw.page.page._MOST_TARGETS", 3)
    page_ = visit(notes_flow())  # not the shared flow, whose page is already written
    assert page_.run("return [...document.querySelectorAll('figure [role=button]')].every(e => e.tabIndex === 0)")
    assert page_.run("return document.querySelectorAll('figure [data-node]:not([role=button])').length") > 0
    choose(page_, "#find", "W21(1)")
    assert text(page_, "#unknown") == "This page does not show the flow to W21(1)."
    assert text(page_, "h1").endswith("W₁₄⁽¹⁾")


def test_no_focus_is_lost_at_the_ends(visit: Visit) -> None:
    """A button without a target keeps its place and is marked as disabled."""
    page_ = visit(flow_of(notes_flow))
    page_.run("document.querySelector('#last').focus()")
    for key, name, end in (("Enter", "last", "true"), ("Home", "last", "false")):
        page_.press(key)
        assert page_.run("return document.activeElement.id") == name
        assert page_.run("return document.querySelector('#next').ariaDisabled") == end
    assert page_.run("return document.querySelector('#previous').ariaDisabled") == "true"


def test_a_link_leads_to_a_step_and_a_parameter(visit: Visit) -> None:
    """#step=4 and #parameter=…&step=…, in any spelling; and the page updates its own link."""
    flow = flow_of(notes_flow)
    told = captions(flow)
    assert text(visit(flow, "#step=4"), "#caption") == told[3]
    page_ = visit(flow, "#parameter=b1(1)&step=3")
    bias = next(flow.flows.to(node) for node in flow.flows.nodes if node.label == "b₁⁽¹⁾")
    assert text(page_, "#caption") == captions(bias)[2]
    page_.click("#next")
    assert urllib.parse.unquote(page_.run("return location.hash")) == "#parameter=b1(1)&step=4"
    follow(page_, "#parameter=W_{24}^{(1)}&step=8")
    assert text(page_, "h1").endswith("W₂₄⁽¹⁾")
    assert text(visit(flow, "#step=banana"), "#caption") == PHRASES["page.forward"].en
    assert text(visit(flow, "#parameter=<script>&step=99"), "h1").endswith("W₁₄⁽¹⁾")


def test_names_are_found_in_any_spelling(visit: Visit) -> None:
    """The text field knows every name on the page, and reports unknown names."""
    page_ = visit(flow_of(notes_flow))
    for spelling in ("W21(1)", "W_{21}^{(1)}", "w₂₁⁽¹⁾"):
        choose(page_, "#find", spelling)
        assert text(page_, "h1").endswith("W₂₁⁽¹⁾")
    choose(page_, "#find", "W99(9)")
    assert text(page_, "#unknown") == "There is no W99(9) on this page."


def test_the_language_changes_everything_said(visit: Visit) -> None:
    """Captions and terms in Chinese, the same numbers, and back."""
    flow = flow_of(notes_flow)
    page_ = visit(flow, "#step=4")
    choose(page_, "#language", "zh")
    assert text(page_, "#caption") == captions(flow, "zh")[3]
    assert page_.run("return document.documentElement.lang") == "zh"
    assert text(page_, "#next") == PHRASES["page.next"].zh
    page_.click("#last")
    seen = page_.run("return document.body.innerText")
    assert not re.search(r"[a-z]{4,}", re.sub(r"identity|weighted_sum|sigmoid|English", "", seen)), seen
    choose(page_, "#language", "en")
    assert text(page_, "#caption") == captions(flow)[-1]
    assert text(visit(flow, "#step=4", language="zh"), "#caption") == captions(flow, "zh")[3]


def test_digits_are_as_asked(visit: Visit) -> None:
    """Every number of captions, picture and ledger; all digits are those of repr."""
    flow = flow_of(notes_flow)
    page_ = visit(flow, "#step=8", digits=7)
    assert text(page_, "#caption") == captions(flow, digits=7)[-1]
    choose(page_, "#digits", "12")
    assert text(page_, "#caption") == captions(flow, digits=12)[-1]
    choose(page_, "#digits", "all")
    assert text(page_, "#formula b") == repr(flow.gradient)
    drawn = page_.run("return [...document.querySelectorAll('figure text')].map(e => e.textContent).join(' ')")
    assert all(repr(node.error) in drawn for node in flow.nodes)


def test_the_seed_in_the_heading_is_written_as_asked(visit: Visit) -> None:
    """With as many digits as other numbers, and in the reader's language."""
    page_ = visit(notes_flow(seed=0.123456789), "#step=8", digits=7)
    assert text(page_, "#formula").startswith("0.1234568 · ∂a₁⁽³⁾/∂W₁₄⁽¹⁾")
    t = Tensor([1.0, 2.0], name="T")
    page_ = visit(error_flow(tanh(t), t, seed=[1.0, -1.0]), "#step=1")
    assert text(page_, "#formula").startswith("seed · ∂tanh(T)/∂T")
    choose(page_, "#language", "zh")
    assert text(page_, "#formula").startswith("初始误差 · ∂tanh(T)/∂T")


def test_predict_then_reveal(visit: Visit) -> None:
    """The next number is nowhere on the page until the reader has guessed or revealed it."""
    flow = flow_of(notes_flow)
    page_ = visit(flow, "#step=8")
    page_.click("#predict")
    everything = "return document.body.innerText + [...document.querySelectorAll('[aria-label]')].map(e => e.ariaLabel)"
    assert "0.1291" not in page_.run(everything)
    for _ in range(4):
        page_.click("#next")
        if page_.run("return !document.querySelector('#quiz').hidden"):
            assert text(page_, "#caption").endswith("?")
            if "a₁⁽²⁾" not in text(page_, "#caption"):
                page_.click("#reveal")
    assert text(page_, "#caption") == "④ error at a₁⁽²⁾ = ?"
    assert "④ 0.9" not in page_.run(everything)
    page_.click("#guess")
    page_.press(*"0.8", "Enter")
    assert text(page_, "#caption") == "Not quite: error at a₁⁽²⁾ = 0.9.\n" + captions(flow)[3]
    assert "④ 0.9" in page_.run(everything)
    page_.click("#next")
    assert "0.1793" not in page_.run(everything)
    page_.click("#reveal")
    assert text(page_, "#caption") == captions(flow)[4]
    assert "0.1614" not in page_.run(everything)
    page_.click("#next")
    page_.click("#guess")
    page_.press(*"0,1614", "Enter")
    assert text(page_, "#caption").startswith("Right: δ₁⁽²⁾ = 0.1614.")


def test_an_answer_is_a_number(visit: Visit) -> None:
    """It can be typed at once; a wrong entry stays and gets a message, which follows the language."""
    flow = flow_of(notes_flow)
    page_ = visit(flow)
    page_.click("#predict")
    page_.press("Right", "Right", "Right", *"0.5x", "Enter")
    assert text(page_, "#caption") == "That is not a number; enter one such as 0.25.\n③ δ₁⁽³⁾ = ?"
    assert page_.run("return [document.activeElement.id, document.activeElement.value]") == ["guess", "0.5x"]
    choose(page_, "#language", "zh")
    assert text(page_, "#caption").startswith(PHRASES["page.no-number"].zh)
    assert page_.run("return document.querySelector('#guess').value") == "0.5x"
    page_.run("document.querySelector('#guess').focus()")
    page_.press("Backspace", "Enter")
    assert text(page_, "#caption").startswith("还不对：δ₁⁽³⁾ = 1。")
    choose(page_, "#language", "en")
    assert text(page_, "#caption").startswith("Not quite: δ₁⁽³⁾ = 1.")
    for wrong in ("", "1/2", "1..2", "many"):
        follow(page_, "#step=2")
        follow(page_, "#step=3")
        assert text(page_, "#caption") == "③ δ₁⁽³⁾ = ?"
        page_.run("document.querySelector('#guess').value = arguments[0]", wrong)
        page_.click("#answer")
        assert text(page_, "#caption").startswith("That is not a number;"), wrong


def test_the_last_answer_stays(visit: Visit) -> None:
    """Next at the last step does nothing and repeats no question."""
    page_ = visit(flow_of(notes_flow))
    page_.click("#predict")
    page_.press("End", *"0.1291", "Enter", "Right", "Enter")
    assert text(page_, "#caption").startswith("Right: ∂a₁⁽³⁾/∂W₁₄⁽¹⁾ = 0.1291.")


MARKUP = [
    "<img src=x onerror=window.pwned=1>", "</script><script>window.pwned=1</script>", "<!--<script>", "{parameter}",
    "\u2028${pwned=1}", '"><svg onload=window.pwned=1>', "javascript:pwned=1", "'};window.pwned=1;//", "W" * 10_000,
    "שלום", "🙂\ud800", "a₁<b>", "__proto__",
]  # fmt: skip


def named_flow(names: Sequence[str]) -> Flow:
    """A flow through nodes with these names."""
    w = unit = Value(0.7, name=names[0])
    for name in names[1:]:
        unit = unit * Value(0.9, name=name)
        unit.name = name
    return error_flow(unit, w)


def test_hostile_names_are_text(visit: Visit) -> None:
    """Names that look like markup or script are shown as text, and nothing runs, through all steps."""
    page_ = visit(named_flow(MARKUP))
    seen = page_.run(
        "const next = document.querySelector('#next'), seen = [];"
        "for (; next.ariaDisabled !== 'true'; next.click()) seen.push(document.body.textContent);"
        "return seen.join() + document.querySelector('main').textContent"
    )
    assert all(printable(name)[:20] in seen for name in MARKUP)
    scripts_and_more = "return [typeof pwned, document.querySelectorAll('img, iframe, b b, script').length]"
    assert page_.run(scripts_and_more) == ["undefined", 2]


def test_the_policy_holds(visit: Visit) -> None:
    """An injected script does not run, and an injected picture is not loaded."""
    page_ = visit(flow_of(notes_flow))
    page_.run("const s = document.createElement('script'); s.textContent = 'window.pwned = 1'; document.body.append(s)")
    assert page_.run("return window.pwned") is None
    blocked = page_.run(
        "return new Promise(done => {"
        "document.addEventListener('securitypolicyviolation', e => done(e.violatedDirective));"
        "const i = new Image(); i.src = 'http://127.0.0.1:9/x.png'; document.body.append(i);"
        "setTimeout(() => done(''), 2000) })"
    )
    assert blocked.startswith(("img-src", "default-src"))


#: Texts of the picture that are cut off or overlap at this step or, with ``true``, at any step.
OVERLAPS = """
const drawn = e => {
  const {a: scale, f: top} = e.getScreenCTM(), size = parseFloat(getComputedStyle(e).fontSize) * scale
  const base = e.getAttribute('y') * scale + top, {left, right, width} = e.getBoundingClientRect()
  return {left, right, width, top: base - 0.78 * size, bottom: base + 0.22 * size}
}
const look = found => {
  const frame = document.querySelector('figure svg').getBoundingClientRect()
  const texts = [...document.querySelectorAll('figure text')].filter(e => e.textContent)
  const inks = texts.map(drawn)
  for (const [k, a] of inks.entries()) {
    const cell = texts[k].previousElementSibling?.getBoundingClientRect()
    if (a.left < frame.left || a.right > frame.right || a.top < frame.top || a.bottom > frame.bottom ||
        cell && texts[k].previousElementSibling.matches('rect') && a.width > cell.width)
      found.push('cut: ' + texts[k].textContent)
    for (const [j, b] of inks.slice(0, k).entries())
      if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
          Math.min(a.bottom, b.bottom) > Math.max(a.top, b.top))
        found.push(texts[k].textContent + ' | ' + texts[j].textContent)
  }
}
const found = [], next = document.querySelector('#next')
look(found)
while (arguments[0] && next.ariaDisabled !== 'true') { next.click(); look(found) }
return found"""


@pytest.mark.parametrize("make", [notes_flow, deep_flow, scorer_flow, array_flow, FLOWS["skipping"]])
def test_no_text_of_the_picture_is_cut_or_covered(visit: Visit, make: Callable[..., Any]) -> None:
    """At every step, with few digits and with many, in both languages."""
    for language, digits in (("en", 4), ("zh", 12)):
        assert visit(flow_of(make), language=language, digits=digits).run(OVERLAPS, True) == []


def test_it_fits_a_telephone(visit: Visit, browser: Browser) -> None:
    """At 360 px, or the smallest width of the browser, the page itself does not scroll sideways."""
    try:
        width = browser.resize(360)
        assert width == 360 or width <= 500
        for make in (notes_flow, deep_flow, scorer_flow):
            page_ = visit(flow_of(make), "#step=5")
            assert page_.run("return document.documentElement.scrollWidth") <= width
            assert page_.run(OVERLAPS, False) == []
            heights = page_.run("return [...document.querySelectorAll('button')].map(e => e.offsetHeight)")
            assert min(filter(None, heights)) >= 40
    finally:
        browser.resize(1280)


def test_themes(visit: Visit) -> None:
    """Dark or light on request, whatever the system prefers."""
    page_ = visit(flow_of(notes_flow), theme="dark")
    paper = "return getComputedStyle(document.body).backgroundColor"
    assert page_.run(paper) == "rgb(15, 23, 32)"
    choose(page_, "#theme", "light")
    assert page_.run(paper) == "rgb(255, 255, 255)"
    assert visit(flow_of(notes_flow), theme="print").run(paper) == "rgb(255, 255, 255)"


def test_what_screen_readers_get(visit: Visit) -> None:
    """Captions are announced; every control and every part of the picture has a name."""
    page_ = visit(margin_flow(), "#step=3")
    assert page_.run("return ['#caption', 'h1'].map(e => document.querySelector(e).ariaLive)") == ["polite", "polite"]
    changes = page_.run(
        "const seen = [], watch = new MutationObserver(found => seen.push(...found));"
        "for (const e of document.querySelectorAll('[aria-live]')) watch.observe(e, {childList: true});"
        "const list = document.querySelector('#theme'); list.value = 'dark'; list.dispatchEvent(new Event('change'));"
        "return seen.concat(watch.takeRecords()).length"
    )
    assert changes == 0, "what has not changed is not announced again"
    assert page_.run("return [...document.querySelectorAll('figure [role=button]')].every(e => e.ariaLabel.length > 3)")
    assert page_.run(
        "return [...document.querySelectorAll('input, select')].filter(e => !e.closest('[hidden]'))"
        ".every(e => e.labels.length === 1 && e.labels[0].textContent)"
    )
    assert page_.run("return document.querySelector('figure svg').getAttribute('aria-label')") == "The network"


def test_a_parameter_without_a_path_says_so(visit: Visit) -> None:
    """No steps, no number, and the reason."""
    page_ = visit(empty_flow())
    assert text(page_, "h1").startswith("Error sharing: no error reaches")
    assert "No path leads from" in text(page_, "#caption")
    assert text(page_, "#counter") == ""
    assert page_.run("return document.querySelector('#shares').offsetHeight") == 0


def square_flow() -> Flow:
    """A formula with only one name."""
    x = Value(0.5, name="x")
    return error_flow(x * x, x)


def own_flow() -> Flow:
    """The flow to the output itself."""
    x = Value(0.5, name="x")
    return error_flow(x, x)


def test_other_graphs_open_too(visit: Visit) -> None:
    """Long chains, ladders with 2²⁰⁰ paths, a user-defined formula, a node that is the output itself."""
    for make in (FLOWS["long"], FLOWS["ladder"], square_flow, own_flow):
        flow = flow_of(make)
        page_ = visit(flow)
        page_.click("#last")
        assert text(page_, "#formula b") == USUAL.amount(flow.gradient)
        assert not page_.run("return document.querySelector('figure .box.rest')"), "all boxes are on the way"
        assert page_.run("return document.querySelectorAll('figure .box').length") > 0


def test_paper_gets_everything(visit: Visit) -> None:
    """A printout has the whole picture and all steps, whatever the current step is."""
    page_ = visit(flow_of(notes_flow), "#step=2")
    page_.run("window.dispatchEvent(new Event('beforeprint'))")
    assert text(page_, "#formula b") == "0.1291"
    assert page_.run("return document.querySelectorAll('#steps li:not([hidden])').length") == 8
    page_.run("window.dispatchEvent(new Event('afterprint'))")
    assert text(page_, "#caption") == captions(notes_flow())[1]
