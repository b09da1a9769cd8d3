"""Small neural networks on `autodiff`: layers and nets, objectives, optimisers, and training that can be resumed.

Objectives, optimisers and `fit` work with any callable that has ``parameters()``; it need not inherit from `Module`.
"""

from nn import rates
from nn.data.batches import Batches
from nn.data.preprocessing import Standardise, Whiten
from nn.descent.clipping import clip_norm, clip_value, gradient_norm
from nn.descent.descents import SGD, AdaGrad, Adam, Momentum, Nesterov, RMSprop
from nn.descent.optimizer import Optimizer
from nn.descent.schedules import Schedule
from nn.dropout import Dropout
from nn.layers import Layer, Neuron, unit
from nn.module import Module
from nn.net_file import load
from nn.network import Network
from nn.objectives.entropy import cross_entropy, logistic, softmax_cross_entropy
from nn.objectives.margin import max_margin, multiclass_margin
from nn.objectives.penalties import l1, l2
from nn.objectives.squares import squared_error
from nn.parameters.init import he, he_normal, xavier, xavier_normal
from nn.parameters.twins import twins
from nn.recurrent import Recurrent
from nn.saving.file import Contents, contents
from nn.saving.run import resume, save
from nn.scorer import WindowScorer
from nn.training.checkpoints import checkpoints
from nn.training.early_stopping import EarlyStopping
from nn.training.fit import fit
from nn.training.history import History
from nn.training.progress import progress
from nn.training.statistics import Spread, spreads, statistics
from nn.training.step import Step
from nn.training.validation import validated

__all__ = [
    "SGD", "AdaGrad", "Adam", "Batches", "Contents", "Dropout", "EarlyStopping", "History", "Layer", "Module",
    "Momentum", "Nesterov", "Network", "Neuron", "Optimizer", "RMSprop", "Recurrent", "Schedule", "Spread",
    "Standardise", "Step", "Whiten", "WindowScorer", "checkpoints", "clip_norm", "clip_value", "contents",
    "cross_entropy", "fit", "gradient_norm", "he", "he_normal", "l1", "l2", "load", "logistic", "max_margin",
    "multiclass_margin", "progress", "rates", "resume", "save", "softmax_cross_entropy", "spreads", "squared_error",
    "statistics", "twins", "unit", "validated", "xavier", "xavier_normal",
]  # fmt: skip
