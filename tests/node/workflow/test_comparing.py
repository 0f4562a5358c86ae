"""Two texts are compared sentence by sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.workflow.comparing import Part, compare, sentences

TEXT = st.text(alphabet="路灯不亮修。！？；\n”建议abc", max_size=60)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("路灯不亮。建议修好！", ["路灯不亮。", "建议修好！"]),
        ("他说：“不亮。”我们去看。", ["他说：“不亮。”", "我们去看。"]),
        ("一、情况\n路灯不亮", ["一、情况\n", "路灯不亮"]),
        ("真的吗？！是的", ["真的吗？！", "是的"]),
    ],
)
def test_a_sentence_ends_with_its_mark_and_what_closes_it(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_equal_changed_added_and_removed_sentences_are_told_apart() -> None:
    before = "全县有六十七个老旧小区。充电难。居民意见很大。"
    after = "全县有六十八个老旧小区。居民意见很大。建议统一布点。"
    assert compare(before, after) == [
        Part("changed", "全县有六十七个老旧小区。", "全县有六十八个老旧小区。"),
        Part("removed", "充电难。", ""),
        Part("equal", "居民意见很大。", "居民意见很大。"),
        Part("added", "", "建议统一布点。"),
    ]


def test_a_sentence_that_says_something_else_is_exchanged_not_changed() -> None:
    kinds = [part.kind for part in compare("路灯坏了。", "建议增设公交站。")]
    assert kinds == ["removed", "added"]


@given(TEXT, TEXT)
def test_both_texts_stand_whole_in_the_comparison(before: str, after: str) -> None:
    parts = compare(before, after)
    assert "".join(part.before for part in parts) == before
    assert "".join(part.after for part in parts) == after
    assert "".join(sentences(before)) == before


@given(TEXT)
def test_a_text_compared_with_itself_is_equal_throughout(text: str) -> None:
    assert {part.kind for part in compare(text, text)} <= {"equal"}
