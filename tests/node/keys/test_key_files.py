"""Keys at rest: for their owner alone, encrypted under a passphrase, never replaced unasked."""

from __future__ import annotations

import os
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from node.errors import ConfigurationError, KeyFileError, KeyPassphraseError
from node.keys import file as keys
from node.keys.signer import FileSigner
from protocol import envelope
from tests import authorities
from tests.factories import make_feedback, make_id, make_payload

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PASSPHRASE = b"a passphrase for tests"


def test_an_encrypted_key_is_what_openssl_reads_with_scrypt(tmp_path: Path) -> None:
    key = keys.new_private_key()
    path = tmp_path / "node.key"
    keys.write_private_key(path, key, PASSPHRASE)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    passin = "pass:" + PASSPHRASE.decode()
    read = ["openssl", "pkey", "-in", path, "-passin", passin, "-pubout"]
    assert subprocess.run(read, capture_output=True, check=True).stdout == public
    look = ["openssl", "asn1parse", "-in", path]
    described = subprocess.run(look, capture_output=True, check=True, text=True).stdout
    found = re.findall(r"(?:OBJECT +|INTEGER +):(\S+)", described)
    assert found == ["PBES2", "scrypt", "4000", "08", "05", "20", "aes-256-cbc"]


def test_an_encrypted_key_opens_with_its_own_passphrase_alone(tmp_path: Path) -> None:
    path = tmp_path / "node.key"
    keys.write_private_key(path, keys.new_private_key(), PASSPHRASE)
    assert keys.is_encrypted(path)
    with pytest.raises(KeyPassphraseError, match=r"does not open .*node\.key"):
        keys.read_private_key(path, b"another passphrase")
    with pytest.raises(KeyPassphraseError, match=r"node\.key is encrypted and no passphrase"):
        keys.read_private_key(path, None)


def test_two_keys_under_one_passphrase_have_another_salt_and_vector(tmp_path: Path) -> None:
    key = keys.new_private_key()
    for name in ("one", "two"):
        keys.write_private_key(tmp_path / name, key, PASSPHRASE)
    assert (tmp_path / "one").read_bytes() != (tmp_path / "two").read_bytes()


def test_a_key_is_put_under_a_passphrase_and_out_of_it_again(tmp_path: Path) -> None:
    path = tmp_path / "node.key"
    key = keys.new_private_key()
    keys.write_private_key(path, key, None)
    keys.rewrite_private_key(path, None, PASSPHRASE)
    assert keys.is_encrypted(path)
    assert keys.read_private_key(path, PASSPHRASE).private_numbers() == key.private_numbers()
    keys.rewrite_private_key(path, PASSPHRASE, None)
    assert keys.read_private_key(path, None).private_numbers() == key.private_numbers()
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660])
def test_a_key_that_others_can_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "node.key"
    keys.write_private_key(path, keys.new_private_key(), None)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match=rf"mode {mode:o}\): chmod 600 .*node\.key"):
        keys.read_private_key(path, None)


def test_killed_while_a_file_is_replaced_the_old_one_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "node.pem"
    keys.replace(path, b"old")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(keys, "move", killed)
    with pytest.raises(KeyboardInterrupt):
        keys.replace(path, b"new")
    assert path.read_bytes() == b"old"
    monkeypatch.undo()
    keys.replace(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_private_key_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        keys.write_private_key(tmp_path / "node.key", keys.new_private_key(), None)
    finally:
        os.umask(before)
    assert (tmp_path / "node.key").stat().st_mode & 0o777 == 0o600


def test_a_private_key_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "node.key"
    keys.write_private_key(path, keys.new_private_key(), None)
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        keys.write_private_key(path, keys.new_private_key(), None)
    assert path.read_bytes() == before


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_a_key_that_was_written_is_read_again(tmp_path: Path, passphrase: bytes | None) -> None:
    key = keys.new_private_key()
    keys.write_private_key(tmp_path / "node.key", key, passphrase)
    read = keys.read_private_key(tmp_path / "node.key", passphrase)
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
        path.touch(mode=0o600)
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"node\.key"):
        keys.read_private_key(path, PASSPHRASE)


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
    keys.write_private_key(tmp_path / "node.key", city.key, None)
    # The province is the root, so nothing stands between.
    keys.write_certificates(tmp_path / "node.pem", [city.certificate])

    signer = FileSigner(tmp_path / "node.key", tmp_path / "node.pem", None)

    payload = make_payload(make_feedback(), sender="yunzhou", recipient="donghu", subject=make_id())
    token = envelope.seal(payload, signer, signed_at=NOW, incarnation=1)
    opened = envelope.open_message(token, chains=county.chains, place=county.place, now=NOW)
    assert opened.event.sender == "yunzhou"
