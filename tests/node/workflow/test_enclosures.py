"""Files with answers and instructions: brought, shown and fetched by those who may see the rest."""

from __future__ import annotations

import itertools
import zipfile
from datetime import date, timedelta
from io import BytesIO
from uuid import UUID

import httpx
import pytest
from pydantic import ValidationError
from sqlalchemy import delete, select

from node.assignment_errors import UnknownAssignmentError
from node.errors import ForbiddenError, InputError, UnknownFileError
from node.storage.events import Event
from node.storage.files import Enclosure, Offer, StoredFile, Transfer
from node.storage.messages import Outgoing
from node.workflow import (
    access,
    casefile,
    cases,
    decisions,
    files,
    handling,
    memberships,
    purges,
    reading,
    rebuild,
)
from node.workflow.attachments import Named
from node.workflow.calendar import day_of
from node.workflow.desk import Actor
from node.workflow.handling import Answer, Judgement
from protocol import envelope
from protocol.lifecycle import Action
from tests.files import chunks, digest, pdf
from tests.node.browser import problem, visit
from tests.node.chain import Chain
from tests.node.rooms import Room, contents
from tests.node.workflow.deeds import item_after
from tests.node.workflow.test_assignments import ACCEPTED, given, with_bureau

SCAN, REPORT = pdf(3_000), pdf(4_000, 2)
WORDS = {"leader": "周明远", "post": "县长", "on": date(2026, 11, 20)}


async def brought(room: Room, actor: Actor, content: bytes, name: str) -> Named:
    stored = await files.store(room.desk, actor, name, chunks(content))
    return Named(digest=stored.digest, name=name)


def answer(*named: Named) -> Answer:
    return Answer(text="已办。", degree="solved", implemented=False, attachments=named)


async def listed(room: Room, actor: Actor, item: UUID) -> dict[str, list[str]]:
    """The files of the timeline, by the kind of the fact."""
    view = await reading.view(room.desk, actor, item)
    return {
        entry.kind: [file.name for file in entry.files] for entry in view.timeline if entry.files
    }


async def test_an_instruction_may_be_a_scan_alone_which_the_author_can_fetch(county: Room) -> None:
    item = await item_after(county, Action.REGISTER)
    scan = await brought(county, county.editor, SCAN, "批示.pdf")
    await decisions.instruct(
        county.desk, county.editor, item, **WORDS, text=None, attachments=[scan]
    )
    view = await reading.view(county.desk, county.lin, item)
    assert view.timeline[-1].sentence == "县长周明远批示：（见扫描件）。"
    assert await listed(county, county.lin, item) == {"instructed": ["批示.pdf"]}
    found = await files.download(county.desk, county.lin, item, digest(SCAN))
    assert (found.path.read_bytes(), found.name) == (SCAN, "批示.pdf")
    with pytest.raises(UnknownFileError):
        await files.download(county.desk, county.chen, item, digest(SCAN))


async def test_an_instruction_says_something_and_names_only_what_its_editor_brought(
    county: Room,
) -> None:
    item = await item_after(county, Action.REGISTER)
    foreign = await brought(county, county.lin, SCAN, "批示.pdf")
    before = await contents(county.database)
    for text, attachments, error in (
        (None, [], InputError),
        ("请研究。", [foreign], UnknownFileError),
        ("请研究。", [Named(digest="ab" * 32, name="无.pdf")], UnknownFileError),
    ):
        with pytest.raises(error):
            await decisions.instruct(
                county.desk, county.editor, item, **WORDS, text=text, attachments=attachments
            )
    assert await contents(county.database) == before


async def test_the_files_of_an_answer_are_part_of_what_the_author_is_told_once_it_is_accepted(
    county: Room,
) -> None:
    await with_bureau(county)
    item, assignment = await given(county)
    await handling.sign_for(county.desk, county.handler, assignment)
    report = await brought(county, county.handler, REPORT, "办理报告.pdf")
    await handling.reply(county.desk, county.handler, assignment, answer(report))
    case = await cases.view(county.desk, county.editor, assignment)
    [file] = case.files[case.replies[0].id]
    assert (file.name, file.complete) == ("办理报告.pdf", True)
    for actor in (county.editor, county.handler, county.leader):
        found = await cases.download(county.desk, actor, assignment, digest(REPORT))
        assert found.path.read_bytes() == REPORT
    # As long as nobody has accepted it, it is nothing that the office says.
    with pytest.raises(UnknownFileError):
        await files.download(county.desk, county.lin, item, digest(REPORT))
    assert await listed(county, county.editor, item) == {}
    await handling.judge(county.desk, county.editor, assignment, ACCEPTED)
    assert await listed(county, county.lin, item) == {"replied": ["办理报告.pdf"]}
    found = await files.download(county.desk, county.lin, item, digest(REPORT))
    assert found.path.read_bytes() == REPORT


async def test_the_files_of_a_case_are_as_unknown_to_others_as_the_case(leaf: Room) -> None:
    await with_bureau(leaf)
    _, assignment = await given(leaf)
    await handling.sign_for(leaf.desk, leaf.handler, assignment)
    report = await brought(leaf, leaf.handler, REPORT, "办理报告.pdf")
    await handling.reply(leaf.desk, leaf.handler, assignment, answer(report))
    with pytest.raises(ForbiddenError):
        await cases.download(leaf.desk, leaf.lin, assignment, digest(REPORT))
    with pytest.raises(UnknownFileError):
        await cases.download(leaf.desk, leaf.editor, assignment, digest(SCAN))
    today = day_of(leaf.desk.clock())
    [mine] = await memberships_of(leaf)
    await memberships.end(leaf.desk, leaf.security, leaf.handler.id, 2, mine, until=today)
    leaf.clock.move(timedelta(days=1))
    with pytest.raises(UnknownAssignmentError):
        await cases.download(leaf.desk, leaf.handler, assignment, digest(REPORT))


async def memberships_of(room: Room) -> list[UUID]:
    async with room.database.reading() as session:
        return [one.id for one in await memberships.of(session, room.handler.id)]


async def test_an_answer_that_was_sent_back_keeps_its_files_for_the_next_one(leaf: Room) -> None:
    await with_bureau(leaf)
    item, assignment = await given(leaf)
    await handling.sign_for(leaf.desk, leaf.handler, assignment)
    report = await brought(leaf, leaf.handler, REPORT, "办理报告.pdf")
    await handling.reply(leaf.desk, leaf.handler, assignment, answer(report))
    refusal = Judgement(accepted=False, reason="请补充。")
    await handling.judge(leaf.desk, leaf.editor, assignment, refusal)
    await handling.reply(leaf.desk, leaf.handler, assignment, answer(report))
    await handling.judge(leaf.desk, leaf.editor, assignment, ACCEPTED)
    assert await listed(leaf, leaf.lin, item) == {"replied": ["办理报告.pdf"]}


async def test_files_of_facts_are_kept_for_as_long_as_the_fact_and_go_with_the_item(
    leaf: Room,
) -> None:
    await with_bureau(leaf)
    item, assignment = await given(leaf)
    scan = await brought(leaf, leaf.editor, SCAN, "批示.pdf")
    await decisions.instruct(
        leaf.desk, leaf.editor, item, **WORDS, text="请办。", attachments=[scan]
    )
    await handling.sign_for(leaf.desk, leaf.handler, assignment)
    report = await brought(leaf, leaf.handler, REPORT, "办理报告.pdf")
    await handling.reply(leaf.desk, leaf.handler, assignment, answer(report))
    places = [leaf.desk.shelf.place(digest(one)) for one in (SCAN, REPORT)]
    leaf.clock.move(timedelta(days=3))
    await files.clear(leaf.desk)
    assert all(place.exists() for place in places)
    await purges.purge(leaf.desk, leaf.security, item, "误报。")
    await files.clear(leaf.desk)
    assert not any(place.exists() for place in places)
    view = await reading.view(leaf.desk, leaf.editor, item)
    assert not any(entry.files for entry in view.timeline)


async def test_the_items_file_holds_the_files_of_its_facts(leaf: Room) -> None:
    item = await item_after(leaf, Action.REGISTER)
    scan = await brought(leaf, leaf.editor, SCAN, "批示.pdf")
    await decisions.instruct(
        leaf.desk, leaf.editor, item, **WORDS, text="请办。", attachments=[scan]
    )
    case = await casefile.gather(leaf.desk, leaf.editor, item)
    with zipfile.ZipFile(BytesIO(b"".join(casefile.pack(case)))) as archive:
        assert archive.read("附件/01-批示.pdf") == SCAN


def test_an_answer_names_ten_files_at_most() -> None:
    named = [Named(digest=f"{n:064x}", name=f"{n}.pdf") for n in range(11)]
    with pytest.raises(ValidationError):
        answer(*named)


async def test_whoever_hands_in_or_handles_brings_files_and_nobody_else(leaf: Room) -> None:
    for actor in (leaf.lin, leaf.editor, leaf.handler):
        await brought(leaf, actor, SCAN, "文件.pdf")
    for actor in (leaf.signer, leaf.leader, leaf.admin):
        assert not access.allows(actor, "upload")
        with pytest.raises(ForbiddenError):
            await brought(leaf, actor, SCAN, "文件.pdf")


async def form(
    client: httpx.AsyncClient,
    path: str,
    page: str,
    content: dict[str, str],
    *named: tuple[str, str, bytes],
) -> httpx.Response:
    """Send a form of this page with files in it."""
    text = (await client.get(page)).text
    token = text.partition('name="csrf" value="')[2].partition('"')[0]
    parts = [(field, (name, body, "application/pdf")) for field, name, body in named]
    return await client.post(path, data={"csrf": token, **content}, files=parts)


@pytest.mark.usefixtures("quick_passwords")
async def test_scans_and_documents_come_with_the_forms_of_the_pages(leaf: Room) -> None:
    await with_bureau(leaf)
    item, assignment = await given(leaf)
    page, case = f"/items/{item}", f"/cases/{assignment}"
    words = {"leader": "周明远", "post": "县长", "on": "2026-11-20", "text": ""}
    large = pdf(2 * 1024 * 1024, 3)
    async with visit(leaf, "editor") as client:
        nothing = await form(client, f"{page}/instruct", page, words)
        assert (nothing.status_code, "或者附上扫描件" in nothing.text) == (422, True)
        wrong = await form(client, f"{page}/instruct", page, words, ("scan", "批示.exe", b"MZ"))
        assert wrong.status_code == 415
        done = await form(client, f"{page}/instruct", page, words, ("scan", "批示.pdf", large))
        assert done.status_code == 303, done.text
        shown = (await client.get(page)).text
        link = f"/api/v1/items/{item}/attachments/{digest(large)}"
        assert f'<a href="{link}" download>批示.pdf</a>' in shown
        assert (await client.get(link)).content == large
        timeline = (await client.get(f"/api/v1{page}")).json()["timeline"]
        assert [file["name"] for file in timeline[-1]["files"]] == ["批示.pdf"]
    async with visit(leaf, "handler") as client:
        await client.post(f"/api/v1/assignments/{assignment}/sign-for")
        said = {"text": "已办。", "degree": "solved"}
        done = await form(client, f"{case}/reply", case, said, ("document", "报告.pdf", REPORT))
        assert done.status_code == 303, done.text
        link = f"/api/v1/assignments/{assignment}/attachments/{digest(REPORT)}"
        assert f'<a href="{link}" download>报告.pdf</a>' in (await client.get(case)).text
        assert (await client.get(link)).content == REPORT
        problem(await client.get(link.replace(digest(REPORT), "ab" * 32)), 404, "file.unknown")


async def test_a_scan_is_announced_from_office_to_office_on_its_way_down(chain: Chain) -> None:
    top, below = chain.top, chain.rooms[chain.line[-2]]
    item = await chain.county.submit()
    await chain.climb(item)
    scan = await brought(top, top.editor, SCAN, "批示.pdf")
    await decisions.instruct(top.desk, top.editor, item, **WORDS, text=None, attachments=[scan])
    await chain.deliver()
    offices = list(reversed(chain.line))
    for above, office in itertools.pairwise(offices):
        async with chain.rooms[above].database.reading() as session:
            assert await session.get(Offer, (office, digest(SCAN))) is not None
        async with chain.rooms[office].database.reading() as session:
            assert await session.get(Transfer, (above, digest(SCAN))) is not None
    assert await listed(below, below.editor, item) == {"instructed": ["批示.pdf"]}


async def test_a_restored_office_has_its_scans_announced_and_asks_for_them_where_it_sent_them(
    pair: Chain,
) -> None:
    city = pair.above
    item = await pair.county.submit()
    await pair.climb(item)
    scan = await brought(city, city.editor, SCAN, "批示.pdf")
    await decisions.instruct(city.desk, city.editor, item, **WORDS, text=None, attachments=[scan])
    async with city.database.writing.begin() as session:
        row = (
            await session.scalars(
                select(Outgoing).where(Outgoing.name == "feedback").order_by(Outgoing.id.desc())
            )
        ).first()
        assert row is not None
        token = envelope.seal(
            row.payload, pair.signer("yunzhou"), signed_at=city.clock(), incarnation=1
        )
        # The backup is older than the instruction, and the disk with the file is lost.
        for table in (Enclosure, Offer, StoredFile):
            await session.execute(delete(table))
        await session.execute(delete(Event).where(Event.kind == "instructed"))
    for _ in range(2):
        async with city.database.writing.begin() as session:
            own = envelope.open_own(token, chains=city.desk.chains, place=city.desk.place)
            await rebuild.own(session, city.desk, own, city.clock())
    assert await listed(city, city.editor, item) == {"instructed": ["批示.pdf"]}
    async with city.database.reading() as session:
        assert await session.get(Transfer, ("donghu", digest(SCAN))) is not None
        assert await session.get(Offer, ("donghu", digest(SCAN))) is not None
