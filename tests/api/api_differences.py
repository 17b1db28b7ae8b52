"""What differs from Keras on purpose, and values for the arguments that have no default."""

import pathlib
import tempfile

import seqrnn as keras

BY_POSITION = "given by position; one name for every kind of object"
MADE_BY_US = "made by the library, not by users"

# (path, argument) -> why.
DIFFERENCES = {
    **{
        (f"keras.{module}.serialize", argument): BY_POSITION
        for module, argument in {
            "constraints": "constraint",
            "initializers": "initializer",
            "losses": "loss",
            "metrics": "metric",
            "regularizers": "regularizer",
            "optimizers.schedules": "learning_rate_schedule",
        }.items()
    },
    ("keras.losses.deserialize", "name"): BY_POSITION,
    **{
        (f"keras.{module}.{name}", argument): BY_POSITION
        for module in ("saving", "utils")
        for name, argument in {
            "CustomObjectScope": "custom_objects",
            "custom_object_scope": "custom_objects",
            "get_registered_name": "obj",
        }.items()
    },
    ("keras.models.model_from_json", "json_string"): BY_POSITION,
    ("keras.ops.stop_gradient", "variable"): BY_POSITION,
    **{
        (f"keras.optimizers.schedules.{name}", "name"): "None stands for the name of the class"
        for name in ("ExponentialDecay", "InverseTimeDecay")
    },
    ("keras.KerasTensor", "dtype"): MADE_BY_US,
    ("keras.KerasTensor", "name"): MADE_BY_US,
    ("keras.Variable", "aggregation"): "accepted for its name only: there is one process",
    ("keras.Variable", "name"): "there is no synchronization between processes before it",
    ("keras.Layer.add_weight", "aggregation"): "accepted for its name only: there is one process",
    ("keras.backend.get_uid", "prefix"): "a name without prefix would be empty",
    **{
        ("keras.callbacks.CallbackList", name): MADE_BY_US
        for name in ("callbacks", "add_history", "add_progbar", "model")
    },
    **{
        (f"keras.{module}.save_model", "zipped"): "files are always zipped; give it by keyword"
        for module in ("models", "saving")
    },
    ("keras.utils.Progbar", "interval"): "None: as often as the terminal shows it",
    ("keras.utils.Progbar", "unit_name"): "there are no stateless metrics before it",
    **{
        (f"keras.layers.{layer}.{method}", argument): BY_POSITION
        for layer in ("RNN", "Bidirectional")
        for method, argument in {
            "build": "sequences_shape",
            "compute_mask": "_",
            "compute_output_shape": "sequences_shape",
        }.items()
    },
}

# Something that a constructor accepts, so that another argument of it can be tried.
SAMPLES = {
    "learning_rate": 0.01,
    "units": 3,
    "filters": 3,
    "kernel_size": 2,
    "input_dim": 3,
    "output_dim": 3,
    "pool_size": 2,
    "rate": 0.5,
    "num_heads": 2,
    "key_dim": 2,
    "head_dim": 2,
    "num_query_heads": 2,
    "num_key_value_heads": 1,
    "inputs": keras.ops.zeros((1, 2)),
    "equation": "ab,bc->ac",
    "output_shape": 3,
}


def _model():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])


_folder = tempfile.TemporaryDirectory()  # removed at exit
SAMPLES["filepath"] = pathlib.Path(_folder.name) / "model.srn"
SAMPLES["model"] = _model()
INSTANCES = {
    "keras.Model": _model,
    "keras.Sequential": _model,
    "keras.Layer": lambda: keras.layers.Dense(1),
    "keras.Optimizer": keras.optimizers.Adam,
    "keras.Metric": keras.metrics.Mean,
    "keras.Loss": keras.losses.MeanSquaredError,
    "keras.Variable": lambda: keras.Variable(1.0),
    "keras.callbacks.Callback": keras.callbacks.Callback,
}
