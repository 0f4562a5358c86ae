"""What goes wrong, and how often: drawn once for each schedule, so that schedules differ widely.

A schedule in which everything always fails reaches little; so each draws which kinds of faults it
has at all, and how often they strike. `Tripwire` makes the statements and commits of a database
fail; `mortal` kills a piece of work at one of its awaits.
"""

from __future__ import annotations

import sqlite3
import types
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from functools import partial
from random import Random
from typing import Any, Literal, TypeVar

import aiosqlite
from sqlalchemy import event
from sqlalchemy.exc import InternalError, OperationalError

from node.storage.database import Database

T = TypeVar("T")
Failure = Literal["away", "bad", "uncommitted", "unanswered"]
FAILURES: tuple[Failure, ...] = ("away", "bad", "uncommitted", "unanswered")
"""The database does not answer; a statement is refused; the commit does not happen; the commit
happens and its answer is lost."""


class KilledError(BaseException):
    """The process was killed here: nothing may catch it."""


@dataclass(frozen=True)
class Odds:
    """How likely each fault is: of a parcel, of a step, or of a round of the schedule."""

    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    delay: float = 0.0
    corrupt: float = 0.0
    unconfirmed: float = 0.0
    held: float = 0.0
    dead: float = 0.0
    kill: float = 0.0
    fail: float = 0.0
    lose_all: float = 0.0
    cut: float = 0.0
    clock: float = 0.0
    restore: float = 0.0

    @staticmethod
    def draws(random: Random, likely: float) -> bool:
        """Whether the fault strikes now."""
        return likely > 0 and random.random() < likely


CALM = Odds()
MOST = Odds(
    drop=0.5,
    duplicate=0.5,
    reorder=0.7,
    delay=0.3,
    corrupt=0.3,
    unconfirmed=0.4,
    held=0.5,
    dead=0.5,
    kill=0.4,
    fail=0.4,
    lose_all=0.06,
    cut=0.06,
    clock=0.5,
    restore=0.035,
)


def draw_odds(random: Random) -> Odds:
    """About half of the faults, each with a likelihood of its own."""
    drawn = {
        field.name: getattr(MOST, field.name) * random.random() if random.random() < 0.5 else 0.0
        for field in fields(Odds)
    }
    return replace(Odds(), **drawn)


class Tripwire:
    """Stands between an office and its database."""

    def __init__(self, database: Database) -> None:
        engine = database.engine.sync_engine
        self.tripped = False
        self.dead = False
        """The process is dead: nothing of it reaches the database any more."""
        self._countdown = 0
        self._failure: Failure | None = None
        self._open: list[Any] = []
        self._commit: Callable[[Any], None] = engine.dialect.do_commit
        event.listen(engine, "connect", self._connected)
        event.listen(engine, "before_cursor_execute", self._statement)
        engine.dialect.do_commit = self._committing  # type: ignore[assignment, method-assign]

    def arm(self, failure: Failure, countdown: int) -> None:
        """Fail at the statement, or at the commit, that many from now."""
        self._failure, self._countdown = failure, countdown

    def disarm(self) -> None:
        """Nothing fails any more."""
        self._failure, self.tripped, self.dead = None, False, False

    async def die(self) -> None:
        """The process is dead: what it had not committed is undone."""
        self.dead = True
        for connection in self._open:
            # Closing alone is not enough: a cursor that somebody still holds keeps the lock.
            with suppress(ValueError):
                await connection.rollback()

    def sever(self) -> None:
        """Close whatever connection the process had open."""
        for connection in self._open:
            connection.stop()
            connection._thread.join()
        self._open.clear()

    def _connected(self, connection: Any, _record: object) -> None:
        # PostgreSQL undoes what a process left when its connection is closed.
        if isinstance(connection.driver_connection, aiosqlite.Connection):
            self._open.append(connection.driver_connection)

    def _due(self, *failures: Failure) -> bool:
        if self.dead:
            raise KilledError
        if self._failure not in failures:
            return False
        self._countdown -= 1
        if self._countdown > 0:
            return False
        self._failure, self.tripped = None, True
        return True

    def _statement(self, *_: object) -> None:
        failure = self._failure
        if self._due("away", "bad"):
            kind = OperationalError if failure == "away" else InternalError
            raise kind("a planned fault", None, sqlite3.Error("a planned fault"))

    def _committing(self, connection: Any) -> None:
        failure = self._failure
        due = self._due("uncommitted", "unanswered")
        if not due or failure == "unanswered":
            self._commit(connection)
        if due:
            raise OperationalError("a planned fault", None, sqlite3.Error("a planned fault"))


@types.coroutine
def mortal(
    work: Coroutine[Any, Any, T], after: int, dies: Callable[[], Coroutine[Any, Any, None]]
) -> Generator[Any, Any, T]:
    """Do the work, and kill it when it has given way `after` times; 0 lets it live.

    The kill strikes when that await is over: what it asked of a database or a wire has happened,
    and the process does not know. `dies` is called first, so that nothing that the work does on
    its way out reaches anybody.
    """
    go_on: Callable[[], Any] = partial(work.send, None)
    while True:
        try:
            waits_for = go_on()
        except StopIteration as end:
            result: T = end.value
            return result
        try:
            go_on = partial(work.send, (yield waits_for))
        except BaseException as error:
            go_on = partial(work.throw, error)
        after -= 1
        if after == 0:
            yield from dies().__await__()
            go_on = partial(work.throw, KilledError())
