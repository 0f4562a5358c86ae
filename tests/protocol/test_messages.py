"""Every type of the catalogue: that it has a model, travels whole, and refuses what is not text.

`EXAMPLES` holds one message of each type with every member filled in; most tests below walk
through all of its members, so a new type is tested by adding its example.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator
from datetime import date
from typing import Any, get_args

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from protocol.messages import calls, catalogue, event, items, links, trust, work
from protocol.messages.catalogue import Direction
from protocol.messages.facts import Fact, FactBase
from protocol.offices import Record
from tests.factories import (
    DONGHU,
    NOW,
    make_assignment,
    make_attachment,
    make_author,
    make_fact,
    make_id,
    make_note,
    make_payload,
    make_revision,
    make_submission,
)

TOKEN = "aGVhZA.Ym9keQ.c2lnbg"
BASE64 = base64.b64encode(b"bytes").decode()
HEX = "ef" * 32
DUE = date(2026, 12, 31)

EXAMPLES: dict[str, Record] = {
    "submission": make_submission(
        number="登2026第1号",
        authors=[make_author(share="1/1")],
        attachments=[make_attachment()],
        evidence=[TOKEN],
        received_at=NOW,
        answers=make_id(4),
    ),
    "revision": make_revision(
        number="登2026第1号",
        attachments=[make_attachment()],
        evidence=[TOKEN],
        received_at=NOW,
        answers=make_id(4),
    ),
    "withdrawal": items.Withdrawal(reason="作者要求撤回。"),
    "outcome": work.Outcome(
        assignment=make_id(3),
        unit="东湖县水利局",
        text="四座泵站已修复。",
        degree="solved",
        implemented=True,
        attachments=[make_attachment()],
    ),
    "hand_back_request": work.HandBackRequest(assignment=make_id(3), reason="不属本单位职责。"),
    "read": calls.Read(message=make_id(4), at=NOW),
    "rating": work.Rating(score=5, comment="办得很实。"),
    "certificate_request": trust.CertificateRequest(request=BASE64, issuing=BASE64),
    "feedback": work.Feedback.model_validate({"fact": make_fact()}),
    "assignment": make_assignment(),
    "verdict": work.Verdict(assignment=make_id(3), accepted=False, reason="请补充时限。"),
    "solicitation": calls.Solicitation(
        title="冬春水利专题约稿",
        body="请于月底前报送。",
        due=NOW,
        topic="agriculture",
        pass_on=True,
    ),
    "topic_guide": calls.TopicGuide(period="2026年第四季度", topics=["冬修水利"], pass_on=True),
    "circular": calls.Circular(
        title="三季度采用情况通报", period="2026年第三季度", body="全市采用150篇。", pass_on=True
    ),
    "call_change": calls.CallChange(revision=2, due=NOW, ended="closed", reason="已足够。"),
    "directory": trust.Directory(
        offices=[
            trust.DirectoryEntry(
                id=DONGHU.id,
                name=DONGHU.name,
                level=DONGHU.level,
                parent=DONGHU.id,
                region_code="360121",
            )
        ]
    ),
    "certificate": trust.Certificate(chain=[BASE64, BASE64], issuing=BASE64, roots=[BASE64]),
    "issuers": trust.Issuers(statement="e30.e30.e30"),
    "note": make_note(),
    "revocations": trust.Revocations(list="e30.e30.e30"),
    "purge": trust.Purge(reason="误报内部信息。"),
    "purged": trust.Purged(purge=make_id(5), at=NOW, office=DONGHU.id),
    "receipt": links.Receipt(
        entries=[
            links.ReceiptEntry(
                id=make_id(6),
                digest=HEX,
                verdict="refused",
                code="envelope.time",
                permanent=False,
            )
        ],
        audit=links.AuditHead(seal=1, hash=HEX),
    ),
    "statement": links.Statement(
        side="received",
        day=date(2026, 11, 21),
        count=1,
        digest=HEX,
        page=1,
        pages=1,
        ids=[make_id(6)],
    ),
    "replay": links.Replay(
        after=make_id(6),
        tokens=[TOKEN],
        ids=[make_id(7)],
        erased=[
            links.ErasedMessage(id=make_id(8), name="submission", subject=make_id(1), digest=HEX)
        ],
        more=True,
        audit=links.AuditHead(seal=1, hash=HEX),
        heads=[links.AuditHead(seal=1, hash=HEX)],
    ),
    "blob": links.Blob(digest=HEX, index=1, piece=BASE64),
}
FACTS: dict[str, FactBase] = {
    get_args(model.model_fields["kind"].annotation)[0]: make_fact(
        get_args(model.model_fields["kind"].annotation)[0]
    )
    for model in FactBase.__subclasses__()
}
ALL = [
    *((name, example) for name, example in EXAMPLES.items()),
    *((f"fact {kind}", work.Feedback.model_validate({"fact": f})) for kind, f in FACTS.items()),
]
every_message = pytest.mark.parametrize("message", [m for _, m in ALL], ids=[n for n, _ in ALL])


def plain(message: BaseModel) -> dict[str, Any]:
    """The message as JSON has it."""
    content = json.loads(message.model_dump_json(exclude_none=True))
    assert isinstance(content, dict)
    return content


def leaves(content: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places in a JSON value where a text, a number or a truth stands."""
    if isinstance(content, dict | list):
        pairs = content.items() if isinstance(content, dict) else enumerate(content)
        for name, value in pairs:
            yield from leaves(value, (*path, name))
    else:
        yield path


def replaced(content: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(content)
    parent: Any = changed
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    return changed


def value_at(content: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        content = content[step]
    return content


def test_every_type_of_the_catalogue_has_an_example() -> None:
    assert set(EXAMPLES) == set(catalogue.MODELS)
    for name, example in EXAMPLES.items():
        assert type(example) is catalogue.MODELS[name]
        missing = {m for m, value in example if value is None}
        # A fact or the message that holds it; an answer, which is no question.
        assert missing <= {"feedback": {"evidence", "received_at"}, "replay": {"since"}}.get(
            name, set()
        )


def test_every_kind_of_fact_can_be_told() -> None:
    kinds = {model.model_fields["kind"].default for model in FactBase.__subclasses__()}
    assert set(FACTS) == kinds
    told = TypeAdapter(Fact).json_schema()["discriminator"]["mapping"]
    assert set(told) == kinds


@every_message
def test_a_message_travels_whole(message: Record) -> None:
    payload = make_payload(message, sender="donghu", recipient="yunzhou", subject=make_id(1))
    decoded = event.decode(payload)
    name = catalogue.short_name(decoded.type)
    assert name is not None
    assert catalogue.MODELS[name] is type(message)
    assert catalogue.MODELS[name].model_validate(decoded.data) == message
    assert (decoded.sender, decoded.addressee) == ("donghu", "yunzhou")
    assert (decoded.subject, decoded.time) == (make_id(1), NOW)
    assert b"null" not in payload


@every_message
def test_members_of_later_minor_versions_are_ignored_at_every_depth(message: Record) -> None:
    def grown(content: Any) -> Any:
        if isinstance(content, dict):
            return {name: grown(value) for name, value in content.items()} | {"later": [1, None]}
        return [grown(value) for value in content] if isinstance(content, list) else content

    assert type(message).model_validate(grown(plain(message))) == message


@every_message
def test_a_control_character_is_refused_in_every_text(message: Record) -> None:
    content = plain(message)
    texts = [path for path in leaves(content) if isinstance(value_at(content, path), str)]
    for path in texts:
        text = value_at(content, path)
        for character in ("\x00", "\x08", "\x0b", "\r", "\x1b", "\x7f", "\x85", "\x9f", "\ud800"):
            bad = replaced(content, path, f"{text[:1]}{character}{text[1:]}")
            with pytest.raises(ValidationError):
                type(message).model_validate(bad)


@every_message
def test_a_number_is_a_whole_number_that_every_reader_keeps(message: Record) -> None:
    content = plain(message)
    for path in leaves(content):
        value = value_at(content, path)
        if type(value) is not int:
            continue
        for bad_value in (str(value), value + 0.5, float(value), True, None, -1, 2**53, 10**40):
            with pytest.raises(ValidationError):
                type(message).model_validate(replaced(content, path, bad_value))


@every_message
def test_a_truth_is_true_or_false_and_a_time_is_not_a_number(message: Record) -> None:
    content = plain(message)
    for path in leaves(content):
        value = value_at(content, path)
        if isinstance(value, bool):
            bad_values: tuple[Any, ...] = (1, "true", "yes")
        elif isinstance(value, str) and value[:5] == "2026-":
            bad_values = (0, 1.5, "1795000000", "0001-01-01T00:00:00+08:00", f"{value} ")
        else:
            continue
        for bad_value in bad_values:
            with pytest.raises(ValidationError):
                type(message).model_validate(replaced(content, path, bad_value))


@every_message
def test_a_message_without_one_of_its_members_is_refused(message: Record) -> None:
    content = plain(message)
    fields = type(message).model_fields
    for name in content:
        rest = {other: value for other, value in content.items() if other != name}
        if fields[name].is_required():
            with pytest.raises(ValidationError, match=name):
                type(message).model_validate(rest)


@every_message
def test_a_message_cannot_be_changed(message: Record) -> None:
    name = next(iter(type(message).model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(message, name, None)


def test_each_type_travels_in_its_direction() -> None:
    table = {
        Direction.UP: "submission revision withdrawal outcome hand_back_request read rating "
        "certificate_request",
        Direction.DOWN: "feedback assignment verdict solicitation topic_guide circular "
        "call_change directory "
        "certificate issuers",
        Direction.BOTH: "note revocations purge purged receipt statement replay blob",
    }
    assert {way: set(names.split()) for way, names in table.items()} == {
        way: {name for name in catalogue.MODELS if catalogue.direction(name) is way}
        for way in Direction
    }


def test_types_about_items_need_a_subject() -> None:
    about_items = (
        "submission revision withdrawal outcome hand_back_request rating feedback assignment "
        "verdict call_change purge purged"
    )
    assert set(about_items.split()) == catalogue.ABOUT_ITEMS


def test_link_types_belong_to_the_link() -> None:
    found = {name for name in catalogue.MODELS if catalogue.is_link_type(name)}
    assert found == {"receipt", "statement", "replay", "blob"}
    assert not found & catalogue.ABOUT_ITEMS


def test_names_and_types_belong_together() -> None:
    for name in catalogue.MODELS:
        assert catalogue.type_name(name) == f"cn.zhitong.{name}.v1"
        assert catalogue.short_name(catalogue.type_name(name)) == name
    assert catalogue.short_name("cn.zhitong.submission.v2") is None
    assert catalogue.short_name("cn.zhitong.petition.v1") is None
    assert len(catalogue.NAMES) == len(catalogue.MODELS), "two types share a model"
    assert set(catalogue.MODELS) > catalogue.ABOUT_ITEMS


def test_texts_have_lines_and_limits_and_lose_the_space_around_them() -> None:
    assert make_submission(body="\n　一\n\t二 \n").body == "一\n\t二"
    assert make_submission(title="题" * 200)
    for wrong in ({"title": "题" * 201}, {"title": " 　"}, {"body": "文" * 20_001}):
        with pytest.raises(ValidationError):
            make_submission(**wrong)


@pytest.mark.parametrize(
    "content",
    [{}, {"fact": plain(make_fact()), "evidence": TOKEN}, {"fact": None, "evidence": None}],
)
def test_feedback_holds_a_fact_or_evidence_and_never_both(content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="either a fact or evidence"):
        work.Feedback.model_validate(content)


@pytest.mark.parametrize(
    "verdict", [{"verdict": "refused"}, {"verdict": "received", "code": "envelope.time"}]
)
def test_a_refusal_has_a_code_and_nothing_else_has_one(verdict: dict[str, str]) -> None:
    entry = {"id": make_id(1), "digest": HEX} | verdict
    with pytest.raises(ValidationError, match="a refusal has a code"):
        links.ReceiptEntry.model_validate(entry)


def test_a_blob_of_one_mebibyte_fits_into_a_token() -> None:
    piece = base64.b64encode(bytes(1024 * 1024)).decode()
    assert links.Blob(digest=HEX, index=0, piece=piece)
    with pytest.raises(ValidationError, match="at most 1398104 characters"):
        links.Blob(digest=HEX, index=0, piece=piece + "AAAA")


def test_a_blob_without_a_piece_is_a_wish() -> None:
    wish = links.Blob(digest=HEX, index=0)
    assert wish.piece is None
    assert "piece" not in wish.model_dump(exclude_none=True)


@pytest.mark.parametrize("shares", [("1/2", None), ("1/3", "1/3"), ("2/3", "2/3")])
def test_shares_of_authors_make_up_the_whole(shares: tuple[str | None, ...]) -> None:
    whole = make_submission(authors=[make_author(share=share) for share in ("1/3", "2/3")])
    assert [author.share for author in whole.authors] == ["1/3", "2/3"]
    with pytest.raises(ValidationError, match="shares must add up to 1"):
        make_submission(authors=[make_author(share=share) for share in shares])
