"""Empty spreadsheets to fill in: one sheet with the headings, one that explains them."""

from __future__ import annotations

import io

import xlsxwriter

from node.workflow.imports import Kind

WIDTH = 18
WIDE = 60


def make(kind: Kind, title: str) -> bytes:
    """An `.xlsx` file. Required columns carry a star, which the import ignores."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        bold, text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
        sheet = book.add_worksheet(title)
        # As text, long numbers keep all their digits.
        sheet.set_column(0, len(kind.columns) - 1, WIDTH, text)
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(kind.columns):
            star = "*" if column.required else ""
            sheet.write_string(0, place, column.heading + star, bold)
        words = book.add_worksheet("填写说明")
        words.set_column(0, 1, WIDTH)
        words.set_column(2, 2, WIDE)
        words.set_column(3, 3, WIDTH)
        lines = [("列", "是否必填", "要求", "例子")]
        for column in kind.columns:
            required = "必填" if column.required else ""
            lines.append((column.heading, required, column.rule, column.example))
        for row, line in enumerate(lines):
            for place, said in enumerate(line):
                words.write_string(row, place, said, bold if row == 0 else None)
    return target.getvalue()
