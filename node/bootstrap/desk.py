"""An office's desk from its settings: what a use-case needs, without key, broker or loops.

Commands need no more, and load neither the relay nor what speaks to brokers.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from cryptography.hazmat.primitives.serialization import Encoding

from node.config import Settings
from node.keys import file as keys
from node.storage.database import Database
from node.storage.shelf import Shelf
from node.workflow.desk import Desk
from protocol.identifiers import uuid7
from protocol.place import Place
from protocol.trust import Chains, IssuingOffice, issuing_office


def system_clock() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def ids_of(clock: Callable[[], datetime]) -> Callable[[], UUID]:
    """Makes UUIDs of version 7 with the clock's time, and randomness of the operating system."""
    return lambda: uuid7(clock(), os.urandom(10))


def build(settings: Settings, *, clock: Callable[[], datetime] = system_clock) -> Desk:
    """The desk. Raises `ConfigurationError`; opens no connection."""
    chain = keys.read_certificates(settings.path(settings.keys.node_chain))
    roots = keys.read_certificates(settings.path(settings.keys.root))
    chains = Chains(roots)
    own = chains.verify(tuple(c.public_bytes(Encoding.DER) for c in chain), clock())
    return Desk(
        office=settings.office.reference,
        parent=settings.parent.reference if settings.parent else None,
        database=Database(settings.database_url, pool_size=settings.database.pool_size),
        chains=chains,
        place=Place(own.path, _issuing(settings)),
        clock=clock,
        new_id=ids_of(clock),
        limits=settings.limits,
        shelf=Shelf(settings.path(settings.files.folder)),
        stale_list=settings.certificates.stale_list,
        numbers=settings.numbers,
        retention=settings.retention,
    )


def _issuing(settings: Settings) -> IssuingOffice | None:
    path = settings.path(settings.keys.issuing_chain)
    return issuing_office(keys.read_certificates(path)[0]) if path.exists() else None
