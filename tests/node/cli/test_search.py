"""`zhitong search`: words are found and shown, the index is made anew, mistakes are one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.node.cli.conftest import Zhitong
from tests.offices import Hierarchy

MARKDOWN = "---\ntitle: 老旧小区加装电梯\ntopic: city\n---\n低层住户意见不一，电梯难装。\n"


@pytest.fixture
def office(lone: Hierarchy) -> Path:
    """The folder of the county 东湖."""
    return lone.folder / "donghu"


def test_what_was_handed_in_is_found_after_the_index_was_made(
    zhitong: Zhitong, office: Path
) -> None:
    item = zhitong("submit", "-", "--as", "lin", "-c", office, stdin=MARKDOWN).out.strip()
    assert zhitong("search", "电梯", "-c", office).out == "共 0 件，列出 0 件。\n"
    assert zhitong("search", "rebuild", "--config", office).out == "已重新编入 1 件信息。\n"
    found = zhitong("search", "--config", office, "电梯 住户").out
    assert found.startswith(f"{item}  未登记  待登记  ")
    assert "  老旧小区加装【电梯】\n" in found
    assert "  低层【住户】意见不一，【电梯】难装。\n" in found
    assert found.endswith("共 1 件，列出 1 件。\n")


def test_what_cannot_be_looked_for_is_a_mistake(zhitong: Zhitong, office: Path) -> None:
    for query in ("", "  ", "***", "字" * 201):
        assert "[input.invalid]" in zhitong("search", query, "-c", office).mistake
