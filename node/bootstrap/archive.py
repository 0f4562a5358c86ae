"""The backup of a node as one file: a zip archive.

    manifest.json       format, office, incarnation, time, and of each table its rows and SHA-256
    tables/<name>.jsonl every row, one line of JSON each
    files/<digest>      every attachment that is whole, under the SHA-256 of its content
    sealed.json         configuration, keys and certificates, sealed with the passphrase

It is written beside its place and renamed when it is complete. Reading it checks every digest. What
a restored node then does, `restoration` decides.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from node.bootstrap import moving, vault
from node.config import FILE_NAME, Settings
from node.errors import BackupError
from node.keys.signer import next_key
from node.storage import dump
from node.storage.database import Database
from node.workflow import directory
from protocol.identifiers import NodeId

FORMAT = "zhitong-backup-1"
MANIFEST, SEALED, FILES = "manifest.json", "sealed.json", "files/"

Progress = Callable[[str, int], None]
"""Called with a table and how many of its rows are done."""


async def write(
    settings: Settings,
    database: Database,
    file: Path,
    *,
    passphrase: str,
    now: datetime,
    progress: Progress,
) -> dict[str, int]:
    """Write the backup while the node runs; how many rows of each table it holds.

    Raises `BackupError` where the file exists, `PassphraseError` for a short passphrase.
    """
    _demand_new(file)
    sealed = vault.seal(_secrets(settings), passphrase, os.urandom(28))
    partial = file.with_name(file.name + ".partial")
    tables: dict[str, dict[str, Any]] = {}
    with partial.open("wb") as stream:
        partial.chmod(0o600)
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            async with dump.snapshot(database) as session:
                incarnation = await directory.own_incarnation(session, settings.office.id)
                for table in dump.TABLES:
                    digest, rows = hashlib.sha256(), 0
                    with archive.open(_member(table), "w", force_zip64=True) as member:
                        async for line in dump.lines(session, table):
                            member.write(line)
                            digest.update(line)
                            rows += 1
                            progress(table.name, rows)
                    tables[table.name] = {"rows": rows, "sha256": digest.hexdigest()}
            # After the rows: a file that a row names is there, or was never whole.
            for path in _whole_files(settings):
                archive.write(path, f"{FILES}{path.name}", zipfile.ZIP_STORED)
            archive.writestr(SEALED, sealed)
            manifest = {
                "format": FORMAT,
                "office": settings.office.id,
                "incarnation": incarnation,
                "at": now.isoformat(),
                "tables": tables,
                "sealed": hashlib.sha256(sealed).hexdigest(),
            }
            archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
        stream.flush()
        os.fsync(stream.fileno())
    partial.rename(file)
    return {name: found["rows"] for name, found in tables.items()}


class Backup:
    """A backup that is read. Use it in a `with` block. Raises `BackupError` for a damaged one."""

    def __init__(self, file: Path) -> None:
        try:
            self._archive = zipfile.ZipFile(file)
            self._manifest = json.loads(self._archive.read(MANIFEST))
            if self._manifest["format"] != FORMAT:
                raise BackupError(f"{file} has the format {self._manifest['format']!r}")
            self.office = NodeId(self._manifest["office"])
            self.incarnation = int(self._manifest["incarnation"])
            self.at = datetime.fromisoformat(self._manifest["at"])
        except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
            raise BackupError(f"{file} cannot be read as a backup: {error}") from error

    def __enter__(self) -> Backup:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def secrets(self, passphrase: str) -> dict[str, bytes]:
        """Configuration, keys and certificates by their path. Raises `PassphraseError`."""
        sealed = self._archive.read(SEALED)
        if hashlib.sha256(sealed).hexdigest() != self._manifest["sealed"]:
            raise BackupError("the sealed part of the backup was altered")
        content = json.loads(vault.unseal(sealed, passphrase))
        return {name: base64.b64decode(data) for name, data in content.items()}

    def files(self) -> Iterator[tuple[str, bytes]]:
        """The attachments, by digest. Raises `BackupError` for one that was altered."""
        for name in self._archive.namelist():
            if not name.startswith(FILES):
                continue
            content, digest = self._archive.read(name), name.removeprefix(FILES)
            if hashlib.sha256(content).hexdigest() != digest:
                raise BackupError(f"the file {digest} in the backup was altered")
            yield digest, content

    def rows(self, table: Table) -> Iterator[bytes]:
        """The lines of a table. Raises `BackupError` at the end where they were altered."""
        expected = self._manifest["tables"].get(table.name)
        if expected is None:
            raise BackupError(f"the backup has no table {table.name}: it is of another version")
        digest, rows = hashlib.sha256(), 0
        try:
            with self._archive.open(_member(table)) as member:
                for line in member:
                    digest.update(line)
                    rows += 1
                    yield line
        except (KeyError, zipfile.BadZipFile) as error:
            raise BackupError(f"the table {table.name} in the backup is damaged") from error
        if (digest.hexdigest(), rows) != (expected["sha256"], expected["rows"]):
            raise BackupError(f"the table {table.name} in the backup was altered")


def _demand_new(file: Path) -> None:
    if file.exists():
        raise BackupError(f"{file} exists already: a backup is never overwritten")


def _whole_files(settings: Settings) -> list[Path]:
    return sorted(settings.path(settings.files.folder).glob("[0-9a-f][0-9a-f]/*"))


def _member(table: Table) -> str:
    return f"tables/{table.name}.jsonl"


def _secrets(settings: Settings) -> bytes:
    # The relay may put a new key and its chain in place between the reading of two files.
    content = _read_secrets(settings)
    while content != (again := _read_secrets(settings)):
        content = again
    return json.dumps(content).encode()


def _read_secrets(settings: Settings) -> dict[str, str]:
    paths = [Path(FILE_NAME), *settings.keys.places, next_key(settings.keys.node_key)]
    paths += moving.kept(settings)
    return {
        str(path): base64.b64encode(settings.path(path).read_bytes()).decode()
        for path in paths
        if settings.path(path).exists()
    }
