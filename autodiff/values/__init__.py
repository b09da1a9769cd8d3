"""`Value` and `Tensor`, with which users compute, and how calls are recorded; the chain rule is in the engine."""
