"""The pytest plugin: a fixture and a marker for gradient checks, failures that draw themselves, verdicts counted.

    def test_my_loss(check_gradients):
        check_gradients(my_loss, w, x)

The fixture is `autodiff.testing.check.check_gradients`, and raises at a fault. A failed test gets a section with the
report, the minimal program, the path of its picture, and the command that repeats it; the summary counts all verdicts,
since a skip is not a pass. ``@pytest.mark.gradients`` gives the options of all checks of a test, and fails a test in
which no gradient was decided. No check, no strategy and no drawing is loaded before it is needed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest

__all__ = ["Checks", "check_gradients"]

_PROPERTY: Final = "gradient verdicts"
_OPTIONS: Final = ("order", "oracle", "directions", "seed")
_MARKER: Final = (
    "gradients(order=1, oracle='auto', directions=None, seed=0): options of the gradient checks of a test, which fails "
    "unless at least one gradient is decided"
)


class Checks:
    """The checks of the test that runs: their options, the counts of their verdicts, and the last fault."""

    def __init__(self) -> None:
        self.begin({})

    def begin(self, options: Mapping[str, Any]) -> None:
        """Forget the test before."""
        self.options = dict(options)
        self.counts: Counter[str] = Counter()
        self.decided = 0
        self.fault: Any = None
        self.subject: Any = None

    def __call__(self, f: Callable[..., Any], *inputs: Any, **options: Any) -> Any:
        """`autodiff.testing.check.check_gradients` with the options of the marker; raises GradientError at a fault."""
        __tracebackhide__ = True
        check = import_module("autodiff.testing.check").check_gradients
        report = check(f, *inputs, **{**self.options, **options})
        self.counts.update({str(verdict): count for verdict, count in report.counts.items()})
        self.decided += sum(count for verdict, count in report.counts.items() if verdict.decided)
        if report.failed:
            self.fault, self.subject = report, f
        return report.raise_if_failed()

    def undecided(self) -> str:
        """What came instead of a pass or a fault."""
        return ", ".join(f"{count} {verdict}" for verdict, count in self.counts.items()) or "no check was made"


_CHECKS: Final = pytest.StashKey[Checks]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Two options, and the same in the configuration file."""
    group = parser.getgroup("autodiff", "gradient checks")
    group.addoption("--gradient-seed", type=int, metavar="N", help="seed of the directions of all gradient checks")
    group.addoption("--gradient-results", metavar="DIR", help="folder for the pictures of wrong gradients")
    parser.addini("gradient_seed", "seed of the directions of all gradient checks", default="0")
    parser.addini("gradient_results", "folder for the pictures of wrong gradients", default="gradient-results")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)
    config.stash[_CHECKS] = Checks()


@pytest.fixture(scope="session")
def check_gradients(pytestconfig: pytest.Config) -> Checks:
    """Check gradients as `autodiff.testing.check.check_gradients`; raises GradientError, an AssertionError, at a fault.

    It lasts for the session, so that hypothesis calls it as often as it likes.
    """
    return pytestconfig.stash[_CHECKS]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Give the checks of a test their options, and fail a marked test that decided nothing."""
    checks = item.config.stash[_CHECKS]
    checks.begin({"seed": _seed(item.config), **_marked(item)})
    result = yield
    if item.get_closest_marker("gradients") and not checks.decided:
        pytest.fail(f"no gradient was decided: {checks.undecided()}", pytrace=False)
    return result


def _seed(config: pytest.Config) -> int:
    chosen = config.getoption("--gradient-seed")
    return int(config.getini("gradient_seed") if chosen is None else chosen)


def _marked(item: pytest.Item) -> dict[str, Any]:
    """The options of a test's markers: its own, and its class's and module's where it says nothing."""
    options: dict[str, Any] = {}
    for marker in reversed(list(item.iter_markers("gradients"))):
        unknown = [*marker.args, *(name for name in marker.kwargs if name not in _OPTIONS)]
        if unknown:
            known = ", ".join(_OPTIONS)
            pytest.fail(f"the marker gradients takes the keywords {known}, and got {unknown}", pytrace=False)
        options.update(marker.kwargs)
    return options


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Give the report of a test the counts of its verdicts, and a section if a gradient was wrong."""
    report: Any = yield
    checks = item.config.stash[_CHECKS]
    if call.when == "call" and checks.counts:
        report.user_properties.append((_PROPERTY, dict(checks.counts)))
        if report.failed and checks.fault is not None:
            report.sections.append(("gradient check", _section(item, checks)))
    return report  # type: ignore[no-any-return]


def _section(item: pytest.Item, checks: Checks) -> str:
    python = getattr(checks.subject, "python", None)
    again = f"again: pytest '{item.nodeid}' --gradient-seed={checks.options['seed']}"
    parts = [str(checks.fault), python() if callable(python) else "", _picture(item, checks.fault), again]
    return "\n".join(part for part in parts if part)


def _picture(item: pytest.Item, fault: Any) -> str:
    """Draw the fault and say where; say why there is no picture if there is none."""
    chosen = item.config.getoption("--gradient-results") or item.config.getini("gradient_results")
    folder = item.config.rootpath / str(chosen)
    path = folder / f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', item.nodeid).strip('-')}.svg"
    try:
        drawing = import_module("autodiff.testing.picture").drawing(fault)
        folder.mkdir(parents=True, exist_ok=True)
        drawing.save(Path(path))
    except Exception as error:
        return f"no picture: {error}"
    return f"picture: {path}"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line with the counts of all verdicts, those of xdist's workers too."""
    counts: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            counts.update(dict(getattr(report, "user_properties", ())).get(_PROPERTY, {}))
    if counts:
        passed = counts.pop("pass", 0)
        others = [f"{count:,} {verdict}" for verdict, count in counts.most_common()]
        terminalreporter.write_line(f"gradients: {', '.join([f'{passed:,} pass', *others])}")
