"""The offices of the envelope tests, all honest, and one message from donghu to yunzhou."""

from __future__ import annotations

from datetime import datetime

from protocol import envelope
from protocol.keys import Signer
from tests.authorities import Office, hierarchy
from tests.factories import NOW, make_id, make_payload, make_submission

OFFICES = hierarchy(now=NOW)
JIANGYUAN, YUNZHOU, LANJIANG, DONGHU, XISHAN, NANHE = (
    OFFICES[name] for name in ("jiangyuan", "yunzhou", "lanjiang", "donghu", "xishan", "nanhe")
)
ITEM = make_id(1)
PAYLOAD = make_payload(
    make_submission(), sender="donghu", recipient="yunzhou", subject=ITEM, id=make_id(2)
)
TOKEN = envelope.seal(PAYLOAD, DONGHU.signer, signed_at=NOW, incarnation=1)


def signed_by(signer: Signer, payload: bytes = PAYLOAD) -> bytes:
    """The message signed by whomever."""
    return envelope.seal(payload, signer, signed_at=NOW, incarnation=1)


def open_at(office: Office, token: bytes, now: datetime = NOW) -> envelope.Opened:
    """The token as it arrives at the office on a link."""
    return envelope.open_message(token, chains=office.chains, place=office.place, now=now)


def evidence_at(office: Office, token: bytes) -> envelope.Opened:
    """The token as it arrives at the office inside another message."""
    return envelope.open_evidence(token, chains=office.chains, place=office.place)
