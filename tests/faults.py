"""The faults that `tests.mutants` plants: in every rule of the table, and in the engine, as changes of source text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fault:
    """One change of one file: ``old`` becomes ``new`` in its ``place`` (0-based, of several), or ``new`` is appended.

    Tests whose name holds ``target`` run first. An ``equivalent`` fault changes nothing a test could see; it says why.
    """

    name: str
    file: str
    new: str
    old: str = ""
    place: int = 0
    target: str = ""
    equivalent: str = ""

    def applies(self, root: Path) -> bool:
        """Whether the text to change is still in the project under ``root``."""
        text = (root / self.file).read_text(encoding="utf-8")
        return not self.old or text.count(self.old) > self.place

    def plant(self, root: Path) -> None:
        """Change the copy of the project under ``root``."""
        path = root / self.file
        text = path.read_text(encoding="utf-8")
        if not self.old:
            path.write_text(text + self.new, encoding="utf-8")
            return
        parts = text.split(self.old)
        head, tail = self.old.join(parts[: self.place + 1]), self.old.join(parts[self.place + 1 :])
        path.write_text(head + self.new + tail, encoding="utf-8")


# ---- rules -----------------------------------------------------------------------------------------------------------

#: What becomes of one input's share.
CHANGES = {"scaled": "share * 1.001", "flipped": "-share", "dropped": "share * 0.0"}

_WRAPPED = """

_define = primitive


def primitive(name, forward, vjp, **facts):  # a planted fault
    def spoil(rule):
        def spoiled(*given, **params):
            share = rule(*given, **params)
            return {change}

        return spoiled

    if name == {name!r}:
        if callable(vjp):
            right, wrong = vjp, spoil(vjp)
            vjp = lambda k, *given, **params: (wrong if k == {slot} else right)(k, *given, **params)
        else:
            vjp = [spoil(rule) if k == {slot} else rule for k, rule in enumerate(vjp)]
    return _define(name, forward, vjp, **facts)
"""

#: Faults of rules that no test can find: the primitive's name, and why.
EQUIVALENT = {"sign": "its derivative is 0, and 1.001 · 0, −0 and 0 · 0 are the same"}


def rule_faults(slots: Mapping[str, int]) -> Iterable[Fault]:
    """Three faults for each input of each primitive; ``slots`` says how many inputs each has."""
    for name, count in slots.items():
        for slot in range(count):
            for change, text in CHANGES.items():
                wrapped = _WRAPPED.format(change=text, name=name, slot=slot)
                title = f"{name}, input {slot + 1}: share {change}"
                yield Fault(title, "autodiff/primitive.py", wrapped, target=name, equivalent=EQUIVALENT.get(name, ""))
    leak = _WRAPPED.format(change="given[0]", name="sign", slot=0)
    yield Fault("sign, input 1: error signal let through", "autodiff/primitive.py", leak, target="sign")
