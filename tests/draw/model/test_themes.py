"""Colours: light, dark, like the reader's system, and on paper; text is readable, and greyscale shows the sign."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

from autodiff import Value, error_flow
from autodiff.draw import dot, picture, see, svg
from autodiff.draw.model.palette import DARK, ERROR_COLOURS, LIGHT, PRINT, THEMES, stylesheet
from autodiff.words.typeset import pieces
from tests.support.flows import FLOWS, deep_flow, margin_flow, notes_flow
from tests.support.present import present

SVG = "{http://www.w3.org/2000/svg}"
PALETTES = pytest.mark.parametrize("palette", [LIGHT, DARK, PRINT], ids=["light", "dark", "print"])


def luminance(colour: str) -> float:
    """Relative luminance as defined in WCAG 2."""
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """From 1 for equal colours to 21 for black on white."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    """Black on white 21, and the grey that is just enough."""
    assert contrast("#000000", "#ffffff") == 21.0
    assert 4.5 < contrast("#767676", "#ffffff") < 4.55


# ---- the colours of a drawing ----------------------------------------------------------------------------------------

Place = tuple[float, float, float, float, str]


def numbers_of(item: ElementTree.Element, *keys: str) -> list[float]:
    return [float(item.get(key, "0")) for key in keys]


def ground(item: ElementTree.Element, dx: float, dy: float) -> Place | None:
    """The filled area of a shape as (left, top, right, bottom, class); None for lines and arrowheads."""
    colour = item.get("class", "").split(" ")[0]
    if item.get("fill") == "none" or not colour or item.tag == f"{SVG}text":
        return None
    if item.get("width") == "100%":
        return -1e9, -1e9, 1e9, 1e9, colour
    if item.tag == f"{SVG}rect":
        x, y, width, height = numbers_of(item, "x", "y", "width", "height")
        return x + dx, y + dy, x + width + dx, y + height + dy, colour
    if item.tag == f"{SVG}circle":
        x, y, r = numbers_of(item, "cx", "cy", "r")
        return x - r + dx, y - r + dy, x + r + dx, y + r + dy, colour
    path = item.get("d", "")
    xs = [float(x) for x in re.findall(r"[MH](-?[\d.]+)", path)]
    ys = [float(y) for y in re.findall(r"M-?[\d.]+,(-?[\d.]+)|V(-?[\d.]+)", path) for y in y if y]
    if len(xs) < 3:
        return None
    return min(xs) + dx, min(ys) + dy, max(xs) + dx, max(ys) + dy, colour


def coloured_texts(source: str) -> set[tuple[str, str]]:
    """Pairs (class of a text, class of the shape under its start) for every text of a drawing."""
    grounds: list[Place] = []
    found: set[tuple[str, str]] = set()

    def look(item: ElementTree.Element, dx: float, dy: float) -> None:
        moved = re.match(r"translate\((\S+) (\S+)\)", item.get("transform", ""))
        if moved:
            dx, dy = dx + float(moved[1]), dy + float(moved[2])
        place = ground(item, dx, dy)
        if place is not None:
            grounds.append(place)
        if item.tag == f"{SVG}text":
            x, y, size = numbers_of(item, "x", "y", "font-size")
            x, y = x + dx + (1.0 if item.get("text-anchor") != "middle" else 0.0), y + dy - 0.35 * size
            under = next(g[4] for g in reversed(grounds) if g[0] <= x <= g[2] and g[1] <= y <= g[3])
            found.update((part.get("class", ""), under) for part in item.iter() if part.get("class"))
        else:
            for part in item:
                look(part, dx, dy)

    look(ElementTree.fromstring(source), 0.0, 0.0)
    return found


VIEWS = ("auto", "graph", "network")


def drawings(view: str) -> list[str]:
    """An SVG of every kind of flow that has this view."""
    made = []
    for flow in FLOWS.values():
        try:
            made.append(svg(picture(flow(), view)))
        except ValueError:  # a view that does not fit
            continue
    return made


@pytest.mark.parametrize("view", VIEWS)
def test_every_text_stands_out_from_what_is_under_it(view: str) -> None:
    """At least 4.5 : 1 in every theme, for each pair of colours that occurs in a drawing of any kind."""
    pairs = {pair for source in drawings(view) for pair in coloured_texts(source)}
    for palette in (LIGHT, DARK, PRINT):
        low = {pair for pair in pairs if contrast(palette[pair[0]], palette[pair[1]]) < 4.5}
        assert not low
    if view == "auto":
        assert pairs >= {
            ("ink", "paper"), ("ink", "forward-fill"), ("forward", "forward-fill"), ("error", "error-fill"),
            ("negative", "negative-fill"), ("parameter", "parameter-fill"), ("paper", "error"), ("muted", "rest"),
            ("zero", "rest"), ("error", "paper"),
        }  # fmt: skip


@PALETTES
def test_every_theme_has_every_colour(palette: dict[str, str]) -> None:
    """No text is without a colour."""
    assert palette.keys() == LIGHT.keys()
    assert set(ERROR_COLOURS.values()) <= set(palette)


def test_lines_are_seen() -> None:
    """Wires and edges of boxes have at least 3 : 1 on paper, except grey ones."""
    for palette in (LIGHT, DARK, PRINT):
        for colour in ("ink", "muted", "forward", "error", "negative", "zero", "parameter"):
            assert contrast(palette[colour], palette["paper"]) >= 3.0


# ---- themes ----------------------------------------------------------------------------------------------------------


def rules(css: str) -> dict[str, str]:
    """The fill of each class."""
    return dict(re.findall(r" \.([a-z-]+)\{fill:(#\w+)\}", css))


def test_the_svg_follows_the_readers_light_or_dark_mode() -> None:
    """One media query turns every colour into its dark counterpart, on a screen only: paper is white."""
    style = present(ElementTree.fromstring(svg(notes_flow())).findtext(f"{SVG}style"))
    light, dark = style.split("@media screen and (prefers-color-scheme:dark)")
    assert rules(light) == LIGHT
    assert rules(dark) == DARK


def test_the_other_themes_have_one_look() -> None:
    """Light and print have no media query; dark is light on paper, which saves ink."""
    assert rules(stylesheet("light")) == LIGHT
    assert rules(stylesheet("print")) == PRINT
    assert "@media" not in stylesheet("light") + stylesheet("print")
    screen, paper = stylesheet("dark").split("@media print")
    assert rules(screen) == DARK
    assert rules(paper) == LIGHT


@pytest.mark.parametrize("theme", THEMES)
def test_drawings_of_several_themes_may_share_a_page(theme: str) -> None:
    """Each rule holds inside its own drawing only."""
    root = ElementTree.fromstring(see(notes_flow(), theme=theme).svg())
    assert root.get("class") == f"autodiff-{theme}"
    selectors = re.findall(r"([^{}]+)\{(?:fill|stroke)", present(root.findtext(f"{SVG}style")))
    assert len(selectors) >= 2 * len(LIGHT)
    assert all(selector.startswith(f".autodiff-{theme} .") for selector in selectors)


@pytest.mark.parametrize("theme", THEMES)
def test_dot_has_the_colours_of_its_theme(theme: str) -> None:
    """And no other: "auto" is light, since Graphviz's drawings cannot follow."""
    used = set(re.findall(r"#[0-9A-Fa-f]{6}", dot(deep_flow(), theme=theme)))
    assert used <= set(THEMES[theme].values())
    assert f'bgcolor="{THEMES[theme]["paper"]}"' in dot(deep_flow(), theme=theme)


def test_greyscale_tells_the_sign() -> None:
    """By dashes, in SVG and DOT: none, long and dotted; and by the minus sign of every number."""
    x, one = Value(2.0, name="x"), Value(0.5, name="y")
    flow = error_flow(x * 3.0 - x * one + x * 0.0, x)
    signs = {(wire.share > 0) - (wire.share < 0) for wire in picture(flow).wires if wire.lane == "error"}
    assert signs == {-1, 0, 1}
    dashes: dict[str, set[str | None]] = {}
    for item in ElementTree.fromstring(svg(flow)).iter(f"{SVG}path"):
        if item.get("fill") == "none":
            dashes.setdefault(item.attrib["class"], set()).add(item.get("stroke-dasharray"))
    assert dashes["s-error"] == {None}
    assert dashes["s-zero"] == {"1.5 4"}
    assert None not in dashes["s-negative"]
    assert not dashes["s-negative"] & dashes["s-zero"]
    styles = re.findall(r"dir=back[^\]]*?(?:style=(\w+))?[^\]]*\]", dot(flow))
    assert set(re.findall(r"style=(dashed|dotted)", dot(flow))) == {"dashed", "dotted"}
    assert len(styles) == sum(wire.lane == "error" for wire in picture(flow).wires)
    for source in (flow, margin_flow(), notes_flow("W24(1)")):
        for box in picture(source).boxes:
            for row in box.rows:
                for cell in row.cells:
                    if cell.role in ("error", "share") and isinstance(cell.number, float) and cell.number < 0:
                        assert "−" in cell.text


# ---- names of all scripts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["学习率", "λ̂", "שיפוע", "تدرج", "🧠", "naïve café", "ｗ", "e\u0301"])
def test_names_of_any_script_are_drawn(name: str) -> None:
    """Each appears unchanged in SVG and DOT; numbers stay to the right of right-to-left names."""
    x = Value(2.0, name=name)
    drawing = see(error_flow(x * x, x))
    for source in (drawing.svg(), drawing.dot()):
        assert name in source
        if re.search("[\u0590-\u08ff]", name):
            assert not re.search(f"{name}(?!\u200e)", source)
    ElementTree.fromstring(drawing.svg())


def test_the_svg_says_its_language() -> None:
    """For screen readers."""
    assert ElementTree.fromstring(see(notes_flow(), language="zh").svg()).get("lang") == "zh"
    assert ElementTree.fromstring(see(notes_flow()).svg()).get("lang") == "en"


def test_the_e_of_a_small_number_is_no_letter() -> None:
    """It is upright like its digits; a variable e is italic."""
    assert [piece.text for piece in pieces("2e−06 · e", formula=True) if piece.italic] == ["e"]
