"""The entry point for hypothesis where autodiff is installed: it registers strategies for types, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from autodiff.testing.random_programs.program import Program
from autodiff.values.tensor import Tensor
from autodiff.values.value import Value
from autodiff.words.notation import Name

__all__ = ["register"]

_STRATEGIES: Final[dict[type, str]] = {
    Value: "values", Tensor: "tensors", Program: "programs_of_either_kind", Name: "parameter_names",
}  # fmt: skip


def register() -> None:
    """Register strategies for Value, Tensor, Program and Name with hypothesis; they are loaded on first use.

    Hypothesis calls this itself where autodiff is installed.

    >>> from hypothesis import find
    >>> from hypothesis import strategies as st
    >>> register()
    >>> find(st.from_type(Value), lambda x: x.data > 1)
    Value(data=2, grad=–)
    """
    strategies = import_module("hypothesis.strategies")
    for kind, name in _STRATEGIES.items():
        strategies.register_type_strategy(kind, _called(name))


def _called(name: str) -> Callable[[type], Any]:
    return lambda _: getattr(import_module("autodiff.testing.hooks.strategies"), name)()
