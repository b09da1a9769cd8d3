"""Planted faults: changes of source text, in classes of faults that small engines are known for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

#: The classes that mutation studies of gradient code name, and what the pitfalls of this engine add.
CLASSES: Final = (
    "sign", "missing factor", "scale", "wrong operand", "wrong formula", "missing term", "cotangent ignored", "gates",
    "accumulation: overwritten", "accumulation: aliased", "accumulation: fan-out over 3",
    "order: too early", "order: off by one", "order: depth limit", "order: parents in a set",
    "broadcasting: leading axes", "broadcasting: axes of length 1", "broadcasting: mean", "broadcasting: wrong axis",
    "axes and layout", "0-d against (1,)",
    "structure: repeated index", "structure: cumsum not flipped", "structure: cut off by one",
    "special points: zero in a product", "special points: ties", "special points: kinks and edges",
    "special points: zero times infinity",
    "state: mutated cotangent", "state: stale operand", "state: stale saved array", "state: detach leaks",
    "state: unneeded gradient", "state: half-written after an exception",
    "second order: detached factor", "types: float32 upcast", "types: integer truncation", "refusal left out",
)  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One change of one file: ``old`` becomes ``new`` in its ``place`` (0-based, of several), or ``new`` is appended.

    ``kind`` is its class. Tests whose name contains ``target`` run first. An ``equivalent`` fault changes nothing that
    a test could observe; the text says why.
    """

    name: str
    file: str
    new: str
    old: str = ""
    place: int = 0
    target: str = ""
    equivalent: str = ""
    kind: str = ""

    def applies(self, root: Path) -> bool:
        """Whether the project under ``root`` still contains the text to change."""
        return not self.old or (root / self.file).read_text(encoding="utf-8").count(self.old) > self.place

    def planted(self, text: str) -> str:
        """The source of the file with the fault."""
        if not self.old:
            return text + self.new
        parts = text.split(self.old)
        head, tail = self.old.join(parts[: self.place + 1]), self.old.join(parts[self.place + 1 :])
        return head + self.new + tail

    def plant(self, root: Path) -> None:
        """Change the copy of the project under ``root``."""
        path = root / self.file
        path.write_text(self.planted(path.read_text(encoding="utf-8")), encoding="utf-8")


def change(
    name: str, file: str, old: str, new: str, place: int = 0, *, target: str = "", equivalent: str = ""
) -> Fault:
    """``old`` becomes ``new``."""
    return Fault(name, file, new, old, place, target, equivalent)


def classified(groups: Mapping[str, Sequence[Fault]]) -> tuple[Fault, ...]:
    """All faults, each with the class under which it is listed."""
    return tuple(replace(fault, kind=kind) for kind, faults in groups.items() for fault in faults)
