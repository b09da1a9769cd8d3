"""Arrays in pictures: tiles on common scales, and the gradient of a matrix as an outer product."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, error_flow
from autodiff.draw import computation, dot, picture, see, svg
from autodiff.draw.layout.positions import lay_out
from autodiff.draw.model.palette import THEMES
from autodiff.draw.model.picture import Box, Picture
from autodiff.draw.model.tiles import Tiles, tile_colours
from autodiff.draw.page.page import page
from autodiff.draw.writers.pinned_dot import pinned_dot
from autodiff.flow import Flow
from autodiff.flow.products import factor_matrices
from autodiff.telling.derivation import outer_product
from autodiff.telling.explain import explain
from nn import Network
from tests.draw.model.test_themes import luminance
from tests.draw.views.test_views import check_layout
from tests.support.flows import HOSTILE, notes_flow
from tests.support.statements import read_page
from tests.support.tiles import block_entry, level_of, read_tiles

RANDOM = np.random.default_rng(5)
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh"])


def net_flow(batch: int = 0, sizes: tuple[int, ...] = (4, 3, 2)) -> Flow:
    """The flow of a squared error to the first weights of a network of Tensors, for one x or a batch."""
    network = Network(sizes, random=np.random.default_rng(1))
    x = np.random.default_rng(5).normal(size=(batch, sizes[0]) if batch else sizes[0])
    off = network(x) - 1.0
    J = (off * off).sum()
    J.name = "J"
    return error_flow(J, network.parameter("W(1)"))


def parameter_of(what: Picture) -> Box:
    """The parameter's box."""
    (box,) = (box for box in what.boxes if box.kind == "parameter")
    return box


def product_of(what: Picture) -> Tiles:
    """The tiles of the parameter's gradient, with their factors."""
    (found,) = (
        cell.tiles for row in parameter_of(what).rows for cell in row.cells
        if cell.tiles is not None and cell.tiles.left is not None
    )  # fmt: skip
    return found


def sign_of(tile: str) -> int:
    return 0 if tile == "0" else -1 if tile in "abcdef-" else 1


# ---- the factors of a gradient ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["W @ x", "x @ W", "W @ X", "X @ W", "layer", "rows"])
def test_the_two_factors_multiply_to_the_share(kind: str) -> None:
    """Every product of the engine with a matrix in it, whichever side the matrix is on."""
    W, x, X = (Tensor(RANDOM.normal(size=size), name=name) for size, name in (((3, 3), "W"), (3, "x"), ((3, 3), "X")))
    b = Tensor(np.zeros(3), name="b")
    made = {
        "W @ x": lambda: W @ x, "x @ W": lambda: x @ W, "W @ X": lambda: W @ X, "X @ W": lambda: X @ W,
        "layer": lambda: ad.affine(W, x, b), "rows": lambda: ad.affine(W, X, b),
    }[kind]()  # fmt: skip
    flow = error_flow((made * made).sum(), W)
    (edge,) = flow.shares
    pair = factor_matrices(flow.flows.node_of(flow.nodes[edge.consumer]), edge.slot, edge.error)
    assert pair is not None
    np.testing.assert_allclose(pair[0] @ pair[1], flow.gradient, rtol=1e-12)
    found = outer_product(flow)
    assert found is not None
    error = found.left if found.error_first else found.right
    assert {abs(x) for x in np.ravel(error).tolist()} == {abs(x) for x in np.ravel(edge.error).tolist()}
    both = f"{found.left_name} {found.right_name}"
    assert "error at" in both
    assert {"x", "X"} & {*both.replace("ᵀ", "").replace(")", "").split()}


def test_what_is_no_matrix_product_has_no_factors() -> None:
    """Products entry by entry, vectors, decays alone, and parameters that no path reaches."""
    W, x = Tensor(np.eye(2), name="W"), Tensor([1.0, 2.0], name="x")
    for output, parameter in (
        ((W * 2.0).sum(), W), ((W @ x).sum(), x), ((W * W).sum(), W), (W.sum(), x),
    ):  # fmt: skip
        flow = error_flow(output, parameter)
        assert outer_product(flow) is None
        assert "outer product" not in explain(output, parameter).text()


def test_two_uses_of_a_matrix_add_up() -> None:
    """Two windows: their columns side by side, their rows one below the other."""
    network = Network((3, 2, 1), random=np.random.default_rng(2))
    total = network(np.ones(3)) * 2.0 + network(np.arange(3.0), suffix="ᶜ")
    flow = error_flow(total.sum(), network.parameter("W(1)"))
    found = outer_product(flow)
    assert found is not None
    assert (found.left.shape, found.right.shape, found.sum) == ((2, 2), (2, 3), "sum of 2 outer products")
    np.testing.assert_allclose(found.left @ found.right, flow.gradient, rtol=1e-12)
    assert found.left_name == "δ⁽²⁾, δ⁽²⁾ᶜ"


# ---- the picture of an outer product ---------------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["rail", "shares", "graph"])
def test_column_beside_row_makes_the_matrix(view: str) -> None:
    """δ on the left, aᵀ above it, and in each tile the sign of their product."""
    flow = net_flow()
    what = picture(flow, view)
    made = product_of(what)
    assert made.left is not None
    assert made.top is not None
    assert (made.left.shape, made.top.shape, made.shape) == ((3, 1), (1, 4), (3, 4))
    assert (made.left.lane, made.top.lane, made.lane) == ("error", "forward", "gradient")
    assert (made.left.notes, made.top.notes) == (("δ⁽²⁾",), ("a⁽¹⁾ᵀ",))
    for i, row in enumerate(made.rows):
        for j, tile in enumerate(row):
            assert sign_of(tile) == sign_of(made.left.rows[i]) * sign_of(made.top.rows[0][j])
    left, top, product = read_tiles(svg(what))[parameter_of(what).id][-3:]
    assert (left.shape, top.shape, product.shape) == (made.left.shape, made.top.shape, made.shape)
    assert "δ⁽²⁾ on the left and a⁽¹⁾ᵀ above it" in what.description


@LANGUAGES
def test_a_sum_over_a_batch_says_so(language: str) -> None:
    """In the box and in the description; of more than 16 examples, the factors are pooled."""
    said = {"en": "sum over 64 examples", "zh": "64 个样本之和"}[language]
    what = picture(net_flow(64), language=language)
    made = product_of(what)
    assert said in made.notes
    assert made.left is not None
    assert made.top is not None
    assert (made.left.shape, made.top.shape) == ((3, 16), (16, 4))
    assert said in what.description
    assert said in svg(what)


def test_factors_stand_beside_their_product() -> None:
    """The rows of δ at the height of the matrix, the columns of aᵀ above its columns, in a box that holds all."""
    what = picture(net_flow(5), "rail")
    root = ElementTree.fromstring(svg(what))
    (box,) = (item for item in root.iter() if item.get("data-box") == parameter_of(what).id)
    groups = [item for item in box.iter() if "data-tiles" in item.attrib][-3:]
    places = []
    for item in groups:
        x, y = (float(part) for part in item.attrib["transform"][10:-1].split())
        frame = item[0].attrib
        places.append((x, y + float(frame["y"]), float(frame["width"]), float(frame["height"])))
    left, top, product = places
    assert left[1] == product[1]
    assert left[3] == product[3]
    assert top[0] == product[0]
    assert top[2] == product[2]
    assert left[0] + left[2] < product[0]
    assert top[1] + top[3] < product[1]
    *_, outline = (item.attrib for item in box if item.tag.endswith("rect"))
    assert float(outline["x"]) < left[0]
    assert float(outline["x"]) + float(outline["width"]) > product[0] + product[2]
    assert float(outline["y"]) + float(outline["height"]) > product[1] + product[3]


# ---- scales and notes ------------------------------------------------------------------------------------------------


def test_large_and_many_axes_are_said() -> None:
    """784 × 128 becomes 32 × 32, and 2 × 3 × 4 becomes 6 × 4."""
    large, deep = Tensor(RANDOM.normal(size=(784, 128)), name="A"), Tensor(RANDOM.normal(size=(2, 3, 4)), name="B")
    what = computation(large.sum() + deep.sum())
    tiles = {box.label: box.rows[0].cells[1].tiles for box in what.boxes if box.rows[0].cells[1].tiles}
    assert {key: (part.shape, part.notes) for key, part in tiles.items()} == {
        "A": ((32, 32), ("pooled to 32×32",)), "B": ((6, 4), ("stacked to 6×4",))
    }  # fmt: skip
    source = svg(what)
    assert "784×128, norm" in source
    assert "the entry of its block that is largest in size" in source


def test_pooling_hides_no_sign() -> None:
    """One negative entry among a hundred thousand small positive ones."""
    array = np.full((784, 128), 1e-3)
    array[700, 100] = -1.0
    (box,) = computation(Tensor(array, name="A")).boxes
    tiles = box.rows[0].cells[1].tiles
    assert tiles is not None
    assert "".join(tiles.rows).count("f") == 1
    assert tiles.rows[700 * 32 // 784][100 * 32 // 128] == "f"


def test_scales_are_those_of_the_largest_entries() -> None:
    """One for all values and one for all errors; parameters and their gradients have their own."""
    flow = net_flow()
    what = picture(flow, "graph", digits=17)
    arrays = [node for node in flow.every if np.size(node.value) > 1]
    weights = [node for node in arrays if node.label[0] in "Wb"]
    others = [node for node in arrays if node not in weights]
    inputs = np.abs(outer_product(flow).right)  # type: ignore[union-attr]
    assert {lane: float(number) for lane, number in what.scales} == {
        "forward": max(np.max(inputs), *(np.max(np.abs(node.value)) for node in others)),
        "parameter": max(np.max(np.abs(node.value)) for node in weights),
        "error": max(np.max(np.abs(node.error)) for node in others if node.error is not None),
        "gradient": max(np.max(np.abs(node.error)) for node in weights if node.error is not None),
    }


@pytest.mark.parametrize(
    "array",
    [np.zeros((3, 3)), np.zeros((0, 3)), np.zeros((2, 0)), np.zeros(0), np.full(3, np.nan), np.full(2, -np.inf),
     np.full((2, 2), 5e-324), np.array([[1.7e308, -1.7e308]]), np.array(2.0), np.ones((1, 1)), np.ones((40, 1, 1)),
     np.array([1e308, -1e-308])],
    ids=lambda array: str(array.shape),
)  # fmt: skip
def test_odd_arrays_are_drawn(array: Any) -> None:
    """Empty, zero, not finite, subnormal, huge, without axes or with one entry: in every format and theme."""
    x = Tensor(array, name="x")
    output = (x * 1.0).sum()
    output.backward()
    for drawing in (see(output), see(output, x), see(output, x, view="graph")):
        for theme in THEMES:
            ElementTree.fromstring(svg(drawing.picture, theme=theme))
            dot(drawing.picture, theme=theme)
            pinned_dot(svg(drawing.picture, theme=theme), theme=theme)
        json.loads(drawing.json())
        assert drawing.text()
        check_layout(drawing.picture)
    tiled = [cell.tiles for box in see(output).picture.boxes for row in box.rows for cell in row.cells if cell.tiles]
    assert bool(tiled) == (array.size > 1)
    if not array.any():
        assert all(set("".join(part.rows)) == {"0"} for part in tiled if part.lane == "forward")


@pytest.mark.parametrize(("sizes", "batch"), [((3, 2), 0), ((1, 1), 4), ((1, 1), 1), ((12, 9), 0)])
def test_odd_products_are_drawn_and_told(sizes: tuple[int, int], batch: int) -> None:
    """A sum over no examples, and matrices with a single entry."""
    W = Tensor(np.ones(sizes), name="W")
    output = (Tensor(np.ones((batch, sizes[0])), name="X") @ W).sum()
    flow = error_flow(output, W)
    for view in ("rail", "graph"):
        what = picture(flow, view)
        assert "drawn as a product" not in what.description
        ElementTree.fromstring(svg(what))
        dot(what)
    assert explain(output, W).text()


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text(name: str) -> None:
    """Those of factors too."""
    W, x = Tensor(np.eye(2), name=name), Tensor([1.0, 2.0], name=name)
    flow = error_flow((W @ x).sum(), W)
    for view in ("rail", "graph", "shares"):
        what = picture(flow, view)
        ElementTree.fromstring(svg(what))
        for label in (cell.tiles.top.notes[0] for row in parameter_of(what).rows for cell in row.cells
                      if cell.tiles and cell.tiles.top):  # fmt: skip
            assert len(label) <= 36
        pinned_dot(svg(what))
        dot(what)


def test_tooltips_have_range_and_norm() -> None:
    """Shape, least, mean and largest entry, and norm."""
    (box,) = computation(Tensor([[3.0, -4.0]], name="x")).boxes
    assert box.hint == "x: 1×2, min −4, mean −0.5, max 3, norm 5"


def test_factors_are_on_the_scale_too() -> None:
    """An input that is in no box of its own may have the largest entry of all values."""
    W = Tensor(np.full((2, 2), 1e-3), name="W")
    flow = error_flow((W @ np.array([500.0, -1.0])).sum(), W)
    what = picture(flow)
    assert dict(what.scales)["forward"] == "500"
    made = product_of(what)
    assert made.top is not None
    assert made.top.rows == ("6a",)


def test_the_page_has_the_same_tiles() -> None:
    """Every value and every error, on the scales that its legend states; a page without arrays has none of this."""
    flow = net_flow(40)
    data = read_page(page(flow))
    checked = 0
    for place, (is_parameter, *both, _, _) in data["tiles"].items():
        node = next(node for node in flow.flows.nodes if node.label == data["nodes"][int(place)][0])
        assert is_parameter == (node.label[0] in "Wb")
        scales = data["scales"]
        fulls = (
            scales["parameter" if is_parameter else "forward"],
            data["gradients"][place] if is_parameter else scales["error"],
        )
        for rows, array, full in zip(both, (node.value, node.error), fulls, strict=True):
            shape = len(rows), len(rows[0])
            assert full >= np.max(np.abs(array))
            for i, row in enumerate(rows):
                for j, tile in enumerate(row):
                    known = level_of(block_entry(array, shape, i, j), full)
                    level = max("0123456".find(tile), "0abcdef".find(tile))
                    assert known == (sign_of(tile), level)
            checked += 1
    assert checked == 2 * sum(np.size(node.value) > 1 for node in flow.flows.nodes)
    plain = page(notes_flow())
    assert "tiles" not in read_page(plain)
    assert "legend.tiles" not in plain


# ---- formats ---------------------------------------------------------------------------------------------------------


def test_tiles_have_few_elements() -> None:
    """Two arrays of 1,024 tiles: some thirty elements, not two thousand."""
    x = Tensor(RANDOM.normal(size=(64, 64)), name="x")
    y = x * 1.0
    source = svg(computation(y))
    assert source.count("data-tiles") == 3  # one of them is the scale in the legend
    assert source.count("<path") < 70
    assert len(source) < 45_000


def test_in_a_picture_of_many_arrays_tiles_are_smaller() -> None:
    """So that a dozen layers still fit a page; signs and levels are read as before."""
    node = x = Tensor(RANDOM.normal(size=(40, 2)), name="x")
    for _ in range(30):
        node = node * 1.01
    heights = []
    for output in (node.sum(), (x * 1.01).sum()):
        what = picture(error_flow(output, x), "graph", digits=17)
        box = parameter_of(what)
        heights.append(lay_out(what).boxes[box.id].height)
        value, error = read_tiles(svg(what))[box.id]
        full = dict(what.scales)["parameter"]
        assert value.shape == error.shape == (16 if not heights[1:] else 32, 2)
        assert value.at(15, 1) == level_of(block_entry(x.data, value.shape, 15, 1), float(full))
    assert heights[0] < 0.7 * heights[1]


def test_many_boxes_of_arrays_stay_small_and_fast() -> None:
    """Beyond 150 boxes with arrays there are no tiles: too small to see, and megabytes of them."""
    node = Tensor(RANDOM.normal(size=(40, 40)), name="x")
    for _ in range(1_000):
        node = node * 1.01
    start = time.process_time()
    source = svg(computation(node, most=2_000), width=None)
    assert time.process_time() - start < 5.0
    assert "data-tiles" not in source
    assert len(source) < 4_000_000


def test_dot_has_a_cell_for_each_tile_of_a_small_array() -> None:
    """With a minus sign in a negative one; a larger array is told by its range."""
    source = dot(computation(Tensor([[1.0, -1.0], [0.0, np.nan]], name="x")))
    assert source.count('WIDTH="14"') == 4
    assert source.count(">−<") == 1
    assert source.count(">×<") == 1
    large = dot(computation(Tensor(np.arange(9.0), name="x")))
    assert 'WIDTH="14"' not in large
    assert "min 0, mean 4, max 8" in large


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_levels_and_signs_are_told_apart_without_colour(theme: str) -> None:
    """In grey, each level is clearly darker (in dark mode, lighter) than the one before; bars stand out on tiles."""
    colours = {**THEMES[theme], **tile_colours(THEMES[theme])}

    def contrast(one: str, other: str) -> float:
        low, high = sorted((luminance(colours[one]), luminance(colours[other])))
        return (high + 0.05) / (low + 0.05)

    for lane in ("forward", "parameter", "error", "negative"):
        steps = ["paper", *(f"{lane}-{level}" for level in range(1, 7))]
        from_paper = [contrast("paper", step) for step in steps]
        assert all(b > 1.08 * a for a, b in pairwise(from_paper)), lane
    for level, bar in ((1, "negative-4"), (2, "negative-5"), (3, "negative-6"), (4, "paper"), (6, "paper")):
        assert contrast(f"negative-{level}", bar) > 1.8


def test_the_layout_of_tiles_has_no_overlaps() -> None:
    """Of a network, of attention, and of a convolution."""
    Q, K, V = (Tensor(RANDOM.normal(size=(6, 4)), name=name) for name in "QKV")
    attention = (ad.softmax(Q @ K.T / 2.0, axis=1) @ V).sum()
    x, k = Tensor(RANDOM.normal(size=12), name="x"), Tensor([0.5, -1.0, 0.25], name="k")
    convolution = ad.relu(k[0] * x[0:10] + k[1] * x[1:11] + k[2] * x[2:12]).sum()
    for flow in (net_flow(16), error_flow(attention, V), error_flow(attention, Q), error_flow(convolution, k)):
        for view in ("auto", "graph"):
            check_layout(picture(flow, view))
    rail = picture(net_flow(16, (2, 3, 2)), "rail")
    rows = {lay_out(rail).boxes[box.id].rows[:4] for box in rail.boxes}
    assert len(rows) == 1


# ---- in words --------------------------------------------------------------------------------------------------------


def table_after(text: str, heading: str) -> list[list[float | None]]:
    """The numbers of the table under a heading; None for an empty cell."""
    lines = text.split(heading)[1].split("\n\n")[2].splitlines()
    first, rule, *rows = lines
    starts = [k for k, c in enumerate(rule) if c == "─" and rule[k - 1] == " "]
    ends = [*starts[1:], None]
    cells = [[line[a:b].strip() for a, b in zip(starts, ends, strict=True)] for line in (first, *rows)]
    return [[float(cell.replace("−", "-")) if cell else None for cell in row] for row in cells]


def test_a_small_outer_product_is_printed() -> None:
    """The column of δ, the row of a, and their products, which are the gradient."""
    flow = net_flow()
    made = outer_product(flow)
    assert made is not None
    told = explain(flow.flows.graph[0], flow.flows.node_of(flow.parameter))
    (_, *top), *rows = table_after(told.text(digits=6), "The gradient as an outer product")
    np.testing.assert_allclose(np.array(top, dtype=float), made.right[0], rtol=1e-5)
    np.testing.assert_allclose([row[0] for row in rows], made.left[:, 0], rtol=1e-5)  # type: ignore[arg-type]
    entries = np.array([row[1:] for row in rows], dtype=float)
    np.testing.assert_allclose(entries, flow.gradient, rtol=1e-5)
    np.testing.assert_allclose(entries, np.outer(made.left[:, 0], made.right[0]), rtol=1e-4)


def test_a_small_sum_over_a_batch_is_printed() -> None:
    """Its entries, by row and column counted from 1."""
    flow = net_flow(5)
    told = explain(flow.flows.graph[0], flow.flows.node_of(flow.parameter)).text()
    assert "∂J/∂W⁽¹⁾ = δ⁽²⁾ᵀ a⁽¹⁾, the sum over 5 examples" in told
    (_, *top), *rows = table_after(told, "The gradient as an outer product")
    assert top == [1, 2, 3, 4]
    assert [row[0] for row in rows] == [1, 2, 3]
    np.testing.assert_allclose(np.array([row[1:] for row in rows], dtype=float), flow.gradient, rtol=1e-3)


@LANGUAGES
def test_tables_of_matrices_fit_a_terminal(language: str) -> None:
    """Eight columns, with fewer digits if need be."""
    flow = net_flow(0, (8, 8, 2))
    told = explain(flow.flows.graph[0], flow.flows.node_of(flow.parameter)).text(language, digits=9, width=None)
    table = told.split({"en": "as an outer product", "zh": "外积形式的梯度"}[language])[1].split("\n\n")[2]
    assert len(table.splitlines()) == 10
    assert max(map(len, table.splitlines())) <= 80


def test_a_table_that_fits_no_terminal_is_summarised() -> None:
    """Nine columns of numbers with exponents and signs."""
    W, x = Tensor(np.ones((8, 8)), name="W"), Tensor(np.full(8, -1.25e-10), name="x")
    told = explain((W @ x * Tensor(np.full(8, 1.5e-20))).sum(), W).text(width=None)
    assert "has too many entries to print" in told
    assert "row 1, column 1: " in told


@LANGUAGES
def test_a_large_outer_product_is_summarised(language: str) -> None:
    """Ranges of the factors and of the gradient, and its largest entries as products."""
    flow = net_flow(0, (20, 12, 1))
    told = explain(flow.flows.graph[0], flow.flows.node_of(flow.parameter)).text(language, width=None)
    gradient = np.asarray(flow.gradient)
    i, j = (int(k) for k in np.unravel_index(np.argmax(np.abs(gradient)), gradient.shape))
    at = {"en": f"row {i + 1}, column {j + 1}: ", "zh": f"第 {i + 1} 行第 {j + 1} 列："}[language]
    (line,) = (line for line in told.splitlines() if at in line)
    assert line.endswith(f" = {gradient[i, j]:.4g}".replace("-", "−"))
    assert {"en": "δ⁽²⁾: 12×1, min", "zh": "δ⁽²⁾：12×1，最小"}[language] in told


def test_the_explanation_in_every_format() -> None:
    """Markdown and LaTeX have the table too."""
    flow = net_flow()
    told = explain(flow.flows.graph[0], flow.flows.node_of(flow.parameter))
    entry = f"{abs(float(flow.gradient[2, 3])):.4g}"
    assert entry in told.markdown()
    assert entry in told.latex()
