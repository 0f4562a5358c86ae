"""Who is to look again after a commit: each loop names the tables in which its work stands.

A writing session notes the tables that it writes to, and its commit wakes who waits for them: no
use-case thinks of it, so none forgets. Where the loops run in another process (pages of their own,
a command), that one is told: on PostgreSQL by NOTIFY, in the same transaction; on SQLite by a
touch of the file `…-wake` beside the database, which the loops' process looks at.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import event, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import ORMExecuteState
from sqlalchemy.orm import Session as SyncSession

WATCHED = frozenset(
    (
        "audit",
        "certificate_requests",
        "enrolments",
        "epochs",
        "inbox",
        "links",
        "offices",
        "orders",
        "outbox",
        "places",
        "purges",
        "quarantine",
        "recoveries",
        "renewals",
        "returned",
        "revocation_lists",
        "revoked_certificates",
        "search_pending",
        "transfers",
    )
)
"""Tables that some loop waits for."""

SHOWN = frozenset(("events", "notices"))
"""Tables that open pages wait for. Of others than these and those, no other process is told."""

CHANNEL = "zhitong"
LOOK_SECONDS = 1.0
DIAL_SECONDS = 5.0
KEY = "zhitong_written"
TOLD_BY = "zhitong_tells"

Wake = Callable[[], None]


class Watch:
    """Who waits for which tables of one database, in this process or in another."""

    def __init__(self, bell: Path | None) -> None:
        self._bell = bell
        self._waiting: dict[str, list[Wake]] = {}
        self.elsewhere = WATCHED | SHOWN
        """Tables for which another process may wait: a command knows neither loops nor pages."""

    def on(self, table: str, wake: Wake) -> None:
        """Call `wake` whenever something was committed to the table."""
        if table not in WATCHED | SHOWN:
            raise ValueError(f"other processes do not tell of {table}: add it to WATCHED")
        self._waiting.setdefault(table, []).append(wake)

    def tell(self, *tables: str) -> None:
        """Something was committed to these tables."""
        for table in tables:
            for wake in self._waiting.get(table, ()):
                wake()

    def tell_all(self) -> None:
        """Something may have been committed to any of them."""
        self.tell(*self._waiting)

    def ring(self) -> None:
        """Tell the other process, where the database itself cannot."""
        if self._bell is not None:
            # No loops have run here yet; or they run under an account that keeps it to itself.
            with suppress(OSError):
                # The file system's own clock is too coarse to tell two of them apart.
                os.utime(self._bell, ns=(now := time.time_ns(), now))

    async def listen(self, url: str, stopping: asyncio.Event) -> None:
        """Hear what other processes commit, until `stopping` is set."""
        if self._bell is not None:
            await self._look(self._bell, stopping)
        else:
            await self._listen(url, stopping)

    async def _look(self, bell: Path, stopping: asyncio.Event) -> None:
        seen = _rung_at(bell)
        while not await _stops(stopping, LOOK_SECONDS):
            if (now := _rung_at(bell)) != seen:
                seen = now
                self.tell_all()

    async def _listen(self, url: str, stopping: asyncio.Event) -> None:
        import asyncpg  # not for offices on SQLite, nor for commands

        address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        while not stopping.is_set():
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection = await asyncpg.connect(address)
                ended = asyncio.Event()
                connection.add_termination_listener(lambda _, ended=ended: ended.set())
                try:
                    await connection.add_listener(CHANNEL, self._heard)
                    # While nobody listened, something may have been said.
                    self.tell_all()
                    await _first_of(stopping, ended)
                finally:
                    await connection.close(timeout=DIAL_SECONDS)
            await _stops(stopping, DIAL_SECONDS)

    def _heard(self, *said: Any) -> None:
        self.tell(*str(said[3]).split())


class WritingSession(SyncSession):
    """A session that tells, with its commit, which tables it wrote to."""


def note(session: SyncSession, table: str) -> None:
    """The session has written to this table, past SQLAlchemy's sight."""
    session.info.setdefault(KEY, set()).add(table)


@event.listens_for(WritingSession, "after_flush")
def _flushed(session: SyncSession, _context: object) -> None:
    for row in (*session.new, *session.deleted):
        note(session, row.__tablename__)
    for row in session.dirty:
        if session.is_modified(row):
            note(session, row.__tablename__)


@event.listens_for(WritingSession, "do_orm_execute")
def _executed(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        statement: Any = state.statement
        note(state.session, statement.table.name)


@event.listens_for(WritingSession, "before_commit")
def _notify(session: SyncSession) -> None:
    watch: Watch = session.info[TOLD_BY]
    if not watch.elsewhere or session.get_bind().dialect.name != "postgresql":
        return
    # What is flushed by the commit itself belongs to it, too.
    session.flush()
    tables = session.info.get(KEY, set()) & watch.elsewhere
    if tables:
        session.execute(select(func.pg_notify(CHANNEL, " ".join(sorted(tables)))))


# An error may be an answer that was lost, of a commit that happened.
@event.listens_for(WritingSession, "after_rollback")
@event.listens_for(WritingSession, "after_commit")
def _ended(session: SyncSession) -> None:
    watch: Watch = session.info[TOLD_BY]
    tables: set[str] = session.info.pop(KEY, set())
    watch.tell(*sorted(tables))
    if tables & watch.elsewhere:
        watch.ring()


def _rung_at(bell: Path) -> int:
    if not bell.exists():
        bell.touch()
    return bell.stat().st_mtime_ns


async def _stops(stopping: asyncio.Event, seconds: float) -> bool:
    """Whether it is time to stop, within so many seconds."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
    return stopping.is_set()


async def _first_of(*events: asyncio.Event) -> None:
    waiting = [asyncio.create_task(one.wait()) for one in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
