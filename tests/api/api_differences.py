"""What differs from Keras on purpose, and values for the arguments that have no default."""

# (path, argument) -> why.
DIFFERENCES = {}

# Something that a constructor accepts, so that another argument of it can be tried.
SAMPLES = {}
