"""Names of network quantities: read in any usual spelling, printed in one."""

import copy
import itertools
import math
import pickle
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodiff.testing.hooks.strategies import parameter_names
from autodiff.words.notation import Name, find, number, parse, subscript, superscript

names = parameter_names()


def refusal(text: str) -> str:
    """The text of the ValueError that parsing raises."""
    with pytest.raises(ValueError) as error:
        parse(text)
    return str(error.value)


W14 = Name("W", (1, 4), 1)
WIDE = Name("W", (10, 2), 1)
B1 = Name("b", (1,), 1)
U1 = Name("U", (1,))

SPELLINGS = {
    W14: "W14(1)|W_{14}^{(1)}|W_14^(1)|W^{(1)}_{14}|W^(1)_14|W1[1,4]|W_1[1,4]|W₁[1,4]|W[1,4](1)|W(1)[1,4]|W₁₄⁽¹⁾|W⁽¹⁾₁₄"
    "|W14^(1)|W_{14}^{1}|W14^1|W_1,4(1)|W1,4(1)|W_{1,4}^{(1)}|W₁,₄⁽¹⁾|W[14](1)|$W_{14}^{(1)}$"
    "| W _ 14 ^ ( 1 ) |W(1)14|W₁₄¹",
    WIDE: "W10,2(1)|W₁₀,₂⁽¹⁾|W_{10,2}^{(1)}|W_{10, 2}^{(1)}|W1[10,2]|W[10, 2](1)|W⁽¹⁾₁₀,₂",
    Name("W", (1, 4), 12): "W14(12)|W12[1,4]|W₁₄⁽¹²⁾|W_{14}^{(12)}",
    Name("W", (), 1): "W(1)|W⁽¹⁾|W^{(1)}|W^(1)|$W^{(1)}$",
    Name("W", (1, 4)): "W14|W₁₄|W[1,4]|W_{14}",
    B1: "b1(1)|b_1^{(1)}|b1[1]|b₁⁽¹⁾|b[1](1)|b^{(1)}_1|b_{1}^{(1)}",
    Name("b", (12,), 1): "b12(1)|b₁₂⁽¹⁾|b_{12}^{(1)}|b1[12]",
    U1: "U1|U_1|U[1]|U₁|U_{1}|$U_1$",
    Name("U"): "U| U |$U$",
    Name("δ", (1,), 2): r"δ₁⁽²⁾|\delta_1^{(2)}|\delta^{(2)}_1|delta1(2)|δ1(2)|$\delta _ 1 ^ {(2)}$|δ2[1]",
    Name("Δ"): r"Δ|\Delta|Delta",
    Name("x", (3,)): "x3|x_3|x₃|x[3]",
    Name("x", (1, 2)): "x1,2|x₁,₂|x[1,2]",
    Name("L", (2, 3)): "L23|L₂₃|L_{23}|L[2,3]",
    Name("s_c"): "s_c|sc|s_{c}|{s_c}|$s_c$",
    Name("s_c", (1,), 2): "s_c1(2)|sc1(2)|s_c₁⁽²⁾|{s_c}_{1}^{(2)}",
    Name("s", (1,)): "s1|s_1|s₁|s_{1}",
}


@pytest.mark.parametrize(("name", "text"), [(n, text) for n, texts in SPELLINGS.items() for text in texts.split("|")])
def test_usual_spellings(name: Name, text: str) -> None:
    """Every usual spelling of a name is read as that name."""
    assert parse(text) == name


@pytest.mark.parametrize(
    ("name", "unicode", "latex", "ascii_"),
    [
        (W14, "W₁₄⁽¹⁾", "W_{14}^{(1)}", "W14(1)"),
        (WIDE, "W₁₀,₂⁽¹⁾", "W_{10,2}^{(1)}", "W10,2(1)"),
        (Name("W", (), 1), "W⁽¹⁾", "W^{(1)}", "W(1)"),
        (B1, "b₁⁽¹⁾", "b_{1}^{(1)}", "b1(1)"),
        (Name("b", (12,), 1), "b₁₂⁽¹⁾", "b_{12}^{(1)}", "b12(1)"),
        (U1, "U₁", "U_{1}", "U1"),
        (Name("z", (1,), 2), "z₁⁽²⁾", "z_{1}^{(2)}", "z1(2)"),
        (Name("a", (4,), 1), "a₄⁽¹⁾", "a_{4}^{(1)}", "a4(1)"),
        (Name("δ", (1,), 2), "δ₁⁽²⁾", r"\delta_{1}^{(2)}", "delta1(2)"),
        (Name("L", (2, 3)), "L₂₃", "L_{23}", "L23"),
        (Name("x", (1, 2)), "x₁,₂", "x_{1,2}", "x1,2"),
        (Name("J"), "J", "J", "J"),
        (Name("s_c"), "s_c", "s_c", "s_c"),
        (Name("s_c", (1,)), "s_c₁", "{s_c}_{1}", "s_c1"),
    ],
)
def test_printed_forms(name: Name, unicode: str, latex: str, ascii_: str) -> None:
    """A name has one form in Unicode, one in LaTeX and one in ASCII."""
    assert (str(name), name.latex(), name.ascii()) == (unicode, latex, ascii_)


@given(names)
def test_round_trip(name: Name) -> None:
    """Whatever is printed is read back as the same name."""
    assert parse(str(name)) == parse(name.latex()) == parse(name.ascii()) == parse(f"${name.latex()}$") == name


@given(names)
def test_ascii_is_ascii(name: Name) -> None:
    """The ASCII form contains only ASCII characters."""
    assert name.ascii().isascii()


@given(st.text() | st.text(alphabet="WbδUs_c{}[]()^,$\\ 0123456789₀₁₂⁽⁾⁰¹²", max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Parsing any text gives a name that round-trips or raises ValueError, never anything else."""
    try:
        name = parse(text)
    except ValueError:
        return
    assert parse(str(name)) == name


@given(st.characters(categories=["Nd", "Nl", "No"], exclude_characters="0123456789₀₁₂₃₄₅₆₇₈₉⁰¹²³⁴⁵⁶⁷⁸⁹"))
def test_exotic_digits_are_refused(digit: str) -> None:
    """Digits of other scripts and widths are refused in every place."""
    for text in (f"b{digit}", f"W1{digit}(1)", f"W[1,{digit}](1)", f"W14({digit})", f"b1^{{{digit}}}", f"b₁⁽{digit}⁾"):
        assert "valid forms are" in refusal(text)


def test_three_digits_of_a_matrix_are_ambiguous() -> None:
    """More than two digits after a matrix letter are refused with every comma spelling that fits."""
    assert "ambiguous without a comma: write W11,4(1) or W1,14(1);" in refusal("W114(1)")
    assert "write L12,3 or L1,23;" in refusal("L₁₂₃")
    assert "write W10,4(1);" in refusal("W_{104}^{(1)}")
    assert "write W123,4(2) or W12,34(2) or W1,234(2);" in refusal("W1234(2)")


@given(st.integers(1, 99), st.integers(1, 99))
def test_suggested_spellings_are_right(row: int, column: int) -> None:
    """The intended name is among the spellings that an ambiguity error suggests, and each can be parsed."""
    if row < 10 and column < 10:
        assert parse(f"W{row}{column}") == Name("W", (row, column))
        return
    listed = re.search(r"write (.*?);", refusal(f"W{row}{column}"))
    assert listed is not None
    assert Name("W", (row, column)) in map(parse, listed[1].split(" or "))


@pytest.mark.parametrize(
    "text", ["W04(1)", "W40(1)", "b0(1)", "U₀", "W[0,4](1)", "W1[1,0]", "x_{0}", "W000", "W100(1)"]
)
def test_index_zero_is_refused(text: str) -> None:
    """Index 0 is refused with the reason and the offending text."""
    assert f"cannot read {text!r} as a name: indices are 1-based" in refusal(text)


@pytest.mark.parametrize("text", ["W14(0)", "b1⁽⁰⁾", "W0[1,4]"])
def test_layer_zero_is_refused(text: str) -> None:
    """Layer 0 is refused with the reason: layer 1 is the input."""
    assert "layers are 1-based, got 0" in refusal(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "does not begin with one Latin or Greek letter"),
        ("14(1)", "does not begin with one Latin or Greek letter"),
        ("Wx14(1)", "does not begin with one Latin or Greek letter"),
        (r"\foo_1", "does not begin with one Latin or Greek letter"),
        ("Ж1", "does not begin with one Latin or Greek letter"),
        ("\N{GREEK CAPITAL LETTER ALPHA}1", "does not begin with one Latin or Greek letter"),
        ("W1(2)", "W takes two indices; for an entry of its only row, write W11(2) for W₁₁⁽²⁾"),
        ("W12,(1)", "',(1)' is neither indices nor a layer"),
        ("W1,2,3(1)", "W takes two indices, row and column, got 3"),
        ("W14(1)(2)", "'(2)' gives the layer a second time"),
        ("W1[1,4](2)", "'(2)' gives the layer a second time"),
        ("W₁4", "'4' gives the indices a second time"),
        ("W[1,4]1", "'1' gives the indices a second time"),
        ("W14 1", "' 1' is neither indices nor a layer"),
        ("b1  2", "' 2' is neither indices nor a layer"),
        ("W14(1", "'(1' is neither indices nor a layer"),
        ("W_{14", "'_{14' is neither indices nor a layer"),
        ("W-14", "'-14' is neither indices nor a layer"),
        ("b1.5", "'.5' is neither indices nor a layer"),
        ("W14()", "'()' is neither indices nor a layer"),
        ("b" + "9" * 5000, "a second time"),
    ],
)
def test_refusals_say_why_and_how(text: str, reason: str) -> None:
    """A text that is not a name is refused with the text, the reason and the valid forms."""
    message = refusal(text)
    assert f"cannot read {text[:60]!r}"[:-1] in message
    assert reason in message
    assert message.endswith(
        "; valid forms are W14(1), W_{14}^{(1)}, W1[1,4] (layer before the bracket), W10,2(1), W₁₄⁽¹⁾; b1(1), U1, δ1(2)"
    )


def test_long_texts_are_quoted_short() -> None:
    """A refusal of a very long text stays readable."""
    assert len(refusal("W" + "?" * 100_000)) < 400


@pytest.mark.parametrize("thing", [None, 14, b"W14(1)", ("W", 1, 4)])
def test_only_text_is_parsed(thing: object) -> None:
    """Anything but a str is refused with its value and type."""
    with pytest.raises(TypeError, match="expected a name as a str, such as 'W14") as error:
        parse(thing)  # type: ignore[arg-type]
    assert f"but got {thing!r} (type={type(thing).__name__})" in str(error.value)


@pytest.mark.parametrize("letter", ["", "sc", "WW", "1", "é", "_", "₁", "\N{GREEK CAPITAL LETTER ALPHA}"])
def test_unknown_letters_are_refused(letter: str) -> None:
    """A letter that could not be read back is refused when the name is made."""
    with pytest.raises(ValueError, match=r"unknown letter .* \(must be one Latin or Greek letter, or 's_c'\)"):
        Name(letter)


def test_indices_are_plain_counts() -> None:
    """Indices may come as any integers in any sequence, and are kept as a tuple of int; fractions are refused."""
    name = Name("W", tuple(np.array([1, 4])), np.int64(1))  # type: ignore[arg-type]
    assert repr(name) == "Name(letter='W', indices=(1, 4), layer=1)"
    with pytest.raises(TypeError, match="float"):
        Name("b", (1.5,))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="indices are 1-based, got -1"):
        Name("b", (-1,))


@given(st.lists(names))
def test_names_can_be_sorted(some: list[Name]) -> None:
    """Any names can be sorted, by letter, indices and layer, those without a layer first."""
    assert sorted(some) == sorted(some, key=lambda n: (n.letter, n.indices, n.layer is not None, n.layer or 0))


def test_order_is_among_names_only() -> None:
    """A name is not ordered relative to anything that is not a name."""
    with pytest.raises(TypeError):
        _ = U1 < "U1"


@given(names)
def test_names_are_values(name: Name) -> None:
    """Copies are equal and hash alike, and nothing can be changed."""
    for twin in (copy.deepcopy(name), pickle.loads(pickle.dumps(name)), Name(name.letter, name.indices, name.layer)):
        assert twin == name
        assert hash(twin) == hash(name)
    with pytest.raises(AttributeError):
        name.layer = 7  # type: ignore[misc]


def network(*sizes: int) -> dict[Name, str]:
    """The weights and biases of layers of the given sizes, and the scorer's U, each under its name."""
    weights = [
        Name("W", (i + 1, j + 1), k)
        for k, (n, m) in enumerate(itertools.pairwise(sizes), 1)
        for i, j in itertools.product(range(m), range(n))
    ]
    biases = [Name("b", (i + 1,), k) for k, m in enumerate(sizes[1:], 1) for i in range(m)]
    scorer = [Name("U", (i + 1,)) for i in range(sizes[-1])]
    return {name: str(name) for name in weights + biases + scorer}


def missing(name: str | Name, known: dict[Name, str]) -> str:
    """The text of the ValueError for an unknown name."""
    with pytest.raises(ValueError) as error:
        find(name, known)
    return str(error.value)


def test_find_takes_texts_and_names() -> None:
    """A quantity is found by its name and by any spelling of it."""
    known = network(4, 2)
    assert find("W14(1)", known) == find("W1[1,4]", known) == find(W14, known) == "W₁₄⁽¹⁾"


def test_find_says_what_there_is() -> None:
    """An unknown name is refused with the ranges of known names, layer by layer."""
    expected = "no parameter W₁₉⁽¹⁾: layer 1 has W₁₁⁽¹⁾ … W₂₄⁽¹⁾, b₁⁽¹⁾ … b₂⁽¹⁾; U₁ … U₂"
    assert missing("W19(1)", network(4, 2)) == missing(Name("W", (1, 9), 1), network(4, 2)) == expected
    assert missing("W14", {}) == "no parameter W₁₄: there are none"


def test_find_shows_gaps_and_single_names() -> None:
    """Ranges with gaps say so, a single name is listed alone, and the whole array separately from its entries."""
    known = dict.fromkeys([Name("W", (1, 2)), Name("W", (3, 1)), Name("W"), Name("s"), Name("b", (2,), 3)], "")
    assert missing("U", known) == "no parameter U: layer 3 has b₂⁽³⁾; W, W₁₂ … W₃₁ (with gaps), s"


def test_find_is_short_for_large_networks() -> None:
    """Of many layers, those closest to the wanted one are listed, and the others are counted."""
    message = missing("b31(70)", network(*[12] * 101))
    assert "layer 70 has W₁₁⁽⁷⁰⁾ … W₁₂,₁₂⁽⁷⁰⁾, b₁⁽⁷⁰⁾ … b₁₂⁽⁷⁰⁾" in message
    assert "100 layers in all, 1 … 100; U₁ … U₁₂" in message
    assert len(message) < 400


def test_find_refuses_what_is_no_name() -> None:
    """A text that is not a name, or something else than a text, is refused as in parsing."""
    with pytest.raises(ValueError, match="valid forms are"):
        find("W114(1)", network(4, 2))
    with pytest.raises(TypeError, match="expected a name as a str"):
        find(3, network(4, 2))  # type: ignore[arg-type]


def test_find_leaves_a_default_dict_alone() -> None:
    """Looking up a name never creates an entry."""

    class Eager(dict[Name, str]):
        def __missing__(self, key: Name) -> str:
            raise AssertionError(key)

    assert "there are none" in missing("U1", Eager())


def test_scripts() -> None:
    """Digits, brackets and signs are lowered and raised; everything else is kept."""
    assert subscript("0123456789,k(+-)") == "₀₁₂₃₄₅₆₇₈₉,k₍₊₋₎"
    assert superscript("0123456789,k(+-)") == "⁰¹²³⁴⁵⁶⁷⁸⁹,k⁽⁺⁻⁾"


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.129099, "0.1291"),
        (1.0, "1"),
        (1, "1"),
        (0.90, "0.9"),
        (-0.0405, "\N{MINUS SIGN}0.0405"),
        (1.18512, "1.185"),
        (1.2e-5, "1.2e\N{MINUS SIGN}05"),
        (-1.2e-5, "\N{MINUS SIGN}1.2e\N{MINUS SIGN}05"),
        (0.0, "0"),
        (-0.0, "0"),
        (9999.4, "9999"),
        (9999.6, "10,000"),
        (-12050.0, "\N{MINUS SIGN}12,050"),
        (1234567.0, "1,235,000"),
        (9999499.0, "9,999,000"),
        (9999999.0, "1e+07"),
        (math.inf, "inf"),
        (-math.inf, "\N{MINUS SIGN}inf"),
        (math.nan, "nan"),
        (-math.nan, "nan"),
        (None, "\N{EN DASH}"),
        (np.float64(0.5), "0.5"),
        (np.array(-0.25), "\N{MINUS SIGN}0.25"),
    ],
)
def test_numbers(x: float | None, text: str) -> None:
    """Numbers have four significant digits, a true minus sign, and neither trailing zeros nor a negative zero."""
    assert number(x) == text


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 17))
def test_numbers_are_near(x: float, digits: int) -> None:
    """What is printed is off by at most half a unit of its last significant digit."""
    printed = Fraction(number(x, digits).replace("\N{MINUS SIGN}", "-").replace(",", ""))
    assert abs(printed - Fraction(x)) <= abs(Fraction(x)) * Fraction(1, 2 * 10 ** (digits - 1))


@pytest.mark.parametrize("digits", [0, -1])
def test_numbers_need_a_digit(digits: int) -> None:
    """Fewer than one significant digit is refused."""
    with pytest.raises(ValueError, match=f"expected at least 1 significant digit, but got digits={digits}"):
        number(1.0, digits)
