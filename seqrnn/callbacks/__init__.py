"""Callbacks: what happens besides training, around it, its epochs and its batches."""

from seqrnn.callbacks.averages import SwapEMAWeights
from seqrnn.callbacks.backup import BackupAndRestore
from seqrnn.callbacks.base import Callback, CallbackList, History, LambdaCallback
from seqrnn.callbacks.checkpoint import ModelCheckpoint
from seqrnn.callbacks.monitors import EarlyStopping, ReduceLROnPlateau
from seqrnn.callbacks.simple import (
    CSVLogger,
    LearningRateScheduler,
    ProgbarLogger,
    TerminateOnNaN,
)
from seqrnn.callbacks.tensorboard import TensorBoard
from seqrnn.errors import public_names

__getattr__, __dir__ = public_names(__name__)
