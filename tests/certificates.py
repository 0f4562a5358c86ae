"""A certificate for pages on loopback, signed by itself, as an operator would make one."""

from __future__ import annotations

import subprocess
from pathlib import Path


def make_certificate(folder: Path) -> Path:
    """Write `web.pem` and its key `web.key`; returns the first."""
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 2"
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1")
    files = ("-keyout", folder / "web.key", "-out", folder / "web.pem")
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    return folder / "web.pem"
