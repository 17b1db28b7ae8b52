"""Under GOLDEN_MODULE=keras, run TensorFlow eagerly: tracing each case would take far longer."""

import os

if os.environ.get("GOLDEN_MODULE") == "keras":
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if os.environ["KERAS_BACKEND"] == "tensorflow":
        import tensorflow as tf

        tf.config.run_functions_eagerly(True)
