"""Statements about new issuers: what each check refuses, and what an office believes after it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from protocol import envelope, issuers
from protocol.errors import IssuersError, StrangerError
from protocol.issuers import OpenedIssuers
from protocol.keys import P256Signer
from tests.authorities import Office, certify, der, hierarchy, key
from tests.factories import NOW, make_id, make_payload, make_submission
from tests.protocol import moves
from tests.protocol.scene import DONGHU, JIANGYUAN, LANJIANG, NANHE, XISHAN, YUNZHOU

ABROAD = hierarchy({"quanguo": None, "linsheng": "quanguo"}, now=NOW, seed="abroad")
NATION = hierarchy({"quanguo": None, "elsewhere": "quanguo"}, now=NOW, seed="nation")["quanguo"]
MOVED = moves.under(YUNZHOU, LANJIANG)
TOLD = moves.statement(MOVED.statement, YUNZHOU)


def opened(token: str, at: Office = DONGHU, known: int = 0) -> OpenedIssuers:
    return issuers.open_issuers(token, chains=at.chains, place=at.place, known=known)


def message(signer: P256Signer, *, sender: str, recipient: str) -> bytes:
    payload = make_payload(
        make_submission(), sender=sender, recipient=recipient, subject=make_id(1), id=make_id(2)
    )
    return envelope.seal(payload, signer, signed_at=NOW, incarnation=1)


def test_a_county_learns_from_its_city_under_whom_the_city_stands_now() -> None:
    found = opened(TOLD)
    assert str(found.own) == "jiangyuan/lanjiang/yunzhou/donghu"
    assert found.roots == ()
    county = moves.learned(DONGHU, TOLD)
    assert county.place.is_parent(MOVED.office.path)
    assert county.place.is_above(LANJIANG.path)


def test_what_the_county_signs_counts_at_the_moved_city_before_and_after_it_learns() -> None:
    for county in (DONGHU, moves.learned(DONGHU, TOLD)):
        token = message(county.signer, sender="donghu", recipient="yunzhou")
        city = MOVED.office
        found = envelope.open_message(token, chains=city.chains, place=city.place, now=NOW)
        assert not found.from_above


def test_a_new_top_is_believed_when_the_present_root_names_it_however_far_down() -> None:
    province = moves.under(JIANGYUAN, NATION)
    told = moves.statement(province.statement, JIANGYUAN, roots=(NATION.root,))
    city = moves.learned(YUNZHOU, told)
    assert str(city.path) == "quanguo/jiangyuan/yunzhou"
    assert city.issuer is not None
    signer = P256Signer(city.issuer.key, (der(city.issuer.certificate), *city.signer.chain[1:]))
    further = moves.statement(signer, YUNZHOU, above=told)
    county = moves.learned(DONGHU, further)
    assert str(county.path) == "quanguo/jiangyuan/yunzhou/donghu"
    assert county.chains.roots == (NATION.root, JIANGYUAN.root)
    without = moves.statement(signer, YUNZHOU, roots=(NATION.root,))
    with pytest.raises(IssuersError, match="no trusted root"):
        opened(without)


def test_the_form_must_be_that_of_a_statement() -> None:
    with pytest.raises(IssuersError, match="form"):
        opened(message(YUNZHOU.signer, sender="yunzhou", recipient="donghu").decode())


def test_a_stranger_states_nothing() -> None:
    foreign = moves.under(ABROAD["quanguo"], NATION)
    told = moves.statement(foreign.statement, YUNZHOU, roots=(NATION.root,))
    with pytest.raises(IssuersError, match="did not certify"):
        opened(told)


def test_the_former_grandparent_cannot_move_the_city_s_counties() -> None:
    assert JIANGYUAN.issuer is not None
    signer = P256Signer(JIANGYUAN.issuer.key, (der(JIANGYUAN.issuer.certificate),))
    with pytest.raises(IssuersError, match="did not certify"):
        opened(moves.statement(signer, YUNZHOU))


def test_the_city_s_node_key_signs_no_statement() -> None:
    with pytest.raises(IssuersError, match="not usable"):
        opened(moves.statement(MOVED.office.signer, YUNZHOU))


def test_the_signature_must_fit() -> None:
    other = P256Signer(key("somebody"), MOVED.statement.chain)
    with pytest.raises(IssuersError, match="does not fit"):
        opened(moves.statement(other, YUNZHOU))


def test_the_statement_must_be_of_the_office_that_signed_it() -> None:
    with pytest.raises(IssuersError, match="was signed by yunzhou"):
        opened(moves.statement(MOVED.statement, LANJIANG))


def test_an_older_statement_does_not_move_the_county_back() -> None:
    with pytest.raises(IssuersError, match="not higher"):
        opened(TOLD, known=1)


def test_a_chain_to_a_foreign_root_moves_nobody() -> None:
    moved = moves.under(YUNZHOU, ABROAD["quanguo"])
    with pytest.raises(IssuersError, match="no trusted root"):
        opened(moves.statement(moved.statement, YUNZHOU, roots=(ABROAD["quanguo"].root,)))


def test_nobody_is_moved_below_itself() -> None:
    # Lanjiang below Yunzhou, and Yunzhou, as its own statement has it, below Lanjiang.
    below = moves.under(LANJIANG, YUNZHOU).office
    circle = moves.under(YUNZHOU, below)
    with pytest.raises(IssuersError, match="twice"):
        opened(moves.statement(circle.statement, YUNZHOU))


def test_a_statement_for_one_city_s_counties_is_nothing_to_another_s() -> None:
    with pytest.raises(IssuersError, match="did not certify"):
        opened(TOLD, at=NANHE)


def test_a_top_has_nobody_who_could_move_it() -> None:
    assert JIANGYUAN.issuer is not None
    signer = P256Signer(JIANGYUAN.issuer.key, (der(JIANGYUAN.issuer.certificate),))
    with pytest.raises(IssuersError, match="did not certify"):
        opened(moves.statement(signer, JIANGYUAN), at=JIANGYUAN)


def test_a_statement_is_found_in_a_message_that_cannot_be_verified_yet() -> None:
    assert (
        issuers.is_statement(message(YUNZHOU.signer, sender="yunzhou", recipient="donghu")) is None
    )
    assert issuers.is_statement(b"nothing") is None


def test_a_former_parent_counts_until_the_link_to_it_ends_and_as_evidence_for_good() -> None:
    city = moves.under(YUNZHOU, LANJIANG, until=NOW).office
    before, after = NOW - timedelta(seconds=1), NOW
    assert city.place.is_parent(JIANGYUAN.path, before)
    assert not city.place.is_parent(JIANGYUAN.path, after)
    assert city.place.is_above(JIANGYUAN.path)
    token = message(JIANGYUAN.signer, sender="jiangyuan", recipient="yunzhou")
    with pytest.raises(StrangerError):
        envelope.open_message(token, chains=city.chains, place=city.place, now=after)


def test_what_the_city_signed_under_its_former_chain_is_signed_again_for_a_moved_county() -> None:
    county = moves.learned(DONGHU, TOLD)
    assert not county.place.is_parent(YUNZHOU.path)
    assert county.place.is_above(JIANGYUAN.path)


def test_a_sibling_cannot_speak_as_the_office_that_moved() -> None:
    city = MOVED.office
    forged = certify("yunzhou", XISHAN_HUB, now=NOW)
    path = city.chains.verify(forged.chain, NOW).path
    assert not LANJIANG.place.is_child(path)
    assert LANJIANG.place.is_child(city.path)


def test_what_was_signed_below_the_city_before_it_came_is_known_by_its_issuing_key() -> None:
    place = LANJIANG.place
    assert not place.is_below(DONGHU.path)
    assert YUNZHOU.place.issuing is not None
    place.known_below = frozenset({YUNZHOU.place.issuing})
    try:
        assert place.is_below(DONGHU.path)
        assert place.stands_below(DONGHU.path, MOVED.office.path)
        assert not place.stands_below(XISHAN.path, LANJIANG.path)
    finally:
        place.known_below = frozenset()


def test_over_a_moved_county_both_the_former_and_the_present_line_are_known() -> None:
    county = moves.learned(DONGHU, TOLD)
    assert county.place.stands_above(JIANGYUAN.path, MOVED.office.path)
    assert county.place.stands_above(LANJIANG.path, MOVED.office.path)
    assert not county.place.stands_above(NANHE.path, MOVED.office.path)


XISHAN_HUB = hierarchy({"jiangyuan": None, "xishan": "jiangyuan", "cunwei": "xishan"}, now=NOW)[
    "xishan"
]
