"""Initialisation: with Xavier's weights, a and δ keep their spread from layer to layer; with smaller ones both vanish.

Run it with ``python demos/initialisation.py [FOLDER]``. Standard weights are uniform in ±1/√n_in, as they were before
Glorot and Bengio (2010); Xavier's are uniform in ±√(6/(n_in + n_out)).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from plots import as_svg, panels

import autodiff as ad
from autodiff.draw.model.palette import LIGHT
from autodiff.system.console import readable_output
from nn import Network, he, statistics, xavier

UNITS = ("sigmoid", "tanh", "relu")
LAYERS, WIDTH, EXAMPLES = 8, 100, 200


def standard(random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
    """Weights uniform in ±1/√n_in."""
    return random.uniform(-1, 1, (fan_out, fan_in)) / fan_in**0.5


WEIGHTS: dict[str, tuple[Callable[..., Any], str, str, str]] = {
    "standard": (standard, "error", "^", "--"),
    "Xavier": (xavier, "forward", "o", "-"),
    "He": (he, "parameter", "s", ":"),
}


def spreads(unit: str, weights: Callable[..., Any]) -> tuple[list[float], list[float]]:
    """The standard deviation of a⁽ᵏ⁾ and of δ⁽ᵏ⁾ in each hidden layer, for inputs and seeds drawn from N(0, 1)."""
    random = np.random.default_rng(0)
    net = Network((WIDTH,) * (LAYERS + 1), activation=unit, output=unit, init=weights, random=random)
    seeds = random.normal(size=(EXAMPLES, WIDTH))
    J = ad.sum(net(random.normal(size=(EXAMPLES, WIDTH))) * seeds)
    J.backward()
    found = statistics(J)
    return [each.sd for each in found if each.name[0] == "a"], [each.sd for each in found if each.name[0] == "δ"]


@readable_output()
def main(folder: Path) -> None:
    """Measure every combination, print it, and draw it."""
    figure, axes = panels(2, len(UNITS), height=6.0)
    layers = range(2, LAYERS + 2)
    for column, unit in zip(axes.T, UNITS, strict=True):
        for said, (weights, colour, marker, line) in WEIGHTS.items():
            measured = spreads(unit, weights)
            for panel, letter, numbers in zip(column, "aδ", measured, strict=True):
                print(f"{unit:8} {said:9} sd of {letter}: " + " ".join(f"{each:9.2g}" for each in numbers))
                panel.semilogy(
                    layers, numbers, marker=marker, linestyle=line, color=LIGHT[colour], markersize=4, label=said
                )
        column[0].set_title(unit)
        column[1].set_xlabel("layer k")
    axes[0, 0].set_ylabel("spread of a⁽ᵏ⁾ (sd)")
    axes[1, 0].set_ylabel("spread of δ⁽ᵏ⁾ (sd)")
    axes[0, 0].legend(frameon=False)
    target = folder / "initialisation.svg"
    target.write_text(as_svg(figure), encoding="utf-8")
    print(f"Wrote {target}.")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
