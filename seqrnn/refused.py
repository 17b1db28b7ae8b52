"""Names of Keras that are not here, and why: the end of the error text."""

_QUANTIZED = "there is no quantization"
_STATELESS = (
    "weights live in place here. Take gradients with keras.GradientTape or keras.value_and_grad, "
    "which is one run of a plan, too"
)
_REMAT = "what the way back needs is kept; model.memory() says how much that is"

# Of layers, and so of models.
LAYER = {
    "stateless_call": _STATELESS,
    "rematerialized_call": _REMAT,
    **dict.fromkeys(
        ("quantize", "quantized_build", "quantized_call", "quantization_mode"), _QUANTIZED
    ),
}

MODEL = {
    "predict_classes": "use np.argmax(model.predict(x), axis=-1)",
    "predict_proba": "use model.predict(x)",
    "fit_generator": "model.fit takes generators",
    "evaluate_generator": "model.evaluate takes generators",
    "predict_generator": "model.predict takes generators",
    "export": "there are no formats of other frameworks; model.save() writes Keras's files",
    "stateless_compute_loss": _STATELESS,
    "get_state_tree": "use get_weights() and optimizer.variables, or save()",
    "set_state_tree": "use set_weights(), or load_weights()",
    **dict.fromkeys(
        ("make_train_function", "make_test_function", "make_predict_function"),
        "override train_step, test_step or predict_step",
    ),
    "distribute_strategy": "there is one process, with threads",
    "distribute_reduction_method": "there is one process, with threads",
    "get_quantization_layer_structure": _QUANTIZED,
}

# Of the package.
KERAS = {
    "Operation": "write a Layer, or a function of keras.ops",
    "StatelessScope": _STATELESS,
    "SymbolicScope": "call layers and ops on keras.Input() instead",
    "RematScope": _REMAT,
    "remat": _REMAT,
    "Quantizer": _QUANTIZED,
    "quantizers": _QUANTIZED,
    "applications": "there are no models of images",
    "distribution": "there is one process, with threads",
    "export": "there are no formats of other frameworks; model.save() writes Keras's files",
    "visualization": "there are no images; keras.utils.plot_model draws models",
    "wrappers": "write an estimator around a model, or use scikeras",
}
