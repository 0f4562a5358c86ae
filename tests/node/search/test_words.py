"""Tokens: what of a text can be found, and by which questions."""

from __future__ import annotations

import pytest

from node.search import words
from node.search.words import Phrase


def is_found(query: str, text: str) -> bool:
    """Whether the tokens of the text hold every phrase of the query."""
    return all(_holds(words.tokens(text), phrase) for phrase in words.phrases(query))


def _holds(tokens: list[str], phrase: Phrase) -> bool:
    *first, last = phrase.tokens
    for start in range(len(tokens) - len(first)):
        same = tokens[start : start + len(first)] == first
        end = tokens[start + len(first)]
        if same and (end.startswith(last) if phrase.prefix else end == last):
            return True
    return False


def test_a_text_becomes_pairs_and_the_last_character_of_each_run() -> None:
    assert words.tokens("加装电梯，老旧") == ["加装", "装电", "电梯", "梯", "老旧", "旧"]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("电梯", "老旧小区加装电梯的建议"),
        ("加装电梯", "老旧小区加装电梯的建议"),
        ("加装 电梯", "电梯要加装"),
        ("梯", "加装电梯"),
        ("加", "加装电梯"),
        ("装", "加装电梯"),
        ("5G基站", "建设5G基站。"),
        ("５ｇ基站", "建设5G基站。"),
        ("电梯５Ｇ", "电梯5G信号"),
        ("12345热线", "拨打12345热线反映"),
        ("BIM", "推广bim技术"),
        ("电\u200b梯", "加装电\u202e梯"),
        ("é", "e\u0301"),
        ("𠮷野", "到𠮷野家"),
        ("加装电梯", "加装，电梯加装电梯"),
    ],
)
def test_a_word_is_found_where_it_stands(query: str, text: str) -> None:
    assert is_found(query, text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("电梯", "安装电，梯子"),
        ("加装电梯", "加装的电梯"),
        ("加装电梯", "电梯加装"),
        ("123", "12345热线"),
        ("电梯 停车", "加装电梯"),
    ],
)
def test_a_word_is_not_found_where_others_stand(query: str, text: str) -> None:
    assert not is_found(query, text)


@pytest.mark.parametrize(
    ("query", "plain"),
    [
        ('"电梯" AND (停车*)', ["电梯", "and", "停车"]),
        ("电梯' OR '1'='1", ["电梯", "or", "1"]),
        ("电梯:* & !停车 <-> 充电", ["电梯", "停车", "充电"]),
        ("NEAR(电梯 停车, 5) ^title:充电", ["near", "电梯", "停车", "5", "title", "充电"]),
        ("电\0梯\x1b[2J\u202e充电\r\n", ["电", "梯", "2j充电"]),
    ],
)
def test_what_is_syntax_elsewhere_is_text_here(query: str, plain: list[str]) -> None:
    found = words.phrases(query)
    assert ["".join(phrase.runs) for phrase in found] == plain
    for phrase in found:
        assert all(token.isalnum() for token in phrase.tokens)


@pytest.mark.parametrize("query", ["", "   ", "！？《》——", "\0\x01", "\u202e\u200b", "***", '""'])
def test_a_query_without_a_letter_asks_for_nothing(query: str) -> None:
    assert words.phrases(query) == ()


def test_every_character_that_there_is_becomes_a_token_or_nothing() -> None:
    # Surrogates are no characters.
    for first in [*range(0, 0xD800, 64), *range(0xE000, 0x110000, 64)]:
        text = "".join(chr(code) for code in range(first, first + 64))
        for token in words.tokens(text):
            assert token
            assert not set(token) & set(" '\"\\:*()<>&|!\0")
            assert len(token.encode()) <= 2_000


def test_a_place_is_kept_for_every_character_that_is_left() -> None:
    text = "ＢＩＭ\u200b㎡电，梯"
    folded, places = words.folded(text)
    assert folded == words.fold(text) == "bimm2电 梯"
    assert [text[place] for place in places] == ["Ｂ", "Ｉ", "Ｍ", "㎡", "㎡", "电", "，", "梯"]
