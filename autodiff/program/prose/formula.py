"""A program in the notes' matrix form, from the same typed expressions as its source.

Example: ``delta2 = da2 * np.sign(a2)`` reads δ⁽²⁾ = ∂a⁽²⁾ ∘ sign(a⁽²⁾), and ``dW2 = delta2.T @ a1`` reads
∂W⁽²⁾ = δ⁽²⁾ᵀ a⁽¹⁾. A row of an array is an example.
"""

from __future__ import annotations

import re
from typing import Any, Final

from autodiff.program.prose.expressions import Expr
from autodiff.program.prose.printing import settled
from autodiff.program.prose.translation import Translation

__all__ = ["Formula", "formula"]

_RAISED: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_LATEX: Final = {"∘": r"\circ", "·": r"\cdot", "Σ": r"\sum", "≥": r"\ge", "≤": r"\le", "≠": r"\ne", "δ": r"\delta ",
                 "∂": r"\partial "}  # fmt: skip
_SIGNS: Final = {">=": "≥", "<=": "≤", "==": "=", "!=": "≠", "@": ""}


class Formula(str):
    """The formulas in Unicode, a line each; ``latex`` has them as LaTeX."""

    __slots__ = ("latex",)
    latex: str


def formula(translation: Translation) -> Formula:
    """The statements of both passes; how parameters lie in their array, and joins of their gradients, are left out."""
    plain, latex = (_lines(translation, _Spelling(latex=each)) for each in (False, True))
    made = Formula("\n".join(plain))
    made.latex = "\n".join([r"\begin{aligned}", " \\\\\n".join(latex), r"\end{aligned}"])
    return made


def _lines(translation: Translation, spelling: _Spelling) -> list[str]:
    rows, spelling.inlined = settled(translation.contents.statements, translation.returned)
    lines = []
    for array, expression in rows:
        left = "" if array is None else f"{spelling.name(array.name)} {'&' if spelling.latex else ''}= "
        if not _rearranges(expression, translation):
            lines.append(f"{left}{spelling.of(expression)}")
    return lines


def _rearranges(expression: Expr, translation: Translation) -> bool:
    """Whether an expression only picks from an argument, or joins what has its lines."""
    if expression.template.startswith("np.concatenate"):
        return True
    while expression.kind == "view":
        expression = expression.parts[0]
    return expression.array in translation.arguments


class _Spelling:
    """Expressions as formulas."""

    def __init__(self, *, latex: bool) -> None:
        self.latex = latex
        self.inlined: dict[Any, Expr] = {}

    def _sign(self, text: str) -> str:
        return _LATEX.get(text, text) if self.latex else text

    def name(self, name: str) -> str:
        """``delta2`` as δ⁽²⁾, ``dW2`` as ∂W⁽²⁾, ``a1`` as a⁽¹⁾."""
        found = re.fullmatch(r"(delta|d(?=[A-Za-z]))?([A-Za-z]*?)(\d*)", name)
        if found is None:
            return name.replace("_", r"\_") if self.latex else name
        head, letters, digits = found.groups()
        sign = {"delta": "δ", "d": "∂", None: ""}[head]
        letters = rf"\mathrm{{{letters}}}" if self.latex and len(letters) > 1 else letters
        raised = f"^{{({digits})}}" if self.latex else f"⁽{digits.translate(_RAISED)}⁾"
        return f"{self._sign(sign)}{letters}{raised if digits else ''}"

    def of(self, expression: Expr, need: int = 0) -> str:
        """The formula, in brackets if it binds less than it needs to."""
        expression = expression.real(self.inlined)
        if expression.array is not None:
            return self.name(expression.array.name)
        text = self._of(expression)
        return f"({text})" if expression.binding < need else text

    def _of(self, expression: Expr) -> str:
        template, parts, kind = expression.template, expression.parts, expression.kind
        if kind == "view":
            return self._view(expression)
        if kind == "/" and self.latex:
            return rf"\frac{{{self.of(parts[0])}}}{{{self.of(parts[1])}}}"
        if kind == "*":
            return self._times(parts)
        texts = [
            self.of(part, 0 if part.real(self.inlined).kind == kind in ("+",) else need)
            for part, need in zip(parts, expression.needs, strict=True)
        ]
        if kind:
            sign = self._sign(_SIGNS.get(kind, kind))
            return f"{texts[0]} {sign} {texts[1]}" if sign else f"{texts[0]} {texts[1]}"
        if template == "{}**2":
            return f"{texts[0]}^2" if self.latex else f"{texts[0]}²"
        if ".sum(" in template:
            return f"{self._sign('Σ')} {texts[0]}"
        function = template.replace("np.", "").replace("maximum", "max").replace("minimum", "min")
        return function.format(*texts) if texts else function

    def _times(self, parts: tuple[Expr, ...]) -> str:
        """Numbers times arrays, arrays element by element, and a column times a row as the outer product."""
        left, right = (part.real(self.inlined) for part in parts)
        if left.template == "{}[:, None]" and len(right.shape) == 1:
            turned = "^T" if self.latex else "ᵀ"
            return f"{self.of(left.parts[0], 9)} {self.of(right, 9)}{turned}"
        sign = self._sign("∘" if left.shape and right.shape else "·")
        texts = [self.of(part, 0 if part.kind == "*" else need) for part, need in ((left, 5), (right, 6))]
        return f"{texts[0]} {sign} {texts[1]}"

    def _view(self, expression: Expr) -> str:
        of, template = expression.parts[0], expression.template
        if template == "{}.T":
            return f"{self.of(of, 9)}{'^T' if self.latex else 'ᵀ'}"
        if "reshape" in template or "None" in template:
            return self.of(of, 9)
        return template.format(self.of(of, 9))
