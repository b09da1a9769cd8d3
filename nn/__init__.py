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
from nn.layers import Layer, Neuron
from nn.modules.activations import unit
from nn.modules.module import Module
from nn.modules.net_file import load
from nn.network import Network
from nn.objectives.entropy import cross_entropy, logistic, softmax_cross_entropy
from nn.objectives.margin import max_margin, multiclass_margin
from nn.objectives.penalties import l1, l2
from nn.objectives.squares import squared_error
from nn.parameters.init import he, he_normal, xavier, xavier_normal
from nn.parameters.twins import twins
from nn.recurrence.attention import Attention
from nn.recurrence.carried import Carried, text_loss
from nn.recurrence.cells import GRU, LSTM
from nn.recurrence.in_time import InTime, shares_in_time
from nn.recurrence.language_model import RecurrentLM
from nn.recurrence.ngrams import NGrams
from nn.recurrence.recurrent import Recurrent
from nn.recurrence.sampling import draw_symbol, generate, perplexity
from nn.recurrence.symbols import Vocabulary, sequences
from nn.saving.file import Contents, contents
from nn.saving.run import resume, save
from nn.scorer import WindowScorer
from nn.tagger import Tagger
from nn.training.checkpoints import checkpoints
from nn.training.early_stopping import EarlyStopping
from nn.training.fit import fit
from nn.training.history import History
from nn.training.progress import progress
from nn.training.statistics import Spread, spreads, statistics
from nn.training.step import Step
from nn.training.validation import validated
from nn.windows.cut import Windows, WindowVocabulary, cut_windows
from nn.windows.measures import Found, auc, best_threshold, entities, entity_f1, precision_recall
from nn.windows.pairs import WindowPairs
from nn.windows.readers import Corpus, read_plain, read_tagged

__all__ = [
    "GRU", "LSTM", "SGD", "AdaGrad", "Adam", "Attention", "Batches", "Carried", "Contents", "Corpus", "Dropout",
    "EarlyStopping", "Found", "History", "InTime", "Layer", "Module", "Momentum", "NGrams", "Nesterov", "Network",
    "Neuron", "Optimizer", "RMSprop", "Recurrent", "RecurrentLM", "Schedule", "Spread", "Standardise", "Step", "Tagger",
    "Vocabulary", "Whiten", "WindowPairs", "WindowScorer", "WindowVocabulary", "Windows", "auc", "best_threshold",
    "checkpoints", "clip_norm", "clip_value", "contents", "cross_entropy", "cut_windows", "draw_symbol", "entities",
    "entity_f1", "fit", "generate", "gradient_norm", "he", "he_normal", "l1", "l2", "load", "logistic", "max_margin",
    "multiclass_margin", "perplexity", "precision_recall", "progress", "rates", "read_plain", "read_tagged", "resume",
    "save", "sequences", "shares_in_time", "softmax_cross_entropy", "spreads", "squared_error", "statistics",
    "text_loss", "twins", "unit", "validated", "xavier", "xavier_normal",
]  # fmt: skip
