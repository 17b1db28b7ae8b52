"""Reading and writing golden files: one compressed .npz per family of cases.

A zip member costs some 250 bytes however small its array is, and there are thousands of small
arrays. So a file has two members only: `data`, all numbers as one float32 vector, and `index`, a
JSON text that says for each case and array where it begins, its shape and its dtype, and which
versions wrote it. Results that are texts stand in the index themselves.
"""

import json

import numpy as np


def save(path, cases, versions):
    """Write {case: {array name: array}} and the versions of what produced them."""
    chunks, index, offset = [], {}, 0
    for case, arrays in cases.items():
        index[case] = {}
        for name, array in arrays.items():
            if isinstance(array, str):
                index[case][name] = array
                continue
            array = np.asarray(array)
            index[case][name] = [offset, list(array.shape), _stored_dtype(array)]
            chunks.append(array.astype(np.float32).ravel())
            offset += array.size
    header = json.dumps({"versions": versions, "cases": index}).encode()
    data = np.concatenate(chunks) if chunks else np.zeros(0, np.float32)
    np.savez_compressed(path, index=np.frombuffer(header, np.uint8), data=data)


def load(path):
    """Return ({case: {array name: array}}, versions)."""
    with np.load(path) as file:
        header = json.loads(file["index"].tobytes())
        data = file["data"]
    cases = {
        case: {name: _restore(data, entry) for name, entry in arrays.items()}
        for case, arrays in header["cases"].items()
    }
    return cases, header["versions"]


def _stored_dtype(array):
    """Integers and truth values keep their kind: they are small, so exact in float32."""
    if array.dtype.kind == "b":
        return "bool"
    return "int32" if array.dtype.kind in "iu" else "float32"


def _restore(data, entry):
    if isinstance(entry, str):
        return entry
    offset, shape, dtype = entry
    size = int(np.prod(shape, dtype=int))
    return data[offset : offset + size].reshape(shape).astype(dtype)
