"""What is revoked counts nowhere: at the office that revoked it, above it, and below it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from node.bootstrap import evidence
from node.enrolment_errors import EnrolmentTakenError
from node.errors import StandingError
from node.relay.admission import GRACE
from node.relay.revoker import AGAIN_AFTER, LASTS
from node.storage.certificates import IssuedCertificate
from node.workflow import enrolment, links, standing
from protocol import bundle
from protocol.trust import Chains
from tests.node import chain as chains
from tests.node.relay.revoking import CITY, COUNTY, PROVINCE, REASON, SIBLING, Revoking
from tests.node.rooms import Templates
from tests.offices import DEPTH_3, Hierarchy


@pytest.fixture
def offices(templates: Templates, tmp_path: Path) -> Hierarchy:
    """Three levels, closed."""
    return templates.copy(DEPTH_3, tmp_path / "three")


@pytest.fixture
async def silent(offices: Hierarchy) -> AsyncIterator[Revoking]:
    """Three levels, of which none has issued a list."""
    async with chains.opened(offices) as chain:
        yield Revoking(chain)


@pytest.fixture
async def three(silent: Revoking) -> Revoking:
    """Three levels, whose first, empty lists are with everybody."""
    await silent.issue()
    return silent


# Lists. ------------------------------------------------------------------------------------------


async def test_an_issuing_office_begins_with_an_empty_list_that_reaches_those_above_and_below(
    three: Revoking,
) -> None:
    for office in (PROVINCE, CITY, COUNTY, SIBLING):
        for issuer in (PROVINCE, CITY):
            known = await three.known(office, issuer)
            assert known is not None
            assert known.revoked == ()
    before = await three.known(CITY)
    await three.issue()
    assert await three.known(CITY) == before, "nothing was due"


async def test_a_list_is_issued_again_when_half_of_its_time_is_over(three: Revoking) -> None:
    before = await three.known(COUNTY)
    assert before is not None
    assert before.next_update - before.issued_at == LASTS
    three.wait(seconds=AGAIN_AFTER.total_seconds() + 1)
    await three.issue()
    after = await three.known(COUNTY)
    assert after is not None
    assert after.number > before.number
    assert after.issued_at > before.issued_at


async def test_a_revoked_county_is_refused_by_its_city_and_listed_at_all_others(
    three: Revoking,
) -> None:
    issued = {row.serial for row in await three.all(CITY, IssuedCertificate) if row.node == COUNTY}
    await three.revoke(COUNTY)
    await three.issue()
    for office in (CITY, PROVINCE, SIBLING):
        known = await three.known(office)
        assert known is not None
        assert {(r.serial, r.node, r.hold) for r in known.revoked} == {
            (serial, COUNTY, False) for serial in issued
        }
    await three.send_up()
    await three.chain.deliver()
    assert await three.refused(CITY) == ["envelope.revoked"]
    assert await three.inbox(CITY, "submission") == []
    assert await three.states(COUNTY) == ["sent"], "it is told nothing"


async def test_a_revoked_county_is_refused_before_any_list_was_signed(three: Revoking) -> None:
    await three.revoke(COUNTY)
    await three.send_up()
    await three.chain.deliver()
    assert await three.refused(CITY) == ["envelope.revoked"]


async def test_below_a_revoked_city_nobody_counts(three: Revoking) -> None:
    item = await three.send_up()
    await three.chain.deliver()
    await three.revoke(CITY, at=PROVINCE)
    await three.issue(PROVINCE)
    await three.forward(item)
    await three.chain.deliver()
    assert await three.refused(PROVINCE) == ["envelope.revoked"]
    # Its issuing certificate is on the list as well, so its lists do not count any more.
    assert len(await three.entered(PROVINCE)) == 2


async def test_nothing_goes_to_a_revoked_office(three: Revoking) -> None:
    item = await three.send_up()
    await three.chain.deliver(without=[CITY])
    await three.chain.deliver()
    await three.revoke(COUNTY)
    await three.forward(item)
    before = len(await three.inbox(COUNTY, "feedback"))
    three.wait(hours=2)
    await three.chain.deliver()
    assert len(await three.inbox(COUNTY, "feedback")) == before
    room = three.room(CITY)
    view = await links.show(room.desk, room.admin, COUNTY)
    assert view.barred is not None
    assert (view.barred.standing, view.barred.reason) == ("revoked", REASON)
    with pytest.raises(StandingError):
        await links.probe(room.desk, room.admin, COUNTY)


async def test_a_suspended_county_resumes_and_what_it_wrote_meanwhile_arrives(
    three: Revoking,
) -> None:
    await three.suspend(COUNTY)
    await three.issue()
    await three.send_up()
    await three.chain.deliver()
    assert await three.refused(CITY) == ["envelope.suspended"]
    known = await three.known(PROVINCE)
    assert known is not None
    assert [r.hold for r in known.revoked] == [True]
    await three.resume(COUNTY)
    await three.issue()
    three.wait(hours=2)
    await three.chain.deliver()
    assert await three.states(COUNTY) == ["received"]
    known = await three.known(COUNTY)
    assert known is not None
    assert known.revoked == (), "it was told the list that it had missed"


async def test_a_suspended_city_is_heard_again_by_its_counties_through_the_list_that_it_brings(
    three: Revoking,
) -> None:
    await three.suspend(CITY, at=PROVINCE)
    await three.issue(PROVINCE)
    # The county has heard of it, say by a file, and refuses its city.
    held = await three.token(PROVINCE, PROVINCE)
    await three.post_list(held, at=CITY, to=COUNTY)
    await three.chain.deliver()
    await three.send_up()
    await three.chain.deliver()
    assert await three.refused(COUNTY) == ["envelope.suspended"], "the city's receipt"
    await three.resume(CITY, at=PROVINCE)
    await three.issue()
    three.wait(hours=2)
    await three.chain.deliver()
    assert await three.states(COUNTY) == ["received"]


# What is older. ----------------------------------------------------------------------------------


async def test_what_the_city_had_before_the_compromise_still_climbs(three: Revoking) -> None:
    item = await three.send_up()
    await three.chain.deliver()
    three.wait(hours=1)
    await three.revoke(COUNTY, since=three.chain.clock.now - timedelta(minutes=30))
    await three.issue()
    await three.forward(item)
    await three.chain.deliver()
    assert await three.room(PROVINCE).state(item) == "submitted"
    assert await three.refused(PROVINCE) == []


async def test_what_came_after_the_compromise_does_not_climb(three: Revoking) -> None:
    item = await three.send_up()
    await three.chain.deliver()
    three.wait(hours=1)
    await three.revoke(COUNTY, since=three.chain.clock.now - timedelta(hours=2))
    await three.issue()
    await three.forward(item)
    await three.chain.deliver()
    assert await three.refused(PROVINCE) == ["evidence.refused"]
    assert await three.states(CITY) == ["refused"]


async def test_what_was_signed_while_suspended_climbs_after_the_list_that_lifts_it(
    three: Revoking,
) -> None:
    item = await three.send_up()
    await three.chain.deliver()
    room = three.room(CITY)
    await standing.suspend(
        room.desk, room.admin, COUNTY, REASON, three.chain.clock.now - timedelta(hours=2)
    )
    await three.issue()
    await three.forward(item)
    await three.chain.deliver()
    assert await three.refused(PROVINCE) == ["envelope.suspended"]
    assert await three.states(CITY) == ["refused"], "for the time being"
    await three.resume(COUNTY)
    await three.issue()
    three.wait(hours=2)
    await three.chain.deliver()
    assert await three.states(CITY) == ["received"]


async def test_in_evidence_what_the_city_received_before_the_compromise_still_counts(
    three: Revoking,
) -> None:
    item = await three.send_up()
    await three.chain.deliver()
    three.wait(hours=1)
    await three.revoke(COUNTY, since=three.chain.clock.now - timedelta(minutes=30))
    await three.issue()
    room, sibling = three.room(COUNTY), three.room(SIBLING).desk.chains
    exported = await evidence.export(room.node, room.editor, item)
    assert len(exported.lists) == 2
    verdict = bundle.verify(exported, Chains(sibling.roots, sibling.revoked))
    [spoken] = verdict.spoken
    assert spoken.message.revocation is not None
    assert spoken.receipt is not None
    # What the county states to itself, nobody else has seen.
    assert {flaw.rule for flaw in verdict.flaws} == {11}
    # To whom only the lists in the file are known, nothing was revoked: the README says so.
    assert bundle.verify(exported, Chains(sibling.roots)).flaws == []


# Old, forged and foreign lists. ------------------------------------------------------------------


async def test_an_old_list_changes_nothing_and_is_answered_with_the_newest(
    three: Revoking,
) -> None:
    old = await three.token(PROVINCE)
    await three.revoke(COUNTY)
    await three.issue()
    newest = await three.token(CITY)
    await three.post_list(old, at=CITY, to=SIBLING)
    await three.chain.deliver()
    assert await three.token(SIBLING) == newest
    assert [row.token for row in await three.inbox(CITY, "revocations")], "the newest came back"


async def test_a_list_that_lifts_what_was_revoked_for_good_is_not_taken(three: Revoking) -> None:
    await three.revoke(COUNTY)
    await three.issue()
    kept = await three.known(PROVINCE)
    # The city goes on from a backup that was made before.
    await forget(three, CITY)
    three.wait(minutes=1)
    await three.issue(CITY, without=[PROVINCE])
    lifting = await three.known(CITY)
    assert lifting is not None
    assert lifting.revoked == ()
    await three.chain.deliver()
    assert await three.known(PROVINCE) == kept
    # The province told the city, which entered it again; the next list says so.
    await three.issue()
    for office in (CITY, PROVINCE, SIBLING):
        known = await three.known(office)
        assert known is not None
        assert [r.node for r in known.revoked] == [COUNTY]
        assert known.number > lifting.number


async def forget(three: Revoking, office: str) -> None:
    async with three.room(office).database.writing.begin() as session:
        for row in await three.entered(office):
            await session.delete(await session.merge(row))


# A list that is overdue. -------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["warn", "refuse"])
async def test_a_list_that_is_long_overdue_is_told_or_refused_as_the_office_wants(
    three: Revoking, policy: str
) -> None:
    desk = three.room(COUNTY).desk
    object.__setattr__(desk, "stale_list", policy)
    item = await three.send_up()
    three.wait(seconds=(LASTS + GRACE).total_seconds() + 60)
    await three.chain.deliver()
    await three.forward(item)
    await three.chain.deliver()
    refused = await three.refused(COUNTY)
    assert ("revocations.stale" in refused) == (policy == "refuse")
    # The list that is missing is never refused itself; what was put off comes after it.
    await three.issue()
    three.wait(hours=2)
    await three.chain.deliver()
    assert set(await three.states(CITY, "feedback")) == {"received"}


async def test_an_office_above_that_never_issued_a_list_is_heard(silent: Revoking) -> None:
    for room in silent.chain.rooms.values():
        object.__setattr__(room.desk, "stale_list", "refuse")
    await silent.send_up()
    await silent.chain.deliver()
    assert await silent.states(COUNTY) == ["received"]


# Decisions. --------------------------------------------------------------------------------------


async def test_a_revocation_cannot_be_lifted_and_new_keys_bring_the_office_back(
    three: Revoking,
) -> None:
    await three.revoke(COUNTY)
    room = three.room(CITY)
    with pytest.raises(StandingError):
        await three.resume(COUNTY)
    with pytest.raises(StandingError):
        await three.suspend(COUNTY)
    await three.issue()
    await three.enrol(COUNTY)
    shown = await standing.show(room.desk, room.admin, COUNTY)
    assert shown.standing == "good"
    assert [c.standing for c in shown.certificates] == ["revoked", "good"]
    # The thief asks with the keys that he stole, which are those of the first enrolment.
    await three.revoke(COUNTY)
    with pytest.raises(EnrolmentTakenError):
        await three.enrol(COUNTY)


async def test_a_suspended_office_is_taken_up_again_and_not_enrolled(three: Revoking) -> None:
    await three.suspend(COUNTY)
    with pytest.raises(EnrolmentTakenError):
        await three.enrol(COUNTY)


async def test_an_office_that_is_revoked_fetches_no_welcome(three: Revoking) -> None:
    room = three.room(CITY)
    await three.revoke(COUNTY)
    waiting = await three.enrol(COUNTY)
    await three.revoke(COUNTY)
    assert await enrolment.hand_out(room.desk, room.admin, waiting) is None
