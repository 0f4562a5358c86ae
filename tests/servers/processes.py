"""The child processes of the private servers, and how everything comes to an end.

A server started here never outlives the process that started it. There are three ways to go:

- `close()` of the server, normally by its `with` block or fixture;
- the end of this process, by Ctrl-C, SIGTERM or SIGHUP too: what is still open is closed;
- SIGKILL: the kernel ends the servers (a parent-death signal), and the next run removes their
  folders (`places`).

Linux only. What a particular server needs is left to its own module.
"""

import atexit
import contextlib
import functools
import os
import pwd
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import psutil

_open: list[Callable[[], None]] = []


class ServerError(RuntimeError):
    """A private server did not do what was asked of it."""


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Poll until the condition holds; raises `ServerError` after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise ServerError(f"{what}: not within {seconds:g} s")
        time.sleep(0.02)


def close_at_exit(close: Callable[[], None]) -> None:
    """Have this called when the process ends, unless `closed` is told of it before."""
    watch_for_the_end()
    _open.append(close)


def closed(close: Callable[[], None]) -> None:
    """Forget a `close_at_exit`."""
    with contextlib.suppress(ValueError):
        _open.remove(close)


@functools.cache
def watch_for_the_end() -> None:
    """See to it that open servers are closed at exit, and by SIGTERM and SIGHUP.

    Signals are only seen to when the first call comes from the main thread.
    """
    owner = os.getpid()

    def close_all() -> None:
        for close in list(_open) if os.getpid() == owner else ():
            close()

    atexit.register(close_all)
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, _like_ctrl_c)


def _like_ctrl_c(number: int, frame: FrameType | None) -> None:
    # Whoever runs us (pytest, asyncio) knows how to wind up on Ctrl-C; SystemExit in the middle
    # of a test would only be that test's failure. A background job has SIGINT ignored.
    if callable(signal.getsignal(signal.SIGINT)):
        signal.raise_signal(signal.SIGINT)
    else:
        signal.default_int_handler(number, frame)


@functools.cache
def _spawner() -> ThreadPoolExecutor:
    # The parent-death signal comes when the *thread* that started the child ends, so a server
    # that is restarted from a passing worker thread must not be started by that thread.
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="servers")


@dataclass(frozen=True)
class Child:
    """A running server process, in a session of its own."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def wait_ready(self, ready: Callable[[], bool], seconds: float) -> None:
        """Poll until it is ready; raises `ServerError` with its last words if it never is."""

        def ready_or_dead() -> bool:
            if not self.running:
                raise ServerError(f"{self.name} ended with code {self.process.returncode}")
            return ready()

        try:
            wait_until(ready_or_dead, seconds, f"{self.name} ready")
        except ServerError as error:
            self.kill()
            tail = self.log.read_text(errors="replace").splitlines()[-30:]
            raise ServerError("\n".join([f"{error}. The end of its log:", *tail])) from error

    def stop(self, number: signal.Signals, seconds: float) -> None:
        """Ask it to end with this signal, and kill it if it has not after so many seconds."""
        if self.running:
            self.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        self.kill()

    def kill(self) -> None:
        """SIGKILL to it and to everything it started; returns when all are gone."""
        if not self.running:
            return
        # Stopped first, so that it starts nothing more while its family is looked up.
        self.process.send_signal(signal.SIGSTOP)
        family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        self.process.wait()
        wait_until(lambda: not any(map(_alive, family)), 10, f"{self.name} gone")


def _alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str],
    user: str | None = None,
    dies_by: str = "KILL",
) -> Child:
    """Start a server, its output appended to the log, that gets a signal when we die."""

    def start() -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", dies_by, "--", *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=log.parent,
                user=user,
                group=pwd.getpwnam(user).pw_gid if user else None,
                extra_groups=[] if user else None,
                start_new_session=True,
            )

    name = Path(command[0]).name
    return Child(name, _spawner().submit(start).result(), log)
