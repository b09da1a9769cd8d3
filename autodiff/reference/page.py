"""The reference as one HTML page without a network: operations with their curves, and every public name.

The page is generated from the table and the docstrings. We use our own renderer because our docstrings have few parts,
and operations need a formula, a curve and values at kinks.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from autodiff import __version__
from autodiff.draw.files import Saved, write
from autodiff.draw.model.palette import DARK, FONTS, LIGHT, variables
from autodiff.primitives.primitive import Primitive
from autodiff.reference.markup import Links, code, facts
from autodiff.reference.name_entries import anchors, entry, missing
from autodiff.reference.names import PACKAGES, exported
from autodiff.reference.notes import SECTIONS, by_section
from autodiff.reference.operation_cards import anchor, card, kinks
from autodiff.reference.operations import Group, Reference, everything, topics
from autodiff.reference.over_time import over_time
from autodiff.reference.tables import legend
from nn.descent.formulas import FORMULAS, Formula
from nn.descent.schedules import SCHEDULES
from nn.descent.settings import DECAY

__all__ = ["page", "save"]

_FILE: Final = "reference.html"
_TITLE: Final = "autodiff reference"
_INTRODUCTION: Final = (
    "This page lists every operation with its curve and derivative, and every public name with its signature, errors "
    "and examples. It is generated from docstrings and the table of operations; the tests run every example."
)
_ERRORS: Final = (
    "Every operation takes numbers, arrays, Values and Tensors; elementwise operations broadcast as NumPy does. An "
    "operation raises TypeError for operands that are not real numbers, and ValueError for shapes that do not fit."
)
_KINKS: Final = (
    "Where a curve has a kink, a jump or a pole, the derivative is a convention. This table gives the value that "
    "`autodiff.grad` returns there, and the slopes on both sides."
)

_OPTIMISERS: Final = (
    "g is the gradient ∇J of a parameter θ, α the learning rate, t the number of steps. Slots, the numbers that are "
    "remembered from step to step, are 0 before the first; those marked * change even where g = 0. With decay λ, "
    "g + λθ takes the place of g. Where there are two forms, the default has the bare name; `form` asks for the other."
)
_RATES: Final = "t is the number of steps made so far, from 0; α(t) is a schedule inside another one."


def page() -> str:
    """The reference as HTML, the same text in every process; light or dark like the reader's system.

    A link to a name ends in ``#`` and the name, such as ``#autodiff.grad``.

    >>> page()[:15]
    '<!doctype html>'
    """
    return "\n".join(_document()) + "\n"


def save(target: str | os.PathLike[str] = _FILE) -> Saved:
    """Write the page to an .html file, or as ``reference.html`` into a folder, which is created if necessary.

    Raises:
        ValueError: if the ending is not .html. OSError: if the file cannot be written; the message is one sentence that
        names the file.
    """
    path = Path(target)
    if path.is_dir() or not path.suffix:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise type(error)(f"cannot create the folder {path}: {error.strerror or error}") from error
        path /= _FILE
    if path.suffix.lower() != ".html":
        raise ValueError(f"expected an .html file or a folder for the reference, but got {path.name!r}")
    return write({"html": page}, path)


def _document() -> Iterator[str]:
    found = everything()
    names = {package: dict(exported(package)) for package in PACKAGES}
    places = {row.name: anchor(row, names["autodiff"]) for row in found.operations}
    links = Links({*places.values(), *_anchors(names)})
    yield from _head()
    yield from _contents(topics(found), found.groups)
    yield f'<main>\n<h1 id="top">{_TITLE} <small>{__version__}</small></h1>\n<p>{_INTRODUCTION}</p>'
    yield from _section("operations", "Operations", _operations(found, places, links))
    told = [f"<p>{links.inline(_KINKS)}</p>", kinks((row, places[row.name]) for row in found.operations)]
    yield from _section("kinks", "Conventions at kinks", told)
    groups = (_numpy(number, group, links) for number, group in enumerate(found.groups))
    yield from _section("numpy", "NumPy’s functions", groups)
    yield from _section("optimisers", "Optimisers", [f"<p>{links.inline(_OPTIMISERS)}</p>", _optimisers()])
    yield from _section("rates", "Learning rates over time", [f"<p>{_RATES}</p>", _schedules()])
    yield from _section("time", "Nets over time", over_time(links))
    rows = by_section(places, found.operations, names).items()
    index = facts((f"{number} {SECTIONS[number]}", ", ".join(map(links.name, there))) for number, there in rows)
    yield from _section("notes", "The notes, section by section", [index])
    for package, items in names.items():
        yield from _section(f"module.{package}", code(package), _module(package, items, links))
    yield "</main>\n</body>\n</html>"


def _head() -> Iterator[str]:
    """The head of the page; the style is inline, and the policy lets nothing else load or run."""
    style = f":root{{--fonts:{FONTS};{variables(LIGHT)};color-scheme:light}}"
    style += f"@media screen and (prefers-color-scheme:dark){{:root{{{variables(DARK)};color-scheme:dark}}}}\n"
    style += files("autodiff.reference").joinpath("assets/page.css").read_text(encoding="utf-8")
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'">'
    yield f"<title>{_TITLE}</title>\n<style>\n{style}</style>\n</head>\n<body>"


def _section(place: str, title: str, parts: Iterable[str]) -> Iterator[str]:
    yield f'<section>\n<h2 id="{place}">{title}</h2>'
    yield from parts
    yield "</section>"


def _operations(found: Reference, places: Mapping[str, str], links: Links) -> Iterator[str]:
    yield from (f"<p>{links.inline(sentence)}</p>" for sentence in [*legend(found), _ERRORS])
    for topic, rows in topics(found):
        yield f'<h3 id="topic.{topic}">{topic}</h3>'
        yield from (card(row, places[row.name], links) for row in rows)


def _optimisers() -> str:
    """The table of formulas of optimisers."""
    told = {name: code(row.text).replace(", ", "</code><br><code>") for name, row in FORMULAS.items()}
    rows = ((name, told[name], *_kept(row)) for name, row in FORMULAS.items())
    return _table(("Optimiser", "Formula", "Settings", "Slots"), rows)


def _kept(formula: Formula) -> Iterator[str]:
    """The settings and slots of an optimiser."""
    yield "<br>".join(f"{each.sign} = {code(f'{each.keyword}={each.default:g}')}" for each in (*formula.hyper, DECAY))
    yield ", ".join(f"{slot.sign}{'*' if slot.fades else ''}" for slot in formula.slots) or "none"


def _schedules() -> str:
    """The table of formulas of schedules."""
    rows = (
        (name, code(row.text), ", ".join(f"{sign} = {code(key)}" for key, sign in row.signs.items()))
        for name, row in SCHEDULES.items()
    )
    return _table(("Schedule", "Rate", "Settings"), rows)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of HTML texts."""
    top = "".join(f"<th>{each}</th>" for each in head)
    lines = (f"<tr><th>{first}</th>{''.join(f'<td>{each}</td>' for each in rest)}</tr>" for first, *rest in rows)
    body = "".join(lines)
    return f'<div class="wide formulas"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _anchors(names: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for package, items in names.items():
        for name, item in items.items():
            yield from anchors(package, name, item)


def _contents(topics: Any, groups: tuple[Group, ...]) -> Iterator[str]:
    yield '<nav>\n<details open>\n<summary>Contents</summary>\n<ul>\n<li><a href="#operations">Operations</a><ul>'
    yield from (f'<li><a href="#topic.{topic}">{topic}</a></li>' for topic, _ in topics)
    yield '</ul></li>\n<li><a href="#kinks">Conventions at kinks</a></li>'
    yield '<li><a href="#numpy">NumPy’s functions</a><ul>'
    yield from (f'<li><a href="#numpy.{number}">{_short(group)}</a></li>' for number, group in enumerate(groups))
    yield '</ul></li>\n<li><a href="#optimisers">Optimisers</a></li>'
    yield '<li><a href="#rates">Learning rates over time</a></li>'
    yield '<li><a href="#time">Nets over time</a></li>\n<li><a href="#notes">The notes</a></li>'
    yield from (f'<li><a href="#module.{package}">{code(package)}</a></li>' for package in PACKAGES)
    yield "</ul>\n</details>\n</nav>"


def _short(group: Group) -> str:
    return group.title.removeprefix("NumPy functions ").removeprefix("that ").capitalize()


def _numpy(number: int, group: Group, links: Links) -> str:
    head = f'<h3 id="numpy.{number}">{group.title}</h3><p>{links.inline(group.sentence)}</p>'
    if not any(row.reason for row in group.functions):
        return f'{head}<p class="names">{", ".join(code(row.name) for row in group.functions)}</p>'
    rows = "".join(f"<dt>{code(row.name)}</dt><dd>{links.inline(row.reason)}</dd>" for row in group.functions)
    return f'{head}<dl class="members">{rows}</dl>'


def _module(package: str, items: Mapping[str, Any], links: Links) -> Iterator[str]:
    first = next(iter(items.values()))
    if isinstance(first, ImportError) and [*items] == [package]:
        yield missing(first)
        return
    doc = (import_module(package).__doc__ or "").split("\n\n")[0]
    yield f"<p>{links.inline(' '.join(doc.split()), package)}</p>"
    operations = [name for name, item in items.items() if isinstance(item, Primitive)]
    if operations:
        yield f'<p class="names">Operations, described above: {_listed(operations, package, links)}</p>'
    others = {name: item for name, item in items.items() if name not in operations}
    yield f'<p class="names">{_listed(others, package, links)}</p>'
    yield from (entry(package, name, item, links) for name, item in others.items())


def _listed(names: Iterable[str], package: str, links: Links) -> str:
    return ", ".join(links.name(name, package) for name in names)
