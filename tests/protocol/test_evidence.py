"""The six rules of `protocol/evidence.py`, each broken alone, and chains of two to four messages.

The line is quanguo (the nation), jiangyuan, yunzhou, donghu; lanjiang stands beside yunzhou.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from uuid import UUID

import pytest

from protocol import envelope, evidence
from protocol.errors import ClassifiedError, EvidenceError
from protocol.evidence import ProvenFact
from protocol.messages.facts import FactBase
from protocol.messages.items import Submission
from protocol.offices import Record
from tests.authorities import Office, certify, hierarchy
from tests.factories import (
    NOW,
    make_assignment,
    make_fact,
    make_feedback,
    make_id,
    make_note,
    make_payload,
    make_revision,
    make_submission,
    make_token,
)

OFFICES = hierarchy(
    {
        "quanguo": None,
        "jiangyuan": "quanguo",
        "yunzhou": "jiangyuan",
        "lanjiang": "jiangyuan",
        "donghu": "yunzhou",
        "xishan": "yunzhou",
        "nanhe": "lanjiang",
    },
    now=NOW,
)
QUANGUO, JIANGYUAN, YUNZHOU, LANJIANG, DONGHU, XISHAN, _ = OFFICES.values()
ITEM = make_id(1)


def opened(token: bytes, office: Office) -> envelope.Opened:
    return envelope.open_message(token, chains=office.chains, place=office.place, now=NOW)


def fact_at(office: Office, token: bytes) -> ProvenFact:
    return evidence.fact_of(opened(token, office), chains=office.chains, place=office.place)


def origins_at(office: Office, token: bytes) -> tuple[envelope.Opened, ...]:
    return evidence.origins_of(opened(token, office), chains=office.chains, place=office.place)


def send(data: Record, sender: Office, recipient: Office, subject: UUID = ITEM) -> bytes:
    return make_token(data, sender, recipient, subject=subject)


def fact_by(office: Office) -> FactBase:
    return make_fact(office=office.reference)


def handed_down(offices: Sequence[Office]) -> bytes:
    """A fact of the first office, as the last one gets it."""
    token = send(make_feedback(fact_by(offices[0])), offices[0], offices[1])
    for carrier, recipient in pairwise(offices[1:]):
        token = send(make_feedback(evidence=token), carrier, recipient)
    return token


def item(*tokens: bytes, origin: Office = DONGHU) -> Submission:
    return make_submission(origin=origin.reference, evidence=[token.decode() for token in tokens])


def climbed(offices: Sequence[Office]) -> bytes:
    """An item of the first office, as the last one gets it."""
    token = send(item(origin=offices[0]), offices[0], offices[1])
    for carrier, recipient in pairwise(offices[1:]):
        token = send(item(token, origin=offices[0]), carrier, recipient)
    return token


@pytest.mark.parametrize(
    "offices",
    [
        pytest.param((YUNZHOU, DONGHU), id="1"),
        pytest.param((JIANGYUAN, YUNZHOU, DONGHU), id="2"),
        pytest.param((QUANGUO, JIANGYUAN, YUNZHOU, DONGHU), id="3"),
    ],
)
def test_a_fact_is_proven_through_all_who_handed_it_down(offices: Sequence[Office]) -> None:
    proven = fact_at(offices[-1], handed_down(offices))
    assert proven.fact == fact_by(offices[0])
    assert proven.path == offices[0].path
    assert proven.carriers == tuple(office.path for office in reversed(offices[1:-1]))


@pytest.mark.parametrize(
    "offices",
    [
        pytest.param((DONGHU, YUNZHOU), id="1"),
        pytest.param((DONGHU, YUNZHOU, JIANGYUAN), id="2"),
        pytest.param((DONGHU, YUNZHOU, JIANGYUAN, QUANGUO), id="3"),
    ],
)
def test_an_item_brings_the_messages_by_which_it_climbed(offices: Sequence[Office]) -> None:
    origins = origins_at(offices[-1], climbed(offices))
    assert [origin.path for origin in origins] == [office.path for office in reversed(offices[:-2])]


def test_four_messages_one_in_the_other_are_proven() -> None:
    offices = hierarchy(
        {"shijie": None, "quanguo": "shijie", "jiangyuan": "quanguo"}
        | {"yunzhou": "jiangyuan", "donghu": "yunzhou"},
        now=NOW,
    )
    downwards = list(offices.values())
    proven = fact_at(downwards[-1], handed_down(downwards))
    assert (proven.path, len(proven.carriers)) == (downwards[0].path, 3)
    upwards = downwards[::-1]
    assert len(origins_at(upwards[-1], climbed(upwards))) == 3


def test_a_revision_may_bring_all_editions_that_came() -> None:
    first = send(item(), DONGHU, YUNZHOU)
    second = send(make_revision(), DONGHU, YUNZHOU)
    token = send(make_revision(evidence=[first.decode(), second.decode()]), YUNZHOU, JIANGYUAN)
    assert [origin.name for origin in origins_at(JIANGYUAN, token)] == ["submission", "revision"]


# 1. ---------------------------------------------------------------------------------------------


def test_rule_1_evidence_with_a_broken_signature_proves_nothing() -> None:
    inner = handed_down((JIANGYUAN, YUNZHOU))
    broken = inner[:-8] + b"AAAAAAAA"
    with pytest.raises(EvidenceError, match="does not verify: The signature does not fit"):
        fact_at(DONGHU, send(make_feedback(evidence=broken), YUNZHOU, DONGHU))
    broken = climbed((DONGHU, YUNZHOU))[:-8] + b"AAAAAAAA"
    with pytest.raises(EvidenceError, match="does not verify: The signature does not fit"):
        origins_at(JIANGYUAN, send(item(broken), YUNZHOU, JIANGYUAN))


def test_rule_1_evidence_of_a_province_under_another_root_proves_nothing() -> None:
    other = hierarchy({"quanguo": None, "jiangyuan": "quanguo"}, now=NOW, seed="other")
    inner = send(make_feedback(fact_by(JIANGYUAN)), other["jiangyuan"], YUNZHOU)
    with pytest.raises(EvidenceError, match=r"does not verify: .*no trusted root"):
        fact_at(DONGHU, send(make_feedback(evidence=inner), YUNZHOU, DONGHU))


def test_rule_1_evidence_from_beside_proves_nothing() -> None:
    inner = send(make_feedback(fact_by(LANJIANG)), LANJIANG, YUNZHOU)
    with pytest.raises(EvidenceError, match="neither above nor below"):
        fact_at(DONGHU, send(make_feedback(evidence=inner), YUNZHOU, DONGHU))


def test_rule_1_a_carried_item_that_claims_to_be_secret_is_refused_as_what_it_is() -> None:
    payload = make_payload(item(), sender="donghu", recipient="yunzhou", subject=ITEM)
    secret = payload.replace(b'"internal"', '"绝密"'.encode())
    inner = envelope.seal(secret, DONGHU.signer, signed_at=NOW, incarnation=1)
    with pytest.raises(ClassifiedError):
        origins_at(JIANGYUAN, send(item(inner), YUNZHOU, JIANGYUAN))


# 2. ---------------------------------------------------------------------------------------------


def test_rule_2_feedback_carries_nothing_but_feedback() -> None:
    inner = send(make_assignment(), JIANGYUAN, YUNZHOU)
    with pytest.raises(EvidenceError, match="assignment stands where only feedback may"):
        fact_at(DONGHU, send(make_feedback(evidence=inner), YUNZHOU, DONGHU))


def test_rule_2_a_message_that_is_no_feedback_proves_no_fact() -> None:
    with pytest.raises(EvidenceError, match="note stands where only"):
        fact_at(DONGHU, send(make_note(), YUNZHOU, DONGHU))


def test_rule_2_an_item_carries_nothing_but_its_editions() -> None:
    inner = send(make_note(), DONGHU, YUNZHOU)
    with pytest.raises(EvidenceError, match="note stands where only"):
        origins_at(JIANGYUAN, send(item(inner), YUNZHOU, JIANGYUAN))


# 3. ---------------------------------------------------------------------------------------------


def test_rule_3_feedback_of_an_office_two_levels_up_is_not_carried_past_the_one_between() -> None:
    inner = send(make_feedback(fact_by(QUANGUO)), QUANGUO, YUNZHOU)
    with pytest.raises(EvidenceError, match="carries feedback of quanguo, not its parent"):
        fact_at(DONGHU, send(make_feedback(evidence=inner), YUNZHOU, DONGHU))


def test_rule_3_an_office_does_not_carry_its_own_feedback() -> None:
    inner = send(make_feedback(fact_by(YUNZHOU)), YUNZHOU, YUNZHOU)
    with pytest.raises(EvidenceError, match="quanguo/jiangyuan/yunzhou, not its parent"):
        fact_at(DONGHU, send(make_feedback(evidence=inner), YUNZHOU, DONGHU))


def test_rule_3_feedback_of_an_office_below_is_not_carried_down() -> None:
    inner = send(make_feedback(fact_by(DONGHU)), DONGHU, JIANGYUAN)
    with pytest.raises(EvidenceError, match=r"carries feedback of \S*donghu, not its parent"):
        fact_at(YUNZHOU, send(make_feedback(evidence=inner), JIANGYUAN, YUNZHOU))


def test_rule_3_an_item_two_levels_down_is_not_carried_past_the_office_between() -> None:
    inner = send(item(), DONGHU, JIANGYUAN)
    with pytest.raises(EvidenceError, match=r"carries an item of \S*donghu, no child"):
        origins_at(QUANGUO, send(item(inner), JIANGYUAN, QUANGUO))


def test_rule_3_an_item_of_another_citys_county_is_not_carried() -> None:
    inner = send(item(), DONGHU, LANJIANG)
    with pytest.raises(EvidenceError, match=r"lanjiang carries an item of \S*donghu, no child"):
        origins_at(JIANGYUAN, send(item(inner), LANJIANG, JIANGYUAN))


def test_rule_3_an_item_from_above_is_not_carried_up() -> None:
    inner = send(item(origin=JIANGYUAN), JIANGYUAN, DONGHU)
    with pytest.raises(EvidenceError, match="carries an item of quanguo/jiangyuan, no child"):
        origins_at(YUNZHOU, send(item(inner, origin=JIANGYUAN), DONGHU, YUNZHOU))


def test_rule_3_another_city_cannot_make_evidence_in_the_countys_name() -> None:
    signer = certify("donghu", LANJIANG, now=NOW)
    inner = make_token(item(), DONGHU, YUNZHOU, subject=ITEM, signer=signer)
    with pytest.raises(EvidenceError, match="no child"):
        origins_at(JIANGYUAN, send(item(inner), YUNZHOU, JIANGYUAN))


# 4. ---------------------------------------------------------------------------------------------


def test_rule_4_feedback_to_another_city_is_not_carried() -> None:
    inner = handed_down((JIANGYUAN, LANJIANG))
    with pytest.raises(EvidenceError, match="yunzhou carries a message to lanjiang"):
        fact_at(DONGHU, send(make_feedback(evidence=inner), YUNZHOU, DONGHU))


def test_rule_4_an_item_sent_to_another_office_is_not_carried() -> None:
    inner = send(item(), DONGHU, XISHAN)
    with pytest.raises(EvidenceError, match="yunzhou carries a message to xishan"):
        origins_at(JIANGYUAN, send(item(inner), YUNZHOU, JIANGYUAN))


# 5. ---------------------------------------------------------------------------------------------


def test_rule_5_feedback_about_another_item_proves_nothing() -> None:
    inner = send(make_feedback(fact_by(JIANGYUAN)), JIANGYUAN, YUNZHOU, make_id(2))
    with pytest.raises(EvidenceError, match="about another item"):
        fact_at(DONGHU, send(make_feedback(evidence=inner), YUNZHOU, DONGHU))


def test_rule_5_another_item_does_not_prove_where_this_one_came_from() -> None:
    inner = send(item(), DONGHU, YUNZHOU, make_id(2))
    with pytest.raises(EvidenceError, match="about another item"):
        origins_at(JIANGYUAN, send(item(inner), YUNZHOU, JIANGYUAN))


# 6. ---------------------------------------------------------------------------------------------


def test_rule_6_an_office_states_only_its_own_facts() -> None:
    with pytest.raises(EvidenceError, match="yunzhou states a fact of jiangyuan"):
        fact_at(DONGHU, send(make_feedback(fact_by(JIANGYUAN)), YUNZHOU, DONGHU))


def test_rule_6_an_office_above_states_only_its_own_facts() -> None:
    inner = send(make_feedback(fact_by(QUANGUO)), JIANGYUAN, YUNZHOU)
    with pytest.raises(EvidenceError, match="jiangyuan states a fact of quanguo"):
        fact_at(DONGHU, send(make_feedback(evidence=inner), YUNZHOU, DONGHU))


def test_rule_6_an_item_of_another_office_needs_that_offices_signature() -> None:
    with pytest.raises(EvidenceError, match="names donghu without its signature"):
        origins_at(JIANGYUAN, send(item(), YUNZHOU, JIANGYUAN))


def test_rule_6_the_signature_of_another_county_does_not_do() -> None:
    inner = send(item(origin=XISHAN), XISHAN, YUNZHOU)
    with pytest.raises(EvidenceError, match="xishan names another origin than donghu"):
        origins_at(JIANGYUAN, send(item(inner, origin=DONGHU), YUNZHOU, JIANGYUAN))
