"""A citizen who fills in an office's public form."""

from __future__ import annotations

import itertools
import os
from datetime import timedelta
from typing import Any

from node.workflow import challenges, public_intake, public_settings
from node.workflow.challenges import Challenge
from node.workflow.public_intake import Letter
from node.workflow.public_settings import Wanted
from tests.node.rooms import Room

ADDRESS = "198.51.100.7"
WORDS = {
    "title": "江边步道夜里没有灯",
    "body": "滨江路步道三公里没有路灯。\n建议装太阳能灯。",
    "topic": "city",
    "consent": True,
}


async def open_form(room: Room, **wanted: Any) -> None:
    """The office's administrator opens the form."""
    before = await public_settings.show(room.desk, room.admin)
    settings = Wanted(version=before.version, **{"open": True, **wanted})
    await public_settings.set_form(
        room.desk, room.admin, settings, new_secret=lambda: os.urandom(32)
    )


async def shown(room: Room, *, after: timedelta = timedelta(seconds=30)) -> Challenge:
    """What the form asked, so long ago."""
    form = await public_intake.form(room.desk, nonce=os.urandom(16))
    room.clock.move(after)
    return form.challenge


def answer(challenge: Challenge) -> str:
    """What a person answers."""
    left, right = challenge.left, challenge.right
    return str(left * right if challenge.times else left + right)


def work(challenge: Challenge) -> int:
    """What a browser finds."""
    return next(n for n in itertools.count() if challenges.is_work(challenge.token, n))


async def letter(room: Room, **content: Any) -> Letter:
    """What a citizen sends half a minute after the form was shown."""
    challenge = await shown(room)
    proof = {"challenge": challenge.token, "answer": answer(challenge)}
    return public_intake.letter(WORDS | proof | content)


async def send(room: Room, sent: Letter | None = None, *, came_from: str = ADDRESS) -> str:
    """Hand it in. Returns the code of the receipt."""
    return await public_intake.submit(
        room.desk, sent or await letter(room), came_from=came_from, random=os.urandom
    )
