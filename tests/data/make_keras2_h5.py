"""Writes keras2*.h5, laid out as tf.keras 2 wrote them, with h5py alone.

There is no Keras 2 for today's Python, so the layout follows keras-surface.md, section 5.3: nodes
of class name and config only, `batch_input_shape` of the first layer, inbound nodes as lists [name,
call, output, kwargs], weights under `<layer>/<layer>/<cell>/kernel:0`, optimizer weights without a
learning rate. Weights are small multiples of 1/16; the tests compute the expected outputs
themselves.
"""

import json
import pathlib

import h5py
import numpy as np

HERE = pathlib.Path(__file__).parent
ZEROS = {"class_name": "Zeros", "config": {}}
GLOROT = {"class_name": "GlorotUniform", "config": {"seed": None}}


def numbers(*shape):
    count = int(np.prod(shape))
    return ((np.arange(count) * 7 % 11 - 5) / 16).reshape(shape).astype("float32")


def dense(name, units, activation="linear"):
    return {
        "class_name": "Dense",
        "config": {
            "name": name,
            "trainable": True,
            "dtype": "float32",
            "units": units,
            "activation": activation,
            "use_bias": True,
            "kernel_initializer": GLOROT,
            "bias_initializer": ZEROS,
            "kernel_regularizer": None,
            "bias_regularizer": None,
            "activity_regularizer": None,
            "kernel_constraint": None,
            "bias_constraint": None,
        },
    }


def simple_rnn(name, units):
    config = dense(name, units, "tanh")["config"]
    config |= {
        "batch_input_shape": [None, None, 3],
        "return_sequences": False,
        "return_state": False,
        "go_backwards": False,
        "stateful": False,
        "unroll": False,
        "time_major": False,
        "recurrent_initializer": {
            "class_name": "Orthogonal",
            "config": {"gain": 1.0, "seed": None},
        },
        "recurrent_regularizer": None,
        "recurrent_constraint": None,
        "dropout": 0.0,
        "recurrent_dropout": 0.0,
    }
    return {"class_name": "SimpleRNN", "config": config}


def plain(class_name, name, **config):
    return {"class_name": class_name, "config": {"name": name, "trainable": True, **config}}


def gated(class_name, name, units, **options):
    config = {**simple_rnn(name, units)["config"], **options}
    del config["batch_input_shape"]
    return {"class_name": class_name, "config": {"recurrent_activation": "sigmoid", **config}}


def weights_of(prefix, *shapes, names=("kernel:0", "recurrent_kernel:0", "bias:0")):
    return {f"{prefix}/{name}": numbers(*shape) for name, shape in zip(names, shapes, strict=True)}


def several_layers():
    """(config, weights) of a model with layers of many kinds. The GRU is of the kind whose bias is
    (3 units,): reset_after False."""
    conv = dense("conv", 4, "relu")
    conv["class_name"] = "Conv1D"
    del conv["config"]["units"]
    conv["config"] |= {
        "filters": 4,
        "kernel_size": [2],
        "strides": [1],
        "padding": "causal",
        "data_format": "channels_last",
        "dilation_rate": [1],
        "groups": 1,
    }
    norm = plain("BatchNormalization", "norm", axis=[2], momentum=0.9, epsilon=0.001)
    gru = gated("GRU", "gru", 3, return_sequences=True, implementation=2, reset_after=False)
    lstm = gated("LSTM", "lstm", 2, return_sequences=True, unit_forget_bias=True, implementation=2)
    both = plain("Bidirectional", "both", layer=lstm, merge_mode="concat")
    steps = plain("TimeDistributed", "steps", layer=dense("dense", 3, "tanh"))
    first = plain("InputLayer", "series", batch_input_shape=[None, 6, 3], dtype="float32")
    del first["config"]["trainable"]
    drop = plain("Dropout", "drop", rate=0.2, noise_shape=None)
    layers = [first, conv, norm, gru, both, steps, drop]
    layers += [gated("LSTM", "last", 2, unit_forget_bias=True), dense("head", 3, "softmax")]
    moments = ("gamma:0", "beta:0", "moving_mean:0", "moving_variance:0")
    spread = weights_of("norm", (4,), (4,), (4,), (4,), names=moments)
    spread["norm/moving_variance:0"] = 1.0 + np.abs(spread["norm/moving_variance:0"])
    inside = [(3, 8), (2, 8), (8,)]
    weights = {
        "conv": weights_of("conv", (2, 3, 4), (4,), names=("kernel:0", "bias:0")),
        "norm": spread,
        "gru": weights_of("gru/gru_cell", (4, 9), (3, 9), (9,)),
        "both": weights_of("both/forward_lstm/lstm_cell_1", *inside)
        | weights_of("both/backward_lstm/lstm_cell_2", *inside),
        "steps": weights_of("steps", (4, 3), (3,), names=("kernel:0", "bias:0")),
        "drop": {},
        "last": weights_of("last/lstm_cell", *inside),
        "head": weights_of("head", (2, 3), (3,), names=("kernel:0", "bias:0")),
    }
    config = {"name": "sequential_1", "layers": layers}
    return {"class_name": "Sequential", "config": config}, weights


def write(path, config, layers, optimizer):
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"2.10.0"
        file.attrs["backend"] = b"tensorflow"
        file.attrs["model_config"] = json.dumps(config).encode()
        training = {
            "loss": "mse",
            "metrics": ["mae"],
            "weighted_metrics": None,
            "loss_weights": None,
            "optimizer_config": optimizer,
        }
        file.attrs["training_config"] = json.dumps(training).encode()
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [name.encode() for name in layers]
        group.attrs["backend"] = b"tensorflow"
        group.attrs["keras_version"] = b"2.10.0"
        for name, weights in layers.items():
            inner = group.create_group(name)
            inner.attrs["weight_names"] = [key.encode() for key in weights]
            for key, array in weights.items():
                inner[key] = array
        weights = file.create_group("optimizer_weights")
        weights.attrs["weight_names"] = [b"Adam/iter:0"]
        weights["Adam/iter:0"] = np.int64(3)


def main():
    adam = {
        "class_name": "Adam",
        "config": {
            "name": "Adam",
            "learning_rate": 0.01,
            "decay": 0.0,
            "beta_1": 0.9,
            "beta_2": 0.999,
            "epsilon": 1e-07,
            "amsgrad": False,
        },
    }
    first = {
        "class_name": "InputLayer",
        "config": {
            "batch_input_shape": [None, None, 3],
            "dtype": "float32",
            "sparse": False,
            "ragged": False,
            "name": "simple_rnn_input",
        },
    }
    layers = [first, simple_rnn("simple_rnn", 4), dense("head", 2)]
    weights = {
        "simple_rnn": {
            "simple_rnn/simple_rnn_cell/kernel:0": numbers(3, 4),
            "simple_rnn/simple_rnn_cell/recurrent_kernel:0": numbers(4, 4),
            "simple_rnn/simple_rnn_cell/bias:0": numbers(4),
        },
        "head": {"head/kernel:0": numbers(4, 2), "head/bias:0": numbers(2)},
    }
    config = {"class_name": "Sequential", "config": {"name": "sequential", "layers": layers}}
    write(HERE / "keras2.h5", config, weights, adam)

    left, shared = dense("left", 3, "tanh"), dense("shared", 2)
    series = {**first, "name": "series", "inbound_nodes": []}
    series["config"] = {**first["config"], "batch_input_shape": [None, 3], "name": "series"}
    add = {"class_name": "Add", "config": {"name": "add", "trainable": True, "dtype": "float32"}}
    left |= {"name": "left", "inbound_nodes": [[["series", 0, 0, {}]]]}
    shared |= {"name": "shared", "inbound_nodes": [[["series", 0, 0, {}]], [["left", 0, 0, {}]]]}
    add |= {"name": "add", "inbound_nodes": [[["shared", 0, 0, {}], ["shared", 1, 0, {}]]]}
    graph = {
        "name": "model",
        "trainable": True,
        "layers": [series, left, shared, add],
        "input_layers": [["series", 0, 0]],
        "output_layers": [["add", 0, 0]],
    }
    weights = {
        "series": {},
        "left": {"left/kernel:0": numbers(3, 3), "left/bias:0": numbers(3)},
        "shared": {"shared/kernel:0": numbers(3, 2), "shared/bias:0": numbers(2)},
        "add": {},
    }
    config = {"class_name": "Functional", "config": graph}
    write(HERE / "keras2_functional.h5", config, weights, adam)
    write(HERE / "keras2_layers.h5", *several_layers(), adam)


if __name__ == "__main__":
    main()
