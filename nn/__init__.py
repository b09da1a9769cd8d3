"""Small neural networks on `autodiff`: neurons, layers, the window scorer, its objective and its optimisers.

Whatever can be called and has ``parameters()`` works with all of it; there is no class to inherit from.
"""

from nn.init import xavier
from nn.layers import Layer, Network, Neuron, unit
from nn.objective import max_margin
from nn.optimiser import SGD, AdaGrad
from nn.recurrent import Recurrent
from nn.scorer import WindowScorer

__all__ = ["SGD", "AdaGrad", "Layer", "Network", "Neuron", "Recurrent", "WindowScorer", "max_margin", "unit", "xavier"]
