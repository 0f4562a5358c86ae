"""Reading a manuscript: Markdown with a front matter, or JSON.

    ---
    title: …
    topic: a code of the office's own table: economy, city, society, agriculture, government
    urgency: normal | urgent | most_urgent
    authors: name/kind/unit; name/kind/unit
    ---
    the text

The first of `authors` is the account that submits; the others are co-authors.
"""

from __future__ import annotations

import json
from typing import Any

from node.errors import InputError
from node.workflow import manuscripts, submissions
from node.workflow.submissions import Draft

KEYS = frozenset({"title", "topic", "urgency", "classification", "authors", "office"})


def parse(text: str) -> Draft:
    """A draft from a file's text. Raises `InputError`."""
    text = text.lstrip("\ufeff")  # which editors on Windows write first
    return submissions.draft(_json(text) if text.lstrip().startswith("{") else _markdown(text)[0])


def of_docx(name: str, data: bytes, topic: str | None) -> Draft:
    """A draft with title and text of a .docx. Raises `InputError`, or why it is not taken."""
    if topic is None:
        raise InputError("a .docx does not say its topic: name it with --topic")
    found = manuscripts.read(name, data)
    return submissions.draft({"title": found.title, "body": found.body, "topic": topic})


def parse_with_front_matter(text: str) -> tuple[Draft, dict[str, str]]:
    """A draft from Markdown, and its front matter as it stands. Raises `InputError`."""
    content, front = _markdown(text)
    return submissions.draft(content), front


def people(authors: str) -> list[dict[str, str]]:
    """The authors of a front matter. Raises `InputError`."""
    found = []
    for one in filter(None, (part.strip() for part in authors.split(";"))):
        fields = [field.strip() for field in one.split("/")]
        if len(fields) != 3:
            raise InputError(f"an author is written name/kind/unit, not {one!r}")
        found.append(dict(zip(("name", "kind", "unit"), fields, strict=True)))
    return found


def _json(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the file is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise InputError("the file holds no JSON object")
    return content


def _markdown(text: str) -> tuple[dict[str, Any], dict[str, str]]:
    lines = text.lstrip("\ufeff").splitlines()
    if not lines or lines[0].strip() != "---":
        raise InputError("a Markdown manuscript begins with a front matter between two lines ---")
    try:
        end = lines.index("---", 1)
    except ValueError as error:
        raise InputError("the front matter is not closed by a line ---") from error
    front: dict[str, str] = {}
    for line in filter(str.strip, lines[1:end]):
        key, colon, value = line.partition(":")
        if not colon or key.strip() not in KEYS:
            raise InputError(f"the front matter may hold {', '.join(sorted(KEYS))}: not {line!r}")
        front[key.strip()] = value.strip()
    content: dict[str, Any] = {k: v for k, v in front.items() if k not in ("authors", "office")}
    content["body"] = "\n".join(lines[end + 1 :]).strip()
    content["co_authors"] = people(front.get("authors", ""))[1:]
    return content, front
