"""What happened, in plain Chinese: an author who never heard of the software understands it."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from node.workflow import phrases
from protocol.lifecycle import TRANSITIONS, Action, State
from protocol.messages import facts
from protocol.messages.items import AuthorKind, ClassificationName, Topic, Urgency
from tests.factories import make_fact

KINDS = [
    get_args(model.model_fields["kind"].annotation)[0] for model in facts.FactBase.__subclasses__()
]
STEPS = ("submitted", "resubmitted", "revised", "withdrawal_requested")


@pytest.mark.parametrize("kind", KINDS)
def test_every_fact_is_a_chinese_sentence_with_its_full_stop(kind: str) -> None:
    data = make_fact(kind).model_dump(mode="json", exclude_none=True)
    sentence = phrases.sentence(kind, data, "云州市政协")
    assert re.search(r"[\u4e00-\u9fff]{2}", sentence)
    assert not re.search(r"[A-Za-z_]{2}", sentence)
    assert sentence.endswith(("。", "！", "？", "”"))
    assert sentence != phrases.sentence("of a later version", data, "云州市政协")


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_fact_says_in_free_words_stands_in_its_sentence(kind: str) -> None:
    data = make_fact(kind).model_dump(mode="json", exclude_none=True)
    sentence = phrases.sentence(kind, data, "云州市政协")
    for member in ("reason", "text", "number", "issue", "unit", "leader", "post", "note"):
        assert data.get(member, "").rstrip("。") in sentence


@pytest.mark.parametrize("kind", STEPS)
def test_every_step_that_is_no_fact_is_a_sentence_too(kind: str) -> None:
    data = {"edition": 2, "reason": "数字有误"}
    sentence = phrases.sentence(kind, data, "东湖县政协")
    assert sentence.endswith("。")
    assert kind not in sentence


def test_a_fact_of_a_later_version_names_the_office_and_no_code() -> None:
    assert phrases.sentence("celebrated", {}, "云州市政协") == "云州市政协有新的进展。"


@pytest.mark.parametrize("text", ["请研究。", "请研究！", "请研究", "他说：“好。”"])
def test_a_sentence_never_ends_in_two_full_stops(text: str) -> None:
    data = {"unit": "水利局", "text": text}
    assert not re.search(r"[。！？”]。$", phrases.sentence("implemented", data, "云州市政协"))


def test_every_value_that_a_page_shows_has_its_word() -> None:
    assert phrases.STATES.keys() == set(State)
    assert phrases.TOPICS.keys() == set(get_args(Topic))
    assert phrases.URGENCIES.keys() == set(get_args(Urgency))
    assert phrases.CLASSIFICATIONS.keys() == set(get_args(ClassificationName))
    assert phrases.AUTHOR_KINDS.keys() == set(get_args(AuthorKind))
    assert phrases.ACTIONS.keys() == set(TRANSITIONS) - {Action.SUBMIT, Action.UNMERGE}
