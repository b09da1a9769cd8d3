"""`Value` and `Tensor`: what users compute with, and how a call leaves a node; the chain rule is the engine's."""
