"""Texts of docstrings as HTML: names become links on the page, and code and sessions are set as code."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Final

from autodiff.reference.sources import Source

__all__ = ["Links", "code", "facts", "session", "source", "table"]

_CODE: Final = re.compile(r"``(.+?)``|`([^`]+?)`")


@dataclass(frozen=True, slots=True)
class Links:
    """The anchors of a page, which resolve names: first in the class of the text, then in its module.

    >>> Links({"autodiff.grad"}).inline("See `grad`, x < 1.", "autodiff")
    'See <a href="#autodiff.grad"><code>grad</code></a>, x &lt; 1.'
    """

    anchors: Collection[str]

    def inline(self, text: str, *homes: str) -> str:
        """A line of text; `name` is a link if the page has that name, ``code`` never is."""
        parts, end = [], 0
        for found in _CODE.finditer(text):
            parts.append(escape(text[end : found.start()], quote=False))
            parts.append(code(found[1]) if found[1] else self.name(found[2], *homes))
            end = found.end()
        return "".join([*parts, escape(text[end:], quote=False)])

    def name(self, name: str, *homes: str) -> str:
        """A name as a link, if the page has it."""
        anchor = next((each for each in _meanings(name, homes) if each in self.anchors), None)
        return code(name) if anchor is None else f'<a href="#{escape(anchor)}">{code(name)}</a>'


def _meanings(name: str, homes: Collection[str]) -> Iterator[str]:
    """Candidate anchors: in the given homes, unqualified, and in the public modules, which export inner names."""
    bare = name.removesuffix("()")
    for start in (*homes, ""):
        yield f"{start}.{bare}".lstrip(".")
    last = bare.rpartition(".")[2] if bare.startswith(("autodiff.", "nn.")) else bare
    for package in ("autodiff", "autodiff.draw", "autodiff.testing", "nn"):
        yield f"{package}.{last}"
    yield f"operation.{bare}"


def code(text: str) -> str:
    """Code within a line."""
    return f"<code>{escape(text, quote=False)}</code>"


def session(text: str) -> str:
    """An interactive session: inputs and outputs."""
    lines = [
        f'<span class="typed">{escape(line, quote=False)}</span>' if line.startswith((">>>", "...")) else
        escape(line, quote=False) for line in text.splitlines()
    ]  # fmt: skip
    body = "\n".join(lines)
    return f'<pre class="example" tabindex="0">{body}</pre>'


def table(text: str) -> str:
    """A table of a docstring with its columns preserved."""
    body = escape(text.replace("`", ""), quote=False)
    return f'<pre tabindex="0">{body}</pre>'


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """A list of labels with HTML texts; "" if it is empty."""
    items = "".join(f"<dt>{label}</dt><dd>{told}</dd>" for label, told in rows)
    return f'<dl class="facts">{items}</dl>' if items else ""


def source(found: Source | None) -> str:
    """The place of a definition, and its text to unfold if it is longer than one line."""
    if found is None:
        return ""
    place = f"{found.path}, line {found.line}"
    if "\n" not in found.text and not found.text.endswith(")"):
        return f'<p class="source">{place}</p>'
    text = escape(found.text, quote=False)
    return f'<details class="source"><summary>{place}</summary><pre tabindex="0">{text}</pre></details>'
