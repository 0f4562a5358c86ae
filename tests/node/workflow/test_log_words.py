"""Every deed in the audit log has a name that a person can read, and no name is left over."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import get_args

import node
from node.workflow import log_words
from node.workflow.call_changes import Ended
from node.workflow.handling import HAND_BACK, REPLY
from node.workflow.items_import import ITEMS
from node.workflow.people_import import PEOPLE
from node.workflow.standing import REVOKED, SUSPENDED
from node.workflow.units_import import UNITS
from protocol.messages.facts import FactBase

ROOT = Path(node.__file__).parent
NOTING = ("audit.note", "people.note", "note", "_note", "record.own_step")
COMPOSED = {
    *(f"call_{how}" for how in get_args(Ended)),
    *(f"enrolment_{state}" for state in ("approved", "refused")),
    *(f"certificate_{state}" for state in ("approved", "refused", "waiting")),
    *(f"office_{standing}" for standing in (SUSPENDED, REVOKED)),
    *(f"{kind.name}_imported" for kind in (PEOPLE, UNITS, ITEMS)),
    *(f"{kind}_{how}" for kind in (REPLY, HAND_BACK) for how in ("accepted", "refused")),
    *("signed", "approved", "sent_back"),  # a step of the review
    *("account_closed", "account_opened"),
}
"""Names that are put together where they are noted."""
FACTS = {one.model_fields["kind"].default for one in FactBase.__subclasses__()}


def written(said: ast.expr) -> Iterator[str]:
    """The words that stand in the expression."""
    match said:
        case ast.Constant(value=str(word)):
            yield word
        case ast.IfExp(body=one, orelse=other):
            yield from chain(written(one), written(other))


def noted() -> Iterator[str]:
    """All names that stand in the source, where something is noted."""
    for path in ROOT.rglob("*.py"):
        for one in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(one, ast.Call) or ast.unparse(one.func) not in NOTING:
                continue
            given = [key.value for key in one.keywords if key.arg == "action"]
            for said in given or one.args:
                yield from written(said)


def test_every_deed_that_the_source_names_has_words_and_no_words_are_left_over() -> None:
    named = {*noted(), *COMPOSED, *FACTS}
    assert {"logged_in", "edited", "person_left"} <= named
    assert named == log_words.WORDS.keys()


def test_no_two_deeds_are_called_the_same() -> None:
    said = list(log_words.WORDS.values())
    assert sorted(said) == sorted(set(said))
    assert sum(map(len, log_words.GROUPS.values())) == len(said)
