"""Checks that no other tool makes: no code file over 400 lines, no requirement without its hash,
no registry named. Run by `make check`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MOST_LINES = 400
CODE = {".py", ".html", ".css", ".sh", ".yml", ".toml", ".mako"}


def tracked() -> list[Path]:
    """The files of the project, also those not yet added."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()]


def too_long(files: list[Path]) -> list[str]:
    """Code files with more lines than a reader should have to hold."""
    return [
        f"{file.relative_to(ROOT)} has {lines} lines; {MOST_LINES} are allowed: split it"
        for file in files
        if file.suffix in CODE and (lines := len(file.read_text("utf-8").splitlines())) > MOST_LINES
    ]


def loose_requirements(files: list[Path]) -> list[str]:
    """Requirements that are not pinned with a hash, or that name where to download from."""
    found = []
    for file in files:
        if file.parent.name != "requirements" or file.suffix != ".txt":
            continue
        text = file.read_text("utf-8").replace("\\\n", " ")
        for line in text.splitlines():
            if not line or line.lstrip().startswith("#"):
                continue
            if not re.match(r"^[a-z0-9\[\]._-]+==\S+ .*--hash=sha256:", line):
                found.append(f"{file.name}: not pinned with a hash: {line[:60]}")
            if "://" in line:
                found.append(f"{file.name}: names an address: {line[:60]}")
    return found


def main() -> int:
    """Print what is wrong; 1 when anything is."""
    files = tracked()
    problems = too_long(files) + loose_requirements(files)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(files)} files looked at, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
