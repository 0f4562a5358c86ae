"""Who may do what, to which item, and when: everything else is refused and changes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from node.errors import ForbiddenError, UnknownItemError
from node.workflow import access, decisions, reading
from protocol import lifecycle
from protocol.errors import LifecycleError
from protocol.lifecycle import Action
from tests.node.chain import Chain
from tests.node.rooms import Room, contents
from tests.node.workflow.deeds import DEEDS, do, item_after

STANDINGS: dict[str, tuple[Action, ...]] = {
    "submitted": (),
    "registered": (Action.REGISTER,),
    "adopted": (Action.REGISTER, Action.ADOPT),
    "declined": (Action.DECLINE,),
    "returned": (Action.RETURN,),
    "withdrawn": (Action.WITHDRAW,),
    "closed": (Action.REGISTER, Action.INSTRUCT, Action.CLOSE),
    "archived": (Action.REGISTER, Action.CLOSE, Action.ARCHIVE),
}
"""How an item comes to stand where it stands."""


@pytest.mark.parametrize("standing", STANDINGS)
async def test_what_the_state_does_not_allow_is_refused_and_changes_nothing(
    pair: Chain, standing: str
) -> None:
    room = pair.county
    item = await item_after(room, *STANDINGS[standing])
    view = await reading.view(room.desk, room.editor, item)
    assert standing in (view.item.state, "closed", "archived")
    allowed = {str(action) for action in _possible(view)}
    before = await contents(room.database)

    for action in DEEDS:
        if action not in allowed:
            with pytest.raises(LifecycleError, match=f"cannot {action}"):
                await do(room, action, item)

    assert await contents(room.database) == before


@pytest.mark.parametrize("standing", STANDINGS)
async def test_the_actions_that_a_person_is_offered_are_those_that_can_be_carried_out(
    pair: Chain, standing: str
) -> None:
    room = pair.county
    item = await item_after(room, *STANDINGS[standing])
    for person, actions in ((room.lin, ("resubmit", "withdraw")), (room.editor, tuple(DEEDS))):
        offered = set((await reading.view(room.desk, person, item)).actions)
        for action in actions:
            one = await item_after(room, *STANDINGS[standing])
            if action in offered:
                await DEEDS[Action(action)](room.desk, person, one)
            else:
                with pytest.raises((LifecycleError, ForbiddenError)):
                    await DEEDS[Action(action)](room.desk, person, one)


@pytest.mark.parametrize("action", DEEDS)
async def test_a_role_that_may_not_do_a_deed_is_refused_and_changes_nothing(
    pair: Chain, action: Action
) -> None:
    room = pair.county
    item = await room.registered()
    before = await contents(room.database)
    refused = 0
    for actor in (room.lin, room.editor, room.admin, room.security, room.auditor):
        if not access.allows(actor, action):
            refused += 1
            with pytest.raises(ForbiddenError, match=f"the role {min(actor.roles)} may not"):
                await DEEDS[action](room.desk, actor, item)
    assert refused >= 1
    assert await contents(room.database) == before


async def test_the_table_of_roles_is_what_the_office_decided() -> None:
    everyone = {"own_account", "read_people", "copy_person"}
    by_role = {
        role: {action for action, roles in access.MAY.items() if role in roles} - everyone
        for role in access.ROLES
    }
    assert by_role["author"] == {
        *("draft", "rate", "read", "read_calls", "read_topics", "resubmit", "submit"),
        *("upload", "withdraw"),
    }
    assert by_role["system_administrator"] == {
        *("configure_desk", "manage_links", "read_chain", "read_hierarchy", "read_topics")
    }
    assert by_role["security_administrator"] == {
        *("manage_people", "name_deputy", "purge", "read_retention", "read_sign_ins"),
        "read_units",
    }
    assert by_role["auditor"] == {"read_audit", "read_sign_ins"}
    assert by_role["reviewer"] == {
        *("assign_editor", "claim", "edit", "name_deputy", "read", "read_assignments"),
        *("read_chain", "read_issues", "read_merges", "read_units", "review", "send_to_review"),
        *("read_calls", "read_hierarchy", "read_topics", "supervise"),
    }
    assert by_role["signer"] == {
        *("name_deputy", "read", "read_assignments", "read_chain", "read_merges", "read_units"),
        *("read_calls", "read_hierarchy", "read_issues", "read_topics", "review", "sign_issue"),
        "supervise",
    }
    assert by_role["leader"] == {
        *("read", "read_assignments", "read_calls", "read_hierarchy", "read_issues"),
        *("read_topics", "supervise"),
    }
    assert by_role["handler"] == {"handle", "read_assignments", "upload"}
    assert all(
        everyone <= access.MAY.keys() and role in access.MAY["own_account"] for role in by_role
    )
    assert "withdraw" not in by_role["editor"]
    assert "manage_people" not in by_role["editor"]


@pytest.mark.parametrize("action", [Action.RESUBMIT, Action.WITHDRAW])
async def test_an_item_of_someone_else_is_as_unknown_to_an_author_as_one_that_is_not_there(
    county: Room, action: Action
) -> None:
    item = await item_after(county, Action.RETURN)
    before = await contents(county.database)
    for wanted in (item, county.desk.new_id()):
        with pytest.raises(UnknownItemError, match="There is no such item here"):
            await DEEDS[action](county.desk, county.chen, wanted)
        with pytest.raises(UnknownItemError, match="There is no such item here"):
            await reading.view(county.desk, county.chen, wanted)
    assert await contents(county.database) == before


async def test_an_author_lists_own_items_an_editor_all_and_an_administrator_none(
    county: Room,
) -> None:
    mine = await county.submit(title="林的信息")
    shared = await county.submit(title="共同的信息", co_authors=[{"username": "chen"}])

    async def listed(actor: object) -> list[object]:
        page = await reading.list_items(county.desk, actor)  # type: ignore[arg-type]
        assert page.total == len(page.rows)
        return [item.id for item in page.rows]

    assert await listed(county.lin) == [shared, mine]
    assert await listed(county.chen) == [shared]
    assert await listed(county.editor) == [shared, mine]
    with pytest.raises(ForbiddenError):
        await listed(county.admin)


async def test_an_editor_who_is_an_author_as_well_takes_back_nothing_but_his_own(
    county: Room,
) -> None:
    both = replace(county.editor, roles=frozenset({access.EDITOR, access.AUTHOR}))
    item = await county.submit()
    assert "withdraw" not in (await reading.view(county.desk, both, item)).actions
    before = await contents(county.database)
    with pytest.raises(ForbiddenError, match="only an author of the item may withdraw it"):
        await DEEDS[Action.WITHDRAW](county.desk, both, item)
    assert await contents(county.database) == before
    own = await county.submit(co_authors=[{"username": "chen"}])
    chen = replace(county.chen, roles=both.roles)
    assert "withdraw" in (await reading.view(county.desk, chen, own)).actions
    await DEEDS[Action.WITHDRAW](county.desk, chen, own)


async def test_a_list_is_filtered_by_state_and_cut_into_pages(county: Room) -> None:
    items = [await county.submit(title=f"第{n}件") for n in range(5)]
    await decisions.register(county.desk, county.editor, items[2])

    waiting = await reading.list_items(county.desk, county.editor, state="submitted")
    assert [item.title for item in waiting.rows] == ["第4件", "第3件", "第1件", "第0件"]
    part = await reading.list_items(county.desk, county.editor, offset=1, limit=2)
    assert ([item.title for item in part.rows], part.total) == (["第3件", "第2件"], 5)


def _possible(view: reading.ItemView) -> set[Action]:
    kept = view.item.standings["donghu"]
    standing = lifecycle.Standing(lifecycle.State(kept["state"]), frozenset(kept["kinds"]))
    return set(lifecycle.possible(standing))
