"""Attacks around moves: `protocol/issuers`, which says where an office stands from now on.

The attacker wants an office to believe that others stand above it: whoever is believed there
may certify in its branch, and revoke.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509

from protocol import issuers
from protocol.keys import P256Signer
from protocol.messages.trust import Issuers, NewIssuers
from tests import authorities
from tests.node.relay.attacks import refused
from tests.node.relay.ends import CITY, COUNTY, SIBLING, Ends
from tests.node.relay.forgeries import (
    OTHER_CITY,
    PROVINCE,
    Hub,
    certified,
    hub,
    hub_below,
    signer_below,
    spoken,
)


def stated(
    ends: Ends, by: Hub, *, office: str = CITY, number: int = 1, roots: Sequence[str] = ()
) -> Issuers:
    """What an office says of its new chain, under whoever's issuing key."""
    content = NewIssuers(
        office=office,
        number=1,
        issued_at=ends.clock.now.replace(microsecond=0),
        roots=tuple(roots),
    ).model_copy(update={"number": number})
    chain = by.above or (authorities.der(by.issuer.certificate),)
    signer = P256Signer(by.issuer.key, chain)
    return Issuers(statement=issuers.seal(content, signer, incarnation=1).decode())


def abroad(ends: Ends) -> tuple[Hub, x509.Certificate]:
    """The top of another hierarchy, and its root."""
    top = authorities.hierarchy({"quanguo": None}, now=ends.clock.now, seed="abroad")["quanguo"]
    assert top.issuer is not None
    return Hub(top.issuer, ()), top.root


@refused("issuers.refused", at=COUNTY, proven=CITY, told=True)
def statement_of_a_stranger(ends: Ends) -> bytes:
    """A city hands on what the top of another hierarchy says in its name."""
    return ends.city.seal(stated(ends, abroad(ends)[0]), COUNTY)


@refused("issuers.refused", at=COUNTY, proven=CITY, told=True)
def statement_of_the_province_about_itself(ends: Ends) -> bytes:
    """The province moves an office that it did not certify, past the city."""
    return ends.city.seal(stated(ends, hub(ends, PROVINCE), office=PROVINCE), COUNTY)


@refused("issuers.refused", at=COUNTY, proven=CITY, told=True)
def statement_under_a_key_that_certified_nobody_here(ends: Ends) -> bytes:
    """The province makes a second issuing certificate in the city's name."""
    other = hub_below(ends, CITY, hub(ends, PROVINCE), path_length=3)
    return ends.city.seal(stated(ends, other), COUNTY)


@refused("issuers.refused", at=COUNTY, proven=CITY, told=True)
def statement_in_the_name_of_another_city(ends: Ends) -> bytes:
    """The city's key signs for another city."""
    return ends.city.seal(stated(ends, hub(ends, CITY), office=OTHER_CITY), COUNTY)


@refused("issuers.refused", at=COUNTY, proven=CITY, told=True)
def circle_in_which_an_office_stands_above_itself(ends: Ends) -> bytes:
    """The city says that it stands below the very county that it tells so."""
    county = hub_below(ends, COUNTY, hub(ends, PROVINCE), path_length=3)
    return ends.city.seal(stated(ends, certified(ends, hub(ends, CITY), county)), COUNTY)


@refused("issuers.refused", at=COUNTY, proven=CITY, told=True)
def circle_of_the_city_with_itself(ends: Ends) -> bytes:
    """The city says that it stands below itself."""
    again = hub_below(ends, CITY, hub(ends, PROVINCE), path_length=3)
    return ends.city.seal(stated(ends, certified(ends, hub(ends, CITY), again)), COUNTY)


@refused("issuers.refused", at=COUNTY, proven=CITY, told=True)
def new_root_that_no_trusted_one_names(ends: Ends) -> bytes:
    """The city goes over to another hierarchy, and takes its counties along."""
    top, root = abroad(ends)
    moved = certified(ends, hub(ends, CITY), top)
    return ends.city.seal(stated(ends, moved, roots=[issuers.text_of(root)]), COUNTY)


@refused("issuers.refused", at=COUNTY, proven=CITY, told=True)
def statement_as_old_as_the_last(ends: Ends) -> bytes:
    """Who stood above once is put there again."""
    return ends.city.seal(stated(ends, hub(ends, CITY), number=0), COUNTY)


@refused("envelope.direction")
def statement_from_below(ends: Ends) -> bytes:
    """A county tells the city where to stand."""
    return ends.county.seal(stated(ends, hub(ends, CITY)), CITY)


@refused("envelope.stranger", at=COUNTY)
def statement_from_a_sibling(ends: Ends) -> bytes:
    """Another county of the city tells this one."""
    signer = signer_below(ends, SIBLING, hub(ends, CITY))
    return spoken(ends, SIBLING, COUNTY, signer, stated(ends, hub(ends, CITY)))


@refused("envelope.chain", at=COUNTY)
def message_under_the_chain_that_a_stranger_states(ends: Ends) -> bytes:
    """The message itself is signed under the chain that it wants to make known."""
    top, root = abroad(ends)
    city = hub_below(ends, CITY, top, path_length=3)
    signer = signer_below(ends, CITY, city)
    told = stated(ends, city, roots=[issuers.text_of(root)])
    return spoken(ends, CITY, COUNTY, signer, told)
