"""XOR: what a linear score cannot do, and what one hidden layer does.

Run it with ``python demos/xor.py [FOLDER]``: it trains both scores and draws how each divides the plane.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from plots import as_svg, panels, regions

from autodiff.system.console import readable_output
from nn import SGD, Network, fit, logistic

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = np.array([0.0, 1.0, 1.0, 0.0])
NETS = {"a linear score": (2, 1), "two hidden units": (2, 2, 1)}
STEPS = 2000


def trained(sizes: tuple[int, ...]) -> tuple[Network, float]:
    """A net that has learned XOR as well as it can, and its objective in bits an example."""
    net = Network(sizes, activation="tanh", random=np.random.default_rng(1))
    J = 0.0
    for step in fit(net, objective, [(X, Y)], optimizer=SGD(net, rate=0.5), epochs=STEPS):
        J = step.J
    return net, J


def objective(net: Network, x: np.ndarray, y: np.ndarray) -> object:
    """The logistic objective of the four points, in bits."""
    return logistic(net(x)[:, 0], y, unit="bits")


@readable_output()
def main(folder: Path) -> None:
    """Train both nets, print their scores, and draw their regions."""
    figure, axes = panels(1, len(NETS))
    for panel, (said, sizes) in zip(axes[0], NETS.items(), strict=True):
        net, J = trained(sizes)
        score = net.predict(X)[:, 0]
        print(f"{said}: J = {J:.4f} bits")
        for x, y, s in zip(X, Y, score, strict=True):
            print(f"  {x[0]:.0f} xor {x[1]:.0f} = {y:.0f}, score {s:+.3f}")
        regions(panel, net.predict, X, Y, box=(-0.5, 1.5, -0.5, 1.5))
        panel.set_title(f"{said}: J = {J:.2f} bits")
    print("For a linear score, s(0, 1) + s(1, 0) = s(0, 0) + s(1, 1): no weights make one sum positive and the other")
    print("negative. It does best by saying nothing, a score of 0 everywhere, which costs 1 bit.")
    path = folder / "xor.svg"
    path.write_text(as_svg(figure), encoding="utf-8")
    print(f"Wrote {path}.")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
