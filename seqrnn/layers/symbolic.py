"""Layers in the functional API: called on placeholders, and asked what would come out."""

from __future__ import annotations

import numpy as np

from seqrnn.hints import missing_time
from seqrnn.layers.context import name_layer, prepare
from seqrnn.layers.tracking import Tracked, undone_on_error
from seqrnn.trace import KerasTensor, nest
from seqrnn.trace import placeholder as _placeholder


class Symbolic(Tracked):
    """The part of a layer that knows placeholders."""

    def compute_output_shape(self, input_shape):
        """The shape of the output, None where it is unknown; found by tracing `call`."""
        inputs = _map_shapes(lambda s: KerasTensor(s, self.compute_dtype, "input"), input_shape)
        specs = _placeholder.output_specs(self, (inputs,), {})
        return nest.map_leaves(lambda spec: getattr(spec, "shape", None), specs)

    def compute_output_spec(self, *args, **kwargs):
        """Placeholders, nested, like what the layer gives for these; builds it, records no call.

        Found by tracing `call`, so it need not be overridden.
        """
        with undone_on_error(self):
            prepare(self, args, kwargs)
            specs = _placeholder.output_specs(self, args, kwargs)
        return nest.map_leaves(_like, specs)

    symbolic_call = compute_output_spec

    def _record(self, args, kwargs):
        """Called on placeholders: builds for their shapes, and records the call."""
        with undone_on_error(self):
            try:
                prepare(self, args, kwargs)
            except (ValueError, TypeError, IndexError) as error:
                origin = getattr(args[0], "origin", None) if args else None
                if origin is not None:
                    missing_time(error, origin.fn)
                raise name_layer(error, self) from error.__cause__
            outputs = _placeholder.record(self, args, kwargs)
            self._settled = True
        made = [leaf for leaf in nest.flatten(outputs) if isinstance(leaf, KerasTensor)]
        if made:
            self._recorded = (*self._recorded, made[0].origin)
        return outputs

    @property
    def input(self):
        """The placeholder, or nested ones, that the layer was first called on.

        AttributeError if it was only called on data, or not at all.
        """
        args, kwargs = self._first_call("input").args, self._first_call("input").kwargs
        found = args[0] if args else _placeholder.placeholders(kwargs)
        return found[0] if isinstance(found, list | tuple) and len(found) == 1 else found

    @property
    def output(self):
        """The placeholder, or nested ones, that came out of the layer's first call on some."""
        return self._first_call("output").outputs

    def _first_call(self, what):
        if not self._recorded:
            raise AttributeError(
                f"The layer {self.name!r} has no {what}: it has not been called on a tensor made "
                "by keras.Input() yet."
            )
        return self._recorded[0]

    @property
    def metrics(self) -> list:
        """The Metric objects among the attributes of the layer and of those below."""
        from seqrnn.training.written import own_metrics

        return own_metrics(self)

    @property
    def metrics_variables(self) -> list:
        """The variables of these metrics."""
        return [variable for metric in self.metrics for variable in metric.variables]


def _like(spec):
    return KerasTensor(spec.shape, spec.dtype) if hasattr(spec, "shape") else spec


def _map_shapes(fn, shapes):
    """`fn(shape)` for every shape in nested lists and dicts of shapes."""
    if isinstance(shapes, dict):
        return {name: _map_shapes(fn, shape) for name, shape in shapes.items()}
    if all(size is None or isinstance(size, (int, np.integer)) for size in shapes):
        return fn(tuple(shapes))
    return [_map_shapes(fn, shape) for shape in shapes]
