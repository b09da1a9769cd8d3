"""The table of phrases: both languages have the same content and fields, and code contains no other phrases."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unicodedata import name as unicode_name
from xml.etree import ElementTree

import numpy as np
import pytest

import autodiff as ad
from autodiff import Value
from autodiff.draw import see
from autodiff.telling.remarks import remarks
from autodiff.telling.steps import steps
from autodiff.telling.style import Style
from autodiff.telling.text import text
from autodiff.words.phrases import LANGUAGES, PHRASES, Phrase, fields_of, say
from tests.support.cases import each
from tests.support.flows import chain, deep_flow, margin_flow, notes_flow, skipping
from tests.support.present import present

EACH = each("key", PHRASES)
NUMBER = re.compile(r"−?\d+(?:\.\d+)?(?:e[−+]?\d+)?")
FIELD = re.compile(r"\{\w*\}")
MATHEMATICS = re.compile(r"[−+]?\d+(?:\.\d+)?|[α-ωΑ-Ω∂≈≠✓✗→↓↑×·′<>≤≥]|(?<!’)\b(?:[b-zB-Z]|[a-zA-Z]_[a-z]+)\b")
CHINESE_WORD = re.compile("[\u4e00-\u9fff]{2}")
ENGLISH_WORDS = re.compile(r"[A-Za-z]{3,}")
FLOWS: dict[str, Callable[[], ad.Flow]] = {
    "one path": notes_flow, "several": deep_flow, "J": margin_flow, "met": lambda: margin_flow(shift=9.0),
    "own": skipping, "bias": lambda: notes_flow("b1(1)"), "seed": lambda: notes_flow(seed=-2.0),
    "empty": lambda: ad.error_flow(Value(1.0, name="y"), Value(2.0, name="w")),
    "long": lambda: ad.error_flow(*chain(70)),
}  # fmt: skip


def is_chinese(character: str) -> bool:
    """Whether a character is a Chinese one."""
    return unicode_name(character, "").startswith("CJK UNIFIED")


@EACH
def test_both_languages_have_the_same_fields(key: str) -> None:
    """A field that one language forgets would lose a number; none is empty, none has a field more often."""
    english, chinese = map(fields_of, PHRASES[key])
    assert english == chinese
    assert all(field.isidentifier() for field in english)
    assert Phrase._fields == LANGUAGES
    assert all(text.strip() for text in PHRASES[key])
    assert len({tuple(sorted(FIELD.findall(text))) for text in PHRASES[key]}) == 1


@EACH
def test_both_languages_have_the_same_numbers_and_symbols(key: str) -> None:
    """A formula, a kink's side or a number that is in one language stands in its twin too."""
    english, chinese = (set(MATHEMATICS.findall(FIELD.sub("", text))) for text in PHRASES[key])
    assert english == chinese


@EACH
def test_english_is_english_and_chinese_chinese(key: str) -> None:
    """No row is untranslated or in the wrong column; Chinese sentences have Chinese punctuation."""
    phrase = PHRASES[key]
    words = [re.sub(r"\{\w*\}", "", part) for part in phrase]
    assert not any(map(is_chinese, phrase.en))
    if ENGLISH_WORDS.search(words[0]):
        assert any(map(is_chinese, phrase.zh))
    assert not re.search(r"[,;:?!](?=\s|$)|[^.…\d]\.$", words[1]), "punctuation of the other script"
    assert phrase.en == phrase.en.rstrip()
    assert phrase.zh == phrase.zh.strip()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", FLOWS)
def test_every_language_says_the_same_numbers(kind: str, language: str) -> None:
    """Steps, remarks and the whole text hold the same numbers in the same order; nothing is left in braces."""
    flow = FLOWS[kind]()
    for told in (steps(flow, Style(language)), steps(flow)):
        assert not any("{" in str(step) for step in told)
    english, other = (
        [(step.nodes, step.edges, NUMBER.findall(str(step))) for step in steps(flow, Style(each))]
        for each in ("en", language)
    )
    assert english == other
    remarked, remarked_in_english = ("\n".join(remarks(flow, Style(each))) for each in (language, "en"))
    for ours, theirs in ((remarked, remarked_in_english), (text(flow, language=language), text(flow))):
        assert sorted(NUMBER.findall(ours)) == sorted(NUMBER.findall(theirs))


@pytest.mark.parametrize("kind", FLOWS)
def test_chinese_text_holds_no_english(kind: str) -> None:
    """What is left in Latin letters are names of nodes and symbols of functions."""
    flow = FLOWS[kind]()
    nodes = (*flow.every, flow.parameter, flow.output)
    texts = [said or "" for node in nodes for said in (node.label, node.symbol)]
    names = set(ENGLISH_WORDS.findall(" ".join(texts)))
    assert set(ENGLISH_WORDS.findall(text(flow, language="zh"))) <= names | {"None"}


@pytest.mark.parametrize("view", ["auto", "graph", "network"])
@pytest.mark.parametrize("kind", ["one path", "several", "J", "bias"])
def test_chinese_pictures_hold_no_english(kind: str, view: str) -> None:
    """Nor do their titles, descriptions and hints: in Latin letters are functions that Chinese books write so."""
    picture = ElementTree.fromstring(see(FLOWS[kind](), view=view, language="zh", check=True).svg())
    texts = [part.text or "" for part in picture.iter() if not part.tag.endswith("style")]
    texts += [part.get("aria-label", "") for part in picture.iter()]
    assert set(ENGLISH_WORDS.findall(" ".join(texts))) <= {"Sigmoid", "tanh", "max"}
    assert sum(map(is_chinese, "".join(texts))) > 50


QUOTED = re.compile(r"'([^'\n]*)'|`([^`]*)`")


def test_scripts_say_phrases_only() -> None:
    """What the page's script says is in the table, under keys that are there; Chinese is nowhere but in the words."""
    package = Path(ad.__file__).parent
    prefixes = {key.partition(".")[0] for key in PHRASES if "." in key}
    for path in (package / "draw" / "page" / "assets").glob("*.js"):
        quoted = ["".join(found) for found in QUOTED.findall(path.read_text(encoding="utf-8"))]
        assert [text for text in quoted if SENTENCE.search(text)] == [], path
        keys = {text for text in quoted if re.fullmatch(rf"({'|'.join(prefixes)})\.[a-z-]+", text)}
        assert keys <= set(PHRASES), path
    for path in (*package.rglob("*.py"), *package.rglob("*.js")):
        source = path.read_text(encoding="utf-8")
        said = list(_said(ast.parse(source))) if path.suffix == ".py" else [source.replace("'中文'", "")]
        assert path.parent.name == "words" or not any(map(CHINESE_WORD.search, said)), path


TELLING = ("telling", "draw", "transforms/replay.py")
ERRORS = ("Error", "warn")
SENTENCE = re.compile(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}")


def _said(tree: ast.AST) -> Iterator[str]:
    """The string literals of a module that are neither documentation nor the message of an error."""
    silent: set[int] = set()
    for node in ast.walk(tree):
        called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.Raise) or called.endswith(ERRORS):
            silent |= {id(inner) for inner in ast.walk(node)}
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            silent.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield node.value


@pytest.mark.parametrize("name", TELLING)
def test_code_that_tells_holds_no_sentences(name: str) -> None:
    """Three words in a row are a sentence, and belong in the table; draw/graphviz.py has messages of errors only."""
    place = Path(ad.__file__).parent / name
    paths = {*place.rglob("*.py"), *([place] if place.is_file() else [])} - {place / "graphviz.py"}
    assert paths
    for path in paths:
        said = list(_said(ast.parse(path.read_text(encoding="utf-8"))))
        assert [text for text in said if SENTENCE.search(text) and "@media" not in text] == [], path


def test_the_eight_steps_in_chinese() -> None:
    """The notes' example, word for word."""
    assert [step.sentence for step in steps(notes_flow(), Style("zh"))] == [
        "误差信号 1 从 a₁⁽³⁾ 处开始反向传播：∂a₁⁽³⁾/∂a₁⁽³⁾。",
        "× 1，即输出神经元（恒等）的局部梯度。",
        "δ₁⁽³⁾ = (a₁⁽³⁾ 处的误差) · 1 = 1 × 1 = 1，即 z₁⁽³⁾ 处的误差信号，由此分享出去。",
        "a₁⁽²⁾ 分得的份额为 δ₁⁽³⁾ · W₁₁⁽²⁾ = 1 × 0.9 = 0.9，即 a₁⁽²⁾ 处的误差。",
        "× σ′(z₁⁽²⁾) = a₁⁽²⁾·(1 − a₁⁽²⁾) = 0.7658 × 0.2342 = 0.1793，误差由此通过该神经元。",
        "δ₁⁽²⁾ = (a₁⁽²⁾ 处的误差) · σ′(z₁⁽²⁾) = 0.9 × 0.1793 = 0.1614，即 z₁⁽²⁾ 处的误差信号。",
        "× a₄⁽¹⁾ = 0.8，即 W₁₄⁽¹⁾ 在前向传播中传递的信号。",
        "∂a₁⁽³⁾/∂W₁₄⁽¹⁾ = 0.1614 × 0.8 = 0.1291，即所求梯度。",
    ]


def test_numbers_are_written_as_asked() -> None:
    """Every number of steps and remarks goes through `write`; the text takes digits."""
    flow = notes_flow()
    exact = Style.of("en", 17)
    assert exact.write(flow.gradient) in steps(flow, exact)[-1].sentence
    assert exact.write(present(flow.weakest).number) in remarks(flow, exact)[0]
    assert "0.12911479" in text(flow, digits=8)
    marked = [str(step) for step in steps(flow, Style(write=lambda x: "#" if x is not None and x >= 0 else "−#"))]
    numbered = re.compile(r"(?<![\w₀-₉⁽(])\d")
    assert not any(numbered.search(line.split(" ", 1)[1].replace("∂", "")) for line in marked)


def test_arrays_and_counts() -> None:
    """Shapes stay, words change."""
    assert Style("zh").amount(np.ones((2, 3))) == "2×3，范数 2.449"
    assert say("term.about", "zh", number="1.6e60") == "约 1.6e60"


@pytest.mark.parametrize(
    "tell",
    [
        lambda flow: steps(flow, Style("fr")),
        lambda flow: remarks(flow, Style("fr")),
        lambda flow: text(flow, language="fr"),
    ],
    ids=["steps", "remarks", "text"],
)
def test_an_unknown_language_is_one_sentence(tell: Callable[..., Any]) -> None:
    """The error lists the languages, even if there would be nothing to say."""
    for flow in (notes_flow(), FLOWS["empty"]()):
        with pytest.raises(ValueError, match=r"^unknown language 'fr' \(must be one of en, zh\)$"):
            tell(flow)


def test_a_field_that_is_missing_raises() -> None:
    """No sentence is returned with an empty field."""
    with pytest.raises(KeyError, match="factor"):
        say("step.factor")
