"""seqrnn and Keras: the same code for both, through `model.fit` as a user calls it."""

import time

from benchmarks.cases import Conv, Recurrent


def layer_norm_cell(keras, units):
    """The notebook's LNSimpleRNNCell."""

    class LNSimpleRNNCell(keras.layers.Layer):
        def __init__(self, units, activation="tanh", **kwargs):
            super().__init__(**kwargs)
            self.state_size = units
            self.output_size = units
            self.simple_rnn_cell = keras.layers.SimpleRNNCell(units, activation=None)
            self.layer_norm = keras.layers.LayerNormalization()
            self.activation = keras.activations.get(activation)

        def call(self, inputs, states):
            outputs, _new_states = self.simple_rnn_cell(inputs, states)
            norm_outputs = self.activation(self.layer_norm(outputs))
            return norm_outputs, [norm_outputs]

    return LNSimpleRNNCell(units)


def lstm_cell_in_python(keras, units):
    """An LSTM as a user would write it: i, f, c, o from one matrix product each for x and h."""
    ops = keras.ops

    class PythonLSTMCell(keras.layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.state_size = [units, units]
            self.output_size = units

        def build(self, input_shape):
            self.kernel = self.add_weight(
                shape=(input_shape[-1], 4 * self.units), initializer="glorot_uniform", name="kernel"
            )
            self.recurrent_kernel = self.add_weight(
                shape=(self.units, 4 * self.units), initializer="orthogonal", name="recurrent"
            )
            self.bias = self.add_weight(shape=(4 * self.units,), initializer="zeros", name="bias")
            self.built = True

        def call(self, inputs, states):
            h, c = states
            gates = ops.matmul(inputs, self.kernel) + ops.matmul(h, self.recurrent_kernel)
            i, f, g, o = ops.split(gates + self.bias, 4, axis=-1)
            c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
            h = ops.sigmoid(o) * ops.tanh(c)
            return h, [h, c]

    return PythonLSTMCell(units)


def layer(keras, spec):
    """The Keras layer of a spec."""
    layers = keras.layers
    if isinstance(spec, Conv):
        return layers.Conv1D(
            spec.filters,
            spec.kernel,
            strides=spec.stride,
            dilation_rate=spec.dilation,
            padding="causal" if spec.causal else "valid",
            activation="relu" if spec.relu else None,
        )
    if not isinstance(spec, Recurrent):
        return layers.TimeDistributed(layers.Dense(spec.units))
    own = {"layer_norm": layer_norm_cell, "lstm_in_python": lstm_cell_in_python}.get(spec.cell)
    if own is not None:
        return layers.RNN(own(keras, spec.units), return_sequences=True)
    kind = {"lstm": layers.LSTM, "gru": layers.GRU, "simple_rnn": layers.SimpleRNN}[spec.cell]
    return kind(
        spec.units,
        return_sequences=True,
        dropout=spec.dropout,
        recurrent_dropout=spec.recurrent_dropout,
    )


def last_step_metric(keras):
    """The notebook's metric."""

    def last_time_step_mse(y_true, y_pred):
        return keras.metrics.mean_squared_error(y_true[:, -1], y_pred[:, -1])

    return last_time_step_mse


def model_of(keras, case):
    """The compiled model of a case."""
    model = keras.models.Sequential(
        [keras.Input((None, case.features)), *(layer(keras, spec) for spec in case.layers)]
    )
    model.compile(loss="mse", optimizer="adam", metrics=[last_step_metric(keras)])
    return model


class Subject:
    """One implementation; `worker` measures it through these methods."""

    def __init__(self, name, threads):
        if name.startswith("seqrnn"):
            import seqrnn as keras

            # Modules are loaded when they are first used; here they count as import.
            for part in ("models", "layers", "losses", "metrics", "optimizers", "callbacks"):
                getattr(keras, part)
            keras.set_num_threads(threads)
            self.versions = {"seqrnn": keras.__version__}
        else:
            import keras

            backend = keras.backend.backend()
            library = __import__(backend)
            self.versions = {"keras": keras.__version__, backend: library.__version__}
            if backend == "torch":
                library.set_num_threads(threads)
        self.keras = keras

    def build(self, case):
        self.keras.utils.set_random_seed(1)
        self.model = model_of(self.keras, case)

    def epochs(self, x, y, batch, count):
        """Trains for `count` epochs; returns for each (seconds, seconds of CPU time)."""
        clock = _clock(self.keras)
        self.model.fit(x, y, batch_size=batch, epochs=count, verbose=0, callbacks=[clock])
        return clock.spent

    def predict(self, x):
        return self.model.predict(x, verbose=0)


def _clock(keras):
    class Clock(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.spent = []

        def on_epoch_begin(self, epoch, logs=None):
            self.began = time.perf_counter(), time.process_time()

        def on_epoch_end(self, epoch, logs=None):
            wall, cpu = self.began
            self.spent.append((time.perf_counter() - wall, time.process_time() - cpu))

    return Clock()
