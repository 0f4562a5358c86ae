"""deploy/rabbitmq's settings and example, on a broker that is started with them: TLS included."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aio_pika
import pytest
from aiormq.exceptions import AMQPConnectionError
from yarl import URL

from node.relay import dialling
from node.relay.routes import AmqpTransport
from protocol.identifiers import NodeId
from tests.deploy.operator import DEPLOY, rabbitmqctl, run_hub, run_script
from tests.servers import places
from tests.servers.rabbitmq import RabbitMQ
from tests.waiting import until

HUB, CHILD = NodeId("yunzhou"), NodeId("donghu")
PASSWORD = "0123456789abcdef0123456789abcdef"
SET_BY_THE_TESTS_SERVER = ("listeners.tcp", "management.tcp")


@dataclass(frozen=True)
class Hub:
    """A hub's broker as the runbook sets it up, with its certificate and a stranger's."""

    server: RabbitMQ
    tls_port: int
    certificate: Path
    stranger: Path

    def address(self, certificate: Path) -> str:
        """The address that the child is given."""
        return f"amqps://{CHILD}:{PASSWORD}@localhost:{self.tls_port}/?cafile={certificate}"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """The broker, with the accounts of the example, which then were given passwords."""
    folder = tmp_path_factory.mktemp("hub")
    for name in ("server", "stranger"):
        _make_certificate(folder, name)
    port = places.free_port()
    lines = (DEPLOY / "rabbitmq" / "rabbitmq.conf").read_text().splitlines()
    kept = "\n".join(line for line in lines if not line.startswith(SET_BY_THE_TESTS_SERVER))
    settings = kept.replace("/etc/rabbitmq/tls", str(folder)).replace(
        "listeners.ssl.default = 5671", f"listeners.ssl.1 = 127.0.0.1:{port}"
    )
    with RabbitMQ(settings=settings) as server:
        server.ctl("import_definitions", str(DEPLOY / "rabbitmq" / "definitions.example.json"))
        yield Hub(server, port, folder / "server.pem", folder / "stranger.pem")


def _make_certificate(folder: Path, name: str) -> None:
    """As the runbook does, for this host."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 730"
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    files = ("-keyout", key, "-out", certificate)
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)


def test_the_account_that_rabbitmq_comes_with_is_for_loopback_alone(hub: Hub) -> None:
    said = hub.server.ctl("eval", "application:get_env(rabbit, loopback_users).")
    assert said.strip() == '{ok,[<<"guest">>]}'


async def test_the_examples_accounts_cannot_log_in_before_they_have_a_password(
    hub: Hub, tmp_path: Path
) -> None:
    for password in ("", PASSWORD):
        with pytest.raises(AMQPConnectionError):
            await aio_pika.connect(
                f"amqp://xishan:{password}@127.0.0.1:{hub.server.port}/", timeout=10
            )


async def test_a_child_dials_up_over_tls_and_trusts_only_its_hubs_certificate(
    hub: Hub, tmp_path: Path
) -> None:
    ctl = rabbitmqctl(hub.server, tmp_path)
    # They refuse an account with other rights: so the example has what the scripts give.
    for script in (
        ["add-hub.sh", HUB],
        ["add-management.sh", HUB],
        ["add-child.sh", HUB, CHILD],
    ):
        done = run_script(*script, ctl=ctl, password=PASSWORD)
        assert (done.returncode, done.stderr) == (0, "")
    await run_hub(
        HUB,
        [CHILD],
        f"amqp://{HUB}:{PASSWORD}@127.0.0.1:{hub.server.port}/",
        f"http://{HUB}.management:{PASSWORD}@127.0.0.1:{hub.server.management_port}",
    )
    with pytest.raises(AMQPConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
        await dialling.dial(URL(hub.address(hub.stranger)))
    transport = AmqpTransport(
        CHILD,
        parent=HUB,
        parent_broker=hub.address(hub.certificate),
        own_broker=None,
        management=None,
        children=_none,
        prefetch=10,
    )
    running = asyncio.create_task(transport.run())
    await until(lambda: transport.reachable(HUB), what="the child has its hub")
    transport.stop()
    await running


async def _none() -> list[NodeId]:
    return []
