"""Messages for tests: `make_*(**overrides)` returns a valid protocol model.

`make_payload` puts one into an event, `make_token` signs it in an office's name. Ids come from a
counter, so that no two are the same and a run can be repeated. The golden vectors of the protocol
are made of these values: who changes one runs `python -m tests.protocol.make_vectors`.
"""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from protocol import envelope
from protocol.identifiers import node_id, uuid7
from protocol.keys import Signer
from protocol.messages import event
from protocol.messages.facts import Fact, FactBase
from protocol.messages.items import Attachment, Author, Revision, Submission
from protocol.messages.work import Assignment, Feedback, Note
from protocol.offices import OfficeReference, Record
from tests.authorities import Office

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
DONGHU = OfficeReference(id=node_id("donghu"), name="东湖县政协", level="county")
YUNZHOU = OfficeReference(id=node_id("yunzhou"), name="云州市政协", level="city")

_numbers = itertools.count(1)
_fact: TypeAdapter[FactBase] = TypeAdapter(Fact)


def make_id(number: int | None = None, now: datetime = NOW) -> UUID:
    """A UUIDv7; the same for the same number, a new one without."""
    number = next(_numbers) + 1_000_000 if number is None else number
    return uuid7(now + timedelta(milliseconds=number), number.to_bytes(10, "big"))


def make_author(**overrides: Any) -> Author:
    """A member of the county's conference."""
    return Author(**{"name": "沈立群", "kind": "member", "unit": "东湖县恒泰铸造厂"} | overrides)


def make_attachment(**overrides: Any) -> Attachment:
    """A picture in one piece."""
    values: dict[str, Any] = {
        "name": "水泵房.jpg",
        "media_type": "image/jpeg",
        "size": 240_000,
        "digest": "ab" * 32,
        "pieces": ["ab" * 32],
    }
    return Attachment(**values | overrides)


def make_submission(**overrides: Any) -> Submission:
    """The first edition of an item that was written in the county donghu."""
    return Submission(**_edition() | overrides)


def make_revision(**overrides: Any) -> Revision:
    """The second edition of it."""
    return Revision(**_edition() | {"edition": 2} | overrides)


def make_fact(kind: str = "registered", **overrides: Any) -> FactBase:
    """A fact of the city yunzhou; what its kind demands is filled in."""
    common = {"kind": kind, "office": YUNZHOU, "sequence": 1, "at": NOW}
    return _fact.validate_python(common | _FACTS[kind] | overrides)


def make_feedback(fact: FactBase | None = None, evidence: str | bytes | None = None) -> Feedback:
    """Feedback with the fact, with the evidence, or with a new fact where neither is given."""
    if evidence is not None:
        text = evidence.decode() if isinstance(evidence, bytes) else evidence
        return Feedback(evidence=text)
    return Feedback.model_validate({"fact": make_fact() if fact is None else fact})


def make_assignment(**overrides: Any) -> Assignment:
    """Work for a handling unit below."""
    values: dict[str, Any] = {
        "assignment": make_id(),
        "unit": "东湖县水利局",
        "text": "请研究办理。",
    }
    return Assignment(**values | {"due": date(2026, 12, 31)} | overrides)


def make_note(**overrides: Any) -> Note:
    """Words between editors."""
    return Note(**{"text": "请核对第二段的数字。"} | overrides)


def make_payload(
    data: Record,
    *,
    sender: str,
    recipient: str,
    subject: UUID | None = None,
    id: UUID | None = None,
    time: datetime = NOW,
    causation: UUID | None = None,
) -> bytes:
    """The bytes to sign."""
    return event.compose(
        data,
        id=id or make_id(),
        sender=node_id(sender),
        recipient=node_id(recipient),
        subject=subject,
        time=time,
        causation=causation,
    )


def make_token(
    data: Record,
    sender: Office,
    recipient: Office | str,
    *,
    subject: UUID | None = None,
    signed_at: datetime = NOW,
    incarnation: int = 1,
    signer: Signer | None = None,
    **event_members: Any,
) -> bytes:
    """The message, signed by the sender (or, in its name, by another signer)."""
    payload = make_payload(
        data,
        sender=sender.id,
        recipient=recipient if isinstance(recipient, str) else recipient.id,
        subject=subject,
        **event_members,
    )
    return envelope.seal(
        payload, signer or sender.signer, signed_at=signed_at, incarnation=incarnation
    )


def _edition() -> dict[str, Any]:
    return {
        "edition": 1,
        "title": "农田泵站管护缺位，建议明确责任",
        "body": "沿湖泵站多建于三十年前。\n一、去年汛期有四座未能开机。\n二、建议由乡镇统一管护。",
        "authors": [make_author()],
        "topic": "agriculture",
        "urgency": "normal",
        "classification": "internal",
        "origin": DONGHU,
        "submitted_at": NOW,
    }


_FACTS: dict[str, dict[str, Any]] = {
    "registered": {"number": "云社情〔2026〕118号"},
    "returned": {"reason": "请补充数据来源。"},
    "declined": {"reason": "同类情况已有专门部署。"},
    "withdrawn": {},
    "withdrawal_refused": {"reason": "已编发，不再撤回。"},
    "merged": {"into": make_id(7001)},
    "unmerged": {"out_of": make_id(7001)},
    "published": {"series": "general_issue", "issue": "2026年第46期"},
    "adopted": {"manner": "single", "issue": "2026年第46期"},
    "adoption_retracted": {"reason": "统计重复。"},
    "forwarded": {
        "to": OfficeReference(id=node_id("jiangyuan"), name="江原省政协", level="province"),
        "edition": 1,
    },
    "referred": {"to": "云州市水利局"},
    "leader_read": {"leader": "周明远", "post": "云州市副市长"},
    "instructed": {
        "leader": "周明远",
        "post": "云州市副市长",
        "text": "请水利局牵头研究。",
        "on": date(2026, 11, 20),
    },
    "assigned": {"to": "云州市水利局", "due": date(2026, 12, 31)},
    "replied": {"unit": "云州市水利局", "text": "已列入计划。", "degree": "planned"},
    "implemented": {"unit": "云州市水利局", "text": "四座泵站已修复。"},
    "closed": {"note": "办理完毕。"},
    "archived": {"years": 30, "until": "2057-12-31"},
}
