"""Nobody waits long in vain: broken connections and refused publishes are tried again soon.

Only for nodes in this process; those in processes of their own wait as they do in earnest.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from node.relay import amqp, publisher, recovery
from tests.node.relay import logs


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short pauses."""
    monkeypatch.setattr(publisher, "AGAIN_AFTER", timedelta(seconds=0.5))
    monkeypatch.setattr(amqp, "LONGEST_PAUSE", 0.5)
    monkeypatch.setattr(recovery, "ASK_AGAIN", timedelta(seconds=3))


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """Short tracebacks."""
    with logs.plain():
        yield
