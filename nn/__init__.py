"""Small neural networks on `autodiff`: neurons, layers, the window scorer, its objective and its optimisers.

Any callable with ``parameters()`` works with all of them; it need not inherit from `Module`.
"""

from nn.descent.optimizer import SGD, AdaGrad, Optimizer
from nn.layers import Layer, Neuron, unit
from nn.module import Module
from nn.network import Network
from nn.objectives.margin import max_margin
from nn.parameters.init import xavier
from nn.recurrent import Recurrent
from nn.scorer import WindowScorer
from nn.training.early_stopping import EarlyStopping
from nn.training.fit import fit
from nn.training.history import History
from nn.training.progress import progress
from nn.training.statistics import Spread, spreads, statistics
from nn.training.step import Step
from nn.training.validation import validated

__all__ = [
    "SGD", "AdaGrad", "EarlyStopping", "History", "Layer", "Module", "Network", "Neuron", "Optimizer", "Recurrent",
    "Spread", "Step", "WindowScorer", "fit", "max_margin", "progress", "spreads", "statistics", "unit", "validated",
    "xavier",
]  # fmt: skip
