"""Revocation lists as tokens: signed by an issuing key, and verified against it alone.

Neither who hands a list on nor the node of the issuer is asked, so a list can be repeated by
anybody, and a stolen node key makes none. Checks, in their order; each has a test:

 1. The token has the form of a message's (`envelope`, steps 1 to 3), and the type `TYPE`.
 2. Its certificates are an issuing certificate, which may sign lists, and its issuers, and lead to
    a trusted root at the time of signing.
 3. The signature fits.
 4. The content is a list in strict JSON, of the office whose issuing certificate it is, issued when
    it was signed.
 5. No certificate of the issuer was revoked by an office above it, or is suspended.
 6. The issuer stands on this office's own path, or below this office.

`open_list` does 1 to 4: what was taken in stays, whatever becomes of its issuer. `demand_entitled`
does 5 and 6, once, when a list arrives.

Which of two lists counts, says `revocation.Revoked.compare`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from pydantic import ValidationError

from protocol import envelope
from protocol.errors import (
    EnvelopeError,
    RevocationListError,
    RevokedError,
    SuspendedError,
)
from protocol.keys import Signer
from protocol.messages import event
from protocol.messages.trust import RevocationList
from protocol.place import Place
from protocol.revocation import KnownList, Revocation
from protocol.trust import Chains, IssuingChain

TYPE = "zhitong-revocations+jws"


@dataclass(frozen=True)
class OpenedList:
    """A list that was verified; nothing else makes one."""

    token: bytes
    known: KnownList
    chain: IssuingChain


def seal(content: RevocationList, signer: Signer, *, incarnation: int) -> bytes:
    """Sign the list with the issuing key. The signer's chain is that of the issuing certificate."""
    payload = content.model_dump_json(exclude_none=True).encode()
    return envelope.seal(
        payload, signer, signed_at=content.issued_at, incarnation=incarnation, kind=TYPE
    )


def open_list(token: bytes, *, chains: Chains) -> OpenedList:
    """Check a list, steps 1 to 4. Raises `RevocationListError`."""
    try:
        # 1.
        parsed = envelope.parse(token, TYPE)
        # 2.
        chain = chains.verify_issuing(parsed.chain, parsed.signed_at)
    except EnvelopeError as error:
        raise RevocationListError(f"the revocation list does not verify: {error}") from error
    # 3.
    fits = parsed.header["alg"] == "ES256" and envelope.signature_fits(
        parsed.segments, parsed.header, chain.key
    )
    if not fits:
        raise RevocationListError("the signature does not fit the revocation list")
    # 4.
    content = _content(parsed.payload)
    if content.issuer != chain.office.node or content.issued_at != parsed.signed_at:
        raise RevocationListError(f"the list of {content.issuer} was signed by {chain}")
    known = KnownList(
        issuer=content.issuer,
        key=chain.office.key,
        number=content.number,
        issued_at=content.issued_at,
        next_update=content.next_update,
        revoked=tuple(
            Revocation(
                serial=entry.serial,
                node=entry.node,
                at=entry.at,
                compromised_since=entry.compromised_since,
                hold=entry.hold,
                reason=entry.reason,
            )
            for entry in content.revoked
        ),
    )
    return OpenedList(token, known, chain)


def demand_entitled(opened: OpenedList, *, chains: Chains, place: Place) -> None:
    """Check whether the issuer may still say something, and here, steps 5 and 6.

    Raises `RevokedError`, `SuspendedError`, and `RevocationListError` for an issuer who has no say
    about anybody who counts here.
    """
    # 5.
    found = chains.revocation(opened.chain)
    if found is not None:
        kind = SuspendedError if found.hold else RevokedError
        raise kind(f"the list is signed by {opened.chain}; {found.node} may not issue any more")
    # 6.
    line = opened.chain.line
    if not (
        place.is_issuer_above(line) or place.is_own_issuer(line) or place.is_issuer_below(line)
    ):
        raise RevocationListError(f"{opened.chain} is neither above this office nor below it")


def _content(payload: bytes) -> RevocationList:
    try:
        members = json.loads(payload.decode("utf-8"), object_pairs_hook=event.without_duplicates)
        return RevocationList.model_validate(members)
    except (ValueError, RecursionError, ValidationError) as error:
        raise RevocationListError(f"the content is no list: {event.brief(error)}") from error
