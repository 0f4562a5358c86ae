"""The envelope: a CloudEvents event signed as one JWS compact token (RFC 7515).

`seal` signs bytes. `open_message` takes a token from a link and says whether it counts for this
office; `open_evidence` does the same for a token carried inside another message. The checks, in
their order; each has an error class of its own, and a test that breaks only that check:

 1. The token is not larger than `MAXIMUM_TOKEN` bytes.                      TooLargeError
 2. It has three segments, each the one canonical base64url of its bytes.    MalformedError
 3. The header is strict JSON with exactly alg, typ, x5c, iat and inc.       HeaderError
 4. Certificates have the demanded form (P-256, one urn, EKU, leaf no CA).   CertificateError
 5. They lead to a trusted root,                                             ChainError
    were valid when the token was signed,                                    ExpiredError
    and no office stands in them twice.                                      PathError
 6. `alg` is the algorithm of the certificate's key.                         AlgorithmError
 7. The signature fits.                                                      SignatureError
    Where the payload was purged, nobody can say any more whether it does.   PurgedError
 8. Directly: the signer's path is the parent's or a child's.                StrangerError
    As evidence: its path lies above this office's, or below it.             EvidenceError
 9. Directly: `iat` is near now.                                             ClockError
10. The payload is one CloudEvents event in strict JSON.                     PayloadError
11. Its source is the signer.                                                SourceError
12. Directly: its recipient is this office.                                  RecipientError
13. Its type and major version are known.                                    TypeUnknownError
14. The type may travel in this direction.                                   DirectionError
15. No certificate of the signer, up to the root, was revoked,               RevokedError
    or is suspended,                                                         SuspendedError
    unless the message is known to be older. Those that bring lists are not
    asked: a list stands for itself, and none may block the one that lifts it.
16. The data fits the type.                                                  DataError
    It claims no classification above `internal`.                            ClassifiedError

What this office signed itself and a neighbour hands back is not asked 9, 12, 14 and 15.

Not checked here, since it needs a memory: whether the message came before, whether the sender's
incarnation is the newest, whether AMQP's unsigned properties agree (`node/relay/reception`).
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from pydantic import ValidationError

from protocol import errors
from protocol.identifiers import Digest, digest
from protocol.keys import Signer
from protocol.messages import catalogue, event
from protocol.messages.event import Event
from protocol.offices import Record
from protocol.place import Place
from protocol.revocation import Revocation
from protocol.trust import Chains, Path, VerifiedChain

MAXIMUM_TOKEN = 2 * 1024 * 1024
"""Bytes. A blob of 1 MiB is the largest message: its base64 stands in base64."""

MAXIMUM_HEADER = 16 * 1024
KEPT_HEADERS = 256
TYPE = "zhitong+jws"
MEMBERS = frozenset({"alg", "typ", "x5c", "iat", "inc"})
AHEAD = timedelta(minutes=15)
BEHIND = timedelta(days=7)


# The library's limits of size are not used (`signature_fits` hands it decoded parts), and it need
# not know the names in the header: steps 1 and 3 see to both.
_REGISTRY = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)


Segments = tuple[bytes, bytes, bytes]
"""Header, payload and signature as they stand in the token."""


@dataclass(frozen=True)
class Opened:
    """A message whose signature and meaning were verified; nothing else makes one."""

    token: bytes
    payload: bytes
    digest: Digest
    event: Event
    name: str
    data: Record
    path: Path
    signed_at: datetime
    incarnation: int
    from_above: bool
    chain: tuple[bytes, ...]
    """The certificates that were verified (DER, leaf first, without the root)."""
    known_since: datetime | None = None
    """By when the message is known to have been there, as the caller says."""
    revocation: Revocation | None = None
    """What was revoked of its certificates since, if it counts for its age alone."""


@dataclass(frozen=True)
class _Header:
    members: dict[str, Any]
    chain: tuple[bytes, ...]
    signed_at: datetime


@dataclass(frozen=True)
class Parsed:
    """A token taken apart, of which nothing was verified."""

    token: bytes
    segments: Segments
    payload: bytes
    header: dict[str, Any]
    chain: tuple[bytes, ...]
    signed_at: datetime


def seal(
    payload: bytes, signer: Signer, *, signed_at: datetime, incarnation: int, kind: str = TYPE
) -> bytes:
    """Sign the payload as it is (RFC 7515 §5.1). `signed_at` counts in whole seconds."""
    signer = signer.fixed()
    iat = int(signed_at.timestamp())
    head = _sealed_header(signer.algorithm, signer.chain, iat, incarnation, kind)
    signing_input = head + b"." + _encode(payload)
    return signing_input + b"." + _encode(signer.sign(signing_input))


@lru_cache(maxsize=KEPT_HEADERS)
def _sealed_header(
    algorithm: str, chain: tuple[bytes, ...], iat: int, inc: int, kind: str
) -> bytes:
    header = {
        "alg": algorithm,
        "typ": kind,
        "iat": iat,
        "inc": inc,
        "x5c": [base64.b64encode(der).decode() for der in chain],
    }
    return _encode(json.dumps(header, separators=(",", ":")).encode())


def open_message(
    token: bytes,
    *,
    chains: Chains,
    place: Place,
    now: datetime | None,
    known_since: datetime | None = None,
) -> Opened:
    """Check a message from a link, steps 1 to 16. Raises an `EnvelopeError`.

    `now` is None for a message that was accepted before and waited here: then step 9 is left out,
    and `known_since` may say when it came.

    The caller must still ask whether it came before, and whether the incarnation is the newest.
    """
    parsed, chain = _verify(token, chains)
    # 8.
    from_above = place.is_parent(chain.path, now)
    if not from_above and not place.is_child(chain.path):
        raise errors.StrangerError(f"signed by {chain.path}, which is no neighbour of this office")
    # 9.
    if now is not None and not now - BEHIND <= parsed.signed_at <= now + AHEAD:
        raise errors.ClockError
    content, name = _content(parsed, chain, recipient=place.own)
    # 14.
    way = catalogue.direction(name)
    forbidden = catalogue.Direction.UP if from_above else catalogue.Direction.DOWN
    if way is forbidden:
        raise errors.DirectionError(f"{name} may not travel {way.value}wards from {chain.path}")
    # 15.
    revocation = None if name == "revocations" else _revocation(chain, chains, known_since)
    opened = _opened(parsed, chain, content, name, from_above)
    return replace(opened, known_since=known_since, revocation=revocation)


def open_evidence(
    token: bytes, *, chains: Chains, place: Place, known_since: datetime | None = None
) -> Opened:
    """Check a token carried inside another message: all steps but 9, 12 and 14.

    `known_since` is when it was there already, by somebody whose word counts.

    Says only who signed what, and that this office stands below or above the signer. The caller
    must still ask whether it proves what it is carried for.
    """
    parsed, chain = _verify(token, chains)
    # 8.
    from_above = place.is_above(chain.path)
    if not from_above and not place.is_below(chain.path):
        raise errors.EvidenceError(f"evidence signed by {chain.path}, neither above nor below")
    content, name = _content(parsed, chain, recipient=None)
    # 15.
    revocation = _revocation(chain, chains, known_since)
    opened = _opened(parsed, chain, content, name, from_above)
    return replace(opened, known_since=known_since, revocation=revocation)


def open_own(token: bytes, *, chains: Chains, place: Place) -> Opened:
    """Check a token that this office signed itself and a neighbour hands back: all but 9, 12, 14
    and 15.

    It may have been signed with a certificate that has expired or was revoked since: what the
    neighbour took in, this office said. `revocation` tells of it. Raises an `EnvelopeError`.
    """
    parsed, chain = _verify(token, chains)
    # 8.
    if not place.is_own(chain.path):
        raise errors.StrangerError(f"signed by {chain.path}, which is not this office")
    content, name = _content(parsed, chain, recipient=None)
    opened = _opened(parsed, chain, content, name, from_above=False)
    return replace(opened, revocation=chains.revocation(chain))


def signer_of(token: bytes, *, chains: Chains) -> Path:
    """The path of whoever signed a token, steps 1 to 7. Raises an `EnvelopeError`.

    Says nothing about what was signed, nor whether the path counts for anybody.
    """
    return _verify(token, chains)[1].path


def signed_at(token: bytes) -> datetime:
    """When a token was signed, as its header says, also where its contents were purged.

    Verifies nothing: for tokens that were verified when they arrived. Raises an `EnvelopeError`.
    """
    return _header(token.split(b".", 1)[0], TYPE).signed_at


def without_contents(token: bytes) -> bytes:
    """What is left of a token whose contents are purged: its header and its signature.

    Whoever keeps it keeps the payload's digest beside it. What is no token leaves nothing.
    """
    segments = token.split(b".")
    return segments[0] + b".." + segments[2] if len(segments) == 3 else b""


def signature_fits(segments: Segments, header: dict[str, Any], key: ECKey) -> bool:
    """Whether the key signed the segments (RFC 7515 §5.2). Says nothing about whose key it is."""
    head, payload, signature = segments
    try:
        algorithm = _REGISTRY.get_alg(header["alg"])
        algorithm.check_key(key)
        return algorithm.verify(head + b"." + payload, _decode(signature), key)
    except (JoseError, errors.MalformedError):
        return False


def _revocation(
    chain: VerifiedChain, chains: Chains, known_since: datetime | None
) -> Revocation | None:
    # 15.
    found = chains.revocation(chain)
    if found is None or (known_since is not None and known_since < found.since):
        return found
    if found.hold:
        raise errors.SuspendedError(f"signed by {chain.path}; {found.node} is suspended")
    raise errors.RevokedError(f"signed by {chain.path}; {found.node} was revoked")


def _verify(token: bytes, chains: Chains) -> tuple[Parsed, VerifiedChain]:
    parsed = parse(token)
    # 4. and 5.
    chain = chains.verify(parsed.chain, parsed.signed_at)
    # 6. Every key is on P-256 (step 4), and P-256 signs as ES256.
    if parsed.header["alg"] != "ES256":
        raise errors.AlgorithmError
    # 7.
    if not signature_fits(parsed.segments, parsed.header, chain.key):
        if not parsed.payload:
            raise errors.PurgedError(f"signed by {chain.path}; the contents were purged")
        raise errors.SignatureError
    return parsed, chain


def parse(token: bytes, kind: str = TYPE) -> Parsed:
    """The parts of a token of this type, steps 1 to 3. Verifies nothing."""
    # 1.
    if len(token) > MAXIMUM_TOKEN:
        raise errors.TooLargeError(f"the token has {len(token)} bytes; {MAXIMUM_TOKEN} are allowed")
    # 2.
    match token.split(b".", 3):
        case [first, second, third]:
            segments = (first, second, third)
        case _:
            raise errors.MalformedError
    payload, _ = _decode(second), _decode(third)
    # 2. and 3.
    header = _header(first, kind)
    return Parsed(token, segments, payload, header.members, header.chain, header.signed_at)


@lru_cache(maxsize=KEPT_HEADERS)
def _header(segment: bytes, kind: str) -> _Header:
    # Tokens that a node signs within a second share their header, certificates and all: a batch
    # has one header to look at, and remembering it halves the time to open a message.
    head = _decode(segment)
    if len(head) > MAXIMUM_HEADER:
        raise errors.HeaderError(f"the header is larger than {MAXIMUM_HEADER} bytes")
    try:
        header = json.loads(head.decode("utf-8"), object_pairs_hook=event.without_duplicates)
        if not isinstance(header, dict) or header.keys() != MEMBERS or header["typ"] != kind:
            raise errors.HeaderError
        if not isinstance(header["alg"], str) or type(header["iat"]) is not int:
            raise errors.HeaderError
        if type(header["inc"]) is not int or not 1 <= header["inc"] < 2**53:
            raise errors.HeaderError
        chain = tuple(base64.b64decode(text, validate=True) for text in header["x5c"])
        if [base64.b64encode(der).decode() for der in chain] != header["x5c"]:
            raise errors.HeaderError
        signed_at = datetime.fromtimestamp(header["iat"], UTC)
    except (ValueError, TypeError, OverflowError, OSError, RecursionError) as error:
        raise errors.HeaderError from error
    return _Header(header, chain, signed_at)


def _content(parsed: Parsed, chain: VerifiedChain, recipient: Path | None) -> tuple[Event, str]:
    # 10.
    content = event.decode(parsed.payload)
    # 11.
    if content.sender != chain.path.node:
        raise errors.SourceError(f"signed by {chain.path.node}, but speaks as {content.sender}")
    # 12.
    if recipient is not None and content.addressee != recipient.node:
        raise errors.RecipientError(f"addressed to {content.addressee}, not to this office")
    # 13.
    name = catalogue.short_name(content.type)
    if name is None:
        raise errors.TypeUnknownError(f"type {content.type} is not known here")
    return content, name


def _opened(
    parsed: Parsed, chain: VerifiedChain, content: Event, name: str, from_above: bool
) -> Opened:
    # 16.
    try:
        data = catalogue.MODELS[name].model_validate(content.data)
    except ValidationError as error:
        raise errors.DataError(f"{name}: {event.brief(error)}") from error
    except errors.ClassifiedError as error:
        known = errors.Named(content.sender, content.id, digest(parsed.payload))
        raise errors.ClassifiedError(message=known) from error
    if content.subject is None and name in catalogue.ABOUT_ITEMS:
        raise errors.DataError(f"{name}: names no item")
    return Opened(
        token=parsed.token,
        payload=parsed.payload,
        digest=digest(parsed.payload),
        event=content,
        name=name,
        data=data,
        path=chain.path,
        signed_at=parsed.signed_at,
        incarnation=parsed.header["inc"],
        from_above=from_above,
        chain=parsed.chain,
    )


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decode(segment: bytes) -> bytes:
    try:
        data = base64.b64decode(segment + b"=" * (-len(segment) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise errors.MalformedError from error
    if _encode(data) != segment:
        raise errors.MalformedError("the token's base64url is not in its canonical spelling")
    return data
