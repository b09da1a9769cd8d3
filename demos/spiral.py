"""Three spiral arms: a softmax alone divides the plane by lines; with one hidden layer it follows the arms.

Run it with ``python demos/spiral.py [FOLDER]``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from plots import as_svg, panels, regions

from autodiff.system.console import readable_output
from nn import AdaGrad, History, Network, fit, softmax_cross_entropy

ARMS, POINTS = 3, 100  # points an arm
NETS = {"softmax alone": (2, ARMS), "32 hidden units": (2, 32, ARMS)}
STEPS = 600


def spiral(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points of three arms, shape (300, 2), and the arm of each."""
    random = np.random.default_rng(seed)
    radius = np.tile(np.linspace(0.05, 1.0, POINTS), ARMS)
    arm = np.repeat(np.arange(ARMS), POINTS)
    angle = 2 * np.pi * arm / ARMS + 4.0 * radius + 0.2 * random.standard_normal(radius.size)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), arm


def objective(net: Network, x: Any, arm: Any) -> Any:
    """The cross-entropy of the softmax, in nats."""
    return softmax_cross_entropy(net(x), arm)


@readable_output()
def main(folder: Path) -> None:
    """Train both nets, print what they reach, and draw their regions and how they learned."""
    x, arm = spiral()
    figure, axes = panels(1, len(NETS))
    history = History()
    for panel, (said, sizes) in zip(axes[0], NETS.items(), strict=True):
        net = Network(sizes, activation="tanh", random=np.random.default_rng(2))
        stream = fit(net, objective, [(x, arm)], optimizer=AdaGrad(net, rate=0.3), epochs=STEPS)
        for step in stream:
            history.add(step=step.number, **{said: step.J})
        right = np.mean(np.argmax(net.predict(x), axis=1) == arm)
        print(f"{said}: J = {step.J:.4f} nats, {right:.1%} right")
        regions(panel, net.predict, x, arm, box=(-1.15, 1.15, -1.15, 1.15))
        panel.set_title(f"{said}: {right:.0%} right")
    for name, text in (("spiral", as_svg(figure)), ("spiral-history", history.svg(*NETS))):
        path = folder / f"{name}.svg"
        path.write_text(text, encoding="utf-8")
        print(f"Wrote {path}.")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
