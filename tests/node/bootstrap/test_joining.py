"""Coming below another office over HTTPS, on a served office with a certificate of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from node import config
from node.bootstrap import enrolment, joining
from node.bootstrap.server import Serving
from node.config import OfficeSettings
from node.enrolment_errors import (
    EnrolmentAboveError,
    EnrolmentLapsedError,
    EnrolmentRefusedError,
    EnrolmentTakenError,
    EnrolmentTokenError,
    EnrolmentTokenExpiredError,
    EnrolmentTokenUsedError,
    InsecureAddressError,
    ParentUnreachableError,
)
from node.errors import ConfigurationError
from node.relay.enroller import FETCHED_WITHIN
from node.workflow import enrolment as requests
from protocol.enrolment import Token
from protocol.errors import RootError
from protocol.identifiers import digest
from tests.certificates import make_certificate
from tests.node import rooms
from tests.node.rooms import Clock, Room
from tests.offices import Hierarchy

NORTH = OfficeSettings(id="beihu", name="北湖街道", level="street")
Pause = Callable[[], Awaitable[None]]


@dataclass
class Served:
    """The county, served over TLS on loopback, and what a street has been given of it."""

    room: Room
    address: str
    authority: Path | None
    folder: Path

    async def token(self, secret: bytes = bytes(16), **given: int) -> Token:
        room = self.room
        hours = given.get("hours", 72)
        return await requests.make_token(
            room.desk, room.admin, secret=secret, office=None, hours=hours
        )

    def prepare(self, name: str = "beihu") -> Path:
        """The folder of a street."""
        folder = self.folder / name
        enrolment.prepare(folder, NORTH.model_copy(update={"id": name}), {})
        return folder

    async def join(
        self, folder: Path, token: Token, pause: Pause | None = None, url: str | None = None
    ) -> str:
        """What `zhitong enrol` does."""
        return await joining.join(
            url or self.address,
            token,
            enrolment.request_of(folder),
            authorities=self.authority,
            pause=pause or self.never,
        )

    async def never(self) -> None:
        """Nobody has to be waited for."""
        raise AssertionError("it should not have to wait")

    async def approve(self) -> None:
        """The administrator approves, and the relay does its work."""
        room = self.room
        await enrolment.welcome(room.node.settings, room.desk, room.admin, "beihu")


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate for loopback, signed by itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    make_certificate(folder)
    return folder


@pytest.fixture
async def served(lone: Hierarchy, tls: Path, tmp_path: Path) -> AsyncIterator[Served]:
    """The county's pages, without its relay."""
    file = lone.folder / "donghu" / config.FILE_NAME
    names = f'certificate = "{tls / "web.pem"}"\nkey = "{tls / "web.key"}"\n'
    file.write_text(file.read_text().replace("[web]\n", f"[web]\n{names}"))
    clock = Clock()
    node = lone.open("donghu", half="web", clock=clock)
    room = await rooms.enter(node, clock)
    serving = Serving([node])
    addresses = await serving.start()
    try:
        yield Served(room, addresses["donghu"], tls / "web.pem", tmp_path)
    finally:
        await serving.stop()


async def test_an_office_asks_waits_for_people_and_is_welcomed(served: Served) -> None:
    assert served.address.startswith("https://")
    folder, token, waited = served.prepare(), await served.token(), 0

    async def decide() -> None:
        nonlocal waited
        waited += 1
        if waited == 2:
            await served.approve()

    text = await served.join(folder, token, decide)
    assert waited == 2
    enrolment.accept(folder, text, root=token.root)
    settings = config.load(folder)
    assert settings.parent is not None
    assert settings.parent.id == "donghu"


async def test_who_was_interrupted_goes_on_with_the_same_token(served: Served) -> None:
    folder, token = served.prepare(), await served.token()

    async def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await served.join(folder, token, interrupt)
    await served.approve()
    first = await served.join(folder, token)
    assert await served.join(folder, token) == first


async def test_while_it_waits_the_office_above_may_be_away(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, token, waited = served.prepare(), await served.token(), 0
    real = requests.answer

    async def away(*_: object) -> None:
        raise RuntimeError("no answer")

    async def decide() -> None:
        nonlocal waited
        waited += 1
        monkeypatch.setattr(requests, "answer", away if waited == 1 else real)
        if waited == 2:
            await served.approve()

    assert await served.join(folder, token, decide)


async def test_a_wrong_an_expired_and_a_used_token_are_told_apart(served: Served) -> None:
    folder, token = served.prepare(), await served.token(hours=1)
    with pytest.raises(EnrolmentTokenError):
        await served.join(folder, Token(b"x" * 16, token.root))
    served.room.clock.move(timedelta(hours=2))
    with pytest.raises(EnrolmentTokenExpiredError):
        await served.join(folder, token)
    used = await served.token(b"2" * 16)
    await _ask(served, folder, used)
    with pytest.raises(EnrolmentTokenUsedError):
        await served.join(served.prepare("nanhu"), used)


async def test_a_name_that_is_taken_or_the_one_above_is_refused(served: Served) -> None:
    await _ask(served, served.prepare(), await served.token())
    twin = served.folder / "twin"
    enrolment.prepare(twin, NORTH, {})
    second = await served.token(b"2" * 16)
    with pytest.raises(EnrolmentTakenError):
        await served.join(twin, second)
    with pytest.raises(EnrolmentAboveError):
        await served.join(served.prepare("donghu"), second)


async def test_a_refusal_is_told_with_its_reason(served: Served) -> None:
    folder, token, room = served.prepare(), await served.token(), served.room

    async def refuse() -> None:
        await requests.refuse(room.desk, room.admin, "beihu", "请先来电核对。")

    with pytest.raises(EnrolmentRefusedError, match="请先来电核对"):
        await served.join(folder, token, refuse)


async def test_a_welcome_that_nobody_fetched_has_lapsed(served: Served) -> None:
    folder, token, room = served.prepare(), await served.token(), served.room
    id = await _ask(served, folder, token)
    await served.approve()
    async with room.database.writing.begin() as session:
        row = await session.get_one(requests.Enrolment, id)
        row.state, row.welcome = "lapsed", None
    room.clock.move(FETCHED_WITHIN)
    with pytest.raises(EnrolmentLapsedError):
        await served.join(folder, token)


async def test_a_token_that_names_another_root_exposes_who_stands_between(served: Served) -> None:
    folder, token = served.prepare(), await served.token()
    await _ask(served, folder, token)
    await served.approve()
    handed = Token(token.secret, digest(b"the true root"))
    before = sorted(folder.rglob("*"))
    text = await served.join(folder, handed)
    with pytest.raises(RootError):
        enrolment.accept(folder, text, root=handed.root)
    assert sorted(folder.rglob("*")) == before


async def test_a_server_whose_certificate_nobody_vouches_for_is_not_told_the_token(
    served: Served,
) -> None:
    folder, token = served.prepare(), await served.token()
    served.authority = None
    with pytest.raises(ParentUnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
        await served.join(folder, token)
    assert await requests.list_all(served.room.desk, served.room.admin) == []


async def test_an_address_where_nobody_or_somebody_else_answers_is_told(
    served: Served, unused_tcp_port: int
) -> None:
    folder, token = served.prepare(), await served.token()
    with pytest.raises(ParentUnreachableError, match="ConnectError"):
        await served.join(folder, token, url=f"https://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(ParentUnreachableError, match=r"Not Found \[http\.404\]"):
        await served.join(folder, token, url=f"{served.address}/elsewhere")

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"null}")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", unused_tcp_port)
    async with server:
        with pytest.raises(ParentUnreachableError, match="is no office"):
            await served.join(folder, token, url=f"http://127.0.0.1:{unused_tcp_port}")


@pytest.mark.parametrize(
    "url", ["http://jiangyuan.example", "http://192.0.2.1", "ftp://127.0.0.1", "", "https://", "x"]
)
async def test_an_address_without_tls_is_refused_but_on_loopback(served: Served, url: str) -> None:
    folder, token = served.prepare(), await served.token()
    with pytest.raises(InsecureAddressError):
        await served.join(folder, token, url=url or "/")


async def test_a_file_of_authorities_that_cannot_be_read_is_told(served: Served) -> None:
    folder, token = served.prepare(), await served.token()
    for file in (served.folder / "nowhere.pem", folder / config.FILE_NAME):
        served.authority = file
        with pytest.raises(ConfigurationError, match="cannot read the certificates"):
            await served.join(folder, token)


async def _ask(served: Served, folder: Path, token: Token) -> object:
    request = enrolment.request_of(folder)
    return (await requests.ask(served.room.desk, token, request, came_from="test")).id
