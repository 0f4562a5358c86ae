"""How far two texts agree, in which passages, and how few marks say so."""

from __future__ import annotations

import random

from node.search import marks, resemblance
from node.search.resemblance import shingles

TEXT = "老旧小区加装电梯，低层住户意见难统一。建议由住建部门发布补偿指导价，组建调解小组。"
OTHER = "农村供水管网老化，夏季用水紧张。建议把管网改造列入明年民生实事，公开收支。"


def share(one: str, two: str) -> float:
    """Which part of the shorter text stands in the other."""
    return resemblance.share(shingles(one), shingles(two))


def agreeing(one: str, two: str) -> list[tuple[str, str]]:
    """The passages that agree, as each of the texts has them."""
    return [
        (one[p.start : p.end], two[p.other_start : p.other_end])
        for p in resemblance.passages(one, two)
    ]


def test_a_text_agrees_with_itself_and_with_what_took_it_up() -> None:
    assert share(TEXT, TEXT) == 1.0
    assert share(TEXT, OTHER + TEXT + OTHER) == 1.0
    assert share(TEXT, OTHER) < resemblance.SIMILAR


def test_punctuation_and_spaces_make_no_difference() -> None:
    spaced = " ".join(TEXT.replace("，", "、").replace("。", "！\n"))
    assert share(TEXT, spaced) == 1.0
    assert marks.of_text(TEXT) == marks.of_text(spaced)


def test_sentences_that_were_moved_still_agree() -> None:
    one, two, _ = TEXT.split("。")
    assert share(TEXT, f"{two}。{one}。") > 0.9
    assert agreeing(TEXT, f"{two}。{one}。") == [(one, one), (two, two)]


def test_a_passage_is_told_as_each_text_has_it() -> None:
    changed = "据了解：老旧 小区加装电梯、低层住户意见难统一！应当再议。"
    assert agreeing(TEXT, changed) == [
        ("老旧小区加装电梯，低层住户意见难统一", "老旧 小区加装电梯、低层住户意见难统一")
    ]


def test_few_words_in_common_are_no_passage() -> None:
    assert agreeing(TEXT, "老旧小区停车难，建议由住建部门牵头。") == []


def test_too_little_text_has_no_marks_and_agrees_with_nothing() -> None:
    for text in ("", "梯", "电梯", "！！！"):
        assert marks.of_text(text) == []
        assert share(text, TEXT) == 0.0
        assert agreeing(text, TEXT) == []


def test_marks_are_whole_numbers_of_32_bits_and_always_the_same() -> None:
    found = marks.of_text(TEXT)
    assert all(-(2**31) <= mark < 2**31 for mark in found)
    # They are stored: another way to make them needs a migration that indexes everything anew.
    assert found[:3] == FIRST_MARKS
    assert len(found) == len(set(found)) == marks.BINS // 2


FIRST_MARKS = [-2106335905, -1886020693, -1717319533]


def test_the_more_two_texts_have_in_common_the_more_marks_they_share() -> None:
    chance = random.Random(7)
    text = "".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _ in range(1_000))
    other = "".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _ in range(1_000))
    common = [
        len(set(marks.of_text(text)) & set(marks.of_text(text[:kept] + other[kept:])))
        for kept in (1_000, 900, 600, 300, 0)
    ]
    assert common == sorted(common, reverse=True)
    assert common[0] == marks.BINS // 2
    assert common[1] > common[2] > 0
    assert common[-1] == 0


def test_a_text_that_repeats_itself_is_compared_in_time_all_the_same() -> None:
    text = "建议尽快解决" * 3_000
    (passage,) = resemblance.passages(text, text)
    assert (passage.start, passage.end) == (0, len(text))
