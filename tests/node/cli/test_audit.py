"""`zhitong audit`: the chain is verified, also against what a neighbour has seen of it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from node import config
from node.bootstrap import node as bootstrap
from node.relay.auditor import Auditor
from node.workflow import outbox
from node.workflow.desk import Desk
from protocol.identifiers import NodeId
from tests.factories import make_note
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


def at(folder: Path, work: Callable[[Desk], Awaitable[None]]) -> None:
    """Do something at an office."""

    async def run() -> None:
        desk = bootstrap.build(config.load(folder), half="web").desk
        await work(desk)
        await desk.database.close()

    asyncio.run(run())


async def seal(desk: Desk) -> None:
    """Seal what the office did, as its running relay would."""
    while await Auditor(desk).step():
        pass


async def write_down(desk: Desk) -> None:
    """The city writes to the county, which will send a receipt."""
    async with desk.database.writing.begin() as session:
        outbox.post(session, desk, make_note(), to=NodeId("donghu"), now=desk.clock())


def carry(zhitong: Zhitong, sender: Path, to: Path, file: Path) -> None:
    """Bring everything from one office to the other, as a file."""
    assert zhitong("link", "export", to.name, file, "-c", sender).code == 0
    assert zhitong("link", "import", file, "-c", to).code == 0


def cut(folder: Path, first: int) -> None:
    """Take away this seal and all later ones with their deeds, and what waits."""
    database = sqlite3.connect(folder / "zhitong.sqlite")
    for (trigger,) in database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    ).fetchall():
        database.execute(f"DROP TRIGGER {trigger}")
    database.execute("DELETE FROM audit WHERE seal >= ? OR seal IS NULL", [first])
    database.execute("DELETE FROM audit_seals WHERE seal >= ?", [first])
    database.commit()
    database.close()


def test_deeds_that_were_cut_off_are_found_with_the_neighbours_answer(
    zhitong: Zhitong, county: Path, city: Path, tmp_path: Path
) -> None:
    for number in range(2):
        zhitong("submit", "-", "--as", "lin", "-c", county, stdin=MANUSCRIPT)
        at(county, seal)
        at(city, write_down)
        carry(zhitong, city, county, tmp_path / f"down{number}.zip")
        carry(zhitong, county, city, tmp_path / f"up{number}.zip")

    alone = zhitong("audit", "verify", "-c", county)
    assert (alone.code, "请加 --ask" in alone.out) == (0, True)
    waiting = zhitong("audit", "verify", "--ask", "--wait", "0", "-c", county)
    assert (waiting.code, "yunzhou：" in waiting.out) == (0, True)
    assert "尚未答复" in waiting.out
    carry(zhitong, county, city, tmp_path / "question.zip")
    carry(zhitong, city, county, tmp_path / "answer.zip")
    whole = zhitong("audit", "verify", "-c", county)
    assert whole.code == 0, whole.out
    assert whole.out.splitlines()[-1] == "审计记录完好。"

    read_out = zhitong("audit", "heads", "-c", city).out.split()[-1]
    assert zhitong("audit", "verify", "--head", read_out, "-c", county).code == 0
    proof = zhitong("audit", "heads", "--proof", "donghu", "-c", city).out
    assert proof.count(".") == 2
    at(county, seal)
    cut(county, int(read_out.split(":")[0]))
    found = zhitong("audit", "verify", "-c", county)
    assert found.code == 1
    assert "有问题：yunzhou" in found.out
    assert "最新的记录被删除" in found.out
    told = zhitong("audit", "verify", "--head", read_out, "-c", county)
    assert (told.code, "有问题：电话里念出的封存值" in told.out) == (1, True)
