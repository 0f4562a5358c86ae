"""Attacks around revocation: check 15 of `protocol/envelope.py`, `protocol/revocation_list.py`.

The attacker holds a stolen key of an office that was revoked since, or is a neighbour that hands on
lists which do not count. What is known to be revoked when an attack begins was stored here before.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cryptography import x509

from node.workflow import revocation_lists
from protocol import revocation_list
from protocol.keys import P256Signer
from protocol.messages.trust import RevocationList, Revocations, RevokedCertificate
from protocol.trust import serial_of
from tests import authorities
from tests.factories import make_note
from tests.node.relay.attacks import refused
from tests.node.relay.ends import CITY, COUNTY, End, Ends
from tests.node.relay.forgeries import (
    OTHER_CITY,
    PROVINCE,
    Hub,
    honest,
    hub,
    hub_below,
    signer_below,
)


def listed(
    ends: Ends, issuer: str, by: Hub, *gone: x509.Certificate, node: str = COUNTY, **changed: Any
) -> bytes:
    """A list of the issuer, under whoever's issuing key."""
    now = ends.clock.now.replace(microsecond=0)
    content = {
        "issuer": issuer,
        "number": 7,
        "issued_at": now,
        "next_update": now + timedelta(days=14),
        "revoked": [
            RevokedCertificate(serial=serial_of(certificate), node=node, at=now, reason="密钥被盗")
            for certificate in gone
        ],
    }
    chain = by.above or (authorities.der(by.issuer.certificate),)
    signer = P256Signer(by.issuer.key, chain)
    sealed = RevocationList.model_validate(content | changed)
    return revocation_list.seal(sealed, signer, incarnation=1)


async def known(ends: Ends, end: End, *tokens: bytes) -> None:
    """The office has taken these lists in."""
    desk = end.room.desk
    async with desk.database.writing.begin() as session:
        for token in tokens:
            opened = revocation_list.open_list(token, chains=desk.chains)
            await revocation_lists.store(session, opened, ends.clock.now)


def certificate(end: End) -> x509.Certificate:
    """With which the office signs."""
    return x509.load_der_x509_certificate(end.signer.chain[0])


@refused("envelope.revoked")
async def message_of_a_revoked_office(ends: Ends) -> bytes:
    """Holds the county's key, which the city revoked."""
    await known(ends, ends.city, listed(ends, CITY, hub(ends, CITY), certificate(ends.county)))
    return honest(ends)


@refused("envelope.revoked", at=COUNTY)
async def message_of_a_revoked_office_above(ends: Ends) -> bytes:
    """Holds the key of the city's node, which the province revoked."""
    gone = listed(ends, PROVINCE, hub(ends, PROVINCE), certificate(ends.city), node=CITY)
    await known(ends, ends.county, gone)
    return ends.city.seal(make_note(), COUNTY)


@refused("envelope.revoked")
async def message_below_a_revoked_issuing_key(ends: Ends) -> bytes:
    """Holds the city's issuing key, certifies a new key for the county, and speaks as it."""
    city = hub(ends, CITY)
    gone = listed(ends, PROVINCE, hub(ends, PROVINCE), city.issuer.certificate, node=CITY)
    await known(ends, ends.city, gone)
    return honest(ends, signer=signer_below(ends, COUNTY, city))


@refused("envelope.revoked")
async def message_signed_before_the_revocation(ends: Ends) -> bytes:
    """Holds the county's key, and signs with a time at which it was still good."""
    await known(ends, ends.city, listed(ends, CITY, hub(ends, CITY), certificate(ends.county)))
    return honest(ends, at=ends.clock.now - timedelta(hours=2))


@refused("envelope.suspended")
async def message_of_a_suspended_office(ends: Ends) -> bytes:
    """Holds the county's key while the city has it looked into."""
    held = RevokedCertificate(
        serial=serial_of(certificate(ends.county)),
        node=COUNTY,
        at=ends.clock.now,
        hold=True,
        reason="核查",
    )
    token = listed(ends, CITY, hub(ends, CITY), revoked=[held])
    await known(ends, ends.city, token)
    return honest(ends)


@refused("revocations.refused", at=COUNTY, proven=CITY, told=True)
def list_of_an_issuer_in_another_branch(ends: Ends) -> bytes:
    """Another city of the province wants to have a say about this county."""
    other = hub_below(ends, OTHER_CITY, hub(ends, PROVINCE), path_length=3)
    token = listed(ends, OTHER_CITY, other, certificate(ends.county))
    return ends.city.seal(Revocations(list=token.decode()), COUNTY)


@refused("revocations.refused", proven=COUNTY, told=True)
def forged_list_that_revokes_the_parent(ends: Ends) -> bytes:
    """A county signs, with its node's key, a list in the name of the province."""
    signer = ends.county.signer
    now = ends.clock.now.replace(microsecond=0)
    content = RevocationList(
        issuer=PROVINCE,
        number=8,
        issued_at=now,
        next_update=now + timedelta(days=14),
        revoked=[
            RevokedCertificate(
                serial=serial_of(certificate(ends.city)), node=CITY, at=now, reason="x"
            )
        ],
    )
    token = revocation_list.seal(content, signer, incarnation=1)
    return ends.county.seal(Revocations(list=token.decode()), CITY)


@refused("revocations.refused", at=COUNTY, proven=CITY, told=True)
def list_under_the_issuing_key_in_another_name(ends: Ends) -> bytes:
    """A city signs the list of its province with its own issuing key."""
    token = listed(ends, PROVINCE, hub(ends, CITY), certificate(ends.city), node=CITY)
    return ends.city.seal(Revocations(list=token.decode()), COUNTY)


@refused("envelope.revoked", at=COUNTY, proven=CITY, told=True)
async def list_of_an_issuer_that_was_revoked(ends: Ends) -> bytes:
    """Holds the city's issuing key, which the province revoked, and revokes the city's counties."""
    city = hub(ends, CITY)
    gone = listed(ends, PROVINCE, hub(ends, PROVINCE), city.issuer.certificate, node=CITY)
    await known(ends, ends.county, gone)
    token = listed(ends, CITY, city, certificate(ends.county))
    return ends.city.seal(Revocations(list=token.decode()), COUNTY)
