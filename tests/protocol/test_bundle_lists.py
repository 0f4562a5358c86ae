"""Rules 10 and 11 of `protocol/bundle.py`: revocation lists in a file, and what they leave."""

from __future__ import annotations

import pytest

from protocol import bundle
from protocol.bundle import Sent
from protocol.trust import Chains
from protocol.verdict import Verdict
from tests.factories import NOW, make_feedback, make_token
from tests.protocol.bundles import LISTS, RECEIVED, SENT, SUBMISSION, fact, make_bundle, told
from tests.protocol.lists import entry, sealed, since
from tests.protocol.scene import DONGHU, ITEM, JIANGYUAN, LANJIANG, XISHAN, YUNZHOU

CHAINS = Chains([DONGHU.root])
STEP = 61
CITY_LIST = sealed(YUNZHOU).decode()
ROOT_LIST = sealed(JIANGYUAN).decode()


def verified(*lists: str | bytes, **changed: object) -> Verdict:
    texts = tuple(one if isinstance(one, str) else one.decode() for one in lists)
    return bundle.verify(make_bundle(lists=texts, **changed), CHAINS)


def flaws(*lists: str | bytes, **changed: object) -> list[tuple[int, str]]:
    return [(flaw.rule, flaw.where) for flaw in verified(*lists, **changed).flaws]


def test_the_lists_in_a_file_are_told() -> None:
    verdict = verified(*LISTS)
    assert verdict.flaws == []
    assert [(known.issuer, len(known.revoked)) for known in verdict.lists] == [
        ("jiangyuan", 0),
        ("yunzhou", 1),
    ]
    assert verified().lists == []


def test_rule_10_a_list_of_another_branch_does_not_belong_into_the_file() -> None:
    assert flaws(*LISTS, sealed(LANJIANG)) == [(10, "lists[2]")]


def test_rule_10_a_list_that_is_not_signed_by_an_issuing_key_does_not_count() -> None:
    forged = sealed(YUNZHOU, entry(DONGHU), signer=YUNZHOU.signer)
    assert flaws(ROOT_LIST, forged) == [(10, "lists[1]")]


def test_rule_10_an_issuer_has_one_list() -> None:
    assert flaws(CITY_LIST, sealed(YUNZHOU, entry(XISHAN))) == [(10, "lists[1]")]


def test_rule_10_a_list_of_a_revoked_issuer_does_not_count_in_whatever_order() -> None:
    above = sealed(JIANGYUAN, entry(YUNZHOU, issuing=True))
    assert (10, "lists[0]") in flaws(CITY_LIST, above)


def test_rule_11_what_was_received_before_the_compromise_counts_and_the_rest_does_not() -> None:
    # The receipt is of NOW; what donghu states itself has none.
    late = entry(DONGHU, at=NOW, compromised_since=None).model_copy(
        update={"at": NOW.replace(hour=23)}
    )
    verdict = verified(sealed(YUNZHOU, late))
    assert [(f.rule, f.where) for f in verdict.flaws] == [(11, "sent[1]"), (11, "sent[2]")]
    [spoken] = verdict.spoken
    assert spoken.message.revocation is not None
    assert spoken.receipt is not None


def test_rule_11_a_receipt_from_after_the_compromise_shows_nothing() -> None:
    found = flaws(sealed(YUNZHOU, entry(DONGHU)))
    assert (11, "sent[0]") in found


def test_rule_11_without_a_receipt_nothing_is_older() -> None:
    late = entry(DONGHU).model_copy(update={"at": NOW.replace(hour=23)})
    alone = (Sent(token=SUBMISSION.decode()), *SENT[1:])
    assert (11, "sent[0]") in flaws(sealed(YUNZHOU, late), sent=alone)


def test_rule_11_a_receipt_of_a_revoked_office_shows_nothing() -> None:
    late = entry(DONGHU).model_copy(update={"at": NOW.replace(hour=23)})
    found = flaws(sealed(JIANGYUAN, entry(YUNZHOU)), sealed(YUNZHOU, late))
    assert {(11, "sent[0].receipt"), (11, "sent[0]"), (11, "received[0]")} <= set(found)


@pytest.mark.parametrize("hold", [False, True])
def test_rule_11_an_office_above_that_is_revoked_proves_nothing_by_itself(hold: bool) -> None:
    found = flaws(sealed(JIANGYUAN, entry(YUNZHOU, hold=hold)))
    assert {(11, f"received[{number}]") for number in range(len(RECEIVED))} <= set(found)


def carried(hours: float) -> str:
    decided = make_token(
        make_feedback(fact("registered", JIANGYUAN, 1)), JIANGYUAN, YUNZHOU, subject=ITEM
    )
    data = make_feedback(evidence=decided).model_copy(update={"received_at": since(hours)})
    return make_token(data, YUNZHOU, DONGHU, subject=ITEM).decode()


def test_rule_11_what_the_city_had_before_counts_by_its_word() -> None:
    # The province revoked its own node's certificate.
    gone = sealed(JIANGYUAN, entry(JIANGYUAN))
    kept = RECEIVED[:3]
    verdict = verified(gone, received=(*kept, carried(2)))
    assert verdict.flaws == []
    assert [path.node for path, _ in verdict.facts[-1].proven.revoked] == ["jiangyuan"]
    assert flaws(gone, received=(*kept, carried(1))) == [(6, "received[3]")]
    without = told(JIANGYUAN, YUNZHOU, DONGHU, about=fact("registered", JIANGYUAN, 1))
    assert flaws(gone, received=(*kept, without)) == [(6, "received[3]")]


def test_no_character_of_a_list_can_be_changed() -> None:
    for number, token in enumerate(LISTS):
        for position in (*range(0, len(token), STEP), len(token) - 1):
            other = "A" if token[position] != "A" else "B"
            altered = token[:position] + other + token[position + 1 :]
            kept = (*LISTS[:number], altered, *LISTS[number + 1 :])
            assert flaws(*kept), (number, position)


# One fact removed. -------------------------------------------------------------------------------


@pytest.mark.parametrize("removed", range(len(RECEIVED)))
def test_a_bundle_with_one_fact_removed_is_found_out_unless_it_was_its_offices_last(
    removed: int,
) -> None:
    kept = (*RECEIVED[:removed], *RECEIVED[removed + 1 :])
    last_of_yunzhou, last_of_jiangyuan = 2, 4
    found = flaws(*LISTS, received=kept)
    if removed in (last_of_yunzhou, last_of_jiangyuan):
        assert found == [], "numbers end somewhere: nothing in the file names the last one"
    else:
        assert found == [(8, "facts")]


def test_a_bundle_without_the_edition_that_a_fact_names_is_found_out() -> None:
    assert flaws(*LISTS, sent=SENT[1:]) == [(9, "sent")]
