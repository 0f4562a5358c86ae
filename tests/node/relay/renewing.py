"""Three levels whose certificates are renewed by hand: county 东湖, city 云州, province 江原."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from cryptography import x509
from sqlalchemy import select

from node.bootstrap import keyring
from node.config import CertificateSettings
from node.keys.ring import KeyRing
from node.relay.certifier import Certifier
from node.relay.renewer import Renewer
from node.storage.base import Base
from node.storage.certificates import CertificateRequest, Renewal
from node.storage.messages import Incoming, Outgoing, Quarantined
from node.workflow import certificates, forwarding
from tests.node.chain import Chain
from tests.node.rooms import Room

T = TypeVar("T", bound=Base)

COUNTY, CITY, PROVINCE = "donghu", "yunzhou", "jiangyuan"


@dataclass(frozen=True)
class Renewing:
    """The chain, and for each office what renews its certificates."""

    chain: Chain

    def room(self, office: str) -> Room:
        return self.chain.rooms[office]

    def ring(self, office: str) -> KeyRing:
        return keyring.of(self.room(office).node.settings)

    async def want(self, office: str) -> None:
        """An administrator wants the office's certificates renewed."""
        room = self.room(office)
        await certificates.renew(room.desk, room.admin)

    async def ask(self, office: str) -> None:
        """The office's relay does what it can: it asks above, or puts in place what came."""
        room = self.room(office)
        renewer = Renewer(room.desk, self.ring(office), self.chain.signer(office))
        while await renewer.step():
            pass
        await self.chain.deliver()

    async def certify(self, office: str, settings: CertificateSettings | None = None) -> None:
        """The office's relay does what was asked of it."""
        certifier = Certifier(
            self.room(office).desk, self.ring(office), settings or CertificateSettings()
        )
        while await certifier.step():
            pass
        await self.chain.deliver()

    async def renew(self, office: str, *, above: str | None) -> None:
        """Everything, from the wish to the new key."""
        await self.want(office)
        await self.ask(office)
        if above is not None:
            await self.certify(above)
            await self.ask(office)

    async def send_up(self) -> UUID:
        """One more item that the county forwards to the city; not delivered."""
        room = self.room(COUNTY)
        item = await room.registered()
        await forwarding.forward_up(room.desk, room.editor, item)
        return item

    def leaf(self, office: str) -> x509.Certificate:
        """With which certificate the running office signs."""
        return x509.load_der_x509_certificate(self.chain.signer(office).chain[0])

    async def renewals(self, office: str) -> list[Renewal]:
        return await self._all(office, Renewal)

    async def requests(self, office: str) -> list[CertificateRequest]:
        return await self._all(office, CertificateRequest)

    async def refused(self) -> list[str]:
        """The codes of what was refused, anywhere."""
        found = []
        for office in self.chain.rooms:
            found += [row.code for row in await self._all(office, Quarantined)]
            found += [row.code or "" for row in await self._all(office, Outgoing) if row.code]
        return found

    async def unanswered(self) -> list[str]:
        """Business that is still under way, anywhere."""
        rows = [row for office in self.chain.rooms for row in await self._all(office, Outgoing)]
        return [row.name for row in rows if row.state != "received"]

    async def tokens(self, office: str, source: str) -> list[bytes]:
        """What the office took in from the other one, in the order of its sending."""
        rows = [row for row in await self._all(office, Incoming) if row.source == source]
        return [row.token for row in sorted(rows, key=lambda row: row.id)]

    async def _all(self, office: str, kind: type[T]) -> list[T]:
        async with self.room(office).database.reading() as session:
            return list(await session.scalars(select(kind)))
