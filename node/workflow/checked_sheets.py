"""A spreadsheet that was checked, kept until the same person says that it is to be taken in.

`check` tells what would become of the file. Where nothing is wrong with it, it is kept: one for
each person, `KEPT` long, in the database, so that no restart loses it. `take_in` is given the
digest that the page showed, and takes in that file and no other, after a second look at what may
have changed meanwhile.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete

from node.people_errors import SheetGoneError
from node.storage import bulk
from node.storage.sheets import CheckedSheet
from node.workflow import access, imports
from node.workflow.desk import Actor, Desk
from node.workflow.imports import Kind, Outcome
from protocol.identifiers import digest

KEPT = timedelta(hours=1)
LONGEST_NAME = 200


async def check(
    desk: Desk, actor: Actor, kind: Kind, name: str, data: bytes
) -> tuple[Outcome, str | None]:
    """What would become of the file, and its digest where it is kept. Raises `SpreadsheetError`."""
    outcome = await imports.carry_out(desk, actor, kind, name, data, dry_run=True)
    await _drop(desk, actor)
    if outcome.mistakes:
        return outcome, None
    content = digest(data)
    async with desk.database.writing.begin() as session:
        await bulk.upsert(
            session,
            CheckedSheet,
            change=["kind", "name", "digest", "content", "checked_at"],
            person_id=actor.id,
            kind=kind.name,
            name=name[-LONGEST_NAME:],
            digest=content,
            content=data,
            checked_at=desk.clock(),
        )
    return outcome, content


async def take_in(desk: Desk, actor: Actor, kind: Kind, wanted: str) -> tuple[Outcome, str]:
    """Take in the file with this digest; what became of it, and its name. Raises `SheetGoneError`.

    With mistakes that came up since it was checked, nothing is taken in.
    """
    access.demand(actor, kind.permission)
    async with desk.database.reading() as session:
        row = await session.get(CheckedSheet, actor.id)
    if (
        row is None
        or (row.kind, row.digest) != (kind.name, wanted)
        or digest(row.content) != wanted
        or row.checked_at <= desk.clock() - KEPT
    ):
        raise SheetGoneError
    outcome = await imports.carry_out(desk, actor, kind, row.name, row.content, dry_run=True)
    if not outcome.mistakes:
        outcome = await imports.carry_out(desk, actor, kind, row.name, row.content, dry_run=False)
        await _drop(desk, actor)
    return outcome, row.name


async def clear(desk: Desk) -> None:
    """Remove what nobody took in for too long."""
    before = desk.clock() - KEPT
    async with desk.database.writing.begin() as session:
        await session.execute(delete(CheckedSheet).where(CheckedSheet.checked_at <= before))


async def _drop(desk: Desk, actor: Actor) -> None:
    async with desk.database.writing.begin() as session:
        await session.execute(delete(CheckedSheet).where(CheckedSheet.person_id == actor.id))
