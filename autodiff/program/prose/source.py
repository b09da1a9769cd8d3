"""`prose`: a form as one function of NumPy that a person could have written."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from autodiff.program.compiling.form import Form
from autodiff.program.prose.expressions import NotPlainError
from autodiff.program.prose.printing import lines_of
from autodiff.program.prose.translation import Translation
from autodiff.program.writing.written import write

__all__ = ["NotPlainError", "Prose", "prose"]

_WIDTH: Final = 100


@dataclass(frozen=True)
class Prose:
    """The source of a function, and the primitives that it calls by name because NumPy has no such functions."""

    text: str
    calls: tuple[str, ...]
    arguments: tuple[str, ...]
    translation: Translation


def prose(form: Form, name: str = "step", *, results: int | None = None, mean: bool | None = None) -> Prose:
    """A form as a function that returns the results and the gradients of their sum by each group of parameters.

    Args:
        form: the program.
        name: that of the function.
        results: how many of the form's outputs are results; all if omitted.
        mean: for a form over examples, whether results and gradients are averages; None: results of each example, and
            the gradients of their sum.

    Formulas are those of a textbook, such as a·(1 − a) for the slope of the logistic function; the compiled program
    uses ones that keep all digits where units saturate.

    Raises:
        NotPlainError: if NumPy's source cannot express it.
    """
    translation = Translation(write(form, results=results, plain=True), results, mean=mean)
    while name in translation.constants:
        name += "_"
    taken = {"np", "N", "integers", name, *translation.calls}
    for array in translation.arguments:
        array.name = array.hint
        taken.add(array.hint)
    taken.update(translation.constants)
    body = lines_of(translation.contents.statements, translation.returned, taken)
    arguments = [array.name for array in translation.arguments]
    text = "\n".join(body)
    if translation.batched:
        of = next(array for array in translation.arguments if array.shape[:1] == (-1,))
        body = [f"N = len({of.name})", *body]
    if translation.chooses:
        arguments.append("integers")
    constants = [f"{each} = {_array(thing)}" for each, thing in translation.constants.items() if _is_used(each, text)]
    head = ["import numpy as np", "", *([*constants, ""] if constants else []), ""]
    lines = [*head, f"def {name}({', '.join(arguments)}):", *(f"    {line}" for line in body)]
    return Prose("\n".join(lines) + "\n", tuple(translation.calls), tuple(arguments), translation)


def _is_used(name: str, text: str) -> bool:

    return re.search(rf"(?<![\w.]){name}\b", text) is not None


def _array(thing: Any) -> str:
    """A constant array as source."""
    array = np.asarray(thing)
    of_type = "" if array.dtype in (np.float64, np.int64, np.bool) else f", dtype=np.{array.dtype.name}"
    numbers = repr(array.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
    return "\n    ".join(_wrapped(f"np.array({numbers}{of_type})"))


def _wrapped(text: str) -> Iterable[str]:
    return textwrap.wrap(text, _WIDTH, break_long_words=False) or [text]
