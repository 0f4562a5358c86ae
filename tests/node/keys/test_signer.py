"""The signer of a node: the key that fits its chain counts, also while both are renewed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from node.errors import KeyFileError
from node.keys import file as keys
from node.keys.signer import FileSigner, next_key
from protocol import certificates, envelope
from protocol.certificates import Term
from tests import authorities
from tests.factories import make_feedback, make_id, make_payload

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of the city 云州."""
    city = authorities.hierarchy(now=NOW)["yunzhou"]
    keys.write_private_key(tmp_path / "node.key", city.key, None)
    keys.write_certificates(tmp_path / "node.pem", [city.certificate])
    return tmp_path


def _signer(folder: Path) -> FileSigner:
    return FileSigner(folder / "node.key", folder / "node.pem", None)


def _renew(folder: Path) -> None:
    """A new chain is in place, and its key still lies beside the old one."""
    issuer = authorities.hierarchy(now=NOW)["jiangyuan"].issuer
    assert issuer is not None
    key = keys.new_private_key()
    asked = certificates.request(authorities.node_id("yunzhou"), key)
    leaf = certificates.node_certificate(asked, issuer, Term(NOW, 30, 4711))
    keys.write_private_key(next_key(folder / "node.key"), key, None)
    keys.write_certificates(folder / "node.pem", [leaf])


def test_the_key_that_fits_the_chain_is_taken(folder: Path) -> None:
    old = _signer(folder)
    _renew(folder)
    new = _signer(folder)
    assert new.chain != old.chain
    keys.move(next_key(folder / "node.key"), folder / "node.key")
    assert _signer(folder).sign(b"what is signed") == new.sign(b"what is signed")


def test_a_key_of_another_certificate_is_no_signer(folder: Path) -> None:
    (folder / "node.key").unlink()
    keys.write_private_key(folder / "node.key", keys.new_private_key(), None)
    with pytest.raises(KeyFileError, match=r"node\.key is not the key of the certificate"):
        _signer(folder)


def test_a_message_is_signed_with_one_key_though_it_is_renewed_meanwhile(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    county = authorities.hierarchy(now=NOW)["donghu"]
    signer = _signer(folder)
    _renew(folder)
    head = envelope._sealed_header

    def renewed(*given: object) -> bytes:
        made: bytes = head(*given)  # type: ignore[arg-type]
        signer.reload()
        return made

    monkeypatch.setattr(envelope, "_sealed_header", renewed)
    payload = make_payload(make_feedback(), sender="yunzhou", recipient="donghu", subject=make_id())
    for _ in range(2):
        token = envelope.seal(payload, signer, signed_at=NOW, incarnation=1)
        envelope.open_message(token, chains=county.chains, place=county.place, now=NOW)
