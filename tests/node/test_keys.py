"""Keys at rest: for their owner alone, and never replaced."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from node import keys
from node.errors import ConfigurationError
from protocol import envelope
from tests import authorities
from tests.factories import make_feedback, make_id, make_payload

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_a_private_key_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        keys.write_private_key(tmp_path / "node.key", keys.new_private_key())
    finally:
        os.umask(before)
    assert (tmp_path / "node.key").stat().st_mode & 0o777 == 0o600


def test_a_private_key_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "node.key"
    keys.write_private_key(path, keys.new_private_key())
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        keys.write_private_key(path, keys.new_private_key())
    assert path.read_bytes() == before


def test_a_key_that_was_written_is_read_again(tmp_path: Path) -> None:
    key = keys.new_private_key()
    keys.write_private_key(tmp_path / "node.key", key)
    read = keys.read_private_key(tmp_path / "node.key")
    assert read.private_numbers() == key.private_numbers()


def test_two_new_keys_are_two_keys() -> None:
    assert keys.new_private_key().private_numbers() != keys.new_private_key().private_numbers()


@pytest.mark.parametrize("content", [None, b"", b"rubbish", "ed25519", "encrypted"])
def test_a_file_that_holds_no_usable_key_is_named(tmp_path: Path, content: object) -> None:
    path = tmp_path / "node.key"
    if content == "ed25519":
        other = ed25519.Ed25519PrivateKey.generate()
        content = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    elif content == "encrypted":
        content = keys.new_private_key().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
        )
    if isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"node\.key"):
        keys.read_private_key(path)


@pytest.mark.parametrize("content", [None, b"", b"rubbish"])
def test_a_file_that_holds_no_certificate_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "node.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"cannot read the certificates .*node\.pem"):
        keys.read_certificates(path)


def test_a_signer_from_files_signs_what_its_neighbour_accepts(tmp_path: Path) -> None:
    offices = authorities.hierarchy(now=NOW)
    city, county = offices["yunzhou"], offices["donghu"]
    keys.write_private_key(tmp_path / "node.key", city.key)
    # The province is the root, so nothing stands between.
    keys.write_certificates(tmp_path / "node.pem", [city.certificate])

    signer = keys.file_signer(tmp_path / "node.key", tmp_path / "node.pem")

    payload = make_payload(make_feedback(), sender="yunzhou", recipient="donghu", subject=make_id())
    token = envelope.seal(payload, signer, signed_at=NOW, incarnation=1)
    opened = envelope.open_message(token, chains=county.chains, place=county.place, now=NOW)
    assert opened.event.sender == "yunzhou"
