"""Closed items that were kept as long as the office decided are listed; nothing more happens."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from node.config import RetentionSettings
from node.errors import ForbiddenError
from node.relay.caretaker import Archivist
from node.workflow import decisions, purges, retention
from node.workflow.desk import Desk
from tests.node.browser import visit
from tests.node.rooms import Room, contents


def kept(room: Room) -> Desk:
    """The desk of an office that keeps what it adopted for two years, and the rest for one."""
    return replace(room.desk, retention=RetentionSettings(adopted_years=2, other_years=1))


async def closed(room: Room, *, adopted: bool) -> Any:
    item = await room.registered()
    if adopted:
        await decisions.adopt(room.desk, room.editor, item, manner="single", issue=None)
    await decisions.close(room.desk, room.editor, item, None)
    return item


async def listed(room: Room) -> list[Any]:
    page = await retention.due(kept(room), room.security)
    assert page.total == len(page.rows)
    return [row.item_id for row in page.rows]


async def test_a_period_begins_with_the_year_after_closing_and_depends_on_what_became_of_it(
    county: Room,
) -> None:
    adopted, other = await closed(county, adopted=True), await closed(county, adopted=False)
    await county.registered()
    year = county.clock().year
    assert await listed(county) == []
    for years, items in ((1, []), (2, [other]), (3, [adopted, other])):
        # The morning of 2 January: at the office it is no other day than here.
        county.clock.move(
            county.clock().replace(year=year + years, month=1, day=2) - county.clock()
        )
        assert await listed(county) == items, years
    (row, _) = (await retention.due(kept(county), county.editor)).rows
    assert (row.years, row.until) == (2, date(year + 2, 12, 31))


async def test_nothing_is_removed_and_what_was_purged_is_not_listed(county: Room) -> None:
    item = await closed(county, adopted=False)
    county.clock.move(timedelta(days=1200))
    before = await contents(county.database)
    with capture_logs() as logs:
        assert not await Archivist(kept(county)).step()
    assert {"event": "retention.due", "items": 1, "log_level": "info"} in logs
    assert await listed(county) == [item]
    assert await contents(county.database) == before

    await purges.purge(county.desk, county.security, item, "保管期满")
    assert await listed(county) == []
    with capture_logs() as logs:
        await Archivist(kept(county)).step()
    assert logs == []


async def test_only_editors_and_the_security_administrator_see_the_list(leaf: Room) -> None:
    for actor in (leaf.lin, leaf.admin, leaf.auditor):
        with pytest.raises(ForbiddenError):
            await retention.due(leaf.desk, actor)


@pytest.mark.usefixtures("quick_passwords")
async def test_the_list_is_asked_for_over_http(leaf: Room) -> None:
    item = await closed(leaf, adopted=False)
    leaf.clock.move(timedelta(days=12 * 366))
    async with visit(leaf, "security") as security:
        answer = (await security.get("/api/v1/retention")).json()
    assert answer["total"] == 1
    assert (answer["items"][0]["item_id"], answer["items"][0]["years"]) == (str(item), 10)
