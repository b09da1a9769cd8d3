"""Small neural networks on `autodiff`: neurons, layers, the window scorer, its objective and its optimisers.

Any callable with ``parameters()`` works with all of them; it need not inherit from `Module`.
"""

from nn import rates
from nn.descent.clipping import clip_norm, clip_value
from nn.descent.descents import SGD, AdaGrad, Adam, Momentum, Nesterov, RMSprop
from nn.descent.optimizer import Optimizer
from nn.descent.schedules import Schedule
from nn.layers import Layer, Neuron, unit
from nn.module import Module
from nn.network import Network
from nn.objectives.margin import max_margin
from nn.parameters.init import xavier
from nn.recurrent import Recurrent
from nn.scorer import WindowScorer

__all__ = [
    "SGD", "AdaGrad", "Adam", "Layer", "Module", "Momentum", "Nesterov", "Network", "Neuron", "Optimizer", "RMSprop",
    "Recurrent", "Schedule", "WindowScorer", "clip_norm", "clip_value", "max_margin", "rates", "unit", "xavier",
]  # fmt: skip
