"""A very small run on real servers: the tool works, and a stage that it did not open is clean."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import psutil
import pytest
from yarl import URL

from tests.chaos import run, stage
from tests.offices import DONGHU, Plan
from tests.servers.postgres import Postgres
from tests.servers.rabbitmq import RabbitMQ

SECONDS = 6.0
CITY = Plan("yunzhou", "云州市政协", "city", (DONGHU,))
THREE_OFFICES = Plan("jiangyuan", "江原省政协", "province", (CITY,))


@pytest.mark.timeout(240)
async def test_a_fault_of_each_kind_loses_and_doubles_nothing(
    tmp_path: Path, rabbitmq: RabbitMQ, broker: str, postgres: Postgres
) -> None:
    vhost = unquote(URL(broker).path.removeprefix("/"))
    async with stage.opened(tmp_path, THREE_OFFICES, [(rabbitmq, vhost)], [postgres]) as playing:
        report = await run.run(playing, seed=3, seconds=SECONDS)
    result = report.as_json()
    assert report.ok, result
    assert min(result["faults"].values()) >= 1
    assert result["acts"]["arrived"] > 0
    assert result["facts"]["arrived"] == result["notices"]["arrived"] > 0
    assert len(report.nemesis.recoveries) == result["faults"]["broker_kill"]
    assert [p for p in psutil.Process().children() if "serve" in p.cmdline()] == []
