"""The broker's accounts, on a real broker: what an office below may do there, and what not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aio_pika
import httpx
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aiormq.exceptions import (
    AMQPConnectionError,
    ChannelAccessRefused,
    ChannelPreconditionFailed,
    InvalidFrameError,
)

from node.relay.topology import Hub
from protocol.identifiers import NodeId
from tests.deploy.operator import rabbitmqctl, run_hub, run_script
from tests.servers.rabbitmq import RabbitMQ

HUB = NodeId("yunzhou")
CHILDREN = CHILD, SIBLING, LEAVING = [NodeId(name) for name in ("donghu", "xishan", "nanhe")]
PASSWORD = "0123456789abcdef0123456789abcdef"
OTHER_PASSWORD = "fedcba9876543210fedcba9876543210"
NAMES = Hub(HUB)


@dataclass(frozen=True)
class Place:
    """A broker with a hub and two children, set up by the scripts."""

    server: RabbitMQ
    ctl: Path
    virtual_host: str

    def url(self, account: str, password: str = PASSWORD) -> str:
        """The address that an office is given."""
        return f"amqp://{account}:{password}@127.0.0.1:{self.server.port}/{self.virtual_host}"

    @property
    def management(self) -> str:
        """The management API, as the hub's node is given it."""
        return f"http://{HUB}.management:{PASSWORD}@127.0.0.1:{self.server.management_port}"

    def ask(self, *arguments: str) -> list[dict[str, object]]:
        """What `rabbitmqctl` lists."""
        listed = self.server.ctl("--formatter", "json", *arguments)
        found: list[dict[str, object]] = json.loads(listed)
        return found

    @asynccontextmanager
    async def channel(
        self, account: str, password: str = PASSWORD
    ) -> AsyncIterator[AbstractChannel]:
        """A channel as the node has it, for one try."""
        connection = await aio_pika.connect(self.url(account, password), timeout=10)
        try:
            yield await connection.channel(on_return_raises=True)
        finally:
            await connection.close()


@pytest.fixture(scope="module")
def place(rabbitmq: RabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The scripts have run, then the hub's node, so that its exchanges and queues exist."""
    ctl = rabbitmqctl(rabbitmq, tmp_path_factory.mktemp("operator"))
    made = Place(rabbitmq, ctl, "accounts")
    asyncio.run(rabbitmq.create_vhost(made.virtual_host))
    accounts: list[str] = []
    try:
        for name, script in {
            HUB: ["add-hub.sh", HUB, made.virtual_host],
            f"{HUB}.management": ["add-management.sh", HUB],
            **{child: ["add-child.sh", HUB, child, made.virtual_host] for child in CHILDREN},
        }.items():
            done = run_script(*script, ctl=ctl, password=PASSWORD)
            assert (done.returncode, done.stderr) == (0, "")
            accounts.append(name)
        # This broker has no TLS: here a password opens what a certificate does elsewhere.
        rabbitmq.ctl("eval", _give_password([HUB, *CHILDREN]))
        asyncio.run(run_hub(HUB, CHILDREN, made.url(HUB), made.management))
        yield made
    finally:
        for account in {*accounts} - {LEAVING}:
            rabbitmq.ctl("delete_user", account)
        asyncio.run(rabbitmq.delete_vhost(made.virtual_host))


def _give_password(accounts: list[NodeId]) -> str:
    names = ", ".join(f'<<"{account}">>' for account in accounts)
    change = f'rabbit_auth_backend_internal:change_password(A, <<"{PASSWORD}">>, <<"tests">>)'
    return f"[{change} || A <- [{names}]]."


async def _publish(
    channel: AbstractChannel, exchange: str, key: str, user_id: str | None = None
) -> None:
    target = await channel.get_exchange(exchange, ensure=False)
    message = aio_pika.Message(b"token", user_id=user_id)
    await target.publish(message, routing_key=key, mandatory=True, timeout=10)


async def _consume(channel: AbstractChannel, name: str) -> aio_pika.abc.AbstractQueue:
    queue = await channel.get_queue(name, ensure=False)

    async def leave(_: AbstractIncomingMessage) -> None: ...

    await queue.consume(leave, timeout=10)
    return queue


async def test_the_hubs_own_account_declares_everything_and_sets_the_policies(place: Place) -> None:
    queues = {row["name"] for row in place.ask("list_queues", "-p", place.virtual_host, "name")}
    policies = {row["name"] for row in place.ask("list_policies", "-p", place.virtual_host)}
    assert queues == {name for queue in NAMES.queues(CHILDREN) for name in (queue.name, queue.dead)}
    assert policies == {queue.name for queue in NAMES.queues(CHILDREN)}


async def test_the_managing_account_sends_and_reads_nothing(place: Place) -> None:
    with pytest.raises(InvalidFrameError, match=r"Connection\.Close"):
        await aio_pika.connect(place.url(f"{HUB}.management"), timeout=10)


async def test_the_hubs_own_account_manages_nothing(place: Place) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{place.server.management_url}/api/users", auth=(HUB, PASSWORD))
    assert answer.status_code == httpx.codes.UNAUTHORIZED


async def test_a_child_publishes_to_its_hub_under_its_own_name(place: Place) -> None:
    async with place.channel(CHILD) as channel:
        await _publish(channel, NAMES.up.exchange, NAMES.up.key, user_id=CHILD)
    async with place.channel(HUB) as channel:
        queue = await channel.get_queue(NAMES.up.name, ensure=False)
        message = await queue.get(timeout=10)
        await message.ack()
    assert (message.body, message.user_id) == (b"token", CHILD)


async def test_a_child_publishes_pieces_beside_its_messages(place: Place) -> None:
    async with place.channel(CHILD) as channel:
        await _publish(channel, NAMES.up_blobs.exchange, NAMES.up_blobs.key, user_id=CHILD)
    async with place.channel(HUB) as channel:
        queue = await channel.get_queue(NAMES.up_blobs.name, ensure=False)
        message = await queue.get(timeout=10)
        await message.ack()
    assert (message.body, message.user_id) == (b"token", CHILD)


async def test_a_child_consumes_what_the_hub_sends_to_it(place: Place) -> None:
    own = NAMES.down(CHILD)
    async with place.channel(HUB) as channel:
        await _publish(channel, own.exchange, own.key, user_id=HUB)
    async with place.channel(CHILD) as channel:
        queue = await channel.get_queue(own.name, ensure=False)
        message = await queue.get(timeout=10)
        await message.ack()
        await _consume(channel, own.name)
        await _consume(channel, own.dead)
        await _consume(channel, NAMES.down_blobs(CHILD).name)
    assert (message.body, message.user_id) == (b"token", HUB)


REFUSED: dict[str, Callable[[AbstractChannel], Awaitable[object]]] = {
    "read a sibling's queue": lambda c: _consume(c, NAMES.down(SIBLING).name),
    "read a sibling's dead letters": lambda c: _consume(c, NAMES.down(SIBLING).dead),
    "read a sibling's pieces": lambda c: _consume(c, NAMES.down_blobs(SIBLING).name),
    "read pieces that go up": lambda c: _consume(c, NAMES.up_blobs.name),
    "read what goes up": lambda c: _consume(c, NAMES.up.name),
    "read the hub's dead letters": lambda c: _consume(c, NAMES.up.dead),
    "write down": lambda c: _publish(c, NAMES.down(SIBLING).exchange, SIBLING),
    "write down to itself": lambda c: _publish(c, NAMES.down(CHILD).exchange, CHILD),
    "write dead letters": lambda c: _publish(c, NAMES.dead_exchange, NAMES.up.dead),
    "write past the exchanges": lambda c: _publish(c, "", NAMES.down(SIBLING).name),
    "write to a built-in exchange": lambda c: _publish(c, "amq.direct", "in"),
    "declare a queue": lambda c: c.declare_queue("zt.donghu.in", durable=True),
    "declare a queue of its own name": lambda c: c.declare_queue(f"{NAMES.down(CHILD).name}.x"),
    "declare a queue without a name": lambda c: c.declare_queue(exclusive=True),
    "declare an exchange": lambda c: c.declare_exchange("zt.donghu.up", durable=True),
    "delete its own queue": lambda c: c.queue_delete(NAMES.down(CHILD).name),
    "empty a sibling's queue": lambda c: _purge(c, NAMES.down(SIBLING).name),
    "bind its own queue": lambda c: _bind(c, NAMES.down(CHILD).name, NAMES.up.exchange),
}


async def _purge(channel: AbstractChannel, name: str) -> None:
    await (await channel.get_queue(name, ensure=False)).purge(timeout=10)


async def _bind(channel: AbstractChannel, name: str, exchange: str) -> None:
    queue = await channel.get_queue(name, ensure=False)
    await queue.bind(await channel.get_exchange(exchange, ensure=False), "in", timeout=10)


async def test_a_child_can_do_nothing_else(place: Place) -> None:
    allowed = []
    for what, attempt in REFUSED.items():
        try:
            async with place.channel(CHILD) as channel:
                await attempt(channel)
            allowed.append(what)
        except ChannelAccessRefused:
            continue
    assert allowed == []


async def test_a_child_cannot_write_under_another_name(place: Place) -> None:
    async with place.channel(CHILD) as channel:
        with pytest.raises(ChannelPreconditionFailed, match="user_id"):
            await _publish(channel, NAMES.up.exchange, NAMES.up.key, user_id=SIBLING)


async def test_a_child_sees_no_other_virtual_host_and_no_management(place: Place) -> None:
    with pytest.raises(InvalidFrameError, match=r"Connection\.Close"):
        await aio_pika.connect(
            f"amqp://{CHILD}:{PASSWORD}@127.0.0.1:{place.server.port}/", timeout=10
        )
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(
            f"{place.server.management_url}/api/queues", auth=(CHILD, PASSWORD)
        )
    assert answer.status_code == httpx.codes.UNAUTHORIZED


async def test_a_childs_account_made_again_has_no_password_and_taken_away_is_closed(
    place: Place,
) -> None:
    closed = asyncio.Event()
    connection = await aio_pika.connect(place.url(LEAVING), timeout=10)
    connection.close_callbacks.add(lambda *_: closed.set())
    again = run_script("add-child.sh", HUB, LEAVING, place.virtual_host, ctl=place.ctl)
    assert (again.returncode, again.stderr) == (0, "")
    for password in (PASSWORD, ""):
        with pytest.raises(AMQPConnectionError):
            await aio_pika.connect(place.url(LEAVING, password), timeout=10)
    place.server.ctl("delete_user", LEAVING)
    async with asyncio.timeout(10):
        await closed.wait()


@pytest.mark.parametrize(
    ("arguments", "password", "complaint"),
    [
        (["add-child.sh", HUB, "Dong Hu"], PASSWORD, "no node id"),
        (["add-child.sh", HUB, ".*"], PASSWORD, "no node id"),
        (["add-child.sh", HUB, HUB], PASSWORD, "not its own child"),
        (["add-child.sh", HUB], PASSWORD, "usage"),
        (["add-hub.sh"], PASSWORD, "usage"),
        (["add-management.sh", HUB], "short", "at least 16"),
        (["add-management.sh", HUB], "pass@word/with:signs", "at least 16"),
        (["add-management.sh", HUB], "", "at least 16"),
        (["add-management.sh", HUB, "/"], PASSWORD, "usage"),
    ],
)
def test_a_mistake_is_refused_before_the_broker_is_asked(
    arguments: list[str], password: str, complaint: str
) -> None:
    done = run_script(*arguments, ctl=Path("/bin/false"), password=password)
    assert done.returncode == 1
    assert complaint in done.stderr


async def test_an_account_with_other_rights_is_left_alone(place: Place) -> None:
    done = run_script("add-child.sh", "jiangyuan", HUB, place.virtual_host, ctl=place.ctl)
    assert done.returncode == 1
    assert "a virtual host of its own" in done.stderr
    async with place.channel(HUB):
        pass


async def test_the_managing_account_can_be_given_another_password(place: Place) -> None:
    again = run_script("add-management.sh", HUB, ctl=place.ctl, password=OTHER_PASSWORD)
    assert (again.returncode, again.stderr) == (0, "")
    answers = {}
    async with httpx.AsyncClient(trust_env=False) as client:
        for password in (PASSWORD, OTHER_PASSWORD):
            account = (f"{HUB}.management", password)
            users = await client.get(f"{place.server.management_url}/api/users", auth=account)
            answers[password] = users.status_code
    assert answers == {PASSWORD: httpx.codes.UNAUTHORIZED, OTHER_PASSWORD: httpx.codes.OK}
