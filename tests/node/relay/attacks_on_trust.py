"""Attacks on who speaks: checks 4, 5, 8 and 11 of `protocol/envelope.py`.

The attacker is an office of the network, or holds the keys of one, and wants to speak as another.
"""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from protocol.certificates import MAXIMUM_DEPTH
from protocol.keys import P256Signer
from tests import authorities
from tests.factories import make_note
from tests.node.relay.attacks import refused
from tests.node.relay.ends import CITY, COUNTY, SIBLING, Ends
from tests.node.relay.forgeries import (
    OTHER_CITY,
    OTHER_COUNTY,
    PROVINCE,
    honest,
    hub,
    hub_below,
    pretended_hub,
    signer_below,
    spoken,
)
from tests.protocol.forgery import uri

COUNTY_URN, CITY_URN = uri(f"urn:zhitong:node:{COUNTY}"), uri(f"urn:zhitong:node:{CITY}")
DAY = timedelta(days=1)


# The root. ---------------------------------------------------------------------------------------


@refused("envelope.chain")
def foreign_root(ends: Ends) -> bytes:
    """Has set up a hierarchy of its own, with the same names at the same places."""
    others = authorities.line(PROVINCE, CITY, COUNTY, now=ends.clock.now)
    return honest(ends, signer=others[COUNTY].signer)


@refused("envelope.chain")
def foreign_root_brought_along(ends: Ends) -> bytes:
    """Has done the same, and hopes that a root in the token is taken for a trusted one."""
    other = authorities.line(PROVINCE, CITY, COUNTY, now=ends.clock.now)[COUNTY]
    chain = (*other.signer.chain, authorities.der(other.root))
    return honest(ends, signer=P256Signer(other.key, chain))


# The chain. --------------------------------------------------------------------------------------


@refused("envelope.chain")
def chain_too_long(ends: Ends) -> bytes:
    """Appends certificates until looking at them costs more than the message is worth."""
    chain = ends.county.signer.chain
    longer = (*chain, *[chain[-1]] * (MAXIMUM_DEPTH - len(chain)))
    return honest(ends, signer=P256Signer(authorities.key("thief"), longer))


@refused("envelope.chain")
def chain_deeper_than_allowed(ends: Ends) -> bytes:
    """A hub that may have no hubs below it has certified one."""
    lowest = hub_below(ends, SIBLING, hub(ends, CITY), path_length=0)
    below = hub_below(ends, OTHER_COUNTY, lowest, path_length=0)
    return honest(ends, signer=signer_below(ends, COUNTY, below))


@refused("envelope.chain")
def end_certificate_used_to_issue(ends: Ends) -> bytes:
    """A county, which may certify nobody, certifies its sibling with its node certificate."""
    return honest(ends, signer=signer_below(ends, COUNTY, pretended_hub(ends, SIBLING)))


@refused("envelope.certificate")
def issuing_certificate_that_signs(ends: Ends) -> bytes:
    """Has the city's issuing key, which is kept elsewhere than its node's, and signs with it."""
    city = hub(ends, CITY)
    return spoken(ends, CITY, COUNTY, P256Signer(city.issuer.key, city.above))


# The path. ---------------------------------------------------------------------------------------


@refused("envelope.path", at=COUNTY)
def city_certifies_the_province(ends: Ends) -> bytes:
    """A city wants its county to hear the province, and certifies a key in its name."""
    return spoken(ends, PROVINCE, COUNTY, signer_below(ends, PROVINCE, hub(ends, CITY)))


@refused("envelope.path", at=COUNTY)
def city_certifies_itself(ends: Ends) -> bytes:
    """Who has a city's issuing key makes up a second node of that city."""
    return spoken(ends, CITY, COUNTY, signer_below(ends, CITY, hub(ends, CITY)))


@refused("envelope.stranger")
def another_city_certifies_this_citys_county(ends: Ends) -> bytes:
    """Another city of the province certifies a key in the name of this city's county."""
    other = hub_below(ends, OTHER_CITY, hub(ends, PROVINCE), path_length=3)
    return honest(ends, signer=signer_below(ends, COUNTY, other))


@refused("envelope.stranger", at=COUNTY)
def city_certifies_another_citys_county(ends: Ends) -> bytes:
    """The city certifies a key in the name of another city's county, and has it speak here."""
    signer = signer_below(ends, OTHER_COUNTY, hub(ends, CITY))
    return spoken(ends, OTHER_COUNTY, COUNTY, signer)


@refused("envelope.stranger")
def hub_made_up_between(ends: Ends) -> bytes:
    """A county that was made a hub certifies a key in its sibling's name."""
    between = hub_below(ends, SIBLING, hub(ends, CITY), path_length=0)
    return honest(ends, signer=signer_below(ends, COUNTY, between))


# The form of certificates. -----------------------------------------------------------------------


@refused("envelope.certificate")
def no_extended_key_usage(ends: Ends) -> bytes:
    """Has a certificate that does not say what for: to many libraries it is for everything."""
    return honest(ends, signer=signer_below(ends, COUNTY, hub(ends, CITY), usage=None))


@refused("envelope.chain")
def certificate_for_servers(ends: Ends) -> bytes:
    """Has a certificate that was made for a web server."""
    servers = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    return honest(ends, signer=signer_below(ends, COUNTY, hub(ends, CITY), usage=servers))


@refused("envelope.certificate")
def two_urns(ends: Ends) -> bytes:
    """Has a certificate for two offices, and is whichever one the reader looks for."""
    names = [COUNTY_URN, CITY_URN]
    return honest(ends, signer=signer_below(ends, COUNTY, hub(ends, CITY), names=names))


@refused("envelope.expired")
def expired(ends: Ends) -> bytes:
    """Has found a key whose certificate ended yesterday."""
    signer = signer_below(ends, COUNTY, hub(ends, CITY), not_after=ends.clock.now - DAY)
    return honest(ends, signer=signer)


@refused("envelope.expired")
def not_yet_valid(ends: Ends) -> bytes:
    """Has got hold of the certificate that counts from tomorrow."""
    signer = signer_below(ends, COUNTY, hub(ends, CITY), not_before=ends.clock.now + DAY)
    return honest(ends, signer=signer)


# The place. --------------------------------------------------------------------------------------


@refused("envelope.stranger", at=COUNTY)
def sibling(ends: Ends) -> bytes:
    """A county of the same city speaks to its neighbour past the city."""
    return spoken(ends, SIBLING, COUNTY, ends.signer(SIBLING))


@refused("envelope.source")
def sibling_in_the_countys_name(ends: Ends) -> bytes:
    """A county of the same city signs, truly, what it says in another county's name."""
    return honest(ends, signer=ends.signer(SIBLING))


@refused("envelope.source", at=COUNTY)
def grandparent_forged(ends: Ends) -> bytes:
    """The city signs, truly, what it says in the province's name."""
    return spoken(ends, PROVINCE, COUNTY, ends.city.signer)


@refused("envelope.stranger", at=COUNTY)
def grandparent_past_the_parent(ends: Ends) -> bytes:
    """The province itself speaks to a county past its city."""
    return spoken(ends, PROVINCE, COUNTY, ends.signer(PROVINCE))


@refused("envelope.stranger")
def reflected(ends: Ends) -> bytes:
    """Sends an office its own message back."""
    return ends.city.seal(make_note(), CITY)
