"""`Value` and `Tensor`: what users compute with, and how a call on them leaves a node; no backward pass."""
