"""The public names with their signatures, as text that is compared with the snapshot ``public_api.txt``.

Run in a separate process, because some methods are generated at their first call.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from autodiff.reference.names import PACKAGES, call_signature, exported, member_names

__all__ = ["SNAPSHOT", "public_api"]

SNAPSHOT: Final = Path(__file__).with_suffix(".txt")


def public_api() -> str:
    """A line for every public name, and for every public method of a class."""
    return "".join(f"{line}\n" for package in PACKAGES for line in _lines(package))


def _lines(package: str) -> Iterator[str]:
    for name, item in exported(package):
        yield f"{package}.{name}{call_signature(item)}"
        if inspect.isclass(item):
            for member in member_names(item):
                yield f"{package}.{name}.{member}{call_signature(inspect.getattr_static(item, member))}"
