"""`zhitong office`: suspend, resume, revoke, and what is shown of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.node.cli.conftest import Zhitong
from tests.offices import Hierarchy


@pytest.fixture
def city(two_levels: Hierarchy) -> Path:
    """The folder of the city 云州."""
    return two_levels.folder / "yunzhou"


def test_an_office_is_suspended_resumed_and_revoked(zhitong: Zhitong, city: Path) -> None:
    def office(*words: str) -> str:
        outcome = zhitong("office", *words, "-c", city)
        assert (outcome.code, outcome.err) == (0, "")
        return outcome.out

    assert "东湖县政协（donghu）：正常\n  节点证书 " in office("show", "donghu")
    assert "已暂停 donghu" in office("suspend", "donghu", "--reason", "电脑遗失")
    shown = office("show", "donghu")
    assert "：已暂停" in shown
    assert "理由：电脑遗失" in shown
    assert "证书已暂停" in zhitong("link", "list", "-c", city).out
    assert "证书暂停：" in zhitong("link", "show", "donghu", "-c", city).out
    assert "[office.standing]" in zhitong("link", "probe", "donghu", "-c", city).mistake
    exported = zhitong("link", "export", "donghu", city / "out.zip", "-c", city)
    assert "[office.standing]" in exported.mistake
    assert "已恢复 donghu" in office("resume", "donghu")
    assert "：正常" in office("show", "donghu")
    since = ("--compromised-since", "2026-11-01T08:00")
    assert "已吊销 donghu" in office("revoke", "donghu", "--reason", "密钥被盗", *since)
    assert "：已吊销，" in office("show", "donghu")
    assert "[office.standing]" in zhitong("office", "resume", "donghu", "-c", city).mistake
    assert office("lists") == "", "the relay has yet to sign one"


def test_mistakes_change_nothing(zhitong: Zhitong, city: Path) -> None:
    for words, code in (
        (("donghu", "--reason", "\n"), "input.invalid"),
        (("donghu", "--reason", "被盗", "--compromised-since", "昨天"), "input.invalid"),
        (("donghu", "--reason", "被盗", "--compromised-since", "2199-01-01"), "input.invalid"),
        (("nowhere", "--reason", "被盗"), "office.unknown"),
    ):
        assert f"[{code}]" in zhitong("office", "revoke", *words, "-c", city).mistake
    assert "：正常" in zhitong("office", "show", "donghu", "-c", city).out
