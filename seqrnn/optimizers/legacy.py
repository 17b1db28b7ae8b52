"""`keras.optimizers.legacy`, as code for Keras 2.11 and later imports it: the same optimizers."""

from seqrnn.optimizers.base import Optimizer
from seqrnn.optimizers.rules import SGD, Adadelta, Adagrad, Adam, Adamax, Ftrl, Nadam, RMSprop

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "Adamax",
    "Ftrl",
    "Nadam",
    "Optimizer",
    "RMSprop",
]
