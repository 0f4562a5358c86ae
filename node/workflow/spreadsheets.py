"""Reading a table that somebody filled in, `.xlsx` or `.csv`, into rows of plain text.

A file is data of a stranger. Before anything is taken from an `.xlsx`:

 1. The file is no larger than `MOST_BYTES`.
 2. It is a zip archive of few members, which unpack to little and not by much (`unpacking`).
 3. Its XML is well-formed and has no document type. No cell is a formula: what it shows depends on
    the program that last opened it. The cells lie within `MOST_ROWS` and `MOST_COLUMNS`: one cell
    in the last corner would make the reader ask for a hundred gigabytes.
 4. The first sheet has no merged cells.

Then, of either kind:

 5. The first row names columns that are known, each once, and those that are required.
 6. Cells become text. What begins like a formula is a mistake of that cell.

What the cells mean is decided by `imports`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook

from node.people_errors import SpreadsheetError
from node.workflow import unpacking

MOST_BYTES = 20 * 1024 * 1024
MOST_ROWS = 50_000
MOST_COLUMNS = 50
MOST_CELLS = 2_000_000

_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ERRORS = frozenset({"#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!"})


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, the field it fills, and what people are told about it."""

    heading: str
    field: str
    rule: str
    example: str
    required: bool = False
    plus: bool = False
    """Whether its text may begin with a plus sign, as telephone numbers do."""


@dataclass(frozen=True)
class Mistake:
    """What is wrong in a cell, or in a whole row."""

    row: int
    heading: str | None
    message: str

    @property
    def where(self) -> str:
        """The cell as people find it."""
        return f"第{self.row}行" + (f"“{self.heading}”列" if self.heading else "")


@dataclass(frozen=True)
class Row:
    """One row: its number in the file, and its filled cells by field."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Table:
    """What was read."""

    rows: tuple[Row, ...]
    mistakes: tuple[Mistake, ...]


def read(name: str, data: bytes, columns: Sequence[Column]) -> Table:
    """The rows of the file. Raises `SpreadsheetError`, in Chinese."""
    # 1.
    if len(data) > MOST_BYTES:
        raise SpreadsheetError(f"文件超过 {MOST_BYTES // 1024 // 1024} MB")
    match name.rpartition(".")[2].lower():
        case "xlsx":
            lines = _xlsx(data)
        case "csv":
            lines = _csv(data)
        case _:
            raise SpreadsheetError("只接收 .xlsx 和 .csv 文件；旧的 .xls 请另存为 .xlsx")
    fields = _headings(next(lines, []), columns)
    rows: list[Row] = []
    mistakes: list[Mistake] = []
    for number, line in enumerate(lines, start=2):
        row = _row(number, line, fields, mistakes)
        if row.cells:
            rows.append(row)
        if len(rows) > MOST_ROWS:
            raise SpreadsheetError(f"超过 {MOST_ROWS} 行，请分成几个文件导入")
    return Table(tuple(rows), tuple(mistakes))


def _headings(line: Sequence[str], columns: Sequence[Column]) -> list[Column | None]:
    # 5.
    known = {column.heading: column for column in columns}
    found = [cell.strip().removesuffix("*") for cell in line]
    names = [name for name in found if name]
    wanted = "、".join(known)
    for name in names:
        if name not in known:
            raise SpreadsheetError(f"不认识的列“{name[:40]}”；第一行可用的列名是：{wanted}")
        if names.count(name) > 1:
            raise SpreadsheetError(f"列“{name}”出现了不止一次")
    for column in columns:
        if column.required and column.heading not in names:
            raise SpreadsheetError(f"第一行缺少必填的列“{column.heading}”；列名是：{wanted}")
    return [known.get(name) for name in found]


def _row(
    number: int, line: Sequence[str], fields: Sequence[Column | None], mistakes: list[Mistake]
) -> Row:
    # 6.
    cells: dict[str, str] = {}
    for position, raw in enumerate(line):
        text = raw.strip()
        if not text:
            continue
        column = fields[position] if position < len(fields) else None
        if column is None:
            mistakes.append(Mistake(number, None, f"第 {position + 1} 格没有列名，却填了内容"))
            continue
        cells[column.field] = text
        if raw.startswith(_FORMULA) and not (column.plus and raw.startswith("+")):
            mistakes.append(
                Mistake(number, column.heading, f"内容以“{raw[0].strip()}”开头，像公式，不能导入")
            )
        elif text in _ERRORS:
            mistakes.append(Mistake(number, column.heading, f"内容是出错的公式结果 {text}"))
    return Row(number, cells)


def _csv(data: bytes) -> Iterator[list[str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            # As spreadsheet programs in China write it unasked.
            text = data.decode("gb18030")
        except UnicodeDecodeError as error:
            raise SpreadsheetError("文件不是 UTF-8 或 GB18030 编码的文本") from error
    try:
        yield from csv.reader(io.StringIO(text, newline=""), strict=True)
    except csv.Error as error:
        raise SpreadsheetError("文件不是完整的 CSV：引号不成对，或者有单元格太长") from error


def _xlsx(data: bytes) -> Iterator[list[str]]:
    _demand_harmless(data)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            sheet = book.get_sheet_by_index(0)
            # 4.
            for (top, left), _ in sheet.merged_cell_ranges or []:
                raise SpreadsheetError(f"第{top + 1}行第{left + 1}列有合并的单元格，请取消合并")
            lines = sheet.to_python(skip_empty_area=False)
    except (CalamineError, OSError, ValueError, IndexError) as error:
        raise SpreadsheetError("文件不是完好的 .xlsx，或者设了打开密码") from error
    for line in lines:
        yield [_text(value) for value in line]


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat()
    return str(value)


def _demand_harmless(data: bytes) -> None:
    # 2.
    try:
        for name, chunks in unpacking.members(data):
            scan = _Scan() if name.endswith((".xml", ".rels")) else None
            for chunk in chunks:
                if scan is not None:
                    scan.feed(chunk)
            if scan is not None:
                scan.finish()
    except unpacking.DamagedError as error:
        raise SpreadsheetError("文件不是完好的 .xlsx，或者设了打开密码") from error
    except unpacking.CrowdedError as error:
        raise SpreadsheetError("文件内部的部件太多，不像表格") from error
    except unpacking.BombError as error:
        raise SpreadsheetError("文件解压后大得反常，不予打开") from error


class _Scan:
    """Looks through the XML of one member (3), and keeps nothing of it."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._cell = ""
        self._cells = 0

    def feed(self, chunk: bytes) -> None:
        """The next bytes."""
        try:
            self._parser.Parse(chunk, False)
        except expat.ExpatError as error:
            raise SpreadsheetError("文件不是完好的 .xlsx") from error

    def finish(self) -> None:
        """There are no more."""
        try:
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise SpreadsheetError("文件不是完好的 .xlsx") from error

    def _doctype(self, *_: object) -> None:
        raise SpreadsheetError("文件里有表格不该有的定义，不予打开")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "c":
                self._cell = attributes.get("r", "")
                self._cells += 1
                if self._cells > MOST_CELLS:
                    raise SpreadsheetError("单元格太多")
            case "f":
                raise SpreadsheetError(f"单元格 {self._cell} 是公式，请复制后“粘贴为数值”")
            case "v" | "is" if self._cell:
                self._demand_near(self._cell)
            case "Relationship":
                target = attributes.get("Target", "")
                if attributes.get("Type", "").endswith("/worksheet") and not target.endswith(
                    ".xml"
                ):
                    raise SpreadsheetError("文件不是完好的 .xlsx")

    def _demand_near(self, cell: str) -> None:
        found = _REFERENCE.fullmatch(cell)
        if found is None:
            raise SpreadsheetError("文件不是完好的 .xlsx")
        column = 0
        for letter in found[1]:
            column = column * 26 + ord(letter) - ord("A") + 1
        if column > MOST_COLUMNS:
            raise SpreadsheetError(f"单元格 {cell} 在第 {MOST_COLUMNS} 列之外，请删去多余的内容")
        if int(found[2]) > MOST_ROWS + 1:
            raise SpreadsheetError(f"超过 {MOST_ROWS} 行（{cell}），请分成几个文件导入")
