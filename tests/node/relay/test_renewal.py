"""Certificates are renewed while offices work: nothing is refused, and nothing waits for it."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from node.config import CertificateSettings
from node.errors import UnknownCertificateRequestError
from node.keys import file
from node.relay import renewer
from node.workflow import certificates, decisions, links
from protocol import envelope
from protocol.trust import issuing_office
from tests.node import chain as chains
from tests.node.relay.renewing import CITY, COUNTY, PROVINCE, Renewing
from tests.node.rooms import Templates
from tests.offices import DEPTH_3, Hierarchy

BY_HAND = CertificateSettings(renewal="administrator")


class KilledError(BaseException):
    """The process was killed here: nothing catches it."""


@pytest.fixture
def three_levels(templates: Templates, tmp_path: Path) -> Hierarchy:
    """Three levels, closed."""
    return templates.copy(DEPTH_3, tmp_path / "three")


@pytest.fixture
async def three(three_levels: Hierarchy) -> AsyncIterator[Renewing]:
    """Three levels, delivered by hand."""
    async with chains.opened(three_levels) as opened:
        yield Renewing(opened)


async def test_a_new_key_takes_over_while_messages_of_the_old_one_are_under_way(
    three: Renewing,
) -> None:
    old = three.leaf(COUNTY)
    await three.send_up()
    await three.chain.deliver(without=[CITY])  # signed with the old key, in the city's queue
    await three.want(COUNTY)
    await three.ask(COUNTY)
    assert three.leaf(COUNTY) == old
    await three.certify(CITY)
    await three.send_up()
    await three.chain.deliver(without=[CITY])
    await three.ask(COUNTY)
    new = three.leaf(COUNTY)
    assert new.public_key() != old.public_key()
    assert new.not_valid_after_utc > old.not_valid_after_utc
    await three.send_up()
    await three.chain.deliver()

    assert (await three.refused(), await three.unanswered()) == ([], [])
    desk = three.room(CITY).desk
    opened = [
        envelope.open_message(token, chains=desk.chains, place=desk.place, now=None)
        for token in await three.tokens(CITY, COUNTY)
    ]
    assert [m.name for m in opened].count("submission") == 3
    leaves = [m.chain[0] for m in opened if m.name == "submission"]
    assert leaves[0] == old.public_bytes(Encoding.DER)
    assert leaves[-1] == new.public_bytes(Encoding.DER)
    # Who speaks is the path, and that did not change.
    assert len({m.path for m in opened}) == 1
    assert [row.state for row in await three.renewals(COUNTY)] == ["done"]
    assert not three.ring(COUNTY).next_key.exists()


async def test_a_hub_renews_its_issuing_certificate_on_its_key_and_nobody_below_notices(
    three: Renewing,
) -> None:
    before = three.ring(CITY).issuers()
    county_chain = three.chain.signer(COUNTY).chain
    three.chain.clock.move(timedelta(days=400))
    await three.renew(CITY, above=PROVINCE)
    [after, *above] = three.ring(CITY).issuers()
    assert issuing_office(after) == issuing_office(before[0])
    assert after.not_valid_after_utc > before[0].not_valid_after_utc + timedelta(days=399)
    assert after.not_valid_before_utc == before[0].not_valid_before_utc
    assert above == before[1:]

    item = await three.room(COUNTY).registered()
    assert three.chain.signer(COUNTY).chain == county_chain
    await three.chain.climb(item)
    # What the city issues from now on leads through its new certificate.
    await three.renew(COUNTY, above=CITY)
    assert three.chain.signer(COUNTY).chain[1] == after.public_bytes(Encoding.DER)
    later = await three.room(COUNTY).registered()
    await three.chain.climb(later)
    room = three.room(PROVINCE)
    await decisions.adopt(room.desk, room.editor, later)
    await three.chain.deliver()
    assert (await three.refused(), await three.unanswered()) == ([], [])
    assert ("jiangyuan", "adopted") in await three.room(COUNTY).timeline(later)


async def test_the_top_renews_itself_and_its_root_and_those_below_get_it_with_their_own(
    three: Renewing,
) -> None:
    [old] = three.ring(PROVINCE).roots()
    three.chain.clock.move(timedelta(days=400))
    await three.renew(PROVINCE, above=None)
    [new] = three.ring(PROVINCE).roots()
    assert issuing_office(new) == issuing_office(old)
    assert new.not_valid_after_utc > old.not_valid_after_utc + timedelta(days=399)
    assert three.ring(PROVINCE).issuers() == [new]

    item = await three.room(COUNTY).registered()
    await three.chain.climb(item)
    room = three.room(PROVINCE)
    await decisions.adopt(room.desk, room.editor, item)
    await three.chain.deliver()
    assert ("jiangyuan", "adopted") in await three.room(COUNTY).timeline(item)
    assert three.ring(CITY).roots() == [old]
    await three.renew(CITY, above=PROVINCE)
    await three.renew(COUNTY, above=CITY)
    assert three.ring(CITY).roots() == three.ring(COUNTY).roots() == [new]
    # What was signed before counts under the new root as well.
    desk = three.room(COUNTY).desk
    for token in await three.tokens(COUNTY, CITY):
        envelope.open_message(token, chains=desk.chains, place=desk.place, now=None)
    assert (await three.refused(), await three.unanswered()) == ([], [])


async def test_a_request_waits_for_a_person_where_the_office_wants_that(three: Renewing) -> None:
    old, city = three.leaf(COUNTY), three.room(CITY)
    await three.want(COUNTY)
    await three.ask(COUNTY)
    await three.certify(CITY, BY_HAND)
    [view] = await certificates.requests(city.desk, city.admin)
    assert (view.peer, view.state, view.issuing) == (COUNTY, "waiting", False)
    await three.ask(COUNTY)
    assert three.leaf(COUNTY) == old

    await certificates.approve(city.desk, city.admin, view.id)
    await three.certify(CITY, BY_HAND)
    await three.ask(COUNTY)
    assert issuing_office(three.leaf(COUNTY)).key == view.key
    [view] = await certificates.requests(city.desk, city.admin)
    assert (view.state, view.decided_by) == ("answered", "admin")
    with pytest.raises(UnknownCertificateRequestError):
        await certificates.refuse(city.desk, city.admin, view.id, "晚了")


async def test_a_request_that_is_refused_changes_nothing_and_may_be_repeated(
    three: Renewing,
) -> None:
    old, city = three.leaf(COUNTY), three.room(CITY)
    await three.want(COUNTY)
    await three.ask(COUNTY)
    await three.certify(CITY, BY_HAND)
    [view] = await certificates.requests(city.desk, city.admin)
    await certificates.refuse(city.desk, city.admin, view.id, "指纹不符")
    await three.certify(CITY)
    await three.ask(COUNTY)
    assert three.leaf(COUNTY) == old
    await three.renew(COUNTY, above=CITY)
    assert three.leaf(COUNTY) != old
    states = [row.state for row in await three.requests(CITY)]
    assert sorted(states) == ["answered", "refused"]


async def test_a_request_over_a_paused_link_waits_for_a_person(three: Renewing) -> None:
    city = three.room(CITY)
    await links.pause(city.desk, city.admin, COUNTY, "核查")
    await three.want(COUNTY)
    await three.ask(COUNTY)
    await three.certify(CITY)
    assert [row.state for row in await three.requests(CITY)] == ["waiting"]


async def test_asking_again_is_for_the_same_key_and_replaces_the_request_that_waits(
    three: Renewing,
) -> None:
    for _ in range(2):
        await three.want(COUNTY)
        await three.ask(COUNTY)
        await three.certify(CITY, BY_HAND)
    rows = sorted(await three.requests(CITY), key=lambda row: row.id)
    assert [row.state for row in rows] == ["replaced", "waiting"]
    assert len(await three.renewals(COUNTY)) == 1
    await three.certify(CITY)
    city = three.room(CITY)
    keys = {view.key for view in await certificates.requests(city.desk, city.admin)}
    assert len(keys) == 1
    with pytest.raises(UnknownCertificateRequestError):
        await certificates.approve(city.desk, city.admin, rows[0].id)


def _killed(*_: object, **__: object) -> None:
    raise KilledError


def _after(call: Callable[..., None], last: int) -> Callable[..., None]:
    calls = itertools.count(1)

    def counted(*given: object) -> None:
        call(*given)
        if next(calls) == last:
            raise KilledError

    return counted


@pytest.mark.parametrize("step", [1, 2, 4, 5, 6, 7, 8])
async def test_killed_after_any_step_the_node_works_and_the_renewal_goes_on(
    three: Renewing, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    old = three.leaf(CITY)
    await three.want(CITY)
    if step == 1:
        monkeypatch.setattr(renewer.outbox, "post", _killed)
    else:
        await three.ask(CITY)
        three.chain.restart(CITY)  # killed after step 2
        await three.certify(PROVINCE)
        # Steps 4 to 7 end in a file that was renamed.
        monkeypatch.setattr(file, "move", _after(file.move, step - 3))
        if step == 8:
            monkeypatch.setattr(renewer.audit, "note", _killed)
    if step != 2:
        with pytest.raises(KilledError):
            await three.ask(CITY)
    key = three.ring(CITY).next_key.read_bytes() if step == 1 else None
    monkeypatch.undo()

    three.chain.restart(CITY)
    assert (three.leaf(CITY) != old) == (step >= 6)
    item = await three.room(COUNTY).registered()
    await three.chain.climb(item, CITY)
    if step == 1:
        await three.ask(CITY)
        assert three.ring(CITY).next_key.read_bytes() == key
        await three.certify(PROVINCE)
    await three.ask(CITY)
    assert three.leaf(CITY) != old
    assert [row.state for row in await three.renewals(CITY)] == ["done"]
    assert not three.ring(CITY).next_key.exists()
    assert ("yunzhou", "registered") in await three.room(COUNTY).timeline(item)
    assert (await three.refused(), await three.unanswered()) == ([], [])


async def test_the_keys_of_an_office_with_a_passphrase_stay_encrypted(
    three: Renewing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHITONG_KEYS__PASSPHRASE", "a passphrase for tests")
    three.chain.restart(COUNTY)
    await three.want(COUNTY)
    await three.ask(COUNTY)
    assert file.is_encrypted(three.ring(COUNTY).next_key)
    await three.certify(CITY)
    await three.ask(COUNTY)
    assert file.is_encrypted(three.ring(COUNTY).node_key)
