"""Evidence about one item of donghu, honest in everything; `make_bundle` replaces parts of it.

The item went to yunzhou, which registered, adopted and forwarded it; jiangyuan registered it and
wrote down an instruction. Facts of jiangyuan come inside messages of yunzhou.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any
from uuid import UUID

from protocol.bundle import Bundle, Sent
from protocol.identifiers import NodeId, digest
from protocol.messages.facts import FactBase
from protocol.messages.links import Receipt, ReceiptEntry
from protocol.offices import Record
from tests.authorities import Office
from tests.factories import (
    make_attachment,
    make_fact,
    make_feedback,
    make_id,
    make_submission,
    make_token,
)
from tests.protocol import forgery
from tests.protocol.lists import entry, sealed
from tests.protocol.scene import DONGHU, ITEM, JIANGYUAN, XISHAN, YUNZHOU

SUBMISSION = make_token(
    make_submission(attachments=[make_attachment()]), DONGHU, YUNZHOU, subject=ITEM, id=make_id(101)
)


def fact(kind: str, office: Office, sequence: int, **content: Any) -> FactBase:
    """A fact of the office."""
    return make_fact(kind, office=office.reference, sequence=sequence, **content)


def told(*offices: Office, about: FactBase, subject: UUID = ITEM, id: int | None = None) -> str:
    """The fact as it comes down from office to office, the one that decided it first."""
    data: Record = make_feedback(about)
    token = b""
    for sender, recipient in pairwise(offices):
        given = None if id is None else make_id(id)
        token = make_token(data, sender, recipient, subject=subject, id=given)
        data = make_feedback(evidence=token)
    return token.decode()


def own(about: FactBase, id: int | None = None) -> Sent:
    """The fact as donghu states it to itself."""
    return Sent(token=told(DONGHU, DONGHU, about=about, id=id))


def receipt_for(token: bytes, sender: Office = YUNZHOU, to: Office = DONGHU, **changed: Any) -> str:
    """The receipt for a message of donghu; members of its entry can be replaced."""
    payload = forgery.decode(token.split(b".")[1])
    id = json.loads(payload)["id"]
    entry = ReceiptEntry(**{"id": id, "digest": digest(payload), "verdict": "received"} | changed)
    other = ReceiptEntry(id=make_id(), digest=digest(b"another item"), verdict="received")
    return make_token(Receipt(entries=(other, entry)), sender, to).decode()


RECEIPT = receipt_for(SUBMISSION)
SENT = (
    Sent(token=SUBMISSION.decode(), receipt=RECEIPT),
    own(fact("registered", DONGHU, 1), id=102),
    own(fact("forwarded", DONGHU, 2, to=YUNZHOU.reference), id=103),
)
RECEIVED = (
    told(YUNZHOU, DONGHU, about=fact("registered", YUNZHOU, 1), id=111),
    told(YUNZHOU, DONGHU, about=fact("adopted", YUNZHOU, 2), id=112),
    told(YUNZHOU, DONGHU, about=fact("forwarded", YUNZHOU, 3, to=JIANGYUAN.reference), id=113),
    told(JIANGYUAN, YUNZHOU, DONGHU, about=fact("registered", JIANGYUAN, 1), id=114),
    told(JIANGYUAN, YUNZHOU, DONGHU, about=fact("instructed", JIANGYUAN, 2), id=115),
)

LISTS = (sealed(JIANGYUAN).decode(), sealed(YUNZHOU, entry(XISHAN)).decode())


def make_bundle(**changed: Any) -> Bundle:
    """The honest evidence, with members replaced."""
    right = {
        "item": ITEM,
        "office": NodeId("donghu"),
        "sent": SENT,
        "received": RECEIVED,
        "lists": LISTS,
    }
    return Bundle(**right | changed)
