"""Dialling over TLS: what a node demands of a broker before it says a word of AMQP."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiormq.exceptions import AMQPConnectionError
from yarl import URL

from node.relay import dialling
from protocol.errors import PathError
from tests import authorities, rings
from tests.authorities import Office
from tests.rings import system_clock

HOST = "127.0.0.1"
OFFICES = authorities.hierarchy(now=system_clock())
COUNTY, CITY, NEIGHBOUR, PROVINCE = (
    OFFICES[name] for name in ("donghu", "yunzhou", "lanjiang", "jiangyuan")
)


@dataclass
class Listener:
    """A TLS server that is no broker, and keeps what it is told."""

    port: int = 0
    heard: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> URL:
        return URL(f"amqps://donghu:a-password@{HOST}:{self.port}/")

    async def listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Note what comes first, and hang up."""
        self.heard.append(await reader.read(100))
        writer.close()


@asynccontextmanager
async def listening(
    folder: Path, hub: Office, *, name: str | None = None, host: str = HOST
) -> AsyncIterator[Listener]:
    """A server with the certificate that the hub issued, in its own name or another one."""
    rings.write_server(hub, [host], folder, name=name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    listener = Listener()
    server = await asyncio.start_server(listener.listen, HOST, 0, ssl=context)
    listener.port = server.sockets[0].getsockname()[1]
    try:
        yield listener
    finally:
        server.close()
        await server.wait_closed()


async def test_the_broker_of_the_office_above_is_spoken_to(tmp_path: Path) -> None:
    async with listening(tmp_path / "server", CITY) as listener:
        with pytest.raises(AMQPConnectionError):
            await dialling.dial(listener.url, rings.above(COUNTY, tmp_path / "county"))
    assert [heard[:4] for heard in listener.heard] == [b"AMQP"]


@pytest.mark.parametrize(
    ("hub", "name"),
    [(NEIGHBOUR, None), (NEIGHBOUR, "yunzhou"), (PROVINCE, "yunzhou"), (PROVINCE, None)],
    ids=["a sibling", "a sibling in its name", "the top in its name", "the top"],
)
async def test_another_broker_of_the_same_tree_hears_nothing(
    tmp_path: Path, hub: Office, name: str | None
) -> None:
    async with listening(tmp_path / "server", hub, name=name) as listener:
        with pytest.raises(PathError, match="expected was yunzhou as certified by"):
            await dialling.dial(listener.url, rings.above(COUNTY, tmp_path / "county"))
    assert not any(listener.heard)


async def test_a_hub_takes_no_other_broker_for_its_own(tmp_path: Path) -> None:
    async with listening(tmp_path / "server", PROVINCE, name="yunzhou") as listener:
        with pytest.raises(PathError):
            await dialling.dial(listener.url, rings.own(CITY, tmp_path / "city"))
    assert not any(listener.heard)


async def test_the_right_broker_under_another_name_hears_nothing(tmp_path: Path) -> None:
    async with listening(tmp_path / "server", CITY, host="broker.example") as listener:
        with pytest.raises(AMQPConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
            await dialling.dial(listener.url, rings.above(COUNTY, tmp_path / "county"))
    assert not any(listener.heard)


async def test_the_brokers_address_cannot_weaken_what_is_demanded(tmp_path: Path) -> None:
    other = authorities.hierarchy(now=system_clock(), seed="other")["yunzhou"]
    async with listening(tmp_path / "server", other) as listener:
        weak = listener.url.update_query(no_verify_ssl="1", cafile=str(tmp_path / "ca.pem"))
        with pytest.raises(AMQPConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
            await dialling.dial(weak, rings.above(COUNTY, tmp_path / "county"))
    assert not any(listener.heard)
