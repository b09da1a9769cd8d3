"""Error sharing in the notes' 4-2-1 network: one gradient, ∂s/∂W₁₄⁽¹⁾, derived in four ways, explained and drawn.

Run it with ``python demos/error_sharing.py [FOLDER]``; the picture goes to FOLDER (the current one if left out).
"""

from __future__ import annotations

import sys
from math import exp
from pathlib import Path

import numpy as np

from autodiff import Flow, backpropagate, error_flow
from autodiff.draw import save, text
from autodiff.system.console import readable_output
from nn.network import Network

X = (1.0, -0.5, 0.25, 0.8)
W1 = np.array([[0.3, -0.2, 0.5, 0.7], [-0.4, 0.1, 0.6, -0.3]])
B1 = np.array([0.1, -0.05])
W2 = np.array([[0.9, -0.6]])
B2 = np.array([0.2])


def network(*, scalar: bool) -> Network:
    """The notes' network: sigmoid hidden units, the score s is the output itself."""
    made = Network((4, 2, 1), activation="sigmoid", output="identity", scalar=scalar)
    made.load({"W(1)": W1, "b(1)": B1, "W(2)": W2, "b(2)": B2})
    return made


def explicit_product() -> float:
    """∂s/∂W₁₄⁽¹⁾ = W₁₁⁽²⁾ f′(z₁⁽²⁾) a₄⁽¹⁾ by hand, with f′ = σ(1 − σ) (notes, section 1.5)."""
    z = sum(w * x for w, x in zip(W1[0], X, strict=True)) + B1[0]
    sigma = 1 / (1 + exp(-z))
    return float(W2[0, 0] * sigma * (1 - sigma) * X[3])


def vectorised_delta() -> float:
    """The same entry of ∇W⁽¹⁾ = δ⁽²⁾ a⁽¹⁾ᵀ with δ⁽²⁾ = f′(z⁽²⁾) ∘ (W⁽²⁾ᵀ δ⁽³⁾) and δ⁽³⁾ = 1 (notes, section 1.6)."""
    a = 1 / (1 + np.exp(-(W1 @ np.array(X) + B1)))
    delta = a * (1 - a) * (W2.T @ np.ones(1))
    return float(np.outer(delta, X)[0, 3])


def engine() -> Flow:
    """The flow of the error through the recorded graph: every share, and the gradient as their sum."""
    scalar = network(scalar=True)
    return error_flow(scalar(X), scalar.parameter("W14(1)"))


def engine_on_arrays() -> float:
    """The same entry of the gradient of the matrix W⁽¹⁾, by the same network made of arrays."""
    tensors = network(scalar=False)
    return float(backpropagate(tensors(X))[tensors.parameter("W(1)")][0, 3])


@readable_output()
def main(folder: Path) -> None:
    """Print the flow and the four numbers, and save the picture."""
    flow = engine()
    print(text(flow))
    print("\nThe same gradient, derived in four ways:")
    for how, value in (
        ("the product of the formula, by hand", explicit_product()),
        ("vectorised: the outer product of δ⁽²⁾ and a⁽¹⁾", vectorised_delta()),
        ("the engine, on a graph of numbers", flow.gradient),
        ("the engine, on a graph of arrays", engine_on_arrays()),
    ):
        print(f"  {value:.16f}  {how}")
    print(f"\nWrote {save(flow, folder / 'error-sharing.svg').path}.")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
