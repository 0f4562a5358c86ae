"""What was approved is carried out, on a real broker: once, whole, and whenever it was killed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

import aio_pika
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import delete, select
from yarl import URL

from node.bootstrap import keyring
from node.enrolment_errors import UnknownEnrolmentError
from node.keys import confidential
from node.relay.broker_accounts import BrokerAccounts
from node.relay.enroller import FETCHED_WITHIN, TRIED_AGAIN_AFTER, Enroller, Gate
from node.relay.errors import BrokerManagementError
from node.relay.management import path
from node.relay.topology import Hub
from node.storage.enrolments import Enrolment
from node.storage.offices import Link, Office
from node.workflow import directory, enrolment
from protocol.enrolment import Welcome, make_request, open_welcome, root_of
from protocol.identifiers import NodeId
from protocol.offices import OfficeReference
from tests.node.rooms import Room, contents
from tests.servers.rabbitmq import AUTH, RabbitMQ

CHILD, SECOND = NodeId("beihu"), NodeId("nanhu")
KEY, HUB_KEY = (ec.derive_private_key(3000 + number, ec.SECP256R1()) for number in range(2))


class KilledError(Exception):
    """As if the process ended here."""


@dataclass
class Gatehouse:
    """The county, which takes a street in, and its broker."""

    room: Room
    server: RabbitMQ
    virtual_host: str
    api: httpx.AsyncClient
    declared: set[NodeId] = field(default_factory=lambda: {CHILD, SECOND})

    @property
    def gate(self) -> Gate:
        address = f"amqp://127.0.0.1:{self.server.port}/{self.virtual_host}"
        return Gate(address, self.accounts())

    def accounts(self, management: str | None = None) -> BrokerAccounts:
        hub = Hub(self.room.desk.node)
        return BrokerAccounts(management or self.server.management_url, self.virtual_host, hub)

    def enroller(self, gate: Gate | None = None) -> Enroller:
        """The loop of a node that has just started."""
        numbers = iter(range(1, 100))
        return Enroller(
            self.room.desk,
            keyring.of(self.room.node.settings),
            gate or self.gate,
            declared=lambda child: child in self.declared,
            randomness=lambda count: bytes([next(numbers)]) * count,
        )

    async def approved(self, child: NodeId = CHILD, *, hub: bool = False) -> None:
        """A request that the administrator approved."""
        office = OfficeReference(id=child, name="街道", level="street")
        request = make_request(office, None, KEY, HUB_KEY if hub else None)
        room = self.room
        await enrolment.enter(room.desk, room.admin, request.model_dump_json())
        await enrolment.approve(room.desk, room.admin, child)

    async def row(self, child: NodeId = CHILD) -> Enrolment:
        async with self.room.database.reading() as session:
            query = select(Enrolment).where(Enrolment.office == child)
            return (await session.scalars(query)).one()

    async def welcome(self, child: NodeId = CHILD, *, hub: bool = False) -> Welcome:
        """What the child was answered, checked as it checks it."""
        return open_welcome(
            (await self.row(child)).welcome or "",
            office=child,
            node=KEY.public_key(),
            issuing=HUB_KEY.public_key() if hub else None,
            root=root_of(self.room.desk.chains.roots[0]),
        )

    async def dial(self) -> None:
        """The child dials what its welcome says. Fails where the account is another."""
        address = confidential.read((await self.welcome()).broker or "", KEY)
        async with await aio_pika.connect(address, timeout=10):
            assert URL(address).user == CHILD


@pytest.fixture
async def gatehouse(county: Room, rabbitmq: RabbitMQ, broker: str) -> AsyncIterator[Gatehouse]:
    """The county, on both databases."""
    virtual_host = urlsplit(broker).path.removeprefix("/")
    async with httpx.AsyncClient(
        base_url=rabbitmq.management_url, auth=AUTH, trust_env=False
    ) as api:
        yield Gatehouse(county, rabbitmq, virtual_host, api)
        for name in (CHILD, SECOND):
            await api.delete(path("users", name))
    async with county.database.writing.begin() as session:
        # Offices outlive a test on PostgreSQL.
        await session.execute(delete(Link).where(Link.peer.in_((CHILD, SECOND))))
        await session.execute(delete(Office).where(Office.id.in_((CHILD, SECOND))))


async def test_an_approved_office_is_entered_certified_and_given_an_account(
    gatehouse: Gatehouse,
) -> None:
    await gatehouse.approved(hub=True)
    assert await gatehouse.enroller().step()
    welcome = await gatehouse.welcome(hub=True)
    assert welcome.parent == gatehouse.room.desk.office
    assert welcome.issuing is not None
    assert await directory.children(gatehouse.room.database) == [CHILD]
    address = confidential.read(welcome.broker or "", KEY)
    async with await aio_pika.connect(address, timeout=10):
        pass
    assert (await gatehouse.row()).state == "ready"
    assert not await gatehouse.enroller().step()


async def test_when_the_welcome_is_ready_the_password_is_kept_nowhere(
    gatehouse: Gatehouse,
) -> None:
    await gatehouse.approved()
    await gatehouse.enroller().step()
    address = URL(confidential.read((await gatehouse.welcome()).broker or "", KEY))
    assert len(address.password or "") == 43
    assert (address.password or "") not in str(await contents(gatehouse.room.database))


async def test_over_tls_the_account_and_the_welcome_have_no_password(gatehouse: Gatehouse) -> None:
    over_tls = Gate("amqps://broker.example:5671/", gatehouse.accounts())
    await gatehouse.approved()
    await gatehouse.enroller(over_tls).step()
    assert confidential.read((await gatehouse.welcome()).broker or "", KEY) == over_tls.address
    account = (await gatehouse.api.get(path("users", CHILD))).raise_for_status().json()
    assert account["password_hash"] == ""
    permissions = await gatehouse.api.get(path("users", CHILD, "permissions"))
    assert len(permissions.json()) == 1


@pytest.mark.parametrize("step", ["_with_password", "create", "_enter", "_welcome", "_answer"])
async def test_a_node_that_is_killed_after_any_step_goes_on_from_there(
    gatehouse: Gatehouse, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    await gatehouse.approved()
    where = BrokerAccounts if step == "create" else Enroller
    real: Callable[..., object] = getattr(where, step)

    def once(*given: object) -> object:
        if step == "_welcome":
            real(*given)
            raise KilledError
        return then_die(*given)

    async def then_die(*given: object) -> None:
        await real(*given)  # type: ignore[misc]
        raise KilledError

    monkeypatch.setattr(where, step, once)
    with pytest.raises(KilledError):
        await gatehouse.enroller().step()
    monkeypatch.undo()
    await gatehouse.enroller().step()
    assert (await gatehouse.row()).state == "ready"
    assert await directory.children(gatehouse.room.database) == [CHILD]
    await gatehouse.dial()


async def test_a_command_and_the_running_node_do_not_get_in_each_others_way(
    gatehouse: Gatehouse,
) -> None:
    await gatehouse.approved()
    id = (await gatehouse.row()).id
    await asyncio.gather(*(gatehouse.enroller().carry_out(id) for _ in range(3)))
    await gatehouse.dial()


async def test_a_child_is_welcomed_only_when_its_queues_are_there(gatehouse: Gatehouse) -> None:
    gatehouse.declared.clear()
    await gatehouse.approved()
    enroller = gatehouse.enroller()
    assert not await enroller.step()
    assert (await gatehouse.row()).state == "entered"
    gatehouse.declared.add(CHILD)
    assert await enroller.step()
    await gatehouse.dial()


async def test_a_broker_that_is_away_holds_up_nobody_else_and_is_tried_again(
    gatehouse: Gatehouse, unused_tcp_port: int
) -> None:
    away = Gate("amqp://x/", gatehouse.accounts(f"http://127.0.0.1:{unused_tcp_port}"))
    await gatehouse.approved()
    enroller = gatehouse.enroller(away)
    assert not await enroller.step()
    row = await gatehouse.row()
    assert BrokerManagementError.code in (row.problem or "")
    assert row.state == "approved"
    (view,) = await enrolment.list_all(gatehouse.room.desk, gatehouse.room.admin)
    assert view.problem == row.problem
    await gatehouse.approved(SECOND)
    enroller = gatehouse.enroller()
    await enroller.step()
    assert [(await gatehouse.row(c)).state for c in (CHILD, SECOND)] == ["approved", "ready"]
    gatehouse.room.clock.move(TRIED_AGAIN_AFTER)
    assert await enroller.step()
    assert (await gatehouse.row()).problem is None
    await gatehouse.dial()


async def test_an_account_of_somebody_else_is_left_alone_and_the_request_can_be_refused(
    gatehouse: Gatehouse,
) -> None:
    await gatehouse.api.put(path("users", CHILD), json={"password": "x" * 16, "tags": "management"})
    await gatehouse.approved()
    await gatehouse.enroller().step()
    assert "broker.account" in ((await gatehouse.row()).problem or "")
    room = gatehouse.room
    await enrolment.refuse(room.desk, room.admin, CHILD, "请另取节点名。")
    row = await gatehouse.row()
    assert (row.state, row.password) == ("refused", None)
    assert await directory.children(room.database) == []
    with pytest.raises(UnknownEnrolmentError):
        await enrolment.approve(room.desk, room.admin, CHILD)


@pytest.mark.parametrize("fetched", [True, False])
async def test_a_welcome_can_be_fetched_for_a_while_and_is_then_erased(
    gatehouse: Gatehouse, fetched: bool
) -> None:
    room = gatehouse.room
    await gatehouse.approved()
    enroller = gatehouse.enroller()
    await enroller.step()
    if fetched:
        for _ in range(2):
            assert await enrolment.hand_out(room.desk, room.admin, (await gatehouse.row()).id)
    room.clock.move(FETCHED_WITHIN - timedelta(minutes=1))
    assert not await enroller.step()
    room.clock.move(timedelta(minutes=2))
    assert await enroller.step()
    row = await gatehouse.row()
    assert (row.state, row.welcome) == ("welcomed" if fetched else "lapsed", None)


@pytest.mark.parametrize("address", [None, "amqp://broker/", "amqp://shared:word@broker/"])
async def test_without_the_management_api_the_address_is_handed_on_as_it_is(
    gatehouse: Gatehouse, address: str | None
) -> None:
    await gatehouse.approved()
    await gatehouse.enroller(Gate(address, None)).step()
    closed = (await gatehouse.welcome()).broker
    assert (None if closed is None else confidential.read(closed, KEY)) == address
    assert (await gatehouse.api.get(path("users", CHILD))).status_code == httpx.codes.NOT_FOUND
