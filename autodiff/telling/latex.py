r"""A flow, or any story, as a LaTeX document for pdfLaTeX, XeLaTeX and LuaLaTeX.

Every character is either known to be harmless or written by a command, so names chosen by users are printed and never
executed. Characters that may be missing from the fonts are printed as their code points.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from math import fsum
from typing import Final
from unicodedata import category

from autodiff.flow import Flow
from autodiff.telling.story import Block, Equation, Heading, Listing, Numbered, Paragraph, Story, Table, flow_story
from autodiff.telling.style import Style
from autodiff.words.notation import Name
from autodiff.words.printable import shortened
from autodiff.words.typeset import Piece, is_index, pieces, width

__all__ = ["formula", "latex", "sentence", "tex"]

_GREEK: Final = {
    letter: Name(letter).latex() for letter in "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ"
}  # fmt: skip
_MATHS: Final = {
    **_GREEK, "·": r"\cdot", "×": r"\times", "−": "-", "∂": r"\partial", "′": r"{}^{\prime}", "≈": r"\approx",
    "≠": r"\ne", "≤": r"\le", "≥": r"\ge", "∘": r"\circ", "→": r"\to", "‖": r"\Vert", "√": r"\sqrt{\ }", "±": r"\pm",
    "∇": r"\nabla", "✓": r"\checkmark", "✗": r"\times", "∞": r"\infty", "∈": r"\in", "ℝ": r"\mathbb{R}",
}  # fmt: skip
_TEXT: Final = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}",
    "-": "-{}", "…": r"\ldots{}", "–": r"\textendash{}", "’": r"\textquoteright{}", "?": "?{}", "!": "!{}",
}  # fmt: skip
_WIDE: Final = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff01-\uff5e]")
_WORDS: Final = re.compile(r"[^\W\d_]{2,}(?:[ _]+[^\W\d_]{2,}|[ ]+(?=[^\W\d_]$))*")
_INDEXED: Final = re.compile(r"(?<![^\W_])([δaWsΣ])_([ijc]{1,2})(?![^\W_])")
_THOUSANDS: Final = re.compile(r"(?<=\d),(?=\d{3})")
_BREAK: Final = re.compile(r"(?<= [·×+=]) ")
_LONGEST: Final = 78
_LINE: Final = 43.0  # the width of a line, in em

_PREAMBLE: Final = r"""\documentclass[11pt]{article}
\usepackage[a4paper,margin=22mm]{geometry}
\usepackage{iftex}
\ifPDFTeX
  \usepackage[T1]{fontenc}
  \usepackage{textcomp}
  \IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}
  \newcommand{\codepoint}[1]{\texttt{U+#1}}
\else
  \newcommand{\codepoint}[1]{\iffontchar\font"#1 \char"#1 \else\texttt{U+#1}\fi}
\fi
\usepackage{amsmath,amssymb,array,longtable}
\setlength{\parindent}{0pt}
\linespread{1.15}
\renewcommand{\arraystretch}{1.3}
"""


def tex(flow: Flow, *, language: str = "en", digits: int = 4) -> str:
    """The flow as a LaTeX document: the content of `autodiff.telling.text.text`, with formulas set as formulas.

    Raises:
        ValueError: if the language is not supported or digits is less than 1.

    >>> from autodiff import Value
    >>> from autodiff.flow import error_flow
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> tex(error_flow(w * x, w)).splitlines()[18]
    '\\\\section*{How the error of w\\\\ensuremath{\\\\cdot}x reaches w}'
    """
    return latex(flow_story(flow, Style.of(language, digits)))


def latex(story: Story) -> str:
    """A story as a LaTeX document."""
    body = "\n\n".join([rf"\section*{{{sentence(story.title)}}}", *map(_block, story.blocks)])
    chinese = "\\usepackage[UTF8,scheme=plain,fontset=fandol]{ctex}\n" if _WIDE.search(body) else ""
    preamble = f"{_PREAMBLE}{chinese}\\setlength{{\\parindent}}{{0pt}}"
    return f"{preamble}\n\\begin{{document}}\n\n{body}\n\n\\end{{document}}\n"


def sentence(text: str) -> str:
    r"""A text with names of quantities as LaTeX outside formulas.

    >>> print(sentence("50 % of W₁₄⁽¹⁾ & \\input{x}"))
    50 \% of $W_{14}^{(1)}$ \& \textbackslash{}input\{x\}
    """
    parts = _INDEXED.split(text)
    upright = ("".join(_in_text(piece) for piece in pieces(part, formula=False)) if part else "" for part in parts[::3])
    indexed = (f"${_letter(letter)}_{{{index}}}$" for letter, index in zip(parts[1::3], parts[2::3], strict=True))
    return "".join(part for pair in zip_longest(upright, indexed, fillvalue="") for part in pair)


def formula(text: str) -> str:
    r"""A text as LaTeX inside a formula; words stay upright.

    >>> print(formula("(error at a₁⁽²⁾) · σ′(z) = −0.5"))
    (\text{error at }a_{1}^{(2)})\cdot \sigma {}^{\prime}(z)=-0.5
    """
    return "".join(_in_formula(piece) for piece in pieces(text, formula=True))


def _in_text(piece: Piece) -> str:
    if piece.italic:
        return f"${_letter(piece.text)}{_scripts(piece)}$"
    scripts = _scripts(piece)
    return "".join(map(_character, piece.text)) + (f"${scripts}$" if scripts else "")


def _in_formula(piece: Piece) -> str:
    if piece.italic:
        return _letter(piece.text) + _scripts(piece)
    found: list[str] = []
    at = 0
    for words in _WORDS.finditer(piece.text):
        found.append(_signs(piece.text[at : words.start()]))
        end = words.end() + (piece.text[words.end() : words.end() + 1] == " ")
        found.append(rf"\text{{{''.join(map(_character, piece.text[words.start() : end]))}}}")
        at = end
    return "".join([*found, _signs(piece.text[at:])]) + _scripts(piece)


def _letter(letter: str) -> str:
    return letter if letter.isascii() else rf"{_MATHS[letter]} " if letter in _MATHS else _as_text(letter)


def _signs(text: str) -> str:
    """Digits, brackets and signs of a formula."""
    return _THOUSANDS.sub("{,}", "".join("" if c == " " else _sign(c) for c in text))


def _sign(character: str) -> str:
    if character in _MATHS:
        known = _MATHS[character]
        return f"{known} " if known.startswith("\\") else known
    if (character.isascii() and character.isalnum()) or character in "()[]+=/.,:;*":
        return character
    return _as_text(character)


def _as_text(character: str) -> str:
    return rf"\text{{{_character(character)}}}"


def _scripts(piece: Piece) -> str:
    lowered, raised = piece.sub.replace("−", "-"), piece.sup.replace("−", "-").replace("T", r"\top ")
    if not is_index(piece.sup):  # the exponent of a power, which can contain names
        raised = formula(piece.sup)
    return (f"_{{{lowered}}}" if lowered else "") + (f"^{{{raised}}}" if raised else "")


def _character(character: str) -> str:
    if character in _TEXT:
        return _TEXT[character]
    if character in _MATHS:
        return rf"\ensuremath{{{_MATHS[character]}}}"
    if (character.isascii() and character.isprintable()) or _WIDE.fullmatch(character):
        return character
    return " " if category(character) == "Zs" else rf"\codepoint{{{ord(character):04X}}}"


# ---- blocks ----------------------------------------------------------------------------------------------------------


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return rf"\subsection*{{{sentence(block.text)}}}"
    if isinstance(block, Paragraph):
        return "\n\n".join(map(sentence, block.lines))
    if isinstance(block, Equation):
        return _equation(block)
    if isinstance(block, Numbered):
        return "\n".join([r"\begin{description}", *_items(block), r"\end{description}"])
    if isinstance(block, Listing):
        items = [rf"  \item {sentence(line)}" for line in block.lines]
        return "\n".join([sentence(block.head), r"\begin{itemize}", *items, r"\end{itemize}"])
    return _table(block)


def _equation(equation: Equation) -> str:
    lines = [line for part in equation.right for line in _broken(part)]
    left = quotient(shortened(equation.left, _LONGEST))
    rows = [rf"{left} &{lines[0]}", *(f"&{line}" for line in lines[1:])]
    joined = " \\\\\n  ".join(rows)
    return f"\\begin{{align*}}\n  {joined}\n\\end{{align*}}"


def quotient(text: str) -> str:
    r"""∂s/∂w as a fraction; any other text as `formula` writes it.

    >>> print(quotient("∂s/∂w"))
    \frac{\partial s}{\partial w}
    """
    *factor, last = text.split(" · ")
    above, bar, below = last.partition("/∂")
    if not bar or "/∂" in below or not above.startswith("∂"):
        return formula(text)
    before = "".join(rf"{formula(part)}\cdot " for part in factor)
    return rf"{before}\frac{{{formula(above)}}}{{\partial {formula(below)}}}"


def _broken(part: str) -> Iterator[str]:
    """A side of an equation, broken into lines that fit on a page."""
    line, start = "", "="
    for word in _BREAK.split(part):
        if line and len(line) + len(word) > _LONGEST:
            yield start + formula(line)
            line, start = "", r"\quad "
        line += (" " if line else "") + word
    yield start + formula(line)


def _items(block: Numbered) -> Iterator[str]:
    for k, line in block.lines:
        yield rf"  \\ {sentence(line)}" if k is None else rf"  \item[({k})] {sentence(line)}"


def _table(table: Table) -> str:
    rows = [" & ".join(map(sentence, row)) + r" \\" for row in table.rows]
    head = [" & ".join(rf"\textbf{{{sentence(cell)}}}" for cell in table.head) + r" \\ \hline"] if table.head else []
    columns = "".join(rf">{{\raggedright\arraybackslash}}p{{{part:.3f}\linewidth}}" for part in _parts(table))
    return "\n".join([
        rf"\begin{{longtable}}[l]{{@{{}}{columns}@{{}}}}", *(f"  {row}" for row in [*head, *rows]), r"\end{longtable}",
    ])  # fmt: skip


def _parts(table: Table) -> list[float]:
    """The part of a line for each column, by its widest text; the head may take two lines."""
    heads = table.head or ("",) * len(table.rows[0])
    columns = zip(heads, *table.rows, strict=True)
    widest = [max([width(head, 0.6), *(width(cell, 1.0) for cell in cells)]) + 1.0 for head, *cells in columns]
    return [(1.0 - 0.03 * len(widest)) * own / max(fsum(widest), _LINE) for own in widest]
