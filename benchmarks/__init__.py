"""How fast seqrnn is, next to its peers in the same run: `python -m benchmarks` (see README.md).

    cases.py           what is measured: models, shapes, and the ratios that have to be reached
    data.py            the series they are trained on
    keras_subject.py   seqrnn and Keras, through `model.fit`
    torch_subject.py   PyTorch, an ordinary training loop
    jax_subject.py     JAX by hand: a jitted train step around `lax.scan`
    worker.py          one case with one implementation, in a process of its own
    sgemm.py           how fast the machine multiplies matrices, in a process of its own
    runner.py          starts these processes in turn
    report.py          medians, ratios, tables, JSON
    threads/           what people complained about elsewhere, and further limits, as scripts
    accuracy.py        how well the notebook's models learn

A module imports its library at its top, so `worker` imports the one it measures and no other.
"""
