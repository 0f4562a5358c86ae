"""People at work in three levels of offices, through the API, on a real RabbitMQ and PostgreSQL.

`at_work` runs the offices of a plan in this process, all of them with one clock that the test may
move. `Offices.person` is somebody of the personae, who logs in at the first request and again when
the session has run out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.journeys import travel
from tests.journeys.travel import Journey
from tests.node.browser import PROBLEM, log_in, visit
from tests.offices import DEPTH_3, MakeDatabase, Plan
from tests.servers.rabbitmq import RabbitMQ
from tests.waiting import until

SECONDS = 90.0


@dataclass
class Shifted:
    """The time of the machine, moved on by what the test added to it."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def move(self, by: timedelta) -> None:
        """Days or hours go by at once, at every office."""
        self.ahead += by


@dataclass
class AtApi:
    """Somebody at the API of an office."""

    client: httpx.AsyncClient
    username: str
    patience: float = SECONDS
    """So many seconds it waits at most for what it is to see."""

    async def post(self, path: str, **content: Any) -> Any:
        """Do something; what is answered."""
        return self._answer(await self.ask("POST", path, content or None))

    async def put(self, path: str, **content: Any) -> Any:
        """Replace something; what is answered."""
        return self._answer(await self.ask("PUT", path, content))

    async def get(self, path: str) -> Any:
        """Read something."""
        return self._answer(await self.ask("GET", path))

    async def refused(self, path: str, status: int, code: str, **content: Any) -> str:
        """Try something in vain; what the person is told."""
        answer = await self.ask("POST", path, content or None)
        assert answer.headers["content-type"] == PROBLEM, answer.text
        document = answer.json()
        assert (answer.status_code, document["code"]) == (status, code), answer.text
        detail: str = document["detail"]
        return detail

    async def see(self, path: str, condition: Callable[[Any], bool]) -> Any:
        """Look again and again until what is there satisfies the condition."""
        found: list[Any] = []

        async def satisfied() -> bool:
            answer = await self.ask("GET", path)
            found[:] = [answer.json()]
            return answer.is_success and bool(condition(found[0]))

        await until(satisfied, self.patience, f"{path} as {self.username} should see it")
        return found[0]

    async def told(self, words: str) -> str:
        """Wait until a notice has these words; the whole of it."""

        def sentences(page: Any) -> list[str]:
            return [notice["sentence"] for notice in page["notices"]]

        page = await self.see("notices", lambda page: any(words in s for s in sentences(page)))
        return next(sentence for sentence in sentences(page) if words in sentence)

    async def ask(
        self, method: str, path: str, content: dict[str, Any] | None = None
    ) -> httpx.Response:
        """The answer, whatever it is, but for one that says that the session has run out."""
        answer = await self.client.request(method, f"/api/v1/{path}", json=content)
        if answer.status_code != httpx.codes.UNAUTHORIZED:
            return answer
        assert (await log_in(self.client, self.username)).is_success
        return await self.client.request(method, f"/api/v1/{path}", json=content)

    def _answer(self, answer: httpx.Response) -> Any:
        assert answer.is_success, f"{self.username}: {answer.url.path}: {answer.text}"
        return answer.json() if answer.content else None


@dataclass
class Offices:
    """Offices at work."""

    journey: Journey
    clock: Shifted
    patience: float
    _stack: AsyncExitStack
    _people: dict[tuple[str, str], AtApi] = field(default_factory=dict)

    async def person(self, office: str, username: str) -> AtApi:
        """Somebody of the personae at this office."""
        key = office, username
        if key not in self._people:
            client = await self._stack.enter_async_context(visit(self.journey.rooms[office]))
            self._people[key] = AtApi(client, username, self.patience)
        return self._people[key]

    async def people(self, office: str, *usernames: str) -> Sequence[AtApi]:
        """Several of them."""
        return [await self.person(office, username) for username in usernames]


@asynccontextmanager
async def at_work(
    folder: Path,
    rabbitmq: RabbitMQ,
    broker: str,
    make_database: MakeDatabase,
    plan: Plan = DEPTH_3,
    patience: float = SECONDS,
    **relay: object,
) -> AsyncIterator[Offices]:
    """All offices of the plan, running, with these settings of the relay."""
    hierarchy = await travel.set_up(
        folder,
        plan,
        broker=broker,
        management=rabbitmq.management_url,
        make_database=make_database,
        **relay,
    )
    clock = Shifted()
    async with (
        travel.opened(hierarchy, *hierarchy.nodes, clock=clock) as journey,
        AsyncExitStack() as stack,
    ):
        yield Offices(journey, clock, patience, stack)
