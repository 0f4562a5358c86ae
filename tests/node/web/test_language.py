"""Every text of the pages is there in English, too; what people wrote stays as it is."""

from __future__ import annotations

import re

import pytest

from node import (
    assignment_errors,
    call_errors,
    desk_errors,
    draft_errors,
    enrolment_errors,
    issue_errors,
    manuscript_errors,
    people_errors,
    public_errors,
    topic_errors,
)
from tests.node.browser import visit
from tests.node.rooms import CONTENT, Room
from tests.node.web import catalogue

ALL = (
    assignment_errors,
    call_errors,
    desk_errors,
    draft_errors,
    enrolment_errors,
    issue_errors,
    manuscript_errors,
    people_errors,
    public_errors,
    topic_errors,
)
PLACES = re.compile(r"%\(\w+\)s|\{\w+\}|%%")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_no_text_is_missing_in_english_and_none_is_left_over() -> None:
    wanted, there = catalogue.wanted(), catalogue.translated("en")
    assert all(ALL)
    missing = {text for text in wanted if not there.get(text)}
    assert not missing, "\n".join(sorted(missing))
    assert not there.keys() - wanted


def test_what_stands_in_a_text_stands_in_its_translation() -> None:
    for text, translated in catalogue.translated("en").items():
        assert sorted(PLACES.findall(text)) == sorted(PLACES.findall(translated)), text


@pytest.mark.parametrize("path", ["/items", "/write", "/year", "/calls"])
async def test_a_page_in_english_holds_chinese_only_where_people_wrote_it(
    leaf: Room, path: str
) -> None:
    await leaf.registered()
    async with visit(leaf, "lin") as client:
        client.cookies.set("zhitong_display", "auto.normal.en")
        text = (await client.get(path)).text
    assert '<html lang="en"' in text
    bare = re.sub(r"<[^>]*>", " ", text)
    for written in (CONTENT["title"], leaf.desk.office.name, leaf.lin.name, "直通", "、"):
        bare = bare.replace(written, " ")
    # Dates and what an office did are told in the words of the record.
    bare = re.sub(r"\d+年\d+月\d+日|东湖县\S*|2026年第四季度", " ", bare)
    assert not CHINESE.findall(bare), " ".join(CHINESE.findall(bare))
