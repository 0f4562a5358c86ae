"""How well similar items are found: precision and recall by class, on the half that was held out.

    python -m tests.node.search.quality

All items of both halves, and those of the demo, are handed in at an office and indexed as ever.
Then each second text of a pair is asked about, as its author would before handing it in. Recall is
the share of these of which the first text is found; precision the share of what is found that the
text was made from. Of a pair that has only the topic in common the first text is not to be found:
where it is, that counts against the precision of several classes together.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from node.search import duplicates, index
from node.storage import migrate
from node.storage.database import Database
from node.workflow import editions, items
from tests.factories import DONGHU, make_author, make_id, make_submission
from tests.node.search import labelled
from tests.node.search.labelled import Pair, Text

DEMO = Path(__file__).parents[3] / "deploy/demo/items"
NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Score:
    """Counts over some pairs."""

    asked: int
    recalled: int
    right: int
    wrong: int

    @property
    def recall(self) -> float:
        """Of how many texts what they were made from is found."""
        return self.recalled / self.asked if self.asked else 1.0

    @property
    def precision(self) -> float:
        """How much of what is found is right."""
        found = self.right + self.wrong
        return self.right / found if found else 1.0


Scores = dict[str, Score]


async def measure(database: Database, files: tuple[str, ...]) -> Scores:
    """Scores by class, on an empty database with all tables."""
    names = await _fill(database)
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in labelled.CLASSES}
    for pair in labelled.pairs(files):
        found = await _found(database, pair, names)
        counts[pair.kind] += _counted(pair, found)
    return {
        kind: Score(count["asked"], count["recalled"], count["right"], count["wrong"])
        for kind, count in counts.items()
    }


def together(scores: Scores, kinds: Collection[str]) -> Score:
    """The score of several classes as one: recall of those alike, precision of all."""
    alike = [scores[kind] for kind in kinds if kind in labelled.ALIKE]
    chosen = [scores[kind] for kind in kinds]
    return Score(
        sum(score.asked for score in alike),
        sum(score.recalled for score in alike),
        sum(score.right for score in chosen),
        sum(score.wrong for score in chosen),
    )


async def _fill(database: Database) -> dict[UUID, str]:
    texts = [*labelled.texts(labelled.DEVELOPMENT), *labelled.texts(labelled.HELD_OUT), *demo()]
    names = {}
    async with database.writing.begin() as session:
        for text in texts:
            item = items.new(make_id(), DONGHU, NOW, state="submitted")
            session.add(item)
            content = make_submission(title=text.title, body=text.body)
            authors = [make_author()]
            editions.write(session, item, content, number=1, authors=authors, submitted_at=NOW)
            names[item.id] = text.name
    while await index.step(database):
        pass
    return names


async def _found(database: Database, pair: Pair, names: dict[UUID, str]) -> list[str]:
    since = NOW - timedelta(days=1)
    same_topic = pair.kind == "same topic"
    async with database.reading() as session:
        likely = await duplicates.of_text(session, pair.second.title, pair.second.body, since=since)
    found = [names[one.edition.item_id] for one in likely]
    # Both texts of such a pair were handed in, and the second finds itself.
    return [name for name in found if not (same_topic and name == pair.second.name)]


def _counted(pair: Pair, found: list[str]) -> Counter[str]:
    if pair.kind == "same topic":
        return Counter(asked=1, recalled=pair.first.name in found, wrong=pair.first.name in found)
    right = sum(name in (pair.first.name, pair.also) for name in found)
    recalled = pair.first.name in found
    return Counter(asked=1, recalled=recalled, right=right, wrong=len(found) - right)


def demo() -> list[Text]:
    """The items of the demo."""
    found = []
    for file in sorted(DEMO.glob("*.md")):
        _, head, body = file.read_text("utf-8").split("---", 2)
        title = head.split("title:", 1)[1].splitlines()[0].strip()
        found.append(Text(file.stem, title, body))
    return found


def sentences() -> list[str]:
    """Every sentence that anyone wrote for this."""
    halves = (labelled.DEVELOPMENT, labelled.HELD_OUT)
    texts = [pair.second for files in halves for pair in labelled.pairs(files)] + demo()
    bodies = "".join(f"{text.body}。" for text in texts).split("。")
    return sorted({sentence.strip() for sentence in bodies if len(sentence.strip()) > 15})


async def _main() -> None:
    for name, files in (
        ("development half", labelled.DEVELOPMENT),
        ("held-out half", labelled.HELD_OUT),
    ):
        with tempfile.TemporaryDirectory(prefix="zhitong-quality-") as folder:
            database = Database(f"sqlite+aiosqlite:///{folder}/quality.sqlite")
            await migrate.upgrade(database)
            scores = await measure(database, files)
            await database.close()
        print(f"{name:32} {'pairs':>6} {'found':>6} {'recall':>8} {'precision':>10}")
        for kind in labelled.CLASSES:
            _print(kind, scores[kind], is_alike=kind in labelled.ALIKE)
        _print("copied, reordered, same topic", together(scores, JUDGED), is_alike=True)
        print()


JUDGED = ("copied", "reordered", "same topic")


def _print(name: str, score: Score, *, is_alike: bool) -> None:
    figures = f"{score.recall:8.3f} {score.precision:10.3f}" if is_alike else f"{'to be 0':>19}"
    print(f"{name:32} {score.asked:6} {score.recalled:6} {figures}")


if __name__ == "__main__":
    asyncio.run(_main())
