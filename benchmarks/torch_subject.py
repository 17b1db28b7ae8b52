"""PyTorch: `nn.LSTM` and the like, with the training loop that its documentation shows.

Batches are gathered by index from tensors (no DataLoader), loss and metric are summed on tensors
and read once per epoch. Where PyTorch has no layer (the layer-norm cell), the input projection runs
over all steps at once and a Python loop does the rest.
"""

import time

import torch
from torch import nn

from benchmarks.cases import Conv, Recurrent


class LNSimpleRNN(nn.Module):
    def __init__(self, features, units):
        super().__init__()
        self.project = nn.Linear(features, units)
        self.recurrent = nn.Linear(units, units, bias=False)
        self.norm = nn.LayerNorm(units, eps=1e-3)

    def forward(self, x):
        h = x.new_zeros(x.shape[0], self.norm.normalized_shape[0])
        outputs = []
        for x_t in self.project(x).unbind(1):
            h = torch.tanh(self.norm(x_t + self.recurrent(h)))
            outputs.append(h)
        return torch.stack(outputs, 1)


class Recurrence(nn.Module):
    """The outputs of a built-in recurrent layer."""

    def __init__(self, kind, features, units):
        super().__init__()
        self.rnn = kind(features, units, batch_first=True)

    def forward(self, x):
        return self.rnn(x)[0]


class Convolution(nn.Module):
    """(B, T, F) to (B, T', filters)."""

    def __init__(self, features, spec):
        super().__init__()
        self.pad = (spec.kernel - 1) * spec.dilation if spec.causal else 0
        self.conv = nn.Conv1d(
            features, spec.filters, spec.kernel, stride=spec.stride, dilation=spec.dilation
        )
        self.relu = spec.relu

    def forward(self, x):
        y = self.conv(nn.functional.pad(x.transpose(1, 2), (self.pad, 0)))
        return (torch.relu(y) if self.relu else y).transpose(1, 2)


def model_of(case):
    kinds = {"lstm": nn.LSTM, "gru": nn.GRU, "simple_rnn": nn.RNN}
    modules, features = [], case.features
    for spec in case.layers:
        if isinstance(spec, Conv):
            modules.append(Convolution(features, spec))
            features = spec.filters
            continue
        if not isinstance(spec, Recurrent):
            modules.append(nn.Linear(features, spec.units))
        elif spec.cell == "layer_norm":
            modules.append(LNSimpleRNN(features, spec.units))
        else:
            modules.append(Recurrence(kinds[spec.cell], features, spec.units))
        features = spec.units
    return nn.Sequential(*modules)


class Subject:
    def __init__(self, name, threads):
        torch.set_num_threads(threads)
        self.versions = {"torch": torch.__version__}

    def build(self, case):
        torch.manual_seed(1)
        self.model = model_of(case)
        self.optimizer = torch.optim.Adam(self.model.parameters(), fused=True)

    def epochs(self, x, y, batch, count):
        x, y = torch.from_numpy(x), torch.from_numpy(y)
        spent = []
        for _ in range(count):
            wall, cpu = time.perf_counter(), time.process_time()
            self._epoch(x, y, batch)
            spent.append((time.perf_counter() - wall, time.process_time() - cpu))
        return spent

    def _epoch(self, x, y, batch):
        loss_sum, last_sum = torch.zeros(()), torch.zeros(())
        self.model.train()
        for rows in torch.randperm(len(x)).split(batch):
            x_batch, y_batch = x[rows], y[rows]
            self.optimizer.zero_grad()
            found = self.model(x_batch)
            loss = nn.functional.mse_loss(found, y_batch)
            loss.backward()
            self.optimizer.step()
            with torch.no_grad():
                loss_sum += loss * len(rows)
                last_sum += nn.functional.mse_loss(found[:, -1], y_batch[:, -1]) * len(rows)
        return loss_sum.item() / len(x), last_sum.item() / len(x)

    def predict(self, x):
        self.model.eval()
        with torch.inference_mode():
            return self.model(torch.from_numpy(x)).numpy()
