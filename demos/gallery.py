"""All pictures of the README and of a gallery page, light and dark: networks, formulas, one gradient at a time.

    python demos/gallery.py                  writes into the folder gallery
    python demos/gallery.py -o FOLDER
    python demos/gallery.py --sheets         contact sheets of 60 everyday programs

FOLDER then contains NAME-light.svg and NAME-dark.svg for each picture; gallery.html, a self-contained page with all of
them, which follows the reader's light or dark mode; and the pictures of the README in FOLDER/readme. The contact sheets
are one page for each width (slide, notebook, phone) and theme: slide-light.html, slide-dark.html, …
"""

from __future__ import annotations

import argparse
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from contact_sheets import write_sheets

import autodiff as ad
from autodiff import Value
from autodiff.draw import Drawing, see
from autodiff.draw.model.palette import DARK, FONTS, LIGHT
from autodiff.system.console import readable_output
from autodiff.system.extras import install
from autodiff.testing import check_gradients, drawing
from nn import AdaGrad, Network, Recurrent, max_margin

X = (1.0, -0.5, 0.25, 0.8)
CORRUPT = (0.1, 0.2, 0.3, 0.4)
WEIGHTS = {
    "W(1)": [[0.3, -0.2, 0.5, 0.7], [-0.4, 0.1, 0.6, -0.3]], "b(1)": [0.1, -0.05], "W(2)": [[0.9, -0.6]], "b(2)": [0.2],
}  # fmt: skip

# ---- the pictures ----------------------------------------------------------------------------------------------------


def notes_network(*, scale: float = 1.0, activation: str = "sigmoid", scalar: bool = True) -> Network:
    """The notes' 4-2-1 network (section 1.5), with the weights of the first layer multiplied by ``scale``."""
    network = Network((4, 2, 1), activation=activation, scalar=scalar)
    network.load({**WEIGHTS, "W(1)": scale * np.array(WEIGHTS["W(1)"])})
    return network


def one_path(**how: Any) -> Drawing:
    """∂s/∂W₁₄⁽¹⁾ of the notes' network."""
    network = notes_network()
    return see(network(X), network.parameter("W14(1)"), **how)


def several_paths(**how: Any) -> Drawing:
    """A 4-3-3-2-1 network: six paths from the score to one weight."""
    network = Network((4, 3, 3, 2, 1), activation="tanh", scalar=True)
    return see(network(X), network.parameter("W14(1)"), **how)


def objective(shift: float = 0.0, **how: Any) -> Drawing:
    """J of a true and a corrupt window: both send their error to the same weight."""
    network = notes_network()
    J = max_margin(network(X) + shift if shift else network(X), network(CORRUPT, suffix="ᶜ"))
    return see(J, network.parameter("W14(1)"), **how)


def cycling(speed: Value) -> dict[str, Any]:
    """The power a cyclist needs, in watts, at a speed in m/s: plain Python, no network in sight."""
    mass = 85.0
    gravity = 9.81
    slope = 0.02
    headwind = 2.0
    rolling = 0.005 * mass * gravity
    climbing = slope * mass * gravity
    air_speed = speed + headwind
    drag = 0.25 * air_speed * air_speed
    force = drag + (rolling + climbing)
    power = force * speed
    return locals()


def formula(**how: Any) -> Drawing:
    """How much more power one more metre per second takes."""
    variables = cycling(Value(7.0))
    return see(variables["power"], variables["speed"], names=variables, **how)


def same_twice(**how: Any) -> Drawing:
    """a·a + a as a computation graph: three wires lead out of the same value."""
    a = Value(3.0, name="a")
    y = a * a + a
    y.name = "y"
    y.backward()
    return see(y, **how)


def not_yet(**how: Any) -> Drawing:
    """The same graph before backward() is called."""
    a = Value(3.0, name="a")
    y = a * a + a
    y.name = "y"
    return see(y, **how)


def saturated(**how: Any) -> Drawing:
    """Weights twelve times as large: σ′ is nearly 0, and hardly any error gets through."""
    network = notes_network(scale=12.0)
    return see(network(X), network.parameter("W14(1)"), **how)


def through_time(**how: Any) -> Drawing:
    """A recurrent network over three steps: the share of each step in the gradient of one weight."""
    network = Recurrent(1, 2, scalar=True)
    return see(network([[1.0], [0.5], [-1.0]])[-1], network.parameter("W11"), **how)


def arrays(**how: Any) -> Drawing:
    """The notes' network on arrays: shapes and norms."""
    network = notes_network(scalar=False)
    return see(network(X), network.parameter("W(1)"), **how)


def wrong_rule() -> Drawing:
    """The check of a wrong primitive: the energy ½·k·x² of a spring, whose rule for x misses the factor 2."""
    energy = ad.primitive(
        "energy",
        lambda xp, k, x: 0.5 * k * x * x,
        [lambda g, z, k, x: g * 0.5 * x * x, lambda g, z, k, x: g * 0.5 * k * x],
    )
    try:
        return drawing(check_gradients(lambda k, x: energy(k, x), 2.0, 3.0))
    finally:
        del ad.TABLE["energy"]


@dataclass(frozen=True)
class Exhibit:
    """A picture of the gallery: the name of its file, its caption, and the function that draws it."""

    name: str
    says: str
    draw: Callable[..., Drawing]


EXHIBITS = (
    Exhibit("error-sharing", "The notes' 4-2-1 network, ∂s/∂W₁₄⁽¹⁾: one path, eight steps.", one_path),
    Exhibit("several-paths", "4-3-3-2-1: six paths lead to one weight; every wire carries its share.", several_paths),
    Exhibit("network", "The same weight among neurons and weights.", partial(several_paths, view="network")),
    Exhibit("both-windows", "The objective J: both windows send their error, of opposite signs.", objective),
    Exhibit("margin-met", "J with the margin met: every share is exactly 0.", partial(objective, shift=3.0)),
    Exhibit("formula", "Your own formula in plain Python, with your variables' names.", formula),
    Exhibit("same-twice", "a·a + a: local gradients at the ports, value over gradient.", same_twice),
    Exhibit("not-yet", "Before backward(): a gradient that does not exist yet is not 0.", not_yet),
    Exhibit("saturated", "A saturated unit: the caption names the factor that shrinks the error most.", saturated),
    Exhibit("through-time", "A recurrent network, unrolled: the share of every time step.", through_time),
    Exhibit("arrays", "The network on arrays: shapes and norms.", arrays),
    Exhibit("wrong-rule", "A wrong gradient that a check found: the rule, and the correct share.", wrong_rule),
    Exhibit("chinese", "误差分享：同一张图，中文说明。", partial(one_path, language="zh")),
)  # fmt: skip
FIG_1 = "The notes' Fig 1: a single unit divides the plane by a line, a hidden layer by a curve."
IN_README = ("error-sharing", "several-paths", "wrong-rule")

# ---- the notes' Fig 1 ------------------------------------------------------------------------------------------------


def moons(count: int = 200, *, seed: int = 1) -> tuple[Any, Any]:
    """Points of two half-moons that no line can separate, shape (count, 2), and their labels ±1."""
    random = np.random.default_rng(seed)
    angle = np.pi * random.random(count)
    label = np.where(np.arange(count) % 2, 1.0, -1.0)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points = np.where(label[:, None] > 0, upper, [1.0, 0.4] - upper)
    return points + 0.12 * random.standard_normal((count, 2)), label


def trained(sizes: tuple[int, ...], points: Any, label: Any, *, steps: int = 600) -> Network:
    """A network that separates the labels: AdaGrad minimises the mean of softplus(−label · score)."""
    network = Network(sizes, activation="tanh", random=np.random.default_rng(3))
    descent = AdaGrad(network, rate=0.2)
    for _ in range(steps):
        descent.zero_grad()
        ad.mean(ad.softplus(-label * network(points)[:, 0])).backward()
        descent.step()
    return network


def boundaries(palette: Mapping[str, str]) -> str:
    """The notes' Fig 1 as SVG: a single unit divides the plane by a line, a hidden layer by a curve.

    Raises:
        ImportError: if matplotlib, of the extra "demos", is not installed.
    """
    from plots import as_svg, panels, regions

    points, label = moons()
    figure, axes = panels(1, 2, palette=palette)
    for panel, (said, sizes) in zip(
        axes[0], {"no hidden layer": (2, 1), "8 hidden units": (2, 8, 1)}.items(), strict=True
    ):
        network = trained(sizes, points, label)
        regions(panel, network.predict, points, label > 0, box=(-1.6, 2.6, -1.2, 1.7), palette=palette)
        right = np.mean(np.sign(network.predict(points)[:, 0]) == label)
        panel.set_title(f"{said}: {right:.0%} right")
    return as_svg(figure)


# ---- files -----------------------------------------------------------------------------------------------------------

_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>autodiff: a gallery of gradients</title>
<style>
body {{ margin: 0 auto; max-width: 1400px; padding: 1.5rem; font-family: {fonts}; line-height: 1.5;
  background: {light[paper]}; color: {light[ink]} }}
figure {{ margin: 2.5rem 0; padding-top: 1.5rem; border-top: 1px solid {light[line]} }}
figcaption {{ font-size: 1.1rem; margin-bottom: .8rem }}
svg, img {{ max-width: 100%; height: auto }}
@media screen and (prefers-color-scheme: dark) {{ body {{ background: {dark[paper]}; color: {dark[ink]} }}
  figure {{ border-color: {dark[line]} }} }}
</style>
<h1>See a gradient</h1>
{figures}
</html>
"""


def page(figures: Sequence[tuple[str, str]]) -> str:
    """A self-contained page of figures, each a caption and its markup."""
    said = (f"<figure><figcaption>{escape(says)}</figcaption>\n{markup}</figure>" for says, markup in figures)
    return _PAGE.format(fonts=FONTS, light=LIGHT, dark=DARK, figures="\n".join(said))


def _either(light: str, dark: str, alternative: str) -> str:
    """The light or the dark picture, according to the reader's system."""
    first, second = (f"data:image/svg+xml;base64,{b64encode(text.encode()).decode()}" for text in (light, dark))
    source = f'<source media="(prefers-color-scheme: dark)" srcset="{second}">'
    return f'<picture>{source}<img src="{first}" alt="{escape(alternative)}"></picture>'


def write(folder: Path) -> list[Path]:
    """Draw everything, and return the paths of the files."""
    files: dict[str, str] = {}
    figures = []
    for exhibit in EXHIBITS:
        drawn = exhibit.draw()
        for theme in ("light", "dark"):
            files[f"{exhibit.name}-{theme}.svg"] = replace(drawn, theme=theme).svg()
        figures.append((exhibit.says, drawn.svg()))
        if exhibit.name in IN_README:
            files[f"readme/{exhibit.name}.svg"] = drawn.svg()
    try:
        light, dark = boundaries(LIGHT), boundaries(DARK)
    except ImportError:
        print(f"The notes' Fig 1 is missing: it needs matplotlib, {install('demos')}.")
    else:
        files |= {"boundary-light.svg": light, "boundary-dark.svg": dark}
        figures.insert(0, (FIG_1, _either(light, dark, FIG_1)))
    files["gallery.html"] = page(figures)
    (folder / "readme").mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    return [folder / name for name in files]


@readable_output()
def main() -> None:
    """Write the gallery into the folder that the command line names."""
    parser = argparse.ArgumentParser(description="Draw all pictures of the README and of a gallery page.")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("gallery"), metavar="FOLDER", help="the folder (default: gallery)"
    )
    parser.add_argument("--sheets", action="store_true", help="write contact sheets of 60 everyday programs instead")
    given = parser.parse_args()
    folder = given.output
    if given.sheets:
        paths = write_sheets(folder)
        print(f"Wrote {len(paths)} contact sheets into {folder}; open {paths[0]}.")
        return
    print(f"Wrote {len(write(folder))} files into {folder}; open {folder / 'gallery.html'}.")


if __name__ == "__main__":
    main()
