"""What differs from Keras on purpose, and values for the arguments that have no default."""

# (path, argument) -> why.
DIFFERENCES = {}

# Something that a constructor accepts, so that another argument of it can be tried.
SAMPLES = {
    "learning_rate": 0.01,
    "units": 3,
    "filters": 3,
    "kernel_size": 2,
    "input_dim": 3,
    "output_dim": 3,
    "pool_size": 2,
    "rate": 0.5,
    "num_heads": 2,
    "key_dim": 2,
}
