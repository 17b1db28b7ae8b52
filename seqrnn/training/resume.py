"""Where a `fit` is, so that it can go on in another process with the same bits.

Weights, the optimizer's state and `random_step` belong to the model. What a fit has besides: the
number of the epoch, where it is in the data (which order of the samples, how many batches of it),
and the sums of loss and metrics.
"""

import numpy as np


class Underway:
    """Of the fit of one model.

    Attributes:
        epoch: the epoch that is being trained, or comes next.
            It is set by the fit itself.
        told_of_nan: whether the user has been warned of a loss that is not a number.
    """

    def __init__(self, data, epoch):
        self._data = data
        self.epoch = epoch
        self.told_of_nan = False
        self._totals = None  # the sums so far, for the first epoch after a restart
        self._passed = None  # a batch that was trained before the restart

    def state(self, steps, within):
        """(JSON data, {name: array}); `within`: in the midst of the epoch, not at its end."""
        document = {"epoch": self.epoch, "data": self._data.state(), "within": within}
        if not within:
            return document, {}
        metrics = [m.totals for m in steps.model.metrics]
        arrays = {f"metric{i}": np.array(t) for i, t in enumerate(metrics) if t is not None}
        return document, arrays | {"totals": np.array(steps.objective.totals)}

    def go_on(self, document, arrays):
        """Goes to where `state` was asked for; ValueError if the data end before that."""
        self.epoch = document["epoch"]
        done = document["data"]["done"] if document["within"] else 0
        self._passed = self._data.go_on(document["data"], done)
        self._totals = arrays if document["within"] else None

    def go_on_counting(self, steps):
        """After a restart in the midst of an epoch: sets the sums of loss and metrics."""
        if self._totals is None:
            return
        arrays, self._totals = self._totals, None
        steps.plan("train", self._passed)  # says how many sums there are
        steps.objective.totals[:] = arrays["totals"]
        for i, metric in enumerate(steps.model.metrics):
            found = arrays.get(f"metric{i}")
            if found is None:
                continue
            if metric.totals is None:
                metric.bind(np.zeros(found.shape))
            metric.totals[:] = found
