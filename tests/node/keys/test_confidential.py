"""Words for one office alone are read with its key, and with no other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from node.errors import KeyFileError
from node.keys import confidential

KEY = ec.generate_private_key(ec.SECP256R1())


def test_what_was_closed_for_a_key_is_read_with_that_key_alone() -> None:
    closed = confidential.close("口令", KEY.public_key())
    assert confidential.read(closed, KEY) == "口令"
    with pytest.raises(KeyFileError):
        confidential.read(closed, ec.generate_private_key(ec.SECP256R1()))


def test_closing_leaves_nothing_behind_for_whoever_closes_at_the_same_time() -> None:
    before = dict(confidential.HEADER)
    with ThreadPoolExecutor(4) as pool:
        closed = list(
            pool.map(lambda n: confidential.close(f"口令{n}", KEY.public_key()), range(40))
        )
    assert [confidential.read(text, KEY) for text in closed] == [f"口令{n}" for n in range(40)]
    assert before == confidential.HEADER
