"""The pytest plugin: a fixture and a marker for gradient checks, pictures of failures, and counts of verdicts.

    def test_my_loss(check_gradients):
        check_gradients(my_loss, w, x)

The fixture is `autodiff.testing.check_gradients`, and raises an error at a fault. A failed test gets a section with the
report of the check, the minimal program, the path of its picture, and the command that repeats it.

The summary counts all verdicts, entry by entry, since a skip is not a pass. For a test by hypothesis it counts all
examples, but only the last example of the search for the smallest failure. Checks in fixtures, teardowns and subtests
count too, each once; of a test that runs several times, only the last run counts.

``@pytest.mark.gradients`` sets the options of all checks that a test makes with the fixture, and fails a test that
decided no gradient before its teardown; with ``undecided="fail"``, a test that left any entry undecided.
``--hypothesis-profile`` knows ``ci``, ``dev`` and ``thorough``. Checks, strategies and drawings load on first use.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import pytest

__all__ = ["Checks", "check_gradients"]

_PROPERTY: Final = "gradient verdicts"
_LONGEST: Final = 150  # characters of a file's name
_OPTIONS: Final = ("order", "oracle", "directions", "seed", "undecided")
_UNDECIDED: Final = ("count", "fail")
_SEED_HELP: Final = "seed of the cotangents and directions of all gradient checks"
_PROFILES: Final = ("ci", "dev", "thorough")  # of `autodiff.testing.hooks.strategies.register_profiles`
_MARKER: Final = (
    "gradients(order=1, oracle='auto', directions=None, seed=0, undecided='count'): options of the checks that a test "
    "makes with the fixture check_gradients; it fails unless one entry is decided, with undecided='fail' unless all are"
)


class Checks:
    """The checks of the running test: their options, the counts of their verdicts, and the last fault."""

    def __init__(self) -> None:
        self.begin({})

    def begin(self, options: Mapping[str, Any], *, searched: bool = False) -> None:
        """Forget the test before; ``searched`` if hypothesis runs this test, and repeats it after a failure."""
        self.options = {name: option for name, option in options.items() if name != "undecided"}
        self.strict = options.get("undecided") == "fail"
        self.searched = searched
        self.welcome: Counter[str] = Counter()
        self.unwelcome: Counter[str] = Counter()
        self.decided = 0
        self.fault: Any = None
        self.subject: Any = None
        self.shown = 0
        self._told: Counter[str] = Counter()

    def __call__(self, f: Callable[..., Any], *inputs: Any, **options: Any) -> Any:
        """`autodiff.testing.check_gradients` with the options of the marker; raises GradientError at a fault."""
        __tracebackhide__ = True
        check = import_module("autodiff.testing.check.gradients").check_gradients
        report = check(f, *inputs, **{**self.options, **options})
        undecided = self.strict and bool(report) and not report.passed
        self._count(report, welcome=bool(report) and not undecided)
        if report.failed:
            self.fault, self.subject = report, f
        report.raise_if_failed()
        if undecided:
            raise AssertionError(f"{report}\nthe marker's undecided='fail' requires a decision on every entry")
        return report

    @property
    def counts(self) -> Counter[str]:
        """How often each verdict occurred, and the number of side effects."""
        return self.welcome + self.unwelcome

    def news(self) -> dict[str, int]:
        """The counts since the last call; negative for failures for which hypothesis found smaller examples."""
        new = self.counts
        new.subtract(self._told)
        self._told = self.counts
        return {verdict: count for verdict, count in new.items() if count}

    def undecided(self) -> str:
        """The verdicts that are neither a pass nor a fault, in words."""
        return ", ".join(f"{count} {verdict}" for verdict, count in self.counts.items()) or (
            "no check was made (the marker counts checks by the fixture check_gradients; add it to the arguments of "
            "the test)"
        )

    def _count(self, report: Any, *, welcome: bool) -> None:
        counts = Counter({str(verdict): count for verdict, count in report.counts.items()})
        counts += Counter({"side effect": len(report.problems)})
        self.decided += sum(count for verdict, count in report.counts.items() if verdict.decided)
        if not self.searched:
            self.welcome += counts
        elif not welcome:
            self.unwelcome = counts
        elif not self.unwelcome:
            self.welcome += counts


_CHECKS: Final = pytest.StashKey[Checks]()
_RUNS: Final = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add two options, on the command line and in the configuration file."""
    group = parser.getgroup("autodiff", "gradient checks")
    group.addoption("--gradient-seed", metavar="N", help=_SEED_HELP)
    group.addoption("--gradient-results", metavar="DIR", help="folder for the pictures of wrong gradients")
    parser.addini("gradient_seed", _SEED_HELP, default="0")
    parser.addini("gradient_results", "folder for the pictures of wrong gradients", default="gradient-results")


@pytest.hookimpl(tryfirst=True)  # before hypothesis' own plugin loads the profile
def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and the profiles, and check the seed."""
    config.addinivalue_line("markers", _MARKER)
    _seed(config)
    config.stash[_CHECKS] = Checks()
    if config.getoption("--hypothesis-profile", default=None):
        _register_profiles()


def _register_profiles() -> None:
    """`register_profiles`, but only for names that no profile has yet."""
    hypothesis = import_module("hypothesis")
    known = {}
    for name in _PROFILES:
        with suppress(hypothesis.errors.InvalidArgument):
            known[name] = hypothesis.settings.get_profile(name)
    import_module("autodiff.testing.hooks.strategies").register_profiles()
    for name, profile in known.items():
        hypothesis.settings.register_profile(name, profile)


@pytest.fixture(scope="session")
def check_gradients(pytestconfig: pytest.Config) -> Checks:
    """Check gradients as `autodiff.testing.check_gradients`; raises GradientError, an AssertionError, at a fault.

    It has session scope, so that tests by hypothesis may use it.
    """
    return pytestconfig.stash[_CHECKS]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Set the options for the checks of a test and of its fixtures."""
    searched = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
    item.stash[_RUNS] = item.stash.get(_RUNS, 0) + 1
    item.config.stash[_CHECKS].begin({"seed": _seed(item.config), **_marked(item)}, searched=searched)
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail a test with unknown options, and a marked test that decided nothing."""
    checks = item.config.stash[_CHECKS]
    if refusal := _refusal(item):
        pytest.fail(refusal, pytrace=False)
    result = yield
    if item.get_closest_marker("gradients") and not checks.decided:
        pytest.fail(f"no gradient was decided: {checks.undecided()}", pytrace=False)
    return result


def _seed(config: pytest.Config) -> int:
    chosen = config.getoption("--gradient-seed")
    text = str(config.getini("gradient_seed") if chosen is None else chosen)
    if not re.fullmatch("[0-9]+", text):
        raise pytest.UsageError(f"the seed of gradient checks must be a whole number of at least 0, and got {text!r}")
    return int(text)


def _marked(item: pytest.Item) -> dict[str, Any]:
    """The options of a test's markers: its own take precedence over those of its class and its module."""
    options: dict[str, Any] = {}
    for marker in reversed(list(item.iter_markers("gradients"))):
        options.update((name, marker.kwargs[name]) for name in marker.kwargs if name in _OPTIONS)
    return options


def _refusal(item: pytest.Item) -> str:
    """What is wrong with the options of a test's markers; empty if nothing is."""
    markers = list(item.iter_markers("gradients"))
    unknown = [part for marker in markers for part in (*marker.args, *marker.kwargs.keys() - _OPTIONS)]
    if unknown:
        return f"the marker gradients takes the keywords {', '.join(_OPTIONS)}, and got {unknown}"
    chosen = [marker.kwargs.get("undecided", "count") for marker in markers]
    bad = [choice for choice in chosen if choice not in _UNDECIDED]
    return f"undecided must be 'count' or 'fail', and the marker gradients got {bad[0]!r}" if bad else ""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Add new counts to each report of a test, its fixtures and its subtests, and a section for a wrong gradient."""
    report: Any = yield
    checks, run = item.config.stash[_CHECKS], item.stash.get(_RUNS, 1)
    counts = checks.news()
    if counts or run > 1:
        report.user_properties.append((_PROPERTY, (run, counts)))
    if report.failed and checks.fault is not None:
        checks.shown += 1
        report.sections.append(("gradient check", _section(item, checks)))
    checks.fault = None  # later failures are not due to this fault
    return report  # type: ignore[no-any-return]


def _section(item: pytest.Item, checks: Checks) -> str:
    python = getattr(checks.subject, "python", None)
    again = f"repeat: pytest {shlex.quote(item.nodeid)} --gradient-seed={checks.options['seed']}"
    parts = [str(checks.fault), python() if callable(python) else "", _picture(item, checks), again]
    return "\n".join(part for part in parts if part)


def _picture(item: pytest.Item, checks: Checks) -> str:
    """Draw the fault and return the path of the picture, or the reason why there is none."""
    chosen = item.config.getoption("--gradient-results") or item.config.getini("gradient_results")
    folder = item.config.rootpath / str(chosen)
    path = folder / f"{_file_name(item.nodeid)}{f'-{checks.shown}' if checks.shown > 1 else ''}.svg"
    try:
        drawing = import_module("autodiff.testing.check.picture").drawing(checks.fault)
        folder.mkdir(parents=True, exist_ok=True)
        drawing.save(Path(path))
    except Exception as error:
        return f"no picture: {error}"
    return f"picture: {path}"


def _file_name(nodeid: str) -> str:
    """The test's name in characters that every file system allows, with a checksum if any was replaced."""
    plain = nodeid.replace("::", "-")
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", plain).strip("-")[:_LONGEST]
    return name if name == plain else f"{name}-{crc32(nodeid.encode(errors='replace')):08x}"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Write one line with the counts of all verdicts, those of xdist's workers included."""
    runs: dict[Any, dict[int, Counter[str]]] = {}  # by test and worker, the counts of each run
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        for run, new in (value for name, value in getattr(report, "user_properties", ()) if name == _PROPERTY):
            test = getattr(report, "node", None), report.nodeid
            runs.setdefault(test, {}).setdefault(run, Counter()).update(new)
    counts = sum((counted[max(counted)] for counted in runs.values()), Counter())
    if counts:
        passed = counts.pop("pass", 0)
        others = [f"{count:,} {verdict}" for verdict, count in counts.most_common()]
        terminalreporter.write_line(f"gradients: {', '.join([f'{passed:,} pass', *others])}")
