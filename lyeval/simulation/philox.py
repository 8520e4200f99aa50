"""Counter-based random numbers: every draw is a function of who, when, which draw and the seed, never of row order.

Philox4x32-10 (Salmon et al., SC 2011) takes a counter of four 32-bit words and a key of two. The counter here is
(draw, year and stream, low and high half of a 64-bit hash of the credit code) and the key is the seed, so an
enterprise keeps its draws when rows are sorted otherwise, left out, split over workers or computed in chunks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]
CHUNK_CELLS = 1 << 16


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


def uniforms(
    keys: NDArray[np.uint64], draws: int, *, year: int, stream: int, seed: int, words: int = 4
) -> NDArray[np.float64]:
    """Uniform numbers in (0, 1), one set for each enterprise and draw.

    Parameters
    ----------
    keys
        Hash of each enterprise's code, shape (n,).
    draws
        Number of Monte Carlo draws.
    year, stream, seed
        Calendar year, purpose of the numbers (see `STREAMS`) and the user's seed (any integer; its low 64 bits).
    words
        How many of the four words of a counter to return.

    Returns
    -------
    numpy.ndarray
        float64, shape (words, draws, n), each (word + 1/2) / 2**32.
    """
    out = np.empty((words, draws, keys.size))
    key = (seed & MASK, (seed >> 32) & MASK)
    tag = np.uint32(((year & 0xFFFF) << 16) | (stream & 0xFFFF))
    low, high = (keys & np.uint64(MASK)).astype(np.uint32)[None, :], (keys >> SHIFT).astype(np.uint32)[None, :]
    step = max(1, CHUNK_CELLS // max(keys.size, 1))
    for start in range(0, draws, step):
        rows = np.arange(start, min(start + step, draws), dtype=np.uint32)[:, None]
        result = philox((rows, np.full_like(rows, tag), low, high), key)
        for word in range(words):
            out[word, start : start + rows.size] = (result[word] + 0.5) * 2.0**-32
    return out


MASK = 0xFFFFFFFF
ROUNDS = 10
SHIFT = np.uint64(32)
MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
WEYL = (0x9E3779B9, 0xBB67AE85)
STREAMS = {"tax": 0, "disposal": 1, "effect": 2, "response": 3, "county": 4, "newcomer": 5}
