"""Restoring a node from a backup, as a new incarnation of it.

 1. The folder is empty or absent, and so is the database that the configuration names.
 2. Configuration, keys and certificates are unsealed into the folder, attachments put there.
 3. The tables are made, and in one transaction filled. The search index is made anew, little by
    little, once the node runs.
 4. In the same transaction the new incarnation begins: higher than the one before, and, since it is
    the time in milliseconds, than any other that was restored earlier. Nobody stays logged in.
 5. An epoch is declared, signed with the node's key: what the audit chain goes on from.
 6. Every neighbour is to be asked what it holds since the backup; or since the one before, where
    the backup was made before all had answered about that one.

Killed before the end of step 4, it leaves an empty database; begin again with an empty folder.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, select, update

from node import config
from node.bootstrap import keyring
from node.bootstrap.archive import Backup, Progress
from node.config import Settings
from node.errors import BackupError
from node.search import index
from node.storage import dump, migrate
from node.storage.audit import AuditSeal
from node.storage.database import Database, Session
from node.storage.offices import Link, Office
from node.storage.people import LoginSession
from node.storage.recovery import Epoch, Recovery
from node.workflow import audit, directory, recovery
from node.workflow.desk import CLI
from protocol import envelope
from protocol.identifiers import NodeId
from protocol.keys import Signer

MILLISECONDS = 1_000


async def restore(
    backup: Backup, folder: Path, *, passphrase: str, now: datetime, progress: Progress
) -> Settings:
    """Restore the node into the folder. Raises `BackupError`, `PassphraseError`."""
    # 1. and 2.
    _unseal(backup, folder, passphrase)
    settings = config.load(folder)
    _shelve(backup, settings)
    database = Database(settings.database_url)
    try:
        await migrate.upgrade(database)
        async with database.writing.begin() as session:
            # 1.
            if not await dump.is_empty(session):
                raise BackupError("the database that the configuration names is not empty")
            # 3.
            for table in dump.TABLES:
                rows = await dump.load(session, table, backup.rows(table))
                progress(table.name, rows)
            await index.mark_all(session)
            signer = keyring.of(settings).signer()
            await begin_epoch(session, settings.office.id, signer, backup_at=backup.at, now=now)
    finally:
        await database.close()
    return settings


def _unseal(backup: Backup, folder: Path, passphrase: str) -> None:
    # 1.
    if folder.exists() and any(folder.iterdir()):
        raise BackupError(f"{folder} is not empty: restore into a new folder")
    # 2.
    for name, content in backup.secrets(passphrase).items():
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise BackupError(f"the backup wants to write {name} outside the folder")
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_bytes(content)


def _shelve(backup: Backup, settings: Settings) -> None:
    # 2.
    folder = settings.path(settings.files.folder)
    for digest, content in backup.files():
        path = folder / digest[:2] / digest
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(content)


async def begin_epoch(
    session: Session, node: NodeId, signer: Signer, *, backup_at: datetime, now: datetime
) -> None:
    """Make the node whose rows these are a new incarnation of itself, which has yet to recover."""
    # 4.
    before = await directory.own_incarnation(session, node)
    incarnation = max(before + 1, int(now.timestamp() * MILLISECONDS))
    await session.execute(
        update(Office).where(Office.id == node).values(incarnation=incarnation, superseded_by=None)
    )
    await session.execute(delete(LoginSession))
    # 5.
    last = await session.scalar(select(AuditSeal).order_by(AuditSeal.seal.desc()).limit(1))
    declaration = {
        "office": node,
        "incarnation": incarnation,
        "backup_at": backup_at.isoformat(),
        "audit": None if last is None else {"seal": last.seal, "hash": last.hash},
    }
    token = envelope.seal(
        json.dumps(declaration).encode(), signer, signed_at=now, incarnation=incarnation
    )
    since = min(backup_at, await recovery.unanswered_since(session) or backup_at)
    session.add(Epoch(incarnation=incarnation, began_at=now, backup_at=since, token=token))
    audit.note(
        session,
        now,
        actor="system",
        action="restored",
        came_from=CLI,
        incarnation=incarnation,
        backup_at=backup_at.isoformat(),
        declaration=token.decode(),
    )
    # 6.
    await session.execute(delete(Recovery))
    # One that is barred would never be heard.
    neighbours = await session.scalars(
        select(Office.id)
        .join(Link, Link.peer == Office.id)
        .where(Office.relation.in_(("parent", "child")), Link.barred.is_(None))
    )
    for peer in neighbours:
        session.add(Recovery(peer=peer))
