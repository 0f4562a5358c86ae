"""Copies and reordered texts are found; what has only its topic in common is not."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from node.storage import migrate
from node.storage.database import Database
from tests.node.search import labelled, quality
from tests.node.search.quality import Scores


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> Scores:
    """Measured once, on the half that was held out."""
    folder: Path = tmp_path_factory.mktemp("quality")

    async def measure() -> Scores:
        database = Database(f"sqlite+aiosqlite:///{folder / 'quality.sqlite'}")
        await migrate.upgrade(database)
        found = await quality.measure(database, labelled.HELD_OUT)
        await database.close()
        return found

    return asyncio.run(measure())


def test_recall_and_precision_of_copies_and_reordered_texts_are_high(scores: Scores) -> None:
    for kind in ("copied", "reordered"):
        assert scores[kind].recall >= 0.95
        assert scores[kind].precision >= 0.9
    assert quality.together(scores, quality.JUDGED).precision >= 0.9


def test_what_has_only_its_topic_in_common_is_not_called_similar(scores: Scores) -> None:
    assert scores["same topic"].recalled / scores["same topic"].asked <= 0.05


def test_there_are_enough_pairs_of_every_class_and_the_halves_share_no_text() -> None:
    halves = [labelled.pairs(labelled.DEVELOPMENT), labelled.pairs(labelled.HELD_OUT)]
    for pairs in halves:
        counts = Counter(pair.kind for pair in pairs)
        assert set(counts) == set(labelled.CLASSES)
        assert min(counts.values()) >= 20
        assert all(150 <= len(pair.second.body) <= 800 for pair in pairs)
    assert sum(len(pairs) for pairs in halves) >= 200
    names = [
        {text.name for pair in pairs for text in (pair.first, pair.second)} for pairs in halves
    ]
    assert not names[0] & names[1]
    assert not set(labelled.DEVELOPMENT) & set(labelled.HELD_OUT)


def test_every_edit_of_a_copy_stands_once_in_its_text_and_every_sentence_is_moved_once() -> None:
    for file in (*labelled.DEVELOPMENT, *labelled.HELD_OUT):
        for text, entry in labelled.read(file):
            for old, _ in entry["edits"]:
                assert text.body.count(old) == 1, (text.name, old)
            assert sorted(entry["order"]) == list(range(1, len(entry["body"].split()) + 1))
            assert entry["order"] != sorted(entry["order"])
