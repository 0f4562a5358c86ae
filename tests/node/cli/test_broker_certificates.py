"""`zhitong certificates broker`: the files with which a hub's broker starts."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography import x509

from node import config
from node.bootstrap import enrolment
from node.bootstrap.node import system_clock
from node.config import OfficeSettings
from node.keys import file
from protocol import certificates
from tests.node.cli.conftest import Zhitong

OFFICE = OfficeSettings(id="jiangyuan", name="江原省政协", level="province")
HOSTS = ("--host", "broker.example", "--host", "127.0.0.1")


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A top office."""
    enrolment.prepare(tmp_path / "top", OFFICE, {})
    enrolment.make_root(tmp_path / "top", OFFICE, system_clock())
    return tmp_path / "top"


def test_a_hub_writes_key_certificates_and_what_the_broker_trusts(
    zhitong: Zhitong, top: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "broker"
    outcome = zhitong("certificates", "broker", *HOSTS, "-o", folder, "-c", top)
    assert (outcome.code, outcome.err) == (0, "")
    assert "broker.example、127.0.0.1" in outcome.out
    assert {path.name for path in folder.iterdir()} == {"server.key", "server.pem", "ca.pem"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
    key = file.read_private_key(folder / "server.key", None)
    [server], [trusted] = (
        file.read_certificates(folder / name) for name in ("server.pem", "ca.pem")
    )
    assert server.public_key() == key.public_key()
    server.verify_directly_issued_by(trusted)
    trusted.verify_directly_issued_by(trusted)
    assert certificates.node_of(server.extensions, hosts=True) == OFFICE.id
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["broker.example"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]

    # Again, with a new key: so it is renewed.
    assert zhitong("certificates", "broker", *HOSTS, "-o", folder, "-c", top).code == 0
    assert file.read_private_key(folder / "server.key", None).public_key() != key.public_key()


def test_what_is_no_host_and_an_office_without_anybody_below_get_nothing(
    zhitong: Zhitong, top: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "broker"
    outcome = zhitong("certificates", "broker", "--host", "*.example", "-o", folder, "-c", top)
    assert outcome.code != 0
    assert "neither the name nor the address" in outcome.err
    config.load(top).path(config.KeySettings().issuing_chain).unlink()
    outcome = zhitong("certificates", "broker", *HOSTS, "-o", folder, "-c", top)
    assert outcome.code != 0
    assert "no issuing certificate" in outcome.err
    assert not folder.exists()
