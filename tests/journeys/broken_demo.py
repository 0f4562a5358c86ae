"""The demo with one item, after whose story somebody deletes one notice: the reckoning must find
it missing.

python -m tests.journeys.broken_demo demo --once
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select

from node.bootstrap.node import Node
from node.cli import main
from node.cli.demo import cast, play, reckoning
from node.cli.demo.cast import Cast
from node.cli.demo.reckoning import Reckoning
from node.storage.events import Notice

_load, _reckon = cast.load, reckoning.reckon


def _load_one() -> Cast:
    whole = _load()
    manuscripts = tuple(m for m in whole.manuscripts if m.number == play.SHOWN)
    reasons = {
        kind: [one for one in given if one["item"] == play.SHOWN]
        for kind, given in whole.reasons.items()
    }
    return Cast(whole.accounts, manuscripts, reasons)


async def _delete_one_and_reckon(nodes: Sequence[Node], expected: Any) -> Reckoning:
    for node in nodes:
        async with node.desk.database.writing.begin() as session:
            notice = await session.scalar(select(Notice.id).limit(1))
            if notice is not None:
                await session.execute(delete(Notice).where(Notice.id == notice))
                break
    return await _reckon(nodes, expected)


if __name__ == "__main__":
    cast.load = _load_one
    reckoning.reckon = _delete_one_and_reckon
    main.run()
