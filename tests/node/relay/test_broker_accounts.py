"""The children's accounts, made and closed by the hub's node on a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import aio_pika
import httpx
import pytest
from aio_pika.exceptions import AMQPError

from node.relay.broker_accounts import BrokerAccounts, new_password
from node.relay.errors import BrokerAccountError, BrokerManagementError
from node.relay.gatekeeper import Gatekeeper
from node.relay.management import path
from node.relay.topology import Hub
from node.workflow import standing
from protocol.identifiers import NodeId
from tests.node.chain import Chain
from tests.servers.rabbitmq import AUTH, RabbitMQ

HUB, CHILD = NodeId("yunzhou"), NodeId("donghu")
PASSWORD = "0123456789abcdef0123456789abcdef"
MANAGEMENT = f"{HUB}.management"


@dataclass(frozen=True)
class Place:
    """A virtual host, the hub's view of its accounts, and an administrator's of everything."""

    server: RabbitMQ
    virtual_host: str
    accounts: BrokerAccounts
    api: httpx.AsyncClient

    async def connect(self, password: str = PASSWORD) -> aio_pika.abc.AbstractConnection:
        """A connection as the child opens it."""
        address = f"{CHILD}:{password}@127.0.0.1:{self.server.port}/{self.virtual_host}"
        return await aio_pika.connect(f"amqp://{address}", timeout=10)

    async def held(self) -> dict[str, object]:
        """What the broker knows of the child's account."""
        found = {}
        for what in (path("users", CHILD, "permissions"), path("user-limits", CHILD)):
            answer = await self.api.get(what)
            found[what.rsplit("/")[-1]] = answer.json() if answer.is_success else None
        return found


@pytest.fixture
async def place(rabbitmq: RabbitMQ, broker: str) -> AsyncIterator[Place]:
    """A management account as the runbook has it: an administrator without permissions."""
    virtual_host = urlsplit(broker).path.removeprefix("/")
    async with httpx.AsyncClient(
        base_url=rabbitmq.management_url, auth=AUTH, trust_env=False
    ) as api:
        account = {"password": PASSWORD, "tags": "administrator"}
        (await api.put(path("users", MANAGEMENT), json=account)).raise_for_status()
        address = f"http://{MANAGEMENT}:{PASSWORD}@127.0.0.1:{rabbitmq.management_port}"
        yield Place(rabbitmq, virtual_host, BrokerAccounts(address, virtual_host, Hub(HUB)), api)
        for name in (MANAGEMENT, CHILD):
            await api.delete(path("users", name))


def _open(virtual_host: str) -> dict[str, object]:
    limits = {"max-connections": 8, "max-channels": 32}
    permissions = {
        "user": CHILD,
        "vhost": virtual_host,
        "configure": "^$",
        "write": "^zt[.]yunzhou[.]up$",
        "read": "^zt[.]yunzhou[.]to[.]donghu([.](blob|dead))?$",
    }
    return {"permissions": [permissions], CHILD: [{"user": CHILD, "value": limits}]}


async def test_a_new_account_has_the_rights_and_limits_of_a_child_and_no_others(
    place: Place,
) -> None:
    await place.accounts.create(CHILD, PASSWORD)
    assert await place.held() == _open(place.virtual_host)
    async with await place.connect():
        pass


async def test_creating_it_again_changes_nothing_and_gives_it_another_password_when_asked(
    place: Place,
) -> None:
    for password in (PASSWORD, PASSWORD, "another" * 5):
        await place.accounts.create(CHILD, password)
    assert await place.held() == _open(place.virtual_host)
    async with await place.connect("another" * 5):
        pass


async def test_what_a_killed_node_left_half_made_is_finished(place: Place) -> None:
    await place.api.put(path("users", CHILD), json={"password": "x" * 16, "tags": ""})
    await place.accounts.create(CHILD, PASSWORD)
    assert await place.held() == _open(place.virtual_host)


async def test_of_a_closed_account_nothing_works_at_once_and_the_password_survives(
    place: Place,
) -> None:
    await place.accounts.create(CHILD, PASSWORD)
    closed = asyncio.Event()
    connection = await place.connect()
    connection.close_callbacks.add(lambda *_: closed.set())
    for _ in range(2):
        await place.accounts.close(CHILD)
    async with asyncio.timeout(10):
        await closed.wait()
    with pytest.raises(AMQPError):
        await place.connect()
    limits = {"max-connections": 0, "max-channels": 32}
    assert await place.held() == {
        "permissions": [],
        CHILD: [{"user": CHILD, "value": limits}],
    }
    for _ in range(2):
        await place.accounts.reopen(CHILD)
    assert await place.held() == _open(place.virtual_host)
    async with await place.connect():
        pass


async def test_a_removed_account_is_gone_with_its_connections(place: Place) -> None:
    await place.accounts.create(CHILD, PASSWORD)
    closed = asyncio.Event()
    connection = await place.connect()
    connection.close_callbacks.add(lambda *_: closed.set())
    for _ in range(2):
        await place.accounts.remove(CHILD)
    async with asyncio.timeout(10):
        await closed.wait()
    assert (await place.api.get(path("users", CHILD))).status_code == httpx.codes.NOT_FOUND
    with pytest.raises(BrokerAccountError, match="has no account donghu"):
        await place.accounts.reopen(CHILD)


async def test_closing_an_account_that_is_absent_makes_none(place: Place) -> None:
    await place.accounts.close(CHILD)
    assert (await place.api.get(path("users", CHILD))).status_code == httpx.codes.NOT_FOUND


@pytest.mark.parametrize("call", ["create", "close", "reopen", "remove"])
@pytest.mark.parametrize("held", ["tags", "other rights here", "rights elsewhere"])
async def test_an_account_that_is_not_only_a_childs_is_left_alone(
    place: Place, call: str, held: str
) -> None:
    tags = "management" if held == "tags" else ""
    await place.api.put(path("users", CHILD), json={"password": "x" * 16, "tags": tags})
    if held != "tags":
        where = place.virtual_host if held == "other rights here" else "/"
        rights = {"configure": "^zt", "write": "", "read": ""}
        await place.api.put(path("permissions", where, CHILD), json=rights)
    before = await place.held(), (await place.api.get(path("users", CHILD))).json()
    arguments = (PASSWORD,) if call == "create" else ()
    with pytest.raises(BrokerAccountError, match="a virtual host of its own"):
        await getattr(place.accounts, call)(CHILD, *arguments)
    assert (await place.held(), (await place.api.get(path("users", CHILD))).json()) == before


async def test_the_hub_itself_is_no_child(place: Place) -> None:
    await place.api.put(path("users", HUB), json={"password": "x" * 16, "tags": ""})
    with pytest.raises(BrokerAccountError):
        await place.accounts.create(HUB, PASSWORD)
    await place.api.delete(path("users", HUB))


async def test_an_account_without_the_right_to_manage_others_is_told_what_it_needs(
    place: Place,
) -> None:
    account = {"password": PASSWORD, "tags": "policymaker"}
    (await place.api.put(path("users", MANAGEMENT), json=account)).raise_for_status()
    with pytest.raises(BrokerManagementError, match="needs the tag administrator"):
        await place.accounts.create(CHILD, PASSWORD)


async def test_a_management_api_that_is_away_is_a_temporary_error_without_the_password(
    place: Place, unused_tcp_port: int
) -> None:
    address = f"http://{MANAGEMENT}:{PASSWORD}@127.0.0.1:{unused_tcp_port}"
    away = BrokerAccounts(address, place.virtual_host, Hub(HUB))
    with pytest.raises(BrokerManagementError, match="does not answer") as error:
        await away.create(CHILD, PASSWORD)
    assert not error.value.permanent
    assert PASSWORD not in str(error.value)


def test_a_password_is_made_of_the_randomness_given_and_fits_into_an_address() -> None:
    assert new_password(bytes) == "A" * 43
    assert new_password(lambda count: b"\xff" * count) == "_" * 42 + "8"


async def test_the_account_of_an_office_that_is_barred_is_closed_until_it_resumes(
    place: Place, pair: Chain
) -> None:
    room = pair.above
    await place.accounts.create(CHILD, PASSWORD)
    gatekeeper = Gatekeeper(room.desk, place.accounts)
    assert not await gatekeeper.step(), "nobody is barred"
    await standing.suspend(room.desk, room.admin, CHILD, "电脑遗失")
    assert await gatekeeper.step()
    assert not await gatekeeper.step()
    with pytest.raises(AMQPError):
        await place.connect()
    await standing.resume(room.desk, room.admin, CHILD)
    assert await gatekeeper.step()
    async with await place.connect():
        pass
    await standing.revoke(room.desk, room.admin, CHILD, "密钥被盗")
    assert await gatekeeper.step()
    with pytest.raises(AMQPError):
        await place.connect()


async def test_a_management_api_that_is_away_is_asked_again(place: Place, pair: Chain) -> None:
    room = pair.above
    await place.accounts.create(CHILD, PASSWORD)
    await standing.suspend(room.desk, room.admin, CHILD, "电脑遗失")
    away = BrokerAccounts("http://127.0.0.1:9", place.virtual_host, Hub(HUB))
    assert not await Gatekeeper(room.desk, away).step()
    assert await Gatekeeper(room.desk, place.accounts).step()
