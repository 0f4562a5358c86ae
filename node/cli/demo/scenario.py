"""The demo's story: eighteen items climb, some are returned or declined, and outcomes come home.

Who decides what follows from the demo's texts: a leader's post names the office that records the
instruction. Everything is done through the offices' API by the people whose work it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from node.cli.demo.cast import BY_ID, OFFICES, Cast, Manuscript
from node.cli.demo.desk import Visitor, until

OFFICE_TIME = ZoneInfo("Asia/Shanghai")
DECLINED_BY_CITY = frozenset({12, 13})
RETURNED_BY_CITY = frozenset({1, 16})
FOR_PROVINCE = frozenset({1, 2, 5, 6, 9, 10, 14, 18})
ADOPTED_BY_PROVINCE = {2: "single", 5: "combined", 6: "single", 10: "single", 14: "single"}
ISSUES = {"county": "《社情民意》", "city": "《社情民意专报》", "province": "《社情民意摘报》"}

Say = Callable[[str, str, str], None]
"""Tell the audience: office id, what happened, colour."""


class Scenario:
    """Plays the story once."""

    def __init__(self, cast: Cast, addresses: dict[str, str], say: Say, pause: float) -> None:
        self._cast = cast
        self._addresses = addresses
        self._say = say
        self._pause = pause
        self._editors: dict[str, Visitor] = {}
        self.ids: dict[int, str] = {}
        self.expected: dict[str, dict[str, str]] = {office.id: {} for office in OFFICES}
        """What each office must end with: the state of each item by its id."""

    async def play(self) -> None:
        """From the first manuscript to the last outcome."""
        async with AsyncExitStack() as stack:
            for office in OFFICES:
                visitor = Visitor(self._addresses[office.id], "editor")
                self._editors[office.id] = await stack.enter_async_context(visitor)
            counties = [o.id for o in OFFICES if o.level == "county"]
            await asyncio.gather(*(self._submit_all(county) for county in counties))
            await asyncio.gather(*(self._county(county) for county in counties))
            await asyncio.gather(*(self._city(o.id) for o in OFFICES if o.level == "city"))
            await self._province("jiangyuan")
            await asyncio.gather(*(self._instruct(office.id) for office in OFFICES))

    async def _submit_all(self, county: str) -> None:
        for manuscript in self._of(county):
            author = manuscript.authors[0]
            async with Visitor(self._addresses[county], author.username) as visitor:
                draft = manuscript.draft.model_dump(mode="json", exclude_none=True)
                self.ids[manuscript.number] = await visitor.submit(draft)
            await self._tell(county, f"{author.name}提交《{_short(manuscript)}》")

    async def _county(self, county: str) -> None:
        for manuscript in self._of(county):
            number = manuscript.number
            await self._act(county, manuscript, "register", "登记")
            if self._cast.reason("declined", number) and number not in DECLINED_BY_CITY:
                await self._decline(county, manuscript)
                continue
            if self._cast.reason("returned", number) and number not in RETURNED_BY_CITY:
                await self._return_and_resubmit(county, manuscript)
                await self._act(county, manuscript, "register", "重新登记")
            await self._adopt(county, manuscript, "single")
            await self._forward(county, manuscript)

    async def _city(self, city: str) -> None:
        for manuscript in self._reaching(city):
            number = manuscript.number
            await self._arrived(city, manuscript)
            await self._act(city, manuscript, "register", "登记")
            if number in DECLINED_BY_CITY:
                await self._decline(city, manuscript)
                continue
            if number in RETURNED_BY_CITY:
                await self._return_to_county(city, manuscript)
                await self._act(city, manuscript, "register", "重新登记")
            await self._adopt(city, manuscript, "single")
            if number in FOR_PROVINCE:
                await self._forward(city, manuscript)

    async def _province(self, province: str) -> None:
        for manuscript in self._cast.manuscripts:
            if manuscript.number not in FOR_PROVINCE:
                continue
            await self._arrived(province, manuscript)
            await self._act(province, manuscript, "register", "登记")
            manner = ADOPTED_BY_PROVINCE.get(manuscript.number)
            if manner is not None:
                await self._adopt(province, manuscript, manner)

    async def _instruct(self, office: str) -> None:
        name = BY_ID[office].name.removesuffix("政协")
        for given in self._cast.reasons["instructions"]:
            if not self._instructs(office, name, given["post"]):
                continue
            manuscript = self.numbered(given["item"])
            today = datetime.now(OFFICE_TIME).date().isoformat()
            instruction = {key: given[key] for key in ("leader", "post", "text")} | {"on": today}
            await self._act(
                office, manuscript, "instruct", f"{given['post']}{given['leader']}批示", instruction
            )
            outcome = self._cast.reason("outcomes", given["item"])
            assert outcome is not None, "every instruction of the demo has an outcome"
            content = {"unit": outcome["unit"], "text": outcome["text"]}
            await self._act(
                office, manuscript, "implement", f"{outcome['unit']}反馈落实", content, "green"
            )
            await self._act(office, manuscript, "close", "办结", {}, "cyan")

    @staticmethod
    def _instructs(office: str, name: str, post: str) -> bool:
        # 澜江市南河区委 is the district's committee, though the post begins with the city's name.
        longest = max(
            (o for o in OFFICES if o.name.removesuffix("政协") in post),
            key=lambda o: post.index(o.name.removesuffix("政协")),
        )
        return longest.id == office and name in post

    async def _return_and_resubmit(self, county: str, manuscript: Manuscript) -> None:
        returned = self._cast.reason("returned", manuscript.number)
        assert returned is not None
        await self._act(
            county, manuscript, "return", "退回修改", {"reason": returned["reason"]}, "yellow"
        )
        await self._resubmit(manuscript, returned["revised_paragraph"])

    async def _return_to_county(self, city: str, manuscript: Manuscript) -> None:
        returned = self._cast.reason("returned", manuscript.number)
        assert returned is not None
        county, item = manuscript.office, self.ids[manuscript.number]
        await self._act(
            city, manuscript, "return", "退回修改", {"reason": returned["reason"]}, "yellow"
        )

        async def heard() -> bool:
            found = await self._editors[county].item(item)
            return found is not None and found["standings"].get(city, {}).get("state") == "returned"

        await until(f"{county} hears that {city} returned item {manuscript.number}", heard)
        await self._resubmit(manuscript, returned["revised_paragraph"])
        await self._forward(county, manuscript)

        async def revised() -> bool:
            found = await self._editors[city].item(item)
            return found is not None and found["edition"] == 2

        await until(f"the revision of item {manuscript.number} reaches {city}", revised)

    async def _resubmit(self, manuscript: Manuscript, paragraph: str) -> None:
        author = manuscript.authors[0]
        draft = manuscript.draft.model_dump(mode="json", exclude_none=True)
        draft["body"] = f"{draft['body']}\n\n{paragraph}"
        async with Visitor(self._addresses[manuscript.office], author.username) as visitor:
            await visitor.act(self.ids[manuscript.number], "resubmit", draft)
        await self._tell(manuscript.office, f"{author.name}修改后重新提交《{_short(manuscript)}》")

    async def _adopt(self, office: str, manuscript: Manuscript, manner: str) -> None:
        words = "综合采用" if manner == "combined" else "采用"
        content = {"manner": manner, "issue": ISSUES[BY_ID[office].level]}
        await self._act(office, manuscript, "adopt", words, content, "green")

    async def _decline(self, office: str, manuscript: Manuscript) -> None:
        declined = self._cast.reason("declined", manuscript.number)
        assert declined is not None
        content = {"reason": declined["reason"]}
        await self._act(office, manuscript, "decline", "不予采用", content, "red")

    async def _forward(self, office: str, manuscript: Manuscript) -> None:
        above = BY_ID[BY_ID[office].parent or ""].name
        await self._act(office, manuscript, "forward", f"上报{above}", colour="blue")

    async def _arrived(self, office: str, manuscript: Manuscript) -> None:
        item = self.ids[manuscript.number]

        async def there() -> bool:
            return await self._editors[office].item(item) is not None

        await until(f"item {manuscript.number} reaches {office}", there)

    async def _act(
        self,
        office: str,
        manuscript: Manuscript,
        action: str,
        words: str,
        content: dict[str, Any] | None = None,
        colour: str = "",
    ) -> None:
        item = self.ids[manuscript.number]
        await self._editors[office].act(item, action, content)
        found = await self._editors[office].item(item)
        assert found is not None
        self.expected[office][item] = found["state"]
        await self._tell(office, f"{words}《{_short(manuscript)}》", colour)

    async def _tell(self, office: str, words: str, colour: str = "") -> None:
        self._say(office, words, colour)
        await asyncio.sleep(self._pause)

    def _of(self, county: str) -> Sequence[Manuscript]:
        return [m for m in self._cast.manuscripts if m.office == county]

    def numbered(self, number: int) -> Manuscript:
        """The manuscript with this number."""
        return next(m for m in self._cast.manuscripts if m.number == number)

    def id_of(self, number: int) -> UUID:
        """The id of the item that came of this manuscript."""
        return UUID(self.ids[number])

    def _reaching(self, city: str) -> Sequence[Manuscript]:
        return [
            m
            for m in self._cast.manuscripts
            if BY_ID[m.office].parent == city
            and (not self._cast.reason("declined", m.number) or m.number in DECLINED_BY_CITY)
        ]


def _short(manuscript: Manuscript) -> str:
    title = manuscript.draft.title
    return title if len(title) <= 22 else f"{title[:21]}…"
