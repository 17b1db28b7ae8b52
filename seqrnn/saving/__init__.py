"""Models, weights and objects in files. Formats: see `model_io`."""

from seqrnn.saving.model_io import load_model, load_weights, save_model, save_weights
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
from seqrnn.saving.torch_weights import load_torch_weights, torch_state_dict
