"""Every golden case, measured again and compared with what real Keras said.

GOLDEN_MODULE=keras runs the cases under real Keras in float32, which proves the cases themselves:
they pass there on the TensorFlow backend (see README.md for the ones that differ under JAX).
"""

import pathlib
import warnings

import golden_file
import pytest
from cases import FAMILIES
from golden_module import k

HERE = pathlib.Path(__file__).parent
GOLDENS = {family: golden_file.load(HERE / f"{family}.npz")[0] for family in FAMILIES}


@pytest.fixture(autouse=True)
def no_warnings():
    """Keras warns of cells without `build` and of masks that end; neither matters here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize(
    ("family", "case"),
    [(family, case) for family, cases in FAMILIES.items() for case in cases],
    ids=[f"{family}-{case.name}" for family, cases in FAMILIES.items() for case in cases],
)
def test_golden(family, case):
    stored = GOLDENS[family][case.name]
    given = {name: array for name, array in stored.items() if not name.startswith("=")}
    references = {name[1:]: array for name, array in stored.items() if name.startswith("=")}
    if k.__name__ == "keras":
        case.check_keras(references, case.measure(k, given))
    else:
        case.check_here(k, given, references)
