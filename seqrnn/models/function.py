"""Function: what leads from some tensors of a functional model to others."""

from seqrnn.models.model import Model
from seqrnn.trace import nest


class Function:
    """A function of arrays from placeholders and what was made of them.

        layers = keras.Function(model.inputs, [layer.output for layer in model.layers])
        activations = layers([x])

    Args:
        inputs: placeholders, nested; inputs of the model or tensors inside of it.
        outputs: what is wanted, nested.
        name: default 'function'.

    Called with arrays (or placeholders) in the structure of `inputs` it gives the outputs in their
    structure. Layers run in inference mode. ValueError if the outputs need more than the inputs.
    """

    def __init__(self, inputs, outputs, name=None):
        self._model = Model(inputs, outputs, name=name or "function")
        self.name = self._model.name
        self.inputs, self.outputs = self._model.inputs, self._model.outputs
        self._structure = outputs

    def __call__(self, inputs):
        return nest.pack(self._structure, nest.flatten(self._model(inputs)))
