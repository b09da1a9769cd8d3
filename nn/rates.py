"""Schedules of learning rates, which any optimiser takes as its ``rate``; they can be nested.

``nn.Adam(net, rate=nn.rates.warm_up(nn.rates.cosine(0.001, steps=900), steps=100))``
"""

from nn.descent.schedules import by_fan_in, constant, cosine, exponential, inverse, step, warm_up

__all__ = ["by_fan_in", "constant", "cosine", "exponential", "inverse", "step", "warm_up"]
