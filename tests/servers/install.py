"""Finds the programs the tests start, servers and a browser, and installs them where it may.

`python -m tests.servers.install` needs nothing but the standard library: it runs before
anything else is installed. It starts nothing and changes nothing but the missing packages.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

PACKAGES = {
    "postgresql": "PostgreSQL 15 or newer",
    "rabbitmq-server": "RabbitMQ 3.10 or newer",
    "chromium": "Chromium",
    # Noto CJK has more weights, and 56 MB instead of 2.
    "fonts-wqy-microhei": "a font with simplified Chinese",
}
POLICY = Path("/usr/sbin/policy-rc.d")


def postgres_binaries() -> Path | None:
    """The folder of `initdb` and `postgres`: from PATH, else Debian's newest version."""
    found = shutil.which("initdb")
    if found and (folder := Path(found).resolve().parent).joinpath("postgres").exists():
        return folder
    return _newest(Path("/usr/lib/postgresql").glob("*/bin"), "postgres")


def rabbitmq_scripts() -> Path | None:
    """The folder of RabbitMQ's real start scripts, beside which lie `rabbitmqctl` and the rest.

    Debian's `rabbitmq-server` in PATH is a wrapper that changes the user and wants the system's
    own folders; it has no `rabbitmq-env` beside it, and so is passed over.
    """
    homes = [Path("/usr/lib/rabbitmq/bin"), Path("/opt/rabbitmq/sbin")]
    if found := shutil.which("rabbitmq-server"):
        homes.insert(0, Path(found).resolve().parent)
    for folder in homes:
        if (folder / "rabbitmq-env").exists() and (folder / "rabbitmq-server").exists():
            return folder
    return _newest(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin"), "rabbitmq-server")


def chromium() -> Path | None:
    """The browser: Debian's, or another that is built on Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    return Path(found) if found else None


def chinese_font() -> Path | None:
    """A font that has the simplified characters: without one, pages are rows of empty boxes."""
    if shutil.which("fc-list") is None:
        return next(Path("/usr/share/fonts").glob("**/wqy-microhei.ttc"), None)
    command = ["fc-list", ":lang=zh-cn", "file"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return Path(listed.split(":")[0]) if listed else None


def missing() -> list[str]:
    """The Debian packages whose programs are not here."""
    found = {
        "postgresql": postgres_binaries(),
        "rabbitmq-server": rabbitmq_scripts(),
        "chromium": chromium(),
        "fonts-wqy-microhei": chinese_font(),
    }
    return [package for package, place in found.items() if place is None]


def main() -> int:
    """Install what is missing; the exit code is 0 when everything is there at the end."""
    wanted = missing()
    if not wanted:
        return 0
    root = _as_root()
    if root is None or shutil.which("apt-get") is None:
        names = " and ".join(f"{PACKAGES[name]} (package {name})" for name in wanted)
        print(f"The tests need {names}: please install.", file=sys.stderr)
        return 1
    with _services_stay_off(root):
        _apt(root, "update")
        ok = _apt(root, "install", "--yes", "--no-install-recommends", *wanted)
    if not ok or missing():
        print(f"apt-get could not install {' '.join(missing() or wanted)}.", file=sys.stderr)
        return 1
    print(f"Installed {' '.join(wanted)}.")
    return 0


def _newest(folders: Iterator[Path], program: str) -> Path | None:
    """The folder with the highest numbers in its path that has the program."""
    usable = [folder for folder in folders if (folder / program).exists()]
    return max(usable, key=lambda f: [int(n) for n in re.findall(r"\d+", str(f))], default=None)


def _as_root() -> list[str] | None:
    """What to put before a command to run it as root, or None where we may not."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    allowed = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
    return ["sudo", "-n"] if allowed.returncode == 0 else None


@contextlib.contextmanager
def _services_stay_off(root: list[str]) -> Iterator[None]:
    """Keep packages from starting their system services while they are installed."""
    if POLICY.exists():
        yield
        return
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as policy:
        policy.write("#!/bin/sh\nexit 101\n")
        policy.flush()
        subprocess.run([*root, "install", "-m", "755", policy.name, str(POLICY)], check=True)
    try:
        yield
    finally:
        subprocess.run([*root, "rm", "-f", str(POLICY)], check=True)


def _apt(root: list[str], *arguments: str) -> bool:
    """Run apt-get; one short line per package on the way, its last words if it fails."""
    print(f"apt-get {' '.join(arguments)}", flush=True)
    command = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *arguments]
    last: list[str] = []
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            last = [*last[-5:], line.rstrip()]
            if line.startswith(("Unpacking ", "Setting up ")):
                print("  " + line.split(" (")[0].strip()[:76], flush=True)
    if process.returncode != 0:
        print("\n".join(last), file=sys.stderr)
    return process.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
