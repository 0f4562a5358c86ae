"""The file between two offices: what is refused, and that it is refused whole."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile

import pytest

from node.errors import ConfigurationError, FileRefusedError
from node.relay import archive
from protocol.envelope import MAXIMUM_TOKEN
from protocol.identifiers import NodeId

CITY, COUNTY = NodeId("yunzhou"), NodeId("donghu")
INDEX = archive.Index(sender=COUNTY, recipient=CITY, made_at=datetime(2026, 11, 22, tzinfo=UTC))
TOKENS = [b"first", b"second" * 100]


def honest(path: Path) -> None:
    with archive.writing(path, INDEX) as add:
        for token in TOKENS:
            add(token)


def packed(path: Path, *members: tuple[str, bytes], method: int = ZIP_DEFLATED) -> None:
    with ZipFile(path, "w", method) as made:
        made.writestr("index.json", INDEX.model_dump_json())
        for name, data in members:
            made.writestr(name, data)


def read(path: Path) -> list[bytes]:
    with archive.opened(path, recipient=CITY) as found:
        assert found.tokens == len(TOKENS)
        return list(found.read())


def altered(path: Path, find: bytes, put: bytes) -> None:
    honest(path)
    data = path.read_bytes()
    assert find in data
    path.write_bytes(data.replace(find, put))


def damaged(path: Path) -> None:
    """One byte inside the packed bytes of the first token."""
    packed(path, ("tokens/000001.jose", bytes(range(256)) * 8))
    data = bytearray(path.read_bytes())
    data[data.index(b"000001.jose") + 60] ^= 0xFF
    path.write_bytes(data)


def understated(path: Path) -> None:
    """The directory states fewer bytes than the member unpacks to."""
    packed(path, ("tokens/000001.jose", b"0" * 5000))
    data = path.read_bytes()
    at = data.rindex(b"PK\x01\x02")
    path.write_bytes(data[: at + 24] + struct.pack("<I", 10) + data[at + 28 :])


def encrypted(path: Path) -> None:
    packed(path, ("tokens/000001.jose", b"secret"))
    data = path.read_bytes()
    at = data.rindex(b"PK\x01\x02")
    path.write_bytes(data[: at + 8] + b"\x01\x00" + data[at + 10 :])


def many(path: Path) -> None:
    """The last record states more members than are allowed; none is looked for."""
    honest(path)
    data = path.read_bytes()
    count = struct.pack("<HH", archive.MOST_TOKENS + 2, archive.MOST_TOKENS + 2)
    path.write_bytes(data[:-14] + count + data[-10:])


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "absent": (lambda path: None, "cannot read"),
    "empty": (lambda path: path.write_bytes(b""), "is no zip"),
    "text": (lambda path: path.write_bytes(b"hello" * 10), "is no zip"),
    "cut off": (lambda path: altered(path, b"PK\x05\x06", b""), "no zip, or was cut off"),
    "another program's": (
        lambda path: packed(path, ("report.docx", b"x")),
        "not written by `zhitong link export`",
    ),
    "with a path that leads out": (
        lambda path: packed(path, ("../tokens/000001.jose", b"x")),
        "not written by",
    ),
    "without an index": (lambda path: ZipFile(path, "w").close(), "not written by"),
    "of another version": (
        lambda path: altered_index(path, b'{"format": "zhitong-messages-9"}'),
        "not one of this version",
    ),
    "with an endless index": (
        lambda path: altered_index(path, b" " * (archive.MOST_INDEX + 1)),
        "index is too long",
    ),
    "with an oversized message": (
        lambda path: packed(path, ("tokens/000001.jose", b"0" * (MAXIMUM_TOKEN + 1))),
        f"more than {MAXIMUM_TOKEN} bytes",
    ),
    "packed in an unknown way": (
        lambda path: packed(path, ("tokens/000001.jose", b"x"), method=ZIP_BZIP2),
        "packed in an unknown way",
    ),
    "encrypted": (encrypted, "encrypted"),
    "damaged": (damaged, "damaged"),
    "that understates what it unpacks to": (understated, "damaged"),
    "with too many messages": (many, "messages; export in parts"),
}


def altered_index(path: Path, content: bytes) -> None:
    with ZipFile(path, "w", ZIP_DEFLATED) as made:
        made.writestr("index.json", content)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    honest(tmp_path / "file.zip")
    assert read(tmp_path / "file.zip") == TOKENS
    assert [file.name for file in tmp_path.iterdir()] == ["file.zip"]


@pytest.mark.parametrize("kind", REFUSED)
def test_a_file_that_is_not_right_is_refused(tmp_path: Path, kind: str) -> None:
    make, said = REFUSED[kind]
    path = tmp_path / "file.zip"
    make(path)
    with pytest.raises(FileRefusedError, match=said), archive.opened(path, recipient=CITY):
        pass


def test_a_small_file_that_unpacks_to_more_than_is_bearable_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MOST_BYTES", 50_000)
    path = tmp_path / "bomb.zip"
    packed(path, *((f"tokens/{n:06}.jose", b"0" * 10_000) for n in range(6)))
    assert path.stat().st_size < 5_000
    with (
        pytest.raises(FileRefusedError, match="holds more than 50000 bytes"),
        archive.opened(path, recipient=CITY),
    ):
        pass


def test_a_file_that_is_too_large_is_refused_unopened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MOST_BYTES", 100)
    honest(tmp_path / "file.zip")
    with (
        pytest.raises(FileRefusedError, match="has more than 100 bytes"),
        archive.opened(tmp_path / "file.zip", recipient=CITY),
    ):
        pass


def test_a_directory_of_the_large_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.zip"
    honest(path)
    data = path.read_bytes()
    path.write_bytes(data[:-14] + b"\xff" * 12 + b"\x00\x00")
    with (
        pytest.raises(FileRefusedError, match="export in parts"),
        archive.opened(path, recipient=CITY),
    ):
        pass


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    honest(tmp_path / "file.zip")
    with pytest.raises(ConfigurationError, match="exists already"):
        honest(tmp_path / "file.zip")
    assert read(tmp_path / "file.zip") == TOKENS


def test_where_nothing_can_be_written_the_caller_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot write"):
        honest(tmp_path / "nowhere" / "file.zip")
