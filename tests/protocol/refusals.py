"""The golden vectors that are to be refused, each with its code and what is wrong with it."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from protocol.certificates import USAGE
from tests.authorities import Office, certify, hierarchy
from tests.factories import (
    NOW,
    make_assignment,
    make_fact,
    make_feedback,
    make_id,
    make_note,
    make_payload,
)
from tests.protocol import forgery
from tests.protocol.forgery import Shape, edit, header, respell, sign, uri
from tests.protocol.lists import entry, sealed
from tests.protocol.scene import DONGHU, JIANGYUAN, LANJIANG, XISHAN, YUNZHOU
from tests.protocol.worked import (
    ADOPTED,
    PAYLOAD,
    WORKED,
    forwarded,
    handed_down,
    message,
    submission,
    worked_data,
)

DAY = timedelta(days=1)
Vector = dict[str, Any]


def refused() -> list[Vector]:
    """All of them, in the order of the checks."""
    broken = [*_broken_tokens(), *_broken_signers(), *_broken_events(), *_broken_evidence()]
    return [*broken, *_revoked_signers()]


def _refuse(
    code: str,
    name: str,
    token: bytes,
    receiver: Office = YUNZHOU,
    now: datetime = NOW,
    *,
    way: str = "message",
    lists: Sequence[bytes] = (),
) -> Vector:
    return {
        "name": name,
        "code": code,
        "way": way,
        "receiver": receiver.id,
        "now": now.isoformat(),
        "lists": [one.decode() for one in lists],
        "token": token.decode(),
    }


def _broken_tokens() -> list[Vector]:
    head, body, signature = WORKED.split(b".")
    signer, own = DONGHU.signer, header(DONGHU.signer)
    twice = json.dumps(own)[:-1] + ',"inc":1}'
    unsigned = sign(header(signer, alg="none"), PAYLOAD, signer).rpartition(b".")[0] + b"."
    changed = forgery.encode(PAYLOAD.replace(b"normal", b"urgent"))
    return [
        _refuse("envelope.malformed", "two segments", head + b"." + body),
        _refuse("envelope.malformed", "padding", WORKED + b"=="),
        _refuse(
            "envelope.malformed", "other spelling", b".".join((head, body, respell(signature)))
        ),
        _refuse("envelope.header", "one member more", sign(own | {"kid": "1"}, PAYLOAD, signer)),
        _refuse(
            "envelope.header", "one member less", sign(header(signer, inc=None), PAYLOAD, signer)
        ),
        _refuse("envelope.header", "a member twice", sign(twice.encode(), PAYLOAD, signer)),
        _refuse("envelope.header", "another typ", sign(own | {"typ": "JWT"}, PAYLOAD, signer)),
        _refuse("envelope.algorithm", "none", unsigned),
        _refuse("envelope.algorithm", "ES384", sign(own | {"alg": "ES384"}, PAYLOAD, signer)),
        _refuse("envelope.signature", "other payload", b".".join((head, changed, signature))),
        _refuse("envelope.signature", "no signature", head + b"." + body + b"."),
        _refuse("envelope.purged", "purged", head + b".." + signature),
        _refuse("envelope.time", "over a week old", WORKED, now=NOW + 7 * DAY + DAY / 86_400),
        _refuse("envelope.time", "from the future", WORKED, now=NOW - DAY / 95),
    ]


def _broken_signers() -> list[Vector]:
    def by(signer: Any, payload: bytes = PAYLOAD) -> bytes:
        return sign(header(signer), payload, signer)

    def shaped(**shape: Any) -> bytes:
        return by(forgery.signer("donghu", YUNZHOU, replace(Shape(), **shape)))

    names = [uri("urn:zhitong:node:donghu"), uri("urn:zhitong:node:xishan")]
    servers = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    issuing = Shape(ca=True, path_length=0, usage=USAGE)
    stranger = hierarchy(now=NOW, seed="elsewhere")["donghu"].signer
    more = [*DONGHU.signer.chain, XISHAN.signer.chain[0]]
    x5c = [base64.b64encode(der).decode() for der in more]
    as_city = make_payload(make_note(), sender="yunzhou", recipient="donghu", id=make_id(110))
    as_nanhe = make_payload(make_note(), sender="nanhe", recipient="jiangyuan", id=make_id(111))
    beside = message(112, make_note(), XISHAN, DONGHU)
    return [
        _refuse("envelope.certificate", "no extended key usage", shaped(usage=None)),
        _refuse("envelope.certificate", "two names", shaped(names=names)),
        _refuse(
            "envelope.certificate",
            "an issuing certificate signs",
            by(forgery.signer("donghu", YUNZHOU, issuing)),
        ),
        _refuse("envelope.chain", "another root", by(stranger)),
        _refuse("envelope.chain", "for servers only", shaped(usage=servers)),
        _refuse(
            "envelope.chain",
            "one certificate too many",
            sign(header(DONGHU.signer, x5c=x5c), PAYLOAD, DONGHU.signer),
        ),
        _refuse(
            "envelope.path",
            "a city certifies itself",
            by(certify("yunzhou", YUNZHOU, now=NOW), as_city),
            DONGHU,
        ),
        _refuse("envelope.expired", "expired", shaped(not_after=NOW - DAY / 24)),
        _refuse("envelope.expired", "not yet valid", shaped(not_before=NOW + DAY / 24)),
        _refuse("envelope.stranger", "a sibling", beside, DONGHU),
        _refuse("envelope.stranger", "an office two levels below", WORKED, JIANGYUAN),
        _refuse(
            "envelope.stranger",
            "another city's county, certified by this city",
            by(certify("nanhe", YUNZHOU, now=NOW), as_nanhe),
            JIANGYUAN,
        ),
        _refuse("evidence.refused", "evidence from beside", beside, DONGHU, way="evidence"),
    ]


def _revoked_signers() -> list[Vector]:
    county = sealed(YUNZHOU, entry(DONGHU))
    city = sealed(JIANGYUAN, entry(YUNZHOU, issuing=True))
    held = sealed(YUNZHOU, entry(DONGHU, hold=True))
    climbing = forwarded(WORKED, 130)
    return [
        _refuse("envelope.revoked", "revoked", WORKED, lists=[county]),
        _refuse("envelope.revoked", "issuer revoked", WORKED, lists=[city]),
        _refuse("envelope.revoked", "as evidence", WORKED, JIANGYUAN, way="evidence", lists=[city]),
        _refuse("envelope.suspended", "suspended", WORKED, lists=[held]),
        _refuse("evidence.refused", "origin revoked", climbing, JIANGYUAN, lists=[county]),
        _refuse("envelope.suspended", "origin suspended", climbing, JIANGYUAN, lists=[held]),
    ]


def _broken_events() -> list[Vector]:
    def event(**members: Any) -> bytes:
        return sign(header(DONGHU.signer), edit(PAYLOAD, **members), DONGHU.signer)

    def content(**members: Any) -> bytes:
        return event(data=worked_data() | members)

    twice = sign(header(DONGHU.signer), PAYLOAD[:-1] + b',"id":"1"}', DONGHU.signer)
    number = sign(header(DONGHU.signer), PAYLOAD[:-1] + b',"x":NaN}', DONGHU.signer)
    return [
        _refuse("envelope.payload", "a member twice", twice),
        _refuse("envelope.payload", "not a number", number),
        _refuse("envelope.payload", "another version of CloudEvents", event(specversion="0.3")),
        _refuse("envelope.payload", "time without offset", event(time="2026-11-22T08:00:00")),
        _refuse("envelope.payload", "no node's name", event(recipient="urn:zhitong:node:-x-")),
        _refuse("envelope.source", "speaks as another", event(source="urn:zhitong:node:xishan")),
        _refuse("envelope.recipient", "to another", event(recipient="urn:zhitong:node:lanjiang")),
        _refuse("envelope.type", "unknown type", event(type="cn.zhitong.petition.v1")),
        _refuse("envelope.type", "major version 2", event(type="cn.zhitong.submission.v2")),
        _refuse("envelope.direction", "down only", message(120, make_feedback(), DONGHU, YUNZHOU)),
        _refuse("envelope.data", "control character", content(body="一\u0000二")),
        _refuse("envelope.data", "a number as text", content(edition="1")),
        _refuse("item.classified", "state secret", content(classification="secret")),
        _refuse("envelope.data", "no item", event(subject=None)),
    ]


def _broken_evidence() -> list[Vector]:
    broken = ADOPTED[:-8] + b"AAAAAAAA"
    assigned = message(130, make_assignment(assignment=make_id(9)), JIANGYUAN, YUNZHOU)
    own = message(131, make_feedback(), YUNZHOU, YUNZHOU)
    elsewhere = message(
        132, make_feedback(make_fact(office=JIANGYUAN.reference)), JIANGYUAN, LANJIANG
    )
    another = message(
        133,
        make_feedback(make_fact(office=JIANGYUAN.reference)),
        JIANGYUAN,
        YUNZHOU,
        subject=make_id(8),
    )
    foreign = make_feedback(make_fact(office=JIANGYUAN.reference))
    of_xishan = message(134, submission(origin=XISHAN.reference), XISHAN, YUNZHOU)
    code = "evidence.refused"
    return [
        _refuse(code, "rule 1: broken signature inside", handed_down(broken, 140), DONGHU),
        _refuse(code, "rule 2: an assignment inside", handed_down(assigned, 141), DONGHU),
        _refuse(code, "rule 3: the carrier's own message", handed_down(own, 142), DONGHU),
        _refuse(code, "rule 4: sent to another city", handed_down(elsewhere, 143), DONGHU),
        _refuse(
            "evidence.unmerged", "rule 5: about another item", handed_down(another, 144), DONGHU
        ),
        _refuse(code, "rule 6: another's fact", message(145, foreign, YUNZHOU, DONGHU), DONGHU),
        _refuse(
            code,
            "rule 6: no signature",
            message(146, submission(), YUNZHOU, JIANGYUAN),
            JIANGYUAN,
        ),
        _refuse(code, "rule 6: another origin", forwarded(of_xishan, 147), JIANGYUAN),
    ]
