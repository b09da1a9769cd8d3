"""Learning rates: too small, right, too large, and AdaGrad, as paths through one valley.

Run it with ``python demos/rates.py [FOLDER]``. The valley is J = (x² + 20y²)/2. SGD shrinks x by 1 − α and y by 1 − 20α
at each step, so that it needs α < 0.1, and the best α balances both.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from plots import as_svg, panels

from autodiff import Tensor
from autodiff.draw.model.palette import LIGHT
from autodiff.system.console import readable_output
from nn import SGD, AdaGrad, fit

CURVATURE = np.array([1.0, 20.0])
START = np.array([-9.0, 2.0])
STEPS = 25
PATHS = {
    "too small: α = 0.005": (SGD, 0.005, ("forward", "o")),
    "right: α = 0.09": (SGD, 0.09, ("parameter", "s")),
    "too large: α = 0.101": (SGD, 0.101, ("error", "^")),
    "AdaGrad: α = 1.5": (AdaGrad, 1.5, ("negative", "D")),
}


def valley(place: Tensor) -> Tensor:
    """J = (x² + 20y²)/2."""
    return (CURVATURE * place**2).sum() / 2


def path(kind: type, rate: float) -> np.ndarray:
    """The places that an optimiser visits, shape (STEPS + 1, 2)."""
    place = Tensor(START)
    steps = fit(place, valley, [()], optimizer=kind([place], rate=rate), epochs=STEPS)
    return np.array([START, *(place.data.copy() for _ in steps)])


@readable_output()
def main(folder: Path) -> None:
    """Follow every path, print where it ends, and draw it."""
    figure, ((panel,),) = panels(1, 1, height=5.4)
    x, y = np.meshgrid(np.linspace(-10, 10, 120), np.linspace(-3.2, 3.2, 120))
    heights = (CURVATURE[0] * x**2 + CURVATURE[1] * y**2) / 2
    panel.contour(x, y, heights, levels=np.geomspace(0.3, 150, 10), colors=LIGHT["line"], linewidths=1)
    for said, (kind, rate, (colour, marker)) in PATHS.items():
        places = path(kind, rate)
        J = valley(Tensor(places[-1])).item()
        print(f"{said}: J = {valley(Tensor(START)).item():g} at the start, {J:.3g} after {STEPS} steps")
        label = f"{said}, J = {J:.3g}"
        panel.plot(*places.T, marker=marker, color=LIGHT[colour], markersize=4, linewidth=1.2, label=label)
    panel.plot(0, 0, "+", color=LIGHT["ink"], markersize=14)
    panel.set(xlim=(-10, 10), ylim=(-3.2, 3.2), title=f"{STEPS} steps down J = (x² + 20y²)/2")
    panel.legend(loc="lower right", facecolor=LIGHT["paper"], edgecolor=LIGHT["line"])
    target = folder / "rates.svg"
    target.write_text(as_svg(figure), encoding="utf-8")
    print(f"Wrote {target}.")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
