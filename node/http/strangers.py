"""People without an account who guess: at receipts, and at the questions of the public form."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, Request

from node.http.attempts import LOCKED_FOR, Attempts
from node.http.session import OneDesk, address_of
from node.public_errors import ChallengeError, TooManyError, UnknownReceiptError
from node.workflow.public_intake import network_of


class Guesses:
    """Counts what one client got wrong."""

    def __init__(self, request: Request, desk: OneDesk) -> None:
        self._attempts: Attempts = request.app.state.strangers
        self._clock = desk.clock
        self.came_from = address_of(request)
        self._place = network_of(self.came_from)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """For a block that says whether the guess was right. Raises `TooManyError`."""
        now = self._clock()
        if self._attempts.locked(self._place, now):
            raise TooManyError(retry_after=int(LOCKED_FOR.total_seconds()))
        try:
            yield
        except (ChallengeError, UnknownReceiptError):
            self._attempts.failed(self._place, now)
            raise
        self._attempts.succeeded(self._place)


Stranger = Annotated[Guesses, Depends(Guesses)]
