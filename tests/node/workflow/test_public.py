"""What citizens hand in without an account: when it is taken, and what becomes of it."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from node.errors import ForbiddenError, InputError, PhrasesError, TooLongError
from node.public_errors import (
    ChallengeError,
    ChallengeExpiredError,
    ChallengeUsedError,
    ConsentError,
    PublicClosedError,
    PublicSettingsChangedError,
    TooManyError,
    TooQuickError,
    UnknownContactError,
    UnknownReceiptError,
)
from node.storage.audit import AuditRow
from node.storage.items import Edition, Item
from node.storage.public import PublicSubmission, UsedChallenge
from node.topic_errors import TopicError
from node.workflow import (
    decisions,
    public_intake,
    public_receipts,
    public_settings,
    purges,
    reading,
    receipt_codes,
)
from node.workflow.public_settings import Wanted
from protocol.lifecycle import Action
from tests.node import citizens
from tests.node.chain import Chain
from tests.node.rooms import Room, contents
from tests.node.workflow.deeds import do


async def only_item(room: Room) -> UUID:
    """What was handed in."""
    async with room.database.reading() as session:
        return (await session.scalars(select(PublicSubmission.item_id))).one()


async def test_an_office_takes_nothing_in_until_its_administrator_opens_the_form(
    county: Room,
) -> None:
    with pytest.raises(PublicClosedError):
        await public_intake.form(county.desk, nonce=os.urandom(16))
    await citizens.open_form(county)
    sent = await citizens.letter(county)
    await citizens.open_form(county, open=False)
    before = await contents(county.database)
    with pytest.raises(PublicClosedError):
        await citizens.send(county, sent)
    assert await contents(county.database) == before


async def test_only_the_system_administrator_opens_the_form_and_not_over_somebody_elses_change(
    county: Room,
) -> None:
    wanted = Wanted(version=0, open=True)
    for actor in (county.editor, county.security, county.lin):
        with pytest.raises(ForbiddenError):
            await public_settings.set_form(
                county.desk, actor, wanted, new_secret=lambda: os.urandom(32)
            )
    await citizens.open_form(county, notice="本机关的说明。")
    with pytest.raises(PublicSettingsChangedError):
        await public_settings.set_form(
            county.desk, county.admin, wanted, new_secret=lambda: os.urandom(32)
        )
    view = await public_settings.show(county.desk, county.admin)
    assert (view.version, view.open, view.notice) == (1, True, "本机关的说明。")


async def test_what_a_citizen_hands_in_waits_at_the_desk_without_his_name(county: Room) -> None:
    await citizens.open_form(county)
    await citizens.send(county, await citizens.letter(county, name="高某", phone="138 0000 0000"))
    item_id = await only_item(county)
    view = await reading.view(county.desk, county.editor, item_id)
    assert (view.item.state, view.item.channel, view.item.title) == (
        "submitted",
        "public_form",
        "江边步道夜里没有灯",
    )
    assert view.edition.authors == [
        {"name": "群众", "kind": "public_submission", "unit": "社会公众"}
    ]
    contact = await public_receipts.contact(county.desk, county.editor, item_id)
    assert (contact.name, contact.phone) == ("高某", "138 0000 0000")
    for actor in (county.lin, county.reviewer, county.leader, county.admin, county.security):
        with pytest.raises(ForbiddenError):
            await public_receipts.contact(county.desk, actor, item_id)
    with pytest.raises(UnknownContactError):
        await public_receipts.contact(county.desk, county.editor, await county.submit())
    async with county.database.reading() as session:
        rows = await session.execute(
            select(AuditRow.actor, AuditRow.came_from).where(AuditRow.action == "public_submitted")
        )
        assert rows.all() == [("public", citizens.ADDRESS)]


async def test_the_citizens_name_does_not_travel_with_the_item(pair: Chain) -> None:
    county = pair.county
    await citizens.open_form(county)
    await citizens.send(county, await citizens.letter(county, name="高某", phone="13800000000"))
    item_id = await only_item(county)
    await pair.climb(item_id)
    async with pair.above.database.reading() as session:
        edition = await session.get_one(Edition, (item_id, 1))
    assert edition.authors[0]["name"] == "群众"
    said = str(await contents(pair.above.database))
    assert "高某" not in said
    assert "13800000000" not in said


@pytest.mark.parametrize("by", ["answer", "work"])
async def test_a_person_is_recognised_by_an_answer_or_by_work_done_in_the_browser(
    county: Room, by: str
) -> None:
    await citizens.open_form(county)
    challenge = await citizens.shown(county)
    proof: dict[str, Any] = (
        {"answer": citizens.answer(challenge)}
        if by == "answer"
        else {"work": citizens.work(challenge)}
    )
    content = citizens.WORDS | {"challenge": challenge.token} | proof
    assert await citizens.send(county, public_intake.letter(content))


async def test_a_form_that_was_used_is_refused_however_often_and_at_whatever_moment(
    county: Room,
) -> None:
    await citizens.open_form(county)
    sent = await citizens.letter(county)
    results = await asyncio.gather(
        *(citizens.send(county, sent, came_from=f"198.51.100.{n}") for n in range(3)),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in results) == [
        "ChallengeUsedError",
        "ChallengeUsedError",
        "str",
    ]
    with pytest.raises(ChallengeUsedError):
        await citizens.send(county, sent)
    assert await only_item(county)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"answer": "999"}, ChallengeError),
        ({"answer": None}, ChallengeError),
        ({"answer": "二二"}, ChallengeError),
        ({"challenge": "00.1.00"}, ChallengeError),
        ({"challenge": "无"}, ChallengeError),
        ({"work": 0, "answer": None}, ChallengeError),
        ({"consent": False}, ConsentError),
        ({"body": "字" * 3001}, TooLongError),
        ({"body": "这是绝 密文件。"}, PhrasesError),
        ({"topic": "weather"}, TopicError),
    ],
)
async def test_what_does_not_fit_is_refused_and_changes_nothing(
    county: Room, changes: dict[str, Any], error: type[Exception]
) -> None:
    await citizens.open_form(county)
    sent = await citizens.letter(county, **changes)
    before = await contents(county.database)
    with pytest.raises(error):
        await citizens.send(county, sent)
    assert await contents(county.database) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "两\u202e行"},
        {"body": "零\x00字节"},
        {"phone": "请看正文"},
        {"unknown": "x"},
        {"title": ""},
    ],
)
def test_what_no_letter_may_hold_is_refused_before_anything_is_asked(
    changes: dict[str, Any],
) -> None:
    with pytest.raises(InputError):
        public_intake.letter(citizens.WORDS | {"challenge": "x"} | changes)


async def test_a_form_is_filled_in_by_a_person_neither_at_once_nor_for_hours(county: Room) -> None:
    await citizens.open_form(county)
    for after, error in (
        (timedelta(seconds=1), TooQuickError),
        (timedelta(hours=2, seconds=1), ChallengeExpiredError),
    ):
        challenge = await citizens.shown(county, after=after)
        proof = {"challenge": challenge.token, "answer": citizens.answer(challenge)}
        with pytest.raises(error):
            await citizens.send(county, public_intake.letter(citizens.WORDS | proof))


async def test_a_form_of_another_office_is_none_of_ours(pair: Chain) -> None:
    await citizens.open_form(pair.above)
    await citizens.open_form(pair.county)
    with pytest.raises(ChallengeError):
        await citizens.send(pair.county, await citizens.letter(pair.above))


async def test_forms_that_expired_are_forgotten(county: Room) -> None:
    await citizens.open_form(county)
    await citizens.send(county)
    county.clock.move(timedelta(hours=3))
    await citizens.send(county)
    async with county.database.reading() as session:
        assert len((await session.scalars(select(UsedChallenge))).all()) == 1


async def test_an_address_and_the_office_take_in_so_much_a_day(county: Room) -> None:
    await citizens.open_form(county, per_address=2, per_day=3)
    for _ in range(2):
        await citizens.send(county)
    with pytest.raises(TooManyError) as told:
        await citizens.send(county)
    # It is past 17:00 in China, and the next day begins at midnight there.
    assert 0 < told.value.retry_after <= 7 * 3600
    await citizens.send(county, came_from="203.0.113.9")
    with pytest.raises(TooManyError):
        await citizens.send(county, came_from="203.0.113.10")
    county.clock.move(timedelta(seconds=told.value.retry_after))
    await citizens.send(county)


async def test_whoever_has_a_whole_network_of_addresses_is_counted_as_one(county: Room) -> None:
    await citizens.open_form(county, per_address=1)
    await citizens.send(county, came_from="2001:db8:1:2::7")
    with pytest.raises(TooManyError):
        await citizens.send(county, came_from="2001:db8:1:2:ffff::1")
    await citizens.send(county, came_from="2001:db8:1:3::7")
    await citizens.send(county, came_from="::ffff:192.0.2.1")
    with pytest.raises(TooManyError):
        await citizens.send(county, came_from="192.0.2.1")
    # On a socket of the machine itself there is no address.
    await citizens.send(county, came_from="local")


async def test_a_receipt_tells_what_came_of_the_item_and_nothing_of_what_was_said_inside(
    county: Room,
) -> None:
    await citizens.open_form(county)
    code = await citizens.send(county)
    item_id = await only_item(county)
    for action in (Action.REGISTER, Action.ADOPT, Action.INSTRUCT, Action.IMPLEMENT, Action.CLOSE):
        await do(county, action, item_id)
    found = await public_receipts.view(county.desk, f" {code.lower().replace('-', ' ')} ")
    assert found.title == "江边步道夜里没有灯"
    assert [step.sentence for step in found.steps] == [
        "东湖县政协已收到。",
        "东湖县政协已登记，正在办理。",
        "东湖县政协已采用，供领导和有关部门研究。",
        "领导已作出批示，由东湖县政协跟进。",
        "县住建局反馈落实情况：已布设四十处充电棚。",
        "东湖县政协办结。",
    ]


async def test_a_citizen_reads_why_nothing_came_of_it(county: Room) -> None:
    await citizens.open_form(county)
    code = await citizens.send(county)
    await do(county, Action.DECLINE, await only_item(county))
    found = await public_receipts.view(county.desk, code)
    assert found.steps[-1].sentence == "东湖县政协没有采用，理由：已有部署。"


async def test_each_receipt_opens_its_own_item_also_after_the_form_was_closed(
    county: Room,
) -> None:
    await citizens.open_form(county)
    codes = {
        title: await citizens.send(county, await citizens.letter(county, title=title))
        for title in ("甲事", "乙事")
    }
    await citizens.open_form(county, open=False)
    for title, code in codes.items():
        assert (await public_receipts.view(county.desk, code)).title == title
        with pytest.raises(UnknownReceiptError):
            await public_receipts.view(county.desk, code[:-1])
    async with county.database.reading() as session:
        kept = str((await session.execute(select(PublicSubmission.__table__))).all())
    assert not any(code in kept or code.replace("-", "") in kept for code in codes.values())


def test_a_code_has_a_hundred_random_bits_and_is_read_as_people_write_it() -> None:
    assert receipt_codes.make(bytes(13)) == "00000-00000-00000-00000"
    assert receipt_codes.make(b"\xff" * 13) == "ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ"
    for bit in range(100):
        one = (1 << bit).to_bytes(13)
        assert receipt_codes.make(one) != receipt_codes.make(bytes(13))
    same = receipt_codes.digest("01AB0-00000-00000-00000")
    assert receipt_codes.digest("oiab o00000 00000—00000".replace(" o", "0")) == same


async def test_name_and_number_go_when_the_item_is_purged(county: Room) -> None:
    await citizens.open_form(county)
    code = await citizens.send(county, await citizens.letter(county, name="高某"))
    item_id = await only_item(county)
    await purges.purge(county.desk, county.security, item_id, "涉及个人隐私。")
    assert "高某" not in str(await contents(county.database))
    found = await public_receipts.view(county.desk, code)
    assert found.title == "（内容已清除）"


async def test_name_and_number_are_erased_when_they_were_kept_long_enough(county: Room) -> None:
    await citizens.open_form(county)
    await citizens.send(county, await citizens.letter(county, phone="13800000000"))
    item_id = await only_item(county)
    county.clock.move(timedelta(days=700))
    assert not await public_receipts.erase_due(county.desk, 2)
    assert (await public_receipts.contact(county.desk, county.editor, item_id)).phone
    county.clock.move(timedelta(days=40))
    await public_receipts.erase_due(county.desk, 2)
    kept = await public_receipts.contact(county.desk, county.editor, item_id)
    assert kept.phone is None
    assert kept.erased_at is not None


async def test_a_confirmed_phrase_is_no_hindrance(county: Room) -> None:
    await citizens.open_form(county)
    words = {"body": "楼道贴着“不得翻印”的广告。", "confirmed": True}
    await citizens.send(county, await citizens.letter(county, **words))
    async with county.database.reading() as session:
        assert (await session.scalars(select(Item))).one().state == "submitted"


async def test_an_editor_declines_and_registers_it_as_any_other(county: Room) -> None:
    await citizens.open_form(county)
    await citizens.send(county)
    assert await decisions.register(county.desk, county.editor, await only_item(county))
