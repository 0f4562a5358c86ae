"""`zhitong submit` and `zhitong show`."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest

from tests.files import docx
from tests.node.cli.conftest import Outcome, Zhitong
from tests.offices import Hierarchy

MARKDOWN = """---
title: 老旧小区充电难
topic: city
urgency: urgent
authors: 林晓雨/informant/东湖县团结街道; 沈立群/member/恒泰铸造厂
---
全县有六十七个老旧小区。

建议统一布点。
"""
CONTENT = {
    "title": "老旧小区充电难",
    "body": "全县有六十七个老旧小区。",
    "topic": "city",
    "co_authors": [{"username": "chen"}],
}


@pytest.fixture
def office(lone: Hierarchy) -> Path:
    """The folder of the county 东湖."""
    return lone.folder / "donghu"


def test_a_markdown_file_is_handed_in_and_shown(
    zhitong: Zhitong, office: Path, tmp_path: Path
) -> None:
    file = tmp_path / "item.md"
    file.write_text(MARKDOWN, "utf-8")
    shown = _shown(zhitong, office, zhitong("submit", file, "--as", "lin", "-c", office))
    for words in (
        "老旧小区充电难",
        "作者：林晓雨（东湖县团结街道）、沈立群（恒泰铸造厂）",
        "本级状态：待登记",
        "第 1 稿",
        "提交到东湖县政协。",
    ):
        assert words in shown


def test_a_json_file_is_handed_in_and_shown(zhitong: Zhitong, office: Path, tmp_path: Path) -> None:
    file = tmp_path / "item.json"
    file.write_text(json.dumps(CONTENT), "utf-8")
    shown = _shown(zhitong, office, zhitong("submit", file, "--as", "lin", "-c", office))
    assert "作者：林晓雨（东湖县团结街道）、陈波（东湖县农工党支部）" in shown


@pytest.mark.parametrize(
    "text",
    [MARKDOWN, MARKDOWN.replace("\n", "\r\n"), json.dumps(CONTENT), json.dumps(CONTENT, indent=2)],
    ids=["markdown", "markdown from windows", "json", "indented json"],
)
@pytest.mark.parametrize("first", ["", "\ufeff"], ids=["plain", "with a byte order mark"])
def test_standard_input_is_handed_in(zhitong: Zhitong, office: Path, text: str, first: str) -> None:
    outcome = zhitong("submit", "-", "--as", "lin", "-c", office, stdin=first + text)
    assert "老旧小区充电难" in _shown(zhitong, office, outcome)


def _shown(zhitong: Zhitong, office: Path, submitted: Outcome) -> str:
    assert (submitted.code, submitted.err) == (0, "")
    outcome = zhitong("show", str(UUID(submitted.out.strip())), "-c", office)
    assert (outcome.code, outcome.err) == (0, "")
    return outcome.out


def test_files_are_handed_in_with_the_item(zhitong: Zhitong, office: Path, tmp_path: Path) -> None:
    text, report, notes = (tmp_path / name for name in ("item.md", "调研报告.pdf", "附记.txt"))
    text.write_text(MARKDOWN)
    report.write_bytes(b"%PDF-1.7\n" + bytes(2_000_000))
    notes.write_text("另附。")
    attach = ("--attach", report, "--attach", notes)
    done = zhitong("submit", text, "--as", "lin", *attach, "--config", office)
    assert done.code == 0, done.err
    shown = zhitong("show", done.out.strip(), "--config", office).out
    assert "附件：调研报告.pdf（1.9 MB）" in shown
    assert "附件：附记.txt（1 KB）" in shown


def test_a_file_that_cannot_be_attached_is_a_mistake(
    zhitong: Zhitong, office: Path, tmp_path: Path
) -> None:
    text, program = tmp_path / "item.md", tmp_path / "a.pdf"
    text.write_text(MARKDOWN)
    program.write_bytes(b"MZ")
    command = ("submit", text, "--as", "lin", "--config", office, "--attach")
    assert "[file.kind]" in zhitong(*command, program).mistake
    assert "[input.invalid]" in zhitong(*command, tmp_path / "missing.pdf").mistake


def test_an_item_is_purged_and_the_answers_are_listed(
    zhitong: Zhitong, two_levels: Hierarchy, tmp_path: Path
) -> None:
    folder = two_levels.folder / "donghu"
    file = tmp_path / "item.md"
    file.write_text("---\ntitle: 标题\ntopic: city\n---\n正文里有涉密二字。\n", encoding="utf-8")
    submit = ("submit", file, "--as", "lin", "--config", folder)
    assert "[item.phrases]" in zhitong(*submit).mistake
    item = zhitong(*submit, "--confirm").out.strip()

    purge = ("purge", item, "--config", folder)
    assert "--reason" in zhitong(*purge).mistake
    assert "operator 清除：误报" in zhitong(*purge, "--reason", "误报").out
    assert "yunzhou：尚未答复" in zhitong(*purge, "--status").out
    assert "（内容已清除）" in zhitong("show", item, "--config", folder).out
    assert "[item.purged]" in zhitong(*purge, "--reason", "误报").mistake


def test_a_link_is_limited_to_what_is_public(zhitong: Zhitong, two_levels: Hierarchy) -> None:
    limit = ("link", "limit", "yunzhou")
    at = ("--config", two_levels.folder / "donghu")
    assert "公开" in zhitong(*limit, "public", *at).out
    assert "可传范围：公开" in zhitong("link", "show", "yunzhou", *at).out
    assert "'secret'" in zhitong(*limit, "secret", *at).mistake


def test_a_word_manuscript_is_handed_in_under_the_topic_that_was_named(
    zhitong: Zhitong, office: Path, tmp_path: Path
) -> None:
    file = tmp_path / "文稿.docx"
    file.write_bytes(docx("老旧小区充电难", "全县有六十七个老旧小区。"))
    submit = ("submit", file, "--as", "lin", "-c", office)
    shown = _shown(zhitong, office, zhitong(*submit, "--topic", "city"))
    assert "老旧小区充电难" in shown
    assert "--topic" in zhitong(*submit).mistake
    assert "[topic.unknown]" in zhitong(*submit, "--topic", "weather").mistake
    file.write_bytes(docx("题", word__vbaProject_bin=b"x"))
    assert "[docx.macros]" in zhitong(*submit, "--topic", "city").mistake
