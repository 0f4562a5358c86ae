"""One file between two offices: a zip with one token a member, and an index that nobody trusts.

The index says for whom the file is, so that a mistaken one is refused in one sentence. What counts
is in the tokens, which the reception verifies one by one. A file is refused whole, before anything
of it is taken in:

 1. It is a zip of a bearable size, whose directory is read only when it is bearable too.
 2. Its members are the index and tokens; none is encrypted, none too large, and their sum is not.
 3. The index says that it is for this office, and by whom it was written.
 4. Every member has the length and the checksum that the directory states.

Writing goes to a draft beside the file, which takes its name when all of it is on the disk.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from pydantic import BaseModel, ConfigDict, ValidationError

from node.errors import ConfigurationError, FileRefusedError
from protocol.envelope import MAXIMUM_TOKEN
from protocol.identifiers import NodeId
from protocol.offices import NodeName

INDEX = "index.json"
TOKEN = re.compile(r"tokens/[0-9]{6}\.jose")
MOST_TOKENS = 20_000
MOST_BYTES = 512 * 1024 * 1024
MOST_DIRECTORY = 4 * 1024 * 1024
MOST_INDEX = 4 * 1024
END = struct.Struct("<4s4H2IH")
"""The last record of a zip without a comment (APPNOTE 4.3.16)."""

END_SIGNATURE = b"PK\x05\x06"


class Index(BaseModel):
    """What the writer says about the file."""

    model_config = ConfigDict(frozen=True)

    format: Literal["zhitong-messages-1"] = "zhitong-messages-1"
    sender: NodeName
    recipient: NodeName
    made_at: datetime


@dataclass(frozen=True)
class Archive:
    """A file that may be taken in."""

    index: Index
    tokens: int
    _zip: ZipFile
    _members: list[ZipInfo]

    def read(self) -> Iterator[bytes]:
        """The tokens, one by one. Raises `FileRefusedError`."""
        for member in self._members:
            yield _content(self._zip, member)


@contextmanager
def writing(path: Path, index: Index) -> Iterator[Callable[[bytes], None]]:
    """Write a file, token by token, readable by its owner alone. Raises `ConfigurationError`."""
    if path.exists():
        raise ConfigurationError(f"{path} exists already: choose another name")
    draft = path.with_name(path.name + ".draft")
    try:
        with _writing(path):
            file = os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        with file:
            archive = ZipFile(file, "w", ZIP_DEFLATED, compresslevel=1)

            def add(token: bytes) -> None:
                with _writing(path):
                    archive.writestr(_member(f"tokens/{len(archive.namelist()):06}.jose"), token)

            try:
                with _writing(path):
                    archive.writestr(_member(INDEX), index.model_dump_json())
                yield add
                with _writing(path):
                    archive.close()
                    file.flush()
                    os.fsync(file.fileno())
            finally:
                with suppress(OSError):
                    archive.close()
        with _writing(path):
            draft.replace(path)
            _sync_folder(path.parent)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    # Around each use of the file, and not around the caller's work, which has errors of its own.
    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}") from error


@contextmanager
def opened(path: Path, *, recipient: NodeId) -> Iterator[Archive]:
    """A file for this office. Raises `FileRefusedError`."""
    with ExitStack() as stack:
        try:
            # 1.
            file = stack.enter_context(path.open("rb"))
            _demand_bearable(file)
            found = _archive(stack.enter_context(ZipFile(file)))
        except OSError as error:
            raise FileRefusedError(f"cannot read {path}: {error.strerror}") from error
        except BadZipFile as error:
            raise FileRefusedError("the file is damaged; have it written again") from error
        # 3.
        if found.index.recipient != recipient:
            raise FileRefusedError(
                f"the file is for {found.index.recipient}, and this office is {recipient}"
            )
        # 4.
        for _ in found.read():
            pass
        yield found


def _archive(archive: ZipFile) -> Archive:
    # 2.
    members = archive.infolist()
    names = [member.filename for member in members]
    tokens = [member for member in members if member.filename != INDEX]
    if names.count(INDEX) != 1 or not all(TOKEN.fullmatch(member.filename) for member in tokens):
        raise FileRefusedError("the file was not written by `zhitong link export`")
    if any(member.file_size > MAXIMUM_TOKEN for member in tokens):
        raise FileRefusedError(f"a message in the file has more than {MAXIMUM_TOKEN} bytes")
    if sum(member.file_size for member in members) > MOST_BYTES:
        raise FileRefusedError(f"the file holds more than {MOST_BYTES} bytes; export in parts")
    if any(
        member.flag_bits & 1 or member.compress_type not in (ZIP_STORED, ZIP_DEFLATED)
        for member in members
    ):
        raise FileRefusedError("the file is encrypted or packed in an unknown way")
    index = archive.getinfo(INDEX)
    if index.file_size > MOST_INDEX:
        raise FileRefusedError("the file's index is too long")
    try:
        said = Index.model_validate_json(_content(archive, index))
    except ValidationError as error:
        raise FileRefusedError("the file's index is not one of this version") from error
    return Archive(said, len(tokens), archive, tokens)


def _demand_bearable(file: BinaryIO) -> None:
    size = file.seek(0, os.SEEK_END)
    if size > MOST_BYTES:
        raise FileRefusedError(f"the file has more than {MOST_BYTES} bytes; export in parts")
    if size < END.size:
        raise FileRefusedError("the file is no zip")
    file.seek(-END.size, os.SEEK_END)
    signature, *_, members, directory, _, comment = END.unpack(file.read(END.size))
    if signature != END_SIGNATURE or comment:
        raise FileRefusedError("the file is no zip, or was cut off")
    # A directory of the large kind states the greatest number here.
    if members > MOST_TOKENS + 1 or directory > MOST_DIRECTORY:
        raise FileRefusedError(f"the file holds more than {MOST_TOKENS} messages; export in parts")
    file.seek(0)


def _content(archive: ZipFile, member: ZipInfo) -> bytes:
    try:
        # Never more than the directory states, which was found bearable.
        return archive.read(member)
    except (BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        raise FileRefusedError("the file is damaged; have it written again") from error


def _member(name: str) -> ZipInfo:
    # Without the clock of this host.
    member = ZipInfo(name)
    member.compress_type = ZIP_DEFLATED
    return member


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
