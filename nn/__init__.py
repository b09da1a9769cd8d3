"""Small neural networks on `autodiff`: neurons, layers, the window scorer, its objective and its optimisers.

Any callable with ``parameters()`` works with all of them; it need not inherit from `Module`.
"""

from nn.descent.optimizer import SGD, AdaGrad, Optimizer
from nn.layers import Layer, Neuron, unit
from nn.module import Module
from nn.net_file import load
from nn.network import Network
from nn.objectives.margin import max_margin
from nn.parameters.init import xavier
from nn.recurrent import Recurrent
from nn.saving.file import Contents, contents
from nn.saving.run import resume, save
from nn.scorer import WindowScorer

__all__ = [
    "SGD", "AdaGrad", "Contents", "Layer", "Module", "Network", "Neuron", "Optimizer", "Recurrent", "WindowScorer",
    "contents", "load", "max_margin", "resume", "save", "unit", "xavier",
]  # fmt: skip
