"""What an operator has at hand: `rabbitmqctl` of a private broker, as a command for scripts."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

from tests.servers.rabbitmq import RabbitMQ

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
    script: str, *arguments: str, ctl: Path, password: str
) -> subprocess.CompletedProcess[str]:
    """Run a script of deploy/rabbitmq as an operator would, the password on standard input."""
    return subprocess.run(
        [DEPLOY / "rabbitmq" / script, *arguments],
        input=password + "\n",
        env={"PATH": "/usr/bin:/bin", "RABBITMQCTL": str(ctl)},
        capture_output=True,
        text=True,
        check=False,
    )
