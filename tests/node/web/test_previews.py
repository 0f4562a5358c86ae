"""Attachments are shown where they are harmless, to whoever may read the item, or else saved."""

from __future__ import annotations

from uuid import UUID

import pytest

from node.workflow import access, files
from tests.files import chunks, digest, pdf, picture
from tests.node.browser import visit
from tests.node.rooms import PERSONAE, Room

PICTURE, REPORT = picture(4, 3), pdf(900)
READERS = {"lin", "editor", "reviewer", "signer", "leader"}


async def item_with(room: Room, name: str, content: bytes) -> UUID:
    """Lin Xiaoyu's item with this file."""
    await files.store(room.desk, room.lin, name, chunks(content))
    return await room.submit(attachments=[{"digest": digest(content), "name": name}])


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [("现场.png", PICTURE, "image/png"), ("清单.pdf", REPORT, "application/pdf")],
)
async def test_pictures_and_pdf_are_shown_without_the_right_to_run_anything(
    leaf: Room, name: str, content: bytes, kind: str
) -> None:
    item = await item_with(leaf, name, content)
    address = f"/items/{item}/attachments/{digest(content)}"
    async with visit(leaf, "editor") as client:
        answer = await client.get(address)
        page = (await client.get(f"/items/{item}")).text
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-disposition"].startswith("inline;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert ("sandbox" in policy) == (kind != "application/pdf")
    assert f'class="preview" loading="lazy" src="{address}"' in page


async def test_what_could_be_anything_is_saved_and_its_kind_is_not_told(leaf: Room) -> None:
    content = b"<script>alert(1)</script>"
    item = await item_with(leaf, "说明.txt", content)
    async with visit(leaf, "editor") as client:
        answer = await client.get(f"/items/{item}/attachments/{digest(content)}")
        page = (await client.get(f"/items/{item}")).text
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-security-policy"].startswith("sandbox;")
    assert 'class="preview"' not in page


async def test_a_file_whose_content_is_not_what_it_says_is_saved(leaf: Room) -> None:
    item = await item_with(leaf, "现场.png", PICTURE)
    # As it may come from an office below that does not look.
    leaf.desk.shelf.place(digest(PICTURE)).write_bytes(b"<svg onload='alert(1)'/>")
    async with visit(leaf, "editor") as client:
        answer = await client.get(f"/items/{item}/attachments/{digest(PICTURE)}")
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-type"] == "application/octet-stream"


async def test_only_who_may_read_the_item_sees_its_files(leaf: Room) -> None:
    item = await item_with(leaf, "现场.png", PICTURE)
    address = f"/items/{item}/attachments/{digest(PICTURE)}"
    answers = {}
    for username in PERSONAE:
        async with visit(leaf, username) as client:
            answers[username] = (await client.get(address)).status_code
    assert {name for name, status in answers.items() if status == 200} == READERS
    assert answers["chen"] == 404
    assert {answers[name] for name in ("handler", "admin", "security", "auditor")} == {403}
    async with visit(leaf) as client:
        assert (await client.get(address)).status_code == 303
    assert frozenset(access.MAY["read"]) == {"author", "editor", "reviewer", "signer", "leader"}
