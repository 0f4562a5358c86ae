"""The key ring of an office: the files of its settings, and the passphrase of its environment."""

from __future__ import annotations

import os
from pathlib import Path

from node.config import Settings
from node.keys import file, passphrase
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


def parent_broker(settings: Settings) -> str | None:
    """The address of the broker above, perhaps with a password. Raises `ConfigurationError`.

    For whoever dials it alone: pages are not told the password.
    """
    if settings.parent is None or settings.parent.broker is not None:
        return settings.parent.broker if settings.parent else None
    place = settings.path(settings.keys.parent_broker)
    if not place.exists():
        return None
    file.demand_private(place)
    return place.read_text("utf-8").strip()


def find_passphrase(folder: Path, named: Path | None) -> bytes | None:
    """The passphrase for a folder whose configuration names the file, if any."""
    return passphrase.find(None if named is None else folder / named, os.environ)
