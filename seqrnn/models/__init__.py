"""Models: `Sequential`, `Model`, and their files."""

from seqrnn.errors import public_names
from seqrnn.models.clone import clone_model
from seqrnn.models.model import Model, model_from_json
from seqrnn.models.sequential import Sequential
from seqrnn.saving.model_io import load_model, save_model

__getattr__, __dir__ = public_names(__name__)
