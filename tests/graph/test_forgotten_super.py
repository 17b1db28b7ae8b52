"""Layers and models whose __init__ calls super().__init__() late, or not at all."""

import inspect

import numpy as np
import pytest

import seqrnn as keras
from seqrnn.layers.base import Layer

X = np.ones((4, 3), "float32")


@pytest.mark.parametrize("base", [Layer, keras.Model, keras.Sequential])
@pytest.mark.parametrize(
    "use",
    [
        lambda self: None,
        lambda self: self.add_weight(shape=(2,)),
        lambda self: setattr(self, "trainable", False),
        lambda self: self.compile("sgd", "mse"),
        lambda self: self.fit(X, X),
        lambda self: self.summary(),
        lambda self: self.save("never.srn"),
        lambda self: self.weights,
        lambda self: self(X),
        repr,
    ],
)
def test_forgotten_super(base, use):
    class Forgets(base):
        def __init__(self):
            self.units = 3
            self.dense = keras.layers.Dense(3)
            assert not hasattr(self, "anything")
            use(self)

    with pytest.raises(RuntimeError, match=r"Forgets.*super\(\)\.__init__") as caught:
        Forgets()
    assert isinstance(caught.value, AttributeError)  # so that hasattr gives False


def test_the_class_that_forgot_super_is_named():
    class Forgets(Layer):
        def __init__(self):
            self.units = 3

    class Inherits(Forgets):
        def __init__(self):
            super().__init__()

    with pytest.raises(RuntimeError, match=r"^Forgets"):
        Inherits()


def test_attributes_may_be_set_before_super():
    class Own(keras.Model):
        def __init__(self, units):
            self.units = units
            self.dense = keras.layers.Dense(units)
            super().__init__()

        def call(self, inputs):
            return self.dense(inputs)

    model = Own(2)
    model(X)
    assert [v.shape for v in model.weights] == [(X.shape[-1], 2), (2,)]
    assert list(inspect.signature(Own).parameters) == ["units"]
