"""How many examples: few and always the same ones by default, many and new ones by hand.

SEQRNN_PROPERTIES=long .venv-dev/bin/python -m pytest --timeout 0 tests/properties
SEQRNN_PROPERTIES=long make test-sanitize PYTEST_ARGS="-k properties --timeout 0"
"""

import os

from hypothesis import HealthCheck, settings

COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("short", max_examples=40, derandomize=True, database=None, **COMMON)
settings.register_profile("long", max_examples=2000, **COMMON)
settings.load_profile(os.environ.get("SEQRNN_PROPERTIES", "short"))
