"""People without an account who guess: at receipts, and at the questions of the public form."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, Request

from node.http.attempts import LOCKED_FOR, Attempts
from node.http.session import OneDesk, address_of
from node.public_errors import ChallengeError, TooManyError, UnknownReceiptError


class Guesses:
    """Counts what one client got wrong."""

    def __init__(self, request: Request, desk: OneDesk) -> None:
        self._attempts: Attempts = request.app.state.strangers
        self._clock = desk.clock
        self.came_from = address_of(request)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """For a block that says whether the guess was right. Raises `TooManyError`."""
        now = self._clock()
        if self._attempts.locked(self.came_from, now):
            raise TooManyError(retry_after=int(LOCKED_FOR.total_seconds()))
        try:
            yield
        except (ChallengeError, UnknownReceiptError):
            self._attempts.failed(self.came_from, now)
            raise
        self._attempts.succeeded(self.came_from)


Stranger = Annotated[Guesses, Depends(Guesses)]
