"""Nothing above `internal` comes in, by whatever way; phrases of secret documents warn."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from node.cli import manuscript
from node.errors import InputError, PhrasesError
from node.storage.audit import AuditRow
from node.workflow import decisions, submissions
from protocol.errors import ClassifiedError
from tests.node.browser import problem, visit
from tests.node.rooms import Room, contents, draft

SECRETS = ["秘密", "机密★10年", "绝密", "Top_Secret", "secret", "confidential", "STATE SECRET"]
CONTENT = {"title": "泵站", "body": "正文。", "topic": "city"}


@pytest.mark.parametrize("level", SECRETS)
def test_a_draft_that_claims_to_be_secret_is_refused_in_whatever_language(level: str) -> None:
    with pytest.raises(ClassifiedError, match="offline procedure"):
        draft(classification=level)


def test_a_level_that_does_not_exist_is_a_mistake_and_no_secret() -> None:
    with pytest.raises(InputError, match="classification"):
        draft(classification="secretariat")


def test_a_manuscript_that_claims_to_be_secret_is_refused() -> None:
    with pytest.raises(ClassifiedError):
        manuscript.parse("---\ntitle: 泵站\ntopic: city\nclassification: 机密\n---\n正文。")
    with pytest.raises(ClassifiedError):
        manuscript.parse(json.dumps(CONTENT | {"classification": "绝密"}))


async def test_the_api_refuses_a_secret_with_advice_and_keeps_nothing(leaf: Room) -> None:
    async with visit(leaf, "lin") as client:
        before = await contents(leaf.database)
        answer = await client.post("/api/v1/items", json=CONTENT | {"classification": "机密"})
        assert await contents(leaf.database) == before
    said = problem(answer, 422, "item.classified")
    assert "机要渠道" in str(said["title"])
    assert CONTENT["body"] not in answer.text


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({"title": "关于绝密级工程的建议"}, [("title", "绝密")]),
        ({"body": "内部资料 　注意\n保存"}, [("body", "内部资料注意保存")]),
        ({"body": "机密，不得外传"}, [("body", "机密"), ("body", "不得外传")]),
    ],
)
async def test_a_phrase_of_secret_documents_stops_an_item_until_its_author_confirms(
    leaf: Room, content: dict[str, str], found: list[tuple[str, str]]
) -> None:
    before = await contents(leaf.database)
    with pytest.raises(PhrasesError) as refused:
        await leaf.submit(**content)
    assert list(refused.value.found) == found
    assert await contents(leaf.database) == before

    item = await leaf.submit(**content, confirmed=True)
    async with leaf.database.reading() as session:
        noted = select(AuditRow).where(AuditRow.action == "phrases_confirmed")
        [row] = (await session.scalars(noted)).all()
    assert (row.actor, row.subject, row.detail) == ("lin", str(item), {"count": len(found)})


async def test_a_new_edition_is_looked_through_as_well(leaf: Room) -> None:
    item = await leaf.registered()
    await decisions.return_(leaf.desk, leaf.editor, item, "请补充。")
    with pytest.raises(PhrasesError):
        await submissions.resubmit(leaf.desk, leaf.lin, item, draft(body="秘 密 ★ 一年"))
    confirmed = draft(body="秘 密 ★ 一年", confirmed=True)
    await submissions.resubmit(leaf.desk, leaf.lin, item, confirmed)
    assert await leaf.state(item) == "submitted"


async def test_the_api_lists_the_phrases_and_takes_the_item_once_it_is_confirmed(
    leaf: Room,
) -> None:
    content = CONTENT | {"body": "涉密人员的待遇。"}
    async with visit(leaf, "lin") as client:
        answer = await client.post("/api/v1/items", json=content)
        said = problem(answer, 409, "item.phrases")
        assert said["errors"] == [{"field": "body", "message": "涉密"}]
        answer = await client.post("/api/v1/items", json=content | {"confirmed": True})
    assert answer.status_code == 201


async def test_ordinary_texts_hold_no_phrase(leaf: Room) -> None:
    assert await leaf.submit(body="商业秘密、个人隐私都应保护；内部管理也要公开透明。")
