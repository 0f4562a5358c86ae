"""Writing the audit log, in the transaction of the deed itself. Sealing it is the relay's work."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from node.storage import bulk
from node.storage.audit import AuditRow
from node.storage.database import Session


def note(
    session: Session,
    now: datetime,
    *,
    actor: str,
    action: str,
    subject: UUID | str | None = None,
    **detail: Any,
) -> None:
    """Note who did what. Details name things; they never hold contents."""
    bulk.insert(
        session,
        AuditRow,
        at=now,
        actor=actor,
        action=action,
        subject=None if subject is None else str(subject),
        detail=detail,
    )
