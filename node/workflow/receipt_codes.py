"""The codes of receipts: a hundred random bits in letters and digits that nobody confuses. Pure."""

from __future__ import annotations

from hashlib import sha256

BYTES = 13
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH, GROUP = 20, 5
ALIKE = str.maketrans("OIL", "011", "- —–\u3000\t")
"""What people write for one another, and what they put between."""


def make(random: bytes) -> str:
    """A code of these random bytes, in groups."""
    number = int.from_bytes(random[:BYTES])
    signs = "".join(LETTERS[number >> 5 * place & 31] for place in range(LENGTH))
    return "-".join(signs[at : at + GROUP] for at in range(0, LENGTH, GROUP))


def digest(code: str) -> str:
    """What is kept of a code, however it was typed."""
    return sha256(b"zhitong receipt " + code.upper().translate(ALIKE).encode()).hexdigest()
