"""The pytest plugin, run as its users run it: sections, pictures, counts, markers, seeds, hypothesis, xdist."""

from __future__ import annotations

import configparser
import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import settings

from autodiff import TABLE
from tests.support.places import ROOT

pytest_plugins = ["pytester"]

Run = Callable[..., pytest.RunResult]

RIGHT = """
    import autodiff as ad, numpy as np, pytest

    def test_right(check_gradients):
        check_gradients(lambda x, y: ad.sin(x) * y, 0.5, 2.0)
"""

WRONG = """
    import autodiff as ad
    from autodiff.testing.random_programs.program import Program

    bad = ad.primitive("bad_sin", lambda xp, x: xp.sin(x), [lambda g, z, x: g * ad.sin(x)])

    def test_wrong(check_gradients):
        check_gradients(Program.parse("Value 0.5; exp 0; bad_sin 0"), 0.5)
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a test file with this plugin, whether it is installed or not; what it defines leaves the table."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("HYPOTHESIS_PROFILE", raising=False)
    profile = settings.get_current_profile_name()

    def run(source: str, *options: str) -> pytest.RunResult:
        before = {*TABLE}
        pytester.makepyfile(source)
        try:
            return runs(*options)
        finally:
            settings.load_profile(profile)
            for name in {*TABLE} - before:
                del TABLE[name]

    def runs(*options: str) -> pytest.RunResult:
        return pytester.runpytest("-p", "autodiff.testing.hooks.plugin", "-p", "no:cacheprovider", *options)

    return run


def test_right_gradients_pass_and_are_counted(run: Run) -> None:
    """Two entries right: the test passes, and the summary says how many passed."""
    result = run(RIGHT)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["gradients: 2 pass"])


def test_a_wrong_gradient_shows_everything(run: Run, pytester: pytest.Pytester) -> None:
    """The section has the numbers, the program, the picture's path and the command; the picture is there."""
    result = run(WRONG)
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    section = text[text.index("- gradient check -") :]
    assert "FAILED" in section
    assert re.search(r"analytic +\S+", section)
    assert "v2 = ad.TABLE['bad_sin'](v1)" in section
    assert "repeat: pytest test_a_wrong_gradient_shows_everything.py::test_wrong --gradient-seed=0" in section
    picture = pytester.path / "gradient-results" / "test_a_wrong_gradient_shows_everything.py-test_wrong.svg"
    assert f"picture: {picture}" in section
    assert picture.read_text(encoding="utf-8").lstrip().startswith("<")
    result.stdout.fnmatch_lines(["gradients: 0 pass, 1 fail"])


def test_the_folder_of_pictures_can_be_chosen(run: Run, pytester: pytest.Pytester) -> None:
    """By option, or in the configuration file."""
    run(WRONG, "--gradient-results=seen")
    assert len(list((pytester.path / "seen").glob("*.svg"))) == 1
    pytester.makeini("[pytest]\ngradient_results = drawn")
    run(WRONG)
    assert len(list((pytester.path / "drawn").glob("*.svg"))) == 1


def test_a_skip_is_not_a_pass(run: Run) -> None:
    """A marked test fails if it checked nothing, or could not decide anything; verdicts are counted by name."""
    result = run(
        RIGHT
        + """
    @pytest.mark.gradients
    def test_nothing(): pass

    @pytest.mark.gradients
    def test_jump(check_gradients):
        check_gradients(lambda x: ad.sign(x), 0.0)

    @pytest.mark.gradients(order=2)
    def test_enough(check_gradients):
        check_gradients(lambda x: x * x * x, 2.0)
    """
    )
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["*no gradient was decided: no check was made*", "*no gradient was decided: 1 jump*"])
    result.stdout.fnmatch_lines(["gradients: 4 pass, 1 jump"])


def test_the_marker_counts_checks_of_the_fixture(run: Run) -> None:
    """A test with the function of that name that is imported is told what to do."""
    result = run(
        """
    import autodiff as ad, pytest
    from autodiff.testing import check_gradients

    @pytest.mark.gradients
    def test_imported():
        assert check_gradients(ad.sin, 0.5)
    """
    )
    result.assert_outcomes(failed=1)
    words = "no check was made (the marker counts checks by the fixture check_gradients; add it to the arguments of the"
    assert words in result.stdout.str()


HALF_DECIDED = """
    import autodiff as ad, numpy as np, pytest

    @pytest.mark.gradients{options}
    def test_half(check_gradients):
        check_gradients(ad.sign, np.array([0.0, 1.0]))
"""


def test_one_decided_entry_is_enough_unless_all_are_asked_for(run: Run) -> None:
    """undecided='fail' fails a test with the report of the first check that left an entry open."""
    for options in ("", "(undecided='count')"):
        result = run(HALF_DECIDED.format(options=options))
        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines(["gradients: 1 pass, 1 jump"])
    result = run(HALF_DECIDED.format(options="(undecided='fail')"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*jump: argument 1, x*", "*undecided='fail' requires a decision on every entry"])
    result.stdout.fnmatch_lines(["gradients: 1 pass, 1 jump"])


def test_undecided_is_count_or_fail(run: Run) -> None:
    """Anything else is refused, and so is an option without its name."""
    result = run(HALF_DECIDED.format(options="(undecided='no')"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["undecided must be 'count' or 'fail', and the marker gradients got 'no'"])
    result = run(HALF_DECIDED.format(options="('order')"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*takes the keywords order, *, and got ?'order'?*"])


def test_side_effects_are_counted(run: Run) -> None:
    """A check that failed by one alone is no pass in the summary."""
    result = run(
        """
    def test_remembers(check_gradients):
        def f(inputs):
            inputs.append(3.0)
            return inputs[0] * inputs[1]

        check_gradients(f, [1.0, 2.0])
    """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["gradients: 2 pass, 1 side effect"])


def test_checks_in_fixtures_count(run: Run) -> None:
    """With the options of the test's marker; a wrong gradient in a fixture has its section too."""
    result = run(
        WRONG
        + """
    import pytest

    @pytest.fixture
    def checked(check_gradients):
        return check_gradients(lambda x: x * x * x, 2.0)

    @pytest.fixture
    def spoiled(check_gradients):
        return check_gradients(bad, 2.0)

    @pytest.mark.gradients(order=2)
    def test_fixture(checked):
        assert len(checked.findings) == 2

    def test_spoiled(spoiled): pass
    """
    )
    result.assert_outcomes(passed=1, failed=1, errors=1)
    assert result.stdout.str().count("- gradient check -") == 2
    result.stdout.fnmatch_lines(["gradients: 2 pass, 2 fail"])


SUBTESTS = """
    import unittest
    import autodiff as ad
    import pytest

    bad = ad.primitive("bad_sin", lambda xp, x: xp.sin(x), [lambda g, z, x: g * ad.sin(x)])

    def right(check_gradients):
        check_gradients(lambda x: x * x, 2.0)

    def wrong(check_gradients):
        check_gradients(bad, 2.0)

    @pytest.mark.skipif(pytest.version_tuple < (9,), reason="the fixture subtests came with pytest 9")
    def test_fixture(request, check_gradients):
        subtests = request.getfixturevalue("subtests")
        right(check_gradients)
        for check in (right, wrong, right, wrong):
            with subtests.test(check=check):
                check(check_gradients)
        with subtests.test("fails by itself"):
            assert 1 + 1 == 3
        right(check_gradients)

    class TestCase(unittest.TestCase):
        @pytest.fixture(autouse=True)
        def _take(self, check_gradients):
            self.check_gradients = check_gradients

        def setUp(self):
            right(self.check_gradients)

        def tearDown(self):
            right(self.check_gradients)

        def test_case(self):
            for check in (right, right, wrong):
                with self.subTest(check=check):
                    check(self.check_gradients)
"""


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("-p", "xdist", "-n", "1")], ids=["one process", "a worker"])
def test_checks_in_subtests_count_once(run: Run, pytester: pytest.Pytester, options: tuple[str, ...]) -> None:
    """Though each subtest has a report of its own; each that fails by a gradient has its section and its picture."""
    has_subtests = pytest.version_tuple >= (9,)
    result = run(SUBTESTS, *options)
    wrong = 3 if has_subtests else 1
    assert result.stdout.str().count("- gradient check -") == wrong
    result.stdout.fnmatch_lines([f"gradients: {8 if has_subtests else 4} pass, {wrong} fail"])
    assert len(list((pytester.path / "gradient-results").glob("*.svg"))) == wrong


FIXTURES = """
    import pytest

    def check(check_gradients, factor):
        check_gradients(lambda x: x * x, 2.0, gradient=lambda x: factor * x)

    @pytest.fixture(scope="module", autouse=True)
    def module(check_gradients):
        check(check_gradients, 2.0)
        yield
        check(check_gradients, 3.0)

    @pytest.fixture(scope="class")
    def whole_class(check_gradients):
        check(check_gradients, 2.0)
        yield
        check(check_gradients, 2.0)

    @pytest.fixture
    def late(check_gradients):
        yield
        check(check_gradients, 3.0)

    class TestThem:
        @pytest.mark.parametrize("number", [1, 2, 3])
        def test_number(self, whole_class, check_gradients, number):
            check(check_gradients, 2.0)

        def test_late(self, whole_class, late):
            pass

    def test_fails_too(late):
        assert 1 + 1 == 3
"""


@pytest.mark.parametrize("options", [(), ("-p", "xdist", "-n", "1")], ids=["one process", "a worker"])
def test_checks_in_setup_and_teardown_count_once(run: Run, options: tuple[str, ...]) -> None:
    """Of fixtures of a test, a class and a module; a wrong gradient in a teardown has its section there."""
    result = run(FIXTURES, *options)
    result.assert_outcomes(passed=4, failed=1, errors=2)
    text = result.stdout.str()
    assert text.count("- gradient check -") == 2
    result.stdout.fnmatch_lines(["gradients: 6 pass, 3 fail"])


def test_a_fault_that_was_expected_has_no_section(run: Run) -> None:
    """What fails later, in the same test, is not its doing."""
    result = run(
        """
    import pytest

    @pytest.fixture
    def expected(check_gradients):
        with pytest.raises(AssertionError):
            check_gradients(lambda x: x * x, 2.0, gradient=lambda x: x)

    def test_it(expected):
        assert 1 + 1 == 3
    """
    )
    result.assert_outcomes(failed=1)
    assert "- gradient check -" not in result.stdout.str()
    result.stdout.fnmatch_lines(["gradients: 0 pass, 1 fail"])


RERUNS = """
    from _pytest.runner import runtestprotocol

    def pytest_runtest_protocol(item, nextitem):  # as plugins that run a failed test again do
        for last in (False, True):
            item._initrequest()
            for report in runtestprotocol(item, nextitem=nextitem, log=False):
                if report.failed and not last:
                    report.outcome = "rerun"
                item.ihook.pytest_runtest_logreport(report=report)
                if report.outcome == "rerun":
                    break
            else:
                break
        return True

    def pytest_report_teststatus(report):
        return ("rerun", "R", "RERUN") if report.outcome == "rerun" else None
"""


@pytest.mark.parametrize("options", [(), ("-p", "xdist", "-n", "1")], ids=["one process", "a worker"])
def test_of_a_test_that_is_run_again_the_last_run_counts(
    run: Run, pytester: pytest.Pytester, options: tuple[str, ...]
) -> None:
    """The checks of its fixtures too."""
    pytester.makeconftest(RERUNS)
    source = """
    import pytest

    runs = []

    @pytest.fixture
    def checked(check_gradients):
        check_gradients(lambda x: x * x, 2.0)

    def test_flaky(checked, check_gradients):
        runs.append(1)
        check_gradients(lambda x: x * x, 2.0, gradient=lambda x: len(runs) * x)

    def test_other(check_gradients):
        check_gradients(lambda x, y: x * y, 2.0, 1.0)
    """
    result = run(source, *options)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["gradients: 4 pass"])


def test_each_test_has_a_picture_of_its_own(run: Run, pytester: pytest.Pytester) -> None:
    """Names that differ only in characters that files do not take, and very long ones."""
    marker = f"@pytest.mark.parametrize('name', ['a/b', 'a::b', '../..', {'x' * 90 + '/'!r}])"
    source = WRONG.replace("def test_wrong(", f"{marker}\n    def test_wrong(name, ")
    result = run("    import pytest\n" + source)
    result.assert_outcomes(failed=4)
    names = [path.name for path in (pytester.path / "gradient-results").iterdir()]
    assert len(names) == 4
    assert max(map(len, names)) < 180
    assert {path.parent.name for path in pytester.path.rglob("*.svg")} == {"gradient-results"}


def test_a_folder_that_cannot_be_made(run: Run, pytester: pytest.Pytester) -> None:
    """The reason stands where the path would; everything else is there."""
    (pytester.path / "file").touch()
    text = run(WRONG, "--gradient-results=file").stdout.str()
    assert "no picture: [Errno" in text
    assert "the rule of bad_sin is wrong" in text


@pytest.mark.parametrize("seed", ["x", "-1", "0.5"])
def test_a_seed_that_is_none(run: Run, seed: str) -> None:
    """One sentence before any test runs."""
    result = run(RIGHT, f"--gradient-seed={seed}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: the seed of gradient checks must be a whole number of at least 0, *'{seed}'"])


def test_unknown_options_of_the_marker_are_refused(run: Run) -> None:
    """One sentence that names what there is."""
    result = run("import pytest\n@pytest.mark.gradients(orders=2)\ndef test_it(check_gradients): pass")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*takes the keywords order, oracle, directions, seed, undecided, and got ?'orders'?*"])


def test_the_marker_is_known(run: Run) -> None:
    """No warning about an unknown marker, and a line in --markers."""
    result = run("def test_it(): pass", "--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.gradients(order=1, *"])


def test_the_seed_reaches_every_check(run: Run) -> None:
    """From the option, from the file, and from the marker, which knows best."""
    source = """
    import pytest
    from autodiff.testing.check import gradients as check

    def test_seed(check_gradients):
        assert check_gradients.options["seed"] == 7

    @pytest.mark.gradients(seed=3)
    def test_marked(check_gradients):
        assert check_gradients.options["seed"] == 3
        check_gradients(lambda x: x * x, 2.0)
    """
    run(source, "--gradient-seed=7").assert_outcomes(passed=2)


@pytest.mark.slow
def test_hypothesis_may_use_the_fixture(run: Run) -> None:
    """The fixture lasts for the session: no health check; the section shows the smallest program."""
    source = """
    import autodiff as ad
    from hypothesis import given, settings
    from autodiff.testing.random_programs.operations import vocabulary
    from autodiff.testing.hooks.strategies import programs, register_profiles

    register_profiles()
    settings.load_profile("ci")
    bad = ad.primitive("bad_cube", lambda xp, x: x * x * x, [lambda g, z, x: g * (2.0 * x * x)])
    some = vocabulary(ad.Value, of=["add", "sin", "bad_cube"])

    @given(programs(operations=some))
    def test_programs(check_gradients, program):
        check_gradients(program, *program.inputs)
    """
    result = run(source, "-p", "_hypothesis_pytestplugin")
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert "Program.parse('Value 1.0; bad_cube 0')" in text
    assert "v1 = ad.TABLE['bad_cube'](x0)" in text[text.index("- gradient check -") :]


def test_of_a_search_the_last_failure_counts(run: Run) -> None:
    """All examples before the first failure are counted, and of all that fail while they shrink, one."""
    source = """
    from hypothesis import given, settings, strategies as st

    calls, failed = [], []

    class TestIt:
        @settings(derandomize=True, database=None)
        @given(st.integers(0, 1000))
        def test_search(self, check_gradients, x):
            if not failed:
                calls.append(x)
            if x > 20:
                failed.append(x)
            check_gradients(lambda t: t * t, float(x), gradient=lambda t: 2 * t if t <= 20 else 0.0)

    def test_numbers():
        assert len(failed) > 3
        print(f"gradients: {len(calls) - 1} pass, 1 fail")
    """
    result = run(source, "-p", "_hypothesis_pytestplugin", "-s")
    result.assert_outcomes(passed=1, failed=1)
    printed = [line for line in result.outlines if "gradients: " in line]
    assert len(printed) == 2
    assert printed[0].endswith(printed[1])


PROFILE = """
    from hypothesis import settings

    def test_profile():
        assert settings.default.max_examples == {examples}
"""


@pytest.fixture
def with_profile(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run pytest with this plugin and a profile of hypothesis in a process of its own: profiles belong to a process."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(name: str, examples: int, *options: str) -> pytest.RunResult:
        pytester.makepyfile(PROFILE.format(examples=examples))
        plugins = ("-p", "autodiff.testing.hooks.plugin", "-p", "_hypothesis_pytestplugin", "-p", "no:cacheprovider")
        return pytester.runpytest_subprocess(*plugins, f"--hypothesis-profile={name}", *options)

    return run


@pytest.mark.parametrize(("name", "examples"), [("ci", 100), ("dev", 20), ("thorough", 1000)])
def test_profiles_need_no_conftest(name: str, examples: int, with_profile: Run) -> None:
    """They are known before hypothesis loads the one that is asked for."""
    with_profile(name, examples).assert_outcomes(passed=1)


def test_workers_know_the_profiles(with_profile: Run) -> None:
    """With xdist each worker loads the profile itself."""
    with_profile("thorough", 1000, "-p", "xdist", "-n", "1").assert_outcomes(passed=1)


OWN = "settings.register_profile('thorough', max_examples=7)"


@pytest.mark.parametrize("conftest", [OWN, f"def pytest_configure(config): {OWN}"])
def test_the_profiles_of_others_stay(conftest: str, pytester: pytest.Pytester, with_profile: Run) -> None:
    """Registered before ours or after."""
    pytester.makeconftest(f"from hypothesis import settings\n{conftest}")
    with_profile("thorough", 7).assert_outcomes(passed=1)


def test_verdicts_of_workers_are_counted(run: Run) -> None:
    """With xdist the reports carry the counts, and the sections, to the one summary."""
    result = run(RIGHT + "\n" + WRONG, "-p", "xdist", "-n", "1")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*- gradient check -*", "gradients: 2 pass, 1 fail"])


def test_tests_without_checks_are_left_alone(run: Run) -> None:
    """No summary line, no section."""
    result = run("def test_it(): assert 1 + 1 == 3")
    result.assert_outcomes(failed=1)
    assert "gradient" not in result.stdout.str()


def test_the_plugin_loads_no_check() -> None:
    """Loading it costs the engine's import and nothing else: no hypothesis, no drawing, no oracle."""
    code = (
        "import sys, autodiff.testing.hooks.plugin\n"
        "print([m for m in sys.modules if m.split('.')[0] in {'hypothesis', 'mpmath', 'graphviz', 'torch', 'jax'}"
        " or m.startswith(('autodiff.testing.', 'autodiff.draw'))])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "['autodiff.testing.hooks', 'autodiff.testing.hooks.plugin']"


DECLARED = configparser.ConfigParser()
DECLARED.read(ROOT / "setup.cfg", encoding="utf-8")


@pytest.mark.parametrize("group", ["console_scripts", "pytest11", "hypothesis"])
def test_what_is_installed_is_what_is_declared(group: str) -> None:
    """pytest, hypothesis and the shell find what setup.cfg says, and all of it can be loaded."""
    lines = DECLARED["options.entry_points"][group].strip().splitlines()
    declared = {tuple(part.strip() for part in line.split("=")) for line in lines}
    assert declared
    entries = importlib.metadata.entry_points(group=group, name="autodiff")
    installed = {(entry.name, entry.value) for entry in entries}
    assert installed == declared, "the installed metadata is not that of setup.cfg: install again, pip install -e ."
    assert all(entry.load() for entry in entries)


def test_installing_is_enough(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest loads the fixture by itself, and hypothesis knows the types before anything of autodiff is imported."""
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
    monkeypatch.delenv("HYPOTHESIS_NO_PLUGINS", raising=False)
    pytester.makepyfile(
        """
        from hypothesis import find, strategies as st

        def test_it(check_gradients):
            import autodiff as ad
            assert find(st.from_type(ad.Value), lambda x: x.data < 0).data == -1.0
            check_gradients(ad.sin, 0.5)
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["gradients: 1 pass"])
