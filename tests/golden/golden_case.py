"""What a golden case is, and how it is measured.

The same code runs under real Keras, to write the golden files, and under seqrnn, to be compared
with them: `k` is either module, and nothing but the public API of Keras is used. `prepare` draws
inputs, weights and targets from a generator keyed by the case's name; `measure` returns everything
that is compared, as {name: array}.

Gradients come out of the public API: the optimizer of a case is SGD, so the gradient by a weight is
the weight before one `train_on_batch` less the weight after it, divided by the rate.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Built:
    """A model to measure.

    `parts` own the weights (the model, or its layers in an order that doesn't depend on how a
    library sorts the layers of a graph). `pieces` are the shapes, without batch, of the tensors
    that lie side by side in the model's output; None if the output is a single tensor.
    """

    model: object
    parts: Sequence
    pieces: Sequence[tuple] | None = None


TOLERANCE = 1e-5  # of the largest absolute value of the reference
FLOOR = 1e-2  # arrays that are all but zero are compared as if this was their largest value
PASSED = "passed"


def assert_same(name, value, reference):
    """Texts are equal; arrays have one shape and are near each other."""
    if isinstance(reference, str):
        assert value == reference, f"{name}:\nhere:  {value}\nKeras: {reference}"
        return
    value = np.asarray(value)
    assert value.shape == reference.shape, (
        f"{name}: shape {value.shape}, Keras has {reference.shape}"
    )
    if not reference.size:
        return
    largest = max(float(np.abs(reference).max()), FLOOR)
    difference = float(np.abs(value - reference).max())
    assert difference <= TOLERANCE * largest, (
        f"{name}: differs by {difference:.3g}, largest value {largest:.3g}\n"
        f"here:  {value.ravel()[:8]}\nKeras: {reference.ravel()[:8]}"
    )


class Case:
    """One row: `prepare(k)` draws what the case is given, `measure(k, given)` what comes out."""

    floatx = "float64"  # in which Keras computes the references

    def check(self, references, results):
        """Compare what seqrnn gave with what Keras gave."""
        assert sorted(results) == sorted(references)
        for name, reference in references.items():
            assert_same(name, results[name], reference)

    def check_here(self, k, given, references):
        """Measure under seqrnn, and compare."""
        self.check(references, self.measure(k, given))

    def check_keras(self, references, results):
        """Compare what Keras gave just now with what it gave when the file was made."""
        self.check(references, results)

    def verdict(self, references):
        """What the conformance table says of a case whose test passes."""
        return PASSED


def weighted_sum(k):
    """sum(output * target): with a fixed target, gradients reach every element of the output."""

    def loss(y_true, y_pred):
        return k.ops.sum(y_true * y_pred)

    return loss


# A power of two, so it rounds nothing. With a rate of 1, a small gradient would lose its digits in
# the difference of two float32 weights.
RATE = 64.0


def gradient_step(k):
    return k.optimizers.SGD(learning_rate=RATE)


def unit_step(k):
    return k.optimizers.SGD(learning_rate=1.0)


# Options of a case with constraints: its weights after a step, not gradients.
CONSTRAINED = {"optimizer": unit_step, "gradients": False}


@dataclass(frozen=True)
class StepCase(Case):
    """A model, and what one or more training steps do to it.

    `target` None draws a target of the output's shape. `snapshots` are the numbers of steps
    after which weights are recorded; () trains nothing. `gradients` records gradients, which needs
    the default optimizer and no constraints; otherwise the weights themselves are recorded.
    `training_output` records the output in training mode too.
    """

    name: str
    build: Callable
    inputs: Sequence[Callable]
    target: Callable | None = None
    sample_weight: Callable | None = None
    loss: Callable = weighted_sum
    optimizer: Callable = gradient_step
    snapshots: Sequence[int] = (1,)
    gradients: bool = True
    training_output: bool = False
    weight_scale: float = 0.6

    def prepare(self, k):
        rng = random_state(self.name)
        given = {f"x{i}": draw(rng) for i, draw in enumerate(self.inputs)}
        built = self._build(k, given)
        weights, trainable = [], []
        for part in built.parts:
            trained = {id(w) for w in part.trainable_weights}
            for weight in part.weights:
                weights.append(draw_weight(rng, weight, self.weight_scale))
                trainable.append(id(weight) in trained)
        given |= {f"w{i}": w for i, w in enumerate(weights)}
        given["trainable"] = np.array(trainable, dtype=bool)
        given["target"] = self._draw_target(rng, built, given, weights)
        if self.sample_weight is not None:
            given["sample_weight"] = self.sample_weight(rng)
        return given

    def _build(self, k, given):
        """Keras makes the weights of a cell that has no `build` when it first runs, not before."""
        built = self.build(k)
        built.model.predict(inputs_of(given), verbose=0)
        return built

    def _draw_target(self, rng, built, given, weights):
        if self.target is not None:
            return self.target(rng)
        set_weights(built.parts, weights)
        output = built.model.predict(inputs_of(given), verbose=0)
        # With the signs of the output no term of the sum cancels another.
        magnitude = 0.2 + np.abs(rng.normal(size=output.shape))
        return coarse(np.where(output < 0, -magnitude, magnitude))

    def measure(self, k, given):
        built = self._build(k, given)
        weights, inputs = numbered(given, "w"), inputs_of(given)
        set_weights(built.parts, weights)
        results = outputs(built, built.model.predict(inputs, verbose=0))
        if self.training_output:
            results["training_output"] = np.asarray(built.model(inputs, training=True))
            set_weights(built.parts, weights)
        if self.snapshots:
            results |= self._train(k, built, inputs, given)
        return results

    def _train(self, k, built, inputs, given):
        model, results = built.model, {}
        model.compile(loss=self.loss(k), optimizer=self.optimizer(k))
        weights, trainable = numbered(given, "w"), given["trainable"]
        for step in range(1, max(self.snapshots) + 1):
            loss = model.train_on_batch(
                inputs, given["target"], sample_weight=given.get("sample_weight")
            )
            if step not in self.snapshots:
                continue
            results[f"loss_{step}"] = np.ravel(loss)[0]
            for i, after in enumerate(get_weights(built.parts)):
                # Moving statistics are not a gradient: a change of 1 % would lose two digits.
                if self.gradients and trainable[i]:
                    results[f"grad{i}_{step}"] = (weights[i] - after) / RATE
                else:
                    results[f"w{i}_{step}"] = after
        return results


@dataclass(frozen=True)
class CallCase(Case):
    """A function of arrays: `call(k, *arrays)` gives an array, or a list of them."""

    name: str
    call: Callable
    inputs: Sequence[Callable] = ()

    def prepare(self, k):
        rng = random_state(self.name)
        return {f"x{i}": draw(rng) for i, draw in enumerate(self.inputs)}

    def measure(self, k, given):
        result = self.call(k, *numbered(given, "x"))
        if not isinstance(result, list):
            result = [result]
        return {f"result{i}": np.asarray(r) for i, r in enumerate(result)}


@dataclass(frozen=True)
class MetricCase(Case):
    """The value of a metric after each of several batches; the last one may be short."""

    name: str
    metric: Callable
    batches: Sequence[Sequence[Callable]]

    def prepare(self, k):
        rng = random_state(self.name)
        return {
            f"batch{i}_{j}": draw(rng)
            for i, batch in enumerate(self.batches)
            for j, draw in enumerate(batch)
        }

    def measure(self, k, given):
        metric, results = self.metric(k), {}
        for i in range(len(self.batches)):
            metric.update_state(*numbered(given, f"batch{i}_"))
            results[f"result{i}"] = np.asarray(metric.result())
        metric.reset_state()
        metric.update_state(*numbered(given, "batch0_"))
        results["after_reset"] = np.asarray(metric.result())
        return results


def random_state(name):
    return np.random.RandomState(zlib.crc32(name.encode()))


def draw_weight(rng, weight, scale):
    """Weights of ordinary size: embeddings stand for inputs, variances and gains are positive."""
    shape = tuple(weight.shape)
    if weight.name == "embeddings":
        values = rng.normal(size=shape)
    elif weight.name in ("gamma", "moving_variance", "variance"):
        values = rng.uniform(0.6, 1.4, size=shape)
    else:
        values = rng.uniform(-scale, scale, size=shape)
    return coarse(values)


def coarse(values):
    """Odd multiples of 1/512: few digits, so files stay small; no zeros, where ReLU has a kink."""
    return ((np.floor(values * 256) + 0.5) / 256).astype(np.float32)


def numbered(given, prefix):
    """The arrays given[prefix0], given[prefix1], ..."""
    arrays = []
    while f"{prefix}{len(arrays)}" in given:
        arrays.append(given[f"{prefix}{len(arrays)}"])
    return arrays


def inputs_of(given):
    arrays = numbered(given, "x")
    return arrays[0] if len(arrays) == 1 else arrays


def set_weights(parts, weights):
    weights = list(weights)
    for part in parts:
        count = len(part.get_weights())
        part.set_weights(weights[:count])
        weights = weights[count:]
    assert not weights, f"{len(weights)} golden weights are left over"


def get_weights(parts):
    return [np.array(w) for part in parts for w in part.get_weights()]


def outputs(built, joined):
    """Cut the output of a model into the tensors that were laid side by side in it."""
    if built.pieces is None:
        return {"output": np.asarray(joined)}
    results, start = {}, 0
    for i, shape in enumerate(built.pieces):
        size = int(np.prod(shape, dtype=int))
        results[f"output{i}"] = joined[:, start : start + size].reshape(-1, *shape)
        start += size
    assert start == joined.shape[1], f"output has {joined.shape[1]} columns, expected {start}"
    return results
