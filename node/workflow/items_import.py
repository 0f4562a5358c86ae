"""Rows of a spreadsheet that become items which an editor hands in for others.

A row is an item with one author, as it came by letter or telephone. What stands here already, title
and text alike, is not handed in again, so that the same file a second time changes nothing. A file
holds no attachments.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select

from node.errors import InputError, PhrasesError, TooLongError
from node.people_errors import SpreadsheetError
from node.storage import bulk
from node.storage.database import Session
from node.storage.items import Edition, Item
from node.workflow import phrases, submissions, topics
from node.workflow.imports import Kind, Work
from node.workflow.spreadsheets import Column, Row
from node.workflow.submissions import Draft
from protocol.errors import ClassifiedError

MOST = 2_000
"""Items at once; all are written in one transaction."""

COLUMNS = (
    Column("标题", "title", "一句话说清是什么事", "老旧小区充电难", True),
    Column("正文", "body", "一事一报：情况、原因、建议", "全县有六十七个老旧小区……", True),
    Column("领域", "topic", "本机关领域代码表里的名称或代码", "城建城管", True),
    Column("反映人", "name", "姓名或单位名称", "沈立群", True),
    Column("身份", "kind", "、".join(phrases.AUTHOR_KINDS.values()) + " 之一", "社会征集", True),
    Column("单位", "unit", "署名的单位；群众可写所在乡镇街道", "东湖县城关镇", True),
    Column("渠道", "channel", "、".join(phrases.CHANNELS.values()) + " 之一", "来信", True),
    Column("缓急", "urgency", "、".join(phrases.URGENCIES.values()) + "；不填就是平急", "平急"),
    Column("标签", "tags", "最多十个，用顿号隔开", "民生、养老"),
    Column("确认不涉密", "confirmed", "文中有疑似涉密字样而确认不涉密的，写“是”", ""),
)
BY_FIELD = {column.field: column for column in COLUMNS}
_BETWEEN = re.compile(r"[、,，;；]+")
_WORDS: dict[str, Mapping[str, Any]] = {
    "kind": {word: kind for kind, word in phrases.AUTHOR_KINDS.items()},
    "channel": {word: channel for channel, word in phrases.CHANNELS.items()},
    "urgency": {word: urgency for urgency, word in phrases.URGENCIES.items()},
    "confirmed": {"是": True},
}


async def compare(work: Work) -> Callable[[], Awaitable[None]]:
    """Find every mistake; returns what writes the rest."""
    if len(work.rows) > MOST:
        raise SpreadsheetError(f"一次最多导入 {MOST} 件信息，请分成几个文件")
    table = await topics.current(work.session)
    codes = {entry.name: entry.code for entry in table.topics if not entry.retired}
    codes |= {code: code for code in codes.values()}
    drafts: list[Draft] = []
    seen: dict[tuple[str, str], int] = {}
    for row in work.rows:
        draft = _draft(work, row, codes)
        if draft is None:
            continue
        text = (draft.title, draft.body)
        if text in seen:
            work.wrong(row, None, f"与第{seen[text]}行的标题和正文相同")
            continue
        seen[text] = row.number
        drafts.append(draft)
    here = await _here(work.session, {title for title, _ in seen})
    new = [draft for draft in drafts if (draft.title, draft.body) not in here]
    work.added, work.unchanged = len(new), len(drafts) - len(new)

    async def write() -> None:
        for draft in new:
            await submissions.submit_within(
                work.session, work.desk, work.actor, draft, work.desk.new_id(), work.now
            )

    return write


def _draft(work: Work, row: Row, codes: dict[str, str]) -> Draft | None:
    content: dict[str, Any] = {}
    for field, text in row.cells.items():
        words: Mapping[str, Any] | None = codes if field == "topic" else _WORDS.get(field)
        if words is not None and text not in words:
            work.wrong(row, BY_FIELD[field], f"没有“{text[:20]}”，可填：{'、'.join(words)}")
            return None
        content[field] = text if words is None else words[text]
    missing = [column for column in COLUMNS if column.required and column.field not in content]
    for column in missing:
        work.wrong(row, column, "必填")
    if missing:
        return None
    author = {name: content.pop(name) for name in ("name", "kind", "unit")}
    tags = [tag for tag in _BETWEEN.split(content.pop("tags", "")) if tag.strip()]
    try:
        draft = Draft.model_validate(content | {"co_authors": [author], "tags": tags})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][-1] if first["loc"][0] == "co_authors" else first["loc"][0])
        work.wrong(row, BY_FIELD.get(name), f"不符合要求：{BY_FIELD[name].rule}")
        return None
    except ClassifiedError:
        work.wrong(row, None, "涉密信息不得填报")
        return None
    try:
        submissions.demand_length(work.desk, title=draft.title, body=draft.body)
        submissions.demand_confirmed(work.desk, draft)
    except (TooLongError, PhrasesError, InputError) as error:
        work.wrong(row, None, error.detail)
        return None
    return draft


async def _here(session: Session, titles: set[str]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    rows = await session.execute(
        select(Edition.title, Edition.body)
        .join(Item, Item.id == Edition.item_id)
        .where(
            Edition.number == 1, Item.source.is_(None), bulk.among(session, Edition.title, titles)
        )
    )
    for title, body in rows:
        found.add((title, body))
    return found


ITEMS = Kind("items", COLUMNS, compare, "submit_on_behalf")
