"""`zhitong init`, `certify` and `migrate`: two offices from nothing to a submitted item."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from node import config
from tests.node.cli.conftest import Zhitong

PASSWORD = "a-long-password\n"
CITY = ("--id", "yunzhou", "--name", "云州市政协", "--level", "city")
COUNTY = ("--id", "donghu", "--name", "东湖县政协", "--level", "county")
MANUSCRIPT = "---\ntitle: 标题\ntopic: city\n---\n正文。\n"


def test_two_offices_are_set_up_from_nothing(zhitong: Zhitong, tmp_path: Path) -> None:
    city, county, welcome = tmp_path / "city", tmp_path / "county", tmp_path / "welcome.json"

    assert zhitong("init", city, *CITY, "--top", "--broker", "amqps://city/").code == 0
    assert zhitong("migrate", city).code == 0
    asked = zhitong("init", county, *COUNTY)
    assert (asked.code, "request.json" in asked.out, asked.err) == (0, True, "")
    certified = zhitong("certify", county / "request.json", "-o", welcome, "-c", city)
    assert (certified.code, "东湖县政协" in certified.out, certified.err) == (0, True, "")
    assert zhitong("init", county, "--welcome", welcome).code == 0
    assert zhitong("migrate", county).code == 0

    assert welcome.stat().st_mode & 0o777 == 0o600
    settings = config.load(county)
    assert settings.parent is not None
    assert (settings.parent.name, settings.parent.broker) == ("云州市政协", "amqps://city/")

    words = (
        "lin",
        "--name",
        "林晓雨",
        "--role",
        "author",
        "--kind",
        "informant",
        "--unit",
        "团结街道",
    )
    added = zhitong("user", "add", *words, "--password-stdin", "-c", county, stdin=PASSWORD)
    assert (added.code, added.out) == (0, "已新建账号 lin（林晓雨）。\n")
    submitted = zhitong("submit", "-", "--as", "lin", "-c", county, stdin=MANUSCRIPT)
    assert submitted.code == 0
    shown = zhitong("show", submitted.out.strip(), "-c", county)
    assert shown.code == 0
    assert "提交到东湖县政协。" in shown.out


def test_a_welcome_may_go_through_a_pipe(zhitong: Zhitong, tmp_path: Path) -> None:
    city, county = tmp_path / "city", tmp_path / "county"
    zhitong("init", city, *CITY, "--top")
    zhitong("migrate", city)
    zhitong("init", county, *COUNTY)
    request = (county / "request.json").read_text()

    welcome = zhitong(
        "certify", "-", "-o", "-", "-c", city, "--broker", "amqps://donghu@city/", stdin=request
    )
    assert json.loads(welcome.out)["broker"] == "amqps://donghu@city/"
    assert zhitong("init", county, "--welcome", "-", stdin=welcome.out).code == 0


def test_a_hub_asks_for_an_issuing_certificate_as_well(zhitong: Zhitong, tmp_path: Path) -> None:
    zhitong("init", tmp_path / "leaf", *COUNTY)
    zhitong("init", tmp_path / "hub", *CITY, "--hub")
    issuing = [
        json.loads((tmp_path / f / "request.json").read_text())["issuing"] for f in ("leaf", "hub")
    ]
    assert issuing[0] is None
    assert issuing[1].startswith("-----BEGIN CERTIFICATE REQUEST-----")


def test_the_database_and_the_broker_are_written_into_the_configuration(
    zhitong: Zhitong, tmp_path: Path
) -> None:
    url = "postgresql+asyncpg://zhitong@db/office"
    outcome = zhitong(
        *("init", tmp_path / "city", *CITY, "--top", "--region-code", "420100"),
        *("--database", url, "--broker", "amqps://b/", "--management", "http://b:15672"),
    )
    assert outcome.code == 0
    settings = config.load(tmp_path / "city")
    assert settings.hub is not None
    assert (settings.hub.broker, settings.hub.management) == ("amqps://b/", "http://b:15672")
    assert (settings.database_url, settings.office.region_code) == (url, "420100")


def test_migrating_twice_is_no_mistake(zhitong: Zhitong, tmp_path: Path) -> None:
    zhitong("init", tmp_path / "city", *CITY, "--top")
    for _ in range(2):
        outcome = zhitong("migrate", tmp_path / "city")
        assert (outcome.code, outcome.err) == (0, "")


def test_the_configuration_may_be_named_by_the_environment(
    zhitong: Zhitong, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zhitong("init", tmp_path / "city", *CITY, "--top")
    zhitong("migrate", tmp_path / "city")
    monkeypatch.setenv("ZHITONG_CONFIG", str(tmp_path / "city"))
    words = ("add", "zhou", "--name", "周", "--role", "editor", "--password-stdin")
    assert zhitong("user", *words, stdin=PASSWORD).code == 0
