"""An item's whole file (一事一档) as a zip archive that anybody can open: its editions, its
timeline, its files, and the signed messages by which it came and was decided.

`gather` reads what there is, and notes in the audit log that it was taken out; `pack` writes it,
one piece after the other, so that no file is ever whole in memory. The overview is written last: it
names what is really in the archive, for a file may be purged meanwhile. Nothing here holds a key:
the evidence that this office signs (`evidence`) is handed in by whoever has one.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from node.errors import PurgedItemError
from node.storage import files as stored
from node.storage.files import Attachment, StoredFile
from node.storage.items import Edition, Item
from node.storage.messages import Incoming
from node.storage.purges import Purge
from node.workflow import access, audit, items, phrases, reading
from node.workflow.calendar import OFFICE_TIME, when
from node.workflow.desk import Actor, Desk
from node.workflow.reading import Entry

CHUNK = 64 * 1024
LONGEST_NAME = 100

_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_STYLE = "body{font-family:sans-serif;max-width:50em;margin:2em auto;line-height:1.7}"


@dataclass(frozen=True)
class Enclosure:
    """A file of the item: what it is called, and where it lies; None where it never arrived."""

    name: str
    place: Path | None


@dataclass(frozen=True)
class CaseFile:
    """All that there is of an item."""

    office: str
    at: datetime
    item: Item
    editions: Sequence[Edition]
    timeline: Sequence[Entry]
    enclosures: Sequence[Enclosure]
    tokens: Sequence[bytes]
    """The signed messages of other offices about the item, the oldest first."""


async def gather(desk: Desk, actor: Actor, item_id: UUID) -> CaseFile:
    """What there is of the item. Raises `UnknownItemError`, `PurgedItemError`."""
    access.demand(actor, "export_item")
    view = await reading.view(desk, actor, item_id)
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        item = await session.get(Item, item_id)
        await items.demand_visible(session, actor, item_id, item)
        assert item is not None
        if await session.get(Purge, item_id) is not None:
            raise PurgedItemError
        editions = await session.scalars(
            select(Edition).where(Edition.item_id == item_id).order_by(Edition.number)
        )
        tokens = await session.scalars(
            select(Incoming.token)
            .where(Incoming.subject == item_id, Incoming.state == "applied")
            .order_by(Incoming.received_at, Incoming.id)
        )
        rows = await session.execute(
            select(Attachment.name, Attachment.digest, StoredFile.digest)
            .outerjoin(StoredFile, StoredFile.digest == Attachment.digest)
            .where(Attachment.item_id == item_id)
            .order_by(Attachment.edition, Attachment.position)
        )
        others = await session.execute(
            select(stored.Enclosure.name, stored.Enclosure.digest, StoredFile.digest)
            .outerjoin(StoredFile, StoredFile.digest == stored.Enclosure.digest)
            .where(stored.Enclosure.item_id == item_id)
            .order_by(stored.Enclosure.owner_id, stored.Enclosure.position)
        )
        named = {digest: (name, here) for name, digest, here in [*rows, *others]}
        enclosures = [
            Enclosure(name, desk.shelf.place(digest) if here else None)
            for digest, (name, here) in named.items()
        ]
        found = CaseFile(
            office=desk.office.name,
            at=now,
            item=item,
            editions=editions.all(),
            timeline=view.timeline,
            enclosures=enclosures,
            tokens=tokens.all(),
        )
        audit.note(session, now, actor=actor, action="item_exported", subject=item_id)
    return found


def pack(case: CaseFile, bundle: bytes | None = None) -> Iterator[bytes]:
    """The archive in pieces, with the evidence that this office signed. Waits for the disk."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        written: list[tuple[str, str]] = []

        def put(name: str, told: str, content: bytes) -> bytes:
            archive.writestr(_member(name, case.at), content)
            written.append((name, told))
            return sink.drain()

        for edition in case.editions:
            name = f"稿件/第{edition.number}稿.md"
            yield put(name, f"第 {edition.number} 稿", _manuscript(edition).encode())
        yield put("办理过程.csv", "办理过程", _table(case.timeline))
        for number, token in enumerate(case.tokens, start=1):
            name = f"凭证/来文{number:03}.jws"
            yield put(name, f"收到的签名消息 {number}", token)
        if bundle is not None:
            yield put("凭证/凭证.json", "本机关签名的凭证，用 zhitong evidence verify 核验", bundle)
        missing: list[str] = []
        for number, enclosure in enumerate(case.enclosures, start=1):
            name = f"附件/{number:02}-{safe(enclosure.name)}"
            try:
                source = enclosure.place.open("rb") if enclosure.place else None
            except FileNotFoundError:
                source = None
            if source is None:
                missing.append(enclosure.name)
                continue
            with source, archive.open(_member(name, case.at), "w", force_zip64=True) as member:
                while chunk := source.read(CHUNK):
                    member.write(chunk)
                    yield sink.drain()
            written.append((name, enclosure.name))
        yield put("说明.html", "", _overview(case, written, missing).encode())
    yield sink.drain()


def safe(name: str) -> str:
    """The name of a file as every system takes it; a number stands before it."""
    plain = _UNSAFE.sub("_", name).rstrip(". ")
    stem, dot, extension = plain.rpartition(".")
    if not dot:
        return plain[:LONGEST_NAME]
    return f"{stem[: LONGEST_NAME - 1 - len(extension)]}.{extension}"


def cell(text: str) -> str:
    """Text that no spreadsheet program takes to be a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


class _Sink(io.RawIOBase):
    """What the archive was written to since it was last looked at. It is never gone back in."""

    def __init__(self) -> None:
        super().__init__()
        self._chunks: list[bytes] = []

    def write(self, data: Any, /) -> int:
        self._chunks.append(bytes(data))
        return len(self._chunks[-1])

    def drain(self) -> bytes:
        """All of it."""
        found = b"".join(self._chunks)
        self._chunks.clear()
        return found


def _member(name: str, at: datetime) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, at.astimezone(OFFICE_TIME).timetuple()[:6])
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return info


def _manuscript(edition: Edition) -> str:
    authors = "；".join(f"{one['name']}（{one['unit']}）" for one in edition.authors)
    lines = [f"# {edition.title}", "", f"撰稿：{authors}", f"提交：{when(edition.submitted_at)}"]
    if edition.edited_at is not None:
        why = f"，{edition.why}" if edition.why else ""
        lines.append(f"编辑：{when(edition.edited_at)}，由第 {edition.base} 稿改成{why}")
    return "\n".join([*lines, "", edition.body, ""])


def _table(timeline: Sequence[Entry]) -> bytes:
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(["时间", "机关", "事项", "是否经签名核验"])
    for entry in timeline:
        texts = (when(entry.at), entry.office_name, entry.sentence, "是" if entry.proven else "")
        writer.writerow([cell(text) for text in texts])
    # As spreadsheet programs want it, or they read Chinese as something else.
    return target.getvalue().encode("utf-8-sig")


def _archived(case: CaseFile) -> str:
    """By whom, when, and for how long; the timeline holds those of other offices."""
    told = [entry for entry in case.timeline if entry.kind == "archived"]
    return "；".join(f"{when(entry.at)} {entry.sentence}" for entry in told) or "未归档"


def _overview(case: CaseFile, written: Sequence[tuple[str, str]], missing: Sequence[str]) -> str:
    item = case.item
    facts = (
        ("编号", item.number or "未登记"),
        ("状态", phrases.STATES.get(item.state, item.state) + ("，已办结" if item.closed else "")),
        ("归档", _archived(case)),
        ("提交机关", item.origin["name"]),
        ("导出", f"{case.office}，{when(case.at)}"),
        ("信息标识", str(item.id)),
    )
    links = "".join(
        f'<li><a href="{escape(name)}">{escape(told)}</a></li>' for name, told in written
    )
    gone = "".join(f"<li>{escape(name)}：尚未传到本机关，不在档内</li>" for name in missing)
    steps = "".join(
        f"<li>{escape(when(entry.at))} {escape(entry.office_name)}：{escape(entry.sentence)}</li>"
        for entry in case.timeline
    )
    told = "".join(f"<tr><th>{word}</th><td>{escape(value)}</td></tr>" for word, value in facts)
    return (
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{escape(item.title)}'
        f"</title><style>{_STYLE}</style><h1>{escape(item.title)}</h1><table>{told}</table>"
        f"<h2>档内文件</h2><ul>{links}{gone}</ul><h2>办理过程</h2><ol>{steps}</ol></html>\n"
    )
