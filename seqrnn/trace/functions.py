"""`value_and_grad`: a function of arrays that returns its gradient, too."""

from __future__ import annotations

from seqrnn.trace import frame as _frame
from seqrnn.trace import nest, operators
from seqrnn.trace.derivatives import gradient_nodes
from seqrnn.trace.frame import state
from seqrnn.trace.traced import Function


def value_and_grad(fn, variables=None, has_aux=False):
    """A function that returns what `fn` returns, and its gradient by `variables`.

        step = keras.value_and_grad(lambda x, y: loss_fn(y, model(x, training=True)), model)
        loss, gradients = step(x, y)

    Traced and compiled once per set of shapes; then a call is one run of a plan.

    Args:
        fn: function of arrays (nested) that returns a float scalar.
        variables: list of variables, or a layer or model, whose trainable variables count; None:
            the gradient is by the first argument of `fn` instead, in its structure.
        has_aux: `fn` returns (scalar, anything), which is returned as it is.

    Returns: a function giving (value, gradients), with has_aux ((value, aux), gradients). The
    gradients are arrays in the order of the variables, zeros where there is no dependence.
    """

    def wanted(args):
        if variables is None:
            if not args:
                raise TypeError("value_and_grad: the function needs an argument to derive by.")
            return args[0]
        return list(getattr(variables, "trainable_variables", variables))

    def traced(args, kwargs, training):
        with _frame.training_is(training):
            result = fn(*args, **kwargs)
        value = result[0] if has_aux else result
        if nest.flatten(getattr(value, "shape", (None,))) != []:
            raise ValueError(
                f"value_and_grad: the function must return a scalar, got {value!r}."
                + ("" if has_aux else " For (scalar, more) say has_aux=True.")
            )
        sources = wanted(args)
        leaves = nest.flatten(sources)
        found = gradient_nodes(value, leaves)
        zeros = operators.ops.zeros
        pairs = zip(found, leaves, strict=True)
        found = [zeros(s.shape, s.dtype) if g is None else g for g, s in pairs]
        return result, nest.pack(sources, found)

    function = Function(traced)

    def call(*args, **kwargs):
        if _frame.current() is not None:
            return traced(args, kwargs, state.training)
        return function(args, kwargs, state.training)

    return call
