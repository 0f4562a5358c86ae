"""The systemd units: systemd understands them, they are hardened alike, pages get no key."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from node import config
from node.bootstrap import enrolment
from node.bootstrap import node as bootstrap
from node.config import OfficeSettings
from tests.deploy.operator import DEPLOY

UNITS = ("zhitong@", "zhitong-relay@", "zhitong-web@")
PROGRAM = "/opt/zhitong/bin/zhitong"
MOST_EXPOSED = 1.5

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd is not installed"
)


def text(unit: str) -> str:
    """The unit's file."""
    return (DEPLOY / "systemd" / f"{unit}.service").read_text("utf-8")


def values(unit: str, name: str) -> list[str]:
    """What is set for a name."""
    return re.findall(rf"^{name}=(.*)$", text(unit), re.MULTILINE)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units, naming a program that is there."""
    for unit in UNITS:
        (tmp_path / f"{unit}.service").write_text(text(unit).replace(PROGRAM, "/bin/true"))
    return tmp_path


@needs_systemd
def test_systemd_finds_nothing_wrong(installed: Path) -> None:
    files = [installed / f"{unit}.service" for unit in UNITS]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    named = [line for line in (done.stdout + done.stderr).splitlines() if "zhitong" in line]
    assert (done.returncode, named) == (0, [])


@needs_systemd
@pytest.mark.parametrize("unit", UNITS)
def test_each_unit_is_hardly_exposed(installed: Path, unit: str) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", f"./{unit}.service"],
        capture_output=True,
        text=True,
        check=True,
        cwd=installed,
    )
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found is not None
    assert float(found[1]) <= MOST_EXPOSED


def test_all_units_are_hardened_alike() -> None:
    first, *others = (text(unit).partition("# What the process may not do.")[2] for unit in UNITS)
    assert first.strip()
    assert others == [first, first]


def test_the_pages_are_given_neither_keys_nor_brokers() -> None:
    assert values("zhitong-web@", "DynamicUser") == ["yes"]
    assert values("zhitong-web@", "InaccessiblePaths") == ["%S/zhitong /etc/zhitong"]
    assert values("zhitong-web@", "EnvironmentFile") == ["/etc/zhitong/%i.env"]
    given = values("zhitong-web@", "LoadCredential")
    assert given == [
        "zhitong.toml:%S/zhitong/%i/zhitong.toml",
        "node.pem:%S/zhitong/%i/keys/node.pem",
        "root.pem:%S/zhitong/%i/keys/root.pem",
    ]


def test_the_passphrase_of_the_keys_goes_to_the_relay_and_not_to_the_pages() -> None:
    credential = "zhitong-passphrase:zhitong.%i.passphrase"
    assert values("zhitong@", "LoadCredential") == [credential]
    assert values("zhitong-relay@", "LoadCredential") == [credential]
    assert "passphrase" not in text("zhitong-web@")


async def test_the_pages_need_no_more_than_they_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = tmp_path / "office"
    settings = OfficeSettings(id="jiangyuan", name="江原省政协", level="province")
    enrolment.prepare(office, settings, {})
    enrolment.make_root(office, settings, bootstrap.system_clock())
    given = tmp_path / "given"
    given.mkdir()
    for credential in values("zhitong-web@", "LoadCredential"):
        name, _, source = credential.partition(":")
        shutil.copy(office / source.removeprefix("%S/zhitong/%i/"), given / name)
    [environment] = values("zhitong-web@", "Environment")
    for name, _, value in (setting.partition("=") for setting in environment.split()):
        monkeypatch.setenv(name, value.replace("%d", str(given)))
    shutil.rmtree(office)
    [command] = values("zhitong-web@", "ExecStart")
    node = bootstrap.build(
        config.load(Path(command.split()[-1].replace("%d", str(given)))), half="web"
    )
    assert node.desk.node == "jiangyuan"
    await node.desk.database.close()
