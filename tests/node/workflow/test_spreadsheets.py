"""Files that strangers filled in: good ones become text, bad ones a clear error."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
import xlsxwriter

from node.people_errors import SpreadsheetError
from node.workflow import spreadsheets
from node.workflow.spreadsheets import Column, Table

COLUMNS = (
    Column("姓名", "name", "必填", "林晓雨", required=True),
    Column("手机", "phone", "数字", "138", plus=True),
    Column("单位", "unit", "一行", "办公室"),
)
HEADINGS = ["姓名", "手机", "单位"]
SHEET = "xl/worksheets/sheet1.xml"


def xlsx(*lines: Sequence[Any], merge: str | None = None, **formulas: str) -> bytes:
    """A workbook with these lines; `merge` names cells, and `A2="=1"` puts a formula there."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        days = book.add_format({"num_format": "yyyy-mm-dd"})
        for row, line in enumerate(lines):
            for place, value in enumerate(line):
                if isinstance(value, date):
                    sheet.write_datetime(row, place, value, days)
                elif value is not None:
                    sheet.write(row, place, value)
        for cell, formula in formulas.items():
            sheet.write_formula(cell, formula, value="8")
        if merge:
            sheet.merge_range(merge, "合并")
    return target.getvalue()


def csv(*lines: Sequence[str]) -> bytes:
    """The same as plain text."""
    return "\r\n".join(",".join(line) for line in lines).encode()


def replaced(book: bytes, name: str, data: bytes) -> bytes:
    """The workbook with another member in the place of this one."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(book)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as changed,
    ):
        for member in source.namelist():
            changed.writestr(member, data if member == name else source.read(member))
        if name not in source.namelist():
            changed.writestr(name, data)
    return target.getvalue()


def read(data: bytes, name: str = "a.xlsx") -> Table:
    return spreadsheets.read(name, data, COLUMNS)


def cells(table: Table) -> list[tuple[int, dict[str, str]]]:
    return [(row.number, row.cells) for row in table.rows]


GOOD = xlsx(HEADINGS, ["林晓雨", "13800000000", "办公室"])


@pytest.mark.parametrize("kind", ["xlsx", "csv", "gb"])
def test_both_kinds_of_file_give_the_same_text_and_skip_empty_lines(kind: str) -> None:
    lines = (["姓名*", "", "单位"], ["林晓雨 ", "", "办公室"], ["", "", ""], ["陈波", "", ""])
    data = xlsx(*lines) if kind == "xlsx" else csv(*lines)
    if kind == "gb":
        data = data.decode().encode("gb18030")
    table = read(data, "a.xlsx" if kind == "xlsx" else "A.CSV")
    assert cells(table) == [(2, {"name": "林晓雨", "unit": "办公室"}), (4, {"name": "陈波"})]
    assert table.mistakes == ()


def test_numbers_and_days_become_what_people_see() -> None:
    table = read(xlsx(HEADINGS, ["甲", 13800000000, date(2026, 11, 26)], ["乙", 1.5, True]))
    assert cells(table) == [
        (2, {"name": "甲", "phone": "13800000000", "unit": "2026-11-26"}),
        (3, {"name": "乙", "phone": "1.5", "unit": "True"}),
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_text_that_begins_like_a_formula_is_a_mistake_of_its_cell(kind: str, text: str) -> None:
    lines = (HEADINGS, ["甲", "+86 138", text], [text, "-138", ""])
    data = xlsx(*lines) if kind == "xlsx" else csv(*lines)
    found = read(data, f"a.{kind}").mistakes
    assert [one.where for one in found] == ["第2行“单位”列", "第3行“姓名”列", "第3行“手机”列"]
    assert all("像公式，不能导入" in one.message for one in found)


def test_the_result_of_a_broken_formula_is_a_mistake() -> None:
    [mistake] = read(csv(HEADINGS, ["#REF!", "", ""]), "a.csv").mistakes
    assert mistake.message == "内容是出错的公式结果 #REF!"


def test_what_stands_under_no_heading_is_a_mistake() -> None:
    [mistake] = read(csv(["姓名"], ["甲", "", "多余"]), "a.csv").mistakes
    assert (mistake.where, mistake.message) == ("第2行", "第 3 格没有列名，却填了内容")


@pytest.mark.parametrize(
    ("headings", "said"),
    [
        ([], "缺少必填的列“姓名”"),
        (["手机"], "缺少必填的列“姓名”"),
        (["姓名", "姓名"], "列“姓名”出现了不止一次"),
        (["姓名", "身份证号"], "不认识的列“身份证号”；第一行可用的列名是：姓名、手机、单位"),
    ],
)
def test_wrong_headings_are_named(headings: list[str], said: str) -> None:
    for data, name in ((xlsx(headings, ["甲"]), "a.xlsx"), (csv(headings, ["甲"]), "a.csv")):
        with pytest.raises(SpreadsheetError, match=said):
            read(data, name)


def _bomb() -> bytes:
    return replaced(GOOD, "xl/media/zeros.bin", bytes(64 * 1024 * 1024))


def _liar() -> bytes:
    # The directory says that the member is small: the rest of it is never looked at.
    data = bytearray(_bomb())
    place = data.rindex(b"xl/media/zeros.bin") - 46
    struct.pack_into("<I", data, place + 24, 100)
    return bytes(data)


def _corner() -> bytes:
    cell = b'<c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c>'
    return _sheet(b'<row r="1048576">' + cell + b"</row>")


def _sheet(rows: bytes, before: bytes = b"") -> bytes:
    head = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    text = before + head + b"<sheetData>" + rows + b"</sheetData></worksheet>"
    return replaced(GOOD, SHEET, text)


def _encrypted() -> bytes:
    data = bytearray(GOOD)
    place = data.rindex(b"PK\x01\x02")
    data[place + 8] |= 1
    return bytes(data)


LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
BAD: dict[str, tuple[bytes, str]] = {
    "formula": (xlsx(HEADINGS, ["甲"], A3="=1+7"), "单元格 A3 是公式"),
    "merged": (xlsx(HEADINGS, ["甲"], merge="A3:B4"), "第3行第1列有合并的单元格"),
    "bomb": (_bomb(), "解压后大得反常"),
    "lying bomb": (_liar(), "不是完好的"),
    "a cell in the last corner": (_corner(), "XFD1048576 在第 50 列之外"),
    "a row too far": (
        _sheet(b'<row r="60000"><c r="A60000"><v>1</v></c></row>'),
        r"超过 50000 行（A60000）",
    ),
    "document type": (_sheet(b"", LAUGHS), "不该有的定义"),
    "broken XML": (replaced(GOOD, SHEET, b"<worksheet><row"), "不是完好的"),
    "a sheet by another name": (
        replaced(
            replaced(GOOD, "xl/worksheets/sheet1.dat", b"<worksheet/>"),
            "xl/_rels/workbook.xml.rels",
            b'<Relationships><Relationship Id="rId1" Type="x/worksheet" '
            b'Target="worksheets/sheet1.dat"/></Relationships>',
        ),
        "不是完好的",
    ),
    "nowhere": (_sheet(b'<row><c r="here"><v>1</v></c></row>'), "不是完好的"),
    "encrypted": (_encrypted(), "打开密码"),
    "no archive": (b"PK\x03\x04 and then nothing", "不是完好的"),
    "cut off": (GOOD[: len(GOOD) // 2], "不是完好的"),
    "another archive": (replaced(b"PK\x05\x06" + bytes(18), "a.txt", b"x"), "不是完好的"),
    "too large": (bytes(spreadsheets.MOST_BYTES + 1), "文件超过 20 MB"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_is_dangerous_or_damaged_is_refused_with_a_reason(case: str) -> None:
    data, said = BAD[case]
    with pytest.raises(SpreadsheetError, match=said):
        read(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'\xe5\xa7\x93\xe5\x90\x8d\n"open', "引号不成对"),
        (b"\xff\xfe\x00", "不是 UTF-8 或 GB18030"),
        ("姓名\n".encode() + b"x" * 200_000, "单元格太长"),
    ],
)
def test_text_that_is_no_table_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(SpreadsheetError, match=said):
        read(data, "a.csv")


def test_fifty_thousand_rows_are_read_and_one_more_is_not() -> None:
    rows = [["姓名"], *(["甲"] for _ in range(spreadsheets.MOST_ROWS))]
    assert len(read(csv(*rows), "a.csv").rows) == 50_000
    with pytest.raises(SpreadsheetError, match="超过 50000 行，请分成几个文件导入"):
        read(csv(*rows, ["乙"]), "a.csv")


@pytest.mark.parametrize("name", ["a.xls", "a.ods", "a", "a.xlsx.exe"])
def test_other_kinds_of_file_are_refused(name: str) -> None:
    with pytest.raises(SpreadsheetError, match=r"只接收 .xlsx 和 .csv"):
        read(GOOD, name)
