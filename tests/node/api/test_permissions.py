"""Every operation of the API, tried by every role on an own object and on somebody else's, does
what the table of permissions says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from node.api import permission
from node.bootstrap import application
from node.config import WebSettings
from node.storage.assignments import Assignment, Reply
from node.storage.audit import AuditRow
from node.storage.calls import Call, Callee
from node.storage.drafts import Draft, DraftVersion
from node.storage.files import Attachment, Enclosure
from node.storage.items import ItemAuthor
from node.storage.people import Membership, Person, Unit
from node.storage.refusals import Refusal
from node.workflow import access, refusals
from node.workflow.access import Scope
from node.workflow.drafts import Sketch
from tests.node.api.asked import BODIES, FILES, NOWHERE, QUERIES
from tests.node.browser import problem, visit
from tests.node.rooms import QUICK_HASH, Room

OWN_ONLY = ("draft", "read", "read_people", "copy_person", "read_assignments", "read_calls")
"""Of what is somebody else's, these say that there is none."""


@dataclass(frozen=True)
class Thing:
    """An item and one of its authors."""

    item: UUID
    person: UUID
    assignment: UUID


@dataclass(frozen=True)
class Operation:
    """One way to ask the API."""

    name: str
    permission: str

    def path(self, thing: Thing) -> str:
        """Its address, for this item and person."""
        path = "/api/v1" + self.name.split(" ")[1]
        known = {"{item_id}": str(thing.item), "{person_id}": str(thing.person)}
        known["{call_id}"] = known["{draft_id}"] = str(thing.item)
        known["{assignment_id}"] = str(thing.assignment)
        for part, value in (known | NOWHERE).items():
            path = path.replace(part, value)
        return path


@dataclass(frozen=True)
class Cast:
    """A person of each role, logged in; an item of each, and one of somebody else."""

    clients: dict[str, httpx.AsyncClient]
    own: dict[str, Thing]
    foreign: Thing

    async def ask(self, operation: Operation, role: str, thing: Thing) -> httpx.Response:
        """What the operation answers to this role."""
        method = operation.name.split(" ")[0]
        return await self.clients[role].request(
            method,
            operation.path(thing),
            json=BODIES.get(operation.name),
            content=FILES.get(operation.name),
            params=QUERIES.get(operation.name),
        )


@pytest.fixture
async def cast(leaf: Room) -> AsyncIterator[Cast]:
    """A person of each role."""
    new_id = leaf.desk.new_id
    own = {role: Thing(await leaf.submit(), new_id(), new_id()) for role in access.ROLES}
    foreign = Thing(await leaf.submit(), leaf.lin.id, new_id())
    async with leaf.database.writing.begin() as session:
        for role, thing in own.items():
            person = Person(
                id=thing.person,
                username=f"a-{role}",
                name=role,
                roles=[role],
                kind="member",
                unit="东湖县中学",
                password_hash=QUICK_HASH,
                created_at=leaf.clock(),
            )
            session.add(person)
            session.add(ItemAuthor(item_id=thing.item, person_id=person.id))
            session.add(_unit(thing))
            session.add(
                Membership(
                    id=thing.item,
                    person_id=thing.person,
                    unit_id=thing.assignment,
                    main=True,
                    since=date(2026, 1, 1),
                )
            )
        session.add(_unit(foreign))
        for thing in (*own.values(), foreign):
            session.add(_attachment(thing.item))
            session.add(_assignment(thing, leaf.clock()))
            session.add_all(_reply(thing, leaf.clock()))
            session.add_all(_call(thing, leaf.clock()))
            session.add_all(_draft(thing, leaf.clock()))
    async with AsyncExitStack() as stack:
        clients = {role: await stack.enter_async_context(visit(leaf, f"a-{role}")) for role in own}
        yield Cast(clients, own, foreign)


def operations(room: Room) -> Iterator[tuple[str, str | None]]:
    """Every operation of the OpenAPI document, and what it declares."""
    document = application.build(room.desk, WebSettings()).openapi()
    for path, ways in document["paths"].items():
        for method, described in ways.items():
            name = f"{method.upper()} {path.removeprefix('/api/v1')}"
            yield name, described.get(permission.MEMBER)


async def test_every_operation_declares_a_permission_of_the_table(leaf: Room) -> None:
    declared = dict(operations(leaf))
    assert [name for name, action in declared.items() if action is None] == []
    assert set(declared.values()) <= {*access.MAY, access.ANYONE}
    for_anyone = {name for name, action in declared.items() if action == access.ANYONE}
    assert for_anyone == {
        "POST /session",
        "DELETE /session",
        "POST /enrolments",
        "GET /enrolments/{id}",
        "GET /public/form",
        "POST /public",
        "GET /public/receipts/{code}",
    }


def test_a_permission_that_is_not_in_the_table_cannot_be_declared() -> None:
    with pytest.raises(ValueError, match="reed is no permission"):
        permission.needs("reed")


@pytest.mark.usefixtures("quick_passwords")
async def test_every_role_may_do_what_the_table_says_and_nothing_else(
    leaf: Room, cast: Cast
) -> None:
    wrong: list[str] = []
    refused: set[tuple[str, str]] = set()
    for name, action in operations(leaf):
        if action is None or action == access.ANYONE:
            continue
        operation = Operation(name, action)
        for role in access.ROLES:
            scope = access.MAY[action].get(role)
            for whose, thing in (("own", cast.own[role]), ("foreign", cast.foreign)):
                if whose == "foreign" and "{" not in name:
                    continue
                answer = await cast.ask(operation, role, thing)
                code = answer.json().get("code") if answer.status_code >= 400 else None
                if not _agrees(scope, whose, answer.status_code, code):
                    wrong.append(f"{role}, {whose}: {name} answers {answer.status_code} {code}")
                if scope is None:
                    refused.add((f"a-{role}", action))
    assert wrong == []
    async with leaf.database.reading() as session:
        rows = await session.execute(
            select(AuditRow.actor, AuditRow.subject).where(AuditRow.action == "refused")
        )
    noted = [(actor, subject) for actor, subject in rows]
    assert len(noted) == len(set(noted))
    assert refused <= set(noted)
    # Whoever asks for what is somebody else's is told that there is none; the auditor is told.
    hidden = {
        (f"a-{role}", action)
        for action in OWN_ONLY
        for role, scope in access.MAY[action].items()
        if scope is Scope.OWN
    }
    assert set(noted) - refused == hidden


async def test_a_refusal_is_noted_once_a_day_however_often_it_is_tried(county: Room) -> None:
    for _ in range(2):
        async with visit(county, "lin") as lin:
            for _ in range(3):
                problem(await lin.get("/api/v1/links"), 403, "access.forbidden")
            problem(await lin.get("/api/v1/audit"), 403, "access.forbidden")
        county.clock.move(timedelta(hours=24))
    async with county.database.reading() as session:
        rows = (
            await session.scalars(
                select(AuditRow).where(AuditRow.action == "refused").order_by(AuditRow.id)
            )
        ).all()
        days = {row.day for row in await session.scalars(select(Refusal))}
    assert [(row.actor, row.subject) for row in rows] == [
        ("lin", "manage_links"),
        ("lin", "read_audit"),
    ] * 2
    assert {row.came_from for row in rows} == {"127.0.0.1"}
    assert len(days) == 1


def _unit(thing: Thing) -> Unit:
    code = str(thing.assignment)
    return Unit(id=thing.assignment, code=code, name=f"单位 {code}", kind="handling_unit")


def _assignment(thing: Thing, now: datetime) -> Assignment:
    """Of the unit, which has the same id."""
    return Assignment(
        id=thing.assignment,
        item_id=thing.item,
        subject=thing.item,
        unit_id=thing.assignment,
        handler="县住建局",
        lead=True,
        text="请办理。",
        state="given",
        given_at=now,
        given_by="周编辑",
    )


def _reply(thing: Thing, now: datetime) -> tuple[Reply, Enclosure]:
    """To this assignment, with a file that has not come."""
    reply = Reply(
        id=thing.item,
        assignment_id=thing.assignment,
        kind="reply",
        text="已办。",
        by="县住建局",
        at=now,
        decided_at=now,
    )
    file = _attachment(thing.item)
    content = {
        name: getattr(file, name) for name in ("digest", "position", "name", "media_type", "size")
    }
    return reply, Enclosure(owner_id=reply.id, pieces=file.pieces, source="yunzhou", **content)


def _call(thing: Thing, now: datetime) -> tuple[Call, Callee]:
    """For this person, with the id of the item."""
    call = Call(
        id=thing.item,
        kind="circular",
        title="通报",
        body="三季度采用情况。",
        topics=[],
        pass_on=False,
        made_at=now,
        made_by="周编辑",
    )
    return call, Callee(id=thing.item, call_id=thing.item, person_id=thing.person)


def _draft(thing: Thing, now: datetime) -> tuple[Draft, DraftVersion]:
    """Of this person, with the id of the item."""
    content = Sketch(title="草稿").model_dump(mode="json")
    draft = Draft(
        id=thing.item,
        person_id=thing.person,
        version=2,
        content=content,
        created_at=now,
        changed_at=now,
    )
    return draft, DraftVersion(draft_id=draft.id, version=1, content=content, at=now, kept_at=now)


def _attachment(item: UUID) -> Attachment:
    # Its pieces have not come: whoever may have it is told so, everybody else that there is none.
    return Attachment(
        item_id=item,
        edition=1,
        position=0,
        digest=NOWHERE["{digest}"],
        name="说明.txt",
        media_type="text/plain",
        size=1,
        pieces=[NOWHERE["{digest}"]],
    )


async def test_refusals_at_the_same_moment_are_noted_once(county: Room) -> None:
    refused = access.refused(county.lin, "purge")
    await asyncio.gather(*(refusals.note(county.desk, refused) for _ in range(4)))
    async with county.database.reading() as session:
        rows = await session.scalars(select(AuditRow).where(AuditRow.action == "refused"))
    assert len(rows.all()) == 1


def _agrees(scope: Scope | None, whose: str, status: int, code: str | None) -> bool:
    match scope:
        case None:
            return (status, code) == (403, "access.forbidden")
        case Scope.OWN if whose == "foreign":
            return status == 404 or (status, code) == (403, "access.forbidden")
        case Scope.OWN:
            return status not in (401, 403, 404, 422, 500)
        case Scope.ALL:
            return status not in (401, 403, 422, 500)
