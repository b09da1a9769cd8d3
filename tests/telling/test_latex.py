"""LaTeX and Markdown: documents that compile, the ledger's numbers, names that are printed and never executed."""

from __future__ import annotations

import operator
import re
import shutil
import subprocess
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

import autodiff as ad
from autodiff import Value
from autodiff.flow import Flow
from autodiff.telling.derivation import derivation
from autodiff.telling.explain import explain
from autodiff.telling.latex import formula, sentence, tex
from autodiff.telling.markdown import escaped, markdown
from autodiff.telling.story import Table
from autodiff.telling.text import text
from autodiff.transforms.replay import replayed
from tests.support.flows import CORRUPT, HOSTILE, X, deep_flow, margin_flow, notes_flow, notes_network, skipping

latex2text = pytest.importorskip("pylatexenc.latex2text", reason="pylatexenc reads LaTeX back")
latexwalker = pytest.importorskip("pylatexenc.latexwalker")
markdown_it = pytest.importorskip("markdown_it", reason="markdown-it-py reads Markdown back")

FLOWS: dict[str, Callable[[], Flow]] = {
    "one": notes_flow, "several": deep_flow, "J": margin_flow, "own": skipping, "bias": lambda: notes_flow("b1(1)"),
}  # fmt: skip
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
COMMANDS = (
    "\\input{/etc/passwd}", "\\end{document}", "$\\write18{rm}$", "}{", "%", "a_{b}^c", "#1", "&", "~", "^^5c", "``''",
    "\\", "\\\\", "x_i", "W₁₄⁽¹⁾\\", "--", "?`", "<<", '"', "\\item[", "\\verb|x|", "∂x/∂\\y",
)  # fmt: skip
READABLE = ("text", "text_special", "code_block")
LANGUAGE = pytest.mark.parametrize("language", ["en", "zh"])
KIND = pytest.mark.parametrize("kind", FLOWS)


def named(name: str) -> Flow:
    """A flow with that name in every place that takes a name."""
    w, x = Value(2.0, name=name), Value(3.0, name=f"x{name}")
    y = ad.tanh(w * x)
    y.name = f"{name}y"
    return ad.error_flow(y, w)


def read_back(document: str) -> str:
    """The text of a LaTeX document, without superscripts and subscripts."""
    body = document.partition("\\begin{document}")[2]
    body = re.sub(r"[_^]\{[^{}]*\}", "", body.replace("{}^{\\prime}", "'")).replace("\\item[(", "\\item (")
    return str(latex2text.LatexNodes2Text(math_mode="text").latex_to_text(body))


def numbers(told: str) -> list[float]:
    """All numbers, in order, without subscripts and superscripts in Unicode."""
    told = re.sub(r"[₀-₉⁰¹²³⁴-⁹⁽⁾,ᶜᵀ]", "", told.replace("−", "-")).replace("(", " ").replace(")", " ")
    return [float(found) for found in NUMBER.findall(told)]


# ---- LaTeX -----------------------------------------------------------------------------------------------------------


@LANGUAGE
@KIND
def test_latex_has_the_numbers_of_the_text(kind: str, language: str) -> None:
    """Read back by a parser, to nine digits, so that no other number matches."""
    flow = FLOWS[kind]()
    expected = numbers(text(flow, language=language, digits=9))
    assert len(expected) > 10
    assert sorted(numbers(read_back(tex(flow, language=language, digits=9)))) == sorted(expected)
    assert any(abs(found - flow.gradient) <= 1e-8 * abs(flow.gradient) for found in expected)


def _ledger(flow: Flow) -> set[str]:
    """The size of every number that an explanation of this flow may state, to twelve digits."""
    known = [item for node in flow.every for item in (node.value, node.error) if item is not None]
    known += [item for edge in flow.edges for item in (edge.local, edge.share, edge.error)]
    known += [line.derivative for line in derivation(flow)]
    path = flow.strongest(1)[0]
    known += accumulate((factor.number for factor in path.factors), operator.mul)
    return {f"{abs(item):.12g}" for item in known} | {f"{100 * (flow.left_after_cancelling or 0.0):.2g}"}


def _complements(flow: Flow) -> set[str]:
    """1 − a of every sigmoid unit, the second factor of its slope."""
    return {f"{1 - node.value:.12g}" for node in flow.nodes if node.operation == "sigmoid"}


def _nudged(flow: Flow) -> set[str]:
    """The numbers that tell what the output does when the parameter rises by 0.01, to twelve digits."""
    function = replayed(flow.flows.graph[0], flow.flows.node_of(flow.parameter))
    after, before = function(flow.parameter.value + 0.01), flow.output.value
    return {f"{abs(item):.12g}" for item in (0.01, after, after - before, 0.01 * flow.gradient)}


@LANGUAGE
@pytest.mark.parametrize("name", ["W14(1)", "b2(1)", "a1(2)", "W12(2)"])
@pytest.mark.parametrize("corrupt", [None, CORRUPT], ids=["s", "J"])
def test_every_number_of_an_explanation_is_the_ledgers(
    name: str, corrupt: tuple[float, ...] | None, language: str
) -> None:
    """In text, Markdown and LaTeX, read back by parsers: no number is invented, and none is missing."""
    made = explain(notes_network(), name, X, corrupt=corrupt)
    told = made.text(language, digits=12)
    content = [token.content for token in _rendered(made.markdown(language, digits=12)) if token.type in READABLE]
    found = [
        {f"{abs(item):.12g}" for item in numbers(text) if item != int(item)}
        for text in (told, "\n".join(content), read_back(made.latex(language, digits=12)))
    ]
    assert found[0] == found[1] == found[2]
    assert found[0] <= _ledger(made.flow) | _nudged(made.flow) | _complements(made.flow)
    assert f"{abs(made.gradient):.12g}" in found[0]


@LANGUAGE
def test_the_tables_of_an_explanation_put_numbers_where_they_belong(language: str) -> None:
    """Each row of the two derivations has the slope and the error of its own node."""
    made = explain(deep_flow().flows.graph[0], "W14(1)")
    tables = [block for block in made.story(language, digits=12).blocks if isinstance(block, Table)]
    rows = next(table.rows for table in tables if len(table.head) == 3 and "↓" in table.head[1])
    lines = derivation(made.flow)
    assert len(rows) == len(lines) > 10
    for (equation, slope, error), line in zip(rows, lines, strict=True):
        assert equation.startswith(f"{line.node.label} = ")
        assert slope.startswith(f"∂{line.node.label}/∂W₁₄⁽¹⁾ = ")
        assert numbers(slope)[-1] == pytest.approx(line.derivative, rel=1e-11)
        assert numbers(error)[-1] == pytest.approx(line.node.error, rel=1e-11)


@pytest.mark.parametrize("name", [*COMMANDS, *HOSTILE])
def test_names_cannot_command_latex(name: str) -> None:
    """A parser finds the same commands and environments as for a harmless name, and none is unknown."""
    allowed = set(_commands(tex(named("w")))) | set(_commands(tex(notes_flow()))) | HARMLESS
    for language in ("en", "zh"):
        document = tex(named(name), language=language)
        assert set(_commands(document)) <= allowed
        assert document.count("\\begin{document}") == document.count("\\end{document}") == 1
        assert not re.search(r"(?<!\\)[%#]|\^\^", document.partition("\\begin{document}")[2])
        body = document.partition("\\begin{document}")[2]
        assert all(c.isascii() or re.match("[\u3000-\u303f\u4e00-\u9fff\uff01-\uff5e]", c) for c in body)
        assert re.sub(r"\\[{}]", "", body).count("{") == re.sub(r"\\[{}]", "", body).count("}")


HARMLESS = {
    "textbackslash", "{", "}", "$", "&", "#", "%", "_", "textasciicircum", "textasciitilde", "textless", "textgreater",
    "textbar", "textquotedbl", "textquotesingle", "textasciigrave", "ldots", "textendash", "textquoteright",
    "ensuremath", "codepoint", "text", "partial", "quad",
}  # fmt: skip


def _commands(document: str) -> list[str]:
    """Every command in the body of a document."""
    body = document.partition("\\begin{document}")[2]
    found: list[str] = []
    nodes, _, _ = latexwalker.LatexWalker(body, tolerant_parsing=True).get_latex_nodes()
    open_ones = list(nodes)
    while open_ones:
        node = open_ones.pop()
        if node.isNodeType(latexwalker.LatexMacroNode):
            found.append(node.macroname)
        if node.isNodeType(latexwalker.LatexEnvironmentNode):
            found.append(f"begin {node.environmentname}")
        arguments = getattr(node, "nodeargd", None)
        inner = [*(getattr(node, "nodelist", None) or []), *((arguments.argnlist if arguments else None) or [])]
        open_ones += [item for item in inner if item is not None]
    return found


def test_words_and_quantities_in_formulas() -> None:
    """Quantities are italic with stacked indices, words upright, derivatives fractions."""
    assert formula("W₁₄⁽¹⁾") == "W_{14}^{(1)}"
    assert formula("W₁₀,₂⁽¹⁾ · 0.5") == r"W_{10,2}^{(1)}\cdot 0.5"
    assert sentence("W⁽¹⁾ᵀ δ⁽²⁾") == r"$W^{(1)\top }$ $\delta ^{(2)}$"
    assert sentence("δ_i · a_j of a_index") == r"$\delta _{i}$ \ensuremath{\cdot} $a_{j}$ of a\_index"
    assert r"\frac{\partial a_{1}^{(3)}}{\partial W_{14}^{(1)}}" in tex(notes_flow())
    assert r"(-2)\cdot \frac{\partial" in tex(notes_flow(seed=-2.0))


@pytest.mark.parametrize("engine", ["xelatex", "pdflatex"])
def test_documents_compile(engine: str, tmp_path: Path) -> None:
    """With hostile names, in both languages, without an error; pdfLaTeX in English."""
    if shutil.which(engine) is None:
        pytest.skip(f"{engine} is not installed: documents are read by a parser only")
    made = explain(notes_network(), "W14(1)", X, corrupt=CORRUPT, check=True)
    names = [name[:200] for name in (*COMMANDS, *HOSTILE) if "日" not in name]  # Chinese needs a separate package
    preamble, _, _ = tex(notes_flow()).partition("\\begin{document}")
    bodies = [tex(named(name)).partition("\\begin{document}")[2].partition("\\end{document}")[0] for name in names]
    hostile = "\n".join(bodies)
    documents = {"en": made.latex(), "hostile": f"{preamble}\\begin{{document}}{hostile}\\end{{document}}\n"}
    if engine == "xelatex" and subprocess.run(["kpsewhich", "ctex.sty"], capture_output=True, check=False).stdout:
        documents["zh"] = made.latex("zh")
    for name, content in documents.items():
        (tmp_path / f"{name}.tex").write_text(content, encoding="utf-8")
        command = [engine, "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", f"{name}.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
        assert Path(tmp_path / f"{name}.pdf").stat().st_size > 1000


# ---- Markdown --------------------------------------------------------------------------------------------------------


def _rendered(source: str) -> list[Any]:
    """All tokens of a Markdown text, with raw HTML and automatic links allowed."""
    parser = markdown_it.MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return [inner for token in parser.parse(source) for inner in (token, *(token.children or ()))]


@LANGUAGE
@KIND
def test_markdown_has_the_numbers_of_the_text(kind: str, language: str) -> None:
    """Read back by a parser."""
    flow = FLOWS[kind]()
    tokens = _rendered(markdown(flow, language=language, digits=9))
    content = "\n".join(token.content for token in tokens if token.type in READABLE)
    assert {*numbers(text(flow, language=language, digits=9))} <= {*numbers(content)}


MARKUP = (
    "[a](javascript:alert(1))", "![x](y)", "1. x", "- x", "# x", "https://example.org", "www.example.org", "`x`",
    "**b**", "| a |", "&lt;b&gt;", "[a]: /b", "+ x", "===", "1) x",
)  # fmt: skip


@pytest.mark.parametrize("name", [*COMMANDS, *HOSTILE, *MARKUP])
def test_names_cannot_command_markdown(name: str) -> None:
    """A name creates no raw HTML, link, image, code span or emphasis, and is printed unchanged."""
    wanted = {token.type for token in _rendered(markdown(named("w")))}
    tokens = _rendered(markdown(named(name)))
    assert {token.type for token in tokens} - {"text_special", "softbreak"} <= wanted
    source = markdown(named(name))
    outside = "\n".join(line for line in source.splitlines() if not line.startswith("    "))
    assert not re.search(r"(?<!\\)<[a-zA-Z/!]|(?i:https?|ftp)://|(?i:www)\.", outside)


@pytest.mark.parametrize("name", [name for name in (*COMMANDS, *HOSTILE, *MARKUP) if name.isprintable()])
def test_escaped_names_read_as_they_are(name: str) -> None:
    """Readers see the name itself."""
    tokens = _rendered(escaped(name))
    assert "".join(token.content for token in tokens if token.type == "text").strip() == name.strip()
