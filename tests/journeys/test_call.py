"""The province calls on forty counties for items; all but one of them answer in time.

All of them run in this process, on one real broker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests import tables, unthreaded
from tests.journeys.at_work import Offices, at_work
from tests.node.rooms import CONTENT
from tests.offices import MakeDatabase, Plan
from tests.servers.rabbitmq import RabbitMQ

COUNTIES = [f"xian-{n:02}" for n in range(1, 41)]
PROVINCE = Plan(
    "jiangyuan",
    "江原省政协",
    "province",
    tuple(Plan(name, f"第{name[-2:]}县政协", "county") for name in COUNTIES),
)
LATE = COUNTIES[-1]
PATIENT: dict[str, Any] = {"patience": 300.0, "receipt_within": 60.0, "first_probe": 60.0}
"""Forty offices in one process answer late, and what is sent again makes them later."""


@pytest.fixture(autouse=True)
def _without_threads() -> Iterator[None]:
    """Each connection of forty databases would have one, which costs more than what it does."""
    with unthreaded.everywhere():
        yield


async def answer(offices: Offices, county: str) -> None:
    """The county's editor reads the call, an author answers it, and the item goes up."""
    lin, editor = await offices.people(county, "lin", "editor")
    [call] = await lin.see("calls", lambda found: len(found) == 1)
    await editor.post(f"calls/{call['id']}/read")
    if county == LATE:
        return
    content = CONTENT | {"title": f"{county}防汛情况", "answers": call["id"]}
    item = (await lin.post("items", **content))["id"]
    await editor.post(f"items/{item}/register")
    await editor.post(f"items/{item}/forward")


@pytest.mark.timeout(600)
async def test_forty_counties_are_called_on_and_the_one_that_does_not_answer_stands_out(
    tmp_path: Path, rabbitmq: RabbitMQ, broker: str, postgresql: MakeDatabase
) -> None:
    async def database(office: str) -> str:
        """PostgreSQL for the province; a county is a leaf, and does with SQLite."""
        if office == PROVINCE.id:
            return await postgresql(office)
        url = f"sqlite+aiosqlite:///{tmp_path / office}.sqlite"
        await tables.furnish(url)
        return url

    async with at_work(
        tmp_path / "offices", rabbitmq, broker, database, PROVINCE, **PATIENT
    ) as offices:
        province = await offices.person("jiangyuan", "editor")
        due = offices.clock() + timedelta(days=3)
        call = (
            await province.post(
                "calls",
                kind="solicitation",
                title="防汛约稿",
                body="请反映今年防汛工作中的问题和建议。",
                due=due.isoformat(),
                all_offices=True,
                pass_on=True,
            )
        )["id"]
        await asyncio.gather(*(answer(offices, county) for county in COUNTIES))
        view = await province.see(
            f"calls/{call}",
            lambda seen: (
                len(seen["answers"]) == 39 and all(r["read_at"] for r in seen["responses"])
            ),
        )
        assert sorted(one["answers"] for one in view["responses"]) == [0, *[1] * 39]
        assert not any(one["overdue"] for one in view["responses"])
        offices.clock.move(timedelta(days=4))
        view = await province.get(f"calls/{call}")
        assert [one["name"] for one in view["responses"] if one["overdue"]] == ["第40县政协"]

        # It answers late, and no longer stands out.
        lin, editor = await offices.people(LATE, "lin", "editor")
        [theirs] = await lin.get("calls")
        item = (await lin.post("items", **CONTENT | {"answers": theirs["id"]}))["id"]
        await editor.post(f"items/{item}/register")
        await editor.post(f"items/{item}/forward")
        await province.see(f"calls/{call}", lambda seen: len(seen["answers"]) == 40)

        # The province has what it wants, and closes the call for everybody.
        await province.post(f"calls/{call}/close", reason="已汇总。")
        await lin.see(f"calls/{theirs['id']}", lambda seen: seen["ended"] == "closed")
        more = CONTENT | {"answers": theirs["id"]}
        await lin.refused("items", 409, "call.ended", **more)
        await offices.journey.settled()
