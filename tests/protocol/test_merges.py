"""Facts about a combined item, carried to the items in it: rule 5 of `protocol/evidence.py`, and
the rules 4, 6, 8, 9 and 12 of `protocol/bundle.py` as far as they are about merges.

The item A of donghu went to yunzhou, which merged it into X; jiangyuan merged X into Z; the nation
quanguo decides about Z.
"""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any
from uuid import UUID

import pytest

from protocol import bundle, envelope, evidence
from protocol.bundle import Sent
from protocol.errors import EvidenceError, NotMergedError
from protocol.evidence import Merge, Merges, ProvenFact
from protocol.messages.facts import FactBase
from protocol.trust import Chains
from protocol.verdict import Verdict
from tests.authorities import Office, hierarchy
from tests.factories import NOW, make_fact, make_feedback, make_id, make_submission, make_token
from tests.protocol.bundles import receipt_for

OFFICES = hierarchy(
    {"quanguo": None, "jiangyuan": "quanguo", "yunzhou": "jiangyuan", "donghu": "yunzhou"}
    | {"xishan": "yunzhou"},
    now=NOW,
)
QUANGUO, JIANGYUAN, YUNZHOU, DONGHU, XISHAN = OFFICES.values()
A, B, X, Z, OTHER = (make_id(number) for number in range(31, 36))
LINE = (QUANGUO, JIANGYUAN, YUNZHOU, DONGHU)


def said(office: Office, kind: str, sequence: int = 1, **content: Any) -> FactBase:
    return make_fact(kind, office=office.reference, sequence=sequence, **content)


def merged(office: Office, into: UUID, sequence: int = 1, **content: Any) -> FactBase:
    return said(office, "merged", sequence, into=into, **content)


def unmerged(office: Office, out_of: UUID, sequence: int = 2) -> FactBase:
    return said(office, "unmerged", sequence, out_of=out_of)


def down(fact: FactBase, *way: tuple[Office, UUID], to: Office = DONGHU) -> bytes:
    """The fact as it comes down: by each office, in a message about this item."""
    data = make_feedback(fact)
    offices = [*(office for office, _ in way), to]
    token = b""
    for (sender, recipient), (_, subject) in zip(pairwise(offices), way, strict=True):
        token = make_token(data, sender, recipient, subject=subject)
        data = make_feedback(evidence=token)
    return token


def told(token: bytes, *known: tuple[UUID, FactBase]) -> ProvenFact:
    message = envelope.open_message(token, chains=DONGHU.chains, place=DONGHU.place, now=NOW)
    return evidence.fact_of(
        message, chains=DONGHU.chains, place=DONGHU.place, merges=Merges.of(known)
    )


MERGED_BY_CITY = (A, merged(YUNZHOU, X))
MERGED_BY_PROVINCE = (X, merged(JIANGYUAN, Z))
ADOPTED = said(JIANGYUAN, "adopted", 2)
ADOPTED_DOWN = down(ADOPTED, (JIANGYUAN, X), (YUNZHOU, A))
NATION_DOWN = down(said(QUANGUO, "adopted"), (QUANGUO, Z), (JIANGYUAN, X), (YUNZHOU, A))


def test_a_fact_about_the_combined_item_is_proven_once_its_carrier_said_so() -> None:
    proven = told(ADOPTED_DOWN, MERGED_BY_CITY)
    assert (proven.fact, proven.about) == (ADOPTED, X)
    assert proven.merges == (Merge(YUNZHOU.id, A, X),)


def test_a_fact_about_the_item_itself_needs_nobodys_word() -> None:
    proven = told(down(said(JIANGYUAN, "adopted"), (JIANGYUAN, A), (YUNZHOU, A)))
    assert (proven.about, proven.merges) == (A, ())


def test_two_offices_that_combined_vouch_one_after_the_other() -> None:
    proven = told(NATION_DOWN, MERGED_BY_CITY, MERGED_BY_PROVINCE)
    assert proven.about == Z
    assert proven.merges == (Merge(YUNZHOU.id, A, X), Merge(JIANGYUAN.id, X, Z))


def test_an_office_that_merges_again_says_so_of_every_item() -> None:
    again = down(said(JIANGYUAN, "adopted"), (JIANGYUAN, Z), (YUNZHOU, A))
    into_both = [(A, merged(YUNZHOU, X)), (A, merged(YUNZHOU, Z, 2, through=X))]
    assert told(again, *into_both).about == Z
    with pytest.raises(NotMergedError):
        told(again, into_both[0])


@pytest.mark.parametrize(
    "known",
    [
        pytest.param([], id="never merged"),
        pytest.param([(A, merged(YUNZHOU, OTHER))], id="merged into another one"),
        pytest.param([(B, merged(YUNZHOU, X))], id="another item was merged"),
        pytest.param([(A, merged(JIANGYUAN, X))], id="merged by somebody else"),
        pytest.param([(A, merged(DONGHU, X))], id="merged by the author's own office"),
    ],
)
def test_rule_5_what_was_never_merged_so_waits(known: list[tuple[UUID, FactBase]]) -> None:
    with pytest.raises(NotMergedError, match="has not said that it merged"):
        told(ADOPTED_DOWN, *known)


@pytest.mark.parametrize("known", [MERGED_BY_CITY, MERGED_BY_PROVINCE])
def test_rule_5_one_word_of_two_is_not_enough(known: tuple[UUID, FactBase]) -> None:
    with pytest.raises(NotMergedError):
        told(NATION_DOWN, known)


def test_rule_5_what_was_taken_apart_since_is_refused_in_whatever_order_it_was_said() -> None:
    apart = [(A, merged(YUNZHOU, X, 1)), (A, unmerged(YUNZHOU, X, 2))]
    for known in (apart, apart[::-1]):
        with pytest.raises(EvidenceError, match="has taken the item out of") as caught:
            told(ADOPTED_DOWN, *known)
        assert not isinstance(caught.value, NotMergedError)


def test_rule_5_what_was_taken_out_of_another_one_still_counts() -> None:
    known = [(A, merged(YUNZHOU, OTHER, 1)), (A, unmerged(YUNZHOU, OTHER, 2))]
    assert told(ADOPTED_DOWN, *known, (A, merged(YUNZHOU, X, 3))).about == X


def test_rule_5_an_item_on_its_way_up_carries_no_other_item() -> None:
    inner = make_token(make_submission(), DONGHU, YUNZHOU, subject=B)
    outer = make_submission(evidence=[inner.decode()])
    token = make_token(outer, YUNZHOU, JIANGYUAN, subject=A)
    message = envelope.open_message(token, chains=JIANGYUAN.chains, place=JIANGYUAN.place, now=NOW)
    with pytest.raises(EvidenceError, match="about another item"):
        evidence.origins_of(message, chains=JIANGYUAN.chains, place=JIANGYUAN.place)


# In a file. -------------------------------------------------------------------------------------

CHAINS = Chains([DONGHU.root])
SUBMISSION = make_token(make_submission(), DONGHU, YUNZHOU, subject=A)
SENT = (
    Sent(token=SUBMISSION.decode(), receipt=receipt_for(SUBMISSION, YUNZHOU, DONGHU)),
    Sent(token=down(said(DONGHU, "forwarded", to=YUNZHOU.reference), (DONGHU, A)).decode()),
)
RECEIVED = (
    down(merged(YUNZHOU, X), (YUNZHOU, A)),
    down(said(YUNZHOU, "forwarded", 2, to=JIANGYUAN.reference, through=X), (YUNZHOU, A)),
    down(merged(JIANGYUAN, Z), (JIANGYUAN, X), (YUNZHOU, A)),
    ADOPTED_DOWN,
    NATION_DOWN,
)


def verified(received: tuple[bytes, ...] = RECEIVED, **changed: Any) -> Verdict:
    right = {"item": A, "office": DONGHU.id, "sent": SENT, "lists": ()}
    tokens = tuple(token.decode() for token in received)
    return bundle.verify(bundle.Bundle(**right | {"received": tokens} | changed), CHAINS)


def flaws(received: tuple[bytes, ...] = RECEIVED, **changed: Any) -> list[tuple[int, str]]:
    return [(flaw.rule, flaw.where) for flaw in verified(received, **changed).flaws]


def test_the_file_of_an_original_leads_through_all_combined_items() -> None:
    shuffled = list(RECEIVED)
    Random(5).shuffle(shuffled)
    for received in (RECEIVED, RECEIVED[::-1], tuple(shuffled)):
        verdict = verified(received)
        assert verdict.flaws == []
        about = {(s.proven.path.node, s.proven.fact.kind, s.proven.about) for s in verdict.facts}
        assert ("quanguo", "adopted", Z) in about
        assert set(verdict.vouched) == {Merge(YUNZHOU.id, A, X), Merge(JIANGYUAN.id, X, Z)}


def test_rule_6_a_fact_about_a_combined_item_that_the_item_is_no_part_of() -> None:
    stray = down(said(JIANGYUAN, "adopted"), (JIANGYUAN, OTHER), (YUNZHOU, A))
    assert flaws((*RECEIVED, stray)) == [(6, "received[5]")]


def test_rule_6_without_the_fact_that_it_was_merged_nothing_further_is_proven() -> None:
    found = flaws(RECEIVED[1:])
    assert [flaw for flaw in found if flaw[0] == 6] == [
        (6, "received[1]"),
        (6, "received[2]"),
        (6, "received[3]"),
    ]


def test_rule_6_taken_apart_in_the_same_file_proves_nothing_further() -> None:
    apart = down(unmerged(YUNZHOU, X, 3), (YUNZHOU, A))
    verdict = verified((*RECEIVED, apart))
    assert [flaw.where for flaw in verdict.flaws] == [f"received[{n}]" for n in (2, 3, 4)]
    assert "out of which yunzhou took the item" in verdict.flaws[0].detail


def test_rule_8_facts_about_a_combined_item_have_a_count_of_their_own() -> None:
    nation_again = down(said(QUANGUO, "closed", 3), (QUANGUO, Z), (JIANGYUAN, X), (YUNZHOU, A))
    [flaw] = verified((*RECEIVED, nation_again)).flaws
    assert (flaw.rule, flaw.detail) == (
        8,
        f"of the facts of quanguo about {Z}, number 2 is missing",
    )


def own_merge() -> tuple[tuple[Sent, ...], tuple[bytes, ...]]:
    """The county itself combined A and B into X, and sent that up."""
    facts = (
        merged(DONGHU, X, 1),
        said(DONGHU, "forwarded", 2, to=YUNZHOU.reference, through=X),
    )
    sent = tuple(Sent(token=down(fact, (DONGHU, A)).decode()) for fact in facts)
    return sent, (down(said(YUNZHOU, "adopted"), (YUNZHOU, X)),)


def test_the_file_of_an_original_of_the_office_itself_holds_no_text_of_the_combined_one() -> None:
    sent, received = own_merge()
    verdict = verified(received, sent=sent)
    assert verdict.flaws == []
    assert verdict.spoken == []
    assert verdict.vouched == [Merge(DONGHU.id, A, X)]


def test_rule_4_what_was_received_about_another_item_needs_the_offices_own_word() -> None:
    sent, received = own_merge()
    apart = Sent(token=down(unmerged(DONGHU, X, 3), (DONGHU, A)).decode())
    assert flaws(received, sent=(*sent, apart)) == [(4, "received[0]")]
    [flaw, *_] = verified(received, sent=SENT).flaws
    assert (flaw.rule, flaw.detail) == (4, "it is about another item")


def test_rule_12_an_office_speaks_of_a_combined_item_after_it_merged_the_item() -> None:
    early = down(said(YUNZHOU, "instructed", 1, through=X), (YUNZHOU, A))
    late = down(merged(YUNZHOU, X, 2), (YUNZHOU, A))
    assert flaws((early, late)) == [(12, "facts")]


def test_rule_9_a_forwarded_edition_is_not_missed_only_where_the_combined_one_went_up() -> None:
    sent, _ = own_merge()
    assert flaws((), sent=sent) == []
    alone = down(said(DONGHU, "forwarded", 3, to=YUNZHOU.reference), (DONGHU, A))
    assert flaws((), sent=(*sent, Sent(token=alone.decode()))) == [(9, "sent")]
