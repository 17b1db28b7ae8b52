"""Writes torch_modules.npz from real PyTorch: `python make_torch_modules.py` (torch 2.13.0)."""

import pathlib

import numpy as np
import torch
from torch import nn


def series(features=3, time=6):
    return torch.randn(2, time, features)


def channels_last(module):
    """A module of (batch, channels, time) on (batch, time, channels), as seqrnn has it."""
    return lambda x: module(x.transpose(1, 2)).transpose(1, 2)


def main():
    torch.manual_seed(0)
    recurrent = {"input_size": 3, "hidden_size": 5, "batch_first": True}
    modules = {
        "linear": (nn.Linear(3, 4), series()),
        "linear_without_bias": (nn.Linear(3, 4, bias=False), series()),
        "conv": (nn.Conv1d(3, 6, 3, stride=2), series(3, 9)),
        "conv_groups": (nn.Conv1d(3, 6, 3, dilation=2, groups=3), series(3, 9)),
        "embedding": (nn.Embedding(7, 4), torch.randint(7, (2, 6), dtype=torch.int32)),
        "layer_norm": (nn.LayerNorm(3), series()),
        "batch_norm": (nn.BatchNorm1d(3), series()),
        "rnn": (nn.RNN(**recurrent), series()),
        "rnn_relu": (nn.RNN(num_layers=2, nonlinearity="relu", **recurrent), series()),
        "lstm": (nn.LSTM(num_layers=2, **recurrent), series()),
        "lstm_without_bias": (nn.LSTM(bias=False, **recurrent), series()),
        "gru": (nn.GRU(num_layers=2, **recurrent), series()),
        "lstm_both_ways": (nn.LSTM(num_layers=2, bidirectional=True, **recurrent), series()),
        "gru_both_ways": (nn.GRU(bidirectional=True, **recurrent), series()),
    }
    arrays = {}
    for name, (module, x) in modules.items():
        for parameter in module.parameters():
            nn.init.normal_(parameter, std=0.5)
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
        module.eval()
        layout = channels_last if isinstance(module, nn.Conv1d | nn.BatchNorm1d) else lambda m: m
        with torch.no_grad():
            y = layout(module)(x)
        y = y[0] if isinstance(y, tuple) else y
        arrays |= {f"{name}/x": x.numpy(), f"{name}/y": y.numpy()}
        arrays |= {f"{name}/{key}": v.numpy() for key, v in module.state_dict().items()}
    np.savez_compressed(pathlib.Path(__file__).with_name("torch_modules.npz"), **arrays)


if __name__ == "__main__":
    main()
