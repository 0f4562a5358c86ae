"""Logging: outcomes, one line of JSON each, and never what people wrote."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog

from node import log
from node.loop import Loop
from node.storage.items import Edition
from node.workflow import decisions, purges, submissions
from protocol.errors import ZhitongError
from protocol.lifecycle import Action
from tests.node.chain import Chain
from tests.node.rooms import Room
from tests.node.workflow.deeds import do
from tests.offices import PASSWORD

TITLE, BODY, REASON = "绝不入日志的标题", "绝不入日志的正文", "绝不入日志的理由"
WRITTEN = (TITLE, BODY, REASON, "林晓雨", "请研究", PASSWORD)


@contextmanager
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What goes to standard error while everything is logged."""
    lines = io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", lines)
        log.configure(level="debug", terminal=False)
        yield lines


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("hierarchy", ["3"], indirect=True)
async def test_nothing_that_people_wrote_reaches_the_log_while_an_item_climbs_and_is_purged(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    with logged(monkeypatch) as lines:
        item = await chain.county.submit(title=TITLE, body=BODY)
        for office in chain.line:
            room = chain.rooms[office]
            for action in (Action.REGISTER, Action.ADOPT, Action.INSTRUCT, Action.IMPLEMENT):
                await do(room, action, item)
            if office != chain.line[-1]:
                await do(room, Action.FORWARD_UP, item)
            await chain.deliver()
        with pytest.raises(ZhitongError):
            await decisions.return_(chain.top.desk, chain.top.editor, item, REASON)
        await purges.purge(chain.county.desk, chain.county.security, item, REASON)
        await chain.deliver()

    said = [json.loads(line)["event"] for line in lines.getvalue().splitlines()]
    assert {"outbox.sent"} <= set(said)
    for words in WRITTEN:
        assert words not in lines.getvalue()


@pytest.mark.usefixtures("quiet")
async def test_nothing_that_people_wrote_reaches_the_log_when_messages_are_refused(
    pair: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    with logged(monkeypatch) as lines:
        item = await pair.county.submit(title=TITLE, body=BODY)
        await do(pair.county, Action.REGISTER, item)
        await do(pair.county, Action.FORWARD_UP, item)
        # A fault in the city's program: the message is poison to it.
        monkeypatch.setattr(submissions, "_new_item", _fail)
        await pair.deliver()

    assert "inbox.poison" in lines.getvalue()
    for words in WRITTEN:
        assert words not in lines.getvalue()


@pytest.mark.usefixtures("quiet")
async def test_a_statement_that_the_database_refuses_does_not_bring_its_values_into_the_log(
    county: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = await county.submit(title=TITLE, body=BODY)

    async def write_again() -> bool:
        loop.stop()
        async with county.database.writing.begin() as session:
            edition = await session.get_one(Edition, (item, 1))
            values = {c.key: getattr(edition, c.key) for c in Edition.__table__.columns}
            session.expunge(edition)
            session.add(Edition(**values))
        return True

    loop = Loop("writer", write_again, poll=0)
    with logged(monkeypatch) as lines:
        await loop.run()

    assert "IntegrityError" in lines.getvalue()
    for words in WRITTEN:
        assert words not in lines.getvalue()


@pytest.mark.usefixtures("quiet")
def test_a_line_is_json_with_time_level_and_event(monkeypatch: pytest.MonkeyPatch) -> None:
    with logged(monkeypatch) as lines:
        structlog.get_logger().info("outbox.sent", message_id="1", to="云州")
    line = json.loads(lines.getvalue())
    assert (line["event"], line["level"], line["to"]) == ("outbox.sent", "info", "云州")
    assert line["timestamp"].endswith("Z")


@pytest.mark.usefixtures("quiet")
def test_on_a_terminal_an_exception_shows_its_place_but_no_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = io.StringIO()
    monkeypatch.setattr(sys, "stderr", lines)
    log.configure(terminal=True)
    try:
        _fail(TITLE)
    except RuntimeError:
        structlog.get_logger().exception("loop.failed")
    assert "test_log.py" in lines.getvalue()
    assert TITLE not in lines.getvalue()


@pytest.mark.usefixtures("quiet")
def test_what_a_library_says_is_a_line_of_the_same_form(monkeypatch: pytest.MonkeyPatch) -> None:
    with logged(monkeypatch) as lines:
        logging.getLogger("aiormq.connection").error("refused: %s", 111)
    line = json.loads(lines.getvalue())
    assert (line["event"], line["level"]) == ("refused: 111", "error")
    assert line["logger"] == "aiormq.connection"


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(("level", "heard"), [("info", ["b", "c"]), ("warning", ["c"])])
def test_lines_below_the_level_are_left_out(
    monkeypatch: pytest.MonkeyPatch, level: str, heard: list[str]
) -> None:
    lines = io.StringIO()
    monkeypatch.setattr(sys, "stderr", lines)
    log.configure(level=level, terminal=False)
    logger = structlog.get_logger()
    logger.debug("a")
    logger.info("b")
    logger.warning("c")
    logging.getLogger("some.library").info("chatter")
    assert [json.loads(line)["event"] for line in lines.getvalue().splitlines()] == heard


def _fail(*_: object) -> None:
    raise RuntimeError("nobody foresaw this")
