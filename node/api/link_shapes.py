"""The JSON of links and quarantine, for administrators and monitoring. Members are only added."""

from __future__ import annotations

from datetime import date, datetime
from typing import Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from node.workflow.links import LinkView, Refusal, RefusalPage
from node.workflow.quarantine import Held, Page, Seen
from protocol.messages.items import ClassificationName


class Answer(BaseModel):
    """Made from a record of the workflow."""

    model_config = ConfigDict(from_attributes=True)


class BacklogShape(Answer):
    """Business messages by state; `receipts` wait to be sent."""

    pending: int
    sent: int
    refused_temporary: int
    refused_permanent: int
    received: int
    confirmed: int
    receipts: int
    oldest_at: datetime | None


class PauseShape(Answer):
    """Who holds the link back, since when, and why."""

    at: datetime
    by: str
    reason: str


class BarShape(Answer):
    """The office is suspended or revoked: since when, and why."""

    standing: str
    at: datetime
    reason: str


class WitnessShape(Answer):
    """The newest seal of the neighbour's audit chain that is known here."""

    seal: int
    hash: str


class AgreementShape(Answer):
    """Up to which day (UTC) both ends count the same each way; how many days differ."""

    sent_until: date | None
    received_until: date | None
    differing: int


class Reconciliation(Answer):
    """How many days are being compared with the neighbour."""

    days: int


class LinkShape(Answer):
    """How a link stands."""

    peer: str
    name: str
    level: str
    relation: str
    backlog: BacklogShape
    heard_at: datetime | None
    silent_since: datetime | None
    next_attempt_at: datetime | None
    paused: PauseShape | None
    barred: BarShape | None
    ends_at: datetime | None
    exported_at: datetime | None
    certificate_until: datetime | None
    audit: WitnessShape | None
    agreement: AgreementShape
    highest_level: str

    @classmethod
    def of(cls, view: LinkView) -> Self:
        return cls.model_validate(view)


class LinkList(BaseModel):
    """Every neighbour."""

    links: list[LinkShape]


class RefusalShape(Answer):
    """A message of this office that the neighbour refused; `advice` says what can be done."""

    id: UUID
    name: str
    subject: UUID | None
    code: str
    permanent: bool
    answered_at: datetime
    attempts: int
    next_attempt_at: datetime | None
    advice: str

    @classmethod
    def of(cls, refusal: Refusal) -> Self:
        return cls.model_validate(refusal)


class RefusalList(BaseModel):
    """A part of the refusals, the newest first."""

    refused: list[RefusalShape]
    total: int

    @classmethod
    def of(cls, page: RefusalPage) -> Self:
        return cls(refused=[RefusalShape.of(row) for row in page.rows], total=page.total)


class Limit(BaseModel):
    """The highest classification of items that a link may carry."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    highest_level: ClassificationName


class Ending(BaseModel):
    """When a link ends, now if nothing is said; `force` also where something has no receipt yet."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    on: AwareDatetime | None = None
    force: bool = False


class Ended(BaseModel):
    """When the link ends."""

    ends_at: datetime


class GroupShape(Answer):
    """All messages that were refused for one reason."""

    code: str
    permanent: bool
    messages: int
    times: int
    first_at: datetime
    last_at: datetime


class HeldShape(Answer):
    """A message in quarantine. `received_since`: it was taken in by another way."""

    id: UUID
    digest: str
    code: str
    detail: str
    permanent: bool
    peer: str | None
    message_id: UUID | None
    queue: str
    size: int
    times: int
    first_at: datetime
    last_at: datetime
    state: str
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None
    outcome: str | None
    received_since: bool
    advice: str

    @classmethod
    def of(cls, held: Held) -> Self:
        return cls.model_validate(held)


class QuarantineList(BaseModel):
    """The reasons, and a part of the messages, the newest first."""

    groups: list[GroupShape]
    messages: list[HeldShape]
    total: int

    @classmethod
    def of(cls, page: Page) -> Self:
        return cls(
            groups=[GroupShape.model_validate(group) for group in page.groups],
            messages=[HeldShape.of(row) for row in page.rows],
            total=page.total,
        )


class HeldDetail(HeldShape):
    """One message. `verdict` is `verified`, or why its envelope does not open now.

    Signed particulars are told of a verified one alone; contents never.
    """

    verdict: str
    name: str | None
    subject: UUID | None
    signed_at: datetime | None

    @classmethod
    def of_seen(cls, seen: Seen) -> Self:
        return cls(
            **HeldShape.of(seen.held).model_dump(),
            verdict=seen.verdict,
            name=seen.name,
            subject=seen.subject,
            signed_at=seen.signed_at,
        )
