"""Writes the golden vectors in `tests/protocol/vectors`: `python -m tests.protocol.make_vectors`.

Another implementation of the protocol is right when it accepts what `accepted.json` holds, with
the same results, and refuses what `refused.json` holds, with the same codes. Everything follows
from fixed names, times and ids, so the script writes the same bytes again; when it does not, the
wire format has changed, and that is a decision for `protocol/README.md`.

`root.pem` is the root certificate, `offices.json` says who stands where and holds everybody's
keys (for tests only), `worked.jws` is the first accepted message, which the README takes apart.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from protocol import envelope, evidence
from protocol.messages.items import Edition
from protocol.messages.links import AuditHead, Receipt, ReceiptEntry
from protocol.messages.work import Feedback
from protocol.trust import IssuingOffice, issuing_office
from tests import authorities
from tests.authorities import P256_ORDER, Office
from tests.factories import (
    NOW,
    make_id,
    make_note,
)
from tests.protocol import forgery, refusals
from tests.protocol.forgery import Shape, edit, header, sign
from tests.protocol.scene import DONGHU, JIANGYUAN, OFFICES, YUNZHOU
from tests.protocol.worked import (
    ADOPTED,
    PAYLOAD,
    REGISTERED,
    WORKED,
    digest_of,
    forwarded,
    handed_down,
    message,
    submission,
    worked_data,
)

FOLDER = Path(__file__).parent / "vectors"
DAY = timedelta(days=1)


def generate() -> dict[str, bytes]:
    """The files by name."""
    accepted = _accepted()
    return {
        "root.pem": authorities.pem(JIANGYUAN.root).encode(),
        "offices.json": _json([_office(office) for office in OFFICES.values()]),
        "accepted.json": _json(accepted),
        "refused.json": _json(refusals.refused()),
        "worked.jws": accepted[0]["token"].encode(),
    }


def main() -> None:
    """Write them."""
    FOLDER.mkdir(exist_ok=True)
    for name, content in generate().items():
        (FOLDER / name).write_bytes(content)


def _json(content: Any) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


# Offices. ----------------------------------------------------------------------------------------


def _office(office: Office) -> dict[str, Any]:
    return {
        "id": office.id,
        "parent": office.parent,
        "issuers": [_issuer(issuer) for issuer in office.path.issuers],
        "issuing": _issuer(issuing_office(office.issuer.certificate)) if office.issuer else None,
        "x5c": [base64.b64encode(der).decode() for der in office.signer.chain],
        "key": _jwk(office.key),
        "issuing_key": _jwk(office.issuer.key) if office.issuer else None,
    }


def _issuer(issuer: IssuingOffice) -> dict[str, str]:
    return {"id": issuer.node, "key_sha256": issuer.key}


def _jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = key.private_numbers()
    parts = {
        "x": numbers.public_numbers.x,
        "y": numbers.public_numbers.y,
        "d": numbers.private_value,
    }
    encoded = {n: forgery.encode(v.to_bytes(32, "big")).decode() for n, v in parts.items()}
    return {"kty": "EC", "crv": "P-256"} | encoded


# Messages. ---------------------------------------------------------------------------------------


def _accepted() -> list[dict[str, Any]]:
    entry = ReceiptEntry(id=make_id(100), digest=digest_of(WORKED), verdict="received")
    receipt = Receipt(entries=[entry], audit=AuditHead(seal=7, hash="0f" * 32))
    head, body, signature = WORKED.split(b".")
    raw = forgery.decode(signature)
    mirrored = raw[:32] + (P256_ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    later = edit(PAYLOAD, laterattribute="7", data=worked_data() | {"later": {"member": [1]}})
    briefly = forgery.signer("donghu", YUNZHOU, Shape(not_after=NOW + DAY))
    a_year = timedelta(days=365)
    return [
        _accept("an item climbs to the city", WORKED, YUNZHOU),
        _accept("the city says that it registered the item", REGISTERED, DONGHU),
        _accept(
            "a fact of the province, handed down by the city", handed_down(ADOPTED, 103), DONGHU
        ),
        _accept("an item of the county, forwarded by the city", forwarded(WORKED, 104), JIANGYUAN),
        _accept("a receipt", message(105, receipt, YUNZHOU, DONGHU, subject=None), DONGHU),
        _accept("a note from above", message(106, make_note(), JIANGYUAN, YUNZHOU), YUNZHOU),
        _accept("unknown members", sign(header(DONGHU.signer), later, DONGHU.signer), YUNZHOU),
        _accept(
            "the other signature that fits the same bytes",
            b".".join((head, body, forgery.encode(mirrored))),
            YUNZHOU,
        ),
        _accept("signed a week ago", WORKED, YUNZHOU, NOW + 7 * DAY),
        _accept("signed by a clock 15 minutes ahead", WORKED, YUNZHOU, NOW - DAY / 96),
        _accept(
            "signed while the certificate was valid",
            sign(header(briefly), PAYLOAD, briefly),
            YUNZHOU,
            NOW + 2 * DAY,
        ),
        _accept(
            "the county's message as evidence at the province", WORKED, JIANGYUAN, way="evidence"
        ),
        _accept(
            "evidence from long ago",
            message(107, submission(), DONGHU, YUNZHOU, signed_at=NOW + a_year),
            YUNZHOU,
            NOW + 3 * a_year,
            way="evidence",
        ),
    ]


def _accept(
    name: str, token: bytes, receiver: Office, now: datetime = NOW, *, way: str = "message"
) -> dict[str, Any]:
    place: dict[str, Any] = {"chains": receiver.chains, "place": receiver.place}
    if way == "message":
        opened = envelope.open_message(token, now=now, **place)
    else:
        opened = envelope.open_evidence(token, **place)
    result: dict[str, Any] = {
        "type": opened.event.type,
        "path": list(opened.path.offices),
        "from_above": opened.from_above,
        "signed_at": opened.signed_at.isoformat(),
        "incarnation": opened.incarnation,
        "payload_sha256": opened.digest,
    }
    if isinstance(opened.data, Feedback):
        proven = evidence.fact_of(opened, **place)
        fact = proven.fact.model_dump(mode="json", exclude_none=True)
        carriers = [list(path.offices) for path in proven.carriers]
        result |= {"fact": fact, "fact_path": list(proven.path.offices), "carriers": carriers}
    if isinstance(opened.data, Edition):
        origins = evidence.origins_of(opened, **place)
        result["origins"] = [list(origin.path.offices) for origin in origins]
    return {
        "name": name,
        "way": way,
        "receiver": receiver.id,
        "now": now.isoformat(),
        "payload": opened.payload.decode(),
        "result": result,
        "token": token.decode(),
    }


if __name__ == "__main__":
    main()
