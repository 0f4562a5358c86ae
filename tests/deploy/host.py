"""A host for the four offices of docker-compose.yml, without containers: the same scripts, brokers,
databases and settings; only how to get into an office differs, and the servers' addresses.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from node import config
from node.config import Settings
from tests.deploy import compose, forked
from tests.deploy.operator import DEPLOY, rabbitmqctl
from tests.servers import places, postgres
from tests.servers.postgres import Postgres
from tests.servers.rabbitmq import RabbitMQ

HUBS = ("province", "city")
OFFICES = (*HUBS, "county-a", "county-b")
SET_BY_THE_TESTS_SERVER = ("listeners.tcp", "listeners.ssl", "management.tcp")


@dataclass(frozen=True)
class Host:
    """A folder with everything, the running databases, and the brokers, which enrol.sh starts."""

    folder: Path
    brokers: dict[str, RabbitMQ]
    tls_ports: dict[str, int]
    databases: dict[str, Postgres]

    @property
    def dotenv(self) -> dict[str, str]:
        """What make-secrets.sh wrote."""
        return compose.dotenv(self.folder / ".env")

    def office(self, service: str) -> Path:
        """The office's data folder."""
        return self.folder / "offices" / service

    def environment(self, service: str) -> dict[str, str]:
        """The environment of the office's node, as docker-compose.yml has it."""
        found = compose.environment(service, self.dotenv)
        for hub in HUBS:
            broker, database = self.brokers[hub], self.databases[hub]
            for there, port in (
                (f"{hub}-broker:5671", self.tls_ports[hub]),
                (f"{hub}-broker:15672", broker.management_port),
                (f"{hub}-db:5432", database.port),
            ):
                found = {
                    name: value.replace(there, f"127.0.0.1:{port}") for name, value in found.items()
                }
        return found

    def settings(self, service: str) -> Settings:
        """The settings with which the office's node runs."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment(service).items():
                patch.setenv(name, value)
            return config.load(self.office(service))

    def prepare(self) -> None:
        """Write how to get into an office, how to start a broker and to call its rabbitmqctl."""
        programs = self.folder / "bin"
        programs.mkdir()
        for service in OFFICES:
            self.office(service).mkdir(parents=True)
            environment = {
                "PATH": f"{programs}:/usr/bin:/bin",
                "PYTHONPATH": str(compose.ROOT),
                **self.environment(service),
            }
            given = " ".join(shlex.quote(f"{k}={v}") for k, v in environment.items())
            _write(
                programs / f"inside-{service}",
                f'cd {self.office(service)} && exec env -i {given} "$@"',
            )
        _write(programs / "inside", f'office=$1; shift; exec {programs}/inside-$office "$@"')
        _write(
            programs / "start",
            f": > {programs}/wanted-$1; until [ -e {programs}/rabbitmqctl-$1 ]; do sleep 0.1; done",
        )
        _write(
            programs / "rabbitmqctl", f'broker=$1; shift; exec {programs}/rabbitmqctl-$broker "$@"'
        )

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script of deploy/compose; start the brokers that it asks for."""
        programs = self.folder / "bin"
        environment = {
            "PATH": "/usr/bin:/bin",
            "ZT_INSIDE": str(programs / "inside"),
            "ZT_START": str(programs / "start"),
            "ZT_RABBITMQCTL": str(programs / "rabbitmqctl"),
            "ZT_DATA": ".",
            "ZT_SECRETS": str(self.folder / "data" / "secrets"),
            "ZT_BROKER_HOST": "127.0.0.1",
            "ZT_ENV_FILE": str(self.folder / ".env"),
        }
        command = [DEPLOY / "compose" / script]
        if script == "make-secrets.sh":
            command.append(self.folder)
        pipe = subprocess.PIPE
        with subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True) as on:
            try:
                while True:
                    try:
                        said, complained = on.communicate(timeout=0.1)
                    except subprocess.TimeoutExpired:
                        self._start_wanted()
                    else:
                        return subprocess.CompletedProcess(command, on.returncode, said, complained)
            finally:
                on.kill()

    def _start_wanted(self) -> None:
        programs = self.folder / "bin"
        for hub, server in self.brokers.items():
            ready = programs / f"rabbitmqctl-{hub}-broker"
            if (programs / f"wanted-{hub}-broker").exists() and not ready.exists():
                server.start()
                rabbitmqctl(server, programs).rename(ready)

    def make_database(self, hub: str) -> None:
        """Run the script that the PostgreSQL image runs when it makes its data folder."""
        folder, server = self.databases[hub]._folder, self.databases[hub]
        secrets = self.folder / "secrets" / hub
        secrets.mkdir(parents=True)
        (secrets / "node").symlink_to(self.folder / "data" / "secrets" / f"{hub}-db-node")
        subprocess.run(
            [DEPLOY / "compose" / "database.sh"],
            env={
                "PATH": "/usr/bin:/bin",
                "PGHOST": str(folder),
                "PGPORT": str(server.port),
                "POSTGRES_USER": "postgres",
                "ZT_SECRETS": str(secrets),
            },
            check=True,
        )


@contextmanager
def running(folder: Path) -> Iterator[Host]:
    """A host whose databases run, as the first `docker compose up` leaves them."""
    with ExitStack() as servers, pytest.MonkeyPatch.context() as patch:
        # As the image has it: an administrator `postgres`, and no way in over TCP without password.
        options = ("--username=postgres", "--auth-local=trust", "--auth-host=scram-sha-256")
        kept = [o for o in postgres.INITDB_OPTIONS if not re.match("--(username|auth)", o)]
        patch.setattr(postgres, "INITDB_OPTIONS", (*options, *kept))
        ports = {hub: places.free_port() for hub in HUBS}
        secrets = folder / "data" / "secrets"
        brokers = {
            hub: RabbitMQ(settings=broker_settings(secrets / f"{hub}-broker-", ports[hub]))
            for hub in HUBS
        }
        for broker in brokers.values():
            # Told to the hub's node before the broker starts.
            broker.management_port = places.free_port()
        databases = {hub: Postgres() for hub in HUBS}
        host = Host(folder, brokers, ports, databases)
        for server in (*brokers.values(), *databases.values()):
            servers.callback(server.close)
        with ThreadPoolExecutor() as threads:
            list(threads.map(lambda server: server.start(), databases.values()))
        made = host.run("make-secrets.sh")
        assert (made.returncode, made.stderr) == (0, "")
        host.prepare()
        servers.enter_context(forked.serving(folder / "bin" / "zhitong"))
        for hub in HUBS:
            host.make_database(hub)
        yield host


def broker_settings(secrets: Path, port: int) -> str:
    """The settings of docker-compose.yml's brokers, but for the addresses they listen at."""
    lines = (DEPLOY / "compose" / "broker.conf").read_text().splitlines()
    kept = [line for line in lines if not line.startswith(SET_BY_THE_TESTS_SERVER)]
    settings = "\n".join([*kept, f"listeners.ssl.1 = 127.0.0.1:{port}"])
    return settings.replace("/run/secrets/", str(secrets))


def _write(program: Path, line: str) -> None:
    program.write_text(f"#!/bin/sh\n{line}\n")
    program.chmod(0o755)
