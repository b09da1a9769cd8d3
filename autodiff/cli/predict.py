"""``autodiff predict``: which words of a sentence a saved tagger marks, and why."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autodiff.cli import arguments
from autodiff.cli.window_picture import effects, window_picture
from autodiff.draw import see
from autodiff.flow import error_flow
from autodiff.system.search_path import own_modules_first
from autodiff.telling.story import flow_story
from autodiff.telling.style import Style
from autodiff.telling.text import plain_text
from autodiff.words.columns import columns
from autodiff.words.notation import number
from autodiff.words.phrases import say
from autodiff.words.printable import printable

with own_modules_first():  # every student of backpropagation has an nn.py
    from nn.modules.net_file import load
    from nn.tagger import Tagger

__all__ = ["add_predict"]


def add_predict(commands: Any) -> None:
    """Add the command ``predict`` to those of the program."""
    command = commands.add_parser(
        "predict",
        help="mark the words of a sentence",
        description="Mark the words of a sentence that a saved nn.Tagger finds, print the score of each, and, with "
        "--why, what each word of a window adds to the score, as text and as a picture.",
    )
    command.set_defaults(run=_predict)
    command.add_argument("model", type=Path, metavar="MODEL", help="a file that tagger.save(path) wrote")
    command.add_argument("text", metavar="TEXT", help='a text such as "Museums in Paris are amazing"')
    command.add_argument("--why", type=_place, metavar="N", help="explain the decision about word N, counted from 1")
    command.add_argument(
        "--parameter", metavar="NAME",
        help="follow the error of that decision to a weight such as W14(1), b1(1), U1 or L23 instead",
    )  # fmt: skip
    command.add_argument("-o", "--output", type=Path, metavar="FILE", help="the picture (default: why-N.svg here)")
    arguments.add_shared(command, "--language", "--digits", "--theme", "--width")


def _place(given: str) -> int:
    if not (given.isascii() and given.isdigit() and 0 < len(given) < 10 and int(given)):
        raise argparse.ArgumentTypeError(f"expected the number of a word, from 1, and got {given!r}")
    return int(given)


def _predict(options: argparse.Namespace) -> int:
    tagger = load(options.model)
    if not isinstance(tagger, Tagger):
        raise ValueError(f"predict needs a file of an nn.Tagger, and {options.model} holds a {type(tagger).__name__}")
    if options.why is None and (options.parameter is not None or options.output is not None):
        raise ValueError("--parameter and --output explain the decision about one word; add --why N")
    found = tagger.marked(options.text)
    if options.why is not None and options.why > len(found):
        raise ValueError(f"--why {options.why}: the text has {len(found)} words, counted from 1")
    why = "" if options.why is None else _why(tagger, options, found[options.why - 1])
    print(" ".join(f"[{printable(word)}]" if mark else printable(word) for word, _, mark in found))
    rows = [
        (str(k), printable(word), number(score, options.digits), tagger.tag if mark else "")
        for k, (word, score, mark) in enumerate(found, start=1)
    ]
    print(_table(rows))
    if why:
        print(f"\n{why}")
    return 0


def _why(tagger: Tagger, options: argparse.Namespace, about: tuple[str, float, bool]) -> str:
    """What is said about one decision, whose picture is written."""
    word, score, mark = about
    windows, language = tagger.windows(options.text), options.language
    ids, window = windows.ids[options.why - 1], windows.tokens[options.why - 1]
    decision = say(
        "predict.marked" if mark else "predict.unmarked", language, word=printable(word), tag=tagger.tag,
        score=number(score, options.digits), threshold=number(tagger.threshold, options.digits),
    )  # fmt: skip
    drawn = {"theme": options.theme, "width": options.width, "digits": options.digits}
    if options.parameter is not None:
        values = tagger.scorer.scalar()
        s = values(ids)
        flow = error_flow(s, values.parameter(options.parameter))
        told = plain_text(flow_story(flow, Style.of(language, options.digits)))
        drawing = see(flow, language=language, **drawn)
    else:
        added = effects(tagger.scorer, ids, window)
        rows = [("", printable(each.text), number(x, options.digits)) for each, x in zip(window, added, strict=True)]
        told = "\n".join([say("predict.effects", language), _table(rows)])
        drawing = window_picture(tagger.scorer, ids, window, language=language, **drawn)
    saved = drawing.save(options.output or f"why-{options.why}.svg")
    wrote = say("wrote", language, path=saved.path, engine=saved.engine)
    return "\n".join([decision, "", told.rstrip("\n"), "", wrote])


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Cells in columns of a terminal."""
    widths = [max(map(columns, cells)) for cells in zip(*rows, strict=True)]
    padded = (
        (cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True)) for row in rows
    )
    return "\n".join("  ".join(cells).rstrip() for cells in padded)
