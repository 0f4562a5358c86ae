"""The list of items, part by part."""

from __future__ import annotations

from datetime import timedelta

from node.workflow import decisions, reading
from tests.node.rooms import Room


async def test_the_newest_in_a_state_come_first_whatever_their_urgency_and_closed_or_not(
    county: Room,
) -> None:
    items = []
    for urgency in ("normal", "most_urgent", "urgent", "normal", "urgent"):
        items.append(await county.registered(urgency=urgency))
        county.clock.move(timedelta(hours=1))
    await county.submit()
    for item in (items[1], items[3]):
        await decisions.close(county.desk, county.editor, item)
    for who in (county.editor, county.lin):
        seen = []
        for offset in range(0, 6, 2):
            page = await reading.list_items(
                county.desk, who, state="registered", offset=offset, limit=2
            )
            assert page.total == 5
            seen += [item.id for item in page.rows]
        assert seen == items[::-1]
