"""What an office hands out about an item proves every step of it, under the root alone."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from node.bootstrap import evidence
from node.errors import (
    NothingToProveError,
    NotWrittenHereError,
    PurgedItemError,
    UnknownItemError,
)
from node.storage.audit import AuditRow
from node.workflow import decisions, forwarding, purges, submissions, withdrawals
from protocol import bundle
from protocol.messages.items import Edition
from protocol.verdict import Verdict
from tests.node.chain import Chain
from tests.node.rooms import Room, draft

INSTRUCTION: dict[str, Any] = {
    "leader": "周明远",
    "post": "副省长",
    "text": "请研究。",
    "on": date(2026, 11, 20),
}


async def handed_out(room: Room, item: UUID) -> Verdict:
    """What the item's evidence proves, read back from the file."""
    content = bundle.write(await evidence.export(room.node, room.editor, item))
    return bundle.verify(bundle.read(content), room.desk.chains)


@pytest.mark.parametrize("hierarchy", ["3"], indirect=True)
async def test_every_step_of_an_item_is_proven(chain: Chain) -> None:
    item = await chain.county.submit()
    await chain.climb(item)
    await decisions.instruct(chain.top.desk, chain.top.editor, item, **INSTRUCTION)
    await chain.deliver()

    verdict = await handed_out(chain.county, item)

    assert verdict.flaws == []
    proven = {(s.proven.path.node, s.proven.fact.sequence) for s in verdict.facts}
    told = {
        (office, kind) for office, kind in await chain.county.timeline(item) if kind != "submitted"
    }
    assert len(proven) == len(verdict.facts) == len(told)
    assert {office for office, _ in proven} == set(chain.line)
    [spoken] = verdict.spoken
    assert isinstance(spoken.message.data, Edition)
    assert spoken.receipt is not None
    assert spoken.receipt.path.node == chain.line[1]
    assert [s.proven.path.node for s in verdict.passed_on] == chain.line[1:-1]


async def test_what_was_not_received_is_handed_out_without_a_receipt(pair: Chain) -> None:
    item = await pair.county.registered()
    await forwarding.forward_up(pair.county.desk, pair.county.editor, item)
    verdict = await handed_out(pair.county, item)
    assert verdict.flaws == []
    assert [spoken.receipt for spoken in verdict.spoken] == [None]


async def test_every_edition_and_the_wish_to_have_it_back_are_handed_out(pair: Chain) -> None:
    county, above = pair.county, pair.above
    item = await county.submit()
    await pair.climb(item)
    await decisions.return_(above.desk, above.editor, item, "请补充。")
    await pair.deliver()
    await submissions.resubmit(county.desk, county.lin, item, draft(title="改过的标题"))
    await forwarding.forward_up(county.desk, county.editor, item)
    await pair.deliver()
    await withdrawals.withdraw(county.desk, county.lin, item, "情况有变。")
    await pair.deliver()

    verdict = await handed_out(county, item)

    assert verdict.flaws == []
    names = [spoken.message.name for spoken in verdict.spoken]
    assert names == ["submission", "revision", "withdrawal"]
    assert all(spoken.receipt is not None for spoken in verdict.spoken)


async def test_handing_out_is_noted_in_the_audit_log(leaf: Room) -> None:
    item = await leaf.registered()
    await evidence.export(leaf.node, leaf.editor, item)
    async with leaf.database.reading() as session:
        noted = await session.execute(
            select(AuditRow.actor, AuditRow.subject).where(AuditRow.action == "evidence_exported")
        )
        assert noted.all() == [("editor", str(item))]


async def test_evidence_is_handed_out_where_the_item_was_written(pair: Chain) -> None:
    item = await pair.county.submit()
    await pair.climb(item)
    with pytest.raises(NotWrittenHereError, match="written at donghu"):
        await evidence.export(pair.above.node, pair.above.editor, item)


async def test_an_author_has_the_evidence_of_his_own_items_alone(leaf: Room) -> None:
    item = await leaf.registered()
    assert (await evidence.export(leaf.node, leaf.lin, item)).item == item
    with pytest.raises(UnknownItemError):
        await evidence.export(leaf.node, leaf.chen, item)
    with pytest.raises(UnknownItemError):
        await evidence.export(leaf.node, leaf.editor, uuid4())


async def test_while_nothing_was_decided_there_is_nothing_to_prove(leaf: Room) -> None:
    item = await leaf.submit()
    with pytest.raises(NothingToProveError):
        await evidence.export(leaf.node, leaf.editor, item)


async def test_an_item_whose_contents_are_purged_has_no_evidence_any_more(leaf: Room) -> None:
    item = await leaf.registered()
    await purges.purge(leaf.desk, leaf.security, item, "来信人要求删除。")
    with pytest.raises(PurgedItemError):
        await evidence.export(leaf.node, leaf.editor, item)
