"""Event files that TensorBoard reads, written without TensorFlow.

A file is a sequence of records (TensorFlow, core/lib/io/record_writer.h), numbers little-endian:

    length n (uint64), masked crc of it (uint32), n bytes of data, masked crc of them (uint32)
    masked(crc) = rotate_right(crc, 15) + 0xa282ead8  mod 2^32

with the CRC-32C of Castagnoli et al. (1993), "Optimization of Cyclic Redundancy-Check Codes with 24
and 32 Parity Bits". The data are messages in the wire format of Protocol Buffers, of which this
module knows the few fields that it needs; the numbers are those of event.proto, summary.proto and
tensor.proto.
"""

import itertools
import os
import socket
import struct
import time

import numpy as np

_count = itertools.count()


def _table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _table()


def crc32c(data):
    """The CRC-32C of these bytes."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def _masked(data):
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def record(data):
    """A record that holds these bytes."""
    length = struct.pack("<Q", len(data))
    parts = length, struct.pack("<I", _masked(length)), data, struct.pack("<I", _masked(data))
    return b"".join(parts)


# ---- messages ----


def _varint(number):
    number &= 0xFFFFFFFFFFFFFFFF
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)
    return bytes(data)


def _integer(field, number):
    return _varint(field << 3) + _varint(number)


def _bytes(field, data):
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _double(field, number):
    return _varint(field << 3 | 1) + struct.pack("<d", number)


def _tensor(array):
    """A TensorProto: 1 dtype, 2 shape, 4 content, 8 texts."""
    array = np.asarray(array)
    sizes = b"".join(_bytes(2, _integer(1, n)) for n in array.shape)
    if array.dtype.kind in "SO":
        return _integer(1, 7) + _bytes(2, sizes) + _bytes(8, bytes(array[()]))
    dtype = {"float32": 1, "float64": 2}[array.dtype.name]
    return _integer(1, dtype) + _bytes(2, sizes) + _bytes(4, array.tobytes())


def _value(tag, plugin, array, content=b"", data_class=2):
    """A Summary.Value: 1 tag, 8 tensor, 9 metadata (1 plugin data, 4 class of data)."""
    plugin_data = _bytes(1, plugin) + (_bytes(2, content) if content else b"")
    metadata = _bytes(1, plugin_data) + _integer(4, data_class)
    return _bytes(1, tag.encode()) + _bytes(8, _tensor(array)) + _bytes(9, metadata)


def _event(step, field, data):
    """An Event: 1 wall time, 2 step, 3 file version, 5 summary."""
    return _double(1, time.time()) + _integer(2, step) + _bytes(field, data)


def buckets(values, n=30):
    """float64 (n, 3): left edge, right edge and count of `n` buckets of one width, of the values
    that are finite.

    All values equal: one bucket around them holds all, as TensorFlow's summaries; none: (0, 3).
    """
    values = np.asarray(values, np.float64)
    values = values[np.isfinite(values)]
    if not values.size:
        return np.zeros((0, 3))
    low, high = values.min(), values.max()
    if low == high:
        edges = np.full((n, 2), low)
        counts = np.zeros(n)
        counts[-1] = values.size
        edges[0, 0] -= 0.5
        edges[-1, 1] += 0.5
        edges[0, 1], edges[-1, 0] = low, low
        return np.column_stack([edges, counts])
    counts, edges = np.histogram(values, n, (low, high))
    return np.column_stack([edges[:-1], edges[1:], counts])


class EventFile:
    """A new file of events in `directory`, which is made if it is missing."""

    def __init__(self, directory):
        os.makedirs(directory, exist_ok=True)
        now, host = int(time.time()), socket.gethostname()
        name = f"events.out.tfevents.{now:010d}.{host}.{os.getpid()}.{next(_count)}.v2"
        self.path = os.path.join(directory, name)
        self._file = open(self.path, "wb")  # noqa: SIM115
        self._file.write(record(_event(0, 3, b"brain.Event:2")))

    def scalar(self, tag, value, step):
        """A number, for the page of scalars."""
        self._add(step, _value(tag, b"scalars", np.float32(value), data_class=1))

    def histogram(self, tag, values, step):
        """How these values are distributed."""
        self._add(step, _value(tag, b"histograms", buckets(values)))

    def keras_model(self, text, step=0):
        """The JSON of a model, for the page of graphs."""
        array = np.array(text.encode(), object)
        self._add(step, _value("keras", b"graph_keras_model", array, content=b"1", data_class=0))

    def _add(self, step, value):
        self._file.write(record(_event(step, 5, _bytes(1, value))))

    def flush(self):
        self._file.flush()

    def close(self):
        self._file.close()
