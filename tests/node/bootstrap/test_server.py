"""Serving: nodes start before their pages and stop after them."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from node.bootstrap.server import Serving
from node.errors import ConfigurationError
from node.storage.audit import AuditRow
from tests.offices import Hierarchy


async def test_every_office_of_a_process_has_pages_of_its_own(two_levels: Hierarchy) -> None:
    nodes = [two_levels.open(office) for office in ("yunzhou", "donghu")]
    serving = Serving(nodes)
    addresses = await serving.start()
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            titles = {
                office: (await client.get(f"{address}/login")).text
                for office, address in addresses.items()
            }
    finally:
        await serving.stop()
    assert "云州市政协" in titles["yunzhou"]
    assert "东湖县政协" in titles["donghu"]


async def test_after_stopping_nothing_listens_and_every_node_has_stopped(
    two_levels: Hierarchy,
) -> None:
    with capture_logs() as lines:
        serving = Serving([two_levels.open(office) for office in ("yunzhou", "donghu")])
        addresses = await serving.start()
        await serving.stop()
    assert sorted(line["node"] for line in lines if line["event"] == "node.stopped") == [
        "donghu",
        "yunzhou",
    ]
    async with httpx.AsyncClient(trust_env=False) as client:
        for address in addresses.values():
            with pytest.raises(httpx.ConnectError):
                await client.get(address)


async def test_a_port_that_is_taken_is_a_mistake_of_the_caller(lone: Hierarchy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        node = lone.open("donghu")
        settings = node.settings.model_copy(
            update={"web": node.settings.web.model_copy(update={"port": port})}
        )
        node.settings = settings
        serving = Serving([node])
        with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1:{port}"):
            await serving.start()
        await serving.stop()


async def test_an_office_that_only_relays_has_no_pages(lone: Hierarchy) -> None:
    serving = Serving([lone.open("donghu", half="relay")])
    assert await serving.start() == {}
    await serving.stop()


async def test_a_connection_that_rests_is_ended_by_whoever_asks(lone: Hierarchy) -> None:
    serving = Serving([lone.open("donghu")])
    [address] = (await serving.start()).values()
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.get(f"{address}/login")
            [server] = serving._servers
            connection: Any
            [connection] = server.server_state.connections
            left = connection.timeout_keep_alive_task.when() - asyncio.get_running_loop().time()
            # Proxies keep them for sixty seconds, our own clients for five.
            assert left > 65
    finally:
        await serving.stop()


@pytest.mark.parametrize(
    ("trusted", "noted"), [(["127.0.0.1"], "203.0.113.9"), ([], "127.0.0.1")], ids=["proxy", "none"]
)
async def test_only_a_proxy_that_is_trusted_says_who_asked(
    lone: Hierarchy, trusted: list[str], noted: str
) -> None:
    node = lone.open("donghu")
    web = node.settings.web.model_copy(update={"trusted_proxies": trusted})
    node.settings = node.settings.model_copy(update={"web": web})
    serving = Serving([node])
    [address] = (await serving.start()).values()
    try:
        # A client that says something of itself: the proxy adds what it saw.
        said = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}
        async with httpx.AsyncClient(trust_env=False, headers=said) as client:
            wrong = {"username": "lin", "password": "quite-another-one"}
            await client.post(f"{address}/api/v1/session", json=wrong)
        async with node.desk.database.reading() as session:
            query = select(AuditRow.came_from).where(AuditRow.action == "login_refused")
            assert (await session.scalars(query)).all() == [noted]
    finally:
        await serving.stop()
