"""A message that claims to be secret is refused for good, and leaves nothing but its digest."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from node.errors import QuarantineDecidedError
from node.storage.audit import AuditRow
from node.workflow import quarantine
from protocol.identifiers import digest
from tests.node.relay.ends import CITY, Ends
from tests.node.rooms import contents

LINE = "绝不落盘的正文"


def secret(ends: Ends, id: UUID, **members: Any) -> bytes:
    """What the county's software would never make: a submission that claims to be secret."""
    content = ends.county.item(body=LINE)
    payload = json.loads(ends.county.payload(content, CITY, subject=ends.county.new_id(), id=id))
    payload["data"] |= {"classification": "机密"} | members
    return json.dumps(payload, ensure_ascii=False).encode()


async def test_only_the_digest_of_a_secret_stays_and_its_sender_is_told_for_good(
    ends: Ends,
) -> None:
    id = ends.county.new_id()
    payload = secret(ends, id)
    token = ends.county.seal(payload, CITY)
    ends.arrive(token, ends.city, message_id=str(id))
    await ends.city.take_all()

    [held] = await ends.city.quarantine()
    assert (held.code, held.body, held.digest) == ("item.classified", b"", digest(token))
    [receipt] = await ends.city.receipts()
    [entry] = receipt.entries
    assert (entry.id, entry.digest, entry.code) == (id, digest(payload), "item.classified")
    assert entry.permanent
    for table, rows in (await contents(ends.city.room.database)).items():
        assert not [row for row in rows if LINE in row], table
    assert await ends.city.items() == 0
    city = ends.city.room
    with pytest.raises(QuarantineDecidedError):
        await quarantine.replay(city.desk, city.admin, held.id)


async def test_a_secret_that_does_not_fit_its_type_either_is_no_less_a_secret(ends: Ends) -> None:
    token = ends.county.seal(secret(ends, ends.county.new_id(), edition="one"), CITY)
    ends.arrive(token, ends.city)
    await ends.city.take_all()
    [held] = await ends.city.quarantine()
    assert (held.code, held.body) == ("item.classified", b"")


async def test_that_a_secret_came_is_in_the_audit_log(ends: Ends) -> None:
    ends.arrive(ends.county.seal(secret(ends, ends.county.new_id()), CITY), ends.city)
    await ends.city.take_all()
    async with ends.city.room.database.reading() as session:
        rows = await session.scalars(
            select(AuditRow.detail).where(AuditRow.action == "message_refused")
        )
        assert [detail["code"] for detail in rows] == ["item.classified"]
