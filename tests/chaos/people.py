"""People at work: authors and editors at their browsers, acting at random from a seeded generator.

Each looks at what is there, chooses, acts through the office's API, and enters the act in the
ledger before trying it. They take no care to do only what is possible: offices refuse the rest.
When the office does not answer they try something else a little later, as people do.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx

from tests.chaos.ledger import EDITION, Effect, Ledger
from tests.chaos.stage import Stage
from tests.offices import PASSWORD

PAUSE = 0.3
"""Seconds between two acts of an editor, on average."""

WRITING = 1.0
"""Seconds between two items of one author: so editors keep up."""

ANSWER_SECONDS = 15.0
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

ACTS = {
    "submitted": ("register",) * 8 + ("return", "decline"),
    "registered": ("forward",) * 6 + ("adopt",) * 3 + ("instruct", "return", "decline", "close"),
    "adopted": ("forward",) * 4 + ("instruct",) * 2 + ("implement",) * 2 + ("close",),
}
"""What an editor may do with an item in this state; what stands twice is done twice as often."""

KINDS = {
    "register": "registered",
    "return": "returned",
    "decline": "declined",
    "adopt": "adopted",
    "forward": "forwarded",
    "instruct": "instructed",
    "implement": "implemented",
    "close": "closed",
}
"""The fact that each act leaves behind."""

WORDS = {
    "returned": "reason",
    "declined": "reason",
    "adopted": "issue",
    "instructed": "text",
    "implemented": "text",
    "closed": "note",
}
"""The member of a fact, and of the request for it, that holds the act's own words."""

BESIDES: dict[str, dict[str, str]] = {
    "instruct": {"leader": "何主席", "post": "主席", "on": "2026-11-20"},
    "implement": {"unit": "住房和城乡建设局"},
}


class Person:
    """One account at one office."""

    def __init__(
        self,
        stage: Stage,
        office: str,
        username: str,
        ledger: Ledger,
        chance: random.Random,
        numbers: Iterator[int],
        failed: Counter[str],
    ) -> None:
        self._office = office
        self._username = username
        self._ledger = ledger
        self._chance = chance
        self._numbers = numbers
        self._failed = failed
        self._client = httpx.AsyncClient(
            base_url=f"{stage.nodes[office].address}/api/v1/",
            trust_env=False,
            timeout=ANSWER_SECONDS,
        )

    async def work(self) -> None:
        """Act again and again, until cancelled. An act that is under way is then unknown."""
        act, pause = (self._decide, PAUSE) if self._username == "editor" else (self._write, WRITING)
        async with self._client:
            while True:
                try:
                    await act()
                except httpx.HTTPError:
                    # Looking failed, not acting: there is nothing to account for.
                    await asyncio.sleep(PAUSE)
                await asyncio.sleep(self._chance.expovariate(1 / pause))

    async def _write(self) -> None:
        """Hand in an item, or a new edition of one that was returned."""
        returned = [item for item in await self._items() if self._wants_edition(item)]
        number = next(self._numbers)
        words = f"第{number}件：老旧小区电动自行车充电难"
        draft = {"title": words, "body": "全县有六十七个老旧小区。", "topic": "city"}
        path = "items"
        if returned and self._chance.random() < 0.7:
            path = f"items/{self._chance.choice(returned)['id']}/resubmit"
        await self._act(Effect(self._office, EDITION, words), path, draft)

    def _wants_edition(self, item: dict[str, Any]) -> bool:
        standings = item["standings"].values()
        return not item["closed"] and any(s["state"] == "returned" for s in standings)

    async def _decide(self) -> None:
        """Do something with one of the office's items."""
        state = self._chance.choice(list(ACTS))
        found = [item for item in await self._items(state) if not item["closed"]]
        if not found:
            return
        item = self._chance.choice(found)
        act = self._chance.choice(ACTS[state])
        kind, words = KINDS[act], ""
        content: dict[str, str] = {}
        if kind in WORDS:
            words = f"第{next(self._numbers)}次办理"
            content = {WORDS[kind]: words, **BESIDES.get(act, {})}
        effect = Effect(self._office, kind, words, UUID(item["id"]))
        await self._act(effect, f"items/{item['id']}/{act}", content)

    async def _items(self, state: str | None = None) -> list[dict[str, Any]]:
        parameters = {"limit": "50"} | ({"state": state} if state else {})
        answer = await self._client.get("items", params=parameters)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            credentials = {"username": self._username, "password": PASSWORD}
            (await self._client.post("session", json=credentials)).raise_for_status()
            answer = await self._client.get("items", params=parameters)
        found: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
        return found

    async def _act(self, effect: Effect, path: str, content: dict[str, Any]) -> None:
        self._ledger.attempt(effect)
        try:
            answer = await self._client.post(path, json=content or None)
        except NEVER_SENT:
            self._ledger.refuse(effect)
            raise
        if answer.is_success:
            self._ledger.accept(effect)
        elif answer.is_client_error:
            self._ledger.refuse(effect)
        else:
            # The database may have gone away during the commit itself.
            self._failed[answer.json()["code"]] += 1


@asynccontextmanager
async def at_work(stage: Stage, ledger: Ledger, seed: int) -> AsyncIterator[Counter[str]]:
    """Everyone at work until the end of the block; yields the failures that offices admitted."""
    failed: Counter[str] = Counter()
    numbers = itertools.count(1)
    accounts = [(office, "editor") for office in stage.above]
    accounts += [(office, "lin") for office in stage.counties]
    people = [
        Person(
            stage, office, name, ledger, random.Random(f"{seed} {office} {name}"), numbers, failed
        )
        for office, name in accounts
    ]
    tasks = [asyncio.create_task(person.work()) for person in people]
    try:
        yield failed
        broken = [task for task in tasks if task.done()]
        for task in broken:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
