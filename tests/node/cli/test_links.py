"""`zhitong link` and `zhitong quarantine`: two offices that talk by files, and their operators."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import pytest

from node import config
from node.bootstrap import node as bootstrap
from node.relay import quarantine
from node.relay.errors import PoisonError
from node.relay.transport import Delivery
from node.workflow import decisions, forwarding, people
from node.workflow.desk import Actor, Desk
from tests.node.cli.conftest import Zhitong
from tests.offices import Hierarchy

MANUSCRIPT = "---\ntitle: 标题\ntopic: city\n---\n正文。\n"


@pytest.fixture
def county(two_levels: Hierarchy) -> Path:
    """The folder of the county 东湖."""
    return two_levels.folder / "donghu"


@pytest.fixture
def city(two_levels: Hierarchy) -> Path:
    """The folder of the city 云州."""
    return two_levels.folder / "yunzhou"


def at(folder: Path, work: Callable[[Desk, Actor], Awaitable[None]]) -> None:
    """Do something as the office's editor."""

    async def run() -> None:
        desk = bootstrap.build(config.load(folder), half="web").desk
        async with desk.database.reading() as session:
            editor = people.actor_of(await people.by_username(session, "editor"))
        await work(desk, editor)
        await desk.database.close()

    asyncio.run(run())


def forwarded(zhitong: Zhitong, county: Path) -> str:
    """An item that waits at the county to be sent to the city."""
    item = zhitong("submit", "-", "--as", "lin", "-c", county, stdin=MANUSCRIPT).out.strip()

    async def forward(desk: Desk, editor: Actor) -> None:
        await decisions.register(desk, editor, UUID(item))
        await forwarding.forward_up(desk, editor, UUID(item))

    at(county, forward)
    return item


def held(folder: Path) -> None:
    """A message in the office's quarantine."""

    async def keep(desk: Desk, _: Actor) -> None:
        async with desk.database.writing.begin() as session:
            delivery = Delivery(b"no token", None, "zt.yunzhou.in")
            await quarantine.put(session, desk, delivery, PoisonError(), desk.clock())

    at(folder, keep)


def test_an_item_climbs_and_its_receipt_returns_by_files(
    zhitong: Zhitong, county: Path, city: Path, tmp_path: Path
) -> None:
    item = forwarded(zhitong, county)
    up, down = tmp_path / "up.zip", tmp_path / "down.zip"
    exported = zhitong("link", "export", "yunzhou", up, "-c", county)
    assert (exported.code, exported.err) == (0, "")
    assert exported.out.splitlines() == [
        str(up),
        "已导出消息 1 份、回执 0 份，请送达 yunzhou 后导入。",
    ]
    for words in ("新收 1，等待前件 0，以前收过 0", "新收 0，等待前件 0，以前收过 1"):
        imported = zhitong("link", "import", up, "-c", city)
        assert (imported.code, imported.err) == (0, "")
        assert f"来自 donghu：{words}，回执 0，拒收 0。" in imported.out
    assert "标题" in zhitong("show", item, "-c", city).out
    assert zhitong("link", "export", "donghu", down, "-c", city).code == 0
    assert "回执 2" in zhitong("link", "import", down, "-c", county).out
    nothing = zhitong("link", "export", "yunzhou", tmp_path / "none.zip", "-c", county)
    assert (nothing.code, nothing.out) == (0, "yunzhou 没有未收到的消息。\n")
    shown = zhitong("link", "show", "yunzhou", "-c", county)
    assert "对方已收：1" in shown.out


def test_a_wrong_file_is_one_line(
    zhitong: Zhitong, county: Path, city: Path, tmp_path: Path
) -> None:
    forwarded(zhitong, county)
    up = tmp_path / "up.zip"
    zhitong("link", "export", "yunzhou", up, "-c", county)
    own = zhitong("link", "import", up, "-c", county)
    assert "[file.refused]" in own.mistake
    assert "the file is for yunzhou, and this office is donghu" in own.mistake
    again = zhitong("link", "export", "yunzhou", up, "-c", county)
    assert "exists already: choose another name" in again.mistake
    stranger = zhitong("link", "export", "nowhere", tmp_path / "x.zip", "-c", county)
    assert "[office.unknown]" in stranger.mistake
    missing = zhitong("link", "import", tmp_path / "missing.zip", "-c", city)
    assert "cannot read" in missing.mistake


def test_links_are_listed_shown_paused_resumed_and_probed(
    zhitong: Zhitong, county: Path, tmp_path: Path
) -> None:
    forwarded(zhitong, county)
    listed = zhitong("link", "list", "-c", county)
    assert (listed.code, listed.err) == (0, "")
    for words in ("云州市政协", "上级", "正常"):
        assert words in listed.out
    assert zhitong("link", "pause", "yunzhou", "--reason", "对方检修", "-c", county).code == 0
    shown = zhitong("link", "show", "yunzhou", "-c", county).out
    assert "情况：已暂停" in shown
    assert re.search(r"暂停：operator，.*：对方检修", shown)
    assert "[link.paused]" in zhitong("link", "probe", "yunzhou", "-c", county).mistake
    held_back = zhitong("link", "export", "yunzhou", tmp_path / "up.zip", "-c", county)
    assert "已暂停，只导出回执" in held_back.out
    assert zhitong("link", "resume", "yunzhou", "-c", county).code == 0
    assert zhitong("link", "probe", "yunzhou", "-c", county).code == 0
    shown = zhitong("link", "show", "yunzhou", "-c", county).out
    assert "待发：1" in shown
    assert "对账：发出至 — 一致，收到至 — 一致" in shown
    assert "没有需要对账的日期" in zhitong("link", "reconcile", "yunzhou", "-c", county).out
    waived = zhitong("link", "waive", "yunzhou", "--reason", "对方停电", "-c", county)
    assert "[office.unknown]" in waived.mistake
    assert (
        "[input.invalid]"
        in zhitong("link", "pause", "yunzhou", "--reason", " ", "-c", county).mistake
    )


def test_what_is_in_quarantine_is_listed_shown_replayed_and_discarded(
    zhitong: Zhitong, city: Path, tmp_path: Path
) -> None:
    held(city)
    listed = zhitong("quarantine", "list", "-c", city)
    assert listed.code == 0
    assert "message.poison" in listed.out
    [id] = re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", listed.out)
    raw = tmp_path / "raw"
    shown = zhitong("quarantine", "show", id, "-o", raw, "-c", city).out
    assert "现在核验：envelope.malformed" in shown
    assert "办法：把日志交给维护人员" in shown
    assert (raw.read_bytes(), raw.stat().st_mode & 0o777) == (b"no token", 0o600)
    assert zhitong("quarantine", "replay", id, "-c", city).code == 0
    assert "状态：等待重新收取" in zhitong("quarantine", "show", id, "-c", city).out
    discarded = zhitong("quarantine", "discard", id, "--reason", "来历不明", "-c", city)
    assert discarded.code == 0
    shown = zhitong("quarantine", "show", id, "-c", city).out
    assert "状态：已作废" in shown
    assert "理由：来历不明" in shown
    assert "[quarantine.decided]" in zhitong("quarantine", "replay", id, "-c", city).mistake
    assert "[input.invalid]" in zhitong("quarantine", "show", "x", "-c", city).mistake
    assert "[input.invalid]" in zhitong("quarantine", "list", "--state", "x", "-c", city).mistake
