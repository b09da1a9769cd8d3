"""The reference page: it has every public name and operation, every link has a target, every example runs."""

from __future__ import annotations

import configparser
import doctest
import inspect
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff.cli.program import main
from autodiff.primitives.registry import TABLE
from autodiff.reference import page as page_module
from autodiff.reference.docstrings import Docstring, parse
from autodiff.reference.markup import Links
from autodiff.reference.name_entries import entry
from autodiff.reference.names import PACKAGES, exported, member_names
from autodiff.reference.notes import SECTIONS, sections
from autodiff.reference.operations import everything
from autodiff.reference.page import page, save
from autodiff.reference.samples import session
from nn.descent.formulas import FORMULAS
from nn.descent.schedules import SCHEDULES
from tests.house.public_api import SNAPSHOT
from tests.support.browser import Browser
from tests.support.places import ROOT

VOID = {"br", "meta"}
#: These may contain only text and inline elements.
LINES = {"p", "h1", "h2", "h3", "h4", "code", "pre", "summary", "dt", "figcaption", "small"}
BLOCKS = {"p", "div", "dl", "ul", "table", "pre", "article", "section", "details", "figure", "h1", "h2", "h3", "h4"}


class Page(HTMLParser):
    """The contents of a page: places, links and examples; raises for tags that do not nest properly."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.places: list[str] = []
        self.links: list[str] = []
        self.examples: list[str] = []
        self.addresses: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert len(given) == len(attrs), f"an attribute of <{tag}> is there twice"
        inside = {name for name, _ in self._open}
        assert not (tag in BLOCKS and inside & LINES), f"<{tag}> stands in {inside & LINES}"
        self.places += [str(given["id"])] if "id" in given else []
        self.links += [str(given["href"])] if "href" in given else []
        self.addresses += [str(given[name]) for name in ("src", "srcset", "action", "data") if name in given]
        is_example = given.get("class") == "example"
        self.examples += [""] if is_example else []
        if tag not in VOID:
            self._open.append((tag, is_example))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Lines of SVG."""

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if any(is_example for _, is_example in self._open):
            self.examples[-1] += data


@pytest.fixture(scope="module")
def text() -> str:
    """The page."""
    return page()


@pytest.fixture(scope="module")
def read(text: str) -> Page:
    """The parsed page."""
    return Page(text)


def public_docstrings() -> dict[str, str]:
    """The docstrings of public functions, classes and attributes, except operations of the table."""
    found = {}
    for package in PACKAGES:
        for name, item in exported(package):
            if inspect.isclass(item) or inspect.isroutine(item):
                found[f"{package}.{name}"] = inspect.getdoc(item) or ""
            if inspect.isclass(item):
                for member in member_names(item):
                    found[f"{package}.{name}.{member}"] = inspect.getdoc(inspect.getattr_static(item, member)) or ""
    return found


def operation_sessions() -> list[str]:
    """The examples generated from the table."""
    return [session(each, f"ad.{name}") for name, each in TABLE.items() if getattr(ad, name, None) is each]


# ---- all of it -------------------------------------------------------------------------------------------------------


def test_every_public_name_has_a_place(read: Page) -> None:
    """Every line of the snapshot, with methods and fields, and internal operations."""
    names = {line.partition("(")[0] for line in SNAPSHOT.read_text(encoding="utf-8").splitlines()}
    assert sorted(names - {*read.places}) == []
    operations = {row.name for row in everything().operations}
    assert sorted(name for name in operations if not {f"autodiff.{name}", f"operation.{name}"} & {*read.places}) == []


def test_places_are_unique_and_links_lead_to_them(read: Page) -> None:
    """No link leads out of the page."""
    assert [place for place, count in Counter(read.places).items() if count > 1] == []
    assert {link[:1] for link in read.links} == {"#"}
    assert sorted({link[1:] for link in read.links} - {*read.places}) == []
    assert len(read.links) > 300


def test_nothing_is_loaded_and_no_path_of_a_machine_is_told(text: str, read: Page) -> None:
    """No address, no script, no external picture; the SVG namespace in an example does not count."""
    assert read.addresses == []
    found = re.findall(r"https?:.*?(?=[\"'<])|url\(|@import|<script|<link", text)
    assert {*found} <= {"http://www.w3.org/2000/svg"}
    assert str(ROOT) not in text
    assert str(Path.home()) not in text
    assert " at 0x" not in text


def test_every_example_is_one_of_a_docstring_or_runs_here(read: Page) -> None:
    """All docstring examples are on the page, and pytest runs them in place; examples of operations run here."""
    told = Counter(example for doc in public_docstrings().values() for example in parse(doc).examples)
    made = operation_sessions()
    assert {*read.examples} == {*told, *made}
    runner = doctest.DocTestRunner(verbose=False)
    for each in made:
        runner.run(doctest.DocTestParser().get_doctest(each + "\n", {"ad": ad, "np": np}, each, None, 0))
    assert runner.summarize(verbose=False) == (0, sum(each.count(">>> ") for each in made))
    assert len(made) > 70


@pytest.mark.parametrize("operand", ["text", None, 1j, [object()]])
def test_what_it_says_of_errors_holds(operand: object) -> None:
    """For an operation on each element, and one on arrays."""
    for operation in (ad.add, ad.multiply, ad.maximum):
        with pytest.raises(TypeError):
            operation(operand, 1.0)
        with pytest.raises(ValueError):
            operation(np.ones(2), np.ones(3))
    with pytest.raises(TypeError):
        ad.sum(operand)


@pytest.mark.slow
def test_the_same_text_in_every_process(text: str, tmp_path: Path) -> None:
    """Even after a call has generated methods of nodes, which changes their signatures."""
    ad.Value(0.5).exp().backward()
    code = "import sys; from autodiff.reference.page import save; save(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.html")], check=True, cwd=ROOT)
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == page() == text


@pytest.mark.slow
def test_a_name_that_cannot_be_loaded_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulates that hypothesis is not installed."""
    error = ModuleNotFoundError("No module named 'hypothesis'", name="hypothesis")

    def without_it(package: str) -> Iterable[tuple[str, Any]]:
        names = dict(exported(package))
        if package == "nn.strategies":
            return {package: error}.items()
        return {name: error if name == "arrays" else item for name, item in names.items()}.items()

    monkeypatch.setattr(page_module, "exported", without_it)
    told = page()
    assert told.count("<p>Not described: hypothesis is not installed; pip install ") == 2
    assert {"autodiff.testing.arrays", "module.nn.strategies"} < {*Page(told).places}


def test_every_reference_to_the_notes_is_in_their_index(text: str) -> None:
    """By the section that a docstring or the table names; no section is empty, and none is unknown."""
    index = text[text.index('id="notes"') : text.index('id="module.autodiff"')]
    rows = dict(re.findall(r"<dt>(\S+) .*?</dt><dd>(.*?)</dd>", index))
    said = [(name, number) for name, doc in public_docstrings().items() for number in sections(parse(doc).source)]
    said += [(row.name, number) for row in everything().operations for number in sections(row.formula)]
    assert len(said) > 25
    assert {number for _, number in said} == {*rows} == {*SECTIONS}
    assert [(name, number) for name, number in said if f"{name}</code>" not in rows[number]] == []


# ---- docstrings ------------------------------------------------------------------------------------------------------


def test_nothing_of_a_docstring_is_lost() -> None:
    """The parts together have all words, and every error has its kind."""
    found = {name: (doc, parse(doc)) for name, doc in public_docstrings().items()}
    assert [name for name, (doc, parts) in found.items() if words(parts) != without_heads(doc)] == []
    kinds = {kind for _, parts in found.values() for kind, _ in parts.errors}
    assert [kind for kind in kinds if not re.fullmatch(r"(\w+Error(, | or )?)+", kind)] == []


def words(found: Docstring) -> Counter[str]:
    """All words of a parsed docstring, with the colons after names."""
    pairs = [f"{name}: {text}" for name, text in (*found.arguments, *found.errors)]
    source = [f"Source: {found.source}"] if found.source else []
    return Counter(" ".join([*found.paragraphs, *pairs, found.returns, *source, *found.examples]).split())


def without_heads(doc: str) -> Counter[str]:
    """The words of a docstring except the headings of its sections."""
    return Counter(re.sub(r"^(Args|Returns|Raises):$", "", doc, flags=re.MULTILINE).split())


def test_parts_of_a_docstring() -> None:
    """Paragraphs keep their order around sections; an argument goes on where it is indented further."""
    found = parse(
        "One.\n\nArgs:\n    x: a number,\n        or two.\n    *rest: more.\n\nTwo\nlines.\n\n"
        "Raises:\n    TypeError, ValueError: as `f` does; see there. OSError: no file.\n\nSource: notes.\n\n>>> 1\n1"
    )
    assert found.paragraphs == ["One.", "Two lines."]
    assert found.summary == "One."
    assert found.arguments == [("x", "a number, or two."), ("*rest", "more.")]
    assert found.errors == [("TypeError, ValueError", "as `f` does; see there."), ("OSError", "no file.")]
    assert (found.source, found.examples) == ("notes.", [">>> 1\n1"])


def test_text_becomes_html() -> None:
    """Nothing can become markup; a name means that of its class first, then that of its module."""
    links = Links({"autodiff.grad", "nn.SGD.step", "autodiff.draw.step", "operation.sech2"})
    assert links.inline("a < b & ``<i>``") == "a &lt; b &amp; <code>&lt;i&gt;</code>"
    assert 'href="#nn.SGD.step"' in links.inline("`step`", "nn.SGD", "nn")
    assert 'href="#autodiff.draw.step"' in links.inline("`step`")
    assert 'href="#autodiff.grad"' in links.inline("`autodiff.transforms.functional.grad`")
    assert 'href="#operation.sech2"' in links.inline("`sech2`")
    assert links.inline("`nothing`") == "<code>nothing</code>"


def test_an_entry_of_a_class() -> None:
    """Methods without self, fields, operations as links, and what a Tensor refuses with the reason."""
    links = Links({f"autodiff.{name}" for name in ad.__all__} | {f"operation.{name}" for name in TABLE})
    told = entry("autodiff", "Tensor", ad.Tensor, links)
    assert "class <code>Tensor(data, *, name=None)</code>" in told
    assert '<dt id="autodiff.Tensor.backward"><code>backward(seed=None)</code></dt>' in told
    assert '<a id="autodiff.Tensor.exp" href="#autodiff.exp"><code>exp</code></a>' in told
    assert '<span id="autodiff.Tensor.byteswap"><code>byteswap</code></span>' in told


def test_optimisers_and_schedules_have_their_formulas(text: str) -> None:
    """Every row of both tables, with its formula as it is read from the code, and its settings."""
    told = unescape(re.sub("<[^>]*>", " ", text))
    for formula in FORMULAS.values():
        assert all(part in told for part in formula.text.split(", "))
    for row in SCHEDULES.values():
        assert row.text in told
    assert "β₂ = <code>beta2=0.999</code>" in text
    assert {"optimisers", "rates", "nn.rates.cosine"} <= {*Page(text).places}


# ---- the command -----------------------------------------------------------------------------------------------------


def test_it_is_written_to_a_file_or_into_a_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """By default in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(page_module, "page", lambda: "page\n")
    for arguments, path in (([], "reference.html"), (["-o", "a.html"], "a.html"), (["-o", "b/c"], "b/c/reference.html"),
                            (["--output", "."], "reference.html")):  # fmt: skip
        assert main(["reference", *arguments]) == 0
        assert capsys.readouterr() == (f"Wrote {Path(path)}.\n", "")
        assert Path(path).read_text(encoding="utf-8") == "page\n"
        Path(path).unlink()


def test_bad_paths_are_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Nothing is written."""
    assert main(["reference", "-o", str(tmp_path / "a.pdf")]) == 2
    sentence = "expected an .html file or a folder for the reference, but got 'a.pdf'"
    assert capsys.readouterr().err == f"autodiff: {sentence}\n"
    (tmp_path / "taken").write_text("")
    with pytest.raises(OSError, match="cannot create the folder"):
        save(tmp_path / "taken" / "below")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_its_style_is_installed() -> None:
    """setup.cfg names the data files beside the modules."""
    declared = configparser.ConfigParser()
    declared.read(ROOT / "setup.cfg", encoding="utf-8")
    folders = {path.parent.relative_to(ROOT / "autodiff") for path in (ROOT / "autodiff").rglob("assets/*")}
    installed = declared["options.package_data"]["autodiff"].split(", ")
    assert {f"{folder.as_posix()}/*" for folder in folders} <= {*installed}


@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_phones_and_laptops(browser: Browser, tmp_path: Path, text: str, width: int) -> None:
    """Nothing is wider than the screen; a link to a name shows it."""
    path = tmp_path / "reference.html"
    path.write_text(text, encoding="utf-8")
    shown = browser.resize(width)
    browser.open(path, "#autodiff.grad")
    assert browser.run("return document.documentElement.scrollWidth") <= shown
    assert browser.run("const table = document.querySelector('.wide'); return table.scrollWidth <= table.clientWidth")
    assert browser.run("return document.querySelector(':target').id") == "autodiff.grad"
    assert browser.run("return Math.abs(document.querySelector(':target').getBoundingClientRect().top)") < 40
