"""An office's new place, told to the offices that it certified: a statement of its issuing key.

An office that is moved, or over which a new top is put, keeps its issuing key and gets another
chain for it. Everybody below learns that chain hop by hop: each office states its own to those it
certified. A statement stands for itself, whoever brings it, since the message around it is signed
under the very chain that it makes known. Checks, in their order; each has a test:

 1. The token has the form of a message's (`envelope`, steps 1 to 3), and the type `TYPE`.
 2. Its first certificate is on the issuing key that certified this office, and signed it.
 3. The content is strict JSON, of the office that has that key, and made when it was signed.
 4. Its number is higher than that of the last one that was taken in.
 5. Its certificates lead to a root that is trusted, or to a new one (6), at the time of signing,
    and this office does not stand among them.
 6. A new root is named by a trusted root's key: by this statement, or by the one from further up
    that it carries, which is checked by the same rule.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import ValidationError

from protocol import envelope
from protocol.envelope import Parsed
from protocol.errors import EnvelopeError, IssuersError, PathError, ProtocolError
from protocol.identifiers import NodeId
from protocol.keys import Signer
from protocol.messages import event
from protocol.messages.catalogue import type_name
from protocol.messages.trust import NewIssuers
from protocol.place import Place
from protocol.trust import (
    Chains,
    IssuingOffice,
    Path,
    examine_form,
    issuing_key,
    issuing_office,
    parse,
)

TYPE = "zhitong-issuers+jws"
DEEPEST = 6


@dataclass(frozen=True)
class OpenedIssuers:
    """A statement that was verified; nothing else makes one."""

    token: str
    own: Path
    """Where this office stands from now on."""
    number: int
    chain: tuple[bytes, ...]
    """The certificates above this office's own, without the root."""
    roots: tuple[x509.Certificate, ...]
    """New roots."""


def seal(content: NewIssuers, signer: Signer, *, incarnation: int) -> bytes:
    """Sign the statement with the issuing key. The signer's chain is that of its certificate."""
    payload = content.model_dump_json(exclude_none=True).encode()
    return envelope.seal(
        payload, signer, signed_at=content.issued_at, incarnation=incarnation, kind=TYPE
    )


def open_issuers(token: str, *, chains: Chains, place: Place, known: int) -> OpenedIssuers:
    """Check a statement; `known` is the number of the last one. Raises `IssuersError`."""
    # 1.
    parsed = _parsed(token)
    # 2.
    holder = _signed_by(parsed)
    if holder != place.own.issuers[-1] or place.own.offices == (place.own.node,):
        raise IssuersError(f"{holder.node} did not certify this office with that key")
    # 3.
    content = _content(parsed, holder)
    # 4.
    if content.number <= known:
        raise IssuersError(f"number {content.number} is not higher than {known}")
    # 5. and 6.
    roots = _new_roots(parsed, content, holder, chains)
    try:
        known_roots = Chains([*chains.roots, *roots], chains.revoked)
        chain = known_roots.verify_issuing(parsed.chain, parsed.signed_at)
    except (PathError, EnvelopeError) as error:
        raise IssuersError(f"the new chain does not verify: {error}") from error
    if place.own.node in [office.node for office in chain.line]:
        raise IssuersError(f"this office would stand above itself: {chain}")
    if known_roots.revocation(chain) is not None:
        raise IssuersError(f"a certificate of {chain} was revoked")
    return OpenedIssuers(
        token, Path(chain.line, place.own.node), content.number, parsed.chain, tuple(roots)
    )


def is_statement(token: bytes) -> str | None:
    """The statement in a message of the type `issuers`, of which nothing was verified."""
    try:
        found = event.decode(envelope.parse(token).payload)
    except ProtocolError:
        return None
    text = found.data.get("statement")
    return text if found.type == type_name("issuers") and isinstance(text, str) else None


def _new_roots(
    parsed: Parsed, content: NewIssuers, holder: IssuingOffice, chains: Chains
) -> Sequence[x509.Certificate]:
    trusted = {issuing_office(root) for root in chains.roots}
    current = content
    for _ in range(DEEPEST):
        if holder in trusted:
            return _roots(current)
        if current.above is None:
            return ()
        parsed = _parsed(current.above)
        holder = _signed_by(parsed)
        current = _content(parsed, holder)
    raise IssuersError("statements are carried too deep")


def _roots(content: NewIssuers) -> Sequence[x509.Certificate]:
    try:
        found = [parse(base64.b64decode(text)) for text in content.roots]
        for root in found:
            examine_form(root)
    except (ValueError, EnvelopeError) as error:
        raise IssuersError(f"a new root is not usable: {error}") from error
    return found


def _parsed(token: str) -> Parsed:
    try:
        return envelope.parse(token.encode(), TYPE)
    except EnvelopeError as error:
        raise IssuersError(f"the statement has not the form of one: {error}") from error


def _signed_by(parsed: Parsed) -> IssuingOffice:
    if not parsed.chain:
        raise IssuersError("the statement carries no certificate")
    try:
        office, key = issuing_key(parsed.chain[0])
    except EnvelopeError as error:
        raise IssuersError(f"the statement's certificate is not usable: {error}") from error
    fits = parsed.header["alg"] == "ES256" and envelope.signature_fits(
        parsed.segments, parsed.header, key
    )
    if not fits:
        raise IssuersError("the signature does not fit the statement")
    return office


def _content(parsed: Parsed, holder: IssuingOffice) -> NewIssuers:
    try:
        text = parsed.payload.decode("utf-8")
        members = json.loads(text, object_pairs_hook=event.without_duplicates)
        content = NewIssuers.model_validate(members)
    except (ValueError, RecursionError, ValidationError) as error:
        raise IssuersError(f"the content is no statement: {event.brief(error)}") from error
    if NodeId(content.office) != holder.node or content.issued_at != parsed.signed_at:
        raise IssuersError(f"the statement of {content.office} was signed by {holder.node}")
    return content


def chain_of(token: str) -> tuple[bytes, ...]:
    """The certificates of a statement that was taken in: the sender's issuing one and its issuers.

    Verifies nothing. Raises `IssuersError`.
    """
    return _parsed(token).chain


def text_of(root: x509.Certificate) -> str:
    """A root as statements carry it."""
    return base64.b64encode(root.public_bytes(Encoding.DER)).decode()
