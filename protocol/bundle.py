"""The evidence about one item in one file, as the office where it was written hands it out.

`write` makes the file, `read` reads it, and `verify` says what it proves to somebody who has the
root certificate and nothing else. Rules, in their order; each has a test that breaks only that one:

 1. The file is strict JSON of the format `FORMAT`, with exactly its members.
 2. Each message under `sent` is signed by the office that the file names, all on one path, or one
    of those where it stood before by the certificates under `former`.
 3. Each message under `received` is signed by the office above such a path, for this office.
 4. Each message is about the item, and none stands there twice. What was received may be about a
    combined item into which, by its own facts, the office merged the item, and not out again.
 5. What was sent is an edition that was written there, or a wish to have it back, to the office
    above; or the office's own fact, which it states to itself.
 6. What was received is feedback that proves its fact (`protocol.evidence`); the merges that it
    relies on are facts of the file.
 7. A receipt is signed by the office above, for this office, and names this very message, by its
    id and the digest of its content, as received.
 8. The facts of each office about the item, and those about each combined item, count from 1
    without gaps, and no two have the same number.
 9. Each edition of the item that the office states to have forwarded is there.
10. Each list under `lists` is a revocation list of an issuing office on that path, one for each.
11. What was signed under a certificate that such a list revokes is older: a receipt for it, by an
    office that is not revoked, or the word of the office that carries it, is from before.
12. What an office says of the item as part of a combined one, it says after it merged it so.

Lists are looked at first, the office highest up before those below it. A file that breaks rule 1 is
none (`BundleError`). Everything else is a flaw, and what has no flaw is told all the same. None of
it proves that nothing newer was left out, a newer list included, since numbers end somewhere; what
offices further up sent on, for their messages do not come down; or the times, which are the
signers' own words. That a combined item has anything of this one in it is the word of the office
that merged them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, ValidationError

from protocol import envelope, evidence, revocation_list
from protocol.certificates import MAXIMUM_DEPTH
from protocol.envelope import Opened
from protocol.errors import (
    BundleError,
    EnvelopeError,
    EvidenceError,
    ProtocolError,
    RevokedError,
    SuspendedError,
)
from protocol.evidence import Merge, Merges, SignedFact
from protocol.messages import event
from protocol.messages.items import Edition, Token, Withdrawal
from protocol.messages.links import Receipt
from protocol.messages.trust import Der
from protocol.messages.work import Feedback
from protocol.offices import NodeName, Record
from protocol.place import Former, Place
from protocol.revocation_list import OpenedList
from protocol.trust import Chains, parse
from protocol.verdict import (
    Flaw,
    Spoken,
    Stated,
    Verdict,
    demand_all_facts,
    demand_merged_before,
    demand_what_was_forwarded,
)

FORMAT: Literal["zhitong-evidence-2"] = "zhitong-evidence-2"
MOST_MESSAGES = 10_000
MAXIMUM_BYTES = 64 * 1024 * 1024


Chain = Annotated[tuple[Der, ...], Field(min_length=1, max_length=MAXIMUM_DEPTH)]
MOST_PLACES = 16


class Sent(Record):
    """A message that the office signed, and the receipt for it, if there is one."""

    model_config = ConfigDict(extra="forbid")

    token: Token
    receipt: Token | None = None


class Bundle(Record):
    """The file. An unknown member is refused: it may say that something no longer counts."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["zhitong-evidence-2"] = FORMAT
    item: UUID
    office: NodeName
    sent: Annotated[tuple[Sent, ...], Field(max_length=MOST_MESSAGES)]
    received: Annotated[tuple[Token, ...], Field(max_length=MOST_MESSAGES)]
    lists: Annotated[tuple[Token, ...], Field(max_length=MAXIMUM_DEPTH)]
    former: Annotated[tuple[Chain, ...], Field(max_length=MOST_PLACES)] | None = None
    """The office's certificates at places where it stood before it was moved."""


def write(bundle: Bundle) -> bytes:
    """The file."""
    return bundle.model_dump_json(indent=1, exclude_none=True).encode() + b"\n"


def read(content: bytes) -> Bundle:
    """Read the file, rule 1. Raises `BundleError`."""
    # 1.
    if len(content) > MAXIMUM_BYTES:
        raise BundleError(f"the file has more than {MAXIMUM_BYTES} bytes")
    try:
        members = json.loads(content.decode("utf-8"), object_pairs_hook=event.without_duplicates)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"the file is not JSON: {event.brief(error)}") from error
    name = members.get("format") if isinstance(members, dict) else None
    if name != FORMAT:
        raise BundleError(f"the file does not say that its format is {FORMAT}")
    try:
        return Bundle.model_validate(members)
    except ValidationError as error:
        # The name of an unknown member is the file's own text, and may be anything.
        unknown = any(one["type"] == "extra_forbidden" for one in error.errors())
        what = "it has members that are not known here" if unknown else event.brief(error)
        raise BundleError(f"the file is not of the format {FORMAT}: {what}") from error


def verify(bundle: Bundle, chains: Chains) -> Verdict:
    """What the bundle proves under these roots and lists, rules 2 to 12."""
    verdict = Verdict(bundle.item, bundle.office)
    place = _place(bundle, chains, verdict)
    if place is None:
        return verdict
    verdict.path = place.own
    chains = _knowing(bundle, chains, place, verdict)
    reader = _Reader(bundle, chains, place, verdict)
    for number, sent in enumerate(bundle.sent):
        reader.take_sent(sent, f"sent[{number}]")
    for number, token in enumerate(bundle.received):
        reader.take_received(token, f"received[{number}]")
    reader.settle()
    demand_all_facts(verdict)
    demand_what_was_forwarded(verdict)
    demand_merged_before(verdict)
    return verdict


def _place(bundle: Bundle, chains: Chains, verdict: Verdict) -> Place | None:
    """Where the office stands, by its own signatures; None where there is no good one."""
    # 2.
    flaws: list[Flaw] = []
    for number, sent in enumerate(bundle.sent):
        try:
            path = envelope.signer_of(sent.token.encode(), chains=chains)
        except EnvelopeError as error:
            flaws.append(Flaw(2, f"sent[{number}]", error.detail))
            continue
        if path.node == bundle.office:
            return Place(path, formers=_formers(bundle, chains, verdict))
        flaws.append(Flaw(2, f"sent[{number}]", f"signed by {path}, not by {bundle.office}"))
    verdict.flaws += flaws or [Flaw(2, "sent", f"nothing in the file is signed by {bundle.office}")]
    return None


def _formers(bundle: Bundle, chains: Chains, verdict: Verdict) -> list[Former]:
    """The places where, by its certificates there, the office stood before."""
    # 2.
    found = []
    for number, texts in enumerate(bundle.former or ()):
        try:
            chain = tuple(base64.b64decode(text) for text in texts)
            at = max(parse(der).not_valid_before_utc for der in chain)
            path = chains.verify(chain, at).path
        except (ValueError, ProtocolError) as error:
            verdict.flaws.append(Flaw(2, f"former[{number}]", f"{error}"))
            continue
        if path.node == bundle.office:
            found.append(Former(path, drains=True))
        else:
            detail = f"the place of {path.node}, not of {bundle.office}"
            verdict.flaws.append(Flaw(2, f"former[{number}]", detail))
    return found


def _knowing(bundle: Bundle, chains: Chains, place: Place, verdict: Verdict) -> Chains:
    """The same roots, with the lists of the file beside those that were known."""
    # 10.
    knowing = Chains(chains.roots, chains.revoked)
    found: list[tuple[int, OpenedList]] = []
    for number, token in enumerate(bundle.lists):
        try:
            found.append((number, revocation_list.open_list(token.encode(), chains=knowing)))
        except ProtocolError as error:
            verdict.flaws.append(Flaw(10, f"lists[{number}]", error.detail))
    # From the top downwards: a list may say that the issuer of another one was revoked.
    for number, opened in sorted(found, key=lambda one: len(one[1].chain.line)):
        line = opened.chain.line
        try:
            revocation_list.demand_entitled(opened, chains=knowing, place=place)
        except ProtocolError as error:
            verdict.flaws.append(Flaw(10, f"lists[{number}]", error.detail))
            continue
        if any(known.key == opened.known.key for known in verdict.lists):
            detail = f"it is the second list of {line[-1].node}"
            verdict.flaws.append(Flaw(10, f"lists[{number}]", detail))
            continue
        knowing.revoked = knowing.revoked.taking(opened.known)
        verdict.lists.append(opened.known)
    return knowing


class _FlawError(Exception):
    def __init__(self, rule: int, detail: str) -> None:
        super().__init__(detail)
        self.rule = rule


@dataclass(frozen=True)
class _Waiting:
    """A fact that was received, until it is known which merges are in force."""

    where: str
    message: Opened
    signed: SignedFact
    own_merge: Merge | None
    """That of the office that made the file, where the message is about its combined item."""

    @property
    def merges(self) -> tuple[Merge, ...]:
        own = () if self.own_merge is None else (self.own_merge,)
        return (*own, *self.signed.relies_on)


class _Reader:
    """Takes the messages one by one, into what is proven or into the flaws."""

    def __init__(self, bundle: Bundle, chains: Chains, place: Place, verdict: Verdict) -> None:
        self._item = bundle.item
        self._chains = chains
        self._place = place
        self._verdict = verdict
        self._seen: set[UUID] = set()
        self._waiting: list[_Waiting] = []

    def take_sent(self, sent: Sent, where: str) -> None:
        with self._noting(where):
            message = self._opened(2, sent.token)
            self._demand_item(message)
            if isinstance(message.data, Feedback):
                self._verdict.facts.append(self._own_fact(message))
                return
            self._demand_own(message)
            spoken = Spoken(message)
            if sent.receipt is not None:
                with self._noting(f"{where}.receipt"):
                    spoken.receipt = self._receipt(sent.receipt, message)
            _demand_older(message, spoken.receipt)
            self._verdict.spoken.append(spoken)

    def take_received(self, token: str, where: str) -> None:
        with self._noting(where):
            message = self._opened(3, token)
            self._demand_new(message)
            try:
                # 6.
                signed = evidence.signed_fact(message, chains=self._chains, place=self._place)
            except SuspendedError as error:
                raise _FlawError(11, error.detail) from error
            except EvidenceError as error:
                raise _FlawError(6, error.detail) from error
            subject = message.event.subject
            own_merge = None
            if subject is not None and subject != self._item:
                # 4.
                own_merge = Merge(self._place.own.node, self._item, subject)
            self._waiting.append(_Waiting(where, message, signed, own_merge))

    def settle(self) -> None:
        """Ask of everything that was received whether the merges that it relies on are in force.

        What is said of a combined item may say that it was itself merged: so it is asked again,
        once for each office that merged, until nothing more comes of it.
        """
        waiting = self._waiting
        while waiting:
            facts = [(stated.proven.about, stated.proven.fact) for stated in self._verdict.facts]
            merges = Merges.of(facts)
            rest = [one for one in waiting if not merges.in_force.issuperset(one.merges)]
            if len(rest) == len(waiting):
                self._verdict.flaws += [self._flaw(one, merges) for one in rest]
                return
            self._verdict.facts += [
                Stated(one.message, one.signed.unasked, one.merges)
                for one in waiting
                if merges.in_force.issuperset(one.merges)
            ]
            waiting = rest

    def _flaw(self, one: _Waiting, merges: Merges) -> Flaw:
        [missing, *_] = (merge for merge in one.merges if merge not in merges.in_force)
        # 4. and 6.
        rule = 4 if missing == one.own_merge else 6
        what = "it" if rule == 4 else "the evidence"
        if missing in merges.undone:
            detail = f"{what} is about {missing.into}, out of which {missing.office} took the item"
        else:
            detail = f"{what} is about another item"
        return Flaw(rule, one.where, detail)

    @contextmanager
    def _noting(self, where: str) -> Iterator[None]:
        try:
            yield
        except _FlawError as flaw:
            self._verdict.flaws.append(Flaw(flaw.rule, where, str(flaw)))

    def _opened(self, rule: int, token: str) -> Opened:
        # 2., 3. and 7. What lies in the file is not asked how long ago it was signed.
        try:
            if rule == 2:
                return envelope.open_own(token.encode(), chains=self._chains, place=self._place)
            return envelope.open_message(
                token.encode(), chains=self._chains, place=self._place, now=None
            )
        except (RevokedError, SuspendedError) as error:
            raise _FlawError(11, error.detail) from error
        except ProtocolError as error:
            raise _FlawError(rule, error.detail) from error

    def _demand_item(self, message: Opened) -> None:
        # 4.
        if message.event.subject != self._item:
            raise _FlawError(4, "it is about another item")
        self._demand_new(message)

    def _demand_new(self, message: Opened) -> None:
        # 4.
        if message.event.id in self._seen:
            raise _FlawError(4, "it stands in the file twice")
        self._seen.add(message.event.id)

    def _own_fact(self, message: Opened) -> Stated:
        # 5.
        own = self._place.own
        try:
            proven = evidence.fact_of(message, chains=self._chains, place=self._place)
        except EvidenceError as error:
            raise _FlawError(5, error.detail) from error
        if message.event.addressee != own.node or proven.carriers:
            raise _FlawError(5, f"it is no fact that {own.node} states to itself")
        _demand_older(message, None)
        return Stated(message, proven)

    def _demand_own(self, message: Opened) -> None:
        # 5.
        above = {own.issuers[-1].node for own in self._place.owns} - {self._place.own.node}
        if not isinstance(message.data, Edition | Withdrawal):
            raise _FlawError(5, f"a {message.name} does not belong into the file")
        if message.event.addressee not in above:
            raise _FlawError(
                5, f"it is addressed to {message.event.addressee}, not to the office above"
            )
        if isinstance(message.data, Edition):
            written_here = message.data.origin.id == self._place.own.node
            if not written_here or message.data.evidence:
                raise _FlawError(5, f"it was not written at {self._place.own.node}")

    def _receipt(self, token: str, message: Opened) -> Opened:
        # 7.
        receipt = self._opened(7, token)
        if not isinstance(receipt.data, Receipt):
            raise _FlawError(7, f"a {receipt.name} is no receipt")
        if not any(
            (entry.id, entry.digest, entry.verdict)
            == (message.event.id, message.digest, "received")
            for entry in receipt.data.entries
        ):
            raise _FlawError(7, "it does not say that this message was received")
        return receipt


def _demand_older(message: Opened, receipt: Opened | None) -> None:
    # 11.
    revocation = message.revocation
    if revocation is None or (receipt is not None and receipt.signed_at < revocation.since):
        return
    detail = f"{revocation.node} was revoked since {revocation.since.isoformat()}"
    raise _FlawError(11, f"{detail}, and nothing shows that it is older")
