"""micrograd's demo: two half-moons, a 2-16-16-1 net of scalars, one program instead of 65,000 operations a step.

Run it with ``python demos/moons.py [FOLDER]``: it trains the same net twice, node by node and as `ad.program`, prints
both times beside the losses that micrograd's notebook published, and draws the regions that the net divides.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import numpy as np
from plots import as_svg, panels, regions

import autodiff as ad
from autodiff.system.console import readable_output
from autodiff.system.extras import install
from nn import Network

try:
    from sklearn.datasets import make_moons
except ImportError as error:
    raise ImportError(f"this demo takes its points from scikit-learn: {install('demos')}") from error

#: The losses of micrograd's notebook ``demo.ipynb``, by step.
PUBLISHED: Final = {0: 0.8958441028683222, 1: 1.7235905336972022, 99: 0.010978370135492717}
#: Relative. micrograd adds one product after another; a matrix product adds them in another order, which moves the last
#: digit or two of a sum of 100 losses. No point comes so near to a kink in these 100 steps that rounding would decide,
#: so the difference does not grow: below 4·10⁻¹⁶ is measured.
TOLERANCE: Final = 1e-14
STEPS: Final = 100
SEED: Final = 1337
PENALTY: Final = 1e-4

Objective = Callable[[Sequence[Any], Sequence[Any]], Any]


def points() -> tuple[list[list[float]], list[float]]:
    """The points of two half-moons and their labels ±1, as the notebook draws them."""
    np.random.seed(SEED)  # the published numbers come from the old generator
    x, y = make_moons(100, noise=0.1)
    return x.tolist(), (2.0 * y - 1.0).tolist()


def network() -> Network:
    """The net of Values, with the notebook's weights: uniform in [−1, 1], from Python's generator."""
    draws = random.Random(SEED)

    def uniform(_: Any, inputs: int, units: int) -> list[list[float]]:
        return [[draws.uniform(-1.0, 1.0) for _ in range(inputs)] for _ in range(units)]

    return Network((2, 16, 16, 1), activation="relu", init=uniform, scalar=True)


def objective_of(net: Network) -> Objective:
    """J = Σ max(0, 1 − y s(x))/n + λ Σ p², a function of the points x and their labels y."""
    parameters = list(net.parameters().values())

    def objective(x: Sequence[Any], y: Sequence[Any]) -> Any:
        """The max-margin objective, and a penalty of all parameters, biases included."""
        losses = [(1.0 - label * net(point)).relu() for point, label in zip(x, y, strict=True)]
        return sum(losses) / len(losses) + PENALTY * sum(p * p for p in parameters)

    return objective


def descent(net: Network, objective: Objective, x: Sequence[Any], y: Sequence[Any]) -> Iterator[float]:
    """J before each step downhill; the rate falls from 1 to a tenth."""
    parameters = list(net.parameters().values())
    for k in range(STEPS):
        J = objective(x, y)
        for p in parameters:
            p.grad = None
        J.backward()
        yield J.data
        for p in parameters:
            p.data -= (1.0 - 0.9 * k / STEPS) * p.grad


def agree(losses: Sequence[float]) -> bool:
    """Whether the losses are the published ones, up to rounding."""
    return all(abs(losses[k] - J) <= TOLERANCE * J for k, J in PUBLISHED.items() if k < len(losses))


def trained(*, recorded: bool) -> tuple[Network, list[float], float, float]:
    """A net after all steps, its losses, the seconds of the recording (0 without), and those of the steps."""
    x, y = points()
    net = network()
    objective = ad.program(objective_of(net)) if recorded else objective_of(net)
    start = perf_counter()
    if recorded:
        objective(x, y)
    ready = perf_counter()
    losses = list(descent(net, objective, x, y))
    return net, losses, ready - start, perf_counter() - ready


@readable_output()
def main(folder: Path) -> None:
    """Train both ways, print losses and times, and draw the regions."""
    losses: dict[str, list[float]] = {}
    for said, recorded in (("node by node", False), ("as a program", True)):
        net, losses[said], before, seconds = trained(recorded=recorded)
        note = f", after {before:.2f} s of recording" if recorded else ""
        print(f"{said}: {len(losses[said])} steps in {seconds:.2f} s{note}")
    print(f"\n{'step':>4} {'published':>22} " + " ".join(f"{said:>22}" for said in losses))
    for k, J in PUBLISHED.items():
        if k < STEPS:
            print(f"{k:>4} {J!r:>22} " + " ".join(f"{each[k]!r:>22}" for each in losses.values()))
    same = all(map(agree, losses.values()))
    print(f"All agree to a relative {TOLERANCE:g}." if same else "They do not agree.")
    x, y = map(np.array, points())
    right = np.mean((net.predict(x)[:, 0] > 0) == (y > 0))
    figure, axes = panels(1, 1, width=6.4, height=4.8)
    regions(axes[0, 0], net.predict, x, y > 0, box=(-1.5, 2.5, -1.0, 1.5))
    axes[0, 0].set_title(f"2-16-16-1, {len(losses[said])} steps: {right:.0%} right")
    path = folder / "moons.svg"
    path.write_text(as_svg(figure), encoding="utf-8")
    print(f"Wrote {path}.")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
