"""Groups of parameters by patterns of their names, each with its own rate, decay and hyperparameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from math import sqrt
from typing import Any

from autodiff.primitives.operands import describe
from autodiff.words.notation import Name, parse
from nn.descent.formulas import Formula
from nn.descent.schedules import Rate, Schedule
from nn.descent.settings import Settings
from nn.descent.sources import Source

__all__ = ["Groups"]


class Groups:
    """The settings of each parameter: the usual ones, with those of every pattern that matches its name.

    A pattern is a name in ASCII or as printed, with ``*`` and ``?``; it matches an entry also by the name of its array,
    as ``L`` matches ``L23``. If several match, a later one overrides an earlier one.

    Raises:
        ValueError: if a pattern matches no parameter; the message lists the names.
        TypeError: if groups are not a dict of dicts, or contain an unknown setting.
    """

    def __init__(self, formula: Formula, usual: Mapping[str, Any], groups: Any, source: Source) -> None:
        self.patterns = _checked(groups)
        self._formula, self._given = formula, dict(usual)
        self.usual = self._with({})
        self._of_patterns = {pattern: self._with(own) for pattern, own in self.patterns.items()}
        self._chosen: dict[Any, Settings] = {}
        names = [*source.named(), *(name.ascii() for name in source.blocks())] if self.patterns else []
        for pattern in self.patterns:
            if not any(_matches(pattern, name) for name in names):
                known = ", ".join(dict.fromkeys(names)) or "none"
                raise ValueError(f"the group {pattern!r} matches no parameter; their names are {known}")

    def split(self, nodes: list[Any], source: Source, rate: Rate) -> list[tuple[Settings, list[Any]]]:
        """The parameters that move alike, with their settings; ``rate`` is that of the optimiser."""
        if not self.patterns and not (isinstance(rate, Schedule) and rate.scales):
            return [(self.usual, nodes)]
        if not self._chosen.keys() >= set(nodes):
            self._chosen = self._choose(source, rate)
        found: dict[Settings, list[Any]] = {}
        for node in nodes:
            found.setdefault(self._chosen[node], []).append(node)
        return list(found.items())

    def forget(self) -> None:
        """Choose anew at the next step, as after a change of the rate."""
        self._chosen = {}

    def _choose(self, source: Source, rate: Rate) -> dict[Any, Settings]:
        """The settings of all parameters that there are now; those that move alike share one object."""
        made: dict[Any, Settings] = {}
        chosen, shapes = {}, source.blocks()
        for name, node in source.named().items():
            given: dict[str, Any] = {}
            for pattern, own in self.patterns.items():
                if _matches(pattern, name):
                    given |= own
            scaled = given.get("rate", rate)
            factor = 1.0
            if isinstance(scaled, Schedule) and scaled.scales:
                factor = 1.0 / sqrt(_fan_in(name, node, shapes))
            key = (*given.items(), factor)
            if key not in made:
                made[key] = replace(self._with(given), factor=factor)
            chosen[node] = made[key]
        return chosen

    def _with(self, own: Mapping[str, Any]) -> Settings:
        return Settings.of(self._formula, {**self._given, **own})

    def __repr__(self) -> str:
        own = (f", {pattern!r}: ({settings!r})" for pattern, settings in self._of_patterns.items())
        return f"{self.usual!r}{''.join(own)}"


def _checked(groups: Any) -> dict[str, dict[str, Any]]:
    if groups is None:
        return {}
    if not isinstance(groups, Mapping) or not all(
        isinstance(key, str) and isinstance(own, Mapping) for key, own in groups.items()
    ):
        raise TypeError(
            "groups must be a dict of patterns and settings, such as {'b*': dict(decay=0.0)}, "
            f"and got {describe(groups)}"
        )
    return {pattern: dict(own) for pattern, own in groups.items()}


def _matches(pattern: str, name: str) -> bool:
    parsed = _parsed(name)
    spellings = [name] if parsed is None else [name, str(parsed), *_spelled(Name(parsed.letter, (), parsed.layer))]
    return any(fnmatchcase(each, pattern) for each in spellings)


def _spelled(name: Name) -> Iterator[str]:
    yield from (name.ascii(), str(name))


def _parsed(name: str) -> Name | None:
    """The name in the notes' notation, if it is one."""
    try:
        return parse(name)
    except ValueError:
        return None


def _fan_in(name: str, node: Any, shapes: Mapping[Name, tuple[int, ...]]) -> int:
    """n_in: the number of inputs of the unit to which a weight leads."""
    parsed = _parsed(name)
    whole = None if parsed is None else Name(parsed.letter, (), parsed.layer)
    shape = shapes.get(whole, node.shape) if whole is not None else node.shape
    if parsed is not None and parsed.letter in ("b", "L"):
        return 1
    if parsed is not None and parsed.indices and whole not in shapes:
        raise ValueError(f"1/√n_in needs the shape of the array of {parsed}; give the optimiser the net or its Tensors")
    return max(shape[-1], 1) if shape else 1
