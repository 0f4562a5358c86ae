"""An item's whole file: everything that there is of it, in an archive that anybody can open."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, datetime

import pytest

from node.errors import ForbiddenError, PurgedItemError, UnknownItemError
from node.workflow import casefile, decisions, editing, files, purges
from node.workflow.attachments import Named
from node.workflow.editing import Rewriting
from node.workflow.reading import Entry
from tests.files import chunks, pdf
from tests.node.browser import visit
from tests.node.chain import Chain
from tests.node.rooms import CONTENT, Room, contents

REPORT = pdf(200_000)


async def exported(room: Room, item: object, proof: bytes | None = None) -> dict[str, bytes]:
    case = await casefile.gather(room.desk, room.editor, item)  # type: ignore[arg-type]
    return unpacked(b"".join(casefile.pack(case, proof)))


def unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


async def with_file(room: Room, name: str = "调研报告.pdf") -> object:
    stored = await files.store(room.desk, room.lin, "a.pdf", chunks(REPORT))
    return await room.submit(attachments=[Named(digest=stored.digest, name=name).model_dump()])


async def test_all_editions_files_and_the_timeline_are_in_the_archive(county: Room) -> None:
    item = await with_file(county)
    await decisions.register(county.desk, county.editor, item)  # type: ignore[arg-type]
    text = {"based_on": 1, "title": "改过的标题", "body": "改过的正文。", "why": "=求和"}
    await editing.edit(
        county.desk,
        county.editor,
        item,  # type: ignore[arg-type]
        Rewriting.model_validate(text),
    )
    members = await exported(county, item, b"{}")

    assert list(members) == [
        "稿件/第1稿.md",
        "稿件/第2稿.md",
        "办理过程.csv",
        "凭证/凭证.json",
        "附件/01-调研报告.pdf",
        "说明.html",
    ]
    assert members["附件/01-调研报告.pdf"] == REPORT
    assert CONTENT["body"] in members["稿件/第1稿.md"].decode()
    assert "由第 1 稿改成，=求和" in members["稿件/第2稿.md"].decode()
    overview = members["说明.html"].decode()
    for words in ("改过的标题", "编辑中", "东湖县政协", "附件/01-调研报告.pdf"):
        assert words in overview
    rows = list(csv.reader(io.StringIO(members["办理过程.csv"].decode("utf-8-sig"))))
    assert rows[0] == ["时间", "机关", "事项", "是否经签名核验"]
    assert len(rows) == 4


async def test_the_signed_messages_of_other_offices_are_in_the_archive(pair: Chain) -> None:
    item = await pair.county.submit()
    await pair.climb(item)
    await decisions.decline(pair.above.desk, pair.above.editor, item, "已有部署。")
    await pair.deliver()
    for room in (pair.county, pair.above):
        members = await exported(room, item)
        tokens = [name for name in members if name.startswith("凭证/来文")]
        assert tokens
        assert all(members[name].count(b".") == 2 for name in tokens)


async def test_what_people_wrote_is_shown_as_text(leaf: Room) -> None:
    item = await leaf.submit(title="<script>alert(1)</script>")
    overview = (await exported(leaf, item))["说明.html"].decode()
    assert "<script>" not in overview
    assert "&lt;script&gt;" in overview


async def test_a_file_that_is_not_here_is_named_as_missing(leaf: Room) -> None:
    item = await with_file(leaf)
    case = await casefile.gather(leaf.desk, leaf.editor, item)  # type: ignore[arg-type]
    (enclosure,) = case.enclosures
    assert enclosure.place is not None
    enclosure.place.unlink()
    members = unpacked(b"".join(casefile.pack(case)))
    assert not [name for name in members if name.startswith("附件/")]
    assert "调研报告.pdf：尚未传到本机关" in members["说明.html"].decode()


async def test_an_archive_comes_in_pieces(leaf: Room) -> None:
    item = await with_file(leaf)
    case = await casefile.gather(leaf.desk, leaf.editor, item)  # type: ignore[arg-type]
    assert max(map(len, casefile.pack(case))) < 2 * casefile.CHUNK


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("CON: a?.pdf", "CON_ a_.pdf"),
        ("报告.pdf ", "报告.pdf"),
        ("尾巴...", "尾巴"),
        ("长" * 180 + ".docx", "长" * 95 + ".docx"),
        ("没有后缀" * 40, "没有后缀" * 25),
    ],
)
def test_names_are_such_as_every_system_takes(name: str, plain: str) -> None:
    assert casefile.safe(name) == plain


@pytest.mark.parametrize("text", ["=1+1", "+86", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_becomes_a_formula(text: str) -> None:
    assert casefile.cell(text) == "'" + text
    assert casefile.cell("正文" + text) == "正文" + text
    entry = Entry(datetime(2026, 1, 1, tzinfo=UTC), "a", text, "county", "k", text, {}, False)
    table = casefile._table([entry]).decode("utf-8-sig")
    assert next(csv.reader(io.StringIO(table.split("\r\n", 1)[1], newline="")))[1] == "'" + text


async def test_a_purged_item_has_no_file_and_others_have_none_to_take_out(county: Room) -> None:
    item = await county.submit()
    before = await contents(county.database)
    for actor in (county.lin, county.reviewer, county.admin):
        with pytest.raises(ForbiddenError):
            await casefile.gather(county.desk, actor, item)
    with pytest.raises(UnknownItemError):
        await casefile.gather(county.desk, county.editor, county.desk.new_id())
    assert await contents(county.database) == before
    await purges.purge(county.desk, county.security, item, "误传")
    with pytest.raises(PurgedItemError):
        await casefile.gather(county.desk, county.editor, item)


@pytest.mark.usefixtures("quick_passwords")
async def test_the_archive_is_downloaded_and_noted(leaf: Room) -> None:
    item = await with_file(leaf)
    async with visit(leaf, "editor") as editor:
        answer = await editor.get(f"/api/v1/items/{item}/file")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["cache-control"] == "private, no-store"
    assert unpacked(answer.content)["附件/01-调研报告.pdf"] == REPORT
    assert "item_exported" in str((await contents(leaf.database))["audit"])
