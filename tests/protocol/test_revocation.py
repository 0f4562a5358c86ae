"""Check 15 of `protocol/envelope.py`, and rule 1 of evidence where it follows from it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from protocol import envelope, evidence
from protocol.errors import EnvelopeError, EvidenceError, RevokedError, SuspendedError
from protocol.messages.trust import Revocations
from protocol.trust import Chains
from tests.authorities import Office
from tests.factories import NOW, make_feedback, make_note, make_submission, make_token
from tests.protocol.lists import entry, knowing, sealed, since
from tests.protocol.scene import DONGHU, ITEM, JIANGYUAN, LANJIANG, TOKEN, XISHAN, YUNZHOU


def opened(
    chains: Chains,
    at: Office = YUNZHOU,
    token: bytes = TOKEN,
    known_since: datetime | None = None,
) -> envelope.Opened:
    return envelope.open_message(
        token, chains=chains, place=at.place, now=NOW, known_since=known_since
    )


def test_15_a_certificate_of_the_signer_was_revoked() -> None:
    chains = knowing(YUNZHOU, sealed(YUNZHOU, entry(DONGHU)))
    with pytest.raises(RevokedError, match=r"signed by jiangyuan/yunzhou/donghu; donghu was"):
        opened(chains)
    assert opened(knowing(YUNZHOU, sealed(YUNZHOU, entry(XISHAN)))).revocation is None


def test_15_a_certificate_of_the_signer_is_suspended() -> None:
    chains = knowing(YUNZHOU, sealed(YUNZHOU, entry(DONGHU, hold=True)))
    with pytest.raises(SuspendedError) as suspended:
        opened(chains)
    assert not suspended.value.permanent


def test_15_an_issuing_certificate_above_the_signer_was_revoked() -> None:
    chains = knowing(DONGHU, sealed(JIANGYUAN, entry(YUNZHOU, issuing=True)))
    with pytest.raises(RevokedError, match=r"yunzhou was revoked"):
        opened(chains)


def test_15_iat_before_the_revocation_saves_nothing() -> None:
    early = envelope.seal(
        envelope.parse(TOKEN).payload, DONGHU.signer, signed_at=since(2), incarnation=1
    )
    chains = knowing(YUNZHOU, sealed(YUNZHOU, entry(DONGHU)))
    with pytest.raises(RevokedError):
        opened(chains, token=early)


@pytest.mark.parametrize(
    ("known_since", "compromised_since", "counts"),
    [(since(2), None, True), (since(1), None, False), (since(2), since(3), False)],
    ids=["before the revocation", "after it", "after the compromise"],
)
def test_15_what_is_known_to_be_older_counts(
    known_since: datetime, compromised_since: datetime | None, counts: bool
) -> None:
    gone = entry(DONGHU, compromised_since=compromised_since)
    chains = knowing(YUNZHOU, sealed(YUNZHOU, gone))
    if counts:
        found = opened(chains, known_since=known_since)
        assert found.revocation is not None
        assert found.revocation.node == "donghu"
    else:
        with pytest.raises(RevokedError):
            opened(chains, known_since=known_since)


def test_15_a_list_says_nothing_about_certificates_of_other_issuers() -> None:
    # Lanjiang lists the serial numbers of others; so does yunzhou that of its province.
    foreign = knowing(YUNZHOU, sealed(LANJIANG, entry(DONGHU), entry(YUNZHOU, issuing=True)))
    assert opened(foreign)
    upwards = knowing(DONGHU, sealed(YUNZHOU, entry(JIANGYUAN), entry(YUNZHOU)))
    note = make_token(make_note(), YUNZHOU, DONGHU)
    assert opened(upwards, DONGHU, note)


def test_15_a_message_that_brings_a_list_is_not_asked() -> None:
    chains = knowing(DONGHU, sealed(JIANGYUAN, entry(YUNZHOU, hold=True)))
    lifted = Revocations(list=sealed(JIANGYUAN, number=2).decode())
    assert opened(chains, DONGHU, make_token(lifted, YUNZHOU, DONGHU)).name == "revocations"
    with pytest.raises(SuspendedError):
        opened(chains, DONGHU, make_token(make_note(), YUNZHOU, DONGHU))


def test_15_holds_for_evidence_and_not_for_what_this_office_said_itself() -> None:
    chains = knowing(JIANGYUAN, sealed(YUNZHOU, entry(DONGHU)))
    with pytest.raises(RevokedError):
        envelope.open_evidence(TOKEN, chains=chains, place=JIANGYUAN.place)
    own = envelope.open_own(TOKEN, chains=chains, place=DONGHU.place)
    assert own.revocation is not None


def climbed(chains: Chains, **said: Any) -> tuple[envelope.Opened, ...]:
    data = make_submission(evidence=[TOKEN], **said)
    token = make_token(data, YUNZHOU, JIANGYUAN, subject=ITEM)
    message = opened(chains, JIANGYUAN, token)
    return evidence.origins_of(message, chains=chains, place=JIANGYUAN.place)


def test_1_what_its_carrier_had_before_the_revocation_proves_its_origin() -> None:
    chains = knowing(JIANGYUAN, sealed(YUNZHOU, entry(DONGHU)))
    [origin] = climbed(chains, received_at=since(2))
    assert origin.revocation is not None
    for said in ({}, {"received_at": since(1)}):
        with pytest.raises(EvidenceError, match="donghu was revoked"):
            climbed(chains, **said)


def test_1_what_its_carrier_got_from_a_suspended_office_may_be_sent_again() -> None:
    chains = knowing(JIANGYUAN, sealed(YUNZHOU, entry(DONGHU, hold=True)))
    with pytest.raises(EnvelopeError) as refused:
        climbed(chains)
    assert not refused.value.permanent


def test_1_a_fact_tells_whose_certificate_was_revoked_since() -> None:
    fact = make_token(make_feedback(), YUNZHOU, DONGHU, subject=ITEM)
    chains = knowing(DONGHU, sealed(JIANGYUAN, entry(YUNZHOU)))
    message = opened(chains, DONGHU, fact, known_since=since(2))
    proven = evidence.fact_of(message, chains=chains, place=DONGHU.place)
    assert [path.node for path, _ in proven.revoked] == ["yunzhou"]
