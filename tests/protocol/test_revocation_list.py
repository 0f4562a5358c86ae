"""The checks of `protocol/revocation_list.py`, lists that break only one; and which list counts."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from pydantic import ValidationError

from protocol import envelope, revocation_list
from protocol.errors import RevocationListError, RevokedError, SuspendedError
from protocol.revocation import Comparison, KnownList, Revoked
from tests.authorities import Office, hierarchy
from tests.factories import NOW, make_note, make_token
from tests.protocol import forgery
from tests.protocol.lists import entry, issuing_signer, knowing, make_list, sealed, since
from tests.protocol.scene import DONGHU, JIANGYUAN, LANJIANG, NANHE, TOKEN, XISHAN, YUNZHOU

LIST = sealed(YUNZHOU, entry(DONGHU))


def refused(token: bytes, match: str) -> None:
    with pytest.raises(RevocationListError, match=match):
        revocation_list.open_list(token, chains=YUNZHOU.chains)


def entitled(token: bytes, at: Office, *known: bytes) -> None:
    chains = knowing(at, *known)
    opened = revocation_list.open_list(token, chains=chains)
    revocation_list.demand_entitled(opened, chains=chains, place=at.place)


def test_a_list_is_what_its_issuer_said() -> None:
    known = revocation_list.open_list(LIST, chains=DONGHU.chains).known
    assert (known.issuer, known.number, known.issued_at) == ("yunzhou", 1, NOW)
    [gone] = known.revoked
    assert (gone.node, gone.hold, gone.since) == ("donghu", False, since(1))


@pytest.mark.parametrize("token", [TOKEN, b"", LIST + b"\n", LIST.replace(b".", b"..", 1)])
def test_1_the_form(token: bytes) -> None:
    refused(token, "does not verify")


def test_1_a_list_is_no_message_and_a_message_no_list() -> None:
    with pytest.raises(envelope.errors.HeaderError):
        envelope.open_message(LIST, chains=DONGHU.chains, place=DONGHU.place, now=NOW)
    refused(make_token(make_note(), YUNZHOU, DONGHU), "does not verify")


def test_2_a_node_key_signs_no_list() -> None:
    refused(sealed(YUNZHOU, signer=YUNZHOU.signer), "may not issue")


def test_2_a_foreign_root() -> None:
    other = hierarchy(now=NOW, seed="other")
    refused(sealed(other["yunzhou"]), "no trusted root")
    refused(sealed(other["jiangyuan"]), "no trusted root")


def test_2_signed_when_the_certificate_did_not_count() -> None:
    refused(sealed(YUNZHOU, issued_at=NOW - timedelta(days=9)), "does not verify")


def test_3_the_signature() -> None:
    head, body, _ = LIST.split(b".")
    other = sealed(YUNZHOU, entry(XISHAN)).split(b".")[2]
    refused(b".".join((head, body, other)), "signature does not fit")
    signer = issuing_signer(YUNZHOU)
    header = forgery.header(signer, alg="ES384", typ=revocation_list.TYPE)
    refused(forgery.sign(header, forgery.decode(body), signer), "signature does not fit")


def test_4_the_content() -> None:
    signer = issuing_signer(YUNZHOU)
    content = json.loads(make_list(YUNZHOU).model_dump_json())
    header = forgery.header(signer, typ=revocation_list.TYPE)

    def signed(**changed: object) -> bytes:
        return forgery.sign(header, json.dumps(content | changed).encode(), signer)

    assert revocation_list.open_list(signed(), chains=YUNZHOU.chains)
    refused(signed(number="1"), "no list")
    refused(forgery.sign(header, b'{"issuer":"a","issuer":"b"}', signer), "no list")
    refused(signed(issuer="jiangyuan"), "the list of jiangyuan was signed by")
    refused(signed(issued_at="2026-11-22T07:00:00Z"), "was signed by")


def test_4_no_serial_twice_no_end_before_the_beginning_no_theft_after_the_revocation() -> None:
    with pytest.raises(ValidationError, match="twice"):
        make_list(YUNZHOU, entry(DONGHU), entry(DONGHU))
    with pytest.raises(ValidationError, match="due after"):
        make_list(YUNZHOU, next_update=NOW)
    with pytest.raises(ValidationError, match="after it was compromised"):
        entry(DONGHU, compromised_since=NOW)


def test_5_an_issuer_that_was_revoked_says_nothing_any_more() -> None:
    above = sealed(JIANGYUAN, entry(YUNZHOU, issuing=True))
    with pytest.raises(RevokedError):
        entitled(LIST, DONGHU, above)
    with pytest.raises(SuspendedError):
        entitled(LIST, DONGHU, sealed(JIANGYUAN, entry(YUNZHOU, issuing=True, hold=True)))
    # Its node's key is another one than its issuing key.
    entitled(LIST, DONGHU, sealed(JIANGYUAN, entry(YUNZHOU)))
    # What was taken in before stays.
    assert revocation_list.open_list(LIST, chains=knowing(DONGHU, above))


@pytest.mark.parametrize("at", [JIANGYUAN, YUNZHOU, DONGHU, XISHAN], ids=lambda o: o.id)
def test_6_an_issuer_above_below_or_here_is_entitled(at: Office) -> None:
    entitled(LIST, at)
    entitled(sealed(JIANGYUAN), at)


@pytest.mark.parametrize("at", [LANJIANG, NANHE], ids=lambda o: o.id)
def test_6_an_issuer_in_another_branch_is_not(at: Office) -> None:
    with pytest.raises(RevocationListError, match="neither above this office nor below"):
        entitled(LIST, at)


# Which of two lists counts. ----------------------------------------------------------------------


def known_list(*revoked: object, number: int) -> KnownList:
    token = sealed(YUNZHOU, *revoked, number=number)  # type: ignore[arg-type]
    return revocation_list.open_list(token, chains=YUNZHOU.chains).known


def test_a_higher_number_counts_unless_it_lifts_what_was_revoked_for_good() -> None:
    first = known_list(entry(DONGHU), entry(XISHAN, hold=True), number=5)
    revoked = Revoked().taking(first)
    assert revoked.numbers == {first.key: 5}
    for other, expected in (
        (known_list(number=4), Comparison.OLDER),
        (known_list(number=5), Comparison.KNOWN),
        (known_list(number=6), Comparison.LIFTS),
        (known_list(entry(DONGHU, hold=True), number=6), Comparison.LIFTS),
        (known_list(entry(DONGHU), number=6), Comparison.NEWER),
    ):
        assert revoked.compare(other) is expected
        assert (revoked.taking(other) is revoked) == (expected is not Comparison.NEWER)


def test_of_two_revocations_the_final_one_counts_then_the_earlier() -> None:
    chains = knowing(
        DONGHU,
        sealed(JIANGYUAN, entry(YUNZHOU, issuing=True, hold=True, compromised_since=since(9))),
        sealed(YUNZHOU, entry(DONGHU)),
    )
    chain = chains.verify(DONGHU.signer.chain, NOW)
    found = chains.revocation(chain)
    assert found is not None
    assert (found.node, found.hold) == ("donghu", False)
