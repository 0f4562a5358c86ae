"""`zhitong` without its second of loading: one process has loaded everything, and forks a command.

A script that calls many commands spends its time on starting Python. Each command still is a
process of its own, with the caller's arguments, environment, folder and standard files.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from node.cli import main
from tests.servers import processes

ROOT = Path(__file__).parents[2]
MOST = 65_536
CLIENT = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({place!r})
    asked = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
    socket.send_fds(server, [asked], [0, 1, 2])
    sys.exit(server.recv(1)[0])
"""


@contextmanager
def serving(program: Path) -> Iterator[None]:
    """Make `program` a `zhitong` that is quickly there."""
    place = program.with_suffix(".socket")
    program.write_text(CLIENT.format(python=sys.executable, place=str(place)))
    program.chmod(0o755)
    with subprocess.Popen([sys.executable, "-m", __name__, place], cwd=ROOT) as server:
        try:
            processes.wait_until(place.exists, 60, "the loaded zhitong")
            yield
        finally:
            server.kill()


def serve(place: Path) -> None:
    """Fork for each caller."""
    for module in {*main.MODULES.values()}:
        import_module(f"node.cli.{module}")
    import_module("node.storage.migrate")
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place.with_suffix(".partial")))
        listener.listen()
        # Named when it can be called.
        place.with_suffix(".partial").rename(place)
        while True:
            caller, _ = listener.accept()
            if os.fork() == 0:
                _run(caller)
            caller.close()


def _run(caller: socket.socket) -> None:
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        asked, files, _, _ = socket.recv_fds(caller, MOST, 3)
        arguments, environment, folder = json.loads(asked)
        for number, file in enumerate(files):
            os.dup2(file, number)
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        sys.argv = ["zhitong", *arguments]
        main.run()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        caller.send(bytes([code]))
        os._exit(code)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
