"""Files over the API: handed in, named in a draft, fetched by whoever may see the item."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select, update

from node.errors import UnknownFileError
from node.http.limits import MAXIMUM_BODY
from node.storage.files import StoredFile
from node.workflow import files
from node.workflow.desk import Actor
from tests.files import chunks, digest, pdf
from tests.node.browser import problem, visit
from tests.node.rooms import CONTENT, Room

FILES, ITEMS = "/api/v1/files", "/api/v1/items"
REPORT = pdf(3 * MAXIMUM_BODY)
NAME = "调研报告.pdf"


@pytest.fixture
async def lin(county: Room) -> AsyncIterator[httpx.AsyncClient]:
    """The author, logged in."""
    async with visit(county, "lin") as client:
        yield client


@pytest.fixture
async def chen(county: Room) -> AsyncIterator[httpx.AsyncClient]:
    """Another author, logged in."""
    async with visit(county, "chen") as client:
        yield client


async def hand_in(
    client: httpx.AsyncClient, content: bytes = REPORT, name: str = NAME
) -> httpx.Response:
    return await client.post(FILES, params={"name": name}, content=chunks(content))


async def submit(client: httpx.AsyncClient, *named: dict[str, str]) -> httpx.Response:
    return await client.post(ITEMS, json=CONTENT | {"attachments": list(named)})


async def test_a_large_file_is_handed_in_named_and_fetched_by_who_may_see_the_item(
    county: Room, lin: httpx.AsyncClient, chen: httpx.AsyncClient
) -> None:
    stored = await hand_in(lin)
    assert (stored.status_code, stored.json()) == (
        201,
        {"digest": digest(REPORT), "size": len(REPORT), "media_type": "application/pdf"},
    )
    item = (await submit(lin, {"digest": digest(REPORT), "name": NAME})).json()["id"]
    seen = (await lin.get(f"{ITEMS}/{item}")).json()["attachments"]
    assert seen == [
        stored.json() | {"name": NAME, "complete": True, "arrived": 3, "pieces": 3, "stopped": None}
    ]
    address = f"{ITEMS}/{item}/attachments/{digest(REPORT)}"
    for username in ("lin", "editor"):
        async with visit(county, username) as client:
            fetched = await client.get(address)
        assert fetched.content == REPORT
        assert fetched.headers["content-disposition"].startswith("attachment;")
        assert fetched.headers["x-content-type-options"] == "nosniff"
        assert fetched.headers["content-type"] == "application/pdf"
    problem(await chen.get(address), 404, "file.unknown")
    problem(await lin.get(f"{ITEMS}/{item}/attachments/{'0' * 64}"), 404, "file.unknown")
    async with visit(county) as stranger:
        problem(await stranger.get(address), 401, "session.required")
        problem(await hand_in(stranger), 401, "session.required")


async def test_the_page_of_an_item_links_to_its_files(lin: httpx.AsyncClient) -> None:
    await hand_in(lin)
    item = (await submit(lin, {"digest": digest(REPORT), "name": NAME})).json()["id"]
    page = (await lin.get(f"/items/{item}")).text
    assert f'href="{ITEMS}/{item}/attachments/{digest(REPORT)}"' in page
    assert f"{NAME}</a>（3.0 MB）" in page


async def test_knowing_a_digest_opens_nothing(
    lin: httpx.AsyncClient, chen: httpx.AsyncClient
) -> None:
    await hand_in(lin)
    named = {"digest": digest(REPORT), "name": NAME}
    problem(await submit(chen, named), 404, "file.unknown")
    assert (await submit(lin, named)).status_code == 201
    problem(await submit(lin, named), 404, "file.unknown")


@pytest.mark.parametrize(
    ("content", "name", "status", "code"),
    [
        (REPORT, "a.exe", 415, "file.kind"),
        (b"MZ", "a.pdf", 415, "file.kind"),
        (b"", "a.pdf", 422, "input.invalid"),
        (REPORT, "../a.pdf", 422, "input.invalid"),
        (REPORT, "a\u202efdp.pdf", 422, "input.invalid"),
        (pdf(50 * 1024 * 1024 + 1), "a.pdf", 413, "file.too_large"),
    ],
)
async def test_what_the_office_does_not_take_is_refused_and_leaves_nothing(
    county: Room, lin: httpx.AsyncClient, content: bytes, name: str, status: int, code: str
) -> None:
    problem(await hand_in(lin, content, name), status, code)
    assert county.desk.shelf.unfinished() == []
    async with county.database.reading() as session:
        assert list(await session.scalars(select(StoredFile.digest))) == []


@pytest.mark.parametrize(
    ("second", "status", "code"),
    [
        ({"digest": digest(REPORT), "name": "b.pdf"}, 422, "input.invalid"),
        ({"digest": digest(pdf(9)), "name": NAME}, 422, "input.invalid"),
        ({"digest": digest(pdf(9)), "name": "b.png"}, 415, "file.kind"),
    ],
    ids=["the same file", "the same name", "another kind"],
)
async def test_a_draft_whose_files_cannot_be_announced_is_refused(
    lin: httpx.AsyncClient, second: dict[str, str], status: int, code: str
) -> None:
    await hand_in(lin)
    await hand_in(lin, pdf(9))
    first = {"digest": digest(REPORT), "name": NAME}
    problem(await submit(lin, first, second), status, code)


async def test_a_new_edition_may_keep_the_files_of_the_one_before(
    county: Room, lin: httpx.AsyncClient
) -> None:
    await hand_in(lin)
    named = {"digest": digest(REPORT), "name": NAME}
    item = (await submit(lin, named)).json()["id"]
    async with visit(county, "editor") as editor:
        await editor.post(f"{ITEMS}/{item}/register")
        await editor.post(f"{ITEMS}/{item}/return", json={"reason": "请补充。"})
    again = CONTENT | {"attachments": [named | {"name": "新名.pdf"}]}
    answer = await lin.post(f"{ITEMS}/{item}/resubmit", json=again)
    assert answer.status_code == 204, answer.text
    (seen,) = (await lin.get(f"{ITEMS}/{item}")).json()["attachments"]
    assert (seen["name"], seen["complete"]) == ("新名.pdf", True)


async def test_what_no_item_names_within_a_day_is_cleared_away(
    county: Room, lin: httpx.AsyncClient
) -> None:
    await hand_in(lin)
    await hand_in(lin, pdf(9), "b.pdf")
    await submit(lin, {"digest": digest(REPORT), "name": NAME})
    await files.clear(county.desk)
    assert county.desk.shelf.place(digest(pdf(9))).exists()
    county.clock.move(timedelta(days=1, minutes=1))
    await files.clear(county.desk)
    assert not county.desk.shelf.place(digest(pdf(9))).exists()
    assert county.desk.shelf.place(digest(REPORT)).exists()
    with pytest.raises(UnknownFileError):
        await county.submit(attachments=[{"digest": digest(pdf(9)), "name": "b.pdf"}])


async def test_a_file_that_was_just_handed_in_again_is_not_cleared_away(county: Room) -> None:
    for hours in (23, 2):
        await files.store(county.desk, county.lin, "b.pdf", chunks(pdf(9)))
        county.clock.move(timedelta(hours=hours))
    await files.clear(county.desk)
    assert await county.submit(attachments=[{"digest": digest(pdf(9)), "name": "b.pdf"}])


async def test_an_account_cannot_fill_the_disk_with_files_that_it_never_names(
    county: Room, lin: httpx.AsyncClient
) -> None:
    await hand_in(lin, pdf(9), "b.pdf")
    async with county.database.writing.begin() as session:
        await session.execute(update(StoredFile).values(size=2 * county.desk.limits.item_bytes))
    problem(await hand_in(lin), 413, "file.too_large")


async def test_an_upload_that_breaks_off_leaves_nothing(county: Room) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"%PDF-"
        raise ConnectionResetError

    person: Actor = county.lin
    with pytest.raises(ConnectionResetError):
        await files.store(county.desk, person, NAME, broken())
    assert county.desk.shelf.unfinished() == []
