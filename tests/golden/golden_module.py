"""The module under test: seqrnn, or what GOLDEN_MODULE names (keras, to prove the tests)."""

import importlib
import os

k = importlib.import_module(os.environ.get("GOLDEN_MODULE", "seqrnn"))
