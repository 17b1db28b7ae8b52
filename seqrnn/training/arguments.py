"""Checks of the arguments of fit, evaluate and predict."""

import inspect
import warnings

import numpy as np

from seqrnn import config
from seqrnn.errors import UnknownArgumentError, did_you_mean
from seqrnn.trace import nest

_KERAS2 = {
    "workers": "leave it out; a PyDataset takes workers itself, PyDataset(workers=4)",
    "use_multiprocessing": "leave it out; a PyDataset takes it itself",
    "max_queue_size": "leave it out; a PyDataset takes it itself",
    "nb_epoch": "it is called epochs now",
    "samples_per_epoch": "it is called steps_per_epoch now, in batches",
    "nb_val_samples": "it is called validation_steps now, in batches",
    "show_accuracy": "write compile(metrics=['accuracy'])",
    "sample_weight_mode": "leave it out; sample_weight of fit may be (samples, steps)",
    "experimental_run_tf_function": "leave it out",
}


def refuse_unknown(method, unknown):
    """UnknownArgumentError for the first of the keywords `unknown`; fine when there is none."""
    for name in unknown:
        known = list(inspect.signature(method).parameters)[1:-1]
        if name in _KERAS2:
            raise UnknownArgumentError(
                f"{method.__name__}() got the argument {name!r} of Keras 2: {_KERAS2[name]}."
            )
        raise UnknownArgumentError(
            f"{method.__name__}() got an unexpected keyword argument {name!r}."
            f"{did_you_mean(name, known)}"
        )


def check_compile_flags(run_eagerly, jit_compile):
    """TypeError or ValueError for what they can't be; warns of both at once."""
    if not isinstance(run_eagerly, int | np.bool_ | None):
        raise TypeError(f"run_eagerly must be True or False, got {run_eagerly!r}.")
    if not (isinstance(jit_compile, bool | None) or jit_compile == "auto"):
        raise ValueError(f"jit_compile must be True, False or 'auto', got {jit_compile!r}.")
    if run_eagerly and jit_compile is True:
        warnings.warn(
            "With run_eagerly=True, jit_compile=True has no effect: steps run as Python.",
            stacklevel=3,
        )


def metrics_and_loss_weights(metrics, loss_weights):
    """(metrics, loss_weights), the other way round if they were given in the order of Keras 2,
    `compile(optimizer, loss, metrics, loss_weights)`: names or objects of metrics are no weights.

    TypeError if both hold metrics.
    """

    def names_metrics(given):
        return any(isinstance(leaf, str) or callable(leaf) for leaf in nest.flatten(given))

    if not names_metrics(loss_weights):
        return metrics, loss_weights
    if names_metrics(metrics):
        raise TypeError(f"compile(): loss_weights must be numbers, got {loss_weights!r}.")
    return loss_weights, metrics


def warn_of_nan(epoch, logs, underway):
    """Warns of the first epoch of a fit whose loss is not a number."""
    if logs.get("loss") == logs.get("loss") or underway.told_of_nan:
        return
    underway.told_of_nan = True
    warnings.warn(
        f"The loss of epoch {epoch + 1} is NaN. Look for NaN in the data, np.isnan(x).any(); if "
        "there is none, try a smaller learning rate or an optimizer with clipnorm=1.0.",
        stacklevel=5,
    )


def check_class_weight(class_weight):
    """TypeError unless it is a dict or None."""
    if class_weight is not None and not isinstance(class_weight, dict):
        raise TypeError(f"class_weight must be a dict {{class: weight}}, got {class_weight!r}.")


def verbosity(verbose):
    """0, 1 or 2; 'auto' is 1, or 2 where progress goes to the log."""
    if verbose == "auto":
        return 1 if config.is_interactive_logging_enabled() else 2
    if verbose in (0, 1, 2):
        return int(verbose)
    raise ValueError(f"verbose must be 0, 1, 2 or 'auto', got {verbose!r}.")


def limited_epochs(epochs):
    """`epochs`, or the limit that is set for all `fit`."""
    most = config.max_epochs()
    if not most or epochs <= most:
        return epochs
    warnings.warn(f"Limited to {most} epochs by set_max_epochs.", stacklevel=4)
    return most


def check_count(value, name):
    """`value` if it is None or a positive whole number; TypeError or ValueError otherwise."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be a whole number, got {value!r}.")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}.")
    return int(value)


def check_patience(value, owner):
    """`value` if it is a number from 0; ValueError otherwise."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not value >= 0:
        raise ValueError(f"{owner}: patience must be 0 epochs or more, got {value!r}.")
    return value


def check_fit_arguments(epochs, initial_epoch, validation_split, validation_freq, shuffle):
    """TypeError or ValueError for what `fit` can't work with."""
    for name, value in (("epochs", epochs), ("initial_epoch", initial_epoch)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise TypeError(f"{name} must be a whole number, got {value!r}.")
        if value < 0:
            raise ValueError(f"{name} must not be negative, got {value}.")
    if not isinstance(validation_split, int | float | np.number | None):
        raise TypeError(f"validation_split must be a number, got {validation_split!r}.")
    if shuffle not in (True, False, None, "batch"):
        raise ValueError(f"shuffle must be True, False or 'batch', got {shuffle!r}.")
    if validation_split and not 0 < validation_split < 1:
        raise ValueError(f"validation_split must be between 0 and 1, got {validation_split}.")
    if isinstance(validation_freq, int | np.integer):
        check_count(validation_freq, "validation_freq")
    elif not isinstance(validation_freq, list | tuple | set):
        raise TypeError(
            f"validation_freq must be a whole number or a list of epochs, got {validation_freq!r}."
        )


def usual_batch_size(declared):
    """What the shapes that a model declares for its inputs agree on, as those of a stateful one
    must; else 32."""
    first = declared[0] if declared else None
    size = first[0] if first else None
    if size and all(shape and shape[0] == size for shape in declared):
        return size
    return 32
