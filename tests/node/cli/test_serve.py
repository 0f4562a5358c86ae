"""`zhitong serve` in a process of its own: it starts, serves, and stops when it is told to."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.node.cli.conftest import Zhitong
from tests.offices import PASSWORD, Hierarchy

SECONDS = 60


@dataclass
class Served:
    """A running `zhitong serve`."""

    process: subprocess.Popen[str]
    addresses: dict[str, str]

    def stop(self, number: signal.Signals) -> tuple[int, list[dict[str, Any]]]:
        """Send the signal; the exit code, and what was logged from then on."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, [json.loads(line) for line in errors.splitlines()]


@contextmanager
def serving(*words: str | Path, expected: Sequence[str]) -> Iterator[Served]:
    """Serve until the block ends; begins when the pages are ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "node", "serve", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            said = json.loads(line)
            if said["event"] == "server.ready":
                break
        else:
            raise AssertionError(f"it ended with code {process.wait()}")
        assert sorted(said["addresses"]) == sorted(expected)
        yield Served(process, said["addresses"])
    finally:
        process.kill()
        process.communicate()


def test_an_office_is_migrated_serves_its_pages_and_stops_on_sigterm(lone: Hierarchy) -> None:
    folder = lone.folder / "donghu"
    with serving(folder, expected=["donghu"]) as served:
        with httpx.Client(base_url=served.addresses["donghu"], trust_env=False) as client:
            assert "东湖县政协" in client.get("/login").text
            credentials = {"username": "lin", "password": PASSWORD}
            assert client.post("/api/v1/session", json=credentials).status_code == 204
            assert client.get("/api/v1/items").json() == {"items": [], "total": 0}
        code, lines = served.stop(signal.SIGTERM)
    assert code == 0
    assert lines[-1]["event"] == "node.stopped"
    # A clean end leaves nothing to be recovered.
    assert [file.name for file in folder.glob("*.sqlite-*")] == ["zhitong.sqlite-wake"]


def test_two_offices_share_one_process_and_stop_on_ctrl_c(two_levels: Hierarchy) -> None:
    folders = [two_levels.folder / office for office in ("donghu", "xishan")]
    with serving(*folders, "--no-migrate", expected=["donghu", "xishan"]) as served:
        for office, name in (("donghu", "东湖县政协"), ("xishan", "西山县政协")):
            page = httpx.get(f"{served.addresses[office]}/login", trust_env=False)
            assert name in page.text
        code, lines = served.stop(signal.SIGINT)
    assert code == 0
    stopped = [line["node"] for line in lines if line["event"] == "node.stopped"]
    assert sorted(stopped) == ["donghu", "xishan"]


def test_pages_alone_need_no_private_key(lone: Hierarchy) -> None:
    folder = lone.folder / "donghu"
    for key in (folder / "keys").glob("*.key"):
        key.unlink()
    words = (folder, "--only", "web", "--no-migrate")
    with serving(*words, expected=["donghu"]) as served:
        page = httpx.get(f"{served.addresses['donghu']}/login", trust_env=False)
        assert page.status_code == 200
        code, _ = served.stop(signal.SIGTERM)
    assert code == 0


def test_the_relay_without_its_private_key_does_not_start(
    zhitong: Zhitong, lone: Hierarchy
) -> None:
    folder = lone.folder / "donghu"
    (folder / "keys" / "node.key").unlink()
    for words in ((), ("--only", "relay")):
        outcome = zhitong("serve", folder, "--no-migrate", *words)
        assert outcome.code == 2
        assert "cannot read the private key" in outcome.err.splitlines()[-1]


def test_a_mistake_in_the_last_configuration_starts_none(
    zhitong: Zhitong, lone: Hierarchy, tmp_path: Path
) -> None:
    outcome = zhitong("serve", lone.folder / "donghu", tmp_path / "nowhere", "--no-migrate")
    assert "cannot read" in outcome.mistake


def test_one_office_is_not_served_twice(zhitong: Zhitong, lone: Hierarchy) -> None:
    folder = lone.folder / "donghu"
    outcome = zhitong("serve", folder, folder / "zhitong.toml", "--no-migrate")
    assert "two configurations name the same office" in outcome.mistake


def test_two_offices_do_not_share_a_database(
    zhitong: Zhitong, two_levels: Hierarchy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # As happens when an address in the environment is meant for one of them.
    monkeypatch.setenv("ZHITONG_DATABASE__URL", f"sqlite+aiosqlite:///{tmp_path}/one.sqlite")
    folders = [two_levels.folder / office for office in ("donghu", "xishan")]
    outcome = zhitong("serve", *folders, "--no-migrate")
    assert "two configurations name one database" in outcome.mistake


def test_a_port_that_is_taken_is_said_in_one_line(
    zhitong: Zhitong, lone: Hierarchy, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("ZHITONG_WEB__PORT", str(port))
        outcome = zhitong("serve", lone.folder / "donghu", "--no-migrate", "--log-level", "error")
    assert f"cannot listen on 127.0.0.1:{port}" in outcome.mistake
