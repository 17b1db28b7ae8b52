"""Writes keras2.h5 and keras2_functional.h5, laid out as tf.keras 2 wrote them, with h5py alone.

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


if __name__ == "__main__":
    main()
