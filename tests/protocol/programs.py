"""Programs that share no code with us: the npm package jose, and openssl.

`jose` is installed at its pinned version and digest into `build/npm`, once. Without Node.js, npm,
openssl or a way to the registry the tests that need them are skipped and say so.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from protocol.identifiers import digest

SOURCE = Path(__file__).parent / "independent"
ROOT = Path(__file__).parents[2]
README = ROOT / "protocol" / "README.md"


def run(*command: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)


def openssl() -> str:
    """Where openssl is; skips the test where it is not."""
    found = shutil.which("openssl")
    if found is None:
        pytest.skip("openssl is not installed, so it cannot verify our chains")
    return found


def jose() -> Path:
    """A folder in which a script can import jose; skips the test where it cannot be had."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed, so jose cannot verify our tokens")
    content = b"".join(path.read_bytes() for path in sorted(SOURCE.iterdir()))
    folder = ROOT / "build" / "npm" / digest(content)[:16]
    if not folder.exists():
        _install(folder)
    return folder


def _install(folder: Path) -> None:
    """Install beside the folder, then rename: several processes may try at once."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        fresh = Path(name) / "fresh"
        shutil.copytree(SOURCE, fresh)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=0"]
        try:
            done = run(*command, cwd=fresh, timeout=60)
        except subprocess.TimeoutExpired:
            pytest.skip("jose cannot be installed: the npm registry does not answer")
        if done.returncode != 0:
            # A package with another digest than the pinned one is no reason to look away.
            assert "EINTEGRITY" not in done.stderr, done.stderr
            last = [line for line in done.stderr.splitlines() if "npm error" in line][:2]
            pytest.skip(f"jose cannot be installed from the npm registry: {' '.join(last)}")
        if not folder.exists():
            fresh.rename(folder)


def verified_by_jose(folder: Path, tokens: Iterable[bytes]) -> list[dict[str, str]]:
    """What jose says of each token: its payload, or an error."""
    done = subprocess.run(
        ["node", folder / "verify.mjs"],
        input=json.dumps([token.decode() for token in tokens]),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    results = json.loads(done.stdout)
    assert isinstance(results, list)
    return results


def run_script(folder: Path, script: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
    """Run a script of the README where it can import jose."""
    file = folder / f"readme-{os.getpid()}.mjs"
    file.write_text(script, encoding="utf-8")
    try:
        return run("node", file, *arguments, cwd=ROOT, encoding="utf-8")
    finally:
        file.unlink()


def code(language: str, heading: str) -> str:
    """What the README shows under this heading in this language."""
    text = README.read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    blocks = rf"^```{language}\n(.*?)^```$"
    return "".join(re.findall(blocks, text, re.DOTALL | re.MULTILINE))
