"""Unpacking a zip archive of a stranger: all of it once, and counted, for headers lie.

What the members are to hold, `spreadsheets` and `manuscripts` decide.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator

MOST_UNPACKED = 128 * 1024 * 1024
MOST_RATIO = 100
SMALL = 1024 * 1024
"""Below this size unpacked, any ratio is harmless."""
MOST_MEMBERS = 500
CHUNK = 1024 * 1024

_DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    RuntimeError,
    NotImplementedError,
    EOFError,
    OSError,
    ValueError,
)


class DamagedError(Exception):
    """The archive is not whole, or closed with a password."""


class CrowdedError(Exception):
    """The archive has more members than any document."""


class BombError(Exception):
    """More comes out of the archive than a document holds."""


def members(data: bytes) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Each member's name, and its bytes, of which all must be read before the next member.

    Raises `DamagedError`, `CrowdedError`, `BombError`, the last while bytes are read.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _DAMAGES as error:
        raise DamagedError from error
    with archive:
        listed = archive.infolist()
        if len(listed) > MOST_MEMBERS:
            raise CrowdedError
        # Two of one name are a way to show different programs different documents.
        if len({member.filename for member in listed}) < len(listed):
            raise DamagedError
        total = [0]
        for member in listed:
            yield member.filename, _chunks(archive, member, total, len(data))


def _chunks(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, total: list[int], packed: int
) -> Iterator[bytes]:
    try:
        with archive.open(member) as stream:
            while chunk := stream.read(CHUNK):
                total[0] += len(chunk)
                if total[0] > MOST_UNPACKED or (
                    total[0] > SMALL and total[0] > packed * MOST_RATIO
                ):
                    raise BombError
                yield chunk
    except _DAMAGES as error:
        raise DamagedError from error
