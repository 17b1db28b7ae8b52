"""Cells and layers as users write them. Each function takes the module and makes the class."""


def layer_norm_cell(k):
    """The cell of the seed notebook, as it stands there: it has no `build`."""

    class LNSimpleRNNCell(k.layers.Layer):
        def __init__(self, units, activation="tanh", **kwargs):
            super().__init__(**kwargs)
            self.state_size = units
            self.output_size = units
            self.simple_rnn_cell = k.layers.SimpleRNNCell(units, activation=None)
            self.layer_norm = k.layers.LayerNormalization()
            self.activation = k.activations.get(activation)

        def call(self, inputs, states):
            outputs, _ = self.simple_rnn_cell(inputs, states)
            norm_outputs = self.activation(self.layer_norm(outputs))
            return norm_outputs, [norm_outputs]

    return LNSimpleRNNCell


def registered_layer_norm_cell(k):
    """The same, known by name: Keras's Bidirectional makes its layers by name."""
    return k.saving.register_keras_serializable("golden")(layer_norm_cell(k))


def pair_cell(k):
    """Two states of unequal sizes, an output that is neither, and states that don't start at 0."""

    class PairCell(k.layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.state_size = [units, units + 1]
            self.output_size = 2

        def build(self, input_shape):
            features, units = input_shape[-1], self.units
            self.kernel = self.add_weight(name="kernel", shape=(features, 2 * units + 1))
            self.slow = self.add_weight(name="slow", shape=(units, units))
            self.fast = self.add_weight(name="fast", shape=(units + 1, units))
            self.readout = self.add_weight(name="readout", shape=(2 * units + 1, 2))
            self.built = True

        def call(self, inputs, states, training=False):
            slow, fast = states
            drive = k.ops.matmul(inputs, self.kernel)
            fast = k.ops.tanh(drive[:, self.units :] + 0.5 * fast)
            slow = 0.9 * slow + drive[:, : self.units] * k.ops.sigmoid(fast @ self.fast)
            slow = slow - 0.1 * (slow @ self.slow)
            output = k.ops.concatenate([slow, fast], axis=-1) @ self.readout
            return output, [slow, fast]

        def get_initial_state(self, batch_size=None):
            return [
                0.5 * k.ops.ones((batch_size, self.units)),
                k.ops.zeros((batch_size, self.units + 1)),
            ]

    return PairCell


def refining_cell(k):
    """A loop inside `call`, sublayers in a list, and a state returned bare instead of in a list."""

    class RefiningCell(k.layers.Layer):
        def __init__(self, units, rounds, **kwargs):
            super().__init__(**kwargs)
            self.state_size = units
            self.steps = [k.layers.Dense(units) for _ in range(rounds)]
            self.project = k.layers.Dense(units, use_bias=False)

        def build(self, input_shape):
            self.project.build(input_shape)
            for step in self.steps:
                step.build((input_shape[0], self.state_size))
            self.built = True

        def call(self, inputs, states):
            state = states[0]
            drive = self.project(inputs)
            for i in range(len(self.steps)):
                state = state + 0.3 * k.ops.tanh(self.steps[i](state) + drive)
            return k.ops.maximum(state, 0.1 * state), state

    return RefiningCell


def gated_unit(k):
    """The gated activation of a WaveNet: one half of the channels gates the other."""

    class GatedActivationUnit(k.layers.Layer):
        def __init__(self, activation="tanh", **kwargs):
            super().__init__(**kwargs)
            self.activation = k.activations.get(activation)

        def call(self, inputs):
            n_filters = inputs.shape[-1] // 2
            linear_output = self.activation(inputs[..., :n_filters])
            gate = k.activations.sigmoid(inputs[..., n_filters:])
            return linear_output * gate

    return GatedActivationUnit


def loop_layer(k):
    """The book's own recurrent layer: a cell called in a Python loop over the time steps."""

    class MyRNN(k.layers.Layer):
        def __init__(self, cell, **kwargs):
            super().__init__(**kwargs)
            self.cell = cell

        def build(self, input_shape):
            self.cell.build((input_shape[0], input_shape[-1]))
            self.built = True

        def call(self, inputs):
            state = k.ops.zeros_like(inputs[:, 0, :1]) * k.ops.ones((1, self.cell.state_size))
            outputs = []
            for t in range(inputs.shape[1]):
                output, [state] = self.cell(inputs[:, t], [state])
                outputs.append(output)
            return k.ops.stack(outputs, axis=1)

    return MyRNN


def scaled_mixture(k):
    """Weights and sublayers in a dict, a weight that isn't trained, `training` in `call`."""

    class ScaledMixture(k.layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.branches = {
                "smooth": k.layers.Dense(units, activation="tanh"),
                "sharp": k.layers.Dense(units, activation="relu"),
            }

        def build(self, input_shape):
            for branch in self.branches.values():
                branch.build(input_shape)
            self.scale = self.add_weight(name="scale", shape=(1,), initializer="ones")
            self.offset = self.add_weight(name="offset", shape=(1,), trainable=False)
            self.built = True

        def call(self, inputs, training=False):
            mixed = self.scale * self.branches["smooth"](inputs) + self.branches["sharp"](inputs)
            return mixed + (2.0 if training else 1.0) * self.offset

    return ScaledMixture


def own_momentum(k):
    """An optimizer written as Keras's documentation has it."""

    @k.saving.register_keras_serializable("golden")
    class OwnMomentum(k.optimizers.Optimizer):
        def __init__(self, learning_rate=0.01, momentum=0.9, **kwargs):
            super().__init__(learning_rate=learning_rate, **kwargs)
            self.momentum = momentum

        def build(self, variables):
            super().build(variables)
            self.momentums = []
            for variable in variables:
                self.momentums.append(
                    self.add_variable_from_reference(reference_variable=variable, name="momentum")
                )

        def update_step(self, gradient, variable, learning_rate):
            learning_rate = k.ops.cast(learning_rate, variable.dtype)
            gradient = k.ops.cast(gradient, variable.dtype)
            m = self.momentums[self._get_variable_index(variable)]
            decayed = k.ops.multiply(m, k.ops.cast(self.momentum, variable.dtype))
            self.assign(m, k.ops.subtract(decayed, k.ops.multiply(gradient, learning_rate)))
            self.assign_add(variable, m)

        def get_config(self):
            return {**super().get_config(), "momentum": self.momentum}

    return OwnMomentum


def own_adam(k):
    """Adam by `add_optimizer_variables`, `iterations` and `assign_sub`; it counts its updates."""

    @k.saving.register_keras_serializable("golden")
    class OwnAdam(k.optimizers.Optimizer):
        def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, **kwargs):
            super().__init__(learning_rate=learning_rate, **kwargs)
            self.beta_1, self.beta_2 = beta_1, beta_2

        def build(self, variables):
            if self.built:
                return
            super().build(variables)
            self.first, self.second = self.add_optimizer_variables(variables, ["first", "second"])
            self.updates = self.add_variable((), dtype="float32", name="updates")

        def update_step(self, gradient, variable, learning_rate):
            place = self._get_variable_index(variable)
            m, v = self.first[place], self.second[place]
            rate = k.ops.cast(learning_rate, variable.dtype)
            t = k.ops.cast(self.iterations + 1, variable.dtype)
            self.assign_add(m, (gradient - m) * (1 - self.beta_1))
            self.assign_add(v, (k.ops.square(gradient) - v) * (1 - self.beta_2))
            m_hat = m / (1 - k.ops.power(self.beta_1, t))
            v_hat = v / (1 - k.ops.power(self.beta_2, t))
            self.assign_sub(variable, rate * m_hat / (k.ops.sqrt(v_hat) + 1e-7))
            if place == 0:
                self.updates.assign_add(1.0)

        def get_config(self):
            return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2}

    return OwnAdam
