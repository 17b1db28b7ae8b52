"""Every golden case, measured again and compared with what real Keras said.

GOLDEN_MODULE=keras runs the cases under real Keras in float32, which proves the cases themselves:
they pass there on the TensorFlow backend (see README.md for the ones that differ under JAX).
"""

import pathlib
import warnings

import golden_file
import numpy as np
import pytest
from cases import FAMILIES
from golden_module import k

HERE = pathlib.Path(__file__).parent
TOLERANCE = 1e-5  # of the largest absolute value of the reference
FLOOR = 1e-2  # arrays that are all but zero are compared as if this was their largest value

GOLDENS = {family: golden_file.load(HERE / f"{family}.npz")[0] for family in FAMILIES}


@pytest.fixture(autouse=True)
def no_warnings():
    """Keras warns of cells without `build` and of masks that end; neither matters here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def assert_near(name, value, reference):
    value = np.asarray(value)
    assert value.shape == reference.shape, (
        f"{name}: shape {value.shape}, Keras has {reference.shape}"
    )
    if not reference.size:
        return
    largest = max(float(np.abs(reference).max()), FLOOR)
    difference = float(np.abs(value - reference).max())
    assert difference <= TOLERANCE * largest, (
        f"{name}: differs by {difference:.3g}, largest value {largest:.3g}\n"
        f"here:  {value.ravel()[:8]}\nKeras: {reference.ravel()[:8]}"
    )


@pytest.mark.parametrize(
    ("family", "case"),
    [(family, case) for family, cases in FAMILIES.items() for case in cases],
    ids=[f"{family}-{case.name}" for family, cases in FAMILIES.items() for case in cases],
)
def test_golden(family, case):
    stored = GOLDENS[family][case.name]
    given = {name: array for name, array in stored.items() if not name.startswith("=")}
    references = {name[1:]: array for name, array in stored.items() if name.startswith("=")}
    results = case.measure(k, given)
    assert sorted(results) == sorted(references)
    for name, reference in references.items():
        assert_near(name, results[name], reference)
