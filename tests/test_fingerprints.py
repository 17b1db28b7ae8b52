"""Hashes of strings; more values, from TensorFlow, in tests/golden (hashing_lengths)."""

import pytest

from seqrnn.utils.fingerprints import buckets, salt_of, sip64


def test_siphash_of_its_paper():
    """Appendix A of Aumasson and Bernstein, 2012."""
    key = [int.from_bytes(bytes(range(i, i + 8)), "little") for i in (0, 8)]
    assert sip64(bytes(range(15)), key) == 0xA129CA6149BE45E5


def test_buckets():
    found = buckets(["a", "b", "a"], 10)
    assert found.dtype == "int64" and found[0] == found[2] and set(found) <= set(range(10))
    assert buckets([], 3).tolist() == []
    assert buckets(list("abcdefgh"), 1).tolist() == [0] * 8
    assert buckets(list("abcdefgh"), 9, [1, 2]).tolist() != buckets(list("abcdefgh"), 9).tolist()


@pytest.mark.parametrize("salt", ["x", 1.5, [1], [1, 2.0], [1, 2, 3]])
def test_salts(salt):
    assert salt_of(None, "Hashing") is None and salt_of(3, "Hashing") == [3, 3]
    with pytest.raises(ValueError, match="Hashing: salt"):
        salt_of(salt, "Hashing")
