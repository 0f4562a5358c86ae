"""The demo says at its end whether anything was lost, and is right about it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.journeys import processes
from tests.journeys.processes import Running
from tests.protocol import programs
from tests.servers.postgres import Postgres

PATIENCE = 240.0
"""Seconds until a demo counts as hanging: three at once, beside other tests, on few cores."""

LAST_LINE = re.compile(
    r"(?P<items>\d+) items, (?P<hops>\d+) hops, (?P<facts>\d+) facts, (?P<notices>\d+) notices"
    r" in \d+\.\d s; lost (?P<lost>\d+), duplicated (?P<duplicated>\d+)"
)


def counted(running: Running) -> dict[str, int]:
    """What the last line says."""
    last = running.said().rstrip().splitlines()[-1]
    found = LAST_LINE.fullmatch(last)
    assert found, f"the last line is {last!r}"
    return {name: int(value) for name, value in found.groupdict().items()}


@pytest.mark.timeout(400)
async def test_the_demo_counts_and_finds_nothing_lost_with_and_without_servers_and_finds_a_loss(
    tmp_path: Path, broker: str, postgres: Postgres
) -> None:
    evidence, root = tmp_path / "evidence.json", tmp_path / "evidence.root.pem"
    # At once, since each of them mostly waits.
    servers = ("--broker", broker, "--database", postgres.url("postgres"))
    async with (
        processes.run(tmp_path, "node", "demo", "--once", "--evidence", evidence) as embedded,
        processes.run(tmp_path, "node", "demo", "--once", *servers) as served,
        processes.run(tmp_path, "tests.journeys.broken_demo", "demo", "--once") as broken,
    ):
        codes = [await demo.ended(PATIENCE) for demo in (embedded, served, broken)]
    for demo, code, wanted in zip((embedded, served, broken), codes, (0, 0, 1), strict=True):
        assert code == wanted, demo.said()
    told = counted(embedded)
    assert (told["items"], told["lost"], told["duplicated"]) == (18, 0, 0)
    assert min(told["hops"], told["facts"], told["notices"]) > 100
    assert counted(served) == told
    found = counted(broken)
    assert (found["items"], found["lost"], found["duplicated"]) == (1, 1, 0)
    await verifies(tmp_path, evidence, root)


async def verifies(folder: Path, evidence: Path, root: Path) -> None:
    """The evidence that the demo wrote verifies here, and by the README with other programs."""
    async with processes.run(
        folder, "node", "evidence", "verify", evidence, "--root", root
    ) as verifying:
        assert await verifying.ended() == 0, verifying.said()
    said = verifying.said()
    assert "jiangyuan/yunzhou 签名确认收到" in said
    for path in ("jiangyuan/yunzhou/donghu", "jiangyuan/yunzhou", "jiangyuan"):
        assert f"✓ {path}（第 3 条）：" in said
    assert "批示：" in said
    programs.openssl()
    script = programs.code("js", "Checking a file of evidence by hand")
    done = programs.run_script(programs.jose(), script, evidence, root)
    assert done.returncode == 0, done.stderr
    assert "jiangyuan states, 3: instructed at " in done.stdout
