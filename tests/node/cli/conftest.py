"""The command line in this process: what `zhitong …` prints, and the code it exits with."""

from __future__ import annotations

import gc
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from node.cli import main


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def mistake(self) -> str:
        """The one line that tells the caller of a mistake."""
        assert self.code == 2, f"exit code {self.code}: {self.out}{self.err}"
        assert self.out == ""
        (line,) = self.err.splitlines()
        assert line.startswith("zhitong: ")
        return line


Zhitong = Callable[..., Outcome]


@pytest.fixture
def zhitong(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    quiet: None,
) -> Zhitong:
    """Run one command through `node.cli.main.run`, as the console script does."""

    def run(*words: str | Path, stdin: str | bytes = "") -> Outcome:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "argv", ["zhitong", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))
        if words[0] == "serve":
            # What earlier tests left behind must not speak up in its log.
            gc.collect()
        capsys.readouterr()
        thresholds = gc.get_threshold()
        with pytest.raises(SystemExit) as ended:
            main.run()
        # `serve` sets the collector up for a process that does nothing else.
        gc.set_threshold(*thresholds)
        gc.unfreeze()
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Outcome(ended.value.code, said.out, said.err)

    return run
