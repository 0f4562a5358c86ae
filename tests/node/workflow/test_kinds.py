"""Kinds of files: the name promises one, and the content must keep the promise."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from node.config import FileType, LimitSettings
from node.errors import FileKindError
from node.workflow import kinds
from tests.files import archive, compound, office, pdf

ALLOWED = LimitSettings().file_types
FTYP = b"\0\0\0\x18ftyp"
GOOD = {
    "pdf": pdf(100),
    "ofd": archive(OFD_xml="<ofd/>"),
    "docx": office("word/document.xml"),
    "xlsx": office("xl/workbook.xml"),
    "pptx": office("ppt/presentation.xml"),
    "doc": compound("Root Entry", "WordDocument"),
    "xls": compound("Root Entry", "Workbook"),
    "ppt": compound("Root Entry", "PowerPoint Document"),
    "txt": "全县有六十七个老旧小区。\r\n".encode(),
    "csv": "名称,数量\n水泵,3\n".encode("gb18030"),
    "jpg": b"\xff\xd8\xff\xe0" + bytes(20),
    "jpeg": b"\xff\xd8\xff\xe1" + bytes(20),
    "png": b"\x89PNG\r\n\x1a\n" + bytes(20),
    "gif": b"GIF89a" + bytes(20),
    "webp": b"RIFF\x10\0\0\0WEBPVP8 ",
    "mp3": b"\xff\xfb\x90\x64" + bytes(20),
    "m4a": FTYP + b"M4A " + bytes(20),
    "mp4": FTYP + b"isom" + bytes(20),
}
MACRO_TYPE = "vnd.ms-excel.sheet.macroEnabled.main+xml"
UTF16 = "<Types ContentType='application/vnd.ms-office.vbaProject'/>".encode("utf-16")
BAD = {
    "a program": ("pdf", b"MZ" + bytes(100)),
    "a page called text": ("txt", b"\0\0<html>"),
    "an archive called a document": ("docx", archive(readme_txt="x")),
    "a table called a document": ("docx", office("xl/workbook.xml")),
    "a document with a macro": ("docx", office("word/document.xml", word__vbaProject_bin=b"x")),
    "a macro under another name": ("xlsx", office("xl/workbook.xml", MACRO_TYPE)),
    "macros announced in UTF-16": (
        "docx",
        archive(**{"[Content_Types]_xml": UTF16, "word__document_xml": "<x/>"}),
    ),
    "macros spelled in references": ("docx", office("word/document.xml", "vnd.vb&#97;Project")),
    "an old document with a macro": ("doc", compound("WordDocument", "_VBA_PROJECT")),
    "an encrypted document": ("docx", compound("EncryptedPackage")),
    "an old table called a document": ("doc", compound("Workbook")),
    "an archive with something behind it": ("docx", office("word/document.xml") + b"more"),
    "an archive behind something": ("docx", b"MZ" + office("word/document.xml")),
    "sound called film": ("mp4", FTYP + b"heic" + bytes(20)),
    "a frame that does not exist": ("mp3", b"\xff\xff\xff\xff" + bytes(20)),
    "nothing": ("png", b""),
}


def demand(tmp_path: Path, extension: str, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    kinds.demand(kinds.of_name(f"附件.{extension}", ALLOWED), file)


@pytest.mark.parametrize("extension", GOOD)
def test_a_file_that_is_what_its_name_says_is_taken(tmp_path: Path, extension: str) -> None:
    demand(tmp_path, extension, GOOD[extension])


@pytest.mark.parametrize(("extension", "content"), BAD.values(), ids=BAD)
def test_a_file_that_is_something_else_or_holds_macros_is_refused(
    tmp_path: Path, extension: str, content: bytes
) -> None:
    with pytest.raises(FileKindError, match="the content is no"):
        demand(tmp_path, extension, content)


@pytest.mark.parametrize("name", ["a.exe", "a.docm", "a.zip", "pdf", "a.", "a.pdf.js", "报告"])
def test_a_name_that_promises_no_allowed_kind_is_refused(name: str) -> None:
    with pytest.raises(FileKindError, match="可以上传的附件类型"):
        kinds.of_name(name, ALLOWED)


def test_the_extension_may_be_in_capitals() -> None:
    assert kinds.of_name("扫描件.PDF", ALLOWED).media_type == "application/pdf"


def test_an_office_can_take_fewer_kinds() -> None:
    with pytest.raises(FileKindError):
        kinds.of_name("a.mp4", frozenset({"pdf"}))


def test_every_kind_that_can_be_configured_is_recognised() -> None:
    assert set(kinds.KINDS) == set(get_args(FileType)) == set(GOOD)


def test_text_that_is_longer_than_what_is_read_at_once_is_read_to_its_end(tmp_path: Path) -> None:
    # A sign of three bytes stands across the end of the first part.
    text = b"x" * (kinds.WINDOW - 1) + "水".encode()
    demand(tmp_path, "txt", text)
    with pytest.raises(FileKindError):
        demand(tmp_path, "txt", text + b"\0")
    name = "WordDocument".encode("utf-16-le")
    demand(tmp_path, "doc", compound() + bytes(kinds.WINDOW - 512 - 7) + name)
