"""The passphrase of the keys: which source counts, and which are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from node import config
from node.bootstrap import enrolment
from node.bootstrap import node as bootstrap
from node.config import OfficeSettings
from node.errors import ConfigurationError, KeyFileError, KeyPassphraseError
from node.keys import file as keys
from node.keys import passphrase

CREDENTIAL, FILE, VARIABLE = (
    "from the credential",
    "from the file",
    "from the environment",
)


def _file(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.touch(mode=0o600)
    path.write_text(content)
    return path


def test_the_credential_comes_before_the_file_and_the_file_before_the_environment(
    tmp_path: Path,
) -> None:
    file = _file(tmp_path, "passphrase", FILE + "\n")
    variable = {"ZHITONG_KEYS__PASSPHRASE": VARIABLE}
    given = variable | {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert passphrase.find(None, {}) is None
    assert passphrase.find(None, given) == VARIABLE.encode()
    assert passphrase.find(file, given) == FILE.encode()
    _file(tmp_path, "zhitong-passphrase", CREDENTIAL + "\n")
    assert passphrase.find(file, given) == CREDENTIAL.encode()


def test_a_short_passphrase_is_refused_with_its_source(tmp_path: Path) -> None:
    with pytest.raises(KeyPassphraseError, match="ZHITONG_KEYS__PASSPHRASE has fewer than 12"):
        passphrase.find(None, {"ZHITONG_KEYS__PASSPHRASE": "short"})
    with pytest.raises(KeyPassphraseError, match=r"passphrase has fewer than 12 .*openssl rand"):
        passphrase.find(_file(tmp_path, "passphrase", "short\n"), {})


def test_a_passphrase_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = _file(tmp_path, "passphrase", FILE)
    file.chmod(0o644)
    with pytest.raises(KeyFileError, match=r"mode 644\): chmod 600"):
        passphrase.find(file, {})


def test_a_passphrase_file_that_is_not_there_is_named_and_nothing_else_is_tried(
    tmp_path: Path,
) -> None:
    with pytest.raises(KeyFileError, match=r"cannot read .*nowhere"):
        passphrase.find(tmp_path / "nowhere", {"ZHITONG_KEYS__PASSPHRASE": VARIABLE})


def test_a_passphrase_in_the_configuration_is_refused(tmp_path: Path) -> None:
    content = {"office": {}, "keys": {"passphrase": "beside the keys"}}
    with pytest.raises(ConfigurationError, match="protects nothing"):
        config.build(tmp_path, content)


@pytest.mark.parametrize("source", ["file", "environment"])
def test_an_office_that_is_set_up_with_a_passphrase_has_no_key_in_the_clear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    office = OfficeSettings(id="jiangyuan", name="江原省政协", level="province")
    content: dict[str, dict[str, object]] = {}
    if source == "file":
        content["keys"] = {"passphrase_file": str(_file(tmp_path, "passphrase", FILE))}
    else:
        monkeypatch.setenv("ZHITONG_KEYS__PASSPHRASE", VARIABLE)
    folder = tmp_path / "office"
    enrolment.prepare(folder, office, content)
    enrolment.make_root(folder, office, bootstrap.system_clock())
    assert keys.is_encrypted(folder / "keys/node.key")
    assert keys.is_encrypted(folder / "keys/issuing.key")

    node = bootstrap.build(config.load(folder))
    signer = node.signer()
    assert len(signer.sign(b"what is signed")) == 64
    assert VARIABLE not in repr(config.load(folder))
    # The pages read no key and are given no passphrase.
    monkeypatch.delenv("ZHITONG_KEYS__PASSPHRASE", raising=False)
    bootstrap.build(config.load(folder), half="web")
