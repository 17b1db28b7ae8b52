"""Hashes of strings that are the same everywhere and for ever, as TensorFlow has them.

`farm64`: Fingerprint64 of G. Pike, "FarmHash" (2014), for short strings a descendant of CityHash.
`sip64`: SipHash-2-4 of J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF" (2012).
All arithmetic is modulo 2^64; words are little-endian.
"""

import numpy as np

_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
_WORD = (1 << 64) - 1


def buckets(texts, n, salt=None):
    """farm64, or with a salt (two words) sip64, of each text modulo n: int64."""
    found = {}
    for text in set(texts):
        data = text.encode()
        found[text] = (farm64(data) if salt is None else sip64(data, salt)) % n
    return np.array([found[text] for text in texts], np.int64)


def salt_of(salt, what):
    """A salt as two words, from one or two whole numbers; None for none."""
    words = [salt, salt] if isinstance(salt, int) else salt
    pair = isinstance(words, list | tuple) and len(words) == 2
    if salt is not None and not (pair and all(isinstance(word, int) for word in words)):
        raise ValueError(f"{what}: salt must be a whole number, or two of them, got {salt!r}.")
    return None if salt is None else list(words)


def _at(data, i, size=8):
    """The word of `size` bytes at place i."""
    return int.from_bytes(data[i : i + size], "little")


def _right(x, n):
    """x rotated right by n bits."""
    x &= _WORD
    return (x >> n | x << (64 - n)) & _WORD


def _mixed(x):
    x &= _WORD
    return x ^ x >> 47


def _joined(u, v, factor):
    """Two words as one."""
    a = _mixed((u ^ v) * factor)
    return _mixed((v ^ a) * factor) * factor & _WORD


def farm64(data: bytes) -> int:
    """Fingerprint64 of the bytes, from 0 to 2^64 - 1."""
    n = len(data)
    if n > 64:
        return _farm_long(data)
    if n > 32:
        return _farm_to_64(data)
    factor = _K2 + n * 2
    if n > 16:
        return _joined(*_pair(data, n, _K1, factor), factor)
    if n >= 8:
        a, b = _at(data, 0) + _K2, _at(data, n - 8)
        return _joined(_right(b, 37) * factor + a, (_right(a, 25) + b) * factor & _WORD, factor)
    if n >= 4:
        return _joined(n + (_at(data, 0, 4) << 3), _at(data, n - 4, 4), factor)
    if n:
        y, z = data[0] + (data[n >> 1] << 8), n + (data[-1] << 2)
        return _mixed(y * _K2 ^ z * _K0) * _K2 & _WORD
    return _K2


def _pair(data, n, first, factor):
    """Two words of the first and the last 16 bytes."""
    a, b = _at(data, 0) * first, _at(data, 8)
    c, d = _at(data, n - 8) * factor, _at(data, n - 16) * _K2
    return _right(a + b, 43) + _right(c, 30) + d, a + _right(b + _K2, 18) + c


def _farm_to_64(data):
    n = len(data)
    factor = _K2 + n * 2
    y, x = _pair(data, n, _K2, factor)
    z = _joined(y & _WORD, x & _WORD, factor)
    a, e, f = _at(data, 0) * _K2, _at(data, 16) * factor, _at(data, 24)
    g, h = (y + _at(data, n - 32)) * factor, (z + _at(data, n - 24)) * factor
    return _joined(_right(e + f, 43) + _right(g, 30) + h, e + _right(f + a, 18) + g, factor)


def _farm_long(data):
    n, seed = len(data), 81
    y = seed * _K1 + 113 & _WORD
    state = (
        seed * _K2 + _at(data, 0) & _WORD,
        y,
        _mixed(y * _K2 + 113) * _K2 & _WORD,
        (0, 0),
        (0, 0),
    )
    blocks, rest = (n - 1) // 64, (n - 1) & 63
    for block in range(blocks):
        state = _farm_block(data, 64 * block, state, _K1, 1)
    x, y, z, v, w = state
    factor = _K1 + ((z & 0xFF) << 1)
    w = w[0] + rest, w[1]
    v = v[0] + w[0], v[1]
    w = w[0] + v[0], w[1]
    x, y, z, v, w = _farm_block(data, n - 64, (x, y, z, v, w), factor, 9)
    return _joined(
        _joined(v[0], w[0], factor) + _mixed(y) * _K0 + z,
        _joined(v[1], w[1], factor) + x,
        factor,
    )


def _farm_block(data, at, state, factor, times):
    """The state after the 64 bytes at this place."""
    x, y, z, v, w = state
    x = _right(x + y + v[0] + _at(data, at + 8), 37) * factor & _WORD
    y = _right(y + v[1] + _at(data, at + 48), 42) * factor & _WORD
    x ^= w[1] * times & _WORD
    y = y + v[0] * times + _at(data, at + 40) & _WORD
    z = _right(z + w[0], 33) * factor & _WORD
    v_next = _weak(data, at, v[1] * factor, x + w[0])
    w_next = _weak(data, at + 32, z + w[1], y + _at(data, at + 16))
    return z, y, x, v_next, w_next


def _weak(data, at, a, b):
    """Two words of 32 bytes and two seeds."""
    w, x, y, z = (_at(data, at + 8 * i) for i in range(4))
    a += w
    b = _right(b + a + z, 21)
    total = a + x + y
    return total + z & _WORD, b + _right(total, 44) + a & _WORD


def sip64(data: bytes, key) -> int:
    """SipHash-2-4 of the bytes with a key of two words, from 0 to 2^64 - 1."""
    k0, k1 = (int(k) & _WORD for k in key)
    v = [
        k0 ^ 0x736F6D6570736575,
        k1 ^ 0x646F72616E646F6D,
        k0 ^ 0x6C7967656E657261,
        k1 ^ 0x7465646279746573,
    ]
    n = len(data)
    padded = data + bytes(7 - n % 8) + bytes([n & 0xFF])
    for at in range(0, len(padded), 8):
        word = _at(padded, at)
        v[3] ^= word
        _sip_rounds(v, 2)
        v[0] ^= word
    v[2] ^= 0xFF
    _sip_rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _sip_rounds(v, n):
    for _ in range(n):
        v[0] = v[0] + v[1] & _WORD
        v[1] = _right(v[1], 51) ^ v[0]
        v[0] = _right(v[0], 32)
        v[2] = v[2] + v[3] & _WORD
        v[3] = _right(v[3], 48) ^ v[2]
        v[0] = v[0] + v[3] & _WORD
        v[3] = _right(v[3], 43) ^ v[0]
        v[2] = v[2] + v[1] & _WORD
        v[1] = _right(v[1], 47) ^ v[2]
        v[2] = _right(v[2], 32)
