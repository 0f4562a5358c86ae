"""The messages of which the golden vectors are made; `WORKED` is the one in the README."""

from __future__ import annotations

import json
from typing import Any

from protocol.identifiers import Digest, digest
from protocol.messages.items import Author
from protocol.offices import Record
from tests.authorities import Office
from tests.factories import make_fact, make_feedback, make_id, make_submission, make_token
from tests.protocol import forgery
from tests.protocol.scene import DONGHU, ITEM, JIANGYUAN, YUNZHOU


def message(number: int, data: Record, sender: Office, recipient: Office, **more: Any) -> bytes:
    """A message about the item; its number makes its id."""
    more = {"subject": ITEM} | more
    return make_token(data, sender, recipient, id=make_id(number), **more)


def submission(**overrides: Any) -> Record:
    """An item that is short enough to print."""
    author = Author(name="沈立群", kind="member", unit="东湖县水利局")
    return make_submission(
        title="农田泵站无人管护", body="建议由乡镇统一管护。", authors=[author], **overrides
    )


def handed_down(inner: bytes, number: int, **more: Any) -> bytes:
    """Feedback from above, as the city hands it to the county."""
    return message(number, make_feedback(evidence=inner), YUNZHOU, DONGHU, **more)


def forwarded(inner: bytes, number: int, **more: Any) -> bytes:
    """The county's message, as the city forwards it to the province."""
    return message(number, submission(evidence=[inner.decode()]), YUNZHOU, JIANGYUAN, **more)


WORKED = message(100, submission(), DONGHU, YUNZHOU)
PAYLOAD = forgery.decode(WORKED.split(b".")[1])
REGISTERED = message(101, make_feedback(make_fact()), YUNZHOU, DONGHU, causation=make_id(100))
ADOPTED = message(
    102,
    make_feedback(make_fact("adopted", office=JIANGYUAN.reference, manner="combined")),
    JIANGYUAN,
    YUNZHOU,
)


def worked_data() -> dict[str, Any]:
    """The data of the worked message, to be changed."""
    content = json.loads(PAYLOAD)["data"]
    assert isinstance(content, dict)
    return content


def digest_of(token: bytes) -> Digest:
    """The digest by which receipts name the message."""
    return digest(forgery.decode(token.split(b".")[1]))
