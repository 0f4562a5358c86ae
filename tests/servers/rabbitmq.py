"""A private RabbitMQ: a node of its own in a temporary folder, on free loopback ports.

It has its own name service (epmd), cookie, logs and management API, and runs as whoever we are;
the system's broker and its settings play no part. It can be stopped or killed and started again
on the same ports and data. Virtual hosts are made empty and without policies: exchanges, queues,
users and policies are left to whoever asks for them.
"""

import asyncio
import itertools
import os
import signal
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import httpx

from tests.servers import places, processes, rabbitmq_home

AUTH = ("guest", "guest")

_numbers = itertools.count(1)


class RabbitMQ:
    """One private node; use it in a `with` block, or call `start` and `close`.

    `settings` are lines added to its `rabbitmq.conf`. `tls` is a folder that holds, when it starts,
    what `zhitong certificates broker` writes: then it listens on `tls_port` too.
    The calls that are not coroutines block: in async code, go through `asyncio.to_thread`.
    """

    def __init__(self, *, settings: str = "", tls: Path | None = None) -> None:
        self.tls_port = 0 if tls is None else places.free_port()
        listener = "" if tls is None else rabbitmq_home.tls_listener(self.tls_port, tls)
        self.settings = settings + listener
        self.name = f"zt{os.getpid()}x{next(_numbers)}@localhost"
        self.port = 0
        self.management_port = 0
        self._env: dict[str, str] = {}
        self._folder: Path | None = None
        self._epmd: processes.Child | None = None
        self._node: processes.Child | None = None
        # Not left to `start`, which may run in a thread that cannot set signal handlers.
        processes.watch_for_the_end()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start it and wait until it takes connections; the first time, lay out the folder."""
        if self._node is not None and self._node.running:
            return
        folder = self._folder or self._lay_out()
        if self._epmd is None or not self._epmd.running:
            # Left to itself the node would start one as a daemon, which stays for ever.
            self._epmd = processes.spawn(["epmd"], log=folder / "epmd.log", env=self._env)
            self._epmd.wait_ready(lambda: _accepts(int(self._env["ERL_EPMD_PORT"])), 10)
        self._node = processes.spawn(
            [folder / "home" / "sbin" / "rabbitmq-server"],
            log=folder / "rabbitmq.log",
            env=self._env,
        )
        # It opens this port last, after its queues are recovered and the plugins run.
        self._node.wait_ready(lambda: _speaks_amqp(self.port), 60)

    def stop(self) -> None:
        """Shut it down in good order, which takes it over five seconds. The data stays."""
        if self._node is not None:
            self._node.stop(signal.SIGTERM, 30)
        self._stop_epmd()

    def settle(self) -> None:
        """Make the quorum queues declared so far such that they survive `kill`.

        RabbitMQ 3.10 writes the register of their members to disk only after half a second of
        calm. A queue that was declared just before a SIGKILL exists afterwards but has no leader,
        and every operation on it hangs. Confirmed messages need no such help.
        """
        self.ctl("eval", "[ok, ok] = [dets:sync(T) || T <- [ra_directory_reverse, ra_log_meta]].")

    def kill(self) -> None:
        """SIGKILL to the node, as by `kill -9`. The data stays as it is: see `settle`."""
        if self._node is not None:
            self._node.kill()
        self._stop_epmd()

    def restart(self) -> None:
        """Start it again on the same ports and data; if it still runs, stop it first."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End it for good, without ceremony, and remove the folder."""
        processes.closed(self.close)
        self.kill()
        if self._folder is not None:
            places.remove_folder(self._folder)
        self._folder = None

    def url(self, vhost: str = "/") -> str:
        """The AMQP URL of a virtual host, which need not exist."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/{quote(vhost, safe='')}"

    @property
    def tls_url(self) -> str:
        """The address for offices that log in with their certificates."""
        return f"amqps://127.0.0.1:{self.tls_port}/"

    @property
    def management_url(self) -> str:
        return f"http://127.0.0.1:{self.management_port}"

    async def create_vhost(self, name: str) -> str:
        """Make an empty virtual host, open to guest; returns its AMQP URL."""
        vhost = quote(name, safe="")
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        async with self._management() as api:
            for path, body in ((f"vhosts/{vhost}", {}), (f"permissions/{vhost}/guest", everything)):
                (await api.put(f"/api/{path}", json=body)).raise_for_status()
        return self.url(name)

    async def create_account(self, name: str, *, configure: str, write: str, read: str) -> None:
        """Make an account without password: a certificate alone opens it."""
        rights = {"configure": configure, "write": write, "read": read}
        async with self._management() as api:
            for path, body in (
                (f"users/{name}", {"password_hash": "", "tags": ""}),
                (f"permissions/%2F/{name}", rights),
            ):
                (await api.put(f"/api/{path}", json=body)).raise_for_status()

    async def delete_vhost(self, name: str) -> None:
        """Delete a virtual host and all that is in it."""
        async with self._management() as api:
            (await api.delete(f"/api/vhosts/{quote(name, safe='')}")).raise_for_status()

    async def close_connections(self) -> None:
        """Cut every client's connection, as an operator would (`CONNECTION_FORCED`)."""
        # The management API lists connections only seconds after they were opened.
        command = ("close_all_connections", "--global", "closed by an operator")
        await asyncio.to_thread(self.ctl, *command)

    def set_memory_alarm(self, on: bool) -> None:
        """Raise the memory alarm, or lower it; returns when it is in effect.

        While it is on, the broker reads nothing more from connections that publish.
        """
        self.ctl("set_vm_memory_high_watermark", "0" if on else rabbitmq_home.MEMORY_WATERMARK)
        with httpx.Client(
            base_url=self.management_url, auth=AUTH, trust_env=False, verify=False
        ) as api:
            path = "/api/health/checks/local-alarms"
            wanted = httpx.codes.SERVICE_UNAVAILABLE if on else httpx.codes.OK
            processes.wait_until(
                lambda: api.get(path).status_code == wanted, 15, f"memory alarm {on=}"
            )

    def ctl(self, *arguments: str) -> str:
        """Run `rabbitmqctl` on this node, which takes half a second; returns its output."""
        if self._folder is None:
            raise processes.ServerError("not started")
        done = subprocess.run(
            [self._folder / "home" / "sbin" / "rabbitmqctl", "--quiet", *arguments],
            capture_output=True,
            text=True,
            env=self._env,
            cwd=self._folder,
            check=False,
        )
        if done.returncode != 0:
            raise processes.ServerError(f"rabbitmqctl {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    def _management(self) -> httpx.AsyncClient:
        # Without the environment's proxies.
        return httpx.AsyncClient(
            base_url=self.management_url, auth=AUTH, trust_env=False, verify=False
        )

    def _stop_epmd(self) -> None:
        if self._epmd is not None:
            self._epmd.kill()

    def _lay_out(self) -> Path:
        self.port = self.port or places.free_port()
        self.management_port = self.management_port or places.free_port()
        folder = self._folder = places.make_folder()
        processes.close_at_exit(self.close)
        self._env = rabbitmq_home.lay_out(
            folder, self.name, self.port, self.management_port, self.settings
        )
        return folder


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _speaks_amqp(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            # Answered by connection.start, a frame of type 1; a refusal starts with "A".
            return connection.recv(1) == b"\x01"
    except OSError:
        return False
