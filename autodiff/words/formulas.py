"""Formulas of results as text, such as 0.3·gross and (x − y)², with brackets where the order of operations needs them.

A formula is a text and how tightly its outermost operator binds. What an operation looks like follows from its symbol
in the table of primitives; an operation without a sign of its own is written as a call.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from unicodedata import category

import numpy as np

from autodiff.words.notation import number, superscript

__all__ = [
    "ATOM", "HIDDEN", "POWER", "PRODUCT", "SIGN", "SUM", "Formula", "as_operand", "bare", "formula", "is_word",
    "of_constant", "of_name", "outside", "quotient", "within",
]  # fmt: skip

#: A text and the strength of its outermost operator.
Formula = tuple[str, int]

#: How tightly operators bind; LOOSE are texts that no operator made, such as a name of two words.
LOOSE, SUM, PRODUCT, SIGN, POWER, ATOM = 0, 1, 2, 3, 4, 5
_INFIX: Final = {
    "+": (" + ", SUM), "−": (" − ", SUM), "×": ("·", PRODUCT), "÷": ("/", PRODUCT), "·": ("·", PRODUCT),
    "@": (" @ ", PRODUCT), "⊗": (" ⊗ ", PRODUCT), "//": (" // ", PRODUCT), "%": (" % ", PRODUCT),
}  # fmt: skip
_AROUND: Final = {"|x|": ("|", "|"), "⌊x⌋": ("⌊", "⌋"), "⌈x⌉": ("⌈", "⌉")}
_AFTER: Final = frozenset("ᵀ⁻¹⁺²")
_RAISED: Final = re.compile("[⁰¹²³⁴-⁹⁺⁻⁾ᵀ]$")
_BRACKETS: Final = re.compile(r"\([^()\[\]]*\)|\[[^()\[\]]*\]")
_LOOSENING: Final = re.compile(r"[\s+\-−·×/÷^*%@=,|⌊⌈]")
_TERM: Final = r"[^\s+\-−×÷^*%@=,|⌊⌈]+"
_FACTOR: Final = r"[^\s+\-−·/×÷^*%@=,|⌊⌈]*"
_READABLE: Final = (
    (re.compile(rf"{_FACTOR}\^{_FACTOR}"), POWER),
    (re.compile(rf"{_TERM}"), PRODUCT),
    (re.compile(rf"−?{_TERM}(?: [+−] {_TERM})+"), SUM),
)
_BARS: Final = re.compile(r"\|[^|]+\||⌊[^⌊⌋]+⌋|⌈[^⌈⌉]+⌉")
_BARED: Final = frozenset("1−")  # the ends of operands that `bare` changes
_MOST_OPERANDS: Final = 3
_MOST_ENTRIES: Final = 3
_DIGITS: Final = 6
_LARGEST_RAISED: Final = 99
_LONGEST_TEXT: Final = 12
_PLAIN: Final = frozenset({bool, int, float, str, type(None)})

#: An operand that is left out of a long formula.
HIDDEN: Final[Formula] = ("…", ATOM)


def formula(
    operation: str, symbol: str, operands: Sequence[Formula], params: Mapping[str, Any], defaults: Mapping[str, Any]
) -> Formula:
    """The formula of an operation on operands that are formulas themselves; of many operands, the first three.

    >>> x, y = ("x", 5), ("y", 5)
    >>> made = formula("subtract", "−", [x, y], {}, {})
    >>> formula("square", "x²", [made], {}, {})[0], formula("multiply", "×", [x, made], {}, {})[0]
    ('(x − y)²', 'x·(x − y)')
    >>> formula("add", "+", [x, ("−y", 3)], {}, {})[0], formula("subtract", "−", [x, ("−y", 3)], {}, {})[0]
    ('x − y', 'x + y')
    """
    if params:
        params = {key: item for key, item in params.items() if not _is(item, defaults.get(key))}
    if len(operands) == 2 and symbol in _INFIX and not params:
        sign, binding = _INFIX[symbol]
        (left, first), (right, second) = operands  # x − (y − z), and also x + (y + z), as it was computed
        left = left if first >= binding else f"({left})"
        if binding == SUM and second == SIGN:  # x + (−y) and x − (−y), exactly
            return f"{left}{' − ' if symbol == '+' else ' + '}{right[1:]}", SUM
        text = f"{left}{sign}{right if second > binding and second != SIGN else f'({right})'}"
        return text, SIGN if binding == PRODUCT and first == SIGN else binding
    if len(operands) == 1:
        made = _of_one(symbol, operands[0], params)
        if made is not None:
            return made
    return _of_its_own(operation, symbol, operands, params) or (
        _call(operation, symbol, operands, params),
        ATOM,
    )


def of_name(name: str) -> Formula:
    """A name that a user chose, or any label: signs or spaces outside brackets, and a raised end, loosen it.

    >>> of_name("gross"), of_name("net income"), of_name("z₁⁽²⁾"), of_name("exp(x + y)")
    (('gross', 5), ('net income', 0), ('z₁⁽²⁾', 4), ('exp(x + y)', 5))
    >>> of_name("w·x + b"), of_name("w·(x + y)")
    (('w·x + b', 1), ('w·(x + y)', 2))
    >>> of_name("(1 + rate)^years"), of_name("|x − y|")
    (('(1 + rate)^years', 4), ('|x − y|', 5))
    """
    if _is_plain(name):
        return name, ATOM
    outer = outside(name)
    if _LOOSENING.search(outer):
        outer = _BARS.sub("x", outer)
    if _LOOSENING.search(outer):
        return name, next((binding for form, binding in _READABLE if form.fullmatch(outer)), LOOSE)
    return name, POWER if name.startswith("√") or _RAISED.search(name) else ATOM


def outside(text: str) -> str:
    """The part of a text outside all round and square brackets.

    >>> outside("(x + y)²·w[0]")
    '²·w'
    """
    while "(" in text or "[" in text:
        text, before = _BRACKETS.sub("", text), text
        if text == before:
            break
    return text


def of_constant(item: Any) -> Formula:
    """A constant: its number, the numbers of up to three entries, or the shape of an array.

    >>> import numpy as np
    >>> of_constant(-0.5), of_constant(np.array([1.0, 2.0])), of_constant(np.ones((2, 3)))
    (('−0.5', 3), ('[1, 2]', 5), ('array(2×3)', 5))
    """
    if isinstance(item, float) or np.ndim(item) == 0:  # np.ndim takes longer than the rest
        text = number(float(item), _DIGITS)
        return text, SIGN if text[0] == "−" else POWER if "e" in text else ATOM
    if np.ndim(item) == 1 and np.size(item) <= _MOST_ENTRIES:
        return f"[{', '.join(number(float(entry), _DIGITS) for entry in item)}]", ATOM
    return f"array({'×'.join(map(str, np.shape(item)))})", ATOM


def as_operand(label: str, *, of_power: bool = False) -> str:
    """A label as one operand of any operator except a power, or as the base of a power.

    >>> as_operand("x + y"), as_operand("x²"), as_operand("x²", of_power=True)
    ('(x + y)', 'x²', '(x²)')
    """
    return label if _is_plain(label) else within(of_name(label), ATOM if of_power else POWER)


def within(made: Formula, binding: int) -> str:
    """A formula as an operand, in brackets if its own operator binds less, or if it begins with a minus sign.

    >>> within(("w·x", PRODUCT), SUM), within(("w + x", SUM), PRODUCT), within(("−x", SIGN), SUM)
    ('w·x', '(w + x)', '(−x)')
    """
    text, own = made
    return text if own >= binding and own != SIGN else f"({text})"


def quotient(result: str, operand: str) -> str:
    """The derivative of one label with respect to another: ∂y/∂x, ∂(x + y)/∂x, ∂(x^y)/∂x.

    >>> quotient("a·b", "W₁₄⁽¹⁾")
    '∂(a·b)/∂W₁₄⁽¹⁾'
    """
    over, under = (as_operand(label, of_power="^" in outside(label)) for label in (result, operand))
    return f"∂{over}/∂{under}"


def is_word(symbol: str) -> bool:
    """Whether a symbol is the name of a function: true for σ and hard tanh, false for xⁿ."""
    return all(character == " " or category(character) in ("Ll", "Lu") for character in symbol)


def _is_plain(name: str) -> bool:
    """Whether a name is certainly one word; Python also takes the multiplication sign · for a letter."""
    return name.isidentifier() and "·" not in name


def bare(made: Formula) -> Formula:
    """An operand without factors 1 and double minus signs, which change no number.

    >>> bare(("1·x", PRODUCT)), bare(("−(−(x + y))", SIGN)), bare(("x·11", PRODUCT))
    (('x', 5), ('x + y', 1), ('x·11', 2))
    """
    text, binding = made
    if text[:1] not in _BARED and text[-1:] not in _BARED:
        return made
    if binding == PRODUCT:
        rest = text.removeprefix("1·").removesuffix("·1").removesuffix("/1")
    elif binding == SIGN and text.startswith("−(−") and outside(text) == "−":
        rest = text[3:-1]
    else:
        return made
    if rest == text:
        return made
    if rest.startswith("(") and not outside(rest):
        return rest[1:-1], of_name(rest[1:-1])[1]
    return rest, max(of_name(rest)[1], PRODUCT)


def _of_one(symbol: str, operand: Formula, params: Mapping[str, Any]) -> Formula | None:
    """The formula of an operation on one operand that has a sign; None if it is written as a call."""
    if symbol == "xⁿ" and "n" in params:
        return _power(operand, params["n"])
    if symbol == "[ ]" and "index" in params:
        return f"{within(operand, ATOM)}{_index(params['index'])}", ATOM
    if params:
        return None
    if symbol == "−":
        return f"−{within(operand, PRODUCT)}", SIGN
    if symbol == "√":
        return f"√{within(operand, ATOM)}", POWER
    if symbol == "1/x":
        return f"1/{within(operand, POWER)}", PRODUCT
    if symbol in _AROUND:
        opened, closed = _AROUND[symbol]
        return f"{opened}{operand[0]}{closed}", ATOM
    if symbol == "x²" or (symbol and _AFTER.issuperset(symbol)):
        return f"{within(operand, ATOM)}{symbol.removeprefix('x')}", POWER
    return None


def _power(base: Formula, exponent: Any) -> Formula:
    """x², x⁻¹ and x^0.5."""
    is_number = isinstance(exponent, float | int) or np.ndim(exponent) == 0
    if is_number and float(exponent).is_integer() and abs(exponent) <= _LARGEST_RAISED:
        return f"{within(base, ATOM)}{superscript(str(int(exponent)))}", POWER
    return f"{within(base, ATOM)}^{within(of_constant(exponent), ATOM)}", POWER


def _of_its_own(operation: str, symbol: str, operands: Sequence[Formula], params: Mapping[str, Any]) -> Formula | None:
    """The formula of an operation on several operands that is neither an operator nor a call."""
    if symbol == "xʸ" and len(operands) == 2:
        return f"{within(operands[0], ATOM)}^{within(operands[1], ATOM)}", POWER
    if operation == "hinge" and len(operands) == 2:
        score, corrupt = (within(operand, PRODUCT) for operand in operands)
        return f"max(0, {number(params.get('margin', 1.0), _DIGITS)} + {corrupt} − {score})", ATOM
    if operation == "affine" and len(operands) == 3:
        weights, x, b = operands
        return f"{within(weights, PRODUCT)} @ {within(x, POWER)} + {within(b, PRODUCT)}", SUM
    if operation == "weighted_sum":
        return _weighted(operands)
    return None


def _weighted(operands: Sequence[Formula]) -> Formula:
    """w₁·x₁ + w₂·x₂ + b of the operands w₁, w₂, x₁, x₂, b; without a constant b of 0."""
    count = len(operands) // 2
    shown = count if count <= _MOST_OPERANDS else _MOST_OPERANDS - 1
    terms = [f"{within(operands[k], PRODUCT)}·{within(operands[count + k], POWER)}" for k in range(shown)]
    terms += ["…"] * (shown < count)
    bias = within(operands[-1], PRODUCT)
    terms += [bias] * (len(operands) % 2 and bias != "0")
    return " + ".join(terms), PRODUCT if len(terms) == 1 else SUM


def _call(operation: str, symbol: str, operands: Sequence[Formula], params: Mapping[str, Any]) -> str:
    told = [text for text, _ in operands[:_MOST_OPERANDS]]
    told += ["…"] * (len(operands) > _MOST_OPERANDS)
    told += [f"{key}={_param(item)}" for key, item in params.items()]
    called = is_word(symbol) and (len(symbol) > 1 or (symbol and len(operands) == 1))
    return f"{symbol if called else operation}({', '.join(told)})"


def _is(item: Any, default: Any) -> bool:
    """Whether a plain param has its default."""
    return item.__class__ in _PLAIN and item.__class__ is default.__class__ and bool(item == default)


def _param(item: Any) -> str:
    if isinstance(item, float | np.floating):
        return number(float(item), _DIGITS)
    if item is None or isinstance(item, bool | np.bool | int | np.integer):
        return str(item).replace("-", "−")
    if isinstance(item, str) and len(item) <= _LONGEST_TEXT and item.isprintable():
        return item
    if isinstance(item, tuple | list) and len(item) <= _MOST_ENTRIES and all(isinstance(part, int) for part in item):
        return f"({', '.join(map(_param, item))})"
    return "…"


def _index(index: Any) -> str:
    """An index in brackets: [0], [1:3, 2], […] for one that is not made of numbers and slices."""
    return f"[{', '.join(map(_place, index if isinstance(index, tuple) else (index,)))}]"


def _place(part: Any) -> str:
    if isinstance(part, slice):
        ends = ["" if end is None else _param(end) for end in (part.start, part.stop)]
        return ":".join([*ends, *([] if part.step is None else [_param(part.step)])])
    return "…" if part is Ellipsis else _param(part)
