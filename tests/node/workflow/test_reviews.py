"""An edition goes along the office's approval chain; who signs what is the chain's to say."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from node.desk_errors import (
    ChecksError,
    InReviewError,
    NoChainError,
    NoReviewError,
    NotSignedError,
    StaleError,
)
from node.errors import ForbiddenError, InputError
from node.storage.audit import AuditRow
from node.workflow import (
    chains,
    checks,
    decisions,
    forwarding,
    purges,
    reading,
    reviews,
    triage,
    workbench,
)
from node.workflow.chains import Wanted
from node.workflow.desk import Actor
from protocol.errors import LifecycleError
from protocol.lifecycle import Action
from tests.node.chain import Chain
from tests.node.rooms import Room, contents
from tests.node.workflow.deeds import DEEDS
from tests.node.workflow.test_editing import edit

REVIEW = {"name": "审核", "role": "reviewer"}
SIGN = {"name": "签发", "role": "signer"}


async def chained(room: Room, *steps: dict[str, Any], **more: Any) -> None:
    """Let the office have a chain: review and signing, unless it is said otherwise."""
    wanted = Wanted.model_validate({"steps": steps or (REVIEW, SIGN)} | more)
    await chains.set_chain(room.desk, room.admin, wanted)


async def sent(room: Room) -> UUID:
    """An item whose second edition, by the editor, is in review."""
    item = await room.registered()
    await edit(room, item, title="送审的标题")
    await reviews.send(room.desk, room.editor, item, 2)
    return item


async def signed(room: Room) -> UUID:
    item = await sent(room)
    await reviews.approve(room.desk, room.reviewer, item, 2)
    await reviews.approve(room.desk, room.signer, item, 2)
    return item


async def test_an_edition_is_reviewed_signed_and_adopted(county: Room) -> None:
    await chained(county)
    item = await sent(county)
    assert await county.state(item) == "in_review"
    await reviews.approve(county.desk, county.reviewer, item, 2, "可以。")
    [review] = (await workbench.view(county.desk, county.signer, item)).reviews
    assert (review.waits_at, review.role) == ("签发", "signer")
    await reviews.approve(county.desk, county.signer, item, 2)
    assert await county.state(item) == "signed"
    [review] = (await workbench.view(county.desk, county.editor, item)).reviews
    assert (review.outcome, review.waits_at, review.sent_by) == ("signed", None, county.editor.name)
    assert [(v.step, v.verdict, v.person, v.opinion) for v in review.votes] == [
        ("审核", "approved", county.reviewer.name, "可以。"),
        ("签发", "approved", county.signer.name, None),
    ]
    await decisions.adopt(county.desk, county.editor, item)
    assert [kind for _, kind in await county.timeline(item)] == [
        *("submitted", "registered", "edited", "sent_to_review", "approved", "signed", "adopted")
    ]


async def test_each_finds_what_waits_for_him_in_a_queue(county: Room) -> None:
    await chained(county)
    item = await sent(county)

    async def waiting(actor: Actor) -> int:
        return (await triage.counts(county.desk, actor))["waiting_for_me"]

    assert [await waiting(who) for who in (county.reviewer, county.signer)] == [1, 0]
    await reviews.approve(county.desk, county.reviewer, item, 2)
    assert [await waiting(who) for who in (county.reviewer, county.signer)] == [0, 1]
    page = await triage.show(county.desk, county.signer, "waiting_for_me")
    assert [row.waits_for for row in page.rows] == ["signer"]


async def test_nothing_is_adopted_or_forwarded_that_was_not_signed(pair: Chain) -> None:
    county = pair.county
    await chained(county)
    item = await county.registered()
    offered = (await reading.view(county.desk, county.editor, item)).actions
    assert not {"adopt", "forward_up", "approve"} & set(offered)
    assert "send_to_review" in offered
    before = await contents(county.database)
    for deed in (decisions.adopt, forwarding.forward_up):
        with pytest.raises(NotSignedError):
            await deed(county.desk, county.editor, item)
    assert await contents(county.database) == before


async def test_a_signature_is_for_one_edition_alone(pair: Chain) -> None:
    county = pair.county
    await chained(county)
    item = await signed(county)
    await edit(county, item, title="签发之后又改")
    with pytest.raises(NotSignedError):
        await forwarding.forward_up(county.desk, county.editor, item)


async def test_what_was_adopted_is_edited_signed_again_and_stays_adopted(pair: Chain) -> None:
    county = pair.county
    await chained(county)
    item = await signed(county)
    await decisions.adopt(county.desk, county.editor, item)
    await edit(county, item, title="按上级意见修改")
    await reviews.send(county.desk, county.editor, item, 3)
    with pytest.raises(InReviewError):
        await reviews.send(county.desk, county.editor, item, 3)
    await reviews.approve(county.desk, county.reviewer, item, 3)
    assert "sign_off" in (await reading.view(county.desk, county.signer, item)).actions
    await reviews.approve(county.desk, county.signer, item, 3)
    assert await county.state(item) == "adopted"
    await forwarding.forward_up(county.desk, county.editor, item)


async def test_an_edition_that_was_sent_back_is_edited_and_sent_again(county: Room) -> None:
    await chained(county)
    item = await sent(county)
    await reviews.send_back(county.desk, county.reviewer, item, 2, "数字有误")
    assert await county.state(item) == "editing"
    with pytest.raises(NoReviewError):
        await reviews.approve(county.desk, county.reviewer, item, 2)
    await edit(county, item, body="改正后的正文。")
    await reviews.send(county.desk, county.editor, item, 3)
    first, second = (await workbench.view(county.desk, county.editor, item)).reviews
    assert (first.outcome, first.votes[0].opinion) == ("sent_back", "数字有误")
    assert (second.edition, second.waits_at) == (3, "审核")
    sentences = [
        entry.sentence for entry in (await reading.view(county.desk, county.editor, item)).timeline
    ]
    assert "审核退回编辑，意见：数字有误。" in sentences


async def test_a_step_is_taken_by_its_role_alone_and_what_is_refused_is_noted(leaf: Room) -> None:
    await chained(leaf)
    item = await sent(leaf)
    before = await contents(leaf.database)
    for actor in (leaf.signer, leaf.editor, leaf.lin, leaf.leader, leaf.admin):
        with pytest.raises(ForbiddenError) as refused:
            await reviews.approve(leaf.desk, actor, item, 2)
        assert refused.value.refused is not None
    assert await contents(leaf.database) == before


async def test_nobody_takes_two_steps_or_reviews_what_he_wrote(leaf: Room) -> None:
    first = {"name": "初审", "role": "reviewer"}
    second = {"name": "复审", "role": "reviewer"}
    await chained(leaf, first, second, SIGN)
    item = await leaf.registered()
    await edit(leaf, item, by=leaf.reviewer, title="审核人员改的标题")
    await reviews.send(leaf.desk, leaf.reviewer, item, 2)
    with pytest.raises(ForbiddenError, match="须由另一人办理"):
        await reviews.approve(leaf.desk, leaf.reviewer, item, 2)

    await chained(leaf, first | {"another_person": False}, second, SIGN)
    other = await leaf.registered()
    await reviews.send(leaf.desk, leaf.reviewer, other, 1)
    await reviews.approve(leaf.desk, leaf.reviewer, other, 1)
    with pytest.raises(ForbiddenError, match="“复审”须由另一人办理"):
        await reviews.approve(leaf.desk, leaf.reviewer, other, 1)


async def test_a_step_is_passed_over_by_whoever_may_and_with_a_reason(leaf: Room) -> None:
    await chained(leaf, REVIEW | {"may_skip": ["signer"]}, SIGN)
    item = await sent(leaf)
    for actor in (leaf.editor, leaf.reviewer):
        with pytest.raises(ForbiddenError, match="不能跳过“审核”"):
            await reviews.skip(leaf.desk, actor, item, 2, "急件")
    await reviews.skip(leaf.desk, leaf.signer, item, 2, "急件")
    with pytest.raises(ForbiddenError, match="不能跳过“签发”"):
        await reviews.skip(leaf.desk, leaf.signer, item, 2, "急件")
    await reviews.approve(leaf.desk, leaf.signer, item, 2)
    assert await leaf.state(item) == "signed"
    view = await reading.view(leaf.desk, leaf.editor, item)
    assert "跳过审核，理由：急件。" in [entry.sentence for entry in view.timeline]


async def test_the_five_checks_are_kept_with_their_opinions_and_may_be_demanded(
    county: Room,
) -> None:
    await chained(county, checks_demanded=True)
    item = await county.registered()
    note = {"edition": 1, "passed": True, "opinion": None}
    with pytest.raises(InputError, match="请写明意见"):
        await checks.note(
            county.desk, county.editor, item, edition=1, kind="policy", passed=False, opinion=None
        )
    for kind in checks.KINDS[1:]:
        await checks.note(county.desk, county.editor, item, kind=kind, **note)
    await checks.note(
        county.desk,
        county.reviewer,
        item,
        kind="political",
        edition=1,
        passed=False,
        opinion="提法不准。",
    )
    with pytest.raises(ChecksError, match="尚未通过：政治关"):
        await reviews.send(county.desk, county.editor, item, 1)
    await checks.note(county.desk, county.reviewer, item, kind="political", **note)
    bench = await workbench.view(county.desk, county.editor, item)
    assert (len(bench.checks), bench.checks_missing) == (6, [])
    await reviews.send(county.desk, county.editor, item, 1)


async def test_a_new_edition_is_checked_anew(leaf: Room) -> None:
    item = await leaf.registered()
    for kind in checks.KINDS:
        await checks.note(
            leaf.desk, leaf.editor, item, kind=kind, edition=1, passed=True, opinion=None
        )
    await edit(leaf, item, title="新标题")
    bench = await workbench.view(leaf.desk, leaf.editor, item)
    assert (bench.checks, bench.checks_missing) == ([], list(checks.KINDS))
    with pytest.raises(StaleError):
        await checks.note(
            leaf.desk, leaf.editor, item, kind="policy", edition=1, passed=True, opinion=None
        )


async def test_without_a_chain_nothing_is_sent_to_review(leaf: Room) -> None:
    item = await leaf.registered()
    for _ in range(2):
        with pytest.raises(NoChainError):
            await reviews.send(leaf.desk, leaf.editor, item, 1)
        await chained(leaf)
        await chains.set_chain(leaf.desk, leaf.admin, Wanted(steps=()))
    await decisions.adopt(leaf.desk, leaf.editor, item)


async def test_what_is_not_at_the_desk_is_neither_sent_nor_checked(leaf: Room) -> None:
    await chained(leaf)
    item = await leaf.submit()
    with pytest.raises(LifecycleError, match="cannot send_to_review: the item is submitted"):
        await reviews.send(leaf.desk, leaf.editor, item, 1)
    with pytest.raises(LifecycleError, match="cannot check: the item is submitted"):
        await checks.note(
            leaf.desk, leaf.editor, item, kind="policy", edition=1, passed=True, opinion=None
        )


async def test_what_was_returned_in_review_is_sent_again_from_the_beginning(leaf: Room) -> None:
    await chained(leaf)
    item = await sent(leaf)
    await DEEDS[Action.RETURN](leaf.desk, leaf.editor, item)
    with pytest.raises(NoReviewError):
        await reviews.approve(leaf.desk, leaf.reviewer, item, 2)
    await DEEDS[Action.RESUBMIT](leaf.desk, leaf.lin, item)
    await decisions.register(leaf.desk, leaf.editor, item)
    await reviews.send(leaf.desk, leaf.editor, item, 3)
    bench = await workbench.view(leaf.desk, leaf.editor, item)
    assert [review.outcome for review in bench.reviews] == ["dropped", None]


async def test_a_purge_leaves_no_word_of_checks_and_reviews(leaf: Room) -> None:
    await chained(leaf)
    item = await leaf.registered()
    await checks.note(
        leaf.desk,
        leaf.editor,
        item,
        kind="policy",
        edition=1,
        passed=False,
        opinion="不该留下的意见。",
    )
    await reviews.send(leaf.desk, leaf.editor, item, 1)
    await reviews.send_back(leaf.desk, leaf.reviewer, item, 1, "不该留下的理由")
    await purges.purge(leaf.desk, leaf.security, item, "误报")
    assert "不该留下" not in str(await contents(leaf.database))


@pytest.mark.parametrize(
    "steps",
    [
        [REVIEW, REVIEW],
        [REVIEW | {"role": "author"}],
        [SIGN | {"may_skip": ["editor"]}],
        [{"name": "", "role": "signer"}],
        [SIGN | {"name": f"第{n}步"} for n in range(9)],
    ],
)
def test_a_chain_that_makes_no_sense_is_refused(steps: list[dict[str, Any]]) -> None:
    with pytest.raises(ValidationError):
        Wanted.model_validate({"steps": steps})


async def test_only_the_systems_administrator_sets_the_chain_and_that_is_noted(leaf: Room) -> None:
    for actor in (leaf.editor, leaf.signer, leaf.security):
        with pytest.raises(ForbiddenError):
            await chains.set_chain(leaf.desk, actor, Wanted(steps=()))
    await chained(leaf)
    shown = await chains.show(leaf.desk, leaf.editor)
    assert (shown.version, [step.role for step in shown.steps]) == (1, ["reviewer", "signer"])
    async with leaf.database.reading() as session:
        [noted] = (
            await session.scalars(select(AuditRow).where(AuditRow.action == "chain_set"))
        ).all()
    assert noted.detail["steps"] == ["reviewer", "signer"]
