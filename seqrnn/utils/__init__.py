"""Helpers around training: seeds, data, progress, names of custom objects."""

from seqrnn.config import (
    clear_session,
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
    standardize_dtype,
)
from seqrnn.errors import public_names
from seqrnn.saving.objects import (
    CustomObjectScope,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from seqrnn.training.packing import pack_x_y_sample_weight, unpack_x_y_sample_weight
from seqrnn.utils.batches import PyDataset, Sequence
from seqrnn.utils.data import (
    normalize,
    pad_sequences,
    split_dataset,
    timeseries_dataset_from_array,
    to_categorical,
)
from seqrnn.utils.download import get_file
from seqrnn.utils.graphs import get_source_inputs, is_keras_tensor
from seqrnn.utils.history import plot_history
from seqrnn.utils.plot import model_to_dot, plot_model
from seqrnn.utils.progress import Progbar
from seqrnn.utils.seeds import set_random_seed
from seqrnn.utils.text_files import text_dataset_from_directory

__getattr__, __dir__ = public_names(__name__)
