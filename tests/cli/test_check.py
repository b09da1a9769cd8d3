"""The program ``autodiff check``: right, wrong and bad functions of a file."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autodiff.cli.program import main

MODEL = """
import math
import numpy as np
import autodiff as ad

def loss(w, x, rate=0.5):
    return ad.sum(ad.tanh(w @ x)) * rate

def cut(x):
    return ad.exp(x) * x.detach()

def energy(x):
    return float(np.sum(x ** 2) / 2)

def energy_gradient(x):
    return x * 1.001

def text(x):
    return "no number"

NUMBER = 3

def options(x, mode="sum", rate=2.0, bias=None, train=True):
    print("in options")
    return ad.sum(x) * rate if train and mode == "sum" and bias is None else None

class Model:
    @staticmethod
    def loss(x):
        return x * x

def leaves(x):
    raise SystemExit(0)

def broken(x):
    return x / {}["weights"]

def by_name(x, *, rate):
    return x * rate

def constant():
    return 1.0

def fits_none(W, x):
    raise ValueError(f"{np.ndim(W)} and {np.ndim(x)}" if np.ndim(W) < 2 else "no matrix")

def at_a_jump(x=0.0):
    return ad.sign(x)

def half(x):
    return ad.sign(x - 1.0)

def layer(W, x):
    return float(np.sum(np.tanh(W @ x)))

def layer_gradient(W, x):
    delta = 1 - np.tanh(W @ x) ** 2
    return np.outer(delta, x), W @ delta  # not transposed

def many(x=np.ones(100)):
    return ad.sum(x * x)

def slope(t: float):
    return t * t
"""


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.py").write_text(MODEL, encoding="utf-8")


def test_a_right_gradient_without_any_option(capsys: pytest.CaptureFixture[str]) -> None:
    """Shapes are found by trying; 0 is returned, and nothing is written."""
    assert main(["check", "model.py:loss"]) == 0
    assert capsys.readouterr().out.startswith("gradient check of loss: no failure found (13 pass;")
    assert [path.name for path in Path().iterdir() if path.suffix == ".svg"] == []


def test_what_is_drawn_shows_a_transposed_weight(capsys: pytest.CaptureFixture[str]) -> None:
    """W is drawn as a matrix and x as a vector, so that W for Wᵀ is wrong."""
    assert main(["check", "model.py:layer", "--gradient", "layer_gradient"]) == 1
    out = capsys.readouterr().out
    assert "FAILED (9 pass" not in out
    assert "argument 2, x[" in out
    assert "argument 1" not in out
    assert "(W, x drawn at random; choose the point with --at)" in out


def test_the_point_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Drawn or given; another seed draws another."""
    points = []
    for options in ([], ["--seed", "1"], ["--at", "[1.5, 2]"]):
        assert main(["check", "model.py:Model.loss", *options]) == 0
        points.append(capsys.readouterr().out.splitlines()[1:])
    assert len({tuple(point) for point in points}) == 3
    assert re.fullmatch(r"  at x = \[[\d.]+, [\d.]+, [\d.]+\]", points[0][0])
    assert points[0][1:] == ["  (x drawn at random; choose the point with --at)"]
    assert points[2] == ["  at x = [1.5, 2.0]"]


def test_an_annotated_number_is_drawn_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    """Though the function takes vectors too."""
    assert main(["check", "model.py:slope"]) == 0
    assert re.search(r"at t = [\d.]+\n", capsys.readouterr().out)


def test_nothing_decided_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    """3 is returned, unless at least one entry is right; the options say so."""
    assert main(["check", "model.py:at_a_jump"]) == 3
    out = capsys.readouterr().out
    assert "1 jump" in out
    assert "at x = 0.0" in out
    assert "(the defaults; choose the point with --at)" in out
    assert main(["check", "model.py:at_a_jump", "--json"]) == 3
    assert not json.loads(capsys.readouterr().out)["passed"]
    assert main(["check", "model.py:half", "--at", "[1.0, 2.0]"]) == 0
    with pytest.raises(SystemExit):
        main(["check", "--help"])
    assert "3 nothing could be decided" in " ".join(capsys.readouterr().out.split())


def test_oracle_and_directions_reach_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    """As `check_gradients` takes them."""
    assert main(["check", "model.py:Model.loss", "--oracle", "interval", "--directions", "2", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert {finding["oracle"] for finding in data["findings"]} == {"interval"}
    assert data["directions"] == 2
    assert main(["check", "model.py:many", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["directions"] > 0
    assert main(["check", "model.py:many", "--directions", "0", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["findings"]) == 100


def test_every_shape_that_was_refused_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """With its error, each error once."""
    assert main(["check", "model.py:fits_none"]) == 2
    err = capsys.readouterr().err
    assert "with W of shape (3, 3) and x of shape (3,), or W of shape (3, 3) and x of shape (3, 3): ValueErro" in err
    told = "with W of shape (3,) and x a number: ValueError: 1 and 0 (model.py, line 45); with W a number and x a num"
    assert told in err
    assert err.count("no matrix") == 1


def test_a_wrong_gradient_is_named_and_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    """1 is returned; the picture has the sentence of the message."""
    assert main(["check", "model.py:cut", "--at", "2.0"]) == 1
    out = capsys.readouterr().out
    assert "blame: every rule is right, and so is their sum: the graph misses a dependence of f on its inputs" in out
    assert main(["check", "model.py:energy", "--gradient", "energy_gradient", "--at", "[1, 2]"]) == 1
    assert "argument 1, x[0] of shape (2,)" in capsys.readouterr().out


def test_a_wrong_rule_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    """The picture of the smallest program is written, and its path printed."""
    Path("own.py").write_text(
        "import autodiff as ad\n"
        "wrong = ad.primitive('command_cube', lambda xp, x: x * x * x, [lambda g, z, x: g * (2.0 * x * x)])\n"
        "def f(x):\n    return ad.sin(wrong(x))\n",
        encoding="utf-8",
    )
    try:
        assert main(["check", "own.py:f", "--at", "2.0"]) == 1
    finally:
        from autodiff import TABLE

        del TABLE["command_cube"]
    out = capsys.readouterr().out
    assert "blame: the rule of command_cube is wrong: it gives 8 where the derivative is 12" in out
    assert "Wrote f-fault.svg (drawn by autodiff)." in out
    assert "✗ 8, not 12" in Path("f-fault.svg").read_text(encoding="utf-8")


def test_the_report_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """One object with every finding."""
    assert main(["check", "model.py:loss", "--json", "--order", "2"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["verdict"] == "pass"
    assert {finding["order"] for finding in data["findings"]} == {1, 2}


def test_defaults_that_are_no_numbers_stay_what_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    """Words, None and switches are options; numbers are differentiated."""
    assert main(["check", "model.py:options"]) == 0
    assert "gradient check of options: no failure found (4 pass;" in capsys.readouterr().out


def test_what_a_file_prints_is_not_in_its_json(capsys: pytest.CaptureFixture[str]) -> None:
    """It goes to standard error."""
    assert main(["check", "model.py:options", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["verdict"] == "pass"
    assert "in options" in err


def test_a_function_inside_of_a_class(capsys: pytest.CaptureFixture[str]) -> None:
    """Names may have dots."""
    assert main(["check", "model.py:Model.loss"]) == 0
    assert "gradient check of loss" in capsys.readouterr().out


METHODS = """
import functools
import math

class Model:
    scale = 2.0

    @staticmethod
    def loss(x):
        return x * x

    @classmethod
    def scaled(cls, x):
        return cls.scale * x

    def own(self, x):
        return self.scale * x * x

    __call__ = cached = functools.lru_cache(own)

    class Inner:
        def method(self, x):
            return x

class Heir(Model):
    pass

model = Heir()
"""


@pytest.mark.parametrize("name", ["Model.scaled", "Heir.loss", "model.own", "model", "model.loss", "model.scaled"])
def test_methods_that_need_no_more_than_their_arguments(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Those of a class that are static or the class's, all of an instance, and an instance that can be called."""
    Path("methods.py").write_text(METHODS, encoding="utf-8")
    assert main(["check", f"methods.py:{name}", "--at", "3.0"]) == 0
    assert "no failure found (1 pass" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "owner", "one"), [
    ("Model.own", "Model", "model"), ("Heir.own", "Heir", "heir"), ("Model.Inner.method", "Model.Inner", "inner"),
    ("Model.cached", "Model", "model"), ("Model.__call__", "Model", "model"),
])  # fmt: skip
def test_a_method_needs_an_instance(capsys: pytest.CaptureFixture[str], name: str, owner: str, one: str) -> None:
    """No number is drawn for self; the sentence says what to write."""
    Path("methods.py").write_text(METHODS, encoding="utf-8")
    method = name.rpartition(".")[2]
    for options in ([], ["--at", "1.0; 2.0"]):
        assert main(["check", f"methods.py:{name}", *options]) == 2
        assert capsys.readouterr().err == (
            f"autodiff: {name} needs an instance of {owner}; write {one} = {owner}(…) in methods.py, and "
            f"check methods.py:{one}.{method}\n"
        )


def test_a_file_that_ends_python(capsys: pytest.CaptureFixture[str]) -> None:
    """It is no silent success."""
    Path("script.py").write_text("def f(x):\n    return x\nraise SystemExit(0)\n", encoding="utf-8")
    assert main(["check", "script.py:f"]) == 2
    assert "script.py cannot be run: SystemExit: 0" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["loss"], "expected FILE:FUNCTION, such as model.py:loss, and got 'loss'"),
        (["none.py:loss"], "none.py does not exist"),
        (["model.txt:loss"], "expected a Python file, and got model.txt"),
        ([".:loss"], "expected a Python file, and got ."),
        (["model.py:by_name"], "rate is keyword-only; check a function that calls this one, such as"),
        (["model.py:constant"], "this function has no numeric arguments"),
        (["model.py:loss", "--oracle", "tarot"], "argument --oracle: invalid choice: 'tarot'"),
        (["model.py:loss", "--directions", "-1"], "argument --directions: expected a whole number of at least 0, and"),
        (["model.py:lost"], "model.py has no function lost; it has loss, cut, energy, energy_gradient, text"),
        (["model.py:NUMBER"], "model.py has no function NUMBER"),
        (["model.py:loss", "--at", "2 +"], '--at takes Python numbers and lists, such as "2.0; [1, 2]", and got'),
        (["model.py:text"], "autodiff: f must return real numbers or arrays of the engine of its inputs, and returned"),
        (["model.py:loss", "--order", "3"], "argument --order: invalid choice: 3"),
        (["model.py:loss", "--seed", "-1"], "argument --seed: expected a whole number of at least 0, and got '-1'"),
        (["model.py:leaves"], "the function exits Python at ["),
        (["model.py:leaves", "--at", "1"], "the function raised SystemExit: 0 ("),
        (["model.py:broken", "--at", "1"], "model.py, line 36: return x / {}[\"weights\"])"),
        (["model.py:broken"], "raised KeyError: 'weights' (model.py, line 36: return x / {}[\"weights\"]); it was cal"),
    ],
)
def test_bad_input(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence on standard error, and 2."""
    Path("model.txt").touch()
    assert main(["check", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert err.count("\n") == 1


# ---- whose error it is -----------------------------------------------------------------------------------------------

OWN_ERRORS = """
import helper
import numpy as np
import autodiff as ad

def misspelt(x):
    return ad.tanhh(x)

def unknown(w, x):
    return rate * w * x

def past_the_product(W, x):
    z = W @ x
    return {}["z"] + z

def refused(x):
    raise ValueError("read the manual")

def divided(x=2.0):
    return x * (1 / 0)

def elsewhere(x):
    return helper.scaled(x)

def twelve(x):
    return ad.sum(np.ones((2, 12)) @ x)

def asserted(W, x):
    assert W.shape[0] == 4
    return ad.sum(W @ x)

def raised_in_numpy(x):
    return np.linalg.svd(x.data)

def empty(x):
    raise LookupError
"""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("misspelt", "AttributeError: module 'autodiff' has no attribute 'tanhh' (own.py, line 7: return ad.tanhh(x))"),
        ("unknown", "NameError: name 'rate' is not defined (own.py, line 10: return rate * w * x); it was called with"),
        ("past_the_product", "raised KeyError: 'z' (own.py, line 14: return {}[\"z\"] + z); it was called with W of"),
        ("refused", "ValueError: read the manual (own.py, line 17: raise ValueError(\"read the manual\"))"),
        ("divided", "ZeroDivisionError: division by zero (own.py, line 20: return x * (1 / 0)); it was called with x"),
        ("elsewhere", "ZeroDivisionError: division by zero (helper.py, line 2: return x * (1 / 0)); it was called w"),
        ("asserted", "(own.py, line 29"),
        ("empty", "the function raised LookupError (own.py, line 36: raise LookupError); it was called with x of"),
    ],
)
def test_an_error_of_the_function_is_shown_with_its_line(
    name: str, words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kind, message, file and line, with --at and without: the error does not say that no arguments were found."""
    monkeypatch.delitem(sys.modules, "helper", raising=False)
    Path("own.py").write_text(OWN_ERRORS, encoding="utf-8")
    Path("helper.py").write_text("def scaled(x):\n    return x * (1 / 0)\n", encoding="utf-8")
    for at in ([], ["--at", "[1.0, 2.0]"]):
        if at and name in ("unknown", "past_the_product", "asserted", "divided"):
            continue  # they take another number of arguments, or other shapes
        assert main(["check", f"own.py:{name}", *at]) == 2
        err = capsys.readouterr().err
        assert (words if not at else words.partition("; it was")[0]) in err
        assert ("found no arguments" in err) == (name == "asserted")


@pytest.mark.parametrize("name", ["twelve", "raised_in_numpy"])
def test_arguments_that_do_not_fit_are_told_from_errors(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An error that changes with the shapes is about the arguments; each comes with its line."""
    Path("own.py").write_text(OWN_ERRORS, encoding="utf-8")
    Path("helper.py").touch()
    assert main(["check", f"own.py:{name}"]) == 2
    err = capsys.readouterr().err
    assert "found no arguments that the function accepts; give them with --at. Tried with x of shape (3,)" in err
    assert re.search(r"\w+Error: [^(]+.* \(own\.py, line \d+\)", err)


def test_an_error_of_the_file_itself_has_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Where it cannot even be loaded."""
    Path("broken.py").write_text("import math\n\nmath.sqrt(-1.0)\n\ndef f(x):\n    return x\n", encoding="utf-8")
    assert main(["check", "broken.py:f"]) == 2
    err = capsys.readouterr().err
    assert re.search(r"broken\.py cannot be run: ValueError: .* \(broken\.py, line 3: math\.sqrt\(-1\.0\)\)\n", err)
    Path("bad.py").write_text("def f(x):\n    return (x\n", encoding="utf-8")
    assert main(["check", "bad.py:f"]) == 2
    assert "bad.py cannot be run: SyntaxError: '(' was never closed (bad.py, line 2)" in capsys.readouterr().err


# ---- files in the way ------------------------------------------------------------------------------------------------

IN_THE_WAY = ("nn", "numpy", "graphviz", "pygraphviz", "random", "copy", "json", "argparse", "inspect", "struct")


MODULE = [sys.executable, "-um", "autodiff"]
#: As the script that pip installs, whose own folder comes first.
INSTALLED = [sys.executable, "-P", "-c", "import sys; from autodiff.cli.program import main; sys.exit(main())"]
ELSEWHERE = {"PYTHONPATH": "elsewhere"}


# each way to start it, each search path and each command meet each other once: a process takes over a second
@pytest.mark.parametrize(
    ("program", "search", "command"),
    [
        (MODULE, {}, ["flow", "--output", "a.png"]), (MODULE, ELSEWHERE, ["explain"]),
        (INSTALLED, {}, ["explain"]), (INSTALLED, ELSEWHERE, ["flow", "--output", "a.png"]),
    ],
    ids=["module", "module, elsewhere", "script", "script, elsewhere"],
)  # fmt: skip
def test_files_of_the_folder_are_not_in_the_way(
    program: list[str], search: dict[str, str], command: list[str]
) -> None:
    """A nn.py, numpy.py, random.py … beside the reader are no modules of the program, nor of what it starts."""
    for name in IN_THE_WAY:
        Path(f"{name}.py").write_text("raise RuntimeError('in the way')\n", encoding="utf-8")
    Path("elsewhere").mkdir()
    Path("elsewhere/nn.py").write_text("raise RuntimeError('in the way')\n", encoding="utf-8")
    done = subprocess.run(
        [*program, *command], capture_output=True, text=True, env={**os.environ, **search}, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_checked_file_may_have_a_nn_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """It is the one that its ``import nn`` means, at the top and later, and this project's is there afterwards."""
    import nn

    Path("nn.py").write_text("def twice(x):\n    return x + x\n", encoding="utf-8")
    Path("uses.py").write_text(
        "from nn import twice\n\ndef now(x):\n    return twice(x)\n\n"
        "def later(x):\n    import nn, aside\n    return aside.same(nn.twice(x))\n",
        encoding="utf-8",
    )
    Path("aside.py").write_text("def same(x):\n    return x\n", encoding="utf-8")
    for name in ("uses.py:now", "uses.py:later", "nn.py:twice"):
        assert main(["check", name]) == 0, capsys.readouterr().err
    assert sys.modules["nn"] is nn
    assert sys.modules["nn.network"].Network is nn.Network
