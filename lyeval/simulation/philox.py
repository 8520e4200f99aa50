"""Counter-based random numbers: every draw is a function of who, when, which draw and the seed, never of row order.

Philox4x32-10 (Salmon et al., SC 2011) takes a counter of four 32-bit words and a key of two. The counter here is
(draws, year and stream, low and high half of a 64-bit hash of the credit code) and the key is the seed, so an
enterprise keeps its draws when rows are sorted otherwise, left out, split over workers or computed in chunks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]
CHUNK_CELLS = 1 << 17
GROUP = 256


def code_keys(codes: Iterable[str]) -> NDArray[np.uint64]:
    """64-bit keys of credit codes (统一社会信用代码), the same on every machine.

    Parameters
    ----------
    codes
        Credit codes, or any other names, of which the draws are to be kept apart; shape (n,).

    Returns
    -------
    numpy.ndarray
        uint64, shape (n,): the first eight bytes of BLAKE2b of each code.
    """
    digests = [hashlib.blake2b(str(code).encode(), digest_size=8).digest() for code in codes]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def philox(counter: tuple[Words, Words, Words, Words], key: tuple[int, int]) -> tuple[Words, Words, Words, Words]:
    """Ten rounds of Philox4x32 over arrays of counters.

    Parameters
    ----------
    counter
        Four uint32 arrays that broadcast against each other.
    key
        Two words of 32 bits.

    Returns
    -------
    tuple of numpy.ndarray
        Four uint32 arrays of the broadcast shape.
    """
    c0, c1, c2, c3 = np.broadcast_arrays(*counter)
    k0, k1 = key
    for _ in range(ROUNDS):
        wide0, wide1 = c0 * MULTIPLIERS[0], c2 * MULTIPLIERS[1]
        c0, c1, c2, c3 = (
            (wide1 >> SHIFT).astype(np.uint32) ^ c1 ^ np.uint32(k0),
            wide1.astype(np.uint32),
            (wide0 >> SHIFT).astype(np.uint32) ^ c3 ^ np.uint32(k1),
            wide0.astype(np.uint32),
        )
        k0, k1 = (k0 + WEYL[0]) & MASK, (k1 + WEYL[1]) & MASK
    return c0, c1, c2, c3


def words(keys: NDArray[np.uint64], draws: int, *, year: int, stream: int, seed: int) -> Words:
    """32 random bits for each enterprise and draw.

    Parameters
    ----------
    keys
        Hash of each enterprise's code, shape (n,).
    draws
        Number of Monte Carlo draws.
    year, stream, seed
        Calendar year, purpose of the numbers (see `STREAMS`) and the user's seed (any integer; its low 64 bits).

    Returns
    -------
    numpy.ndarray
        uint32, shape (draws, n).

    Notes
    -----
    A counter's four words serve four draws: word s of counter 64 g + j is that of draw 256 g + 64 s + j.
    """
    groups = -(-draws // GROUP)
    out = np.empty((groups, 4, GROUP // 4, keys.size), dtype=np.uint32)
    key = (seed & MASK, (seed >> 32) & MASK)
    tag = np.uint32(((year & 0xFFFF) << 16) | (stream & 0xFFFF))
    low, high = (keys & np.uint64(MASK)).astype(np.uint32), (keys >> SHIFT).astype(np.uint32)
    step = max(1, CHUNK_CELLS // GROUP)
    for group in range(groups):
        counter = np.arange(group * GROUP // 4, (group + 1) * GROUP // 4, dtype=np.uint32)[:, None]
        for start in range(0, keys.size, step):
            part = slice(start, start + step)
            four = philox((counter, np.full_like(counter, tag), low[None, part], high[None, part]), key)
            for slot in range(4):
                out[group, slot, :, part] = four[slot]
    return out.reshape(groups * GROUP, keys.size)[:draws]


def uniforms(keys: NDArray[np.uint64], draws: int, *, year: int, stream: int, seed: int) -> NDArray[np.float64]:
    """Uniform numbers (word + 1/2) / 2**32 in (0, 1), shape (draws, n); parameters as for `words`."""
    return (words(keys, draws, year=year, stream=stream, seed=seed) + np.float64(0.5)) * 2.0**-32


def normals(keys: NDArray[np.uint64], draws: int, *, year: int, stream: int, seed: int) -> NDArray[np.float64]:
    """Standard normals of Box and Muller (1958), shape (draws, n); parameters as for `words`.

    Draws j and j + 64, j + 128 and j + 192 of each group of 256 share their two words: the first gives the radius (rounded to
    single precision, as the compiled kernel takes it), the second the angle.
    """
    groups = -(-draws // GROUP)
    drawn = words(keys, groups * GROUP, year=year, stream=stream, seed=seed).reshape(-1, 2, GROUP // 4, keys.size)
    unit = drawn[:, 0].astype(np.float32) * np.float32(2.0**-32) + np.float32(2.0**-33)
    radius, angle = np.sqrt(-2 * np.log(unit.astype(float))), drawn[:, 1] * (2 * np.pi * 2.0**-32)
    out = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return out.reshape(groups * GROUP, keys.size)[:draws]


MASK = 0xFFFFFFFF
ROUNDS = 10
SHIFT = np.uint64(32)
MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
WEYL = (0x9E3779B9, 0xBB67AE85)
STREAMS = {"tax": 0, "zero": 1, "finish": 2, "response": 3, "county": 4, "leave": 5}
