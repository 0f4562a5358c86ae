"""deploy/rabbitmq's settings and example, on a broker that is started with them: TLS included.

The hub's broker takes in whoever the hub itself certified, under that name alone; everybody else of
the same tree is refused before a word of AMQP. A broker that was set up wrongly, and trusts the
root, lets them in; what they then say counts for nothing.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq.exceptions import (
    AMQPConnectionError,
    AuthenticationError,
    ChannelAccessRefused,
    ChannelPreconditionFailed,
)
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from yarl import URL

from node.relay import dialling
from node.relay.routes import AmqpTransport
from node.relay.topology import Hub as Names
from node.relay.transport import Parcel, Properties
from protocol import envelope
from protocol.errors import PathError, ProtocolError, StrangerError
from protocol.identifiers import NodeId
from protocol.keys import P256Signer
from tests import authorities, rings
from tests.authorities import Office, pem
from tests.deploy.operator import DEPLOY, rabbitmqctl, run_hub, run_script
from tests.factories import make_note, make_token
from tests.rings import system_clock
from tests.servers import places
from tests.servers.rabbitmq import RabbitMQ
from tests.waiting import until

pytestmark = pytest.mark.timeout(600)

HUB, CHILD, SIBLING = NodeId("yunzhou"), NodeId("donghu"), NodeId("xishan")
NAMES = Names(HUB)
PASSWORD = "0123456789abcdef0123456789abcdef"
HOST = "127.0.0.1"
SET_BY_THE_TESTS_SERVER = ("listeners.tcp", "listeners.ssl", "management.tcp")
OFFICES = authorities.hierarchy(now=system_clock())
CITY, COUNTY, NEIGHBOUR, PROVINCE = (
    OFFICES[name] for name in ("yunzhou", "donghu", "lanjiang", "jiangyuan")
)


@dataclass(frozen=True)
class Hub:
    """A hub's broker as the runbook sets it up, and a second door of it that was set up wrongly."""

    server: RabbitMQ
    folder: Path
    url: URL
    wrong_url: URL

    @asynccontextmanager
    async def channel(self, office: Office) -> AsyncIterator[AbstractChannel]:
        """A channel as the office's node has it."""
        make = rings.own if office is CITY else rings.above
        folder = self.folder / office.id / str(places.free_port())
        dialled = await dialling.dial(self.url, make(office, folder))
        assert dialled.account == office.id
        try:
            yield await dialled.connection.channel(on_return_raises=True)
        finally:
            await dialled.connection.close()

    async def intrude(
        self, signer: P256Signer | None, url: URL | None = None
    ) -> AbstractConnection:
        """A connection of whoever holds this key and shows this chain."""
        context = ssl.create_default_context(cadata=pem(CITY.root))
        if signer is not None:
            context.load_cert_chain(_written(self.folder / "intruder.pem", signer))
        address = (url or self.url).update_query(auth="external")
        return await aio_pika.connect(address, ssl_context=context, timeout=20)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """The broker, with the accounts of the example and of the scripts, and the hub's queues."""
    folder = tmp_path_factory.mktemp("hub")
    rings.write_server(CITY, [HOST], folder)
    (folder / "root.pem").write_text(pem(CITY.root))
    port, wrong_port = places.free_port(), places.free_port()
    lines = (DEPLOY / "rabbitmq" / "rabbitmq.conf").read_text().splitlines()
    kept = [line for line in lines if not line.startswith(SET_BY_THE_TESTS_SERVER)]
    settings = "\n".join([*kept, f"listeners.ssl.1 = {HOST}:{port}"])
    with RabbitMQ(settings=settings.replace("/etc/rabbitmq/tls", str(folder))) as server:
        server.ctl("import_definitions", str(DEPLOY / "rabbitmq" / "definitions.example.json"))
        ctl = rabbitmqctl(server, folder)
        # They refuse an account with other rights: so the example has what the scripts give.
        for script in (
            ["add-hub.sh", HUB],
            ["add-management.sh", HUB],
            ["add-child.sh", HUB, CHILD],
        ):
            done = run_script(*script, ctl=ctl, password=PASSWORD)
            assert (done.returncode, done.stderr) == (0, "")
        # Whoever is let in by mistake shall find an account.
        for name in (NEIGHBOUR.id, PROVINCE.id):
            asyncio.run(server.create_account(name, configure=".*", write=".*", read=".*"))
        server.ctl("eval", _second_door(folder, wrong_port))
        made = Hub(server, folder, _url(port), _url(wrong_port))
        tls = rings.own(CITY, folder / "hub")
        management = f"http://{HUB}.management:{PASSWORD}@{HOST}:{server.management_port}"
        asyncio.run(run_hub(HUB, [CHILD, SIBLING], str(made.url), management, tls))
        yield made


def _second_door(folder: Path, port: int) -> str:
    """Trusts the root, whatever stands between."""
    files = f'{{certfile, "{folder}/server.pem"}}, {{keyfile, "{folder}/server.key"}}'
    trusted = f'{{cacertfile, "{folder}/root.pem"}}, {{verify, verify_peer}}'
    listener = f'{{"{HOST}", {port}}}'
    return f"rabbit_networking:start_ssl_listener({listener}, [{files}, {trusted}], 2)."


def _url(port: int) -> URL:
    return URL(f"amqps://{HOST}:{port}/")


def _written(file: Path, signer: P256Signer) -> Path:
    chain = "".join(pem(x509.load_der_x509_certificate(der)) for der in signer.chain)
    clear = signer._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(clear + chain.encode())
    return file


def test_the_account_that_rabbitmq_comes_with_is_for_loopback_alone(hub: Hub) -> None:
    said = hub.server.ctl("eval", "application:get_env(rabbit, loopback_users).")
    assert said.strip() == '{ok,[<<"guest">>]}'


async def test_no_password_opens_the_broker(hub: Hub) -> None:
    context = await rings.above(COUNTY, hub.folder / "with-password").context()
    for account, password in (
        (f"{HUB}.management", PASSWORD),
        (HUB, ""),
        (SIBLING, ""),
        (SIBLING, PASSWORD),
    ):
        url = hub.url.with_user(account).with_password(password)
        with pytest.raises(AMQPConnectionError):
            await aio_pika.connect(url, ssl_context=context, timeout=20)


async def test_where_a_broker_knows_passwords_alone_the_one_in_the_address_serves(
    hub: Hub,
) -> None:
    tls = rings.own(CITY, hub.folder / "plain")
    hub.server.ctl("eval", "application:set_env(rabbit, auth_mechanisms, ['PLAIN']).")
    hub.server.ctl("change_password", HUB, PASSWORD)
    try:
        with pytest.raises(AuthenticationError):
            await dialling.dial(hub.url, tls)
        dialled = await dialling.dial(hub.url.with_user(HUB).with_password(PASSWORD), tls)
        await dialled.connection.close()
    finally:
        hub.server.ctl("clear_password", HUB)
        hub.server.ctl("eval", "application:set_env(rabbit, auth_mechanisms, ['EXTERNAL']).")
    assert dialled.account == HUB


async def test_what_a_child_says_under_its_own_name_reaches_its_hub(hub: Hub) -> None:
    async with hub.channel(COUNTY) as channel:
        await _publish(channel, NAMES.up.exchange, NAMES.up.key, b"token", CHILD)
    message = await _next(hub)
    assert (message.body, message.user_id) == (b"token", CHILD)


async def test_a_childs_node_has_the_broker_vouch_for_each_message(hub: Hub) -> None:
    async def nobody() -> list[NodeId]:
        return []

    transport = AmqpTransport(
        CHILD,
        parent=HUB,
        parent_broker=str(hub.url),
        own_broker=None,
        management=None,
        children=nobody,
        prefetch=10,
        parent_tls=rings.above(COUNTY, hub.folder / "node"),
    )
    running = asyncio.create_task(transport.run())
    await until(lambda: transport.reachable(HUB), 60, "the child's node has its hub's broker")
    parcel = Parcel(HUB, b"token", Properties(app_id=CHILD))
    assert await transport.publish([parcel]) == [True]
    transport.stop()
    await running
    message = await _next(hub)
    assert (message.user_id, message.app_id) == (CHILD, CHILD)


async def test_a_child_reads_what_is_its_own(hub: Hub) -> None:
    own = NAMES.down(CHILD)
    async with hub.channel(CITY) as channel:
        await _publish(channel, own.exchange, own.key, b"token", HUB)
    async with hub.channel(COUNTY) as channel:
        message = await (await channel.get_queue(own.name, ensure=False)).get(timeout=20)
        await message.ack()
    assert (message.body, message.user_id) == (b"token", HUB)


async def _publish(
    channel: AbstractChannel, exchange: str, key: str, body: bytes, user_id: str
) -> None:
    target = await channel.get_exchange(exchange, ensure=False)
    message = aio_pika.Message(body, user_id=user_id)
    await target.publish(message, routing_key=key, mandatory=True, timeout=20)


async def _next(hub: Hub) -> aio_pika.abc.AbstractIncomingMessage:
    async with hub.channel(CITY) as channel:
        message = await (await channel.get_queue(NAMES.up.name, ensure=False)).get(timeout=20)
        await message.ack()
    return message


async def _read(channel: AbstractChannel, name: str) -> None:
    await (await channel.get_queue(name, ensure=False)).get(timeout=20, fail=False)


FORBIDDEN: dict[str, tuple[type[Exception], Callable[[AbstractChannel], Awaitable[object]]]] = {
    "read another child's queue": (
        ChannelAccessRefused,
        lambda channel: _read(channel, NAMES.down(SIBLING).name),
    ),
    "read the hub's own queue": (
        ChannelAccessRefused,
        lambda channel: _read(channel, NAMES.up.name),
    ),
    "write as another": (
        ChannelPreconditionFailed,
        lambda channel: _publish(channel, NAMES.up.exchange, NAMES.up.key, b"token", SIBLING),
    ),
    "write as the hub": (
        ChannelPreconditionFailed,
        lambda channel: _publish(channel, NAMES.up.exchange, NAMES.up.key, b"token", HUB),
    ),
    "write down": (
        ChannelAccessRefused,
        lambda channel: _publish(channel, NAMES.down(SIBLING).exchange, SIBLING, b"token", CHILD),
    ),
    "declare a queue": (
        ChannelAccessRefused,
        lambda channel: channel.declare_queue("zt.donghu.in", durable=True),
    ),
    "declare an exchange": (
        ChannelAccessRefused,
        lambda channel: channel.declare_exchange("zt.donghu.up", durable=True),
    ),
}


@pytest.mark.parametrize(("refusal", "attempt"), FORBIDDEN.values(), ids=FORBIDDEN)
async def test_a_child_with_a_certificate_may_no_more_than_its_account(
    hub: Hub,
    refusal: type[Exception],
    attempt: Callable[[AbstractChannel], Awaitable[object]],
) -> None:
    async with hub.channel(COUNTY) as channel:
        with pytest.raises(refusal):
            await attempt(channel)


def _certified(name: str, by: Office) -> P256Signer:
    return authorities.certify(name, by, now=system_clock())


STRANGERS: dict[str, P256Signer | None] = {
    "nobody": None,
    "the hub's own node, as the province certified it": CITY.signer,
    "another city": NEIGHBOUR.signer,
    "another city's county": OFFICES["nanhe"].signer,
    "another city that says it is the province": _certified("jiangyuan", NEIGHBOUR),
    "another city that says it is the hub": _certified("yunzhou", NEIGHBOUR),
    "another city that says it is the hub's county": _certified("donghu", NEIGHBOUR),
    "the province that says it is the hub's county": _certified("donghu", PROVINCE),
    "an office of another tree": authorities.hierarchy(now=system_clock(), seed="x")[
        "donghu"
    ].signer,
}


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
async def test_whom_the_hub_did_not_certify_its_broker_does_not_listen_to(
    hub: Hub, stranger: P256Signer | None
) -> None:
    with pytest.raises(AMQPConnectionError):
        await hub.intrude(stranger)


IMPOSTORS = {
    "a city in the county's name": ("donghu", _certified("donghu", NEIGHBOUR), StrangerError),
    "a city in the province's": ("jiangyuan", _certified("jiangyuan", NEIGHBOUR), PathError),
    "a city in its own name": ("lanjiang", NEIGHBOUR.signer, StrangerError),
}


@pytest.mark.parametrize(("speaks_as", "impostor", "refusal"), IMPOSTORS.values(), ids=IMPOSTORS)
async def test_where_a_broker_trusts_the_root_the_envelope_refuses_them(
    hub: Hub, speaks_as: str, impostor: P256Signer, refusal: type[ProtocolError]
) -> None:
    token = make_token(
        make_note(), OFFICES[speaks_as], CITY, signer=impostor, signed_at=system_clock()
    )
    connection = await hub.intrude(impostor, hub.wrong_url)
    try:
        channel = await connection.channel(on_return_raises=True)
        await _publish(channel, NAMES.up.exchange, NAMES.up.key, token, speaks_as)
    finally:
        await connection.close()
    message = await _next(hub)
    assert (message.body, message.user_id) == (token, speaks_as)
    with pytest.raises(refusal):
        envelope.open_message(
            message.body, chains=CITY.chains, place=CITY.place, now=system_clock()
        )
