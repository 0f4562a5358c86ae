"""The key ring of an office: the files of its settings, and the passphrase of its environment."""

from __future__ import annotations

import os
from pathlib import Path

from node.config import Settings
from node.keys import passphrase
from node.keys.ring import KeyRing


def of(settings: Settings) -> KeyRing:
    """The ring of these settings. Raises `ConfigurationError` where the passphrase is no use."""
    named = settings.keys
    return KeyRing(
        node_key=settings.path(named.node_key),
        node_chain=settings.path(named.node_chain),
        issuing_key=settings.path(named.issuing_key),
        issuing_chain=settings.path(named.issuing_chain),
        root=settings.path(named.root),
        passphrase=find_passphrase(settings.folder, named.passphrase_file),
    )


def find_passphrase(folder: Path, file: Path | None) -> bytes | None:
    """The passphrase for a folder whose configuration names the file, if any."""
    return passphrase.find(None if file is None else folder / file, os.environ)
