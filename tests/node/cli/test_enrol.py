"""`zhitong init`, `enrol`, `enrolment`, `migrate`: two offices, from nothing to an item."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from node import config
from node.bootstrap import keyring
from protocol.enrolment import read_token
from tests.node.cli.conftest import Zhitong

PASSWORD = "a-long-password\n"
CITY = ("--id", "yunzhou", "--name", "云州市政协", "--level", "city")
COUNTY = ("--id", "donghu", "--name", "东湖县政协", "--level", "county")
MANUSCRIPT = "---\ntitle: 标题\ntopic: city\n---\n正文。\n"
FINGERPRINT = re.compile(r"  (([0-9a-f]{4} ){15}[0-9a-f]{4})\n")


@pytest.fixture
def city(zhitong: Zhitong, tmp_path: Path) -> Path:
    """云州, a top office with its tables."""
    folder = tmp_path / "city"
    assert zhitong("init", folder, *CITY, "--top", "--broker", "amqps://city/").code == 0
    assert zhitong("migrate", folder).code == 0
    return folder


def test_two_offices_are_set_up_from_nothing_by_hand(
    zhitong: Zhitong, city: Path, tmp_path: Path
) -> None:
    county, request, welcome = (tmp_path / name for name in ("county", "request", "welcome"))
    assert zhitong("init", county, *COUNTY).code == 0
    asked = zhitong("enrol", "--request", request, "-c", county)
    listed = zhitong("enrolment", "import", request, "-c", city)
    assert (asked.code, listed.code, asked.err, listed.err) == (0, 0, "", "")
    (here,), (there,) = FINGERPRINT.findall(asked.out), FINGERPRINT.findall(listed.out)
    assert here == there
    assert zhitong("enrolment", "list", "-c", city).out == listed.out
    approved = zhitong("enrolment", "approve", "donghu", "-o", welcome, "-c", city)
    assert (approved.code, approved.err) == (0, "")
    accepted = zhitong("enrol", "--welcome", welcome, "-c", county)
    assert (accepted.code, "云州市政协（yunzhou）" in accepted.out) == (0, True)
    assert "已签发，可取回文" in zhitong("enrolment", "list", "-c", city).out
    assert zhitong("migrate", county).code == 0
    assert welcome.stat().st_mode & 0o777 == 0o600
    settings = config.load(county)
    assert settings.parent is not None
    assert (settings.parent.name, keyring.parent_broker(settings)) == (
        "云州市政协",
        "amqps://city/",
    )
    words = ("--name", "林晓雨", "--role", "author", "--kind", "informant", "--unit", "团结街道")
    added = zhitong("user", "add", "lin", *words, "--password-stdin", "-c", county, stdin=PASSWORD)
    assert (added.code, added.out) == (0, "已新建账号 lin（林晓雨）。\n")
    submitted = zhitong("submit", "-", "--as", "lin", "-c", county, stdin=MANUSCRIPT)
    assert submitted.code == 0
    shown = zhitong("show", submitted.out.strip(), "-c", county)
    assert shown.code == 0
    assert "提交到东湖县政协。" in shown.out


def test_requests_and_welcomes_may_go_through_pipes_and_the_root_may_be_named(
    zhitong: Zhitong, city: Path, tmp_path: Path
) -> None:
    county = tmp_path / "county"
    zhitong("init", county, *COUNTY, "--hub")
    request = zhitong("enrol", "--request", "-", "-c", county)
    assert FINGERPRINT.search(request.err)
    issuing = json.loads(request.out)["issuing"]
    assert issuing.startswith("-----BEGIN CERTIFICATE REQUEST-----")
    assert zhitong("enrolment", "import", "-", "-c", city, stdin=request.out).code == 0
    welcome = zhitong("enrolment", "approve", "donghu", "-o", "-", "-c", city)
    wrong = zhitong(
        *("enrol", "--welcome", "-", "--root", "00" * 32, "-c", county), stdin=welcome.out
    )
    assert "[enrolment.root]" in wrong.mistake
    root = read_token(zhitong("enrolment", "token", "-c", city).out.splitlines()[0]).root
    spelled = ":".join(root[i : i + 2].upper() for i in range(0, 64, 2))
    accepted = zhitong(
        *("enrol", "--welcome", "-", "--root", spelled, "-c", county), stdin=welcome.out
    )
    assert accepted.code == 0
    assert "[enrolment.below]" in zhitong("enrol", "--request", "-", "-c", county).mistake


def test_a_refusal_is_listed_with_its_reason(zhitong: Zhitong, city: Path, tmp_path: Path) -> None:
    zhitong("init", tmp_path / "county", *COUNTY)
    request = zhitong("enrol", "--request", "-", "-c", tmp_path / "county").out
    zhitong("enrolment", "import", "-", "-c", city, stdin=request)
    words = ("enrolment", "refuse", "donghu", "--reason", "请先来电。", "-c", city)
    assert zhitong(*words).code == 0
    assert "由 operator 办理：请先来电。" in zhitong("enrolment", "list", "-c", city).out
    assert "[enrolment.unknown]" in zhitong(*words).mistake


def test_the_database_and_the_broker_are_written_into_the_configuration(
    zhitong: Zhitong, tmp_path: Path
) -> None:
    url = "postgresql+asyncpg://zhitong@db/office"
    outcome = zhitong(
        *("init", tmp_path / "city", *CITY, "--top", "--region-code", "420100"),
        *("--database", url, "--broker", "amqps://b/", "--management", "http://b:15672"),
        *("--address", "amqps://broker.example/"),
    )
    assert outcome.code == 0
    settings = config.load(tmp_path / "city")
    assert settings.hub is not None
    assert (settings.hub.broker, settings.hub.management) == ("amqps://b/", "http://b:15672")
    assert settings.hub.address == "amqps://broker.example/"
    assert (settings.database_url, settings.office.region_code) == (url, "420100")


def test_migrating_twice_is_no_mistake(zhitong: Zhitong, tmp_path: Path) -> None:
    zhitong("init", tmp_path / "city", *CITY, "--top")
    for _ in range(2):
        outcome = zhitong("migrate", tmp_path / "city")
        assert (outcome.code, outcome.err) == (0, "")


def test_the_configuration_may_be_named_by_the_environment(
    zhitong: Zhitong, city: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHITONG_CONFIG", str(city))
    words = ("add", "zhou", "--name", "周", "--role", "editor", "--password-stdin")
    assert zhitong("user", *words, stdin=PASSWORD).code == 0
