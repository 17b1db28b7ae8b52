"""Configs: what `get_config` gives, and what `from_config` reads."""

from golden_kinds import ConfigCase

CASES = [
    ConfigCase("l2", lambda k: k.regularizers.L2(0.1)),
    ConfigCase("mse", lambda k: k.losses.MeanSquaredError(reduction="sum")),
    ConfigCase("mse_metric", lambda k: k.metrics.MeanSquaredError(name="error")),
]
