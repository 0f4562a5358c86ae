"""A private PostgreSQL: its own cluster in a temporary folder, on a free loopback port.

It can be stopped or killed and started again on the same port and data. It makes empty databases
(or copies of one); what is in them, tables and all, is left to whoever asks for them.
"""

import os
import pwd
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncpg

from tests.servers import install, places, processes

USER = "zhitong"
INITDB_OPTIONS = (
    f"--username={USER}",
    # Asks for no password, and takes no connections but from loopback and its own socket.
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--no-sync",
)

COMMON_SETTINGS = """
listen_addresses = '127.0.0.1'
max_connections = 200
log_timezone = 'UTC'
timezone = 'UTC'
# In the folder, not in /dev/shm, where it would stay after a SIGKILL.
dynamic_shared_memory_type = mmap
"""

# A commit still reaches the kernel before it is answered, so that it survives the death of the
# server, which tests bring about; only the loss of power, which they cannot, would undo it.
FAST_SETTINGS = """
fsync = off
full_page_writes = off
"""


class Postgres:
    """One private server; use it in a `with` block, or call `start` and `close`.

    `durable` keeps the settings a production server has for writing to disk.
    All calls but the two for databases block: in async code, go through `asyncio.to_thread`.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.durable = durable
        self.port = 0
        self._folder: Path | None = None
        self._child: processes.Child | None = None
        self._user = _unprivileged_user()
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
        """Start it and wait until it takes connections; the first time, make the cluster."""
        if self._child is not None and self._child.running:
            return
        folder = self._folder or self._make_cluster()
        data = folder / "data"
        # The server's own note of how far it is (`pg_ctl` reads it too); an old one misleads.
        status = data / "postmaster.pid"
        old = _lines(status)
        self._child = processes.spawn(
            [_binaries() / "postgres", "-D", data, "-p", str(self.port), "-k", folder],
            log=folder / "postgres.log",
            env=_environment(),
            user=self._user,
            dies_by="QUIT",
        )

        def ready() -> bool:
            lines = _lines(status)
            return lines != old and len(lines) > 7 and lines[7].strip() == "ready"

        self._child.wait_ready(ready, 60)

    def stop(self, *, immediate: bool = False) -> None:
        """Shut it down: open connections are cut. The data stays.

        `immediate` skips the good order, as `pg_ctl stop -m immediate` does: the next start
        recovers from the log.
        """
        if self._child is not None:
            self._child.stop(signal.SIGQUIT if immediate else signal.SIGINT, 30)

    def kill(self) -> None:
        """SIGKILL to the server and all its processes at once. The data stays as it is."""
        if self._child is not None:
            self._child.kill()

    def restart(self) -> None:
        """Start it again on the same port and data; if it still runs, stop it first."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End it for good, without ceremony, and remove the folder."""
        processes.closed(self.close)
        if self._folder is None:
            return
        if self._child is not None:
            self._child.stop(signal.SIGQUIT, 10)
        _remove_shared_memory(_lines(self._folder / "data" / "postmaster.pid"))
        places.remove_folder(self._folder)
        self._folder = self._child = None

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database of this server."""
        return f"postgresql+asyncpg://{USER}@127.0.0.1:{self.port}/{database}"

    async def create_database(self, name: str, template: str | None = None) -> str:
        """Make a database, empty or a copy of one nobody is connected to; returns its URL."""
        source = "" if template is None else f" TEMPLATE {_quoted(template)}"
        await self._execute(f"CREATE DATABASE {_quoted(name)}{source}")
        return self.url(name)

    async def drop_database(self, name: str) -> None:
        """Drop a database if there is one, cutting whoever is connected."""
        await self._execute(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(
            host="127.0.0.1", port=self.port, user=USER, database="postgres"
        )
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def _make_cluster(self) -> Path:
        self.port = self.port or places.free_port()
        folder = self._folder = places.make_folder(self._user)
        processes.close_at_exit(self.close)
        made = subprocess.run(
            [_binaries() / "initdb", "-D", folder / "data", *INITDB_OPTIONS],
            capture_output=True,
            text=True,
            env=_environment(),
            cwd=folder,
            user=self._user,
            group=None if self._user is None else pwd.getpwnam(self._user).pw_gid,
            extra_groups=None if self._user is None else [],
            check=False,
        )
        if made.returncode != 0:
            raise processes.ServerError(f"initdb failed:\n{made.stderr or made.stdout}")
        with (folder / "data" / "postgresql.conf").open("a") as settings:
            settings.write(COMMON_SETTINGS + ("" if self.durable else FAST_SETTINGS))
        return folder


def _binaries() -> Path:
    folder = install.postgres_binaries()
    if folder is None:
        raise processes.ServerError("PostgreSQL is not installed: see tests/servers/install.py")
    return folder


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}


def _unprivileged_user() -> str | None:
    """Whom to run as when we are root, since PostgreSQL refuses to be root; else None."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except FileNotFoundError:
        return []


def _remove_shared_memory(status: list[str]) -> None:
    """Remove the segment that a killed server noted in its status file; others leave none."""
    if len(status) > 6 and len(words := status[6].split()) == 2:
        subprocess.run(["ipcrm", "-m", words[1]], capture_output=True, check=False)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
