"""Files of facts and answers cross a link: announced in the signed message, fetched on demand."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import select

from node.errors import FileArrivingError
from node.storage.events import Event
from node.storage.messages import Incoming
from node.workflow import assignments, cases, decisions, files, handling, purges, reading
from node.workflow.assignments import Order
from node.workflow.attachments import Named
from node.workflow.handling import Answer, Judgement
from protocol.messages.items import PIECE
from tests.files import chunks, digest, pdf
from tests.node.relay import carriage as carriages
from tests.node.relay.carriage import Carriage, Side
from tests.node.relay.ends import Ends

SCAN = pdf(2 * PIECE + 1000)
REPORT = pdf(PIECE + 10, 2)


@pytest.fixture
def carriage(ends: Ends) -> Carriage:
    """The lane of pieces between 东湖 and 云州."""
    return carriages.joined(ends)


async def brought(side: Side, content: bytes, name: str) -> Named:
    room = side.end.room
    stored = await files.store(room.desk, room.editor, name, chunks(content))
    return Named(digest=stored.digest, name=name)


async def instructed(carriage: Carriage) -> UUID:
    """The city recorded a leader's instruction with a scan, and the county was told."""
    item = await carriage.forwarded()
    city = carriage.city.end.room
    await decisions.register(city.desk, city.editor, item)
    scan = await brought(carriage.city, SCAN, "批示.pdf")
    await decisions.instruct(
        city.desk,
        city.editor,
        item,
        leader="周明远",
        post="市长",
        text=None,
        on=date(2026, 11, 20),
        attachments=[scan],
    )
    await carriage.ends.exchange()
    return item


async def test_a_scan_of_the_office_above_comes_down_piece_by_piece_to_the_author(
    carriage: Carriage,
) -> None:
    item = await instructed(carriage)
    county = carriage.county.end.room
    [entry] = [
        one
        for one in (await reading.view(county.desk, county.lin, item)).timeline
        if one.kind == "instructed"
    ]
    [file] = entry.files
    assert (entry.proven, file.name, file.arrived, file.pieces) == (True, "批示.pdf", 0, 3)
    with pytest.raises(FileArrivingError):
        await files.download(county.desk, county.lin, item, digest(SCAN))
    await carriage.carry()
    found = await files.download(county.desk, county.lin, item, digest(SCAN))
    assert found.path.read_bytes() == SCAN


async def test_the_digest_of_a_scan_stands_in_the_signed_fact(carriage: Carriage) -> None:
    item = await instructed(carriage)
    async with carriage.county.end.room.database.reading() as session:
        told = (
            await session.scalars(
                select(Event).where(Event.item_id == item, Event.kind == "instructed")
            )
        ).one()
        token = await session.get_one(Incoming, (told.message_source, told.message_id))
    assert [file["digest"] for file in told.data["attachments"]] == [digest(SCAN)]
    assert token.state == "applied"


async def test_the_documents_of_an_answer_go_up_and_come_down_again_with_what_is_told(
    carriage: Carriage,
) -> None:
    item = await carriage.forwarded()
    county, city = carriage.county.end.room, carriage.city.end.room
    await decisions.register(city.desk, city.editor, item)
    order = Order(office=county.desk.node, text="请研究办理。")
    assignment = await assignments.assign(city.desk, city.editor, item, order)
    await carriage.ends.exchange()
    await handling.sign_for(county.desk, county.editor, assignment)
    report = await brought(carriage.county, REPORT, "办理报告.pdf")
    answer = Answer(text="已办。", degree="solved", implemented=False, attachments=(report,))
    await handling.reply(county.desk, county.editor, assignment, answer)
    await carriage.ends.exchange()
    case = await cases.view(city.desk, city.editor, assignment)
    [file] = case.files[case.replies[0].id]
    assert (file.arrived, file.complete) == (0, False)
    await handling.judge(city.desk, city.editor, assignment, Judgement(accepted=True))
    await carriage.ends.exchange()
    await carriage.carry()
    found = await cases.download(city.desk, city.editor, assignment, digest(REPORT))
    assert found.path.read_bytes() == REPORT
    view = await reading.view(county.desk, county.lin, item)
    [told] = [entry for entry in view.timeline if entry.kind == "replied"]
    assert [(one.name, one.complete) for one in told.files] == [("办理报告.pdf", True)]


async def test_a_purge_takes_scans_at_both_ends(carriage: Carriage) -> None:
    item = await instructed(carriage)
    await carriage.carry()
    room = carriage.city.end.room
    await purges.purge(room.desk, room.security, item, "误报内部事项")
    await carriage.ends.exchange()
    for side in (carriage.city, carriage.county):
        await files.clear(side.end.room.desk)
        assert await side.kept() == []
        assert not side.end.room.desk.shelf.place(digest(SCAN)).exists()
