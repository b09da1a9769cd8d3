"""Names of network quantities such as W₁₄⁽¹⁾: read in any usual spelling, printed in one.

Conventions (the notes, "Conventions" and section 1.5): W_ij⁽ᵏ⁾ goes to unit i of layer k+1 from unit j of layer k;
indices and layers are 1-based.

>>> parse("W_{14}^{(1)}")
Name(letter='W', indices=(1, 4), layer=1)
>>> print(parse("W1[1,4]"))
W₁₄⁽¹⁾
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import total_ordering
from math import prod
from operator import index
from string import ascii_letters
from typing import SupportsIndex, TypeVar, final

from autodiff.words.subscripts import SPELLINGS, spelled_in_latex

__all__ = ["MATRICES", "ON_THE_LINE", "Name", "find", "in_ascii", "number", "parse", "subscript", "superscript"]

T = TypeVar("T")

MATRICES = frozenset({"W", "L", "V"})
"""The letters with two indices, row and column; one-digit indices are written without a comma: W₁₄."""

# Greek letters that look like Latin ones (capital alpha, omicron …) are left out: LaTeX has no commands for them, and
# readers could not tell them apart.
_GREEK_LETTERS = "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ"
_GREEK_WORDS = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi "
    "psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
)
_GREEK = dict(zip(_GREEK_LETTERS, _GREEK_WORDS.split(), strict=True))
_SPELLINGS = (
    {letter: letter for letter in (*ascii_letters, *_GREEK)}
    | {spelling: letter for letter, word in _GREEK.items() for spelling in (word, "\\" + word)}
    | dict.fromkeys(("s_c", "sc", "s_{c}", "{s_c}"), "s_c")
    | SPELLINGS
)
_LETTERS = frozenset(_SPELLINGS.values())

_LOWER = str.maketrans("0123456789()+-", "₀₁₂₃₄₅₆₇₈₉₍₎₊₋")
_RAISE = str.maketrans("0123456789()+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾⁺⁻")
ON_THE_LINE = str.maketrans("₀₁₂₃₄₅₆₇₈₉⁰¹²³⁴⁵⁶⁷⁸⁹", "01234567890123456789")  # digits below or above it

# ASCII spellings of the notation and of the other signs in our texts.
_TYPED = str.maketrans(
    _GREEK
    | dict(zip("₀₁₂₃₄₅₆₇₈₉₍₎₊₋⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾⁺⁻ᶜᵏⁿᵀˣʸ", "0123456789()+-0123456789()+-cknTxy", strict=True))
    | {
        "ᵢ": "_i", "ₙ": "_n", "ₓ": "_x", "′": "'", "∂": "d", "∇": "grad ", "∫": "integral ", "√": "sqrt", "∞": "inf",
        "∛": "cbrt", "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")",
        "−": "-", "×": "x", "·": "*", "÷": "/", "±": "+-", "∓": "-+", "∘": ".*", "⊗": "(x)", "‖": "||", "⟨": "<",
        "⟩": ">", "≈": "~", "∝": "~", "≠": "!=", "≤": "<=", "≥": ">=", "∈": "in", "ℝ": "R", "→": "->", "←": "<-",
        "↑": "(up)", "↓": "(down)", "–": "-", "…": "...", "’": "'", "“": '"', "”": '"', "µ": "u", "─": "-", "█": "#",
        "✓": "ok", "✗": "X", "\N{REPLACEMENT CHARACTER}": "?", "\N{LEFT-TO-RIGHT MARK}": "",
        "\N{NO-BREAK SPACE}": " ", "\N{ONE DOT LEADER}": ".", "½": "1/2",
    }
)  # fmt: skip
_RAISED_TEXT = re.compile("(⁽[^⁽⁾]*⁾)|[⁰¹²³⁴-⁹⁺⁻ᶜᵏⁿᵀˣʸ]+")  # a layer, or a power

# Digits are listed because \d matches those of every script; their number is limited because int() refuses very long
# ones.
_NUMBER, _LOWERED, _RAISED = "[0-9]{1,9}", "[₀-₉]{1,9}", "[⁰¹²³⁴-⁹]{1,9}"
_LIST = f"{_NUMBER}(?:,{_NUMBER})*"
_HEAD = re.compile(rf"{'|'.join(map(re.escape, SPELLINGS))} | \{{s_c\}} | s_\{{c\}} | s_c | \\?[A-Za-z]+ | .", re.X)
_PART = re.compile(
    rf"""
    (?P<layer>   (?: _?{_NUMBER} | {_LOWERED} ) (?=\[)       # the 1 of W1[1,4]
               | \^?\({_NUMBER}\) | \^{_NUMBER}              # (1)  ^(1)  ^1
               | \^\{{ (?: {_NUMBER} | \({_NUMBER}\) ) \}}   # ^{{1}}  ^{{(1)}}
               | ⁽{_RAISED}⁾ | {_RAISED}
    )
  | (?P<indices> _?{_LIST} | _\{{{_LIST}\}} | \[{_LIST}\]    # 1,4  _1,4  _{{1,4}}  [1,4]
               | {_LOWERED} (?: ,{_LOWERED} )*
    )
    """,
    re.VERBOSE,
)
_FORMS = "valid forms are W14(1), W_{14}^{(1)}, W1[1,4] (layer before the bracket), W10,2(1), W₁₄⁽¹⁾; b1(1), U1, δ1(2)"

_LONGEST_QUOTE, _LAYERS_LISTED, _WRITTEN_OUT = 60, 4, 1e7
_THOUSANDS = re.compile(r"^-?\d{5,}(?!\d*e)")


def subscript(text: str) -> str:
    """Lower the digits, brackets and signs of `text`; everything else, such as the comma, stays unchanged.

    Source: the notes, Conventions.

    >>> subscript("10,2")
    '₁₀,₂'
    """
    return text.translate(_LOWER)


def superscript(text: str) -> str:
    """Raise the digits, brackets and signs of `text`; everything else stays unchanged.

    Source: the notes, Conventions.

    >>> superscript("(1)")
    '⁽¹⁾'
    """
    return text.translate(_RAISE)


@final
@total_ordering
@dataclass(frozen=True, slots=True)
class Name:
    """The name of one network quantity: a letter, its 1-based indices and its layer.

    Arguments: `letter`, a Latin or Greek letter or "s_c"; `indices`, empty for a whole array, two for one entry of a
    matrix (see `MATRICES`); `layer`, None for quantities without a layer, such as U.
    Names are ordered by letter, indices and layer; a name without a layer comes first.
    Raises: ValueError if the letter is unknown, an index or layer is below 1, or a matrix entry does not have exactly
    two indices; TypeError if an index or layer is not an integer.
    Source: the notes, Conventions and section 1.5.

    >>> print(Name("W", (1, 4), 1), Name("W", (10, 2), 1), Name("δ", (1,), 2))
    W₁₄⁽¹⁾ W₁₀,₂⁽¹⁾ δ₁⁽²⁾
    """

    letter: str
    indices: tuple[int, ...] = ()
    layer: int | None = None

    def __post_init__(self) -> None:
        if self.letter not in _LETTERS:
            raise ValueError(f"unknown letter {self.letter!r} (must be one Latin or Greek letter, or 's_c')")
        # NumPy integers are accepted but stored as int, which prints and pickles the same everywhere.
        object.__setattr__(self, "indices", tuple(_counted(i, "indices") for i in self.indices))
        if self.layer is not None:
            object.__setattr__(self, "layer", _counted(self.layer, "layers"))
        if self.letter in MATRICES and len(self.indices) not in (0, 2):
            raise ValueError(self._needs_two())

    def __str__(self) -> str:
        return self.letter + subscript(self._joined()) + ("" if self.layer is None else superscript(f"({self.layer})"))

    # Not dataclass(order=True): it would compare None with an integer layer, and raise.
    def __lt__(self, other: object) -> bool:
        return self._key() < other._key() if isinstance(other, Name) else NotImplemented

    def latex(self) -> str:
        r"""Write the name in LaTeX, without dollar signs.

        Source: the notes, section 1.5.

        >>> print(Name("W", (1, 4), 1).latex(), Name("δ", (1,), 2).latex())
        W_{14}^{(1)} \delta_{1}^{(2)}
        """
        letter = f"\\{_GREEK[self.letter]}" if self.letter in _GREEK else spelled_in_latex(self.letter)
        if not self.indices:
            return letter + self._latex_layer()
        # A second subscript on s_c is a LaTeX error unless the first is closed in braces.
        base = f"{{{letter}}}" if "_" in letter else letter
        return f"{base}_{{{self._joined()}}}{self._latex_layer()}"

    def ascii(self) -> str:
        """Write the name in ASCII.

        Source: the notes, section 1.5.

        >>> print(Name("W", (1, 4), 1).ascii(), Name("W", (10, 2), 1).ascii(), Name("δ", (1,), 2).ascii())
        W14(1) W10,2(1) delta1(2)
        """
        return in_ascii(str(self))

    def _joined(self) -> str:
        # Outside matrices, x₁₂ is entry twelve, so two indices always need a comma there.
        together = self.letter in MATRICES and max(self.indices, default=0) < 10
        return ("" if together else ",").join(map(str, self.indices))

    def _latex_layer(self) -> str:
        return "" if self.layer is None else f"^{{({self.layer})}}"

    def _key(self) -> tuple[str, tuple[int, ...], int]:
        return self.letter, self.indices, self.layer or 0

    def _needs_two(self) -> str:
        if len(self.indices) != 1:
            return f"{self.letter} takes two indices, row and column, got {len(self.indices)}"
        full = Name(self.letter, (1, *self.indices), self.layer)
        return f"{self.letter} takes two indices; for an entry of its only row, write {full.ascii()} for {full}"


def parse(text: str) -> Name:
    """Read a name in any usual spelling.

    Arguments: `text`, such as W14(1), W_{14}^{(1)}, W^(1)_14, W[1,4](1), W1[1,4] (the digits before the bracket are the
    layer) or W₁₄⁽¹⁾. Two digits after a matrix letter are its row and column; longer indices need a comma, W10,2(1).
    Digits after other letters form one number. Dollar signs around the name, LaTeX commands of Greek letters, their
    bare names (delta1) and spaces are accepted, except spaces between digits.
    Result: the Name; parse(str(n)), parse(n.latex()) and parse(n.ascii()) all return n.
    Raises: TypeError if `text` is not a str; ValueError, with the text, the reason and the valid forms, if it is not a
    name.
    Source: the notes, Conventions and section 1.5.

    >>> parse("b12(1)")
    Name(letter='b', indices=(12,), layer=1)
    """
    if not isinstance(text, str):
        raise TypeError(f"expected a name as a str, such as 'W14(1)', but got {text!r} (type={type(text).__name__})")
    try:
        return _read(_without_spaces(text))
    except ValueError as reason:
        raise ValueError(f"cannot read {_quoted(text)} as a name: {reason}; {_FORMS}") from None


def find(name: str | Name, known: Mapping[Name, T]) -> T:
    """Look up a quantity by its name in any spelling.

    Arguments: `name`, a Name or a text for `parse`; `known`, the quantities by name.
    Result: known[name].
    Raises: ValueError if there is no such name, with a list of the known names by layer and in ranges; TypeError and
    ValueError as in `parse`.
    Source: the notes, Conventions.

    >>> find("W14(1)", {Name("W", (1, 4), 1): 0.3})
    0.3
    """
    wanted = name if isinstance(name, Name) else parse(name)
    if wanted not in known:
        raise ValueError(f"no parameter {wanted}: {_inventory(known, near=wanted.layer or 1)}")
    return known[wanted]


def in_ascii(text: str) -> str:
    """Write the notation in a text in ASCII: names as in `Name.ascii`, powers with ^, signs in words.

    Arguments: `text`, any text; characters outside the notation, such as accents or Chinese, stay unchanged.
    Result: the text.
    Source: the notes, Conventions.

    >>> in_ascii("∂s/∂W₁₄⁽¹⁾ = σ′(z₁⁽²⁾) × 10⁻² ± 1e−12")
    "ds/dW14(1) = sigma'(z1(2)) x 10^-2 +- 1e-12"
    """
    if text.isascii():
        return text
    return _RAISED_TEXT.sub(lambda raised: raised[1] or f"^{raised[0]}", text).translate(_TYPED)


def number(x: float | None, digits: int = 4) -> str:
    """Print a number for people: few significant digits, a true minus sign, no trailing zeros, no negative zero.

    Arguments: `x`, the number, or None for one not known yet, printed as a dash; `digits`, the significant digits.
    Result: the text; from 10,000 on with commas, from ten millions on with a power of ten unless all digits are shown.
    Raises: ValueError if `digits` is less than 1.
    Source: the values printed beside the names in the notes, section 1.5.

    >>> number(-0.0405), number(0.90), number(0.129099), number(None), number(12050.0)
    ('−0.0405', '0.9', '0.1291', '–', '12,050')
    """
    if digits < 1:
        raise ValueError(f"expected at least 1 significant digit, but got digits={digits}")
    if x is None:
        return "\N{EN DASH}"
    text = f"{float(x) + 0.0:.{digits}g}"  # adding 0.0 turns -0.0 into 0.0 and changes nothing else
    if "e+0" in text and abs(float(text)) < _WRITTEN_OUT:
        text = f"{float(text):.0f}"
    return _THOUSANDS.sub(lambda whole: f"{int(whole[0]):,}", text).replace("-", "\N{MINUS SIGN}")


def _counted(value: SupportsIndex, what: str) -> int:
    count = int(index(value))
    if count < 1:
        raise ValueError(f"{what} are 1-based, got {count}")
    return count


def _without_spaces(text: str) -> str:
    # A space between two digits stays and is refused later: W14 1 could mean either W₁₄⁽¹⁾ or W₁₄,₁.
    single = " ".join(text.strip().strip("$").split())
    return re.sub("(?<![0-9₀-₉]) | (?![0-9₀-₉])", "", single)


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "…")


def _read(text: str) -> Name:
    head = _HEAD.match(text)
    if head is None or head[0] not in _SPELLINGS:
        raise ValueError("it does not begin with one Latin or Greek letter")
    letter, parts = _SPELLINGS[head[0]], _parts(text, head.end())
    layer = int(parts["layer"][0]) if "layer" in parts else None
    return Name(letter, _indices(letter, parts.get("indices", []), layer), layer)


def _parts(text: str, start: int) -> dict[str, list[str]]:
    """Split the text after the letter into the digits of the layer and of the indices, in either order."""
    parts: dict[str, list[str]] = {}
    while start < len(text):
        part = _PART.match(text, start)
        if part is None or part.lastgroup is None:
            raise ValueError(f"{_quoted(text[start:])} is neither indices nor a layer")
        if part.lastgroup in parts:
            raise ValueError(f"{_quoted(part[0])} gives the {part.lastgroup} a second time")
        parts[part.lastgroup] = re.findall("[0-9]+", part[0].translate(ON_THE_LINE))
        start = part.end()
    return parts


def _indices(letter: str, runs: Sequence[str], layer: int | None) -> tuple[int, ...]:
    """Make numbers of runs of digits; the one run after a matrix letter holds both of its indices."""
    if letter not in MATRICES or len(runs) != 1 or len(runs[0]) == 1:
        return tuple(map(int, runs))
    (digits,) = runs
    if len(digits) == 2:
        return int(digits[0]), int(digits[1])
    cuts = ((digits[:i], digits[i:]) for i in range(len(digits) - 1, 0, -1))
    readings = [Name(letter, (int(i), int(j)), layer).ascii() for i, j in cuts if "0" not in (i[0], j[0])]
    if not readings:
        raise ValueError("indices are 1-based, and none begins with 0")
    raise ValueError(f"the indices {digits} are ambiguous without a comma: write {' or '.join(readings)}")


def _inventory(names: Iterable[Name], near: int) -> str:
    layers: dict[int, list[Name]] = {}
    loose: list[Name] = []
    for name in sorted(names):
        (loose if name.layer is None else layers.setdefault(name.layer, [])).append(name)
    nearest = sorted(layers, key=lambda layer: abs(layer - near))[:_LAYERS_LISTED]
    clauses = [f"layer {layer} has {_ranges(layers[layer])}" for layer in sorted(nearest)]
    if len(layers) > len(nearest):
        clauses.append(f"{len(layers)} layers in all, {min(layers)} … {max(layers)}")
    if loose:
        clauses.append(_ranges(loose))
    return "; ".join(clauses) or "there are none"


def _ranges(names: Iterable[Name]) -> str:
    groups: dict[tuple[str, int], list[Name]] = {}
    for name in names:
        groups.setdefault((name.letter, len(name.indices)), []).append(name)
    return ", ".join(map(_range, groups.values()))


def _range(names: Sequence[Name]) -> str:
    if len(names) == 1:
        return str(names[0])
    columns = zip(*(name.indices for name in names), strict=True)
    size = prod(max(column) - min(column) + 1 for column in columns)
    return f"{names[0]} … {names[-1]}" + ("" if size == len(names) else " (with gaps)")
