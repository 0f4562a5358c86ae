"""Starts the processes of a measurement and reads what they report.

Such a process writes JSON lines to its standard output, through `report` here: how many messages
are done so far, and whatever its measurement needs. What the words mean is left to that.
"""

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[2]
# Longer than any pause within a measurement: whoever is silent for so long, hangs.
PATIENCE = 60.0
DONE = "done"


class MeasurementError(RuntimeError):
    """A process of the measurement ended early or fell silent."""


def report(**words: Any) -> None:
    """Say something to the process that measures."""
    print(json.dumps(words), flush=True)


class Progress:
    """Reports how many are done, a few times a second and no more, so as not to slow the work."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, done: int) -> None:
        if (now := time.monotonic()) >= self._next:
            self._next = now + 0.25
            report(**{DONE: done})


class Parts:
    """The processes of one measurement, which end with the `with` block at the latest.

    Shows one line on standard error, with what is done so far.
    """

    def __init__(self, title: str, count: int) -> None:
        self._title = title
        self._count = count
        self._processes: list[subprocess.Popen[str]] = []
        self._said: queue.Queue[Mapping[str, Any]] = queue.Queue()

    def __enter__(self) -> Self:
        self._show(0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        print(file=sys.stderr, flush=True)

    def start(self, module: str, *arguments: str) -> None:
        """Start `python -m module arguments`."""
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._processes.append(process)
        threading.Thread(target=self._listen, args=(process, arguments[0]), daemon=True).start()

    def wait_for(self, *words: str) -> dict[str, Any]:
        """Wait until each of the words was said by some process; returns what was said."""
        heard: dict[str, Any] = {}
        while not all(word in heard for word in words):
            try:
                said = self._said.get(timeout=PATIENCE)
            except queue.Empty:
                raise MeasurementError(f"{self._title}: silent for {PATIENCE:g} s") from None
            if failed := said.get("failed"):
                raise MeasurementError(f"{self._title}: {failed}")
            if DONE in said:
                self._show(said[DONE])
            heard.update(said)
        return heard

    def _listen(self, process: subprocess.Popen[str], name: str) -> None:
        for line in process.stdout or ():
            self._said.put(json.loads(line))
        if (code := process.wait()) != 0:
            self._said.put({"failed": f"{name} ended with code {code}"})

    def _show(self, done: int) -> None:
        print(f"\r{self._title}: {done:,} of {self._count:,}", end="", file=sys.stderr, flush=True)
