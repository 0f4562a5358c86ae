"""The consumer: gathers a batch, takes it in, and acknowledges after the commit.

What comes from a dead-letter queue is taken singly. A batch that fails is tried again one delivery
at a time, which finds the poisonous one and quarantines it. While the database does not answer,
consuming stops: the batch is kept and tried again, nothing is acknowledged or given back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from node.config import RelaySettings
from node.relay.errors import PoisonError
from node.relay.reception import Reception, Result
from node.relay.transport import Delivery, Transport
from node.storage.database import is_away
from node.workflow.desk import Desk

log = structlog.get_logger()


def _nothing() -> None:
    return


class Consumer:
    """Takes in what arrives at one office. Calls `superseded` when another copy of it goes on."""

    def __init__(
        self,
        desk: Desk,
        transport: Transport,
        settings: RelaySettings,
        *,
        superseded: Callable[[], None] = _nothing,
    ) -> None:
        self._transport = transport
        self._superseded = superseded
        self._limit = settings.batch
        self._reception = Reception(desk, settings)
        self._batch: list[Delivery] = []

    @property
    def is_taking_in(self) -> bool:
        """Whether a batch is under way."""
        return bool(self._batch)

    async def step(self) -> bool:
        """Take in one batch; whether there was one."""
        if not self._batch:
            self._batch = await self._transport.take(self._limit)
        if not self._batch:
            return False
        result = await take_in(self._reception, self._batch)
        # After the commit, and only then.
        await self._transport.acknowledge(self._batch)
        self._batch = []
        if result.superseded:
            self._superseded()
        return True


async def take_in(reception: Reception, batch: Sequence[Delivery]) -> Result:
    """Take in the batch, or find what is poisonous in it. Raises while the database is away."""
    if len(batch) == 1 or any(delivery.dead for delivery in batch):
        return await _singly(reception, batch)
    try:
        result = await reception.take_in(batch)
    except Exception as error:
        if is_away(error):
            raise
        log.warning("inbox.batch_failed", messages=len(batch), error=type(error).__name__)
        return await _singly(reception, batch)
    log.info(
        "inbox.taken_in",
        applied=result.applied,
        parked=result.parked,
        repeated=result.repeated,
        refused=result.refused,
        link=result.link,
    )
    return result


async def _singly(reception: Reception, batch: Sequence[Delivery]) -> Result:
    total = Result()
    for delivery in batch:
        try:
            total.add(await reception.take_in([delivery]))
        except Exception as error:
            if is_away(error):
                raise
            log.exception("inbox.poison", queue=delivery.queue, error=type(error).__name__)
            total.add(await reception.refuse(delivery, PoisonError()))
    return total
