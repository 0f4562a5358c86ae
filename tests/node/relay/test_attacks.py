"""Whatever is delivered to a real office in bad faith is refused with the code of what is wrong
with it. It leaves a row in quarantine and an entry in the audit log, and nothing else.

The attacks are in `attacks_on_form`, `_trust`, `_meaning`, `_revocation` and `_places`. What a
single check does with odd but harmless input is tested at the checks, in `tests/protocol`.
"""

from __future__ import annotations

import copy
import json
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from unittest.mock import patch
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
import pytest_asyncio
from sqlalchemy import delete

from node.errors import FileRefusedError
from node.relay import archive, files, quarantine
from node.relay.archive import Index
from node.storage.revocations import RevocationList
from node.workflow import kinds
from protocol import envelope
from protocol.envelope import MAXIMUM_TOKEN
from protocol.errors import EnvelopeError, ZhitongError
from protocol.messages.links import Receipt, ReceiptEntry
from protocol.revocation import Revoked
from tests.factories import make_fact, make_feedback
from tests.files import digest, office
from tests.node import rooms
from tests.node.relay import (
    attacks,
    attacks_on_form,
    attacks_on_meaning,
    attacks_on_places,
    attacks_on_revocation,
    attacks_on_trust,
)
from tests.node.relay import carriage as carriages
from tests.node.relay import ends as ends_
from tests.node.relay.attacks import Attack
from tests.node.relay.ends import CITY, COUNTY, SETTINGS, End, Ends, properties_of
from tests.node.relay.forgeries import PROVINCE, handed_down, honest, provinces_fact
from tests.node.rooms import Clock
from tests.offices import Hierarchy

ATTACKS = attacks.collect(
    [
        attacks_on_form,
        attacks_on_trust,
        attacks_on_meaning,
        attacks_on_revocation,
        attacks_on_places,
    ]
)
COSTLY = (
    "header_of_ten_megabytes",
    "header_as_large_as_a_token",
    "segments_without_end",
    "decompression_bomb",
    "encrypted_decompression_bomb",
    "compressed_payload",
    "deeply_nested_payload",
    "number_of_a_million_digits",
)
"""Those that want to cost time and memory."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(three_levels: Hierarchy) -> AsyncIterator[Ends]:
    """The county 东湖 and the city 云州, below the province 江原; all attacks are on these two."""
    async with ends_.joined(three_levels) as joined:
        yield joined


@pytest_asyncio.fixture(loop_scope="module")
async def ends(line: Ends) -> AsyncIterator[Ends]:
    """The same, with nothing left of the attack before."""
    yield line
    for end in (line.county, line.city):
        line.switchboard.queue(end.node).clear()
        await rooms.tidy(end.room.database)
        end.room.desk.chains.revoked = Revoked()


@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_is_refused_with_its_code_and_changes_nothing(
    ends: Ends, name: str
) -> None:
    attack = ATTACKS[name]
    door = attack.door(ends)
    token = await attack.token(ends)
    before = await rooms.contents(door.room.database)
    deliver(ends, attack, token)
    await door.take_all()
    after = await rooms.contents(door.room.database)

    [kept] = await door.quarantine()
    assert (kept.code, kept.permanent) == (attack.code, PERMANENT[attack.code])
    assert (kept.peer, kept.queue, kept.times) == (attack.proven, "zt.in", 1)
    assert kept.body == (token if len(token) <= MAXIMUM_TOKEN else token[: quarantine.BEGINNING])
    assert kept.properties["user_id"] == attack.neighbour()

    new = {table: set(after[table]) - set(before[table]) for table in after}
    grown = {table for table in after if new[table]}
    expected = {"quarantine", "audit"}
    if attack.proven:
        expected.add("links")  # a proven neighbour was heard
    if attack.told:
        expected.add("outbox")
        [receipt] = await door.receipts()
        assert [(e.verdict, e.code) for e in receipt.entries] == [("refused", attack.code)]
    assert grown == expected
    assert {table for table in after if set(before[table]) - set(after[table])} <= {"links"}
    [noted] = new["audit"]
    assert "message_refused" in noted
    assert attack.code in noted

    # The next one is honest, and nobody is revoked.
    await forget_lists(door)
    if attack.at == CITY:
        await demand_that_the_city_takes_in_the_next(ends)
    else:
        await demand_that_the_county_takes_in_the_next(ends)
    assert len(await door.quarantine()) == 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in order", "the other way round"])
async def test_a_fact_about_another_item_touches_nothing_until_the_office_says_that_it_merged(
    ends: Ends, order: tuple[int, int]
) -> None:
    item, combined = await ends.county.room.registered(), ends.city.new_id()
    before = await ends.county.room.timeline(item)
    inner = provinces_fact(ends, about=combined, kind="adopted")
    tokens = [
        ends.city.seal(make_feedback(make_fact("merged", into=combined)), COUNTY, subject=item),
        handed_down(ends, inner, about=item),
    ]
    for number in order:
        ends.arrive(tokens[number], ends.county, **properties_of(tokens[number]))
        await ends.county.take_all()
        if order[0] == number == 1:
            assert await ends.county.room.timeline(item) == before
            assert [row.state for row in await ends.county.inbox()] == ["parked"]
    told = await ends.county.room.timeline(item)
    assert set(told) - set(before) == {(CITY, "merged"), (PROVINCE, "adopted")}
    assert await ends.county.quarantine() == []


async def forget_lists(door: End) -> None:
    async with door.room.database.writing.begin() as session:
        await session.execute(delete(RevocationList))


async def demand_that_the_city_takes_in_the_next(ends: Ends) -> None:
    token = honest(ends)
    ends.arrive(token, ends.city, **properties_of(token))
    await ends.city.take_all()
    assert token in [row.token for row in await ends.city.inbox()]


async def demand_that_the_county_takes_in_the_next(ends: Ends) -> None:
    [sent] = await ends.county.forward()
    row = await ends.county.row(sent)
    entry = ReceiptEntry(id=row.id, digest=row.digest, verdict="received")
    token = ends.city.seal(Receipt(entries=[entry]), COUNTY)
    ends.arrive(token, ends.county, **properties_of(token))
    await ends.county.take_all()
    assert (await ends.county.row(sent)).state == "received"


def deliver(ends: Ends, attack: Attack, token: bytes) -> None:
    """Put the token before the office that is attacked, as its neighbour's broker would."""
    peer = attack.neighbour()
    said = {"message_id": str(ends.county.new_id()), "app_id": peer, "user_id": peer}
    if attack.proven:
        said = properties_of(token)
    ends.arrive(token, attack.door(ends), queue="zt.in", **said)


def codes(kind: type[ZhitongError]) -> dict[str, bool]:
    """The codes of all errors, and whether they are permanent."""
    found = {kind.code: kind.permanent}
    for below in kind.__subclasses__():
        found |= codes(below)
    return found


PERMANENT = codes(ZhitongError)


# What they cost. ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COSTLY)
async def test_an_attack_costs_no_more_than_a_few_tokens_of_full_size(
    ends: Ends, name: str
) -> None:
    token, desk = await ATTACKS[name].token(ends), ends.city.room.desk
    tracemalloc.start()
    try:
        with pytest.raises(EnvelopeError):
            envelope.open_message(token, chains=desk.chains, place=desk.place, now=ends.clock.now)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * MAXIMUM_TOKEN


@pytest.mark.parametrize("name", ["header_of_ten_megabytes", "header_as_large_as_a_token"])
async def test_a_header_that_is_too_large_is_refused_before_it_is_read_as_json(
    ends: Ends, name: str
) -> None:
    token, desk = await ATTACKS[name].token(ends), ends.city.room.desk
    with patch.object(json, "loads", side_effect=AssertionError), pytest.raises(EnvelopeError):
        envelope.open_message(token, chains=desk.chains, place=desk.place, now=ends.clock.now)


# Files. ------------------------------------------------------------------------------------------


def many_from_one(path: Path, count: int) -> None:
    """A file whose directory names one packed message as many: small, and huge when unpacked."""
    index = Index(sender=COUNTY, recipient=CITY, made_at=Clock().now)
    with ZipFile(path, "w", ZIP_DEFLATED) as made:
        made.writestr("index.json", index.model_dump_json())
        made.writestr("tokens/000001.jose", bytes(MAXIMUM_TOKEN))
        [_, first] = made.infolist()
        for number in range(2, count + 1):
            again = copy.copy(first)
            again.filename = f"tokens/{number:06}.jose"
            made.filelist.append(again)


@pytest.mark.parametrize(
    ("count", "said"),
    [
        pytest.param(archive.MOST_BYTES // MAXIMUM_TOKEN + 1, "holds more than", id="too much"),
        pytest.param(20, "damaged", id="the same message many times"),
    ],
)
async def test_a_file_that_is_a_bomb_is_refused_whole(
    ends: Ends, tmp_path: Path, count: int, said: str
) -> None:
    many_from_one(tmp_path / "bomb.zip", count)
    assert (tmp_path / "bomb.zip").stat().st_size < 50_000
    desk = ends.city.room.desk
    before = await rooms.contents(desk.database)
    with pytest.raises(FileRefusedError, match=said) as refused:
        await files.take_in_file(
            desk, SETTINGS, tmp_path / "bomb.zip", by="operator", progress=lambda *_: None
        )
    assert refused.value.code == "file.refused"
    assert await rooms.contents(desk.database) == before


async def test_an_attachment_that_is_a_bomb_is_given_up_and_never_unpacked(ends: Ends) -> None:
    bomb = office("word/document.xml", kind="x" * (6 * MAXIMUM_TOKEN))
    whole = digest(bomb)
    assert len(bomb) < 50_000
    carriage = carriages.joined(ends)
    said = {"name": "附件.docx", "media_type": kinds.KINDS["docx"].media_type}
    item = await carriages.announced(carriage, **said, size=len(bomb), digest=whole, pieces=[whole])
    carriages.put(carriage, ends.county.seal(carriages.piece(bomb, 0), CITY))
    tracemalloc.start()
    try:
        await carriage.carry()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * MAXIMUM_TOKEN
    assert [file.stopped for file in await carriage.city.seen(item)] == ["file.kind"]
    assert await carriage.city.kept() == []
