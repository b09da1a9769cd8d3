"""Public names as HTML: signature, docstring and, for a class, attributes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from enum import Enum
from html import escape
from types import MemberDescriptorType
from typing import Any

from autodiff.primitives.registry import TABLE
from autodiff.reference.docstrings import Docstring, parse
from autodiff.reference.markup import Links, code, facts, session, source, table
from autodiff.reference.names import call_signature, member_names
from autodiff.reference.sources import assignment, comment, definition
from autodiff.system.extras import install

__all__ = ["anchors", "entry", "missing"]


def anchors(package: str, name: str, item: Any) -> Iterator[str]:
    """The anchors of a name on the page: one for the name, and one for every attribute of a class.

    >>> from autodiff.draw import Row
    >>> list(anchors("autodiff.draw", "Row", Row))
    ['autodiff.draw.Row', 'autodiff.draw.Row.cells', 'autodiff.draw.Row.lane']
    """
    yield f"{package}.{name}"
    if inspect.isclass(item):
        yield from (f"{package}.{name}.{member}" for member in member_names(item))


def entry(package: str, name: str, item: Any, links: Links) -> str:
    """A function, a class, a type or data that a public module exports."""
    place = f"{package}.{name}"
    kind = "class " if inspect.isclass(item) else ""
    head = f"<h3>{kind}{code(name + _call(item))}</h3>"
    if isinstance(item, ImportError):
        told = missing(item)
    elif inspect.isclass(item) or inspect.isroutine(item):
        told = _told(parse(inspect.getdoc(item) or ""), links, place, package) + source(definition(item))
    else:
        told = _data(name, links, package)
    members = _members(item, place, links) if inspect.isclass(item) else ""
    return f'<article id="{escape(place)}">{head}{told}{members}</article>'


def missing(error: ImportError) -> str:
    """The text shown instead of names whose library is not installed.

    >>> missing(ModuleNotFoundError("No module named 'hypothesis'", name="hypothesis"))[:45]
    '<p>Not described: hypothesis is not installed'
    """
    hint = escape(f"{error.name} is not installed; {install('test')}", quote=False)
    return f"<p>Not described: {hint} adds it.</p>"


def _call(item: Any) -> str:
    """The signature of a call; for a method, without self. Enumerations have none, since calls create no members."""
    if inspect.isclass(item) and issubclass(item, Enum):
        return ""
    return re.sub(r"^\((?:self|cls)(?:, )?", "(", call_signature(item))


def _told(doc: Docstring, links: Links, *homes: str) -> str:
    """The parts of a docstring in reading order."""

    def inline(text: str) -> str:
        return links.inline(text, *homes)

    rows = [
        ("Arguments", facts((code(key), inline(text)) for key, text in doc.arguments)),
        ("Returns", inline(doc.returns)),
        ("Raises", "<br>".join(f"{code(key)}: {inline(text)}" if key else inline(text) for key, text in doc.errors)),
        ("Source", inline(doc.source)),
    ]
    paragraphs = "".join(table(text) if "\n" in text else f"<p>{inline(text)}</p>" for text in doc.paragraphs)
    return paragraphs + facts((key, text) for key, text in rows if text) + "".join(map(session, doc.examples))


def _data(name: str, links: Links, package: str) -> str:
    """An assigned name, described by the comment above it instead of a docstring."""
    found = assignment(name)
    return f"<p>{links.inline(found.comment, package)}</p>{source(found)}" if found is not None else ""


# ---- attributes ------------------------------------------------------------------------------------------------------


def _members(kind: type, place: str, links: Links) -> str:
    found = {name: inspect.getattr_static(kind, name) for name in member_names(kind)}
    operations = [name for name, item in found.items() if _is_operation(name, item)]
    refused = {name: item.reason for name, item in found.items() if hasattr(item, "reason")}
    told = {name: comment(kind, name) for name, item in found.items() if not _documented(item)}
    plain = [name for name, text in told.items() if not text and name not in refused]
    documented = [name for name in found if name not in {*operations, *refused, *plain}]
    by_reason: dict[str, list[str]] = {}
    for name, reason in refused.items():
        by_reason.setdefault(reason, []).append(name)
    return "".join(
        [
            _group(
                "Attributes and methods",
                (_member(name, found[name], told.get(name, ""), place, links) for name in documented),
            ),
            _line("Fields", (f'<span id="{place}.{name}">{code(name)}</span>' for name in plain)),
            _line("Operations as methods", (_operation(name, place, links) for name in operations)),
            _group(
                "Methods of arrays that raise an error",
                (_row(names, place, links.inline(reason)) for reason, names in by_reason.items()),
            ),
        ]
    )


def _is_operation(name: str, item: Any) -> bool:
    return name in TABLE and inspect.getdoc(item) == TABLE[name].doc


def _documented(item: Any) -> bool:
    """Whether an attribute has a docstring that differs from that of its type."""
    is_told = inspect.isroutine(item) or hasattr(item, "fget") or hasattr(item, "func")
    return isinstance(item, Enum) or (
        is_told and not isinstance(item, MemberDescriptorType) and bool(inspect.getdoc(item))
    )


def _member(name: str, item: Any, told: str, place: str, links: Links) -> str:
    doc = parse(told if isinstance(item, Enum) else told or inspect.getdoc(item) or "")
    head = f"{name} = {item.value!r}" if isinstance(item, Enum) else name + _call(item)
    shown = _told(doc, links, place, place.rpartition(".")[0])
    return f'<dt id="{place}.{name}">{code(head)}</dt><dd>{shown}</dd>'


def _operation(name: str, place: str, links: Links) -> str:
    target = next(each for each in (f"autodiff.{name}", f"operation.{name}") if each in links.anchors)
    return f'<a id="{place}.{name}" href="#{target}">{code(name)}</a>'


def _row(names: Iterable[str], place: str, told: str) -> str:
    shown = ", ".join(f'<span id="{place}.{name}">{code(name)}</span>' for name in names)
    return f"<dt>{shown}</dt><dd>{told}</dd>"


def _group(title: str, rows: Iterable[str]) -> str:
    body = "".join(rows)
    if not body:
        return ""
    return f'<details class="members" open><summary>{title}</summary><dl class="members">{body}</dl></details>'


def _line(title: str, items: Iterable[str]) -> str:
    body = ", ".join(items)
    return f'<p class="members">{title}: {body}</p>' if body else ""
