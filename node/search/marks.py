"""Marks by which similar texts are found among very many: MinHash over their shingles, in bands.

A shingle is a few characters in a row. Of all shingles of a text, those with the lowest hashes are
a sample that two texts share as far as they share their shingles, wherever these stand in them.
The hashes are dealt into bins and each bin keeps its lowest (one permutation instead of many); two
bins together make a mark. Texts without a mark in common are hardly similar; that those with some
are, only their text can say (`resemblance`).

Marks are stored: who changes how they are made has the index rebuilt by a migration.
"""

from __future__ import annotations

import zlib

from node.search import words

SHINGLE = 3
BINS = 64
_MIX = 0x9E3779B1
_ALL = 0xFFFFFFFF


def of_text(text: str) -> list[int]:
    """The marks of a text, whole numbers of 32 bits with a sign; none where it holds too little."""
    lowest = _bins(words.bare(text))
    if not lowest:
        return []
    filled = [_filled(lowest, bin) for bin in range(BINS)]
    return sorted({_signed(_mark(filled, bin)) for bin in range(0, BINS, 2)})


def _bins(bare: str) -> dict[int, int]:
    # Two bytes a character: slices of bytes need not be encoded one by one.
    data, size = bare.encode("utf-16-le"), 2 * SHINGLE
    shingles = {data[place : place + size] for place in range(0, len(data) - size + 1, 2)}
    # CRC-32 alone keeps too much of what is alike; a multiplication spreads it.
    values = [zlib.crc32(shingle) * _MIX & _ALL for shingle in shingles]
    # Of each bin the value that comes last is kept, which is its lowest.
    return {value % BINS: value for value in sorted(values, reverse=True)}


def _filled(lowest: dict[int, int], bin: int) -> int:
    """An empty bin borrows from the next that is not, and says how far it had to look."""
    away = 0
    while (value := lowest.get((bin + away) % BINS)) is None:
        away += 1
    return value + away * _ALL


def _mark(filled: list[int], bin: int) -> int:
    return zlib.crc32(f"{bin}:{filled[bin]}:{filled[bin + 1]}".encode())


def _signed(value: int) -> int:
    return value - (1 << 32) if value >= 1 << 31 else value
