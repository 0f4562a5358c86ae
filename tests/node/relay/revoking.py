"""Three levels in which the city and the province suspend and revoke, their lists carried by hand:
the counties 东湖 and 西山, the city 云州, the province 江原.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from node.bootstrap import keyring
from node.relay.enroller import Enroller, Gate
from node.relay.revoker import Revoker
from node.storage.base import Base
from node.storage.messages import Incoming, Outgoing, Quarantined
from node.storage.offices import Link
from node.storage.revocations import RevocationList, RevokedCertificate
from node.workflow import decisions, enrolment, forwarding, outbox, standing
from protocol import revocation_list
from protocol.enrolment import make_request
from protocol.identifiers import NodeId
from protocol.messages.trust import Revocations
from protocol.revocation import KnownList
from tests.node.chain import Chain
from tests.node.rooms import Room

T = TypeVar("T", bound=Base)

COUNTY, SIBLING, CITY, PROVINCE = "donghu", "xishan", "yunzhou", "jiangyuan"
REASON = "密钥可能被盗"
NEW_KEY = ec.derive_private_key(4_000, ec.SECP256R1())


@dataclass(frozen=True)
class Revoking:
    """The chain, and what issues the lists of its offices."""

    chain: Chain

    def room(self, office: str) -> Room:
        return self.chain.rooms[office]

    def revoker(self, office: str) -> Revoker:
        room = self.room(office)
        return Revoker(room.desk, keyring.of(room.node.settings), incarnation=1)

    async def issue(self, *offices: str, without: Sequence[str] = ()) -> None:
        """The relays of these offices, or of all, do what is due, and everything is delivered."""
        for office in offices or tuple(self.chain.rooms):
            revoker = self.revoker(office)
            while await revoker.step():
                pass
        await self.chain.deliver(without=without)

    async def suspend(self, office: str, *, at: str = CITY) -> None:
        room = self.room(at)
        await standing.suspend(room.desk, room.admin, office, REASON)

    async def revoke(self, office: str, *, at: str = CITY, since: datetime | None = None) -> None:
        room = self.room(at)
        await standing.revoke(room.desk, room.admin, office, REASON, since)

    async def enrol(self, office: str, *, at: str = CITY) -> UUID:
        """The office comes with keys that it had not when the chain was made; always the same."""
        room, name = self.room(at), NodeId(office)
        reference = self.room(office).desk.office
        request = make_request(reference, None, NEW_KEY, None).model_dump_json()
        await enrolment.enter(room.desk, room.admin, request)
        id = await enrolment.approve(room.desk, room.admin, name)
        ring = keyring.of(room.node.settings)
        gate = Gate(address=None, accounts=None)
        enroller = Enroller(
            room.desk, ring, gate, declared=lambda _: True, randomness=lambda count: b"0" * count
        )
        assert await enroller.carry_out(id)
        return id

    async def resume(self, office: str, *, at: str = CITY) -> None:
        room = self.room(at)
        await standing.resume(room.desk, room.admin, office)

    async def send_up(self, office: str = COUNTY) -> UUID:
        """One more item that the office forwards; not delivered."""
        room = self.room(office)
        item = await room.registered()
        await forwarding.forward_up(room.desk, room.editor, item)
        return item

    async def forward(self, item: UUID, office: str = CITY) -> None:
        """The office takes the item up and forwards it; not delivered."""
        room = self.room(office)
        await decisions.register(room.desk, room.editor, item)
        await forwarding.forward_up(room.desk, room.editor, item)

    def wait(self, **time: float) -> None:
        self.chain.wait(timedelta(**time))

    async def known(self, office: str, issuer: str = CITY) -> KnownList | None:
        """The list of an issuer that the office keeps."""
        for row in await self.all(office, RevocationList):
            if row.issuer == issuer:
                chains = self.room(office).desk.chains
                return revocation_list.open_list(row.token, chains=chains).known
        return None

    async def token(self, office: str, issuer: str = CITY) -> bytes:
        """The same, as it was signed."""
        [row] = [r for r in await self.all(office, RevocationList) if r.issuer == issuer]
        return row.token

    async def post_list(self, token: bytes, *, at: str, to: str) -> None:
        """The office sends a list, whatever it is, to a neighbour."""
        room = self.room(at)
        async with room.database.writing.begin() as session:
            content = Revocations(list=token.decode())
            outbox.post(session, room.desk, content, to=NodeId(to), now=room.clock())

    async def entered(self, office: str) -> list[RevokedCertificate]:
        return await self.all(office, RevokedCertificate)

    async def refused(self, office: str) -> list[str]:
        """The codes of what the office refused."""
        return [row.code for row in await self.all(office, Quarantined)]

    async def states(self, office: str, name: str = "submission") -> list[str]:
        """Where the office's messages of this type stand."""
        rows = sorted(await self.all(office, Outgoing), key=lambda row: row.id)
        return [row.state for row in rows if row.name == name]

    async def inbox(self, office: str, name: str) -> list[Incoming]:
        rows = [row for row in await self.all(office, Incoming) if row.name == name]
        return sorted(rows, key=lambda row: row.id)

    async def link(self, office: str, peer: str) -> Link:
        async with self.room(office).database.reading() as session:
            return await session.get_one(Link, peer)

    async def all(self, office: str, kind: type[T]) -> list[T]:
        async with self.room(office).database.reading() as session:
            return list(await session.scalars(select(kind)))
