"""Rows of random numbers for the compiled kernel: Philox words, normals and logarithms over 256 draws at a time.

Each loop runs over rows of one contiguous scratch array at fixed offsets and has no branch, so that it compiles to vector
instructions. A row is always computed whole: a draw has the same bits whatever else is computed.
"""

# pyright: reportCallIssue=false
# (the stub of numba's njit lacks _nrt, and an intrinsic is called without its context)

from __future__ import annotations

from typing import Any

import numpy as np
from numba import float32, int32, njit
from numba.extending import intrinsic

LANES = 256
FAST = {"contract", "nnan", "nsz"}


@intrinsic
def bits(context: Any, value: Any) -> Any:
    """Return the 32 bits of a float32 as an int32."""
    return int32(float32), lambda target, builder, _, args: builder.bitcast(args[0], target.get_value_type(int32))


@intrinsic
def real(context: Any, value: Any) -> Any:
    """Return the float32 that 32 bits stand for."""
    return float32(int32), lambda target, builder, _, args: builder.bitcast(args[0], target.get_value_type(float32))


@njit(inline="always")
def _round(c0, c1, c2, c3, k0, k1) -> Any:
    """Run one round of Philox4x32."""
    wide0, wide1 = np.uint64(c0) * M0, np.uint64(c2) * M1
    high0, high1 = np.uint32(wide0 >> HALF), np.uint32(wide1 >> HALF)
    return np.uint32(high1 ^ c1 ^ k0), np.uint32(wide1), np.uint32(high0 ^ c3 ^ k1), np.uint32(wide0)


@njit(inline="always")
def block(c0, c1, c2, c3, k) -> Any:
    """Return the four words of a counter under the round keys ``k`` (`round_keys`)."""
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k[0], k[1])
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k[2], k[3])
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k[4], k[5])
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k[6], k[7])
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k[8], k[9])
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k[10], k[11])
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k[12], k[13])
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k[14], k[15])
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k[16], k[17])
    return _round(c0, c1, c2, c3, k[18], k[19])


@njit(nogil=True, cache=True, _nrt=False)
def words(row, group, tag, low, high, k) -> None:
    """Fill a row with the words of one enterprise and a group of 256 draws: four draws to a block (`philox.uniforms`)."""
    first = np.uint32(group * BLOCKS)
    for j in range(BLOCKS):
        c0, c1, c2, c3 = block(np.uint32(first + np.uint32(j)), tag, low, high, k)
        row[j] = c0
        row[BLOCKS + j] = c1
        row[2 * BLOCKS + j] = c2
        row[3 * BLOCKS + j] = c3


@njit(nogil=True, cache=True, fastmath=FAST, _nrt=False)
def normals(row, group, tag, low, high, k) -> None:
    """Fill a row with standard normals, two from each pair of the words that `words` would give."""
    first = np.uint32(group * BLOCKS)
    for j in range(BLOCKS):
        c0, c1, c2, c3 = block(np.uint32(first + np.uint32(j)), tag, low, high, k)
        row[j], row[BLOCKS + j] = pair(c0, c1)
        row[2 * BLOCKS + j], row[3 * BLOCKS + j] = pair(c2, c3)


@njit(inline="always")
def log(x) -> Any:
    """Natural logarithm of a positive float32, relative error below 3e-7."""
    e = int32(int32(bits(x) - ROOT_HALF) >> int32(23))
    t = real(int32(bits(x) - int32(e << int32(23)))) - ONE
    p = LOG[0]
    p = p * t + LOG[1]
    p = p * t + LOG[2]
    p = p * t + LOG[3]
    p = p * t + LOG[4]
    p = p * t + LOG[5]
    p = p * t + LOG[6]
    return (p * t) * t + t + float32(e) * LN2


@njit(inline="always")
def exp2(x) -> Any:
    """Two to the power of a float32 between -120 and 120, relative error below 3e-7."""
    n = np.floor(x + HALF_ONE)
    f = x - n
    p = EXP[0]
    p = p * f + EXP[1]
    p = p * f + EXP[2]
    p = p * f + EXP[3]
    p = p * f + EXP[4]
    return (p * f + ONE) * real(int32(int32(int32(n) + int32(127)) << int32(23)))


@njit(inline="always")
def unit(word) -> Any:
    """Return (word + 1/2) / 2**32 as a float32, above 0 and at most 1."""
    return float32(word) * WORD + HALF_WORD


@njit(inline="always")
def pair(first, second) -> Any:
    """Return two standard normals for two words (Box and Muller 1958), each within 2e-6 of the exact transform.

    The angle's quadrant and its rest are taken from the word as whole numbers, so that no digit is lost.
    """
    radius = np.sqrt(MINUS_TWO * log(unit(first)))
    quadrant = np.uint32(np.uint32(second + np.uint32(0x20000000)) >> np.uint32(30))
    t = float32(int32(np.uint32(second - np.uint32(quadrant << np.uint32(30))))) * WORD
    q = t * t
    sine = (((SIN[0] * q + SIN[1]) * q + SIN[2]) * q + SIN[3]) * t * radius
    cosine = (((COS[0] * q + COS[1]) * q + COS[2]) * q + COS[3]) * q * radius + radius
    odd = (quadrant & np.uint32(1)) != 0
    a, b = (sine, cosine) if odd else (cosine, sine)
    sign_a = np.uint32(np.uint32(np.uint32(quadrant + np.uint32(1)) & np.uint32(2)) << np.uint32(30))
    sign_b = np.uint32(np.uint32(quadrant & np.uint32(2)) << np.uint32(30))
    return real(int32(np.uint32(bits(a)) ^ sign_a)), real(int32(np.uint32(bits(b)) ^ sign_b))


def round_keys(seed: int) -> tuple[np.uint32, ...]:
    """Return the ten pairs of round keys of a seed (its low 64 bits)."""
    out = []
    k0, k1 = seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF
    for _ in range(10):
        out += [np.uint32(k0), np.uint32(k1)]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return tuple(out)


def _floats(*values: float) -> tuple[np.float32, ...]:
    return tuple(np.float32(v) for v in values)


BLOCKS = LANES // 4
M0, M1, HALF = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57), np.uint64(32)
ROOT_HALF = np.int32(0x3F3504F3)
ONE, HALF_ONE, MINUS_TWO, WORD, HALF_WORD = _floats(1.0, 0.5, -2.0, 2.0**-32, 2.0**-33)
LN2, LOG2E = _floats(0.6931471805599453, 1.4426950408889634)
LOG = _floats(-0.103464596, 0.1627741, -0.17201452, 0.19894183, -0.24973406, 0.33335087, -0.50000286)
EXP = _floats(0.00132644523, 0.00967145177, 0.0555073388, 0.240222431, 0.693146978)
SIN = _floats(-75.325111389, 81.590187073, -41.341640472, 6.283185005)
COS = _floats(59.295078278, -85.445060730, 64.939338684, -19.739208221)
