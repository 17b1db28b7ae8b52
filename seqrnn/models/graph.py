"""The graph of a functional model: inputs, the recorded calls in order, outputs."""

from seqrnn import trace
from seqrnn.layers.base import Layer
from seqrnn.trace import KerasTensor, nest


class ModelGraph:
    """Checked inputs and outputs. Raises ValueError if the outputs don't come from the inputs."""

    def __init__(self, inputs, outputs):
        for what, tensors in (("inputs", inputs), ("outputs", outputs)):
            leaves = nest.flatten(tensors)
            if not leaves or not all(isinstance(t, KerasTensor) for t in leaves):
                wrong = next((t for t in leaves if not isinstance(t, KerasTensor)), tensors)
                raise ValueError(
                    f"Model {what} must be tensors made by keras.Input() and by calling layers on "
                    f"them, got {wrong!r}."
                )
        self.inputs, self.outputs = _single(inputs), _single(outputs)
        self.input_tensors = nest.flatten(inputs)
        self.output_tensors = nest.flatten(outputs)
        self.calls = trace.calls_of(outputs, inputs)
        made = {id(t) for t in self.input_tensors}
        for call in self.calls:
            self._check_connected(call.inputs(), made)
            made |= {id(t) for t in nest.flatten(call.outputs)}
        self._check_connected(self.output_tensors, made)
        self.nodes = _ordered(outputs, inputs)
        self.operations = [each for each in self.nodes if not isinstance(each, KerasTensor)]
        self.layers = [each for each in self.operations if isinstance(each, Layer)]
        self._check_names()

    def _check_connected(self, tensors, made):
        for tensor in tensors:
            if id(tensor) not in made:
                raise ValueError(
                    f"Graph disconnected: {tensor!r} is needed for the outputs, but is neither "
                    f"among the inputs nor made from them. Inputs: {self.input_tensors}."
                )

    def _check_names(self):
        names = [layer.name for layer in self.layers]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(
                f"Two layers have the name {twice!r}; names must be unique in a model."
            )

    def run(self, tensors):
        """The outputs, in their structure, for one tensor per input."""
        feeds = list(zip(self.input_tensors, tensors, strict=True))
        return trace.replay(self.outputs, feeds)

    def output_names(self):
        """Keys of a dict of outputs, else the names of the layers that made them, made unique."""
        if isinstance(self.outputs, dict):
            return list(self.outputs)
        names = []
        for tensor in self.output_tensors:
            base = tensor.origin.name if tensor.origin else tensor.name
            same = sum(name == base or name.startswith(f"{base}_") for name in names)
            names.append(f"{base}_{same}" if same else base)
        return names


def _single(structure):
    """[x] counts as x."""
    one = isinstance(structure, list | tuple) and len(structure) == 1
    return structure[0] if one else structure


def _distinct(things):
    found = []
    for thing in things:
        if not any(thing is other for other in found):
            found.append(thing)
    return found


def _ordered(outputs, inputs):
    """The inputs, layers and calls of ops as Keras orders them: its files count on the order.

    By depth, the longest way (in calls) to an output, deepest first; of one depth, those first
    that are met first on the way back from the outputs, those in a dict by their keys. A layer
    called twice counts as deep as its deepest call.
    """
    known = {id(t) for t in nest.flatten(inputs)}
    met, finished = {}, {}  # operation -> when it was first met; calls, after those before them
    for output in nest.flatten(_by_keys(outputs)):
        todo = [(output, None)]
        while todo:
            tensor, done = todo.pop()
            if done is not None:
                finished[id(done)] = done
                continue
            call = tensor.origin
            if id(tensor) in known:
                met.setdefault(id(tensor), len(met))
                finished.setdefault(id(tensor), tensor)
                continue
            if call is None or id(call) in finished:
                continue
            met.setdefault(id(_operation(call)), len(met))
            todo.append((None, call))
            todo += [(t, None) for t in reversed(call.inputs())]
    depths, deepest = {}, {}
    for tensor in nest.flatten(inputs):  # those that no output needs come last
        met.setdefault(id(tensor), len(met))
        finished.setdefault(id(tensor), tensor)
    for step in reversed(finished.values()):
        key = id(_operation(step))
        depth = deepest[key] = max(depths.get(id(step), 0), deepest.get(key, 0))
        for tensor in () if isinstance(step, KerasTensor) else step.inputs():
            before = id(tensor) if id(tensor) in known else id(tensor.origin)
            if before in finished:
                depths[before] = max(depth + 1, depths.get(before, 0))
    operations = _distinct(map(_operation, finished.values()))
    return sorted(operations, key=lambda each: (-deepest[id(each)], met[id(each)]))


def _by_keys(structure):
    """Dicts in it in the order of their keys."""
    if isinstance(structure, dict):
        return {key: _by_keys(structure[key]) for key in sorted(structure)}
    return list(map(_by_keys, structure)) if isinstance(structure, list | tuple) else structure


def _operation(step):
    """The layer that was called; the call itself, if it is of an op; an input as it is."""
    return step.fn if isinstance(getattr(step, "fn", None), Layer) else step
