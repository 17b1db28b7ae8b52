"""How fast the machine multiplies two float32 matrices of 1,024 x 1,024, in Gflop/s.

    python -m benchmarks.sgemm numpy|torch|seqrnn

The number of threads comes from the environment (OMP_NUM_THREADS, OPENBLAS_NUM_THREADS). Prints one
line `RESULT {...}` with the median and the best of the repetitions of about one second.
"""

import json
import statistics
import sys
import time

import numpy as np

SIZE = 1024
SECONDS = 1.0


def product(library):
    """A function without arguments that multiplies once."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((SIZE, SIZE)).astype(np.float32) for _ in range(2))
    if library == "torch":
        import torch

        a, b, out = torch.from_numpy(a), torch.from_numpy(b), torch.empty(SIZE, SIZE)
        return lambda: torch.mm(a, b, out=out)
    if library == "seqrnn":
        from seqrnn import ops

        return lambda: ops.matmul(a, b)
    out = np.empty_like(a)
    return lambda: np.matmul(a, b, out=out)


def main(library):
    multiply = product(library)
    for _ in range(3):
        multiply()
    rates, end = [], time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        began = time.perf_counter()
        multiply()
        rates.append(2e-9 * SIZE**3 / (time.perf_counter() - began))
    result = {"gflops": statistics.median(rates), "best_gflops": max(rates)}
    print("RESULT", json.dumps(result), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
