"""Contact data of people who left: kept for some years, then erased; authorship stays."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from node.relay.caretaker import Registrar
from node.storage.audit import AuditRow
from node.storage.people import Person
from node.workflow import departures, people, reading
from node.workflow.calendar import day_of
from node.workflow.people import Particulars
from tests.node.rooms import Room, contents

CONTACT = {"phone": "13800000000", "email": "chen@example.cn", "employee_number": "D7"}


async def test_contact_data_are_erased_when_due_and_what_was_written_stays(leaf: Room) -> None:
    item = await leaf.submit(co_authors=[{"username": "chen"}])
    chen = leaf.chen
    given = {"name": chen.name, "roles": tuple(chen.roles), "kind": chen.kind, "unit": chen.unit}
    await people.change(
        leaf.desk, leaf.security, chen.id, 1, Particulars.model_validate(given | CONTACT)
    )
    today = day_of(leaf.clock())
    await departures.leave(leaf.desk, leaf.security, chen.id, 2, on=today, left_for="退休")
    registrar = Registrar(leaf.desk, keep_years=2)
    leaf.clock.move(timedelta(days=2 * 365 - 5))
    before = await contents(leaf.database)
    assert not await registrar.step()
    assert await contents(leaf.database) == before

    leaf.clock.move(timedelta(days=10))
    assert not await registrar.step()

    everything = repr(await contents(leaf.database))
    assert not any(value in everything for value in CONTACT.values())
    async with leaf.database.reading() as session:
        person = await session.get_one(Person, chen.id)
        erased = (
            await session.scalars(select(AuditRow).where(AuditRow.action == "contact_erased"))
        ).all()
    assert (person.name, person.username, person.unit) == ("陈波", "chen", "东湖县农工党支部")
    assert (person.phone, person.email, person.password_hash) == (None, None, None)
    assert [(row.actor, row.subject) for row in erased] == [("system", "chen")]
    view = await reading.view(leaf.desk, leaf.editor, item)
    assert view.edition.authors[1]["name"] == "陈波"
    after = await contents(leaf.database)
    assert not await registrar.step()
    assert await contents(leaf.database) == after


async def test_of_whoever_is_here_nothing_is_erased(leaf: Room) -> None:
    leaf.clock.move(timedelta(days=20 * 365))
    before = await contents(leaf.database)
    assert not await departures.erase_due(leaf.desk, 0)
    assert await contents(leaf.database) == before
