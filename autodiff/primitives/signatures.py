"""Check that the forward of a primitive and its rules take the same inputs and params; say what a call lacks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["Rule", "check_fit", "no_keyword", "signature_of"]

#: Computes the share of the error signal for one input.
Rule = Callable[..., Any]


def check_fit(name: str, forward: Callable[..., Any], rules: tuple[Rule, ...] | Rule) -> None:
    """Raise ValueError if ``forward`` and the rules do not take the same inputs and params.

    A function without a signature, like many of NumPy's and Python's functions, is not checked.
    """
    signature = signature_of(forward)
    if signature is None:
        return
    params = [item.name for item in signature.parameters.values() if item.kind is item.KEYWORD_ONLY]
    if isinstance(rules, tuple):
        counts = [len(rules)]
        said = f"primitive {name!r} has {len(rules)} rule{'s' * (len(rules) > 1)}, one for each input"
        called = [(f"the rule of input {k}", rule, ["g", "z"]) for k, rule in enumerate(rules, 1)]
    else:
        counts = _counts(signature)
        said = f"primitive {name!r} has one rule (k, g, z, *inputs) for any number of inputs, not a list of rules"
        called = [("that rule", rules, ["k", "g", "z"])]
    for what, function, first in [("its forward", forward, ["xp"]), *called]:
        for count in counts:
            reason = _misfit(function, first + [f"x{k}" for k in range(1, count + 1)], params)
            if reason:
                raise ValueError(f"{said}; {what} {reason}. Constant arguments must be keyword-only: (xp, x, *, n)")


def _counts(signature: inspect.Signature) -> list[int]:
    """The numbers of inputs to test if a rule takes any number: the fewest that forward takes, and one more."""
    needed = [item.kind for item in signature.parameters.values() if item.default is inspect.Parameter.empty]
    fewest = max(sum(kind <= inspect.Parameter.POSITIONAL_OR_KEYWORD for kind in needed) - 1, 1)
    return [fewest, fewest + 1] if inspect.Parameter.VAR_POSITIONAL in needed else [fewest]


def _misfit(function: Callable[..., Any], given: list[str], params: list[str]) -> str:
    """Why ``function`` cannot be called with these arguments; "" if it can."""
    signature = signature_of(function)
    if signature is None:
        return ""
    try:
        signature.bind(*given, **dict.fromkeys(params))
    except TypeError as error:
        bare = [item.replace(default=item.empty, annotation=item.empty) for item in signature.parameters.values()]
        takes = signature.replace(parameters=bare, return_annotation=signature.empty)
        call = ", ".join([*given, *(f"{key}=…" for key in params)])
        return f"is called with ({call}) but takes {takes}: {error}"
    return ""


def signature_of(function: Callable[..., Any]) -> inspect.Signature | None:
    """The signature of a function; None if it has none."""
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None


def no_keyword(name: str, known: Iterable[str], given: Iterable[str]) -> TypeError:
    """The error for a keyword that a function does not have, such as PyTorch's ``dim``.

    >>> no_keyword("sum", ["axis", "keepdims"], ["dim"])
    TypeError("sum() has no keyword 'dim'; its keywords are axis and keepdims")
    """
    keys = list(known)
    unknown = next(key for key in given if key not in keys)
    *first, last = keys or [""]
    its = f"its keywords are {', '.join(first)} and {last}" if first else f"its keyword is {last}"
    return TypeError(f"{name}() has no keyword {unknown!r}; {its if keys else 'it takes none'}")
