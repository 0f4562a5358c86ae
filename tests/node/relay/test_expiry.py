"""Warnings before certificates end: each threshold once, and for the whole chain."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from node.bootstrap import keyring
from node.keys import file
from node.relay.expiry import ExpiryWatch
from tests.node.rooms import Room


@pytest.fixture
def end(leaf: Room) -> datetime:
    """When the node certificate of the office, which is on its own, ends."""
    [certificate] = file.read_certificates(keyring.of(leaf.node.settings).node_chain)
    return certificate.not_valid_after_utc


async def _said(leaf: Room, end: datetime, days: int) -> list[int]:
    """Of how many days the office is warned, that many and an hour before the end."""
    leaf.clock.now = end - timedelta(days=days, hours=1)
    watch = ExpiryWatch(leaf.desk, keyring.of(leaf.node.settings))
    with capture_logs() as logs:
        assert not await watch.step()
    return [line["days"] for line in logs if line["event"] == "certificate.expiring"]


async def test_each_threshold_is_said_once_whatever_is_started_anew(
    leaf: Room, end: datetime
) -> None:
    said = {}
    for days in (60, 59, 58, 30, 29, 28, 7, 6, 5, 1, -1):
        said[days] = [await _said(leaf, end, days) for _ in range(2)]
    assert {days for days, both in said.items() if both != [[], []]} == {59, 29, 6}
    assert [said[days] for days in (59, 29, 6)] == [[[59], []], [[29], []], [[6], []]]


async def test_an_office_that_was_off_hears_of_the_nearest_threshold_alone(
    leaf: Room, end: datetime
) -> None:
    assert await _said(leaf, end, 3) == [3]
    assert await _said(leaf, end, 2) == []


async def test_a_certificate_above_in_the_chain_that_ends_first_is_warned_of(
    leaf: Room, end: datetime
) -> None:
    # The root of this office ends years later than its node certificate.
    ring = keyring.of(leaf.node.settings)
    [root] = ring.roots()
    file.write_certificates(ring.node_chain, [root, *file.read_certificates(ring.node_chain)])
    assert await _said(leaf, end, 20) == [20]
