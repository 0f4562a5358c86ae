"""The shelf: files in the node's folder, each once, by the SHA-256 of its content.

    files/ab/abcd…            a whole file
    files/arriving/NODE/abcd… a file of which a neighbour has sent some pieces
    files/new/…               a file that somebody is handing in

A file is written under another name, forced to the disk, and renamed when it is whole, so what
has its name is whole, whenever the process was killed. Nothing here knows the database, and
nothing is held in memory but one piece. These functions wait for the disk: call them in a thread.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from node.errors import DamagedFileError, ShelfError
from protocol.identifiers import NodeId
from protocol.messages.items import PIECE

FOLDER_MODE = 0o700


@dataclass(frozen=True)
class Content:
    """What a file is: its size, its digest, and the digests of its pieces."""

    size: int
    digest: str
    pieces: tuple[str, ...]


class Shelf:
    """The files of one office."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def place(self, digest: str) -> Path:
        """Where the whole file lies, or would lie."""
        return self._folder / digest[:2] / digest

    def arriving(self, source: NodeId, digest: str) -> Path:
        """Where the pieces from a neighbour lie until they are all there."""
        return self._folder / "arriving" / source / digest

    def deposit(self, id: UUID) -> Deposit:
        """A new file, to be handed in."""
        with _on_disk():
            return Deposit(self._folder / "new" / str(id))

    def put(self, file: Path, digest: str) -> None:
        """Give a written file its name. What has this name already has the same content."""
        place = self.place(digest)
        with _on_disk():
            _make(place.parent)
            file.replace(place)
            _force(place.parent)

    def write_piece(self, file: Path, index: int, piece: bytes) -> None:
        """Write a piece at its place, and force it to the disk."""
        with _on_disk():
            _make(file.parent)
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as target:
                target.seek(index * PIECE)
                target.write(piece)
                target.flush()
                os.fsync(target.fileno())
            _force(file.parent)

    def read_piece(self, file: Path, index: int, digest: str) -> bytes:
        """A piece. Raises `DamagedFileError` unless it has this digest."""
        with _on_disk(), file.open("rb") as source:
            source.seek(index * PIECE)
            piece = source.read(PIECE)
        if hashlib.sha256(piece).hexdigest() != digest:
            raise DamagedFileError(f"piece {index} of {file.name} is not what it was")
        return piece

    def digest_of(self, file: Path) -> str:
        """The digest of a whole file, read piece by piece."""
        total = hashlib.sha256()
        with _on_disk(), file.open("rb") as source:
            while piece := source.read(PIECE):
                total.update(piece)
        return total.hexdigest()

    def remove(self, file: Path) -> None:
        """Take a file away, if it is there."""
        with _on_disk():
            file.unlink(missing_ok=True)

    def unfinished(self) -> list[tuple[Path, float]]:
        """Files that are not whole, with the time of their last change."""
        found = [*self._folder.glob("new/*"), *self._folder.glob("arriving/*/*")]
        return [(file, file.stat().st_mtime) for file in found if file.is_file()]


class Deposit:
    """A file that is being handed in. Its digests are computed as it comes."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.size = 0
        self._total = hashlib.sha256()
        self._piece = hashlib.sha256()
        self._pieces: list[str] = []
        _make(file.parent)
        self._target = os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    def add(self, data: bytes) -> None:
        """Write what came."""
        with _on_disk():
            self._target.write(data)
        self._total.update(data)
        view = memoryview(data)
        while view:
            room = PIECE - self.size % PIECE
            part, view = view[:room], view[room:]
            self._piece.update(part)
            self.size += len(part)
            if self.size % PIECE == 0:
                self._end_piece()

    def finish(self) -> Content:
        """Force the file to the disk; what it is. It has no name yet: see `Shelf.put`."""
        if self.size % PIECE:
            self._end_piece()
        with _on_disk(), self._target as target:
            target.flush()
            os.fsync(target.fileno())
        return Content(self.size, self._total.hexdigest(), tuple(self._pieces))

    def discard(self) -> None:
        """Take away what was written and not given a name."""
        with _on_disk():
            self._target.close()
            self.file.unlink(missing_ok=True)

    def _end_piece(self) -> None:
        self._pieces.append(self._piece.hexdigest())
        self._piece = hashlib.sha256()


@contextmanager
def _on_disk() -> Iterator[None]:
    # A full disk must not be taken for a database that is away.
    try:
        yield
    except OSError as error:
        raise ShelfError(f"the folder of files: {error.strerror}") from error


def _make(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
    _force(folder.parent)


def _force(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
