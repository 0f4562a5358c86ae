"""The checks 9 to 15 of `protocol/envelope.py`: events that break only one of them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from protocol import envelope, errors
from tests.factories import NOW, make_feedback, make_note, make_payload, make_submission, make_token
from tests.protocol.forgery import edit
from tests.protocol.scene import (
    DONGHU,
    ITEM,
    JIANGYUAN,
    PAYLOAD,
    TOKEN,
    XISHAN,
    YUNZHOU,
    evidence_at,
    open_at,
    signed_by,
)

WEEK, QUARTER = timedelta(days=7), timedelta(minutes=15)
SECOND = timedelta(seconds=1)


# 9. ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("away", [-QUARTER, timedelta(0), WEEK])
def test_check_9_a_message_may_be_a_week_old_or_a_quarter_of_an_hour_ahead(away: timedelta) -> None:
    assert open_at(YUNZHOU, TOKEN, NOW + away)


@pytest.mark.parametrize("away", [-QUARTER - SECOND, WEEK + SECOND])
def test_check_9_a_time_of_signing_far_from_now_is_refused_for_the_time_being(
    away: timedelta,
) -> None:
    with pytest.raises(errors.ClockError, match="too far from now") as refused:
        open_at(YUNZHOU, TOKEN, NOW + away)
    assert not refused.value.permanent


def test_check_9_is_left_out_for_a_message_that_was_accepted_and_waited_here() -> None:
    place, chains = YUNZHOU.place, YUNZHOU.chains
    opened = envelope.open_message(TOKEN, chains=chains, place=place, now=None)
    assert opened == open_at(YUNZHOU, TOKEN)
    early = make_token(make_note(), XISHAN, "donghu")
    with pytest.raises(errors.StrangerError, match="no neighbour"):
        envelope.open_message(early, chains=chains, place=DONGHU.place, now=None)


def test_check_9_evidence_may_be_of_any_age() -> None:
    token = make_token(make_note(), DONGHU, YUNZHOU, signed_at=NOW + timedelta(days=700))
    assert evidence_at(YUNZHOU, token)


# 10. --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        pytest.param(b"", "Expecting value", id="nothing"),
        pytest.param("不是JSON".encode(), "Expecting value", id="not JSON"),
        pytest.param(PAYLOAD.decode().encode("gb18030"), "UnicodeDecodeError", id="not UTF-8"),
        pytest.param(b"\xef\xbb\xbf" + PAYLOAD, "BOM", id="byte order mark"),
        pytest.param(PAYLOAD + PAYLOAD, "Extra data", id="two events"),
        pytest.param(b"[" + PAYLOAD + b"]", "event: ", id="an array"),
        pytest.param(PAYLOAD[:-1] + b',"id":1}', "names a member twice", id="a member twice"),
        pytest.param(
            PAYLOAD.replace(b'"data":{', b'"data":{"edition":2,'),
            "names a member twice",
            id="a member of the data twice",
        ),
        pytest.param(PAYLOAD[:-1] + b',"x":NaN}', "NaN is not JSON", id="not a number"),
        pytest.param(PAYLOAD[:-1] + b',"x":-Infinity}', "is not JSON", id="infinity"),
        pytest.param(
            PAYLOAD[:-1] + b',"x":' + b"[" * 9_000 + b"]" * 9_000 + b"}",
            "RecursionError",
            id="deep nesting",
        ),
        pytest.param(PAYLOAD[:-1] + b',"x":' + b"9" * 5_000 + b"}", "ValueError", id="long number"),
    ],
)
def test_check_10_what_is_not_strict_json_is_refused(payload: bytes, text: str) -> None:
    with pytest.raises(errors.PayloadError, match=text):
        open_at(YUNZHOU, signed_by(DONGHU.signer, payload))


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"id": None}, "id: Field required"),
        ({"id": "1"}, "id: "),
        ({"source": None}, "source"),
        ({"source": "donghu"}, "source"),
        ({"source": "urn:zhitong:node:-donghu"}, "source"),
        ({"source": "urn:zhitong:node:7donghu"}, "source"),
        ({"source": "urn:zhitong:node:donghu\n"}, "source"),
        ({"recipient": None}, "recipient"),
        ({"recipient": "urn:zhitong:node:yunzhou-"}, "recipient"),
        ({"type": None}, "type"),
        ({"type": "cn.zhitong.submission.v1\u0000"}, "type"),
        ({"type": "x" * 101}, "type"),
        ({"subject": "item"}, "subject"),
        ({"time": None}, "time"),
        ({"time": "2026-11-22T08:00:00"}, "time: .*RFC 3339"),
        ({"time": 1_795_000_000}, "time: .*RFC 3339"),
        ({"time": "1795000000"}, "time: .*RFC 3339"),
        ({"time": "0001-01-01T00:00:00+08:00"}, "time: .*RFC 3339"),
        ({"datacontenttype": "text/plain"}, "datacontenttype"),
        ({"causationid": "before"}, "causationid"),
        ({"traceparent": "trace"}, "traceparent"),
        ({"data": None}, "data"),
        ({"data": "text"}, "data"),
    ],
)
def test_check_10_what_is_not_one_event_is_refused(members: dict[str, Any], text: str) -> None:
    with pytest.raises(errors.PayloadError, match=text):
        open_at(YUNZHOU, signed_by(DONGHU.signer, edit(PAYLOAD, **members)))


def test_check_10_members_of_later_minor_versions_are_kept_and_ignored() -> None:
    later = edit(PAYLOAD, urgencyhint="high", data=json.loads(PAYLOAD)["data"] | {"mood": "calm"})
    opened = open_at(YUNZHOU, signed_by(DONGHU.signer, later))
    assert opened.data == make_submission()
    assert b"urgencyhint" in opened.payload
    assert opened.event.data["mood"] == "calm"


# 11. --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["xishan", "yunzhou", "jiangyuan"])
def test_check_11_an_office_that_speaks_as_another_is_refused(name: str) -> None:
    payload = edit(PAYLOAD, source=f"urn:zhitong:node:{name}")
    with pytest.raises(errors.SourceError, match=f"signed by donghu, but speaks as {name}"):
        open_at(YUNZHOU, signed_by(DONGHU.signer, payload))
    with pytest.raises(errors.SourceError, match=f"signed by donghu, but speaks as {name}"):
        evidence_at(YUNZHOU, signed_by(DONGHU.signer, payload))


# 12. --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["jiangyuan", "lanjiang", "donghu", "nobody"])
def test_check_12_a_message_to_another_office_is_refused(name: str) -> None:
    token = signed_by(DONGHU.signer, edit(PAYLOAD, recipient=f"urn:zhitong:node:{name}"))
    with pytest.raises(errors.RecipientError, match=f"addressed to {name}, not to this office"):
        open_at(YUNZHOU, token)


def test_check_12_evidence_was_sent_to_somebody_else() -> None:
    assert evidence_at(JIANGYUAN, TOKEN).event.addressee == "yunzhou"


# 13. --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "type_",
    [
        pytest.param("cn.zhitong.submission.v2", id="major version 2"),
        pytest.param("cn.zhitong.submission", id="no version"),
        pytest.param("cn.zhitong.petition.v1", id="unknown type"),
        pytest.param("org.example.submission.v1", id="other prefix"),
        pytest.param("submission", id="short name"),
        pytest.param("cn.zhitong.cn.zhitong.submission.v1", id="prefix twice"),
    ],
)
def test_check_13_a_type_or_major_version_that_is_not_known_is_refused(type_: str) -> None:
    token = signed_by(DONGHU.signer, edit(PAYLOAD, type=type_))
    with pytest.raises(errors.TypeUnknownError, match="is not known here"):
        open_at(YUNZHOU, token)
    with pytest.raises(errors.TypeUnknownError, match="is not known here"):
        evidence_at(YUNZHOU, token)


# 14. --------------------------------------------------------------------------------------------


def test_check_14_a_submission_does_not_come_from_above() -> None:
    token = make_token(make_submission(), YUNZHOU, DONGHU, subject=ITEM)
    with pytest.raises(errors.DirectionError, match="submission may not travel upwards"):
        open_at(DONGHU, token)


def test_check_14_feedback_does_not_come_from_below() -> None:
    token = make_token(make_feedback(), DONGHU, YUNZHOU, subject=ITEM)
    with pytest.raises(errors.DirectionError, match="feedback may not travel downwards"):
        open_at(YUNZHOU, token)


# 15. --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"title": None}, "submission: title: "),
        ({"title": ""}, "submission: title: "),
        ({"title": "一\n二"}, "must be a single line"),
        ({"body": "零\u0000"}, "control characters are not allowed"),
        ({"body": "字" * 20_001}, "at most 20000 characters"),
        ({"edition": "1"}, "submission: edition: "),
        ({"edition": 0}, "submission: edition: "),
        ({"classification": "inside"}, "submission: classification: "),
        ({"authors": []}, "submission: authors: "),
        ({"submitted_at": "2026-11-22"}, "RFC 3339"),
        ({"evidence": ["<token>"]}, "submission: evidence.0: "),
    ],
)
def test_check_15_data_that_does_not_fit_the_type_is_refused(
    members: dict[str, Any], text: str
) -> None:
    data = json.loads(PAYLOAD)["data"] | members
    with pytest.raises(errors.DataError, match=text):
        open_at(YUNZHOU, signed_by(DONGHU.signer, edit(PAYLOAD, data=data)))


def test_check_15_a_message_about_an_item_must_name_it() -> None:
    token = signed_by(DONGHU.signer, edit(PAYLOAD, subject=None))
    with pytest.raises(errors.DataError, match="submission: names no item"):
        open_at(YUNZHOU, token)
    with pytest.raises(errors.DataError, match="submission: names no item"):
        evidence_at(YUNZHOU, token)


def test_check_15_the_text_of_an_error_does_not_repeat_what_was_sent() -> None:
    payload = make_payload(make_feedback(), sender="yunzhou", recipient="donghu", subject=ITEM)
    content = json.loads(payload)["data"]
    content["fact"]["kind"] = "机密内容"
    token = signed_by(YUNZHOU.signer, edit(payload, data=content))
    with pytest.raises(errors.DataError, match="feedback: fact: unknown kind") as refused:
        open_at(DONGHU, token)
    assert "机密" not in refused.value.detail
