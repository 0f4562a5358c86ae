"""Issues are composed, signed and withdrawn; what stands in them is adopted, and that is told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from node.config import NumberSettings
from node.desk_errors import NotSharedError, NotSignedError, StaleError
from node.errors import AlreadyForwardedError, ForbiddenError, InputError
from node.issue_errors import (
    EmptyIssueError,
    IssueChangedError,
    IssueStateError,
    UnknownIssueError,
)
from node.workflow import decisions, forwarding, issues, merging, notes, numbers, reading
from node.workflow.issues import Layout, NewIssue
from protocol.errors import LifecycleError
from protocol.lifecycle import Action
from tests.node.chain import Chain
from tests.node.rooms import Room, contents
from tests.node.workflow.deeds import DEEDS
from tests.node.workflow.test_editing import edit
from tests.node.workflow.test_reviews import chained

TO = ("县委书记", "县长")


async def begun(room: Room, *items: UUID, series: str = "general_issue", **more: Any) -> UUID:
    """A draft with these items."""
    given = {"series": series, "title": "社情民意", "primary_recipients": TO, "items": items}
    return await issues.begin(room.desk, room.editor, NewIssue.model_validate(given | more))


async def signed(room: Room, *items: UUID, **more: Any) -> tuple[UUID, str]:
    """A signed issue with these items, and how it is cited."""
    issue = await begun(room, *items, **more)
    return issue, await issues.sign(room.desk, room.signer, issue, 1)


async def test_what_is_published_is_adopted_under_the_number_of_its_issue(county: Room) -> None:
    items = [await county.registered(title=title) for title in ("甲", "乙")]
    year = county.clock().year
    issue, label = await signed(county, *items, series="special_report")
    assert label == f"《社情民意专报》{year}年第1期"
    view = await issues.view(county.desk, county.leader, issue)
    assert [placed.item.title for placed in view.items] == ["甲", "乙"]
    assert (view.issue.state, view.issue.signed_by) == ("signed", county.signer.name)
    for item in items:
        assert await county.state(item) == "adopted"
    told = await county.told_of(county.lin)
    assert told[-2:] == [
        f"东湖县政协以专报编发，刊于{label}。",
        f"东湖县政协单篇采用，刊于{label}。",
    ]
    _, second = await signed(county, items[0], series="special_report")
    _, other = await signed(county, items[0], series="urgent_relay")
    assert second.endswith("第2期")
    assert other == f"《社情民意转报》{year}年第1期"
    kinds = [kind for _, kind in await county.timeline(items[0])]
    assert (kinds.count("published"), kinds.count("adopted")) == (3, 1)


async def test_a_referral_adopts_nothing(county: Room) -> None:
    item = await county.registered()
    await signed(county, item, series="referral", primary_recipients=["县住建局", "县供电公司"])
    assert await county.state(item) == "registered"
    assert (await county.told_of(county.lin))[-1] == "东湖县政协转送县住建局、县供电公司。"


async def test_a_combined_item_is_adopted_combined_for_each_of_its_authors(county: Room) -> None:
    items = [await county.registered(title=title) for title in ("甲", "乙")]
    wanted = merging.combination({"items": items})
    combined = await merging.merge(county.desk, county.editor, wanted)
    _, label = await signed(county, combined)
    told = await county.told_of(county.lin)
    assert told.count(f"合并稿：东湖县政协综合采用，刊于{label}。") == 2
    with pytest.raises(LifecycleError, match="the item is adopted"):
        await merging.take_apart(county.desk, county.editor, combined)


async def test_a_withdrawn_issue_takes_its_adoptions_along_but_for_what_stands_elsewhere(
    county: Room,
) -> None:
    both, one = [await county.registered(title=title) for title in ("甲", "乙")]
    issue, _ = await signed(county, both, one)
    await signed(county, both, series="special_report")
    await issues.withdraw(county.desk, county.signer, issue, "数字有误")
    assert [await county.state(item) for item in (both, one)] == ["adopted", "registered"]
    assert (await county.told_of(county.lin))[-1] == "东湖县政协撤销采用，理由：数字有误。"
    before = await contents(county.database)
    with pytest.raises(IssueStateError):
        await issues.withdraw(county.desk, county.signer, issue, "又一次")
    assert await contents(county.database) == before
    # Its number is not given again.
    _, label = await signed(county, one)
    assert label.endswith("第2期")


async def test_a_withdrawn_issue_leaves_alone_what_was_adopted_by_hand_or_is_closed(
    leaf: Room,
) -> None:
    by_hand, closed, other = [await leaf.registered(title=title) for title in ("甲", "乙", "丙")]
    await DEEDS[Action.ADOPT](leaf.desk, leaf.editor, by_hand)
    issue, _ = await signed(leaf, by_hand, closed, other)
    await DEEDS[Action.CLOSE](leaf.desk, leaf.editor, closed)
    await issues.withdraw(leaf.desk, leaf.signer, issue, "数字有误")
    states = [await leaf.state(item) for item in (by_hand, closed, other)]
    assert states == ["adopted", "adopted", "registered"]


async def test_after_a_restore_no_number_of_an_issue_is_given_again(county: Room) -> None:
    pattern, now = county.desk.numbers.general_issue, county.clock()
    series = numbers.of_issues("general_issue")
    async with county.database.writing.begin() as session:
        await numbers.keep(session, series, pattern, f"《社情民意》{now.year}年第8期")
    _, label = await signed(county, await county.registered())
    assert label == f"《社情民意》{now.year}年第9期"


async def test_a_draft_is_laid_out_anew_by_whoever_saw_its_newest_version(leaf: Room) -> None:
    first, second = [await leaf.registered(title=title) for title in ("甲", "乙")]
    issue = await begun(leaf, first)
    layout = Layout(title="改过", primary_recipients=TO, items=(second, first), copies=30)
    await issues.change(leaf.desk, leaf.editor, issue, 1, layout)
    view = await issues.view(leaf.desk, leaf.editor, issue)
    assert [placed.item.id for placed in view.items] == [second, first]
    assert (view.issue.version, view.issue.copies) == (2, 30)
    before = await contents(leaf.database)
    with pytest.raises(IssueChangedError):
        await issues.change(leaf.desk, leaf.editor, issue, 1, layout)
    with pytest.raises(IssueChangedError):
        await issues.sign(leaf.desk, leaf.signer, issue, 1)
    assert await contents(leaf.database) == before
    await issues.drop(leaf.desk, leaf.editor, issue, 2)
    with pytest.raises(UnknownIssueError):
        await issues.view(leaf.desk, leaf.editor, issue)


async def test_an_issue_without_items_or_recipients_is_not_signed(leaf: Room) -> None:
    item = await leaf.registered()
    for issue in (await begun(leaf), await begun(leaf, item, primary_recipients=[])):
        before = await contents(leaf.database)
        with pytest.raises(EmptyIssueError):
            await issues.sign(leaf.desk, leaf.signer, issue, 1)
        assert await contents(leaf.database) == before


async def test_nothing_of_an_issue_is_done_where_one_of_its_items_cannot_stand_in_it(
    leaf: Room,
) -> None:
    good, bad = [await leaf.registered(title=title) for title in ("甲", "乙")]
    issue = await begun(leaf, good, bad)
    await edit(leaf, bad, title="后来改的")
    before = await contents(leaf.database)
    with pytest.raises(StaleError):
        await issues.sign(leaf.desk, leaf.signer, issue, 1)
    assert await contents(leaf.database) == before
    declined = await begun(leaf, good, bad)
    await decisions.decline(leaf.desk, leaf.editor, bad, "已有部署")
    before = await contents(leaf.database)
    with pytest.raises(LifecycleError, match="the item is declined"):
        await issues.sign(leaf.desk, leaf.signer, declined, 1)
    assert await contents(leaf.database) == before


async def test_what_the_chain_has_not_signed_is_not_published(leaf: Room) -> None:
    item = await leaf.registered()
    issue = await begun(leaf, item)
    await chained(leaf)
    with pytest.raises(NotSignedError):
        await issues.sign(leaf.desk, leaf.signer, issue, 1)


async def test_an_item_stands_once_in_an_issue_and_submitted_ones_not_at_all(leaf: Room) -> None:
    item = await leaf.registered()
    with pytest.raises(InputError, match="只能出现一次"):
        await begun(leaf, item, item)
    with pytest.raises(LifecycleError):
        await begun(leaf, await leaf.submit())


async def test_editors_compose_signers_sign_and_others_do_neither(leaf: Room) -> None:
    issue = await begun(leaf, await leaf.registered())
    for actor in (leaf.lin, leaf.editor, leaf.leader, leaf.admin):
        with pytest.raises(ForbiddenError):
            await issues.sign(leaf.desk, actor, issue, 1)
        with pytest.raises(ForbiddenError):
            await issues.withdraw(leaf.desk, actor, issue, "不妥")
    with pytest.raises(ForbiddenError):
        await issues.drop(leaf.desk, leaf.signer, issue, 1)


@pytest.mark.parametrize(
    "pattern", ["{year}", "第{number}期", "{year}{who}{number}", "{", "{year}-{number:099}"]
)
def test_a_pattern_that_does_not_tell_two_numbers_apart_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError):
        NumberSettings.model_validate({"register_number": pattern})


async def test_an_office_writes_its_numbers_as_it_likes_and_goes_on_after_a_restore(
    county: Room,
) -> None:
    pattern = "云政信〔{year}〕{number:03}号"
    now = county.clock()
    async with county.database.writing.begin() as session:
        assert await numbers.next_number(session, pattern, now) == f"云政信〔{now.year}〕001号"
        await numbers.keep(session, numbers.REGISTER, pattern, f"云政信〔{now.year}〕041号")
        await numbers.keep(session, numbers.REGISTER, pattern, f"{now.year}-0099")
        assert await numbers.next_number(session, pattern, now) == f"云政信〔{now.year}〕042号"


async def test_a_note_goes_to_the_editors_of_the_next_office_and_to_no_author(
    pair: Chain,
) -> None:
    county, city = pair.county, pair.top
    item = await county.registered()
    with pytest.raises(NotSharedError):
        await notes.write(county.desk, county.editor, item, "请优先考虑", "above")
    await forwarding.forward_up(county.desk, county.editor, item)
    await notes.write(county.desk, county.editor, item, "请优先考虑", "above")
    await pair.deliver()
    await notes.write(city.desk, city.editor, item, "请核对数字", "below")
    await pair.deliver()
    for room in (county, city):
        view = await reading.view(room.desk, room.editor, item)
        said = [entry.sentence for entry in view.timeline if entry.kind == "noted"]
        assert said == ["编辑附言：请优先考虑。", "编辑附言：请核对数字。"]
    mine = await reading.view(county.desk, county.lin, item)
    assert "noted" not in {entry.kind for entry in mine.timeline}
    assert not [told for told in await county.told_of(county.lin) if "附言" in told]


async def test_a_note_goes_up_with_the_item_or_neither_does(pair: Chain) -> None:
    county, city = pair.county, pair.top
    item = await county.registered()
    before = await contents(county.database)
    with pytest.raises(ForbiddenError):
        await forwarding.forward_up(county.desk, county.lin, item, note="请优先考虑")
    assert await contents(county.database) == before
    await forwarding.forward_up(county.desk, county.editor, item, note="请优先考虑")
    await pair.deliver()
    view = await reading.view(city.desk, city.editor, item)
    said = [entry.sentence for entry in view.timeline if entry.kind == "noted"]
    assert said == ["编辑附言：请优先考虑。"]
    after = await contents(county.database)
    with pytest.raises(AlreadyForwardedError):
        await forwarding.forward_up(county.desk, county.editor, item, note="再说一次")
    assert await contents(county.database) == after


async def test_only_what_went_up_or_came_from_below_is_written_about(pair: Chain) -> None:
    city = pair.top
    item = await city.registered()
    with pytest.raises(NotSharedError):
        await notes.write(city.desk, city.editor, item, "请核对", "below")
    with pytest.raises(ForbiddenError):
        await notes.write(city.desk, city.lin, item, "请核对", "below")
