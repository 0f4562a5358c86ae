"""Where the private servers live: free ports, and temporary folders that do not pile up.

A folder is locked by the process that made it. One that was left behind by a SIGKILL has no lock
any more, and is removed when the next one is made. Linux only.
"""

import atexit
import contextlib
import fcntl
import os
import random
import shutil
import socket
import tempfile
import time
from pathlib import Path

from tests.servers.processes import ServerError

PREFIX = "zhitong-server-"
YOUNG = 60.0

MEMORY = Path("/dev/shm")
ROOM = 6 << 30
"""Bytes that the tests' servers and offices have room in, all at once."""

_locks: dict[Path, int] = {}


def use_memory() -> None:
    """Have this process and its children make temporary files in memory, where there is room.

    Nothing changes where `TMPDIR` names a place, or programs in memory may not be run.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return
    found = os.statvfs(MEMORY)
    if found.f_flag & os.ST_NOEXEC or found.f_bavail * found.f_frsize < ROOM:
        return
    folder = MEMORY / f"zhitong-{os.getuid()}"
    folder.mkdir(mode=0o711, exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)


def free_port() -> int:
    """A loopback port that nobody uses, ours until this process ends.

    It lies below the ports the kernel gives to outgoing connections, so that no client takes it
    while the server is down. An abstract socket of its name keeps parallel test runs off it.
    """
    for port in random.SystemRandom().sample(range(10_000, 30_000), 1_000):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0zhitong-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        # Kept until then: whoever looks for a port meanwhile must find it claimed.
        atexit.register(claim.close)
        return port
    raise ServerError("no free port between 10000 and 30000")


def make_folder(owner: str | None = None) -> Path:
    """A temporary folder, locked by us, for the given user if we are root."""
    _remove_abandoned()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    _locks[folder] = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(_locks[folder], fcntl.LOCK_EX)
    if owner is not None:
        shutil.chown(folder, owner)
    return folder


def remove_folder(folder: Path) -> None:
    """Remove a folder of `make_folder`; the processes that write in it must have ended."""
    shutil.rmtree(folder, ignore_errors=True)
    os.close(_locks.pop(folder))


def _remove_abandoned() -> None:
    for folder in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        with contextlib.suppress(OSError):
            # A younger one may not have its lock yet.
            if time.time() - folder.stat().st_mtime < YOUNG:
                continue
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
