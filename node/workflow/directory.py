"""The offices that this node knows: itself, its parent, its children."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from node.errors import UnknownOfficeError
from node.storage.database import Database, Session
from node.storage.offices import Link, Office
from protocol.identifiers import NodeId
from protocol.offices import OfficeReference


async def know(
    session: Session, office: OfficeReference, relation: str, region_code: str | None = None
) -> Office:
    """Enter an office, or bring what is known of it up to date; neighbours get a link."""
    row = await session.get(Office, office.id)
    if row is None:
        row = Office(id=office.id, incarnation=1)
        session.add(row)
    row.name, row.level, row.relation = office.name, office.level, relation
    row.region_code = region_code or row.region_code
    if relation in ("parent", "child") and await session.get(Link, office.id) is None:
        session.add(Link(peer=office.id, probes=0))
    return row


async def reference(session: Session, office: NodeId) -> OfficeReference:
    """A neighbour as messages name it."""
    row = await session.get_one(Office, office)
    return OfficeReference.model_validate({"id": row.id, "name": row.name, "level": row.level})


async def children(database: Database) -> Sequence[NodeId]:
    """The offices below, by id."""
    async with database.reading() as session:
        found = await session.scalars(
            select(Office.id).where(Office.relation == "child").order_by(Office.id)
        )
        return [NodeId(id) for id in found]


async def below(database: Database) -> Sequence[Office]:
    """The offices below, by id, with their names."""
    async with database.reading() as session:
        found = await session.scalars(
            select(Office).where(Office.relation == "child").order_by(Office.id)
        )
        return found.all()


async def names(database: Database) -> dict[str, str]:
    """What the offices are called that this node knows, by id."""
    async with database.reading() as session:
        rows = await session.execute(select(Office.id, Office.name))
        return dict(rows.all())


async def own_incarnation(session: Session, node: NodeId) -> int:
    """Which incarnation of itself this node is. Raises `UnknownOfficeError`."""
    row = await session.get(Office, node)
    if row is None:
        raise UnknownOfficeError(f"{node} is not entered in its own database: run zhitong migrate")
    return row.incarnation


async def superseded_by(session: Session, node: NodeId) -> int | None:
    """The later incarnation of this node that goes on in its place, if one does."""
    found: int | None = await session.scalar(select(Office.superseded_by).where(Office.id == node))
    return found
