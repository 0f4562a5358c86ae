"""What a message proves about an item through the signed messages that it carries inside.

Downwards, feedback from a higher office comes as a chain of messages, each inside the next: the
innermost is signed by the office that decided. Upwards, a forwarded item carries the message by
which the forwarding office received it. Rules for a carried message, one test each:

 1. It verifies (`envelope.open_evidence`). Where its signer was revoked since, the office that
    carries it says that it had it before (`received_at`), or was itself known to be older.
 2. It has a type that may be carried here.
 3. It comes from the direct neighbour of the office that carries it, away from this office.
 4. It was sent to the office that carries it.
 5. It is about the same item; of feedback also about a combined item into which, by facts of the
    office that carries it, that office has merged the item, and out of which it has not taken it
    since, by its own count. Those facts are themselves proven by these rules.
 6. What is said inside was said by the office that signed it: a fact is a fact of its signer, and
    the origin that an item names, the same at every stage, signed the innermost message.

What is refused because its signer is suspended may be sent again: `SuspendedError`. Where the
office has not said yet that it merged the item, the message may wait for that: `NotMergedError`.

That an inner message belongs to the item is vouched for by the office that carries it, and by
nobody else: who wrote what into a combined item, and that it says what the item says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from protocol import envelope
from protocol.envelope import Opened
from protocol.errors import EnvelopeError, EvidenceError, NotMergedError, SuspendedError
from protocol.identifiers import NodeId
from protocol.messages.facts import FactBase, Merged, Unmerged
from protocol.messages.items import Edition
from protocol.messages.work import Feedback
from protocol.place import Place
from protocol.revocation import Revocation
from protocol.trust import Chains, Path


@dataclass(frozen=True)
class Merge:
    """An office's word that an item is part of a combined one."""

    office: NodeId
    item: UUID
    into: UUID


@dataclass(frozen=True)
class Merges:
    """What proven facts say of merges: those in force, and those that were undone."""

    in_force: frozenset[Merge] = frozenset()
    undone: frozenset[Merge] = frozenset()

    @classmethod
    def of(cls, facts: Iterable[tuple[UUID, FactBase]]) -> Merges:
        """From facts, each with the item that it is about, in whatever order they are given."""
        newest: dict[Merge, tuple[int, bool]] = {}
        for about, fact in facts:
            match fact:
                case Merged():
                    merge = Merge(fact.office.id, about, fact.into)
                case Unmerged():
                    merge = Merge(fact.office.id, about, fact.out_of)
                case _:
                    continue
            said = fact.sequence, isinstance(fact, Merged)
            newest[merge] = max(newest.get(merge, said), said)
        in_force = frozenset(merge for merge, (_, holds) in newest.items() if holds)
        return cls(in_force, frozenset(newest) - in_force)


NO_MERGES = Merges()


@dataclass(frozen=True)
class ProvenFact:
    """A fact with the office that decided it, proven by that office's signature."""

    fact: FactBase
    path: Path
    carriers: tuple[Path, ...]
    """The offices that handed it on, the one nearest to us first; empty when it came directly."""
    signed_at: datetime
    """When the office that decided signed it, by its own clock."""
    about: UUID
    """The item of which the office spoke: a combined one, where `merges` are not empty."""
    merges: tuple[Merge, ...] = ()
    """Whose word it is that the item is part of that one; from the item upwards."""
    revoked: tuple[tuple[Path, Revocation], ...] = ()
    """Whose certificates were revoked since: their messages count for their age."""


@dataclass(frozen=True)
class SignedFact:
    """A fact that keeps all rules, but that nobody has asked yet about the merges it relies on."""

    unasked: ProvenFact

    @property
    def relies_on(self) -> tuple[Merge, ...]:
        """What the offices that carry it must have said."""
        return self.unasked.merges

    def proven(self, merges: Merges) -> ProvenFact:
        """The fact, where all merges are in force. Raises `EvidenceError`, `NotMergedError`."""
        # 5.
        for merge in self.relies_on:
            if merge in merges.undone:
                raise EvidenceError(f"{merge.office} has taken the item out of {merge.into} again")
        for merge in self.relies_on:
            if merge not in merges.in_force:
                raise NotMergedError(
                    f"the evidence is about another item, {merge.into}, and {merge.office} "
                    "has not said that it merged this one into it"
                )
        return self.unasked


def fact_of(
    message: Opened, *, chains: Chains, place: Place, merges: Merges = NO_MERGES
) -> ProvenFact:
    """The fact in a feedback message, from however high.

    Raises `EvidenceError`, and of those `NotMergedError` where it may be proven later.
    """
    return signed_fact(message, chains=chains, place=place).proven(merges)


def signed_fact(message: Opened, *, chains: Chains, place: Place) -> SignedFact:
    """The same, but that it does not ask about merges. Raises `EvidenceError`."""
    carriers: list[Path] = []
    merges: list[Merge] = []
    revoked: list[tuple[Path, Revocation]] = []
    current = message
    while True:
        if current.revocation is not None:
            revoked.append((current.path, current.revocation))
        feedback = current.data
        if not isinstance(feedback, Feedback):
            # 2.
            raise EvidenceError(f"{current.name} stands where only feedback may")
        subject = _subject(current)
        if feedback.fact is not None:
            break
        assert feedback.evidence is not None  # the model holds one of the two
        inner = _open(feedback.evidence, current, chains, place)
        # 3.
        if not inner.from_above or not place.stands_above(inner.path, current.path):
            raise EvidenceError(f"{current.path} carries feedback of {inner.path}, not its parent")
        # 5.
        if _subject(inner) != subject:
            merges.append(Merge(current.path.node, subject, _subject(inner)))
        carriers.append(current.path)
        current = inner
    # 6.
    if feedback.fact.office.id != current.path.node:
        raise EvidenceError(f"{current.path} states a fact of {feedback.fact.office.id}")
    return SignedFact(
        ProvenFact(
            feedback.fact,
            current.path,
            tuple(carriers),
            current.signed_at,
            subject,
            tuple(merges),
            tuple(revoked),
        )
    )


def origins_of(message: Opened, *, chains: Chains, place: Place) -> tuple[Opened, ...]:
    """The messages by which a forwarded item climbed, newest first. Raises `EvidenceError`."""
    climbed: list[Opened] = []
    waiting = [message]
    origin: NodeId | None = None
    while waiting:
        current = waiting.pop()
        edition = current.data
        if not isinstance(edition, Edition):
            # 2.
            raise EvidenceError(f"{current.name} stands where only an item may")
        # 6.
        origin = origin or edition.origin.id
        if edition.origin.id != origin:
            raise EvidenceError(f"{current.path} names another origin than {origin}")
        if not edition.evidence and edition.origin.id != current.path.node:
            raise EvidenceError(f"{current.path} names {edition.origin.id} without its signature")
        for token in edition.evidence:
            inner = _open(token, current, chains, place)
            # 5.
            if inner.event.subject != current.event.subject:
                raise EvidenceError("the evidence is about another item")
            # 3.
            if inner.from_above or not place.stands_below(inner.path, current.path):
                raise EvidenceError(f"{current.path} carries an item of {inner.path}, no child")
            climbed.append(inner)
            waiting.append(inner)
    return tuple(climbed)


def _known_since(carrier: Opened) -> datetime | None:
    said = carrier.data.received_at if isinstance(carrier.data, Edition | Feedback) else None
    return min((at for at in (said, carrier.known_since) if at is not None), default=None)


def _open(token: str, carrier: Opened, chains: Chains, place: Place) -> Opened:
    # 1.
    try:
        inner = envelope.open_evidence(
            token.encode(), chains=chains, place=place, known_since=_known_since(carrier)
        )
    except SuspendedError:
        raise
    except EnvelopeError as error:
        raise EvidenceError(f"the evidence does not verify: {error}") from error
    # 4.
    if inner.event.addressee != carrier.path.node:
        raise EvidenceError(f"{carrier.path} carries a message to {inner.event.addressee}")
    return inner


def _subject(message: Opened) -> UUID:
    subject = message.event.subject
    assert subject is not None  # check 16: feedback names its item
    return subject
