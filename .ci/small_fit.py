"""A model that is built, trained and asked, to see that an installed package works."""

import numpy as np

import seqrnn as keras
from seqrnn.datasets import time_series

X, Y = time_series(n_series=64, n_steps=20, horizon=3)
model = keras.models.Sequential([keras.layers.GRU(8, return_sequences=True), keras.layers.Dense(3)])
model.compile(loss="mse", optimizer="adam")
history = model.fit(X, Y, epochs=3, verbose=0)
assert model.predict(X, verbose=0).shape == Y.shape
assert np.isfinite(history.history["loss"]).all()
print("small fit from", keras.__file__, history.history["loss"])
