"""How parameters move: the formulas of optimisers, learning rates over time, clipping, and groups of parameters."""
