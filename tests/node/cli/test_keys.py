"""`zhitong keys` and `zhitong certificates`: what is shown, encrypted, asked for and decided."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from node import config
from node.bootstrap import keyring
from node.bootstrap import node as bootstrap
from node.keys import file
from node.relay.certifier import Certifier
from node.relay.renewer import Renewer
from node.storage.certificates import CertificateRequest
from node.storage.database import Database
from protocol import certificates
from protocol.identifiers import NodeId
from protocol.trust import issuing_office
from tests.node.cli.conftest import Zhitong
from tests.node.rooms import Templates
from tests.offices import DEPTH_2

PASSPHRASE = "a passphrase for tests"


@pytest.fixture
def city(templates: Templates, tmp_path: Path) -> Path:
    """The folder of the city 云州, with counties below."""
    return templates.copy(DEPTH_2, tmp_path / "offices").folder / "yunzhou"


def test_fingerprints_paths_and_dates_are_shown_and_no_key(zhitong: Zhitong, city: Path) -> None:
    shown = zhitong("keys", "show", "-c", city)
    ring = keyring.of(config.load(city))
    assert (shown.code, shown.err) == (0, "")
    assert f"密钥 {city}/keys/node.key：未加密" in shown.out
    for path in (ring.node_chain, ring.issuing_chain, ring.root):
        [certificate] = file.read_certificates(path)
        assert str(path) in shown.out
        assert issuing_office(certificate).key in shown.out
        assert f"{certificate.not_valid_after_utc:%Y-%m-}" in shown.out
    secret = ring.node_key.read_text().splitlines()[1]
    assert secret not in shown.out
    assert "换发" not in shown.out


def test_keys_are_encrypted_and_decrypted_in_place(
    zhitong: Zhitong, city: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "[keys.passphrase]" in zhitong("keys", "encrypt", "-c", city).mistake
    monkeypatch.setenv("ZHITONG_KEYS__PASSPHRASE", PASSPHRASE)
    done = zhitong("keys", "encrypt", "-c", city)
    assert (done.code, done.out.count("已加密")) == (0, 2)
    assert zhitong("keys", "show", "-c", city).out.count("：已加密") == 2
    again = zhitong("keys", "encrypt", "-c", city)
    assert (again.code, again.out.count("已是加密的")) == (0, 2)
    bootstrap.build(config.load(city)).signer()
    monkeypatch.setenv("ZHITONG_KEYS__PASSPHRASE", PASSPHRASE + "!")
    assert "does not open" in zhitong("keys", "encrypt", "-c", city).mistake
    assert "does not open" in zhitong("keys", "decrypt", "--yes", "-c", city).mistake
    monkeypatch.setenv("ZHITONG_KEYS__PASSPHRASE", PASSPHRASE)
    assert "--yes" in zhitong("keys", "decrypt", "-c", city).mistake
    assert zhitong("keys", "decrypt", "--yes", "-c", city).code == 0
    monkeypatch.delenv("ZHITONG_KEYS__PASSPHRASE")
    bootstrap.build(config.load(city)).signer()


def test_an_office_is_set_up_with_a_passphrase_file(zhitong: Zhitong, tmp_path: Path) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text(PASSPHRASE)
    words = ("--id", "yunzhou", "--name", "云州市政协", "--level", "city", "--top")
    made = zhitong("init", tmp_path / "city", *words, "--passphrase-file", passphrase)
    assert (made.code, made.err) == (0, "")
    ring = keyring.of(config.load(tmp_path / "city"))
    assert [file.is_encrypted(path) for path in ring.keys] == [True, True]
    ring.signer()


def test_a_rotation_is_asked_for_and_its_progress_shown(zhitong: Zhitong, city: Path) -> None:
    asked = zhitong("keys", "rotate", "-c", city)
    assert (asked.code, "已登记" in asked.out) == (0, True)
    assert "换发：等待收发进程办理" in zhitong("keys", "show", "-c", city).out
    before = file.read_certificates(city / "keys/node.pem")

    async def carry_out() -> None:
        node = bootstrap.build(config.load(city))
        renewer = Renewer(node.desk, keyring.of(node.settings), node.signer())
        while await renewer.step():
            pass
        await node.desk.database.close()

    asyncio.run(carry_out())
    assert "换发" not in zhitong("keys", "show", "-c", city).out
    assert file.read_certificates(city / "keys/node.pem") != before


def test_requests_of_children_are_listed_approved_and_refused(zhitong: Zhitong, city: Path) -> None:
    settings = config.load(city)
    node = bootstrap.build(settings)
    by_hand = config.CertificateSettings(renewal="administrator")
    ids = [node.desk.new_id() for _ in range(2)]

    async def arrive() -> None:
        database = Database(settings.database_url)
        async with database.writing.begin() as session:
            for id, peer in zip(ids, ("donghu", "xishan"), strict=True):
                made = certificates.request(NodeId(peer), file.new_private_key())
                session.add(
                    CertificateRequest(
                        id=id,
                        peer=peer,
                        request=made.public_bytes(file.Encoding.DER),
                        state="asked",
                        asked_at=node.desk.clock(),
                    )
                )
        await database.close()
        certifier = Certifier(node.desk, keyring.of(settings), by_hand)
        while await certifier.step():
            pass
        await node.desk.database.close()

    asyncio.run(arrive())
    listed = zhitong("certificates", "list", "-c", city)
    assert (listed.code, listed.out.count("待审批")) == (0, 2)
    assert f"{ids[0]} 东湖县政协（donghu）待审批" in listed.out
    assert zhitong("certificates", "approve", str(ids[0]), "-c", city).code == 0
    refused = zhitong("certificates", "refuse", str(ids[1]), "--reason", "指纹不符", "-c", city)
    assert refused.code == 0
    listed = zhitong("certificates", "list", "-c", city)
    assert ("已批准" in listed.out, "由 operator 办理：指纹不符" in listed.out) == (True, True)
    assert (
        "[certificate.unknown]"
        in zhitong("certificates", "approve", str(ids[1]), "-c", city).mistake
    )
