"""One test of many small cases: pytest takes 2 to 5 ms for each test it starts, longer than many of them last."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import pytest

__all__ = ["each"]

#: What a case may raise; those that pytest raises are no Exceptions, nor are groups of them. Ctrl-C ends the test.
_FAILURES = (Exception, BaseExceptionGroup, pytest.fail.Exception, pytest.skip.Exception)


def each(name: str, cases: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Like ``pytest.mark.parametrize`` in one test: it runs all cases, and its failure names every one that fails.

    Fixtures of the function's scope are made once for all cases. A case that is skipped fails.
    """
    every = [*cases]
    assert every, f"there is no case of {name}"

    def of_test(test: Callable[..., None]) -> Callable[..., None]:
        @wraps(test)
        def run(**given: Any) -> None:
            failed: list[BaseException] = []
            for case in every:
                try:
                    test(**given, **{name: case})
                except _FAILURES as error:
                    error.add_note(f"in the case {name} = {case!r}")
                    failed.append(error)
            if failed:
                raise BaseExceptionGroup(f"{len(failed)} of {len(every)} cases of {name} fail", failed)

        signature = inspect.signature(test)
        left = [each for key, each in signature.parameters.items() if key != name]
        run.__signature__ = signature.replace(parameters=left)  # type: ignore[attr-defined] # what pytest asks for
        return run

    return of_test
