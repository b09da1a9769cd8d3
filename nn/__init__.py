"""Small neural networks on `autodiff`: neurons, layers, the window scorer, its objective and its optimisers.

Any callable with ``parameters()`` works with all of them; it need not inherit from `Module`.
"""

from nn.descent.optimizer import SGD, AdaGrad, Optimizer
from nn.layers import Layer, Neuron, unit
from nn.module import Module
from nn.network import Network
from nn.objectives.margin import max_margin
from nn.parameters.init import he, he_normal, xavier, xavier_normal
from nn.parameters.twins import twins
from nn.recurrent import Recurrent
from nn.scorer import WindowScorer

__all__ = [
    "SGD", "AdaGrad", "Layer", "Module", "Network", "Neuron", "Optimizer", "Recurrent", "WindowScorer", "he",
    "he_normal", "max_margin", "twins", "unit", "xavier", "xavier_normal",
]  # fmt: skip
