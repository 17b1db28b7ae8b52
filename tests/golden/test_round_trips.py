"""Files exchanged with real Keras, if `SEQRNN_KERAS_PYTHON` names a Python that has it."""

import os

import file_trips
import pytest
import round_trips

PYTHON = os.environ.get("SEQRNN_KERAS_PYTHON")


@pytest.mark.timeout(3600)
@pytest.mark.skipif(not PYTHON, reason="SEQRNN_KERAS_PYTHON names no Python with Keras 3.15.1")
def test_round_trips(tmp_path):
    pytest.importorskip("h5py")
    differences, errors = round_trips.run(PYTHON, tmp_path)
    assert not errors, "\n".join(errors)
    assert len(differences) >= 100
    too_far = [each for each in differences if each[1] > each[2]]
    assert not too_far


@pytest.mark.timeout(3600)
@pytest.mark.skipif(not PYTHON, reason="SEQRNN_KERAS_PYTHON names no Python with Keras 3.15.1")
def test_files_of_the_table(tmp_path):
    pytest.importorskip("h5py")
    assert not file_trips.run(PYTHON, tmp_path)
