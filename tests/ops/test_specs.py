"""Every op against its spec: value, gradient, refusals, and the same from all kernels."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ops import runner
from ops.specs import SPECS

from seqrnn import _core

TESTS = Path(__file__).resolve().parent.parent

CASES = [
    pytest.param(spec, case, id=f"{op}-{number}")
    for op, spec in SPECS.items()
    for number, case in enumerate(spec.cases)
]
REFUSED = [
    pytest.param(op, refused, id=f"{op}-{number}")
    for op, spec in SPECS.items()
    for number, refused in enumerate(spec.refused)
]


def _has_floats(case):
    return any(map(runner.is_float, map(runner.array, case.inputs)))


WITH_FLOATS = [p for p in CASES if p.values[0].op != "cast" and _has_floats(p.values[1])]


def _wrt(spec, case):
    """The inputs that there is a gradient by."""
    floats = [i for i, x in enumerate(case.inputs) if x is not None]
    floats = [i for i in floats if runner.is_float(np.asarray(case.inputs[i]))]
    return [i for i in floats if spec.wrt is None or i in spec.wrt]


def close(got, expected, tolerance):
    """Within `tolerance` of the largest value; NaN and infinities at the same places."""
    assert got.shape == expected.shape
    if got.size == 0 or expected.dtype.kind != "f":
        np.testing.assert_array_equal(got, expected)
        return
    finite = np.abs(expected[np.isfinite(expected)])
    largest = max(1.0, finite.max()) if finite.size else 1.0
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance * largest)


def expected_of(spec, case):
    expected = spec.reference(
        *(None if x is None else np.asarray(x) for x in case.inputs), **case.attrs
    )
    return [np.asarray(y) for y in (expected if isinstance(expected, tuple) else (expected,))]


def test_every_op_has_a_spec():
    assert set(SPECS) == set(_core.op_table())


@pytest.mark.parametrize("op", SPECS)
def test_the_table_agrees(op):
    row = _core.op_table()[op]
    assert row["doc"].startswith(op)
    if SPECS[op].gradient:
        assert row["differentiable"] == "rule"
    elif SPECS[op].reference is not None:
        assert row["differentiable"] in ("zero", "none")


@pytest.mark.parametrize(("spec", "case"), CASES)
def test_value(spec, case):
    found = runner.outputs(spec.op, case.inputs, case.attrs)
    for got, expected in zip(found, expected_of(spec, case), strict=False):
        close(got, expected, 1e-13)


@pytest.mark.parametrize(("spec", "case"), WITH_FLOATS)
def test_value_float32(spec, case):
    found = runner.outputs(spec.op, runner.typed(case.inputs, "float32"), case.attrs)
    for got, expected in zip(found, expected_of(spec, case), strict=False):
        if expected.dtype.kind == "f":
            assert got.dtype == np.float32
        close(got, expected, 1e-5)


@pytest.mark.parametrize(("spec", "case"), [p for p in WITH_FLOATS if p.values[0].gradient])
def test_gradient(spec, case):
    inputs = [runner.array(x) for x in case.inputs]
    wrt = _wrt(spec, case)
    rng = np.random.default_rng(3)
    results = runner.outputs(spec.op, inputs, case.attrs)[: spec.gradient]
    weights = [np.asarray(rng.normal(size=y.shape)) for y in results]
    arguments = (spec.op, inputs, case.attrs, spec.gradient, wrt, weights)
    got, expected = runner.gradient(*arguments), runner.differences(*arguments)
    for g, e in zip(got, expected, strict=True):
        close(g, e, 1e-6)


@pytest.mark.parametrize(
    "op",
    [
        op
        for op, spec in SPECS.items()
        if spec.reference and not spec.gradient and _has_floats(spec.cases[0])
    ],
)
def test_no_gradient(op):
    """Zero where that is stated; an error for the gradient ops themselves."""
    case = SPECS[op].cases[0]
    inputs = [runner.array(x) for x in case.inputs]
    graph, values, out = runner.emitted(op, inputs, case.attrs)
    dtype, shape = graph.type(out[0])
    seed = graph.constant(np.ones(shape, dtype))
    if _core.op_table()[op]["differentiable"] == "none":
        with pytest.raises(ValueError, match=op):
            graph.gradient(out[:1], [seed], values[:1])
    else:
        assert graph.gradient(out[:1], [seed], values[:1]) == [None]


@pytest.mark.parametrize(("op", "refused"), REFUSED)
def test_refused(op, refused):
    inputs = [runner.array(x) for x in refused.inputs]
    with pytest.raises(refused.error, match=refused.match):
        runner.emitted(op, inputs, refused.attrs)


@pytest.mark.parametrize("op", [op for op, spec in SPECS.items() if spec.reference])
def test_unknown_attributes_are_refused(op):
    with pytest.raises(TypeError, match="colour"):
        _core.Graph().emit(op, [], colour=1)


@pytest.fixture(scope="module")
def reference_kernels(tmp_path_factory):
    return _outputs_with("ref", tmp_path_factory.mktemp("kernels"))


def _outputs_with(kernels, folder):
    path = folder / f"{kernels}.npz"
    environment = {**os.environ, "SEQRNN_KERNELS": kernels}
    environment["PYTHONPATH"] = os.pathsep.join(
        [str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    subprocess.run(
        [sys.executable, str(TESTS / "ops" / "runner.py"), str(path)], env=environment, check=True
    )
    with np.load(path) as file:
        return dict(file)


@pytest.mark.parametrize("kernels", ["base", "avx2", "avx512"])
def test_kernels_agree(kernels, reference_kernels, tmp_path):
    found = _outputs_with(kernels, tmp_path)
    if found["isa"] != kernels:
        pytest.skip(f"this processor has no {kernels}")
    assert set(found) == set(reference_kernels)
    for name, got in found.items():
        if name != "isa":
            close(got, reference_kernels[name], 1e-5 if "/float32/" in name else 1e-12)
