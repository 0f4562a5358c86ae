"""What an operator has at hand: `rabbitmqctl` of a private broker, and the scripts of deploy/."""

from __future__ import annotations

import asyncio
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

import httpx

from node.relay.routes import AmqpTransport
from node.relay.tls import Tls
from node.relay.topology import Hub
from protocol.identifiers import NodeId
from tests.servers.rabbitmq import RabbitMQ
from tests.waiting import until

DEPLOY = Path(__file__).parents[2] / "deploy"


def rabbitmqctl(server: RabbitMQ, folder: Path) -> Path:
    """Write a command that is `rabbitmqctl` on this server."""
    # The server shares neither its folder nor its environment with anybody else.
    home, env = server._folder, server._env
    assert home is not None
    settings = " ".join(shlex.quote(f"{name}={value}") for name, value in env.items())
    command = folder / f"rabbitmqctl-{server.port}"
    command.write_text(
        f'#!/bin/sh\ncd {home} && exec env -i {settings} {home}/home/sbin/rabbitmqctl "$@"\n'
    )
    command.chmod(0o755)
    return command


def run_script(
    script: str, *arguments: str, ctl: Path, password: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a script of deploy/rabbitmq as an operator would, a password on standard input."""
    return subprocess.run(
        [DEPLOY / "rabbitmq" / script, *arguments],
        input=password + "\n",
        env={"PATH": "/usr/bin:/bin", "RABBITMQCTL": str(ctl)},
        capture_output=True,
        text=True,
        check=False,
    )


async def run_hub(
    hub: NodeId,
    children: Sequence[NodeId],
    url: str,
    management: str | None,
    tls: Tls | None = None,
) -> None:
    """Run the relay of a hub until it has declared everything, as its node does.

    With a management API, until it has limited everything too.
    """

    async def known() -> Sequence[NodeId]:
        return children

    async def limited() -> bool:
        async with httpx.AsyncClient(trust_env=False) as client:
            listed = await client.get(f"{management}/api/policies")
        names = {policy["name"] for policy in listed.raise_for_status().json()}
        return names >= {queue.name for queue in Hub(hub).queues(children)}

    transport = AmqpTransport(
        hub,
        parent=None,
        parent_broker=None,
        own_broker=url,
        management=management,
        children=known,
        prefetch=10,
        own_tls=tls,
    )
    running = asyncio.create_task(transport.run())
    await until(lambda: transport.reachable(children[0]), what="the hub's node has its broker")
    if management is not None:
        await until(limited, what="the policies of all queues")
    transport.stop()
    await running
