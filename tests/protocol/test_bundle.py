"""The nine rules of `protocol/bundle.py`, each broken alone, and what an honest bundle proves."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from protocol import bundle
from protocol.bundle import Sent
from protocol.errors import BundleError, EnvelopeError
from protocol.trust import Chains
from protocol.verdict import Flaw, Verdict
from tests.authorities import certify, hierarchy
from tests.factories import (
    NOW,
    make_feedback,
    make_id,
    make_note,
    make_revision,
    make_submission,
    make_token,
)
from tests.protocol.bundles import (
    RECEIPT,
    RECEIVED,
    SENT,
    SUBMISSION,
    fact,
    make_bundle,
    own,
    receipt_for,
    told,
)
from tests.protocol.lists import sealed
from tests.protocol.scene import DONGHU, ITEM, JIANGYUAN, LANJIANG, XISHAN, YUNZHOU, open_at

CHAINS = Chains([DONGHU.root])
STEP = 499
"""Between the characters that are tried where each costs a whole bundle."""


def verified(**changed: object) -> Verdict:
    return bundle.verify(make_bundle(**changed), CHAINS)


def flaws(**changed: object) -> list[tuple[int, str]]:
    return [(flaw.rule, flaw.where) for flaw in verified(**changed).flaws]


def the_flaw(**changed: object) -> Flaw:
    [flaw] = verified(**changed).flaws
    return flaw


def test_an_honest_bundle_says_who_said_what_and_that_it_was_received() -> None:
    verdict = bundle.verify(bundle.read(bundle.write(make_bundle())), CHAINS)
    assert verdict.flaws == []
    assert str(verdict.path) == "jiangyuan/yunzhou/donghu"
    [spoken] = verdict.spoken
    assert spoken.message.token == SUBMISSION
    assert spoken.receipt is not None
    assert str(spoken.receipt.path) == "jiangyuan/yunzhou"
    said = [(str(s.proven.path), s.proven.fact.sequence) for s in verdict.facts]
    assert said == [
        ("jiangyuan/yunzhou/donghu", 1),
        ("jiangyuan/yunzhou/donghu", 2),
        ("jiangyuan/yunzhou", 1),
        ("jiangyuan/yunzhou", 2),
        ("jiangyuan/yunzhou", 3),
        ("jiangyuan", 1),
        ("jiangyuan", 2),
    ]
    [passed_on] = verdict.passed_on
    assert (passed_on.proven.path.node, passed_on.proven.fact.sequence) == ("yunzhou", 3)


def test_a_message_without_a_receipt_is_no_flaw_and_nobody_is_said_to_have_received_it() -> None:
    verdict = verified(sent=(Sent(token=SENT[0].token), *SENT[1:]))
    assert verdict.flaws == []
    assert verdict.spoken[0].receipt is None


def test_the_office_at_the_top_proves_its_own_facts() -> None:
    stated = told(JIANGYUAN, JIANGYUAN, about=fact("registered", JIANGYUAN, 1))
    lists = (sealed(JIANGYUAN).decode(),)
    verdict = verified(office="jiangyuan", sent=(Sent(token=stated),), received=(), lists=lists)
    assert verdict.flaws == []
    assert len(verdict.facts) == 1


def test_what_has_no_flaw_is_told_beside_a_flaw() -> None:
    verdict = verified(received=(RECEIVED[0][:-1], *RECEIVED[1:]))
    assert (3, "received[0]") in [(flaw.rule, flaw.where) for flaw in verdict.flaws]
    assert len(verdict.facts) == len(SENT) - 1 + len(RECEIVED) - 1


# 1. ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b'{"format":', "is not JSON"),
        (b'{"a":' * 100_000, "is not JSON"),
        (b"[]", "does not say that its format"),
        (b'{"format": "zhitong-messages-1"}', "does not say that its format"),
        (b'{"format": "a", "format": "zhitong-evidence-2"}', "names a member twice"),
        (b'{"format": "zhitong-evidence-2"}', "item: Field required"),
    ],
)
def test_rule_1_another_file_is_no_evidence(content: bytes, said: str) -> None:
    with pytest.raises(BundleError, match=said):
        bundle.read(content)


def test_rule_1_an_unknown_member_is_refused_and_not_repeated() -> None:
    members = json.loads(bundle.write(make_bundle())) | {"revoked\x1b[31m": []}
    with pytest.raises(BundleError, match=r"members that are not known here$"):
        bundle.read(json.dumps(members).encode())


def test_rule_1_a_file_that_is_too_large_is_not_read() -> None:
    with pytest.raises(BundleError, match="more than"):
        bundle.read(b" " * (bundle.MAXIMUM_BYTES + 1))


# 2. ---------------------------------------------------------------------------------------------


def test_rule_2_under_another_root_nothing_is_proven() -> None:
    other = Chains([hierarchy(now=NOW, seed="other")["donghu"].root])
    verdict = bundle.verify(make_bundle(), other)
    assert {flaw.rule for flaw in verdict.flaws} == {2}
    assert "no trusted root" in verdict.flaws[0].detail
    assert (verdict.path, verdict.spoken, verdict.facts) == (None, [], [])


def test_rule_2_a_file_with_nothing_of_its_office_proves_nothing() -> None:
    assert "nothing in the file is signed by donghu" in the_flaw(sent=()).detail


def test_rule_2_another_office_cannot_hand_out_the_evidence() -> None:
    verdict = verified(office="xishan")
    assert {flaw.rule for flaw in verdict.flaws} == {2}
    assert "not by xishan" in verdict.flaws[0].detail
    assert verdict.facts == []


def test_rule_2_what_was_sent_is_signed_on_one_path() -> None:
    signer = certify("donghu", LANJIANG, now=NOW)
    data = make_feedback(fact("closed", DONGHU, 3))
    forged = make_token(data, DONGHU, DONGHU, subject=ITEM, signer=signer).decode()
    assert flaws(sent=(*SENT, Sent(token=forged))) == [(2, "sent[3]")]


def test_rule_2_a_certificate_that_had_expired_when_it_signed_proves_nothing() -> None:
    late = make_token(
        make_feedback(fact("closed", DONGHU, 3)),
        DONGHU,
        DONGHU,
        subject=ITEM,
        signed_at=NOW + timedelta(days=4_000),
    )
    flaw = the_flaw(sent=(*SENT, Sent(token=late.decode())))
    assert flaw == Flaw(2, "sent[3]", "The certificates were not valid at the time of signing.")


# 3. ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sender", [XISHAN, LANJIANG, JIANGYUAN])
def test_rule_3_nobody_but_the_office_above_tells_facts(sender: object) -> None:
    data = make_feedback(fact("closed", YUNZHOU, 4))
    token = make_token(data, sender, DONGHU, subject=ITEM).decode()  # type: ignore[arg-type]
    assert flaws(received=(*RECEIVED, token)) == [(3, "received[5]")]


def test_rule_3_a_fact_that_was_told_to_another_office_proves_nothing_here() -> None:
    token = told(YUNZHOU, XISHAN, about=fact("closed", YUNZHOU, 4))
    assert flaws(received=(*RECEIVED, token)) == [(3, "received[5]")]


def test_rule_3_another_city_cannot_speak_in_the_citys_name() -> None:
    signer = certify("yunzhou", LANJIANG, now=NOW)
    data = make_feedback(fact("closed", YUNZHOU, 4))
    token = make_token(data, YUNZHOU, DONGHU, subject=ITEM, signer=signer).decode()
    assert flaws(received=(*RECEIVED, token)) == [(3, "received[5]")]


def test_rules_2_and_3_what_was_sent_and_what_was_received_cannot_be_exchanged() -> None:
    found = flaws(sent=(*SENT, Sent(token=RECEIVED[0])), received=(SENT[1].token, *RECEIVED[1:]))
    assert (2, "sent[3]") in found
    assert (3, "received[0]") in found


# 4. ---------------------------------------------------------------------------------------------


def test_rule_4_a_fact_about_another_item_is_no_evidence() -> None:
    token = told(YUNZHOU, DONGHU, about=fact("closed", YUNZHOU, 4), subject=make_id(9))
    assert flaws(received=(*RECEIVED, token)) == [(4, "received[5]")]


def test_rule_4_a_submission_of_another_item_is_no_evidence() -> None:
    token = make_token(make_submission(), DONGHU, YUNZHOU, subject=make_id(9)).decode()
    assert flaws(sent=(*SENT, Sent(token=token))) == [(4, "sent[3]")]


def test_rule_4_the_file_of_one_item_is_none_of_another() -> None:
    verdict = verified(item=make_id(9))
    assert {flaw.rule for flaw in verdict.flaws} == {4}
    assert (verdict.spoken, verdict.facts) == ([], [])


def test_rule_4_no_message_counts_twice() -> None:
    assert flaws(received=(*RECEIVED, RECEIVED[1])) == [(4, "received[5]")]


# 5. ---------------------------------------------------------------------------------------------


def test_rule_5_an_edition_that_went_to_another_office_is_no_evidence() -> None:
    token = make_token(make_submission(), DONGHU, JIANGYUAN, subject=ITEM).decode()
    assert flaws(sent=(*SENT, Sent(token=token))) == [(5, "sent[3]")]


def test_rule_5_an_edition_that_was_written_elsewhere_is_no_evidence() -> None:
    data = make_submission(origin=XISHAN.reference)
    token = make_token(data, DONGHU, YUNZHOU, subject=ITEM).decode()
    assert flaws(sent=(*SENT, Sent(token=token))) == [(5, "sent[3]")]


def test_rule_5_words_for_editors_are_no_evidence() -> None:
    token = make_token(make_note(), DONGHU, YUNZHOU, subject=ITEM).decode()
    assert flaws(sent=(*SENT, Sent(token=token))) == [(5, "sent[3]")]


def test_rule_5_an_office_states_no_facts_of_others_to_itself() -> None:
    assert flaws(sent=(*SENT, own(fact("closed", YUNZHOU, 4)))) == [(5, "sent[3]")]


def test_rule_5_facts_told_to_others_are_not_those_that_it_states_to_itself() -> None:
    token = told(DONGHU, XISHAN, about=fact("closed", DONGHU, 3))
    assert flaws(sent=(*SENT, Sent(token=token))) == [(5, "sent[3]")]


# 6. ---------------------------------------------------------------------------------------------


def test_rule_6_the_office_above_does_not_put_words_into_the_mouth_of_its_own_superior() -> None:
    token = told(YUNZHOU, DONGHU, about=fact("closed", JIANGYUAN, 3))
    assert flaws(received=(*RECEIVED, token)) == [(6, "received[5]")]


def test_rule_6_a_carried_fact_about_another_item_is_no_evidence() -> None:
    inner = told(JIANGYUAN, YUNZHOU, about=fact("closed", JIANGYUAN, 3), subject=make_id(9))
    token = make_token(make_feedback(evidence=inner), YUNZHOU, DONGHU, subject=ITEM).decode()
    flaw = the_flaw(received=(*RECEIVED, token))
    assert (flaw.rule, flaw.detail) == (6, "the evidence is about another item")


# 7. ---------------------------------------------------------------------------------------------


def receipted(receipt: str) -> tuple[Sent, ...]:
    return (Sent(token=SENT[0].token, receipt=receipt), *SENT[1:])


@pytest.mark.parametrize(
    "receipt",
    [
        receipt_for(SUBMISSION, sender=JIANGYUAN),
        receipt_for(SUBMISSION, sender=XISHAN),
        receipt_for(SUBMISSION, id=make_id(9)),
        receipt_for(SUBMISSION, digest="ab" * 32),
        receipt_for(SUBMISSION, verdict="refused", code="evidence.refused"),
        receipt_for(SUBMISSION, to=XISHAN),
        RECEIVED[0],
    ],
    ids=["two levels up", "beside", "id", "digest", "refusal", "another office's", "no receipt"],
)
def test_rule_7_a_receipt_is_the_office_aboves_and_for_this_very_message(receipt: str) -> None:
    verdict = verified(sent=receipted(receipt))
    assert [(flaw.rule, flaw.where) for flaw in verdict.flaws] == [(7, "sent[0].receipt")]
    [spoken] = verdict.spoken
    assert spoken.receipt is None


def test_rule_7_receipts_cannot_be_exchanged_between_two_messages() -> None:
    revision = make_token(make_revision(), DONGHU, YUNZHOU, subject=ITEM)
    other = receipt_for(revision)
    exchanged = (
        Sent(token=SENT[0].token, receipt=other),
        *SENT[1:],
        Sent(token=revision.decode(), receipt=RECEIPT),
    )
    assert flaws(sent=exchanged) == [(7, "sent[0].receipt"), (7, "sent[3].receipt")]


# 8. ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("removed", [0, 1, 3])
def test_rule_8_a_fact_that_was_taken_out_is_missed(removed: int) -> None:
    kept = RECEIVED[:removed] + RECEIVED[removed + 1 :]
    flaw = the_flaw(received=kept)
    assert flaw.rule == 8
    assert flaw.detail.endswith("is missing")


def test_rule_8_several_missing_facts_are_one_flaw() -> None:
    token = told(YUNZHOU, DONGHU, about=fact("closed", YUNZHOU, 1_000_000))
    detail = "of the facts of yunzhou, number 4 to 999999 is missing"
    assert the_flaw(received=(*RECEIVED, token)) == Flaw(8, "facts", detail)


def test_rule_8_an_own_fact_that_was_taken_out_is_missed() -> None:
    assert flaws(sent=(SENT[0], SENT[2])) == [(8, "facts")]


def test_rule_8_the_newest_fact_is_not_missed() -> None:
    assert flaws(received=RECEIVED[:-1]) == []


def test_rule_8_two_facts_with_one_number_contradict_each_other() -> None:
    token = told(YUNZHOU, DONGHU, about=fact("declined", YUNZHOU, 2))
    assert flaws(received=(*RECEIVED, token)) == [(8, "facts")]


def test_rule_8_one_fact_in_two_messages_is_one() -> None:
    token = told(YUNZHOU, DONGHU, about=fact("adopted", YUNZHOU, 2))
    assert flaws(received=(*RECEIVED, token)) == []


# 9. ---------------------------------------------------------------------------------------------


def test_rule_9_an_edition_that_was_forwarded_is_missed() -> None:
    flaw = the_flaw(sent=SENT[1:])
    assert flaw == Flaw(9, "sent", "edition 1 was forwarded, and its message is missing")


def test_rule_9_what_an_office_above_forwarded_is_not_expected() -> None:
    assert verified().passed_on != []
    assert flaws() == []


# Any character. ---------------------------------------------------------------------------------


def changed(token: str, position: int) -> str:
    other = "A" if token[position] != "A" else "B"
    return token[:position] + other + token[position + 1 :]


def test_every_character_of_a_token_counts() -> None:
    for position in range(len(RECEIPT)):
        with pytest.raises(EnvelopeError):
            open_at(DONGHU, changed(RECEIPT, position).encode())


def test_no_character_of_any_token_in_a_bundle_can_be_changed() -> None:
    for number, sent in enumerate(SENT):
        for position in range(0, len(sent.token), STEP):
            other = Sent(token=changed(sent.token, position), receipt=sent.receipt)
            assert flaws(sent=(*SENT[:number], other, *SENT[number + 1 :])), (number, position)
    for position in range(0, len(RECEIPT), STEP):
        assert flaws(sent=receipted(changed(RECEIPT, position))), position
    for number, token in enumerate(RECEIVED):
        for position in range(0, len(token), STEP):
            other_token = changed(token, position)
            kept = (*RECEIVED[:number], other_token, *RECEIVED[number + 1 :])
            assert flaws(received=kept), (number, position)
